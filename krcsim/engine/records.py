# SPDX-License-Identifier: GPL-2.0-only
"""What the engine remembers: declared records.

Each class below is a record of compiled code. Its annotations give the NumPy dtype (`World.dtype`),
in their order; compiled functions get a pointer to one (pointers.py). Arrays of records hang on the
World by their addresses, so that a whole run can be copied by copying memory.

Times and durations are in ticks (jiffies), unless a field says otherwise; flags are 0 or 1.
"""

from krcsim.engine.counters import Counters, Tally
from krcsim.engine.record_form import (
    BLOCK_CHANNELS,
    CHANNELS,
    Count,
    EventRecord,
    HeapNode,
    PerBlockChannel,
    PerBlockChannelTime,
    PerChannel,
    PerRequest,
    Real,
    Record,
    RecordedCell,
    Stream,
)
from krcsim.engine.sheaf_records import KmemCache

__all__ = [
    "BLOCK_CHANNELS",
    "CHANNELS",
    "Count",
    "Counters",
    "EventRecord",
    "HeapNode",
    "PerChannel",
    "Real",
    "Record",
    "RecordedCell",
    "Stream",
    "Tally",
]

KFREE_N_BATCHES = 2  # batches of a CPU, as in the kernel: struct kfree_rcu_cpu.krw_arr


class Batch(Record):
    """struct kfree_rcu_cpu_work, KFREE_N_BATCHES a CPU: objects that wait for a grace period."""

    state: int  # BATCH_IDLE, BATCH_WAITS or BATCH_READY
    wrappers: int  # wrappers among the objects of its list
    work_cpu: int  # the CPU on which its work is queued, by number
    needed_gp: int  # the grace period that it waits for, by number
    asked_at: float  # when it asked for that grace period, ticks
    ready_at: float  # when its work will be ready, ticks; infinite if that is not known
    work_queued_at: float  # when its work became ready and was queued on a CPU, ticks
    objects: PerChannel  # objects
    blocks: PerBlockChannel  # their blocks, in pages
    channel_gp: PerChannel  # the grace period that the channel would need, by number


