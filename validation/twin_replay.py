# SPDX-License-Identifier: GPL-2.0-only
"""Recorded calls, and CPUs that differ, in the twin: written from docs/model.md (R100 to R106) and
sharing no code with the engine; the lines are read here once more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from krcsim.model.calls import RecordedCalls
from krcsim.model.scenario import Scenario


def words(line: str) -> Iterator[float]:
    """R100: the words of a CPU's line, `7*3` as three of them."""
    for word in line.split():
        value, _, times = word.partition("*")
        for _ in range(int(times) if times else 1):
            yield float(value)


def turn_of(scenario: Scenario, cpu: int, draws: np.random.Generator) -> list[float]:
    """R100 and R101: when the calls of a CPU come in a recording, in ms: exactly, or somewhere in
    their cells.
    """
    recording = scenario.workload.calls
    assert recording is not None
    times: list[float] = []
    if recording.cell_ms > 0.0:
        for cell, calls in enumerate(counts_of(recording, cpu)):
            begin = cell * recording.cell_ms
            end = min(begin + recording.cell_ms, recording.length_ms)
            times += [draws.uniform(begin, end) for _ in range(int(calls))]
    else:
        at_us = 0.0
        for gap_us in words(recording.cpus[cpu]):
            at_us += gap_us
            times.append(at_us / 1000.0)
        times = order_of(recording, times)
    return sorted(times)


def counts_of(recording: RecordedCalls, cpu: int) -> list[float]:
    """R100: the calls in the cells of a CPU, in the order in which its blocks are replayed."""
    counts = list(words(recording.cpus[cpu]))
    if not recording.blocks_ms:
        return counts
    counts += [0.0] * (math.ceil(recording.length_ms / recording.cell_ms) - len(counts))
    width = round(recording.block_ms / recording.cell_ms)
    found: list[float] = []
    for begin_ms in recording.blocks_ms:
        first = round(begin_ms / recording.cell_ms)
        found += counts[first : first + width]
    return found + counts[width * len(recording.blocks_ms) :]


def order_of(recording: RecordedCalls, times: list[float]) -> list[float]:
    """R100: the blocks of exact times one behind another, then what is left at the end."""
    if not recording.blocks_ms:
        return times
    found = [at for at in times if at >= len(recording.blocks_ms) * recording.block_ms]
    for place, begin in enumerate(recording.blocks_ms):
        found += [
            at - begin + place * recording.block_ms
            for at in times
            if begin <= at < begin + recording.block_ms
        ]
    return sorted(found)


def call_times(scenario: Scenario, cpu: int, draws: np.random.Generator) -> Iterator[float]:
    """R100 and R102: when a CPU makes its calls, in ms from boot on, in order."""
    recording = scenario.workload.calls
    assert recording is not None
    turn, begins_ms = turn_of(scenario, cpu, draws), 0.0
    while True:
        yield from (begins_ms + at for at in turn)
        if not (recording.repeat and turn):
            return
        begins_ms += recording.length_ms


def rate_of(scenario: Scenario, cpu: int) -> float:
    """R105 and R106: the calls of a CPU, as a multiple of the mean over all CPUs."""
    workload, cpus = scenario.workload, scenario.machine.cpus
    shares = list(workload.cpu_shares) or [1.0] * cpus
    if workload.calls is not None:
        fixed = np.random.default_rng(0)  # how many there are does not hang on it
        shares = [float(len(turn_of(scenario, n, fixed))) for n in range(cpus)]
    return shares[cpu] * cpus / sum(shares) if cpu < len(shares) else 0.0
