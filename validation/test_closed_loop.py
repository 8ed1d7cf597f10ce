# SPDX-License-Identifier: GPL-2.0-only
"""The closed loop: what is read of recordings of known scenarios holds the truth."""

from collections import defaultdict
from pathlib import Path

import pytest

from validation.closed_loop import CASES, KERNELS, case_of, read_table, summary, tables_folder

ROWS = read_table(tables_folder() / "closed-loop.csv")
LATER = read_table(tables_folder() / "closed-loop-later.csv")
PAGE = Path(__file__).parent.parent / "docs" / "recordings.md"
ENOUGH = 60  # intervals, over all kernels, for a share of 90 % to be held to it


def test_the_table_has_thirty_scenarios_on_each_kernel() -> None:
    wanted = {(kernel, number) for kernel in KERNELS.split() for number in range(CASES)}
    assert {(row.kernel, row.case) for row in ROWS} == wanted


def test_the_truth_of_the_table_is_that_of_the_scenarios() -> None:
    for row in ROWS:
        if row.field in ("allocator.episode.page", "allocator.episode_ms", "remedy.nr_bkv_objs"):
            true = case_of(row.kernel, row.case).truth[row.field]
            assert float(row.truth) == pytest.approx(true, rel=1e-5)


def test_intervals_of_each_field_hold_the_truth_in_nine_of_ten_scenarios() -> None:
    held: dict[str, list[bool]] = defaultdict(list)
    for row in ROWS:
        if row.holds:
            held[row.field].append(row.holds == "yes")
    known = {field: found for field, found in held.items() if len(found) >= ENOUGH}
    assert len(known) >= 12
    assert {"p_wait", "workload.rate_hz", "allocator.episode_ms"} <= set(known)
    low = {field: sum(found) for field, found in known.items() if sum(found) < 0.9 * len(found)}
    assert not low


@pytest.mark.parametrize("rows", [ROWS, LATER], ids=["tuned", "later"])
def test_the_page_has_the_summary_of_the_table(rows: list) -> None:  # type: ignore[type-arg]
    text = PAGE.read_text(encoding="utf-8")
    assert "\n".join(f"    {line}" for line in summary(rows)) in text
