# SPDX-License-Identifier: GPL-2.0-only
"""Result in, the data of a figure out: lines of estimates, their CSV and their hash."""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Any

from krcsim.base.csv_text import comment_lines, csv_line, nine_digits, quoted, safe_name
from krcsim.report.finding import finding
from krcsim.results.estimate import Estimate
from krcsim.results.result import Cell, Result, number

OWN = "your setting"
NAME_COLUMNS = 22  # of the rows of a name where its line ends
LONGEST_NAME = 60
WIDEST_BOUND = "\nnone seen: < 1.86e-21"
FAR_APART = 10.0  # bounds of a line, as a ratio, beyond which none is said for all
ON_OWN = "-own)"  # how the name of a reserve on your own remedy ends
MOST_LINES = 4  # that people tell apart in five seconds
NOTHING_ADDED = 16.0  # bytes; where 0 stands on a logarithmic axis
CSV_COLUMNS = ("line", "look", "label", "x", "value", "lo", "hi", "kind")

# Names of reserves: B3f-A1 is a pool of 3 objects, full at boot, on the remedy A1.
_RESERVE_NAME = re.compile(r"([BD])(\d*)([ef]?)(?:-(.+))?", re.ASCII)
_RESERVE_WORDS = {
    "B": "pool of N objects, empty at boot",
    "Bf": "pool of N objects, full at boot",
    "D": "N pages shared, preallocated",
    "De": "N pages shared, empty at boot",
}


@dataclass(frozen=True)
class Line:
    """Estimates of one remedy in growing sizes, or of one size episode by episode.

    `look`: "now", "old" (of the setting before), "pin" (pinned) or "dots" (not joined).
    """

    name: str
    labels: tuple[str, ...]
    x: tuple[float, ...]
    estimates: tuple[Estimate, ...]
    look: str = "now"
    also: str = ""  # another name of the same line


@dataclass(frozen=True)
class Chart:
    """What is drawn: lines, what the axes say, and a note; x is bytes (logarithmic) or a count.

    `room_for`: lines that are not drawn, though the axes are wide enough for them.
    """

    lines: tuple[Line, ...]
    xlabel: str
    ylabel: str
    bytes_axis: bool
    note: str = ""
    title: str = ""  # the finding, as a sentence
    room_for: tuple[Line, ...] = ()


def over_bytes(result: Result, window: str | None = None) -> Chart:
    """P(wait) over the bytes per CPU that a remedy adds.

    Sizes of one remedy make a line, and `own` is a point by itself. Where there are reserves on
    your own remedy (B3-own), only these and `own` are drawn.
    """
    window = window or result.windows()[-1]
    points = result.points()
    on_own = [point for point in points if str(point[0]).split("-")[-1] == "own"]
    drawn = on_own if len(on_own) > 1 else points

    families: dict[str, list[tuple[float, str, Estimate]]] = {}
    for point in drawn:
        name, label = _family(_joined(point))
        added = result.get(point, "bytes_added", window).value or 0.0
        dot = (max(NOTHING_ADDED, added), label, result.get(point, "p_wait", window))
        families.setdefault(name, []).append(dot)

    lines = []
    for name, dots in families.items():
        x, labels, estimates = zip(*sorted(dots, key=lambda dot: dot[0]), strict=True)
        lines.append(Line(name, labels, x, estimates))

    return Chart(
        tuple(lines),
        "bytes per CPU that the reserve adds once it is full",
        "P(wait): share of calls that wait",
        bytes_axis=True,
        note=_note(result),
        title=finding(result, window),
    )


