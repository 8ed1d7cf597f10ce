# SPDX-License-Identifier: GPL-2.0-only
"""The verdict: what a result says, in one sentence that a person can act on.

Which rows it is about is decided by the rules of held_against.py. Of two rows it says

* "34 times fewer" or "12 % fewer" only if the interval of their difference does not hold 0 and both
  are known with an interval; the interval of a ratio is left out where only the same random draws
  prove the difference;
* "at least 34 times fewer" where one is a bound or an order of magnitude with limits, if the limits
  carry it, and nothing of the kind if they do not;
* that no run told them apart, or that no difference is proven.

An order of magnitude and a bound are said to be one.
"""

import math
from collections.abc import Callable, Iterable
from itertools import product

from krcsim.base.errors import KrcsimError
from krcsim.model.remedy import OWN, REMEDIES, Remedy
from krcsim.model.remedy_words import ON_OWN, WITHOUT, known_remedy, reserve_words
from krcsim.results.counts import estimated, percent, times
from krcsim.results.estimate import Estimate
from krcsim.results.held_against import (
    NEXT_TO_NOTHING,
    SURE,
    Chosen,
    Row,
    Rows,
    apart_from,
    chosen,
    rows_in,
)
from krcsim.results.legend import own_remedy, remedies_of
from krcsim.results.one_answer import counted
from krcsim.results.result import Result, scenario_of

LONGEST = 200  # characters of a verdict
LONGEST_NAMES = (40, 16)  # of a remedy, where its words are too long
FEW_TIMES = 1.995  # a ratio below is said in per cent
NOT_ONE = 1.1  # the lower limit of a ratio that is written as more than 1

NO_ROWS = "The result has no rows, so there is no answer."
NOT_ASKED = "The result does not say how many calls wait for a grace period."
NOTHING_KNOWN = "Nothing is known about waits: no call was made that could have met one."

Phrases = Callable[[Row, int], str]  # of a row, and how short it has to be: 0, 1, 2


def verdict(result: Result, window: str | None = None) -> str:
    """What a result says, in a sentence of at most LONGEST characters of ASCII.

    window: boot or steady, or an episode; left out, steady if there is any, and of episodes the
    first against the last. Raises KrcsimError if the result has no such window.
    """
    windows = result.windows()
    if not windows:
        return NO_ROWS
    if window not in (None, *windows):
        raise KrcsimError(f"window is {window!r}; allowed: {', '.join(windows)}")

    by_episode = windows[0].startswith("episode")
    quantity = "p_wait_episode" if by_episode else "p_wait"
    if all(row[len(result.parameters) + 1] != quantity for row in result.rows):
        return NOT_ASKED

    last = window or ("steady" if "steady" in windows else windows[-1])
    rows = rows_in(result, quantity, last)
    if not rows.rows:
        return NOTHING_KNOWN
    if len(result.parameters) > 1:
        return _of_grid(result, rows, when_of(result, last))

    phrases = phrases_of(result)
    found = chosen(rows, own_remedy(result))
    if by_episode and last != windows[0]:
        first = rows_in(result, quantity, windows[0])
        return _of_episodes(first, found, phrases, last)
    return _of_rows(rows, found, phrases, when_of(result, last))


def when_of(result: Result, window: str) -> str:
    """The window at the beginning of a sentence, "" for what needs none."""
    if window == "steady":
        return ""
    if window == "episode 1":
        return "in the first episode of pressure"
    if window == "episode 1 on":
        return "in an episode of pressure"
    if window.startswith("episode"):
        return f"in {window}" if not window.endswith(" on") else f"from {window}"
    try:
        return f"in the first {scenario_of(result).warmup_ms:g} ms from boot"
    except (KrcsimError, KeyError):
        return f"in the window {plain_name(window)}"


# ---- how rows are called


