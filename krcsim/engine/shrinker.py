# SPDX-License-Identifier: GPL-2.0-only
"""The shrinker of kfree_rcu(): what a reclaim pass frees of the cached pages, and the monitors that
it runs (rules R88, R89 and R110 of docs/model.md; its count is R53).
"""

from krcsim.engine.call_source import make_plan, settle_all
from krcsim.engine.channels import count_cached_pages, total
from krcsim.engine.codes import ALL_CPUS, SHRINKER_SCANS, SLAB, VMALLOC, ZERO
from krcsim.engine.event_log import log_event
from krcsim.engine.monitor import kfree_rcu_monitor
from krcsim.engine.page_memory import give_pages
from krcsim.engine.pointers import counters_at, cpu_at
from krcsim.engine.random_streams import INF
from krcsim.engine.records import Cpu, World

SHRINK_BATCH = 128  # objects


def shrink_slab(world: World, now: float) -> None:
    """R88, do_shrink_slab(): a reclaim pass has come to the shrinker; whether it scans depends on
    how much there is to free, and on the priority of the pass.
    """
    world.has_reclaim_pass = 0
    settle_all(world, now)
    freeable = count_freeable(world)
    delta = 2 * (freeable >> world.reclaim_priority)
    to_scan = min(2 * freeable, (world.shrink_deferred >> world.reclaim_priority) + delta)

    if freeable > 0 and (to_scan >= SHRINK_BATCH or to_scan >= freeable):
        world.shrink_deferred = 0
        log_event(world, now, SHRINKER_SCANS, ALL_CPUS, float(freeable))
        for cpu_index in range(world.nr_cpus):
            kfree_rcu_shrink_scan(world, cpu_at(world.cpus_address, cpu_index), cpu_index, now)
    else:
        world.shrink_deferred = min(2 * freeable, world.shrink_deferred + delta)


def count_freeable(world: World) -> int:
    """R88 and R110, kfree_rcu_shrink_count(): the objects that are queued, and since v5.14 the
    cached pages, of all CPUs.
    """
    freeable = ZERO
    for cpu_index in range(world.nr_cpus):
        cpu = cpu_at(world.cpus_address, cpu_index)
        freeable += total(cpu.queued_objects)
        if world.shrinks_cache:
            freeable += count_cached_pages(world, cpu)

    return freeable


def kfree_rcu_shrink_scan(world: World, cpu: Cpu, cpu_index: int, now: float) -> None:
    """R89 and R110: the cached pages of a CPU are free, and its monitor runs now; its timer stays
    armed.
    """
    counters = counters_at(world.counters_address, world.window)
    counters.scans += 1
    expires = cpu.monitor_at
    since_v5_14 = world.shrinks_cache > 0

    if since_v5_14:
        pages = count_cached_pages(world, cpu)
        cpu.cached_pages[SLAB] = 0
        cpu.cached_pages[VMALLOC] = 0
        counters.pages_freed += pages
        counters.pages_shrunk += pages
        give_pages(world, cpu, now, pages)

    if total(cpu.queued_objects) > 0 and (since_v5_14 or expires < INF):
        jiffies = cpu.monitor_expires
        kfree_rcu_monitor(world, cpu, cpu_index, now)
        if since_v5_14 and expires < cpu.monitor_at:
            cpu.monitor_at = expires
            cpu.monitor_expires = jiffies
    make_plan(world, cpu, cpu_index, now)
