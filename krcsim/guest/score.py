# SPDX-License-Identifier: GPL-2.0-only
"""The model's prediction against what was recorded, condition by condition, and how they agree.

The rules of the score stand in data/kernel-runs/README.md.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import KrcsimError
from krcsim.base.tables import text_table
from krcsim.engine.codes import EVENTS
from krcsim.guest.recorded_scenario import scenarios_of
from krcsim.guest.recordings import Condition, RecordedRun
from krcsim.model.constants import ticks
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import student
from krcsim.runs.replications import Replications, event_log, replicate, warm_up

SEED = 20200404
REPLICATIONS = 200  # a condition; rounded up to a multiple of its seeds
GROUPS = 4000  # resampled groups of as many runs as were measured, for a prediction interval
INSIDE = 0.95
SLACK = 0.01  # of the value, where nothing is random
TIMERS_LOOKED_AT = (
    20_000  # events of a run, to see how long a timer of the drain takes in the model
)
ENOUGH_WAITS = 100  # measured, for a relative error to mean something


@dataclass(frozen=True)
class Answer:
    """P(wait) or the blocked fraction of a condition: measured, predicted, and its interval.

    `spread` is the half width of the 95 % t interval over the measured seeds (nan for one seed);
    `slack` widens the model's interval where nothing is random: it would be a point.
    """

    measured: float
    predicted: float
    low: float
    high: float
    spread: float = math.nan
    slack: float = 0.0

    @property
    def inside(self) -> bool:
        """Whether the measurement lies in the interval, but for the slack and rounding."""
        return self._within(self.slack)

    @property
    def near(self) -> bool:
        """Whether it lies there with a slack of 1 % of the value, random or not."""
        return self._within(max(self.slack, SLACK * self.measured))

    def _within(self, slack: float) -> bool:
        slack += 1e-12
        return self.low - slack <= self.measured <= self.high + slack

    @property
    def error(self) -> float:
        """The relative error of the prediction."""
        return self.predicted / self.measured - 1.0

    @property
    def width_ratio(self) -> float:
        """The model's half width over that of the measured seeds; nan where those do not differ."""
        return (self.high - self.low) / 2.0 / self.spread if self.spread > 0.0 else math.nan

    @property
    def distance(self) -> float:
        """How far the measurement lies outside the interval, as a share of itself; 0 inside."""
        if self.inside:
            return 0.0
        return max(self.low - self.measured, self.measured - self.high) / max(
            self.measured, self.predicted
        )


@dataclass(frozen=True)
class Comparison:
    """A condition and the model's answer; `model_waits` is for as many runs as were measured."""

    condition: Condition
    p_wait: Answer
    blocked: Answer
    model_waits: float
    model_wait_ms: float

    @property
    def answers(self) -> tuple[Answer, Answer]:
        """P(wait), then the blocked fraction."""
        return self.p_wait, self.blocked

    @property
    def trivial(self) -> bool:
        """Whether neither side saw a wait, the model in (nearly) all groups of as many runs.

        An agreement on that says little.
        """
        return self.condition.waits == 0 and self.p_wait.high == 0.0


Change = Callable[[Scenario], Scenario]


