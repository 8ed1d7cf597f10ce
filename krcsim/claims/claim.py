# SPDX-License-Identifier: GPL-2.0-only
"""A claim of the thread as data/claims.toml has it: who said what, what is asked, and the rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from krcsim.base import cells
from krcsim.base.cells import Rule, either, mapping, several, word, wrong_in_table
from krcsim.base.errors import KrcsimError, did_you_mean, shown
from krcsim.base.fields import is_real, refuse_unknown
from krcsim.base.reading import read_text, read_toml
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import data_folder, load_scenario

Value = str | bool | int | float  # of a field
Place = Mapping[str, Value]  # fields (or `remedy`) and their values
Range = tuple[float, float]

VERBS = ("sweep", "size")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of krcsim for a claim: a verb of the shell with its options.

    name: of this question in its claim. words: the situation, for people. set, over: changes of the
    preset, and the grid of a sweep. options: of the verb, by the names of Python. shows: quantities
    next to those that a test needs.
    """

    name: str
    words: str
    verb: str
    preset: str
    set: dict[str, Any]
    over: dict[str, list[Value]]
    options: dict[str, Any]
    shows: tuple[str, ...]

    def scenario(self) -> Scenario:
        """The scenario that is asked of."""
        return changed(load_scenario(self.preset), **self.set)


@dataclass(frozen=True, kw_only=True)
class Test:
    """What the numbers are held against, in each case.

    A number is that of `quantity` at `of`; with `against` or `against_quantity` divided by the
    number there. It says yes if its interval lies within `holds`, and no if it lies within `fails`
    (left out: outside of `holds`). only: the cases it is about. questions: all if left out.
    """

    words: str
    quantity: str
    window: str
    of: dict[str, Value]
    against: dict[str, Value]
    against_quantity: str
    only: dict[str, list[Value]]
    questions: tuple[str, ...]
    holds: Range
    fails: Range | None

    @property
    def is_ratio(self) -> bool:
        """Whether two numbers are compared."""
        return bool(self.against or self.against_quantity)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What a recording of a kernel says to a claim: counts of its rows, and what agrees.

    file: below data/. where: the rows, by column. of, against: further columns that tell the two
    sides apart. count, per: sums of these columns (`name*1e-6` in other units), as `waits` per
    `calls`, or per "run"; per "" for the count alone. agrees: where the ratio lies if the recording
    says what the verdict says.
    """

    words: str
    file: str
    where: dict[str, str]
    of: dict[str, str]
    against: dict[str, str]
    count: str
    against_count: str
    per: str
    agrees: Range


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim: number, what was said by whom, where and when, and how it is decided.

    when: the day, or less where it is not known. quotation: a few words of the message, or "".
    quoted: whether the message quotes what was said elsewhere. rule: how the verdict follows from
    the numbers, in a sentence. yes, no: what a yes and a no mean, as clauses ("" for a claim that
    holds or does not). remark: what a reader has to know of the computation. missing: what
    the model lacks where nothing is computed.
    """

    number: str
    title: str
    who: str
    when: date | str
    message_id: str
    quoted: bool
    text: str
    quotation: str
    rule: str
    yes: str
    no: str
    remark: str
    missing: str
    questions: tuple[Question, ...]
    tests: tuple[Test, ...]
    recorded: tuple[Recorded, ...]

    def question(self, name: str) -> Question:
        """The question of that name."""
        return next(question for question in self.questions if question.name == name)


@dataclass(frozen=True)
class Table:
    """All claims, and the words for fields and their values (`field` or `field=value`)."""

    claims: tuple[Claim, ...]
    labels: dict[str, str]

    def named(self, number: str) -> Claim:
        """A claim by its number, in whatever case; raises KrcsimError for one that is not there."""
        by_number = {claim.number: claim for claim in self.claims}
        if isinstance(number, str) and number.strip().upper() in by_number:
            return by_number[number.strip().upper()]

        first, last = self.claims[0].number, self.claims[-1].number
        hint = did_you_mean(number, by_number, f"write for example {first}")
        raise KrcsimError(f"claim {shown(number)} is not known; allowed: {first} to {last}; {hint}")


_IS_DATE = Rule(
    "a date, as 2020-04-04, or a text where the day is not known",
    lambda value: type(value) is date or cells.NAME.fits(value),
)
_FIELDS = mapping(Rule("a value", lambda _: True))
_GRID = mapping(several(cells.VALUE))
_RANGE = Rule(
    "two numbers, the lower one first",
    lambda value: (
        isinstance(value, list)
        and len(value) == 2
        and all(map(is_real, value))
        and value[0] <= value[1]
    ),
)
TABLES = Rule(
    "tables of names and values",
    lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value),
)

