# SPDX-License-Identifier: GPL-2.0-only
"""A recorded condition as a scenario of the model."""

from dataclasses import replace
from typing import Any

from krcsim.base import cells
from krcsim.base.errors import KrcsimError, shown
from krcsim.base.reading import read_json
from krcsim.guest.parameters import HEAD_ALLOC_CODES, HOG_CODES, KERNEL_MIB, name_of
from krcsim.guest.recorded_episodes import episodes
from krcsim.guest.recordings import Condition
from krcsim.model.allocator import Allocator, Failure
from krcsim.model.constants import GUEST_INSTRUCTION_NS
from krcsim.model.grace_period import GracePeriod
from krcsim.model.machine import Machine
from krcsim.model.memory import PAGES_PER_MIB, Memory
from krcsim.model.remedy import A1, Remedy
from krcsim.model.scenario import Scenario
from krcsim.model.workload import Workload

# Parameters that the model has no rule for, with the value that it takes for granted.
TAKEN_FOR_GRANTED: dict[str, float] = dict(mode=0, bind=1, hog_keep=0, stock_inject=0, probe_gp=0)

# synchronize_rcu_expedited() of an idle guest (0.05 to 0.07 ms) without the wake-up.
EXPEDITED_MS = 0.025


def scenarios_of(condition: Condition) -> tuple[Scenario, ...]:
    """A scenario for all runs; or one a run, where each recorded its own grace periods."""
    if not grace_lengths_ms(condition):
        return (scenario_of(condition),)
    return tuple(scenario_of(replace(condition, runs=(run,))) for run in condition.runs)


def scenario_of(condition: Condition) -> Scenario:
    """The condition as the model knows it; replication i has the episodes of seed i mod seeds.

    Raises KrcsimError for what the harness can do and the model cannot.
    """
    refuse_unfollowed(condition)
    return Scenario(
        machine=machine_of(condition),
        remedy=remedy_of(condition),
        allocator=allocator_of(condition),
        memory=memory_of(condition),
        grace_period=grace_period_of(condition),
        workload=workload_of(condition),
        warmup_ms=0.0,
        horizon_ms=condition.dur_ms,
    )


def refuse_unfollowed(condition: Condition) -> None:
    """Raise KrcsimError for a parameter that would change the waits, and that the model ignores."""
    given = condition.given

    for name, value in TAKEN_FOR_GRANTED.items():
        if given[name] != value:
            raise KrcsimError(
                f"recording {condition.name} has {name} = {given[name]:g}; the model follows only "
                f"{value:g}: measure without it to compare"
            )

    if given["lead_ms"] and not given["hog"]:
        raise KrcsimError(
            f"recording {condition.name} has lead_ms = {given['lead_ms']:g} ms and no hog; the "
            "model's first call comes at once: measure with lead_ms=0 to compare"
        )

    most_calls = max(run.calls for run in condition.runs)
    made_all = 0 < given["total"] * condition.threads <= most_calls
    lasts_ms = given["total"] / given["burst"] * given["period_us"] / 1000.0
    if made_all and lasts_ms < 0.9 * given["dur_ms"]:
        raise KrcsimError(
            f"recording {condition.name} made its total = {given['total']:g} calls a producer in "
            f"about {lasts_ms:.4g} of {given['dur_ms']:g} ms; the model goes on to the end: "
            "measure with a larger total"
        )


def machine_of(condition: Condition) -> Machine:
    """The guest's CPUs, and the time of an instruction in it."""
    given = condition.given
    cpus = int(given["cpus"])
    return Machine(
        cpus=cpus,
        hz=int(given["hz"]),
        instruction_ns=GUEST_INSTRUCTION_NS,
        nocb_share=given["foreign_pct"] / 100 if cpus > 1 else 0.0,
    )


