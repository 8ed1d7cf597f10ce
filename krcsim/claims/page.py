# SPDX-License-Identifier: GPL-2.0-only
"""docs/claims.md: all claims with their verdicts, for people without a notebook."""

import textwrap
from collections.abc import Iterable, Sequence

from krcsim.claims.claim import Question, Table
from krcsim.claims.decide import QUESTION, SILENT, UNDECIDED, Judged
from krcsim.claims.kept import Answers
from krcsim.claims.labels import case_words, situation_words
from krcsim.claims.words import (
    RECORDED_IN,
    SAYS,
    Decided,
    assumptions_words,
    decided,
    measured_words,
    number_words,
    numbers_behind,
    recordings,
    remedies_words,
    short_words,
    verdict_words,
    who_words,
)
from krcsim.results.result import words

WIDTH = 100
INTRO = """# The claims of the thread

{decided} of these {all} claims about `kfree_rcu()` under memory pressure, most of them made in
April 2020, are decided below; {undecided} are not, since the model has no such part (an OOM killer,
live allocations that take the memory, and the like: each says which).

A verdict follows from numbers by the rule that stands with the claim. In each case the 95 %
interval of a number, most often a ratio, says:

* yes: the whole interval supports the claim;
* no: all of it is against;
* open: it reaches into both;
* none seen: nobody waited on either side.

A claim *holds* if no case says no, *does not hold* if none says yes, and else *holds when* a
condition is met, or *in so many cases*. "The same" is everywhere a ratio of 0.8 to 1.25. "< 0.01":
none was seen, and so many can be ruled out; "> 3": likewise, at least; "~": an order of magnitude;
"-": no ratio, since one side or both are not known well enough. Q1 to Q33 are the numbers of the
claims here.

krcsim is a model, with assumptions that each claim names; it says what follows from them. The
claims are in our words, and short; please read the messages. Below the numbers stands what was
counted in {recorded_in}; "the same verdict" means that this ratio lies on the side that the verdict
names for such a load. `make claims` computes this page and the numbers in
`data/claims-computed.json`
from `data/claims.toml`; each command below shows the same numbers. `krcsim reply --claim Q7` prints
one claim as a mail has it, and notebook `08_claims` shows it next to sliders.
"""


def page_of(table: Table, answers: Answers) -> str:
    """The page: a table of all claims, then each with its numbers."""
    found = [decided(claim, answers.get(claim.number, ())) for claim in table.claims]
    rows = [
        [
            f"[{one.claim.number}](#{one.claim.number.lower()})",
            one.claim.who,
            one.claim.title,
            short_words(table, one),
        ]
        for one in found
    ]
    undecided = sum(one.verdict.word == UNDECIDED for one in found)
    intro = INTRO.format(
        all=len(found),
        decided=len(found) - undecided,
        undecided=undecided,
        recorded_in=RECORDED_IN,
    )
    parts = [*paragraphs(intro), *markdown_table(["no.", "who", "claim", "verdict"], rows), ""]
    for one in found:
        parts += _section(table, one)
    return "\n".join(parts).rstrip() + "\n"


def _section(table: Table, found: Decided) -> Iterable[str]:
    """A claim: text, verdict, numbers, what a kernel says, commands."""
    claim = found.claim
    yield f"## {claim.number}"
    yield ""
    yield from wrapped(
        f"**{claim.title}.** {who_words(claim).replace('<', '`').replace('>', '`')}."
    )
    yield ""
    quotation = f' ("{claim.quotation}")' if claim.quotation else ""
    yield from wrapped(f"{claim.text}{quotation}")
    yield ""
    text = verdict_words(table, found)
    yield from wrapped(f"**Verdict: {text[0].upper()}{text[1:].rstrip('.')}.**")
    yield ""
    if not claim.questions:
        return

    yield from wrapped(f"{claim.rule} {claim.remark}".strip())
    yield ""
    for name, what in remedies_words(claim):
        yield from wrapped(f"* {name}: {what}", "  ")
    if remedies_words(claim):
        yield ""
    yield from wrapped(assumptions_words(found))
    yield ""
    for question in claim.questions:
        yield from _question(table, found, question)
    for one in recordings(claim):
        yield from wrapped(f"* In a guest, Linux 6.1: {measured_words(one)}.", "  ")
    if claim.recorded:
        yield ""


def _question(table: Table, found: Decided, question: Question) -> Iterable[str]:
    """A situation: the numbers of each test in its cases, and the command that shows them."""
    situation = situation_words(table, found.claim, question)
    yield f"### {found.claim.number}: {situation}"
    yield ""
    asked = [one for one in found.verdict.judged if dict(one.case)[QUESTION] == question.name]
    by_words: dict[str, list[Judged]] = {}
    for one in asked:
        by_words.setdefault(one.test.words, []).append(one)
    for what, judged in by_words.items():
        yield from wrapped(f"{what[0].upper()}{what[1:]}:")
        yield ""
        rows = [_number_row(table, found, one, with_question=False) for one in judged]
        yield from markdown_table(["case", "95 % interval", "the two sides", "says"], rows)
        yield ""
    for answer in found.answers:
        if answer.question == question.name:
            yield f"    {answer.command}"
            yield ""


def number_rows(table: Table, found: Decided) -> list[list[str]]:
    """A row for each test in each case: the case, what is compared, the number, what it is made of,
    and what it says.
    """
    rows = []
    for one in found.verdict.judged:
        case, *numbers = _number_row(table, found, one, with_question=True)
        rows.append([case, one.test.words, *numbers])
    return rows


def _number_row(table: Table, found: Decided, one: Judged, *, with_question: bool) -> list[str]:
    """A case, its number, what that is made of, and what it says."""
    of = ""
    if one.test.is_ratio and one.answer != SILENT:
        behind = numbers_behind(table, found, one)
        of = ", ".join(f"{label}: {words(estimate)}" for label, estimate in behind)
    case = case_words(table, found.claim, one.case, with_question=with_question)
    return [case, number_words(one), of, SAYS[one.answer]]


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown; columns that are empty everywhere are left out."""
    rows = list(rows)
    kept = [n for n in range(len(head)) if any(row[n] for row in rows)]
    lines = [
        [head[n] for n in kept],
        ["---"] * len(kept),
        *([row[n] for n in kept] for row in rows),
    ]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def paragraphs(text: str) -> list[str]:
    """A text with its paragraphs and list items filled anew."""
    lines = []
    for paragraph in text.split("\n\n"):
        if paragraph.startswith(("#", "*")):
            lines += [*paragraph.splitlines(), ""]
        else:
            lines += [*wrapped(" ".join(paragraph.split())), ""]
    return lines


def wrapped(text: str, later: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )
