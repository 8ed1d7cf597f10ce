# SPDX-License-Identifier: GPL-2.0-only
"""Lines of the parent that are quoted: which, and how."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from krcsim.base.errors import KrcsimError, shown


def chosen(lines: Sequence[str], what: str) -> list[str]:
    """The lines FROM-TO or N, from 1, or the paragraph that holds a text, however it is quoted;
    raises KrcsimError.
    """
    *keys, wanted = [" ".join(line.lstrip("> \t").casefold().split()) for line in [*lines, what]]
    blocks = [list(block) for _, block in groupby(range(len(lines)), lambda n: bool(keys[n]))]
    holding = (block for block in blocks if wanted and wanted in " ".join(keys[n] for n in block))
    span = re.fullmatch(r"\s*([0-9]{1,9})\s*(?:-\s*([0-9]{1,9})\s*)?", what)
    found: Sequence[int] = (
        range(int(span[1]) - 1, int(span[2] or span[1])) if span else next(holding, [])
    )
    if not found or found[0] < 0 or found[-1] >= len(lines):
        raise KrcsimError(
            f"the lines to quote are {shown(what)}; allowed: within 1-{len(lines)}, "
            "or words of one paragraph"
        )
    return [lines[n] for n in found]


def quoted(lines: Iterable[str]) -> list[str]:
    """The lines behind a mark of quoting, otherwise as they came."""
    return [(">" if re.match(" *>|$", line) else "> ") + line for line in lines]
