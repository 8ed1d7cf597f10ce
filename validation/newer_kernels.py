# SPDX-License-Identifier: GPL-2.0-only
"""The model against newer kernels: every recorded condition, counter by counter.

    python -m validation.newer_kernels [--kernels 6.1 7.3] [--replications N] [--misses N]

Each condition becomes a scenario with the row of the table of remedies that stands for its kernel.
A run is inside if the model has 95 % of its own runs of that length around it; a condition is, if
that holds for the sum of its runs and of as many of the model. CPU times are those of the set
`costs` and of one half of the conditions; the other half confirms.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import KrcsimError
from krcsim.base.tables import text_table
from krcsim.engine.codes import EVENTS
from krcsim.engine.records import COUNTERS
from krcsim.guest.mainline.series import SERIES, listed
from krcsim.guest.score import GROUPS, INSIDE, SLACK, Answer
from krcsim.model.constants import GUEST_INSTRUCTION_NS
from krcsim.model.remedy import REMEDIES
from krcsim.runs.replications import Replications, event_log, replicate, warm_up
from validation.newer_costs import call_alone, instructions_of
from validation.newer_recordings import Condition, Row, conditions, number, numbers, scenario_of

SEED = 20261126
REPLICATIONS = 200
ENOUGH = 100  # counted, for a relative error to mean something; and
NARROW = 0.06  # of the value, the half width of the model's interval: chance does no more
REAL = "real"  # the set in which memory really runs out
DRAINS = "drains"  # the set in which nothing is random
COSTS = "costs"  # the set that CPU times were counted in
TICK_US = 4000  # HZ=250
MOST_EVENTS = 100_000  # of a run of light traffic


@dataclass(frozen=True)
class Quantity:
    """Something that was counted, and what the model calls it.

    `part` of `whole`, or `part` of a run where there is no whole: columns of a recording, and
    counters of the model, each a sum of several. `scale` makes the unit of the column that of the
    counter.
    """

    name: str
    part: tuple[str, ...]
    model_part: tuple[str, ...]
    whole: tuple[str, ...] = ()
    model_whole: tuple[str, ...] = ()
    scale: float = 1.0
    needs_sheaves: bool = False


def _of_sheaves(name: str, part: tuple[str, ...], model_part: tuple[str, ...]) -> Quantity:
    return Quantity(name, part, model_part, needs_sheaves=True)


P_WAIT = Quantity("P(wait)", ("waits",), ("waits",), ("single_calls",), ("single",))
WAITS = Quantity("waits", ("waits",), ("waits",))
PAGES = Quantity("pages asked", ("page_try",), ("page_ok", "page_fail"))
MONITORS = Quantity("drains", ("run_monitors",), ("monitors",))
REFILLS = Quantity("refills", ("run_refills",), ("refill_runs",))
SCORED = (P_WAIT, PAGES, MONITORS, REFILLS)  # what the bars are about
QUANTITIES = (
    *SCORED,
    WAITS,
    Quantity("pages of refills", ("run_refill_try",), ("refill_tries",)),
    Quantity("a wait, ms", ("net_wait_ns",), ("wait_ms",), ("waits",), ("waits",), 1e-6),
    Quantity("calls", ("calls",), ("single", "double")),
    _of_sheaves("in sheaves", ("in_sheaf",), ("sheaf_stored",)),
    _of_sheaves("new sheaves", ("run_sheaf_requests",), ("sheaf_requests",)),
    _of_sheaves("sheaves back", ("run_sheaves",), ("sheaves_to_barn", "sheaves_flushed")),
)


@dataclass(frozen=True)
class Compared:
    """A quantity of a condition: what the model says of it, and how many were counted.

    `answer` is about the sum of its runs, `each` about its runs, one by one.
    """

    condition: Condition
    quantity: Quantity
    answer: Answer
    each: tuple[Answer, ...]
    counted: float

    @property
    def trivial(self) -> bool:
        """Whether neither side saw any: an agreement on that says little."""
        return is_trivial(self.answer)

    @property
    def says_how_far(self) -> bool:
        """Whether its relative error is more than chance: enough counted, a narrow interval."""
        half = (self.answer.high - self.answer.low) / 2
        return self.counted >= ENOUGH and half <= NARROW * self.answer.predicted


def is_trivial(answer: Answer) -> bool:
    """Whether neither side saw any: an agreement on that says little."""
    return answer.measured == 0.0 and answer.high == 0.0


def measured_of(condition: Condition, run: Row, columns: Sequence[str]) -> float:
    """A sum of columns of a run. Not in a recording: `single_calls` are those that are not
    double_calls; `net_wait_ns` are waits without the call that they were timed with.
    """
    values = []
    for column in columns:
        value = number(run, column)
        if column == "single_calls":
            value = number(run, "calls") - number(run, "double_calls")
        if column == "net_wait_ns":
            call_ns = call_alone(condition) * GUEST_INSTRUCTION_NS
            value = max(0.0, number(run, "wait_ns") - call_ns * number(run, "waits"))
        values.append(value)
    return sum(values)


def compare(condition: Condition, replications: int = REPLICATIONS) -> list[Compared]:
    """All quantities of a condition, from the same replications."""
    scenario = scenario_of(condition, instructions_of(condition))
    runs = len(condition.runs)
    simulated = replicate(scenario, SEED, 0, replications)
    pick = np.random.default_rng(SEED).integers(replications, size=(GROUPS, runs))

    found = []
    for quantity in QUANTITIES:
        missing = set(quantity.model_part) - set(COUNTERS)
        if missing or (quantity.needs_sheaves and not condition.series.has_sheaves):
            continue
        found.append(_compared(condition, quantity, simulated, pick))
    return found


def _compared(
    condition: Condition, quantity: Quantity, simulated: Replications, pick: NDArray[np.int64]
) -> Compared:
    part = np.asarray(sum(simulated.of(name, 1) for name in quantity.model_part))
    whole: NDArray[np.float64] = np.ones(len(simulated))
    if quantity.whole:
        whole = np.asarray(sum(simulated.of(name, 1) for name in quantity.model_whole))

    parts = [measured_of(condition, run, quantity.part) * quantity.scale for run in condition.runs]
    wholes = [1.0] * len(parts)
    if quantity.whole:
        wholes = [measured_of(condition, run, quantity.whole) for run in condition.runs]

    each = tuple(
        _answer(quantity, one, of, part, whole) for one, of in zip(parts, wholes, strict=True)
    )
    answer = _answer(quantity, sum(parts), sum(wholes), part[pick].sum(1), whole[pick].sum(1))
    counted = sum(wholes) if quantity.scale != 1.0 else sum(parts)
    return Compared(condition, quantity, answer, each, counted)


def _answer(
    quantity: Quantity,
    part: float,
    whole: float,
    model_part: NDArray[np.float64],
    model_whole: NDArray[np.float64],
) -> Answer:
    """What was measured, and where the model's groups of as many runs lie."""
    ratios = model_part / np.maximum(1e-9, model_whole)
    low, high = (float(end) for end in np.quantile(ratios, [(1 - INSIDE) / 2, (1 + INSIDE) / 2]))
    measured = part / whole if whole else 0.0
    predicted = float(model_part.sum()) / max(1e-9, float(model_whole.sum()))

    slack = 0.0
    if high - low <= SLACK * high:  # (nearly) nothing is random
        one = 1.0 / max(1.0, whole) if quantity.whole else 1.0
        slack = max(SLACK * measured, one)
    return Answer(measured, predicted, low, high, slack=slack)


