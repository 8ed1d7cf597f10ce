# SPDX-License-Identifier: GPL-2.0-only
"""Runs recorded in the guest, condition by condition, and each condition as a scenario of the
model.

The columns are those of the harness: docs/kernel.md and the README beside each recording say what
they mean.
"""

from __future__ import annotations

import contextlib
import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from krcsim.base import cells
from krcsim.base.errors import KrcsimError, shown
from krcsim.base.reading import read_json, read_text
from krcsim.model.allocator import Allocator, Episodes, Failure
from krcsim.model.constants import GUEST_INSTRUCTION_NS
from krcsim.model.grace_period import GracePeriod
from krcsim.model.machine import Machine
from krcsim.model.memory import HOGS, Memory
from krcsim.model.remedy import A1, HEAD_ALLOC, Remedy
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import data_folder
from krcsim.model.workload import Workload

Value = str | int | float
KERNEL_MIB = 38  # of a guest of 256 MiB that MemTotal does not hold
LABELS = ("set", "rate", "pattern", "p_page", "p_obj", "variant")  # what a condition is called
# The parameters of the harness that say what a run is, and what they are where a recording leaves
# them out.
PARAMETERS: dict[str, float] = dict(
    cpus=1,
    hz=250,
    pool=0,
    pool_prefill=0,
    cache_max=1,
    cache_prefill=0,
    cache_shared=0,
    refill=0,
    period_us=1000,
    burst=1,
    arrival=0,
    catchup=0,
    waiters=0,
    objsize=64,
    ch1_pct=0,
    vmalloc_pct=0,
    double_pct=0,
    foreign_pct=0,
    total=0,
    dur_ms=3000,
    onset_ms=0,
    on_ms=0,
    off_ms=0,
    epi_exp=0,
    hog=0,
    hog_us=1000,
    lead_ms=0,
    preobj=0,
    reader_ms=0,
    reader_gap_us=500,
    expedited_drain=0,
    rearm_unqueued=0,
    attach=1,
    page_return_worker=0,
    drain_jiffies=0,
    array_path=1,
    head_alloc=0,
    sync_exp=0,
    mem_mib=0,
    threads=0,
    mode=0,
    bind=1,
    hog_keep=0,
    stock_inject=0,
    probe_gp=0,
)
# What each of them may be: a flag, a share in percent, or a number up to what the module itself
# would take.
FLAGS = (
    "pool_prefill cache_shared refill epi_exp preobj expedited_drain rearm_unqueued attach "
    "page_return_worker "
    "array_path sync_exp".split()
)
LIMITS: Mapping[str, tuple[float, float]] = (
    {name: (0.0, 1e9) for name in PARAMETERS}
    | {name: (0, 1) for name in FLAGS}
    | {name: (0, 100) for name in PARAMETERS if name.endswith("_pct")}
    | dict(
        cpus=(1, 1024),
        hz=(24, 10_000),
        period_us=(1, 1e9),
        burst=(1, 1e6),
        objsize=(8, 1 << 30),
        dur_ms=(1, 1e7),
        hog=(0, 3),
        head_alloc=(0, 3),
        threads=(0, 4096 * 1024),
        reader_ms=(0, 1e4),
        reader_gap_us=(1, 1e7),
        arrival=(0, 9),
        catchup=(0, 9),
    )
)
# Text in a CSV, a number in what a guest says; a count is whole either way.
_COUNTS = ("seed", "calls", "sync", "sync_ns")
MOST_EPISODES = 100_000  # in one run
# Those that the model has no rule for, with the value that it takes for granted.
TAKEN_FOR_GRANTED: dict[str, float] = dict(mode=0, bind=1, hog_keep=0, stock_inject=0, probe_gp=0)
EXPEDITED_MS = (
    0.025  # synchronize_rcu_expedited() of an idle guest (0.05 to 0.07 ms) without the wake-up
)
HEADS = ("tryhard", "atomic", "none", "three_step")  # what the numbers of head_alloc mean there
assert set(HEADS) == set(HEAD_ALLOC)

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_SCHEDULE_STREAM = 77  # `what` of the harness's stream for the episodes of pressure; `who` is 0