class Cpu(Record):
    """struct kfree_rcu_cpu, the work in progress on this CPU, and the source of its calls."""

    # What is queued, and the reserves.
    nr_emergency: int  # rcu_head objects in its emergency pool
    monitor_at: float  # when its monitor runs, ticks; infinite if it is not pending
    monitor_expires: int  # what its timer was set to, before the timer wheel rounds up, ticks
    head_block_room: PerChannel  # free entries of the head block; 0: there is none, or it is full
    queued_objects: PerChannel  # objects queued and in no batch yet
    queued_blocks: PerBlockChannel  # their blocks, in pages
    queued_wrappers: int  # wrappers among the objects on the list
    cached_pages: PerChannel  # pages in its caches; a shared cache is that of channel SLAB
    # Its stalled calls that will get neither page nor rcu_head. It counts up with the draws of the
    # call; where memory is counted in pages these mean nothing, but nobody looks at it there: it is
    # for biased copies, of which there are none.
    stalled_failing_calls: int  # calls; without meaning under has_page_memory

    # The work in progress, and its present step: a block, or a piece of the list.
    is_working: int  # flag: a work is in progress, or paused
    work_owner: int  # the CPU whose batch it frees, by number
    work_channel: int  # the channel of the present step
    work_step_objects: int  # objects that the present step frees
    work_step_wrappers: int  # wrappers among them
    work_total_objects: int  # objects of the whole work
    work_objects: PerChannel  # objects that it has still to free
    work_blocks: PerBlockChannel  # their blocks, in pages
    work_wrappers: int  # wrappers among those on the list
    work_step_ends_at: float  # when the present step ends, ticks
    work_began_at: float  # when it began, or went on after a pause, ticks
    work_pause_ends_at: float  # until then callers that it let in have the CPU, ticks

    # The plan: calls up to the next one that needs attention; all but the last are uneventful. See
    # plans.py.
    plan_calls: int  # calls of the plan; 0: there is none
    plan_last_kind: int  # of its last call: ANY_CALL, EVENTFUL or UNEVENTFUL
    call_at: float  # when its last call is made, ticks; infinite if another event comes first
    plan_from: float  # the calls before this time are accounted for, ticks
    plan_until: float  # the uneventful calls come before this time, ticks
    plan_made_at: float  # when the plan was drawn, ticks
    plan_call_cost: float  # CPU time of an uneventful call of a burst, ticks
    plan_start_at: float  # when the first call of a burst's plan is made, ticks

    # The source of calls.
    is_source_on: int  # flag: a source of on and off phases is on
    phase_ends_at: float  # when the present phase ends, or the rate changes, ticks
    source_switches_at: float  # when the present on or off phase ends, ticks
    rate_piece: int  # the present piece of a rate that changes, by its number since boot
    rate_factor: float  # the rate in it, as a multiple of the mean rate
    rate_changes_at: float  # when the next piece begins, ticks
    call_rate: float  # calls a tick now, of a Poisson source
    rate_share: float  # its mean rate of calls, as a multiple of that of all CPUs
    reuse_share: float  # its rate of allocations, the same
    blocked_producers: int  # producers held up by a call
    first_producer: int  # the number of its first producer
    current_producer: int  # the producer in the middle of its burst, by number; or NOBODY
    first_call: int  # where its times begin in the array of call times
    recorded_calls: int  # calls of it in a recording
    first_cell: int  # its first cell in the array of cells
    recorded_cells: int  # its cells with calls
    next_call: int  # the number since boot of the first call that is not accounted for (replay)
    reusable_objects: int  # objects just freed here, which calls reuse without a new slab page
    cpu_free_at: float  # when the CPU has done the calls made so far, ticks
    wakeups_done_at: float  # when the last caller woken here runs, ticks
    producer_woke_at: float  # when a producer last woke up, ticks

    # Memory in pages.
    free_slab_objects: int  # free objects of the size of a wrapper in its slab lists
    pcp_pages: int  # pages in its list of free pages
    refill_turn_at: float  # the next turn of its refill worker, ticks

    # The refill worker.
    refill_at: float  # when it runs, ticks; infinite if it is not under way
    backs_off: int  # flag: a reclaim pass came since its last run

    # Its sheaves, and its slab pages of objects: an array of CpuSheaves, one for each size.
    first_pcs: int  # where they begin in that array
    node: int  # its node, by number
    next_allocation_at: float  # when an allocation finds a main sheaf empty, ticks
    lazy_until: float  # when full sheaves ask for a grace period that have not, ticks; or infinite
    # Its plan was drawn for calls that find no sheaf but a new one: see sheaf_plans.py.
    plan_finds_no_sheaf: int  # flag

    # The reader of lowest priority.
    section_begins_at: float  # begin of its present or next read-side section, ticks
    section_ends_at: float  # end of that section, ticks
    # Until when it holds up the running grace period; or WAS_BETWEEN_SECTIONS or LETS_IT_END of
    # grace_periods.py.
    reader_holds_until: float  # ticks

    # Importance sampling: see copying.py, biased_copies.py and call_draws.py.
    bias: int  # UNBIASED, BIASED or FORCED
    weighs_waits: int  # flag: waits of its calls are weighted from now on: count_weighted_wait()
    plan_could_be_biased: int  # flag: its plan would differ on a biased CPU: p_uneventful_biased()
    starts_copies: int  # flag: biased copies shall begin at its new plan
    plan_log_ratio: float  # log ratio of likelihoods of an uneventful call of the plan
    p_eventful_biased: float  # probability of an eventful call in a biased plan

    # Blocks with cookies: see ready_blocks.py. Of a channel's blocks all but the head block are
    # counted by what their cookies wait for, as of the grace period cookie_gp.
    cookie_gp: int  # how many grace periods had ended when these were last looked at
    ripe_objects: PerBlockChannel  # objects in blocks whose cookie is done
    ripe_blocks: PerBlockChannel  # those blocks, in pages
    next_objects: PerBlockChannel  # objects in blocks that need the grace period cookie_gp + 1
    next_blocks: PerBlockChannel  # those blocks, in pages
    later_objects: PerBlockChannel  # objects in blocks that need the one after that
    later_blocks: PerBlockChannel  # those blocks, in pages
    head_insert_at: PerBlockChannelTime  # when a pointer last went into the head block, ticks
    list_insert_at: float  # when an object was last pushed on the list, ticks
    settled_objects: PerChannel  # objects that the calls settled last have queued
    # What the monitor has found ready and frees itself; it waits for the CPU.
    ready_objects: PerChannel  # objects
    ready_blocks: PerBlockChannel  # their blocks, in pages
    ready_wrappers: int  # wrappers among those on the list
    ready_since: float  # when the monitor took them, ticks; infinite if there is nothing
    frees_ready: int  # flag: the work in progress frees what the monitor found ready

    arrival_stream: Stream  # times and numbers of calls
    call_stream: Stream  # channel, kind and failures of calls
    stall_stream: Stream  # lengths of stalls, and pages of the refill worker of 2020
    cookie_stream: Stream  # when the last of several uneventful calls was made
    sheaf_stream: Stream  # which calls no sheaf takes, and which requests of a new sheaf fail
    reuse_stream: Stream  # times of allocations
    refill_stream: Stream  # pages of the refill worker
    replay_stream: Stream  # times of recorded calls within their cells
    size_stream: Stream  # sizes of objects


