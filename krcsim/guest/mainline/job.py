# SPDX-License-Identifier: GPL-2.0-only
"""A scenario as a job for a newer kernel: a line of parameters for krcstock, and how to boot.

The kernel has its own kfree_rcu(), so the remedy of a scenario is left out. What fails is what the
path still asks for: a page with GFP_KERNEL | __GFP_NORETRY, and the slab object of a new sheaf.
"""

from dataclasses import replace

from krcsim.base.errors import KrcsimError
from krcsim.guest.boot import LONGEST_MS, Boot
from krcsim.guest.gaps import Gap, whole_number
from krcsim.guest.job import MOST_ROUNDS, Job
from krcsim.guest.job_load import load_of
from krcsim.guest.job_machine import USUAL_MIB, fixed, grace_periods
from krcsim.guest.job_pressure import episodes_of
from krcsim.model.allocator import Failure
from krcsim.model.scenario import Scenario, changed

SETTLE_MS = 6000  # of silence after a run: the kernel drains light traffic after 5 s
MOST_WAITING = 256  # threads of a CPU that wait in an open loop


def job_of(scenario: Scenario, cpus: int = 1) -> Job:
    """The job that comes nearest to a scenario, on that many of its CPUs."""
    gaps: list[Gap] = []

    machine = replace(scenario.machine, cpus=1)  # CPUs have callers alike
    _machine(scenario, cpus, gaps)
    values = _load(replace(scenario, machine=machine), gaps)
    values |= _pressure(scenario, gaps)
    values["settle_ms"] = SETTLE_MS

    if scenario.warmup_ms > 0:
        why = "the guest counts from the first call on, boot and steady state together"
        gaps.append(Gap("warmup_ms", scenario.warmup_ms, why))
    if scenario.memory.pressure == "pages":
        why = "in this guest no memory runs out: requests are made to fail"
        sets = (("memory.pressure", "injected"),)
        gaps.append(Gap("memory.pressure", scenario.memory.pressure, why, True, sets))

    label = f"{scenario.workload.arrivals}/r{scenario.workload.rate_hz:g}"
    boot = Boot(cpus=cpus, mib=USUAL_MIB)
    return Job((("label", label), *values.items()), boot, tuple(gaps))


def sets_for(scenario: Scenario, cpus: int = 1) -> dict[str, object]:
    """The fields to set, with their values, so that the guest can measure a scenario."""
    sets: dict[str, object] = {}
    for _ in range(MOST_ROUNDS):
        stops = job_of(changed(scenario, **sets), cpus).stops
        if not stops:
            return sets
        for gap in stops:
            sets |= dict(gap.sets)

    raise KrcsimError(f"{stops[0].words()}; no single field mends that: start from a preset")


def _machine(scenario: Scenario, cpus: int, gaps: list[Gap]) -> None:
    """What the guest's machine cannot be."""
    fixed(scenario, gaps)
    here = replace(scenario, machine=replace(scenario.machine, cpus=1))
    grace_periods(here, gaps)

    if scenario.machine.cpus != cpus:
        why = f"measured on {cpus} of them: --cpus says on how many"
        gaps.append(Gap("machine.cpus", scenario.machine.cpus, why))
    if scenario.machine.nocb_share:
        why = "no callbacks are offloaded in the guest"
        gaps.append(Gap("machine.nocb_share", scenario.machine.nocb_share, why))
    if scenario.grace_period.reader_ms:
        why = "nothing reads for long in the guest"
        gaps.append(Gap("grace_period.reader_ms", scenario.grace_period.reader_ms, why))


def _load(scenario: Scenario, gaps: list[Gap]) -> dict[str, int]:
    """The parameters of the callers of a CPU."""
    workload = scenario.workload
    phases: dict[str, int] = {}
    if workload.arrivals == "onoff":
        on_us, off_us = round(1000 * workload.on_ms), round(1000 * workload.off_ms)
        phases = {"phase_on_us": max(1, on_us), "phase_off_us": max(1, off_us)}
        rate_hz = workload.rate_hz * (workload.on_ms + workload.off_ms) / workload.on_ms
        workload = replace(workload, arrivals="poisson", rate_hz=rate_hz)

    values = load_of(replace(scenario, workload=workload), gaps)
    producers = values.pop("threads")
    values.pop("waiters")
    if workload.loop == "open" and workload.single_share:
        values["waiters"] = MOST_WAITING
    return {"producers": producers, **values, **phases}


def _pressure(scenario: Scenario, gaps: list[Gap]) -> dict[str, int]:
    """The parameters that make requests fail, and when they do."""
    allocator = scenario.allocator
    episodes = episodes_of(scenario, gaps)

    section = "calm" if episodes in ({}, None) else "episode"
    on: Failure = getattr(allocator, section)
    values = {
        "p_page_ppm": _ppm(on, section, "page_noretry", gaps),
        "p_slab_ppm": _ppm(on, section, "head", gaps),
    }
    if episodes is None:
        episodes = {}
    if section == "episode":
        values["calm_page_ppm"] = _ppm(allocator.calm, "calm", "page_noretry", gaps)
        values["calm_slab_ppm"] = _ppm(allocator.calm, "calm", "head", gaps)

    if values["p_page_ppm"] and allocator.stall_ms:
        why = "a failure that is made takes no time: no call stalls"
        gaps.append(Gap("allocator.stall_ms", allocator.stall_ms, why))
    return values | episodes


def _ppm(failure: Failure, section: str, name: str, gaps: list[Gap]) -> int:
    """A probability in millionths."""
    value = failure.by_field()[name]
    return whole_number(f"allocator.{section}.{name}", 1e6 * value, "millionths", gaps)


assert SETTLE_MS < LONGEST_MS
