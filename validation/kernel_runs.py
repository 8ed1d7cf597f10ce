# SPDX-License-Identifier: GPL-2.0-only
"""The model against a running kernel: every one-CPU condition of data/kernel-runs, scored.

    python -m validation.kernel_runs [--out FOLDER] [--replications N]

What the recordings are, and the rules in which the harness that made them differs from the patches,
is said in data/kernel-runs/README.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from krcsim.allocator import Allocator, Failure, Spells
from krcsim.kernel import GUEST_INSTRUCTION_NS
from krcsim.remedy import A1, Remedy
from krcsim.run import replicate, warm_up
from krcsim.scenario import Machine, Scenario, data_folder
from krcsim.values import KrcsimError
from krcsim.workload import Workload

SETS = ("main", "pool")
SEED = 20200404
REPLICATIONS = 200  # a condition; rounded up to a multiple of its seeds
GROUPS = 4000  # resampled groups of as many runs as were measured, for a prediction interval
INSIDE = 0.95
SLACK = 0.01  # of the value, where nothing is random
ENOUGH_WAITS = 100  # measured, for a relative error to mean something

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_SCHEDULE_STREAM = 77  # `what` of the harness's stream for the spells of pressure; `who` is 0


# ---- the recordings


class Row(NamedTuple):
    """One measured run: its seed, and what was counted; wait_ns is the summed time of the waits."""

    seed: int
    episodes: int
    calls: int
    waits: int
    wait_ns: int


@dataclass(frozen=True)
class Condition:
    """What is the same in the runs of a condition (times in ms), and the runs, one a seed."""

    name: str  # the set
    rate: str
    pattern: str
    p_page: float
    p_obj: float
    variant: str
    hz: int
    pool: int
    pool_prefill: bool
    cache_max: int
    cache_prefill: int
    period_ms: float
    burst: int
    dur_ms: float
    onset_ms: float
    on_ms: float
    off_ms: float
    exponential: bool
    runs: tuple[Row, ...]

    @property
    def label(self) -> str:
        """The condition in one word, as the harness writes it."""
        return (
            f"{self.name}/{self.rate}/{self.pattern}/{self.p_page:g}/{self.p_obj:g} {self.variant}"
        )

    @property
    def family(self) -> str:
        """Conditions of a family share random streams, so that they miss together."""
        return f"{self.name}/{self.rate}/{self.pattern}"

    @property
    def random(self) -> bool:
        """Whether a draw decides anything: with failures that are certain nothing is random."""
        return not {self.p_page, self.p_obj} <= {0.0, 1.0}

    @property
    def waits(self) -> int:
        """Measured waits of all seeds."""
        return sum(run.waits for run in self.runs)

    @property
    def measured(self) -> tuple[float, float]:
        """P(wait) and the blocked fraction of all seeds together."""
        calls = sum(run.calls for run in self.runs)
        wait_ms = sum(run.wait_ns for run in self.runs) * 1e-6
        return self.waits / calls, wait_ms / (self.dur_ms * len(self.runs))


def read_conditions(name: str, folder: Path | None = None) -> list[Condition]:
    """The conditions of a set in the order of its file; raises KrcsimError."""
    folder = folder or data_folder() / "kernel-runs"
    try:
        constants = json.loads((folder / f"{name}.const.json").read_text(encoding="utf-8"))
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
            rows = [{**constants, **row} for row in csv.DictReader(stream)]
    except OSError as exc:
        raise KrcsimError(
            f"recording {name} cannot be read from {folder} ({exc.strerror}); "
            "it comes with krcsim's sources in data/kernel-runs"
        ) from None
    groups: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        key = tuple(row[c] for c in ("rate", "pattern", "p_page", "p_obj", "variant"))
        groups.setdefault(key, []).append(row)
    return [_condition(name, group) for group in groups.values()]


def _condition(name: str, rows: list[dict[str, str]]) -> Condition:
    first = rows[0]
    return Condition(
        name=name,
        rate=first["rate"],
        pattern=first["pattern"],
        p_page=float(first["p_page"]),
        p_obj=float(first["p_obj"]),
        variant=first["variant"],
        hz=int(first["hz"]),
        pool=int(first["pool"]),
        pool_prefill=first["pool_prefill"] == "1",
        cache_max=int(first["cache_max"]),
        cache_prefill=int(first["cache_prefill"]),
        period_ms=int(first["period_us"]) / 1000.0,
        burst=int(first["burst"]),
        dur_ms=float(first["dur_ms"]),
        onset_ms=float(first["onset_ms"]),
        on_ms=float(first["on_ms"]),
        off_ms=float(first["off_ms"]),
        exponential=first["epi_exp"] == "1",
        runs=tuple(
            Row(*(int(row[c]) for c in ("seed", "episodes", "calls", "sync", "sync_ns")))
            for row in rows
        ),
    )


# ---- the spells of pressure, drawn again as the harness drew them


def mix64(z: int) -> int:
    """The finaliser of splitmix64."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


