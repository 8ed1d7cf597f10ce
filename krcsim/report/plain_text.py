# SPDX-License-Identifier: GPL-2.0-only
"""Plain text that a mailing list takes: paragraphs and tables of at most 72 columns of
ASCII.
"""

import textwrap
from collections.abc import Sequence

from krcsim.base.errors import KrcsimError
from krcsim.base.tables import text_table

WIDTH = 72
# Columns that a table does without where it is too wide, the first first.
SPARE = ("from boot", "steady", "blocked", "bytes/CPU")
INTERVAL = "95 % interval"


def wrap(text: str, width: int = WIDTH, first: str = "", later: str = "") -> list[str]:
    """A paragraph in lines of at most `width` columns, the first and the later ones
    indented.
    """
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
        expand_tabs=False,
        replace_whitespace=False,
    )


def fitting_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], width: int = WIDTH
) -> list[str]:
    """The lines of a table that fits into so many columns.

    Where it is too wide it does without the columns that can be spared, then without
    intervals, and at last it is a list with a paragraph a row.
    """
    kept = list(range(len(head)))
    for spare in ("", *SPARE):
        kept = [column for column in kept if head[column] != spare or column < 2]
        lines = text_table(
            [head[column] for column in kept], [[row[column] for column in kept] for row in rows]
        )
        if _widest(lines) <= width:
            return lines

    kept = [column for column in kept if head[column] != INTERVAL]
    values = [[row[column].split(" [")[0] for column in kept] for row in rows]
    lines = text_table([head[column] for column in kept], values)
    if _widest(lines) <= width:
        return lines

    return [line for row in rows for line in _paragraph(head, row, width)]


def _widest(lines: list[str]) -> int:
    return max(map(len, lines))


def _paragraph(head: Sequence[str], row: Sequence[str], width: int) -> list[str]:
    """A row in words: remedy A1, bytes/CPU 4096, ..."""
    cells = [f"{name} {cell}" for name, cell in zip(head, row, strict=True) if cell]
    return wrap(", ".join(cells), width, "  ", " " * 6)


def check_text(text: str) -> str:
    """The text itself if a list would take it; raises KrcsimError for what it would
    mangle.

    Commands, which begin with two blanks, may be longer than the other lines.
    """
    for n, line in enumerate(text.split("\n"), 1):
        if len(line) > WIDTH and not line.startswith("  "):
            raise KrcsimError(f"line {n} of the reply has {len(line)} columns; allowed: {WIDTH}")
        if not line.isascii() or "\t" in line or line != line.rstrip():
            raise KrcsimError(f"line {n} of the reply is not plain 7-bit text; change the names")

    return text
