# SPDX-License-Identifier: GPL-2.0-only
"""Records are declared in full, and a copy of a run takes all of them: who adds a field, an array
or a random stream cannot forget it.
"""

import inspect
import re
from typing import Any

import numba
import numpy as np
import pytest

from krcsim.engine import copying, kvfree_call, records
from krcsim.engine.call_records import HeldCall
from krcsim.engine.copying import COPIED_ARRAYS, OTHER_ARRAYS
from krcsim.engine.records import Cpu, Record, Stream, World
from krcsim.engine.seeds import CPU_STREAMS, WORLD_STREAMS
from krcsim.model.scenario import Scenario, changed
from krcsim.runs.arena import Arena
from krcsim.runs.engine_source import function_of

copy_state = function_of("copying", "copy_state", numba.njit)
renew_streams = function_of("copying", "renew_streams", numba.njit)
new_waiter = function_of("calendar", "new_waiter", numba.njit)

BURSTS = changed(
    Scenario(),
    **{
        "machine.cpus": 2,
        "workload.arrivals": "bursts",
        "workload.loop": "closed",
        "workload.producers": 3,
        "remedy.refill": "e7",
        "remedy.sheaves": True,
        "remedy.ready_blocks": True,  # what draws nothing renews no stream
        "grace_period.background_hz": 10.0,
        "workload.object_sizes": [[64, 1.0], [512, 1.0]],
    },
)
HELD_UP = 3  # calls that wait, and as many that stall
FIRST_WAITER = 5
OWN = ("copy_stream", "peak_count", "log_capacity")  # besides the addresses


def classes() -> list[type[Record]]:
    """All records."""
    return Record.__subclasses__()


def streams_of(record: type[Record]) -> list[str]:
    """Names of the random streams of a record."""
    return [name for name in record.__annotations__ if record.dtype[name] == Stream.dtype]


@pytest.mark.parametrize("record", classes(), ids=lambda record: record.__name__)
def test_each_field_has_a_comment(record: type[Record]) -> None:
    source = inspect.getsource(record)
    for name in record.__annotations__:
        assert re.search(rf"^    {name}: \w+  # \w", source, re.MULTILINE), name


def test_each_array_is_copied_or_need_not_be() -> None:
    names = [n.removesuffix("_address") for n in World.__annotations__ if n.endswith("_address")]
    assert sorted(names) == sorted(COPIED_ARRAYS + OTHER_ARRAYS)


def test_a_copy_keeps_its_own_fields_and_takes_all_others() -> None:
    offsets = {name: World.dtype.fields[name][1] for name in World.__annotations__}  # type: ignore[index]
    kept = {name for name, offset in offsets.items() if offset >= copying.WORLD_BYTES}
    assert kept == {*OWN, *(name for name in offsets if name.endswith("_address"))}


def test_each_stream_has_a_seed() -> None:
    assert [*WORLD_STREAMS, "copy_stream"] == streams_of(World)
    assert list(CPU_STREAMS) == streams_of(Cpu)


def test_no_other_record_has_a_stream() -> None:
    with_streams = [record for record in classes() if streams_of(record)]
    assert set(with_streams) == {World, Cpu}


def test_each_field_of_a_held_call_is_set_when_it_is_held() -> None:
    source = inspect.getsource(kvfree_call.hold_call)
    forgotten = [n for n in HeldCall.__annotations__ if f"held_call.{n} = " not in source]
    assert not forgotten


def noise(array: np.ndarray[Any, Any], seed: int) -> None:
    """Fill an array with random bytes."""
    array.view(np.uint8)[:] = np.random.default_rng(seed).integers(0, 256, array.nbytes, np.uint8)


