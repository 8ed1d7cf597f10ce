# SPDX-License-Identifier: GPL-2.0-only
"""Kernels next to each other: what is said and drawn follows from the numbers of each row."""

from __future__ import annotations

import math
from dataclasses import replace

from krcsim.report.style import plain

import pytest

from krcsim.model.kernel_rows import KERNEL_ROWS, KERNELS
from krcsim.model.remedy import A0, NamedRemedy, pages, pool
from krcsim.model.scenario_file import load_scenario, toml_text
from krcsim.report.kernel_cells import cell_of, in_bytes, in_time, three_digits
from krcsim.report.kernel_steps import COMPARED, SAME, Step, step_between, steps
from krcsim.report.kernel_words import (
    NO_STEP,
    by_how_much,
    idea_taken,
    kernels_verdict,
    version,
    what_each_step_bought,
)
from krcsim.report.kernels_chart import chart_of_kernels
from krcsim.report.kernels_picture import kernels_figure, key_of
from krcsim.report.kernels_text import kernels_html, kernels_table, kernels_text
from krcsim.results.estimate import NOTHING, Estimate, exact
from krcsim.results.result import BASE, Result
from tests.pictures import outside, texts

FIRST, LAST = KERNEL_ROWS[0], KERNEL_ROWS[-1]
UNSEEN = Estimate(None, 0.0, 1e-6, "bound")


def seen(value: float) -> Estimate:
    return Estimate(value, value / 1.1, value * 1.1, "interval")


def made(waits: dict[str, Estimate], **others: Estimate) -> Result:
    """A result in which all kernels have the same numbers but for these waits, by row."""
    same = {name: seen(100.0) for name in COMPARED} | {"p_wait": seen(1e-3)} | others
    rows = []
    for name in KERNELS:
        for quantity, estimate in same.items():
            e = waits.get(name, estimate) if quantity == "p_wait" else estimate
            cells = (e.value, e.lo, e.hi, e.kind)
            rows.append((name, "steady", quantity, "", *cells, 64, "skipping"))
    scenario = toml_text(load_scenario("thread-as-posted"))
    about = {"command": "krcsim versions thread-as-posted", "scenario": scenario, "seed": 1}
    return Result(("remedy", *BASE), tuple(rows), (), about)


EQUAL = made({})
FEWER = made({LAST.name: seen(1e-5)})
NONE_SEEN = made({LAST.name: UNSEEN})


def test_equal_kernels_have_no_steps() -> None:
    assert steps(EQUAL) == ()
    assert {said for _, said in what_each_step_bought(EQUAL)} == {NO_STEP}
    assert "no difference in waits is proven" in kernels_verdict(EQUAL)


def test_a_step_stands_at_the_kernel_that_brought_it() -> None:
    (step,) = steps(FEWER)
    assert (step.kernel, step.quantity) == (LAST, "p_wait")
    assert step.factor == pytest.approx(100.0)
    assert not step.is_more


def test_the_verdict_names_both_ends_and_the_step() -> None:
    said = kernels_verdict(FEWER)
    assert said == (
        f"From {version(FIRST)} to {version(LAST)}, waits fall from 1 call in 1,000 to 1 call in "
        f"100,000: {version(LAST)} 100 times fewer."
    )


def test_of_what_was_not_seen_only_the_least_factor_is_said() -> None:
    (step,) = steps(NONE_SEEN)
    assert not step.is_exact
    assert by_how_much(step).startswith("at least 910 times fewer")


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        (seen(1.0), seen(1.05), False),  # the intervals overlap
        (Estimate(1.0, 0.99, 1.01, "interval"), Estimate(1.2, 1.19, 1.21, "interval"), False),
        (exact(100.0), exact(100.0 * SAME), True),
        (exact(100.0), exact(100.0), False),
        (UNSEEN, UNSEEN, False),
        (NOTHING, seen(1.0), False),
        (exact(0.0), exact(4096.0), True),
    ],
)
def test_a_step_is_proven_and_large_enough(before: Estimate, after: Estimate, moved: bool) -> None:
    assert (step_between(before, after) is not None) == moved