def compare_all(found: Sequence[Condition], replications: int = REPLICATIONS) -> list[Compared]:
    """compare() for all, on the CPUs there are."""
    warm_up()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        lists = pool.map(lambda condition: compare(condition, replications), found)
        return [one for several in lists for one in several]


def is_scored(condition: Condition) -> bool:
    """Whether a condition is one of those of the bars: one CPU, failures that are made, and
    nothing else that wants the CPU.
    """
    return condition.cpus == 1 and condition.set not in (REAL, COSTS) and not is_shared(condition)


def is_shared(condition: Condition) -> bool:
    """Whether something else takes the CPU: a reader, or a background that forks."""
    return condition.of("reader_ms") > 0 or condition.tag == "forks"


# ---- how they agree


@dataclass(frozen=True)
class Score:
    """Over some quantities: how many runs and conditions were non-trivial, the shares of them
    inside, and the median relative error where it is more than chance.
    """

    runs: int
    runs_inside: float
    nontrivial: int
    inside: float
    errors: int
    median: float


def score(compared: Sequence[Compared]) -> Score:
    """Shares and errors are fractions; nan where there is nothing."""
    runs = [answer for one in compared for answer in one.each if not is_trivial(answer)]
    some = [one for one in compared if not one.trivial]
    errors = [abs(one.answer.error) for one in some if one.says_how_far and one.answer.measured]
    return Score(
        len(runs),
        sum(answer.inside for answer in runs) / len(runs) if runs else math.nan,
        len(some),
        sum(one.answer.inside for one in some) / len(some) if some else math.nan,
        len(errors),
        float(np.median(errors)) if errors else math.nan,
    )


def table(compared: Sequence[Compared]) -> str:
    """A row for each quantity, and one for those that the bars are about."""
    heads = (
        "quantity",
        "runs",
        "inside",
        "chosen half",
        "other half",
        "conditions",
        "inside",
        "errors",
        "median",
    )
    groups: list[tuple[str, list[Compared]]] = [
        (quantity.name, [one for one in compared if one.quantity is quantity])
        for quantity in QUANTITIES
    ]
    groups.append(("the first four", scored(compared)))
    rows = []
    for name, some in groups:
        whole = score(some)
        halves = [score([c for c in some if c.condition.is_chosen == chosen]) for chosen in (1, 0)]
        if whole.runs:
            rows.append(
                (
                    name,
                    str(whole.runs),
                    *(_percent(half.runs_inside) for half in (whole, *halves)),
                    str(whole.nontrivial),
                    _percent(whole.inside),
                    str(whole.errors),
                    _percent(whole.median),
                )
            )
    return "\n".join(text_table(heads, rows))


