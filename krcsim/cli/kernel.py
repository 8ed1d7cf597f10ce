# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim kernel`: the scenario as a line for the kernel harness, and with --run what a guest
measures compared with the model.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_all
from krcsim.cli import completion, streams
from krcsim.cli.arguments import scenario_from
from krcsim.cli.delivery import check_target
from krcsim.cli.options import QUESTION, Files, Json, OnScenario, Quiet, Verb, option
from krcsim.cli.values import Whole
from krcsim.guest.boot import Row
from krcsim.guest.build import ready
from krcsim.guest.job import Job, job_of, rcuscale_of, set_words, sets_for
from krcsim.guest.matrix import Task, measure
from krcsim.guest.rows import flat, tables
from krcsim.model.remedy import named
from krcsim.model.remedy_list import listed
from krcsim.model.scenario import Scenario, changed

MOST_SEEDS = 1000
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


def run(options: Kernel, command: str) -> None:
    """Print the lines and what they cannot express; with --run measure, and hold the model against
    it.
    """
    scenario = scenario_from(options)
    targets = targets_of(options)
    if not 1 <= options.seeds <= MOST_SEEDS:
        raise KrcsimError(f"--seeds is {options.seeds}; allowed: 1 to {MOST_SEEDS}")

    jobs = jobs_of(scenario, options.remedies)
    rows = _measured(scenario, jobs, options) if options.run else {}
    answers = {name: _answer(name, found) for name, found in rows.items()}
    every = [row for found in rows.values() for row in found]
    whole = _json(scenario, jobs, rows, answers, command)

    write_all(files_of(targets, every, whole), overwrite=options.overwrite)
    if options.json:
        streams.say(whole, end="")
    else:
        streams.say(_text(scenario, jobs, rows, answers))


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
    """A job for each remedy that is asked for, else one for the scenario's own."""
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
    named_ones = [name for name in jobs if name != "own"]
    out = [
        name
        for name in named_ones
        if any(gap.field.startswith("remedy.") for gap in jobs[name].stops)
    ]
    kept = [name for name in jobs if name not in out]
    if not kept:
        return "other --remedies: none of these can be measured"
    sets: dict[str, object] = {}
    for name in kept:
        if jobs[name].stops:
            sets |= sets_for(changed(scenario, remedy=named(name, scenario.remedy)))
    words = [set_words(sets)] if sets else []
    words += [f"--remedies {','.join(kept)} (without {', '.join(out)})"] if out else []
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
            f"add {wanted}{_instead(options, wanted)}; without --run it says why"
        )
    tasks = [
        Task(job.line(seed), job.boot)
        for job in jobs.values()
        for seed in range(1, options.seeds + 1)
    ]
    say = (lambda _: None) if options.quiet else (lambda text: streams.note(f"{text}\n"))
    rows = [flat(row) for row in measure(ready(None, say), tasks, say)]
    return {name: rows[n * options.seeds : (n + 1) * options.seeds] for n, name in enumerate(jobs)}


def _instead(options: Kernel, wanted: str) -> str:
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


def _text(
    scenario: Scenario, jobs: dict[str, Job], rows: dict[str, list[Row]], answers: dict[str, Any]
) -> str:
    out: list[str] = []
    for name, job in jobs.items():
        more = " ".join(
            [f"--cpus {job.boot.cpus}"] * (job.boot.cpus > 1)
            + [f"--append {job.boot.append}"] * bool(job.boot.append)
            + [f"--mib {job.boot.mib}"] * (job.boot.mib != 512)
        )
        out += [
            f"harness line ({name}){', booted with ' + more if more else ''}:",
            f"  {job.line()}",
            "",
        ]
    rcuscale, missing = rcuscale_of(scenario)
    first = next(iter(jobs.values()))
    gaps = dict.fromkeys(gap for job in jobs.values() for gap in job.gaps) if first.gaps else {}
    out += [
        "what the harness cannot express:",
        *(f"  {'(!) ' * gap.stops}{gap.words()}" for gap in gaps),
    ]
    out += ["  nothing"] * (not gaps)
    if wanted := way_out(scenario, jobs):
        out += ["what is marked (!) stops --run; to measure the rest, add:", f"  {wanted}"]
    out += ["", "nearest rcuscale line:", f"  {rcuscale}", "what it does not express:"]
    out += [f"  {gap.words()}" for gap in missing]
    for name, found in rows.items():
        out += ["", _measured_words(name, found, answers[name])]
    return "\n".join(out)


