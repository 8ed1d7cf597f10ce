# SPDX-License-Identifier: GPL-2.0-only
"""Answers in a shell begin with a verdict, then say what each row is, then give the numbers."""

from __future__ import annotations

import json

import pytest

import krcsim
from krcsim.cli.main import main
from krcsim.methods.finding import Finding
from krcsim.methods.finding_verdict import finding_verdict
from krcsim.results.estimate import NOTHING, Estimate, exact
from tests.results.sentences import reads_well

SHORT = ["--max-runs", "8", "--budget", "0"]


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main([*argv]) == 0
    return capsys.readouterr().out


def test_compare_begins_with_the_verdict_and_leaves_out_what_is_empty(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = said(capsys, "compare", "thread-as-posted", "--remedies", "A0,C-A0", *SHORT)
    result = krcsim.compare("thread-as-posted", ["A0", "C-A0"], max_runs=8, budget=0)
    verdict, legend, table = text.split("\n\n")[:3]
    assert " ".join(verdict.split()) == krcsim.verdict(result)
    assert legend.split("\n")[0].startswith("A0    rcu_head with GFP_NOWAIT")
    assert "stalled" not in table  # without "try hard" nobody stalls
    assert "blocked" in table


def test_machines_get_the_numbers_and_no_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(capsys, "compare", "phone", "--remedies", "A0,B", *SHORT, "--json"))
    assert "verdict" not in json.dumps(told["provenance"])
    assert "stalled" in {row[2] for row in told["rows"]}


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (
            Finding("p_wait", "steady", exact(3.85e-8), "exact", "", 1, 1.0),
            "1 call in 26 million waits for a grace period, without chance (exact chain).",
        ),
        (
            Finding("p_wait", "boot", exact(0.0), "by construction", "", 0, 0.0),
            "In the boot window, no call can wait for a grace period (by construction).",
        ),
        (
            Finding("p_wait", "steady", exact(0.0), "exact", "", 1, 1.0),
            "Fewer than 1 call in a trillion waits for a grace period, without chance (exact "
            "chain).",
        ),
        (
            Finding("p_wait", "steady", Estimate(None, 0.0, 1e-4, "bound"), "skipping", "", 8, 1.0),
            "Fewer than 1 call in 10,000 waits for a grace period; none was seen, which is no "
            "proof.",
        ),
        (
            Finding("wait_ms", "steady", NOTHING, "skipping", "", 8, 1.0),
            "Mean wait: no answer, since nothing that defines it was seen.",
        ),
        (
            Finding(
                "p_episode", "steady", Estimate(0.6, 0.52, 0.66, "interval"), "skipping", "", 8, 1.0
            ),
            "3 episodes in 5 (52 to 66 in 100) have calls that wait.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_number_has_a_verdict(found: Finding, verdict: str) -> None:
    assert finding_verdict(found) == verdict
    assert verdict in repr(found)
    reads_well(verdict)