@dataclass(frozen=True)
class Row:
    """One measured run: its seed, what was counted, and all its columns; wait_ns is the summed time
    of the waits.
    """

    seed: int
    calls: int
    waits: int
    wait_ns: int
    columns: Mapping[str, Value]

    def of(self, column: str) -> float:
        """A column as a number, 0 where it is empty or missing; raises KrcsimError for what is
        none.
        """
        filled = self.columns.get(column) not in ("", None)
        return float(_number("row", self.columns, column, (-1e300, 1e300))) if filled else 0.0


@dataclass(frozen=True)
class Condition:
    """What is the same in the runs of a condition, and the runs, one a seed."""

    labels: Mapping[str, str]
    given: Mapping[str, float]
    runs: tuple[Row, ...]

    @property
    def name(self) -> str:
        """The set it belongs to."""
        return self.labels["set"]

    @property
    def rate(self) -> str:
        """The name of its load."""
        return self.labels["rate"]

    @property
    def label(self) -> str:
        """The condition in two words: set/load/pattern/failures, and the remedy."""
        return "/".join(self.labels[k] for k in LABELS[:5]) + " " + self.labels["variant"]

    @property
    def family(self) -> str:
        """Conditions of a family share random streams, so that they miss together."""
        return "/".join(self.labels[k] for k in LABELS[:3])

    @property
    def failure(self) -> tuple[float, float]:
        """Injected probabilities under pressure that a page, and that an rcu_head, is refused."""
        p = [self.labels[k] for k in ("p_page", "p_obj")]
        return (0.0, 0.0) if "-" in p else (float(p[0]), float(p[1]))

    @property
    def random(self) -> bool:
        """Whether a draw decides anything: with certain failures and fixed gaps nothing is
        random.
        """
        marks = (
            "arrival",
            "ch1_pct",
            "vmalloc_pct",
            "double_pct",
            "foreign_pct",
            "reader_ms",
            "hog",
        )
        return (
            not set(self.failure) <= {0.0, 1.0}
            or any(self.given[k] for k in marks)
            or self.given["cpus"] > 1
        )

    @property
    def overflowed(self) -> bool:
        """Whether an open loop ran out of waiting threads: then it was none, and says nothing of
        the model.
        """
        return any(run.of("waiter_full") for run in self.runs)

    @property
    def real_time(self) -> bool:
        """Whether the clock of the guest was that of its host, so that the load of the host
        mattered.
        """
        return any(run.columns.get("timing") == "realtime" for run in self.runs)

    @property
    def threads(self) -> int:
        """The producers: one a CPU unless given."""
        return int(self.given["threads"] or self.given["cpus"])

    @property
    def threads_per_cpu(self) -> int:
        """The producers of each CPU; raises KrcsimError where some CPU has more of them than
        another.
        """
        each, over = divmod(self.threads, max(1, int(self.given["cpus"])))
        if over or each < 1:
            raise KrcsimError(
                f"recording {self.name} has threads = {self.threads} on {self.given['cpus']:g} "
                "CPUs; the model has as "
                "many callers on each CPU: measure with a multiple of the CPUs"
            )
        return each

    @property
    def dur_ms(self) -> float:
        """The length of a run."""
        return self.given["dur_ms"]

    @property
    def waits(self) -> int:
        """Measured waits of all seeds."""
        return sum(run.waits for run in self.runs)

    @property
    def each(self) -> tuple[list[float], list[float]]:
        """P(wait) and the blocked fraction, seed by seed."""
        time_ms = self.dur_ms * self.threads
        return [r.waits / max(1, r.calls) for r in self.runs], [
            r.wait_ns * 1e-6 / time_ms for r in self.runs
        ]

    @property
    def measured(self) -> tuple[float, float]:
        """P(wait) and the blocked fraction of all seeds together."""
        calls = sum(run.calls for run in self.runs)
        return self.waits / max(1, calls), sum(self.each[1]) / len(self.runs)


