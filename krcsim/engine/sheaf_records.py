# SPDX-License-Identifier: GPL-2.0-only
"""What the engine remembers of sheaves: of all caches, and of each cache on each CPU and node.

Names are those of the kernel's mm/slub.c. What a cache has for itself is in size_records.py.
"""

from krcsim.engine.record_form import Record

NO_SHEAF = -1  # in the place of the number of objects in a sheaf: there is none


class KmemCache(Record):
    """struct kmem_cache: what all caches of objects that calls free have in common, and how much is
    in them together; World.kmem_cache.
    """

    # Parameters.
    barn_full: int  # full sheaves that a barn takes from callbacks (MAX_FULL_SHEAVES)
    barn_empty: int  # empty sheaves that it takes from them (MAX_EMPTY_SHEAVES)
    node_cpus: int  # CPUs of a node, which share a barn
    nr_nodes: int  # nodes
    sheaf_share: float  # probability that a sheaf takes an object that is not of vmalloc()
    share_of_slab: float  # the same of an object in a slab page
    reuse_rate: float  # allocations a tick and CPU
    laziness: float  # a full sheaf asks for its grace period so much later at most, ticks

    # State.
    p_sheaf_fails: float  # a request of a new sheaf fails: see set_probabilities_in_force()
    filling: int  # objects in the sheaves that calls fill, of all CPUs
    in_flight: int  # objects in full sheaves that wait
    in_batches: int  # objects in batches and works


class CpuSheaves(Record):
    """struct slub_percpu_sheaves, the sheaves of a cache on a CPU, one for each size of objects."""

    rcu_free: int  # pointers in the sheaf that kfree_rcu() fills, or NO_SHEAF
    spare: int  # objects in the spare sheaf, 0 or all, or NO_SHEAF
    main: int  # objects in the main sheaf when allocations were last accounted for
    main_known_at: float  # the allocations before this time are accounted for, ticks
    main_empty_at: float  # when an allocation finds the main sheaf empty, ticks
    allocations: int  # allocations of a timetable that are accounted for
    lazy: int  # full sheaves that have not asked for a grace period yet
    object_slots: int  # free places for objects in slab pages, where callers allocate them
    # The plan was drawn for calls that this sheaf takes without being full: see sheaf_plans.py.
    is_skipped: int  # flag; without meaning if there is one size


class Barn(Record):
    """struct node_barn: the sheaves of a cache on a node, and those in flight that its CPUs have
    filled.
    """

    nr_full: int  # sheaves full of free objects
    nr_empty: int  # sheaves without objects
    waits_for_next: int  # full sheaves that wait for grace period gps_done + 1
    waits_for_later: int  # full sheaves that wait for the one after that
    asked_tick: int  # the tick in which a sheaf last asked for a grace period
    asked_now: int  # how many sheaves asked for one in that tick
    coming_back: int  # sheaves whose grace period is over; they are back at World.sheaves_back_at
    free_slab_objects: int  # free objects of the size of a sheaf, in slab lists
