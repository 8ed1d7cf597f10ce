# SPDX-License-Identifier: GPL-2.0-only
"""The closed loop: known scenarios in guests of several kernels with the recorder beside them. Does
what `krcsim read` makes of a recording hold the truth, and P(wait) that is predicted from it the
waits that were counted?

    python -m validation.closed_loop                        the table in data/recordings/
    python -m validation.closed_loop --take FOLDER [--kernels '6.1 7.3'] [--cases 0-29] [--jobs 2]
                                     [--table FILE.csv]

The scenarios are drawn at random from wide ranges, each from the kernel, its number and nothing
else. Their pressure is made: requests fail and stall as drawn, and the kernel's own tracepoints
show it (krcsim/guest/mainline/module/shown.h). A guest takes half a minute.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_whole
from krcsim.guest.boot import Boot
from krcsim.guest.mainline.series import SERIES
from krcsim.model.scenario_file import data_folder, load_scenario
from krcsim.results.estimate import Estimate
from krcsim.studies.recorded import ask_recording
from krcsim.trace.draws import joint_of
from krcsim.trace.fit import Made
from krcsim.trace.recordings import BASE, read_recordings
from krcsim.trace.value import LIMIT
from validation.recordings import Load, guest_says

KERNELS = "6.1 6.12 7.3"
CASES = 30
TABLE = "closed-loop.csv"
RUN_MS = 150_000  # of which the recorder sees 30 s: what it takes to know the waits well
MOST_HZ = 2500.0  # in on phases: what a guest in which an instruction takes 8 ns keeps up with
FEWEST_WAITS = 10  # of a case with waits
BUDGET = 2e7  # events of the fitted scenario, and of all its draws
HEAD = ("kernel", "case", "field", "truth", "value", "low", "high", "said", "holds")

# The module makes no calls: what the guest itself makes is part of every other recording.
_QUIET = "period_us=2000000000 arrival=1 seed=1"
# All stalls last as long.
EVEN_MS = 1.0
_EVEN = (
    "period_us=1000 arrival=1 catchup=1 vmalloc_pct=100 waiters=512 shown=1 p_nowait_ppm=950000 "
    "p_page_ppm=900000 on_ms=0 stall_us=1000 stall_sigma_pct=0 seed=1"
)


@dataclass(frozen=True)
class Case:
    """A known scenario: the kernel and how it boots, the module's parameters, and the truth."""

    kernel: str
    number: int
    line: str
    boot: Boot
    truth: dict[str, Any]

    def path(self, folder: Path, ending: str) -> Path:
        """Where a guest's answer is kept."""
        return folder / f"{self.kernel}-{self.number:02d}.{ending}"

    @property
    def load(self) -> Load:
        """What the guest is given."""
        return Load(self.line, "", {}, boot=self.boot, run_ms=RUN_MS)


def case_of(kernel: str, number: int) -> Case:
    """The known scenario of that number."""
    random = np.random.default_rng([list(SERIES).index(kernel), number, 15])

    def between(low: float, high: float) -> float:
        return float(np.exp(random.uniform(np.log(low), np.log(high))))

    arrivals = ("poisson", "poisson", "bursts", "onoff")[random.integers(4)]
    rate_hz = between(300, 2000)
    truth: dict[str, Any] = {"workload.arrivals": arrivals}
    words = ["arrival=1 catchup=1"]
    burst, duty = 1, 1.0
    if arrivals == "bursts":
        burst = int(random.integers(4, 33))
        truth["workload.burst"] = float(burst)
        words.append(f"burst={burst}")
    if arrivals == "onoff":
        on_ms, off_ms = between(30, 300), between(60, 600)
        words.append(f"phase_on_us={round(on_ms * 1000)} phase_off_us={round(off_ms * 1000)}")
        truth |= {"workload.on_ms": on_ms, "workload.off_ms": off_ms}
        duty = on_ms / (on_ms + off_ms)
        rate_hz = min(rate_hz, MOST_HZ * duty)
    period_us = max(1, round(1e6 * burst * duty / rate_hz))
    rate_hz = 1e6 * burst * duty / period_us
    double_pct = int(random.integers(0, 61))
    # Objects that sheaves take need no page: on such a kernel most are vmalloc()ed.
    vmalloc_pct = int(random.integers(*((50, 101) if SERIES[kernel].has_sheaves else (0, 51))))
    truth |= {
        "workload.rate_hz": rate_hz,
        "workload.single_share": 1 - double_pct / 100,
        "workload.vmalloc_share": vmalloc_pct / 100,
    }
    words.append(f"period_us={period_us} double_pct={double_pct} vmalloc_pct={vmalloc_pct}")

    nowait = float(random.uniform(0.4, 0.97))
    noretry = nowait * float(random.uniform(0.4, 1.0))
    calm = float(random.choice([0.0, 0.001, 0.01]))
    on_ms, off_ms = between(200, 2000), between(500, 4000)
    stall_ms, sigma = between(0.3, 5.0), float(random.uniform(0.3, 1.2))
    neighbour_us = round(between(2000, 10_000))
    truth |= {
        "allocator.episode.page": nowait,
        "allocator.episode.page_noretry": noretry,
        "allocator.calm.page": calm,
        "allocator.calm.page_noretry": 0.0,
        "allocator.episode_ms": on_ms,
        "allocator.calm_ms": off_ms,
        "allocator.stall_ms": stall_ms,
        "allocator.stall_sigma": sigma,
    }
    words.append(
        f"shown=1 p_nowait_ppm={round(nowait * 1e6)} p_page_ppm={round(noretry * 1e6)} "
        f"calm_nowait_ppm={round(calm * 1e6)} neighbour_us={neighbour_us} "
        f"onset_ms={round(off_ms / 2)} on_ms={round(on_ms)} off_ms={round(off_ms)} epi_exp=1 "
        f"stall_us={round(stall_ms * 1000)} stall_sigma_pct={round(sigma * 100)} "
        f"waiters=512 seed={1000 + number}"
    )
    pages = int(random.choice([0, 0, 0, 1, 5]))
    truth["remedy.nr_bkv_objs"] = pages
    boot = Boot(append=f"preempt=full {SERIES[kernel].cached_parameter}={pages}")
    return Case(kernel, number, " ".join(words), boot, truth)


