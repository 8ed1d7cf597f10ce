# SPDX-License-Identifier: GPL-2.0-only
"""The calls of a scenario, as the producers of the guest can make them."""

import math

from krcsim.guest.boot import LONGEST_MS
from krcsim.guest.gaps import Gap, Sets, whole_number
from krcsim.guest.job_machine import MOST_CPUS
from krcsim.model.constants import CALL_INSTRUCTIONS, FREE_INSTRUCTIONS
from krcsim.model.scenario import Scenario

# Threads that wait in an open loop; `waiter_full` counts the calls that found none idle.
WAITERS = 512

# As krcmeter.c takes them
MOST_THREADS = 4096
MOST_PERIOD_US = 2_000_000_000
MOST_OBJECT_BYTES = 4 << 20
LEAST_OBJECT_BYTES = 24  # of a double-argument call: the object holds an rcu_head


def load_of(scenario: Scenario, gaps: list[Gap]) -> dict[str, int]:
    """The parameters of the producers."""
    workload = scenario.workload
    cpus = min(scenario.machine.cpus, MOST_CPUS)

    _call_times(scenario, gaps)
    producers = _producers(scenario, cpus, gaps)
    period_us = _period_us(scenario, producers, gaps)
    single_pct = whole_number(
        "workload.single_share",
        100 * workload.single_share,
        "percent",
        gaps,
        least=int(workload.single_share > 0),
        sets=lambda percent: (("workload.single_share", percent / 100),),
    )
    vmalloc_pct = whole_number(
        "workload.vmalloc_share",
        100 * workload.vmalloc_share,
        "percent",
        gaps,
        sets=lambda percent: (("workload.vmalloc_share", percent / 100),),
    )
    _object_size(scenario, gaps)

    return {
        "threads": cpus * producers,
        "period_us": period_us,
        "burst": workload.burst,
        "arrival": int(_has_exponential_gaps(scenario)),
        "catchup": int(workload.loop in ("open", "catchup")),
        "waiters": WAITERS if workload.loop == "open" else 0,
        "objsize": min(workload.object_bytes, MOST_OBJECT_BYTES),
        "double_pct": 100 - single_pct,
        "vmalloc_pct": vmalloc_pct,
        "dur_ms": _duration_ms(scenario, gaps),
    }


def _has_exponential_gaps(scenario: Scenario) -> bool:
    workload = scenario.workload
    return workload.arrivals in ("poisson", "onoff", "replay") or workload.gap == "exponential"


def _call_times(scenario: Scenario, gaps: list[Gap]) -> None:
    """What calls cost, and when they are made."""
    workload = scenario.workload

    for name, value, in_guest in (
        ("call_instructions", workload.call_instructions, CALL_INSTRUCTIONS),
        ("free_instructions", workload.free_instructions, FREE_INSTRUCTIONS),
    ):
        if value != in_guest:
            gaps.append(Gap(f"workload.{name}", value, f"the guest takes about {in_guest:g}"))

    if workload.cpu_shares:
        why = "callers of the harness are alike on all CPUs"
        gaps.append(Gap("workload.cpu_shares", workload.cpu_shares, why, True))
    if workload.rate_factors():
        why = "callers of the harness keep their rate"
        gaps.append(Gap("workload.rate_changes", f"{len(workload.rate_changes)} pieces", why, True))
    if workload.arrivals in ("onoff", "replay"):
        what = "on and off phases" if workload.arrivals == "onoff" else "calls of a recording"
        gaps.append(
            Gap(
                "workload.arrivals",
                workload.arrivals,
                f"the harness has no {what}: use poisson, periodic or bursts",
                True,
                (("workload.arrivals", "poisson"),),
            )
        )

    if _has_exponential_gaps(scenario):
        return

    if workload.phase != "tick":
        gaps.append(Gap("workload.phase", workload.phase, "fixed gaps begin just after a tick"))
    if scenario.machine.cpus > 1:
        why = (
            "the producers' first calls are spread over a period, not at the same time on each CPU"
        )
        gaps.append(Gap("machine.cpus", scenario.machine.cpus, why))


def _producers(scenario: Scenario, cpus: int, gaps: list[Gap]) -> int:
    """Producers on each CPU."""
    producers = scenario.workload.producers
    most = MOST_THREADS // cpus

    if producers > most:
        gaps.append(
            Gap(
                "workload.producers",
                producers,
                f"the harness has up to {MOST_THREADS} callers, {most} on each of {cpus} CPUs",
                True,
                (("workload.producers", most),),
            )
        )
    return min(producers, most)


def _period_us(scenario: Scenario, producers: int, gaps: list[Gap]) -> int:
    """Time between the starts of two bursts of a producer."""
    workload = scenario.workload
    wanted_us = 1e6 * workload.burst * producers / workload.rate_hz

    def sets(us: int) -> Sets:
        if us < wanted_us:  # rather slower than asked for than faster than a CPU can be
            us += 1
        us = min(MOST_PERIOD_US, us)
        return (("workload.rate_hz", 1e6 * workload.burst * producers / us),)

    return whole_number(
        "workload.rate_hz",
        wanted_us,
        "us between two bursts",
        gaps,
        least=1,
        most=MOST_PERIOD_US,
        sets=sets,
    )


def _object_size(scenario: Scenario, gaps: list[Gap]) -> None:
    workload = scenario.workload

    if workload.object_sizes:
        largest_share = max(workload.object_sizes, key=lambda pair: pair[1])[0]
        gaps.append(
            Gap(
                "workload.object_sizes",
                workload.object_sizes,
                "callers of the harness free objects of one size",
                True,
                (("workload.object_sizes", [[largest_share, 1]]),),
            )
        )
        return

    if workload.single_share < 1 and workload.object_bytes < LEAST_OBJECT_BYTES:
        gaps.append(
            Gap(
                "workload.object_bytes",
                workload.object_bytes,
                f"an rcu_head of a double-argument call needs {LEAST_OBJECT_BYTES} bytes in the "
                "object",
                True,
                (("workload.object_bytes", LEAST_OBJECT_BYTES),),
            )
        )

    if workload.object_bytes > MOST_OBJECT_BYTES:
        gaps.append(
            Gap(
                "workload.object_bytes",
                workload.object_bytes,
                f"an object of the guest has up to {MOST_OBJECT_BYTES >> 20} MiB",
                True,
                (("workload.object_bytes", MOST_OBJECT_BYTES),),
            )
        )


def _duration_ms(scenario: Scenario, gaps: list[Gap]) -> int:
    shorter: Sets = (("warmup_ms", 0),) if scenario.warmup_ms > LONGEST_MS else ()

    def sets(ms: int) -> Sets:
        horizon_ms = min(LONGEST_MS, max(ms, math.ceil(scenario.horizon_ms)))
        return (*shorter, ("horizon_ms", horizon_ms))

    return whole_number(
        "scenario.horizon_ms",
        scenario.horizon_ms,
        "ms",
        gaps,
        least=1,
        most=LONGEST_MS,
        sets=sets,
    )
