# SPDX-License-Identifier: GPL-2.0-only
"""Result in, plain text out: at most 72 columns of 7-bit ASCII, fit for a mailing list."""

from __future__ import annotations

import math
import textwrap
from typing import Any

from krcsim.estimate import Estimate
from krcsim.measures import blocked_words
from krcsim.result import Cell, Result, number, scenario_of, words
from krcsim.scenario import Scenario
from krcsim.values import KrcsimError

WIDTH = 72
MARKS = "ox+#%&@=$"

def table(head: list[str], rows: list[list[str]], width: int = WIDTH) -> list[str]:
    """A table in plain text, first column to the left; raises KrcsimError if it is too wide."""
    cells = [head, *rows]
    size = [max(len(r[i]) for r in cells) for i in range(len(head))]
    if sum(size) + 2 * (len(size) - 1) > width:
        raise KrcsimError(f"the table needs more than {width} columns; name fewer parameters")
    lines = []
    for row in [head, ["-" * n for n in size], *rows]:
        first = row[0].ljust(size[0])
        lines.append("  ".join([first, *(c.rjust(n) for c,
            n in zip(row[1:], size[1:], strict=True))]))
    return [line.rstrip() for line in lines]

def log_plot(points: list[tuple[str, float, Estimate]], xlabel: str, ylabel: str,
        height: int = 11) -> list[str]:
    """Points (mark, x > 0, estimate) on two log axes; a bound has a `v` under its mark."""
    shown = [(m, x, e.value if e.kind != "bound" else e.hi, e) for m, x, e in points]
    shown = [(m, x, y, e) for m, x, y, e in shown if y]
    if not shown:
        return ["(nothing to plot)"]
    ys = [math.log10(y) for _, _, y, _ in shown if y]
    lo, hi = math.floor(min(ys) - 0.05), math.ceil(max(ys))
    hi = max(hi, lo + 1)
    xs = [math.log2(x) for _, x, _, _ in shown]
    x0, x1 = math.floor(min(xs)), math.ceil(max(xs))
    x1 = max(x1, x0 + 1)
    cols = WIDTH - 11
    grid = [[" "] * (cols + 1) for _ in range(height)]
    for mark, x, y, e in shown:
        assert y is not None
        c = round((math.log2(x) - x0) / (x1 - x0) * cols)
        r = height - 1 - round((math.log10(y) - lo) / (hi - lo) * (height - 1))
        while c < cols and grid[r][c] not in (" ", mark):  # side by side where marks would meet
            c += 1
        grid[r][c] = mark
        if e.kind == "bound" and r + 1 < height:
            grid[r + 1][c] = "v"
    ticks = {height - 1 - round((k - lo) / (hi - lo) * (height - 1)): k for k in range(lo, hi + 1)}
    lines = [f"{ylabel}"]
    for r, line in enumerate(grid):
        label = f"1e{ticks[r]}" if r in ticks else ""
        lines.append(f"{label:>6} {'+' if r in ticks else '|'}{''.join(line)}".rstrip())
    axis = ["-"] * (cols + 1)
    names = [" "] * (cols + 9)
    for k in range(x0, x1 + 1):
        c = round((k - x0) / (x1 - x0) * cols)
        axis[c] = "+"
        text = f"{2**k / 1024:g}K"
        at = max(0, c + 1 - len(text) // 2)
        names[at : at + len(text)] = text
    lines.append(" " * 7 + "+" + "".join(axis))
    lines.append(" " * 7 + "".join(names).rstrip())
    lines.append((" " * 8 + xlabel.center(cols)).rstrip())
    return lines

def situation(s: Scenario) -> str:
    """The machine and the load in a sentence or two."""
    w, a, m = s.workload, s.allocator, s.machine
    load = f"{w.rate_hz:g} calls/s per CPU ({w.arrivals}, {w.loop} loop"
    load += f", {w.producers} tasks" if w.loop == "closed" else ""
    load += ")" if w.single_share == 1 else f", {100 * w.single_share:g} % single-argument)"
    text = f"{m.cpus} CPU{'s' * (m.cpus > 1)}, HZ={m.hz}, {load}; "
    if a.spells == "none":
        text += "no spells of pressure"
    else:
        page, _, head, atomic, high, last = a.spell.resolved()
        length = f"{a.spell_ms:g} ms every {a.spell_ms + a.calm_ms:g} ms on average"
        given = f"{len(a.schedules)} given schedule{'s' * (len(a.schedules) > 1)}"
        text += (
            f"spells of pressure {length if a.spells == 'exponential' else given} in which a page "
            f"request fails with probability {page:g} and an rcu_head request with {head:g} "
            f"(NOWAIT), {atomic:g} (ATOMIC), {last:g} (after reclaim)")
    return text + f"; {s.grace_period.origin(m.hz, m.cpus)}."

def remark(result: Result, window: str) -> str:
    """What the paired differences say, one clause a remedy."""
    said = []
    for row in result.differences:
        remedy, base, win, quantity, d, lo, hi, _ = row
        if win != window or quantity != "p_wait":
            continue
        d, lo, hi = (float(x or 0.0) for x in (d, lo, hi))
        if lo == hi == 0:
            said.append(f"{remedy} waited exactly when {base} did")
        elif lo <= 0 <= hi:
            said.append(f"{remedy}: no difference from {base} proven at 95 %")
        else:
            sign = "more" if d > 0 else "less"
            low, high = sorted((abs(lo), abs(hi)))
            said.append(f"{remedy}: {number(abs(d))} {sign} [{number(low)}, {number(high)}]")
    return f"P(wait) in the same worlds: {'; '.join(said)}." if said else ""

def wrap(text: str, indent: str = "") -> list[str]:
    """A paragraph in lines of at most 72 columns."""
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False,
        break_on_hyphens=False)

