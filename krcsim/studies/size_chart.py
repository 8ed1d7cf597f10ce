# SPDX-License-Identifier: GPL-2.0-only
"""Sizes against a target and the frontier, as charts and on axes."""

from collections.abc import Callable, Iterable

from krcsim.report.style import Picture, plain

from matplotlib.axes import Axes

from krcsim.report import figures, headings
from krcsim.report.chart import NOTHING_ADDED, Chart, Line
from krcsim.report.setting_words import setting_in_words
from krcsim.report.target_chart import Size, TargetChart, in_bytes
from krcsim.report.target_picture import target_figure
from krcsim.results.counts import estimated
from krcsim.results.estimate import Estimate, exact
from krcsim.results.quantities import QUANTITIES, label
from krcsim.results.result import number, words
from krcsim.studies.frontier import Frontier, Point
from krcsim.studies.size_verdict import goal, size_verdict
from krcsim.studies.sized import Sized, Tried, size_of

XLABEL = "bytes per CPU that the reserve adds once it is full"
XLABELS = {
    "pool": "objects in the pool of a CPU, and the bytes that they add",
    "pages": "pages of a CPU, and the bytes that they add",
    "mix": XLABEL,
}
MOST_MIXES = 3  # pools next to so many numbers of pages have a line each
Label = Callable[[Point | Tried], str]


def no_label(_: Point | Tried) -> str:
    """Nothing is written at a point."""
    return ""


def _line(name: str, points: Iterable[Point | Tried], label: Label = no_label) -> Line:
    """A line over the bytes that its points add, each with what `label` writes at it."""
    rows = sorted(points, key=lambda point: (point.bytes_added, point.objects))
    return Line(
        name,
        tuple(label(point) for point in rows),
        tuple(max(NOTHING_ADDED, point.bytes_added) for point in rows),
        tuple(point.finding.estimate for point in rows),
    )


def _objects(point: Point | Tried) -> str:
    return str(point.objects)


def _pages(point: Point | Tried) -> str:
    return str(point.pages)


def _lines(points: Iterable[Point | Tried]) -> list[Line]:
    """Pools, pages, and pools next to so many pages; where these are too many to tell apart, one
    line without labels.
    """
    rows = list(points)
    pools = [point for point in rows if not point.pages]
    lists = [point for point in rows if not point.objects]
    mixed = [point for point in rows if point.objects and point.pages]

    lines: list[Line] = []
    if any(point.objects for point in pools):
        lines.append(_line("pool of N objects", pools, _objects))
    if any(point.pages for point in lists):
        lines.append(_line("N pages", lists, _pages))

    counts = sorted({point.pages for point in mixed})
    if len(counts) > MOST_MIXES:
        lines.append(_line("pool of N next to 1 page or more", mixed))
    else:
        for count in counts:
            name = f"pool of N next to {count} page{'s' * (count > 1)}"
            with_count = [point for point in mixed if point.pages == count]
            lines.append(_line(name, with_count, _objects))
    return lines or [_line("no reserve", rows)]


def _note(found: Sized | Frontier, points: Iterable[Point | Tried]) -> str:
    runs = sorted({p.finding.replications for p in points})
    count = f"{runs[0]}" if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
    return f"{count} replications a point, seed {found.seed}; window {found.window}"


def chart_of_sizes(found: Sized) -> TargetChart:
    """All sizes tried, the target, and the smallest that passes."""
    lines = _lines(found.tried)
    right = max(x for line in lines for x in line.x)
    lines.append(
        Line(
            f"target {number(found.target)}",
            ("", ""),
            (NOTHING_ADDED, max(right, 4.0 * NOTHING_ADDED)),
            (exact(found.target),) * 2,
        )
    )
    if found.smallest:
        lines.append(_line(f"{found.smallest.name} passes", [found.smallest]))

    sizes = tuple(_size(found, tried) for tried in found.tried)
    answer = _size(found, found.smallest) if found.smallest else None
    return TargetChart(
        tuple(lines),
        XLABELS[found.of],
        QUANTITIES[found.quantity].words,
        True,
        _note(found, found.tried),
        title=size_verdict(found),
        sizes=sizes,
        target=found.target,
        target_words=f"target: {goal(found)}",
        answer=answer,
        answer_words=_answer_words(found),
        counts=found.of != "mix",
        setting=setting_in_words(found.scenario, "with the reserves drawn instead of its own"),
    )


