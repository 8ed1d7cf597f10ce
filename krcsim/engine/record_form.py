# SPDX-License-Identifier: GPL-2.0-only
"""How records of compiled code are declared: the form of a field, and what several records have.

A class derived from Record has the NumPy dtype that its annotations give, in their order. A field
may be a record itself.
"""

from typing import Annotated, Any, ClassVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

CHANNELS = 3  # blocks of slab objects, blocks of vmalloc objects, and the list
BLOCK_CHANNELS = 2  # those with blocks: slab and vmalloc

Word = Annotated[int, "u8"]  # 64 random bits
PerChannel = Annotated[NDArray[np.int64], ("i8", CHANNELS)]  # a whole number for each channel
PerBlockChannel = Annotated[NDArray[np.int64], ("i8", BLOCK_CHANNELS)]  # the same without the list
PerBlockChannelTime = Annotated[NDArray[np.float64], ("f8", BLOCK_CHANNELS)]  # a time for each
PerRequest = Annotated[NDArray[np.float64], ("f8", (2, 7))]  # in calm and in an episode
_PLAIN = {int: "i8", float: "f8"}


class Record:
    """A record of compiled code: the dtype is made from the annotations of its class."""

    dtype: ClassVar[np.dtype[Any]]

    def __init_subclass__(cls) -> None:
        hints = get_type_hints(cls, include_extras=True)
        fields = [_field(name, hints[name]) for name in cls.__annotations__]
        cls.dtype = np.dtype(fields, align=True)


def _field(name: str, hint: Any) -> tuple[Any, ...]:
    """A field as NumPy wants it."""
    if hint in _PLAIN:
        return name, _PLAIN[hint]

    if isinstance(hint, type) and issubclass(hint, Record):
        return name, hint.dtype

    (form,) = hint.__metadata__
    return (name, *form) if isinstance(form, tuple) else (name, form)


class Stream(Record):
    """The state of a random stream, xoshiro256++; a record, so that functions get one pointer."""

    a: Word  # 64 bits
    b: Word  # 64 bits
    c: Word  # 64 bits
    d: Word  # 64 bits


class Real(Record):
    """A floating-point number of an array."""

    x: float  # in the unit of its array


class Count(Record):
    """A whole number of an array."""

    n: int  # a number


class RecordedCell(Record):
    """A cell of a recording: calls of a CPU of which only the number is known."""

    calls: int  # calls
    begins_at: float  # since the begin of the recording, ticks
    ends_at: float  # the same


class RatePiece(Record):
    """A piece of time of a rate that changes."""

    begins_at: float  # since the begin of the period, ticks
    factor: float  # its rate, as a multiple of the mean rate
    load_before: float  # the load time of the pieces before it: see load_time.py, ticks


class EventRecord(Record):
    """An event of the log, and what its CPU held after it."""

    code: int  # what happened: an index of EVENTS
    cpu: int  # on which CPU; ALL_CPUS if it concerns all
    nr_emergency: int  # objects in the pool
    cached: int  # pages cached
    room: int  # free entries of its head blocks
    queued: int  # objects queued
    listed: int  # those of them on the list
    at: float  # when, ticks
    value: float  # a number that depends on the code


class HeapNode(Record):
    """Nodes 0 to heap_size - 1 are in heap order; those behind hold the free slots."""

    slot: int  # the index of a HeldCall
    at: float  # when its stall or wait is over, ticks
