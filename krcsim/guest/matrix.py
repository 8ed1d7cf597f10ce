# SPDX-License-Identifier: GPL-2.0-only
"""Sets of conditions that show where models differ, and how their experiments are run.

python -m krcsim.guest.matrix --out FOLDER [--seeds 1 2 3] [SET ...]
"""

import argparse
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from krcsim.base.errors import KrcsimError, did_you_mean
from krcsim.guest.boot import ONE_CPU, Boot, Row, run
from krcsim.guest.build import Build, Say, ready
from krcsim.guest.job_load import WAITERS
from krcsim.guest.parameters import HEAD_ALLOC_CODES
from krcsim.guest.rows import write

HEAD = {name: f"head_alloc={code}" for name, code in HEAD_ALLOC_CODES.items()}

# What a variant sets; the rest is as the module has it. The names are those of the recordings.
VARIANTS = {
    "A": "",
    "B1": "pool=1",
    "B3": "pool=3",
    "B3f": "pool=3 pool_prefill=1",
    "B32": "pool=32",
    "B32f": "pool=32 pool_prefill=1",
    "C": "cache_prefill=1",
    "B3C": "pool=3 cache_prefill=1",
    "D2": "cache_max=2 cache_prefill=2",
    "D5": "cache_max=5 cache_prefill=5",
    "D5s": "cache_max=5 cache_prefill=5 cache_shared=1",
    "D5r": "cache_max=5 cache_prefill=5 refill=1",
    "A+r": "refill=1",
    "A+x": "expedited_drain=1",
    "C+x": "cache_prefill=1 expedited_drain=1",
    "A+u": "rearm_unqueued=1",
    "A-attach": "attach=0",
    "A0": HEAD["atomic"],
    "A-head": HEAD["none"],
    "A3": HEAD["three_step"],
    "A-array": "array_path=0",
    "A0x": f"{HEAD['atomic']} expedited_drain=1 rearm_unqueued=1",
    "A+exp": "sync_exp=1",
    "A+50": "drain_jiffies=50",
}

# period_us, burst, dur_ms: from one object a drain to thousands.
RATES = {
    "sparse": (100_000, 1, 10_000),
    "low": (10_000, 1, 5000),
    "mid": (1000, 10, 3000),
    "heavy": (1000, 100, 2000),
    "burst": (100_000, 2000, 3000),
    "drain": (24_000, 3, 5000),
    "blocks": (5000, 300, 2500),
    "single": (30, 1, 2000),
    "full": (1000, 130, 2000),
}

# When there is pressure: from the begin, after a second, or in episodes.
PATTERNS = {
    "cold": "",
    "warm": "onset_ms=1000",
    "epi": "onset_ms=500 on_ms=100 off_ms=400 epi_exp=1",
    "short": "onset_ms=300 on_ms=10 off_ms=60 epi_exp=1",
}

LOOPS = {"closed": "", "catchup": "catchup=1", "open": f"catchup=1 waiters={WAITERS}"}
CHUNK = 30  # experiments a guest: what a boot costs is spread, and what goes wrong loses little


@dataclass(frozen=True)
class Task:
    """One experiment of a set."""

    line: str
    boot: Boot = Boot()


def _condition(
    name: str,
    remedy: str,
    rate: str,
    pattern: str,
    levels: tuple[float, float],
    more: str = "",
    boot: Boot = ONE_CPU,
    variant: str = "",
) -> Task:
    """An experiment of a set; `levels` are the probabilities that a page and an object fail."""
    period_us, burst, dur_ms = RATES[rate]
    p_page, p_object = levels
    if pattern == "warm":  # its first second is calm
        dur_ms += 1000

    words = [
        f"label={name}/{rate}/{pattern}/{p_page:g}/{p_object:g}",
        f"variant={variant or remedy}",
        VARIANTS[remedy],
        f"period_us={period_us} burst={burst} dur_ms={dur_ms}",
        f"p_page_ppm={round(p_page * 1e6)} p_obj_ppm={round(p_object * 1e6)}",
        PATTERNS[pattern],
        more,
    ]
    return Task(" ".join(" ".join(words).split()), boot)


