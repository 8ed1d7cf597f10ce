# SPDX-License-Identifier: GPL-2.0-only
"""What the engine remembers: records named as in the kernel, reached from GLOBAL by pointers; times
are in ticks.
"""

from typing import Any

import numpy as np
from numba import from_dtype, types
from numba.core import cgutils
from numba.extending import intrinsic

from krcsim.engine.random_streams import STREAM

# NumPy scalars: numba compiles a function again for each value of a Python int or bool that it gets
# as an argument.
SLAB, VMALLOC, LIST = map(np.int64, range(3))  # channels
ONE = np.int64(1)


def _dtype(ints: str, floats: str, channels: str = "", *more: Any) -> np.dtype[Any]:
    """Fields named in each string; those of `channels` hold a whole number for each channel."""
    fields: list[Any] = [(n, "i8") for n in ints.split()] + [(n, "f8") for n in floats.split()]
    return np.dtype(fields + [(n, "i8", 3) for n in channels.split()] + list(more), align=True)


# struct kfree_rcu_cpu_work, twice a CPU. need: the grace period the batch needs; its work will be
# ready at ready_at, or was at `since`. By channel: ptr, pointers; blk, their blocks (list:
# wrappers); needs, the grace period it would need.
KRW = _dtype("state cpu need", "asked ready_at since", "ptr blk needs")
IDLE, WAITS, QUEUED = 0, 1, 2  # KRW.state; QUEUED: its work is ready, the worker is busy

# struct kfree_rcu_cpu, the work in progress on this CPU (wk_*; of its present step: wk_stage, the
# channel, wk_size, objects, and wk_wrappers; until wk_pause callers that it let in have the CPU)
# and the source of its calls. room: free entries of the head block. plan: `n` calls from `base` on,
# the last at call_at; the others are dull, and it too if known == DULL; they come until `until`,
# which is call_at, or if that is INF a time at which the plan is drawn anew. slab_free: objects of
# the size of a wrapper in its slab lists; pcp: pages in its list of free pages. doomed: its stalled
# calls that will get neither page nor rcu_head. Of fork.py: tagged, whether its luck is biased;
# heard, whether its waits count; raised, whether trouble comes sooner in its plan, were it tagged;
# planned, whether that plan is new; odds, the log ratio of likelihoods of a dull call; often,
# P(trouble) where biased.
CPU = _dtype(
    "nr_emergency wk wk_owner wk_stage wk_size wk_wrappers wk_sum n known on blocked cur "
    "first_prod reused "
    "slab_free pcp tagged heard raised planned doomed",
    "monitor_at call_at until base phase_at rate wk_at free_at start refill_at cost wk_began "
    "wk_pause awake_at woke "
    "section section_end hold odds often plan_at",
    "room ptr blk cache wk_ptr wk_blk",
    *((n, STREAM) for n in ("arrivals", "marks", "stalls")),
)
FRESH, TROUBLE, DULL = 0, 1, 2  # CPU.known
BIASED, FORCED = 1, 2  # CPU.tagged; forced: the call that comes now hits
PRODUCER = _dtype("left blocked", "due ready")  # of a periodic or burst source

# A held-up call: in synchronize_rcu(), or in the heap of stalls and expedited waits. episode: the
# number of the episode in which it was made (0: in calm), episode_win: the window of its begin,
# episode_waited: whether a call of it waited already.
HELD = _dtype(
    "what cpu prod win episode episode_win episode_waited ch fails need heard",
    "call begin wake u_head fh ff",
)
NO_STALL, PAGE_STALL, HEAD_STALL, WAKE = map(np.int64, range(4))  # HELD.what
# The heap: node 0 .. heap_n - 1 in heap order, the nodes behind hold its free HELD slots.
NODE = _dtype("slot", "at")
GLOBAL = _dtype(
    # Parameters, which fill_parameters() of run.py fills by name.
    "cpus every_call head_alloc array_path noretry pool_cap own_cache cache_cap to_worker expedite "
    "rearm_left attach drain block closed catchup reuse producers bursty burst exp_gap ticked "
    "rcu_expedited by_episode "
    "random_episodes stationary poisson tick_phase log_cap wait_cap heap_cap "
    "pages refill no_dull hog counts object_bytes slab_objs slab_kept pcp_batch pcp_high "
    "rare repeat look levels peaks_cap "
    # State.
    "win done active pending wrapped episode episode_id episode_win episode_waited deferred head_w "
    "mark_w "
    "tail_w heap_n log_n "
    "error late events kswapd held obj_pages ours unanswered left peaks_n "
    # Addresses of the arrays, and their lengths where the engine needs them.
    "p_cpus p_krw p_prods p_waiters p_pending p_nodes p_tree p_out p_wait_hist p_late_hist p_log "
    "p_gp_ticks p_gp_cdf p_schedule p_stop p_self p_tally p_levels p_peaks leaves gp_n sched_i",
    # Parameters, state, and the probabilities in force: see in_force().
    "nocb work_delay single vmalloc base_rate period on_mean off_mean call_cost list_cost "
    "slab_cost free_cost "
    "list_free_cost wake_cost reader reader_gap stall_median stall_sigma exp_median exp_sigma "
    "invoke warmup horizon "
    "episode_mean calm_mean phase gp_at episode_at window_at rate_sum rate_base settled tick_ms fp "
    "fn "
    "fh ff "
    "dull_single gp_began gp_end now "
    # Memory in pages, and its marks: see engine/memory.py.
    "nowait high atomic low full hog_mark free_at_boot file_at_boot hog_rate load_rate kswapd_rate "
    "hog_sleep lead "
    "round free file hogged mem_at hog_at "
    # Forks: see engine/fork.py.
    "choice least most share calm_share calm_danger log_lr weight gp_mean score",
    "",
    ("fail", "f8", (2, 6)),
    *((n, STREAM) for n in ("r_episode", "r_gp", "r_foreign", "r_expedited", "r_fork")),
)
# What forks found in a window: sums with their weights; and their number, those that waited, and
# their events.
TALLY = _dtype("", "waits waits_episode wait_ms forks hits events")

