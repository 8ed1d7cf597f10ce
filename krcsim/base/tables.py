# SPDX-License-Identifier: GPL-2.0-only
"""Rows of cells as a table: plain text for terminals and mails, HTML for notebooks.

Sentences and lists of names stand before such tables.
"""

import html
from collections.abc import Iterable, Sequence


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table: names to the left, everything else to the right, a rule
    below the head.

    Each row has as many cells as the head; lines end without blanks, and may be of any
    width.
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    lines = []
    for name, *others in [head, rule, *rows]:
        cells = [name.ljust(widths[0]), *map(str.rjust, others, widths[1:])]
        lines.append("  ".join(cells).rstrip())

    return lines


def html_table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """The same for a notebook; whatever a cell or a column's name holds is text and no
    markup.
    """
    top = _html_cells("th", head)
    body = "".join(f"<tr>{_html_cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _html_cells(tag: str, cells: Iterable[object]) -> str:
    return "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells)


def paragraph(text: str) -> str:
    """A sentence for a notebook, large enough to be read first."""
    return f'<p style="font-size: larger">{html.escape(text)}</p>'


def html_list(entries: Iterable[tuple[str, str]]) -> str:
    """Names with what they are, a line each; "" for none."""
    lines = [f"<b>{html.escape(name)}</b>: {html.escape(what)}" for name, what in entries]
    return f"<p>{'<br>'.join(lines)}</p>" if lines else ""