def _rates() -> Iterator[Task]:
    """Every rate, at three levels."""
    for rate in (name for name in RATES if name != "full"):
        for pattern in ("cold", "epi"):
            for levels in ((1.0, 1.0), (1.0, 0.1), (0.7, 0.7)):
                for remedy in ("A", "B3"):
                    yield _condition("rates", remedy, rate, pattern, levels)


def _remedies() -> Iterator[Task]:
    """Every variant, where they differ most."""
    for remedy in VARIANTS:
        for rate, pattern, levels in (
            ("low", "cold", (0.9, 0.9)),
            ("blocks", "epi", (1.0, 0.5)),
            ("heavy", "warm", (1.0, 1.0)),
        ):
            yield _condition("remedies", remedy, rate, pattern, levels)


def _loops() -> Iterator[Task]:
    """Gaps and loops."""
    for loop, words in LOOPS.items():
        for gap in (0, 1):
            for rate, pattern, levels in (
                ("low", "cold", (1.0, 1.0)),
                ("heavy", "warm", (1.0, 1.0)),
                ("blocks", "epi", (1.0, 0.3)),
                ("single", "short", (1.0, 1.0)),
            ):
                for remedy in ("A", "C"):
                    yield _condition(
                        "loops",
                        remedy,
                        rate,
                        pattern,
                        levels,
                        f"{words} arrival={gap}",
                        variant=f"{remedy}/{loop}{'/exp' * gap}",
                    )


def _kinds() -> Iterator[Task]:
    """Two channels, two arguments, vmalloc()ed objects."""
    for rate, pattern in (("low", "cold"), ("blocks", "epi"), ("heavy", "cold")):
        for word, more in (
            ("ch1", "ch1_pct=30"),
            ("double", "double_pct=50"),
            ("both", "ch1_pct=30 double_pct=50"),
        ):
            for remedy in ("A", "C", "D5s"):
                yield _condition(
                    "kinds", remedy, rate, pattern, (0.9, 0.9), more, variant=f"{remedy}/{word}"
                )
    for remedy in ("A", "C", "D5s"):
        yield _condition(
            "kinds",
            remedy,
            "low",
            "cold",
            (0.9, 0.9),
            "vmalloc_pct=50 objsize=8192",
            variant=f"{remedy}/vmalloc",
        )
        yield _condition(
            "kinds",
            remedy,
            "drain",
            "epi",
            (1.0, 0.5),
            "vmalloc_pct=50 double_pct=30 objsize=8192",
            variant=f"{remedy}/vmalloc2",
        )


def _longgp() -> Iterator[Task]:
    """Grace periods longer than the drain."""
    for reader in (20, 60):
        for remedy in ("A", "B3", "C", "A-attach", "A+u"):
            for rate, pattern, levels in (
                ("low", "cold", (1.0, 0.5)),
                ("mid", "epi", (1.0, 0.3)),
                ("mid", "cold", (0.9, 0.9)),
            ):
                yield _condition(
                    "longgp",
                    remedy,
                    rate,
                    pattern,
                    levels,
                    f"reader_ms={reader}",
                    Boot(append="preempt=full"),
                    f"{remedy}/r{reader}",
                )


def _late() -> Iterator[Task]:
    """Callers that fall behind their schedule, while works free many blocks."""
    for loop in ("catchup", "open"):
        for gap in (0, 1):
            for rate in ("blocks", "heavy", "full"):
                for levels in ((1.0, 0.1), (0.99, 0.1), (0.5, 0.5)):
                    yield _condition(
                        "late",
                        "A",
                        rate,
                        "epi",
                        levels,
                        f"{LOOPS[loop]} arrival={gap}",
                        variant=f"A/{loop}{'/exp' * gap}",
                    )


def _busygp() -> Iterator[Task]:
    """Grace periods longer than the drain, and much to free."""
    for reader in (20, 60):
        for remedy in ("A", "B3", "C"):
            for pattern, levels in (("cold", (0.9, 0.9)), ("epi", (1.0, 0.3))):
                yield _condition(
                    "busygp",
                    remedy,
                    "heavy",
                    pattern,
                    levels,
                    f"reader_ms={reader}",
                    Boot(append="preempt=full"),
                    f"{remedy}/r{reader}",
                )


