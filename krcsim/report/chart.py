# SPDX-License-Identifier: GPL-2.0-only
"""Result in, the data of a figure out: lines of estimates, their CSV and their hash."""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from krcsim.results.estimate import Estimate
from krcsim.results.result import Result, number

OWN = "your setting"
FEW_BOUNDS = 2  # of a line are told apart in its legend; of more the highest is said
NOTHING_ADDED = 16.0  # bytes; where 0 stands on a logarithmic axis
_SIZED = re.compile(r"([BD])(\d*)([ef]?)(?:-(.+))?", re.ASCII)
_WORDS = {
    "B": "pool of N objects, empty at boot",
    "Bf": "pool of N objects, full at boot",
    "D": "N pages shared, preallocated",
    "De": "N pages shared, empty at boot",
}


@dataclass(frozen=True)
class Line:
    """Estimates of one remedy in growing sizes, or of one size episode by episode; `look`: now,
    old, pin or dots.
    """

    name: str
    labels: tuple[str, ...]
    x: tuple[float, ...]
    estimates: tuple[Estimate, ...]
    look: str = "now"


@dataclass(frozen=True)
class Chart:
    """What is drawn: lines, what the axes say, whether x is bytes (logarithmic) or a count, and a
    note.
    """

    lines: tuple[Line, ...]
    xlabel: str
    ylabel: str
    bytes_axis: bool
    note: str = ""


def over_bytes(result: Result, window: str | None = None) -> Chart:
    """P(wait) over the bytes per CPU that a remedy adds: sizes of one make a line, `own` is a point
    of its own.

    Where there are reserves on the own remedy (B3-own), only these and `own` are drawn.
    """
    window = window or result.windows()[-1]
    found: dict[str, list[tuple[float, str, Estimate]]] = {}
    points = result.points()
    own = [p for p in points if str(p[0]).split("-")[-1] == "own"]
    for p in own if len(own) > 1 else points:
        name, label = _family(", ".join(map(str, p)))
        x = max(NOTHING_ADDED, result.get(p, "bytes_added", window).value or 0.0)
        found.setdefault(name, []).append((x, label, result.get(p, "p_wait", window)))
    lines = []
    for name, dots in found.items():
        xs, labels, estimates = zip(*sorted(dots, key=lambda dot: dot[0]), strict=True)
        lines.append(Line(name, labels, xs, estimates))
    return Chart(
        tuple(lines),
        "bytes per CPU that the reserve adds once it is full",
        "P(wait) per single-argument call",
        True,
        _note(result),
    )


def by_episode(result: Result) -> Chart:
    """P(wait) of the calls made in the first episode after boot, in the second, and so on, a line a
    remedy.
    """
    windows = result.windows()
    labels, x = (
        tuple(w.removeprefix("episode ") for w in windows),
        tuple(float(n + 1) for n in range(len(windows))),
    )
    lines = [
        Line(
            spoken(", ".join(map(str, p))),
            labels,
            x,
            tuple(result.get(p, "p_wait_episode", w) for w in windows),
        )
        for p in result.points()
    ]
    return Chart(
        tuple(lines),
        "episode of pressure, counted from boot (last: and later)",
        "P(wait) per single-argument call in the episode",
        False,
        _note(result),
    )


def is_by_episode(result: Result) -> bool:
    """Whether a result goes episode by episode."""
    return result.windows()[0].startswith("episode")


def chart_of(result: Result, window: str | None = None) -> Chart:
    """The chart that fits a result; `window` is for results that have boot and steady."""
    return by_episode(result) if is_by_episode(result) else over_bytes(result, window)


def _family(name: str) -> tuple[str, str]:
    """The line that a remedy belongs to, and its label there."""
    sized = _SIZED.fullmatch(name)
    if name == "own" or sized is None:
        return (OWN if name == "own" else name), ""
    kind, size, at_boot, base = sized.groups()
    return _WORDS.get(kind + at_boot, kind + at_boot) + (
        f", on {base}" if base and base != "own" else ""
    ), size or "3"


