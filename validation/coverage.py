# SPDX-License-Identifier: GPL-2.0-only
"""Do intervals and bounds hold? Many seeds of many worlds, each answer held against what is true
there.

`python -m validation.coverage` prints the tables of docs/methods.md and `--write` puts them there;
`--worlds` and `--seeds` take a part. What is true: exact where it is known by construction, else
the answer of all seeds together, of which the seed in question is one in some hundreds.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from krcsim.model.remedy import named
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario
from krcsim.results.estimate import Estimate, difference
from krcsim.results.quantities import QUANTITIES, answers
from krcsim.runs.ladder import extend
from krcsim.runs.replications import WINDOWS, Replications

COUNTS = (8, 16, 64, 256)
SEEDS = 400
FIRST_SEED = 1000
DOCUMENT = Path(__file__).parent.parent / "docs" / "methods.md"
ASKED = tuple(name for name, quantity in QUANTITIES.items() if not name.startswith("bytes_"))


def world(preset: str, remedy: str = "own", **fields: object) -> Scenario:
    """A preset with another remedy and other values; `section__field` names a field of a
    section.
    """
    scenario = load_scenario(preset)
    scenario = changed(scenario, remedy=named(remedy, scenario.remedy))
    return changed(scenario, **{name.replace("__", "."): value for name, value in fields.items()})


def thread(remedy: str = "A1", **fields: object) -> Scenario:
    """The thread's machine over five seconds, the first of them boot."""
    return world(
        "thread-as-posted", remedy, **{"warmup_ms": 1000.0, "horizon_ms": 5000.0, **fields}
    )


def few_calls() -> Scenario:
    """One call in 50 s on each of 4 CPUs, without pages.

    A call waits if and only if it comes in an episode (a fifth of the time) and its rcu_head fails
    (three in a thousand).
    """
    failing = dict(page=0.95, head=0.3, head_atomic=0.003, head_high=0.2, head_reclaim=0.05)
    scenario = world(
        "thread-as-posted",
        "A0",
        remedy__array_path=False,
        remedy__nr_bkv_objs=0,
        workload__rate_hz=0.02,
        allocator__start="stationary",
    )
    return changed(
        scenario, **{f"allocator.episode.{name}": value for name, value in failing.items()}
    )


def worlds() -> dict[str, Scenario]:
    """What answers are tried in: every preset, and what makes waits few, long, clustered or
    uneven.
    """
    return {
        "thread-as-posted": thread("own"),
        "thread-as-discussed": world("thread-as-discussed", warmup_ms=1000.0, horizon_ms=5000.0),
        "phone": world("phone", horizon_ms=8000.0),
        "server, 16 CPUs": world("server-128", machine__cpus=16),
        "small-world": world("small-world"),
        "exhausted-guest": world("exhausted-guest"),
        "emergency pool": thread("B"),
        "few calls": few_calls(),
        "seldom a call": thread(workload__rate_hz=0.5),
        "one long episode": thread(allocator__episode_ms=5000.0, allocator__calm_ms=60000.0),
        "seldom on": thread(
            machine__cpus=1,
            workload__arrivals="onoff",
            workload__on_ms=50.0,
            workload__off_ms=20000.0,
            warmup_ms=2000.0,
            horizon_ms=12000.0,
        ),
        "long grace periods": thread(grace_period__reader_ms=60.0, grace_period__reader_gap_ms=5.0),
        "bursts": thread(
            workload__arrivals="bursts", workload__burst=50, workload__gap="exponential"
        ),
        "timer": thread("A0", workload__arrivals="periodic"),
        "closed loop": thread(
            "A0", workload__loop="closed", workload__producers=2, workload__rate_hz=200.0
        ),
        "heavy stalls": thread(allocator__stall_sigma=2.5, allocator__stall_ms=2.0),
        "expedited waits": thread(grace_period__expedited=True, machine__cpus=2),
        "one CPU, short episodes": thread(
            "A0", machine__cpus=1, allocator__episode_ms=100.0, allocator__calm_ms=3000.0
        ),
    }


# P(wait) where it is known without a simulation.
EXACT = {("few calls", "p_wait"): 0.2 * 0.003, ("few calls", "p_wait_episode"): 0.003}


@dataclass(frozen=True)
class Cell:
    """All answers of one kind to one question: a quantity, by so many replications, in a window of
    a world.

    below and above: how many intervals lie wholly below or above the truth; for a bound, how many
    bounds do. width: median half width of the intervals relative to their values; of bounds, the
    median bound over the truth.
    """

    quantity: str
    count: int
    world: str
    window: str
    kind: str
    answers: int
    below: int
    above: int
    width: float

    @property
    def held(self) -> float:
        """Share of answers that hold."""
        return 1.0 - (self.below + self.above) / self.answers


