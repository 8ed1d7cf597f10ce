# SPDX-License-Identifier: GPL-2.0-only
"""A rate that changes in time, in the twin: written from docs/model.md (R107 to R109) and sharing
no code with the engine.
"""

from __future__ import annotations

import math
from itertools import pairwise

from krcsim.model.scenario import Scenario


class Course:
    """R107: how fast calls come at each time, as a multiple of their mean rate; times in ticks."""

    def __init__(self, scenario: Scenario) -> None:
        workload = scenario.workload
        self.starts: list[float] = [0.0]
        self.factors: list[float] = [1.0]
        self.period = math.inf
        if workload.rate_changes and workload.rate_period_ms is not None:
            tick_ms = 1000.0 / scenario.machine.hz
            ends = [start for start, _ in workload.rate_changes[1:]] + [workload.rate_period_ms]
            pairs = zip(workload.rate_changes, ends, strict=True)
            calls = sum(rate * (end - start) for (start, rate), end in pairs)
            self.period = workload.rate_period_ms / tick_ms
            self.starts = [start / tick_ms for start, _ in workload.rate_changes]
            mean = calls / workload.rate_period_ms
            self.factors = [rate / mean for _, rate in workload.rate_changes]
        self.edges = [*self.starts, self.period]

    @property
    def changes(self) -> bool:
        """Whether the rate changes at all."""
        return len(set(self.factors)) > 1

    def factor(self, at: float) -> float:
        """R107: the factor at a time."""
        if not self.changes:
            return 1.0
        within = at % self.period
        return [f for start, f in zip(self.starts, self.factors, strict=True) if start <= within][
            -1
        ]

    def later(self, at: float, load: float) -> float:
        """R108: when so much load time has gone by since `at`: piece after piece."""
        if not self.changes:
            return at + load
        turn = math.floor(at / self.period)
        while True:
            for (start, end), factor in zip(pairwise(self.edges), self.factors, strict=True):
                begin, end = turn * self.period + start, turn * self.period + end
                if end <= at:
                    continue
                begin = max(begin, at)
                if load <= (end - begin) * factor and factor > 0.0:
                    return begin + load / factor
                load -= (end - begin) * factor
            turn += 1
