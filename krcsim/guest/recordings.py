# SPDX-License-Identifier: GPL-2.0-only
"""Runs recorded in the guest, read condition by condition.

The columns are those of the harness: docs/kernel.md and the README next to each recording say what
they mean. krcsim.guest.recorded_scenario makes a scenario of a condition.
"""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from krcsim.base import cells
from krcsim.base.errors import KrcsimError, shown
from krcsim.base.reading import read_json, read_text
from krcsim.guest.parameters import LIMITS, PARAMETERS
from krcsim.model.scenario_file import data_folder

Value = str | int | float  # of a cell: text in a CSV, a number in what a guest says
LABELS = ("set", "rate", "pattern", "p_page", "p_obj", "variant")  # what a condition is called
MOST_EPISODES = 100_000  # in one run
MOST_MB = 100  # of a recording

_COUNTS = ("seed", "calls", "sync", "sync_ns")  # whole, in a CSV as in what a guest says


@dataclass(frozen=True)
class RecordedRun:
    """One measured run: its seed, what was counted, and all its columns."""

    seed: int
    calls: int
    waits: int
    wait_ns: int  # all waits together
    columns: Mapping[str, Value]

    def of(self, column: str) -> float:
        """A column as a number, 0 where it is empty or missing.

        Raises KrcsimError for what is no number.
        """
        if self.columns.get(column) in ("", None):
            return 0.0
        return float(_number("row", self.columns, column, (-1e300, 1e300)))


@dataclass(frozen=True)
class Condition:
    """What is the same in the runs of a condition, and the runs, one a seed."""

    labels: Mapping[str, str]
    given: Mapping[str, float]  # parameters of the module, see PARAMETERS
    runs: tuple[RecordedRun, ...]

    @property
    def name(self) -> str:
        """The set it belongs to."""
        return self.labels["set"]

    @property
    def rate(self) -> str:
        """The name of its load."""
        return self.labels["rate"]

    @property
    def label(self) -> str:
        """The condition in two words: set/load/pattern/failures, and the remedy."""
        return "/".join(self.labels[key] for key in LABELS[:5]) + " " + self.labels["variant"]

    @property
    def family(self) -> str:
        """Its set, load and pattern: conditions of a family share random draws.

        So they are off together where they are.
        """
        return "/".join(self.labels[key] for key in LABELS[:3])

    @property
    def failure(self) -> tuple[float, float]:
        """Injected probabilities under pressure that a page, and that an rcu_head, is refused."""
        page = self.labels["p_page"]
        head = self.labels["p_obj"]
        return (0.0, 0.0) if "-" in (page, head) else (float(page), float(head))

    @property
    def random(self) -> bool:
        """Whether anything is drawn: with certain failures and fixed gaps nothing is random."""
        drawn = (
            "arrival",
            "ch1_pct",
            "vmalloc_pct",
            "double_pct",
            "foreign_pct",
            "reader_ms",
            "hog",
        )
        failures_are_certain = set(self.failure) <= {0.0, 1.0}
        one_cpu = self.given["cpus"] <= 1
        return not (failures_are_certain and one_cpu) or any(self.given[name] for name in drawn)

    @property
    def overflowed(self) -> bool:
        """Whether an open loop ran out of waiting threads.

        Then it was no open loop, and says nothing of the model.
        """
        return any(run.of("waiter_full") for run in self.runs)

    @property
    def real_time(self) -> bool:
        """Whether the guest's clock was that of its host, so that the load of the host mattered."""
        return any(run.columns.get("timing") == "realtime" for run in self.runs)

    @property
    def threads(self) -> int:
        """The producers on all CPUs: one a CPU unless given."""
        return int(self.given["threads"] or self.given["cpus"])

    @property
    def threads_per_cpu(self) -> int:
        """The producers of each CPU; raises KrcsimError where CPUs have different numbers."""
        cpus = self.given["cpus"]
        each, left_over = divmod(self.threads, max(1, int(cpus)))
        if left_over or each < 1:
            raise KrcsimError(
                f"recording {self.name} has threads = {self.threads} on {cpus:g} CPUs; the model "
                "has as many callers on each CPU: measure with a multiple of the CPUs"
            )
        return each

    @property
    def dur_ms(self) -> float:
        """The length of a run."""
        return self.given["dur_ms"]

    @property
    def waits(self) -> int:
        """Measured waits of all seeds."""
        return sum(run.waits for run in self.runs)

    @property
    def each(self) -> tuple[list[float], list[float]]:
        """P(wait) and the blocked fraction, seed by seed."""
        time_ms = self.dur_ms * self.threads
        p_wait = [run.waits / max(1, run.calls) for run in self.runs]
        blocked = [run.wait_ns * 1e-6 / time_ms for run in self.runs]
        return p_wait, blocked

    @property
    def measured(self) -> tuple[float, float]:
        """P(wait) and the blocked fraction of all seeds together."""
        calls = sum(run.calls for run in self.runs)
        return self.waits / max(1, calls), sum(self.each[1]) / len(self.runs)


