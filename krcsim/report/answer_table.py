# SPDX-License-Identifier: GPL-2.0-only
"""The table of an answer to the list: counts with intervals, bytes per CPU, and marks or not."""

from krcsim.report.chart import is_by_episode
from krcsim.report.count_cells import count_of, interval_of
from krcsim.report.marked_table import Row, is_marked, marked_table, plain_table
from krcsim.report.sentences import Points
from krcsim.results.estimate import Estimate
from krcsim.results.result import Cell, Result

ADDED = ("added", "bytes/CPU")
COUNT = ("calls", "per wait")
INTERVAL = ("95 %", "interval")


def answer_table(result: Result, points: Points, window: str, *, marked: bool) -> list[str]:
    """The lines of the table of some points; `marked`: with a mark beside each row's numbers."""
    if is_by_episode(result):
        return plain_table(*_episodes(result, points))

    varying = varying_fields(result)
    head = [("", "row"), *(_field_head(result.parameters[n]) for n in varying), ADDED]
    head += [COUNT, INTERVAL]
    rows = []
    for point in points:
        estimate = result.get(point, "p_wait", window)
        said = _said(estimate, str(result.detail(point, "p_wait", window)))
        added = result.get(point, "bytes_added", window).value or 0.0
        fields = [_cell(point[n]) for n in varying]
        cells = [str(point[0]), *fields, f"{added:.0f}", count_of(estimate)]
        cells.append(interval_of(estimate) if marked else interval_of(estimate) or said)
        rows.append(Row(tuple(cells), estimate, said))

    if marked:
        return marked_table(head, rows, (ADDED, INTERVAL))
    return plain_table(head, rows)


def kept_words(result: Result, points: Points, window: str) -> str:
    """What the plain code keeps itself, which is not among the added bytes; empty where no row adds
    as much, since then nobody would count pages.
    """
    if is_by_episode(result):
        return ""

    for point in points:
        full, added = (
            result.get(point, name, window).value or 0.0
            for name in ("bytes_at_full", "bytes_added")
        )
        if added >= full - added > 0.0:
            return f"Added: beyond the {full - added:.0f} bytes that the plain code keeps."
    return ""


def varying_fields(result: Result) -> list[int]:
    """The places of the parameters, besides the remedy, that differ from point to point."""
    points = result.points()
    return [n for n in range(1, len(result.parameters)) if len({point[n] for point in points}) > 1]


def constant_fields(result: Result) -> list[str]:
    """The other parameters, each with its value."""
    first = result.points()[0]
    varying = varying_fields(result)
    return [
        f"{name}={_cell(first[n])}"
        for n, name in enumerate(result.parameters)
        if n and n not in varying
    ]


def _field_head(name: str) -> tuple[str, str]:
    section, _, field = name.rpartition(".")
    return section.rpartition(".")[2], field


def _cell(value: Cell) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _said(estimate: Estimate, method: str) -> str:
    """What is said of a row that has no place on the axis."""
    if is_marked(estimate):
        return ""

    if method == "by construction":
        return method
    return {"bound": "none seen", "none": "nothing known"}.get(estimate.kind, "no wait possible")


def _episodes(result: Result, points: Points) -> tuple[list[tuple[str, str]], list[Row]]:
    """Head and rows of the table of the first and the last episode."""
    windows = list(dict.fromkeys((result.windows()[0], result.windows()[-1])))
    head = [("", "row")]
    for window in windows:
        head += [(window, "calls/wait"), INTERVAL]

    rows = []
    for point in points:
        cells = [str(point[0])]
        for window in windows:
            estimate = result.get(point, "p_wait_episode", window)
            said = _said(estimate, str(result.detail(point, "p_wait_episode", window)))
            cells += [count_of(estimate), interval_of(estimate) or said]
        rows.append(Row(tuple(cells), estimate))
    return head, rows
