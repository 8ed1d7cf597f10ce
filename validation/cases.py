# SPDX-License-Identifier: GPL-2.0-only
"""Small scenarios of known P(wait), common to rare: a rare-event estimator is held against them.

`python -m validation.cases` prints them with their exact answers.
"""

from __future__ import annotations

import math
from typing import Any

from krcsim.methods.exact import exact_p_wait
from krcsim.model.scenario import Scenario, changed, from_dict

ALWAYS = [[0.0, math.inf]]


def world(rate_hz: float, entries: int = 4, **overrides: Any) -> Scenario:
    """One CPU at HZ=250 whose works take no time; `overrides` with __ for the dot of a field."""
    plain = from_dict(
        dict(
            warmup_ms=100.0,
            horizon_ms=600.0,
            machine=dict(cpus=1, hz=250),
            remedy=dict(base="A0", block_entries=entries),
            allocator=dict(episodes="none", stall_ms=0.0),
            workload=dict(rate_hz=rate_hz, free_instructions=0, list_free_instructions=0),
        )
    )
    return changed(plain, **{name.replace("__", "."): value for name, value in overrides.items()})


def pool(objects: int, rate_hz: float, head: float, page: float = 1.0, **more: Any) -> Scenario:
    """A pool, full at boot, of a CPU where that share of rcu_heads and of pages fails."""
    own: dict[str, Any] = dict(
        remedy__array_path=page < 1.0,
        remedy__nr_emergency_objs=objects,
        remedy__emergency_at_boot=objects,
        allocator__calm__head=head,
        allocator__calm__page=page,
    )
    return world(rate_hz, **own | more)


def pages(count: int, rate_hz: float, page: float = 1.0, entries: int = 4, **more: Any) -> Scenario:
    """v5.9, no rcu_heads: cached pages alone, of a CPU where that share of pages fails."""
    own: dict[str, Any] = dict(
        remedy__head_alloc="none",
        remedy__cache_shared=True,
        remedy__nr_bkv_objs=count,
        remedy__cache_at_boot=count,
        remedy__expedited_drain=False,
        remedy__rearm="left",
        allocator__calm__page=page,
    )
    return world(rate_hz, entries, **own | more)


def episodes(
    episode_ms: float, calm_ms: float, page: float, head: float, **more: Any
) -> dict[str, Any]:
    """Pressure that comes and goes at random, as fields of a scenario."""
    return dict(
        allocator__episodes="exponential",
        allocator__episode_ms=episode_ms,
        allocator__calm_ms=calm_ms,
        allocator__episode__page=page,
        allocator__episode__head=head,
        allocator__calm__page=0.0,
        allocator__calm__head=0.0,
        **more,
    )


def drained_when_full() -> dict[str, Scenario]:
    """Small kernels of v5.11 to v6.1: who asks for pages, when the monitor comes again, and a block
    that is full.
    """
    later: dict[str, Any] = dict(
        remedy__double_page=False, remedy__rearm="rest", remedy__attach_to_pending=False
    )
    full = later | dict(remedy__drain_full=True, remedy__drain_jiffies=30)
    doubles: dict[str, Any] = dict(workload__single_share=0.5)
    cache: dict[str, Any] = dict(remedy__page_class="cache")
    return {
        "pages, doubles ask for none": pages(3, 500, 0.2, **later | doubles),
        "pages, singles ask for none": pages(4, 250, 0.0, **later | cache),
        "pages, doubles alone ask": pages(3, 250, 0.5, **cache | doubles),
        "pages, full blocks drain": pages(3, 500, entries=8, **full),
        "pages, full lists drain": pages(2, 250, **full | cache | doubles),
        "pages, full blocks of two channels drain": pages(
            2, 250, 0.1, 3, **full | dict(workload__vmalloc_share=0.3, remedy__drain_jiffies=8)
        ),
    }


