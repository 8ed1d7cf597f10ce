# SPDX-License-Identifier: GPL-2.0-only
"""A scenario as a job of the guest: a line of parameters for the module, and how to boot.

Field by field it is said what the harness cannot express: see krcsim.guest.gaps.
"""

from dataclasses import dataclass

from krcsim.base.errors import KrcsimError
from krcsim.guest.boot import Boot
from krcsim.guest.gaps import Gap, Sets
from krcsim.guest.gaps import set_words as set_words  # for who prints what sets_for() found
from krcsim.guest.job_load import load_of
from krcsim.guest.job_machine import GUEST_HZ, machine_of
from krcsim.guest.job_pressure import pressure_of
from krcsim.guest.parameters import HEAD_ALLOC_CODES
from krcsim.model.constants import BLOCK_ENTRIES
from krcsim.model.scenario import Scenario, changed

MOST_ROUNDS = 6  # of closing gaps: a field that is set may bring another gap along
MOST_RCUSCALE_CALLS = 8000  # in one loop
MOST_RCUSCALE_LOOPS = 100_000


@dataclass(frozen=True)
class Job:
    """What the module and the guest are given for a scenario; `parameters` lack the seed."""

    parameters: tuple[tuple[str, int | str], ...]
    boot: Boot
    gaps: tuple[Gap, ...]

    def line(self, seed: int = 1) -> str:
        """The line of a job file."""
        return " ".join(f"{name}={value}" for name, value in (*self.parameters, ("seed", seed)))

    @property
    def stops(self) -> tuple[Gap, ...]:
        """The gaps for which nothing is measured."""
        return tuple(gap for gap in self.gaps if gap.stops)


def job_of(scenario: Scenario, variant: str = "own") -> Job:
    """The job that comes nearest to a scenario; `variant` names its remedy in the results."""
    gaps: list[Gap] = []

    boot, values = machine_of(scenario, gaps)
    values = values | _remedy_of(scenario, gaps)
    values |= load_of(scenario, gaps)
    values |= pressure_of(scenario, gaps)

    if scenario.warmup_ms > 0:
        why = "the harness counts from the first call on, boot and steady state together"
        gaps.append(Gap("warmup_ms", scenario.warmup_ms, why))

    label = (
        f"own/r{scenario.workload.rate_hz:g}/{scenario.allocator.episodes}/"
        f"{values['p_page_ppm'] / 1e6:g}/{values['p_obj_ppm'] / 1e6:g}"
    )
    return Job((("label", label), ("variant", variant), *values.items()), boot, tuple(gaps))


def sets_for(scenario: Scenario) -> dict[str, object]:
    """The fields to set, with their values, so that the harness can measure a scenario.

    Empty where it can as it is. Raises KrcsimError if no values of single fields do.
    """
    sets: dict[str, object] = {}

    for _ in range(MOST_ROUNDS):
        stops = job_of(changed(scenario, **sets)).stops
        if not stops:
            return sets
        for gap in stops:
            sets |= dict(gap.sets)

    raise KrcsimError(f"{stops[0].words()}; no single field mends that: start from a preset")


