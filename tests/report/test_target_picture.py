# SPDX-License-Identifier: GPL-2.0-only
"""Sizes against a target: the target is a line, the smallest that passes is the one star."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from krcsim.report.style import plain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text

from krcsim.report.chart import in_strip
from krcsim.report.target_chart import (
    VERDICTS,
    Size,
    TargetChart,
    in_bytes,
    interval_of,
    y_limits,
)
from krcsim.report.target_picture import target_figure
from krcsim.results.estimate import Estimate
from tests.pictures import outside, texts

TARGET = 1e-4


def size(x: int, estimate: Estimate, verdict: str) -> Size:
    return Size(float(x), f"{x} objects", 40 * x, estimate, verdict)


def seen(value: float) -> Estimate:
    return Estimate(value, value / 2, value * 2, "interval")


UNSEEN = Estimate(None, 0.0, 1e-6, "bound")
SIZES = (
    size(0, seen(1e-2), "fails"),
    size(1, seen(1e-3), "fails"),
    size(2, seen(2e-4), "open"),
    size(3, seen(1e-5), "passes"),
    size(8, UNSEEN, "passes"),
    size(4096, UNSEEN, "passes"),
)


def chart(sizes: tuple[Size, ...] = SIZES, answer: int | None = 3) -> TargetChart:
    return TargetChart(
        (),
        "objects in the pool of a CPU",
        "P(wait)",
        True,
        "8 replications",
        title="3 objects keep waits below 1 call in 10,000.",
        sizes=sizes,
        target=TARGET,
        target_words="target: waits below 1 call in 10,000",
        answer=None if answer is None else sizes[answer],
        answer_words="" if answer is None else "smallest that passes:\n3 objects\n120 B per CPU",
        setting="your setting: A1; 4 CPUs",
    )


def test_a_picture_says_the_finding_the_setting_the_target_and_the_answer() -> None:
    said = texts(target_figure(chart(), "krcsim size"))
    for text in (
        "3 objects keep waits below 1 call in 10,000",
        "your setting: A1; 4 CPUs",
        "target: waits below 1 call in 10,000",
        "smallest that passes: 3 objects 120 B per CPU",
        "krcsim size",
    ):
        assert text in said


def few_pages() -> TargetChart:
    """The smallest that passes is far to the right, and the target is near the bottom."""
    pages = (
        size(0, seen(2e-3), "fails"),
        size(1, seen(2e-3), "fails"),
        size(3, UNSEEN, "passes"),
        size(4, UNSEEN, "passes"),
    )
    return replace(chart(pages, 2), target=1e-6)


@pytest.mark.parametrize("drawn", [chart(), few_pages(), chart(SIZES[:3], None)])
def test_words_in_the_axes_stand_neither_on_the_target_nor_on_each_other(
    drawn: TargetChart,
) -> None:
    fig = target_figure(drawn)
    fig.draw_without_rendering()
    ax = fig.axes[0]
    boxes = [Text.get_window_extent(text) for text in ax.texts if text.get_weight() == "bold"]
    line = ax.transData.transform((1.0, drawn.target))[1]
    target = next(t for t in ax.texts if t.get_text() == drawn.target_words).get_window_extent()
    assert not target.y0 <= line <= target.y1
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


def stars(drawn: TargetChart) -> list[tuple[float, float]]:
    """Where stars stand."""
    (ax,) = target_figure(drawn).axes
    lines = [line for line in ax.lines if line.get_marker() == "*"]
    return [(float(x), float(y)) for line in lines for x, y in zip(*line.get_data(), strict=True)]


def test_the_one_star_is_the_smallest_that_passes() -> None:
    assert stars(chart()) == [(3.0, 1e-5)]


def test_without_an_answer_there_is_no_star() -> None:
    assert stars(chart(SIZES[:3], None)) == []


def test_the_target_is_a_line_across_the_picture() -> None:
    (ax,) = target_figure(chart()).axes
    across = [line for line in ax.lines if list(line.get_xdata()) == [0, 1]]
    assert [TARGET, TARGET] in [list(line.get_ydata()) for line in across]


def test_each_size_stands_below_its_bytes() -> None:
    (ax,) = target_figure(chart()).axes
    labels = [tick.get_text() for tick in ax.get_xticklabels()]
    assert "3\n120 B" in labels
    assert all(text.endswith(" B") for text in labels)


def test_sizes_far_beyond_the_answer_are_left_out() -> None:
    assert [one.x for one in chart().near] == [0, 1, 2, 3, 8]
    assert [one.x for one in chart(SIZES, None).near] == [0, 1, 2, 3, 8, 4096]


def test_what_was_not_seen_stands_in_a_strip_below_all_heights() -> None:
    (ax,) = target_figure(chart()).axes
    low, _ = y_limits(chart())
    at = [float(y) for line in ax.lines for x, y in zip(*line.get_data(), strict=True) if x == 8]
    assert at
    assert all(y < low for y in at)
    assert "none seen" in [text.get_text() for text in ax.texts]


def test_only_verdicts_that_a_size_has_are_explained() -> None:
    (ax,) = target_figure(chart(SIZES[:2], None)).axes
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["fails"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("answer", [0, 3, 4, None])
@pytest.mark.parametrize("counts", [True, False])
def test_no_text_is_cut_off(theme: str, answer: int | None, counts: bool) -> None:
    drawn = replace(chart(SIZES[:5], answer), counts=counts)
    with plain(theme):
        assert (
            outside(target_figure(drawn, "krcsim size " + 12 * "--set workload.rate_hz=1 ")) == []
        )


estimates = st.one_of(
    st.just(UNSEEN),
    st.floats(1e-12, 1.0).map(seen),
    st.floats(1e-12, 1.0).map(lambda value: Estimate(value, value / 1e4, value * 1e4, "rough")),
)


@given(st.lists(st.tuples(estimates, st.sampled_from(VERDICTS)), min_size=1, max_size=8), st.data())
def test_all_values_and_the_target_lie_between_the_ends(
    rows: list[tuple[Estimate, str]], data: st.DataObject
) -> None:
    sizes = tuple(size(n, *row) for n, row in enumerate(rows))
    answer = data.draw(st.one_of(st.none(), st.integers(0, len(rows) - 1)))
    drawn = chart(sizes, answer)
    low, high = y_limits(drawn)
    assert low < TARGET < high
    for one in drawn.near:
        if not in_strip(one.estimate):
            assert low < (one.estimate.value or 0.0) < high
        assert all(low < end < high for end in interval_of(one.estimate))


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (200, "200 B"), (4096, "4 KiB"), (4296, "4.2 KiB")]
)
def test_bytes_are_said_in_few_digits(count: int, words: str) -> None:
    assert in_bytes(count) == words
