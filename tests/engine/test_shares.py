# SPDX-License-Identifier: GPL-2.0-only
"""CPUs that make more calls than others, or none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.base.errors import KrcsimError
from krcsim.engine.codes import CODE
from krcsim.methods.construction import impossible
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.runs.replications import event_log, replicate
from tests.engine.test_properties import examples
from validation.scenarios import random_scenario


def world(shares: list[float], cpus: int, **workload: Any) -> Scenario:
    """No page and no rcu_head is ever had: each call waits."""
    fails = dict(page=1.0, head=1.0)
    return from_dict(
        dict(
            warmup_ms=0.0,
            horizon_ms=10_000.0,
            machine=dict(cpus=cpus),
            remedy=dict(base="A0"),
            allocator=dict(calm=fails, episode=fails, episodes="none", stall_ms=0.0),
            workload=dict(rate_hz=100.0, cpu_shares=shares) | workload,
        )
    )


def waits_of_cpus(scenario: Scenario, seed: int = 1) -> list[int]:
    """How many calls waited on each CPU."""
    _, log, _ = event_log(scenario, seed, events=1 << 19)
    cpus = log["cpu"][log["code"] == CODE["wait begins"]]
    return np.bincount(cpus, minlength=scenario.machine.cpus).tolist()


# Random scenarios whose calls come one by one.
ONE_BY_ONE = [n for n in range(60) if random_scenario(n).workload.arrivals in ("poisson", "onoff")]


@pytest.mark.parametrize("arrivals", ["poisson", "onoff"])
def test_each_cpu_makes_its_share_of_the_calls(arrivals: str) -> None:
    found = np.array(waits_of_cpus(world([3.0, 1.0, 0.0, 4.0], 4, arrivals=arrivals)))
    mean = 4000.0 * np.array([3.0, 1.0, 0.0, 4.0]) / 8.0
    # In phases of 10 ms each the variance is 1 + 10 ms * rate times the mean (trace/arrivals.py).
    spread = 1.0 if arrivals == "poisson" else 1.0 + 10.0 * mean.max() / 10_000.0
    assert np.all(np.abs(found - mean) <= 4.5 * np.sqrt(spread * mean))
    assert found[2] == 0


def test_one_caller_on_a_machine_of_64_has_all_calls_to_itself() -> None:
    found = waits_of_cpus(world([1.0], 64, rate_hz=1000.0 / 64))
    assert found[0] == sum(found)
    assert abs(found[0] - 10_000) < 4.5 * math.sqrt(10_000)


@examples(60)
@given(st.sampled_from(ONE_BY_ONE), st.integers(1, 10**6), st.integers(0, 2**32 - 1))
def test_equal_shares_change_nothing_to_the_bit(number: int, share: int, seed: int) -> None:
    plain = changed(random_scenario(number), horizon_ms=400.0)
    equal = changed(plain, **{"workload.cpu_shares": [share] * plain.machine.cpus})
    one, other = (replicate(s, seed, 0, 1) for s in (plain, equal))
    assert np.array_equal(one.counts, other.counts)


def test_a_share_of_nothing_keeps_a_closed_caller_silent_too() -> None:
    found = waits_of_cpus(world([1.0, 0.0], 2, loop="closed", producers=3))
    assert found[1] == 0
    assert found[0] > 100


def test_a_proof_looks_at_the_busiest_cpu() -> None:
    kept = {
        "remedy.array_path": True,
        "remedy.nr_bkv_objs": 3,
        "remedy.cache_at_boot": 3,
        "remedy.expedited_drain": False,
        "remedy.block_entries": 100,
    }
    even = changed(world([1.0, 1.0, 1.0, 1.0], 4), **kept)
    proof = impossible(even)
    alone = impossible(changed(even, **{"workload.cpu_shares": [1.0]}))
    assert proof is not None
    assert alone is None or alone.bound > proof.bound


@pytest.mark.parametrize(
    ("shares", "more", "words"),
    [
        ([1.0, 2.0, 3.0], {}, "workload.cpu_shares is (1.0, 2.0, 3.0); allowed: up to 2 numbers"),
        ([0.0], {}, "workload.cpu_shares is (0.0,)"),
        ([-1.0, 2.0], {}, "workload.cpu_shares is (-1.0, 2.0)"),
        ([math.nan], {}, "workload.cpu_shares is (nan,)"),
        (["one"], {}, "workload.cpu_shares is 'one'"),
        ([1.0], dict(arrivals="periodic"), "workload.cpu_shares is (1.0,); allowed: left out"),
        ([1.0], dict(rate_hz=6e6), "workload.rate_hz is 12000000"),
    ],
)
def test_shares_that_cannot_be_are_refused(
    shares: list[Any], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(KrcsimError) as refusal:
        world(shares, 2, **more)
    assert str(refusal.value).startswith(words)


def test_allocations_go_with_the_calls_of_their_cpu_unless_they_are_given() -> None:
    """A CPU without calls allocates nothing, and so fetches no sheaf from slab pages."""
    sheaves = {"remedy.sheaves": True, "remedy.sheaf_entries": 5}
    one = changed(world([1.0, 0.0], 2), **sheaves)
    assert one.reuse_of_cpus() == (2.0, 0.0)
    both = changed(one, **{"workload.reuse_hz": 100.0})
    refills = [replicate(s, 1, 0, 20).of("slab_refills", 1).mean() for s in (one, both)]
    assert refills[1] > refills[0]
