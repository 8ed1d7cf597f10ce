# SPDX-License-Identifier: GPL-2.0-only
"""Calls of a recording as a source: their times are a timetable that is known from boot on (rules
R100 to R104 of docs/model.md).

The times of a CPU are `recorded_calls` numbers of the array of call times, from `first_call` on;
`next_call` is the number of the next call since boot, over all turns of a recording that begins
anew.
"""

from krcsim.engine.pointers import real_at, recorded_cell_at
from krcsim.engine.random_streams import INF, exponential
from krcsim.engine.records import Cpu, World


def boot_recorded_calls(world: World, cpu: Cpu) -> None:
    """R101: where a recording has counts in cells, draw the times of a CPU's calls: those of a cell
    are uniform in it.

    Sums of exponential numbers over the last such sum are uniform numbers in their order.
    """
    number = cpu.first_call
    for index in range(cpu.first_cell, cpu.first_cell + cpu.recorded_cells):
        cell = recorded_cell_at(world.recorded_cells_address, index)
        total = 0.0
        for place in range(number, number + cell.calls):
            total += exponential(cpu.replay_stream)
            real_at(world.call_times_address, place).x = total
        scale = (cell.ends_at - cell.begins_at) / (total + exponential(cpu.replay_stream))
        for place in range(number, number + cell.calls):
            sum_so_far = real_at(world.call_times_address, place).x
            real_at(world.call_times_address, place).x = cell.begins_at + scale * sum_so_far
        number += cell.calls

    cpu.call_rate = cpu.recorded_calls / world.recording_length  # for measure_danger()


def time_of_recorded_call(world: World, cpu: Cpu, number: int) -> float:
    """R100, R102 and R104: when a call is made, by its number since boot, in a run and its copies;
    infinite where there are no more.
    """
    if number < cpu.recorded_calls:
        return real_at(world.call_times_address, cpu.first_call + number).x
    if not world.repeats_recording or cpu.recorded_calls == 0:
        return INF

    turn = number // cpu.recorded_calls
    place = cpu.first_call + number % cpu.recorded_calls
    return turn * world.recording_length + real_at(world.call_times_address, place).x
