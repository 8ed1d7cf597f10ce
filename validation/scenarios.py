# SPDX-License-Identifier: GPL-2.0-only
"""Random scenarios over the whole space of switches, busy enough that waits are not rare."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from krcsim.model.calls import counted_calls, timed_calls
from krcsim.model.scenario import Scenario, changed, from_dict


def random_scenario(number: int, seed: int = 20200404) -> Scenario:
    """Scenario `number` of a family: every switch, channel, source and episode kind can appear."""
    r = np.random.default_rng([seed, number])

    def pick(*options: Any) -> Any:
        return options[int(r.integers(len(options)))]

    def flag() -> bool:
        return bool(r.integers(2))

    hz = pick(100, 250, 250, 300, 1000)
    arrivals = pick("poisson", "poisson", "periodic", "bursts", "onoff")
    closed = flag()
    array_path = r.random() > 0.15
    cap = int(r.integers(0, 4))
    pool = pick(0, 0, 1, 3, 8)
    head = float(r.uniform(0.3, 1.0))
    atomic = head * float(r.uniform(0.7, 1.0))
    high = min(head, atomic * float(r.uniform(0.9, 1.1)))
    last = min(atomic, high) * float(r.uniform(0.6, 1.0))
    cpus = pick(1, 1, 2, 4)
    scan_ms = 1000.0 / hz * (1 + (hz > 250) + (hz > 500))
    gp: dict[str, Any] = pick(
        dict(kind="ticks"),
        dict(kind="ticks", busy=True),
        dict(kind="ticks", mean_ms=scan_ms * float(r.uniform(1, 8))),
        dict(kind="fixed", mean_ms=float(r.uniform(3, 40))),
        dict(kind="empirical", lengths_ms=[float(x) for x in r.uniform(3, 30, 7)]),
    )
    gp["expedited"] = bool(r.random() < 0.1)
    episodes: dict[str, Any] = pick(
        dict(
            episodes="exponential",
            episode_ms=float(r.uniform(20, 200)),
            calm_ms=float(r.uniform(50, 300)),
            start=pick("calm", "stationary"),
        ),
        dict(episodes="schedule", schedules=[[[100.0, 250.0], [400.0, 900.0]], [[0.0, 1e9]]]),
    )
    return from_dict(
        dict(
            warmup_ms=300.0,
            horizon_ms=1500.0,
            machine=dict(
                cpus=cpus,
                hz=hz,
                instruction_ns=pick(0.33, 8.0),
                nocb_share=0.0 if cpus == 1 else pick(0.0, 0.5, 1.0),
                work_delay_ms=pick(0.0, 1.5),
            ),
            remedy=dict(
                base="A1",
                head_alloc=pick("none", "atomic", "tryhard", "three_step"),
                array_path=array_path,
                nr_emergency_objs=pool,
                page_class=pick("nowait", "noretry") if array_path else "nowait",
                emergency_at_boot=int(r.integers(0, pool + 1)),
                cache_shared=flag(),
                nr_bkv_objs=cap,
                cache_at_boot=int(r.integers(0, cap + 1)) if array_path else 0,
                page_return=pick("batch", "worker"),
                expedited_drain=flag(),
                rearm=pick("unqueued", "left"),
                attach_to_pending=flag(),
                drain_jiffies=pick(0, 0, 0, 3, 80),
                block_entries=pick(510, 16, 5),
            ),
            allocator=dict(
                stall_ms=pick(0.0, 0.4, 5.0),
                stall_sigma=pick(0.0, 1.0),
                calm=dict(page=pick(0.0, 0.2), head=pick(0.0, 0.1)),
                episode=dict(
                    page=float(r.uniform(0.5, 1)),
                    page_noretry=float(r.uniform(0.3, 0.5)),
                    head=head,
                    head_atomic=atomic,
                    head_high=high,
                    head_reclaim=last,
                ),
                **episodes,
            ),
            grace_period=gp,
            workload=dict(
                arrivals=arrivals,
                rate_hz=float(np.exp(r.uniform(np.log(50), np.log(4000)))),
                burst=pick(1, 7, 60) if arrivals == "bursts" else 1,
                gap=pick("fixed", "exponential") if arrivals in ("bursts", "periodic") else "fixed",
                on_ms=float(r.uniform(3, 30)),
                off_ms=float(r.uniform(3, 30)),
                loop="closed" if closed else "open",
                producers=pick(1, 1, 3) if closed else 1,
                single_share=pick(1.0, 1.0, 0.5),
                vmalloc_share=pick(0.0, 0.0, 0.3, 1.0),
            ),
        )
    )


def detailed_scenario(number: int, seed: int = 20200404) -> Scenario:
    """The same scenario with more: readers, a refill worker, memory as pages, delays.

    Each is in a good share of the scenarios.
    """
    plain = random_scenario(number, seed)
    r = np.random.default_rng([seed, number, 1])
    more: dict[str, Any] = {}
    for share, drawn in ((0.5, readers(plain, r)), (0.8, refill(plain, r)), (0.5, pages(r))):
        more |= drawn if r.random() < share else {}
    return changed(plain, **more, **delays(plain, np.random.default_rng([seed, number, 2])))


def newer_scenario(number: int, seed: int = 20200404) -> Scenario:
    """The same scenario with rules of kernels since v5.11, each in a good share of the scenarios.

    Each rule has random numbers of its own, so that a further one moves no other.
    """
    found = detailed_scenario(number, seed)
    for place, rule in enumerate(NEWER, 3):
        r = np.random.default_rng([seed, number, place])
        found = changed(found, **rule(found, r))
    return found


def drains(s: Scenario, r: np.random.Generator) -> dict[str, Any]:
    """Who asks for pages, when the monitor comes again, and full blocks that bring it forward; the
    list may be what fills first.
    """

    def pick(*options: Any) -> Any:
        return options[int(r.integers(len(options)))]

    more: dict[str, Any] = {"remedy.double_page": bool(r.integers(2))}
    if s.remedy.array_path:
        more["remedy.page_class"] = pick(s.remedy.page_class, "cache", "noretry")
    if r.random() < 0.6:
        more |= {
            "remedy.drain_full": True,
            "remedy.drain_jiffies": pick(0, 20, 62, 80, 200),
            "remedy.block_entries": pick(510, 40, 16, 5, 1),
            "workload.single_share": pick(s.workload.single_share, 0.5, 0.5),
        }
    return more | {"remedy.rearm": pick("rest", "rest", s.remedy.rearm)}


def ready(_: Scenario, r: np.random.Generator) -> dict[str, Any]:
    """Blocks with cookies, drain delays in which a grace period may end, and grace periods of
    others.
    """
    more: dict[str, Any] = {"remedy.ready_blocks": bool(r.random() < 0.7)}
    if r.random() < 0.7:
        more["grace_period.background_hz"] = float(np.exp(r.uniform(np.log(3.0), np.log(300.0))))
    if r.random() < 0.4:
        more["remedy.drain_jiffies"] = int(r.integers(10, 60))
    if r.random() < 0.4:
        more["remedy.attach_to_pending"] = False
    return more


def wakes(s: Scenario, r: np.random.Generator) -> dict[str, Any]:
    """Who wakes those that wait, and grace periods that need no tick on one CPU."""
    return {
        "remedy.wake": "gp" if r.random() < 0.6 else "callback",
        "remedy.wake_work_ms": float(r.choice([0.0, 0.05, 3.0])),
        "remedy.own_cpu": bool(r.random() < 0.4 and s.grace_period.is_fitted()),
    }


def refills(s: Scenario, r: np.random.Generator) -> dict[str, Any]:
    """The refill workers of the kernels, at once or later, and their back-off."""

    def pick(*options: Any) -> Any:
        return options[int(r.integers(len(options)))]

    if not s.remedy.array_path or r.random() < 0.2:
        return {}
    return {
        "remedy.refill": pick("any_miss", "e2", "e3", "e5", "e7", "e7"),
        "remedy.refill_ms": pick(0.0, 0.05, float(r.uniform(0.1, 20.0))),
        "remedy.refill_backoff_ms": pick(0.0, float(r.uniform(5.0, 100.0)), 300.0),
        "remedy.nr_bkv_objs": s.remedy.nr_bkv_objs or int(r.integers(0, 3)),
        "memory.shrinker": bool(r.random() < 0.7),
    }


def shares(s: Scenario, r: np.random.Generator) -> dict[str, Any]:
    """CPUs that make more calls than others, or none."""
    if s.machine.cpus == 1 or s.workload.arrivals not in ("poisson", "onoff") or r.random() < 0.5:
        return {}
    many = int(r.integers(1, s.machine.cpus + 1))
    return {"workload.cpu_shares": [*np.round(r.uniform(0.1, 3.0, many), 2).tolist()]}


NEWER = (drains, refills, ready, wakes, shares)


def delays(s: Scenario, r: np.random.Generator) -> dict[str, Any]:
    """Works so late that drains join pending batches, and stalls that outlast several episodes;
    each now and then.
    """
    late, long = r.random(2) < 0.3
    works: dict[str, Any] = {
        "machine.work_delay_ms": float(r.uniform(20.0, 80.0)),
        "remedy.attach_to_pending": True,
    }
    stalls = {
        f"allocator.{name}": float(r.uniform(*bounds))
        for name, bounds in (
            ("stall_ms", (10.0, 60.0)),
            ("episode_ms", (2.0, 10.0)),
            ("calm_ms", (4.0, 20.0)),
        )
    }
    return (works if late else {}) | (
        stalls if long and s.allocator.episodes == "exponential" else {}
    )


def readers(s: Scenario, r: np.random.Generator) -> dict[str, Any]:
    """Readers that hold up grace periods, where these are on ticks."""
    lengths = dict(
        reader_ms=float(r.uniform(2.0, 30.0)), reader_gap_ms=float(np.exp(r.uniform(-1.0, 3.0)))
    )
    return (
        {f"grace_period.{k}": v for k, v in lengths.items()}
        if s.grace_period.kind == "ticks"
        else {}
    )


def refill(s: Scenario, r: np.random.Generator) -> dict[str, Any]:
    """A worker that tops the cache up."""
    if not s.remedy.array_path:
        return {}
    return {
        "remedy.refill": True,
        "remedy.nr_bkv_objs": s.remedy.nr_bkv_objs or int(r.integers(1, 3)),
    }


def pages(r: np.random.Generator) -> dict[str, Any]:
    """Little memory, so that a hog or a load comes to the marks within an episode."""

    def pick(*options: Any) -> Any:
        return options[int(r.integers(len(options)))]

    hog = pick("none", "nowait", "atomic", "reserves")
    free, file = float(r.uniform(4.0, 12.0)), pick(0.0, 0.0, float(r.uniform(0.1, 8.0)))
    memory = dict(
        pressure="pages",
        mib=pick(32.0, 64.0, 400.0),
        free_mib=free,
        file_mib=file,
        hog=hog,
        hog_ms=pick(0.1, 1.0, 20.0),
        hog_pages_s=float(np.exp(r.uniform(np.log(5e4), np.log(1e6)))),
        load_pages_s=pick(1e4, 3e5) if hog == "none" else pick(0.0, 0.0, 1e4, 3e5),
        kswapd_pages_s=pick(0.0, 2e4, 2.5e5),
        slab_pages=pick(0, 0, 1, 2),
        deferred_counts=bool(r.integers(2)),
        lead_ms=0.0,
        round_instructions=pick(0.0, 112_000.0, 112_000.0),
    )
    return {f"memory.{k}": v for k, v in memory.items()} | {
        "workload.object_bytes": pick(64, 64, 1024, 8192)
    }


def feedback_scenario(number: int, seed: int = 20200404) -> Scenario:
    """A scenario of memory as pages in which callers allocate what they free later, short of
    memory, so that it runs out now and then.
    """
    plain = newer_scenario(number, seed)
    r = np.random.default_rng([seed, number, 80])

    def pick(*options: Any) -> Any:
        return options[int(r.integers(len(options)))]

    memory = pages(r)
    memory["workload.object_bytes"] = size = pick(64, 512, 1024, 3000, 8192)
    in_page = max(1, 4096 // size)
    more = {
        "horizon_ms": 800.0,
        "memory.release": pick(1.0, 1.0, 0.5, 0.0),
        "memory.reclaim_pages_s": pick(0.0, 0.0, 2e3, 2e4),
        "memory.oom_frees_mib": pick(0.0, 0.0, 1.0, 4.0),
        "memory.oom_ms": float(r.uniform(1.0, 50.0)),
    }
    if r.random() < 0.75:
        more |= {
            "workload.live_objects": int(r.integers(1, 100 * in_page)),
            "workload.growth_pages_s": pick(0.0, 10.0, 1e3),
        }
    shrinks = {
        "memory.shrinker": bool(r.integers(2)),
        "memory.priority": pick(0, 0, 1, 4, 12),
        "remedy.refill_backoff_ms": pick(0.0, 30.0),
        "remedy.shrinks_cache": bool(r.integers(2)),
    }
    return changed(plain, **(memory | more | shrinks))


def replay_scenario(number: int, seed: int = 20200404) -> Scenario:
    """The newer scenario, or that with sheaves, with calls of a recording."""
    plain = (sheaf_scenario if number % 4 == 3 else newer_scenario)(number, seed)
    return changed(plain, **recordings(plain, np.random.default_rng([seed, number, 100])))


def recordings(s: Scenario, r: np.random.Generator) -> dict[str, Any]:
    """Counts in cells, or exact times, which all CPUs share out unevenly, in phases with many calls
    and with few; some recordings are shorter than the run.
    """
    repeats = bool(r.random() < 0.4)
    length_ms = s.horizon_ms * float(r.uniform(0.1, 0.7)) if repeats else s.horizon_ms
    cell_ms = float(r.choice([10.0, 10.0, 7.3, 40.0]))
    means = s.workload.rate_hz * cell_ms / 1000.0
    counts = []
    for _ in range(s.machine.cpus):
        phases = np.repeat(r.gamma(0.7, 1.4, 200), 5)[: int(np.ceil(length_ms / cell_ms))]
        counts.append(r.poisson(phases * means * float(r.choice([0.2, 1.0, 1.8]))))
    counts[0][0] += 1
    calls = counted_calls([one.tolist() for one in counts], cell_ms, length_ms, repeat=repeats)
    if r.random() < 0.4:
        of_cpus = [np.sort(r.uniform(0.0, length_ms, int(one.sum()))) for one in counts]
        calls = timed_calls(
            [np.round(one, 1).tolist() for one in of_cpus], length_ms, repeat=repeats
        )
    own = r.spawn(1)[0]  # what comes after it stays as it was
    if own.random() < 0.3:  # blocks of it in another order
        width = max(1, int(length_ms / cell_ms / 8)) * cell_ms
        many = int(length_ms / width + 1e-9)
        begins = own.integers(0, many, many) * width
        calls = replace(calls, block_ms=width, blocks_ms=tuple(begins.tolist()))
    return {
        "workload.arrivals": "replay",
        "workload.calls": calls,
        "workload.loop": "open",
        "workload.producers": 1,
        "workload.cpu_shares": None,
        "workload.burst": 1,
        "workload.gap": "fixed",
    }


def rate_scenario(number: int, seed: int = 20200404) -> Scenario:
    """The newer scenario, or that with sheaves, with a rate that changes in time."""
    plain = (sheaf_scenario if number % 4 == 3 else newer_scenario)(number, seed)
    return changed(plain, **rate_changes(plain, np.random.default_rng([seed, number, 107])))


def rate_changes(s: Scenario, r: np.random.Generator) -> dict[str, Any]:
    """Few pieces or many, some of them silent, over a period shorter or longer than the run."""
    period_ms = s.horizon_ms * float(r.choice([0.03, 0.2, 1.0, 1.3]))
    many = int(r.choice([2, 3, 8, 30]))
    starts = [0.0, *np.sort(r.uniform(0.01, 0.99, many - 1)) * period_ms]
    rates = r.gamma(0.8, 1.25, many) * (r.random(many) > 0.15)
    rates[int(r.integers(many))] += 0.5
    return {
        "workload.rate_changes": [
            [float(at), float(f)] for at, f in zip(starts, rates, strict=True)
        ],
        "workload.rate_period_ms": period_ms,
        "workload.reuse_hz": None if r.random() < 0.7 else s.workload.reuse_hz,
    }


def sized_scenario(number: int, seed: int = 20200404) -> Scenario:
    """The newer scenario, or that with sheaves or with feedback, with objects of several sizes."""
    family = (newer_scenario, sheaf_scenario, sheaf_scenario, feedback_scenario)[number % 4]
    plain = family(number, seed)
    more = several_sizes(np.random.default_rng([seed, number, 111]))
    if plain.workload.live_objects > 0:  # as many pages as with one size, about
        pairs = more["workload.object_sizes"]
        mean = sum(size * share for size, share in pairs) / sum(share for _, share in pairs)
        live = min(plain.workload.live_objects, int(100 * 4096 / mean))
        more["workload.live_objects"] = max(1, live)
    return changed(plain, **more)


def several_sizes(r: np.random.Generator) -> dict[str, Any]:
    """Two to five sizes, from those of small caches to those of several pages; some are rare."""
    sizes = r.choice([24, 64, 192, 512, 1024, 3000, 8192, 16384], int(r.integers(2, 6)), False)
    weights = np.exp(r.uniform(-3.0, 0.0, len(sizes)))
    pairs = zip(sizes.tolist(), np.round(weights, 3).tolist(), strict=True)
    return {"workload.object_sizes": [[*pair] for pair in pairs]}


def sheaf_scenario(number: int, seed: int = 20200404) -> Scenario:
    """The newer scenario with sheaves in front, which refuse enough that waits are not rare."""
    plain = newer_scenario(number, seed)
    return changed(plain, **sheaves(plain, np.random.default_rng([seed, number, 66])))


def sheaves(s: Scenario, r: np.random.Generator) -> dict[str, Any]:
    """Sheaves of all sizes, small and large barns, reuse below and above the rate of calls."""

    def pick(*options: Any) -> Any:
        return options[int(r.integers(len(options)))]

    share = pick(1.0, 1.0, 0.8, 0.4)
    fails = pick(0.95, 1.0, 0.7) if share == 1.0 else pick(0.0, 0.2, 0.9)
    return {
        "remedy.sheaves": True,
        "remedy.sheaf_entries": pick(0, 0, 5, 32),
        "remedy.barn_full": pick(0, 1, 10),
        "remedy.barn_empty": pick(0, 1, 10),
        "machine.node_cpus": pick(None, 1, max(1, s.machine.cpus // 2)),
        "grace_period.lazy_ms": pick(0.0, 0.0, 0.0, float(r.uniform(1.0, 60.0))),
        "workload.sheaf_share": share,
        "workload.reuse_hz": s.workload.rate_hz * pick(0.0, 0.7, 1.0, 1.1),
        "workload.object_bytes": pick(64, 64, 512, 2048, 4096),
        "allocator.calm.sheaf": pick(0.0, 0.3),
        "allocator.episode.sheaf": fails,
    }