def exponential_ns(u: int, mean_ns: int) -> int:
    """The harness's exponential number from 64 random bits: -mean ln(u), log2 in 16 binary digits.

    Integers all the way, since the kernel has no floating point: the same nanosecond comes out.
    """
    u |= 1
    zeros = 64 - u.bit_length()
    x, fraction = (u << zeros & _MASK) >> 32, 0
    for digit in range(15, -1, -1):
        x = x * x >> 31
        if x >> 32:
            x >>= 1
            fraction |= 1 << digit
    log2 = ((zeros + 1) << 16) - fraction
    return (log2 * 45426 >> 16) * mean_ns >> 16  # 45426 / 65536 is ln 2


def spells(condition: Condition, seed: int) -> Spells:
    """The measured spells of pressure of one seed: (start, end) in ms, the last end may be inf."""
    if condition.on_ms == 0:
        return ((condition.onset_ms, math.inf),)
    state = mix64(mix64(seed) ^ _SCHEDULE_STREAM)
    on, off, end = (round(1e6 * ms) for ms in (condition.on_ms, condition.off_ms, condition.dur_ms))
    t, plan = round(1e6 * condition.onset_ms), []
    while t < end:
        lengths = []
        for mean in (on, off):
            if condition.exponential:
                state = state + _GOLDEN & _MASK
                mean = exponential_ns(mix64(state), mean)
            lengths.append(mean)
        plan.append((1e-6 * t, 1e-6 * (t + lengths[0])))
        t += sum(lengths)
    return tuple(plan)


# ---- the model's answer


def scenario(condition: Condition) -> Scenario:
    """The condition as the model knows it; replication i has the spells of seed i mod seeds."""
    plans = tuple(spells(condition, run.seed) for run in condition.runs)
    return Scenario(
        machine=Machine(cpus=1, hz=condition.hz, instruction_ns=GUEST_INSTRUCTION_NS),
        remedy=_remedy(condition),
        allocator=Allocator(
            spells="schedule",
            schedules=plans,
            stall_ms=0.0,
            calm=Failure(),
            spell=Failure(page=condition.p_page, head=condition.p_obj),
        ),
        workload=Workload(
            arrivals="bursts" if condition.burst > 1 else "periodic",
            rate_hz=1000.0 * condition.burst / condition.period_ms,
            burst=condition.burst,
            phase="tick",
            loop="closed",
        ),
        warmup_ms=0.0,
        horizon_ms=condition.dur_ms,
    )


def _remedy(condition: Condition) -> Remedy:
    return replace(
        A1,
        nr_emergency_objs=condition.pool,
        emergency_at_boot=condition.pool if condition.pool_prefill else 0,
        nr_bkv_objs=condition.cache_max,
        cache_at_boot=condition.cache_prefill,
        expedited_drain=False,
        rearm="left",
    )