def _size(found: Sized, tried: Tried) -> Size:
    """A size that was tried, as it is drawn."""
    x = tried.bytes_added if found.of == "mix" else size_of(found.of, tried)
    words = reserve_in_words(tried)
    return Size(float(x), words, tried.bytes_added, tried.finding.estimate, tried.verdict)


def _answer_words(found: Sized) -> str:
    """What stands at the smallest size that passes, in rows."""
    passes = found.smallest
    if passes is None:
        return ""
    what = "cheapest that passes:" if found.of == "mix" else "smallest that passes:"
    return f"{what}\n{reserve_in_words(passes)}\n{in_bytes(passes.bytes_added)} per CPU"


def chart_of_frontier(found: Frontier) -> Chart:
    """Pools, pages and mixes over the bytes they add."""
    return Chart(
        tuple(_lines(found.points)),
        XLABEL,
        QUANTITIES[found.quantity].words,
        True,
        _note(found, found.points),
        frontier_title(found),
    )


def frontier_title(found: Frontier) -> str:
    """What a reserve buys, as the title of a picture: without one, and with the best for its
    bytes.
    """
    without, *others = found.envelope
    text = f"{'Without a reserve' if not without.bytes_added else reserve_in_words(without)} "
    text += in_counts(found.quantity, without.finding.estimate)
    if not others:
        return f"{text}, and no larger one does better"

    best = others[-1]
    cost = f"{reserve_in_words(best)} ({in_bytes(best.bytes_added)} per CPU)"
    if best.finding.estimate.kind == "bound":
        return f"{text}; with {cost} none was seen to wait"
    text += f"; with {cost} {in_counts(found.quantity, best.finding.estimate)}"
    is_rough = "rough" in (without.finding.estimate.kind, best.finding.estimate.kind)
    return text + " (orders of magnitude only)" * is_rough


def in_counts(quantity: str, estimate: Estimate) -> str:
    """An estimate as a count: 1 call in 690 waits, about 1 in 700 where only the order of magnitude
    is known; other quantities than P(wait) as a number.
    """
    if quantity != "p_wait":
        return f"{label(quantity)} is {words(estimate).split(' [')[0]}"
    said = estimated(estimate, with_interval=False)
    text = said.words.removesuffix(" (order of magnitude)")
    return f"{text} {'wait' if said.is_plural else 'waits'}"


def reserve_in_words(tried: Tried | Point) -> str:
    """A reserve: a pool of 5 objects, 3 pages, both, or none."""
    parts = []
    if tried.objects:
        parts.append(f"a pool of {tried.objects:,} object{'s' * (tried.objects != 1)}")
    if tried.pages:
        parts.append(f"{tried.pages:,} page{'s' * (tried.pages != 1)}")
    return " and ".join(parts) or "no reserve"


def draw_frontier(found: Frontier, ax: Axes) -> Axes:
    """Bytes against probability, on axes; what was not seen stands in a strip below."""
    chart = chart_of_frontier(found)
    figures.frame(ax, chart)
    figures.draw(chart, ax)
    return ax


@plain()
def picture_of_sizes(found: Sized) -> Picture:
    """A picture of what was tried for a target."""
    chart = chart_of_sizes(found)
    return Picture(target_figure(chart), chart.title, found)


@plain()
def picture_of_frontier(found: Frontier) -> Picture:
    """A picture of what reserves cost and reach."""
    chart = chart_of_frontier(found)
    remark = "with the reserves drawn instead of its own"
    setting = setting_in_words(found.scenario, remark)
    fig, ax = headings.headed(chart.title, setting, height=4.8)
    draw_frontier(found, ax)
    return Picture(fig, chart.title, found)