def phrases_of(result: Result) -> Phrases:
    """What the rows of a result are called behind "with"."""
    own = own_remedy(result)
    made = remedies_of(result)

    def phrase(row: Row, shorter: int) -> str:
        if shorter and row.name == OWN:
            return "your setting"
        if shorter and row.name != WITHOUT:
            return plain_name(row.name, LONGEST_NAMES[shorter - 1])
        return phrase_of(row.name, own, made.get(row.name))

    return phrase


def phrase_of(name: str, own: Remedy | None, made: Remedy | None = None) -> str:
    """A remedy behind "with": a pool of 3 objects (B), your pool of 3 objects, A0."""
    if name == OWN:
        reserve = reserve_words(own) if own else ""
        return f"your {reserve.removeprefix('a ')}" if reserve else "your setting"
    if name == WITHOUT:
        return "no reserve"

    remedy = made or known_remedy(name, own)
    reserve = reserve_words(remedy) if remedy else ""
    if not reserve:
        return plain_name(name)
    if name.endswith(ON_OWN) and name.removesuffix(ON_OWN) not in REMEDIES:
        return reserve
    return f"{reserve} ({plain_name(name)})"


def plain_name(name: str, longest: int = LONGEST_NAMES[0]) -> str:
    """A name as a mail takes it: printable ASCII, and no longer than that."""
    text = "".join(sign if " " <= sign <= "~" else "?" for sign in name)
    text = " ".join(text.split()).rstrip(".,;:!? ") or "a remedy without a name"
    return text if len(text) <= longest else f"{text[: longest - 3].rstrip('.,;:!? ')}..."


# ---- how two rows differ


def _relations(rows: Rows, row: Row, base: Row) -> list[str]:
    """How a row differs from the base, to stand behind its number: the best wording first."""
    apart = rows.apart(row, base)
    if apart is None:
        unseen = row.estimate.kind == base.estimate.kind == "bound"
        return [", no difference proven"] if unseen else [""]
    if apart.same:
        exact = row.estimate.kind == base.estimate.kind == "exact"
        return [", the same" if exact else ", no difference seen"]
    if not (apart.is_less or apart.is_more):
        return [", no difference proven"]
    return how_many_times(row.estimate, base.estimate, fewer=apart.is_less)


def how_many_times(estimate: Estimate, base: Estimate, *, fewer: bool) -> list[str]:
    """By how much one is proven to be less or more than another; [""] where nothing says it."""
    high, low = (base, estimate) if fewer else (estimate, base)
    word = "fewer" if fewer else "more"
    as_often = "times fewer" if fewer else "times as many"
    if high.kind in SURE and low.kind in SURE:
        if not (high.value and low.value) or low.value < NEXT_TO_NOTHING:
            return [""]
        ratio = high.value / low.value
        if ratio < FEW_TIMES:
            part = 1.0 - 1.0 / ratio if fewer else ratio - 1.0
            return [f": {percent(part)} {word}"]
        said = f": {times(ratio)} {as_often}"
        return [said + _within(high, low), said]

    if not (high.lo and low.hi) or low.hi < NEXT_TO_NOTHING or high.lo <= low.hi:
        return [""]
    least = high.lo / low.hi
    return [f": at least {times(least, math.floor)} {as_often}" if least >= 2.0 else f": {word}"]


def _within(high: Estimate, low: Estimate) -> str:
    """The 95 % limits of a ratio, as if the two errors had nothing in common; "" if they hold 1, or
    nearly.

    On a scale of logarithms; the same random draws can only bring the limits closer together.
    """
    if not (high.value and high.lo and high.hi and low.value and low.lo and low.hi):
        return ""
    down = math.hypot(math.log(high.value / high.lo), math.log(low.hi / low.value))
    up = math.hypot(math.log(high.hi / high.value), math.log(low.value / low.lo))
    ratio = high.value / low.value
    least, most = ratio * math.exp(-down), ratio * math.exp(up)
    if least < NOT_ONE or down == up == 0.0:
        return ""
    return f" ({times(least, math.floor)} to {times(most, math.ceil)})"