def _remedy_of(scenario: Scenario, gaps: list[Gap]) -> dict[str, int]:
    """The parameters of the remedy."""
    remedy = scenario.remedy
    wanted: tuple[tuple[str, object, object, str], ...] = (
        (
            "page_class",
            remedy.page_class,
            "nowait",
            "the harness asks for pages with GFP_NOWAIT only",
        ),
        (
            "block_entries",
            remedy.block_entries,
            BLOCK_ENTRIES,
            f"a block is a page of {BLOCK_ENTRIES} pointers",
        ),
        ("double_page", remedy.double_page, True, "in the harness all calls ask for pages"),
        ("drain_full", remedy.drain_full, False, "the harness drains by its timer only"),
        ("refill_ms", remedy.refill_ms, 0.0, "the harness queues its refill worker at once"),
        ("refill_backoff_ms", remedy.refill_backoff_ms, 0.0, "its refills know no back-off"),
    )
    for name, value, only, why in wanted:
        if value != only:
            sets: Sets = ((f"remedy.{name}", only),)
            gaps.append(Gap(f"remedy.{name}", value, why, True, sets))

    for name, value, only, instead, why in (
        ("rearm", remedy.rearm, ("unqueued", "left"), "left", "the harness asks after each batch"),
        (
            "refill",
            remedy.refill,
            ("none", "any_miss"),
            "any_miss",
            "in the harness each miss starts the refill worker",
        ),
    ):
        if value not in only:
            gaps.append(Gap(f"remedy.{name}", value, why, True, ((f"remedy.{name}", instead),)))

    if remedy.emergency_at_boot not in (0, remedy.nr_emergency_objs):
        gaps.append(
            Gap(
                "remedy.emergency_at_boot",
                remedy.emergency_at_boot,
                "the harness fills a pool at boot or leaves it empty",
                True,
                (("remedy.emergency_at_boot", remedy.nr_emergency_objs),),
            )
        )

    return {
        "pool": remedy.nr_emergency_objs,
        "pool_prefill": int(remedy.emergency_at_boot > 0),
        "cache_max": remedy.nr_bkv_objs,
        "cache_prefill": remedy.cache_at_boot,
        "cache_shared": int(remedy.cache_shared),
        "refill": int(remedy.has_refill_worker),
        "array_path": int(remedy.array_path),
        "head_alloc": HEAD_ALLOC_CODES[remedy.head_alloc],
        "expedited_drain": int(remedy.expedited_drain),
        "rearm_unqueued": int(remedy.rearm == "unqueued"),
        "attach": int(remedy.attach_to_pending),
        "page_return_worker": int(remedy.page_return == "worker"),
        "drain_jiffies": remedy.drain_delay(GUEST_HZ),
    }


def rcuscale_of(scenario: Scenario) -> tuple[str, tuple[Gap, ...]]:
    """The nearest line for the kernel's own rcuscale, and what that leaves out."""
    workload = scenario.workload
    has_single = workload.single_share > 0
    has_double = workload.single_share < 1

    calls_per_loop = workload.burst
    if workload.burst == 1:
        calls_per_loop = max(1, min(MOST_RCUSCALE_CALLS, round(workload.rate_hz / 10)))
    calls = workload.rate_hz * scenario.horizon_ms / 1000
    loops = round(calls / calls_per_loop / workload.producers)

    words = [
        "modprobe rcuscale kfree_rcu_test=1",
        f"kfree_nthreads={scenario.machine.cpus * workload.producers}",
        f"kfree_alloc_num={calls_per_loop}",
        f"kfree_loops={max(1, min(MOST_RCUSCALE_LOOPS, loops))}",
        f"kfree_mult={max(1, round(workload.object_bytes / 24))}",
    ]
    if has_single:
        words.append("kfree_rcu_test_single=1")
    if has_double:
        words.append("kfree_rcu_test_double=1")

    gaps = [
        Gap(
            "workload.rate_hz",
            workload.rate_hz,
            "it frees as fast as it can, and yields after each loop",
        ),
        Gap(
            "allocator.episode",
            scenario.allocator.episode.resolved(),
            "nothing makes allocations fail: load memory at the same time",
        ),
        Gap("remedy", "as given", "it measures the remedy that the running kernel has"),
        Gap(
            "what is measured",
            "P(wait), blocked",
            "it prints the time of all loops, grace periods and memory, no waits",
        ),
    ]
    if has_single and has_double:
        gaps.append(
            Gap(
                "workload.single_share",
                workload.single_share,
                "with both flags a loop mixes them half and half",
            )
        )
    if workload.vmalloc_share:
        gaps.append(
            Gap("workload.vmalloc_share", workload.vmalloc_share, "its objects are kmalloc()ed")
        )
    return " ".join(words), tuple(gaps)
