# SPDX-License-Identifier: GPL-2.0-only
"""All methods compared: the verdict in words, a chart, a table, plain text, a Result to save."""

from __future__ import annotations

from typing import TYPE_CHECKING

from krcsim.base.tables import text_table
from krcsim.methods import exact
from krcsim.methods.table import METHODS
from krcsim.report.chart import Line
from krcsim.report.exact_chart import ExactChart
from krcsim.report.plain_text import check_text, fitting_table, wrap
from krcsim.report.reply import made_with
from krcsim.report.sentences import situation
from krcsim.report.setting_words import setting_in_words
from krcsim.results.quantities import QUANTITIES
from krcsim.results.result import BASE, Result, provenance, words
from krcsim.studies.all_methods import COMPARED, AllMethods
from krcsim.studies.entries import entry_of
from krcsim.studies.reserves import reserve, with_reserve

if TYPE_CHECKING:
    from krcsim.report.style import Picture

HEAD = [METHODS[method].LABEL for method in COMPARED]


def verdict(found: AllMethods) -> str:
    """How often what was simulated held the exact answer, and where it gave only a bound."""
    if found.estimate(exact.NAME, 0).value is None:
        without = with_reserve(found.scenario, 0, 0)
        why = exact.why_not(without) or found.lacking.get(exact.NAME, "no exact answer")
        return (
            "There is nothing exact to hold the ranges against: the chain does not follow "
            f"this scenario ({why})"
        )

    parts = []
    for method in COMPARED[1:]:
        inside, count = found.held(method)
        parts.append(
            f"{METHODS[method].LABEL}: {inside} of {count} ranges hold the exact answer "
            f"({_bounds(found, method)} of them bounds)"
        )
    return "; ".join(parts)


def title_of_all_methods(found: AllMethods) -> str:
    """How many ranges hold the exact answer, as the title of a picture; without one, that there is
    nothing to hold them against.
    """
    if found.estimate(exact.NAME, 0).value is None:
        simulated = " and ".join(METHODS[method].LABEL for method in COMPARED[1:])
        return f"There is no exact answer to hold the ranges of {simulated} against"

    parts = []
    for method in reversed(COMPARED[1:]):
        inside, count = found.held(method)
        bounds = _bounds(found, method)
        only = f" ({bounds} {'is' if bounds == 1 else 'are'} only a bound)" if bounds else ""
        parts.append((METHODS[method].LABEL, f"{inside} of {count}", only))
    (name, held, only), *others = parts
    text = f"{held} ranges of {name} hold the exact answer{only}"
    return "; ".join([text, *(f"of {name} {held}{only}" for name, held, only in others)])


def _bounds(found: AllMethods, method: str) -> int:
    """How many ranges of a method are only bounds."""
    sizes = range(len(found.rows))
    return sum(found.estimate(method, size).kind == "bound" for size in sizes)


def chart_of_all_methods(found: AllMethods) -> ExactChart:
    """P(wait) over the size: the exact answer as a line, what was simulated as dots."""
    sizes = range(len(found.rows))
    lines = tuple(
        Line(
            METHODS[method].LABEL,
            ("",) * len(sizes),
            tuple(map(float, sizes)),
            tuple(found.estimate(method, size) for size in sizes),
            "now" if method == exact.NAME else "dots",
        )
        for method in COMPARED
    )
    simulated = [finding for row in found.rows for finding in row[1:] if finding]
    runs = max((finding.replications for finding in simulated), default=0)
    grows = "objects in the pool" if found.of == "pool" else "pages in the list"
    return ExactChart(
        lines,
        f"{grows} of a CPU",
        QUANTITIES["p_wait"].words,
        False,
        f"up to {runs} replications a point, seed {found.seed}; window {found.window}; ranges are "
        "95 % intervals",
        title=title_of_all_methods(found),
        setting=setting_in_words(found.scenario, "with the sizes drawn"),
    )


def picture_of_all_methods(found: AllMethods) -> Picture:
    """A picture of all methods against the exact answer."""
    from krcsim.report.style import Picture

    from krcsim.report.exact_picture import exact_figure

    chart = chart_of_all_methods(found)
    return Picture(exact_figure(chart), chart.title, found)


def table_rows(found: AllMethods) -> list[list[str]]:
    """A row a size: what each method found."""
    return [
        [str(size), *(words(found.estimate(method, size)) for method in COMPARED)]
        for size in range(len(found.rows))
    ]


def all_methods_table(found: AllMethods) -> str:
    """The table for a terminal, and the verdict."""
    lines = text_table([found.of, *HEAD], table_rows(found))
    return "\n".join([*lines, "", verdict(found)])


def all_methods_text(found: AllMethods) -> str:
    """The answer as plain text for a list."""
    rows = [[size, *(cell.split(" [")[0] for cell in cells)] for size, *cells in table_rows(found)]
    lines = [
        *wrap(f"krcsim, {found.window} window: {situation(found.scenario)}"),
        "",
        *wrap(verdict(found) + "."),
        "",
        *fitting_table([found.of, *HEAD], rows),
        "",
        *wrap("P(wait) by size. ~ is an order of magnitude only, < is an upper bound."),
        "",
        *made_with(found.command, found.scenario),
    ]
    return check_text("\n".join(lines) + "\n")


def all_methods_result(found: AllMethods) -> Result:
    """A Result that saves all findings; the column `asked` says by which method."""
    rows = []
    runs = {}
    for size, row in enumerate(found.rows):
        key = (size, 0) if found.of == "pool" else (0, size)
        name, _ = reserve(found.scenario.remedy, *key)
        for method, finding in zip(COMPARED, row, strict=True):
            entry = entry_of(finding)
            rows.append((name, method, found.window, "p_wait", "", *entry.columns()))
            runs[f"{name} {method}"] = finding.runs if finding else 0
    return Result(
        ("remedy", "asked", *BASE),
        tuple(rows),
        (),
        provenance(
            found.command,
            found.scenario,
            found.seed,
            runs=runs,
            said=verdict(found),
            lacking=found.lacking,
        ),
    )
