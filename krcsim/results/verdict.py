# SPDX-License-Identifier: GPL-2.0-only
"""The verdict: what a result says, in a sentence that a person can act on.

Which rows it is about is decided by these rules, in this order:

1. Where `own` (your setting) and `B0-own` (the same without a reserve) are there, and your setting
   has a reserve: `own` is held against `B0-own`.
2. Else the first row is the base, and of the others the best is held against it. Best is what is
   proven: a row counts if its difference from the base is proven to be less, and among those the
   one whose upper limit is lowest. The cheapest row that cannot be told from that one, because its
   interval reaches down to that limit, is taken instead of it. Where the base is `own`, and there
   are other rows on your setting, only these are looked at.
3. Of two rows the second is held against the first, whatever it shows. Where none of several is
   proven to be less, the verdict says so.

What it says of the two:

* "34 times fewer" or "12 % fewer" only if the interval of the difference (paired, where the result
  has it) does not hold 0, and both have an interval. Otherwise "at least 34 times fewer", if the
  limits carry it, "no difference proven", or nothing.
* An order of magnitude and a bound are said to be one.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from krcsim.model.remedy import OWN, REMEDIES, RESERVE, Remedy
from krcsim.model.remedy_words import ON_OWN, WITHOUT, known_remedy, reserve_words
from krcsim.results.counts import estimated, factor, percent
from krcsim.results.estimate import Estimate, between
from krcsim.results.legend import own_remedy, remedies_of
from krcsim.results.result import Cell, Result

LONGEST = 200  # characters of a verdict
SURE = ("interval", "exact")  # kinds of estimates that carry a ratio
NEXT_TO_NOTHING = 1e-12  # bounds below it are all the same
TWICE = 1.995  # below, a ratio is said in per cent
LONGEST_NAME = 40

Point = tuple[Cell, ...]


@dataclass(frozen=True)
class Row:
    """A row that a verdict is about.

    added: bytes per CPU beyond the plain code, None if the result does not say.
    """

    point: Point
    phrase: str  # behind "with", or "" for a base that needs no name
    estimate: Estimate
    added: float | None

    @property
    def name(self) -> str:
        """The name of its remedy."""
        return str(self.point[0])

    @property
    def most(self) -> float:
        """What its probability is at most, as far as is proven; inf if nothing is."""
        return math.inf if self.estimate.hi is None else self.estimate.hi


def verdict(result: Result, window: str | None = None) -> str:
    """What a result says, in one or two sentences of at most LONGEST characters of ASCII.

    window: boot or steady, or an episode; left out, steady if there is any, and all episodes.
    """
    windows = result.windows()
    if not windows:
        return "The result has no rows, so there is no answer."

    by_episode = windows[0].startswith("episode")
    quantity = "p_wait_episode" if by_episode else "p_wait"
    if window not in windows:
        window = None
    if len(result.parameters) > 1:
        return _of_grid(result, quantity, window or usual_window(windows))
    if by_episode and window != windows[0] and len(windows) > 1:
        return _of_episodes(result, quantity, windows[0], window or windows[-1])

    window = window or usual_window(windows)
    rows = rows_of(result, quantity, window)
    known = [row for row in rows if row.estimate.kind != "none"]
    if not known:
        return NOTHING_KNOWN
    where = {"boot": "right after boot", "steady": ""}.get(window, f"in {window}")
    base, held = chosen(result, quantity, window, known)
    if held is None:
        return _of_one(base, where, alone=len(known) == 1, of=len(known))
    return _of_two(result, quantity, window, where, base, held)


NOTHING_KNOWN = "Nothing is known about waits: no call was made that could have met one."


def usual_window(windows: list[str]) -> str:
    """The window that is meant where none is named."""
    return "steady" if "steady" in windows else windows[-1]


def rows_of(result: Result, quantity: str, window: str) -> list[Row]:
    """All rows of a window."""
    own = own_remedy(result)
    made = remedies_of(result)
    rows = []
    for point in result.points():
        name = str(point[0])
        added = result.get(point, "bytes_added", window).value
        estimate = result.get(point, quantity, window)
        rows.append(Row(point, phrase_of(name, own, made.get(name)), estimate, added))
    return rows


def phrase_of(name: str, own: Remedy | None, made: Remedy | None = None) -> str:
    """A remedy behind "with": a pool of 3 objects (B), your setting, A0."""
    if name == OWN:
        reserve = reserve_words(own) if own else ""
        return f"your {reserve.removeprefix('a ')}" if reserve else "your setting"
    if name == WITHOUT:
        return "no reserve"

    remedy = made or known_remedy(name, own)
    reserve = reserve_words(remedy) if remedy else ""
    short = plain_name(name)
    if not reserve:
        return short
    if name.endswith(ON_OWN) and name.removesuffix(ON_OWN) not in REMEDIES:
        return reserve
    return f"{reserve} ({short})"


def plain_name(name: str) -> str:
    """A name as a mail takes it: printable ASCII, and no longer than LONGEST_NAME."""
    text = "".join(sign if " " <= sign <= "~" else "?" for sign in name)
    text = " ".join(text.split()).rstrip(".,;:!? ") or "?"
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 3].rstrip()}..."


# ---- which rows


def chosen(result: Result, quantity: str, window: str, rows: list[Row]) -> tuple[Row, Row | None]:
    """The base, and the row that is held against it, or None if no other is (see above)."""
    by_name = {row.name: row for row in rows}
    if OWN in by_name and WITHOUT in by_name and has_reserve(result):
        return by_name[WITHOUT], by_name[OWN]

    base, *others = rows
    on_own = [row for row in others if row.name.endswith(ON_OWN) and row.name != WITHOUT]
    if base.name == OWN and on_own:
        others = on_own
    if len(rows) == 2:
        return base, rows[1]

    less = [row for row in others if _direction(result, quantity, window, base, row) < 0]
    if not less:
        return base, None
    best = min(less, key=lambda row: row.most)
    alike = [row for row in less if _cannot_be_told(row, best)]
    return base, min(alike, key=lambda row: math.inf if row.added is None else row.added)


def has_reserve(result: Result) -> bool:
    """Whether the setting has a reserve: something beyond what the plain code keeps."""
    own = own_remedy(result)
    plain = REMEDIES["A0"]
    return own is not None and any(getattr(own, name) != getattr(plain, name) for name in RESERVE)


def _cannot_be_told(row: Row, best: Row) -> bool:
    """Whether a row may be as low as the best one, as far as the intervals say."""
    if row is best:
        return True
    if row.estimate.kind == "bound" or best.estimate.kind == "bound":
        return row.most <= max(best.most, NEXT_TO_NOTHING)
    return row.estimate.kind in SURE and (row.estimate.lo or 0.0) <= best.most


# ---- how two rows differ


def _difference(
    result: Result, quantity: str, window: str, base: Row, row: Row
) -> tuple[float, float, bool] | None:
    """The limits of row minus base, and whether no run told them apart; None if there are none."""
    found = {
        (str(one), str(first)): (float(lo or 0), float(hi or 0), value == 0.0 and saves == 1.0)
        for one, first, where, what, value, lo, hi, saves in _typed(result.differences)
        if where == window and what == quantity
    }
    if (row.name, base.name) in found:
        return found[row.name, base.name]
    if (base.name, row.name) in found:
        lo, hi, same = found[base.name, row.name]
        return -hi, -lo, same

    apart = between(row.estimate, base.estimate)
    return (apart.lo, apart.hi, False) if apart else None


def _typed(
    rows: Iterable[tuple[Cell, ...]],
) -> Iterable[tuple[Cell, Cell, Cell, Cell, float | None, float, float, float]]:
    return rows  # type: ignore[return-value]


def _direction(result: Result, quantity: str, window: str, base: Row, row: Row) -> int:
    """-1 if a row is proven to have fewer waits than the base, 1 if more, else 0."""
    apart = _difference(result, quantity, window, base, row)
    if apart is None:
        return 0
    lo, hi, _ = apart
    return -1 if hi < 0.0 else 1 if lo > 0.0 else 0


def _relation(result: Result, quantity: str, window: str, base: Row, row: Row) -> list[str]:
    """How a row differs from the base, in words that come behind its number; the first one that
    fits is taken.
    """
    apart = _difference(result, quantity, window, base, row)
    both_exact = base.estimate.kind == row.estimate.kind == "exact"
    if both_exact and base.estimate.value == row.estimate.value:
        return [", the same"]
    if apart is None:
        both_bounds = base.estimate.kind == row.estimate.kind == "bound"
        return [", no difference proven"] if both_bounds else [""]
    lo, hi, same = apart
    if same:
        return [", no difference seen"]
    if lo <= 0.0 <= hi:
        return [", no difference proven"]
    return _times(base.estimate, row.estimate, fewer=hi < 0.0)


def _times(base: Estimate, row: Estimate, *, fewer: bool) -> list[str]:
    """By how much one is less or more than the other, where that is proven."""
    high, low = (base, row) if fewer else (row, base)
    word = "fewer" if fewer else "more"
    if base.kind in SURE and row.kind in SURE:
        if not (base.value and row.value):
            return [""]
        ratio = high.value / low.value  # type: ignore[operator]
        if ratio < TWICE:
            return [f": {percent(abs(row.value / base.value - 1.0))} {word}"]
        ends = _ratio_limits(high, low)
        within = f" ({factor(ends[0], math.floor)} to {factor(ends[1], math.ceil)})" if ends else ""
        said = f": {factor(ratio)} times {'fewer' if fewer else 'as many'}"
        return [said + within, said]

    if high.lo is None or not low.hi or low.hi < NEXT_TO_NOTHING:
        return [""]
    least = high.lo / low.hi
    if least < TWICE:
        return [f": {word}"]
    return [f": at least {factor(least, math.floor)} times {'fewer' if fewer else 'as many'}"]


def _ratio_limits(high: Estimate, low: Estimate) -> tuple[float, float] | None:
    """The 95 % limits of a ratio, as if the errors had nothing in common; None if they hold 1.

    The same random draws make them closer together than that, and never less so in the mean.
    """
    if not (high.value and high.lo and high.hi and low.value and low.lo and low.hi):
        return None
    down = math.hypot(math.log(high.value / high.lo), math.log(low.hi / low.value))
    up = math.hypot(math.log(high.hi / high.value), math.log(low.value / low.lo))
    ratio = high.value / low.value
    ends = ratio * math.exp(-down), ratio * math.exp(up)
    return ends if ends[0] > 1.0 and ends[0] < ratio < ends[1] else None


# ---- sentences


def _of_one(row: Row, where: str, *, alone: bool, of: int) -> str:
    """The verdict on a row by itself, or on a first row that no other is proven to be below."""
    phrase = "" if alone and row.name == OWN else row.phrase
    more = "" if alone else f"; with none of {of - 1} others fewer is proven"
    return _first_that_fits(
        _finished(where, f"{_with(phrase)}{_waits(row.estimate, keep)}{more}")
        for keep in (True, False)
    )


def _of_two(result: Result, quantity: str, window: str, where: str, base: Row, row: Row) -> str:
    """The verdict on a row that is held against another."""
    relations = _relation(result, quantity, window, base, row)
    cost = _cost(base, row)
    phrase = "" if base.name == OWN else base.phrase
    other = row.phrase
    return _first_that_fits(
        _finished(
            where,
            f"{_with(phrase)}{_waits(base.estimate, keep)}; with {other} "
            f"{estimated(row.estimate, '', with_interval=keep).words}{relation}{more}",
        )
        for more in dict.fromkeys((cost, ""))
        for keep in (True, False)
        for relation in relations
    )


def _with(phrase: str) -> str:
    if phrase == "no reserve":
        return "without a reserve "
    return f"with {phrase} " if phrase else ""


def _waits(estimate: Estimate, with_interval: bool) -> str:
    """1 call in 1,930 waits for a grace period."""
    if estimate.value == 0.0:
        return "no call can wait for a grace period"
    said = estimated(estimate, with_interval=with_interval)
    return f"{said.words} {'wait' if said.is_plural else 'waits'} for a grace period"


def _cost(base: Row, row: Row) -> str:
    """What the row costs in memory, against the base."""
    if base.added is None or row.added is None:
        return ""
    more = row.added - base.added
    if more == 0.0:
        return ""
    return f", for {abs(more):,.0f} bytes {'less ' if more < 0.0 else ''}per CPU"


def _finished(where: str, text: str) -> str:
    """A sentence with a capital and a full stop."""
    text = f"{where} {text}".strip()
    return f"{text[0].upper()}{text[1:]}."


def _first_that_fits(texts: Iterable[str]) -> str:
    """The first of some sentences that is not too long."""
    text = ""
    for text in texts:
        if len(text) <= LONGEST:
            return text
    return f"{text[: LONGEST - 4].rstrip(' .,;:')}..."


# ---- results by episode, and grids


def _of_episodes(result: Result, quantity: str, first: str, last: str) -> str:
    """The first episode against a later one, of the row that the last one is about."""
    known = [row for row in rows_of(result, quantity, last) if row.estimate.kind != "none"]
    if not known:
        return NOTHING_KNOWN
    base, held = chosen(result, quantity, last, known)
    row = held or base
    at_first = result.get(row.point, quantity, first)
    later = f"in {last}" if not last.endswith(" on") else f"from {last}"
    phrase = _with("" if row.name == OWN and len(known) == 1 else row.phrase)
    if at_first.kind == "none":
        return _finished(later, f"{phrase}{_waits(row.estimate, True)}")

    apart = between(row.estimate, at_first)
    relations = [""]
    if apart is not None:
        same = apart.lo <= 0.0 <= apart.hi
        relations = (
            [", no difference proven"]
            if same
            else _times(at_first, row.estimate, fewer=apart.hi < 0.0)
        )
    return _first_that_fits(
        _finished(
            "in the first episode of pressure",
            f"{phrase}{_waits(at_first, keep)}; {later} "
            f"{estimated(row.estimate, '', with_interval=keep).words}{relation}",
        )
        for keep in (True, False)
        for relation in relations
    )


def _of_grid(result: Result, quantity: str, window: str) -> str:
    """From the lowest to the highest of all points."""
    rows = [row for row in rows_of(result, quantity, window) if row.estimate.kind != "none"]
    if not rows:
        return NOTHING_KNOWN
    seen = [row for row in rows if row.estimate.value is not None]
    if not seen:
        most = max(rows, key=lambda row: row.most)
        return _finished("", f"no wait was seen: {_waits(most.estimate, False)}")
    low = min(seen, key=lambda row: row.estimate.value or 0.0)
    high = max(seen, key=lambda row: row.estimate.value or 0.0)
    if low is high:
        return _finished("", f"{_with(_place(result, high))}{_waits(high.estimate, True)}")
    bounds = len(rows) - len(seen)
    more = f"; none seen at {bounds} more" if bounds else ""
    return _first_that_fits(
        _finished(
            "",
            f"at {len(seen)} points {_waits(high.estimate, False)} at most "
            f"({_place(result, high)}) and {estimated(low.estimate, '', with_interval=False).words} at least "
            f"({_place(result, low)}){more}",
        )
        for _ in (0,)
    )


def _place(result: Result, row: Row) -> str:
    """A point of a grid: A1, rate_hz 5000."""
    names = [name.split(".")[-1] for name in result.parameters[1:]]
    cells = [f"{name} {cell}" for name, cell in zip(names, row.point[1:], strict=True)]
    return plain_name(", ".join([row.name, *cells]))
