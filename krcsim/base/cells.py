# SPDX-License-Identifier: GPL-2.0-only
"""What may stand in a file: a rule for each column or name, checked once where the file is read."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from krcsim.base.errors import shown
from krcsim.base.fields import is_finite, is_whole


@dataclass(frozen=True)
class Rule:
    """What a value must be, in words and as a test."""

    words: str
    fits: Callable[[Any], bool]


def either(rule: Rule) -> Rule:
    """The rule, or nothing at all."""
    return Rule(rule.words + ", or nothing", lambda x: x is None or rule.fits(x))


def within(lo: float, hi: float, words: str) -> Rule:
    """A number between two ends."""
    return Rule(words, lambda x: is_finite(x) and lo <= x <= hi)


def whole(most: int) -> Rule:
    """A whole number from 0 to `most`."""
    return Rule(f"a whole number from 0 to {most:,}", lambda x: is_whole(x, most))


def mapping(of: Rule) -> Rule:
    """Names, and for each a value."""
    return Rule(
        f"a table of names, each with {of.words}",
        lambda x: isinstance(x, dict) and all(LINE.fits(k) and of.fits(v) for k, v in x.items()),
    )


def several(of: Rule) -> Rule:
    """A list of values."""
    return Rule(
        f"a list of which each is {of.words}",
        lambda x: isinstance(x, list) and all(map(of.fits, x)),
    )


def word(*options: str) -> Rule:
    """One of a few words."""
    return Rule("one of " + ", ".join(options), lambda x: isinstance(x, str) and x in options)


def _splits(text: str) -> bool:
    try:
        return bool(shlex.split(text))
    except ValueError:
        return False


LINE = Rule("a line of text", lambda x: isinstance(x, str) and x.isprintable())
NAME = Rule("a word or more", lambda x: LINE.fits(x) and x.strip() == x != "")
TEXT = Rule("text", lambda x: isinstance(x, str))
COMMAND = Rule("a command line", lambda x: LINE.fits(x) and _splits(x))
NUMBER = Rule("a finite number", is_finite)
AMOUNT = Rule("a finite number from 0 on", lambda x: is_finite(x) and x >= 0)
COUNT = whole(2**63 - 1)
VALUE = Rule(
    "a line of text, a finite number, true, false or nothing",
    lambda x: x is None or isinstance(x, bool) or LINE.fits(x) or is_finite(x),
)
TABLE = mapping(Rule("any value", lambda _: True))


def wrong_in_row(columns: Mapping[str, Rule] | Sequence[tuple[str, Rule]], row: Any) -> str:
    """What is wrong with a row of cells, or ""."""
    pairs = list(columns.items()) if isinstance(columns, Mapping) else columns
    if not isinstance(row, (list, tuple)) or len(row) != len(pairs):
        return f"a row is {shown(row)}; wanted: {len(pairs)} cells"
    for (name, rule), cell in zip(pairs, row, strict=True):
        if not rule.fits(cell):
            return f"{name} is {shown(cell)}; wanted: {rule.words}"
    return ""


def wrong_in_table(rules: Mapping[str, Rule], table: Any) -> str:
    """What is wrong with a table of names and values, of which more are allowed than have a rule;
    or "".
    """
    if not isinstance(table, dict):
        return f"{shown(table)} is no table of names and values"
    for name, rule in rules.items():
        if name not in table:
            return f"{name} is missing; wanted: {rule.words}"
        if not rule.fits(table[name]):
            return f"{name} is {shown(table[name])}; wanted: {rule.words}"
    return ""
