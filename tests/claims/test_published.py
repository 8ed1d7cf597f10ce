# SPDX-License-Identifier: GPL-2.0-only
"""Published figures stand beside predictions that are computed, misses included."""

from __future__ import annotations

from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.claims.answers import Answer, Row, answered
from krcsim.claims.kept import file_of_figures, is_current, read_kept
from krcsim.claims.published import (
    NEAR,
    Published,
    figure_named,
    how_far,
    is_near,
    predicted,
    read_figures,
)
from krcsim.claims.published_page import page_of_figures
from krcsim.results.estimate import Estimate

ROOT = Path(__file__).parents[2]
FIGURES = read_figures()
ASKED = [figure for figure in FIGURES if figure.questions]
MEMORY = Published(
    words="memory held",
    unit="MB",
    published=(60.0, 90.0),
    quantity="mean_bytes",
    window="steady",
    question="all",
    of={"remedy": "E5"},
    per={},
    scale=1e-6,
)


def answers(value: float) -> tuple[Answer, ...]:
    estimate = Estimate(value, 0.9 * value, 1.1 * value, "interval")
    rows = (Row({"remedy": "E5"}, "steady", "mean_bytes", estimate, "skipping", 8),)
    return (Answer("all", "krcsim sweep phone", "-", rows),)


def test_all_nineteen_stand_in_order() -> None:
    assert [figure.number for figure in FIGURES] == [f"N{n}" for n in range(1, 20)]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.number)
def test_a_figure_is_asked_or_says_what_is_missing(figure) -> None:  # type: ignore[no-untyped-def]
    assert figure.questions or figure.missing
    asked = {question.name for question in figure.questions}
    assert {value.question for value in figure.values} == asked


@pytest.mark.parametrize("figure", ASKED, ids=lambda figure: figure.number)
def test_kept_predictions_are_those_of_the_questions(figure) -> None:  # type: ignore[no-untyped-def]
    kept = read_kept(file_of_figures())[figure.number]
    assert is_current(figure.as_claim(), kept), "data/published.toml has changed: run make claims"


@pytest.mark.slow
@pytest.mark.parametrize("figure", ASKED, ids=lambda figure: figure.number)
def test_computed_again_the_predictions_are_the_same(figure) -> None:  # type: ignore[no-untyped-def]
    assert answered(figure.as_claim()) == read_kept(file_of_figures())[figure.number]


def test_the_page_is_that_of_the_predictions() -> None:
    page = (ROOT / "docs" / "published-figures.md").read_text(encoding="utf-8")
    assert page == page_of_figures(FIGURES, read_kept(file_of_figures())), "run make claims"


@pytest.mark.parametrize(
    ("value", "factor", "near"),
    [(75e6, 1.0, True), (120e6, 120 / 90, True), (180e6, 2.0, False), (30e6, 0.5, False)],
)
def test_a_prediction_is_near_or_a_miss(value: float, factor: float, near: bool) -> None:
    found = how_far(MEMORY, predicted(MEMORY, answers(value)))
    assert found == pytest.approx(factor)
    assert is_near(found) == near


def test_a_prediction_may_be_divided_by_another() -> None:
    again = Published(**{**vars(MEMORY), "per": {"remedy": "E5"}, "scale": 1.0})
    assert predicted(again, answers(5.0)).value == 1.0


def test_misses_are_marked_on_the_page() -> None:
    kept = read_kept(file_of_figures())
    page = page_of_figures(FIGURES, kept)
    factors = [
        how_far(value, predicted(value, kept[figure.number]))
        for figure in ASKED
        for value in figure.values
    ]
    misses = sum(not is_near(factor) for factor in factors)
    assert page.count("(a miss)") == misses
    assert (
        f"{len(factors) - misses} of {len(factors)} numbers are within a factor of {NEAR}" in page
    )


def test_an_unknown_figure_is_refused_with_those_there_are() -> None:
    with pytest.raises(KrcsimError, match="figure 'N77' is not known; allowed: N1, N2"):
        figure_named("N77")
