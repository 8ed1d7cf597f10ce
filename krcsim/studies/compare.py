# SPDX-License-Identifier: GPL-2.0-only
"""Remedies with the same random draws, over all time or episode by episode; where plain runs see no
wait, other methods are asked.
"""

import math
import shlex
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import check_whole, is_real
from krcsim.base.old_names import takes_rungs
from krcsim.methods.plain import runs_until_known
from krcsim.model.remedy import THREAD, Remedy, named
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import command_near, given
from krcsim.results.legend import MADE
from krcsim.results.quantities import QUANTITIES, answers, asked_by_episode
from krcsim.results.result import BASE, Result, provenance
from krcsim.runs.ladder import DEFAULT_RUNS, PRECISION, SEED, Have, Progress, Stop, check_study
from krcsim.runs.replications import WINDOWS
from krcsim.studies.ask import CLOSING
from krcsim.studies.differences import Point, PointAnswer, differences
from krcsim.studies.entries import entry_of_plain_runs
from krcsim.studies.shell_command import options_of
from krcsim.studies.unseen import fill_gaps

Remedies = dict[str, Remedy] | tuple[str, ...] | list[str]
MOST_EPISODES = 100  # of which each has a window of its own
LONGEST_MS = 1e8  # of a run that is looked at episode by episode
USUAL = dict(seed=SEED, precision=PRECISION, max_runs=DEFAULT_RUNS, budget=CLOSING)


@takes_rungs
def compare(scenario: Scenario | str, remedies: Remedies = THREAD, **how: Any) -> Result:
    """Remedies with the same random draws: all quantities in both windows, and differences from the
    first remedy.

    `remedies`: names (see remedy.named(); `own` is your setting), or a dict of name -> Remedy.
    `how`: seed, precision, max_runs (8, 16, 32, ... 131072), budget, command, progress, stop, have.
    `budget`: events that may be spent on a remedy with which plain runs saw no wait, so that other
    methods find how rare it is (0: the bound is all). Raises KrcsimError.
    """
    scenario = given(scenario)
    how["command"] = how.get("command") or same_in_a_shell("compare", scenario, remedies, how)
    points = scenarios_of(scenario, remedies)
    return answer_points(scenario, (), points, made=_made_by_name(remedies), **how)


@takes_rungs
def episodes(
    scenario: Scenario | str, remedies: Remedies = THREAD, *, count: int = 8, **how: Any
) -> Result:
    """As compare(), episode by episode from boot on: windows `episode 1`, ..., `episode <count>
    on`, whatever horizon_ms.
    """
    check_whole("count", count, MOST_EPISODES, "8 shows how a reserve fills")
    scenario = given(scenario)
    refuse(
        scenario.allocator.episodes == "none" or not count,
        "allocator.episodes",
        scenario.allocator.episodes,
        "exponential or schedule",
        "without episodes (or a count of them) there is no first one",
    )
    from_boot = replace(scenario, warmup_ms=0.0, horizon_ms=_long_enough_ms(scenario, count))
    how["command"] = how.get("command") or same_in_a_shell(
        "compare", scenario, remedies, how, f"--by-episode {count}"
    )
    points = scenarios_of(from_boot, remedies)
    made = _made_by_name(remedies)
    return answer_points(scenario, (), points, by_episode=count, made=made, **how)


def _made_by_name(remedies: Remedies) -> dict[str, Any]:
    """The fields of remedies that Python gave names of its own, for who reads the result."""
    if not isinstance(remedies, dict):
        return {}
    return {MADE: {str(name): asdict(remedy) for name, remedy in remedies.items()}}


def _long_enough_ms(scenario: Scenario, count: int) -> float:
    """How long a run has to be for so many episodes, in ms."""
    allocator = scenario.allocator
    if allocator.episodes == "schedule":
        ends = (end for plan in allocator.schedules for _, end in plan if end < math.inf)
        whole = max(ends, default=0.0) + allocator.calm_ms
    else:
        whole = 1.5 * count * (allocator.episode_ms + allocator.calm_ms)
    return min(round(whole, 3), LONGEST_MS)


def scenarios_of(scenario: Scenario, remedies: Remedies) -> dict[Point, Scenario]:
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
    if not isinstance(remedies, dict):
        remedies = {name: named(name, scenario.remedy) for name in remedies}
    if not remedies:
        raise KrcsimError("remedies is empty; name at least one, for example A1,B,C-A1")
    return {(name,): changed(scenario, remedy=remedy) for name, remedy in remedies.items()}


def same_in_a_shell(
    verb: str, scenario: Scenario, remedies: Remedies, how: dict[str, Any], more: str = ""
) -> str:
    """The shell command of a call from Python, with the same numbers; empty where remedies have no
    names.
    """
    if isinstance(remedies, dict):
        return ""
    words: list[str] = []
    if tuple(remedies) != THREAD:
        words.append(f"--remedies {shlex.quote(','.join(map(str, remedies)))}")
    words += options_of(how, USUAL)
    return command_near(verb, scenario, " ".join([*words, more]).strip())


def answer_points(
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
    made: Mapping[str, Any] | None = None,
) -> Result:
    """All points of a question as one Result; `over` names the fields that vary besides the
    remedy. `made`: more for its provenance.
    """
    check_study(seed, precision, max_runs)
    check_budget(budget)
    windows = _windows(by_episode)
    asked = asked_by_episode() if by_episode else tuple(QUANTITIES)
    rows: list[Point] = []
    kept: dict[Point, PointAnswer] = {}
    replications: dict[str, int] = {}
    why: dict[str, str] = {}
    for done, (key, point) in enumerate(points.items()):
        if progress:
            progress(done, len(points))

        *_, runs = runs_until_known(
            point,
            seed,
            precision=precision,
            max_runs=max_runs,
            stop=stop,
            have=have,
            by_episode=by_episode,
        )
        entries = {
            (window, quantity): entry_of_plain_runs(e, len(runs))
            for window in windows
            for quantity, e in answers(runs, point, window, asked).items()
        }
        entries, reason = fill_gaps(
            point,
            entries,
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
        if reason:
            why[name] = reason
        rows += [
            (*key, windows[window], quantity, QUANTITIES[quantity].unit, *entry.columns())
            for (window, quantity), entry in entries.items()
        ]
        if not over:
            kept[key] = PointAnswer(point, runs, entries)

    if progress:
        progress(len(points), len(points))
    return Result(
        ("remedy", *over, *BASE),
        tuple(rows),
        tuple(differences(kept, windows, bool(by_episode))),
        provenance(
            command, scenario, seed, runs=replications, budget=budget, why=why, **(made or {})
        ),
    )


def _windows(by_episode: int) -> dict[int, str]:
    """The names of the windows: boot and steady, or one episode after another."""
    if not by_episode:
        return dict(enumerate(WINDOWS))
    single = {number: f"episode {number}" for number in range(1, by_episode)}
    return single | {by_episode: f"episode {by_episode} on"}


def check_budget(budget: float) -> None:
    """Raise FieldError for a budget that is no number of events."""
    refuse(
        not (is_real(budget) and 0 <= budget < math.inf),
        "budget",
        budget,
        "a number of events, 0 or more",
        f"{CLOSING:g} are five to ten seconds of a processor; 0 leaves bounds as they are",
    )