# Counters of a window, in the order of columns of a run's table.
COUNTERS = (
    "single double single_episode double_episode waits waits_episode wait_ms stalls stall_ms "
    "list_pushes "
    "early_frees "
    "episodes episodes_waited peak area pool_hits cache_hits page_ok page_fail drains drains_due "
    "rearms "
    "pages_returned pages_freed pool_returned queued freed events episode_ms"
).split()
OUT, REAL, COUNT = _dtype("", " ".join(COUNTERS)), _dtype("", "x"), _dtype("n", "")
BINS, BIN_LO_MS = 16 * 34, 1e-4  # histograms: 16 bins an octave from 1e-4 ms on
# An event, and what its CPU held after it: objects in the pool, pages cached, free entries of its
# head blocks, objects queued, and those of them on the list.
EVENT = _dtype("code cpu nr_emergency cached room queued listed", "at value")
EVENTS = (
    "boot",
    "episode begins",
    "episode ends",
    "page from cache",
    "page allocated",
    "page failed",
    "rcu_head allocated",
    "rcu_head from pool",
    "own head listed",
    "reclaim stall",
    "wait begins",
    "wait ends",
    "monitor armed",
    "drained early",
    "batch queued",
    "joined a pending batch",
    "monitor re-armed",
    "grace period starts",
    "grace period ends",
    "work starts",
    "freed before its grace period",
    "page to cache",
    "page freed",
    "wrapper to pool",
    "work ends",
)
CODE = {name: np.int64(i) for i, name in enumerate(EVENTS)}
(
    BOOT,
    EPISODE_BEGINS,
    EPISODE_ENDS,
    FROM_CACHE,
    PAGE_OK,
    PAGE_FAILED,
    HEAD_OK,
    FROM_POOL,
    OWN_HEAD,
    STALLS,
    WAIT_BEGINS,
    WAIT_ENDS,
    ARMED,
    EARLY,
    BATCH,
    JOINED,
    REARMED,
    GP_STARTS,
    GP_ENDS,
    WORK_STARTS,
    TOO_SOON,
    TO_CACHE,
    PAGE_FREED,
    TO_POOL,
    WORK_ENDS,
) = CODE.values()
ALL = np.int64(-1)  # the CPU of an event that concerns all


def _pointer_to(dtype: np.dtype[Any]) -> Any:
    """A compiled function (address, index) -> record; arrays as arguments would triple the compile
    time.
    """
    record = from_dtype(dtype)

    @intrinsic  # type: ignore[untyped-decorator]
    def element(_typing: Any, _base: Any, _index: Any) -> Any:
        def code(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            offset = builder.mul(args[1], context.get_constant(types.intp, dtype.itemsize))
            return builder.inttoptr(builder.add(args[0], offset), context.get_value_type(record))

        return record(types.int64, types.int64), code

    return element


cpu_at, krw_at, prod_at, held_at, node_at, out_at, event_at, real_at, count_at, tally_at = map(
    _pointer_to, (CPU, KRW, PRODUCER, HELD, NODE, OUT, EVENT, REAL, COUNT, TALLY)
)


@intrinsic  # type: ignore[untyped-decorator]
def move(_typing: Any, _to: Any, _of: Any, _count: Any) -> Any:
    """Copy bytes from one address to another."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        to, of = (builder.inttoptr(address, cgutils.voidptr_t) for address in args[:2])
        cgutils.raw_memcpy(builder, to, of, args[2], 1)

    return types.void(types.int64, types.int64, types.int64), code


def replication_state(seed: int, replication: int, cpus: int) -> list[np.ndarray[Any, Any]]:
    """Stream states, each from a SeedSequence child: r_episode to r_expedited of GLOBAL, three for
    all CPUs, r_fork.
    """
    return [
        np.random.SeedSequence(seed, spawn_key=(replication, decision)).generate_state(n, np.uint64)
        for decision, n in enumerate([4] * 4 + [4 * cpus] * 3 + [4])
    ]
