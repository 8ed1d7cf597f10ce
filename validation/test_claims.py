# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of a running kernel that speak about a claim say what its verdict says, and the
command beside a claim shows its numbers.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from krcsim.claims.answers import Row
from krcsim.claims.claim import Claim, Recorded, read_claims
from krcsim.claims.decide import FAILS, HOLDS, HOLDS_WHEN, decide
from krcsim.claims.kept import read_kept
from krcsim.claims.recorded import measured
from krcsim.cli.main import main
from krcsim.results.result import load_result

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


@pytest.mark.slow
@pytest.mark.parametrize("claim", [c for c in CLAIMS if c.questions], ids=lambda c: c.number)
def test_the_command_beside_a_claim_shows_its_numbers(
    claim: Claim, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for answer in read_kept()[claim.number]:
        path = tmp_path / f"{answer.question}.json"
        assert main([*shlex.split(answer.command)[1:], "--quiet", "--out", str(path)]) == 0
        capsys.readouterr()
        if shlex.split(answer.command)[1] == "size":
            _shows_size(answer.rows, json.loads(path.read_text()))
            continue
        result = load_result(path)
        for row in answer.rows:
            if row.method == "by construction" and row.runs == 0:
                continue  # worked out of the scenario
            point = tuple(row.at.get(name, "as given") for name in result.parameters)
            assert result.get(point, row.quantity, row.window) == row.estimate


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
