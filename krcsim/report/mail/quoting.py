# SPDX-License-Identifier: GPL-2.0-only
"""Lines of the parent that are quoted: which, and how."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from krcsim.base.errors import KrcsimError, shown


def chosen(lines: Sequence[str], what: str) -> list[str]:
    """The lines FROM-TO or N, from 1, or the paragraph that holds a text, however it is
    quoted; raises KrcsimError.
    """
    found = _span(what)
    if found is None:
        found = _paragraph(lines, what)
    if not found or found[0] < 0 or found[-1] >= len(lines):
        raise KrcsimError(
            f"the lines to quote are {shown(what)}; allowed: within 1-{len(lines)}, "
            "or words of one paragraph"
        )

    return [lines[number] for number in found]


def _span(what: str) -> Sequence[int] | None:
    """The places of the lines FROM-TO or N; None of words."""
    span = re.fullmatch(r"\s*([0-9]{1,9})\s*(?:-\s*([0-9]{1,9})\s*)?", what)
    return range(int(span[1]) - 1, int(span[2] or span[1])) if span else None


def _paragraph(lines: Sequence[str], what: str) -> Sequence[int]:
    """The places of the lines of the first paragraph that holds some words; may be empty."""
    *keys, wanted = [_bare(line) for line in [*lines, what]]
    numbers = range(len(lines))
    blocks = [list(block) for _, block in groupby(numbers, lambda number: bool(keys[number]))]
    for block in blocks:
        if wanted and wanted in " ".join(keys[number] for number in block):
            return block

    return []


def _bare(line: str) -> str:
    """A line in small letters, without its marks of quoting and with single blanks."""
    return " ".join(line.lstrip("> \t").casefold().split())


def quoted(lines: Iterable[str]) -> list[str]:
    """The lines behind a mark of quoting, otherwise as they came."""
    return [(">" if re.match(" *>|$", line) else "> ") + line for line in lines]
