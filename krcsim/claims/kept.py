# SPDX-License-Identifier: GPL-2.0-only
"""The numbers that were computed for the claims, as data/claims-computed.json keeps them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from krcsim.base import cells
from krcsim.base.cells import Rule, either, mapping, several, wrong_in_table
from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_whole
from krcsim.base.reading import read_json, read_text
from krcsim.claims.answers import Answer, Row, digest_of
from krcsim.claims.claim import Claim
from krcsim.model.scenario_file import data_folder
from krcsim.results.estimate import Estimate
from krcsim.results.result import KINDS

FORMAT = "krcsim-claims/1"
Answers = dict[str, tuple[Answer, ...]]  # by the number of the claim

_END = either(cells.NUMBER)
_ESTIMATE = {"value": _END, "lo": _END, "hi": _END, "kind": cells.word(*KINDS)}
_ROW = {
    "at": mapping(cells.VALUE),
    "window": cells.NAME,
    "quantity": cells.NAME,
    "estimate": Rule("an estimate", lambda value: not wrong_in_table(_ESTIMATE, value)),
    "method": cells.LINE,
    "runs": cells.COUNT,
}
_ROW_RULE = Rule("a row of numbers", lambda value: not wrong_in_table(_ROW, value))
_ANSWER = {
    "question": cells.NAME,
    "command": cells.COMMAND,
    "digest": cells.NAME,
    "rows": several(_ROW_RULE),
}
_ANSWERS = mapping(several(Rule("an answer", lambda value: not wrong_in_table(_ANSWER, value))))


def file_of_numbers() -> Path:
    """Where the numbers are kept."""
    return data_folder() / "claims-computed.json"


def file_of_figures() -> Path:
    """Where the numbers beside published figures are kept."""
    return data_folder() / "published-computed.json"


@cache
def read_kept(path: Path | None = None) -> Answers:
    """The answers that were kept; raises KrcsimError for a file that holds none."""
    path = path or file_of_numbers()
    text = read_text(path, "numbers of the claims", "make them: python -m krcsim.claims")
    body = read_json(text, f"numbers of the claims {path}")
    rules = {"format": cells.word(FORMAT), "claims": _ANSWERS}
    if wrong := wrong_in_table(rules, body):
        raise KrcsimError(f"{path}: {wrong}; make it again: python -m krcsim.claims")
    return {
        number: tuple(_answer(answer) for answer in answers)
        for number, answers in body["claims"].items()
    }


def _answer(given: Mapping[str, Any]) -> Answer:
    rows = tuple(
        Row(**{**{name: row[name] for name in _ROW}, "estimate": Estimate(**row["estimate"])})
        for row in given["rows"]
    )
    return Answer(given["question"], given["command"], given["digest"], rows)


def is_current(claim: Claim, answers: tuple[Answer, ...]) -> bool:
    """Whether kept answers are those of the claim's questions as they are asked now."""
    asked = [(question.name, digest_of(claim, question)) for question in claim.questions]
    return asked == [(answer.question, answer.digest) for answer in answers]


def write_kept(answers: Answers, path: Path | None = None) -> Path:
    """Write the answers, a row of numbers a line."""
    next_line = ",\n"
    claims = next_line.join(
        f"  {json.dumps(number)}: [\n{next_line.join(map(_text, found))}\n  ]"
        for number, found in answers.items()
    )
    text = f'{{\n "format": "{FORMAT}",\n "claims": {{\n{claims}\n }}\n}}\n'
    return write_whole(path or file_of_numbers(), text.encode(), overwrite=True)


def _text(answer: Answer) -> str:
    head = json.dumps(
        {"question": answer.question, "command": answer.command, "digest": answer.digest}
    )
    rows = ",\n".join("     " + json.dumps(asdict(row), allow_nan=False) for row in answer.rows)
    return f'   {head[:-1]}, "rows": [\n{rows}\n   ]}}'