def scored(compared: Sequence[Compared]) -> list[Compared]:
    """What the bars are about."""
    return [one for one in compared if one.quantity in SCORED]


def misses(compared: Sequence[Compared], most: int) -> str:
    """What lies outside, the farthest first."""
    out = sorted(
        (one for one in compared if not one.trivial and not one.answer.inside),
        key=lambda one: -one.answer.distance,
    )
    rows = [
        (
            one.condition.label,
            one.quantity.name,
            f"{one.answer.measured:.4g}",
            f"{one.answer.predicted:.4g}",
            f"{one.answer.low:.4g} .. {one.answer.high:.4g}",
        )
        for one in out[:most]
    ]
    heads = ("condition", "quantity", "measured", "model", "95 % of the model")
    return "\n".join(text_table(heads, rows))


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"


# ---- light traffic: the ticks of drains


def drain_ticks(condition: Condition) -> tuple[list[int], list[int]]:
    """The ticks at which drains began: in the kernel, and in the model."""
    kernel = [round(us / TICK_US - 0.2) for us in numbers(condition.runs[0], "monitor_us")]
    scenario = scenario_of(condition, instructions_of(condition))
    _, log, _ = event_log(scenario, SEED, events=MOST_EVENTS)

    model: list[int] = []
    for event in log:
        what, at = EVENTS[int(event["code"])], float(event["value"])
        if what in ("monitor armed", "monitor re-armed"):
            model.append(round(at))
        elif what == "monitor pulled forward":
            model[-1] = round(at)
    return kernel, model


def drains(found: Sequence[Condition]) -> str:
    """In how many conditions all drains have the tick of the kernel, and which have not."""
    both = {condition.label: drain_ticks(condition) for condition in found}
    out = {label: ticks for label, ticks in both.items() if ticks[0] != ticks[1]}
    lines = [f"Drains at the same ticks: {len(both) - len(out)} of {len(both)} conditions"]
    lines += [f"  {label}: kernel {ticks[0]}, model {ticks[1]}" for label, ticks in out.items()]
    return "\n".join(lines)


# ---- memory that really runs out


def factors(compared: Iterable[Compared]) -> str:
    """Waits and refills a run, kernel beside model, in the conditions of real exhaustion."""
    rows = []
    for one in compared:
        if one.quantity in (WAITS, REFILLS, MONITORS) and not one.trivial:
            rows.append(
                (
                    one.condition.label,
                    one.quantity.name,
                    f"{one.answer.measured:.4g}",
                    f"{one.answer.predicted:.4g}",
                )
            )
    return "\n".join(text_table(("condition", "quantity", "kernel", "model"), rows))


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, and print the tables; 0 unless a recording cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m validation.newer_kernels", description=__doc__)
    parser.add_argument("--kernels", default=",".join(SERIES), metavar="SERIES,...")
    parser.add_argument("--replications", type=int, default=REPLICATIONS, metavar="N")
    parser.add_argument("--misses", type=int, default=12, metavar="N", help="rows of misses (12)")
    parser.add_argument(
        "--quantity", metavar="NAME", help="misses of this one only, for example drains"
    )
    parser.add_argument("--sets", nargs="+", metavar="SET", help="these sets only")
    options = parser.parse_args(argv)
    try:
        for series in listed(options.kernels):
            found = conditions(series.name)
            if options.sets:
                found = tuple(c for c in found if c.set in options.sets)
            if series.row not in REMEDIES:
                print(f"Linux {series.name}: the table of remedies has no row {series.row}")
                continue
            some = [c for c in found if is_scored(c)]
            compared = compare_all(some, options.replications)
            release = found[0].runs[0]["release"] if found else "-"
            print(f"\nLinux {series.name} ({release}), row {series.row}: {len(some)} conditions")
            print(table(compared))
            wanted = [c for c in compared if options.quantity in (None, c.quantity.name)]
            print(misses(wanted, options.misses))
            print(drains([c for c in found if c.set == DRAINS]))
            print(factors(compare_all([c for c in found if c.set == REAL], options.replications)))
            shared = compare_all([c for c in found if is_shared(c)], options.replications)
            print(f"\nReaders, and a background that forks:\n{table(shared)}")
            several = compare_all([c for c in found if c.cpus > 1], options.replications)
            print(f"\nSeveral CPUs, with the grace periods that the runs saw:\n{table(several)}")
    except KrcsimError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