def _measured_words(name: str, rows: Sequence[Row], answer: Any) -> str:
    calls, waits = sum(row["calls"] for row in rows), sum(row["sync"] for row in rows)
    share = sum(row["blocked_frac"] for row in rows) / len(rows)
    lines = [
        f"{name}: {waits} waits in {calls} calls of {len(rows)} runs on Linux {rows[0]['release']}"
    ]
    if answer is None:
        return "\n".join(
            [
                *lines,
                f"  P(wait) {waits / calls if calls else 0:.4g}, blocked {share:.4g}; no model to "
                "compare",
            ]
        )
    for what, a in (("P(wait)", answer.p_wait), ("blocked", answer.blocked)):
        lines.append(
            f"  {what} measured {a.measured:.4g}, model {a.predicted:.4g} [{a.low:.4g}, "
            f"{a.high:.4g}]: "
            f"{_verdict(a.inside, waits, answer)}"
        )
    return "\n".join([*lines, *(f"  {line}" for line in _real_time(rows))])


def _verdict(inside: bool, waits: int, answer: Any) -> str:
    if answer.trivial:
        return "no wait on either side, which says nothing of the model"
    if not inside:
        return "OUTSIDE"
    return (
        "inside"
        if waits
        else f"inside, but no wait was measured (the model expects {answer.model_waits:.2g})"
    )


def _real_time(rows: Sequence[Row]) -> list[str]:
    """What to know of a measurement whose clock is that of the host; nothing where instructions are
    counted.
    """
    first = rows[0]
    if first.get("timing") != "realtime":
        return []
    lines = [
        f"Real time on {first['cpus']} CPU{'s' * (first['cpus'] > 1)}: the load of this host "
        "matters, and the "
        "counts do not repeat."
    ]
    late = [row["montimer_p99_us"] / 1000 for row in rows if "montimer_p99_us" in row]
    if late:
        due = (first["drain_jiffies"] + 1) * 1000 / first["hz"]
        lines.append(
            f"How much: a timer of the drain that is due within {due:g} ms took up to "
            f"{max(late):.3g} ms (the "
            "99th percentile of the worst run)."
        )
    from krcsim.guest.recorded_scenario import grace_lengths_ms
    from krcsim.guest.recordings import condition_of

    lengths = grace_lengths_ms(condition_of("own", rows))
    if lengths:
        mean = sum(lengths) / len(lengths)
        lines.append(
            f"The model took the grace periods that each run saw itself ({mean:.3g} ms on average) "
            "and timers "
            "as late as its own were; by default it has others."
        )
    return lines


def _json(
    scenario: Scenario,
    jobs: dict[str, Job],
    rows: dict[str, list[Row]],
    answers: dict[str, Any],
    command: str,
) -> str:
    def lists(gaps: Sequence[Any]) -> list[dict[str, Any]]:
        return [
            dict(field=g.field, value=str(g.value), reason=g.reason, stops=g.stops) for g in gaps
        ]

    rcuscale, missing = rcuscale_of(scenario)
    compared = {
        name: {
            what: dict(
                measured=a.measured,
                predicted=a.predicted,
                low=a.low,
                high=a.high,
                inside=a.inside,
                trivial=answer.trivial,
            )
            for what, a in (("p_wait", answer.p_wait), ("blocked", answer.blocked))
        }
        for name, answer in answers.items()
        if answer is not None
    }
    real_time = {name: _real_time(found) for name, found in rows.items()}
    body = dict(
        command=command,
        rcuscale=dict(line=rcuscale, cannot_express=lists(missing)),
        harness={
            name: dict(
                line=job.line(),
                cpus=job.boot.cpus,
                mib=job.boot.mib,
                append=job.boot.append,
                cannot_express=lists(job.gaps),
            )
            for name, job in jobs.items()
        },
        rows=rows,
        compared=compared,
        real_time=real_time,
        to_run=way_out(scenario, jobs),
    )
    return json.dumps(body, indent=1, default=bool) + "\n"


VERB = Verb(Kernel, run)