def test_what_was_never_there_has_an_infinite_factor() -> None:
    found = step_between(exact(0.0), exact(4096.0))
    assert found is not None
    assert math.isinf(found[0])
    step = Step(LAST, "bytes_at_full", exact(0.0), exact(4096.0), *found)
    assert by_how_much(step) == "for the first time"


def kernel(number: int, **switches: object) -> NamedRemedy:
    return replace(
        FIRST,
        name=f"K{number}",
        kernel=f"9.{number}",
        remedy=replace(A0, **switches),  # type: ignore[arg-type]
    )


def test_the_idea_that_was_taken_follows_from_the_switches() -> None:
    plain_code, with_pages = kernel(0), replace(kernel(1), remedy=pages(2))
    with_pool = replace(kernel(2), remedy=pool(3))
    assert "mainline took cached pages" in idea_taken([plain_code, with_pages])
    assert "v9.1: 2 a CPU, all there at boot." in idea_taken([plain_code, with_pages])
    assert "mainline took a pool of objects" in idea_taken([plain_code, with_pool])
    assert "both" in idea_taken([with_pages, with_pool])
    assert "None of these" in idea_taken([plain_code])


def test_mainline_took_the_pages() -> None:
    assert "mainline took cached pages" in idea_taken(KERNEL_ROWS)


def test_numbers_are_written_in_three_digits_with_their_unit() -> None:
    assert [three_digits(x) for x in (0.034, 4.21, 171.4, 12345.0)] == [
        "0.034",
        "4.2",
        "171",
        "12,300",
    ]
    assert [in_bytes(x) for x in (680.0, 8704.0, 3.3e6)] == ["680 B", "8.5 KiB", "3.1 MiB"]
    assert [in_time(x) for x in (0.3, 34.2, 2600.0)] == ["0.3 ms", "34 ms", "2.6 s"]
    assert cell_of("p_wait", UNSEEN) == "none seen"
    assert cell_of("p_wait", seen(1 / 1930)) == "1 in 1,930"
    assert cell_of("p_wait", Estimate(1e-5, None, None, "rough")) == "~1 in 100,000"
    assert cell_of("dwell_ms", NOTHING) == "-"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("result", [EQUAL, FEWER, NONE_SEEN], ids=["equal", "fewer", "none seen"])
def test_the_figure_names_every_kernel_and_cuts_nothing_off(result: Result, theme: str) -> None:
    with plain(theme):
        fig = kernels_figure(chart_of_kernels(result), "krcsim versions thread-as-posted")
        said = texts(fig)
        assert outside(fig) == []
    for row in KERNEL_ROWS:
        assert version(row) in said
    assert any(text.endswith("100/s") for text in said)


def test_a_commit_stands_beside_its_kernel() -> None:
    said = " ".join(texts(kernels_figure(chart_of_kernels(FEWER))))
    for row in KERNEL_ROWS:
        assert all(commit in said for commit in row.commits[:1])


def test_charts_of_other_steps_have_other_frames() -> None:
    assert key_of(chart_of_kernels(EQUAL)) != key_of(chart_of_kernels(FEWER))


def test_the_answer_has_all_kernels_in_a_mail() -> None:
    lines = kernels_text(FEWER).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 72
    for row in KERNEL_ROWS:
        assert sum(line.startswith(f"{version(row)}  ") for line in lines) == 1
    assert any("100 times fewer" in line for line in lines)


def test_tables_have_all_numbers_with_their_changes() -> None:
    table, html = kernels_table(FEWER), kernels_html(FEWER)
    for row in KERNEL_ROWS:
        assert row.change in html
    for name in COMPARED:
        assert name in table
