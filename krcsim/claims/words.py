# SPDX-License-Identifier: GPL-2.0-only
"""A claim and its verdict in words: cases, numbers, when it holds, and what a kernel says."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from krcsim.claims import verdict_text
from krcsim.claims.answers import DERIVED, Answer, words_of_quantity
from krcsim.claims.claim import Claim, Table
from krcsim.claims.decide import (
    NO,
    OPEN,
    QUESTION,
    SILENT,
    WINDOW,
    YES,
    Judged,
    Verdict,
    decide,
)
from krcsim.claims.labels import value_words
from krcsim.claims.recorded import Measured, measured
from krcsim.model.remedy_words import row_of, words_of
from krcsim.report.sentences import assumptions, left_out
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


def verdict_words(table: Table, found: Decided) -> str:
    """The verdict with where it holds: its word stands first."""
    return verdict_text.verdict_words(table, found.claim, found.verdict)


def short_words(table: Table, found: Decided) -> str:
    """The verdict for a cell of a table."""
    return verdict_text.short_words(table, found.claim, found.verdict)


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
                label = " ".join(named) or words_of_quantity(quantity)
                behind.append((label, row.estimate))
    return behind


def measured_words(one: Measured) -> str:
    """What a recording says, with its counts."""
    if one.below is None:
        said = f"{number(one.above)} in {one.runs} runs"
    else:
        times = "none on the other side" if math.isinf(one.ratio) else f"{number(one.ratio)} times"
        said = f"{number(one.above)} against {number(one.below)}, {times}"
    agrees = "the same verdict" if one.agrees else "ANOTHER VERDICT"
    return f"{one.recorded.words}: {said}: {agrees} (data/{one.recorded.file})"


RECORDED_IN = "Linux 6.1 in a guest, carrying the code of April 2020"


def recordings(claim: Claim) -> list[Measured]:
    """What recordings of a kernel say to a claim."""
    return [measured(one) for one in claim.recorded]


def assumptions_words(found: Decided, *, in_full: bool = True) -> str:
    """What the questions of a claim assume, and what is left out, by preset.

    Not in full it names the presets instead of what they assume.
    """
    by_preset = {question.preset: question for question in reversed(found.claim.questions)}
    presets = list(reversed(by_preset.values()))
    varied = " The cases vary some of it." if any(set(q.over) - {"remedy"} for q in presets) else ""
    if in_full:
        told = [
            f"{q.preset}, assumed: {assumptions(q.scenario()).removeprefix('Assumed: ')}"
            for q in presets
        ]
        text = " ".join(told) if len(told) > 1 else assumptions(presets[0].scenario())
        return f"{text}{varied}"
    if len(presets) > 1:
        shows = " and ".join(f"krcsim show {question.preset}" for question in presets)
        return f"Assumed and left out: what {shows} say.{varied}"
    told_left_out = left_out(presets[0].scenario()).replace("Left out:", "left out:")
    return f"Assumed: what krcsim show {presets[0].preset} says; {told_left_out}.{varied}"


def remedies_words(claim: Claim) -> list[tuple[str, str]]:
    """The remedies that a claim compares: name, what it is, and who has it."""
    names = dict.fromkeys(
        str(name) for question in claim.questions for name in question.over.get("remedy", ())
    )
    found = []
    for name in names:
        row = row_of(name)
        found.append((name, f"{row.words} ({row.who}, {row.when})" if row else words_of(name)))
    return found


def who_words(claim: Claim) -> str:
    """Who said it, when, and in which message."""
    day = claim.when
    if not isinstance(day, str):
        day = f"{day.day} {day:%B %Y}"
    where = f"<{claim.message_id}>" if claim.message_id else "message not found"
    return f"{claim.who}, {day}, {'as quoted in ' * claim.quoted}{where}"