# The fields of each table: what it must be, and what it is where it is left out.
REQUIRED = object()
_CLAIM = {
    "number": (cells.NAME, REQUIRED),
    "title": (cells.NAME, REQUIRED),
    "who": (cells.NAME, REQUIRED),
    "when": (_IS_DATE, REQUIRED),
    "message_id": (cells.LINE, ""),
    "quoted": (Rule("true or false", lambda value: isinstance(value, bool)), False),
    "text": (cells.NAME, REQUIRED),
    "quotation": (cells.LINE, ""),
    "rule": (cells.LINE, ""),
    "yes": (cells.LINE, ""),
    "no": (cells.LINE, ""),
    "remark": (cells.LINE, ""),
    "missing": (cells.LINE, ""),
    "question": (TABLES, []),
    "test": (TABLES, []),
    "recorded": (TABLES, []),
}
CLAIM_QUESTION = {
    "name": (cells.NAME, "all"),
    "words": (cells.NAME, REQUIRED),
    "verb": (word(*VERBS), "sweep"),
    "preset": (cells.NAME, REQUIRED),
    "set": (_FIELDS, {}),
    "over": (_GRID, {}),
    "options": (mapping(cells.VALUE), {}),
    "shows": (several(cells.NAME), []),
}
_TEST = {
    "words": (cells.NAME, REQUIRED),
    "quantity": (cells.NAME, "p_wait"),
    "window": (cells.NAME, "steady"),
    "of": (mapping(cells.VALUE), {}),
    "against": (mapping(cells.VALUE), {}),
    "against_quantity": (cells.LINE, ""),
    "only": (_GRID, {}),
    "questions": (several(cells.NAME), []),
    "holds": (_RANGE, REQUIRED),
    "fails": (either(_RANGE), None),
}
_RECORDED = {
    "words": (cells.NAME, REQUIRED),
    "file": (cells.NAME, REQUIRED),
    "where": (mapping(cells.LINE), {}),
    "of": (mapping(cells.LINE), {}),
    "against": (mapping(cells.LINE), {}),
    "count": (cells.NAME, REQUIRED),
    "against_count": (cells.LINE, ""),
    "per": (cells.LINE, ""),
    "agrees": (_RANGE, REQUIRED),
}


@cache
def read_claims(path: Path | None = None) -> Table:
    """The table of data/claims.toml, or of another file; raises KrcsimError with the place."""
    path = path or data_folder() / "claims.toml"
    text = read_text(path, "table of claims", "give a file as data/claims.toml")
    given = read_toml(text, f"table of claims {path}")
    labels = given.get("labels", {})
    claims = given.get("claim", [])
    if not (mapping(cells.LINE).fits(labels) and TABLES.fits(claims) and claims):
        raise KrcsimError(
            f"{path} is no table of claims; wanted: [labels], and a [[claim]] for each claim"
        )
    return Table(
        tuple(_claim(f"{path}: claim {n}", one) for n, one in enumerate(claims, 1)), labels
    )


def _claim(where: str, given: dict[str, Any]) -> Claim:
    table = checked(where, given, _CLAIM)
    where = f"{where} ({table['number']})"
    questions = tuple(
        Question(**as_tuples(checked(f"{where}, question", one, CLAIM_QUESTION), "shows"))
        for one in table.pop("question")
    )
    tests = tuple(
        Test(**as_tuples(checked(f"{where}, test", one, _TEST), "questions", "holds", "fails"))
        for one in table.pop("test")
    )
    recorded = tuple(
        Recorded(**as_tuples(checked(f"{where}, recorded", one, _RECORDED), "agrees"))
        for one in table.pop("recorded")
    )
    if bool(table["missing"]) == bool(questions) or bool(questions) != bool(tests):
        raise KrcsimError(
            f"{where} has {len(questions)} questions, {len(tests)} tests and missing = "
            f"{shown(table['missing'])}; wanted: questions with tests, or what is missing"
        )
    return Claim(**table, questions=questions, tests=tests, recorded=recorded)


def checked(
    where: str, given: dict[str, Any], fields: Mapping[str, tuple[Rule, Any]]
) -> dict[str, Any]:
    """The fields of a table with those that were left out; raises KrcsimError."""
    refuse_unknown(where, given, list(fields))
    table = {name: default for name, (_, default) in fields.items() if default is not REQUIRED}
    table |= given
    if wrong := wrong_in_table({name: rule for name, (rule, _) in fields.items()}, table):
        raise KrcsimError(f"{where}: {wrong}")
    return table


def as_tuples(table: dict[str, Any], *names: str) -> dict[str, Any]:
    """The table with some of its lists as tuples."""
    return table | {name: tuple(table[name]) for name in names if isinstance(table[name], list)}
