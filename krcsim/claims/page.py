# SPDX-License-Identifier: GPL-2.0-only
"""docs/claims.md: all claims with their verdicts, for people without a notebook."""

import textwrap
from collections.abc import Iterable, Sequence

from krcsim.claims.claim import Table
from krcsim.claims.decide import SILENT, UNDECIDED
from krcsim.claims.kept import Answers
from krcsim.claims.words import (
    SAYS,
    Decided,
    assumptions_words,
    case_words,
    decided,
    measured_words,
    number_words,
    numbers_behind,
    recordings,
    verdict_words,
    who_words,
)
from krcsim.results.result import words

WIDTH = 100
INTRO = """# The claims of the thread

Thirty claims that were made about `kfree_rcu()` under memory pressure, most of them in April
2020: who said what, what krcsim computes, and the verdict. A verdict follows from the numbers by
the rule that stands with it, and a rule asks the whole 95 % interval: *yes* where it lies where
the claim holds, *no* where it lies where it fails, *open* where it reaches into both. *None
seen*: nobody waited on either side, which says nothing. A claim *holds when* some cases say yes
and others no. "The same" is everywhere a ratio of 0.8 to 1.25.

krcsim is a model, with assumptions that each claim names; it says what follows from them. The
claims are in our words, and short; please read the messages. `make claims` computes this page and
the numbers in `data/claims-computed.json` from `data/claims.toml`; each command below shows the
same numbers. `krcsim reply --claim Q7` prints one claim as a mail has it, and notebook
`08_claims` shows it next to sliders.
"""


def page_of(table: Table, answers: Answers) -> str:
    """The page: a table of all claims, then each with its numbers."""
    found = [decided(claim, answers.get(claim.number, ())) for claim in table.claims]
    rows = [
        [
            f"[{one.claim.number}](#{one.claim.number.lower()})",
            one.claim.who,
            one.claim.title,
            one.verdict.word if one.claim.questions else UNDECIDED,
        ]
        for one in found
    ]
    parts = [INTRO, *_table(["no.", "who", "claim", "verdict"], rows), ""]
    for one in found:
        parts += _section(table, one)
    return "\n".join(parts).rstrip() + "\n"


def _section(table: Table, found: Decided) -> Iterable[str]:
    """A claim: text, verdict, numbers, what a kernel says, commands."""
    claim = found.claim
    yield f"## {claim.number}"
    yield ""
    yield from _wrapped(
        f"**{claim.title}.** {who_words(claim).replace('<', '`').replace('>', '`')}."
    )
    yield ""
    quotation = f' ("{claim.quotation}")' if claim.quotation else ""
    yield from _wrapped(f"{claim.text}{quotation}")
    yield ""
    text = verdict_words(table, found)
    yield from _wrapped(f"**Verdict: {text[0].upper()}{text[1:].rstrip('.')}.**")
    yield ""
    if not claim.questions:
        return

    yield from _wrapped(f"{claim.rule} {claim.remark}".strip())
    yield ""
    yield from _wrapped(assumptions_words(found))
    yield ""
    yield from _table(["case", "what", "95 % interval", "of", "says"], number_rows(table, found))
    yield ""
    for one in recordings(claim):
        yield from _wrapped(f"* In a kernel: {measured_words(one)}.", "  ")
    if claim.recorded:
        yield ""
    yield from (f"    {answer.command}" for answer in found.answers)
    yield ""


def number_rows(table: Table, found: Decided) -> list[list[str]]:
    """A row for each test in each case: the case, what is compared, the number, what it is made of,
    and what it says.
    """
    rows = []
    for one in found.verdict.judged:
        behind = numbers_behind(table, found, one)
        of = ", ".join(f"{label}: {words(estimate)}" for label, estimate in behind)
        if not one.test.is_ratio or one.answer == SILENT:
            of = ""
        says = SAYS[one.answer]
        case = case_words(table, found.claim, one.case)
        rows.append([case, one.test.words, number_words(one), of, says])
    return rows


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown; columns that are empty everywhere are left out."""
    rows = list(rows)
    kept = [n for n in range(len(head)) if any(row[n] for row in rows)]
    lines = [
        [head[n] for n in kept],
        ["---"] * len(kept),
        *([row[n] for n in kept] for row in rows),
    ]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _wrapped(text: str, later: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )
