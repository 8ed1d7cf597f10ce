# SPDX-License-Identifier: GPL-2.0-only
"""Recorded sets and their conditions in words, and what a comparison with the model found."""

from __future__ import annotations

from collections.abc import Sequence

from krcsim.guest.recordings import Condition
from krcsim.guest.score import Comparison

# What each recorded set tells apart; {low} and {high} are its smallest and largest pool.
SETS = {
    "main": "loads, failures and remedies crossed",
    "pool": "pools of {low} to {high} objects",
    "rates": "loads from one call a drain to bursts",
    "remedies": "every remedy and rule of the thread",
    "loops": "callers that wait, catch up or go on",
    "kinds": "slab and vmalloc objects, one and two arguments",
    "longgp": "long grace periods (long readers)",
    "late": "callers that fall behind",
    "busygp": "long grace periods on a busy CPU",
    "pools": "pools of {low} to {high} objects",
    "smp": "several CPUs in real time",
    "pairs": "two producers on one CPU",
    "thread": "the load of the thread in real time",
    "again": "the load of the thread, other seeds",
    "real": "real exhaustion: a hog takes the memory",
    "real_more": "real exhaustion, other rates and memories",
    "gp": "synchronize_rcu() alone",
}
# What a name of a recording says of when memory is short.
PATTERNS = {
    "cold": "pressure from the first call on",
    "warm": "pressure begins later",
    "epi": "pressure in episodes",
    "short": "pressure in short episodes",
}


def set_in_words(name: str, conditions: Sequence[Condition] = ()) -> str:
    """What a recorded set tells apart; a set of one's own has its name."""
    pools = [round(condition.given.get("pool", 0)) for condition in conditions]
    text = SETS.get(name, f"set {name}")
    return text.format(low=f"{min(pools, default=0):,}", high=f"{max(pools, default=0):,}")


def load_in_words(condition: Condition) -> str:
    """How a condition's calls come: 100 calls each 1 ms."""
    burst = max(1, round(condition.given.get("burst", 1)))
    period_ms = condition.given.get("period_us", 1000) / 1000.0
    return f"{burst:,} call{'s' * (burst != 1)} each {period_ms:g} ms"


def family_in_words(condition: Condition) -> str:
    """The load and the pattern of pressure of a condition, which share random draws."""
    pattern = condition.labels["pattern"]
    return f"{load_in_words(condition)}, {PATTERNS.get(pattern, pattern)}"


def finding(comparisons: Sequence[Comparison]) -> str:
    """In how many conditions the kernel lies in the model's range, in a sentence without a full
    stop.
    """
    compared = [one for one in comparisons if not one.trivial]
    names = list(dict.fromkeys(one.condition.name for one in comparisons))
    what = f"{len(names)} recorded sets"
    if len(names) == 1:
        what = set_in_words(names[0], [one.condition for one in comparisons])
        what = what[:1].upper() + what[1:]
    if not compared:
        return f"{what}: no call waits in kernel or model"

    waits, blocked = (sum(one.answers[i].inside for one in compared) for i in (0, 1))
    count = len(compared)
    return (
        f"{what}: the kernel's P(wait) lies in the model's range in {waits:,} of {count:,} "
        f"condition{'s' * (count != 1)}, its time blocked in {blocked:,}"
    )


def recording_in_words(comparisons: Sequence[Comparison]) -> str:
    """What was recorded: CPUs, runs, and how many conditions a picture leaves out."""
    conditions = [one.condition for one in comparisons]
    if not conditions:
        return "nothing was recorded"
    trivial = sum(one.trivial for one in comparisons)
    text = (
        f"each mark is a condition of {_span([len(one.runs) for one in conditions], 'run')} in a "
    )
    text += f"kernel with {_span([round(one.given['cpus']) for one in conditions], 'CPU')}"
    if trivial:
        text += f"; {trivial:,} more, in which no call waits on either side, are not drawn"
    return text


def _span(counts: Sequence[int], noun: str) -> str:
    """From the least to the most: 3 runs, 3 to 5 runs."""
    low, high = min(counts), max(counts)
    number = f"{low}" if low == high else f"{low} to {high}"
    return f"{number} {noun}{'s' * (high != 1)}"
