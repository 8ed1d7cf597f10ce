# SPDX-License-Identifier: GPL-2.0-only
"""What is counted in a window of a run (rule R45 of docs/model.md): declared records."""

from krcsim.engine.record_form import Record


class Tally(Record):
    """What biased copies found in a window: sums with their weights, and plain numbers."""

    waits: float  # calls that waited, weighted
    waits_episode: float  # those of them that were made in an episode, weighted
    wait_ms: float  # their waits, weighted, ms
    copies: float  # number of copies
    hits: float  # number of copies in which a call waited
    events: float  # number of events that they took


class Counters(Record):
    """What is counted in a window, in the order of the columns of a run's table."""

    single: float  # single-argument calls
    double: float  # double-argument calls
    single_episode: float  # single-argument calls made in an episode
    double_episode: float  # double-argument calls made in an episode
    waits: float  # calls that waited for a grace period
    waits_episode: float  # those of them that were made in an episode
    wait_ms: float  # their waits, ms
    stalls: float  # stalls in direct reclaim
    stall_ms: float  # their lengths, ms
    list_pushes: float  # objects queued on the list
    early_frees: float  # objects freed before their grace period ended
    episodes: float  # episodes that began
    episodes_waited: float  # those of them in which a call waited
    peak: float  # most deferred objects at any time
    area: float  # deferred objects, summed over time, objects * ticks
    pool_hits: float  # rcu_head objects taken from the pool
    cache_hits: float  # pages taken from a cache
    page_ok: float  # page requests that succeeded
    page_fail: float  # page requests that failed
    drains: float  # runs of the monitor that queued something
    drains_due: float  # monitors that are pending when the run ends
    rearms: float  # times the monitor was set again by itself
    pages_returned: float  # pages put back into a cache
    pages_freed: float  # pages given back to the allocator
    pool_returned: float  # wrappers put into the pool
    queued: float  # objects queued
    freed: float  # objects freed
    events: float  # events handled
    episode_ms: float  # time under pressure, ticks here and ms in a table
    batches: float  # batches that began to wait for a grace period, a callback each
    monitors: float  # runs of the monitor
    ready_records: float  # objects that the monitor found ready and freed itself
    gps: float  # grace periods that ended
    waits_latched: float  # waits that were sent to callbacks by the latch
    refill_runs: float  # runs of the refill worker
    refill_tries: float  # pages that it asked for
    refill_pages: float  # pages that it put into a cache
    ooms: float  # times that the OOM killer was invoked
    lost_ms: float  # time that was not simulated, after an OOM; ticks here and ms in a table
    failed_allocations: float  # objects that a double-argument caller did not get
    pages_asked: float  # pages taken for kfree_rcu(), and those that grew while calls waited
    pages_released: float  # pages that kfree_rcu() and freed objects gave back
    pages_reclaimed: float  # pages that stalls found in the page cache
    scans: float  # CPUs that a scan of the shrinker has emptied
    pages_shrunk: float  # cached pages that scans have freed, among the pages_freed

    # Sheaves.
    sheaf_stored: float  # objects that a sheaf took
    refused_kind: float  # objects of a kind that no sheaf takes
    refused_memory: float  # objects that found no sheaf, since no new one was to be had
    sheaf_requests: float  # new sheaves that calls asked for
    sheaves_full: float  # sheaves that were filled: each is a callback
    sheaves_to_barn: float  # full sheaves that went to a barn after their grace period
    sheaves_flushed: float  # full sheaves whose objects went to slab pages instead
    slab_refills: float  # main sheaves that allocations filled from slab pages
    waits_kind: float  # calls that waited with an object of a kind that no sheaf takes
    waits_memory: float  # calls that waited since neither a sheaf nor a page was to be had
    filling_area: float  # objects in filling sheaves, summed over time, objects * ticks
    in_flight_area: float  # objects in full sheaves that wait, summed over time, objects * ticks
    batches_area: float  # objects in batches and works, summed over time, objects * ticks
    in_flight_peak: float  # most objects in full sheaves that wait at any time

    # Several sizes of objects; with one size they stay 0.
    peak_bytes: float  # most deferred bytes at any time
    bytes_area: float  # deferred bytes, summed over time, bytes * ticks
