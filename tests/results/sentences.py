# SPDX-License-Identifier: GPL-2.0-only
"""A verdict read back: the counts in it, and whether an estimate carries them.

Nothing here is shared with what makes verdicts, but for how long they may be.
"""

from __future__ import annotations

import math
import re

from krcsim.results.estimate import Estimate
from krcsim.results.verdict import LONGEST

NUMBER = r"(?:a|[\d.,]+)(?: (?:million|billion|trillion))?"
COUNT = (
    rf"(?:fewer than \d+(?: calls?)? in {NUMBER}"
    rf"|about 1(?: call)? in {NUMBER} \(order of magnitude\)"
    r"|about (?:every call|all) \(order of magnitude\)"
    r"|an unknown share(?: of calls)?"
    rf"|all but 1(?: call)? in {NUMBER}"
    r"|no call(?: can(?! wait))?|none|every call|all"
    rf"|\d+(?: calls?)? in {NUMBER})"
    r"(?: \((?:at (?:least|most) )?[^()]*\d[^()]*\))?"
)
_UNITS = {"million": 1e6, "billion": 1e9, "trillion": 1e12}
ROUNDED = 0.052  # two digits
GRAIN = 1e-9


def number(text: str) -> float:
    """1,930; 2.4 million; a trillion."""
    digits, _, unit = text.partition(" ")
    return (1.0 if digits == "a" else float(digits.replace(",", ""))) * _UNITS.get(unit, 1.0)


def near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=ROUNDED)


def carries(e: Estimate, count: str) -> bool:
    """Whether an estimate carries a count that was said of it, with its interval."""
    text, _, rest = count.partition(" (")
    text = text.replace(" call in", " in").replace(" calls in", " in")
    within = rest.rstrip(")")
    parts = re.fullmatch(rf"(?P<some>[a-z ]*?)(?P<n>\d+) in (?P<of>{NUMBER})", text)

    if "order of magnitude" in count:
        if e.kind != "rough" or e.value is None:
            return False
        said = float(parts["n"]) / number(parts["of"]) if parts else 1.0
        return 1 / 1.6 < said / e.value < 1.6
    if e.kind == "rough":
        return text == "fewer than 1 in a trillion" and (e.value or 0.0) < 1e-12
    if text.startswith("an unknown share"):
        return e.kind == "bound" and (e.hi or 0.0) > 0.98
    if text.startswith("fewer than"):
        assert parts
        most = float(parts["n"]) / number(parts["of"])
        if e.kind == "bound":
            return (e.hi or 0.0) <= most * (1 + GRAIN) and not within
        return (e.value or 0.0) < 1e-12 and most == 1e-12
    if e.kind == "bound" or e.value is None:
        return False
    if text in ("no call can", "no call", "none"):
        return e.value == 0.0
    if text in ("every call", "all"):
        return e.value == 1.0 and interval_holds(e, within, 100.0)
    assert parts, count
    part, of = float(parts["n"]), number(parts["of"])
    if parts["some"] == "all but ":
        return near(1.0 / of, 1.0 - e.value) and interval_holds(e, within, None)
    value = part / of
    right = near(value, e.value) if part == 1 else abs(value - e.value) <= 0.0101
    return right and interval_holds(e, within, of if part > 1 else None)


def interval_holds(e: Estimate, within: str, of: float | None) -> bool:
    """Whether an interval in words holds that of the estimate, and is not much wider."""
    if not within:
        return True
    if e.kind != "interval" or e.lo is None or e.hi is None:
        return False
    in_100 = within.endswith(" in 100") or of == 100.0
    within = within.removesuffix(" in 100")
    if within.startswith("at "):
        word, text = within.split(" ", 2)[1:]
        limit = number(text.removeprefix("1 in "))
        limit = limit / 100 if in_100 else 1.0 / limit
        return e.lo >= limit - GRAIN if word == "least" else e.hi <= limit * (1 + GRAIN)

    low, high = within.split(" to ")
    unit = high.partition(" ")[2]
    if unit and " " not in low and low != "a" and number(low) < number(high.split(" ")[0]):
        low = f"{low} {unit}"
    a, b = number(low), number(high)
    if in_100:
        lo, hi = a / 100, b / 100
        return lo - GRAIN <= e.lo <= lo + 0.0101 and hi - 0.0101 <= e.hi <= hi + GRAIN
    ends = (1.0 / b, 1.0 / a)
    if e.lo >= 0.99:  # of those that do not
        ends = (1.0 - 1.0 / a, 1.0 - 1.0 / b)
        return ends[0] <= e.lo + GRAIN and ends[1] >= e.hi - GRAIN
    outward = ends[0] <= e.lo * (1 + GRAIN) and ends[1] >= e.hi * (1 - GRAIN)
    return outward and ends[0] >= 0.88 * e.lo and ends[1] <= 1.12 * e.hi


def reads_well(sentence: str) -> None:
    """One sentence of plain English, as far as a rule can say it."""
    assert len(sentence) <= LONGEST, (len(sentence), sentence)
    assert sentence.isascii()
    assert sentence.isprintable()
    assert sentence[0].isupper() or sentence[0].isdigit(), sentence
    assert sentence.endswith(".")
    assert not sentence.endswith(".."), sentence
    assert "  " not in sentence
    assert not re.search(r" [,;:.)]|\( |,,|;;|\(\)", sentence), sentence
    assert not re.search(r"\b1 (?:calls|bytes|objects|pages|points|others)\b", sentence), sentence
    assert not re.search(r"\b(?:[2-9]|\d\d+) (?:call|byte|object|page|point|other)\b", sentence)
    assert not re.search(r"\ba [aeiou]", sentence), sentence
    assert not re.search(r"\b(?:0 bytes|nan|inf|None(?! of))\b", sentence), sentence
    assert sentence.count("(") == sentence.count(")"), sentence