def quiet(kernel: str) -> Case:
    """The guest without calls of the module."""
    return Case(kernel, 99, _QUIET, Boot(), {})


def even(kernel: str) -> Case:
    """The guest under pressure in which all stalls last as long."""
    boot = Boot(append=f"preempt=full {SERIES[kernel].cached_parameter}=0")
    return Case(kernel, 98, _EVEN, boot, {})


def take(case: Case, folder: Path) -> None:
    """The recording of a case and the module's result, unless it is there; raises KrcsimError."""
    if case.path(folder, "json").exists():
        return
    said = guest_says(case.kernel, case.load)
    folder.mkdir(parents=True, exist_ok=True)
    archive = gzip.compress(said.archive.encode(), 9, mtime=0)
    write_whole(case.path(folder, "txt.gz"), archive, overwrite=True)
    write_whole(case.path(folder, "json"), (said.result + "\n").encode(), overwrite=True)


# ---- what is read, beside the truth


@dataclass(frozen=True)
class Row:
    """A field of a case: its truth, and what the recording says of it."""

    kernel: str
    case: int
    field: str
    truth: str
    value: str
    low: str
    high: str
    said: str  # measured, limit, or "" where the recording does not say it
    holds: str  # yes, no, or "" where nothing is said

    def cells(self) -> list[str]:
        """In the order of HEAD."""
        return [str(getattr(self, name)) for name in HEAD]


def rows_of(case: Case, folder: Path) -> Iterator[Row]:
    """All fields of a case, and P(wait)."""
    made = read_recordings(case.path(folder, "txt.gz"))
    truth = _as_it_happened(_with_own_calls(case, folder), delay_ms(case.kernel, folder))
    for field, true in truth.items():
        yield _row(case, made, field, true)
    yield _p_wait(case, folder, made)


def _with_own_calls(case: Case, folder: Path) -> dict[str, Any]:
    """The truth with the calls that the guest makes itself."""
    own = quiet(case.kernel)
    seen = read_recordings(own.path(folder, "txt.gz")).evidence
    own_hz = seen.calls.total / seen.seconds
    rate_hz = case.truth["workload.rate_hz"]
    more = rate_hz / (rate_hz + own_hz)
    return case.truth | {
        "workload.rate_hz": rate_hz + own_hz,
        "workload.single_share": case.truth["workload.single_share"] * more,
        "workload.vmalloc_share": case.truth["workload.vmalloc_share"] * more,
    }


def delay_ms(kernel: str, folder: Path) -> float:
    """By how much stalls last longer in a guest than was asked for: it takes time to wake up."""
    reclaims = read_recordings(even(kernel).path(folder, "txt.gz")).evidence.reclaims
    return float(np.median(reclaims.ends_s - reclaims.begins_s)) * 1000.0 - EVEN_MS


