# SPDX-License-Identifier: GPL-2.0-only
"""Result in, plain text out: at most 72 columns of 7-bit ASCII, fit for a mailing list."""

import math
import shlex
import textwrap
from collections.abc import Callable
from typing import Any

from krcsim.base.errors import KrcsimError
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near
from krcsim.report.chart import OWN, Chart, chart_of, is_by_episode, unseen
from krcsim.report.chart import height as height_of
from krcsim.results.estimate import Estimate
from krcsim.results.result import Cell, Result, number, scenario_of, words

WIDTH = 72
MARKS, OWN_MARK = "ox+#%&@=$", "*"


def blocked_words(s: Scenario) -> str:
    """What `blocked` and `stalled` measure in a scenario."""
    closed = s.workload.loop == "closed"
    return "share of the producers' time" if closed else "mean number of tasks at once, all CPUs"


def table(head: list[str], rows: list[list[str]], width: int = WIDTH) -> list[str]:
    """A table in plain text, first column to the left; raises KrcsimError if it is too wide."""
    size = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    if sum(size) + 2 * (len(size) - 1) > width:
        raise KrcsimError(f"the table needs more than {width} columns; name fewer parameters")
    lines = []
    for first, *others in [head, ["-" * n for n in size], *rows]:
        cells = [first.ljust(size[0]), *map(str.rjust, others, size[1:])]
        lines.append("  ".join(cells).rstrip())
    return lines


# Columns that a table does without where it is too wide, the first first.
SPARE = ("from boot", "steady", "blocked", "bytes/CPU")


def fitting(head: list[str], rows: list[list[str]], width: int = WIDTH) -> list[str]:
    """A table that fits: without the columns that can be spared, then without intervals, at last a
    point a line.
    """
    kept = [*range(len(head))]
    for spare in ("", *SPARE):
        kept = [k for k in kept if head[k] != spare or k < 2]
        lines = table([head[k] for k in kept], [[row[k] for k in kept] for row in rows], 100_000)
        if max(map(len, lines)) <= width:
            return lines
    kept = [k for k in kept if head[k] != "95 % interval"]
    lines = table(
        [head[k] for k in kept], [[row[k].split(" [")[0] for k in kept] for row in rows], 100_000
    )
    if max(map(len, lines)) <= width:
        return lines
    return [
        line
        for row in rows
        for line in wrap(
            ", ".join(f"{name} {cell}" for name, cell in zip(head, row, strict=True) if cell),
            width,
            "  ",
            " " * 6,
        )
    ]


def log_plot(chart: Chart, height: int = 10) -> list[str]:
    """A chart with a mark a line, y logarithmic; below the axis a strip with the marks of what was
    not seen.
    """
    marks = iter(MARKS)
    legend = {line.name: OWN_MARK if line.name == OWN else next(marks, "?") for line in chart.lines}
    points = [
        (legend[line.name], math.log2(x) if chart.bytes_axis else x, e)
        for line in chart.lines
        for x, e in zip(line.x, line.estimates, strict=True)
    ]
    seen = [
        (mark, x, math.log10(height_of(e))) for mark, x, e in points if not math.isnan(height_of(e))
    ]
    below = [(mark, x) for mark, x, e in points if unseen(e)]
    if not seen and not below:
        return ["(nothing to plot)"]
    xs = [x for _, x, _ in seen] + [x for _, x in below]
    x0 = math.floor(min(xs))
    x1 = max(math.ceil(max(xs)), x0 + 1)
    cols = WIDTH - 11

    def column(x: float) -> int:
        return round((x - x0) / (x1 - x0) * cols)

    lines, axis = [], _axis(column, x0, x1, cols, chart.bytes_axis)
    if seen:
        ys = [y for *_, y in seen]
        y0 = math.floor(min(ys) - 0.05)
        y1 = max(math.ceil(max(ys)), y0 + 1)

        def row(y: float) -> int:
            return height - 1 - round((y - y0) / (y1 - y0) * (height - 1))

        grid = [[" "] * (cols + 1) for _ in range(height)]
        for mark, x, y in seen:
            _put(grid[row(y)], column(x), mark)
        ticks = {row(k): f"1e{k}" for k in range(y0, y1 + 1)}
        lines = [
            f"{ticks.get(r, ''):>6} {'+' if r in ticks else '|'}{''.join(line)}".rstrip()
            for r, line in enumerate(grid)
        ]
    if below:
        under = [" "] * (cols + 1)
        for mark, x in below:
            _put(under, column(x), mark)
        lines += [
            " " * 7 + "+" + "-" * (cols + 1),
            f"{'none':>6} |{''.join(under)}".rstrip(),
            f"{'seen':>6} {axis[0]}",
        ]
    else:
        lines += [" " * 7 + axis[0]]
    keys = wrap("; ".join(f"{mark} {name}" for name, mark in legend.items()))
    return [
        "P(wait)",
        *lines,
        axis[1],
        (" " * 8 + chart.xlabel.center(cols)).rstrip()[:WIDTH],
        *keys,
    ]


