# SPDX-License-Identifier: GPL-2.0-only
"""What was read, in words: a table of fields, what stays assumed, one field explained, a file."""

import json
import math
from typing import Any

from krcsim.model.calls import RecordedCalls
from krcsim.model.joint import Joint, joint_text
from krcsim.model.scenario import as_dict
from krcsim.model.scenario_file import toml_text
from krcsim.report.plain_text import wrap
from krcsim.trace.evidence import Evidence
from krcsim.trace.fit import Made
from krcsim.trace.predicted import Against
from krcsim.trace.value import ASSUMED, LIMIT, Value, shown

WIDTH = 100
MOST_SOURCES = 5


def summary(made: Made) -> str:
    """Everything that was made of the recordings, for a terminal."""
    lines = [*wrap(what_was_read(made.evidence), WIDTH), ""]
    for one in made.values.values():
        lines += wrap(one.evidence, WIDTH, f"{one.field} = {one.words()}: ", "    ")
    lines += [""] if made.values else []
    lines += [f"Assumed, as in {made.base}:"]
    for field, reason in made.assumed.items():
        if reason:
            value = shown(made.explained(field).value)
            lines += wrap(f"{field} = {value}: {reason}", WIDTH, "  ", "    ")
    lines += ["  all other fields", ""]
    for note in made.notes:
        lines += wrap(f"Note: {note}.", WIDTH)
    if checks := _own_behaviour(made.evidence):
        lines += wrap(checks, WIDTH)
    return "\n".join(map(_printable, lines)).rstrip() + "\n"


def what_was_read(evidence: Evidence) -> str:
    """How much was read and understood, in a sentence or two."""
    text = f"{evidence.lines:,} lines, which cover {evidence.seconds:.4g} s."
    if evidence.not_understood:
        examples = ", ".join(evidence.examples[:2])
        text += (
            f" {evidence.not_understood:,} of them were not understood, and nothing is made of "
            f"them; the first: {examples}."
        )
    if evidence.has_parts:
        text += f" Calls were counted in {evidence.parts_words}, since they come so often."
    if evidence.lost:
        text += f" The recording says that it lost {evidence.lost:,} events."
    return text


def _own_behaviour(evidence: Evidence) -> str:
    """What the code itself did, against which a prediction can be held."""
    seconds = evidence.seconds
    names = {"monitor": "drains", "work": "batches", "refill": "refills", "shrinker": "back-offs"}
    parts = [
        f"{evidence.counters[name] / seconds:.3g} {words} a second"
        for name, words in names.items()
        if evidence.counters.get(name) and seconds > 0
    ]
    if evidence.own_tries and seconds > 0:
        parts.append(f"{evidence.own_tries / seconds:.3g} page requests of its own a second")
    if own := evidence.counters.get("own_waits"):
        parts.append(f"{own:,} calls of kfree_rcu() waited")
    if len(evidence.waits_s):
        parts.append(
            f"{len(evidence.waits_s):,} synchronous waits, whoever waited, of "
            f"{evidence.waits_s.mean() * 1e3:.3g} ms on average"
        )
    blocks, pointers = evidence.block_pointers
    if blocks:
        parts.append(f"{pointers / blocks:.3g} pointers in a freed block")
    if any(evidence.sheaf_calls):
        refused, taken = evidence.sheaf_calls
        parts.append(f"sheaves took {taken:,} of {refused + taken:,} objects")
    if evidence.vmstat:
        stalls = sum(n for name, n in evidence.vmstat.items() if name.startswith("allocstall"))
        scanned = evidence.vmstat.get("pgscan_kswapd", 0)
        parts.append(f"allocstall rose by {stalls:,}, pgscan_kswapd by {scanned:,}")
    if splats := evidence.counters.get("splats"):
        parts.append(f"the log has {splats:,} failed allocations of others, of all it prints few")
    return f"What the kernel itself did meanwhile: {'; '.join(parts)}." if parts else ""


def explanation(made: Made, value: Value) -> str:
    """One field: value, interval, evidence, and the lines of the recording."""
    lines = [f"{value.field} = {value.words()}", *wrap(f"{value.evidence}.", WIDTH)]
    if value.kind == ASSUMED:
        lines.append(f"It stays as in {made.base}: an assumption.")
    if value.kind == LIMIT:
        lines.append("Nothing of the kind was seen: the value is the limit itself, and not 0.")
    lines += [source.words() for source in value.sources[:MOST_SOURCES]]
    if len(value.sources) > MOST_SOURCES:
        lines.append(f"and {len(value.sources) - MOST_SOURCES} more files")
    return "\n".join(map(_printable, lines)) + "\n"


def scenario_file(made: Made, command: str, joint: Joint | None = None) -> str:
    """The scenario as a TOML file, with what each field rests on as comments above it, and the
    draws of what the recordings do not know behind it.
    """
    title = [f"Made of recordings: {command}"]
    for one in made.values.values():
        title += wrap(f"{one.field} = {one.words()}: {one.evidence}", WIDTH - 2, "", "    ")
    title += wrap(f"All other fields are assumptions, as in {made.base}.", WIDTH - 2)
    if joint is not None and joint.varies:
        title += wrap(
            f"Behind the scenario stand {len(joint.draws)} draws of what the recordings do not "
            "know; krcsim compare and krcsim ask take them (--draws 0: the scenario alone).",
            WIDTH - 2,
        )
        return joint_text(joint, "\n".join(map(_printable, title)))
    return toml_text(made.scenario, "\n".join(map(_printable, title)))


def _printable(line: str) -> str:
    """A line that is safe as a comment, whatever a file or its name holds."""
    return "".join(c if c.isprintable() else "?" for c in line)


def json_of(made: Made, command: str, against: Against | None = None) -> str:
    """The same for machines, with the check of the scenario if it was asked for."""
    body: dict[str, Any] = {
        "format": "krcsim-recording-read/1",
        "command": command,
        "lines": made.evidence.lines,
        "not_understood": made.evidence.not_understood,
        "lost": made.evidence.lost,
        "seconds": made.evidence.seconds,
        "calls_seconds": made.evidence.calls_seconds,
        "base": made.base,
        "values": [_json_value(one) for one in made.values.values()],
        "assumed": {field: reason for field, reason in made.assumed.items() if reason},
        "notes": made.notes,
        "scenario": as_dict(made.scenario),
    }
    if against is not None:
        body["predicted_against_recorded"] = against.as_dict()
    return json.dumps(body, indent=1) + "\n"


def _json_value(value: Value) -> dict[str, Any]:
    ends: list[float | None] = [None, None]
    if value.limits is not None:
        ends = [end if math.isfinite(end) else None for end in value.limits]
    return {
        "field": value.field,
        "value": shown(value.value) if isinstance(value.value, RecordedCalls) else value.value,
        "unit": value.unit,
        "kind": value.kind,
        "lo": ends[0],
        "hi": ends[1],
        "evidence": value.evidence,
        "sources": [source.words() for source in value.sources],
    }
