# SPDX-License-Identifier: GPL-2.0-only
"""What `krcsim kernel --kernel` answers: the line for newer kernels, what was measured in each, and
what the model predicts for it; as text, or as JSON.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from krcsim.base.tables import text_table
from krcsim.guest.job import Job
from krcsim.guest.mainline.measure import Measured
from krcsim.guest.mainline.predicted import Predicted
from krcsim.guest.mainline.rows import flat
from krcsim.guest.mainline.summary import LINES, NOT_THERE

_NO_ROW = "no row yet"

# Series in which a grace period ends at once where there is no other CPU.
ENDS_AT_ONCE = ("7.2", "7.3")

Predictions = Mapping[str, Mapping[str, Predicted]]


def text_of(
    job: Job,
    measured: Mapping[str, Measured],
    predicted: Predictions,
    sentences: Sequence[str],
    way_out: str,
) -> str:
    """The answer as text.

    `sentences`: why a kernel was not measured, or nothing is predicted for it; `way_out`: what to
    add to the command so that it can be measured.
    """
    lines = [f"harness line (the kernel's own kfree_rcu()){_booted_with(job)}:", f"  {job.line()}"]
    lines += ["", "what the guest cannot express:"]
    lines += [f"  {'(!) ' * gap.stops}{gap.words()}" for gap in job.gaps] or ["  nothing"]
    if way_out:
        lines += ["what is marked (!) stops --run; to measure the rest, add:", f"  {way_out}"]

    for one in measured.values():
        lines += ["", _heading(one)]
    if any(one.rows for one in measured.values()):
        lines += ["", *_table(measured, predicted)]

    notes = [*sentences, *_notes(measured)]
    if notes:
        lines += ["", *notes]
    return "\n".join(lines)


def _booted_with(job: Job) -> str:
    return f", booted with {job.boot.cpus} CPUs" if job.boot.cpus > 1 else ""


def _heading(one: Measured) -> str:
    """Which kernel, and how much of it was measured."""
    if not one.rows:
        return f"{one.origin.words()}: nothing was measured"

    first = one.rows[0]
    clock = "virtual time" if first["timing"] == "icount" else "real time"
    cpus = f"{first['cpus']} CPU{'s' * (first['cpus'] > 1)}"
    runs = f"{len(one.rows)} run{'s' * (len(one.rows) > 1)} of {first['dur_ms'] / 1000:g} s"
    cached = f"up to {first['nr_cached']} pages cached"
    return f"{one.origin.words()}: {runs} on {cpus}, {clock}, {cached}"


def _table(measured: Mapping[str, Measured], predicted: Predictions) -> list[str]:
    """A column for each kernel; what is predicted stands beside one, or below several."""
    is_alone = len(measured) == 1
    head = ["", *(f"Linux {name}" for name in measured)]
    if is_alone:
        head = ["", "measured", "predicted"]

    rows: list[list[str]] = []
    for line in LINES:
        cells = [line.cell(one.rows) for one in measured.values()]
        model = [_predicted(line.name, predicted.get(name, {})) for name in measured]
        if set(cells) == {NOT_THERE}:
            continue
        rows.append([line.words, *cells, *(model if is_alone else [])])
        if any(model) and not is_alone:
            rows.append(["  predicted", *model])
    return text_table(head, rows)


def _predicted(name: str, of_kernel: Mapping[str, Predicted]) -> str:
    """What the model says of a line of the table; "" for what it is not asked for."""
    if name not in ("p_wait", "blocked"):
        return ""
    if name not in of_kernel:
        return _NO_ROW
    one = of_kernel[name]
    return f"{one.value:.3g} [{one.low:.3g}, {one.high:.3g}]"


def _notes(measured: Mapping[str, Measured]) -> list[str]:
    """What to know of the numbers."""
    notes = [f"Linux {name}: {note}" for name, one in measured.items() for note in one.notes]
    every = [(one, row) for one in measured.values() for row in one.rows]
    rows = [row for _, row in every]
    if not rows:
        return notes

    if rows[0]["timing"] == "realtime":
        notes.append(
            "Real time: the load of this host matters, and the counts do not repeat. Each hit of a "
            "probe takes microseconds."
        )
    elif any(row["waits"] and one.origin.series in ENDS_AT_ONCE for one, row in every):
        notes.append(
            "One CPU is a special case for Linux 7.x: there a grace period ends at once on it. For "
            "how long calls wait, take --cpus 2."
        )
    if any(not row["waits"] for row in rows):
        notes.append(
            "Where no wait was seen, the bound holds with 99.9 % for calls that are independent of "
            "each other."
        )
    return notes


def json_of(
    job: Job,
    measured: Mapping[str, Measured],
    predicted: Predictions,
    sentences: Sequence[str],
    way_out: str,
    command: str,
) -> str:
    """The answer as JSON."""
    body = dict(
        command=command,
        harness=dict(
            line=job.line(),
            cpus=job.boot.cpus,
            mib=job.boot.mib,
            cannot_express=[
                dict(field=gap.field, value=str(gap.value), reason=gap.reason, stops=gap.stops)
                for gap in job.gaps
            ],
        ),
        kernels={
            name: dict(
                origin=asdict(one.origin),
                notes=one.notes,
                rows=flat(one),
                summary={line.name: line.cell(one.rows) for line in LINES},
                predicted={what: asdict(value) for what, value in predicted.get(name, {}).items()},
            )
            for name, one in measured.items()
        },
        sentences=list(sentences),
        to_run=way_out,
    )
    return json.dumps(body, indent=1, default=bool) + "\n"
