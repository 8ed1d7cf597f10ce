# SPDX-License-Identifier: GPL-2.0-only
"""From recordings to scenarios that replay them: what was recorded is what is called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from krcsim.base.errors import KrcsimError
from krcsim.model.calls import RecordedCalls
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import data_folder, load_scenario
from krcsim.results.estimate import Estimate
from krcsim.results.two_parts import combined
from krcsim.runs.replications import replicate
from krcsim.trace import tally
from krcsim.trace.draws import joint_of
from krcsim.trace.evidence import Evidence
from krcsim.trace.fit import make
from krcsim.trace.predicted import predicted_against_recorded
from krcsim.trace.reading import read
from krcsim.trace.replay import blocks_that_keep_phases
from tests.trace.lines import CALL, event
from tests.trace.simulated import Truth, recorded
from tests.trace.test_archive import archive

BASE = "thread-as-posted"
ONOFF = Truth(arrivals="onoff", requests_hz=50, rate_hz=200, seconds=60.0)
OTHER = "(rcu_gp_init+0x0/0x550)"


def lines(folder: Path, *times: tuple[float, int], name: str = "trace.txt") -> Path:
    """A trace of calls, each with its time in s and CPU, from an event at 100 s to one at 102 s."""
    path = folder / name
    first, last = (event(at, "gps", OTHER) for at in (100.0, 102.0))
    calls = [event(at, "kvf", CALL, cpu=cpu) for at, cpu in times]
    path.write_text("\n".join([first, *calls, last]) + "\n")
    return path


def replayed(evidence: Evidence) -> Scenario:
    return make(evidence, load_scenario(BASE), BASE, replays=True).scenario


def calls_of(scenario: Scenario) -> RecordedCalls:
    assert scenario.workload.calls is not None
    return scenario.workload.calls


def test_calls_of_a_trace_come_at_their_own_times(tmp_path: Path) -> None:
    path = lines(tmp_path, (100.25, 5), (100.250007, 5), (101.5, 2), (100.0, 2))
    scenario = replayed(read([path], call_times=True))
    calls = calls_of(scenario)
    assert calls.cell_ms == 0.0
    assert calls.times_ms(0) == pytest.approx([0.0, 1500.0])
    assert calls.times_ms(1) == pytest.approx([250.0, 250.007], abs=1e-6)
    assert scenario.machine.cpus == 2
    assert scenario.horizon_ms == pytest.approx(2000.0)
    assert scenario.warmup_ms == pytest.approx(400.0)


def test_without_times_calls_come_in_their_windows(tmp_path: Path) -> None:
    calls = calls_of(replayed(read([archive(tmp_path)], call_times=True)))
    assert calls.cell_ms == 10.0
    assert calls.length_ms == 10_000.0
    assert [calls.cells(cpu)[0].tolist() for cpu in (0, 1)] == [[5000.0], [6000.0]]
    assert calls.total == 125


def test_where_some_calls_have_no_time_all_are_counted_in_windows(tmp_path: Path) -> None:
    paths = [archive(tmp_path), lines(tmp_path, (100.25, 1), (101.0, 1))]
    calls = calls_of(replayed(read(paths, call_times=True)))
    assert calls.cell_ms == 10.0
    assert calls.total == 127


def test_a_pause_of_the_recording_is_left_out(tmp_path: Path) -> None:
    later = [event(at, "kvf", CALL) for at in (400.0, 401.0)]
    path = lines(tmp_path, (101.0, 0))
    path.write_text(path.read_text() + "\n".join(later) + "\n")
    calls = calls_of(replayed(read([path], call_times=True)))
    assert calls.length_ms == pytest.approx(3000.0)
    assert calls.times_ms(0) == pytest.approx([1000.0, 2000.0, 3000.0])


def test_more_times_than_are_kept_become_counts_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "MOST_TIMES", 2)
    path = lines(tmp_path, (100.25, 0), (100.3, 0), (101.0, 0))
    evidence = read([path], call_times=True)
    assert calls_of(replayed(evidence)).cell_ms == 10.0
    assert any("only counts in windows" in note for note in evidence.notes)


def test_a_recording_without_a_call_cannot_be_replayed(tmp_path: Path) -> None:
    with pytest.raises(KrcsimError, match="^--replay needs calls of kfree_rcu"):
        replayed(read([lines(tmp_path)], call_times=True))


@pytest.mark.parametrize("name", ["6.1-bursts", "7.3-onoff"])
def test_the_engine_makes_the_calls_of_a_sample_window_by_window(name: str) -> None:
    evidence = read([data_folder() / "recordings" / f"{name}.txt.gz"], call_times=True)
    scenario = replayed(evidence)
    first = int(np.ceil(evidence.spans[0][0] * 100 - 1e-6))
    middle = 1000  # cells
    before = evidence.calls.windows < first + middle
    inside = evidence.calls.windows >= first
    runs = replicate(changed(scenario, warmup_ms=10.0 * middle), 1, 0, 2)
    made = runs.of("single", 0) + runs.of("double", 0)
    assert np.all(made == evidence.calls.calls[before & inside].sum())
    last = first + round(scenario.horizon_ms / 10.0)
    behind = ~before & (evidence.calls.windows < last)
    made = runs.of("single", 1) + runs.of("double", 1)
    assert np.all(made == evidence.calls.calls[behind].sum())


def test_draws_have_other_calls_and_with_them_what_calls_say_themselves(tmp_path: Path) -> None:
    made = make(read([archive(tmp_path)]), load_scenario(BASE), BASE, replays=True)
    joint = joint_of(made, load_scenario(BASE), 8)
    assert "workload.rate_hz" in made.values
    assert "workload.rate_hz" not in joint.varies
    assert "workload.calls" in joint.varies
    for draw in joint.draws:
        assert draw.workload.calls is not None
        assert draw.workload.rate_hz == draw.workload.calls.rate_hz
        assert draw.horizon_ms == made.scenario.horizon_ms


@pytest.mark.usefixtures("warm_engine")
def test_where_calls_are_replayed_the_monitor_runs_as_often_as_it_did() -> None:
    sample = data_folder() / "recordings" / "6.12-onoff.txt.gz"
    made = make(read([sample]), load_scenario(BASE), BASE, replays=True)
    (monitor, *_) = predicted_against_recorded(made).rows
    assert monitor.name == "runs of the monitor"
    assert monitor.predicted == pytest.approx(monitor.recorded, rel=0.02)


def count_in(scenario: Scenario) -> NDArray[np.int64]:
    """The calls of all CPUs in windows of 10 ms, in the order in which they are replayed."""
    calls = calls_of(scenario)
    found = np.zeros(round(calls.length_ms / 10.0), np.int64)
    for cpu in range(len(calls.cpus)):
        begins, _, counts = calls.cells(cpu)
        np.add.at(found, np.round(begins / 10.0).astype(int), counts)
    return found


def test_a_draw_replays_whole_blocks_of_time_of_all_cpus_together() -> None:
    made = make(recorded(ONOFF, 1), load_scenario(BASE), BASE, replays=True)
    whole = count_in(made.scenario)
    for draw in joint_of(made, load_scenario(BASE), 8).draws:
        calls, again = calls_of(draw), count_in(draw)
        width = round(calls.block_ms / 10.0)
        for place, begin_ms in enumerate(calls.blocks_ms):
            first = round(begin_ms / 10.0)
            here = slice(place * width, place * width + width)
            assert (again[here] == whole[first : first + width]).all()


def test_exact_times_are_drawn_in_blocks_too(tmp_path: Path) -> None:
    times = [(100.0 + n * 0.0125, n % 2) for n in range(1, 4000)]
    first, last = (event(at, "gps", OTHER) for at in (100.0, 150.0))
    path = tmp_path / "trace.txt"
    path.write_text("\n".join([first, *(event(at, "kvf", CALL, cpu=c) for at, c in times), last]))
    made = make(read([path], call_times=True), load_scenario(BASE), BASE, replays=True)
    for draw in joint_of(made, load_scenario(BASE), 8).draws:
        calls = calls_of(draw)
        assert calls.cell_ms == 0.0
        assert len(calls.blocks_ms) >= 8
        both = np.sort(np.concatenate([calls.times_ms(0), calls.times_ms(1)]))
        gaps = np.diff(both)
        assert np.median(gaps) == pytest.approx(12.5)
        assert np.mean(np.abs(gaps - 12.5) < 0.01) > 0.97  # but at the seams


def test_calls_in_long_phases_are_cut_into_fewer_and_longer_blocks() -> None:
    slow = replace(ONOFF, on_ms=400.0, off_ms=1200.0)
    few, many = (blocks_that_keep_phases(recorded(one, 1)) for one in (slow, ONOFF))
    assert 8 <= few < 15
    assert many == 30


def busy(scenario: Scenario) -> float:
    """How often 100 ms have half as many calls again as on average: a number that hangs on phases,
    as P(wait) does, and needs no engine.
    """
    counts = count_in(scenario)
    in_100_ms = counts[: len(counts) // 10 * 10].reshape(-1, 10).sum(axis=1)
    return float(np.mean(in_100_ms > 60))


def holds_of(recordings: int) -> tuple[int, int]:
    """How many intervals over draws of replayed calls hold the truth, and how many of the replay
    alone, of which chance says nothing.
    """
    base = load_scenario(BASE)
    truth = replace(ONOFF, seconds=1500.0)
    true = busy(make(recorded(truth, 99), base, BASE, replays=True).scenario)
    holds = alone = 0
    for seed in range(recordings):
        joint = joint_of(
            make(recorded(ONOFF, 500 + seed), base, BASE, replays=True), base, seed=seed
        )
        values = [busy(draw) for draw in (joint.scenario, *joint.draws)]
        estimates = [Estimate(x, x * 0.98, x * 1.02, "interval") for x in values]
        whole = combined(estimates[0], estimates[1:]).whole
        holds += (whole.lo or 0.0) <= true <= (whole.hi or 0.0)
        alone += values[0] * 0.98 <= true <= values[0] * 1.02
    return holds, alone


def test_an_interval_over_draws_of_replayed_calls_holds_what_another_minute_would_show() -> None:
    holds, alone = holds_of(12)
    assert holds >= 10
    assert alone < 8


@pytest.mark.slow
def test_nine_in_ten_intervals_over_draws_of_replayed_calls_hold_the_truth() -> None:
    holds, alone = holds_of(60)
    assert holds >= 54
    assert alone < 30
