# SPDX-License-Identifier: GPL-2.0-only
"""Importance sampling against the exact chain, and against long plain runs of the full model.

There are 30 estimates for each scenario of known answer.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from krcsim.methods.exact import exact_p_wait
from krcsim.methods.finding import Finding
from krcsim.model.remedy import named
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario
from krcsim.results.quantities import p_wait
from krcsim.runs.ladder import extend
from krcsim.studies.ask import ask
from validation.cases import cases

pytestmark = pytest.mark.slow

ESTIMATES = 30
WORLDS = (
    "pool of 1",
    "pool of 2",
    "pool of 4",
    "pool of 3, heads seldom fail",
    "pool of 6",
    "pool of 3, half of the pages",
    "pool of 4, most pages",
    "pool of 3, empty at boot",
    "pool of 3, three steps",
    "pool of 2, doubles too, busy batches",
    "pages, 4 of 4 entries",
    "pages, 6 of 4 entries",
    "pages, 3 of 8 entries",
    "pages, 2 of 4 entries, few fail",
    "pool and pages",
    "pool and pages, none had",
    "pool, closed loop",
    "pool, closed loop, no page",
    "pool, two callers",
    "pages, closed loop",
    "pool in episodes",
    "pages in episodes",
    "pool and pages in an episode",
)


RUNS = {"pool of 6": 2048, "pool and pages, none had": 2048}  # what is rarer takes longer


def estimates(s: Scenario, max_runs: int) -> list[Finding]:
    """To the last replication, each with a seed of its own: whoever stops at a narrow interval
    stops a little low.
    """
    one = partial(ask, s, method="rare", precision=1e-6, max_runs=max_runs, workers=1)
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda seed: one(seed=seed), range(ESTIMATES)))


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[float, list[Finding]]]:
    worlds = cases()
    return {
        name: (
            exact_p_wait(worlds[name], "steady").value or 0.0,
            estimates(worlds[name], RUNS.get(name, 512)),
        )
        for name in WORLDS
    }


def test_each_world_is_met_on_average(found: dict[str, tuple[float, list[Finding]]]) -> None:
    for name, (exact, findings) in found.items():
        values = np.array([f.estimate.value or 0.0 for f in findings])
        z = (values.mean() - exact) / (values.std(ddof=1) / math.sqrt(len(values)))
        print(f"{exact:10.3e}  mean / exact {values.mean() / exact:.3f}  z {z:+.1f}  {name}")
        assert abs(z) < 4.0, name


@pytest.mark.parametrize("kind", ["interval", "rough"])
def test_intervals_cover(found: dict[str, tuple[float, list[Finding]]], kind: str) -> None:
    """Of 95 % intervals at least 92 % hold the exact answer, and of orders of magnitude, too."""
    those = [
        (exact, f.estimate)
        for exact, findings in found.values()
        for f in findings
        if f.estimate.kind == kind
    ]
    inside = [(e.lo or 0.0) <= exact <= (1.0 if e.hi is None else e.hi) for exact, e in those]
    print(f"{sum(inside)} of {len(inside)} that are {kind} hold the exact answer")
    assert not inside or np.mean(inside) >= 0.92


def test_most_answers_are_intervals(found: dict[str, tuple[float, list[Finding]]]) -> None:
    """The others have weights with so long a tail that no sample shows their variance."""
    kinds = [f.estimate.kind for _, findings in found.values() for f in findings]
    print(f"{kinds.count('interval')} of {len(kinds)} are intervals")
    assert kinds.count("interval") > 0.85 * len(kinds)


def full(**overrides: Any) -> Scenario:
    """The full model with blocks of 510 entries."""
    return changed(load_scenario("thread-as-posted"), **overrides)


POOL = {"remedy.nr_emergency_objs": 2, "remedy.emergency_at_boot": 2}
V59 = {"remedy": "E1", "allocator.calm.page": 0.0}
THREE_PAGES = V59 | {"remedy": replace(named("E1"), nr_bkv_objs=3, cache_at_boot=3)}


@pytest.mark.parametrize(
    ("world", "precision"),
    [
        ({"machine.cpus": 4} | POOL, 0.1),
        ({"machine.cpus": 4, "allocator.episode.head_reclaim": 0.02} | POOL, 0.15),
        (
            {
                "machine.cpus": 1,
                "workload.rate_hz": 20_000.0,
                "remedy.expedited_drain": False,
                "allocator.episode.head_reclaim": 0.02,
            }
            | POOL,
            0.15,
        ),
        ({"machine.cpus": 1, "workload.rate_hz": 19_000.0} | V59, 0.15),
        (THREE_PAGES | {"machine.cpus": 4, "workload.rate_hz": 19_000.0}, 0.15),
    ],
    ids=["pool", "pool-rarer", "pool-many-calls", "pages", "pages-4-cpus"],
)
def test_biased_copies_agree_with_long_plain_runs(world: dict[str, Any], precision: float) -> None:
    s = full(**world)
    forks = ask(s, method="rare", precision=0.08, max_runs=2048).estimate
    plain = ask(s, method="skipping", precision=precision, max_runs=65536, seed=1).estimate
    assert (plain.kind, forks.kind) == ("interval", "interval")
    errors = [math.log((e.hi or 1.0) / (e.lo or 1.0)) / 4.0 for e in (plain, forks)]
    apart = math.log((forks.value or 1.0) / (plain.value or 1.0))
    print(
        f"plain {plain.value:.3e} forks {forks.value:.3e}, {apart / math.hypot(*errors):+.1f} "
        "errors apart"
    )
    assert abs(apart) < 3.5 * math.hypot(*errors)


def test_split_runs_see_the_waits_that_long_grace_periods_bring() -> None:
    """One of ten ticks, followed by one of five: drawn at once they would jump over all levels of
    danger.
    """
    s = full(**THREE_PAGES | {"machine.cpus": 4, "workload.rate_hz": 17_200.0})
    plain = p_wait(extend(s, 1, None, 1 << 15), s, 1)
    seeds = [
        ask(s, method="rare", precision=1e-6, max_runs=64, seed=seed).estimate.value or 0.0
        for seed in range(4)
    ]
    mean, error = np.mean(seeds), np.std(seeds, ddof=1) / math.sqrt(len(seeds))
    assert plain.value is not None
    apart = math.log(mean / plain.value)
    errors = math.log((plain.hi or 1.0) / (plain.lo or 1.0)) / 4.0, error / mean
    print(f"plain {plain.value:.3e} split {mean:.3e}, errors {errors[0]:.0%} and {errors[1]:.0%}")
    assert abs(apart) < 3.5 * math.hypot(*errors)
