# SPDX-License-Identifier: GPL-2.0-only
"""The usual shapes of a verdict in docs/verdicts.md: `python -m benchmarks.verdicts`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from krcsim.model.remedy import Remedy, named
from krcsim.model.scenario import changed
from krcsim.model.scenario_file import load_scenario, toml_text
from krcsim.results.estimate import NOTHING, Estimate, between, exact, order_of_magnitude
from krcsim.results.result import BASE, Cell, Result
from krcsim.results.verdict import verdict

PAGE = Path(__file__).parent.parent / "docs" / "verdicts.md"
BEGIN, END = "<!-- made by python -m benchmarks.verdicts -->\n", "<!-- end -->\n"
Cells = tuple[Cell, ...]
Estimates = Mapping[str | Cells, Estimate]  # by remedy, or by all values of a point


def interval(value: float, part: float = 0.08) -> Estimate:
    """A number with an interval that reaches so far to either side."""
    return Estimate(value, value / (1.0 + part), value * (1.0 + part), "interval")


def bound(most: float) -> Estimate:
    """A bound where nothing was seen."""
    return Estimate(None, 0.0, most, "bound")


def result_of(
    windows: Mapping[str, Estimates],
    *,
    parameters: tuple[str, ...] = ("remedy",),
    own: Remedy | None = None,
    made: Mapping[str, Remedy] | None = None,
    differences: tuple[Cells, ...] | None = None,
) -> Result:
    """A result that holds these numbers; own: the remedy of the setting.

    Bytes are those of the remedies. Left out, `differences` are what the intervals allow.
    """
    scenario = load_scenario("thread-as-posted")
    if own is not None:
        scenario = changed(scenario, remedy=own)
    rows: list[Cells] = []
    apart: list[Cells] = []
    for window, estimates in windows.items():
        quantity = "p_wait_episode" if window.startswith("episode") else "p_wait"
        points = [(key if isinstance(key, tuple) else (key,), e) for key, e in estimates.items()]
        for point, e in points:
            name = str(point[0])
            remedy = (made or {}).get(name) or named(name, scenario.remedy)
            added = float(changed(scenario, remedy=remedy).bytes_added())
            for what, unit, it in ((quantity, "", e), ("bytes_added", "bytes", exact(added))):
                numbers = (it.value, it.lo, it.hi, it.kind, 256, "skipping")
                rows.append((*point, window, what, unit, *numbers))
        (first, base), *others = points
        for point, e in others:
            found = between(e, base)
            if found and (e.value or base.value):
                limits = (found.value, found.lo, found.hi, found.pairing_saves)
                apart.append((point[0], first[0], window, quantity, *limits))
    provenance: dict[str, Any] = {"command": "", "scenario": toml_text(scenario), "seed": 1}
    if made:
        provenance["remedies"] = {name: asdict(remedy) for name, remedy in made.items()}
    if len(parameters) > 1:
        apart = []
    return Result(
        (*parameters, *BASE),
        tuple(rows),
        tuple(apart) if differences is None else differences,
        provenance,
    )


def steady(estimates: Estimates, **more: Any) -> Result:
    """A result of one window."""
    return result_of({"steady": estimates}, **more)


def same(first: str, other: str) -> tuple[Cells, ...]:
    """That no run told two rows apart."""
    return ((other, first, "steady", "p_wait", 0.0, -1e-5, 1e-5, 1.0),)


_OFTEN, _SELDOM = interval(1 / 1930), interval(1 / 66000)
_POOL = named("B3")
_GRID = {
    ("A1", 500): interval(1 / 1760),
    ("B", 500): interval(1 / 65000),
    ("A1", 5000): interval(1 / 12000),
    ("B", 5000): interval(1 / 110000),
}
SHAPES: dict[str, Result] = {
    "A row by itself": steady({"A1": _OFTEN}),
    "Your setting by itself": steady({"own": _OFTEN}),
    "Your setting against the same without a reserve": steady(
        {"own": _SELDOM, "B0-own": _OFTEN, "B1-own": interval(1 / 9000)}, own=_POOL
    ),
    "Your setting, which no run told from the same without a reserve": steady(
        {"own": _OFTEN, "B0-own": _OFTEN, "B3-own": _SELDOM, "B5-own": interval(1 / 64000)},
        own=named("C-A1"),
        differences=(
            *same("own", "B0-own"),
            ("B3-own", "own", "steady", "p_wait", -5e-4, -6e-4, -4e-4, 0.0),
            ("B5-own", "own", "steady", "p_wait", -5e-4, -6e-4, -4e-4, 0.0),
        ),
    ),
    "Fewer": steady({"A1": _OFTEN, "B": _SELDOM}),
    "Fewer, by less than twice": steady({"A1": _OFTEN, "B": interval(1 / 2900)}),
    "More": steady({"A1": _OFTEN, "A0": interval(1 / 675)}),
    "Larger is worse": steady({"B": interval(1 / 9000), "B20": interval(1 / 1000)}),
    "No difference proven": steady({"A1": _OFTEN, "B1": interval(1 / 1900)}),
    "No difference seen in any run": steady(
        {"A1": _OFTEN, "C-A1": _OFTEN}, differences=same("A1", "C-A1")
    ),
    "None seen, and the bound carries it": steady({"A1": _OFTEN, "B12": bound(1 / 2.4e6)}),
    "None seen, and the bound does not carry it": steady({"A1": _OFTEN, "B12": bound(1 / 900)}),
    "None seen with either": steady({"B12": bound(1 / 30000), "B20": bound(1 / 30000)}),
    "An order of magnitude": steady({"A1": _OFTEN, "D2-A1": order_of_magnitude(1.1e-10)}),
    "Exact numbers": steady({"A1": exact(1 / 43), "B": exact(3.85e-8)}),
    "No call can wait": steady({"A1": _OFTEN, "D5-A1": exact(0.0)}),
    "Many rows, of which the best costs much": steady(
        {
            "A0": interval(1 / 675),
            "A1": _OFTEN,
            "B": _SELDOM,
            "C-A0": interval(1 / 675),
            "C-A1": _OFTEN,
            "D5-A1": bound(1.9e-21),
        }
    ),
    "Many rows, of which none is proven to be better": steady(
        {"A1": _OFTEN, "C-A1": _OFTEN, "B1": interval(1 / 1950), "A0": interval(1 / 675)}
    ),
    "From boot": result_of({"boot": {"A1": interval(1 / 2560), "B": interval(1 / 13400)}}),
    "The first episode against the last": result_of(
        {"episode 1": {"B": interval(1 / 2350)}, "episode 8 on": {"B": interval(1 / 80400)}}
    ),
    "A grid": steady(_GRID, parameters=("remedy", "workload.rate_hz")),
    "A remedy made in Python": steady(
        {"A1": _OFTEN, "mine": interval(1 / 4000)},
        made={"mine": Remedy(head_alloc="tryhard", nr_emergency_objs=7)},
    ),
    "No call that could have waited": steady({"A1": NOTHING, "B": NOTHING}),
    "No rows": Result(("remedy", *BASE), (), (), {}),
}


def block() -> str:
    """The shapes as a list in Markdown: what it is about, and the sentence."""
    lines = []
    for title, result in SHAPES.items():
        text = f"* {title}: **{verdict(result)}**"
        lines += textwrap.wrap(text, 96, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the shapes into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(before + BEGIN + block() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