def condition_of(name: str, rows: Sequence[Mapping[str, Value]]) -> Condition:
    """The condition that some rows, one a seed, are runs of; raises KrcsimError for what the
    harness did not write.
    """
    if not rows:
        raise KrcsimError(f"recording {name} holds no run; give a CSV that the harness wrote")
    first = rows[0]
    labels = {k: str(first.get(k, "-")) for k in LABELS} | {"set": name}
    if "p_page" not in first and "p_page_ppm" in first:
        labels |= {
            k: f"{_number(name, first, f'{k}_ppm', (0, 1e6)) / 1e6:g}" for k in ("p_page", "p_obj")
        }
    for k in ("p_page", "p_obj"):
        if labels[k] != "-":
            _number(name, labels, k, (0, 1))
    given = {
        k: float(_number(name, first, k, LIMITS[k])) if first.get(k, "") != "" else usual
        for k, usual in PARAMETERS.items()
    }
    if given["on_ms"] > 0 and given["dur_ms"] / (given["on_ms"] + given["off_ms"]) > MOST_EPISODES:
        raise KrcsimError(
            f"recording {name} has more than {MOST_EPISODES:,} episodes of pressure in a run "
            "(on_ms = "
            f"{given['on_ms']:g}, off_ms = {given['off_ms']:g}); give a CSV that the harness wrote"
        )
    counts = [[int(_number(name, row, k, (0, 1 << 63))) for k in _COUNTS] for row in rows]
    for _, calls, waits, ns in counts:
        if waits > calls or (waits > 0) != (ns > 0):
            raise KrcsimError(
                f"recording {name} has a run of {calls} calls with {waits} waits of {ns} ns in "
                "all; "
                "wanted: no more waits than calls, and each takes time; give a CSV that the "
                "harness wrote"
            )
    runs = (
        Row(seed, calls, waits, ns, row)
        for (seed, calls, waits, ns), row in zip(counts, rows, strict=True)
    )
    return Condition(labels, given, tuple(runs))


def _number(name: str, row: Mapping[str, Value], column: str, ends: tuple[float, float]) -> float:
    """A cell of a recording as a number; an integer stays one, so that a seed keeps all its digits.

    What the module is given and what it counts is whole.
    """
    cell, found = row.get(column), None
    for read in (int, float):
        if found is None and isinstance(cell, (str, int, float)):
            with contextlib.suppress(ValueError, OverflowError):
                found = read(cell) if isinstance(cell, str) else cell
    whole = column in PARAMETERS or column in _COUNTS
    rule = cells.within(*ends, f"a {'whole ' * whole}number from {ends[0]:g} to {ends[1]:g}")
    if found is None or not rule.fits(found) or (whole and found % 1):
        what = f"{column} = {shown(cell)}" if column in row else f"no column {column}"
        raise KrcsimError(
            f"recording {name} has {what}; wanted: {rule.words}; give a CSV that the harness wrote"
        )
    return found


def read_set(path: Path) -> list[Condition]:
    """The conditions of a recorded set in the order of its file, X.csv beside X.const.json; raises
    KrcsimError.
    """
    const, where = path.with_suffix(".const.json"), "krcsim's own are in its data folder"
    constants = (
        read_json(read_text(const, "recording", where), f"recording {const}")
        if const.exists()
        else {}
    )
    if wrong := cells.wrong_in_table({}, constants) or next(
        (f"{k} is {shown(v)}" for k, v in constants.items() if not cells.VALUE.fits(v)), ""
    ):
        raise KrcsimError(f"recording {const} is not one of the harness: {wrong}; take it again")
    try:
        table = csv.DictReader(
            read_text(path, "recording", where, 100).splitlines(keepends=True), strict=True
        )
        rows = [{**constants, **row} for row in table]
    except csv.Error as exc:
        raise KrcsimError(f"recording {path} is no CSV ({exc}); take it again") from None
    if wrong := next(
        (
            f"row {n} has another number of cells than the head"
            for n, row in enumerate(rows, 1)
            if None in row or None in row.values()
        ),
        "",
    ):
        raise KrcsimError(f"recording {path} was changed: {wrong}; take it again")
    groups: dict[tuple[str, ...], list[dict[str, Value]]] = {}
    for row in rows:
        groups.setdefault(tuple(str(row.get(c, "")) for c in (*LABELS, *PARAMETERS)), []).append(
            row
        )
    return [condition_of(path.stem, group) for group in groups.values()]


