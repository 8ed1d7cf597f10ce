# SPDX-License-Identifier: GPL-2.0-only
"""Sets of conditions that tell kernels, and models of them, apart.

python -m krcsim.guest.mainline.matrix --out FOLDER [--kernels 7.3 ...] [--seeds 1 2 3] [SET ...]
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from krcsim.base.errors import KrcsimError, did_you_mean
from krcsim.guest.boot import Boot
from krcsim.guest.mainline.build import MainlineBuild, all_ready
from krcsim.guest.mainline.measure import Measured, measure
from krcsim.guest.mainline.rows import write
from krcsim.guest.mainline.series import SERIES, Series, listed

# period_us, burst, dur_ms: from light traffic to a flood.
RATES = {
    "sparse": (1_000_000, 1, 20_000),
    "low": (10_000, 1, 5000),
    "mid": (1000, 10, 1000),
    "heavy": (1000, 100, 300),
    "burst": (100_000, 2000, 1000),
}
# objsize and more: what decides whether a sheaf takes an object.
OBJECTS = {
    "8": "objsize=8",
    "64": "objsize=64",
    "256": "objsize=256",
    "1024": "objsize=1024",
    "4096": "objsize=4096",
    "16384": "objsize=16384",
    "vmalloc": "objsize=4096 vmalloc_pct=100",
}
CACHED = (0, 1, 5)  # pages that the kernel keeps


@dataclass(frozen=True)
class Condition:
    """One experiment, and the pages that the kernel keeps; None: as many as it does anyway."""

    line: str
    cached: int | None = None
    cpus: int = 1

    def boot(self, series: Series) -> Boot:
        """How the guest of a series is booted for it."""
        append = "" if self.cached is None else f"{series.cached_parameter}={self.cached}"
        return Boot(cpus=self.cpus, append=append)


def _condition(
    name: str,
    rate: str,
    what: str,
    objects: str,
    p_page: float,
    p_sheaf: float = 0.0,
    more: str = "",
    cached: int | None = None,
    cpus: int = 1,
) -> Condition:
    """An experiment of a set; `what`: calls with one argument or two."""
    period_us, burst, dur_ms = RATES[rate]
    words = [
        f"label={name}/{rate}/{what}/{objects}/{p_page:g}/{p_sheaf:g}",
        f"period_us={period_us} burst={burst} dur_ms={dur_ms} arrival=1",
        f"double_pct={100 * (what == 'double')} {OBJECTS[objects]}",
        f"p_page_ppm={round(1e6 * p_page)} p_sheaf_ppm={round(1e6 * p_sheaf)}",
        more or "settle_ms=6000",
    ]
    return Condition(" ".join(words), cached, cpus)


def _rates(series: Series) -> Iterator[Condition]:
    """Every rate, one argument and two, with blocks and (where there are any) with sheaves."""
    for rate in RATES:
        for what in ("single", "double"):
            for p_page in (0.0, 0.5, 0.9, 1.0):
                for p_sheaf in (1.0, 0.0) if _has_sheaves(series) else (0.0,):
                    yield _condition("rates", rate, what, "64", p_page, p_sheaf, cached=0)


def _objects(series: Series) -> Iterator[Condition]:
    """Every kind of object, while all page requests fail."""
    for objects in OBJECTS:
        for p_sheaf in (0.0, 1.0) if _has_sheaves(series) else (0.0,):
            yield _condition("objects", "mid", "single", objects, 1.0, p_sheaf)


def _cached(_: Series) -> Iterator[Condition]:
    """Page caches of three sizes, empty and full at the begin; vmalloc objects go into blocks."""
    for cached in CACHED:
        for full in (0, 1) if cached else (0,):
            for rate in ("mid", "heavy"):
                for p_page in (0.5, 0.9, 1.0):
                    more = f"cached={full} settle_ms=6000"
                    yield _condition(
                        "cached", rate, "single", "vmalloc", p_page, more=more, cached=cached
                    )


def _drains(series: Series) -> Iterator[Condition]:
    """A few objects, and then silence: when are they freed?"""
    for objects in ("64", "vmalloc"):
        for calls in (2, 300):
            for p_sheaf in (0.0, 1.0) if _has_sheaves(series) else (0.0,):
                more = f"total={calls} settle_ms=12000"
                yield _condition("drains", "mid", "double", objects, 0.0, p_sheaf, more)


def _sheaves(series: Series) -> Iterator[Condition]:
    """Objects of a cache of their own, made before: all sheaves are new ones, and these fail."""
    if not _has_sheaves(series):
        return
    for p_slab in (0.0, 0.5, 0.9):
        for what in ("single", "double"):
            failing = f"p_slab_ppm={round(1e6 * p_slab)}"
            more = f"own_cache=1 preobj=1 total=3000 {failing} settle_ms=6000"
            yield _condition("sheaves", "mid", what, "64", p_slab, more=more, cached=0)


def _waits(_: Series) -> Iterator[Condition]:
    """How long a call waits, on one CPU and on several: every call does."""
    for cpus in (1, 2, 4):
        for rate in ("low", "mid"):
            more = "p_sheaf_ppm=1000000 settle_ms=100"
            yield _condition("waits", rate, "single", "64", 1.0, more=more, cached=0, cpus=cpus)


SETS: dict[str, Callable[[Series], Iterator[Condition]]] = {
    "rates": _rates,
    "objects": _objects,
    "cached": _cached,
    "drains": _drains,
    "sheaves": _sheaves,
    "waits": _waits,
}


def _has_sheaves(series: Series) -> bool:
    return "__kfree_rcu_sheaf" not in series.lacks


def taken(name: str, build: MainlineBuild, series: Series, seeds: Sequence[int]) -> list[Measured]:
    """A set measured on a kernel, a guest for each way to boot."""
    conditions = list(SETS[name](series))
    found: list[Measured] = []
    for boot in dict.fromkeys(condition.boot(series) for condition in conditions):
        lines = [
            f"{condition.line} seed={seed}"
            for seed in seeds
            for condition in conditions
            if condition.boot(series) == boot
        ]
        one = measure({series.name: build}, {series.name: lines}, {series.name: boot}, _note)
        found.append(one[series.name])
    return found


def _note(text: str) -> None:
    """Say how far it is, on standard error."""
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m krcsim.guest.mainline.matrix", description=__doc__
    )
    parser.add_argument(
        "sets", nargs="*", metavar="SET", help=f"one of {', '.join(SETS)}; without one: all"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="is made if it is not there"
    )
    parser.add_argument(
        "--kernels", nargs="+", default=list(SERIES), metavar="SERIES", help=", ".join(SERIES)
    )
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="N", help="seeds (1 2 3)"
    )
    parser.add_argument("--folder", type=Path, help="where builds are kept")
    parser.add_argument("--list", action="store_true", help="print the job lines instead")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure sets on kernels, and write kernel-SERIES/SET.csv and .const.json of each.

    Returns 0; 1 where something could not be measured, which is said; 2 with one line on what to
    mend.
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
        wanted = listed(",".join(args.kernels))
        names = args.sets or list(SETS)
        if args.list:
            for series in wanted:
                for name in names:
                    for condition in SETS[name](series):
                        print(condition.line)
            return 0
        return _take(args, wanted, names)
    except (KrcsimError, OSError) as exc:
        _note(f"krcsim: {exc}")
        return 2
    except KeyboardInterrupt:
        _note("krcsim: stopped; the set under way was not written")
        return 130


def _take(args: argparse.Namespace, wanted: Sequence[Series], names: Sequence[str]) -> int:
    builds, failures = all_ready(wanted, args.folder, _note)
    for name, why in failures.items():
        _note(f"krcsim: Linux {name} is left out: {why}")

    troubled = bool(failures)
    for series in wanted:
        if series.name not in builds:
            continue
        build = builds[series.name]
        _note(build.origin.words())
        folder = args.out / f"kernel-{series.name}"
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            if not list(SETS[name](series)):
                continue
            _note(f"{series.name}, {name}:")
            found = taken(name, build, series, args.seeds)
            for note in dict.fromkeys(note for one in found for note in one.notes):
                _note(f"krcsim: Linux {series.name}, {name}: {note}")
                troubled = True
            if any(one.rows for one in found):
                write(folder, name, found)
    return int(troubled)


if __name__ == "__main__":
    sys.exit(main())