def condition_of(name: str, rows: Sequence[Mapping[str, Value]]) -> Condition:
    """The condition of which some rows are runs, one a seed.

    Raises KrcsimError for what the harness did not write.
    """
    if not rows:
        raise KrcsimError(f"recording {name} holds no run; give a CSV that the harness wrote")

    first = rows[0]
    labels = _labels_of(name, first)
    given = {
        column: float(_number(name, first, column, LIMITS[column]))
        if first.get(column, "") != ""
        else usual
        for column, usual in PARAMETERS.items()
    }

    period_ms = given["on_ms"] + given["off_ms"]
    if given["on_ms"] > 0 and given["dur_ms"] / period_ms > MOST_EPISODES:
        raise KrcsimError(
            f"recording {name} has more than {MOST_EPISODES:,} episodes of pressure in a run "
            f"(on_ms = {given['on_ms']:g}, off_ms = {given['off_ms']:g}); give a CSV that the "
            "harness wrote"
        )

    return Condition(labels, given, tuple(_run_of(name, row) for row in rows))


def _labels_of(name: str, row: Mapping[str, Value]) -> dict[str, str]:
    labels = {key: str(row.get(key, "-")) for key in LABELS} | {"set": name}

    if "p_page" not in row and "p_page_ppm" in row:
        for key in ("p_page", "p_obj"):
            labels[key] = f"{_number(name, row, f'{key}_ppm', (0, 1e6)) / 1e6:g}"

    for key in ("p_page", "p_obj"):
        if labels[key] != "-":
            _number(name, labels, key, (0, 1))
    return labels


def _run_of(name: str, row: Mapping[str, Value]) -> RecordedRun:
    seed, calls, waits, wait_ns = (int(_number(name, row, key, (0, 1 << 63))) for key in _COUNTS)

    if waits > calls or (waits > 0) != (wait_ns > 0):
        raise KrcsimError(
            f"recording {name} has a run of {calls} calls with {waits} waits of {wait_ns} ns in "
            "all; wanted: no more waits than calls, and each takes time; give a CSV that the "
            "harness wrote"
        )
    return RecordedRun(seed, calls, waits, wait_ns, row)


def _number(name: str, row: Mapping[str, Value], column: str, ends: tuple[float, float]) -> float:
    """A cell of a recording as a number between two ends.

    An integer stays one, so that a seed keeps all its digits. Parameters and counts must be whole.
    """
    cell = row.get(column)
    found: float | None = None
    for read in (int, float):
        if found is None and isinstance(cell, (str, int, float)):
            with contextlib.suppress(ValueError, OverflowError):
                found = read(cell) if isinstance(cell, str) else cell

    must_be_whole = column in PARAMETERS or column in _COUNTS
    kind = "whole number" if must_be_whole else "number"
    rule = cells.within(*ends, f"a {kind} from {ends[0]:g} to {ends[1]:g}")

    if found is None or not rule.fits(found) or (must_be_whole and found % 1):
        what = f"{column} = {shown(cell)}" if column in row else f"no column {column}"
        raise KrcsimError(
            f"recording {name} has {what}; wanted: {rule.words}; give a CSV that the harness wrote"
        )
    return found


def read_set(path: Path) -> list[Condition]:
    """The conditions of a recorded set in the order of its file; raises KrcsimError.

    The set is X.csv, and next to it X.const.json with the columns that are the same in all rows.
    """
    constants = _read_constants(path.with_suffix(".const.json"))
    rows = [constants | row for row in _read_rows(path)]

    groups: dict[tuple[str, ...], list[dict[str, Value]]] = {}
    for row in rows:
        key = tuple(str(row.get(column, "")) for column in (*LABELS, *PARAMETERS))
        groups.setdefault(key, []).append(row)

    return [condition_of(path.stem, group) for group in groups.values()]


_WHERE = "krcsim's own are in its data folder"


def _read_constants(path: Path) -> dict[str, Value]:
    if not path.exists():
        return {}

    constants = read_json(read_text(path, "recording", _WHERE), f"recording {path}")
    wrong = cells.wrong_in_table({}, constants)
    if not wrong:
        strange = (
            f"{name} is {shown(value)}"
            for name, value in constants.items()
            if not cells.VALUE.fits(value)
        )
        wrong = next(strange, "")
    if wrong:
        raise KrcsimError(f"recording {path} is not one of the harness: {wrong}; take it again")

    found: dict[str, Value] = constants
    return found


def _read_rows(path: Path) -> list[dict[str, Value]]:
    text = read_text(path, "recording", _WHERE, MOST_MB)
    try:
        rows = list(csv.DictReader(text.splitlines(keepends=True), strict=True))
    except csv.Error as exc:
        raise KrcsimError(f"recording {path} is no CSV ({exc}); take it again") from None

    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():  # too many cells, or too few
            raise KrcsimError(
                f"recording {path} was changed: row {number} has another number of cells than the "
                "head; take it again"
            )
    return [dict(row) for row in rows]


def read_conditions(name: str, folder: Path | None = None) -> list[Condition]:
    """A set of data/kernel-runs or of another folder."""
    return read_set((folder or data_folder() / "kernel-runs") / f"{name}.csv")
