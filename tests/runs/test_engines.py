# SPDX-License-Identifier: GPL-2.0-only
"""Which version of the engine a run gets, and that all versions count the same, to the bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from krcsim.engine.records import World
from krcsim.model.calls import counted_calls
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario, presets
from krcsim.runs import compiled_cache, engines, linking, waiting
from krcsim.runs.arena import Arena
from krcsim.runs.engine_source import entry_of, trees_of
from krcsim.runs.engines import (
    FULL,
    FULL_COPIES,
    LIGHT,
    LIGHT_COPIES,
    NOTHING_OF_THESE,
    VERSIONS,
    Version,
    version_for,
)
from krcsim.runs.replications import compile_the_rest, seconds_to_compile
from validation.scenarios import random_scenario

SHORT_MS = dict(warmup_ms=100.0, horizon_ms=500.0)
# What a scenario must have for each feature that the light engine lacks.
WITH = {
    "bursts": {"workload.arrivals": "bursts"},
    "calls of a recording": {
        "workload.arrivals": "replay",
        "workload.calls": counted_calls([[1, 2]] * Scenario().machine.cpus, 10.0, repeat=True),
    },
    "a rate that changes": {
        "workload.rate_changes": [[0, 1], [40, 3]],
        "workload.rate_period_ms": 100.0,
    },
    "callers that allocate": {
        "memory.pressure": "pages",
        "memory.hog": "nowait",
        "workload.live_objects": 1,
    },
    "memory as pages": {"memory.pressure": "pages"},
    "a refill worker": {"remedy.refill": True},
    "sheaves": {"remedy.sheaves": True},
    "several sizes of objects": {"workload.object_sizes": [[64, 3], [256, 1]]},
    "blocks with cookies": {"remedy.ready_blocks": True},
    "waiters that the grace-period kthread wakes": {"remedy.wake": "gp"},
    "readers": {"grace_period.reader_ms": 1.0, "workload.arrivals": "periodic"},
}
BIAS = dict(  # importance sampling, and with splitting: see World
    makes_copies=1,
    p_hit_biased=0.8,
    p_eventful_biased=0.05,
    max_log_ratio=5.0,
    p_copy_in_calm=0.1,
    p_copy_at_place=0.5,
    copies_per_place=2,
)
SPLIT = BIAS | dict(max_plan_calls=16, calm_danger=-2.0)


def light_scenarios() -> list[Scenario]:
    """Random scenarios, and presets, that the light engine can run."""
    drawn = [random_scenario(number) for number in range(60)]
    drawn += [load_scenario(name) for name in presets()]
    return [s for s in (changed(s, **SHORT_MS) for s in drawn) if Arena(s).version is LIGHT]


def answers(arena: Arena, version: Version, seed: int) -> list[np.ndarray[Any, Any]]:
    """All that a replication counts, by a version of the engine."""
    arena.version = version
    arena.run(seed, 0)
    names = ("counters", "wait_histogram", "latency_histogram", "tallies")
    return [arena.arrays[name].copy() for name in names]


@pytest.mark.parametrize("feature", sorted(WITH))
def test_a_scenario_with_more_gets_the_full_engine(feature: str) -> None:
    s = changed(Scenario(), **WITH[feature])
    assert Arena(s).version is FULL
    assert Arena(s, copies={}).version is FULL_COPIES


def test_each_feature_makes_the_engine_a_full_one() -> None:
    """By the fields of the record, those that no scenario sets by itself included."""
    assert set(WITH) | {"each call an event", "an event log"} == set(engines.FEATURES)
    for copies in (None, {}):
        for name in set(NOTHING_OF_THESE) & set(World.__annotations__):
            worlds = Arena(Scenario(), copies=copies).template.copy()
            assert version_for(worlds) is (LIGHT if copies is None else LIGHT_COPIES)
            worlds[name] = NOTHING_OF_THESE[name] + 1
            assert version_for(worlds) is (FULL if copies is None else FULL_COPIES)


def test_the_light_engine_counts_as_the_full_one() -> None:
    scenarios = light_scenarios()
    assert len(scenarios) >= 15
    for seed, s in enumerate(scenarios):
        arena = Arena(s, by_episode=3 * (seed % 2))
        for light, full in zip(
            answers(arena, LIGHT, seed), answers(arena, FULL, seed), strict=True
        ):
            assert np.array_equal(light.view(np.uint64), full.view(np.uint64))


@pytest.mark.slow
def test_with_copies_too() -> None:
    compared = 0
    for seed, s in enumerate(light_scenarios()[::2]):
        for copies, levels in ((BIAS, ()), (SPLIT, ((-4.0, 3.0), (-2.0, 2.0)))):
            arena = Arena(s, copies=copies, levels=levels, peaks=64)
            for light, full in zip(
                answers(arena, LIGHT_COPIES, seed), answers(arena, FULL_COPIES, seed), strict=True
            ):
                assert np.array_equal(light.view(np.uint64), full.view(np.uint64))
            compared += 1
    assert compared >= 10


def test_most_presets_start_at_once() -> None:
    versions = {name: Arena(load_scenario(name)).version.name for name in presets()}
    assert versions.pop("exhausted-guest") == versions.pop("run-away-64") == "full"
    assert set(versions.values()) == {"light"}


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_no_function_is_compiled_twice(version: Version) -> None:
    functions: list[Any] = []

    def compiled(function: Any) -> Any:
        functions.append(
            numba.njit(pipeline_class=linking.InnerCompiler, **engines.INNER)(function)
        )
        return functions[-1]

    trees = trees_of(version.constants, version.entry)
    entry = entry_of(trees, version.entry, f"counted_{version.name}", 7, compiled)
    run = numba.njit(pipeline_class=linking.EntryCompiler, **engines.OPTIONS)(entry)
    run.compile((numba.typeof(np.zeros(1, World.dtype)),))

    assert run(np.zeros(0, World.dtype)) == 7
    twice = {f.py_func.__name__: f.signatures for f in functions if len(f.signatures) > 1}
    assert sum(len(f.signatures) for f in functions) > 40
    assert not twice


@pytest.mark.slow
def test_four_processes_that_compile_at_once_do_not_harm_one_another(tmp_path: Path) -> None:
    code = (
        "from krcsim.model.scenario import Scenario\n"
        "from krcsim.runs.replications import replicate\n"
        "runs = replicate(Scenario(warmup_ms=50.0, horizon_ms=200.0), 1, 0, 2)\n"
        "print(runs.counts.tobytes().hex())\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    done = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert len({answer for answer, _ in done}) == 1
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.glob("*.nbc"))) == 1  # one of them compiled, the others loaded


def test_who_waits_hears_for_what(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and with the time that it takes about."""
    heard: list[str] = []
    monkeypatch.setattr(engines, "is_kept", lambda *_: False)
    monkeypatch.setattr(engines, "whole", lambda *_, **__: "compiled")
    monkeypatch.setattr(engines, "_engines", {})
    with waiting.announced_to(heard.append):
        assert [engines.engine(LIGHT) for _ in range(2)] == ["compiled"] * 2
    assert heard == ["compiling the engine for this machine: about 6 s where it is idle, once"]


