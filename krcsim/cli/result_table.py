# SPDX-License-Identifier: GPL-2.0-only
"""A result for a terminal: the verdict, what each row is, and the numbers."""

from collections.abc import Sequence
from typing import Any

WIDTH = 100  # of paragraphs; tables are as wide as they are


def result_table(result: Any, quantities: Sequence[str] = ()) -> str:
    """The verdict and what each row is, a table for each window without what is empty, what is to
    be known of the numbers, and what each column means.

    `quantities`: the columns, those that have an answer if left out.
    """
    from krcsim.base.tables import text_table
    from krcsim.report.plain_text import wrap
    from krcsim.report.recording_words import recording_notes
    from krcsim.report.sentences import found_words, unexposed_words
    from krcsim.results.quantities import QUANTITIES
    from krcsim.results.verdict import verdict

    names = tuple(quantities) or result.columns_shown()
    header = [*result.parameters, *names, "runs", f"{names[0]} by"]

    lines = [*wrap(verdict(result), WIDTH), "", *_legend(result), ""]
    for window in result.windows():
        rows = [_row(result, point, names, window) for point in result.points()]
        lines += [f"{window}:", *text_table(header, rows), ""]

    points = result.points()
    notes = [
        *wrap(found_words(result, points), WIDTH),
        *wrap(unexposed_words(result, points), WIDTH),
        *wrap(recording_notes(result, names[0]), WIDTH),
    ]
    if notes:
        lines += [*notes, ""]

    lines += [f"{name}: {QUANTITIES[name].words}" for name in names]
    return "\n".join(lines)


def _legend(result: Any) -> list[str]:
    """What each row is, in lines with the names below each other."""
    from krcsim.report.plain_text import wrap
    from krcsim.results.legend import short_legend

    entries = short_legend(result)
    column = max(len(name) for name, _ in entries) + 2
    return [
        line
        for name, what in entries
        for line in wrap(what, WIDTH, name.ljust(column), " " * column)
    ]


def _row(result: Any, point: Any, names: tuple[str, ...], window: str) -> list[str]:
    from krcsim.results.result import words

    cells = [*map(str, point), *(words(result.get(point, name, window)) for name in names)]
    for column in ("replications", "method"):
        cells.append(str(result.detail(point, names[0], window, column) or ""))
    return cells