@dataclass(frozen=True)
class Answer:
    """P(wait) or the blocked fraction of a condition: measured, predicted, and its interval.

    `slack` widens the interval where nothing is random: it would be a point.
    """

    measured: float
    predicted: float
    low: float
    high: float
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


def compare(condition: Condition, replications: int) -> Comparison:
    """Simulate a condition and hold the model's interval against the measurement."""
    s = scenario(condition)
    n = len(condition.runs)
    if not condition.random:
        replications = 1  # of each schedule: the others would be the same
    runs = replicate(s, SEED, 0, n * math.ceil(replications / n))
    waits, ms = runs.of("waits", 1), runs.of("wait_ms", 1)
    calls = runs.of("single", 1)
    r = np.random.default_rng(SEED)
    # Replication n * k + i has schedule i, as run i had: slot i of a group draws only from those.
    pick = n * r.integers(len(waits) // n, size=(GROUPS, n)) + np.arange(n)
    p, blocked = condition.measured
    # One wait more or less over all seeds: its share of the calls, and of the time.
    one_call = 1.0 / float(calls.mean() * n)
    one_wait = float(ms.sum() / max(1.0, waits.sum())) / (n * condition.dur_ms)
    return Comparison(
        condition,
        _answer(
            p, float(waits.sum() / calls.sum()), waits[pick].sum(1) / calls[pick].sum(1),
            0.0 if condition.random else one_call,
        ),
        _answer(
            blocked, float(ms.mean()) / condition.dur_ms, ms[pick].mean(1) / condition.dur_ms,
            0.0 if condition.random else one_wait,
        ),
        float(waits.mean() * n),
        float(ms.mean() * n),
    )  # fmt: skip


def _answer(measured: float, predicted: float, groups: NDArray[np.float64], one: float) -> Answer:
    """One number and its interval; `one` is the weight of a single wait, 0 where draws decide."""
    low, high = (float(x) for x in np.quantile(groups, [(1 - INSIDE) / 2, (1 + INSIDE) / 2]))
    return Answer(measured, predicted, low, high, max(SLACK * measured, one) if one else 0.0)


def compare_all(conditions: Sequence[Condition], replications: int) -> list[Comparison]:
    """compare() for all, on the CPUs there are: the engine lets go of Python's lock."""
    warm_up()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda c: compare(c, replications), conditions))


# ---- scores and their table


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


def score(comparisons: Sequence[Comparison]) -> Score:
    """Agreement as data/kernel-runs/README.md defines it, over a set of conditions."""
    some = [c for c in comparisons if not c.trivial]
    many = [c for c in comparisons if c.condition.waits >= ENOUGH_WAITS]
    waits = sum(c.condition.waits for c in comparisons)
    wait_ms = sum(r.wait_ns for c in comparisons for r in c.condition.runs) * 1e-6

    def pair(of: Callable[[int], float]) -> tuple[float, float]:
        return of(0), of(1)

    def share(among: Sequence[Comparison]) -> tuple[float, float]:
        if not among:
            return math.nan, math.nan
        return pair(lambda i: sum(c.answers[i].inside for c in among) / len(among))

    def quantile(q: float) -> tuple[float, float]:
        if not many:
            return math.nan, math.nan
        return pair(lambda i: float(np.quantile([abs(c.answers[i].error) for c in many], q)))

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
            sum(c.model_waits for c in comparisons) / waits - 1.0,
            sum(c.model_wait_ms for c in comparisons) / wait_ms - 1.0,
        ),
    )