# ---- sentences


def _of_rows(rows: Rows, found: Chosen, phrases: Phrases, when: str) -> str:
    """The verdict on a row, or on two that are held against each other."""
    if found.held is None:
        return _of_base(rows, found.base, phrases, when)

    base, held = found.base, found.held
    relations = _relations(rows, held, base)
    return first_that_fits(
        finished(
            [when, _opening(found, phrases, shorter)],
            f"{waits(base.estimate, keep)}"
            f"{' (no difference seen)' if found.without else ''}; with {phrases(held, shorter)} "
            f"{_number(held.estimate, keep)}{relation}"
            f"{_cost(held, found.without or base) if costs else ''}"
            f"{more}",
        )
        for told, costs in ((relations, True), (relations, False), ([""], False))
        for shorter, keep, more, relation in product(
            (0, 1, 2), (True, False), _cheaper(found, phrases), told
        )
    )


def _of_base(rows: Rows, base: Row, phrases: Phrases, when: str) -> str:
    """The verdict on a row alone, or on one below which no other is proven to be."""
    others = len(rows.rows) - 1
    none = f"; none of the {others} others is proven to have fewer" if others else ""
    alone = base.name == OWN and not others
    return first_that_fits(
        finished([when, "" if alone else _with(phrases(base, shorter))], f"{said}{none}")
        for shorter in (0, 1, 2)
        for said in (waits(base.estimate, True), waits(base.estimate, False))
    )


def _opening(found: Chosen, phrases: Phrases, shorter: int) -> str:
    """How a sentence on two rows begins: the base, unless it is your setting."""
    if found.without:
        reserve = "your reserve" if shorter else phrases(found.base, shorter)
        return f"with or without {reserve}"
    return "" if found.base.name == OWN else _with(phrases(found.base, shorter))


def _with(phrase: str) -> str:
    return "without a reserve" if phrase == "no reserve" else f"with {phrase}"


def waits(estimate: Estimate, with_interval: bool) -> str:
    """1 call in 1,930 (1,780 to 2,090) waits for a grace period."""
    return counted("p_wait", estimate, with_interval=with_interval)


def _number(estimate: Estimate, with_interval: bool) -> str:
    """1 in 1,930 (1,780 to 2,090)."""
    if estimate.value == 0.0:
        return "no call can"
    return estimated(estimate, "", with_interval=with_interval).words


def _cost(row: Row, base: Row) -> str:
    """What a row costs in memory beyond the base."""
    if row.added is None or base.added is None or row.added == base.added:
        return ""
    more = row.added - base.added
    return f", for {abs(more):,.0f} bytes {'less ' * (more < 0.0)}per CPU"


def _cheaper(found: Chosen, phrases: Phrases) -> list[str]:
    """The row that costs much less than the one that is held, with its bytes: long, short, left
    out.
    """
    row, plain = found.cheaper, (found.without or found.base).added
    if row is None or row.added is None or plain is None:
        return [""]
    cost = f"for {row.added - plain:,.0f}" if row.added > plain else "at no cost"
    said = f"{_number(row.estimate, False)}, {cost}"
    return [*(f"; with {phrases(row, shorter)} {said}" for shorter in (0, 1)), ""]


def finished(opening: Iterable[str], text: str) -> str:
    """A sentence with a capital and a full stop; opening: when, and with what."""
    before = " ".join(filter(None, opening))
    text = f"{before}, {text}" if before else text
    return f"{text[0].upper()}{text[1:]}."


def first_that_fits(texts: Iterable[str]) -> str:
    """The first of some wordings that is not too long."""
    text = ""
    for text in texts:
        if len(text) <= LONGEST:
            break
    return text


# ---- episodes, and grids


