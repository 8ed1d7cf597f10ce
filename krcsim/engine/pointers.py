# SPDX-License-Identifier: GPL-2.0-only
"""Records are reached by address: an element of an array, without the array."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import from_dtype, types
from numba.core import cgutils
from numba.extending import intrinsic

from krcsim.engine.call_records import HeldCall, Producer
from krcsim.engine.record_form import RatePiece
from krcsim.engine.records import (
    Batch,
    Count,
    Counters,
    Cpu,
    EventRecord,
    HeapNode,
    Real,
    Record,
    RecordedCell,
    Tally,
)
from krcsim.engine.sheaf_records import Barn, CpuSheaves
from krcsim.engine.size_records import ObjectSize

R = TypeVar("R", bound=Record)


def _pointer_to(record: type[R]) -> Callable[[int, int], R]:
    """A compiled function (address of an array, index) -> record.

    Arrays as arguments would triple the compile time.
    """
    numba_type = from_dtype(record.dtype)
    itemsize = record.dtype.itemsize

    @intrinsic  # type: ignore[untyped-decorator]
    def element(_typing: object, _base: object, _index: object) -> Any:
        def code(context: Any, builder: Any, _signature: object, args: Any) -> Any:
            offset = builder.mul(args[1], context.get_constant(types.intp, itemsize))
            address = builder.add(args[0], offset)
            return builder.inttoptr(address, context.get_value_type(numba_type))

        return numba_type(types.int64, types.int64), code

    return cast(Callable[[int, int], R], element)


cpu_at = _pointer_to(Cpu)
batch_at = _pointer_to(Batch)
barn_at = _pointer_to(Barn)
pcs_at = _pointer_to(CpuSheaves)
size_at = _pointer_to(ObjectSize)
producer_at = _pointer_to(Producer)
held_call_at = _pointer_to(HeldCall)
heap_node_at = _pointer_to(HeapNode)
counters_at = _pointer_to(Counters)
tally_at = _pointer_to(Tally)
event_at = _pointer_to(EventRecord)
real_at = _pointer_to(Real)
recorded_cell_at = _pointer_to(RecordedCell)
rate_piece_at = _pointer_to(RatePiece)
count_at = _pointer_to(Count)


@intrinsic  # type: ignore[untyped-decorator]
def _move_bytes(_typing: object, _to: object, _origin: object, _count: object) -> Any:
    """Copy bytes from one address to another."""

    def code(_context: object, builder: Any, _signature: object, args: Any) -> Any:
        to, origin = (builder.inttoptr(address, cgutils.voidptr_t) for address in args[:2])
        cgutils.raw_memcpy(builder, to, origin, args[2], 1)

    return types.void(types.int64, types.int64, types.int64), code


# Copies bytes: (to this address, from this address, how many).
move_bytes = cast(Callable[[int, int, int], None], _move_bytes)