def read_conditions(name: str, folder: Path | None = None) -> list[Condition]:
    """A set of data/kernel-runs or of another folder."""
    return read_set((folder or data_folder() / "kernel-runs") / f"{name}.csv")


# The episodes of pressure, drawn again as the harness drew them.


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


def episodes(condition: Condition, seed: int) -> Episodes:
    """The measured episodes of pressure of one seed: (start, end) in ms, the last end may be
    inf.
    """
    given = condition.given
    if given["on_ms"] == 0:
        return ((given["onset_ms"], math.inf),)
    state = mix64(mix64(seed) ^ _SCHEDULE_STREAM)
    on, off, end = (round(1e6 * given[k]) for k in ("on_ms", "off_ms", "dur_ms"))
    t, plan = round(1e6 * given["onset_ms"]), []
    while t < end:
        lengths = []
        for mean in (on, off):
            if given["epi_exp"]:
                state = state + _GOLDEN & _MASK
                mean = exponential_ns(mix64(state), mean)
            lengths.append(mean)
        plan.append((1e-6 * t, 1e-6 * (t + lengths[0])))
        t += sum(lengths)
    return tuple(plan)


# The same as a scenario.


def scenarios_of(condition: Condition) -> tuple[Scenario, ...]:
    """A scenario for all runs; or one a run, where each recorded its own grace periods."""
    if not grace_lengths_ms(condition):
        return (scenario_of(condition),)
    return tuple(scenario_of(replace(condition, runs=(run,))) for run in condition.runs)


def scenario_of(condition: Condition) -> Scenario:
    """The condition as the model knows it; replication i has the episodes of seed i mod seeds.

    Raises KrcsimError for what the harness can do and the model cannot.
    """
    given, (page, head) = condition.given, condition.failure
    refuse_unfollowed(condition)
    producers, open_loop = condition.threads_per_cpu, given["waiters"] > 0
    return Scenario(
        machine=Machine(
            cpus=int(given["cpus"]),
            hz=int(given["hz"]),
            instruction_ns=GUEST_INSTRUCTION_NS,
            nocb_share=given["foreign_pct"] / 100 if given["cpus"] > 1 else 0.0,
        ),
        remedy=remedy_of(condition),
        allocator=Allocator(
            episodes="schedule",
            schedules=tuple(episodes(condition, run.seed) for run in condition.runs),
            stall_ms=0.0,
            stall_sigma=0.05,
            calm=Failure(),
            episode=Failure(page=page, head=head),
        ),
        memory=memory_of(condition),
        grace_period=GracePeriod(
            lengths_ms=grace_lengths_ms(condition),
            expedited=given["sync_exp"] == 1,
            expedited_median_ms=EXPEDITED_MS,
            expedited_sigma=0.1,
            reader_ms=given["reader_ms"],
            reader_gap_ms=given["reader_gap_us"] / 1000,
        ),
        workload=Workload(
            arrivals="bursts" if given["burst"] > 1 else "periodic",
            rate_hz=1e6 * given["burst"] * producers / given["period_us"],
            burst=int(given["burst"]),
            gap="exponential" if given["arrival"] else "fixed",
            phase="tick",
            loop="open" if open_loop else "catchup" if given["catchup"] else "closed",
            # Callers that nothing holds up are together one caller as fast as all of them.
            producers=1 if open_loop else producers,
            single_share=1.0 - given["double_pct"] / 100,
            vmalloc_share=round(
                1.0 - (1.0 - given["ch1_pct"] / 100) * (1.0 - given["vmalloc_pct"] / 100), 9
            ),
            object_bytes=int(given["objsize"]),
        ),
        warmup_ms=0.0,
        horizon_ms=condition.dur_ms,
    )


