# SPDX-License-Identifier: GPL-2.0-only
"""The search for the smallest size that passes: what is far from the target is decided by few
replications, and only what is near gets many.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from krcsim.runs.ladder import FIRST_RUNS, steps
from krcsim.studies.limits import value_or_bound
from krcsim.studies.reserves import MOST, Key
from krcsim.studies.size_tries import SURE, Tries
from krcsim.studies.sized import Tried
from krcsim.studies.unseen import UNSEEN

SAME = 0.02  # a relative change that is none
FEW = 3  # sizes that stay open one after another, then the largest is next


@dataclass
class Search:
    """Sizes from 0 to `most`, of which `low` fails (-1: none yet) and `high` passes (None: none
    yet); key_of: the reserve of a size; left_open: sizes in between that could not be decided.
    """

    tries: Tries
    key_of: Callable[[int], Key]
    most: int
    low: int = -1
    high: int | None = None
    left_open: set[int] = field(default_factory=set)

    def look(self, size: int, runs: int) -> Tried | None:
        """Look at a size up to so many replications."""
        return self.tries.look(self.key_of(size), runs)

    def found(self, size: int) -> Tried:
        """What was found at a size that was looked at."""
        return self.tries.done[self.key_of(size)]


def search(
    tries: Tries, key_of: Callable[[int], Key], most: int, max_runs: int
) -> tuple[int | None, int | None]:
    """The largest size that fails below the smallest that passes, and that one; None where there is
    none.

    Step by step (8, 16, 32, ... replications). Of sizes that stay open, each further one gets a
    quarter of the replications, so that one that cannot be decided does not eat up the work.
    """
    sizes = Search(tries, key_of, most)
    for runs in steps(max_runs):
        _look_upward(sizes, runs)
        if sizes.high is not None:
            _look_downward(sizes, sizes.high, runs)

        over = sizes.low == most if sizes.high is None else sizes.high - sizes.low == 1
        if over or tries.left <= 0:
            break

    if sizes.high is not None and sizes.high < most:
        sizes.look(sizes.high + 1, sizes.found(sizes.high).finding.runs)  # does it fall here?
    return (sizes.low if sizes.low >= 0 else None), sizes.high


def _look_upward(sizes: Search, runs: int) -> None:
    """Towards the smallest that passes, by doubling, then by halves; sizes that were left open come
    first.

    Where no wait is seen at a size, a larger one shows no more with as many replications (but where
    waits cannot be at all, which the largest shows): the search goes on by halves below it.
    """
    at = sizes.low
    was = None
    looks = 0
    while at + 1 < (sizes.most + 1 if sizes.high is None else sizes.high):
        size, end = _next_upward(sizes, at)
        seen = sizes.look(size, runs >> 2 * looks)
        if seen is None:
            break

        sizes.left_open.discard(size)
        if seen.verdict == "passes":
            sizes.high = size
            continue
        if seen.verdict == "fails":
            sizes.low = size
        else:
            sizes.left_open.add(size)
            looks += 1
            if sizes.high is None and seen.finding.estimate.kind in UNSEEN:
                top = sizes.look(sizes.most, FIRST_RUNS)
                if top is not None and top.verdict == "passes":
                    sizes.high = sizes.most
                elif size > at + 1:
                    continue
                else:
                    break

        at = size
        estimate = seen.finding.estimate
        if sizes.high is None and end is None and 2 < size < sizes.most and estimate.kind in SURE:
            # Nothing moves, or is seen to; what is not sure is no reason to leap.
            same = was is not None and math.isclose(
                value_or_bound(estimate), value_or_bound(was), rel_tol=SAME
            )
            if same or looks >= FEW:
                at = max(at, (sizes.most + 1) // 2)
        was = estimate


def _next_upward(sizes: Search, at: int) -> tuple[int, int | None]:
    """The next size to look at above `at`, and the smallest one known that no further one need
    exceed; None where there is none.
    """
    high, most = sizes.high, sizes.most
    waiting = [n for n in sizes.left_open if n > at and (high is None or n < high)]
    unseen = [n for n in waiting if sizes.found(n).finding.estimate.kind in UNSEEN]
    end = high if high is not None else min(unseen, default=None)

    size = min((n for n in waiting if high is not None or n != end), default=most + 1)
    if end is None:
        doubled = max(1, 2 * at) if at >= 0 else 0
        return min(size, most, doubled), None
    return min(size, (at + end) // 2 if end - at > 1 else end), end


def _look_downward(sizes: Search, high: int, runs: int) -> None:
    """Towards the largest that fails, below the smallest that is open."""
    looks = len(sizes.left_open)
    top = min((n for n in sizes.left_open if sizes.low < n < high), default=sizes.low)
    while top - sizes.low > 1:
        middle = (sizes.low + top) // 2
        seen = sizes.look(middle, runs >> 2 * looks)
        if seen is None:
            return
        if seen.verdict == "passes":
            sizes.high = middle
            return
        if seen.verdict == "fails":
            sizes.low = middle
        else:
            top = middle
            looks += 1
            sizes.left_open.add(middle)


def cheapest(tries: Tries, most: int, max_runs: int) -> Tried | None:
    """The mix of objects and pages that passes and adds the fewest bytes: up the staircase, page by
    page.

    The fewest pages or objects that pass alone say what may be spent; next to so many pages there
    is room for the objects that the rest of the bytes holds, and with what was found there for
    fewer still.
    """
    best = _cheapest_alone(tries, most, max_runs)
    for pages in range(1, most + 1 if best else 0):
        room = objects_below(tries, pages, best)
        if room < 0 or tries.left <= 0:
            break

        seen = tries.look((room, pages), max_runs)
        if seen and seen.verdict == "passes":
            _, least = search(tries, lambda n: (n, pages), room, max_runs)  # noqa: B023
            best = best if least is None else tries.done[least, pages]
    return best


def _cheapest_alone(tries: Tries, most: int, max_runs: int) -> Tried | None:
    """The cheaper of the fewest pages and the fewest objects that pass alone; where neither does,
    the largest mix if that passes.
    """
    for_pools = tries.left / 2
    tries.left -= for_pools
    _, pages = search(tries, lambda n: (0, n), most, max_runs)
    tries.left += for_pools
    _, objects = search(tries, lambda n: (n, 0), MOST["pool"], max_runs)

    alone: list[Tried] = []
    if pages is not None:
        alone.append(tries.done[0, pages])
    if objects is not None:
        alone.append(tries.done[objects, 0])
    if not alone:
        largest = tries.look((MOST["pool"], most), max_runs)
        alone += [largest] if largest and largest.verdict == "passes" else []
    return min(alone, key=lambda tried: (tried.bytes_added, tried.objects), default=None)


def objects_below(tries: Tries, pages: int, best: Tried | None) -> int:
    """The largest pool next to so many pages that adds fewer bytes than the best so far; -1 where
    none does.
    """
    if best is None:
        return MOST["pool"]
    low, high = -1, MOST["pool"] + 1
    while high - low > 1:
        middle = (low + high) // 2
        if tries.scenario_with(middle, pages).bytes_added() >= best.bytes_added:
            high = middle
        else:
            low = middle
    return low
