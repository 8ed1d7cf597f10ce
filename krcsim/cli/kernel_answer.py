# SPDX-License-Identifier: GPL-2.0-only
"""What `krcsim kernel` answers: lines for the harness, what they cannot express, and what was
measured compared with the model; as text, or as JSON.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from krcsim.guest.boot import Row
from krcsim.guest.job import Job, rcuscale_of
from krcsim.model.scenario import Scenario


def text_of(
    scenario: Scenario,
    jobs: Mapping[str, Job],
    rows: Mapping[str, Sequence[Row]],
    answers: Mapping[str, Any],
    way_out: str,
) -> str:
    """The answer as text; `way_out`: what to add to the command so that it can be measured."""
    lines: list[str] = []
    for name, job in jobs.items():
        lines += [f"harness line ({_label(name)}){_booted_with(job)}:", f"  {job.line()}", ""]

    rcuscale, missing = rcuscale_of(scenario)
    first = next(iter(jobs.values()))
    gaps = dict.fromkeys(gap for job in jobs.values() for gap in job.gaps) if first.gaps else {}

    lines.append("what the harness cannot express:")
    lines += [f"  {'(!) ' * gap.stops}{gap.words()}" for gap in gaps] or ["  nothing"]
    if way_out:
        lines += ["what is marked (!) stops --run; to measure the rest, add:", f"  {way_out}"]

    lines += ["", "nearest rcuscale line:", f"  {rcuscale}", "what it does not express:"]
    lines += [f"  {gap.words()}" for gap in missing]

    for name, found in rows.items():
        lines += ["", measured_words(name, found, answers[name])]
    return "\n".join(lines)


def _label(name: str) -> str:
    """How a remedy is called in a text."""
    return "your setting" if name == "own" else name


def _booted_with(job: Job) -> str:
    options: list[str] = []
    if job.boot.cpus > 1:
        options.append(f"--cpus {job.boot.cpus}")
    if job.boot.append:
        options.append(f"--append {job.boot.append}")
    if job.boot.mib != 512:
        options.append(f"--mib {job.boot.mib}")
    return f", booted with {' '.join(options)}" if options else ""


def measured_words(name: str, rows: Sequence[Row], answer: Any) -> str:
    """What was measured with a remedy, compared with the model's answer, which may be None."""
    calls = sum(row["calls"] for row in rows)
    waits = sum(row["sync"] for row in rows)
    release = rows[0]["release"]
    lines = [
        f"{_label(name)}: {waits} waits in {calls} calls of {len(rows)} runs on Linux {release}"
    ]

    if answer is None:
        share = sum(row["blocked_frac"] for row in rows) / len(rows)
        p_wait = waits / calls if calls else 0
        lines.append(f"  P(wait) {p_wait:.4g}, blocked {share:.4g}; no model to compare")
        return "\n".join(lines)

    for what, one in (("P(wait)", answer.p_wait), ("blocked", answer.blocked)):
        lines.append(
            f"  {what} measured {one.measured:.4g}, model {one.predicted:.4g} [{one.low:.4g}, "
            f"{one.high:.4g}]: {_verdict(one.inside, waits, answer)}"
        )
    return "\n".join([*lines, *(f"  {line}" for line in _real_time(rows))])


def _verdict(is_inside: bool, waits: int, answer: Any) -> str:
    if answer.trivial:
        return "no wait on either side, which says nothing of the model"
    if not is_inside:
        return "OUTSIDE"
    if waits:
        return "inside"
    return f"inside, but no wait was measured (the model expects {answer.model_waits:.2g})"


def _real_time(rows: Sequence[Row]) -> list[str]:
    """What to know of a measurement whose clock is that of the host; nothing where instructions are
    counted.
    """
    from krcsim.guest import recorded_scenario, recordings

    first = rows[0]
    if first.get("timing") != "realtime":
        return []

    lines = [
        f"Real time on {first['cpus']} CPU{'s' * (first['cpus'] > 1)}: the load of this host "
        "matters, and the counts do not repeat."
    ]

    late = [row["montimer_p99_us"] / 1000 for row in rows if "montimer_p99_us" in row]
    if late:
        due = (first["drain_jiffies"] + 1) * 1000 / first["hz"]
        lines.append(
            f"How much: a timer of the drain that is due within {due:g} ms took up to "
            f"{max(late):.3g} ms (the 99th percentile of the worst run)."
        )

    lengths = recorded_scenario.grace_lengths_ms(recordings.condition_of("own", rows))
    if lengths:
        mean = sum(lengths) / len(lengths)
        lines.append(
            f"The model took the grace periods that each run saw itself ({mean:.3g} ms on average) "
            "and timers as late as its own were; by default it has others."
        )
    return lines


def json_of(
    scenario: Scenario,
    jobs: Mapping[str, Job],
    rows: Mapping[str, Sequence[Row]],
    answers: Mapping[str, Any],
    way_out: str,
    command: str,
) -> str:
    """The answer as JSON."""
    rcuscale, missing = rcuscale_of(scenario)
    harness = {
        name: dict(
            line=job.line(),
            cpus=job.boot.cpus,
            mib=job.boot.mib,
            append=job.boot.append,
            cannot_express=_gaps(job.gaps),
        )
        for name, job in jobs.items()
    }
    body = dict(
        command=command,
        rcuscale=dict(line=rcuscale, cannot_express=_gaps(missing)),
        harness=harness,
        rows=rows,
        compared={
            name: _compared(answer) for name, answer in answers.items() if answer is not None
        },
        real_time={name: _real_time(found) for name, found in rows.items()},
        to_run=way_out,
    )
    return json.dumps(body, indent=1, default=bool) + "\n"


def _gaps(gaps: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        dict(field=gap.field, value=str(gap.value), reason=gap.reason, stops=gap.stops)
        for gap in gaps
    ]


def _compared(answer: Any) -> dict[str, dict[str, Any]]:
    return {
        what: dict(
            measured=one.measured,
            predicted=one.predicted,
            low=one.low,
            high=one.high,
            inside=one.inside,
            trivial=answer.trivial,
        )
        for what, one in (("p_wait", answer.p_wait), ("blocked", answer.blocked))
    }
