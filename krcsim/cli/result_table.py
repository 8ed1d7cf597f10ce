# SPDX-License-Identifier: GPL-2.0-only
"""A result as tables for a terminal."""

from typing import Any

_COLUMNS = (
    "p_wait_episode",
    "p_wait",
    "p_episode",
    "blocked",
    "stalled",
    "wait_ms",
    "bytes_at_boot",
    "bytes_at_full",
)


def result_table(result: Any) -> str:
    """A table for each window, what is to be known of the numbers, and what each column means."""
    from krcsim.report.chart import is_by_episode
    from krcsim.report.reply import found_words, table, unexposed_words, wrap
    from krcsim.results.quantities import QUANTITIES

    left_out = ("p_wait", "blocked", "stalled") if is_by_episode(result) else ("p_wait_episode",)
    names = [name for name in _COLUMNS if name not in left_out]
    header = [*result.parameters, *names, "runs", f"{names[0]} by"]

    lines: list[str] = []
    for window in result.windows():
        rows = [_row(result, point, names, window) for point in result.points()]
        lines += [f"{window}:", *table(header, rows, 10_000), ""]

    points = result.points()
    notes = [*wrap(found_words(result, points), 100), *wrap(unexposed_words(result, points), 100)]
    if notes:
        lines += [*notes, ""]

    lines += [f"{name}: {QUANTITIES[name].words}" for name in names]
    return "\n".join(lines)


def _row(result: Any, point: Any, names: list[str], window: str) -> list[str]:
    from krcsim.results.result import words

    cells = [*map(str, point), *(words(result.get(point, name, window)) for name in names)]
    for column in ("replications", "method"):
        cells.append(str(result.detail(point, names[0], window, column) or ""))
    return cells
