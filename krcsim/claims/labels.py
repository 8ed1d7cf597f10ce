# SPDX-License-Identifier: GPL-2.0-only
"""Cases of a claim in words: situations, and the values of what varies, as people say them."""

from krcsim.claims.answers import DERIVED
from krcsim.claims.claim import Claim, Question, Table, Value
from krcsim.claims.decide import QUESTION, WINDOW, Case

WINDOWS = {"boot": "first seconds after boot", "steady": "steady state"}


def value_words(table: Table, field: str, value: Value | None) -> str:
    """A field with its value, as people say it."""
    if field == WINDOW:
        return WINDOWS[str(value)]
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


def situation_words(table: Table, claim: Claim, question: Question) -> str:
    """A situation, with the rate of calls where that does not vary and chance has a part."""
    rate = "workload.rate_hz"
    if rate in question.over or all(
        test.quantity in (*DERIVED, "bytes_at_full") for test in claim.tests
    ):
        return question.words
    return f"{question.words} ({value_words(table, rate, question.scenario().workload.rate_hz)})"


def case_words(
    table: Table, claim: Claim, case: Case, *, with_question: bool = True, between: str = ", "
) -> str:
    """A case: its situation, and the values of what varies."""
    parts = []
    for axis, value in case:
        if axis == QUESTION:
            if with_question:
                parts.append(claim.question(str(value)).words)
        elif axis != WINDOW or len({test.window for test in claim.tests}) > 1:
            parts.append(value_words(table, axis, value))
    return between.join(parts)
