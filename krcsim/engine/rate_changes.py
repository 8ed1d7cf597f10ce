# SPDX-License-Identifier: GPL-2.0-only
"""A rate of Poisson calls that changes at given times, and the allocations that go with it (rules
R107 to R109 of docs/model.md).

Gaps are exponential, so what lies behind a change has not been used yet: the plan of a CPU is drawn
anew there, as at the end of an on phase. Calls of a timetable need no event: see load_time.py.
"""

from krcsim.engine.call_source import make_plan, settle_calls, update_rate
from krcsim.engine.pointers import cpu_at, rate_piece_at
from krcsim.engine.record_form import RatePiece
from krcsim.engine.records import Cpu, World
from krcsim.engine.sheaf_reuse import plan_allocations, settle_allocations


def begin_rate_piece(world: World, cpu: Cpu) -> None:
    """R107: the factor of the piece of time that begins for a CPU, by its number since boot, and
    when the next one begins.
    """
    cpu.rate_factor = piece_of(world, cpu.rate_piece).factor
    turn = (cpu.rate_piece + 1) // world.rate_pieces
    begins_at = piece_of(world, cpu.rate_piece + 1).begins_at
    cpu.rate_changes_at = turn * world.rate_period + begins_at
    cpu.phase_ends_at = min(cpu.source_switches_at, cpu.rate_changes_at)


def piece_of(world: World, number: int) -> RatePiece:
    """R107: a piece of time, by its number since boot, over all turns of the period."""
    return rate_piece_at(world.rate_pieces_address, number % world.rate_pieces)


def change_rate(world: World, cpu_index: int, now: float) -> None:
    """R108 and R109: the rate of a CPU's calls changes, and that of its allocations if these go
    with them.
    """
    cpu = cpu_at(world.cpus_address, cpu_index)
    settle_calls(world, cpu, now)
    if world.reuse_follows_rate and world.sheaf_entries > 0:
        for size in range(world.nr_caches):
            settle_allocations(world, cpu, size, now)

    cpu.rate_piece += 1
    begin_rate_piece(world, cpu)
    update_rate(world, cpu)
    if world.reuse_follows_rate and world.sheaf_entries > 0:
        for size in range(world.nr_caches):
            plan_allocations(world, cpu, size, now)
    make_plan(world, cpu, cpu_index, now)


def rate_changes_now(world: World, cpu_index: int, now: float) -> bool:
    """R3 and R108: whether the next event of a CPU is a change of its rate, which comes before
    allocations and calls.
    """
    return cpu_at(world.cpus_address, cpu_index).rate_changes_at == now
