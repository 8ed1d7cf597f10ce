# SPDX-License-Identifier: GPL-2.0-only
"""The model against a running kernel: every recorded condition with injected failures, scored.

    python -m validation.kernel_runs [--out FOLDER] [--replications N] [--ablation] [--headline]

Constants were fitted on data/kernel-runs and read off instrumented runs; data/kernel-6.1 only
confirms or contradicts. --ablation says what each physical detail buys; --headline writes the
sentence of the README again. The READMEs of both folders say what the recordings are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from krcsim.base.errors import KrcsimError
from krcsim.guest.picture import draw
from krcsim.guest.recordings import Condition, read_conditions
from krcsim.guest.score import (
    ENOUGH_WAITS,
    REPLICATIONS,
    Change,
    Comparison,
    compare_all,
    misses,
    of_each,
    score,
    simulate,
    table,
)
from krcsim.model.grace_period import GracePeriod
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import data_folder
from validation import headline

FITTED = ("main", "pool")  # in data/kernel-runs
CONFIRMED = (
    "rates",
    "remedies",
    "loops",
    "kinds",
    "pools",
    "pairs",
)  # in data/kernel-6.1, as the next two
READERS, CPUS = ("longgp",), ("smp", "thread", "again")
BEHIND = (
    "late",
    "busygp",
)  # callers that fall behind their schedule; seen while the rules for them were chosen


def conditions(sets: Sequence[str]) -> list[Condition]:
    """The conditions of some sets, without open loops that ran out of waiting threads."""
    found = [c for name in sets for c in read_conditions(name, folder_of(name))]
    return [c for c in found if not c.overflowed]


def folder_of(name: str) -> Path:
    """Where a set lies."""
    return data_folder() / ("kernel-runs" if name in FITTED else "kernel-6.1")


def _costs(**instructions: Any) -> Change:
    def change(s: Scenario) -> Scenario:
        costs = {f"{k}_instructions": v for k, v in instructions.items()}
        return replace(s, workload=replace(s.workload, **costs))

    return change


def _grace(**fields: Any) -> Change:
    return lambda s: replace(s, grace_period=GracePeriod(**fields))


def _loop(loop: str) -> Change:
    return lambda s: replace(s, workload=replace(s.workload, loop=loop))


_NONE: dict[str, Any] = dict(list=0, slab=0, list_free=0, wake=0)
_UNIT = (np.arange(200) + 0.5) / 200
ABLATIONS: dict[str, Change | None] = {
    "all rules": None,
    "no wake-ups": _costs(wake=0),
    "one cost of a call, one of a free": _costs(call=690, free=190, **_NONE),
    "calls and frees cost no CPU time": _costs(call=0, free=0, **_NONE),
    "drain a jiffy earlier": lambda s: replace(
        s, remedy=replace(s.remedy, drain_jiffies=s.drain_jiffies - 1)
    ),
    "grace period 12 ms, no ticks": _grace(kind="fixed", mean_ms=12.0),
    "grace period uniform 8 to 12 ms": _grace(
        kind="empirical", lengths_ms=tuple(8.0 + 4.0 * _UNIT)
    ),
    "grace period exponential, 11.5 ms": _grace(
        kind="empirical", lengths_ms=tuple(-11.5 * np.log(_UNIT))
    ),
    "catch-up instead of closed loop": _loop("catchup"),
    "a wait does not block the caller": _loop("open"),
}


def ablation(found: Sequence[Condition], replications: int) -> str:
    """What each detail buys: shares of non-trivial conditions inside, and the bias, P(wait) /
    blocked, in rows.
    """
    lines = [f"{'model':36} {'inside, %':>14} {'bias in waits and time, %':>28}"]
    # The same conditions for all: those of the whole model. A model that never waits would have few
    # of its own.
    whole = [not c.trivial for c in compare_all(found, replications)]
    kept = [c for c, wanted in zip(found, whole, strict=True) if wanted]
    for name, change in ABLATIONS.items():
        compared = compare_all(kept, replications, change)
        inside = [100 * sum(c.answers[i].inside for c in compared) / len(compared) for i in (0, 1)]
        bias = [f"{100 * x:+.1f}" for x in score(compared).bias]
        lines.append(f"{name:36} {inside[0]:6.1f} / {inside[1]:5.1f} {' / '.join(bias):>28}")
    return "\n".join(lines)


def early(compared: Sequence[Comparison]) -> str:
    """Objects freed before their grace period: measured and predicted, a run, where either saw
    many.
    """
    rows = [f"{'freed early, objects a run':40} {'kernel':>8} {'model':>8}"]
    for condition in (c.condition for c in compared):
        n = len(condition.runs)
        kernel = sum(run.of("early_objs") for run in condition.runs) / n
        model = float(of_each(simulate(condition, 20), "early_frees").mean())
        if max(kernel, model) >= 20:
            rows.append(f"{condition.label:40} {kernel:8.0f} {model:8.0f}")
    return "\n".join(rows)


def factors(compared: Sequence[Comparison]) -> str:
    """P(wait) of the model over the kernel's, in rows, where at least 100 waits were measured."""
    rows = [f"{'condition, CPUs':48} {'waits':>7} {'kernel':>8} {'model':>8} {'ratio':>6}"]
    for c in compared:
        if c.condition.waits >= ENOUGH_WAITS:
            name = f"{c.condition.label}, {c.condition.given['cpus']:g}"
            p = c.p_wait
            rows.append(
                f"{name:48} {c.condition.waits:7} {p.measured:8.4f} {p.predicted:8.4f} "
                f"{1 + p.error:6.2f}"
            )
    return "\n".join(rows)


