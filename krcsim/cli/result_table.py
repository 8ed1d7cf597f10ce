# SPDX-License-Identifier: GPL-2.0-only
"""A result as tables for a terminal."""

from collections.abc import Sequence
from typing import Any


def result_table(result: Any, quantities: Sequence[str] = ()) -> str:
    """A table for each window, what is to be known of the numbers, and what each column means.

    `quantities`: the columns, those of all tables if left out.
    """
    from krcsim.base.tables import text_table
    from krcsim.report.chart import is_by_episode
    from krcsim.report.plain_text import wrap
    from krcsim.report.sentences import found_words, unexposed_words
    from krcsim.results.quantities import QUANTITIES, columns_of_tables

    names = tuple(quantities) or columns_of_tables(is_by_episode(result))
    header = [*result.parameters, *names, "runs", f"{names[0]} by"]

    lines: list[str] = []
    for window in result.windows():
        rows = [_row(result, point, names, window) for point in result.points()]
        lines += [f"{window}:", *text_table(header, rows), ""]

    points = result.points()
    notes = [*wrap(found_words(result, points), 100), *wrap(unexposed_words(result, points), 100)]
    if notes:
        lines += [*notes, ""]

    lines += [f"{name}: {QUANTITIES[name].words}" for name in names]
    return "\n".join(lines)


def _row(result: Any, point: Any, names: tuple[str, ...], window: str) -> list[str]:
    from krcsim.results.result import words

    cells = [*map(str, point), *(words(result.get(point, name, window)) for name in names)]
    for column in ("replications", "method"):
        cells.append(str(result.detail(point, names[0], window, column) or ""))
    return cells