def cells(
    name: str,
    scenario: Scenario,
    *,
    seeds: int = SEEDS,
    counts: tuple[int, ...] = COUNTS,
    asked: tuple[str, ...] = ASKED,
    workers: int | None = 1,
) -> Iterator[Cell]:
    """Each seed's answers, at each number of replications, against the truth of the world."""
    found: dict[tuple[str, int, int], list[Estimate]] = {}
    every: list[NDArray[np.float64]] = []
    together: Replications | None = None
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        runs: Replications | None = None
        for count in counts:
            runs = extend(scenario, seed, runs, count, workers=workers)
            for window in range(len(WINDOWS)):
                for quantity, e in answers(runs, scenario, window, asked).items():
                    found.setdefault((quantity, count, window), []).append(e)
        assert runs is not None
        every.append(runs.counts)
        sums = replace(runs, counts=runs.counts[:0])
        together = sums if together is None else together + sums
    assert together is not None
    together = replace(together, counts=np.concatenate(every))
    true = {
        (quantity, window): e
        for window in range(len(WINDOWS))
        for quantity, e in answers(together, scenario, window, asked).items()
    }
    for (quantity, count, window), estimates in found.items():
        truth = EXACT.get((name, quantity), true[quantity, window].value)
        if truth is not None:
            yield from judged(quantity, count, name, WINDOWS[window], estimates, truth)


def judged(
    quantity: str, count: int, name: str, window: str, estimates: list[Estimate], truth: float
) -> Iterator[Cell]:
    """A cell a kind of answer that was given."""
    for kind in ("interval", "rough", "bound"):
        those = [e for e in estimates if e.kind == kind and e.hi is not None]
        if not those:
            continue
        below = sum((e.hi or 0.0) < truth * (1.0 - 1e-12) for e in those)
        above = sum(kind != "bound" and (e.lo or 0.0) > truth * (1.0 + 1e-12) for e in those)
        widths = [(e.hi or 0.0) / truth if kind == "bound" else e.half_width for e in those]
        yield Cell(
            quantity, count, name, window, kind, len(those), below, above, float(np.median(widths))
        )


def differences(
    scenario: Scenario,
    remedies: tuple[str, ...],
    *,
    seeds: int = SEEDS,
    counts: tuple[int, ...] = COUNTS,
    workers: int | None = 1,
) -> Iterator[Cell]:
    """The same of P(wait) of each remedy minus the first one's, in the same worlds."""
    most = max(counts)
    runs = {
        remedy: [
            extend(
                changed(scenario, remedy=named(remedy, scenario.remedy)),
                seed,
                None,
                most,
                workers=workers,
            )
            for seed in range(FIRST_SEED, FIRST_SEED + seeds)
        ]
        for remedy in remedies
    }
    base = runs[remedies[0]]
    for remedy in remedies[1:]:
        for w, window in enumerate(WINDOWS):
            truth = pooled(runs[remedy], w) - pooled(base, w)
            for count in counts:
                found = []
                for one, other in zip(runs[remedy], base, strict=True):
                    d = difference(
                        one.of("waits", w)[:count],
                        one.of("single", w)[:count],
                        other.of("waits", w)[:count],
                        other.of("single", w)[:count],
                    )
                    if d is not None:
                        found.append(d)
                if found:
                    yield Cell(
                        "difference of P(wait)",
                        count,
                        f"{remedy} minus {remedies[0]}",
                        window,
                        "interval",
                        len(found),
                        sum(d.hi < truth for d in found),
                        sum(d.lo > truth for d in found),
                        float(np.median([(d.hi - d.lo) / 2.0 for d in found])) / abs(truth),
                    )


def pooled(runs: list[Replications], window: int) -> float:
    """P(wait) of all seeds together."""
    waits, calls = (
        sum(float(r.of(name, window).sum()) for r in runs) for name in ("waits", "single")
    )
    return waits / calls