def test_without_the_inside_of_numba_it_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[str] = []
    made: list[bool] = []

    def compiled(_version: Version, *, in_one_piece: bool) -> str:
        made.append(in_one_piece)
        if in_one_piece:
            raise AttributeError("no such library")
        return "compiled"

    monkeypatch.setattr(engines, "_compiled", compiled)
    with waiting.announced_to(heard.append):
        assert engines._load(LIGHT) == "compiled"
    assert made == [True, False]
    assert "cannot be compiled in one piece (AttributeError: no such library)" in heard[0]

    monkeypatch.setenv(linking.PLAIN, "1")
    assert engines._load(LIGHT) == "compiled"
    assert made == [True, False, False]


def test_how_long_a_first_answer_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_engines", {"light": None})
    monkeypatch.setattr(engines, "is_kept", lambda *_: False)
    started: list[list[str]] = []
    monkeypatch.setattr(engines.subprocess, "Popen", lambda words, **_: started.append(words))

    assert seconds_to_compile(Scenario()) == 0.0
    assert seconds_to_compile(Scenario(), rare=True) == LIGHT_COPIES.compile_s
    compile_the_rest(Scenario())
    assert [words[-1] for words in started] == ["light_copies"]


def test_kept_code_that_answers_for_another_is_compiled_again(tmp_path: Path) -> None:
    """Whatever the files say, the function says what it was compiled from."""
    checked: list[Any] = []

    def decorated() -> Any:
        return numba.njit(cache=True)(_threefold)

    def check(function: Any) -> bool:
        checked.append(function(2))
        return len(checked) > 1

    folder = numba.config.CACHE_DIR
    try:
        numba.config.CACHE_DIR = str(tmp_path)
        function = compiled_cache.whole(decorated, (numba.int64,), check=check)
    finally:
        numba.config.CACHE_DIR = folder
    assert function(5) == 15
    assert checked == [6]
    assert len(function.signatures) == 1


def _threefold(x: int) -> int:
    return 3 * x
