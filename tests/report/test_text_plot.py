# SPDX-License-Identifier: GPL-2.0-only
"""The plot in plain text has axes that can be read, and its lines are named where they end."""

from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from krcsim.report.chart import Chart, Line
from krcsim.report.text_plot import AXIS_AT, HEIGHT, NONE_SEEN, log_plot, short_name
from krcsim.results.estimate import Estimate
from tests.engine.test_properties import examples
from tests.report.made_results import estimates

POOL, PAGES = "pool of N objects, empty at boot", "N pages shared, preallocated"


def seen(value: float) -> Estimate:
    return Estimate(value, value / 1.1, value * 1.1, "interval")


def line_of(name: str, x: tuple[float, ...], *found: Estimate) -> Line:
    return Line(name, ("",) * len(x), x, found)


def chart(*lines: Line) -> Chart:
    return Chart(lines, "bytes per CPU", "P(wait)", bytes_axis=True)


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    lines = []
    for name in draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6, unique=True)):
        x = draw(st.lists(st.floats(16.0, 3e6), min_size=1, max_size=8, unique=True))
        lines.append(line_of(name, tuple(sorted(x)), *(draw(estimates()) for _ in x)))
    return chart(*lines)


@examples(200)
@given(chart=charts(), height=st.integers(4, HEIGHT))
def test_ticks_are_decades_evenly_apart_and_no_label_touches_another(
    chart: Chart, height: int
) -> None:
    lines = log_plot(chart, height)
    if lines == ["(nothing to plot)"]:
        return
    axis = next(n for n, line in enumerate(lines) if re.match(rf" {{{AXIS_AT}}}\+", line))
    rows = [line for line in lines[:axis] if NONE_SEEN not in line]
    assert len(rows) <= height
    assert max(map(len, lines)) <= 72

    ticks = [n for n, line in enumerate(rows) if "1 in" in line[:AXIS_AT]]
    assert len({b - a for a, b in zip(ticks, ticks[1:], strict=False)}) <= 1
    labels = [line[:AXIS_AT].split("1 in ")[1].strip() for line in rows if "1 in" in line[:AXIS_AT]]
    powers = [math.log10(float(label.replace(",", ""))) for label in labels]
    assert all(power == round(power) for power in powers)
    assert len({round(b - a) for a, b in zip(powers, powers[1:], strict=False)}) <= 1
    assert re.fullmatch(r" *(\d{1,3}[KM]?)( +\d{1,3}[KM]?)*", lines[axis + 1])


def test_a_line_is_named_behind_its_last_letter() -> None:
    lines = log_plot(
        chart(
            line_of(POOL, (64.0, 256.0, 1024.0), seen(1e-3), seen(1e-4), seen(1e-5)),
            line_of(PAGES, (4096.0, 8192.0), seen(1e-3), Estimate(None, 0.0, 1e-3, "bound")),
        )
    )
    assert any(re.search(r"^1 in 100,000 \+ +o  pool$", line.strip()) for line in lines)
    assert any(re.search(rf"{NONE_SEEN} \| +x  pages$", line) for line in lines)


def test_lines_that_end_together_are_named_next_to_each_other() -> None:
    same = (seen(1e-3), seen(1e-5))
    lines = log_plot(
        chart(line_of("A1", (64.0, 256.0), *same), line_of("E1", (64.0, 256.0), *same))
    )
    assert any(line.endswith("ox  A1, E1") for line in lines)


def test_nothing_added_stands_left_of_the_logarithmic_axis() -> None:
    lines = log_plot(chart(line_of(POOL, (16.0, 4096.0, 16384.0), *[seen(1e-3)] * 3)))
    axis = next(line for line in lines if "//" in line)
    row = next(line for line in lines if line.rstrip().endswith("pool"))
    first, second, _ = (
        found.start() for found in re.finditer("o(?= |$)", row[: row.index("  pool")])
    )
    assert first < axis.index("//") < second


def test_the_name_of_a_row_is_the_short_name_of_its_line() -> None:
    assert short_name("pool of 3 objects, full at boot (B3f-own)") == "B3f-own"
    assert short_name("N pages shared, preallocated, on A1") == "pages, on A1"
