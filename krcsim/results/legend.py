# SPDX-License-Identifier: GPL-2.0-only
"""What each row of a result is: the remedy in words, and who proposed it when."""

import re
from collections.abc import Mapping

from krcsim.base.errors import KrcsimError
from krcsim.model.remedy import REMEDIES, SIZED, Remedy
from krcsim.model.remedy_words import ON_OWN, WITHOUT, described, known_remedy, row_of, words_of
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
    if len(entries) <= MANY:
        return entries

    families: dict[str, list[tuple[str, str]]] = {}
    for name, what in entries:
        sized = SIZED.fullmatch(name.removesuffix(ON_OWN))
        is_sized = sized is not None and name not in REMEDIES and name != WITHOUT
        family = re.sub(r"\d+", "N", name, count=1) if is_sized else name
        families.setdefault(family, []).append((name, what))
    return [_one_line(members) for members in families.values()]


def _one_line(members: list[tuple[str, str]]) -> tuple[str, str]:
    """Sizes of one reserve as one entry: the words of the last, with the number of the first."""
    (first, _), (last, what) = members[0], members[-1]
    if first == last:
        return last, what
    smallest, largest = (re.search(r"\d+", name) for name in (first, last))
    if smallest is None or largest is None:
        return f"{first} to {last}", what
    sizes = f"{smallest[0]} to {largest[0]}"
    return f"{first} to {last}", re.sub(rf"\b{largest[0]}\b", sizes, what, count=1)


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
