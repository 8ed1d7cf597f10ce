# SPDX-License-Identifier: GPL-2.0-only
"""What a call, its object and a free cost on newer kernels, counted in the set `costs`.

The probes of the module take their time too: these are numbers of the guest, not of a kernel.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from krcsim.guest.mainline.series import SERIES
from krcsim.model.constants import GUEST_INSTRUCTION_NS
from krcsim.model.remedy import REMEDIES
from validation.newer_recordings import LARGEST_SLAB_OBJECT, Condition, conditions, number

FEW, MANY = 100, 500  # calls of two runs; their difference has no begin and no end
LEAST_INSTRUCTIONS = 20.0
WAKE_UPS_OF_A_WAIT = 3  # of the kthread, by the kthread, and of the caller


@cache
def _costs(series: str) -> dict[str, Condition]:
    """The conditions of the set, by object and what was done."""
    return {
        f"{condition.label.split('/')[3]}/{condition.tag}": condition
        for condition in conditions(series)
        if condition.set == "costs"
    }


def kind_of(condition: Condition) -> str:
    """Where most objects of a condition go: `sheaf`, `list` or `block`."""
    what, objects = condition.label.split("/")[2:4]
    is_slab = objects != "vmalloc" and condition.of("objsize") <= LARGEST_SLAB_OBJECT
    if condition.series.has_sheaves and is_slab and condition.of("p_sheaf_ppm") < 500_000:
        return "sheaf"
    if what == "double" and not condition.of("nr_cached"):
        return "list"
    return "block"


def instructions_of(condition: Condition) -> dict[str, float]:
    """CPU times of a condition's calls, as fields of the workload; {} where none were counted.

    A call with its object's allocation (but where all objects were made before), and a free. New
    slab pages are spread over all calls. Lists were counted with objects of 64 bytes: other objects
    cost as much more as they do in blocks.
    """
    found = _costs(condition.series.name)
    kind, objects = kind_of(condition), condition.label.split("/")[3]
    made = "made" if condition.of("preobj") else ""
    times = _times(found, objects, kind, made)
    if not times and kind == "list":
        parts = [
            _times(found, *of, made) for of in ((objects, "block"), ("64", kind), ("64", "block"))
        ]
        if all(parts):
            times = tuple(more + a - b for more, a, b in zip(*parts, strict=True))
    if not times:
        times = _times(found, "64", kind, made)
    if not times:
        return {}
    call, free = times
    counted = {
        "call_instructions": call,
        "slab_instructions": 0.0,
        "free_instructions": max(LEAST_INSTRUCTIONS, free),
    }
    wait_us = wait_without_ticks_us(condition.series.name, condition.of("nr_cached") > 0)
    if wait_us:
        # A wait was timed with its call, but without the allocation of its object.
        allocation = call - call_alone(condition)
        instructions = wait_us * 1000 / GUEST_INSTRUCTION_NS + allocation
        counted["wake_instructions"] = instructions / WAKE_UPS_OF_A_WAIT
    return counted


def call_alone(condition: Condition) -> float:
    """Instructions of a condition's call without the allocation of its object; 0 if not counted."""
    made = _times(_costs(condition.series.name), "64", "block", "made")
    return made[0] if made else 0.0


@cache
def wait_without_ticks_us(series: str, has_refills: bool) -> float:
    """How long a wait takes where a grace period needs no tick: CPU time, of the half on which
    constants are chosen; with a refill worker that runs in between, or without. Else 0.
    """
    if not REMEDIES[SERIES[series].row].own_cpu:
        return 0.0
    name = "cached" if has_refills else "rates"
    waits = [
        number(run, "wait_mean_us")
        for condition in conditions(series)
        if condition.is_chosen and condition.set == name and condition.of("p_page_ppm") == 1e6
        for run in condition.runs
        if number(run, "waits") >= FEW
    ]
    return float(np.median(waits)) if waits else 0.0


def _times(found: dict[str, Condition], objects: str, kind: str, made: str) -> tuple[float, ...]:
    """Instructions of a call and of a free; () where they were not counted."""
    names = [f"{objects}/{kind}{what}{made}" for what in (FEW, MANY, "flood")]
    if not all(name in found for name in names):
        return ()
    few, many, flood = (found[name].runs[0] for name in names)
    call_ns = (number(many, "run_ns") - number(few, "run_ns")) / (MANY - FEW)
    both_ns = number(flood, "run_ns") / number(flood, "calls")
    return call_ns / GUEST_INSTRUCTION_NS, (both_ns - call_ns) / GUEST_INSTRUCTION_NS
