# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim kernel SCENARIO`: the harness's line for a scenario, and with --run what a guest measures beside the "
"model."""
import argparse
import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from krcsim.files import is_there, write_all
from krcsim.remedy import named
from krcsim.scenario import Scenario, changed
from krcsim_report.lists import listed
from krcsim.values import KrcsimError
from krcsim_kernel.build import ready
from krcsim_kernel.guest import Row
from krcsim_kernel.job import Job, checked, job_of, rcuscale_of
from krcsim_kernel.matrix import Task, measure
from krcsim_kernel.results import flat, tables
from krcsim_shell import streams

MOST_SEEDS, REPLICATIONS = 1000, 200

def run_kernel(args: argparse.Namespace, scenario: Scenario, command: str) -> None:
    """Print the lines and what they cannot express; with --run measure, and hold the model against it."""
    targets = _targets(args)
    if not 1 <= args.seeds <= MOST_SEEDS:
        raise KrcsimError(f"--seeds is {args.seeds}; allowed: 1 to {MOST_SEEDS}")
    jobs = jobs_of(scenario, args.remedies)
    rows = _measured(jobs, args) if args.run else {}
    answers = {name: _answer(name, found) for name, found in rows.items()}
    every = [row for found in rows.values() for row in found]
    whole = _json(scenario, jobs, rows, answers, command).encode()
    write_all({path: tables(every)[0] if path.suffix == ".csv" else whole for path in targets},
        overwrite=args.overwrite)
    if args.json:
        streams.say(_json(scenario, jobs, rows, answers, command), end="")
    else:
        streams.say(_text(scenario, jobs, rows, answers))

def jobs_of(scenario: Scenario, remedies: str | None) -> dict[str, Job]:
    """A job for each remedy that is asked for, else one for the scenario's own."""
    if not remedies:
        return {"own": job_of(scenario)}
    return {name: job_of(changed(scenario, remedy=named(name, scenario.remedy)), name)
        for name in listed(remedies, scenario)}

def _targets(args: argparse.Namespace) -> list[Path]:
    paths = [Path(path) for path in args.out]
    for path in paths:
        if path.suffix not in (".csv", ".json"):
            raise KrcsimError(f"--out is {str(path)!r}; allowed: a name ending in .csv or .json")
        if path.suffix == ".csv" and not args.run:
            raise KrcsimError("--out of a .csv needs rows that were measured; add --run")
        if is_there(path) and not args.overwrite:
            raise KrcsimError(f"{path} exists already; choose another name or add --overwrite")
        if not path.parent.is_dir():
            raise KrcsimError(f"{path.parent} is not a folder; make it, or choose another")
    return paths

def _measured(jobs: dict[str, Job], args: argparse.Namespace) -> dict[str, list[Row]]:
    tasks = [Task(checked(job).line(seed), job.boot) for job in jobs.values() for seed in range(1, args.seeds + 1)]
    say = (lambda _: None) if args.quiet else (lambda text: streams.note(f"{text}\n"))
    rows = [flat(row) for row in measure(ready(None, say), tasks, say)]
    return {name: rows[n * args.seeds:(n + 1) * args.seeds] for n, name in enumerate(jobs)}

def _answer(name: str, rows: Sequence[Row]) -> Any:
    """The model's answer beside the measured rows; None where this installation cannot give one."""
    try:
        recorded = importlib.import_module("krcsim_kernel.recorded")
        score = importlib.import_module("krcsim_kernel.score")
    except ModuleNotFoundError:
        return None
    return score.compare(recorded.condition_of(name, rows), REPLICATIONS)

def _text(scenario: Scenario, jobs: dict[str, Job], rows: dict[str, list[Row]], answers: dict[str, Any]) -> str:
    out: list[str] = []
    for name, job in jobs.items():
        more = " ".join([f"--cpus {job.boot.cpus}"] * (job.boot.cpus > 1) + [f"--append {job.boot.append}"] * bool(
            job.boot.append) + [f"--mib {job.boot.mib}"] * (job.boot.mib != 512))
        out += [f"harness line ({name}){', booted with ' + more if more else ''}:", f"  {job.line()}", ""]
    rcuscale, missing = rcuscale_of(scenario)
    first = next(iter(jobs.values()))
    gaps = dict.fromkeys(gap for job in jobs.values() for gap in job.gaps) if first.gaps else {}
    out += ["what the harness cannot express:", *(f"  {'(!) ' * gap.stops}{gap.words()}" for gap in gaps)]
    out += ["  nothing"] * (not gaps)
    out += ["", "nearest rcuscale line:", f"  {rcuscale}", "what it does not express:"]
    out += [f"  {gap.words()}" for gap in missing]
    for name, found in rows.items():
        out += ["", _measured_words(name, found, answers[name])]
    return "\n".join(out)

def _measured_words(name: str, rows: Sequence[Row], answer: Any) -> str:
    calls, waits = sum(row["calls"] for row in rows), sum(row["sync"] for row in rows)
    share = sum(row["blocked_frac"] for row in rows) / len(rows)
    lines = [f"{name}: {waits} waits in {calls} calls of {len(rows)} runs on Linux {rows[0]['release']}"]
    if answer is None:
        return "\n".join([*lines, f"  P(wait) {waits / calls if calls else 0:.4g}, blocked {share:.4g}; no model to "
            "compare"])
    for what, a in (("P(wait)", answer.p_wait), ("blocked", answer.blocked)):
        verdict = "inside" if a.inside else "OUTSIDE"
        lines.append(f"  {what} measured {a.measured:.4g}, model {a.predicted:.4g} [{a.low:.4g}, {a.high:.4g}]: "
            f"{verdict}")
    return "\n".join(lines)

def _json(scenario: Scenario, jobs: dict[str, Job], rows: dict[str, list[Row]], answers: dict[str, Any],
        command: str) -> str:
    def lists(gaps: Sequence[Any]) -> list[dict[str, Any]]:
        return [dict(field=g.field, value=str(g.value), reason=g.reason, stops=g.stops) for g in gaps]

    rcuscale, missing = rcuscale_of(scenario)
    compared = {name: {what: dict(measured=a.measured, predicted=a.predicted, low=a.low, high=a.high, inside=a.inside)
        for what, a in (("p_wait", answer.p_wait), ("blocked", answer.blocked))}
        for name, answer in answers.items() if answer is not None}
    body = dict(command=command, rcuscale=dict(line=rcuscale, cannot_express=lists(missing)),
        harness={name: dict(line=job.line(), cpus=job.boot.cpus, mib=job.boot.mib, append=job.boot.append,
            cannot_express=lists(job.gaps)) for name, job in jobs.items()}, rows=rows, compared=compared)
    return json.dumps(body, indent=1, default=bool) + "\n"
