# SPDX-License-Identifier: GPL-2.0-only
"""What was measured on a kernel, in the few numbers that people ask for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from krcsim.guest.boot import Row
from krcsim.results.estimate import unseen

Rows = Sequence[Row]

NOT_THERE = "-"  # the kernel has nothing of the kind, or it was not counted


@dataclass(frozen=True)
class Line:
    """A line of the table: what it is, and how it is read from the runs of a kernel.

    `symbols`: of these one must have had a probe, or there is nothing to say.
    """

    name: str
    words: str
    text: Callable[[Rows], str]
    symbols: tuple[str, ...] = ()

    def cell(self, rows: Rows) -> str:
        """The line for the runs of a kernel."""
        if not rows or (self.symbols and not set(self.symbols) - set(rows[0]["missing"].split())):
            return NOT_THERE
        return self.text(rows)


def total(rows: Rows, name: str) -> int:
    """A count, of all runs."""
    return sum(int(row[name]) for row in rows)


def single_calls(rows: Rows) -> int:
    """Calls with a single argument: of them P(wait) is the share that waits."""
    return total(rows, "calls") - total(rows, "double_calls")


def p_wait(rows: Rows) -> float:
    """P(wait) per single-argument call; 0 where none was seen."""
    return total(rows, "waits") / max(1, single_calls(rows))


def blocked(rows: Rows) -> float:
    """The share of the callers' time that is spent in waits."""
    time_ns = sum(row["dur_ms"] * 1e6 * row["cpus"] * row["producers"] for row in rows)
    return float(total(rows, "wait_ns") / time_ns)


def _count(name: str) -> Callable[[Rows], str]:
    return lambda rows: f"{total(rows, name):,}"


def _p_wait(rows: Rows) -> str:
    calls = single_calls(rows)
    if not calls:
        return "no such call"
    if waits := total(rows, "waits"):
        return f"{waits / calls:.3g}"
    bound = unseen(calls).hi or 1.0
    return f"none seen, < {bound:.1g}"


def _blocked(rows: Rows) -> str:
    return f"{blocked(rows):.3g}" if total(rows, "waits") else "none seen"


def _waits(rows: Rows) -> str:
    return f"{total(rows, 'waits'):,} of {single_calls(rows):,}"


def _failed(tried: str, failed: str) -> Callable[[Rows], str]:
    return lambda rows: f"{total(rows, tried):,}, {total(rows, failed):,}"


def _wait_ms(rows: Rows) -> str:
    """The median of the runs' medians, and the longest."""
    medians = sorted(row["wait_p50_us"] for row in rows if row["wait_n"])
    if not medians:
        return "none seen"
    longest = max(row["wait_max_us"] for row in rows if row["wait_n"])
    return f"{_ms(medians[len(medians) // 2])}, {_ms(longest)}"


def _ms(us: float) -> str:
    return f"{us / 1000:.3g}"


def _mean_of(name: str) -> Callable[[Rows], str]:
    """The mean of a span over all runs, in ms."""

    def text(rows: Rows) -> str:
        seen = total(rows, f"{name}_n")
        if not seen:
            return "none seen"
        sum_us = sum(row[f"{name}_n"] * row[f"{name}_mean_us"] for row in rows)
        return _ms(sum_us / seen)

    return text


def _to_sheaves(rows: Rows) -> str:
    return f"{100 * total(rows, 'in_sheaf') / max(1, total(rows, 'calls')):.3g} %"


def _grace_periods(rows: Rows) -> str:
    counted = total(rows, "gp_count")
    if not counted:
        return "none seen"
    medians = sorted(row["gp_len_us"][50] for row in rows if row["gp_len_us"])
    return f"{counted:,}, {_ms(medians[len(medians) // 2])}"


def _most(name: str) -> Callable[[Rows], str]:
    return lambda rows: f"{max(int(row[name]) for row in rows):,}"


def _barrier(rows: Rows) -> str:
    return _ms(max(row["barrier_us"] for row in rows))


_SHEAF = ("__kfree_rcu_sheaf",)
LINES = (
    Line("calls", "calls", _count("calls")),
    Line("late", "bursts that began late", _count("late_bursts")),
    Line(
        "p_wait",
        "P(wait) per single-argument call",
        _p_wait,
        ("synchronize_rcu", "__wait_rcu_gp"),
    ),
    Line("blocked", "time blocked", _blocked, ("synchronize_rcu", "__wait_rcu_gp")),
    Line("waits", "waits of single-argument calls", _waits, ("synchronize_rcu", "__wait_rcu_gp")),
    Line(
        "wait_ms",
        "a wait: median, longest (ms)",
        _wait_ms,
        ("synchronize_rcu", "__wait_rcu_gp"),
    ),
    Line("in_sheaf", "calls taken by a sheaf", _to_sheaves, _SHEAF),
    Line("sheaves", "full sheaves, a callback each", _count("sheaves"), ("rcu_free_sheaf",)),
    Line(
        "sheaf_requests",
        "new sheaves asked for, failed",
        _failed("sheaf_requests", "slab_fail"),
        _SHEAF,
    ),
    Line(
        "pages",
        "pages asked for by calls, failed",
        _failed("page_try", "page_fail"),
        ("get_free_pages_noprof", "__get_free_pages"),
    ),
    Line("refills", "refills of the page cache", _count("refills"), ("fill_page_cache_func",)),
    Line(
        "refill_pages",
        "pages asked for by refills, failed",
        _failed("refill_try", "refill_fail"),
        ("fill_page_cache_func",),
    ),
    Line("backoffs", "back-offs by the shrinker", _count("backoffs"), ("kfree_rcu_shrink_count",)),
    Line("monitors", "drains (monitor runs)", _count("monitors"), ("kfree_rcu_monitor",)),
    Line("until_monitor", "first call to drain, mean (ms)", _mean_of("until_monitor")),
    Line("works", "works", _count("works"), ("kfree_rcu_work",)),
    Line("until_work", "drain to work, mean (ms)", _mean_of("until_work"), ("kfree_rcu_work",)),
    Line(
        "grace_periods",
        "grace periods, median (ms)",
        _grace_periods,
        ("rcu_gp_init", "rcu_gp_cleanup"),
    ),
    Line("held_most", "objects deferred, most", _most("held_most")),
    Line("held", "still deferred in the end", _most("held_after_settle")),
    Line("barrier", "kvfree_rcu_barrier(), longest (ms)", _barrier, ("kvfree_rcu_barrier",)),
)