class World(Record):
    """One run: its parameters, its state, and the addresses of its arrays."""

    # The machine and the remedy.
    nr_cpus: int  # CPUs
    takes_every_call: int  # flag: no calls are skipped, each is an event
    head_alloc: int  # how a call asks for an rcu_head: HEAD_NONE, HEAD_ATOMIC, ...
    has_array_path: int  # flag: pointers go into page blocks
    asks_noretry: int  # flag: single-argument calls ask for pages with __GFP_NORETRY, may stall
    single_asks_page: int  # flag: single-argument calls ask for pages at all
    double_asks_page: int  # flag: double-argument calls ask for pages
    pool_capacity: int  # most objects of the emergency pool
    has_channel_caches: int  # flag: each channel has a page cache of its own
    cache_capacity: int  # most pages of a cache
    pages_go_to_worker: int  # flag: freed pages go to the cache of the work's CPU
    drains_list_at_once: int  # flag: a push on the list runs the monitor at once
    rearm: int  # when the monitor re-arms: REARM_UNQUEUED, REARM_LEFT or REARM_REST
    attaches_to_pending: int  # flag: a channel may join a batch that is pending
    drain_jiffies: int  # delay of the monitor, ticks
    drains_full: int  # flag: the call that queues a block's worth sets the monitor to a jiffy
    block_entries: int  # pointers in a block
    has_refill_worker: int  # flag: a worker fills the caches
    refill: int  # what starts it and how it asks: REFILL_NONE, REFILL_ANY_MISS, ...
    refill_delay: float  # from a miss until it has filled the caches, ticks
    refill_backoff: int  # the same after a reclaim pass, jiffies; 0: the kernel knows no back-off
    shrinks_cache: int  # flag: scans of the shrinker free cached pages
    has_shrinker: int  # flag: reclaim passes call the shrinker of kfree_rcu()
    has_ready_blocks: int  # flag: the monitor frees what its cookies say is ready
    p_offloaded: float  # probability that a work runs on another CPU
    work_delay: float  # from a batch's callback to its work, ticks

    sheaf_entries: int  # pointers in a sheaf of the first size; 0: there are no sheaves
    nr_sizes: int  # sizes of objects
    nr_caches: int  # those of them that caches have: the first ones

    # The workload.
    is_closed_loop: int  # flag: a held-up call holds up its producer
    catches_up: int  # flag: a producer that was held up keeps its schedule
    reuse_capacity: int  # most freed objects whose slab pages calls reuse
    producers_per_cpu: int  # producers
    has_bursts: int  # flag: a periodic or burst source, whose calls follow each other
    burst_calls: int  # calls of a burst
    has_random_gaps: int  # flag: exponential gaps between bursts
    has_recorded_calls: int  # flag: calls are those of a recording
    repeats_recording: int  # flag: it begins anew when it has ended
    recording_length: float  # ticks
    rate_pieces: int  # pieces of time of a rate that changes; 0: it is the same always
    rate_period: float  # after which they begin anew, ticks
    reuse_follows_rate: int  # flag: allocations come more often with the calls
    is_poisson: int  # flag: no on and off phases
    starts_after_tick: int  # flag: bursts are first due right after a tick
    p_single: float  # probability of a single-argument call
    p_vmalloc: float  # probability of a vmalloc object
    base_rate: float  # calls a tick and CPU, in an on phase
    period: float  # between two bursts of a producer, ticks
    on_mean: float  # mean length of an on phase, ticks
    off_mean: float  # mean length of an off phase, ticks
    phase: float  # first burst after boot, ticks
    call_cost: float  # CPU time of a call, ticks
    list_cost: float  # more if it got a wrapper from the allocator, ticks
    slab_cost: float  # more for a share of a new slab page, ticks
    free_cost: float  # CPU time of freeing an object, ticks
    list_free_cost: float  # more for a wrapper that the pool does not keep, ticks
    wake_cost: float  # CPU time of a wake-up, ticks

    # Grace periods and readers.
    gps_on_ticks: int  # flag: grace periods start and end on ticks
    rcu_expedited: int  # flag: waiters ask for expedited grace periods
    reader_section: float  # length of a read-side section, ticks; 0: there are no readers
    reader_gap: float  # between two sections, ticks
    expedited_median: float  # median length of an expedited wait, ticks
    expedited_sigma: float  # sigma of its logarithm
    invoke_delay: float  # from the end of a grace period to its callbacks, ticks
    background_rate: float  # grace periods a tick that others ask for while none runs
    wakes_by_gp: int  # flag: the grace-period kthread starts for waiters and wakes them
    gps_end_at_once: int  # flag: a grace period needs no tick, but for a reader
    wake_work: float  # from the end of a grace period until the work wakes the others, ticks
    gp_mean: float  # mean length of a grace period, ticks
    gp_length_count: int  # lengths in the table of the distribution

    # The allocator.
    stall_median: float  # median length of a stall, ticks
    stall_sigma: float  # sigma of its logarithm
    failures: PerRequest  # probabilities of failure, [calm or episode, kind of request]
    has_random_episodes: int  # flag: episodes of pressure of exponential length
    starts_stationary: int  # flag: an episode may be under way at boot
    episode_mean: float  # mean length of an episode, ticks
    calm_mean: float  # mean length of calm, ticks

    # The run.
    tournament_leaves: int  # leaves of the tournament: a power of 2, at least nr_cpus
    warmup: float  # end of the first window, ticks
    horizon: float  # end of the run, ticks
    tick_ms: float  # length of a tick, ms
    windows_by_episode: int  # the first episodes that begin a window each; 0: boot and steady state
    max_plan_calls: int  # most calls of a plan
    waiter_capacity: int  # calls the queue of waiters has room for
    heap_capacity: int  # calls the heap has room for

    # Probabilities in force: see set_probabilities_in_force().
    p_page_fails: float  # a single-argument call gets no page at once
    p_double_page_fails: float  # a double-argument call gets no page
    p_noretry_page_fails: float  # a page request with __GFP_NORETRY fails after its stall
    p_head_fails_at_first: float  # a request of an rcu_head fails at once
    p_head_fails_after_reclaim: float  # it fails after its stall
    p_single_uneventful: float  # a single-argument call gets an rcu_head at once, but no page

    # Time, windows and pressure.
    now: float  # time of the present event, ticks
    window: int  # the present window
    window_ends_at: float  # ticks
    is_past_horizon: int  # flag: no call is made any more, held-up ones are followed to their end
    in_episode: int  # flag: an episode of pressure is under way
    episode_number: int  # episodes begun
    episode_window: int  # the window in which the present one began
    episode_has_waited: int  # flag: a call of it waited
    pressure_switches_at: float  # begin or end of an episode, ticks
    schedule_index: int  # the next switch of a given schedule
    error: int  # NO_ERROR, FULL or STOPPED
    events: int  # events handled
    log_size: int  # events that were logged, or would have been

    # Grace periods.
    gps_done: int  # grace periods that have ended
    gp_is_running: int  # flag
    gp_is_due: int  # flag: the next one starts at gp_event_at
    gp_event_at: float  # start or end of a grace period, ticks
    gp_began_at: float  # start of the running one, ticks
    gp_scan_ends_at: float  # its end if no reader holds it up, ticks
    gp_done_began_at: float  # start of the last one that has ended, ticks

    # Calls and objects.
    deferred_objects: int  # objects queued and not yet freed, of all CPUs
    call_size: int  # the size of the object of the present call, by number
    deferred_bytes: int  # of objects queued and not yet freed; counted if there are several sizes
    call_got_wrapper: int  # flag: the present call got a wrapper from the allocator
    call_began_at: float  # when the caller of the present call began it, ticks
    waiters_head: int  # the first waiting call that has not woken
    waiters_served: int  # the first whose grace period has not ended
    waiters_tail: int  # one behind the last
    listed_waits: int  # waits on the list of the grace-period kthread, until they wake
    is_latched: int  # flag: further waits use callbacks
    heap_size: int  # stalls and expedited waits under way
    rate_sum: float  # sum of the CPUs' rates, calls a tick
    rate_times_from: float  # sum of rate * plan_from over the CPUs, calls
    all_settled_at: float  # the calls of all CPUs before this time are accounted for, ticks

    # Sheaves.
    refused_by_sheaf: int  # of the present call: NOT_OFFERED, REFUSED_KIND or REFUSED_MEMORY
    sheaves_back_at: float  # when full sheaves come back, ticks; infinite if that is not known
    kmem_cache: KmemCache  # the caches of the objects

    # Memory as pages: parameters.
    has_page_memory: int  # flag: failures follow from free pages
    # Set with has_page_memory and with has_refill_worker, so that no call that would start the
    # worker is skipped.
    misses_are_eventful: int  # flag: each call without room and page is handled as an event
    has_hog: int  # flag: a hog takes all free pages in episodes
    deferred_objects_count: int  # flag: objects that wait to be freed hold pages
    object_bytes: int  # size of an object, bytes, if there is one size
    slab_page_objects: int  # objects of the size of a wrapper in a page
    slab_pages_kept: int  # empty slab pages that a CPU keeps
    pcp_batch: int  # pages that a CPU's list takes or gives at once
    pcp_high: int  # pages above which it gives some back
    min_wmark: float  # pages that GFP_NOWAIT and GFP_KERNEL leave: the min watermark
    gfp_high_mark: float  # pages that a request with __GFP_HIGH leaves that may sleep: min / 2
    gfp_atomic_mark: float  # pages that GFP_ATOMIC leaves: 3/8 of min
    low_wmark: float  # pages at which kswapd starts: the low watermark
    high_wmark: float  # pages at which kswapd stops: the high watermark
    hog_mark: float  # pages that the hog leaves
    free_pages_at_boot: float  # pages
    file_pages_at_boot: float  # pages
    hog_rate: float  # pages a tick that the hog takes
    load_rate: float  # pages a tick that the load reads into the page cache
    kswapd_rate: float  # pages a tick that kswapd frees
    hog_sleep: float  # between two looks of the hog, ticks
    hog_lead: float  # the hog starts so long before boot, ticks
    reclaim_round: float  # CPU time of a round of reclaim that finds nothing, ticks

    # Memory as pages: state.
    kswapd_runs: int  # flag
    held_bytes: int  # bytes of objects that wait to be freed
    object_pages: int  # pages that they hold
    kfree_rcu_pages: int  # pages of kfree_rcu(): blocks, cached pages, slab pages of wrappers
    free_pages: float  # pages
    file_pages: float  # clean page cache, pages
    hog_pages: float  # pages that the hog has taken
    memory_known_at: float  # the pages are those of this time, ticks
    hog_wakes_at: float  # when the hog looks for free pages again, ticks

    # Feedback: callers that allocate what they free, reclaim that they share, and OOM. Parameters.
    has_live_objects: int  # flag: callers allocate the objects that they free later
    release_share: float  # share of the pages of freed objects that become free pages, at least
    has_growth: int  # flag: pages are asked for while calls wait
    growth_rate: float  # pages a tick, for each call that waits
    reclaim_rate: float  # pages a tick that all stalls together find; 0: no limit
    oom_frees_pages: float  # pages that an OOM kill frees; 0: an OOM ends the run
    oom_delay: float  # from the kill until its pages are free, ticks
    other_pages_at_boot: float  # pages in use that are not looked at, pages

    reclaim_priority: int  # the priority that a reclaim pass comes down to

    # Feedback: state.
    has_reclaim_pass: int  # flag: a reclaim pass is about to come to the shrinker
    shrink_deferred: int  # objects that passes have left to later ones
    released_part: float  # pages of freed objects that do not make up a page yet
    grown_pages: float  # pages that grew while calls waited
    starves_until: float  # OOM comes then if nothing is found for what grows, ticks; or infinite
    waiting_calls: int  # calls in synchronize_rcu()
    reclaimers: int  # stalls under way that share what reclaim finds
    pages_found: float  # pages that they have found and not taken yet
    reclaim_known_at: float  # the pages found are those of this time, ticks
    oom_frees_at: float  # when the pages of a kill are free, ticks; infinite if there is none
    other_pages: float  # pages in use that are not looked at
    is_out_of_memory: int  # flag: an OOM ends the run

    # Importance sampling and splitting: parameters.
    makes_copies: int  # flag: biased copies of the run are made
    copies_per_place: int  # copies that begin at each place: see biased_copies.py
    p_hit_biased: float  # probability that an eventful biased call gets neither page nor rcu_head
    p_eventful_biased: float  # probability that a biased call is eventful, with a full pool
    max_log_ratio: float  # log of the ratio of likelihoods above which nothing is biased
    p_copy_at_place: float  # probability that a copy is made at a place
    p_copy_in_calm: float  # the same in calm, on top
    calm_danger: float  # added to the danger in calm
    level_count: int  # levels of danger at which the run is split
    peak_capacity: int  # room for measures of danger that the choice of levels asks for

    # Importance sampling and splitting: state.
    log_ratio: float  # log of the ratio of likelihoods since the weight was last updated
    weight: float  # weight of the copy, or of the run
    danger: float  # how near the run is to need a page when none is cached: measure_danger()
    open_weighted_waits: int  # waits under way that were counted with the weight of the copy
    copies_left: int  # copies of a level that are still to go on

    # Random numbers.
    episode_stream: Stream  # lengths of episodes and calm
    gp_stream: Stream  # lengths of grace periods
    offload_stream: Stream  # CPUs of works
    expedited_stream: Stream  # lengths of expedited waits
    background_stream: Stream  # when others ask for grace periods
    freed_stream: Stream  # which of the deferred objects of several sizes are freed

    # A copy of a run copies the fields above, and keeps those below as its own: see copying.py.
    copy_stream: Stream  # where copies begin, and their random numbers
    peak_count: int  # measures of danger that were noted
    log_capacity: int  # events the log has room for

    # Addresses of arrays.
    cpus_address: int  # of Cpu, nr_cpus
    sizes_address: int  # of ObjectSize, nr_sizes
    pcs_address: int  # of CpuSheaves, nr_sizes for each CPU
    barns_address: int  # of Barn, nr_caches for each node
    batches_address: int  # of Batch, KFREE_N_BATCHES for each CPU
    producers_address: int  # of Producer, producers_per_cpu for each CPU
    waiters_address: int  # of HeldCall, a ring: calls in synchronize_rcu()
    stalled_address: int  # of HeldCall: the slots of the heap
    heap_address: int  # of HeapNode
    tournament_address: int  # of Real: next events of the CPUs, ticks
    counters_address: int  # of Counters, one a window
    wait_histogram_address: int  # of Count, BINS a window: waits
    latency_histogram_address: int  # of Count, BINS a window: latencies of held-up calls
    tallies_address: int  # of Tally, one a window
    log_address: int  # of EventRecord
    gp_lengths_address: int  # of Real: lengths of grace periods, ticks, ascending
    gp_cdf_address: int  # of Real: their distribution function
    call_times_address: int  # of Real: times of recorded calls, CPU by CPU, ticks
    recorded_cells_address: int  # of RecordedCell, CPU by CPU
    rate_pieces_address: int  # of RatePiece
    schedule_address: int  # of Real: switches of pressure, ticks; the last is infinite
    levels_address: int  # of Real, two a level: danger, and number of copies
    peaks_address: int  # of Real: measures of danger that were noted
    stop_address: int  # of Count: nonzero asks the run to give up
    self_address: int  # of this record


COUNTERS = Counters.dtype.names or ()

# Histograms of durations: bins of equal ratio, from 1e-4 ms on.
BINS_AN_OCTAVE = 16.0
BINS = 16 * 34
BIN_LO_MS = 1e-4