def _pools() -> Iterator[Task]:
    """Pools of sizes between the closed forms."""
    for size in (1, 2, 4, 8, 16, 64):
        for full in (0, 1):
            for rate, pattern, levels in (
                ("mid", "cold", (1.0, 1.0)),
                ("blocks", "epi", (1.0, 0.5)),
            ):
                yield _condition(
                    "pools",
                    "A",
                    rate,
                    pattern,
                    levels,
                    f"pool={size} pool_prefill={full}",
                    variant=f"B{size}{'f' * full}",
                )


def _smp() -> Iterator[Task]:
    """2 and 4 CPUs, in real time."""
    for cpus in (2, 4):
        for remedy, more in (
            ("A", ""),
            ("B3", ""),
            ("C", ""),
            ("A", "page_return_worker=1"),
            ("A", "foreign_pct=50"),
            ("C", "page_return_worker=1 foreign_pct=50"),
            ("A", "attach=0"),
        ):
            for rate, levels in (("low", (1.0, 0.5)), ("mid", (1.0, 0.1))):
                yield _condition(
                    "smp",
                    remedy,
                    rate,
                    "cold",
                    levels,
                    f"gp_trace=1 arrival=1 {more}",
                    Boot(cpus),
                    "/".join([remedy, *more.split()]),
                )


def _pairs() -> Iterator[Task]:
    """Two producers on a CPU, that hold each other up or not."""
    for loop, words in LOOPS.items():
        for gap in (0, 1):
            for rate, pattern in (("low", "cold"), ("mid", "epi")):
                for remedy in ("A", "C"):
                    yield _condition(
                        "pairs",
                        remedy,
                        rate,
                        pattern,
                        (1.0, 0.5),
                        f"{words} arrival={gap} threads=2",
                        variant=f"{remedy}/{loop}{'/exp' * gap}",
                    )


def _thread() -> Iterator[Task]:
    """The load of the preset thread-as-posted, as near as can be measured, in real time."""
    load = (
        f"period_us=1000 burst=1 arrival=1 {LOOPS['open']} dur_ms=12000 onset_ms=1000 on_ms=500 "
        "off_ms=2000 epi_exp=1 p_page_ppm=950000 expedited_drain=1 rearm_unqueued=1 gp_trace=1"
    )
    for cpus in (2, 4):
        for variant, p_object, remedy in (
            ("A0", 0.15, HEAD["atomic"]),
            ("C-A0", 0.15, f"{HEAD['atomic']} cache_prefill=1"),
            ("A1", 0.05, HEAD["tryhard"]),
        ):
            yield Task(
                f"label=thread/r1000/episodes/0.95/{p_object:g} variant={variant} {remedy} {load} "
                f"p_obj_ppm={round(p_object * 1e6)}",
                Boot(cpus),
            )


def _again() -> Iterator[Task]:
    """Those of _thread() on 4 CPUs, to be taken with other seeds."""
    return (task for task in _thread() if task.boot.cpus == 4)


def _real() -> Iterator[Task]:
    """No failure is made: a hog takes the memory."""
    for hog in (1, 2, 3):
        for rate, total in (("mid", 30_000), ("heavy", 200_000), ("burst", 60_000)):
            for when, word in (("hogfirst", "lead_ms=200"), ("warm", "onset_ms=500")):
                for remedy in ("A", "B3", "B3f", "C", "D5", "D5r", "A+r"):
                    period_us, burst, _ = RATES[rate]
                    line = (
                        f"label=real{hog}/{rate}/{when}/0/0 variant={remedy} {VARIANTS[remedy]} "
                        f"period_us={period_us} burst={burst} dur_ms=2500 total={total} preobj=1 "
                        f"hog={hog} {word} arrival=1"
                    )
                    yield Task(" ".join(line.split()), Boot(mib=256))


def _gp() -> Iterator[Task]:
    """synchronize_rcu() alone."""
    for cpus in (1, 2, 4):
        yield Task(f"label=gp/latency/cpus{cpus}/0/0 variant=- mode=1", Boot(cpus))


