# SPDX-License-Identifier: GPL-2.0-only
"""What the engine remembers of who calls, and of calls that are held up."""

from krcsim.engine.record_form import Record


class Producer(Record):
    """A producer of a periodic or burst source."""

    calls_left: int  # calls of its burst that are still to be made
    is_blocked: int  # flag: a call of it waits or stalls
    due_at: float  # when its burst is due, ticks
    ready_at: float  # when it has woken up for that, ticks


class HeldCall(Record):
    """A held-up call: in synchronize_rcu(), or in the heap of stalls and expedited waits."""

    waits_for: int  # NO_STALL, PAGE_STALL, HEAD_STALL, OBJECT_STALL, EXPEDITED_WAIT, LISTED_WAIT
    cpu: int  # its CPU, by number
    producer: int  # its producer, by number
    window: int  # the window in which it was made
    episode: int  # the number of the episode in which it was made; 0: in calm
    episode_window: int  # the window in which that episode began
    episode_has_waited: int  # flag: a call of that episode waited already
    channel: int  # SLAB or VMALLOC
    page_fails: int  # flag: its page request will fail in the end
    needed_gp: int  # the grace period that it waits for, by number
    rounds: int  # rounds of reclaim without progress, of a request that may not fail
    is_weighted: int  # flag: its wait was counted with the weight of a copy
    began_at: float  # when its caller began it, maybe with a request for an object, ticks
    called_at: float  # when it was made, ticks
    asked_at: float  # when it asked for a grace period, ticks
    wait_began_at: float  # when its wait began, ticks
    wakes_at: float  # when its wait is over, ticks
    refused_by_sheaf: int  # why no sheaf took its object: as World.refused_by_sheaf
    size: int  # the size of its object, by number
    u_head: float  # its uniform number for requests of an rcu_head
    p_head_fails_at_first: float  # when it was made: probability that it gets none at once
    p_head_fails_after_reclaim: float  # when it was made: probability that it gets none at last
