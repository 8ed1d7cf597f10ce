# SPDX-License-Identifier: GPL-2.0-only
"""How often the limits that `ask` gives hold the truth, in worlds where that is known exactly or
from long plain runs.

`python -m validation.coverage_rare` prints the table; `--write` puts it into docs/methods.md;
`--seeds N` asks N times.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from krcsim.methods import rare
from krcsim.methods.exact import exact_p_wait
from krcsim.methods.finding import Finding, Question
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario
from krcsim.results.estimate import Estimate
from krcsim.results.result import number
from krcsim.runs.ladder import DEFAULT_RUNS, PRECISION
from krcsim.runs.replications import WINDOWS, replicate, warm_up
from krcsim.studies.reserves import with_reserve
from validation.cases import cases

EXACT = (
    "pool of 2",
    "pool of 4",
    "pool and pages in an episode",
    "pages, 6 of 4 entries",
    "pool of 3, three steps",
    "pool in episodes",
    "pool of 3, heads seldom fail",
    "pool of 3, half of the pages",
    "pages, 4 of 8 entries",
    "pool of 6",
    "pages, 8 of 4 entries",
)
STEPS = (8, 32, 128, DEFAULT_RUNS)
KINDS = ("interval", "rough", "bound")
FIRST_SEED = 5000
# events: a precision of 10 % takes less but in the rarest worlds; ask() has eight times as many
BUDGET = 2e7
LONG_RUNS, OTHER_SEED = 1 << 15, 31
STEADY = WINDOWS.index("steady")
DOCS = Path(__file__).parent.parent / "docs" / "methods.md"
BEGIN, END = "<!-- coverage_rare: begin -->", "<!-- coverage_rare: end -->"


@dataclass(frozen=True)
class Known:
    """A world and its truth; error: its relative standard error, 0 where it is exact."""

    name: str
    scenario: Scenario
    truth: float
    error: float = 0.0


@dataclass
class Cell:
    """What became of the answers of a kind: how many held the truth, were below or above it, and
    how wide they were.
    """

    held: int = 0
    low: int = 0
    high: int = 0
    open: int = 0
    widths: tuple[float, ...] = ()

    def add(self, e: Estimate, truth: float) -> None:
        """One more answer."""
        if e.hi is None:
            self.open += 1
            return
        lo = e.lo or 0.0
        self.held += lo <= truth <= e.hi
        self.low += truth > e.hi
        self.high += truth < lo
        self.widths += (e.hi / lo if lo > 0.0 else e.hi / truth,)

    def __add__(self, other: Cell) -> Cell:
        return Cell(
            self.held + other.held,
            self.low + other.low,
            self.high + other.high,
            self.open + other.open,
            self.widths + other.widths,
        )

    @property
    def count(self) -> int:
        """Answers with limits."""
        return self.held + self.low + self.high


def episodes(**more: Any) -> Scenario:
    """The thread as posted without C, in a world of few and long episodes."""
    return changed(load_scenario("thread-as-posted"), **({"remedy": "A1"} | more))


def known() -> list[Known]:
    """The worlds with exact answers, and two in which few runs meet what decides."""
    worlds = cases()
    found = [
        Known(name, worlds[name], exact_p_wait(worlds[name], "steady").value) for name in EXACT
    ]
    gap = episodes(
        **{
            "machine.cpus": 1,
            "workload.arrivals": "onoff",
            "workload.on_ms": 50.0,
            "workload.off_ms": 20_000.0,
        }
    )
    long = episodes(**{"allocator.episode_ms": 5000.0, "allocator.calm_ms": 60_000.0})
    for name, s in (
        ("pool of 10, few on periods", with_reserve(gap, 10, 0, "full")),
        ("long episodes", long),
    ):
        runs = replicate(s, OTHER_SEED, 0, LONG_RUNS)
        waits, calls = runs.of("waits", STEADY), runs.of("single", STEADY)
        truth = float(waits.sum() / calls.sum())
        error = float(np.std(waits - truth * calls)) * len(waits) ** 0.5 / float(waits.sum())
        found.append(Known(name, s, truth, error))
    return found


def answer(s: Scenario, seed: int, max_runs: int, budget: float) -> Finding:
    """As ask() answers where no chain fits: biased copies, splitting or plain runs, whichever costs
    less.
    """
    question = Question(
        scenario=s,
        quantity="p_wait",
        window=STEADY,
        budget=budget,
        seed=seed,
        precision=PRECISION,
        max_runs=max_runs,
        workers=1,
    )
    *_, found = rare.findings(question)
    return found


def study(
    worlds: list[Known], seeds: int, budget: float = BUDGET, max_runs: tuple[int, ...] = STEPS
) -> dict[tuple[str, int, str], Cell]:
    """By world, max_runs and kind."""
    table: dict[tuple[str, int, str], Cell] = {}
    for one in worlds:
        for runs in max_runs:
            for seed in range(FIRST_SEED, FIRST_SEED + seeds):
                e = answer(one.scenario, seed, runs, budget).estimate
                table.setdefault((one.name, runs, e.kind), Cell()).add(e, one.truth)
        sys.stderr.write(f"{one.name}: {words_of(pooled(table, name=one.name))}\n")
        sys.stderr.flush()
    return table


def pooled(table: dict[tuple[str, int, str], Cell], **wanted: Any) -> Cell:
    """All cells of a name, max_runs or kind together."""
    cells = [
        c
        for (name, runs, kind), c in table.items()
        if all(dict(name=name, runs=runs, kind=kind)[k] == v for k, v in wanted.items())
    ]
    return sum(cells, Cell())


def words_of(c: Cell) -> str:
    """A cell of the table: how many held, missed below and above, and the median width."""
    without = f", {c.open} without limits" if c.open else ""
    if not c.count:
        return without.removeprefix(", ") or "-"
    width = number(float(np.median(c.widths)))
    return (
        f"{100 * c.held / c.count:.1f} % of {c.count} ({c.low} low, {c.high} high; x "
        f"{width}){without}"
    )


def text(
    worlds: list[Known], table: dict[tuple[str, int, str], Cell], seeds: int, budget: float
) -> str:
    """The table in Markdown."""
    lines = [
        f"`python -m validation.coverage_rare --seeds {seeds} --write` made this table: {seeds} "
        "seeds a world and",
        f"`max_runs`, of at most {budget:g} events. In brackets: answers wholly below and above "
        "the truth, and",
        "the median of upper over lower limit.",
        "",
        "| max_runs | interval | rough | bound |",
        "|---|---|---|---|",
    ]
    for runs in dict.fromkeys(runs for _, runs, _ in table):
        name = f"{runs} (default)" if runs == DEFAULT_RUNS else str(runs)
        cells = (words_of(pooled(table, runs=runs, kind=kind)) for kind in KINDS)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines.append(f"| all | {' | '.join(words_of(pooled(table, kind=kind)) for kind in KINDS)} |")
    lines += ["", "| world | truth | interval | rough | bound |", "|---|---|---|---|---|"]
    for w in worlds:
        truth = number(w.truth) + (f" +- {100 * w.error:.1f} %" if w.error else "")
        cells = (words_of(pooled(table, name=w.name, kind=kind)) for kind in KINDS)
        lines.append(f"| {w.name} | {truth} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write(made: str) -> None:
    """Put the table into docs/methods.md, between its two marks."""
    before, _, rest = DOCS.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCS.write_text(f"{before}{BEGIN}\n{made}{END}{after}")


def main(argv: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40, help="how often each world is asked (40)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/methods.md")
    parser.add_argument(
        "--budget", type=float, default=BUDGET, help=f"events of an answer ({BUDGET:g})"
    )
    args = parser.parse_args(argv)
    warm_up()
    worlds = known()
    made = text(worlds, study(worlds, args.seeds, args.budget), args.seeds, args.budget)
    sys.stdout.write(made)
    if args.write:
        write(made)


if __name__ == "__main__":
    main()
