# SPDX-License-Identifier: GPL-2.0-only
"""A claim and its verdict in words: cases, numbers, when it holds, and what a kernel says."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from krcsim.base.fields import is_real
from krcsim.claims.answers import DERIVED, Answer
from krcsim.claims.claim import Claim, Table, Value
from krcsim.claims.decide import (
    HOLDS,
    HOLDS_WHEN,
    NO,
    OPEN,
    QUESTION,
    SILENT,
    UNDECIDED,
    WINDOW,
    YES,
    Case,
    Judged,
    Verdict,
    decide,
)
from krcsim.claims.recorded import Measured, measured
from krcsim.report.sentences import assumptions
from krcsim.results.estimate import Estimate
from krcsim.results.result import number, words

BYTES = ("size", "bytes_added")  # whole numbers
SAYS = {YES: "yes", NO: "no", OPEN: "open", SILENT: "none seen"}


@dataclass(frozen=True)
class Decided:
    """A claim with its answers and its verdict."""

    claim: Claim
    answers: tuple[Answer, ...]
    verdict: Verdict


def decided(claim: Claim, answers: Sequence[Answer]) -> Decided:
    """A claim with the verdict that follows from its answers."""
    return Decided(claim, tuple(answers), decide(claim, answers))


def value_words(table: Table, field: str, value: Value | None) -> str:
    """A field with its value, as people say it."""
    text = _plain(value)
    both = table.labels.get(f"{field}={text}")
    if both or field == "remedy":
        return both or text

    label = table.labels.get(field, f"{field.split('.')[-1]} = {{}}")
    large = isinstance(value, (int, float)) and value >= 1e4
    return label.replace("{}", f"{value:,.0f}" if large else text)


def _plain(value: Value | None) -> str:
    """A value as text: 275000, 0.5, true."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
    return str(value)


def case_words(table: Table, claim: Claim, case: Case, *, with_question: bool = True) -> str:
    """A case: its situation, and the values of what varies."""
    parts = []
    for axis, value in case:
        if axis == QUESTION:
            if with_question:
                parts.append(claim.question(str(value)).words)
        elif axis == WINDOW:
            if len({test.window for test in claim.tests}) > 1:
                parts.append("from boot" if value == "boot" else "later on")
        else:
            parts.append(value_words(table, axis, value))
    return ", ".join(parts)


def verdict_words(table: Table, found: Decided) -> str:
    """The verdict in a line: holds, holds when ..., does not hold, or not decidable here, and why.

    What no interval decides is named behind it.
    """
    claim, verdict = found.claim, found.verdict
    if claim.missing:
        return f"{UNDECIDED}. Missing: {claim.missing}"
    if verdict.word == UNDECIDED:
        return f"{UNDECIDED}: no interval is short enough; raise max_runs in data/claims.toml"

    text = verdict.word
    if text == HOLDS_WHEN:
        text = f"{HOLDS_WHEN} {when_words(table, claim, verdict)}"
    still_open = [case for case, answer in verdict.by_case.items() if answer == OPEN]
    if still_open:
        text += f" ({len(still_open)} of {len(verdict.by_case)} cases stay open)"
    return text


def when_words(table: Table, claim: Claim, verdict: Verdict) -> str:
    """Where a claim holds: situation by situation, by what tells yes from no."""
    by_question: dict[Value, dict[Case, str]] = {}
    for case, answer in verdict.by_case.items():
        by_question.setdefault(dict(case)[QUESTION], {})[case] = answer

    parts = []
    for name, cases in by_question.items():
        said = set(cases.values())
        if YES not in said:
            continue
        situation = claim.question(str(name)).words
        if NO not in said:
            parts.append(situation)
            continue
        where = _apart_words(table, claim, cases)
        with_ = "" if where.startswith("but for") else "with "
        parts.append(f"{situation}, {with_}{where}")
    return "; or ".join(parts)


def _apart_words(table: Table, claim: Claim, cases: Mapping[Case, str]) -> str:
    """What tells the cases with yes from those with no, by one field if one does."""
    axes = [axis for axis in dict.fromkeys(a for case in cases for a, _ in case)]
    fields = [axis for axis in axes if axis not in (QUESTION, WINDOW)]
    by_axis = {axis: _by_value(axis, cases) for axis in fields}
    for axis, by_value in by_axis.items():
        if all(not {YES, NO} <= said.keys() for said in by_value.values()):
            return _values_words(table, axis, by_value)

    good_cases = [case for case, answer in cases.items() if answer == YES]
    bad_cases = [case for case, answer in cases.items() if answer == NO]
    if len(bad_cases) == 1 < len(good_cases):
        return f"but for {case_words(table, claim, bad_cases[0], with_question=False)}"
    if len(good_cases) <= 3 or not by_axis:
        return "; ".join(case_words(table, claim, case, with_question=False) for case in good_cases)

    # The field that leaves the fewest values of which some cases hold and others do not.
    axis = min(
        by_axis, key=lambda axis: sum({YES, NO} <= said.keys() for said in by_axis[axis].values())
    )
    parts = []
    for value, said in by_axis[axis].items():
        yes, no = said.get(YES, 0), said.get(NO, 0)
        if yes:
            share = "always" if not no else f"in {yes} of {yes + no} cases"
            parts.append(f"{value_words(table, axis, value)} {share}")
    return "; ".join(parts)


