# SPDX-License-Identifier: GPL-2.0-only
"""The machine, the grace periods and the memory of a scenario, as a guest can have them."""

import math

from krcsim.guest.boot import LONGEST_MS, Boot
from krcsim.guest.gaps import Gap, Sets, whole_number
from krcsim.guest.parameters import HOG_CODES, KERNEL_MIB
from krcsim.model.constants import GUEST_INSTRUCTION_NS, PAGE_BYTES
from krcsim.model.scenario import Scenario

GUEST_HZ = 250  # Debian's kernel
MOST_CPUS = 8
USUAL_MIB = 512  # of a guest whose memory is not short
GUEST_MIB = (96, 4096)  # that a guest can have
SMALL_OBJECT_BYTES = 64  # where objects of the wanted size would not fit


def machine_of(scenario: Scenario, gaps: list[Gap]) -> tuple[Boot, dict[str, int]]:
    """How a guest for a scenario is booted, and the parameters of the module for it."""
    machine = scenario.machine
    grace_period = scenario.grace_period
    memory = scenario.memory
    is_short = memory.pressure == "pages"

    fixed(scenario, gaps)
    grace_periods(scenario, gaps)
    if is_short:
        _memory(scenario, gaps)

    reader_ms = whole_number("grace_period.reader_ms", grace_period.reader_ms, "ms", gaps)
    reader_gap_us = whole_number(
        "grace_period.reader_gap_ms",
        1000 * grace_period.reader_gap_ms,
        "us",
        gaps,
        least=1,
        most=1_000_000,
        sets=lambda us: (("grace_period.reader_gap_ms", us / 1000),),
    )
    foreign_pct = whole_number(
        "machine.nocb_share",
        100 * machine.nocb_share,
        "percent",
        gaps,
        sets=lambda percent: (("machine.nocb_share", percent / 100),),
    )

    values = {
        "foreign_pct": foreign_pct,
        "sync_exp": int(grace_period.expedited),
        "hog": HOG_CODES[memory.hog if is_short else "none"],
        "reader_ms": reader_ms,
    }
    if reader_ms:
        values["reader_gap_us"] = reader_gap_us
    if is_short:
        values |= {
            "preobj": 1,  # objects made beforehand: with no memory left none could be made
            "lead_ms": round(memory.lead_ms),
            "hog_us": round(1000 * memory.hog_ms),
            "total": _calls_of_a_producer(scenario),
        }
    if machine.cpus > 1:
        values["gp_trace"] = 1

    boot = Boot(
        cpus=min(machine.cpus, MOST_CPUS),
        mib=round(memory.mib + KERNEL_MIB) if is_short else USUAL_MIB,
        append="preempt=full" if reader_ms else "",
    )
    return boot, values


def _calls_of_a_producer(scenario: Scenario) -> int:
    workload = scenario.workload
    return math.ceil(workload.rate_hz * scenario.horizon_ms / 1000 / workload.producers)


def fixed(scenario: Scenario, gaps: list[Gap]) -> None:
    """Fields for which the guest has just one value."""
    machine = scenario.machine
    grace_period = scenario.grace_period

    hz_sets: Sets = (("machine.hz", GUEST_HZ),)
    if grace_period.kind == "ticks" and grace_period.mean_ms:
        # A mean shorter than a scan at the guest's HZ would be refused; the guest has its own
        # grace periods anyway.
        hz_sets += (("grace_period.mean_ms", None),)

    if machine.hz != GUEST_HZ:
        why = f"Debian's kernel is built with HZ={GUEST_HZ}"
        gaps.append(Gap("machine.hz", machine.hz, why, True, hz_sets))

    for name, value, only, why in (
        ("machine.arch", machine.arch, "x86-64", "the guest is x86-64"),
        (
            "machine.instruction_ns",
            machine.instruction_ns,
            GUEST_INSTRUCTION_NS,
            f"an instruction takes {GUEST_INSTRUCTION_NS:g} ns in the guest",
        ),
        (
            "machine.work_delay_ms",
            machine.work_delay_ms,
            0.0,
            "works start when the guest's workqueue starts them",
        ),
        (
            "grace_period.busy",
            grace_period.busy,
            False,
            "nothing else keeps the guest's CPUs busy",
        ),
    ):
        if value != only:
            gaps.append(Gap(name, value, why))


