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
from krcsim.guest.job_machine import machine_of
from krcsim.guest.job_pressure import episodes_of
from krcsim.model.allocator import Failure
from krcsim.model.scenario import Scenario, changed

SETTLE_MS = 6000  # of silence after a run: the kernel drains light traffic after 5 s
MOST_WAITING = 256  # threads of a CPU that wait in an open loop


def job_of(scenario: Scenario, cpus: int = 1) -> Job:
    """The job that comes nearest to a scenario, on that many of its CPUs."""
    gaps: list[Gap] = []

    here = replace(scenario, machine=replace(scenario.machine, cpus=1))  # CPUs have callers alike
    boot, others = _machine(scenario, here, cpus, gaps)
    values = _load(here, gaps) | others
    values |= _pressure(scenario, gaps)
    if values.get("onset_ms"):
        values.pop("lead_ms", 0)  # of an episode that begins with the run
    values["settle_ms"] = SETTLE_MS

    if scenario.warmup_ms > 0:
        why = "the guest counts from the first call on, boot and steady state together"
        gaps.append(Gap("warmup_ms", scenario.warmup_ms, why))
    label = f"{scenario.workload.arrivals}/r{scenario.workload.rate_hz:g}"
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


def _machine(
    scenario: Scenario, here: Scenario, cpus: int, gaps: list[Gap]
) -> tuple[Boot, dict[str, int]]:
    """How the guest is booted, and the parameters of a hog and of readers; what it cannot be.

    `here`: the scenario with one CPU, which all CPUs are like.
    """
    boot, values = machine_of(here, gaps)
    others = {
        name: values[name]
        for name in ("hog", "hog_us", "lead_ms", "preobj", "total", "reader_ms", "reader_gap_us")
        if values.get(name)
    }
    if scenario.machine.cpus != cpus:
        why = f"measured on {cpus} of them: --cpus says on how many"
        gaps.append(Gap("machine.cpus", scenario.machine.cpus, why))
    if scenario.machine.nocb_share:
        why = "no callbacks are offloaded in the guest"
        gaps.append(Gap("machine.nocb_share", scenario.machine.nocb_share, why))
    return replace(boot, cpus=cpus), others


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
    if scenario.workload.arrivals in ("periodic", "bursts"):
        values["at_once"] = 1
    if workload.loop == "open" and workload.single_share:
        values["waiters"] = MOST_WAITING
    return {"producers": producers, **values, **phases}


def _pressure(scenario: Scenario, gaps: list[Gap]) -> dict[str, int]:
    """The parameters that make requests fail, and when they do."""
    allocator = scenario.allocator
    episodes = episodes_of(scenario, gaps)
    if scenario.memory.pressure == "pages":  # a hog takes the memory, and nothing is made to fail
        return {} if episodes is None else episodes

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