def main(argv: Iterable[str] | None = None) -> int:
    """Compare, print the tables, draw the picture; 0 unless the recordings cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m validation.kernel_runs", description=__doc__)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="draw kernel_runs.png there")
    parser.add_argument(
        "--ablation", action="store_true", help="also: what each physical detail buys"
    )
    parser.add_argument(
        "--replications",
        type=int,
        default=REPLICATIONS,
        metavar="N",
        help=f"of each condition (default {REPLICATIONS})",
    )
    parser.add_argument(
        "--headline", action="store_true", help="also: write the headline of the documents again"
    )
    options = parser.parse_args(None if argv is None else list(argv))
    if options.replications < 1:
        parser.error(f"--replications is {options.replications}; allowed: 1 or more")
    if options.headline and options.replications != REPLICATIONS:
        parser.error(
            f"--headline is made with --replications {REPLICATIONS}; leave that option out"
        )
    try:
        groups = [conditions(sets) for sets in (FITTED, CONFIRMED, READERS, CPUS, BEHIND)]
    except KrcsimError as exc:
        print(exc, file=sys.stderr)
        return 1
    fitted, confirmed, readers, cpus, behind = (
        compare_all(group, options.replications) for group in groups
    )
    print(
        "Agreement on P(wait) / on the blocked fraction; data/kernel-runs/README.md has the rules."
    )
    for title, compared in (
        ("Fitted on", fitted),
        ("Not fitted on", confirmed),
        ("Long readers, rules read off traces", readers),
        ("Callers that fall behind", behind),
    ):
        print(f"\n{title}:\n{table(compared)}")
        print("Families with misses: P(wait) / blocked, of so many non-trivial; the worst of each.")
        print(misses(compared))
    print(
        f"\n{early(readers)}\n\nSeveral CPUs in real time, grace periods and timers as the runs "
        "saw them:"
    )
    print(f"{factors(cpus)}\n\n{early(cpus)}")
    found = headline.counts(fitted, confirmed, readers, cpus)
    print(f"\n{headline.sentence(found)}")
    if options.headline:
        headline.write(found)
    if options.ablation:
        print(
            "\nWhat each detail buys, on main and "
            f"pool:\n{ablation(groups[0], max(20, options.replications // 4))}"
        )
    if options.out:
        draw(fitted, options.out / "kernel_runs.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