def _put(cells: list[str], c: int, mark: str) -> None:
    """Put a mark into a row, side by side where marks would meet."""
    while c < len(cells) - 1 and cells[c] not in (" ", mark):
        c += 1
    cells[c] = mark


def _axis(
    column: Callable[[float], int], x0: int, x1: int, cols: int, in_bytes: bool
) -> tuple[str, str]:
    """The axis of x with its ticks, and what is written below."""
    axis, names = ["-"] * (cols + 1), [" "] * (cols + 9)
    for k in range(x0, x1 + 1):
        axis[column(k)] = "+"
        text = (
            str(k)
            if not in_bytes
            else "0"
            if k == 4
            else f"{2**k}"
            if k < 10
            else f"{2**k // 1024}K"
        )
        at = max(0, column(k) + 1 - len(text) // 2)
        if not "".join(names[max(0, at - 1) : at + len(text)]).strip():
            names[at : at + len(text)] = text
    return "+" + "".join(axis), " " * 7 + "".join(names).rstrip()


def situation(s: Scenario) -> str:
    """The machine and the load in a sentence or two."""
    w, a, m = s.workload, s.allocator, s.machine
    tasks = f", {w.producers} tasks" if w.loop == "closed" else ""
    single = "" if w.single_share == 1 else f", {100 * w.single_share:g} % single-argument"
    text = (
        f"{m.cpus} CPU{'s' * (m.cpus > 1)}, HZ={m.hz}, {w.rate_hz:g} calls/s per CPU "
        f"({w.arrivals}, {w.loop} loop{tasks}{single}); "
    )
    page, _, head, atomic, _, last = a.episode.resolved()
    length = f"{a.episode_ms:g} ms every {a.episode_ms + a.calm_ms:g} ms on average"
    if a.episodes == "schedule":
        length = f"{len(a.schedules)} given schedule{'s' * (len(a.schedules) > 1)}"
    if s.memory.pressure == "pages" and a.episodes != "none":
        return text + (
            f"episodes of pressure {length} in which pages are taken down to a watermark "
            f"({s.memory.mib:g} MiB, hog: {s.memory.hog}); {s.grace_period.origin(m.hz, m.cpus)}."
        )
    text += (
        "no episodes of pressure"
        if a.episodes == "none"
        else (
            f"episodes of pressure {length} in which a page request fails with probability "
            f"{page:g} "
            f"and an rcu_head request with {head:g} (NOWAIT), {atomic:g} (ATOMIC), {last:g} "
            "(after reclaim)"
        )
    )
    return text + f"; {s.grace_period.origin(m.hz, m.cpus)}."


def remark(result: Result, window: str, names: list[str]) -> str:
    """What the differences of the named remedies from the first one say, one clause each."""
    said, episode = [], f" in {window}" if is_by_episode(result) else ""
    rows: Any = result.differences
    for remedy, base, win, quantity, value, lo, hi, saves in rows:
        if win != window or not str(quantity).startswith("p_wait") or remedy not in names:
            continue
        runs = min(
            int(str(result.detail(name, quantity, window, "replications")))
            for name in (remedy, base)
        )
        said.append(f"{remedy}: " + difference_words(str(base), runs, value, lo, hi, saves))
    return (
        f"P(wait) in the same worlds{episode}, against {base}: {'; '.join(said)}." if said else ""
    )


def difference_words(base: str, runs: int, value: Cell, lo: Cell, hi: Cell, saves: Cell) -> str:
    """A difference in words, no more than it carries: a number, at least so much, or that none was
    seen or proven.
    """
    low, high = float(lo or 0.0), float(hi or 0.0)
    least, most = sorted((abs(low), abs(high)))
    if value == 0.0 and saves == 1.0:  # older files have a zero interval here
        return f"no difference from {base} was seen in {runs} runs" + (
            f" (at most {number(most)})" if most else ""
        )
    if low <= 0.0 <= high:
        return f"no difference from {base} proven at 95 %"
    word = "less" if high < 0.0 else "more"
    if value is None:
        return f"{word} by {number(least)} at least"
    return f"{number(abs(float(value)))} {word} [{number(least)}, {number(most)}]"


def wrap(text: str, width: int = WIDTH, first: str = "", later: str = "") -> list[str]:
    """A paragraph in lines of at most 72 columns, the first and the later ones indented."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
        expand_tabs=False,
        replace_whitespace=False,
    )


def answer_text(result: Result, window: str | None = None) -> str:
    """The answer to the list: situation, table, differences, plot, what is left out, command.

    `window`: boot or steady; left out, steady if there is any. Raises KrcsimError if the result has
    no such window.
    """
    windows = result.windows()
    window = window or ("steady" if "steady" in windows else windows[0] if windows else "")
    if window not in windows:
        raise KrcsimError(f"window is {window!r}; allowed: {', '.join(windows) or 'none here'}")
    s, points = scenario_of(result), result.points()
    if len(points) > 12:  # growing reserves: in the plot only
        points = [p for p in points if not str(p[0]).endswith("-own")][:40]
    episodes = is_by_episode(result)
    span = (
        "episode by episode from boot"
        if episodes
        else f"first {s.warmup_ms:g} ms from boot"
        if window == "boot"
        else "steady state"
    )
    rows = episode_rows(result, points) if episodes else wait_rows(result, points, window)
    key = (
        "Per single-argument call made in the episode."
        if episodes
        else "bytes/CPU: reserve once full, the page that "
        "the plain code keeps counted for all. P(wait): per single-argument call. "
        f"blocked: {blocked_words(s)}, in grace-period waits."
    )
    lines = [
        *wrap(
            f"krcsim, {span}: {situation(s)} 95 % intervals over replications; "
            '"<" is an upper bound at 99.9 % where no wait was seen.'
        ),
        "",
        *fitting(*rows),
        "",
        *wrap(key),
        *wrap(found_words(result, points)),
        *wrap(unexposed_words(result, points)),
        *wrap(remark(result, window, [str(p[0]) for p in points])),
        "",
        *log_plot(chart_of(result, window)),
        "",
        *wrap(f"{assumed(s)}. {left_out(s)}."),
        "",
        *made_with(str(result.provenance["command"]), s),
    ]
    return check_text("\n".join(lines) + "\n")


def assumed(s: Scenario) -> str:
    """What of a scenario nobody measured, in a sentence without its full stop."""
    kinds = ["rates"] + ["episodes"] * (s.allocator.episodes != "none")
    kinds += (
        ["the hog", "memory sizes"] if s.memory.pressure == "pages" else ["failure probabilities"]
    )
    return f"{', '.join(kinds[:-1]).capitalize()} and {kinds[-1]} are assumptions of the scenario"


def left_out(s: Scenario) -> str:
    """What is not simulated in a scenario, in a sentence without its full stop."""
    pages = s.memory.pressure == "pages"
    parts = (
        ["zones, swap and writeback", "the node's partial slabs"]
        if pages
        else ["watermarks and slab free lists as mechanisms"]
    )
    parts += [] if pages and s.memory.deferred_counts else ["the memory that deferred objects hold"]
    return f"Left out: {', '.join([*parts, 'CPU hot-plug'])}"


def made_with(command: str, s: Scenario) -> list[str]:
    """The lines that say how to make an answer again, by a command if there is one."""
    if not command or command.startswith(
        "("
    ):  # Python had remedies of its own, which no command line can name
        said = "Made from Python, with values that no command line can name."
        return [*wrap(said), "Its scenario:", *_continued(command_near("show", s))]
    given = shlex.split(command.replace("krcsim compare", "krcsim reply", 1))
    kept = [
        word for last, word in zip(["", *given], given, strict=False) if "--pin" not in (last, word)
    ]
    return ["Made with:", *_continued(shlex.join(kept))]


def _continued(command: str) -> list[str]:
    return " \\\n".join(wrap(command, WIDTH - 3, "  ", " " * 6)).split("\n")


def episode_rows(
    result: Result, points: list[tuple[Cell, ...]]
) -> tuple[list[str], list[list[str]]]:
    """Head and rows of a table of the first and the last episode."""
    shown = list(dict.fromkeys((result.windows()[0], result.windows()[-1])))
    return ["remedy", *shown], [
        [
            str(p[0]),
            *(
                words(result.get(p, "p_wait_episode", w)).replace(", ", ",").replace("~ ", "~")
                for w in shown
            ),
        ]
        for p in points
    ]


HOW = {
    "rare": "found by rare-event estimation",
    "exact": "found by the exact chain",
    "by construction": "known by construction",
    "bound": "only bounded",
}


def found_words(result: Result, points: list[tuple[Cell, ...]]) -> str:
    """For which of the points plain runs saw no wait, what was found instead, and what was spent on
    it; "" if none.
    """
    quantity = "p_wait_episode" if is_by_episode(result) else "p_wait"
    parts = []
    for method, words_of_it in HOW.items():
        names = []
        for p in points:
            where = [w for w in result.windows() if result.detail(p, quantity, w) == method]
            if where:
                names.append(" ".join(map(str, p)) + _in_windows(where, result.windows()))
        if names:
            parts.append(f"{', '.join(names)} ({words_of_it})")
    if not parts:
        return ""
    budget = result.provenance.get("budget")
    spent = f"Up to {number(budget)} events more were spent on each remedy. " if budget else ""
    rough = any(
        result.get(p, quantity, w).kind == "rough" for p in points for w in result.windows()
    )
    return (
        f"No wait was seen in plain runs with {'; '.join(parts)}. {spent}"
        + "~ is read as a factor." * rough
    )


def unexposed_words(result: Result, points: list[tuple[Cell, ...]]) -> str:
    """With which of the points no call could have waited, so that nothing is known about waits; ""
    if none.
    """
    quantity = "p_wait_episode" if is_by_episode(result) else "p_wait"
    said = []
    for w in result.windows():
        names = [" ".join(map(str, p)) for p in points if result.get(p, quantity, w).kind == "none"]
        if names:
            said.append(f"{w}: no call was made under pressure with {', '.join(names)}")
    return "; ".join(said) + ": nothing is known about waits." if said else ""


def _in_windows(where: list[str], every: list[str]) -> str:
    """In which windows, if not in all."""
    if where == every:
        return ""
    return f" in {where[0]}" if len(where) == 1 else f" in {len(where)} of {len(every)} episodes"


def wait_rows(
    result: Result, points: list[tuple[Cell, ...]], window: str
) -> tuple[list[str], list[list[str]]]:
    """Head and rows of a table of P(wait) and time blocked, with the other window where there is
    room.
    """
    extra = result.parameters[1:]
    head = [
        "remedy",
        *(name.split(".")[-1] for name in extra),
        "bytes/CPU",
        "P(wait)",
        "95 % interval",
        "blocked",
    ]
    other = next((x for x in result.windows() if x != window), None) if not extra else None
    rows = []
    for p in points:
        e, blocked, size = (
            result.get(p, name, window) for name in ("p_wait", "blocked", "bytes_at_full")
        )
        interval = "" if e.lo is None or e.hi is None else f"{number(e.lo)}..{number(e.hi)}"
        if e.kind in ("bound", "exact"):
            how = result.detail(p, "p_wait", window)
            interval = "none seen" if e.kind == "bound" and how != "by construction" else str(how)
        row = [
            str(p[0]),
            *(f"{v:g}" if isinstance(v, float) else str(v) for v in p[1:]),
            f"{size.value or 0:.0f}",
            _short(e),
            interval,
            _short(blocked),
        ]
        rows.append(row + ([_short(result.get(p, "p_wait", other))] if other else []))
    return head + (["from boot" if other == "boot" else "steady"] if other else []), rows


def _short(e: Estimate) -> str:
    """An estimate without its interval: 0.00123, ~5.5e-09, <0.003, -."""
    return words(e).split(" [")[0].replace(" ", "")


def check_text(text: str) -> str:
    """The text itself if a list would take it; raises KrcsimError for what it would mangle."""
    for n, line in enumerate(text.split("\n"), 1):
        if len(line) > WIDTH and not line.startswith("  "):
            raise KrcsimError(f"line {n} of the reply has {len(line)} columns; allowed: {WIDTH}")
        if not line.isascii() or "\t" in line or line != line.rstrip():
            raise KrcsimError(f"line {n} of the reply is not plain 7-bit text; change the names")
    return text