def grace_periods(scenario: Scenario, gaps: list[Gap]) -> None:
    """What is said of the length of grace periods, and how many CPUs there are."""
    machine = scenario.machine
    grace_period = scenario.grace_period

    name = ""
    if grace_period.kind != "ticks":
        name = "kind"
    elif grace_period.mean_ms is not None:
        name = "mean_ms"
    elif grace_period.lengths_ms:
        name = "lengths_ms"
    if name:
        why = "the guest's kernel makes its own grace periods"
        gaps.append(Gap(f"grace_period.{name}", getattr(grace_period, name), why))

    if grace_period.expedited:
        gaps.append(
            Gap(
                "grace_period.expedited_median_ms",
                grace_period.expedited_median_ms,
                "expedited waits take as long as they take in the guest",
            )
        )

    if machine.cpus > MOST_CPUS:
        gaps.append(
            Gap(
                "machine.cpus",
                machine.cpus,
                f"a guest has up to {MOST_CPUS} CPUs",
                True,
                (("machine.cpus", MOST_CPUS),),
            )
        )


def _memory(scenario: Scenario, gaps: list[Gap]) -> None:
    """What a guest that is short of memory cannot express."""
    memory = scenario.memory

    if memory.load_pages_s:
        sets: Sets = (("memory.load_pages_s", 0),)
        if memory.hog == "none":
            sets += (("memory.hog", "nowait"),)
        why = "in the guest only a hog takes memory"
        gaps.append(Gap("memory.load_pages_s", memory.load_pages_s, why, True, sets))

    least, most = (mib - KERNEL_MIB for mib in GUEST_MIB)
    mib = min(most, max(least, memory.mib))
    if mib != memory.mib:
        sets = (("memory.mib", mib),)
        if memory.free_mib:
            sets += (("memory.free_mib", None),)
        if memory.file_mib:
            sets += (("memory.file_mib", 0),)
        why = f"a guest has {least} to {most} MiB for all but its kernel"
        gaps.append(Gap("memory.mib", memory.mib, why, True, sets))

    if memory.file_mib:
        why = "a guest has hardly any page cache"
        sets = (("memory.file_mib", 0),)
        gaps.append(Gap("memory.file_mib", memory.file_mib, why, True, sets))

    for name, given_ms, least_ms, most_ms in (
        ("hog_ms", memory.hog_ms, 0.01, 1000.0),
        ("lead_ms", memory.lead_ms, 0.0, LONGEST_MS),
    ):
        nearest_ms = min(most_ms, max(least_ms, given_ms))
        if nearest_ms != given_ms:
            why = f"the harness takes {least_ms:g} to {most_ms:g} ms"
            sets = ((f"memory.{name}", nearest_ms),)
            gaps.append(Gap(f"memory.{name}", given_ms, why, True, sets))

    _objects_made_before(scenario, mib, gaps)


def _objects_made_before(scenario: Scenario, mib: float, gaps: list[Gap]) -> None:
    """All objects of a run are made before it, and must leave memory to be short of."""
    workload = scenario.workload
    cpus = min(scenario.machine.cpus, MOST_CPUS)
    objects = workload.rate_hz * scenario.horizon_ms / 1000 * cpus
    room_bytes = 0.5 * mib * (1 << 20)

    if objects * workload.object_bytes > room_bytes:
        object_bytes = workload.object_bytes
        sets: Sets = ()
        if object_bytes > PAGE_BYTES:
            object_bytes = SMALL_OBJECT_BYTES
            sets = (("workload.object_bytes", object_bytes),)
        most_hz = room_bytes / object_bytes / cpus / scenario.horizon_ms * 1000
        sets += (("workload.rate_hz", min(workload.rate_hz, most_hz)),)
        why = (
            "all objects of a run are made before it, and would take more than half of the "
            "guest's memory"
        )
        gaps.append(Gap("workload.rate_hz", workload.rate_hz, why, True, sets))

    if workload.vmalloc_share:
        gaps.append(
            Gap(
                "workload.vmalloc_share",
                workload.vmalloc_share,
                "objects made before the memory is taken are kmalloc()ed",
                True,
                (("workload.vmalloc_share", 0),),
            )
        )
