# SPDX-License-Identifier: GPL-2.0-only
"""What the engine remembers: records named as in the kernel, all reached from GLOBAL.

A record is handed to compiled functions as one pointer. Times are in ticks. `Any` stands for
records that only numba types.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import from_dtype, types
from numba.extending import intrinsic

from krcsim.engine.rng import STREAM

# Constants that compiled functions get as arguments are NumPy scalars: numba compiles a function
# again for each value of a Python int or bool.
SLAB, VMALLOC = np.int64(0), np.int64(1)  # channels
NO, YES = np.bool_(False), np.bool_(True)
ONE = np.int64(1)

def _dtype(ints: str, floats: str, *more: Any) -> np.dtype[Any]:
    fields: list[Any] = [(n, "i8") for n in ints.split()] + [(n, "f8") for n in floats.split()]
    return np.dtype(fields + list(more), align=True)

# struct kfree_rcu_cpu_work, twice a CPU. ptr/blk: pointers and blocks of a channel; head: list
# entries, wrap: those among them that are wrappers; need: the grace period the batch needs,
# need0..2: the one each channel would need.
KRW = _dtype("state cpu ptr0 ptr1 blk0 blk1 head wrap need need0 need1 need2", "ready")
IDLE, WAITS, QUEUED = 0, 1, 2  # KRW.state; QUEUED: its work is ready, the worker is busy

# struct kfree_rcu_cpu, the work in progress on this CPU (wk_*) and the source of its calls.
# room: free entries of the head block; plan: `n` calls from `base` on, the last of them at
# call_at; all but the last are known to be dull (and the last too when known == DULL).
CPU = _dtype("room0 room1 ptr0 ptr1 blk0 blk1 head wrap cache0 cache1 nr_emergency monitor_todo "
    "wk wk_owner wk_stage wk_ptr0 wk_ptr1 wk_blk0 wk_blk1 wk_head wk_wrap wk_size "
    "n known on blocked cur first_prod",
    "monitor_at call_at base phase_at rate wk_at free_at start", ("arrivals", STREAM),
    ("marks", STREAM), ("stalls", STREAM))
FRESH, TROUBLE, DULL = 0, 1, 2  # CPU.known

# A producer of a burst source.
PRODUCER = _dtype("left state", "due ready")
SLEEPS, READY, BLOCKED = 0, 1, 2  # PRODUCER.state

# A caller in synchronize_rcu(), and an entry of the heap of stalls and expedited waits.
WAITER = _dtype("cpu prod need win spell", "call begin wake")
PENDING = _dtype("what cpu prod win spell ch fails", "call begin u_head fh ff")
PAGE_STALL, HEAD_STALL, WAKE = np.int64(0), np.int64(1), np.int64(2)  # PENDING.what
# The heap: node 0 .. heap_n - 1 in heap order, the nodes behind hold the free PENDING slots.
NODE = _dtype("slot", "at")

_PARAMS_I = (
    "cpus every_call head_alloc array_path noretry pool_cap shared cache_cap to_worker expedite "
    "rearm_left attach drain block closed producers bursty burst exp_gap ticked rcu_expedited "
    "spell_kind stationary poisson tick_phase log_cap wait_cap heap_cap")
_PARAMS_F = (
    "nocb work_delay single vmalloc base_rate period on_mean off_mean call_cost free_cost "
    "stall_median stall_sigma exp_median exp_sigma invoke warmup horizon spell_mean calm_mean phase"
)
_STATE_I = (
    "win done active started pending spell spell_id spell_win spell_waited prev_waited prev_win "
    "deferred head_w mark_w tail_w heap_n log_n error sched_i late")
# Addresses of the arrays, and their lengths where the engine needs them.
_ARRAYS = (
    "p_cpus p_krw p_prods p_waiters p_pending p_nodes p_tree p_out p_wait_hist p_late_hist p_log "
    "p_gp_ticks p_gp_cdf p_schedule p_stop leaves gp_n sched_n")
_STATE_F = "gp_at spell_at window_at rate_sum rate_base settled tick_ms"
# Parameters first, in the order in which parameters() of run.py fills them by name.
GLOBAL = _dtype(
    f"{_PARAMS_I} {_STATE_I} {_ARRAYS}",
    f"{_PARAMS_F} {_STATE_F} fp fs fh ff fn",  # the failure probabilities in force
    ("fail", "f8", (2, 6)),
    ("r_spell", STREAM),
    ("r_gp", STREAM),
    ("r_foreign", STREAM),
    ("r_expedited", STREAM),
)

# Counters of a window, in the order of columns of a run's table.
COUNTERS = (
    "single double single_spell waits waits_spell wait_ms stalls stall_ms list_pushes early_frees "
    "spells spells_waited peak area pool_hits cache_hits page_ok page_fail drains rearms "
    "pages_returned pages_freed pool_returned queued freed events").split()
OUT = _dtype("", " ".join(COUNTERS))
REAL = _dtype("", "x")
COUNT = _dtype("n", "")

# Histograms: 16 bins an octave from 1e-4 ms on.
BINS = 16 * 34
BIN_LO_MS = 1e-4

EVENT = _dtype("code cpu value", "at")
EVENTS = ("boot", "spell begins", "spell ends", "page from cache", "page allocated", "page failed",
    "rcu_head allocated", "rcu_head from pool", "own head listed", "reclaim stall", "wait begins",
    "wait ends", "monitor armed", "drained early", "batch queued", "joined a pending batch",
    "monitor re-armed", "grace period starts", "grace period ends", "work starts",
    "freed before its grace period", "page to cache", "page freed", "wrapper to pool", "work ends")
CODE = {name: np.int64(i) for i, name in enumerate(EVENTS)}
ALL = np.int64(-1)  # the CPU of an event that concerns all

def _pointer_to(dtype: np.dtype[Any]) -> Any:
    """A compiled function (address, index) -> record: one element of an array of records.

    Arrays are kept by the caller and known to the engine by their addresses, so that a function
    has one argument where it would have a dozen arrays of seven words: a third of the compile
    time, and no bounds to check.
    """
    record = from_dtype(dtype)
    size = dtype.itemsize

    @intrinsic  # type: ignore[untyped-decorator]
    def element(_typing: Any, _base: Any, _index: Any) -> Any:
        def code(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            width = context.get_constant(types.intp, size)
            address = builder.add(args[0], builder.mul(args[1], width))
            return builder.inttoptr(address, context.get_value_type(record))

        return record(types.int64, types.int64), code

    return element

cpu_at = _pointer_to(CPU)
krw_at = _pointer_to(KRW)
prod_at = _pointer_to(PRODUCER)
waiter_at = _pointer_to(WAITER)
pending_at = _pointer_to(PENDING)
node_at = _pointer_to(NODE)
out_at = _pointer_to(OUT)
event_at = _pointer_to(EVENT)
real_at = _pointer_to(REAL)
count_at = _pointer_to(COUNT)

def replication_state(seed: int, replication: int, cpus: int) -> list[np.ndarray[Any, Any]]:
    """Stream states: one SeedSequence child for each named decision of a replication.

    spells, grace periods, foreign works, expedited waits (4 words each), then arrivals, marks
    and failures, stalls (4 words a CPU each).
    """
    words = [4, 4, 4, 4, 4 * cpus, 4 * cpus, 4 * cpus]
    return [np.random.SeedSequence(seed, spawn_key=(replication, decision)).generate_state(n,
        np.uint64) for decision, n in enumerate(words)]
