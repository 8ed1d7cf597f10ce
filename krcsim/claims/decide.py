# SPDX-License-Identifier: GPL-2.0-only
"""From numbers to a verdict: each test says yes, no or nothing in each case, and the cases decide.

An interval decides, not a value: a test says yes where the whole interval lies where the claim
holds, and no where it lies where the claim fails.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from krcsim.claims.answers import Answer, Row
from krcsim.claims.claim import Claim, Test, Value
from krcsim.results.estimate import NOTHING, Estimate

YES, NO, OPEN, SILENT = "yes", "no", "open", "silent"
HOLDS, HOLDS_WHEN, FAILS, UNDECIDED = (
    "holds",
    "holds when",
    "does not hold",
    "not decidable here",
)
VERDICTS = (HOLDS, HOLDS_WHEN, FAILS, UNDECIDED)
QUESTION, WINDOW = "question", "window"  # axes of a case, next to the fields of a grid

Case = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Judged:
    """A test in a case: its number, and what that says."""

    case: Case
    test: Test
    number: Estimate
    answer: str


@dataclass(frozen=True)
class Verdict:
    """One of VERDICTS, with the cases in which the claim holds where some do.

    by_case: what each case says. apart: the axes whose values tell the cases with yes from those
    with no; empty if a single axis or two do not.
    """

    word: str
    judged: tuple[Judged, ...]
    by_case: dict[Case, str]
    apart: tuple[str, ...]


def decide(claim: Claim, answers: Sequence[Answer]) -> Verdict:
    """The verdict on a claim; UNDECIDED without an answer, and where no interval decides."""
    judged = tuple(one for test in claim.tests for one in _judged(test, answers))
    by_case: dict[Case, str] = {}
    for one in judged:
        by_case[one.case] = _both(by_case.get(one.case, SILENT), one.answer)

    said = set(by_case.values())
    word = UNDECIDED
    if YES in said:
        word = HOLDS_WHEN if NO in said else HOLDS
    elif NO in said:
        word = FAILS
    return Verdict(word, judged, by_case, _apart(by_case) if word == HOLDS_WHEN else ())


def _both(one: str, other: str) -> str:
    """What two tests of a case say together: one no is enough, and all that speak must say yes."""
    return next(answer for answer in (NO, OPEN, YES, SILENT) if answer in (one, other))


def _judged(test: Test, answers: Sequence[Answer]) -> list[Judged]:
    """A test in all cases that it is about."""
    found = []
    for answer in answers:
        if test.questions and answer.question not in test.questions:
            continue
        rows = {_place(row): row for row in answer.rows}
        for row in answer.rows:
            if not _is_about(test, row):
                continue
            other = NOTHING
            if test.is_ratio:
                at = row.at | test.against
                if at == row.at and not test.against_quantity:
                    continue
                place = _key(at, row.window, test.against_quantity or row.quantity)
                other = rows[place].estimate if place in rows else NOTHING
            number = ratio(row.estimate, other) if test.is_ratio else row.estimate
            found.append(Judged(_case(test, answer, row), test, number, answer_of(test, number)))
    return found


def _is_about(test: Test, row: Row) -> bool:
    return (
        row.quantity == test.quantity
        and row.window == test.window
        and all(row.at.get(field) == value for field, value in test.of.items())
        and all(row.at.get(field) in values for field, values in test.only.items())
    )


def _key(at: Mapping[str, Value], window: str, quantity: str) -> tuple[object, ...]:
    return (*sorted(at.items()), window, quantity)


def _place(row: Row) -> tuple[object, ...]:
    return _key(row.at, row.window, row.quantity)


def _case(test: Test, answer: Answer, row: Row) -> Case:
    """What a test is asked in: all that does not tell the two sides apart."""
    told = set(test.of)
    fields = tuple((field, value) for field, value in row.at.items() if field not in told)
    return ((QUESTION, answer.question), *fields, (WINDOW, row.window))


def answer_of(test: Test, number: Estimate) -> str:
    """What a number says to a test: yes, no, open, or silent where there is none."""
    if number.kind == "none" or number.lo is None or number.hi is None:
        return SILENT if number.kind == "none" else OPEN

    if _within(number, test.holds):
        return YES
    if test.fails is not None:
        return NO if _within(number, test.fails) else OPEN
    outside = number.hi < test.holds[0] or number.lo > test.holds[1]
    return NO if outside else OPEN


def _within(number: Estimate, ends: tuple[float, float]) -> bool:
    return (
        number.lo is not None
        and number.hi is not None
        and (ends[0] <= number.lo and number.hi <= ends[1])
    )


def ratio(above: Estimate, below: Estimate) -> Estimate:
    """A ratio of two estimates with its interval, as if their errors had nothing in common.

    The ends come from the ends of both on a scale of logarithms (MOVER). Of what is only bounded
    the whole range counts. None where neither of them saw anything, or one is undefined.
    """
    if "none" in (above.kind, below.kind) or above.kind == below.kind == "bound":
        return NOTHING

    lo1, hi1 = _ends(above)
    lo2, hi2 = _ends(below)
    if above.value is None or below.value is None or not below.value:
        lo = lo1 / hi2 if hi2 < math.inf else 0.0
        return Estimate(None, lo, hi1 / lo2 if lo2 > 0 else math.inf, "bound")

    value = above.value / below.value
    if not value:
        return Estimate(0.0, 0.0, hi1 / lo2 if lo2 > 0 else math.inf, "interval")
    down = math.hypot(_log(above.value, lo1), _log(hi2, below.value))
    up = math.hypot(_log(hi1, above.value), _log(below.value, lo2))
    lo, hi = value * math.exp(-down), value * math.exp(up) if up < 700 else math.inf
    exact = above.kind == below.kind == "exact"
    rough = "rough" in (above.kind, below.kind)
    return Estimate(value, lo, hi, "exact" if exact else "rough" if rough else "interval")


def _log(above: float, below: float) -> float:
    return math.log(above / below) if below > 0 and above < math.inf else math.inf


def _ends(e: Estimate) -> tuple[float, float]:
    """The limits of an estimate; all that may be where an order of magnitude has none."""
    if e.lo is None or e.hi is None:
        return 0.0, math.inf
    return e.lo, e.hi


def _apart(by_case: Mapping[Case, str]) -> tuple[str, ...]:
    """The fewest axes, one or two, whose values tell the cases with yes from those with no."""
    axes = list(dict.fromkeys(axis for case in by_case for axis, _ in case))
    for count in (1, 2):
        for chosen in itertools.combinations(axes, count):
            said: dict[tuple[Value | None, ...], set[str]] = {}
            for case, answer in by_case.items():
                values = tuple(dict(case).get(axis) for axis in chosen)
                said.setdefault(values, set()).add(answer)
            if all(not {YES, NO} <= answers for answers in said.values()):
                return chosen
    return ()


def varying(by_case: Mapping[Case, str]) -> tuple[str, ...]:
    """The axes that have more than one value."""
    axes = list(dict.fromkeys(axis for case in by_case for axis, _ in case))
    return tuple(axis for axis in axes if len({dict(case).get(axis) for case in by_case}) > 1)
