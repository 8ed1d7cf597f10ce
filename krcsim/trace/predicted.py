# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel did while it was recorded, beside what the scenario made of the recording
predicts; before anything is said of waits.

The scenario is run for as long as the recording. Its inputs are fitted to calls, requests and
lengths, and none of them to what is compared here, but the grace periods of others. The rate is
that of the recording, if it counted all calls; other inputs are drawn from their intervals.
"""

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from krcsim.base.errors import KrcsimError
from krcsim.base.tables import html_table, paragraph, text_table
from krcsim.model.scenario import Scenario, changed
from krcsim.results.estimate import student
from krcsim.runs.arena import Stop
from krcsim.runs.ladder import SEED
from krcsim.runs.replications import Replications, replicate
from krcsim.trace import rates
from krcsim.trace.evidence import Evidence
from krcsim.trace.fit import LEAST_S, Made
from krcsim.trace.intervals import Interval, of_count
from krcsim.trace.value import shown

NEAR = 0.1  # a prediction that is no farther off reproduces what was recorded, in parts of it
WARM_UP_MS = 6000.0  # the longest delay of the monitor and a grace period
LONGEST_S = 60.0  # of a run; what is predicted for longer recordings varies less
LEAST_RUNS, MOST_RUNS = 8, 64
EVENTS = 3e6  # no further runs after so many
DRAWN = (
    "workload.on_ms",
    "workload.off_ms",
    "workload.single_share",
    "workload.vmalloc_share",
    "grace_period.background_hz",
)

BLOCK = "pointers a block"


@dataclass(frozen=True)
class Behaviour:
    """A quantity that recordings have: its name and unit, the counter of the recording, and the
    counters of a run that mean the same.
    """

    name: str
    unit: str
    recorded: str
    counters: tuple[str, ...]


BEHAVIOUR = (
    Behaviour("runs of the monitor", "drains/s", "monitor", ("monitors",)),
    Behaviour("batches", "batches/s", "work", ("batches",)),
    Behaviour("runs of the refill worker", "refills/s", "refill", ("refill_runs",)),
    Behaviour(
        "page requests of kfree_rcu()",
        "requests/s",
        "own_tries",
        ("page_ok", "page_fail", "refill_tries"),
    ),
    Behaviour("grace periods", "GP/s", "grace_periods", ("gps",)),
)


@dataclass(frozen=True)
class Held:
    """A quantity, recorded and predicted, each with its 95 % interval."""

    name: str
    unit: str
    recorded: float
    recorded_limits: Interval
    predicted: float
    predicted_limits: Interval

    @property
    def is_reproduced(self) -> bool:
        """Whether the intervals have a value in common, or the values are NEAR each other."""
        one, other = self.recorded_limits, self.predicted_limits
        apart = abs(self.predicted - self.recorded)
        return (one.low <= other.high and other.low <= one.high) or apart <= NEAR * self.recorded

    def cells(self) -> tuple[str, str, str, str]:
        """A row of a table."""
        return (
            self.name,
            f"{shown(self.recorded)} ({_ends(self.recorded_limits)})",
            f"{shown(self.predicted)} ({_ends(self.predicted_limits)})",
            "yes" if self.is_reproduced else "NO",
        )


def _ends(limits: Interval) -> str:
    return f"{shown(limits.low)} to {shown(limits.high)}"


HEAD = ("a second, but for pointers", "recorded (95 %)", "predicted (95 %)", "reproduced")


@dataclass(frozen=True)
class Against:
    """What was compared. `not_recorded`: names of what the recording does not have."""

    rows: tuple[Held, ...]
    not_recorded: tuple[str, ...]
    runs: int
    hint: str = ""  # why the model may miss something, as far as the recording tells

    @property
    def misses(self) -> tuple[Held, ...]:
        """What is not reproduced, the farthest off first."""
        missed = [row for row in self.rows if not row.is_reproduced]
        return tuple(sorted(missed, key=_distance, reverse=True))

    @property
    def is_evidence(self) -> bool:
        """Whether the scenario may be taken as that of the machine: something was compared, and
        all of it is reproduced.
        """
        return bool(self.rows) and not self.misses

    @property
    def said(self) -> str:
        """What it comes to, without advice."""
        if not self.rows:
            return "Nothing was compared: the recording does not show what kfree_rcu() itself did"
        if self.misses:
            worst = self.misses[0]
            others = ", ".join(row.name for row in self.misses[1:])
            return (
                f"Refused as evidence: of {worst.name} {shown(worst.recorded)} {worst.unit} "
                f"({_ends(worst.recorded_limits)}) were recorded, and the scenario predicts "
                f"{shown(worst.predicted)} ({_ends(worst.predicted_limits)})"
                + (f"; it misses {others}, too" if others else "")
            )
        names = ", ".join(row.name for row in self.rows)
        return f"The scenario reproduces what was recorded: {names}"

    @property
    def advice(self) -> str:
        """What to do where it is no evidence; else nothing."""
        if not self.rows:
            return "Record with krcsim record, which counts that"
        if self.misses:
            return self.hint or "Record longer, or change the fields that are assumed"
        return ""

    @property
    def sentence(self) -> str:
        """Both of them."""
        advice = self.advice
        return f"{self.said}; {advice[:1].lower()}{advice[1:]}" if advice else self.said

    @property
    def finding(self) -> str:
        """The same in a few words."""
        if not self.rows:
            return "nothing to compare a prediction with"
        if self.misses:
            return f"the scenario misses {', '.join(row.name for row in self.misses)}"
        return "the scenario reproduces what the kernel did"

    def require(self) -> None:
        """Raise KrcsimError, with the quantity that misses, where it is no evidence."""
        if not self.is_evidence:
            raise KrcsimError(self.sentence)

    def text(self) -> str:
        """All rows as a table, then the sentence."""
        lines = text_table(HEAD, [row.cells() for row in self.rows]) if self.rows else []
        left = [f"Not recorded: {', '.join(self.not_recorded)}."] if self.not_recorded else []
        return "\n".join([*lines, *left, f"{self.sentence}.", ""])

    def as_dict(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "is_evidence": self.is_evidence,
            "sentence": self.sentence,
            "replications": self.runs,
            "not_recorded": list(self.not_recorded),
            "rows": [
                {
                    "name": row.name,
                    "unit": row.unit,
                    "recorded": row.recorded,
                    "recorded_lo": row.recorded_limits.low,
                    "recorded_hi": row.recorded_limits.high,
                    "predicted": row.predicted,
                    "predicted_lo": row.predicted_limits.low,
                    "predicted_hi": row.predicted_limits.high,
                    "is_reproduced": row.is_reproduced,
                }
                for row in self.rows
            ],
        }

    def __repr__(self) -> str:
        """In a line what it comes to."""
        return f"<Against: {self.sentence}>"

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        left = f"<p>Not recorded: {html.escape(', '.join(self.not_recorded))}.</p>"
        return (
            paragraph(f"{self.sentence}.")
            + html_table(HEAD, [row.cells() for row in self.rows])
            + (left if self.not_recorded else "")
        )


def _distance(row: Held) -> float:
    """How far the intervals are apart, in parts of the larger value."""
    one, other = row.recorded_limits, row.predicted_limits
    gap = max(other.low - one.high, one.low - other.high)
    return gap / max(row.recorded, row.predicted, 1e-300)


def predicted_against_recorded(
    reading: Made,
    *,
    seed: int = SEED,
    stop: Stop | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Against:
    """Drains, batches, refills, page requests, pointers a block and grace periods per second: what
    a reading shows, and what its scenario predicts for as long.

    `progress` gets replications that are done, and how many there are at most. Raises KrcsimError
    where the recording is shorter than a second or the scenario cannot run so long.
    """
    evidence = reading.evidence
    if evidence.seconds < LEAST_S:
        raise KrcsimError(
            f"the recording covers {evidence.seconds:.3g} s; a prediction is compared with "
            f"{LEAST_S:g} s at least: record longer"
        )
    there = [one for one in BEHAVIOUR if _is_recorded(one, reading)]
    missing = [one.name for one in BEHAVIOUR if one not in there]
    if not evidence.block_pointers[0]:
        missing.append(BLOCK)
    if not there and not evidence.block_pointers[0]:
        return Against((), tuple(missing), 0)

    seconds = min(evidence.seconds, LONGEST_S)
    period_ms = reading.scenario.workload.rate_period_ms
    if period_ms is not None:  # else the mean rate would be another
        seconds = period_ms / 1000.0
    length: dict[str, Any] = dict(warmup_ms=WARM_UP_MS, horizon_ms=WARM_UP_MS + 1000.0 * seconds)
    if reading.scenario.workload.arrivals == "replay":  # the warm-up takes calls of its own
        length["workload.calls.repeat"] = True
    scenario = changed(reading.scenario, **length)
    runs = _runs(scenario, reading, seed, stop, progress)
    rows = [_held(one, evidence, runs, seconds) for one in there]
    if evidence.block_pointers[0]:
        rows += _held_blocks(evidence, runs)
    return Against(tuple(rows), tuple(missing), len(runs), _hint(reading))


def _hint(reading: Made) -> str:
    """The part that is known to be missing where failures are drawn."""
    scans = reading.evidence.counters.get("shrinker", 0)
    if not scans or reading.scenario.memory.pressure != "injected":
        return ""
    return (
        f"Reclaim called the shrinker of kfree_rcu() {scans:,} times, which empties the cache of "
        'pages; where failures are drawn the model has no shrinker: try memory.pressure = "pages"'
    )


def _is_recorded(one: Behaviour, reading: Made) -> bool:
    evidence = reading.evidence
    if one.recorded == "own_tries":  # older kernels ask with flags that others have, too
        flags_known = reading.scenario.remedy.page_class != "nowait"
        return "noretry" in evidence.seen and "remedy" in reading.values and flags_known
    if one.recorded == "grace_periods":
        return "grace_periods" in evidence.seen
    return one.recorded in evidence.counters


def _count(one: Behaviour, evidence: Evidence) -> int:
    if one.recorded == "own_tries":
        return evidence.own_tries
    if one.recorded == "grace_periods":
        return rates.grace_periods(evidence)
    return evidence.counters[one.recorded]


def _runs(
    scenario: Scenario,
    reading: Made,
    seed: int,
    stop: Stop | None,
    progress: Callable[[int, int], None],
) -> Replications:
    """Replications, each with inputs of its own, until they have made EVENTS events."""
    draws = np.random.default_rng(seed)
    found: Replications | None = None
    for number in range(MOST_RUNS):
        one = replicate(_drawn(scenario, reading, draws), seed, number, number + 1, stop=stop)
        found = one if found is None else found + one
        progress(number + 1, MOST_RUNS)
        events = found.of("events", 0).sum() + found.of("events", 1).sum()
        if number + 1 >= LEAST_RUNS and events >= EVENTS:
            break
    assert found is not None
    return found


def _drawn(scenario: Scenario, reading: Made, draws: np.random.Generator) -> Scenario:
    """The scenario with inputs from their intervals, log-normal about their values."""
    chosen = {}
    fields = (*DRAWN, "workload.rate_hz") if reading.evidence.has_parts else DRAWN
    for field in fields:
        normal = float(draws.standard_normal())
        found = reading.values.get(field)
        if found is None or found.limits is None or not 0.0 < found.limits.low < found.value:
            continue
        sigma = math.log(found.limits.high / found.limits.low) / 3.92
        value = found.value * math.exp(min(3.0, max(-3.0, normal)) * sigma)
        chosen[field] = min(1.0, value) if field.endswith("_share") else value
    if "grace_period.background_hz" in chosen:
        chosen["grace_period.background_hz"] = min(1000.0, chosen["grace_period.background_hz"])
    return changed(scenario, **chosen)


def _held(one: Behaviour, evidence: Evidence, runs: Replications, seconds: float) -> Held:
    recorded, recorded_limits = rates.rate_of(evidence, one.recorded, _count(one, evidence))
    counts = sum(runs.of(name, 1) for name in one.counters)
    predicted, limits = _predicted(np.asarray(counts), seconds, evidence.seconds)
    return Held(one.name, one.unit, recorded, recorded_limits, predicted, limits)


def _predicted(
    counts: "np.ndarray[tuple[int], np.dtype[np.float64]]", seconds: float, wanted_s: float
) -> tuple[float, Interval]:
    """The mean of counts in `seconds` a second, and between what another run of `wanted_s` lies."""
    mean = float(counts.mean())
    if mean == 0.0:
        return 0.0, Interval(0.0, of_count(0).high / (seconds * len(counts)))
    # Few counts vary by chance more than so few runs show.
    variance = max(float(counts.var(ddof=1)), mean if mean < 5.0 else 0.0)
    longer = seconds / wanted_s + 1.0 / len(counts)
    half = student(len(counts) - 1) * math.sqrt(variance * longer)
    return mean / seconds, Interval(max(0.0, mean - half) / seconds, (mean + half) / seconds)


def _held_blocks(evidence: Evidence, runs: Replications) -> Sequence[Held]:
    blocks, pointers = evidence.block_pointers
    in_blocks = runs.of("queued", 1) - runs.of("list_pushes", 1) - runs.of("sheaf_stored", 1)
    freed = runs.of("pages_returned", 1) + runs.of("pages_freed", 1)
    fills = (in_blocks / np.maximum(1.0, freed))[freed > 0]
    if len(fills) < 2:
        return []
    recorded = pointers / blocks
    # How much single blocks differ is not recorded; that a block is full or nearly empty at worst
    # gives about the mean itself.
    half = 1.96 * recorded / math.sqrt(blocks)
    value, limits = _predicted(fills, 1.0, 1.0)
    return [
        Held(
            BLOCK,
            "pointers",
            recorded,
            Interval(max(0.0, recorded - half), recorded + half),
            value,
            limits,
        )
    ]