def _as_it_happened(truth: dict[str, Any], more_ms: float) -> dict[str, Any]:
    """The truth with stalls that are so much longer."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    lengths = truth["allocator.stall_ms"] * np.exp(truth["allocator.stall_sigma"] * nodes)
    logs = np.log(lengths + max(0.0, more_ms))
    weights = weights / weights.sum()
    mean = float(weights @ logs)
    sigma = float(np.sqrt(weights @ (logs - mean) ** 2))
    return truth | {"allocator.stall_ms": float(np.exp(mean)), "allocator.stall_sigma": sigma}


def _row(case: Case, made: Made, field: str, true: Any) -> Row:
    value = made.values.get(field)
    if value is None:
        return Row(case.kernel, case.number, field, _text(true), "", "", "", "", "")
    if value.limits is None:
        holds = value.value == true
        return _filled(case, field, true, value.value, "", "", value.kind, holds)
    low, high = value.limits
    holds = (true <= high or low == value.value) if value.kind == LIMIT else low <= true <= high
    return _filled(case, field, true, value.value, low, high, value.kind, holds)


def _filled(
    case: Case, field: str, true: Any, value: Any, low: Any, high: Any, said: str, holds: bool
) -> Row:
    true, value, low, high = (_text(one) for one in (true, value, low, high))
    mark = "yes" if holds else "no"
    return Row(case.kernel, case.number, field, true, value, low, high, said, mark)


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _p_wait(case: Case, folder: Path, made: Made) -> Row:
    """P(wait) of a single-argument call: counted in the run of the module, and predicted."""
    result = json.loads(case.path(folder, "json").read_text(encoding="utf-8"))
    waits, calls = result["waits"], result["calls"] - result["double_calls"]
    if waits < FEWEST_WAITS:
        return Row(
            case.kernel, case.number, "p_wait", _text(waits / max(1, calls)), "", "", "", "", ""
        )
    joint = joint_of(made, load_scenario(BASE))
    found = ask_recording(joint, "p_wait", window="steady", budget=BUDGET).parts.whole
    true = waits / calls
    return _filled(
        case, "p_wait", true, found.value, found.lo, found.hi, found.kind, _holds(found, true)
    )


def _holds(found: Estimate, true: float) -> bool:
    low, high = found.lo or 0.0, 1.0 if found.hi is None else found.hi
    return low <= true <= high


# ---- the table


def summary(rows: Iterable[Row]) -> list[str]:
    """How often the intervals of each field hold the truth, kernel by kernel."""
    kept = list(rows)
    kernels = list(dict.fromkeys(row.kernel for row in kept))
    lines = [f"{'field':32}" + "".join(f"{kernel:>14}" for kernel in kernels)]
    for field in dict.fromkeys(row.field for row in kept):
        cells = []
        for kernel in kernels:
            said = [r for r in kept if r.field == field and r.kernel == kernel and r.holds]
            held = sum(r.holds == "yes" for r in said)
            cells.append(f"{held} of {len(said)}" if said else "-")
        lines.append(f"{field:32}" + "".join(f"{cell:>14}" for cell in cells))
    return lines


def tables_folder() -> Path:
    """Where the tables are that come with krcsim."""
    return data_folder() / "recordings"


def read_table(path: Path) -> list[Row]:
    """The rows of a table that main() wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(case=int(one["case"]), **{name: one[name] for name in HEAD if name != "case"})
            for one in csv.DictReader(file)
        ]


def table_text(rows: Sequence[Row]) -> str:
    """The rows as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(row.cells() for row in rows)
    return out.getvalue()


def cases_of(kernels: str, numbers: str) -> list[Case]:
    """The cases of a command line: kernels, and numbers as 3 or 0-29."""
    first, _, last = numbers.partition("-")
    wanted = range(int(first), int(last or first) + 1)
    return [case_of(kernel, number) for kernel in kernels.split() for number in wanted]


def main(argv: Sequence[str] | None = None) -> int:
    """Take recordings and write their table if asked to, then sum a table up."""
    parser = argparse.ArgumentParser(prog="python -m validation.closed_loop", description=__doc__)
    parser.add_argument("--take", type=Path, metavar="FOLDER", help="where recordings are kept")
    parser.add_argument("--table", type=Path, default=tables_folder() / TABLE)
    parser.add_argument("--kernels", default=KERNELS)
    parser.add_argument("--cases", default=f"0-{CASES - 1}")
    parser.add_argument("--jobs", type=int, default=2, help="guests at once")
    args = parser.parse_args(argv)
    if args.take:
        cases = cases_of(args.kernels, args.cases)
        kernels = args.kernels.split()
        wanted = [*map(quiet, kernels), *map(even, kernels), *cases]
        with ThreadPoolExecutor(args.jobs) as pool:
            for case, failed in zip(
                wanted, pool.map(lambda one: _tried(one, args.take), wanted), strict=True
            ):
                if failed:
                    print(f"{case.kernel} case {case.number}: {failed}", file=sys.stderr)
        rows: list[Row] = []
        for case in cases:
            if case.path(args.take, "json").exists():
                rows += rows_of(case, args.take)
                print(_line(rows, case), file=sys.stderr)
        write_whole(args.table, table_text(rows).encode(), overwrite=True)
    print("\n".join(summary(read_table(args.table))))
    return 0


def _tried(case: Case, folder: Path) -> str:
    try:
        take(case, folder)
    except KrcsimError as exc:
        return str(exc)
    return ""


def _line(rows: Sequence[Row], case: Case) -> str:
    """What a case misses."""
    of_it = [row for row in rows if (row.kernel, row.case) == (case.kernel, case.number)]
    missed = [f"{r.field} {r.truth} ({r.low} to {r.high})" for r in of_it if r.holds == "no"]
    return f"{case.kernel} case {case.number}: {'; '.join(missed) or 'all hold'}"


if __name__ == "__main__":
    sys.exit(main())
