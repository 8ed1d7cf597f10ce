# SPDX-License-Identifier: GPL-2.0-only
"""What the rows of an answer to the list are, and whose proposal each is."""

import re
from collections.abc import Iterable, Mapping

from krcsim.model.remedy import OWN, REMEDIES, TABLE
from krcsim.model.remedy_words import words_of
from krcsim.report.plain_text import WIDTH, wrap
from krcsim.results.legend import legend, own_remedy
from krcsim.results.result import Result

LONGEST_NAME = 12  # columns; what is longer pushes its words to the right
OURS = "this setting"  # what a page for one person calls `your setting`
_DATED = re.compile(r"(?<=\d [A-Z][a-z]{2}) (\d{4})\)$")  # (Rezki, 2 Apr 2020)
_AT_END = re.compile(r" \([^()]{1,40}\)$")  # whose and when, at the end of some words
_KEPT_TOGETHER = "\0"
_MONTHS = "January February March April June July August September October November December"


def explanations(result: Result) -> dict[str, str]:
    """What each remedy is that an answer may name, by its name."""
    rows = {row.name: f"{row.words} ({row.who}, {row.when})" for row in TABLE}
    said = {**rows, OWN: words_of(OWN, own_remedy(result)), **dict(legend(result))}
    return {name: to_the_list(words) for name, words in said.items()}


def legend_lines(known: Mapping[str, str], names: Iterable[str], when: str) -> list[str]:
    """The lines that say what is counted `when`, what these rows are, and each remedy that only
    their words name. `known`: of explanations().

    A year that all dates have in common is said once. A remedy without a row is said to have none,
    and not whose it is, so that it needs a line and no more.
    """
    said: dict[str, str] = {}
    with_row = [*names]
    waiting = [*with_row]
    while waiting:
        name = waiting.pop(0)
        said[name] = known[name] if name in with_row else f"(no row) {_AT_END.sub('', known[name])}"
        waiting += [other for other in _named_in(said[name]) if other not in (*said, *waiting)]

    years = [found[1] for words in said.values() if (found := _DATED.search(words))]
    head = f"Single-argument kfree_rcu() calls that sleep in synchronize_rcu(), {when}"
    if len(years) > 1 and len({*years}) == 1:
        head += f" (dates: {years[0]})"
        said = {name: _DATED.sub(")", words) for name, words in said.items()}

    width = min(LONGEST_NAME, max(map(len, said)))
    lines = [
        line.replace(_KEPT_TOGETHER, " ")
        for name, words in said.items()
        for line in wrap(_whole_ends(words), WIDTH, f"  {name:<{width}}  ", " " * (width + 4))
    ]
    return [*wrap(f"{head}:"), *lines]


def _whole_ends(words: str) -> str:
    """The words, with the name and the date at their end as one word that no line break parts."""
    return _AT_END.sub(lambda end: " " + end[0][1:].replace(" ", _KEPT_TOGETHER), words)


def to_the_list(text: str) -> str:
    """A sentence that was written for the person who asks, as that person says it to others.

    Months are shortened, so that most rows need one line.
    """
    text = text.replace("a remedy of your own", "a remedy made for this question")
    text = re.sub(r"\byour\b", "this", text)
    return re.sub(r"(?<=\d )(\w{3})\w*(?= \d{4}\b)", _month, text)


def _month(found: re.Match[str]) -> str:
    return found[1] if found[0] in _MONTHS.split() else found[0]


def _named_in(words: str) -> list[str]:
    """The remedies that some words name."""
    found = [name for name in re.findall(r"(?<![\w-])[A-Z]\d(?![\w-])", words) if name in REMEDIES]
    return [*found, *([OWN] if words.startswith(f"{OURS} with") else [])]
