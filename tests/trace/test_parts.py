# SPDX-License-Identifier: GPL-2.0-only
"""Calls that were counted in parts of the time only."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from krcsim.base.errors import KrcsimError
from krcsim.model.scenario_file import load_scenario
from krcsim.trace import parts
from krcsim.trace.chart import chart_of
from krcsim.trace.draws import joint_of
from krcsim.trace.evidence import Evidence
from krcsim.trace.fit import Made, make
from krcsim.trace.reading import read
from krcsim.trace.words import what_was_read
from tests.trace.simulated import BEGIN_S, Truth, recorded

SPAN = ((10.0, 20.0),)
HEAD = "#@krcsim-recording 2\n#@armed calls\n#@span 10.00 20.00\n"
COUNTED = "".join(f"#@counted {at}.50 {at}.72\n" for at in range(10, 19))
ROWS = "#@hist calls single slab\n" + "".join(
    f"{{ common_timestamp: ~ {at}{ten}0000000-{at}{ten}9999999, cpu: 0 }} hitcount: 7\n"
    for at in range(10, 19)
    for ten in (49, 50, 60, 71, 72, 90)
)


def made_of(tmp_path: Path, text: str) -> Made:
    path = tmp_path / "a.txt"
    path.write_text(text + "#@end\n")
    return make(read([path]), load_scenario("thread-as-posted"), "base")


def test_all_parts_are_as_long_as_the_shortest() -> None:
    found = parts.counted_spans(SPAN, [(11.0, 11.3), (13.004, 13.25), (15.0, 15.4)])
    assert np.allclose(found, [(11.0, 11.24), (13.01, 13.25), (15.0, 15.24)])


def test_a_part_that_was_cut_short_does_not_shorten_the_others() -> None:
    found = parts.counted_spans(SPAN, [(11.0, 11.3), (13.0, 13.3), (15.0, 15.02)])
    assert np.allclose(found, [(11.0, 11.3), (13.0, 13.3)])


def test_a_recording_without_parts_keeps_its_time() -> None:
    assert parts.counted_spans((*SPAN, (30.0, 40.0)), []) == (*SPAN, (30.0, 40.0))
    both = parts.counted_spans((*SPAN, (30.0, 40.0)), [(11.0, 11.3)])
    assert np.allclose(both, [(11.0, 11.3), (30.0, 40.0)])


def test_the_rate_is_of_the_time_in_which_calls_were_counted(tmp_path: Path) -> None:
    made = made_of(tmp_path, HEAD + COUNTED + ROWS)
    assert made.evidence.calls.total == 9 * 3 * 7  # not those in windows around a part
    assert made.evidence.seconds == pytest.approx(10.0)
    assert made.evidence.calls_seconds == pytest.approx(9 * 0.22)
    assert made.scenario.workload.rate_hz == pytest.approx(3 * 7 / 0.22)
    assert "9 parts of 0.22 s out of 10 s" in made.values["workload.rate_hz"].evidence
    assert "9 parts of 0.22 s out of 10 s" in what_was_read(made.evidence)
    assert made.evidence.not_understood == 0


def test_calls_of_parts_that_are_not_said_are_none(tmp_path: Path) -> None:
    rest = "#@hist count monitor\n{ common_timestamp: ~ 15000000000-15099999999 } hitcount: 1\n"
    made = made_of(tmp_path, HEAD + ROWS + rest)
    assert "workload.rate_hz" not in made.values
    assert any("does not say in which" in note for note in made.notes)


@pytest.mark.parametrize("words", ["x 12", "12.5 12.1", "5 8", "12.5 99", "nan nan", "12.5 1e99"])
def test_a_part_that_is_none_is_not_believed(tmp_path: Path, words: str) -> None:
    text = HEAD + f"#@counted {words}\n" + COUNTED + ROWS
    assert made_of(tmp_path, text).evidence.calls.total == 9 * 3 * 7


def test_a_replay_of_parts_is_refused_with_its_remedy(tmp_path: Path) -> None:
    evidence = made_of(tmp_path, HEAD + COUNTED + ROWS).evidence
    with pytest.raises(KrcsimError, match="--most-cpu 100"):
        make(evidence, load_scenario("thread-as-posted"), "base", replays=True)


def test_what_was_not_counted_is_no_zero_in_the_picture(tmp_path: Path) -> None:
    chart = chart_of(made_of(tmp_path, HEAD + COUNTED + ROWS))
    known = [rate for rate in chart.calls if not math.isnan(rate)]
    assert 9 <= len(known) < len(chart.calls) / 2
    assert chart.edges[-1] == pytest.approx(10.0)


def in_parts(evidence: Evidence, seed: int) -> Evidence:
    """The same, with calls counted in a twelfth of each of twelve pieces of the time."""
    random = np.random.default_rng(seed)
    width = evidence.seconds / 12
    begins = BEGIN_S + width * (np.arange(12) + 0.9 * random.random(12))
    spans = parts.counted_spans(evidence.spans, [(at, at + width / 12) for at in begins])
    return replace(evidence, calls_spans=spans, calls=parts.within(evidence.calls, spans))


@pytest.mark.parametrize(
    "truth",
    [
        Truth(seconds=60.0, rate_hz=600.0, cpus=1),
        Truth(seconds=60.0, rate_hz=600.0, cpus=1, arrivals="onoff", on_ms=50.0, off_ms=150.0),
        Truth(seconds=60.0, rate_hz=600.0, cpus=1, burst=8),
    ],
    ids=["single", "phases", "bursts"],
)
def test_intervals_from_parts_hold_the_truth(truth: Truth) -> None:
    base = load_scenario("thread-as-posted")
    wanted = {"workload.rate_hz": truth.rate_hz, "workload.single_share": truth.single_share}
    missed, wider = 0, 0
    for seed in range(30):
        whole = recorded(truth, seed)
        some = make(in_parts(whole, seed), base, "base")
        for field, true in wanted.items():
            limits = some.values[field].limits
            assert limits is not None
            missed += not limits.low <= true <= limits.high
        every = make(whole, base, "base").values["workload.rate_hz"].limits
        found = some.values["workload.rate_hz"].limits
        assert every is not None
        assert found is not None
        wider += found.high / found.low > every.high / every.low
    assert missed <= 6  # of 60
    assert wider >= 28  # of 30


def test_draws_of_parts_vary_in_what_the_parts_leave_open() -> None:
    base = load_scenario("thread-as-posted")
    evidence = in_parts(recorded(Truth(seconds=60.0, rate_hz=600.0, cpus=1), 5), 5)
    joint = joint_of(make(evidence, base, "base"), base, 8)
    rates = [draw.workload.rate_hz for draw in joint.draws]
    assert len(set(rates)) == 8
    assert 500.0 < min(rates) < max(rates) < 720.0
