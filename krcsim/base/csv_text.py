# SPDX-License-Identifier: GPL-2.0-only
"""The CSV that krcsim writes: comma, one line feed a row, UTF-8; a head of comment
lines if any.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence


def csv_line(cells: Iterable[object]) -> str:
    """One row with its end; a cell stands in quotes only where it must, None is an
    empty cell.
    """
    return _written(cells, csv.QUOTE_MINIMAL)


def csv_text(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A whole table: the names of the columns, then the rows."""
    return "".join(map(csv_line, (columns, *rows)))


def comment_lines(about: Mapping[str, object]) -> str:
    """Where a table comes from, as lines that begin with `# ` and stand above it."""
    lines = [f"{key}: {value}" for key, value in about.items()]
    return "".join(f"# {line}\n" for text in lines for line in text.splitlines())


def safe_name(name: str) -> str:
    """A name on one line that no spreadsheet takes for a formula."""
    line = " ".join(name.split())
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def quoted(name: str) -> str:
    """A name in quotes, whether it needs them or not, without the end of a line."""
    return _written([name], csv.QUOTE_ALL).rstrip("\n")


def nine_digits(value: float | None) -> str:
    """A number as it is drawn, to nine digits; None is an empty cell."""
    return "" if value is None else f"{value:.9g}"


def _written(cells: Iterable[object], quoting: int) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator="\n").writerow(cells)  # type: ignore[arg-type]
    return text.getvalue()
