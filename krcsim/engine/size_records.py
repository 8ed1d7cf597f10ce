# SPDX-License-Identifier: GPL-2.0-only
"""What the engine remembers of each size of objects (rules R111 to R115 of docs/model.md)."""

from krcsim.engine.record_form import Record


class ObjectSize(Record):
    """A size of objects, which has a cache of its own; World.nr_sizes of them, ascending."""

    # Parameters.
    object_bytes: int  # bytes
    share: float  # of the calls
    objects_per_page: int  # objects in a slab page
    pages_per_object: int  # pages of an object that is larger than a page
    release_share: float  # share of the pages of freed objects that become free pages
    live_objects: int  # objects of a CPU that are in use
    sheaf_capacity: int  # pointers in a sheaf of its cache
    page_sheaves: int  # sheaves in a page of slab objects

    # State.
    behind: int  # deferred objects that are in no sheaf; counted if there are several sizes
    moved: int  # of the objects that are freed now those of this size
    leaving_objects: float  # freed objects of slab pages that are not free as a whole yet
    staying_objects: float  # free places in slab pages that do not make up a place yet