def two_worlds() -> tuple[np.ndarray[Any, Any], list[dict[str, np.ndarray[Any, Any]]]]:
    """A run in any state, and another one; with their arrays."""
    arena = Arena(BURSTS, copies={})
    worlds = arena.template.copy()
    for number, arrays in enumerate(arena.all_arrays):
        for name in COPIED_ARRAYS:
            if name != "heap":
                noise(arrays[name], number)
        arrays["heap"]["at"] = np.arange(len(arrays["heap"])) + 100.0 * number
    arena.all_arrays[1]["heap"]["slot"] = np.arange(len(arena.all_arrays[1]["heap"]))[::-1]
    worlds["self_address"] = worlds.ctypes.data + World.dtype.itemsize * np.arange(len(worlds))
    worlds[0]["waiters_head"], worlds[0]["waiters_tail"] = FIRST_WAITER, FIRST_WAITER + HELD_UP
    worlds[0]["heap_size"] = HELD_UP
    return worlds, arena.all_arrays


def test_a_copy_is_in_the_same_state() -> None:
    @numba.njit  # type: ignore[untyped-decorator]
    def copied(worlds: Any) -> None:
        copy_state(worlds[1], worlds[0])

    worlds, arrays = two_worlds()
    copied(worlds)
    for name in World.__annotations__:
        if name not in OWN and World.dtype[name].names:  # a record within
            assert worlds[0][name].tobytes() == worlds[1][name].tobytes(), name
        elif name not in OWN and not name.endswith("_address"):
            assert worlds[0][name] == pytest.approx(worlds[1][name], nan_ok=True), name

    waiting = slice(FIRST_WAITER, FIRST_WAITER + HELD_UP)
    parts = dict.fromkeys(
        ("cpus", "sizes", "pcs", "barns", "batches", "producers", "tournament"), slice(None)
    )
    parts["waiters"] = waiting
    for name, part in parts.items():
        assert arrays[0][name][part].tobytes() == arrays[1][name][part].tobytes(), name
    assert arrays[0]["counters"]["peak"][0] == pytest.approx(
        arrays[1]["counters"]["peak"][0], nan_ok=True
    )
    for node in range(HELD_UP):
        original, copy = (a["heap"][node] for a in arrays)
        assert original["at"] == copy["at"]
        calls = [a["stalled"][n["slot"]] for a, n in zip(arrays, (original, copy), strict=True)]
        assert calls[0].tobytes() == calls[1].tobytes()
    compared = {*parts, "counters", "heap", "stalled"}
    assert compared == {*COPIED_ARRAYS}


def test_a_new_waiter_has_all_fields_of_its_call() -> None:
    @numba.njit  # type: ignore[untyped-decorator]
    def joined(worlds: Any) -> None:
        new_waiter(worlds[0])

    worlds, arrays = two_worlds()
    joined(worlds)
    assert worlds[0]["waiters_tail"] == FIRST_WAITER + HELD_UP + 1
    slot = arrays[0]["heap"]["slot"][HELD_UP]  # the free one
    waiter = arrays[0]["waiters"][FIRST_WAITER + HELD_UP]
    assert waiter.tobytes() == arrays[0]["stalled"][slot].tobytes()


def test_a_copy_gets_random_numbers_of_its_own() -> None:
    @numba.njit  # type: ignore[untyped-decorator]
    def renewed(worlds: Any) -> None:
        copy_state(worlds[1], worlds[0])
        renew_streams(worlds[1], worlds[0])

    worlds, arrays = two_worlds()
    worlds["copy_stream"] = (1, 2, 3, 4)
    renewed(worlds)
    for name in WORLD_STREAMS:
        assert worlds[0][name] != worlds[1][name], name
    for name in CPU_STREAMS:
        if name == "replay_stream":  # nothing is drawn from it but at boot
            continue
        assert np.all(arrays[0]["cpus"][name] != arrays[1]["cpus"][name]), name


def test_records_have_no_fields_but_declared_ones() -> None:
    for record in classes():
        assert record.dtype.names == tuple(record.__annotations__)
    assert tuple(records.Counters.__annotations__) == records.COUNTERS
