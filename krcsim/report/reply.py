# SPDX-License-Identifier: GPL-2.0-only
"""Result in, the whole answer to a mailing list out: verdict, what was compared, table and plot,
assumptions, command.

A mail has room for MOST_LINES lines of ours. Where an answer needs more, it gives way in this
order, and says so: rows of the table (the first row, those that the verdict names, the smallest
pool and the fewest pages that are enough and the row with the fewest waits stay longest) down to
FEW_ROWS; the height of the plot; more rows; the words for
rows that stand in the plot only; a long command; and at last the plot.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from krcsim.base.errors import KrcsimError
from krcsim.model.remedy_words import ON_OWN
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near
from krcsim.report.answer_legend import explanations, legend_lines, to_the_list
from krcsim.report.answer_table import answer_table, constant_fields, kept_words
from krcsim.report.chart import chart_of, is_by_episode
from krcsim.report.plain_text import WIDTH, check_text, wrap
from krcsim.report.recording_words import recording_in_short
from krcsim.report.sentences import (
    Points,
    assumptions,
    differences_in_short,
    found_in_short,
    signs_words,
    unexposed_words,
)
from krcsim.report.text_plot import HEIGHT, log_plot
from krcsim.results.legend import own_remedy, remedies_of
from krcsim.results.result import Cell, Result, scenario_of
from krcsim.results.verdict import phrase_of, verdict

MOST_LINES = 40
NEARLY = 1.25  # times the fewest waits of a kind of reserve, for a size that is enough
FEW_ROWS = 4  # before the plot gets lower
LOW = 4  # rows of a plot, at least
NO_PLOT = 0
LONG_LINE = 3  # sizes of one reserve make a line over bytes
MANY_SIZES = 8  # of fewer, marks beside their numbers say as much as lines
FEW_LINES = 8  # of a plot, which are all explained though the table has fewer rows
LONGEST_COMMAND = 5  # lines, where there is no room
# Where a reader gets krcsim: this and nothing else is to be changed once there is a public place.
WHERE = "ask me for its repository"
_GROWING = re.compile(rf"([BD])[1-9]\d*f?{ON_OWN}")  # B3-own, D2-own: sizes of a reserve
MADE_WITH = f"Made with krcsim (GPL-2.0-only; {WHERE})"


@dataclass(frozen=True)
class _Answer:
    """What of an answer does not depend on the room that there is.

    known: what each remedy is. plots: the lines of the plot by its height, none without a plot.
    """

    result: Result
    window: str
    said: str
    scenario: Scenario
    known: dict[str, str]
    plots: dict[int, list[str]]


@dataclass(frozen=True)
class _Room:
    """How many rows and how many lines of a command there are, how low the plot may be, and whether
    rows that stand in the plot only are explained.
    """

    rows: int
    lowest: int = HEIGHT
    explains_all: bool = True
    command: int = MOST_LINES


def answer_text(result: Result, window: str | None = None) -> str:
    """The answer to the list as plain text of at most 40 lines of 72 columns.

    `window`: boot or steady; left out, steady if there is any. Raises KrcsimError if the result has
    no such window.
    """
    said = verdict(result, window)
    window = _window_of(result, window)
    plots = {}
    if has_plot(result, window):
        chart = chart_of(result, window)
        plots = {height: log_plot(chart, height) for height in range(HEIGHT, LOW - 1, -1)}
    scenario = scenario_of(result)
    answer = _Answer(result, window, said, scenario, explanations(result), plots)

    order = _by_weight(result, said, window)
    for room in _rooms(len(order)):
        shown = {*order[: room.rows]}
        lines = _lines(answer, [point for point in result.points() if point in shown], room)
        if len(lines) <= MOST_LINES:
            break

    return check_text("\n".join(lines) + "\n")


def _rooms(rows: int) -> Iterator[_Room]:
    """What is tried one after the other until the answer has room."""
    few = min(rows, FEW_ROWS)
    yield from (_Room(n) for n in range(min(rows, MOST_LINES), few, -1))
    yield from (_Room(n, LOW) for n in range(few, 0, -1))
    yield from (_Room(n, LOW, explains_all=False) for n in range(few, 0, -1))
    yield from (_Room(n, LOW, False, LONGEST_COMMAND) for n in range(few, 0, -1))
    yield _Room(1, NO_PLOT, False, LONGEST_COMMAND)


def _lines(answer: _Answer, points: Points, room: _Room) -> list[str]:
    """The answer with these points in its table, and the highest plot that then has room."""
    result, window = answer.result, answer.window
    names = _distinct(points)
    everyone = _distinct(result.points())
    all_fit = answer.plots and room.explains_all and len(everyone) <= FEW_LINES
    notes = (
        kept_words(result, points, window),
        differences_in_short(result, window, names),
        signs_words(result, points, _windows_shown(result, window)),
        found_in_short(result, points, _windows_shown(result, window)),
        unexposed_words(result, points, _windows_shown(result, window)),
        recording_in_short(result),
        _left_out_rows(len(result.points()) - len(points), bool(answer.plots), result),
    )
    when = _span_words(result, answer.scenario, window)
    above = [
        *wrap(to_the_list(answer.said)),
        "",
        *legend_lines(answer.known, everyone if all_fit else names, when),
        "",
        *answer_table(result, points, window, marked=not answer.plots),
        *wrap(" ".join(filter(None, notes))),
        "",
    ]
    below = [
        *wrap(assumptions(answer.scenario, constant_fields(result))),
        "",
        *made_with(str(result.provenance["command"]), answer.scenario, room.command),
    ]
    if not answer.plots or room.lowest == NO_PLOT:
        return [*above, *below]

    free = MOST_LINES - len(above) - len(below) - 1
    heights = [height for height in answer.plots if height >= room.lowest]
    height = next((high for high in heights if len(answer.plots[high]) <= free), room.lowest)
    return [*above, *answer.plots[height], "", *below]


def _distinct(points: Points) -> list[str]:
    """The remedies of some points."""
    return list(dict.fromkeys(str(point[0]) for point in points))


def _window_of(result: Result, window: str | None) -> str:
    """The window asked for, or the one that is usual; raises KrcsimError if there is none such."""
    windows = result.windows()
    if not window:
        window = "steady" if "steady" in windows else next(iter(windows), "")
    if window not in windows:
        raise KrcsimError(f"window is {window!r}; allowed: {', '.join(windows) or 'none here'}")

    return window


def _windows_shown(result: Result, window: str) -> list[str]:
    """The windows that the table shows: the first and the last episode, or the one asked about."""
    windows = result.windows()
    return list(dict.fromkeys((windows[0], windows[-1]))) if is_by_episode(result) else [window]


def has_plot(result: Result, window: str) -> bool:
    """Whether a plot says more than marks beside the numbers: sizes in growing order, or
    episodes.
    """
    if is_by_episode(result):
        return True

    if result.parameters != ("remedy",):
        return False

    sizes = [len(line.x) for line in chart_of(result, window).lines]
    on_lines = sum(size for size in sizes if size >= LONG_LINE)
    return on_lines > MANY_SIZES and 2 * on_lines > sum(sizes)


def _by_weight(result: Result, said: str, window: str) -> Points:
    """The points, those first that stay longest in a table that is too long."""
    quantity = "p_wait_episode" if is_by_episode(result) else "p_wait"
    points = result.points()

    def waits(point: tuple[Cell, ...]) -> float:
        estimate = result.get(point, quantity, window)
        return 0.0 if estimate.kind == "bound" else estimate.value or 0.0

    own = own_remedy(result)
    made = remedies_of(result)
    named = [
        point
        for point in points
        if is_named(phrase_of(name := str(point[0]), own, made.get(name)), said)
    ]
    first = [points[0], *named, *_enough_of_each_kind(points, waits), min(points, key=waits)]
    return list(dict.fromkeys([*first, *points]))


def _enough_of_each_kind(
    points: Points, waits: Callable[[tuple[Cell, ...]], float]
) -> Iterator[tuple[Cell, ...]]:
    """Of pools and of pages that grow on one's setting the smallest that does nearly as well as the
    best of them, so that a table without room for all sizes still has both.
    """
    sizes: dict[str, list[tuple[Cell, ...]]] = {}
    for point in points:
        if found := _GROWING.fullmatch(str(point[0])):
            sizes.setdefault(found[1], []).append(point)

    for kind in sizes.values():
        best = min(map(waits, kind))
        yield next(point for point in kind if waits(point) <= NEARLY * best)


def is_named(phrase: str, said: str) -> bool:
    """Whether a verdict names a row by this phrase, and not by a longer one that begins with it."""
    begin = "(?i:without a reserve)" if phrase == "no reserve" else f"with {re.escape(phrase)}"
    return bool(re.search(rf"(?i:\b{begin})(?![\w(-]| \()", said))


def _left_out_rows(count: int, plotted: bool, result: Result) -> str:
    """What is said of the rows for which there is no room, and how to see them."""
    if not count:
        return ""

    rows = f"{count} more row{'s' * (count > 1)}"
    where = f"in the plot only: {rows}" if plotted else f"not shown: {rows}"
    by_command = str(result.provenance["command"]).startswith("krcsim compare")
    return f"{where[0].upper()}{where[1:]}{' (krcsim compare prints all)' * by_command}."


def _span_words(result: Result, scenario: Scenario, window: str) -> str:
    """What part of the time a text is about."""
    if is_by_episode(result):
        return "episode by episode"

    if window == "boot":
        return f"in the first {scenario.warmup_ms:g} ms from boot"
    return "in steady state"


def made_with(command: str, scenario: Scenario, most: int = MOST_LINES) -> list[str]:
    """The lines that say how to make an answer again, by a command if there is one.

    A command of more than `most` lines is left out, and the text says where it stands.
    """
    typed = shlex.split(command.replace("krcsim compare", "krcsim reply", 1))
    head = f"{MADE_WITH}:"
    if not command or command.startswith("("):
        # It was asked from Python, with remedies that no command line can name.
        head = f"{MADE_WITH}, from Python, with values that no command line can name. Its scenario:"
        typed = shlex.split(command_near("show", scenario))

    kept = [
        word
        for before, word in zip(["", *typed], typed, strict=False)
        if "--pin" not in (before, word)
    ]
    lines = _continued(shlex.join(kept))
    if len(lines) > most:
        return wrap(
            f"{MADE_WITH}, by a command of {len(lines)} lines, for which there is no room here: "
            "ask me for it."
        )
    return [*wrap(head), *lines]


def _continued(command: str) -> list[str]:
    """A command on several lines, as a shell takes it."""
    lines = wrap(command, WIDTH - 3, "  ", " " * 6)
    return " \\\n".join(lines).split("\n")
