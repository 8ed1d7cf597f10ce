# SPDX-License-Identifier: GPL-2.0-only
"""Pointers in a block against pencil and paper."""

from __future__ import annotations

import math

import pytest

from krcsim.model.scenario import changed, from_dict
from krcsim.results.quantities import answers
from krcsim.runs.replications import replicate

# A call a ms right after a tick, at HZ=250: a monitor that is set in tick k for 5 jiffies runs on
# tick k + 6, so that each takes the 24 objects of 24 ms.
WORLD = from_dict(
    dict(
        warmup_ms=0.0,
        horizon_ms=24_000.0,
        machine=dict(cpus=1, hz=250, instruction_ns=0.33),
        remedy=dict(base="E1", drain_jiffies=5),
        allocator=dict(episodes="none"),
        grace_period=dict(kind="fixed", mean_ms=5.0),
        workload=dict(arrivals="periodic", rate_hz=1000.0, phase="tick"),
    )
)


@pytest.mark.parametrize("every_call", [False, True])
@pytest.mark.parametrize("entries", [507, 24, 23, 5])
def test_a_block_has_what_a_drain_takes_over_the_blocks_that_it_needs(
    entries: int, every_call: bool
) -> None:
    """The last batches are not freed when the run ends: 2 of 1000, and their objects count."""
    scenario = changed(WORLD, **{"remedy.block_entries": entries})
    runs = replicate(scenario, 1, 0, 2, every_call=every_call)
    found = answers(runs, scenario, 1, ["block_fill"])["block_fill"]
    assert found.value == pytest.approx(24 / -(-24 // entries), rel=0.004)


def test_pointers_in_a_block_have_an_interval() -> None:
    """At random times the first call comes t after the drain before, on a tick, and the next drain
    24 ms less t modulo a tick later; so many calls, and one, are in a block.
    """
    scenario = changed(WORLD, **{"workload.arrivals": "poisson", "workload.phase": "random"})
    found = answers(replicate(scenario, 2, 0, 16), scenario, 1, ["block_fill"])["block_fill"]
    expected = 1 + 24 - (1 - 4 / math.expm1(4))
    assert found.value == pytest.approx(expected, rel=0.01)
    assert found.kind == "interval"
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo < found.value < found.hi
