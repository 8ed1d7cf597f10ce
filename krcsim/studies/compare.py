# SPDX-License-Identifier: GPL-2.0-only
"""Remedies in the same worlds, all at once or episode by episode; where plain runs see no wait,
other methods are asked.
"""

import itertools
import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import check_whole, is_real
from krcsim.base.old_names import option_for_runs, takes_rungs
from krcsim.methods.plain import climb
from krcsim.model.remedy import THREAD, Remedy, named
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import command_near, given
from krcsim.results.estimate import Array, Difference, between, difference
from krcsim.results.quantities import (
    QUANTITIES,
    answers,
    asked_by_episode,
    callers,
    compared_sums,
    window_ms,
)
from krcsim.results.result import BASE, Cell, Result, provenance
from krcsim.runs.ladder import DEFAULT_RUNS, PRECISION, SEED, Have, Progress, Stop, check_study
from krcsim.runs.replications import WINDOWS, Replications
from krcsim.studies.ask import CLOSING
from krcsim.studies.unseen import Rows, closed, row_of

Point = tuple[Cell, ...]
Remedies = dict[str, Remedy] | tuple[str, ...] | list[str]


@dataclass(frozen=True)
class Study:
    """What was found at a point: its scenario, the plain runs, and every row that it has."""

    scenario: Scenario
    runs: Replications
    rows: Rows


def table_of(scenario: Scenario, remedies: Remedies) -> dict[Point, Scenario]:
    """The scenario under each remedy, by name; raises KrcsimError if there is none or an unknown
    one.
    """
    refuse(
        not isinstance(remedies, (dict, list, tuple)),
        "remedies",
        remedies,
        "a list of names, or a dict of name -> Remedy",
        'write for example ["A1", "B12"]',
    )
    table = (
        remedies
        if isinstance(remedies, dict)
        else {name: named(name, scenario.remedy) for name in remedies}
    )
    if not table:
        raise KrcsimError("remedies is empty; name at least one, for example A1,B,C-A1")
    return {(k,): changed(scenario, remedy=r) for k, r in table.items()}


@takes_rungs
def compare(scenario: Scenario | str, remedies: Remedies = THREAD, **how: Any) -> Result:
    """Remedies in the same worlds: all quantities in both windows, and differences from the first
    remedy.

    `remedies`: names (see remedy.named(); `own` is the scenario's), or a dict of name -> Remedy.
    `how`: seed, precision, max_runs, budget, command, progress, stop, have. `budget`: events that
    may be spent on a remedy with which plain runs saw no wait, so that other methods find how rare
    it is (0: the bound is all). Raises KrcsimError.
    """
    scenario = given(scenario)
    how["command"] = how.get("command") or same_in_a_shell("compare", scenario, remedies, how)
    return study_of(scenario, (), table_of(scenario, remedies), **how)


def same_in_a_shell(
    verb: str, scenario: Scenario, remedies: Remedies, how: dict[str, Any], more: str = ""
) -> str:
    """The shell command of a call from Python, with the same numbers; empty where remedies have no
    names.
    """
    if isinstance(remedies, dict):
        return ""
    words = (
        [f"--remedies {shlex.quote(','.join(map(str, remedies)))}"]
        if tuple(remedies) != THREAD
        else []
    )
    usual = dict(seed=SEED, precision=PRECISION, max_runs=DEFAULT_RUNS, budget=CLOSING)
    words += [
        option_for_runs(how[name])
        if name == "max_runs"
        else f"--{name.replace('_', '-')} {how[name]}"
        for name in usual
        if how.get(name, usual[name]) != usual[name]
    ]
    return command_near(verb, scenario, " ".join([*words, more]).strip())


@takes_rungs
def episodes(
    scenario: Scenario | str, remedies: Remedies = THREAD, *, count: int = 8, **how: Any
) -> Result:
    """As compare(), episode by episode from boot on: windows `episode 1`, ..., `episode <count>
    on`, whatever horizon_ms.
    """
    check_whole("count", count, 100, "8 shows how a reserve fills")
    scenario = given(scenario)
    a = scenario.allocator
    refuse(
        a.episodes == "none" or not count,
        "allocator.episodes",
        a.episodes,
        "exponential or schedule",
        "without episodes (or a count of them) there is no first one",
    )
    last = max((end for plan in a.schedules for _, end in plan if end < math.inf), default=0.0)
    whole = (
        last + a.calm_ms if a.episodes == "schedule" else 1.5 * count * (a.episode_ms + a.calm_ms)
    )
    world = replace(scenario, warmup_ms=0.0, horizon_ms=min(round(whole, 3), 1e8))
    how["command"] = how.get("command") or same_in_a_shell(
        "compare", scenario, remedies, how, f"--by-episode {count}"
    )
    return study_of(scenario, (), table_of(world, remedies), by_episode=count, **how)


