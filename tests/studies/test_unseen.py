# SPDX-License-Identifier: GPL-2.0-only
"""Where plain runs see no wait other methods are asked; and no two things that an answer says
contradict each other.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.cli.main import main
from krcsim.cli.result_table import result_table
from krcsim.methods import rare
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario
from krcsim.report.chart import Chart, Line, chart_of, in_strip, names_in_strip
from krcsim.report.count_cells import count_of
from krcsim.report.figures import FLOOR, figure_of, limits, strip
from krcsim.report.palette import WHITE
from krcsim.report.reply import answer_text
from krcsim.report.text_plot import NONE_SEEN, log_plot
from krcsim.results.estimate import NOTHING, Estimate
from krcsim.results.quantities import p_wait_episode
from krcsim.results.result import METHODS, Result, load_result
from krcsim.runs.replications import Stopped, replicate
from krcsim.studies.compare import compare, episodes
from krcsim.studies.entries import Entry
from krcsim.studies.unseen import Gaps, estimate_in_gap
from tests.engine.test_properties import examples
from tests.quick import mostly_slow
from tests.report.made_results import parts_of
from validation.scenarios import random_scenario

POSTED = replace(load_scenario("thread-as-posted"), horizon_ms=6000.0)
RARE = changed(POSTED, remedy="B4f")  # no plain run of a few dozen sees its pool empty
QUANTITIES = ("p_wait", "p_wait_episode", "p_episode", "blocked", "wait_ms")


# ---- what closes a gap


def test_a_proof_closes_the_gap_of_all_quantities_that_hang_on_a_wait() -> None:
    result = compare(POSTED, ["A1", "D5-A1"], max_runs=8)
    for window in result.windows():
        for quantity in ("p_wait", "p_wait_episode", "p_episode", "blocked"):
            e = result.get("D5-A1", quantity, window)
            assert (e.kind, result.detail("D5-A1", quantity, window)) == (
                "bound",
                "by construction",
            )
            assert 0.0 < (e.hi or 0.0) < 1e-12
    assert "5 pages a channel" in result.provenance["why"]["D5-A1"]


def test_forks_close_the_gap_where_luck_makes_waits_rare() -> None:
    result = compare(RARE, ["own"], max_runs=64)
    left = compare(RARE, ["own"], max_runs=64, budget=0.0)
    for window, quantity in (
        (w, q) for w in result.windows() for q in ("p_wait", "p_wait_episode", "blocked")
    ):
        was, now = (r.get("own", quantity, window) for r in (left, result))
        assert was.value is None
        assert now.value is not None
        assert quantity == "blocked" or now.value < (was.hi or 0.0)
        assert result.detail("own", quantity, window) == "rare"


def test_the_exact_chain_closes_the_gap_in_a_small_world() -> None:
    small = changed(
        load_scenario("small-world"),
        **{"remedy.nr_emergency_objs": 8, "remedy.emergency_at_boot": 8},
    )
    result = compare(small, ["own"], max_runs=8)
    e = result.get("own", "p_wait", "steady")
    assert (e.kind, result.detail("own", "p_wait", "steady")) == ("exact", "exact")
    assert e.value == krcsim.ask(small, method="exact").estimate.value


def test_what_plain_runs_saw_is_left_as_it_is() -> None:
    asked, plain = (
        compare(POSTED, ["A0", "A1", "D5-A1"], max_runs=16, budget=b) for b in (1e6, 0.0)
    )
    for name in ("A0", "A1"):
        assert [row for row in asked.rows if row[0] == name] == [
            row for row in plain.rows if row[0] == name
        ]


def test_without_a_budget_the_bound_is_all() -> None:
    result = compare(RARE, ["own"], max_runs=16, budget=0.0)
    assert {row[-1] for row in result.rows if row[-3] == "bound"} == {"bound"}
    with pytest.raises(KrcsimError, match="budget"):
        compare(RARE, ["own"], budget=-1.0)


def test_the_same_budget_gives_the_same_answer() -> None:
    one, two = (compare(RARE, ["A1", "own"], max_runs=32, budget=3e5).to_json() for _ in range(2))
    assert one == two


def test_looking_for_what_was_not_seen_can_be_stopped() -> None:
    have: dict[Scenario, Any] = {}
    compare(RARE, ["own"], max_runs=32, budget=0.0, have=have)
    stop = np.ones(1, np.int64)
    with pytest.raises(Stopped):
        compare(RARE, ["own"], max_runs=32, have=have, stop=stop)


@pytest.mark.parametrize(
    "preset", mostly_slow(["thread-as-discussed", "phone", "small-world"], "small-world")
)
def test_no_row_ends_in_a_bound_that_asking_beats(preset: str) -> None:
    s = load_scenario(preset)
    result = compare(s, ["own", "B8", "B8f", "D2-A1", "D5-A1"], max_runs=64, budget=4e6)
    bounds = [row for row in result.rows if row[2] == "p_wait" and row[-1] == "bound"]
    for name, window, *_ in bounds:
        world = changed(s, remedy=krcsim.named(str(name), s.remedy))
        asked = krcsim.ask(world, window=window, max_runs=64, budget=4e6)
        assert asked.estimate.value is None, (name, window)


@pytest.mark.slow
def test_episode_by_episode_biased_copies_say_what_plain_runs_say() -> None:
    s = load_scenario("thread-as-discussed")
    w = changed(s, remedy=krcsim.named("B3-own", s.remedy), warmup_ms=0.0, horizon_ms=8000.0)
    runs = replicate(w, 1, 0, 512, by_episode=2)
    copied = rare.extend(w, 7, None, 64, by_episode=2)
    split = rare.extend(w, 8, None, 32, ((-6.0, 3), (-3.0, 3)), by_episode=2)
    plain = {n: p_wait_episode(runs, w, n) for n in (1, 2)}
    where = [(n, "p_wait_episode") for n in (1, 2)]
    entries = {place: Entry(NOTHING, 512) for place in where}
    gaps = Gaps(w, runs, entries, tuple(where), 1, 0.1, 512, 1e6, 2, None)
    for found, place in itertools.product((copied, split), where):
        e = estimate_in_gap(gaps, found, place)
        assert (e.lo or 1.0) < (plain[place[0]].hi or 0.0)
        assert (e.hi or 0.0) > (plain[place[0]].lo or 1.0)


def test_the_first_episodes_of_a_full_pool_are_no_bounds() -> None:
    result = episodes(POSTED, ["A1", "B5f"], count=2, max_runs=64)
    found = [result.get("B5f", "p_wait_episode", w) for w in result.windows()]
    assert all(e.value is not None and e.value < 1e-3 for e in found)


# ---- a file says how its rows were found


def test_an_older_file_is_read_and_does_not_say_how_its_rows_were_found(tmp_path: Path) -> None:
    result = compare(POSTED, ["A0", "D5-A1"], max_runs=8, budget=0.0)
    body = json.loads(result.to_json())
    body["format"], body["columns"] = "krcsim-result/1", [*body["columns"][:-1], "rung"]
    body["rows"] = [[*row[:-1], 0] for row in body["rows"]]
    del body["sha256"], body["provenance"]["budget"], body["provenance"]["why"]
    text = json.dumps(body, indent=1, sort_keys=True)
    path = tmp_path / "old.json"
    path.write_text(json.dumps(body | {"sha256": hashlib.sha256(text.encode()).hexdigest()}))
    old = load_result(path)
    assert [row[:-1] for row in old.rows] == [row[:-1] for row in result.rows]
    assert {row[-1] for row in old.rows} == {None}
    assert "none seen" in answer_text(old)


def test_the_shell_says_how_each_row_was_found_and_what_was_spent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert (
        main(
            [
                "compare",
                "thread-as-posted",
                "--remedies",
                "A1,D5-A1",
                "--max-runs",
                "8",
                "--budget",
                "1e6",
            ]
        )
        == 0
    )
    out = capsys.readouterr().out
    assert re.search(r"D5-A1 .* by construction\n", out)
    assert "D5-A1 (known by construction). Up to 1e6 events more were spent" in " ".join(
        out.split()
    )


def test_a_budget_beside_a_table_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    into = ["--into", str(tmp_path / "t.csv"), "--over", "machine.cpus=1,2"]
    assert main(["sweep", "phone", *into, "--budget", "1e6"]) == 2
    assert "--budget" in capsys.readouterr().err


# ---- pictures


def picture(*estimates: Estimate) -> Chart:
    x = tuple(64.0 * 2**k for k in range(len(estimates)))
    return Chart((Line("N pages", tuple(map(str, range(len(x)))), x, estimates),), "x", "y", True)


MEASURED = Estimate(2e-4, 1e-4, 4e-4, "interval")
BOUND = Estimate(None, 0.0, 0.02, "bound")
NEVER = Estimate(0.0, 0.0, 0.0, "exact")


def test_a_bound_moves_no_axis_and_stands_below_it() -> None:
    with_bound, without = picture(MEASURED, BOUND), picture(MEASURED)
    assert limits(with_bound)[2:] == limits(without)[2:]
    assert strip(without) == {}
    (y,) = strip(with_bound).values()
    assert y < limits(with_bound)[2]


@pytest.mark.parametrize("gap", [BOUND, NEVER], ids=["none seen", "none possible"])
def test_a_hollow_star_is_all_that_is_drawn_of_a_point_at_which_no_wait_was_seen(
    gap: Estimate,
) -> None:
    chart = picture(MEASURED, gap)
    ax = figure_of(chart).axes[0]
    at = chart.lines[0].x[1]
    low = limits(chart)[2]
    heights = [
        (line.get_marker(), line.get_markerfacecolor(), float(y))
        for line in ax.lines
        for x, y in zip(*map(np.atleast_1d, line.get_data()), strict=True)
        if x == at and math.isfinite(y)
    ]
    assert [(marker, face) for marker, face, _ in heights] == [("*", WHITE)]
    assert heights[0][2] < low
    assert all(tick >= 0.99 * low for tick in ax.get_yticks())
    assert "none seen" in [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(
    ("gap", "said"),
    [(BOUND, "none seen: < 0.02"), (NEVER, "no wait possible")],
    ids=["none seen", "none possible"],
)
def test_a_line_that_ends_in_the_strip_says_what_is_known_there(gap: Estimate, said: str) -> None:
    texts = [text.get_text() for text in figure_of(picture(MEASURED, gap)).axes[0].texts]
    assert f"N pages\n{said}" in texts


def test_no_interval_reaches_into_the_strip() -> None:
    chart = picture(Estimate(1e-4, 1e-12, 1e-2, "interval"), BOUND)
    low = limits(chart)[2]
    assert (low, 1e-2) in spans(chart)


def test_a_rough_interval_that_says_nothing_is_not_drawn_but_its_point_is_marked() -> None:
    chart = picture(Estimate(2e-8, 5e-10, BOUND.hi, "rough"), MEASURED)
    assert spans(chart) == []
    ax = figure_of(chart).axes[0]
    assert "~0" in [text.get_text() for text in ax.texts]
    assert any("~: order of magnitude only" in text.get_text() for text in ax.texts)


def spans(chart: Chart) -> list[tuple[float, float]]:
    """The intervals drawn at the first point of a chart."""
    drawn = figure_of(chart).axes[0].collections
    ends = [
        ends
        for found in drawn
        if isinstance(found, LineCollection)
        for ends in found.get_segments()
    ]
    return [(float(low[1]), float(high[1])) for low, high in ends if low[0] == chart.lines[0].x[0]]


def test_in_plain_text_what_was_not_seen_stands_below_the_axis() -> None:
    lines = log_plot(picture(MEASURED, BOUND, NEVER))
    foot = next(n for n, line in enumerate(lines) if NONE_SEEN in line)
    letters = [re.findall(r"o(?= |$)", line.split("|")[-1].split("+")[-1]) for line in lines]
    assert len(letters[foot]) == 2
    assert sum(map(len, letters[:foot])) == 1


def test_a_plot_of_bounds_alone_has_no_heights() -> None:
    lines = log_plot(picture(BOUND, BOUND))
    assert not [line for line in lines if "1 in" in line]


# ---- one answer does not contradict itself


@cache
def answered(
    world: int, luck: float, max_runs: int, budget: float, by_episode: bool
) -> Result | None:
    """Remedies in a random world, in which rcu_head requests fail less often than there."""
    s = random_scenario(world)
    a = s.allocator
    fewer = {
        f"allocator.{when}.{name}": getattr(f, name) * luck
        for when, f in (("calm", a.calm), ("episode", a.episode))
        for name in ("head", "head_atomic", "head_high", "head_reclaim")
        if getattr(f, name) is not None
    }
    s = changed(s, warmup_ms=150.0, horizon_ms=700.0, **fewer)
    names = ["own", "A0", "A1", "B2-own", "B6f-own"] + ["D3-own"] * s.remedy.array_path
    try:
        ask = partial(episodes, count=2) if by_episode and a.episodes == "exponential" else compare
        return ask(s, names, max_runs=max_runs, budget=budget, seed=world)
    except KrcsimError:  # too many callers are held up at once
        return None


worlds = given(
    world=st.integers(0, 9999),
    luck=st.sampled_from([1.0, 0.1, 0.003]),
    max_runs=st.sampled_from([8, 16, 32]),
    budget=st.sampled_from([0.0, 1e5, 1e6]),
    by_episode=st.booleans(),
)


@examples(25)
@worlds
def test_no_two_things_that_an_answer_says_contradict_each_other(**drawn: Any) -> None:
    result = answered(**drawn)
    if result is None:
        return
    rows_agree(result)
    differences_agree(result)
    for window in result.windows():
        picture_agrees(result, window)
        text_agrees(result, window)
    for name in map(str, (p[0] for p in result.points())):
        assert name in result_table(result)


def rows_agree(result: Result) -> None:
    """Each row has a kind that goes with its method, and the rows of one remedy are possible
    together.
    """
    for row in result.rows:
        value, lo, hi, kind, _, method = row[-6:]
        assert method in METHODS
        assert (kind == "bound") == (value is None and hi is not None)
        assert kind != "bound" or method in ("bound", "by construction")
        assert method != "rare" or (kind in ("interval", "rough") and float(str(value)) > 0.0)
        assert value is None or lo is None or float(str(lo)) <= float(str(value)) <= float(str(hi))
    for p, w in ((p, w) for p in result.points() for w in result.windows()):
        found = {q: result.get(p, q, w) for q in QUANTITIES}
        if found["p_wait"].value == 0.0:
            assert not any(found[q].value for q in QUANTITIES)
        if found["blocked"].value and found["p_wait"].kind != "none":
            assert found["wait_ms"].value or result.detail(p, "p_wait", w) == "exact"


def differences_agree(result: Result) -> None:
    """A difference is that of its two rows, and its interval is possible with theirs."""
    rows: Any = result.differences
    for name, base, window, quantity, value, lo, hi, _ in rows:
        e, e0 = (result.get(x, quantity, window) for x in (name, base))
        assert e.value or e0.value, "neither saw anything"
        ends = [float(x or 0.0) for x in (e.lo, e.hi, e0.lo, e0.hi)]
        assert lo <= ends[1] - ends[2] + 1e-12
        assert hi >= ends[0] - ends[3] - 1e-12
        if e.value is not None and e0.value is not None:
            assert value == pytest.approx(e.value - e0.value, abs=1e-15)
            assert lo <= value <= hi
        else:  # one is only bounded: no more is said than that it lies below its bound
            assert value is None
            assert (lo, hi) == (ends[0] - ends[3], ends[1] - ends[2])


def picture_agrees(result: Result, window: str) -> None:
    """What is measured stands at its value, in the order of values; what is not in the strip, and
    on no height.
    """
    chart = chart_of(result, window)
    quantity = "p_wait_episode" if window.startswith("episode") else "p_wait"
    told = sorted(
        str(result.get(p, quantity, w))
        for p in result.points()
        for w in (result.windows() if window.startswith("episode") else [window])
    )
    drawn = sorted(str(e) for line in chart.lines for e in line.estimates)
    assert set(drawn) <= set(told)
    low = limits(chart)[2]
    ax = figure_of(chart).axes[0]
    stars = sum(len(line.get_xdata()) for line in ax.lines if line.get_markerfacecolor() == WHITE)
    assert stars == sum(in_strip(e) for line in chart.lines for e in line.estimates)
    by_name = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    for line in chart.lines:
        for y, e in zip(by_name[line.name].get_ydata(), line.estimates, strict=True):
            assert (e.value or e.kind in ("bound", "none", "exact")) is not None
            if e.value:
                assert y == max(FLOOR, e.value)
                assert y >= low
            else:
                assert math.isnan(y)
    plot = log_plot(chart)
    assert any(f"{NONE_SEEN} |" in line for line in plot) == bool(names_in_strip(chart))


def text_agrees(result: Result, window: str) -> None:
    """The table has the numbers of the rows, each row how it was found, and what is said of
    differences goes with them.
    """
    parts = parts_of(answer_text(result, window))
    by_episode = window.startswith("episode")
    quantity = "p_wait_episode" if by_episode else "p_wait"
    windows = {result.windows()[0], result.windows()[-1]} if by_episode else {window}
    for name, *cells in parts.table:
        for w in windows:
            assert count_of(result.get(name, quantity, w)) in cells
            how = result.detail(name, quantity, w)
            found = re.search(rf"Too rare for plain runs, [^.]*\b{name}\b", parts.notes)
            assert found or how not in ("rare", "exact")
            signs = {cell[0] for cell in cells}
            assert how != "by construction" or signs & {">", "n"}  # never, none possible
            assert how != "bound" or ">" in signs
            assert how != "bound" or '">"' in parts.notes

    base = str(result.points()[0][0])
    for what, names in re.findall(r"(fewer waits|more waits) with ([\w, -]+)", parts.notes):
        for name in names.split(", "):
            e, e0 = (result.get(x, quantity, window) for x in (name, base))
            low, high = (e, e0) if what == "fewer waits" else (e0, e)
            assert (low.value if low.value is not None else low.hi) < (high.value or high.hi)
