# SPDX-License-Identifier: GPL-2.0-only
"""How big must the reserve be? The smallest pool, the fewest pages or the cheapest mix that meets a
target.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from krcsim.base.errors import refuse
from krcsim.base.fields import check_whole, is_finite
from krcsim.base.old_names import option_for_runs, takes_rungs
from krcsim.methods.weights import says_little
from krcsim.model.remedy import Remedy, named
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near, given
from krcsim.results.estimate import Estimate, unseen
from krcsim.results.quantities import falling_with_reserve, label
from krcsim.results.result import number, words
from krcsim.runs.ladder import DEFAULT_RUNS, FIRST_RUNS, SEED, Stop, check_study, steps
from krcsim.studies.ask import Finding, ask, asking
from krcsim.studies.limits import SETTLED, at_each_look, height, limits, looks_at, needed

OF = ("pool", "pages", "mix")
AT_BOOT = ("own", "empty", "full")
QUANTITIES = falling_with_reserve()
MOST = {"pool": 4096, "pages": 512}  # objects and pages per CPU
TARGET, CONFIDENCE = 1e-6, 0.95
BUDGET = 3.5e7  # events of one question: some CPU-seconds
STILL = 0.02  # a relative change that is none
UNSEEN = 1 / 20  # of the budget, after which a size at which no wait is seen is left
SURE = ("interval", "exact")
FEW = 3  # sizes that stay open one after another, then the largest is next
FINE = 0.01  # relative half width at which a size that is still open is left so
Key = tuple[int, int]  # objects, pages
Told = Callable[[str], None]


@dataclass(frozen=True)
class Tried:
    """A reserve that was tried: what it adds, what was found, its one-sided limits and whether it
    passes.

    pages 0: the plain code's own cache, empty at boot, and nothing more. verdict: passes, fails or
    open.
    """

    name: str
    objects: int
    pages: int
    bytes_added: int
    bytes_at_full: int
    finding: Finding
    lower: float
    upper: float
    verdict: str


@dataclass(frozen=True)
class Sized:
    """The answer: `smallest` passes (in a mix: the cheapest), `largest` fails and is smaller,
    `between` is open.

    A size passes if the upper one-sided limit is below the target, and fails if the lower one is
    not. The confidence holds for all looks at a size together.
    """

    of: str
    quantity: str
    window: str
    target: float
    confidence: float
    at_boot: str
    fixed: int
    tried: tuple[Tried, ...]
    smallest: Tried | None
    largest: Tried | None
    between: tuple[Tried, ...]
    events: float
    scenario: Scenario
    seed: int
    max_runs: int
    command: str = ""

    @property
    def met(self) -> bool:
        """Whether a size was found that passes."""
        return self.smallest is not None

    @property
    def sharp(self) -> bool:
        """Whether the next smaller size was shown to fail, or none is smaller."""
        a, b = self.smallest, self.largest
        return (
            a is not None
            and self.of != "mix"
            and size_of(self.of, a) - (size_of(self.of, b) if b else -1) == 1
        )

    @property
    def best(self) -> Tried:
        """The lowest that was reached, by the smallest size that did."""
        return min(self.tried, key=lambda t: (height(t.finding.estimate), t.bytes_added, t.objects))

    @property
    def disorder(self) -> tuple[Tried, ...]:
        """Larger sizes that fail though a smaller one passes: P(wait) does not fall everywhere."""
        a = self.smallest
        return (
            ()
            if a is None or self.of == "mix"
            else tuple(
                t
                for t in self.tried
                if t.verdict == "fails" and size_of(self.of, t) > size_of(self.of, a)
            )
        )

    @property
    def goal(self) -> str:
        """What was asked for, in words."""
        return f"{label(self.quantity)} < {number(self.target)} at {100 * self.confidence:g} %"

    def __repr__(self) -> str:
        """The answer in a line: what was tried is for tables."""
        from krcsim.studies.size_words import sentence

        return f"<Sized: {sentence(self)}>"

    def _repr_html_(self) -> str:
        """How a notebook shows it: the answer, and what was tried."""
        from krcsim.studies.size_words import html_of

        return html_of(self)


def size_of(of: str, t: Tried) -> int:
    """The size that is searched over."""
    return t.pages if of == "pages" else t.objects


def reserve(own: Remedy, objects: int, pages: int, at_boot: str = "own") -> tuple[str, Remedy]:
    """The name and the rows of a reserve on one's own remedy; without pages the plain code's cache
    is kept.

    at_boot: empty, full, or own: a pool is then full if the remedy's own is, and pages are
    preallocated unless the remedy has a shared list of its own that boots empty.
    """
    start = own.emergency_at_boot > 0 if at_boot == "own" else at_boot == "full"
    dry = (
        own.cache_shared and own.nr_bkv_objs > own.cache_at_boot == 0
        if at_boot == "own"
        else at_boot == "empty"
    )
    pool, cache = f"B{objects}{'f' * start}-own", f"D{pages}{'e' * dry}-own"
    if not pages:
        return pool, named(pool, own)
    if not objects:
        return cache, named(cache, own)
    both = replace(
        named(cache, own), nr_emergency_objs=objects, emergency_at_boot=objects if start else 0
    )
    return f"{pool.removesuffix('-own')}+{cache}", both


def with_reserve(s: Scenario, objects: int, pages: int, at_boot: str = "own") -> Scenario:
    """The scenario with such a reserve on its own remedy."""
    return replace(s, remedy=reserve(s.remedy, objects, pages, at_boot)[1])


class _Tries:
    """What was tried so far, and how to look closer; spends at most `budget` events."""

    def __init__(
        self,
        s: Scenario,
        target: float,
        confidence: float,
        at_boot: str,
        budget: float,
        told: Told | None,
        how: dict[str, Any],
    ) -> None:
        self.s, self.target, self.confidence, self.at_boot, self.how = (
            s,
            target,
            confidence,
            at_boot,
            how,
        )
        self.left, self.spare, self.told = budget, budget * UNSEEN, told
        self.done: dict[Key, Tried] = {}
        self.more: dict[Key, Iterator[Finding]] = {}
        self.wait_ms: Estimate | None = None

    def of(self, objects: int, pages: int) -> Scenario:
        """The scenario with such a reserve."""
        return with_reserve(self.s, objects, pages, self.at_boot)

    def look(self, key: Key, runs: int) -> Tried | None:
        """Refine a size until it is decided or has that many replications; None if nothing could be
        spent on it.

        A few runs that hardly met what decides (calls under pressure, waits) say nothing of a size,
        and a search is led astray by them: where an answer is not sure, it goes on as far as a size
        at which nothing is seen may go.
        """
        seen = self.done.get(key)
        while (
            seen is None
            or seen.verdict == "open"
            and (
                seen.finding.runs < runs
                or (
                    seen.finding.estimate.kind not in SURE
                    and 2.0 * seen.finding.events <= self.spare
                )
            )
        ):
            cost = (
                seen.finding.events if seen else 0.0
            )  # the next step takes as much as all before it
            more = max(1.0, needed(seen.finding.estimate, self.target)) if seen else 1.0
            unseen = seen is not None and (
                seen.finding.estimate.kind == "bound" or says_little(seen.finding.estimate)
            )
            if self.left <= cost * more or (unseen and cost > self.spare):
                break
            source = self.more.setdefault(key, asking(self.of(*key), **self.how))
            found = next(source, None)
            if found is None:  # as fine as it gets
                break
            self.left -= found.events - cost
            seen = self.done[key] = self.judged(key, found)
            if self.told:
                self.told(f"{seen.name}: {words(seen.finding.estimate)}, {seen.verdict}")
        return seen

    def judged(self, key: Key, found: Finding) -> Tried:
        """A finding with its limits and its verdict."""
        e = found.estimate
        if found.quantity == "blocked" and e.kind == "none":
            e = self.never_blocked(key, found)
            found = replace(found, estimate=e)
        early = found.runs < SETTLED.get(found.method, 0)
        level = at_each_look(self.confidence, looks_at(found, self.how["max_runs"]))
        lower, upper = limits(e, found.replications, level, early)
        verdict = "passes" if upper < self.target else "fails" if lower >= self.target else "open"
        s = self.of(*key)
        name, _ = reserve(self.s.remedy, *key, self.at_boot)
        return Tried(name, *key, s.bytes_added(), s.bytes_at_full(), found, lower, upper, verdict)

    def never_blocked(self, key: Key, found: Finding) -> Estimate:
        """A bound where nobody was seen to wait: at worst all the time; in an open loop as long as
        without reserve.
        """
        if self.s.workload.loop != "open":  # of all runs so many have a caller that waits at all
            return unseen(found.replications)
        s, how = (
            self.s,
            {k: v for k, v in self.how.items() if k not in ("quantity", "precision", "max_runs")},
        )
        if self.wait_ms is None:
            self.wait_ms = ask(self.of(0, 0), "wait_ms", max_runs=64, **how).estimate
        waits = ask(self.of(*key), "p_wait", max_runs=max(FIRST_RUNS, found.runs), **how).estimate
        if self.wait_ms.hi is None or waits.hi is None:
            return found.estimate
        return Estimate(
            None,
            0.0,
            waits.hi * s.workload.rate_hz / 1000.0 * s.machine.cpus * self.wait_ms.hi,
            "bound",
        )


@takes_rungs
def size(
    scenario: Scenario | str,
    target: float = TARGET,
    *,
    of: str = "pool",
    quantity: str = "p_wait",
    window: str | None = None,
    confidence: float = CONFIDENCE,
    at_boot: str = "own",
    fixed: int = 0,
    most: int | None = None,
    seed: int = SEED,
    max_runs: int = DEFAULT_RUNS,
    budget: float | None = None,
    method: str = "auto",
    stop: Stop | None = None,
    told: Told | None = None,
    command: str = "",
) -> Sized:
    """The smallest reserve for which `quantity` stays below `target`, with all that was tried on
    the way.

    of: pool (objects per CPU beside `fixed` pages), pages (beside `fixed` objects), or mix
    (cheapest in bytes added). Sizes share their worlds. A target that no size meets is no error:
    `met` is False and what was tried stays. Raises KrcsimError for a target outside 0 to 1 and
    other values that cannot be.
    """
    check_study(seed, FINE, max_runs)
    check_request(target, confidence, of, quantity, at_boot, budget)
    bounded, scenario, most = (
        most,
        given(scenario),
        MOST.get(of, MOST["pages"]) if most is None else most,
    )
    check_whole(
        "most", most, 100_000 if of == "pool" else 10_000, "it is the largest size that is tried"
    )
    check_whole("fixed", fixed, 10_000, "it is what is beside the size that is searched")
    how: dict[str, Any] = dict(
        quantity=quantity,
        window=window,
        seed=seed,
        precision=FINE,
        max_runs=max_runs,
        method=method,
        stop=stop,
    )
    asked: dict[str, Any] = dict(
        target=target,
        of=of,
        quantity=quantity,
        window=window,
        confidence=confidence,
        at_boot=at_boot,
        beside=fixed,
        seed=seed,
        max_runs=max_runs,
        budget=budget,
        method=method,
    )
    usual: dict[str, Any] = dict(
        target=TARGET,
        of="pool",
        quantity="p_wait",
        window=None,
        confidence=CONFIDENCE,
        at_boot="own",
        beside=0,
        seed=SEED,
        max_runs=DEFAULT_RUNS,
        budget=None,
        method="auto",
    )
    if bounded is None:  # else a command line cannot say it
        command = command or command_near(
            "size",
            scenario,
            " ".join(
                option_for_runs(value)
                if name == "max_runs"
                else f"--{name.replace('_', '-')} {value}"
                for name, value in asked.items()
                if value != usual[name]
            ),
        )
    budget = budget or BUDGET / (1.0 + scenario.machine.cpus / 80)  # where an event takes longer
    tries = _Tries(scenario, target, confidence, at_boot, budget, told, how)
    if of == "mix":
        smallest, largest = cheapest(tries, most, max_runs), None
        between: tuple[Tried, ...] = ()
    else:

        def key(n: int) -> Key:
            return (n, fixed) if of == "pool" else (fixed, n)

        low, high = search(tries, key, most, max_runs)
        smallest, largest = (None if n is None else tries.done[key(n)] for n in (high, low))
        between = tuple(
            t
            for t in tries.done.values()
            if t.verdict == "open" and (high is None or size_of(of, t) < high)
        )
    tried = tuple(sorted(tries.done.values(), key=lambda t: (t.pages, t.objects)))
    found = tried[0].finding.window
    return Sized(
        of,
        quantity,
        found,
        target,
        confidence,
        at_boot,
        fixed,
        tried,
        smallest,
        largest,
        between,
        budget - tries.left,
        scenario,
        seed,
        max_runs,
        command,
    )


def check_request(
    target: Any, confidence: Any, of: str, quantity: str, at_boot: str, budget: Any
) -> None:
    """Raise FieldError for what cannot be asked."""
    refuse(
        not (is_finite(target) and 0 < target < 1),
        "target",
        target,
        "a number above 0 and below 1",
        "no finite run shows a probability of 0; 1e-6 is one call in a million",
    )
    refuse(
        not (is_finite(confidence) and 0.5 <= confidence <= 0.9999),
        "confidence",
        confidence,
        "a number from 0.5 to 0.9999",
        "0.95 is what the intervals have",
    )
    for field, value, options in (
        ("of", of, OF),
        ("quantity", quantity, QUANTITIES),
        ("at_boot", at_boot, AT_BOOT),
    ):
        refuse(
            value not in options, field, value, "one of " + ", ".join(options), "name one of them"
        )
    good = budget is None or (is_finite(budget) and budget > 0)
    refuse(
        not good,
        "budget",
        budget,
        "a number of events above 0",
        f"{BUDGET:g} takes some CPU-seconds",
    )


def search(
    tries: _Tries, key: Callable[[int], Key], most: int, max_runs: int
) -> tuple[int | None, int | None]:
    """The largest size that fails below the smallest that passes, and that one; None where there is
    none.

    Step by step (8, 16, 32, ... replications): what is far from the target is decided by few, and
    only what is near gets many. Of sizes that stay open, each further one gets a quarter of the
    replications, so that one that cannot be decided does not eat up the work.
    """
    low, high, left_open = -1, None, set[int]()
    for runs in steps(max_runs):
        low, high = _upward(tries, key, low, high, most, runs, left_open)
        if high is not None:
            low, high = _downward(tries, key, low, high, runs, left_open)
        over = high - low == 1 if high is not None else low == most
        if over or tries.left <= 0:
            break
    if high is not None and high < most:
        tries.look(key(high + 1), tries.done[key(high)].finding.runs)  # does it fall here?
    return (low if low >= 0 else None), high


def _upward(
    tries: _Tries,
    key: Callable[[int], Key],
    low: int,
    high: int | None,
    most: int,
    runs: int,
    left_open: set[int],
) -> tuple[int, int | None]:
    """Towards the smallest that passes, by doubling, then by halves; sizes that were left open come
    first.

    Where no wait is seen at a size, a larger one shows no more with as many replications (but where
    waits cannot be at all, which the largest tells): the search goes on by halves below it.
    """

    def unseen(n: int) -> bool:
        return tries.done[key(n)].finding.estimate.kind in ("bound", "none")

    at, was, looks = low, None, 0
    while at + 1 < (most + 1 if high is None else high):
        waiting = [n for n in left_open if n > at and (high is None or n < high)]
        end = high if high is not None else min(filter(unseen, waiting), default=None)
        n = min((n for n in waiting if high is not None or n != end), default=most + 1)
        if end is not None:
            n = min(n, (at + end) // 2 if end - at > 1 else end)
        else:
            n = min(n, most, max(1, 2 * at) if at >= 0 else 0)
        seen = tries.look(key(n), runs >> 2 * looks)
        if seen is None:
            break
        left_open.discard(n)
        if seen.verdict == "passes":
            high = n
            continue
        if seen.verdict == "open":
            left_open.add(n)
            looks += 1
            if high is None and unseen(n):
                top = tries.look(key(most), FIRST_RUNS)
                high = most if top is not None and top.verdict == "passes" else None
                if high is None and n > at + 1:
                    continue
                if high is None:
                    break
        else:
            low = n
        at, e = n, seen.finding.estimate
        still = was is not None and math.isclose(height(e), height(was), rel_tol=STILL)
        # Nothing moves, or is seen to; what is not sure is no reason to leap.
        if high is end is None and 2 < n < most and e.kind in SURE and (still or looks >= FEW):
            at = max(at, (most + 1) // 2)
        was = e
    return low, high


def _downward(
    tries: _Tries, key: Callable[[int], Key], low: int, high: int, runs: int, left_open: set[int]
) -> tuple[int, int]:
    """Towards the largest that fails, below the smallest that is open."""
    looks = len(left_open)
    top = min((n for n in left_open if low < n < high), default=low)
    while top - low > 1:
        middle = (low + top) // 2
        seen = tries.look(key(middle), runs >> 2 * looks)
        if seen is None or seen.verdict == "passes":
            return low, high if seen is None else middle
        if seen.verdict == "fails":
            low = middle
        else:
            top, looks = middle, looks + 1
            left_open.add(middle)
    return low, high


def _bisect(low: int, high: int, upper: Callable[[int], bool]) -> tuple[int, int]:
    """The neighbours between which `upper` becomes true, given that it is at high and not at
    low.
    """
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if upper(middle) else (middle, high)
    return low, high


def cheapest(tries: _Tries, most: int, max_runs: int) -> Tried | None:
    """The mix of objects and pages that passes and adds the fewest bytes: up the staircase, page by
    page.

    The fewest pages or objects that pass alone say what may be spent; beside so many pages there is
    room for the objects that the rest of the bytes holds, and with what was found there for fewer
    still.
    """
    spare = tries.left / 2  # for the pools
    tries.left -= spare
    _, pages = search(tries, lambda n: (0, n), most, max_runs)
    tries.left += spare
    _, objects = search(tries, lambda n: (n, 0), MOST["pool"], max_runs)
    alone = [tries.done[key] for key in ((0, pages), (objects, 0)) if None not in key]  # type: ignore[index]
    if not alone:
        alone = [
            t for t in [tries.look((MOST["pool"], most), max_runs)] if t and t.verdict == "passes"
        ]
    best = min(alone, key=lambda t: (t.bytes_added, t.objects), default=None)
    for count in range(1, most + 1 if best else 0):
        room = objects_below(tries, count, best)
        if room < 0 or tries.left <= 0:
            break
        seen = tries.look((room, count), max_runs)
        if seen and seen.verdict == "passes":
            _, least = search(tries, lambda n: (n, count), room, max_runs)  # noqa: B023
            best = best if least is None else tries.done[least, count]
    return best


def objects_below(tries: _Tries, pages: int, best: Tried | None) -> int:
    """The largest pool beside so many pages that adds fewer bytes than the best so far; -1 where
    none does.
    """
    if best is None:
        return MOST["pool"]
    room, _ = _bisect(
        -1,
        MOST["pool"] + 1,
        lambda n: n > MOST["pool"] or tries.of(n, pages).bytes_added() >= best.bytes_added,
    )
    return room


@dataclass(frozen=True)
class Worth:
    """The smallest pools for one target beside `pages` and beside one page more."""

    pages: int
    without: Sized
    with_page: Sized

    @property
    def objects(self) -> int | None:
        """How many emergency objects the page stands for; None if one of the two is not met."""
        a, b = self.without.smallest, self.with_page.smallest
        return None if a is None or b is None else a.objects - b.objects


@takes_rungs
def worth(scenario: Scenario | str, target: float = TARGET, *, pages: int = 1, **how: Any) -> Worth:
    """How many emergency objects one page is worth: the smallest pool beside `pages` against
    `pages` + 1.
    """
    without, with_page = (
        size(scenario, target, of="pool", fixed=n, **how) for n in (pages, pages + 1)
    )
    return Worth(pages, without, with_page)
