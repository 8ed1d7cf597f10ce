# SPDX-License-Identifier: GPL-2.0-only
"""What was recorded of newer kernels, and each condition as a scenario of the model.

The folders are those of krcsim.guest.mainline.series; docs/kernel.md says what the columns mean.
"""

from __future__ import annotations

import csv
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import numpy as np

from krcsim.guest.mainline.series import SERIES, Series
from krcsim.model.allocator import Allocator, Failure
from krcsim.model.constants import GUEST_INSTRUCTION_NS
from krcsim.model.grace_period import GracePeriod
from krcsim.model.machine import Machine
from krcsim.model.memory import HOGS, PAGES_PER_MIB, Memory
from krcsim.model.remedy import REMEDIES, Remedy
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import data_folder
from krcsim.model.workload import Workload

Row = Mapping[str, Any]

LARGEST_SLAB_OBJECT = 8192  # bytes; kmalloc() takes whole pages for more, and no sheaf has these


@dataclass(frozen=True)
class Condition:
    """What is the same in some recorded runs, one a seed, and the runs."""

    series: Series
    label: str  # set/load/kind of calls/object/failure of pages/failure of sheaves/what else
    runs: tuple[Row, ...]

    @property
    def set(self) -> str:
        """The set it belongs to."""
        return self.label.split("/")[0]

    @property
    def load(self) -> str:
        """Its load, and the kind of its calls."""
        return "/".join(self.label.split("/")[1:3])

    @property
    def tag(self) -> str:
        """What else it is called, or ""."""
        return "/".join(self.label.split("/")[6:])

    @property
    def is_chosen(self) -> bool:
        """Whether it is of the half on which constants were chosen; the other half confirms."""
        return zlib.crc32(self.label.encode()) % 2 == 0

    @property
    def cpus(self) -> int:
        """CPUs of its guest."""
        return int(self.of("cpus"))

    @property
    def is_random(self) -> bool:
        """Whether anything is drawn in it, or took place in real time."""
        drawn = any(self.of(name) for name in ("arrival", "hog", "background_us", "reader_ms"))
        return drawn or 0 < self.of("p_page_ppm") < 1e6 or self.cpus > 1

    def of(self, parameter: str) -> float:
        """A parameter of its runs."""
        return float(self.runs[0][parameter] or 0)

    def total(self, column: str) -> float:
        """A count, over all runs."""
        return sum(number(run, column) for run in self.runs)


def number(run: Row, column: str) -> float:
    """A cell as a number; 0 where it is empty or not there."""
    value = run.get(column)
    return 0.0 if value in ("", None) else float(value)


def numbers(run: Row, column: str) -> list[float]:
    """A cell with a list."""
    value = run.get(column)
    return [] if not value else list(json.loads(str(value)))


@cache
def conditions(series: str) -> tuple[Condition, ...]:
    """The recorded conditions of a series, in the order of its files; () where nothing is there."""
    folder = data_folder() / SERIES[series].folder
    groups: dict[str, list[Row]] = {}
    for path in sorted(folder.glob("*.csv")):
        constant = json.loads(path.with_suffix(".const.json").read_text())
        with path.open(newline="") as table:
            for row in csv.DictReader(table):
                groups.setdefault(str((constant | row)["label"]), []).append(constant | row)
    return tuple(Condition(SERIES[series], label, tuple(rows)) for label, rows in groups.items())


def scenario_of(condition: Condition, instructions: Mapping[str, float]) -> Scenario:
    """A condition as the model knows it, with the remedy that stands for its kernel.

    `instructions`: the CPU times that differ from those of the guest of April 2020, as fields of
    the workload.
    """
    remedy = remedy_of(condition)
    return Scenario(
        machine=Machine(cpus=condition.cpus, hz=250, instruction_ns=GUEST_INSTRUCTION_NS),
        remedy=remedy,
        allocator=allocator_of(condition),
        memory=memory_of(condition),
        grace_period=grace_period_of(condition),
        workload=workload_of(condition, instructions),
        warmup_ms=0.0,
        horizon_ms=condition.of("dur_ms"),
    )


def remedy_of(condition: Condition) -> Remedy:
    """The row of the kernel, with the cached pages that the guest was booted with."""
    cached = int(condition.of("nr_cached"))
    at_boot = cached if condition.of("cached") else 0
    row = REMEDIES[condition.series.row]
    # The worker of a refill has high priority: on the CPU of the guest no call comes before it.
    return replace(row, nr_bkv_objs=cached, cache_at_boot=at_boot, refill_ms=0.0)


