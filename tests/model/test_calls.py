# SPDX-License-Identifier: GPL-2.0-only
"""Recorded calls as a value: lines that can be read, and what is refused."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.base.errors import FieldError, KrcsimError
from krcsim.model.calls import RecordedCalls, counted_calls, given_calls, timed_calls
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.model.scenario_file import load_scenario, toml_text

COUNTS = st.lists(st.lists(st.integers(0, 12), max_size=60), min_size=1, max_size=4)
TIMES = st.lists(st.lists(st.integers(0, 10_000_000), max_size=60), min_size=1, max_size=4)  # ns


def replayed(calls: RecordedCalls, **more: Any) -> Scenario:
    """A scenario with that recording."""
    own = {
        "workload.arrivals": "replay",
        "workload.calls": calls,
        "machine.cpus": len(calls.cpus),
        "warmup_ms": 0.0,
        "horizon_ms": calls.length_ms,
    }
    return changed(load_scenario("thread-as-posted"), **own | more)


def test_equal_words_in_a_row_are_written_as_one() -> None:
    assert counted_calls([[7, 7, 7, 0, 0, 0, 0, 1, 1, 0]], 10.0).cpus == ("7*3 0*4 1 1",)
    assert timed_calls([[0.5, 1.0, 1.5, 3.0001235]], 5.0).cpus == ("500*3 1500.124",)


def test_blocks_are_replayed_one_behind_another_and_then_what_is_left() -> None:
    counts = counted_calls([[1, 2, 3, 4, 5, 6, 7]], 10.0)
    other = replace(counts, block_ms=20.0, blocks_ms=(40.0, 0.0, 0.0))
    assert other.cells(0)[2].tolist() == [5, 6, 1, 2, 1, 2, 7]
    assert other.total == 24
    times = timed_calls([[1.0, 12.0, 25.0, 38.5]], 45.0)
    other = replace(times, block_ms=20.0, blocks_ms=(20.0, 20.0))
    assert other.times_ms(0).tolist() == [5.0, 18.5, 25.0, 38.5]
    other = replace(times, block_ms=15.0, blocks_ms=(30.0, 0.0))
    assert other.times_ms(0).tolist() == [8.5, 16.0, 27.0, 38.5]
    assert from_dict(tomllib.loads(toml_text(replayed(other)))) == replayed(other)


@pytest.mark.parametrize(
    "blocks",
    [
        dict(block_ms=20.0, blocks_ms=(60.0,)),
        dict(block_ms=20.0, blocks_ms=(-10.0,)),
        dict(block_ms=20.0, blocks_ms=(0.0,) * 4),
        dict(block_ms=15.0, blocks_ms=(0.0,)),
        dict(block_ms=20.0, blocks_ms=(5.0,)),
        dict(block_ms=0.0, blocks_ms=(0.0,)),
        dict(block_ms=20.0, blocks_ms=("0",)),
        dict(block_ms=20.0, blocks_ms=(float("nan"),)),
        dict(block_ms=20.0, blocks_ms=5),
    ],
)
def test_blocks_beside_the_recording_are_refused(blocks: dict[str, Any]) -> None:
    with pytest.raises(FieldError, match="blocks_ms"):
        replace(counted_calls([[1, 2, 3, 4, 5, 6, 7]], 10.0), **blocks)


@given(COUNTS)
def test_counts_come_back_as_they_were(counts: list[list[int]]) -> None:
    calls = counted_calls(counts, 10.0, 700.0)
    assert calls.total == sum(map(sum, counts))
    for cpu, one in enumerate(counts):
        begins, ends, some = calls.cells(cpu)
        assert some.tolist() == [n for n in one if n]
        assert begins == pytest.approx([10.0 * place for place, n in enumerate(one) if n])
        assert ends == pytest.approx(begins + 10.0)


@given(TIMES)
def test_exact_times_come_back_to_the_nanosecond(times: list[list[int]]) -> None:
    calls = timed_calls([[t / 1e6 for t in one] for one in times], 10.0)
    for cpu, one in enumerate(times):
        assert np.round(calls.times_ms(cpu) * 1e6).tolist() == sorted(one)


@given(COUNTS.filter(lambda counts: any(map(any, counts))), st.booleans())
def test_a_scenario_with_a_recording_is_the_same_from_its_file(
    counts: list[list[int]], repeat: bool
) -> None:
    scenario = replayed(counted_calls(counts, 10.0, 700.0, repeat=repeat))
    again = from_dict(tomllib.loads(toml_text(scenario)))
    assert again == scenario
    assert hash(again) == hash(scenario)


@given(TIMES.filter(any), st.floats(0.0, 25.0), st.booleans())
def test_no_span_holds_more_calls_than_is_said(
    times: list[list[int]], span_ms: float, repeat: bool
) -> None:
    calls = timed_calls([[t / 1e6 for t in one] for one in times], 10.0, repeat=repeat)
    turns = 4 if repeat else 1
    most = 0
    for cpu in range(len(times)):
        turn = calls.times_ms(cpu)
        at = np.concatenate([turn + 10.0 * number for number in range(turns)])
        inside = (at[None, :] >= at[:, None]) & (at[None, :] <= at[:, None] + span_ms)
        most = max([most, *inside[: len(turn)].sum(axis=1)])
    assert calls.most_calls(span_ms) == most


def test_whole_cells_count_as_if_their_calls_stood_at_the_near_ends() -> None:
    calls = counted_calls([[3, 0, 0, 2]], 10.0)
    assert calls.most_calls(19.0) == 3
    assert calls.most_calls(21.0) == 5


def test_the_rate_is_that_of_the_recording() -> None:
    scenario = replayed(counted_calls([[3, 0, 0, 2], []], 10.0))
    assert scenario.workload.rate_hz == pytest.approx(5 / 2 / 0.04)
    poisson = changed(scenario, **{"workload.arrivals": "poisson"})
    assert poisson.workload.calls is None
    assert poisson.workload.rate_hz == scenario.workload.rate_hz


REFUSED: dict[str, dict[str, Any]] = {
    "workload.calls.cpus is ": dict(cpus=[]),
    "workload.calls.cpus is 'many calls": dict(cpus="many calls"),
    "workload.calls.cpus[0] is ": dict(cpus=["1 2 three"]),
    "workload.calls.cpus[1] is ": dict(cpus=["1", "1  2"]),
    "workload.calls.cpus[0] is '1.5": dict(cpus=["1.5"], cell_ms=10.0),
    "workload.calls.cpus[0] is '9": dict(cpus=["999999999999*999999999"]),
    "workload.calls.cpus[0] is 'calls at 5000 ms": dict(cpus=["1000*5000"]),
    "workload.calls.cpus[0] is 'calls at 1000 ms": dict(cpus=["0*100 1"], cell_ms=10.0),
    "workload.calls.cpus is '15000000 calls": dict(cpus=["7500000"] * 2, cell_ms=10.0),
    "workload.calls.length_ms": dict(cpus=["1"], length_ms=0.0),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_no_recording_is_refused_with_its_place(words: str) -> None:
    with pytest.raises(FieldError) as refusal:
        RecordedCalls(**REFUSED[words])
    assert str(refusal.value).startswith(words)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"machine.cpus": 3}, "machine.cpus is 3; allowed: 2 CPUs"),
        ({"horizon_ms": 41.0}, "scenario.horizon_ms is 41"),
        ({"workload.loop": "closed"}, "workload.loop is 'closed'"),
        ({"workload.calls": counted_calls([[0], [0]], 10.0, 40.0)}, "workload.calls is "),
        ({"workload.rate_hz": 7.0}, "workload.rate_hz is 7.0; allowed: 62.5 calls/s per CPU"),
        ({"workload.calls": None}, "workload.arrivals is 'replay'"),
        ({"workload.calls": dict(cpu=["1"])}, "workload.calls.cpu is not a field"),
        ({"workload.arrivals": "onoff", "workload.calls": dict(cpus=["1"])}, "workload.calls is "),
    ],
    ids=str,
)
def test_what_does_not_go_with_a_recording_is_refused(more: dict[str, Any], words: str) -> None:
    scenario = replayed(counted_calls([[3, 0, 0, 2], []], 10.0))
    with pytest.raises(KrcsimError) as refusal:
        changed(scenario, **more)
    assert str(refusal.value).startswith(words)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["cpus", "cell_ms", "length_ms", "x"]), inner)
        ),
        max_leaves=6,
    )
)
def test_any_value_is_a_recording_or_refused_in_one_line(value: Any) -> None:
    line = ""
    try:
        given_calls(value)
    except KrcsimError as exc:
        line = str(exc)
    assert "\n" not in line


@given(st.text(alphabet="0123456789.* x-e", max_size=30), st.booleans())
def test_any_line_is_read_or_refused(line: str, counts: bool) -> None:
    try:
        calls = RecordedCalls(cpus=(line,), cell_ms=10.0 * counts, length_ms=1e8)
    except FieldError:
        return
    assert calls.total >= 0
    assert not counts or calls.cells(0)[2].sum() == calls.total
    assert counts or len(calls.times_ms(0)) == calls.total