def command_lines(command: str) -> list[str]:
    """A shell command in lines of at most 72 columns, continued with backslashes."""
    lines, line = [], "  "
    for word in command.split(" "):
        if len(line) + len(word) + 3 > WIDTH and line.strip():
            lines.append(line.rstrip() + " \\")
            line = "      "
        line += word + " "
    return [*lines, line.rstrip()]

def answer_text(result: Result, window: str | None = None) -> str:
    """The answer to the list: situation, table, differences, plot, what is left out, command.

    `window`: boot or steady; left out, steady if there is any. Raises KrcsimError if the result
    has no such window.
    """
    windows = result.windows()
    window = window or ("steady" if "steady" in windows else windows[0] if windows else "")
    if window not in windows:
        raise KrcsimError(f"window is {window!r}; allowed: {', '.join(windows) or 'none here'}")
    s = scenario_of(result)
    points = result.points()
    from_boot = s.warmup_ms if window == "boot" else s.horizon_ms
    span = f"first {from_boot:g} ms from boot" if window == "boot" else "steady state"
    lines = wrap(f"krcsim, {span}: {situation(s)} 95 % intervals over replications; "
        '"<" is an upper bound where no wait was seen.')
    lines += [""]
    extra = list(result.parameters[1:])
    rows = [_row(result, p, window, extra) for p in points[:40]]
    head = ["remedy", *(name.split(".")[-1] for name in extra), "bytes/CPU", "P(wait)"]
    head += ["95 % interval", "blocked"]
    other = next((x for x in windows if x != window), None)
    if other and not extra:  # the other answer beside it, where there is room
        head.append("from boot" if other == "boot" else "steady")
        for p, row in zip(points, rows, strict=False):
            row.append(words(result.get(p, "p_wait", other)).split(" [")[0])
    lines += table(head, rows)
    lines += [""]
    lines += wrap(
        "bytes/CPU: reserve once full, the page that the plain code keeps counted for all. "
        f"P(wait): per single-argument call. blocked: {blocked_words(s)}, in grace-period waits.")
    said = remark(result, window)
    lines += wrap(said) if said else []
    lines += [""]
    marks = {p: MARKS[i % len(MARKS)] for i, p in enumerate(dict.fromkeys(q[0] for q in points))}
    lines += log_plot([(marks[p[0]], _bytes(result, p, window), result.get(p, "p_wait", window))
        for p in points], "bytes per CPU", "P(wait)   " + "  ".join(f"{m} {p}" for p,
        m in marks.items())[:60])
    lines += [""]
    lines += wrap(
        "Rates, spells and failure probabilities are assumptions of the scenario. Left out: "
        "watermarks and slab free lists as mechanisms, the memory that deferred objects hold, "
        "CPU hot-plug.")
    lines += ["", "Made with:", *command_lines(str(result.provenance["command"]))]
    return check_text("\n".join(lines) + "\n")

def _row(result: Result, p: tuple[Cell, ...], window: str, extra: list[str]) -> list[str]:
    e = result.get(p, "p_wait", window)
    blocked = result.get(p, "blocked", window)
    interval = "" if e.lo is None or e.hi is None else f"{number(e.lo)} .. {number(e.hi)}"
    if e.kind == "bound":
        interval = "none seen"
    value = words(e).split(" [")[0]
    cells = [str(p[0]), *(_short(v) for v in p[1 : 1 + len(extra)])]
    cells += [f"{_bytes(result, p, window):.0f}", value, interval]
    return [*cells, "-" if blocked.value is None else number(blocked.value)]

def _short(v: Any) -> str:
    return f"{v:g}" if isinstance(v, float) else str(v)

def _bytes(result: Result, p: tuple[Cell, ...], window: str) -> float:
    return result.get(p, "bytes_at_full", window).value or 0.0

def check_text(text: str) -> str:
    """The text itself if a list would take it; raises KrcsimError for what it would mangle."""
    for n, line in enumerate(text.split("\n"), 1):
        if len(line) > WIDTH and not line.startswith("  "):
            raise KrcsimError(f"line {n} of the reply has {len(line)} columns; allowed: {WIDTH}")
        if not line.isascii() or "\t" in line or line != line.rstrip():
            raise KrcsimError(f"line {n} of the reply is not plain 7-bit text; change the names")
    return text
