# SPDX-License-Identifier: GPL-2.0-only
"""What is computed for a claim: its questions, answered, as rows of numbers."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from krcsim.claims.claim import Claim, Question, Value
from krcsim.claims.command import command_of
from krcsim.model.constants import PAGE_BYTES
from krcsim.model.memory import PAGES_PER_MIB
from krcsim.model.scenario import Scenario, as_dict, changed
from krcsim.results.estimate import NOTHING, Estimate, exact
from krcsim.results.quantities import QUANTITIES
from krcsim.runs.ladder import SEED, Stop
from krcsim.studies.reserves import with_reserve
from krcsim.studies.size import size
from krcsim.studies.sized import Sized, size_of
from krcsim.sweeps.grid import sweep

Report = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """A number: where (fields and values), in which window, of what, and how it was found."""

    at: dict[str, Value]
    window: str
    quantity: str
    estimate: Estimate
    method: str
    runs: int


@dataclass(frozen=True)
class Answer:
    """An answered question: its name, the command that shows it, a digest of what was asked."""

    question: str
    command: str
    digest: str
    rows: tuple[Row, ...]


def share_of_memory(scenario: Scenario) -> float:
    """The reserves of all CPUs when full, as a share of the machine's memory."""
    pages = scenario.bytes_at_full() * scenario.machine.cpus / PAGE_BYTES
    return pages / (scenario.memory.mib * PAGES_PER_MIB)


def high_mark_share(scenario: Scenario) -> float:
    """The free memory up to which kswapd works, as a share of the machine's memory."""
    return scenario.memory.marks().full / (scenario.memory.mib * PAGES_PER_MIB)


# What follows from a scenario without a run, next to QUANTITIES; by what a command shows.
DERIVED = {
    "share_of_memory": (share_of_memory, "bytes_at_full"),
    "high_mark_share": (high_mark_share, "p_wait"),
}
WORDS = {
    "share_of_memory": "reserves of all CPUs, share of memory",
    "high_mark_share": "high watermark, share of memory",
    "size": "smallest size per CPU that meets the target",
    "bytes_added": "bytes per CPU beyond what the plain code keeps",
}


def words_of_quantity(name: str) -> str:
    """A quantity in words."""
    return WORDS.get(name) or QUANTITIES[name].words


def quantities_of(claim: Claim, question: Question) -> tuple[str, ...]:
    """The quantities that the tests of a question need, and those that it shows."""
    tests = [t for t in claim.tests if not t.questions or question.name in t.questions]
    needed = [name for t in tests for name in (t.quantity, t.against_quantity) if name]
    return tuple(dict.fromkeys([*needed, *question.shows]))


def digest_of(claim: Claim, question: Question) -> str:
    """A digest of what a question asks: its scenario, its options and the seed.

    Of the scenario only what differs from the defaults counts, so that a new field whose default
    changes nothing leaves the digest as it is.
    """
    asked = json.dumps(
        [
            question.verb,
            question.over,
            question.options,
            quantities_of(claim, question),
            SEED,
        ]
    )
    differs = _differing(as_dict(question.scenario()), as_dict(Scenario()))
    text = f"{asked}\n{json.dumps(differs, sort_keys=True)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _differing(given: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """The values of nested dicts that are not the default ones."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys([*given, *default]):
        value, usual = given.get(name), default.get(name)
        if isinstance(value, dict) and isinstance(usual, dict):
            inner = _differing(value, usual)
            found |= {name: inner} if inner else {}
        elif value != usual:
            found[name] = value
    return found


def command_for(claim: Claim, question: Question) -> str:
    """The command that shows what a question of a claim finds."""
    shown = [
        DERIVED[name][1] if name in DERIVED else name for name in quantities_of(claim, question)
    ]
    return command_of(question, tuple(dict.fromkeys(shown)))


def answered(
    claim: Claim, report: Report | None = None, stop: Stop | None = None
) -> tuple[Answer, ...]:
    """All questions of a claim, answered now; raises KrcsimError for what cannot be asked.

    stop: set to 1 by another thread it ends the work, by an exception (Stopped).
    """
    answers = []
    for question in claim.questions:
        if report:
            report(f"{claim.number}: {question.words}")
        if question.verb == "sweep":
            rows = _sweep_rows(claim, question, stop)
        else:
            rows = _size_rows(question, stop)
        command = command_for(claim, question)
        answers.append(Answer(question.name, command, digest_of(claim, question), rows))
    return tuple(answers)


def _sweep_rows(claim: Claim, question: Question, stop: Stop | None) -> tuple[Row, ...]:
    """The rows of a grid."""
    scenario = question.scenario()
    result = sweep(scenario, question.over, **question.options, stop=stop)
    rows = []
    for point in result.points():
        at: dict[str, Value] = {
            name: value
            for name, value in zip(result.parameters, point, strict=True)
            if name in question.over and value is not None
        }
        for window in result.windows():
            for quantity in quantities_of(claim, question):
                if quantity in DERIVED:
                    value = DERIVED[quantity][0](changed(scenario, **at))
                    rows.append(Row(at, window, quantity, exact(value), "by construction", 0))
                    continue
                e = result.get(point, quantity, window)
                method = str(result.detail(point, quantity, window) or "")
                runs = int(str(result.detail(point, quantity, window, "replications") or 0))
                rows.append(Row(at, window, quantity, e, method, runs))
    return tuple(rows)


def _size_rows(question: Question, stop: Stop | None) -> tuple[Row, ...]:
    """The size that was found, and the bytes that it adds: from the smallest that may pass to the
    one that does.
    """
    found = size(question.scenario(), **question.options, stop=stop)
    smallest = found.smallest
    if smallest is None:
        return tuple(
            Row({}, found.window, name, NOTHING, "", found.max_runs)
            for name in ("size", "bytes_added")
        )

    least = size_of(found.of, found.largest) + 1 if found.largest else 0
    value = size_of(found.of, smallest)
    ends = (least, value), (_bytes_added(found, least), smallest.bytes_added)
    method, runs = smallest.finding.method, smallest.finding.replications
    return tuple(
        Row(
            {},
            found.window,
            name,
            Estimate(float(hi), float(lo), float(hi), "exact" if lo == hi else "interval"),
            method,
            runs,
        )
        for name, (lo, hi) in zip(("size", "bytes_added"), ends, strict=True)
    )


def _bytes_added(found: Sized, count: int) -> int:
    """The bytes that a reserve of so many adds."""
    objects, pages = (count, found.fixed) if found.of == "pool" else (found.fixed, count)
    return with_reserve(found.scenario, objects, pages, found.at_boot).bytes_added()
