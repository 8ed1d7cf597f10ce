# SPDX-License-Identifier: GPL-2.0-only
"""Figures that kernel developers published, beside what krcsim predicts for their set-up.

data/published.toml says what was published, where, and what krcsim is asked; nothing is fitted to a
figure. What cannot be expressed says what is missing.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from krcsim.base import cells
from krcsim.base.errors import KrcsimError
from krcsim.base.reading import read_text, read_toml
from krcsim.claims.answers import Answer, Row
from krcsim.claims.claim import (
    CLAIM_QUESTION,
    REQUIRED,
    TABLES,
    Claim,
    Question,
    Range,
    Test,
    Value,
    as_tuples,
    checked,
)
from krcsim.claims.decide import ratio
from krcsim.model.scenario_file import data_folder
from krcsim.results.estimate import Estimate

NEAR = 1.5  # a prediction within this factor of what was published reproduces it
EVERYTHING: Range = (0.0, float("inf"))


@dataclass(frozen=True, kw_only=True)
class Published:
    """A number that was published: what, its least and its most, and where krcsim has it.

    scale: what the number of krcsim is multiplied by to have the published unit. per: a second
    place, by whose number that of the first is divided.
    """

    words: str
    unit: str
    published: Range
    quantity: str
    window: str
    question: str
    of: dict[str, Value]
    per: dict[str, Value]
    scale: float


@dataclass(frozen=True, kw_only=True)
class PublishedFigure:
    """A published figure: its number, what it is, on what machine, where, and what is asked.

    missing: what the model lacks, where nothing can be asked or a miss is to be explained.
    """

    number: str
    title: str
    source: str
    hardware: str
    remark: str
    missing: str
    questions: tuple[Question, ...]
    values: tuple[Published, ...]

    def as_claim(self) -> Claim:
        """The same as something that questions are asked for."""
        tests = tuple(
            Test(
                words=value.words,
                quantity=value.quantity,
                window=value.window,
                of=value.of,
                against={},
                against_quantity="",
                only={},
                questions=(value.question,),
                holds=EVERYTHING,
                fails=None,
            )
            for value in self.values
        )
        return Claim(
            number=self.number,
            title=self.title,
            who="-",
            when="-",
            message_id="",
            quoted=False,
            text=self.title,
            quotation="",
            rule="",
            yes="",
            no="",
            remark="",
            missing="",
            questions=self.questions,
            tests=tests,
            recorded=(),
        )


_PUBLISHED_RANGE = cells.several(cells.NUMBER)
_VALUE = {
    "words": (cells.NAME, REQUIRED),
    "unit": (cells.LINE, ""),
    "published": (_PUBLISHED_RANGE, REQUIRED),
    "quantity": (cells.NAME, REQUIRED),
    "window": (cells.NAME, "steady"),
    "question": (cells.NAME, "all"),
    "of": (cells.mapping(cells.VALUE), {}),
    "per": (cells.mapping(cells.VALUE), {}),
    "scale": (cells.NUMBER, 1.0),
}
_FIGURE = {
    "number": (cells.NAME, REQUIRED),
    "title": (cells.NAME, REQUIRED),
    "source": (cells.LINE, ""),
    "hardware": (cells.LINE, ""),
    "remark": (cells.LINE, ""),
    "missing": (cells.LINE, ""),
    "question": (TABLES, []),
    "value": (TABLES, []),
}


@cache
def read_figures(path: Path | None = None) -> tuple[PublishedFigure, ...]:
    """The figures of a table, data/published.toml if none is given; raises KrcsimError."""
    path = path or data_folder() / "published.toml"
    text = read_text(path, "table of published figures", "give a file as data/published.toml")
    given = read_toml(text, f"table of published figures {path}")
    figures = given.get("figure", [])
    if not (TABLES.fits(figures) and figures):
        raise KrcsimError(f"{path} is no table of published figures; wanted: a [[figure]] for each")
    return tuple(_figure(f"{path}: figure {n}", one) for n, one in enumerate(figures, 1))


def figure_named(number: str) -> PublishedFigure:
    """A figure by its number, in whatever case; raises KrcsimError for one that is not there."""
    figures = {figure.number: figure for figure in read_figures()}
    if number.strip().upper() in figures:
        return figures[number.strip().upper()]
    raise KrcsimError(f"figure {number!r} is not known; allowed: {', '.join(figures)}")


def _figure(where: str, given: dict[str, Any]) -> PublishedFigure:
    table = checked(where, given, _FIGURE)
    where = f"{where} ({table['number']})"
    questions = tuple(
        Question(**as_tuples(checked(f"{where}, question", one, CLAIM_QUESTION), "shows"))
        for one in table.pop("question")
    )
    values = tuple(
        Published(**as_tuples(checked(f"{where}, value", one, _VALUE), "published"))
        for one in table.pop("value")
    )
    if bool(questions) != bool(values) or not (questions or table["missing"]):
        raise KrcsimError(
            f"{where} has {len(questions)} questions and {len(values)} values; wanted: both, or "
            "what is missing"
        )
    return PublishedFigure(**table, questions=questions, values=values)


def predicted(published: Published, answers: tuple[Answer, ...]) -> Estimate:
    """What krcsim has for a published number, in its unit."""
    rows = [
        row for answer in answers if answer.question == published.question for row in answer.rows
    ]
    found = _at(published, rows, published.of)
    if published.per:
        found = ratio(found, _at(published, rows, published.per))
    value, lo, hi = (_times(x, published.scale) for x in (found.value, found.lo, found.hi))
    return Estimate(value, lo, hi, found.kind)


def _times(x: float | None, scale: float) -> float | None:
    return None if x is None else x * scale


def _at(value: Published, rows: list[Row], at: dict[str, Value]) -> Estimate:
    for row in rows:
        is_there = row.quantity == value.quantity and row.window == value.window
        if is_there and all(row.at.get(name) == wanted for name, wanted in at.items()):
            return row.estimate
    raise KrcsimError(f"no number for {value.words}: {value.quantity} at {at}")


def how_far(value: Published, estimate: Estimate) -> float | None:
    """By what factor a prediction is above (more than 1) or below what was published; 1 inside of
    its range, None where there is no number.
    """
    if estimate.value is None or estimate.value <= 0.0:
        return None
    least, most = value.published
    if estimate.value > most:
        return estimate.value / most
    return estimate.value / least if estimate.value < least else 1.0


def is_near(factor: float | None) -> bool:
    """Whether a prediction reproduces what was published: it is within a factor of NEAR."""
    return factor is not None and 1.0 / NEAR <= factor <= NEAR
