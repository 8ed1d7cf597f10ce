# SPDX-License-Identifier: GPL-2.0-only
"""The answer to one claim as plain text for a list: at most 40 lines of 72 columns."""

from krcsim.claims.claim import Table
from krcsim.claims.decide import QUESTION, Judged
from krcsim.claims.words import (
    SAYS,
    Decided,
    assumptions_words,
    case_words,
    measured_words,
    number_words,
    recordings,
    verdict_words,
    who_words,
)
from krcsim.report.plain_text import WIDTH, check_text, wrap
from krcsim.report.reply import made_with

MOST_LINES = 40


def claim_text(table: Table, found: Decided) -> str:
    """Verdict, claim, numbers, what a kernel says, assumptions, command.

    Where 40 lines are too few, rows of numbers are left out, then the remark and recordings, and
    the text says where they are.
    """
    if not found.claim.questions:
        return check_text("\n".join(_head(table, found)) + "\n")

    most = max(map(len, _by_words(found).values()))
    fewer = range(most, 2, -1)
    tried = [(rows, notes) for notes in (2, 1, 0) for rows in fewer if notes < 2 or rows == most]
    for rows, notes in [*tried, (2, 0), (1, 0)]:
        lines = [*_head(table, found), "", *_numbers(table, found, rows), *_foot(found, notes)]
        if len(lines) <= MOST_LINES:
            break
    return check_text("\n".join(lines) + "\n")


def _head(table: Table, found: Decided) -> list[str]:
    """The verdict, and what was said by whom."""
    claim = found.claim
    text = verdict_words(table, found).rstrip(".")
    quotation = f' ("{claim.quotation}")' if claim.quotation else ""
    said = f"{claim.text}{quotation}"
    return [
        *wrap(f'{claim.number}, "{claim.title}": {text}.'),
        "",
        *wrap(f"{who_words(claim)}:"),
        *wrap(said, WIDTH, "  ", "  "),
        "",
        *wrap(f"Rule: {claim.rule[:1].lower()}{claim.rule[1:]}"),
    ][: None if claim.rule else -1]


def _by_words(found: Decided) -> dict[str, list[Judged]]:
    """What is judged, by what is compared."""
    groups: dict[str, list[Judged]] = {}
    for one in found.verdict.judged:
        times = ", times" if one.test.is_ratio else ""
        groups.setdefault(f"{one.test.words} (95 % interval{times}):", []).append(one)
    return groups


def _numbers(table: Table, found: Decided, most: int) -> list[str]:
    """The numbers, of at most so many cases of each comparison, under their situations."""
    lines = []
    order = [question.name for question in found.claim.questions]
    for what, judged in _by_words(found).items():
        judged.sort(key=lambda one: order.index(str(dict(one.case)[QUESTION])))
        lines += wrap(what)
        step = max(1.0, (len(judged) - 1) / max(1, most - 1))
        shown = judged if len(judged) <= most else [judged[round(n * step)] for n in range(most)]
        situation = None
        for one in shown:
            name = dict(one.case)[QUESTION]
            case = case_words(table, found.claim, one.case, with_question=False)
            if case and name != situation:
                lines += wrap(f"{found.claim.question(str(name)).words}:", WIDTH, "  ", "  ")
            situation = name
            case = case or found.claim.question(str(name)).words
            lines += _row(case, f"{number_words(one)}  {SAYS[one.answer]}")
        if len(judged) > len(shown):
            lines.append(f"  and {len(judged) - len(shown)} more cases (docs/claims.md)")
    return [*lines, ""]


def _row(case: str, number: str) -> list[str]:
    """A case with its number at the right edge; what is too long goes on above."""
    *above, last = wrap(case, WIDTH - 6 - len(number))
    return [
        *(f"    {line}" for line in above),
        f"    {last}{' ' * (WIDTH - 4 - len(last) - len(number))}{number}",
    ]


def _foot(found: Decided, notes: int) -> list[str]:
    """What a kernel says, what to know, and the commands; `notes`: how much of it."""
    claim = found.claim
    said = recordings(claim)
    lines = []
    if said and notes:
        for one in said:
            lines += wrap(f"In a kernel: {measured_words(one)}.", WIDTH)
    elif said:
        agree = sum(one.agrees for one in said)
        lines += wrap(f"Recordings of a kernel that agree: {agree} of {len(said)}.")
    if claim.remark and notes > 1:
        lines += wrap(claim.remark)
    lines += wrap(assumptions_words(found))
    scenario = claim.questions[0].scenario()
    lines += ["", *made_with(found.answers[0].command, scenario)]
    if len(found.answers) > 1:
        lines += wrap(f"and {len(found.answers) - 1} more in docs/claims.md")
    return lines