def table(comparisons: Sequence[Comparison]) -> str:
    """One row a set and one for all: shares inside, relative errors, bias; P(wait) / blocked."""
    heads = (
        "set", "conditions", "inside", "non-trivial", "inside", "or within 1 %",
        f"{ENOUGH_WAITS}+ waits", "median error", "90th pct", "bias",
    )  # fmt: skip
    rows = []
    for name in (*SETS, "all"):
        s = score([c for c in comparisons if name in (c.condition.name, "all")])
        rows.append((
            name, str(s.conditions), _percent(s.inside), str(s.nontrivial),
            _percent(s.nontrivial_inside), _percent(s.nontrivial_near), str(s.errors),
            _percent(s.median), _percent(s.p90), _percent(s.bias, sign=True),
        ))  # fmt: skip
    return _aligned(heads, rows)


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
            rows.append((
                a.distance, family,
                "/".join(str(sum(not c.answers[i].inside for c in members)) for i in (0, 1)),
                str(sum(not c.trivial for c in members)),
                f"{c.condition.p_page:g}/{c.condition.p_obj:g} {c.condition.variant}",
                ("P(wait)", "blocked")[i], f"{a.measured:.4g}", f"{a.predicted:.4g}",
                f"{a.low:.4g} .. {a.high:.4g}",
            ))  # fmt: skip
    rows.sort(reverse=True)
    heads = ("family", "misses", "of", "worst", "in", "measured", "model", "95 % of the model")
    return _aligned(heads, [row[1:] for row in rows[:most]])


def _percent(pair: tuple[float, float], sign: bool = False) -> str:
    if math.isnan(pair[0]):
        return "-"
    return " / ".join(f"{100 * x:{'+' if sign else ''}.1f}" for x in pair) + " %"


def _aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(x) for x in column) for column in zip(heads, *rows, strict=True)]
    return "\n".join(
        "  ".join(x.ljust(w) for x, w in zip(row, widths, strict=True)).rstrip()
        for row in (heads, *rows)
    )


# ---- the picture

# Okabe and Ito's colours, told apart with every kind of colour vision; the shapes say it again.
LOOKS = {
    "sparse": ("#56B4E9", "D", "1 call in 100 ms"),
    "low": ("#0072B2", "o", "1 in 10 ms"),
    "mid": ("#009E73", "s", "10 in 1 ms"),
    "heavy": ("#D55E00", "^", "100 in 1 ms"),
    "burst": ("#CC79A7", "v", "2000 in 100 ms"),
}
WHAT = ("P(wait) of a call", "Fraction of time blocked")