def study_of(
    scenario: Scenario,
    over: tuple[str, ...],
    points: dict[Point, Scenario],
    *,
    seed: int = SEED,
    precision: float = PRECISION,
    max_runs: int = DEFAULT_RUNS,
    budget: float = CLOSING,
    command: str = "",
    progress: Progress | None = None,
    stop: Stop | None = None,
    have: Have | None = None,
    by_episode: int = 0,
) -> Result:
    """All points of a question as one Result; `over` names the fields that vary beside the
    remedy.
    """
    check_study(seed, precision, max_runs)
    check_budget(budget)
    windows: dict[int, str] = dict(enumerate(WINDOWS))
    if by_episode:
        windows = {n: f"episode {n}" for n in range(1, by_episode)} | {
            by_episode: f"episode {by_episode} on"
        }
    asked = asked_by_episode() if by_episode else tuple(QUANTITIES)
    rows: list[Point] = []
    kept: dict[Point, Study] = {}
    replications: dict[str, int] = {}
    why: dict[str, str] = {}
    for n, (key, s) in enumerate(points.items()):
        if progress:
            progress(n, len(points))
        *_, runs = climb(
            s,
            seed,
            precision=precision,
            max_runs=max_runs,
            stop=stop,
            have=have,
            by_episode=by_episode,
        )
        plain = {
            (w, name): row_of(e, len(runs))
            for w in windows
            for name, e in answers(runs, s, w, asked).items()
        }
        found, reason = closed(
            s,
            plain,
            runs,
            seed=seed,
            precision=precision,
            max_runs=max_runs,
            budget=budget,
            stop=stop,
            by_episode=by_episode,
        )
        name = " ".join(map(str, key))
        replications[name] = len(runs)
        why |= {name: reason} if reason else {}
        rows += [
            (*key, windows[w], quantity, QUANTITIES[quantity].unit, *row.columns())
            for (w, quantity), row in found.items()
        ]
        if not over:
            kept[key] = Study(s, runs, found)
    if progress:
        progress(len(points), len(points))
    return Result(
        ("remedy", *over, *BASE),
        tuple(rows),
        tuple(_differences(kept, windows, bool(by_episode))),
        provenance(command, scenario, seed, runs=replications, budget=budget, why=why),
    )


def check_budget(budget: float) -> None:
    """Raise FieldError for a budget that is no number of events."""
    refuse(
        not (is_real(budget) and 0 <= budget < math.inf),
        "budget",
        budget,
        "a number of events, 0 or more",
        f"{CLOSING:g} are five to ten seconds of a processor; 0 leaves bounds as they are",
    )


def _differences(
    kept: dict[Point, Study], windows: dict[int, str], by_episode: bool
) -> Iterator[Point]:
    """P(wait) and waiting time of each remedy minus the first one's, in the same worlds."""
    sums = compared_sums(by_episode)
    points = list(kept.items())
    for (key, study), (w, window), (quantity, (num, den)) in itertools.product(
        points[1:], windows.items(), sums.items()
    ):
        base, first = points[0]
        d = _difference(study, first, w, quantity, num, den)
        if d is not None:
            yield (key[0], base[0], window, quantity, d.value, d.lo, d.hi, d.pairing_saves)


def _difference(
    study: Study, first: Study, w: int, quantity: str, num: str, den: str
) -> Difference | None:
    """The difference of two rows: run by run where plain runs gave both values, else from the rows
    alone.

    So it never says more than the rows do. None where neither of them saw a wait.
    """
    row, row0 = study.rows.get((w, quantity)), first.rows.get((w, quantity))
    if row is None or row0 is None or not (row.estimate.value or row0.estimate.value):
        return None
    apart = between(row.estimate, row0.estimate)
    if apart is None or not row.method == row0.method == "skipping":
        return apart
    mine, its = _counted(study, num, den, w), _counted(first, num, den, w)
    n = min(len(study.runs), len(first.runs))
    if all((a[:n] == b[:n]).all() for a, b in zip(mine, its, strict=True)):
        return replace(
            apart, pairing_saves=1.0
        )  # no run tells them apart, and no run says how rarely others would
    return difference(*mine, *its) or apart


def _counted(study: Study, num: str, den: str, w: int) -> tuple[Array, Array]:
    """What a quantity sums up in each run, and what it is divided by ("": the time of all
    callers).
    """
    s, runs = study.scenario, study.runs
    return runs.of(num, w), runs.of(den, w) if den else np.full(
        len(runs), window_ms(s, w) * callers(s)
    )
