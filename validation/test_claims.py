# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of a running kernel that speak about a claim say what its verdict says, and the
commands beside a claim show its numbers; tests/claims asks for some without a command.
"""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from krcsim.claims.answers import Row, answered
from krcsim.claims.claim import Claim, Recorded, read_claims
from krcsim.claims.decide import FAILS, HOLDS, HOLDS_WHEN, decide
from krcsim.claims.kept import read_kept
from krcsim.claims.recorded import measured
from krcsim.cli.main import main
from krcsim.results.result import load_result
from krcsim.runs.ladder import PRECISION, SEED
from krcsim.studies.size import size
from krcsim.sweeps.grid import sweep

CLAIMS = read_claims().claims
SPOKEN_OF = [(claim, one) for claim in CLAIMS for one in claim.recorded]


@pytest.mark.parametrize(
    ("claim", "recorded"), SPOKEN_OF, ids=[f"{c.number}-{n}" for n, (c, _) in enumerate(SPOKEN_OF)]
)
def test_a_recording_agrees_with_the_verdict(claim: Claim, recorded: Recorded) -> None:
    assert claim.questions, "a recording speaks about a claim that is not decided"
    assert measured(recorded).agrees


@pytest.mark.parametrize("claim", [c for c in CLAIMS if c.recorded], ids=lambda c: c.number)
def test_recordings_on_both_sides_stand_by_verdicts_with_two_sides(claim: Claim) -> None:
    """A recording is held against a range; the claim's own range tells which side that is."""
    word = decide(claim, read_kept()[claim.number]).word
    assert word in (HOLDS, HOLDS_WHEN, FAILS)


@dataclass(frozen=True)
class Computed:
    """What the commands of a claim wrote, by question, and what each asked for with the answer."""

    files: dict[str, Path]
    answers: dict[object, Any]


def asked_of(study: Callable[..., Any], *args: Any, **how: Any) -> object:
    """What a study is asked, whoever asks, without what changes no number."""
    bound = inspect.signature(study).bind(*args, **how)
    bound.apply_defaults()
    how = bound.arguments.pop("how", {})
    asked = dict(seed=SEED, precision=PRECISION) | bound.arguments | how
    if "over" in asked:
        asked["over"] = tuple((name, *values) for name, values in asked["over"].items())
    silent = ("command", "progress", "report", "stop")
    return study.__name__, frozenset(item for item in asked.items() if item[0] not in silent)


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Claim], Computed]:
    """A claim computed by its commands, once."""
    known: dict[str, Computed] = {}

    def keeping(study: Callable[..., Any], answers: dict[object, Any]) -> Callable[..., Any]:
        def kept(*args: Any, **how: Any) -> Any:
            return answers.setdefault(asked_of(study, *args, **how), study(*args, **how))

        return kept

    def compute(claim: Claim) -> Computed:
        if claim.number not in known:
            folder = tmp_path_factory.mktemp(claim.number)
            made = Computed({}, {})
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("krcsim.sweeps.grid.sweep", keeping(sweep, made.answers))
                patch.setattr("krcsim.studies.size.size", keeping(size, made.answers))
                for answer in read_kept()[claim.number]:
                    path = made.files[answer.question] = folder / f"{answer.question}.json"
                    command = shlex.split(answer.command)[1:]
                    assert main([*command, "--quiet", "--out", str(path)]) == 0
            known[claim.number] = made
        return known[claim.number]

    return compute


each_computed = pytest.mark.parametrize(
    "claim", [c for c in CLAIMS if c.questions], ids=lambda c: c.number
)


@pytest.mark.slow
@each_computed
def test_the_command_beside_a_claim_shows_its_numbers(
    claim: Claim, computed: Callable[[Claim], Computed]
) -> None:
    for answer in read_kept()[claim.number]:
        path = computed(claim).files[answer.question]
        if shlex.split(answer.command)[1] == "size":
            _shows_size(answer.rows, json.loads(path.read_text()))
            continue
        result = load_result(path)
        for row in answer.rows:
            if row.method == "by construction" and row.runs == 0:
                continue  # worked out of the scenario
            point = tuple(row.at.get(name, "as given") for name in result.parameters)
            assert result.get(point, row.quantity, row.window) == row.estimate


@pytest.mark.slow
@each_computed
def test_a_claim_asks_what_its_commands_ask_and_the_numbers_are_the_same_again(
    claim: Claim, computed: Callable[[Claim], Computed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a command has not asked would be no key of its answers."""
    made = computed(claim).answers
    for study in (sweep, size):

        def again(*args: Any, study: Callable[..., Any] = study, **how: Any) -> Any:
            return made[asked_of(study, *args, **how)]

        monkeypatch.setattr(f"krcsim.claims.answers.{study.__name__}", again)
    assert answered(claim) == read_kept()[claim.number]


def _shows_size(rows: tuple[Row, ...], body: dict[str, Any]) -> None:
    """Among the sizes that the command lists is the one that was kept, with its bytes."""
    bytes_at = body["columns"].index("value")
    listed = {
        row[bytes_at]
        for row in body["rows"]
        if row[body["columns"].index("quantity")] == "bytes_added"
    }
    kept = next(row.estimate.value for row in rows if row.quantity == "bytes_added")
    assert kept in listed
