# SPDX-License-Identifier: GPL-2.0-only
"""The finding that stands above a chart: its verdict, or for how long the boot matters."""

import re
from dataclasses import dataclass

from krcsim.model.constants import RCU_NR_EMERGENCY_OBJS
from krcsim.results.counts import estimated
from krcsim.results.estimate import Estimate
from krcsim.results.held_against import apart_from
from krcsim.results.result import Result
from krcsim.results.verdict import finished, first_that_fits, verdict

# B3-own is empty at boot and B3f-own full; of pages D2e-own is empty and D2-own full.
_RESERVE = re.compile(r"([BD])(\d*)(e?)(-.+)?", re.ASCII)


def ordinal(n: int) -> str:
    """The place of an episode, counted from 1, in words."""
    words = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
    return words[n - 1] if n <= len(words) else f"{n}th"


@dataclass(frozen=True)
class Pair:
    """A reserve that is empty at boot and the same one full at boot, by the names of their rows."""

    empty: str
    full: str
    words: str


def finding(result: Result, window: str | None = None) -> str:
    """What a chart of a result shows, in a sentence.

    Of episodes with a reserve both empty and full at boot it is for how many of them that matters;
    of all other results the verdict.
    """
    windows = result.windows()
    pair = next(iter(pairs(result)), None)
    if pair is None or window is not None or len(windows) < 2 or windows[0] != "episode 1":
        return verdict(result, window)
    return boot_matters(result, pair)


def pairs(result: Result) -> list[Pair]:
    """The reserves that a result has both empty and full at boot: pools first."""
    names = {str(point[0]) for point in result.points()}
    found = []
    for name in sorted(names):
        reserve = _RESERVE.fullmatch(name)
        if reserve is None:
            continue
        kind, size, empty, base = reserve.groups(default="")
        size = size or str(RCU_NR_EMERGENCY_OBJS)
        full = f"B{size}f{base}" if kind == "B" else f"D{size}{base}" * bool(empty)
        if full in names:
            words = f"pool of {size} objects" if kind == "B" else f"cache of {size} pages"
            found.append(Pair(name, full, words))
    return found


def boot_matters(result: Result, pair: Pair) -> str:
    """In how many episodes a reserve that is empty at boot is proven to have more waits than the
    same one full at boot, or than it has in the end; and how many calls wait in the first.
    """
    windows = result.windows()
    estimates = [
        (
            result.get(pair.empty, "p_wait_episode", window),
            result.get(pair.full, "p_wait_episode", window),
        )
        for window in windows
    ]
    in_the_end = estimates[-1][0]
    worse = [
        _is_proven_more(empty, full) or _is_proven_more(empty, in_the_end)
        for empty, full in estimates
    ]
    if not any(worse):
        return (
            f"No episode is proven to have more waits with a {pair.words} that is empty at boot "
            "than with a full one."
        )

    first, last = worse.index(True), max(n for n, is_worse in enumerate(worse) if is_worse)
    empty, full = estimates[first]
    begin = f"in the {ordinal(first + 1)} episode {_waits(empty)} with a {pair.words} empty at boot"
    against = f", {estimated(full, '', with_interval=False).words} with a full one"
    end = f"from the {ordinal(last + 2)} episode on no difference is proven"
    if last + 1 == len(windows):
        end = f"in {windows[-1]} it still has more"
    return first_that_fits(finished("", f"{begin}{said}; {end}") for said in (against, ""))


def _is_proven_more(empty: Estimate, full: Estimate) -> bool:
    apart = apart_from(empty, full)
    return apart is not None and apart.is_more


def _waits(estimate: Estimate) -> str:
    """1 call in 2,400 waits."""
    said = estimated(estimate, with_interval=False)
    return f"{said.words} wait{'s' * (not said.is_plural)}"
