# SPDX-License-Identifier: GPL-2.0-only
"""Every enumeration of the engine, in one place.

The codes are NumPy scalars: numba compiles a function again for each Python integer that it gets as
an argument. For mypy they are plain integers.
"""

from typing import cast

import numpy as np


def _code(number: int) -> int:
    return cast(int, np.int64(number))


# Numbers that compiled code passes as arguments, or that a variable has first which is passed on.
ZERO = _code(0)
ONE = _code(1)
NO = cast(bool, np.bool_(False))
NOBODY = _code(-1)  # no producer
ALL_CPUS = _code(-1)  # the CPU of an event that concerns all

# Channels of kfree_rcu(): objects of the slab allocator, of vmalloc(), and the linked list.
SLAB = _code(0)
VMALLOC = _code(1)
LIST = _code(2)

# How a single-argument call asks for an rcu_head object: World.head_alloc.
HEAD_NONE = _code(0)  # it does not ask
HEAD_ATOMIC = _code(1)  # GFP_ATOMIC
HEAD_TRYHARD = _code(2)  # GFP_KERNEL | __GFP_ATOMIC and the like: may sleep, from the start
HEAD_THREE_STEP = _code(3)  # GFP_ATOMIC first, then GFP_KERNEL, which may sleep

HEAD_ALLOC = {
    "none": HEAD_NONE,
    "atomic": HEAD_ATOMIC,
    "tryhard": HEAD_TRYHARD,
    "three_step": HEAD_THREE_STEP,
}

# When the monitor re-arms: World.rearm.
REARM_UNQUEUED = _code(0)  # if it queued nothing
REARM_LEFT = _code(1)  # if something was left when it had looked at either batch
REARM_REST = _code(2)  # if something is left in the end

REARM = {"unqueued": REARM_UNQUEUED, "left": REARM_LEFT, "rest": REARM_REST}

# What starts the refill worker, and how it asks for pages: World.refill.
REFILL_NONE = _code(0)  # there is none
REFILL_ANY_MISS = _code(1)  # each miss of the cache starts it, as in the harness of 2020
REFILL_E2 = _code(2)  # v5.11: as many tries as the cache has places; GFP_KERNEL
REFILL_E3 = _code(3)  # v5.13: the same with __GFP_NORETRY
REFILL_E5 = _code(4)  # v6.1: the first failure ends it
REFILL_E7 = _code(5)  # v6.5: only what is missing

REFILL = {
    "none": REFILL_NONE,
    "any_miss": REFILL_ANY_MISS,
    "e2": REFILL_E2,
    "e3": REFILL_E3,
    "e5": REFILL_E5,
    "e7": REFILL_E7,
}

# Kinds of requests: the second index of World.failures, in the order of Failure.resolved().
FAILS_PAGE = _code(0)  # GFP_NOWAIT
FAILS_PAGE_NORETRY = _code(1)  # GFP_KERNEL | __GFP_NORETRY, after its stall
FAILS_HEAD_ATOMIC = _code(3)  # GFP_ATOMIC
FAILS_HEAD_HIGH = _code(4)  # with __GFP_HIGH, before its stall
FAILS_HEAD_RECLAIM = _code(5)  # after its stall
FAILS_SHEAF = _code(6)  # a new sheaf: no reclaim, and kswapd is not woken

# What a held-up call waits for: HeldCall.waits_for.
NO_STALL = _code(0)  # nothing yet
PAGE_STALL = _code(1)  # reclaim, for its page request
HEAD_STALL = _code(2)  # reclaim, for its request of an rcu_head
EXPEDITED_WAIT = _code(3)  # the end of an expedited grace period
LISTED_WAIT = _code(4)  # a grace period, on the list of the grace-period kthread

# Why no sheaf took the object of a call: World.refused_by_sheaf.
NOT_OFFERED = _code(0)  # there are no sheaves
REFUSED_KIND = _code(1)  # sheaves do not take its kind
REFUSED_MEMORY = _code(2)  # there was no sheaf, and no memory for a new one

# How a step of a call ended.
DONE = _code(0)  # the object is queued
HELD_STALLS = _code(1)  # the call stalls in direct reclaim
HELD_WAITS = _code(2)  # the call waits for a grace period

# Where a batch stands: Batch.state.
BATCH_IDLE = _code(0)  # nothing is asked for
BATCH_WAITS = _code(1)  # it waits for its grace period
BATCH_READY = _code(2)  # its grace period is over; its work waits for the worker

# What is known of the last call of a plan: Cpu.plan_last_kind.
ANY_CALL = _code(0)  # nothing
EVENTFUL = _code(1)  # it does more than append to a head block or to the list
UNEVENTFUL = _code(2)  # it only appends

# How the random draws of a CPU's calls are biased: Cpu.bias.
UNBIASED = _code(0)  # not at all; conditions read `if cpu.bias`
BIASED = _code(1)  # calls fail more often
FORCED = _code(2)  # the next call fails for certain

# Where a biased copy of a run begins.
AT_CALL = _code(0)  # right before a call
AT_PLAN = _code(1)  # at a new plan
AT_EPISODE = _code(2)  # at the begin of an episode

# Why a run stopped: World.error.
NO_ERROR = _code(0)
FULL = _code(1)  # a buffer is full: run again with a larger one
STOPPED = _code(2)  # it was asked to give up

# Events of the log: EventRecord.code.
_names: list[str] = []


def _event(name: str) -> int:
    _names.append(name)
    return _code(len(_names) - 1)


BOOT = _event("boot")
EPISODE_BEGINS = _event("episode begins")
EPISODE_ENDS = _event("episode ends")
PAGE_FROM_CACHE = _event("page from cache")
PAGE_ALLOCATED = _event("page allocated")
PAGE_FAILED = _event("page failed")
HEAD_ALLOCATED = _event("rcu_head allocated")
HEAD_FROM_POOL = _event("rcu_head from pool")
OWN_HEAD_LISTED = _event("own head listed")
STALL_BEGINS = _event("reclaim stall")
WAIT_BEGINS = _event("wait begins")
WAIT_ENDS = _event("wait ends")
MONITOR_ARMED = _event("monitor armed")
MONITOR_PULLED = _event("monitor pulled forward")
DRAINED_EARLY = _event("drained early")
BATCH_QUEUED = _event("batch queued")
BATCH_JOINED = _event("joined a pending batch")
MONITOR_REARMED = _event("monitor re-armed")
GP_STARTS = _event("grace period starts")
GP_ENDS = _event("grace period ends")
WORK_STARTS = _event("work starts")
FREED_TOO_EARLY = _event("freed before its grace period")
PAGE_TO_CACHE = _event("page to cache")
PAGE_FREED = _event("page freed")
WRAPPERS_TO_POOL = _event("wrapper to pool")
WORK_ENDS = _event("work ends")
REFILL_RAN = _event("refill worker ran")
READY_TAKEN = _event("ready objects taken")
SHEAF_ALLOCATED = _event("sheaf allocated")
SHEAF_FAILED = _event("sheaf failed")
SHEAF_FULL = _event("sheaf full")
SHEAVES_BACK = _event("sheaves back")

EVENTS = tuple(_names)
CODE = {name: np.int64(number) for number, name in enumerate(EVENTS)}