def by_episode(result: Result) -> Chart:
    """P(wait) of the calls made in the first episode after boot, in the second, and so on.

    Each remedy is a line. Of many reserves on your own remedy only MOST_LINES are drawn, and the
    one that your setting is has one line with it; the note names those that are left out.
    """
    windows = result.windows()
    labels = tuple(window.removeprefix("episode ") for window in windows)
    x = tuple(float(n) for n in range(1, len(windows) + 1))
    lines = [
        Line(
            reserve_in_words(_joined(point)),
            labels,
            x,
            tuple(result.get(point, "p_wait_episode", window) for window in windows),
        )
        for point in result.points()
    ]
    drawn, left_out = _few_lines(lines)
    also = f"; not drawn: {', '.join(left_out)}" if left_out else ""
    return Chart(
        drawn,
        "episode that calls are made in, counted from boot",
        "P(wait): share of calls that wait",
        bytes_axis=False,
        note=_note(result) + also,
        title=finding(result),
    )


def _few_lines(lines: list[Line]) -> tuple[tuple[Line, ...], list[str]]:
    """At most MOST_LINES where all are reserves on your own remedy, and the names of the others.

    Pools come before pages, and pages that are there at boot before those that are not.
    """
    own, *others = lines
    if len(lines) <= MOST_LINES or own.name != OWN:
        return tuple(lines), []
    if not all(line.name.endswith(ON_OWN) for line in others):
        return tuple(lines), []

    same = [line for line in others if line.estimates == own.estimates]
    if same:
        own = replace(own, also=same[0].name)
        others = [line for line in others if line not in same]
    pages = [line for line in others if "page" in line.name]
    order = [line for line in others if line not in pages] + pages[::-1]
    kept = order[: MOST_LINES - 1]
    left_out = [in_few_words(line.name) for line in others if line not in kept]
    return (own, *(line for line in others if line in kept)), left_out


def is_by_episode(result: Result) -> bool:
    """Whether a result goes episode by episode."""
    return result.windows()[0].startswith("episode")


def main_quantity(result: Result) -> str:
    """The probability of a wait that a result is about."""
    return "p_wait_episode" if is_by_episode(result) else "p_wait"


def chart_of(result: Result, window: str | None = None) -> Chart:
    """The chart that fits a result; `window` is for results that have boot and steady."""
    return by_episode(result) if is_by_episode(result) else over_bytes(result, window)


def _joined(point: tuple[Cell, ...]) -> str:
    return ", ".join(map(str, point))


def _family(name: str) -> tuple[str, str]:
    """The line that a remedy belongs to, and its label there."""
    if name == "own":
        return OWN, ""

    reserve = _RESERVE_NAME.fullmatch(name)
    if reserve is None:
        return name, ""

    kind, size, at_boot, base = reserve.groups()
    words = _RESERVE_WORDS.get(kind + at_boot, kind + at_boot)
    on_base = f", on {base}" if base and base != "own" else ""
    return words + on_base, size or "3"


def reserve_in_words(name: str) -> str:
    """What a remedy is, and its name: `pool of 3 objects, full at boot (B3f-own)`.

    Of a remedy that is no reserve only its name; `own` is the setting that was asked about.
    """
    words, size = _family(name)
    if name == "own" or words == name:
        return words

    if name == "B0-own":
        return f"no reserve ({name})"

    sized = re.sub(r"\bN\b", size, words)
    return f"{sized} ({name})"


def _note(result: Result) -> str:
    counts = sorted({int(str(result.cell(point, "replications"))) for point in result.points()})
    runs = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{runs} replications a point, seed {result.provenance['seed']}"


def with_pins(now: Chart, pins: Mapping[str, Chart]) -> Chart:
    """A chart with pinned ones on the same axes, each line named after its pin."""
    pinned = [
        replace(line, name=f"{pin}: {line.name}", look="pin")
        for pin, chart in pins.items()
        for line in chart.lines
    ]
    return replace(now, lines=(*pinned, *now.lines))


def plotted_height(estimate: Estimate) -> float:
    """Where an estimate stands on the axis: its value, or nan.

    Nothing of height 0 stands on a logarithmic axis, and a bound was not measured.
    """
    return estimate.value if estimate.value and estimate.kind != "bound" else math.nan


def in_strip(estimate: Estimate) -> bool:
    """Whether an estimate stands in the strip below the axis: no wait was seen, or none can be."""
    return estimate.kind == "bound" or estimate.value == 0.0