def draw(comparisons: Sequence[Comparison], path: Path) -> None:
    """Predicted against measured where either side waits, and the relative errors, as a PNG."""
    figure = Figure(figsize=(13, 10.5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2, gridspec_kw=dict(height_ratios=[2.4, 1]))
    some = [c for c in comparisons if not c.trivial]
    for i in (0, 1):
        share = sum(c.answers[i].inside for c in some) / len(some)
        title = f"{WHAT[i]}: {100 * share:.0f} % of {len(some)} conditions inside"
        axes[0, i].set_title(title, loc="left")
        _against(axes[0, i], some, i)
        _errors(axes[1, i], [c for c in some if c.condition.waits >= ENOUGH_WAITS], i)
    handles = [
        Line2D([], [], color=colour, marker=shape, ls="", mfc="none", label=f"{rate}: {offered}")
        for rate, (colour, shape, offered) in LOOKS.items()
    ]
    handles.append(
        Line2D(
            [], [], color="black", marker="o", ls="", mfc="#BBBBBB", ms=8,
            label="filled: measured outside the interval",
        )
    )  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=6, frameon=False)
    figure.suptitle(
        "krcsim against a running kernel: Linux 6.1, one CPU, HZ=250, the algorithm of April 2020, "
        f"5 seeds a condition\n{len(comparisons) - len(some)} more conditions without a wait on "
        "either side are not shown",
        fontsize=11,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


Place = Callable[[Answer, str], tuple[float, float, float, float]]  # of a rate: x, y, low, high


def _marks(ax: Axes, some: Sequence[Comparison], i: int, place: Place) -> None:
    """One mark a condition with its interval; those that miss are filled and on top."""
    for rate, (colour, shape, _) in LOOKS.items():
        for inside in (True, False):
            mine = [c for c in some if c.condition.rate == rate and c.answers[i].inside == inside]
            if not mine:
                continue
            x, y, low, high = zip(*(place(c.answers[i], rate) for c in mine), strict=True)
            ax.vlines(x, low, high, colors=colour, lw=0.9, alpha=0.55, zorder=1)
            ax.scatter(
                x, y, s=24 if inside else 42, marker=shape, linewidths=0.9,
                facecolors="none" if inside else colour, edgecolors=colour if inside else "black",
                zorder=2 if inside else 3,
            )  # fmt: skip


def _against(ax: Axes, some: Sequence[Comparison], i: int) -> None:
    values = [x for c in some for x in (c.answers[i].measured, c.answers[i].predicted)]
    decade = math.floor(math.log10(min(x for x in values if x > 0)))
    none, bottom, top = 10.0 ** (decade - 0.6), 10.0 ** (decade - 1), 2.0 * max(values)

    def place(a: Answer, rate: str) -> tuple[float, float, float, float]:
        x, y, low, high = (max(v, none) for v in (a.measured, a.predicted, a.low, a.high))
        if a.measured == 0:  # side by side, else they cover each other
            x *= 10.0 ** (0.13 * (list(LOOKS).index(rate) - 2))
        return x, y, low, high

    ax.plot([bottom, top], [bottom, top], color="#888888", lw=0.8, zorder=0)
    _marks(ax, some, i, place)
    ticks = [10.0**d for d in range(decade, 1)]
    for axis, scale, limit in (
        (ax.xaxis, ax.set_xscale, ax.set_xlim), (ax.yaxis, ax.set_yscale, ax.set_ylim)
    ):  # fmt: skip
        scale("log")
        axis.set_ticks(
            [none, *ticks], ["none", *(f"$10^{{{d}}}$" if d else "1" for d in range(decade, 1))]
        )
        axis.set_ticks([], minor=True)
        limit(bottom, top)
    ax.axvspan(bottom, 10.0**decade * 0.6, color="#EEEEEE", zorder=-1)
    ax.axhspan(bottom, 10.0**decade * 0.6, color="#EEEEEE", zorder=-1)
    ax.set_xlabel("measured (grey: no wait in 5 runs)")
    ax.set_ylabel("krcsim, with the 95 % interval for 5 runs")


def _errors(ax: Axes, some: Sequence[Comparison], i: int) -> None:
    def place(a: Answer, _rate: str) -> tuple[float, float, float, float]:
        y, low, high = (100.0 * (v / a.measured - 1.0) for v in (a.predicted, a.low, a.high))
        return a.measured, y, low, high

    ax.axhline(0.0, color="#888888", lw=0.8, zorder=0)
    _marks(ax, some, i, place)
    ax.set_xscale("log")
    ax.set_ylim(-25, 25)
    ax.set_xlabel(f"measured, where at least {ENOUGH_WAITS} waits were")
    ax.set_ylabel("model's error in %")


def main(argv: Iterable[str] | None = None) -> int:
    """Compare, print the tables, draw the picture; 0 unless the recordings cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m validation.kernel_runs", description=__doc__)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="draw kernel_runs.png there")
    parser.add_argument(
        "--replications", type=int, default=REPLICATIONS, metavar="N",
        help=f"of each condition (default {REPLICATIONS})",
    )  # fmt: skip
    options = parser.parse_args(None if argv is None else list(argv))
    if options.replications < 1:
        parser.error(f"--replications is {options.replications}; allowed: 1 or more")
    try:
        conditions = [c for name in SETS for c in read_conditions(name)]
    except KrcsimError as exc:
        print(exc, file=sys.stderr)
        return 1
    comparisons = compare_all(conditions, options.replications)
    print(
        "Agreement on P(wait) / on the blocked fraction; data/kernel-runs/README.md has the rules."
    )
    print(table(comparisons))
    print("\nFamilies with misses: P(wait) / blocked, of so many non-trivial; the worst of each.")
    print(misses(comparisons))
    if options.out:
        draw(comparisons, options.out / "kernel_runs.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
