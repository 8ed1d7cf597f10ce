# SPDX-License-Identifier: GPL-2.0-only
"""The sentence above a picture says for how many episodes the boot matters, and no more than is
proven.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

import krcsim
from krcsim.model.remedy_list import listed
from krcsim.report.chart import OWN, by_episode, end_text, over_bytes
from krcsim.report.finding import boot_matters, finding, ordinal, pairs
from krcsim.results.estimate import Estimate, exact
from krcsim.results.result import Result
from krcsim.results.verdict import LONGEST, verdict
from krcsim.studies.compare import compare, episodes

QUICK = replace(krcsim.load_scenario("thread-as-posted"), warmup_ms=500.0, horizon_ms=3000.0)
OFTEN = Estimate(1e-3, 9e-4, 1.1e-3, "interval")
SELDOM = Estimate(1e-5, 9e-6, 1.1e-5, "interval")


@pytest.fixture(scope="module")
def cold() -> Result:
    return episodes(QUICK, listed("cold", QUICK), count=4, max_runs=8)


def told(cold: Result, empty: list[Estimate], full: list[Estimate]) -> str:
    """What is said of a pool with these numbers, episode by episode."""
    pool = pairs(cold)[0]
    numbers = {pool.empty: iter(empty), pool.full: iter(full)}
    columns = [cold.columns.index(name) for name in ("value", "lo", "hi", "kind")]
    rows = []
    for row in cold.rows:
        cells = list(row)
        if row[0] in numbers and row[cold.columns.index("quantity")] == "p_wait_episode":
            e = next(numbers[str(row[0])])
            for column, cell in zip(columns, (e.value, e.lo, e.hi, e.kind), strict=True):
                cells[column] = cell
        rows.append(tuple(cells))
    return boot_matters(replace(cold, rows=tuple(rows)), pool)


def test_pools_come_before_pages(cold: Result) -> None:
    assert [(pair.empty, pair.full) for pair in pairs(cold)] == [
        ("B3-own", "B3f-own"),
        ("D2e-own", "D2-own"),
    ]


def test_the_pool_as_posted_goes_with_the_full_one_of_its_size() -> None:
    result = episodes(QUICK, ["A1", "B", "B3f"], count=2, max_runs=8)
    assert [(pair.empty, pair.full) for pair in pairs(result)] == [("B", "B3f")]


def test_it_says_from_which_episode_on_no_difference_is_proven(cold: Result) -> None:
    said = told(cold, [OFTEN, OFTEN, SELDOM, SELDOM], [SELDOM] * 4)
    assert said == (
        "In the first episode 1 call in 1,000 waits with a pool of 3 objects empty at boot, 1 in "
        "100,000 with a full one; from the third episode on no difference is proven."
    )


def test_a_difference_that_lasts_is_said_to_last(cold: Result) -> None:
    said = told(cold, [OFTEN] * 4, [SELDOM] * 4)
    assert said.endswith("in episode 4 on it still has more.")


def test_where_nothing_is_proven_that_is_said(cold: Result) -> None:
    assert told(cold, [OFTEN] * 4, [OFTEN] * 4).startswith("No episode is proven to have more")


def test_an_order_of_magnitude_proves_nothing_by_itself(cold: Result) -> None:
    rough = Estimate(1e-5, None, None, "rough")
    said = told(cold, [OFTEN] * 4, [rough] * 4)
    assert said.startswith("No episode is proven to have more")


def test_other_results_have_their_verdict_as_their_finding(cold: Result) -> None:
    result = compare(QUICK, ["A0", "A1"], max_runs=8)
    assert finding(result) == verdict(result)
    assert over_bytes(result).title == verdict(result)
    assert by_episode(cold).title == finding(cold)
    assert len(finding(cold)) <= LONGEST


def test_episodes_are_counted_in_words() -> None:
    assert [ordinal(n) for n in (1, 8, 23)] == ["first", "eighth", "23th"]


def test_four_lines_are_drawn_and_the_note_names_the_others(cold: Result) -> None:
    chart = by_episode(cold)
    assert [line.name for line in chart.lines] == [
        OWN,
        "pool of 3 objects, empty at boot (B3-own)",
        "pool of 3 objects, full at boot (B3f-own)",
        "2 pages shared, preallocated (D2-own)",
    ]
    assert chart.note.endswith("not drawn: 2 pages, empty at boot")


def test_a_remedy_that_your_setting_is_has_one_line_with_it(cold: Result) -> None:
    own = by_episode(cold).lines[0]
    assert own.also == "no reserve (B0-own)"
    assert end_text(replace(own, estimates=(exact(0.1),) * 4)) == "your setting:\nno reserve"


def test_remedies_that_were_asked_for_are_all_drawn() -> None:
    names = ["A0", "A1", "B", "B3f", "D2-A1", "D2e-A1"]
    chart = by_episode(episodes(QUICK, names, count=2, max_runs=8))
    assert len(chart.lines) == len(names)