def allocator_of(condition: Condition) -> Allocator:
    """What was made to fail; a failure that is made takes no time."""
    page = condition.of("p_page_ppm") / 1e6
    slab = condition.of("p_slab_ppm") / 1e6
    failure = Failure(page=page, page_noretry=page, head=slab)
    onset_ms = condition.of("onset_ms")
    if condition.of("hog"):
        return Allocator(
            episodes="schedule", schedules=(((onset_ms, math.inf),),), stall_sigma=0.05
        )
    return Allocator(episodes="none", stall_ms=0.0, stall_sigma=0.05, calm=failure, episode=failure)


def memory_of(condition: Condition) -> Memory:
    """What the hog, if there was one, left to take."""
    if not condition.of("hog"):
        return Memory()

    given: dict[str, Any] = dict(
        pressure="pages",
        mib=condition.of("managed_pages") / PAGES_PER_MIB,
        free_mib=condition.total("free_pages_before") / len(condition.runs) / PAGES_PER_MIB,
        hog=HOGS[int(condition.of("hog"))],
        hog_ms=condition.of("hog_us") / 1000,
        hog_pages_s=hog_pages_s(condition.series.name),
        lead_ms=condition.of("lead_ms"),
        deferred_counts=False,
        shrinker=True,
        round_instructions=round_ms(condition.series.name) * 1e6 / GUEST_INSTRUCTION_NS,
    )
    return Memory(**{name: value for name, value in given.items() if name in _names(Memory)})


def hog_pages_s(series: str) -> float:
    """How fast the hog takes pages, from what two had taken after 200 and 400 ms."""
    taken = {c.tag: c.total("hog_most") for c in conditions(series) if c.set == "costs"}
    if "hog400" not in taken:
        return Memory().hog_pages_s
    return (taken["hog400"] - taken["hog200"]) / 0.2


@cache
def round_ms(series: str) -> float:
    """How long a round of reclaim takes that finds nothing, of the half on which constants are
    chosen: what waits are longer by where memory runs out, than where requests are made to fail.
    """
    means: dict[str, list[float]] = {"real": [], "rates": []}
    for condition in conditions(series):
        all_fail = condition.set == "rates" and condition.of("p_page_ppm") == 1e6
        if condition.is_chosen and (condition.set == "real" or all_fail):
            waits = condition.total("waits")
            if waits > 100:
                means[condition.set].append(condition.total("wait_ns") / waits * 1e-6)
    if not all(means.values()):
        return Memory().round_instructions * GUEST_INSTRUCTION_NS * 1e-6
    return max(0.1, float(np.median(means["real"]) - np.median(means["rates"])))


def grace_period_of(condition: Condition) -> GracePeriod:
    """The guest's grace periods: by the law; where a run kept their lengths, by these."""
    background_us = condition.of("background_us")
    given: dict[str, Any] = dict(
        lengths_ms=lengths_ms(condition),
        reader_ms=condition.of("reader_ms"),
        reader_gap_ms=condition.of("reader_gap_us") / 1000,
        background_hz=1e6 / background_us if background_us else 0.0,
    )
    return GracePeriod(
        **{name: value for name, value in given.items() if name in _names(GracePeriod)}
    )


def lengths_ms(condition: Condition) -> tuple[float, ...]:
    """Lengths of the grace periods that the runs saw, on several CPUs or beside forks; else ().

    Between two of the quantiles that a run gives lie as many lengths each: the inner ones count
    twice.
    """
    if condition.cpus == 1 and condition.tag != "forks":
        return ()
    lists = [numbers(run, "gp_len_us") for run in condition.runs]
    return tuple(
        max(1.0, us) / 1000.0 for quantiles in lists for us in (*quantiles[:-1], *quantiles[1:])
    )


def workload_of(condition: Condition, instructions: Mapping[str, float]) -> Workload:
    """The calls of its producer, and which of them a sheaf takes."""
    burst = int(condition.of("burst"))
    refused = condition.of("p_sheaf_ppm") / 1e6
    if condition.of("objsize") > LARGEST_SLAB_OBJECT:
        refused = 1.0

    given: dict[str, Any] = dict(
        arrivals="bursts" if burst > 1 else "periodic",
        rate_hz=1e6 * burst / condition.of("period_us"),
        burst=burst,
        gap="exponential" if condition.of("arrival") else "fixed",
        phase="tick",
        loop="catchup" if condition.of("catchup") else "closed",
        single_share=1.0 - condition.of("double_pct") / 100,
        vmalloc_share=condition.of("vmalloc_pct") / 100,
        object_bytes=max(24, int(condition.of("objsize"))),
        sheaf_share=1.0 - refused,
        reuse_hz=0.0 if condition.of("preobj") else None,
        **instructions,
    )
    return Workload(**{name: value for name, value in given.items() if name in _names(Workload)})


def _names(of: type) -> set[str]:
    return {field.name for field in fields(of)}
