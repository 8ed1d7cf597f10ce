# SPDX-License-Identifier: GPL-2.0-only
"""What may stand in a cell of a file: a rule for each column or name.

A reader checks its rules once, and then uses the values as they are.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from krcsim.base.errors import shown
from krcsim.base.fields import is_finite, is_whole


@dataclass(frozen=True)
class Rule:
    """What a value must be: in words, and as a test."""

    words: str
    fits: Callable[[Any], bool]


def either(rule: Rule) -> Rule:
    """The rule, or nothing at all."""
    return Rule(f"{rule.words}, or nothing", lambda value: value is None or rule.fits(value))


def within(lo: float, hi: float, words: str) -> Rule:
    """A number between two ends."""
    return Rule(words, lambda value: is_finite(value) and lo <= value <= hi)


def whole(most: int) -> Rule:
    """A whole number from 0 to `most`."""
    return Rule(f"a whole number from 0 to {most:,}", lambda value: is_whole(value, most))


def mapping(of: Rule) -> Rule:
    """Names, and for each a value."""

    def fits(table: Any) -> bool:
        return isinstance(table, dict) and all(
            LINE.fits(name) and of.fits(value) for name, value in table.items()
        )

    return Rule(f"a table of names, each with {of.words}", fits)


def several(of: Rule) -> Rule:
    """A list of values."""

    def fits(values: Any) -> bool:
        return isinstance(values, list) and all(map(of.fits, values))

    return Rule(f"a list of which each is {of.words}", fits)


def word(*options: str) -> Rule:
    """One of a few words."""

    def fits(value: Any) -> bool:
        return isinstance(value, str) and value in options

    return Rule("one of " + ", ".join(options), fits)


def _splits(text: str) -> bool:
    try:
        return bool(shlex.split(text))
    except ValueError:
        return False


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool) or LINE.fits(value) or is_finite(value)


LINE = Rule("a line of text", lambda value: isinstance(value, str) and value.isprintable())
NAME = Rule("a word or more", lambda value: LINE.fits(value) and value.strip() == value != "")
TEXT = Rule("text", lambda value: isinstance(value, str))
COMMAND = Rule("a command line", lambda value: LINE.fits(value) and _splits(value))
NUMBER = Rule("a finite number", is_finite)
AMOUNT = Rule("a finite number from 0 on", lambda value: is_finite(value) and value >= 0)
COUNT = whole(2**63 - 1)
VALUE = Rule("a line of text, a finite number, true, false or nothing", _is_plain)
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
    """What is wrong with a table of names and values, or ""; names without a rule are allowed."""
    if not isinstance(table, dict):
        return f"{shown(table)} is no table of names and values"

    for name, rule in rules.items():
        if name not in table:
            return f"{name} is missing; wanted: {rule.words}"
        if not rule.fits(table[name]):
            return f"{name} is {shown(table[name])}; wanted: {rule.words}"
    return ""
