# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios and results in sentences: the situation, what is assumed, what was found
and how.
"""

from collections.abc import Collection, Sequence
from typing import Any

from krcsim.model.scenario import Scenario
from krcsim.report.chart import main_quantity
from krcsim.results.result import Cell, Result, number

Points = list[tuple[Cell, ...]]

FEWER, MORE = "fewer waits", "more waits"
NOT_PROVEN, NOT_SEEN = "no difference proven", "no difference seen in any run"

# How a row was found where plain runs saw no wait.
FOUND_BY = {
    "rare": "found by importance sampling or splitting",
    "exact": "found by the exact chain",
    "by construction": "known by construction",
    "bound": "only bounded",
}


def situation(scenario: Scenario) -> str:
    """The machine and the load in a sentence or two."""
    parts = (
        _load(scenario),
        _pressure(scenario),
        scenario.origin_of_grace_periods(),
    )
    return "; ".join(parts) + "."


def _load(scenario: Scenario) -> str:
    """The CPUs and the calls that they make."""
    load = scenario.workload
    machine = scenario.machine
    plural = "s" * (machine.cpus > 1)
    tasks = ""
    if load.loop == "closed":
        tasks = f", {load.producers} task{'s' * (load.producers > 1)}"
    single = ""
    if load.single_share != 1:
        single = f", {100 * load.single_share:g} % single-argument"
    calls = f"{load.rate_hz:g} call{'s' * (load.rate_hz != 1)}/s per CPU"
    if load.cpu_shares or load.rate_changes or load.calls is not None:
        calls += " on average"
    if load.rate_factors():
        calls += f" in {len(load.rate_factors())} pieces of time"
    return (
        f"{machine.cpus} CPU{plural}, HZ={machine.hz}, {calls} "
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
            f"under pressure ({length}) pages are taken down to a watermark "
            f"({scenario.memory.mib:g} MiB, hog: {scenario.memory.hog})"
        )

    page, _, head, atomic, _, after_reclaim, _ = allocator.episode.resolved()
    return (
        f"under pressure ({length}) page requests fail with probability {page:g}, "
        f"rcu_head requests with {head:g} (NOWAIT), {atomic:g} (ATOMIC), "
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


def assumptions(scenario: Scenario, constant: Sequence[str] = ()) -> str:
    """All that an answer assumes and leaves out, in one sentence.

    `constant`: fields that have another value than the scenario, the same at all points.
    """
    but = f", but {', '.join(constant)}" if constant else ""
    told = situation(scenario)[:-1].replace(f", on ticks of HZ={scenario.machine.hz}", "")
    return f"Assumed: {told}{but}; {left_out(scenario).replace('Left out:', 'left out:')}."


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


def unexposed_words(result: Result, points: Points, windows: Sequence[str] | None = None) -> str:
    """At which points no call could have waited, so that nothing is known; empty if at
    none. `windows`: all if left out.
    """
    quantity = main_quantity(result)
    parts = []
    for window in windows or result.windows():
        names = [
            _name(point) for point in points if result.get(point, quantity, window).kind == "none"
        ]
        if names:
            parts.append(f"{window}: no call was made under pressure with {', '.join(names)}")

    return "; ".join(parts) + ": nothing is known about waits." if parts else ""


def found_in_short(result: Result, points: Points, windows: Sequence[str]) -> str:
    """The points at which plain runs saw no wait and other methods did, in these windows."""
    quantity = main_quantity(result)
    parts = []
    for method in ("rare", "exact"):
        names = [
            _name(point)
            for point in points
            if any(result.detail(point, quantity, window) == method for window in windows)
        ]
        if names:
            parts.append(f"{FOUND_BY[method]}: {', '.join(names)}")

    return f"Too rare for plain runs, {'; '.join(parts)}." if parts else ""


def signs_words(result: Result, points: Points, windows: Sequence[str]) -> str:
    """What the signs before numbers mean, of those that a table has."""
    quantity = main_quantity(result)
    places = [(point, window) for point in points for window in windows]
    kinds = {
        result.get(point, quantity, window).kind
        for point, window in places
        if result.detail(point, quantity, window) != "by construction"
    }
    text = {"rough": '"~": order of magnitude only.', "bound": '">": no wait seen, a 99.9 % bound.'}
    return " ".join(words for kind, words in text.items() if kind in kinds)


def _name(point: tuple[Cell, ...]) -> str:
    return " ".join(map(str, point))


def _in_windows(found_in: list[str], windows: list[str]) -> str:
    """In which windows, if not in all."""
    if found_in == windows:
        return ""

    if len(found_in) == 1:
        return f" in {found_in[0]}"

    return f" in {len(found_in)} of {len(windows)} episodes"


def differences_in_short(result: Result, window: str, names: Collection[str]) -> str:
    """With which of the named remedies fewer or more calls wait than with the first, and with which
    no difference is proven or was seen; empty if there is nothing to say, and of a grid, whose
    differences do not name their points.
    """
    if result.parameters != ("remedy",):
        return ""

    found: dict[str, list[str]] = {what: [] for what in (FEWER, MORE, NOT_PROVEN, NOT_SEEN)}
    base = ""
    rows: Any = result.differences
    for remedy, first, where, quantity, value, lo, hi, saves in rows:
        if where == window and quantity == main_quantity(result) and remedy in names:
            base = str(first)
            found[proven(value, lo, hi, saves)].append(str(remedy))

    said = "; ".join(f"{what} with {', '.join(rows)}" for what, rows in found.items() if rows)
    return f"With the same random draws, against {base}: {said}." if said else ""


def proven(value: Cell, lo: Cell, hi: Cell, saves: Cell) -> str:
    """What a difference proves: on which side of 0 its interval lies, if on one."""
    if value == 0.0 and saves == 1.0:  # older files have an interval of no width here
        return NOT_SEEN
    if float(hi or 0.0) < 0.0:
        return FEWER
    return MORE if float(lo or 0.0) > 0.0 else NOT_PROVEN
