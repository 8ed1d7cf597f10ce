# SPDX-License-Identifier: GPL-2.0-only
"""What was measured when and on which machine: benchmarks/history.csv, so that a slow creep
shows.
"""

from __future__ import annotations

import csv
import datetime
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from functools import cache
from pathlib import Path

import numba

import krcsim

ROOT = Path(__file__).parent.parent
HISTORY = Path(__file__).parent / "history.csv"


@dataclass(frozen=True)
class Measured:
    """A quantity, its value, and what else there is to say about it."""

    name: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A line of the history; commit ends in + where the sources differed from it."""

    date: str
    version: str
    commit: str
    cpu: str
    cores: int
    python: str
    numba: str
    name: str
    value: float
    unit: str

    def here(self) -> bool:
        """Whether it was measured on a machine like this one."""
        return (self.cpu, self.cores) == (cpu_model(), os.cpu_count())


def cpu_model() -> str:
    """The CPU, as the kernel calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")]
    return names[0] if names else platform.machine()


def git(*words: str) -> str:
    """What git says of this repository; nothing where there is none."""
    try:
        out = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return ""
    return out.stdout.strip() if out.returncode == 0 else ""


@cache
def commit() -> str:
    """The short hash of the sources."""
    sources = git(
        "status", "--porcelain", "--", "krcsim", "studies", "benchmarks/*.py", "benchmarks/*.toml"
    )
    return git("rev-parse", "--short", "HEAD") + "+" * bool(sources)


def row(m: Measured) -> Row:
    """A measurement of now and here; four digits are more than a shared machine can repeat."""
    return Row(
        datetime.date.today().isoformat(),
        krcsim.__version__,
        commit(),
        cpu_model(),
        os.cpu_count() or 1,
        platform.python_version(),
        numba.__version__,
        m.name,
        float(f"{m.value:.4g}"),
        m.unit,
    )


def read(path: Path = HISTORY) -> list[Row]:
    """All rows, oldest first."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as lines:
        return [
            Row(**x | {"cores": int(x["cores"]), "value": float(x["value"])})
            for x in csv.DictReader(lines)
        ]


def append(rows: Iterable[Row], path: Path = HISTORY) -> None:
    """Add rows at the end; a new file gets its head."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        if new:
            table.writerow(f.name for f in fields(Row))
        table.writerows(astuple(r) for r in rows)


def change(m: Measured, rows: Iterable[Row]) -> str:
    """The change against the last row of the same quantity on a machine like this one, in words."""
    past = [r for r in rows if (r.name, r.unit) == (m.name, m.unit) and r.here()]
    if not past:
        return ""
    last = past[-1]
    by = f"{m.value / last.value - 1:+.0%}" if last.value else f"was {last.value:g}"
    return f"{by} since {last.date} ({last.commit or last.version})"


def line(m: Measured, rows: Iterable[Row]) -> str:
    """A measurement as it is printed."""
    words = "; ".join(x for x in (m.note, change(m, rows)) if x)
    return f"{m.name:44} {m.value:10.4g} {m.unit:14} {words}".rstrip()