def refuse_unfollowed(condition: Condition) -> None:
    """Raise KrcsimError for a parameter of the harness that would change the waits, and that the
    model ignores.
    """
    given = condition.given
    for name, value in TAKEN_FOR_GRANTED.items():
        if given[name] != value:
            raise KrcsimError(
                f"recording {condition.name} has {name} = {given[name]:g}; the model follows only "
                f"{value:g}: "
                "measure without it to compare"
            )
    if given["lead_ms"] and not given["hog"]:
        raise KrcsimError(
            f"recording {condition.name} has lead_ms = {given['lead_ms']:g} ms and no hog; the "
            "model's first call "
            "comes at once: measure with lead_ms=0 to compare"
        )
    met = 0 < given["total"] * condition.threads <= max(run.calls for run in condition.runs)
    lasts_ms = given["total"] / given["burst"] * given["period_us"] / 1000.0
    if met and lasts_ms < 0.9 * given["dur_ms"]:
        raise KrcsimError(
            f"recording {condition.name} made its total = {given['total']:g} calls a producer in "
            f"about {lasts_ms:.4g} "
            f"of {given['dur_ms']:g} ms; the model goes on to the end: measure with a larger total"
        )


def grace_lengths_ms(condition: Condition) -> tuple[float, ...]:
    """Lengths of the grace periods that the runs themselves saw (gp_trace); none without, or with
    readers.

    A run gives 101 quantiles, from the shortest to the longest. Between two of them lies a
    hundredth of all lengths, so that the inner ones count twice. Readers are simulated, and their
    lengths with them.
    """
    if condition.given["reader_ms"]:
        return ()
    texts = [run.columns["gp_len_us"] for run in condition.runs if run.columns.get("gp_len_us")]
    lists: list[Any] = [
        read_json(x, "gp_len_us of a recording") if isinstance(x, str) else x for x in texts
    ]
    if wrong := next((x for x in lists if not cells.several(cells.AMOUNT).fits(x)), None):
        raise KrcsimError(
            f"gp_len_us of a recording is {shown(wrong)}; wanted: a list of lengths in us; take it "
            "again"
        )
    return tuple(
        max(1.0, us) / 1000.0 for quantiles in lists for us in (*quantiles[:-1], *quantiles[1:])
    )


def memory_of(condition: Condition) -> Memory:
    """What the hog of the runs, if there was one, left to take."""
    if not condition.given["hog"]:
        return Memory()
    first = condition.runs[0]
    return Memory(
        pressure="pages",
        mib=first.of("mib") - KERNEL_MIB,
        free_mib=first.of("free_pages_before") / 256,
        hog=HOGS[int(condition.given["hog"])],
        hog_ms=condition.given["hog_us"] / 1000.0,
        lead_ms=condition.given["lead_ms"],
        deferred_counts=False,
    )


def remedy_of(condition: Condition) -> Remedy:
    """The remedy that was measured."""
    given = condition.given
    return replace(
        A1,
        head_alloc=HEADS[int(given["head_alloc"])],
        array_path=given["array_path"] == 1,
        nr_emergency_objs=int(given["pool"]),
        emergency_at_boot=int(given["pool"]) if given["pool_prefill"] else 0,
        cache_shared=given["cache_shared"] == 1,
        nr_bkv_objs=int(given["cache_max"]),
        cache_at_boot=int(given["cache_prefill"]),
        page_return="worker" if given["page_return_worker"] else "batch",
        expedited_drain=given["expedited_drain"] == 1,
        rearm="unqueued" if given["rearm_unqueued"] else "left",
        attach_to_pending=given["attach"] == 1,
        drain_jiffies=int(given["drain_jiffies"]),
        refill=given["refill"] == 1,
    )