def _values_words(
    table: Table, axis: str, by_value: Mapping[Value | None, Mapping[str, int]]
) -> str:
    """The values of a field with yes: from one on, up to one, or one by one."""
    good = [value for value, said in by_value.items() if YES in said]
    low = [float(value) for value in good if is_real(value)]
    bad = [float(value) for value, said in by_value.items() if NO in said and is_real(value)]
    if 1 < len(low) == len(good) and bad:
        if min(low) > max(bad):
            return f"{value_words(table, axis, min(low))} and more"
        if max(low) < min(bad):
            return f"up to {value_words(table, axis, max(low))}"
    return " or ".join(value_words(table, axis, value) for value in good)


def _by_value(axis: str, cases: Mapping[Case, str]) -> dict[Value | None, dict[str, int]]:
    """How many cases say what, by the value of a field."""
    counts: dict[Value | None, dict[str, int]] = {}
    for case, answer in cases.items():
        said = counts.setdefault(dict(case).get(axis), {})
        said[answer] = said.get(answer, 0) + 1
    return counts


def number_words(one: Judged) -> str:
    """The number of a test with its interval: a ratio as so many times."""
    estimate = one.number
    if estimate.kind == "none":
        return "-"
    if estimate.kind == "bound" and not (estimate.hi or 0) < math.inf:
        return f"> {number(estimate.lo)}" if estimate.lo else "-"
    if estimate.kind == "bound" and estimate.lo:
        return f"{number(estimate.lo)} to {number(estimate.hi or 0)}"
    if one.test.quantity in DERIVED:
        return f"{100 * (estimate.value or 0):.2g} %"
    if one.test.quantity in BYTES and estimate.kind != "exact":
        return f"{estimate.value:,.0f} [{estimate.lo:,.0f}, {estimate.hi:,.0f}]"
    return _whole(estimate) if estimate.kind == "exact" else words(estimate)


def _whole(estimate: Estimate) -> str:
    value = estimate.value or 0.0
    return f"{value:,.0f}" if value == round(value) else number(value)


def numbers_behind(table: Table, found: Decided, one: Judged) -> list[tuple[str, Estimate]]:
    """The numbers that a ratio was made of, each with whose it is."""
    test = one.test
    at = {axis: value for axis, value in one.case if axis not in (QUESTION, WINDOW)}
    question, window = dict(one.case)[QUESTION], dict(one.case)[WINDOW]
    rows = next(answer.rows for answer in found.answers if answer.question == question)
    mine = test.of or {field: at[field] for field in test.against}
    wanted = [(mine, test.quantity)]
    if test.is_ratio:
        wanted.append((test.against, test.against_quantity or test.quantity))

    behind = []
    for changes, quantity in wanted:
        place = at | changes
        for row in rows:
            if (row.at, row.window, row.quantity) == (place, window, quantity):
                named = [value_words(table, field, value) for field, value in changes.items()]
                label = " ".join(named) or quantity
                behind.append((label, row.estimate))
    return behind


def measured_words(one: Measured) -> str:
    """What a recording says, with its counts."""
    if one.below is None:
        said = f"{number(one.above)} in {one.runs} runs"
    else:
        times = "none on the other side" if math.isinf(one.ratio) else f"{number(one.ratio)} times"
        said = f"{number(one.above)} against {number(one.below)}, {times}"
    agrees = "agrees" if one.agrees else "DISAGREES"
    return f"{one.recorded.words}: {said} (data/{one.recorded.file}; {agrees})"


def recordings(claim: Claim) -> list[Measured]:
    """What recordings of a kernel say to a claim."""
    return [measured(one) for one in claim.recorded]


def assumptions_words(found: Decided) -> str:
    """What the first question of a claim assumes, and what is left out, in a sentence."""
    question = found.claim.questions[0]
    varied = " The cases vary some of it." if set(question.over) - {"remedy"} else ""
    return f"{assumptions(question.scenario())}{varied}"


def who_words(claim: Claim) -> str:
    """Who said it, when, and in which message."""
    day = claim.when
    if not isinstance(day, str):
        day = f"{day.day} {day:%B %Y}"
    where = f"<{claim.message_id}>" if claim.message_id else "message not found"
    return f"{claim.who}, {day}, {'as quoted in ' * claim.quoted}{where}"


def is_good(word: str) -> bool:
    """Whether a verdict is a plain yes."""
    return word == HOLDS