def spoken(name: str) -> str:
    """A remedy with what it is: B3f-own (pool of 3 objects, full at boot)."""
    words, size = _family(name)
    words = "no reserve" if name == "B0-own" else re.sub(r"\bN\b", size, words)
    return words if words == name or name == "own" else f"{name} ({words})"


def _note(result: Result) -> str:
    runs = sorted({int(str(result.cell(p, "replications"))) for p in result.points()})
    count = f"{runs[0]}" if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
    return f"{count} replications a point, seed {result.provenance['seed']}"


def beside(now: Chart, pins: Mapping[str, Chart]) -> Chart:
    """A chart with pinned ones on the same axes, each line named after its pin."""
    others = [
        replace(line, name=f"{pin}: {line.name}", look="pin")
        for pin, c in pins.items()
        for line in c.lines
    ]
    return replace(now, lines=(*others, *now.lines))


def height(e: Estimate) -> float:
    """Where an estimate stands on the axis: its value, or nowhere (nan); a bound was not measured
    and has no height.
    """
    return e.value if e.value and e.kind != "bound" else math.nan


def unseen(e: Estimate) -> bool:
    """Whether an estimate stands in the strip below the axis: no wait was seen, or none is
    possible.
    """
    return e.kind == "bound" or e.value == 0.0


def rows_unseen(chart: Chart) -> tuple[str, ...]:
    """The lines that have points in the strip below the axis, in their order, by what they are
    named without a pin.
    """
    names = (
        line.name.split(": ", 1)[-1] for line in chart.lines if any(map(unseen, line.estimates))
    )
    return tuple(dict.fromkeys(names))


def in_legend(line: Line) -> str:
    """The name of a line, and the numbers of its points that have no height."""
    rows = [*zip(line.labels, line.estimates, strict=True)]
    bounds: dict[str, list[str]] = {}
    for label, e in rows:
        if e.kind == "bound" and e.hi is not None:
            bounds.setdefault(number(e.hi), []).append(label)
    if len(bounds) > FEW_BOUNDS:
        bounds = {max(bounds, key=float): [label for labels in bounds.values() for label in labels]}
    text = line.name + "".join(
        f"\nnone seen{_at(labels)}: < {most}" for most, labels in bounds.items()
    )
    if any(e.value == 0.0 for _, e in rows):
        text += f"\nno wait possible{_at(label for label, e in rows if e.value == 0.0)}"
    return text


def _at(labels: Iterable[str]) -> str:
    named = ", ".join(filter(None, labels))
    return f" at {named}" if named else ""


def csv_text(chart: Chart, about: Mapping[str, Any]) -> str:
    """The data drawn, a row a point, under comment lines that say where it comes from."""
    head = [f"# {line}" for k, v in about.items() for line in f"{k}: {v}".splitlines()]
    rows = ["line,look,label,x,value,lo,hi,kind"]
    for line in chart.lines:
        for label, x, e in zip(line.labels, line.x, line.estimates, strict=True):
            cells = ["" if v is None else f"{v:.9g}" for v in (x, e.value, e.lo, e.hi)]
            rows.append(
                ",".join(
                    [_quoted(line.name), line.look, _quoted(label, also_plain=True), *cells, e.kind]
                )
            )
    return "\n".join([*head, *rows, ""])


def _quoted(name: str, also_plain: bool = False) -> str:
    """A name as one cell of a CSV, on one line, and no formula of a spreadsheet; without quotes if
    it can be.
    """
    line = " ".join(name.split())
    line = f"'{line}" if line.startswith(("=", "+", "-", "@")) else line
    return line if also_plain and not {",", '"'} & {*line} else '"' + line.replace('"', '""') + '"'


def digest(*parts: Any) -> str:
    """Twelve hexadecimal digits that change with any of the parts."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:12]
