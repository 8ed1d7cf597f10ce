# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios and results in sentences: the situation, what is assumed, what was found
and how.
"""

from typing import Any

from krcsim.model.scenario import Scenario
from krcsim.report.chart import is_by_episode, main_quantity
from krcsim.results.result import Cell, Result, number

Points = list[tuple[Cell, ...]]

# How a row was found where plain runs saw no wait.
FOUND_BY = {
    "rare": "found by importance sampling or splitting",
    "exact": "found by the exact chain",
    "by construction": "known by construction",
    "bound": "only bounded",
}


def blocked_words(scenario: Scenario) -> str:
    """What `blocked` and `stalled` measure in a scenario."""
    closed = scenario.workload.loop == "closed"
    return "share of the producers' time" if closed else "mean number of tasks at once, all CPUs"


def situation(scenario: Scenario) -> str:
    """The machine and the load in a sentence or two."""
    parts = (
        _load(scenario),
        _pressure(scenario),
        scenario.grace_period.origin(scenario.machine.hz, scenario.machine.cpus),
    )
    return "; ".join(parts) + "."


def _load(scenario: Scenario) -> str:
    """The CPUs and the calls that they make."""
    load = scenario.workload
    machine = scenario.machine
    plural = "s" * (machine.cpus > 1)
    tasks = f", {load.producers} tasks" if load.loop == "closed" else ""
    single = ""
    if load.single_share != 1:
        single = f", {100 * load.single_share:g} % single-argument"
    return (
        f"{machine.cpus} CPU{plural}, HZ={machine.hz}, {load.rate_hz:g} calls/s per CPU "
        f"({load.arrivals}, {load.loop} loop{tasks}{single})"
    )


def _pressure(scenario: Scenario) -> str:
    """The episodes of pressure, and what fails in them."""
    allocator = scenario.allocator
    if allocator.episodes == "none":
        return "no episodes of pressure"

    cycle_ms = allocator.episode_ms + allocator.calm_ms
    length = f"{allocator.episode_ms:g} ms every {cycle_ms:g} ms on average"
    if allocator.episodes == "schedule":
        count = len(allocator.schedules)
        length = f"{count} given schedule{'s' * (count > 1)}"
    if scenario.memory.pressure == "pages":
        return (
            f"episodes of pressure {length} in which pages are taken down to a watermark "
            f"({scenario.memory.mib:g} MiB, hog: {scenario.memory.hog})"
        )

    page, _, head, atomic, _, after_reclaim = allocator.episode.resolved()
    return (
        f"episodes of pressure {length} in which a page request fails with probability {page:g} "
        f"and an rcu_head request with {head:g} (NOWAIT), {atomic:g} (ATOMIC), "
        f"{after_reclaim:g} (after reclaim)"
    )


def assumed(scenario: Scenario) -> str:
    """What of a scenario nobody measured, in a sentence without its full stop."""
    parts = ["rates"]
    if scenario.allocator.episodes != "none":
        parts.append("episodes")
    if scenario.memory.pressure == "pages":
        parts += ["the hog", "memory sizes"]
    else:
        parts.append("failure probabilities")

    *others, last = parts
    return f"{', '.join(others).capitalize()} and {last} are assumptions of the scenario"


def left_out(scenario: Scenario) -> str:
    """What is not simulated in a scenario, in a sentence without its full stop."""
    pages = scenario.memory.pressure == "pages"
    parts = ["watermarks and slab free lists as mechanisms"]
    if pages:
        parts = ["zones, swap and writeback", "the node's partial slabs"]
    if not (pages and scenario.memory.deferred_counts):
        parts.append("the memory that deferred objects hold")

    return f"Left out: {', '.join([*parts, 'CPU hot-plug'])}"


def found_words(result: Result, points: Points) -> str:
    """What was found at points where plain runs saw no wait, and what was spent on it.

    Empty if there is no such point.
    """
    quantity = main_quantity(result)
    windows = result.windows()
    parts = []
    for method, how in FOUND_BY.items():
        names = []
        for point in points:
            found_in = [
                name_of_window
                for name_of_window in windows
                if result.detail(point, quantity, name_of_window) == method
            ]
            if found_in:
                names.append(_name(point) + _in_windows(found_in, windows))
        if names:
            parts.append(f"{', '.join(names)} ({how})")

    if not parts:
        return ""

    text = f"No wait was seen in plain runs with {'; '.join(parts)}. "
    if budget := result.provenance.get("budget"):
        text += f"Up to {number(budget)} events more were spent on each remedy. "
    if any(
        result.get(point, quantity, name_of_window).kind == "rough"
        for point in points
        for name_of_window in windows
    ):
        text += '"~" gives the order of magnitude only.'
    return text


def unexposed_words(result: Result, points: Points) -> str:
    """At which points no call could have waited, so that nothing is known; empty if at
    none.
    """
    quantity = main_quantity(result)
    parts = []
    for window in result.windows():
        names = [
            _name(point) for point in points if result.get(point, quantity, window).kind == "none"
        ]
        if names:
            parts.append(f"{window}: no call was made under pressure with {', '.join(names)}")

    return "; ".join(parts) + ": nothing is known about waits." if parts else ""


def _name(point: tuple[Cell, ...]) -> str:
    return " ".join(map(str, point))


def _in_windows(found_in: list[str], windows: list[str]) -> str:
    """In which windows, if not in all."""
    if found_in == windows:
        return ""

    if len(found_in) == 1:
        return f" in {found_in[0]}"

    return f" in {len(found_in)} of {len(windows)} episodes"


def differences_words(result: Result, window: str, names: list[str]) -> str:
    """How the named remedies differ from the first one, one clause each; empty if none
    does.
    """
    clauses = []
    base = ""
    rows: Any = result.differences
    for remedy, first, where, quantity, value, lo, hi, saves in rows:
        if where != window or not str(quantity).startswith("p_wait") or remedy not in names:
            continue
        base = str(first)
        runs = [
            int(str(result.detail(name, quantity, window, "replications")))
            for name in (remedy, base)
        ]
        clauses.append(f"{remedy}: {difference_words(base, min(runs), value, lo, hi, saves)}")

    if not clauses:
        return ""

    episode = f" in {window}" if is_by_episode(result) else ""
    return f"P(wait) with the same random draws{episode}, against {base}: {'; '.join(clauses)}."


def difference_words(base: str, runs: int, value: Cell, lo: Cell, hi: Cell, saves: Cell) -> str:
    """A difference in words, no more than it carries.

    A number, or at least so much, or that none was seen, or none is proven.
    """
    low = float(lo or 0.0)
    high = float(hi or 0.0)
    least, most = sorted((abs(low), abs(high)))
    if value == 0.0 and saves == 1.0:  # older files have an interval of no width here
        limit = f" (at most {number(most)})" if most else ""
        return f"no difference from {base} was seen in {runs} runs{limit}"

    if low <= 0.0 <= high:
        return f"no difference from {base} proven at 95 %"

    word = "less" if high < 0.0 else "more"
    if value is None:
        return f"{word} by {number(least)} at least"

    return f"{number(abs(float(value)))} {word} [{number(least)}, {number(most)}]"