def pooled_rows(found: list[Cell], kind: str) -> list[list[str]]:
    """A row a quantity: the share of answers that hold by number of replications, and the worst
    cell of 100 or more.
    """
    counts = sorted({cell.count for cell in found})
    rows = []
    for quantity in dict.fromkeys(cell.quantity for cell in found):
        row = [f"`{quantity}`" if quantity in QUANTITIES else quantity]
        for count in counts:
            those = [c for c in found if (c.quantity, c.count, c.kind) == (quantity, count, kind)]
            total = sum(c.answers for c in those)
            row.append(
                f"{100 * (1 - sum(c.below + c.above for c in those) / total):.1f} ({total})"
                if total
                else "-"
            )
        large = [c for c in found if (c.quantity, c.kind) == (quantity, kind) and c.answers >= 100]
        worst = min(large, key=lambda c: c.held, default=None)
        row.append(
            f"{100 * worst.held:.0f}: {worst.world}, {worst.window}, {worst.count}"
            if worst
            else "-"
        )
        if set(row[1:]) != {"-"}:
            rows.append(row)
    return rows


def bound_rows(found: list[Cell]) -> list[list[str]]:
    """A row a quantity: how many bounds were given, how many lie below the truth, and how far above
    it they stand.
    """
    rows = []
    for quantity in dict.fromkeys(cell.quantity for cell in found if cell.kind == "bound"):
        those = [c for c in found if c.quantity == quantity and c.kind == "bound"]
        worst = min(those, key=lambda c: c.held)
        widths = [
            f"{np.median([c.width for c in those if c.count == n] or [np.nan]):.3g}" for n in COUNTS
        ]
        rows.append(
            [
                f"`{quantity}`",
                str(sum(c.answers for c in those)),
                str(sum(c.below for c in those)),
                f"{100 * worst.held:.1f}",
                *widths,
            ]
        )
    return rows


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table for a page of docs/."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def report(found: list[Cell], apart: list[Cell], seeds: int) -> str:
    """The text between the marks of docs/methods.md."""
    counts = [f"{n} runs" for n in sorted({cell.count for cell in found})]
    names = list(dict.fromkeys(cell.world for cell in found))
    worst = "worst cell of 100 answers or more: %, world, window, runs"
    text = (
        f"{len(names)} worlds ({', '.join(names)}), {seeds} seeds each, boot and steady state.\n\n"
    )
    text += "Intervals that hold the truth, in per cent (and how many were given):\n\n"
    text += markdown(["quantity", *counts, worst], pooled_rows(found, "interval"))
    text += "\nThe same of rough answers that have an interval:\n\n"
    text += markdown(["quantity", *counts, worst], pooled_rows(found, "rough"))
    text += "\nBounds, where nothing was seen (the last columns: median bound over the truth):\n\n"
    text += markdown(
        [
            "quantity",
            "given",
            "below the truth",
            "hold in the worst cell, %",
            *(f"{n} runs" for n in COUNTS),
        ],
        bound_rows(found),
    )
    if apart:
        text += "\nDifferences between remedies in the same worlds (thread-as-posted):\n\n"
        fewer = [f"{n} runs" for n in sorted({cell.count for cell in apart})]
        text += markdown(["quantity", *fewer, worst], pooled_rows(apart, "interval"))
    return text


def written(page: str, name: str, text: str) -> str:
    """A page with new text between its marks of that name; raises ValueError if it has none."""
    begin, end = f"<!-- {name}: made by a command -->", f"<!-- end of {name} -->"
    if begin not in page or end not in page:
        raise ValueError(f"the page has no marks {begin} and {end}")
    return re.sub(
        f"{re.escape(begin)}.*{re.escape(end)}",
        lambda _: f"{begin}\n\n{text}\n{end}",
        page,
        flags=re.DOTALL,
    )


def main() -> None:
    """Try all worlds, print the tables, and write them into docs/methods.md if asked."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--worlds", default="", help="names of worlds, comma between them; all if left out"
    )
    options.add_argument("--seeds", type=int, default=SEEDS)
    options.add_argument("--write", action="store_true", help="put the tables into docs/methods.md")
    args = options.parse_args()
    chosen = {n: s for n, s in worlds().items() if not args.worlds or n in args.worlds.split(",")}
    found: list[Cell] = []
    for name, scenario in chosen.items():
        mine = list(cells(name, scenario, seeds=args.seeds, workers=None))
        found += mine
        bad = [
            c
            for c in mine
            if c.held < (0.95 if c.kind == "bound" else 0.88)
            and (c.answers >= 100 or c.kind == "bound")
        ]
        print(f"{name}: {sum(c.answers for c in mine)} answers", *bad, sep="\n  ", flush=True)
    apart = (
        []
        if args.worlds
        else list(
            differences(
                thread(), ("A1", "A0", "B", "B8", "D2-A1"), seeds=args.seeds, counts=(8, 16, 64)
            )
        )
    )
    text = report(found, apart, args.seeds)
    print(text)
    if args.write:
        DOCUMENT.write_text(written(DOCUMENT.read_text(), "coverage", text))


if __name__ == "__main__":
    main()
