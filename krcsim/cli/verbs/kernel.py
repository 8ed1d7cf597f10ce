# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim kernel`: the scenario as a line for the kernel harness, and with --run what a guest
measures compared with the model. With --kernel it is the kfree_rcu() of newer kernels themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_all
from krcsim.cli import completion, streams
from krcsim.cli.arguments import scenario_from
from krcsim.cli.delivery import check_target
from krcsim.cli.kernel_answer import json_of, text_of
from krcsim.cli.options import QUESTION, Files, Json, OnScenario, Quiet, Verb, option
from krcsim.cli.values import Whole
from krcsim.guest.boot import Row
from krcsim.guest.build import ready
from krcsim.guest.job import Job, job_of, set_words, sets_for
from krcsim.guest.mainline.series import SERIES
from krcsim.guest.mainline.series import listed as listed_series
from krcsim.guest.matrix import Task, measure
from krcsim.guest.rows import flat, tables
from krcsim.model.remedy import named
from krcsim.model.remedy_list import listed
from krcsim.model.scenario import Scenario, changed

MOST_SEEDS = 1000
MOST_CPUS = 8
REPLICATIONS = 200


@dataclass(frozen=True, kw_only=True)
class Kernel(OnScenario, Json, Files, Quiet):
    """The scenario as a line for the kernel harness; with --run measured in a guest."""

    verb: ClassVar[str] = "kernel"

    run: Annotated[bool, option("build the guest if need be, measure, and compare", QUESTION)] = (
        False
    )

    seeds: Annotated[
        Whole,
        option(
            "measured runs of each remedy, with seeds 1 to N",
            QUESTION,
            metavar="N",
            show_default=True,
        ),
    ] = 3

    remedies: Annotated[
        str | None,
        option(
            "rows of the table of remedies (A1,B,C-A0), or own for your setting",
            QUESTION,
            metavar="NAMES",
            completer=completion.remedies,
        ),
    ] = None

    kernel: Annotated[
        str | None,
        option(
            f"newer kernels, each with its own kfree_rcu() instead of the code of April 2020: one "
            f"or more of {','.join(SERIES)}",
            QUESTION,
            metavar="SERIES",
        ),
    ] = None

    cpus: Annotated[
        Whole,
        option(
            "CPUs of the guest with --kernel; more than one run in real time",
            QUESTION,
            metavar="N",
            show_default=True,
        ),
    ] = 1


def run(options: Kernel, command: str) -> None:
    """Print the lines and what they cannot express; with --run measure, and hold the model against
    it.
    """
    scenario = scenario_from(options)
    targets = targets_of(options)
    if not 1 <= options.seeds <= MOST_SEEDS:
        raise KrcsimError(f"--seeds is {options.seeds}; allowed: 1 to {MOST_SEEDS}")
    if not 1 <= options.cpus <= MOST_CPUS:
        raise KrcsimError(f"--cpus is {options.cpus}; allowed: 1 to {MOST_CPUS}")
    if options.kernel is not None:
        from krcsim.cli import newer_kernels

        newer_kernels.run(scenario, listed_series(options.kernel), targets, options, command)
        return
    if options.cpus != 1:
        raise KrcsimError("--cpus needs --kernel; without it, set machine.cpus")

    jobs = jobs_of(scenario, options.remedies)
    rows = _measured(scenario, jobs, options) if options.run else {}
    answers = {name: _answer(name, found) for name, found in rows.items()}
    every = [row for found in rows.values() for row in found]
    wanted = way_out(scenario, jobs)
    whole = json_of(scenario, jobs, rows, answers, wanted, command)

    write_all(files_of(targets, every, whole), overwrite=options.overwrite)
    if options.json:
        streams.say(whole, end="")
    else:
        streams.say(text_of(scenario, jobs, rows, answers, wanted))


def files_of(targets: Sequence[Path], rows: Sequence[Row], whole: str) -> dict[Path, bytes]:
    """What goes into each target; next to a table what never changes in it, as in data/kernel-6.1:
    a recording again.
    """
    files = {path: whole.encode() for path in targets if path.suffix != ".csv"}

    for path in targets:
        if path.suffix == ".csv":
            files[path], files[path.with_suffix(".const.json")] = tables(rows)

    return files


def jobs_of(scenario: Scenario, remedies: str | None) -> dict[str, Job]:
    """A job for each remedy that is asked for, else one for the remedy of the scenario."""
    if not remedies:
        return {"own": job_of(scenario)}

    return {
        name: job_of(changed(scenario, remedy=named(name, scenario.remedy)), name)
        for name in listed(remedies, scenario)
    }


def way_out(scenario: Scenario, jobs: dict[str, Job]) -> str:
    """What to add to a command that cannot be measured, so that it can; empty where nothing is in
    the way.

    What is wrong with a remedy that --remedies names is in its row, where --set does not reach.
    """
    left_out = [
        name
        for name, job in jobs.items()
        if name != "own" and any(gap.field.startswith("remedy.") for gap in job.stops)
    ]
    kept = [name for name in jobs if name not in left_out]
    if not kept:
        return "other --remedies: none of these can be measured"

    sets: dict[str, object] = {}
    for name in kept:
        if jobs[name].stops:
            sets |= sets_for(changed(scenario, remedy=named(name, scenario.remedy)))

    words = [set_words(sets)] if sets else []
    if left_out:
        words.append(f"--remedies {','.join(kept)} (without {', '.join(left_out)})")
    return " ".join(words)


def targets_of(options: Files) -> list[Path]:
    """The files of --out, of which a table has another next to it; raises KrcsimError."""
    paths = [Path(path) for path in options.out]

    for path in paths:
        if path.suffix not in (".csv", ".json"):
            raise KrcsimError(f"--out is {str(path)!r}; allowed: a name ending in .csv or .json")
        if path.suffix == ".csv" and not getattr(options, "run", False):
            raise KrcsimError("--out of a .csv needs rows that were measured; add --run")

        check_target(path, options.overwrite)
        if path.suffix == ".csv":
            check_target(path.with_suffix(".const.json"), options.overwrite)

    return paths


def _measured(scenario: Scenario, jobs: dict[str, Job], options: Kernel) -> dict[str, list[Row]]:
    if wanted := way_out(scenario, jobs):
        raise KrcsimError(
            "the harness cannot measure this as it is; "
            f"add {wanted}{instead(options, wanted)}; without --run it says why"
        )

    tasks = [
        Task(job.line(seed), job.boot)
        for job in jobs.values()
        for seed in range(1, options.seeds + 1)
    ]
    say = (lambda _: None) if options.quiet else (lambda text: streams.note(f"{text}\n"))

    rows = [flat(row) for row in measure(ready(None, say), tasks, say)]
    return {name: rows[n * options.seeds : (n + 1) * options.seeds] for n, name in enumerate(jobs)}


def instead(options: Kernel, wanted: str) -> str:
    """Which settings of a command the wanted ones take the place of, since a field may be given
    once.
    """
    fields = [one.partition("=")[0] for one in options.set]
    twice = [f"--set {field}" for field in fields if f"--set {field}=" in wanted]
    return f" in place of {' and '.join(twice)}" if twice else ""


def _answer(name: str, rows: Sequence[Row]) -> Any:
    """The model's answer, compared with the measured rows."""
    from krcsim.guest import recordings, score

    return score.compare(recordings.condition_of(name, rows), REPLICATIONS)


VERB = Verb(Kernel, run)
