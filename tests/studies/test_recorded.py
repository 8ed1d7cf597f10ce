# SPDX-License-Identifier: GPL-2.0-only
"""Answers over the draws of a recording: chance, and what the recording does not know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.model.joint import Joint, joint_text
from krcsim.model.scenario import Scenario, changed
from krcsim.results.recorded_parts import parts_of, recording_of
from krcsim.results.result import Result, load_result
from krcsim.studies.ask import ask
from krcsim.studies.inputs import INPUTS
from krcsim.studies.recorded import (
    Recorded,
    ask_recording,
    compare_recording,
    recorded_sentences,
    seed_of_draw,
)
from krcsim.studies.recorded_ranges import ASSUMED, RECORDED, recorded_ranges
from krcsim.studies.sensitivity import Index, Sensitivity, sensitivity
from krcsim.studies.sensitivity_chart import caption, draw_sensitivity
from krcsim.studies.what_to_record import what_to_record
from krcsim.trace.draws import joint_of
from krcsim.trace.fit import make
from tests.trace.simulated import Truth, recorded

SMALL = changed(krcsim.load_scenario("thread-as-posted"), **{"horizon_ms": 6000.0, "remedy": "A0"})
# How often an rcu_head fails is hardly known; all else is.
FAILURES = [0.05 * 1.2**n for n in range(10)]
JOINT = Joint(
    SMALL,
    tuple(changed(SMALL, **{"allocator.episode.page": 0.1 * p / 0.05}) for p in FAILURES),
    ("allocator.episode.page",),
    ("allocator.calm_ms",),
    60.0,
)
KNOWN = Joint(SMALL, (SMALL,) * 10, ("workload.rate_hz",), (), 60.0)


@pytest.fixture(scope="module")
def found() -> Recorded:
    return ask_recording(JOINT, max_runs=64)


@pytest.fixture(scope="module")
def compared() -> Result:
    return compare_recording(JOINT, ["A0", "A1"], max_runs=64)


def test_what_the_recording_does_not_know_is_most_of_the_interval(found: Recorded) -> None:
    parts = found.parts
    assert parts.recording is not None
    assert parts.recording > 0.7
    assert parts.whole.half_width > 2 * parts.fitted.half_width


def test_where_the_recording_knows_all_the_rest_is_chance() -> None:
    parts = ask_recording(KNOWN, max_runs=64).parts
    assert parts.recording is not None
    assert parts.recording < 0.7


def test_the_interval_holds_the_answers_of_nearly_all_draws(found: Recorded) -> None:
    whole = found.parts.whole
    assert whole.lo is not None
    assert whole.hi is not None
    inside = [whole.lo <= (e.value or 0.0) <= whole.hi for e in found.drawn]
    assert sum(inside) >= 9


def test_it_is_said_in_sentences(found: Recorded) -> None:
    said = recorded_sentences(found)
    assert "over 10 draws of what 60 s of recording do not know" in said
    assert "% is what the recording does not know" in said
    assert "A recording ten times longer would leave" in said
    assert "what stays assumed: allocator.calm_ms" in said


def test_a_file_is_taken_as_well(found: Recorded, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(joint_text(JOINT))
    assert ask_recording(str(path), max_runs=64) == found


def test_a_scenario_without_draws_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "plain.toml"
    path.write_text("krcsim = 1\n")
    for asked in (ask_recording, compare_recording):
        with pytest.raises(KrcsimError, match="has no draws of a recording; let krcsim read"):
            asked(str(path))


def test_the_same_seed_gives_the_same_answer(found: Recorded) -> None:
    assert ask_recording(JOINT, max_runs=64) == found
    assert ask_recording(JOINT, max_runs=64, seed=5).drawn != found.drawn


def test_draws_have_the_same_random_numbers_however_many_are_asked_and_whichever_first() -> None:
    fewer = Joint(JOINT.scenario, JOINT.draws[:8], JOINT.varies, JOINT.assumed, JOINT.seconds)
    assert len({seed_of_draw(seed, n) for seed in (1, 2) for n in range(200)}) == 400
    assert all(0 <= seed_of_draw(2**63 - 1, n) < 2**63 for n in range(200))
    how = dict(max_runs=32, budget=1e12)
    few, many = (ask_recording(joint, **how).drawn for joint in (fewer, JOINT))
    assert few == many[:8]


def test_a_comparison_holds_both_parts_in_each_row(compared: Result) -> None:
    parts = parts_of(compared)
    assert recording_of(compared) == (60.0, 10)
    for remedy in ("A0", "A1"):
        one = parts[remedy, "steady", "p_wait"]
        assert one.whole == compared.get(remedy, "p_wait", "steady")
        assert (one.recording or 0.0) > 0.5
        assert one.whole.half_width > one.fitted.half_width


def test_remedies_are_told_apart_within_draws(compared: Result) -> None:
    """A1 is better in each draw, though what is not known of the machine moves both a lot."""
    a0, a1 = (compared.get(name, "p_wait", "steady") for name in ("A0", "A1"))
    assert (a1.hi or 0.0) > (a0.lo or 0.0)
    row = next(row for row in compared.differences if row[2:4] == ("steady", "p_wait"))
    assert float(row[6] or 0.0) < 0.0


def test_a_result_over_draws_is_saved_and_read(compared: Result, tmp_path: Path) -> None:
    again = load_result(compared.save(tmp_path / "r.json"))
    assert parts_of(again) == parts_of(compared)
    assert again.rows == compared.rows


def test_the_answer_to_the_list_says_that_intervals_hold_it(compared: Result) -> None:
    text = krcsim.answer_text(compared).replace("\n", " ")
    assert "Intervals hold what 60 s of recording do not know." in text


@pytest.mark.parametrize(
    "wrong",
    [
        3,
        {},
        {"seconds": 1.0, "draws": 9, "parts": [[1, 2]]},
        {"seconds": "x", "draws": 9, "parts": []},
    ],
    ids=str,
)
def test_a_file_that_lies_about_its_recording_has_no_parts(wrong: object, compared: Result) -> None:
    told = Result(compared.columns, compared.rows, (), compared.provenance | {"recording": wrong})
    assert parts_of(told) == {}


@pytest.mark.slow
def test_the_interval_holds_p_wait_of_the_machine_that_was_recorded() -> None:
    """50 recordings of 30 s: nine in ten at least; the simulation alone is too sure of itself."""
    machine = Truth(
        rate_hz=20, seconds=30, episode_page=0.5, episode_noretry=0.3, requests_hz=100,
        episode_ms=200, calm_ms=1000,
    )  # fmt: skip
    true = ask(the_same(machine), precision=0.03).estimate.value
    assert true is not None
    holds = alone = 0
    for seed in range(50):
        made_of_it = joint_of(make(recorded(machine, 5000 + seed), SMALL, ""), SMALL, 8)
        parts = ask_recording(made_of_it, max_runs=256).parts
        holds += (parts.whole.lo or 0.0) <= true <= (parts.whole.hi or 0.0)
        alone += (parts.fitted.lo or 0.0) <= true <= (parts.fitted.hi or 0.0)
    assert holds >= 45
    assert alone < 30


def the_same(machine: Truth) -> Scenario:
    """The scenario of a machine, from what it is and not from a recording."""
    lengths = np.random.default_rng(0).gamma(4.0, machine.grace_period_ms / 4.0, 400)
    return changed(
        SMALL,
        **{
            "machine.cpus": machine.cpus,
            "workload.arrivals": machine.arrivals,
            "workload.gap": None,
            "workload.burst": None,
            "workload.loop": "open",
            "workload.rate_hz": machine.rate_hz,
            "workload.single_share": machine.single_share,
            "workload.vmalloc_share": machine.vmalloc_share,
            "allocator.episodes": "exponential",
            "allocator.episode_ms": machine.episode_ms,
            "allocator.calm_ms": machine.calm_ms,
            "allocator.calm.page": machine.calm_page,
            "allocator.calm.page_noretry": 0.0,
            "allocator.episode.page": machine.episode_page,
            "allocator.episode.page_noretry": machine.episode_noretry,
            "allocator.stall_ms": machine.stall_ms,
            "allocator.stall_sigma": machine.stall_sigma,
            "grace_period.kind": "ticks",
            "grace_period.mean_ms": None,
            "grace_period.lengths_ms": tuple(lengths),
        },
    )


def test_ranges_are_those_of_the_draws_and_what_is_assumed_is_said() -> None:
    ranges, origins = recorded_ranges(JOINT)
    low, high = ranges["page"]
    assert 0.1 < low < 0.12
    assert 0.45 < high < 0.52
    assert origins == {"page": RECORDED, "head": ASSUMED, "calm_ms": ASSUMED}


@pytest.mark.parametrize("name", ["phase_ms", "gp_mean_ms", "noretry", "calm_page", "single_share"])
def test_an_input_of_a_recording_is_put_where_it_is_read(name: str) -> None:
    base = changed(
        SMALL,
        **{
            "workload.arrivals": "onoff",
            "grace_period.lengths_ms": (8.0, 12.0, 16.0),
            "grace_period.mean_ms": None,
            "allocator.episode.page_noretry": 0.4,
        },
    )
    known = INPUTS[name]
    value = 0.9 * known.get(base) or 0.01
    assert known.get(known.put(base, value)) == pytest.approx(value)


def test_a_ranking_over_a_recording_says_where_each_range_comes_from() -> None:
    ranked = sensitivity(JOINT, n=4, max_runs=8)
    assert {row.name: row.origin for row in ranked.indices} == recorded_ranges(JOINT)[1]
    assert "what the recording does not know" in caption(ranked)
    from matplotlib.figure import Figure

    names = [
        text.get_text() for text in draw_sensitivity(ranked, Figure().subplots()).get_yticklabels()
    ]
    assert all(name.endswith(("(recorded)", "(assumed)")) for name in names)


def ranking(**more: object) -> Sensitivity:
    """A ranking in which the recorded calm leads, before an assumption."""
    rows = (
        Index("calm_ms", (1e3, 2e3), (0.6, 0.5, 0.7), (0.7, 0.6, 0.8), RECORDED),
        Index("grace_ms", (5.0, 20.0), (0.2, 0.1, 0.3), (0.3, 0.2, 0.4), ASSUMED),
    )
    how = dict(
        quantity="p_wait", window="steady", indices=rows, floor=1e-6, at_floor=0.0, chance=0.05,
        spread=0.3, n=64, points=256, max_runs=16, scenario=SMALL, seed=1,
    )  # fmt: skip
    return Sensitivity(**{**how, **more})  # type: ignore[arg-type]


def test_record_longer_is_an_answer() -> None:
    said = what_to_record(ranking())
    assert "70 % is what the recording does not know, 30 % what is assumed" in said
    assert "Record ten times longer: 61 % of the spread would be left" in said
    assert said.endswith("Most comes from the calm between episodes.")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("grace_ms", "Measure the length of grace periods: it is an assumption"),
        ("head", "which no recording shows"),
    ],
)
def test_measure_this_one_is_an_answer(name: str, wanted: str) -> None:
    rows = (
        Index(name, (1.0, 2.0), (0.6, 0.5, 0.7), (0.7, 0.6, 0.8), ASSUMED),
        Index("calm_ms", (1e3, 2e3), (0.2, 0.1, 0.3), (0.3, 0.2, 0.4), RECORDED),
    )
    assert wanted in what_to_record(ranking(indices=rows))


@pytest.mark.parametrize(
    ("more", "wanted"),
    [({"at_floor": 0.9}, "raise max_runs"), ({"chance": 2.0}, "All of it may be chance")],
)
def test_what_ranks_nothing_is_said_to(more: dict[str, float], wanted: str) -> None:
    assert wanted in what_to_record(ranking(**more))


def test_of_ranges_that_were_given_nothing_is_advised() -> None:
    rows = (Index("calm_ms", (1e3, 2e3), (0.6, 0.5, 0.7), (0.7, 0.6, 0.8)),) * 2
    assert what_to_record(ranking(indices=rows)) == ""
