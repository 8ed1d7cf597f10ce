# SPDX-License-Identifier: GPL-2.0-only
"""What each row of a result is: the remedy in words, and who proposed it when."""

import re
from collections.abc import Mapping

from krcsim.base.errors import KrcsimError
from krcsim.model.remedy import Remedy
from krcsim.model.remedy_words import (
    WITHOUT,
    described,
    is_sized,
    known_remedy,
    row_of,
    sizes_of,
    words_of,
    words_of_sizes,
)
from krcsim.results.result import Result, scenario_of

MADE = "remedies"  # of a result's provenance: remedies that no table has, by name
MANY = 12  # remedies, of which each has a line of its own


def legend(result: Result) -> list[tuple[str, str]]:
    """Each remedy of a result with what it is, in the order of the rows.

    ("A1", "try harder for an rcu_head: the request may sleep (Rezki, 2 April 2020)"). Plain text,
    which whoever makes HTML of it escapes.
    """
    own = own_remedy(result)
    made = remedies_of(result)
    names = dict.fromkeys(str(point[0]) for point in result.points() if point)
    return [(name, _what(name, own, made.get(name))) for name in names]


def short_legend(result: Result) -> list[tuple[str, str]]:
    """The same, but of many rows those that are sizes of one reserve share a line.

    ("B1-own to B200-own", "your setting with a pool of 1 to 200 objects, empty at boot").
    """
    entries = legend(result)
    return grouped(entries) if len(entries) > MANY else entries


def grouped(entries: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names and what they are, with one line for the sizes of one reserve."""
    families: dict[str, list[tuple[str, str]]] = {}
    for name, what in entries:
        is_size = is_sized(name) and name != WITHOUT
        family = re.sub(r"(?<=[BD])\d+", "N", name) if is_size else name
        families.setdefault(family, []).append((name, what))
    return [_one_line(members) for members in families.values()]


def _one_line(members: list[tuple[str, str]]) -> tuple[str, str]:
    """Sizes of one reserve as one entry, with the smallest and the largest size."""
    first, what = members[0]
    if len(members) == 1:
        return first, what
    spans = []
    for sizes in zip(*(sizes_of(name) for name, _ in members), strict=True):
        low, high = min(sizes), max(sizes)
        spans.append(f"{low}" if low == high else f"{low} to {high}")
    return f"{first} to {members[-1][0]}", words_of_sizes(first, spans)


def _what(name: str, own: Remedy | None, made: Remedy | None) -> str:
    """What one remedy is; `made`: as Python gave it under that name."""
    if made is not None:
        return f"a remedy of your own: {described(made)}"
    if row := row_of(name):
        return f"{row.words} ({row.who}, {row.when})"

    words = words_of(name, own)
    if words != name:
        return words
    if remedy := known_remedy(name, own):
        return described(remedy)
    return "a remedy of your own, of which the result says no more than its name"


def own_remedy(result: Result) -> Remedy | None:
    """The remedy of the scenario that a result was made from, None if it cannot be read."""
    try:
        return scenario_of(result).remedy
    except (KrcsimError, KeyError):
        return None


def remedies_of(result: Result) -> dict[str, Remedy]:
    """The remedies that Python gave names of its own, as far as the result holds them."""
    made = result.provenance.get(MADE)
    if not isinstance(made, Mapping):
        return {}

    found = {}
    for name, values in made.items():
        try:
            found[str(name)] = Remedy(**values)
        except (KrcsimError, TypeError):
            continue
    return found
