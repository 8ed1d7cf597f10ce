# SPDX-License-Identifier: GPL-2.0-only
"""A recording in four panels: what is drawn is what was read."""

from __future__ import annotations

import math
from dataclasses import replace

from krcsim.report.style import figure, plain

import pytest
from matplotlib.axes import Axes

from krcsim.report.recording_chart import Pair, RecordingChart, Share
from krcsim.report.recording_picture import (
    draw_failures,
    draw_grace_periods,
    draw_predicted,
    draw_rates,
    figure_of_recording,
    picture_of_recording,
)

CHART = RecordingChart(
    edges=(0.0, 1.0, 2.0, 3.0),
    calls=(10.0, 20.0, 0.0),
    requests=(5.0, 5.0, 5.0),
    failed=(0.0, 4.0, 0.0),
    episodes=((0.5, 0.9), (1.2, 1.9)),
    grace_periods_ms=(4.0, 4.0, 12.0, 90.0),
    shares=(Share("page, calm", 100, 0, 0.0, 0.03), Share("page, episode", 9, 6, 0.3, 0.9)),
    pairs=(
        Pair("batches", (1.0, 0.8, 1.2), (1.1, 1.0, 1.2), True),
        Pair("refills", (0.0, 0.0, 0.1), (3.0, 2.0, 4.0), False),
    ),
)
NOTHING = RecordingChart((0.0, 1.0), (0.0,), (0.0,), (0.0,), (), (), ())


@pytest.fixture
def ax() -> Axes:
    with plain():
        return figure(4, 3).add_subplot()


def names(ax: Axes) -> list[str]:
    return [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]


def test_rates_stand_over_time_and_episodes_are_shaded(ax: Axes) -> None:
    draw_rates(CHART, ax)
    assert ax.get_title(loc="left") == "Calls, and failed page requests (dashed); grey: 2 episodes"
    (calls,) = [patch for patch in ax.patches if hasattr(patch, "get_data")]
    assert tuple(calls.get_data().values) == CHART.calls
    assert ax.get_xlim() == (0.0, 3.0)
    assert len(ax.patches) == 1 + len(CHART.episodes)


def test_lengths_are_all_in_the_histogram(ax: Axes) -> None:
    draw_grace_periods(CHART, ax)
    assert sum(bar.get_height() for bar in ax.patches) == len(CHART.grace_periods_ms)
    assert ax.get_xscale() == "log"
    assert ax.get_title(loc="left") == "4 grace periods, median 8 ms (line)"


def test_lengths_that_hardly_differ_have_a_linear_axis(ax: Axes) -> None:
    draw_grace_periods(replace(CHART, grace_periods_ms=(4.0, 4.1)), ax)
    assert ax.get_xscale() == "linear"
    assert sum(bar.get_height() for bar in ax.patches) == 2


def test_no_failure_is_a_hollow_star_at_the_limit(ax: Axes) -> None:
    draw_failures(CHART, ax)
    assert names(ax) == ["page, calm 0 of 100", "page, episode 6 of 9"]
    marks = {line.get_marker(): line.get_xdata()[0] for line in ax.lines}
    assert marks["*"] == 0.03
    assert marks["o"] == pytest.approx(6 / 9)


def test_what_misses_has_the_word_beside_its_name(ax: Axes) -> None:
    draw_predicted(CHART, ax)
    assert names(ax) == ["batches", "refills: MISSES"]
    assert [tick.get_text() for tick in ax.get_xticklabels()][0] == "none"


def test_what_is_not_there_is_said_and_not_drawn() -> None:
    picture = picture_of_recording(NOTHING, "nothing")
    texts = {text.get_text() for ax in picture.figure.axes for text in ax.texts}
    assert texts == {"none recorded", "no page request recorded", "not compared"}
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_calls_that_were_not_counted_are_a_gap(ax: Axes) -> None:
    rates = (math.nan, 50.0, math.nan)
    draw_rates(replace(NOTHING, edges=(0.0, 1.0, 2.0, 3.0), calls=rates, requests=rates), ax)
    (drawn,) = ax.patches
    path = drawn.get_path()
    assert path.vertices[:, 0].min() == 1.0
    assert path.vertices[:, 0].max() == 2.0
    assert ax.get_ylim() == (0.0, 62.5)
    assert ax.get_title(loc="left").startswith("Calls, where counted")


def test_the_same_chart_is_the_same_file_in_both_themes() -> None:
    def png(theme: str) -> bytes:
        with plain(theme):
            return picture_of_recording(CHART, "a recording")._repr_png_()

    assert png("light") == png("light")
    assert png("dark") == png("dark") != png("light")


def test_long_names_have_some_room_at_the_edge() -> None:
    share = Share("GFP_NOWAIT, episode", 417_460, 417_460, 0.999, 1.0)
    pair = Pair("page requests of kfree_rcu()", (1.0, 0.8, 1.2), (3.0, 2.0, 4.0), False)
    with plain():
        fig = figure_of_recording(replace(CHART, shares=(share,), pairs=(pair,)), "A finding", "")
        fig.canvas.draw()
        names = [name for ax in fig.axes for name in ax.get_yticklabels() if name.get_text()]
        assert min(name.get_window_extent().x0 for name in names) > 4.0
