# SPDX-License-Identifier: GPL-2.0-only
"""The verbs: answers depend on scenario, seed and number of replications, and on nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.results.result import Result, load_result
from krcsim.runs.ladder import extend
from krcsim.runs.replications import replicate
from krcsim.studies.compare import compare
from krcsim.studies.simulate import simulate
from krcsim.sweeps.grid import sweep

THREAD = krcsim.load_scenario("thread-as-posted")
QUICK = replace(THREAD, warmup_ms=500.0, horizon_ms=3000.0)


@pytest.fixture(scope="module")
def answer() -> Result:
    return compare(QUICK, ["A0", "A1", "C-A0", "D5-A1"], max_runs=32, command="krcsim compare x")


def test_the_same_question_gets_the_same_table(answer: Result) -> None:
    again = compare(QUICK, ["A0", "A1", "C-A0", "D5-A1"], max_runs=32, command="krcsim compare x")
    assert again.to_json() == answer.to_json()


def test_two_threads_count_what_one_counts() -> None:
    one, two = (extend(QUICK, 3, None, 40, workers=n) for n in (1, 2))
    assert (one.counts == two.counts).all()
    assert (one.wait_hist == two.wait_hist).all()


def test_going_on_counts_what_starting_anew_counts() -> None:
    some = extend(QUICK, 3, None, 8)
    assert (extend(QUICK, 3, some, 24).counts == replicate(QUICK, 3, 0, 24).counts).all()


def test_another_seed_gets_another_answer(answer: Result) -> None:
    other = compare(QUICK, ["A0"], max_runs=32, seed=1)
    assert other.get("A0", "p_wait", "steady") != answer.get("A0", "p_wait", "steady")


def test_boot_and_steady_state_are_two_answers(answer: Result) -> None:
    assert answer.windows() == ["boot", "steady"]


def test_a_run_without_a_boot_window_has_one_answer() -> None:
    assert compare(replace(QUICK, warmup_ms=0.0), ["A1"], max_runs=8).windows() == ["steady"]


def test_no_wait_seen_is_a_bound_above_zero() -> None:
    e = compare(QUICK, ["D5-A1"], max_runs=32, budget=0.0).get("D5-A1", "p_wait", "steady")
    assert e.kind == "bound"
    assert e.value is None
    assert (e.hi or 0) > 0


def test_where_no_run_tells_two_remedies_apart_the_difference_is_zero_within_what_the_rows_allow(
    answer: Result,
) -> None:
    rows = [r for r in answer.differences if r[0] == "C-A0" and r[2:4] == ("steady", "p_wait")]
    e = answer.get("A0", "p_wait", "steady")
    ((*_, value, lo, hi, saves),) = rows
    assert (value, saves) == (0.0, 1.0)
    assert float(str(lo)) < 0.0 < float(str(hi)) < (e.hi or 0.0)


def test_precision_stops_the_ladder_where_it_is_reached() -> None:
    rough = compare(THREAD, ["A0"], precision=0.5, max_runs=2048)
    fine = compare(THREAD, ["A0"], precision=0.1, max_runs=2048)
    assert rough.cell(("A0",), "replications") < fine.cell(("A0",), "replications")
    assert fine.get("A0", "p_wait", "steady").half_width <= 0.1


def test_a_sweep_over_nothing_is_one_run() -> None:
    assert len(sweep(QUICK, {}, max_runs=8).points()) == 1


def test_swept_values_are_columns() -> None:
    over = {"remedy": ["A1", "B"], "workload.rate_hz": [100.0, 1000.0]}
    result = sweep(QUICK, over, max_runs=8)
    assert result.parameters == ("remedy", "workload.rate_hz")
    assert result.points() == [("A1", 100.0), ("A1", 1000.0), ("B", 100.0), ("B", 1000.0)]


def test_a_grid_without_values_or_with_too_many_is_refused() -> None:
    with pytest.raises(KrcsimError, match="no value"):
        sweep(QUICK, {"workload.rate_hz": []})
    with pytest.raises(KrcsimError, match="points"):
        sweep(QUICK, {"workload.rate_hz": list(range(1, 200)), "machine.cpus": list(range(1, 200))})


def test_one_run_tells_its_events_in_order_of_time() -> None:
    run = simulate(QUICK, seed=4, events=5000)
    times = [e[0] for e in run.events]
    assert times == sorted(times)
    assert {"episode begins", "wait begins", "batch queued"} <= {e[2] for e in run.events}


def test_a_result_survives_saving_and_loading(answer: Result, tmp_path: Path) -> None:
    answer.save(tmp_path / "r.json")
    assert load_result(tmp_path / "r.json") == answer


def test_a_result_is_never_overwritten_unasked(answer: Result, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    answer.save(path)
    before = path.read_bytes()
    with pytest.raises(KrcsimError, match="exists"):
        compare(QUICK, ["A1"], max_runs=8).save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


def test_a_result_cannot_be_saved_where_there_is_no_folder(answer: Result, tmp_path: Path) -> None:
    with pytest.raises(KrcsimError, match="folder"):
        answer.save(tmp_path / "none" / "r.json")


@given(cut=st.integers(0, 5000))
def test_a_truncated_result_is_refused(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    text = compare(QUICK, ["A1"], max_runs=8).to_json()
    path = tmp_path_factory.mktemp("cut") / "r.json"
    path.write_text(text[: min(cut, len(text) - 2)])
    with pytest.raises(KrcsimError):
        load_result(path)


@given(data=st.binary(max_size=300))
def test_bytes_that_are_no_result_are_refused(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("junk") / "r.json"
    path.write_bytes(data)
    with pytest.raises(KrcsimError):
        load_result(path)


@pytest.mark.parametrize("change", ["value", "column", "format", "shape"])
def test_an_edited_result_is_refused(answer: Result, tmp_path: Path, change: str) -> None:
    body = json.loads(answer.to_json())
    if change == "value":
        body["rows"][0][4] = 0.5
    elif change == "column":
        body["columns"][1] = "other"
    elif change == "format":
        body["format"] = "krcsim-result/99"
    else:
        body["rows"] = [1, 2, 3]
    path = tmp_path / "r.json"
    path.write_text(json.dumps(body))
    with pytest.raises(KrcsimError):
        load_result(path)


def test_when_every_episode_waits_the_share_has_a_lower_bound_below_one() -> None:
    always = {"page": 1.0, "head": 1.0}
    given = {"allocator.episodes": "schedule", "allocator.schedules": [[600, 900], [1000, 1500]]}
    given["allocator.calm.page"] = 1.0  # else cached pages may last for a short episode
    sure = krcsim.changed(QUICK, **{"allocator.episode": always}, **given)
    e = compare(sure, ["A0"], max_runs=32).get("A0", "p_episode", "steady")
    assert e.value == e.hi == 1.0
    assert 0.3 < (e.lo or 0) < 1.0


def test_no_interval_of_a_probability_passes_one(answer: Result) -> None:
    for row in answer.rows:
        d = dict(zip(answer.columns, row, strict=True))
        if str(d["quantity"]).startswith("p_") and d["hi"] is not None:
            assert float(d["hi"]) <= 1.0