def names_in_strip(chart: Chart) -> tuple[str, ...]:
    """The lines that have points in the strip, in their order, without the names of pins."""
    everything = (*chart.lines, *chart.room_for)
    lines = [line for line in everything if any(map(in_strip, line.estimates))]
    return tuple(dict.fromkeys(line.name.split(": ", 1)[-1] for line in lines))


def has_end(line: Line) -> bool:
    """Whether a line has a name where it ends; one of a single point has it next to the point."""
    return len(line.x) > 1 and any(map(_is_drawn, line.estimates))


def _is_drawn(estimate: Estimate) -> bool:
    return in_strip(estimate) or not math.isnan(plotted_height(estimate))


def drawn_points(line: Line) -> list[tuple[float, str, Estimate]]:
    """The points of a line that stand on the axis or in the strip: x, label and estimate."""
    points = zip(line.x, line.labels, line.estimates, strict=True)
    return [point for point in points if _is_drawn(point[2])]


def in_few_words(name: str) -> str:
    """The name of a line as a picture has it: `2 pages shared, empty at boot (D2e-own)` is
    2 pages, empty at boot. A pinned line has the letter of its pin.
    """
    pin, colon, _ = name.partition(": ")
    if colon and len(pin) == 1:
        return pin
    return re.sub(r" \([^)]*\)$", "", name).replace("pages shared", "pages")


def end_text(line: Line, columns: int = NAME_COLUMNS, with_bound: bool = True) -> str:
    """The name of a line, in few words and rows of so many columns, and its bound where it ends in
    the strip; none where the bounds of its points are far apart, since one would stand for all.
    """
    name = _in_rows(line, columns)
    last = drawn_points(line)[-1][2]
    if not in_strip(last) or len(name) == 1 or not with_bound:
        return name

    bounds = [e.hi for e in line.estimates if e.kind == "bound" and e.hi is not None]
    if not bounds:
        return f"{name}\nno wait possible"
    if max(bounds) > FAR_APART * min(bounds):
        return name
    return f"{name}\nnone seen: < {number(max(bounds))}"


def widest_end_text(line: Line, columns: int = NAME_COLUMNS, with_bound: bool = True) -> str:
    """The widest that end_text() becomes while the names of lines and what is in the strip stay."""
    may_end_there = with_bound and any(map(in_strip, line.estimates))
    return _in_rows(line, columns) + WIDEST_BOUND * may_end_there


def _in_rows(line: Line, columns: int) -> str:
    """The name of a line in few words, in rows of so many columns."""
    names = [f"{in_few_words(line.name)}:", in_few_words(line.also)] if line.also else [line.name]
    return "\n".join(row for name in names for row in wrap(in_few_words(name), columns))


def point_text(line: Line, columns: int = LONGEST_NAME) -> str:
    """The name of a line of a single point in rows of so many columns: of `pool of N objects` at
    3 that is pool of 3 objects.
    """
    name = in_few_words(line.name)
    sized = re.sub(r"\bN\b", line.labels[0], name) if line.labels[0] else name
    return "\n".join(wrap("~" * (line.estimates[0].kind == "rough") + sized, columns))


def chart_csv(chart: Chart, about: Mapping[str, Any]) -> str:
    """The data drawn, a row a point, under comment lines that say where it comes from."""
    rows = []
    for line in chart.lines:
        name = quoted(safe_name(line.name))
        for label, x, estimate in zip(line.labels, line.x, line.estimates, strict=True):
            numbers = map(nine_digits, (x, estimate.value, estimate.lo, estimate.hi))
            rows.append(
                f"{name},{csv_line([line.look, safe_name(label), *numbers, estimate.kind])}"
            )

    return comment_lines(about) + csv_line(CSV_COLUMNS) + "".join(rows)


def digest(*parts: Any) -> str:
    """Twelve hexadecimal digits that change with any of the parts."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:12]
