# SPDX-License-Identifier: GPL-2.0-only
"""Results that no run has made: any estimates of any rows, and the lines of an answer apart."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from itertools import product

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from krcsim.model.remedy import REMEDIES
from krcsim.model.scenario_file import load_scenario as load
from krcsim.model.scenario_file import presets, toml_text
from krcsim.results.estimate import NOTHING, Estimate, between, exact
from krcsim.results.result import Cell, Result

SIZED = ("B1", "B6", "B12", "B24f", "B100", "D1-A0", "D3-A1", "D8-A1", "D12e", "D40-A0")
ON_OWN = ("own", "B0-own", "B3-own", "B3f-own", "B12-own", "D2-own", "D5e-own", "D9-own")
OF_ONES_OWN = ("mine", "a-pool-of-7-that-is-filled-by-a-worker", "x", "rc6.2")
NAMES = (*REMEDIES, *SIZED, *ON_OWN, *OF_ONES_OWN)
CURVE = ("own", *(f"B{n}-own" for n in range(14)), *(f"D{n}-own" for n in range(1, 12)))
FIELDS = ("machine.cpus", "workload.rate_hz", "allocator.episode.page", "memory.hog")
VALUES: dict[str, tuple[Cell, ...]] = {
    "machine.cpus": (1, 2, 4, 128),
    "workload.rate_hz": (10.0, 5000.0, 123456.789),
    "allocator.episode.page": (0.5, 0.95, 1.0),
    "memory.hog": ("nowait", "reserves"),
}
BYTES = (0.0, 40.0, 120.0, 4096.0, 16384.0, 3.2e6)


@cache
def scenario_text(preset: str) -> str:
    return toml_text(load(preset))


@st.composite
def estimates(draw: DrawFn) -> Estimate:
    """A probability as runs, a proof or nobody finds it."""
    kind = draw(
        st.sampled_from(["interval"] * 4 + ["rough", "rough alone", "bound", "none", "exact"])
    )
    value = 10.0 ** draw(st.floats(-12.0, 0.0))
    if kind == "none":
        return NOTHING
    if kind == "bound":
        return Estimate(None, 0.0, value, "bound")
    if kind == "exact":
        return exact(draw(st.sampled_from([0.0, value])))
    if kind == "rough alone":
        return Estimate(value, None, None, "rough")
    wide = 10.0 ** draw(st.floats(0.001, 0.9 if kind == "interval" else 3.0))
    return Estimate(value, value / wide, min(1.0, value * wide), kind)


def points_of(draw: DrawFn, shape: str) -> list[tuple[Cell, ...]]:
    if shape == "curve":
        return [(name,) for name in CURVE[: draw(st.integers(4, len(CURVE)))]]
    if shape == "grid":
        fields = FIELDS[: draw(st.integers(1, len(FIELDS)))]
        names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
        axes = [VALUES[field][: draw(st.integers(1, 4))] for field in fields]
        return list(product(names, *axes))[:60]
    most = {"one": 1, "two": 2, "some": 7, "twelve": 12, "episodes": 12}[shape]
    least = {"twelve": 12, "two": 2}.get(shape, 1)
    names = draw(st.lists(st.sampled_from(NAMES), min_size=least, max_size=most, unique=True))
    return [(name,) for name in names]


@st.composite
def results(draw: DrawFn) -> Result:
    """A result of any shape; its rows need not be possible together."""
    shape = draw(st.sampled_from(["one", "two", "some", "twelve", "curve", "episodes", "grid"]))
    points = points_of(draw, shape)
    count = draw(st.integers(1, 12))
    by_episode = shape == "episodes"
    windows = [f"episode {n}" for n in range(1, count)] + [f"episode {count} on"]
    windows = windows if by_episode else ["boot", "steady"]
    quantity = "p_wait_episode" if by_episode else "p_wait"
    nothing_seen = draw(st.booleans()) and draw(st.booleans())

    found: dict[tuple[tuple[Cell, ...], str], Estimate] = {}
    rows: list[tuple[Cell, ...]] = []
    for point, window in product(points, windows):
        e = Estimate(None, 0.0, 1e-3, "bound") if nothing_seen else draw(estimates())
        found[point, window] = e
        methods = {"bound": ["bound", "by construction"], "exact": ["exact"]}
        method = draw(st.sampled_from(methods.get(e.kind, ["skipping", "rare"])))
        rows.append((*point, window, quantity, "", e.value, e.lo, e.hi, e.kind, 64, method))
        size = draw(st.sampled_from(BYTES))
        rows.append(
            (*point, window, "bytes_added", "bytes", size, size, size, "exact", 64, "exact")
        )

    base = points[0]
    apart = {
        (point, window): between(found[point, window], found[base, window])
        for point, window in product(points[1:] if shape != "grid" else [], windows)
    }
    differences = [
        (point[0], base[0], window, quantity, d.value, d.lo, d.hi, d.pairing_saves)
        for (point, window), d in apart.items()
        if d is not None and math.isfinite(d.lo) and math.isfinite(d.hi)
    ]
    preset = draw(st.sampled_from(presets()))
    options = [f"--set workload.rate_hz={n}" for n in range(draw(st.sampled_from([0, 1, 4, 70])))]
    command = " ".join(["krcsim compare", preset, *options])
    provenance = {
        "command": draw(st.sampled_from([command, "(called from Python)"])),
        "scenario": scenario_text(preset),
        "seed": 1,
        "versions": {},
    }
    fields = FIELDS[: len(base) - 1]
    columns = ("remedy", *fields, "window", "quantity", "unit", "value", "lo", "hi", "kind")
    return Result((*columns, "replications", "method"), tuple(rows), tuple(differences), provenance)


def made(found: dict[str, Estimate], command: str = "krcsim compare mine") -> Result:
    """A result of these remedies in steady state, as independent runs would have found them."""
    rows: list[tuple[Cell, ...]] = []
    for n, (name, e) in enumerate(found.items()):
        method = "bound" if e.kind == "bound" else "skipping"
        rows.append((name, "steady", "p_wait", "", e.value, e.lo, e.hi, e.kind, 64, method))
        size = 64.0 * n
        rows.append(
            (name, "steady", "bytes_added", "bytes", size, size, size, "exact", 64, "exact")
        )

    base, *others = found
    apart = {name: between(found[name], found[base]) for name in others}
    differences = [
        (name, base, "steady", "p_wait", d.value, d.lo, d.hi, d.pairing_saves)
        for name, d in apart.items()
        if d is not None
    ]
    columns = ("remedy", "window", "quantity", "unit", "value", "lo", "hi", "kind")
    provenance = {"command": command, "scenario": scenario_text("thread-as-discussed"), "seed": 1}
    return Result((*columns, "replications", "method"), tuple(rows), tuple(differences), provenance)


@dataclass(frozen=True)
class Parts:
    """The blocks of an answer between its blank lines."""

    verdict: str
    legend: dict[str, str]
    table: list[list[str]]  # the words of each row
    notes: str
    last: str


def parts_of(text: str) -> Parts:
    """An answer, block by block."""
    verdict, legend, table, *others = text.split("\n\n")
    lines = table.split("\n")
    rule = next((n for n, line in enumerate(lines) if re.match(r"---? *-", line)), None)
    names = legend_of(legend)
    if rule is None:  # a paragraph a row
        rows = [line.split() for line in lines if re.match(r"  row ", line)]
        rows = [[row[1].rstrip(","), *row[2:]] for row in rows]
    else:
        end = next(
            (n for n in range(rule + 1, len(lines)) if lines[n].split(" ")[0] not in names), None
        )
        rows = [line.split() for line in lines[rule + 1 : end]]
    notes = " ".join(" ".join(lines[len(rows) :]).split())
    return Parts(" ".join(verdict.split()), names, rows, notes, " ".join(others[-1].split()))


def legend_of(block: str) -> dict[str, str]:
    """The legend by name; its first lines say what was compared."""
    names: dict[str, str] = {}
    last = ""
    for line in block.split("\n"):
        if found := re.match(r"  (\S+) +(\S.*)", line):
            last = found[1]
            names[last] = found[2]
        elif last:
            names[last] += " " + line.strip()
    return names