def _of_episodes(first: Rows, found: Chosen, phrases: Phrases, last: str) -> str:
    """The first episode against a later one, for the row that the later one is about."""
    row = found.base if found.without else found.held or found.base
    later = f"from {last}" if last.endswith(" on") else f"in {last}"
    before = next((one.estimate for one in first.rows if one.point == row.point), None)
    apart = before and apart_from(row.estimate, before)
    if before is None:
        return first_that_fits(
            finished([later, _with(phrases(row, shorter))], waits(row.estimate, True))
            for shorter in (0, 1, 2)
        )

    relations = [""]
    if apart and not (apart.is_less or apart.is_more):
        relations = [", no difference proven"]
    elif apart:
        relations = how_many_times(row.estimate, before, fewer=apart.is_less)
    return first_that_fits(
        finished(
            ["in the first episode of pressure", _with(phrases(row, shorter))],
            f"{waits(before, keep)}; {later} it is {_number(row.estimate, keep)}{relation}",
        )
        for told in (relations, [""])
        for shorter, keep, relation in product((0, 1, 2), (True, False), told)
    )


def _of_grid(result: Result, rows: Rows, when: str) -> str:
    """From where fewest calls wait to where most do, as estimated; of two remedies the better."""
    count = len(result.points())
    points = f"over {count} point{'s' * (count != 1)}"
    seen = [row for row in rows.rows if row.estimate.value is not None]
    if not seen:
        most = max(rows.rows, key=lambda row: row.most)
        return finished([when], f"no wait was seen {points}: {waits(most.estimate, False)}")

    low = min(seen, key=lambda row: row.estimate.value or 0.0)
    high = max(seen, key=lambda row: row.estimate.value or 0.0)
    unseen = len(rows.rows) - len(seen)
    none = f", none seen at {unseen}" if unseen else ""
    if low is high:
        return first_that_fits(
            finished([when, f"with {_place(result, low, longest)}"], f"{said}{none}")
            for longest in LONGEST_NAMES
            for said in (waits(low.estimate, True), waits(low.estimate, False))
        )

    def end(row: Row, longest: int, keep: bool) -> str:
        said = estimated(row.estimate, with_interval=keep).words
        return f"{said} with {_place(result, row, longest)}" if longest else said

    return first_that_fits(
        finished(
            [when],
            f"waits for a grace period go from {end(low, longest, keep)} to "
            f"{end(high, longest, keep)}, {points}{none}{better}",
        )
        for longest, better, keep in product(
            (*LONGEST_NAMES, 0), dict.fromkeys((_better(rows), "")), (True, False)
        )
    )


def _place(result: Result, row: Row, longest: int) -> str:
    """A point of a grid: A1, rate_hz 5000."""
    names = [name.split(".")[-1] for name in result.parameters[1:]]
    cells = [f"{name} {cell}" for name, cell in zip(names, row.point[1:], strict=True)]
    return plain_name(", ".join([plain_name(row.name), *cells]), longest)


def _better(rows: Rows) -> str:
    """Of two remedies at how many settings the second is proven to have fewer waits, or more."""
    names = list(dict.fromkeys(row.name for row in rows.rows))
    if len(names) != 2:
        return ""
    by_point = {row.point: row for row in rows.rows}
    pairs = [
        (by_point[names[1], *row.point[1:]], row)
        for row in rows.rows
        if row.name == names[0] and (names[1], *row.point[1:]) in by_point
    ]
    found = [apart for pair in pairs if (apart := apart_from(pair[0].estimate, pair[1].estimate))]
    first, second = map(plain_name, names)
    where = {1: "the one setting", 2: "both settings"}.get(len(pairs), f"all {len(pairs)} settings")
    for word, proven in (
        ("fewer", [apart.is_less for apart in found]),
        ("more", [apart.is_more for apart in found]),
    ):
        if proven and sum(proven) == len(pairs) and 2 * len(pairs) == len(rows.rows):
            return f"; {word} with {second} than with {first} at {where}"
    return ""
