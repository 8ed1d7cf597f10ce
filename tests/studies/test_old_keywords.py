# SPDX-License-Identifier: GPL-2.0-only
"""Keywords and quantities of before are taken, and the new name is said."""

from collections.abc import Callable
from typing import Any

import pytest

import krcsim
from krcsim import KrcsimError
from krcsim.runs.ladder import check_runs, steps
from krcsim.sweeps.plan import plan_of

SHORT = krcsim.changed(krcsim.load_scenario("phone"), warmup_ms=100.0, horizon_ms=400.0)
RANGES = {"rate_hz": (500.0, 2000.0), "head": (0.5, 2.0)}
ASKED: dict[str, Callable[..., Any]] = {
    "ask": lambda **how: krcsim.ask(SHORT, method="skipping", **how),
    "compare": lambda **how: krcsim.compare(SHORT, ["A1"], **how).rows,
    "episodes": lambda **how: krcsim.episodes(SHORT, ["A1"], count=1, **how).rows,
    "sweep": lambda **how: krcsim.sweep(SHORT, {"remedy": ["A1"]}, **how).rows,
    "size": lambda **how: krcsim.size(SHORT, 0.5, most=1, **how).tried,
    "frontier": lambda **how: krcsim.frontier(SHORT, pools=(), pages=(), mixed=(), **how).points,
    "a plan": lambda **how: plan_of(SHORT, {"machine.cpus": [1, 2]}, **how),
}


@pytest.mark.parametrize("name", ASKED)
def test_max_rung_is_taken_and_max_runs_is_named(name: str) -> None:
    with pytest.warns(FutureWarning, match="max_rung is called max_runs now; write max_runs=16"):
        before = ASKED[name](max_rung=1)
    assert before == ASKED[name](max_runs=16)


def test_a_rung_of_sensitivity_is_taken_too() -> None:
    with (
        pytest.warns(FutureWarning, match="rung is called max_runs now"),
        pytest.raises(KrcsimError, match="max_runs"),
    ):
        krcsim.sensitivity(SHORT, RANGES, n=2, rung=99)  # type: ignore[call-arg]


def test_a_quantity_of_before_is_taken() -> None:
    with pytest.warns(FutureWarning, match="p_wait_episode"):
        found = krcsim.ask(SHORT, "p_wait_spell", max_runs=8)
    assert found == krcsim.ask(SHORT, "p_wait_episode", max_runs=8)


def test_runs_come_in_steps() -> None:
    assert [*steps(64)] == [8, 16, 32, 64]
    for runs in steps(131_072):
        check_runs(runs)


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (100, "take 64 or 128"),
        (9, "take 8 or 16"),
        (131_071, "take 65536 or 131072"),
        (7, "doubled up to 131072"),
        (0, "doubled up to 131072"),
        (-8, "doubled up to 131072"),
        (262_144, "doubled up to 131072"),
        (True, "doubled up to 131072"),
        ("8", "doubled up to 131072"),
        (8.0, "doubled up to 131072"),
        (None, "doubled up to 131072"),
    ],
)
def test_another_number_of_runs_is_refused_with_its_neighbours(runs: Any, words: str) -> None:
    with pytest.raises(KrcsimError, match=words):
        krcsim.ask(SHORT, max_runs=runs)