SETS: dict[str, Callable[[], Iterator[Task]]] = {
    "rates": _rates,
    "remedies": _remedies,
    "loops": _loops,
    "kinds": _kinds,
    "longgp": _longgp,
    "late": _late,
    "busygp": _busygp,
    "pools": _pools,
    "smp": _smp,
    "pairs": _pairs,
    "thread": _thread,
    "again": _again,
    "real": _real,
    "gp": _gp,
}


def tasks_of(name: str, seeds: Sequence[int]) -> list[Task]:
    """The experiments of a set, seed by seed."""
    return [Task(f"{task.line} seed={seed}", task.boot) for seed in seeds for task in SETS[name]()]


def measure(build: Build, tasks: Sequence[Task], say: Say = lambda _: None) -> list[Row]:
    """The results in the order of the tasks; raises KrcsimError.

    Guests of one CPU run side by side. Others run alone: in real time a neighbour would be noise.
    """
    chunks = _chunks(tasks)
    rows: dict[int, Row] = {}
    stop = threading.Event()

    def take(chunk: list[int]) -> None:
        if stop.is_set():
            return
        try:
            lines = [tasks[index].line for index in chunk]
            found = run(build, lines, tasks[chunk[0]].boot, stop=stop)
        except KrcsimError:
            stop.set()
            raise
        rows.update(zip(chunk, found, strict=True))
        say(f"{len(rows)} of {len(tasks)} experiments done")

    counted = [chunk for chunk in chunks if tasks[chunk[0]].boot.timing == "icount"]
    with ThreadPoolExecutor(min(len(counted), os.cpu_count() or 1) or 1) as pool:
        futures = [pool.submit(take, chunk) for chunk in counted]
        try:
            failures = [exc for future in futures if (exc := future.exception())]
        except BaseException:  # Ctrl-C: no guest may outlive it
            stop.set()
            raise

    # The guest that failed first says why; the others only that another one did.
    for exc in sorted(failures, key=lambda exc: "another guest" in str(exc)):
        raise exc

    for chunk in chunks:
        if tasks[chunk[0]].boot.timing != "icount":
            take(chunk)

    return [rows[index] for index in range(len(tasks))]


def _chunks(tasks: Sequence[Task]) -> list[list[int]]:
    """The numbers of the tasks that share a guest, at most CHUNK of them."""
    chunks: list[list[int]] = []
    for boot in dict.fromkeys(task.boot for task in tasks):
        same = [index for index, task in enumerate(tasks) if task.boot == boot]
        chunks += [same[start : start + CHUNK] for start in range(0, len(same), CHUNK)]
    return chunks


def _note(text: str) -> None:
    """Say how far it is, on standard error."""
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m krcsim.guest.matrix", description=__doc__)
    parser.add_argument(
        "sets", nargs="*", metavar="SET", help=f"one of {', '.join(SETS)}; without one: all"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="is made if it is not there"
    )
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="N", help="seeds (1 2 3)"
    )
    parser.add_argument("--folder", type=Path, help="where builds are kept")
    parser.add_argument("--list", action="store_true", help="print the job lines instead")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure sets and write NAME.csv and NAME.const.json of each.

    Returns 0, or 2 with one line on what to mend.
    """
    args = _parser().parse_args(argv)
    try:
        if unknown := [name for name in args.sets if name not in SETS]:
            hint = did_you_mean(unknown[0], SETS, f"allowed: {', '.join(SETS)}")
            raise KrcsimError(f"{unknown[0]!r} is not a set; {hint}")
        if min(args.seeds) < 0 or max(args.seeds) >= 2**31:
            raise KrcsimError(
                f"--seeds is {args.seeds}; allowed: whole numbers from 0 to {2**31 - 1}"
            )

        names = args.sets or list(SETS)
        if args.list:
            for name in names:
                for task in tasks_of(name, args.seeds):
                    print(task.line)
            return 0

        build = ready(args.folder, _note)
        args.out.mkdir(parents=True, exist_ok=True)
        for name in names:
            _note(f"{name}:")
            write(args.out, name, measure(build, tasks_of(name, args.seeds), _note))
    except (KrcsimError, OSError) as exc:
        _note(f"krcsim: {exc}")
        return 2
    except KeyboardInterrupt:
        _note("krcsim: stopped; the set under way was not written")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
