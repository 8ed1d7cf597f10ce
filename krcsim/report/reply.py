# SPDX-License-Identifier: GPL-2.0-only
"""Result in, the whole answer to a mailing list out: situation, table, plot, command."""

import shlex

from krcsim.base.errors import KrcsimError
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near
from krcsim.report.chart import chart_of, is_by_episode
from krcsim.report.plain_text import INTERVAL, WIDTH, check_text, fitting_table, wrap
from krcsim.report.sentences import (
    Points,
    assumed,
    blocked_words,
    differences_words,
    found_words,
    left_out,
    situation,
    unexposed_words,
)
from krcsim.report.text_plot import log_plot
from krcsim.results.estimate import Estimate
from krcsim.results.result import Result, number, scenario_of, words

MANY_POINTS = 12  # more are growing reserves, which stand in the plot only
MOST_ROWS = 40

Table = tuple[list[str], list[list[str]]]  # head and rows


def answer_text(result: Result, window: str | None = None) -> str:
    """The answer to the list: situation, table, differences, plot, what is left out, command.

    `window`: boot or steady; left out, steady if there is any. Raises KrcsimError if the result has
    no such window.
    """
    window = _window_of(result, window)
    scenario = scenario_of(result)
    points = _points_of(result)
    if is_by_episode(result):
        table = episode_rows(result, points)
    else:
        table = wait_rows(result, points, window)

    lines = [
        *wrap(
            f"krcsim, {_span_words(result, scenario, window)}: {situation(scenario)} "
            '95 % intervals over replications; "<" is an upper bound at 99.9 % where no wait was '
            "seen."
        ),
        "",
        *fitting_table(*table),
        "",
        *wrap(_columns_words(result, scenario)),
        *wrap(found_words(result, points)),
        *wrap(unexposed_words(result, points)),
        *wrap(differences_words(result, window, [str(point[0]) for point in points])),
        "",
        *log_plot(chart_of(result, window)),
        "",
        *wrap(f"{assumed(scenario)}. {left_out(scenario)}."),
        "",
        *made_with(str(result.provenance["command"]), scenario),
    ]
    return check_text("\n".join(lines) + "\n")


def _window_of(result: Result, window: str | None) -> str:
    """The window asked for, or the one that is usual; raises KrcsimError if there is none such."""
    windows = result.windows()
    if not window:
        window = "steady" if "steady" in windows else next(iter(windows), "")
    if window not in windows:
        raise KrcsimError(f"window is {window!r}; allowed: {', '.join(windows) or 'none here'}")

    return window


def _points_of(result: Result) -> Points:
    """The points that the table shows."""
    points = result.points()
    if len(points) <= MANY_POINTS:
        return points

    return [point for point in points if not str(point[0]).endswith("-own")][:MOST_ROWS]


def _span_words(result: Result, scenario: Scenario, window: str) -> str:
    """What part of the time a text is about."""
    if is_by_episode(result):
        return "episode by episode from boot"

    return f"first {scenario.warmup_ms:g} ms from boot" if window == "boot" else "steady state"


def _columns_words(result: Result, scenario: Scenario) -> str:
    """What the columns of the table mean."""
    if is_by_episode(result):
        return "Per single-argument call made in the episode."

    return (
        "bytes/CPU: reserve when full, the page that the plain code keeps counted for all. "
        "P(wait): per single-argument call. "
        f"blocked: {blocked_words(scenario)}, in grace-period waits."
    )


def episode_rows(result: Result, points: Points) -> Table:
    """Head and rows of a table of the first and the last episode."""
    windows = list(dict.fromkeys((result.windows()[0], result.windows()[-1])))
    rows = []
    for point in points:
        cells = [words(result.get(point, "p_wait_episode", window)) for window in windows]
        narrow = [cell.replace(", ", ",").replace("~ ", "~") for cell in cells]
        rows.append([str(point[0]), *narrow])

    return ["remedy", *windows], rows


def wait_rows(result: Result, points: Points, window: str) -> Table:
    """Head and rows of a table of P(wait) and time blocked.

    The other window stands next to it, unless there are columns of fields that vary.
    """
    fields = result.parameters[1:]
    other = (
        None
        if fields
        else next((window_name for window_name in result.windows() if window_name != window), None)
    )
    head = ["remedy", *(name.split(".")[-1] for name in fields)]
    head += ["bytes/CPU", "P(wait)", INTERVAL, "blocked"]
    if other:
        head.append("from boot" if other == "boot" else "steady")

    rows = []
    for point in points:
        waits = result.get(point, "p_wait", window)
        size = result.get(point, "bytes_at_full", window).value or 0
        row = [
            str(point[0]),
            *(f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in point[1:]),
        ]
        row += [f"{size:.0f}", _value_words(waits)]
        row.append(_interval_words(waits, str(result.detail(point, "p_wait", window))))
        row.append(_value_words(result.get(point, "blocked", window)))
        if other:
            row.append(_value_words(result.get(point, "p_wait", other)))
        rows.append(row)

    return head, rows


def _interval_words(estimate: Estimate, method: str) -> str:
    """The interval of an estimate, or why it has none."""
    if estimate.kind == "bound" and method != "by construction":
        return "none seen"

    if estimate.kind in ("bound", "exact"):
        return method

    return (
        ""
        if estimate.lo is None or estimate.hi is None
        else f"{number(estimate.lo)}..{number(estimate.hi)}"
    )


def _value_words(estimate: Estimate) -> str:
    """An estimate without its interval: 0.00123, ~5.5e-09, <0.003, -."""
    return words(estimate).split(" [")[0].replace(" ", "")


def made_with(command: str, scenario: Scenario) -> list[str]:
    """The lines that say how to make an answer again, by a command if there is one."""
    if not command or command.startswith("("):
        # It was asked from Python, with remedies that no command line can name.
        text = "Made from Python, with values that no command line can name."
        return [*wrap(text), "Its scenario:", *_continued(command_near("show", scenario))]

    typed = shlex.split(command.replace("krcsim compare", "krcsim reply", 1))
    kept = [
        word
        for before, word in zip(["", *typed], typed, strict=False)
        if "--pin" not in (before, word)
    ]
    return ["Made with:", *_continued(shlex.join(kept))]


def _continued(command: str) -> list[str]:
    """A command on several lines, as a shell takes it."""
    lines = wrap(command, WIDTH - 3, "  ", " " * 6)
    return " \\\n".join(lines).split("\n")
