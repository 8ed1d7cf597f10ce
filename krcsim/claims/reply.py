# SPDX-License-Identifier: GPL-2.0-only
"""The answer to one claim as plain text for a list: at most 40 lines of 72 columns."""

from krcsim.claims.claim import Table, read_claims
from krcsim.claims.decide import QUESTION, Judged
from krcsim.claims.kept import read_kept
from krcsim.claims.labels import case_words, situation_words
from krcsim.claims.words import (
    SAYS,
    Decided,
    assumptions_words,
    decided,
    measured_words,
    number_words,
    recordings,
    remedies_words,
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

    groups = _by_words(found)
    everything = [len(judged) for judged in groups.values()]
    for notes in (2, 1, 0):
        lines = _lines(table, found, everything, notes)
        if len(lines) <= MOST_LINES:
            return check_text("\n".join(lines) + "\n")

    rows = [1] * len(groups)  # a row more in each comparison in turn, as long as there is room
    for turn in list(range(len(groups))) * max(everything):
        more = [n + (at == turn) for at, n in enumerate(rows)]
        if more[turn] <= everything[turn] and len(_lines(table, found, more, 0)) <= MOST_LINES:
            rows = more
    return check_text("\n".join(_lines(table, found, rows, 0)) + "\n")


def _lines(table: Table, found: Decided, rows: list[int], notes: int) -> list[str]:
    """The answer with so many rows of each comparison, and so many of the notes."""
    return [*_head(table, found), *_numbers(table, found, rows), *_foot(found, notes)]


def reply_to(number: str) -> str:
    """The answer to the claim of that number, from numbers that are kept; raises KrcsimError."""
    table = read_claims()
    claim = table.named(number)
    return claim_text(table, decided(claim, read_kept().get(claim.number, ())))


def _head(table: Table, found: Decided) -> list[str]:
    """The verdict, and what was said by whom."""
    claim = found.claim
    text = verdict_words(table, found).rstrip(".")
    quotation = f' ("{claim.quotation}")' if claim.quotation else ""
    said = f"{claim.text}{quotation}"
    number = table.claims.index(claim) + 1
    return [
        *wrap(
            f"{claim.number} (claim {number} of the {len(table.claims)} in krcsim's "
            f"docs/claims.md): {text}."
        ),
        "",
        *wrap(f"{who_words(claim)}, in our words:"),
        *wrap(said, WIDTH, "  ", "  "),
        "",
        *wrap(f"Rule: {claim.rule[:1].lower()}{claim.rule[1:]}"),
    ][: None if claim.rule else -1]


def _by_words(found: Decided) -> dict[str, list[Judged]]:
    """What is judged, by what is compared."""
    groups: dict[str, list[Judged]] = {}
    for one in found.verdict.judged:
        groups.setdefault(f"{one.test.words}, 95 % interval:", []).append(one)
    return groups


def _numbers(table: Table, found: Decided, rows: list[int]) -> list[str]:
    """The numbers, of so many cases of each comparison, under their situations."""
    lines = []
    for remedy, what in remedies_words(found.claim):
        short = what.replace(" April 2020)", " Apr)")  # the year stands above
        lines += wrap(f"{remedy}: {short}", WIDTH, "", "    ")
    lines += [""] * bool(lines)
    order = [question.name for question in found.claim.questions]
    for (what, judged), most in zip(_by_words(found).items(), rows, strict=True):
        judged.sort(key=lambda one: order.index(str(dict(one.case)[QUESTION])))
        lines += wrap(what)
        shown = _shown(judged, most)
        situation = None
        for one in shown:
            name = dict(one.case)[QUESTION]
            case = case_words(table, found.claim, one.case, with_question=False)
            if case and name != situation:
                lines += wrap(f"{_situation(table, found, one)}:", WIDTH, "  ", "  ")
            situation = name
            case = case or _situation(table, found, one)
            lines += _row(case, f"{number_words(one)}  {SAYS[one.answer]}")
        if len(judged) > len(shown):
            more = len(judged) - len(shown)
            lines.append(f"  and {more} more case{'s' * (more > 1)}, all in docs/claims.md")
    return [*lines, ""]


def _situation(table: Table, found: Decided, one: Judged) -> str:
    question = found.claim.question(str(dict(one.case)[QUESTION]))
    return situation_words(table, found.claim, question)


def _shown(judged: list[Judged], most: int) -> list[Judged]:
    """At most so many cases: of each situation one for each answer first, exceptions first."""
    groups: dict[tuple[object, str], list[Judged]] = {}
    for one in judged:
        groups.setdefault((dict(one.case)[QUESTION], one.answer), []).append(one)
    answers = [one.answer for one in judged]
    usual = max(answers, key=answers.count)
    rare_first = sorted(groups.values(), key=lambda group: (group[0].answer == usual, len(group)))
    deepest = max(map(len, rare_first))
    ranked = [group[n] for n in range(deepest) for group in rare_first if n < len(group)]
    kept = {id(one) for one in ranked[:most]}
    return [one for one in judged if id(one) in kept]


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
        lines += wrap(
            f"In a guest, Linux 6.1 with the code of April 2020: same verdict, "
            f"{agree} of {len(said)}."
        )
    if claim.remark and notes > 1:
        lines += wrap(claim.remark)
    lines += wrap(assumptions_words(found, in_full=notes > 0))
    scenario = claim.questions[0].scenario()
    lines += ["", *made_with(found.answers[0].command, scenario)]
    if len(found.answers) > 1:
        more = len(found.answers) - 1
        lines += wrap(f"and {more} more command{'s' * (more > 1)} in docs/claims.md")
    return lines
