# SPDX-License-Identifier: GPL-2.0-only
"""The answer to one claim as plain text for a list: at most 40 lines of 72 columns."""

from krcsim.base.tables import text_table
from krcsim.claims.claim import Table, Test
from krcsim.claims.words import (
    SAYS,
    Decided,
    assumptions,
    case_words,
    measured_words,
    number_words,
    recordings,
    verdict_words,
    who_words,
)
from krcsim.report.plain_text import WIDTH, check_text, wrap

MOST_LINES = 40


def claim_text(table: Table, found: Decided) -> str:
    """Verdict, claim, numbers, what a kernel says, assumptions, command.

    Where 40 lines are too few, rows of numbers are left out, then the remark and recordings, and
    the text says where they are.
    """
    if not found.claim.questions:
        return check_text("\n".join(_head(table, found)) + "\n")

    most = max(len(_rows(table, found, test)) for test in _tests(found))
    shorter = [(rows, notes) for notes in (2, 1, 0) for rows in range(most, 1, -1)] + [(1, 0)]
    shorter = [(most, 2), (most, 1), *[(rows, 1) for rows in range(most, 3, -1)], *shorter]
    lines: list[str] = []
    for rows, notes in shorter:
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
        *wrap(found.claim.rule),
    ][: None if claim.rule else -1]


def _tests(found: Decided) -> list[Test]:
    return [test for test in found.claim.tests if any(j.test is test for j in found.verdict.judged)]


def _rows(table: Table, found: Decided, test: Test) -> list[list[str]]:
    """Case, number and what it says, for each case of a test."""
    return [
        [case_words(table, found.claim, one.case), number_words(one), SAYS[one.answer]]
        for one in found.verdict.judged
        if one.test is test
    ]


def _numbers(table: Table, found: Decided, most: int) -> list[str]:
    """The numbers of each test, of at most so many cases, the situation once above its cases."""
    lines = []
    for test in _tests(found):
        lines += wrap(f"{test.words} (95 % interval):")
        rows = _rows(table, found, test)
        lines += _fitting(rows[:most])
        if len(rows) > most:
            lines.append(f"  and {len(rows) - most} more cases (docs/claims.md)")
    return [*lines, ""]


def _fitting(rows: list[list[str]]) -> list[str]:
    """The lines of a table without a head; a case that is too long stands above its number."""
    width = WIDTH - 2
    spare = width - max(len(number) + len(says) + 4 for _, number, says in rows)
    lines = []
    if max(len(case) for case, *_ in rows) <= spare:
        table = text_table(["", "", ""], rows)[2:]
        return [f"  {line}" for line in table]

    for case, number, says in rows:
        *above, last = wrap(case, max(spare, 20))
        lines += [f"  {line}" for line in above]
        lines.append(
            f"  {last}{' ' * max(2, width - len(last) - len(number) - len(says) - 2)}"
            f"{number}  {says}"
        )
    return lines


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
    lines += wrap(assumptions(found))
    lines += ["", "The same numbers:"]
    command = found.answers[0].command
    lines += " \\\n".join(wrap(command, WIDTH - 3, "  ", " " * 6)).split("\n")
    if len(found.answers) > 1:
        lines += wrap(f"and {len(found.answers) - 1} more in docs/claims.md")
    return lines