def compare(
    condition: Condition, replications: int = REPLICATIONS, change: Change | None = None
) -> Comparison:
    """The model's interval for a condition, and the measurement.

    `change` makes another scenario of it, for an ablation. Raises KrcsimError where the model makes
    no call in the time of a run.
    """
    runs = len(condition.runs)
    if not condition.random:
        replications = 1  # of each schedule: the others would be the same
    simulated = simulate(condition, math.ceil(replications / runs), change)
    waits = of_each(simulated, "waits")
    wait_ms = of_each(simulated, "wait_ms")
    calls = of_each(simulated, "single") + of_each(simulated, "double")
    time_ms = condition.dur_ms * condition.threads

    # Replication runs * k + i has schedule i, as run i had: slot i of a group draws only from
    # those.
    draws = np.random.default_rng(SEED)
    rounds = draws.integers(len(waits) // runs, size=(GROUPS, runs))
    pick = runs * rounds + np.arange(runs)

    # Nothing is random, too, where draws decide much but not how many calls wait.
    same_waits = bool((waits.reshape(-1, runs) == waits[:runs]).all())
    certain = not condition.random or same_waits
    if calls.sum() == 0.0:
        raise KrcsimError(
            f"recording {condition.name} is so short that the model makes no call in it; measure "
            "longer"
        )

    # One wait more or less over all seeds: its share of the calls, and of the time.
    mean_wait_ms = float(wait_ms.sum() / max(1.0, waits.sum()))
    one_wait = (1.0 / float(calls.mean() * runs), mean_wait_ms / (runs * time_ms))

    groups = (
        waits[pick].sum(1) / np.maximum(1.0, calls[pick].sum(1)),
        wait_ms[pick].mean(1) / time_ms,
    )
    predicted = (float(waits.sum() / calls.sum()), float(wait_ms.mean()) / time_ms)

    def answer(which: int) -> Answer:
        """P(wait) (0) or the blocked fraction (1)."""
        low, high = np.quantile(groups[which], [(1 - INSIDE) / 2, (1 + INSIDE) / 2])
        measured = condition.measured[which]

        spread = math.nan
        if runs > 1:
            deviation = float(np.std(condition.each[which], ddof=1))
            spread = student(runs - 1) * deviation / math.sqrt(runs)

        slack = max(SLACK * measured, one_wait[which]) if certain else 0.0
        return Answer(measured, predicted[which], float(low), float(high), spread, slack)

    return Comparison(
        condition,
        p_wait=answer(0),
        blocked=answer(1),
        model_waits=float(waits.mean() * runs),
        model_wait_ms=float(wait_ms.mean() * runs),
    )


def simulate(condition: Condition, each: int, change: Change | None = None) -> list[Replications]:
    """`each` replications of every measured run.

    They are simulated all together, or one run after the other if the runs differ. No two of them
    share random draws.
    """
    scenarios = [change(scenario) if change else scenario for scenario in scenarios_of(condition)]
    if len(scenarios) == 1 and not condition.real_time:
        return [replicate(scenarios[0], SEED, 0, len(condition.runs) * each)]

    if len(scenarios) == 1:
        scenarios *= len(condition.runs)

    found = []
    for index, (scenario, run) in enumerate(zip(scenarios, condition.runs, strict=True)):
        late = later_jiffies(scenario, run) if condition.real_time else 0.0
        found.append(_with_late_drains(scenario, late, index * each, (index + 1) * each))
    return found


def later_jiffies(scenario: Scenario, run: RecordedRun) -> float:
    """By how many jiffies, on average, the drains of a run came later than the model's; at least 0.

    In real time a timer is late when its CPU is not served, or looks at jiffies before another has
    counted on. Drains at once have no timer.
    """
    timers = run.of("mon") - run.of("drained_at_once")
    if timers <= 0 or not run.of("montimer_mean_us"):
        return 0.0

    measured_ms = run.of("montimer_mean_us") / 1000.0 * run.of("mon") / timers
    _, log, _ = event_log(scenario, SEED, events=TIMERS_LOOKED_AT)
    armed = log[log["code"] == EVENTS.index("monitor armed")]
    delays = armed["value"] - armed["at"]
    delays = delays[delays > 1.0]  # in ticks; no ordinary timer is shorter
    if not len(delays):
        return 0.0

    return max(0.0, ticks(measured_ms, scenario.machine.hz) - float(delays.mean()))


def _with_late_drains(scenario: Scenario, late: float, first: int, last: int) -> Replications:
    """Replications first .. last - 1 whose drains are late by `late` jiffies on average.

    A drain is late by whole jiffies: part of the replications have one more than the others.
    """
    whole = math.floor(late)
    end_of_longer = first + round((late - whole) * (last - first))

    parts = []
    for more, begin, end in ((whole + 1, first, end_of_longer), (whole, end_of_longer, last)):
        if end > begin:
            drain_jiffies = scenario.drain_jiffies + more
            remedy = replace(scenario.remedy, drain_jiffies=drain_jiffies, drain_ms=0.0)
            parts.append(replicate(replace(scenario, remedy=remedy), SEED, begin, end))
    return sum_of(parts)


def sum_of(parts: Sequence[Replications]) -> Replications:
    """Replications of several calls as one, in their order."""
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


def of_each(simulated: Sequence[Replications], name: str) -> NDArray[np.float64]:
    """A counter, a value a replication; replication runs * k + i is of run i, for compare()."""
    return np.stack([runs.of(name, 1) for runs in simulated], axis=1).reshape(-1)


def compare_all(
    conditions: Sequence[Condition], replications: int = REPLICATIONS, change: Change | None = None
) -> list[Comparison]:
    """compare() for all, on the CPUs there are: the engine lets go of Python's lock."""
    warm_up()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(
            pool.map(lambda condition: compare(condition, replications, change), conditions)
        )


@dataclass(frozen=True)
class Score:
    """Agreement on P(wait) (index 0) and on the blocked fraction (index 1) over some conditions.

    Shares and relative errors are fractions; bias is that of the summed waits (time) of all.
    """

    conditions: int
    nontrivial: int
    inside: tuple[float, float]
    nontrivial_inside: tuple[float, float]
    nontrivial_near: tuple[float, float]
    errors: int
    median: tuple[float, float]
    p90: tuple[float, float]
    bias: tuple[float, float]
    width_ratio: tuple[float, float]


def score(comparisons: Sequence[Comparison]) -> Score:
    """Agreement as data/kernel-runs/README.md defines it, over a set of conditions."""
    some = [c for c in comparisons if not c.trivial]
    many = [c for c in comparisons if c.condition.waits >= ENOUGH_WAITS]
    waits = sum(c.condition.waits for c in comparisons)
    wait_ms = sum(run.wait_ns for c in comparisons for run in c.condition.runs) * 1e-6

    def pair(of: Callable[[int], float]) -> tuple[float, float]:
        return of(0), of(1)

    def share(among: Sequence[Comparison]) -> tuple[float, float]:
        if not among:
            return math.nan, math.nan
        return pair(lambda i: sum(c.answers[i].inside for c in among) / len(among))

    def quantile(share_below: float) -> tuple[float, float]:
        if not many:
            return math.nan, math.nan
        return pair(
            lambda i: float(np.quantile([abs(c.answers[i].error) for c in many], share_below))
        )

    return Score(
        conditions=len(comparisons),
        nontrivial=len(some),
        inside=share(comparisons),
        nontrivial_inside=share(some),
        nontrivial_near=pair(lambda i: sum(c.answers[i].near for c in some) / max(1, len(some))),
        errors=len(many),
        median=quantile(0.5),
        p90=quantile(0.9),
        bias=(
            sum(c.model_waits for c in comparisons) / max(1.0, waits) - 1.0,
            sum(c.model_wait_ms for c in comparisons) / max(1e-9, wait_ms) - 1.0,
        ),
        width_ratio=pair(lambda i: _median([c.answers[i].width_ratio for c in many])),
    )


def _median(values: Sequence[float]) -> float:
    some = [x for x in values if not math.isnan(x)]
    return float(np.median(some)) if some else math.nan


def table(comparisons: Sequence[Comparison]) -> str:
    """One row a set and one for all: shares inside, relative errors, bias; P(wait) / blocked."""
    heads = (
        "set",
        "conditions",
        "inside",
        "non-trivial",
        "inside",
        "or within 1 %",
        f"{ENOUGH_WAITS}+ waits",
        "median error",
        "90th pct",
        "bias",
        "width",
    )
    rows = []
    for name in (*dict.fromkeys(c.condition.name for c in comparisons), "all"):
        s = score([c for c in comparisons if name in (c.condition.name, "all")])
        rows.append(
            (
                name,
                str(s.conditions),
                _percent(s.inside),
                str(s.nontrivial),
                _percent(s.nontrivial_inside),
                _percent(s.nontrivial_near),
                str(s.errors),
                _percent(s.median),
                _percent(s.p90),
                _percent(s.bias, sign=True),
                "-"
                if math.isnan(s.width_ratio[0])
                else f"{s.width_ratio[0]:.2f} / {s.width_ratio[1]:.2f}",
            )
        )
    return "\n".join(text_table(heads, rows))


def misses(comparisons: Sequence[Comparison], most: int = 12) -> str:
    """Families with conditions outside their interval, the worst condition of each, in rows."""
    families: dict[str, list[Comparison]] = {}
    for c in comparisons:
        families.setdefault(c.condition.family, []).append(c)
    rows = []
    for family, members in families.items():
        out = [(c, i) for c in members for i in (0, 1) if not c.answers[i].inside]
        if out:
            c, i = max(out, key=lambda miss: miss[0].answers[miss[1]].distance)
            a = c.answers[i]
            rows.append(
                (
                    a.distance,
                    family,
                    "/".join(str(sum(not c.answers[i].inside for c in members)) for i in (0, 1)),
                    str(sum(not c.trivial for c in members)),
                    c.condition.label.removeprefix(family + "/"),
                    ("P(wait)", "blocked")[i],
                    f"{a.measured:.4g}",
                    f"{a.predicted:.4g}",
                    f"{a.low:.4g} .. {a.high:.4g}",
                )
            )
    rows.sort(reverse=True)
    heads = ("family", "misses", "of", "worst", "in", "measured", "model", "95 % of the model")
    return "\n".join(text_table(heads, [row[1:] for row in rows[:most]]))


def _percent(pair: tuple[float, float], sign: bool = False) -> str:
    if math.isnan(pair[0]):
        return "-"
    return " / ".join(f"{100 * x:{'+' if sign else ''}.1f}" for x in pair) + " %"