def cases() -> dict[str, Scenario]:
    """The scenarios by name: pools, pages, both, closed loops, episodes.

    Each kind goes from common waits to rare ones.
    """
    both: dict[str, Any] = dict(
        remedy__head_alloc="atomic", remedy__nr_emergency_objs=2, remedy__emergency_at_boot=2
    )
    closed: dict[str, Any] = dict(workload__loop="closed")
    return {
        "pool of 1": pool(1, 250, 0.1),
        "pool of 2": pool(2, 250, 0.1, horizon_ms=2000.0),
        "pool of 4": pool(4, 250, 0.1),
        "pool of 3, heads seldom fail": pool(3, 250, 0.02, horizon_ms=2000.0),
        "pool of 6": pool(6, 250, 0.05),
        "pool of 8": pool(8, 250, 0.1),
        "pool of 7, wrappers often fail, few calls": pool(7, 100, 0.3, horizon_ms=2000.0),
        "pool of 3, half of the pages": pool(3, 250, 0.05, 0.5),
        "pool of 4, most pages": pool(4, 250, 0.02, 0.3),
        "pool of 3, empty at boot": pool(3, 250, 0.05, remedy__emergency_at_boot=0),
        "pool of 3, three steps": pool(
            3, 250, 0.3, remedy__head_alloc="three_step", allocator__calm__head_reclaim=0.03
        ),
        "pool of 2, doubles too, busy batches": pool(
            2, 500, 0.05, workload__single_share=0.5, remedy__attach_to_pending=False
        ),
        "pages, 4 of 4 entries": pages(4, 250),
        "pages, 6 of 4 entries": pages(6, 250, horizon_ms=2000.0),
        "pages, 8 of 4 entries": pages(8, 250),
        "pages, 3 of 8 entries": pages(3, 250, entries=8),
        "pages, 4 of 8 entries": pages(4, 250, entries=8, horizon_ms=2000.0),
        "pages, 4 of 8 entries, fewer calls": pages(4, 150, entries=8),
        "pages, 2 of 4 entries, few fail": pages(2, 250, 0.01),
        "pages of two channels": pages(7, 250, workload__vmalloc_share=0.3),
        "pool and pages": pages(2, 250, 0.3, **both | dict(allocator__calm__head=0.1)),
        "pool and pages, none had": pages(
            3, 250, entries=8, **both | dict(allocator__calm__head=0.05)
        ),
        "pool, closed loop": pool(2, 250, 0.1, 0.5, **closed),
        "pool, closed loop, no page": pool(4, 250, 0.05, **closed),
        "pool, two callers": pool(3, 250, 0.05, **closed | dict(workload__producers=2)),
        "pages, closed loop": pages(5, 250, **closed),
        "pool in episodes": pool(
            3, 250, 0.0, **episodes(50.0, 500.0, 0.9, 0.05), horizon_ms=2000.0
        ),
        "pool in short episodes": pool(4, 250, 0.0, **episodes(20.0, 1000.0, 0.5, 0.1)),
        "pages in episodes": pages(
            3, 250, entries=8, **episodes(50.0, 500.0, 1.0, 1.0), horizon_ms=3000.0
        ),
        "pages in short episodes": pages(4, 250, entries=8, **episodes(20.0, 1000.0, 1.0, 1.0)),
        **drained_when_full(),
        "pool and pages in an episode": pages(
            2,
            250,
            **both
            | episodes(1.0, 1.0, 0.9, 0.1)
            | dict(allocator__episodes="schedule", allocator__schedules=[[200.0, 350.0]]),
        ),
    }


def main() -> None:
    """Print each scenario's exact answer in the steady window."""
    print(f"{'P(wait)':>10} {'waits':>10} {'calls':>7} {'states':>7} {'ticks':>6}  scenario")
    for name, scenario in cases().items():
        e = exact_p_wait(scenario, "steady")
        row = f"{e.value:10.4g} {e.waits:10.4g} {e.calls:7.5g} {e.states:7} {e.ticks:6}"
        print(f"{row}  {name}", flush=True)


if __name__ == "__main__":
    main()
