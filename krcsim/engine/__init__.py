# SPDX-License-Identifier: GPL-2.0-only
"""The compiled engine: one event loop for all remedies, which skips what cannot matter.

Its functions are plain Python over declared records; krcsim/runs/engines.py compiles them, all at
once and without what a scenario does not have.

The rules are those of docs/model.md; docstrings cite their numbers. What stands where, in an order
in which it can be read:

record_form           how records are declared
records, pointers     what a run remembers, field by field; how compiled code reaches it
codes                 every enumeration
random_streams, seeds  random numbers; what each stream is seeded with
channels, batches     sums over the channels; the batches of a CPU
event_log, calendar   what happened; what comes next

grace_periods         grace periods, and the readers that hold them up
ready_blocks          blocks with cookies: what the monitor frees itself
page_memory           memory as pages: watermarks, reclaim, kswapd
barns, sheaves        kfree_rcu_sheaf(): what a call does before kvfree_call_rcu() has its turn
monitor               kfree_rcu_monitor(): what is queued goes into batches
refill                the refill worker: pages for the caches
wake_order, waiters   in which order waiters wake; the list of the grace-period kthread
synchronize           a call waits for a grace period
kvfree_call           kvfree_call_rcu(): one call, step by step
works                 kfree_rcu_work(): a batch is freed

call_draws            what a call is and whether its requests fail
biased_draws          the same, where failures are made more frequent
plans                 uneventful calls are accounted for together
bursts, call_source   when calls are made

held_calls            a wait or a stall is over
maintenance           monitors, batches and works of a CPU
pressure              episodes, probabilities in force, windows
event_loop            the order of all this

copying               a copy of a run
danger                how near a run is to run out of pages
biased_copies         rare waits by importance sampling
splitting             rare waits by splitting
entry_points          what Python calls

Words that are used throughout:

channel       where an object is queued: in blocks of slab objects, in blocks of vmalloc objects, or
              on the linked list
block         a page of pointers, struct kvfree_rcu_bulk_data; the head block is the one that is
              being filled
wrapper       an rcu_head that was allocated for a single-argument call, with a back pointer to the
              object; on the list it stands for the object
own head      the rcu_head inside the object of a double-argument call, which needs no wrapper
pool          the emergency pool: wrappers that a CPU keeps for calls that can allocate none
held call     a call that stalls in direct reclaim, or waits for a grace period
window        the part of a run to which counts belong: boot or steady state, or an episode
calm          the time between two episodes of memory pressure
eventful      (of a call) it does more than append to a head block or, with a monitor pending, to
              the list
plan          calls of a CPU of which all but the last are uneventful, drawn at once: see plans.py
settle        account for the uneventful calls of a plan up to a given time
place         where a run is when biased copies of it begin: see biased_copies.py
"""