def remedy_of(condition: Condition) -> Remedy:
    """The remedy that was measured."""
    given = condition.given
    pool = int(given["pool"])
    return replace(
        A1,
        head_alloc=name_of(HEAD_ALLOC_CODES, given["head_alloc"]),
        array_path=given["array_path"] == 1,
        nr_emergency_objs=pool,
        emergency_at_boot=pool if given["pool_prefill"] else 0,
        cache_shared=given["cache_shared"] == 1,
        nr_bkv_objs=int(given["cache_max"]),
        cache_at_boot=int(given["cache_prefill"]),
        page_return="worker" if given["page_return_worker"] else "batch",
        expedited_drain=given["expedited_drain"] == 1,
        rearm="unqueued" if given["rearm_unqueued"] else "left",
        attach_to_pending=given["attach"] == 1,
        drain_jiffies=int(given["drain_jiffies"]),
        refill="any_miss" if given["refill"] == 1 else "none",
    )


def allocator_of(condition: Condition) -> Allocator:
    """The episodes of each seed, and what failed in them; a failure that is made takes no time."""
    page, head = condition.failure
    return Allocator(
        episodes="schedule",
        schedules=tuple(episodes(condition, run.seed) for run in condition.runs),
        stall_ms=0.0,
        stall_sigma=0.05,
        calm=Failure(),
        episode=Failure(page=page, head=head),
    )


def memory_of(condition: Condition) -> Memory:
    """What the hog of the runs, if there was one, left to take."""
    given = condition.given
    if not given["hog"]:
        return Memory()

    first = condition.runs[0]
    return Memory(
        pressure="pages",
        mib=first.of("mib") - KERNEL_MIB,
        free_mib=first.of("free_pages_before") / PAGES_PER_MIB,
        hog=name_of(HOG_CODES, given["hog"]),
        hog_ms=given["hog_us"] / 1000.0,
        lead_ms=given["lead_ms"],
        deferred_counts=False,
    )


def grace_period_of(condition: Condition) -> GracePeriod:
    """The grace periods of the guest: those recorded, else by the law, with its readers."""
    given = condition.given
    return GracePeriod(
        lengths_ms=grace_lengths_ms(condition),
        expedited=given["sync_exp"] == 1,
        expedited_median_ms=EXPEDITED_MS,
        expedited_sigma=0.1,
        reader_ms=given["reader_ms"],
        reader_gap_ms=given["reader_gap_us"] / 1000,
    )


def grace_lengths_ms(condition: Condition) -> tuple[float, ...]:
    """Lengths of the grace periods that the runs themselves saw (gp_trace), else ().

    A run gives 101 quantiles, from the shortest to the longest. Between two of them lies a
    hundredth of all lengths, so that the inner ones count twice. With readers there are none:
    these are simulated, and their lengths with them.
    """
    if condition.given["reader_ms"]:
        return ()

    cells_given = [run.columns.get("gp_len_us") for run in condition.runs]
    lists: list[Any] = [
        read_json(cell, "gp_len_us of a recording") if isinstance(cell, str) else cell
        for cell in cells_given
        if cell
    ]
    for lengths_us in lists:
        if not cells.several(cells.AMOUNT).fits(lengths_us):
            raise KrcsimError(
                f"gp_len_us of a recording is {shown(lengths_us)}; wanted: a list of lengths in "
                "us; take it again"
            )

    return tuple(
        max(1.0, us) / 1000.0 for quantiles in lists for us in (*quantiles[:-1], *quantiles[1:])
    )


def workload_of(condition: Condition) -> Workload:
    """The calls of the producers; raises KrcsimError where CPUs have different numbers of them."""
    given = condition.given
    producers = condition.threads_per_cpu
    burst = int(given["burst"])

    loop = "catchup" if given["catchup"] else "closed"
    if given["waiters"] > 0:
        loop = "open"

    plain = (1.0 - given["ch1_pct"] / 100) * (1.0 - given["vmalloc_pct"] / 100)
    return Workload(
        arrivals="bursts" if burst > 1 else "periodic",
        rate_hz=1e6 * given["burst"] * producers / given["period_us"],
        burst=burst,
        gap="exponential" if given["arrival"] else "fixed",
        phase="tick",
        loop=loop,
        # Callers that nothing holds up are together one caller as fast as all of them.
        producers=1 if loop == "open" else producers,
        single_share=1.0 - given["double_pct"] / 100,
        vmalloc_share=round(1.0 - plain, 9),
        object_bytes=int(given["objsize"]),
    )
