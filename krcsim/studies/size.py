# SPDX-License-Identifier: GPL-2.0-only
"""How big must the reserve be? The smallest pool, the fewest pages or the cheapest mix that meets a
target.
"""

from dataclasses import dataclass
from typing import Any

from krcsim.base import old_names
from krcsim.base.errors import refuse
from krcsim.base.fields import check_whole, is_finite
from krcsim.methods.finding import AUTO
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near, given
from krcsim.results.quantities import falling_with_reserve
from krcsim.runs.ladder import DEFAULT_RUNS, SEED, Stop, check_study
from krcsim.studies.reserves import AT_BOOT, MOST, Key
from krcsim.studies.shell_command import options_of
from krcsim.studies.size_search import cheapest, search
from krcsim.studies.size_tries import Report, Tries
from krcsim.studies.sized import Sized, Tried, size_of

OF = ("pool", "pages", "mix")
QUANTITIES = falling_with_reserve()
TARGET, CONFIDENCE = 1e-6, 0.95
BUDGET = 3.5e7  # events of one question: some CPU-seconds
MANY_CPUS = 80  # for which half as many events are spent
FINE = 0.01  # relative half width at which a size that is still open is left so
MOST_OBJECTS, MOST_PAGES = 100_000, 10_000  # sizes that may be asked for
USUAL: dict[str, Any] = dict(
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
    method=AUTO,
)


@old_names.takes_old_keywords(told="report")
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
    method: str = AUTO,
    stop: Stop | None = None,
    report: Report | None = None,
    command: str = "",
) -> Sized:
    """The smallest reserve for which `quantity` stays below `target`, with all that was tried on
    the way.

    of: pool (objects per CPU next to `fixed` pages), pages (next to `fixed` objects), or mix
    (cheapest in bytes added). All sizes have the same random draws. A target that no size meets is
    no error: `met` is False and what was tried stays. Raises KrcsimError for a target outside 0 to
    1 and other values that cannot be.
    """
    check_study(seed, FINE, max_runs)

    quantity = old_names.quantity(quantity) if isinstance(quantity, str) else quantity
    check_request(target, confidence, of, quantity, at_boot, budget)
    check_whole("fixed", fixed, MOST_PAGES, "it is what is next to the size that is searched")
    scenario = given(scenario)
    refuse(
        scenario.workload.single_share == 0.0,
        "workload.single_share",
        scenario.workload.single_share,
        "above 0 where a size is asked for",
        "only calls with one argument wait, and none is made; --set workload.single_share=1 makes "
        "all of them such calls",
    )

    shared = dict(quantity=quantity, window=window, seed=seed, max_runs=max_runs, method=method)
    asked = shared | dict(
        target=target,
        of=of,
        confidence=confidence,
        at_boot=at_boot,
        beside=fixed,
        budget=budget,
    )
    if most is None:  # else a command line cannot say it
        command = command or command_near("size", scenario, " ".join(options_of(asked, USUAL)))
    most = checked_most(of, most)

    # Where an event takes longer, fewer are spent.
    budget = budget or BUDGET / (1.0 + scenario.machine.cpus / MANY_CPUS)
    how = shared | dict(precision=FINE, stop=stop)
    tries = Tries(scenario, target, confidence, at_boot, budget, report, how)

    smallest, largest, between = _searched(tries, of, fixed, most, max_runs)
    tried = tuple(sorted(tries.done.values(), key=lambda tried: (tried.pages, tried.objects)))
    return Sized(
        of,
        quantity,
        tried[0].finding.window,
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


def _searched(
    tries: Tries, of: str, fixed: int, most: int, max_runs: int
) -> tuple[Tried | None, Tried | None, tuple[Tried, ...]]:
    """The smallest that passes, the largest that fails below it, and those that are open."""
    if of == "mix":
        return cheapest(tries, most, max_runs), None, ()

    def key_of(size: int) -> Key:
        return (size, fixed) if of == "pool" else (fixed, size)

    low, high = search(tries, key_of, most, max_runs)
    between = tuple(
        tried
        for tried in tries.done.values()
        if tried.verdict == "open" and (high is None or size_of(of, tried) < high)
    )
    smallest = None if high is None else tries.done[key_of(high)]
    largest = None if low is None else tries.done[key_of(low)]
    return smallest, largest, between


def checked_most(of: str, most: int | None) -> int:
    """The largest size that is tried; raises FieldError for one that cannot be."""
    most = MOST.get(of, MOST["pages"]) if most is None else most
    limit = MOST_OBJECTS if of == "pool" else MOST_PAGES
    check_whole("most", most, limit, "it is the largest size that is tried")
    return most


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


@dataclass(frozen=True)
class Worth:
    """The smallest pools for one target next to `pages` and next to one page more."""

    pages: int
    without: Sized
    with_page: Sized

    @property
    def objects(self) -> int | None:
        """How many emergency objects the page stands for; None if one of the two is not met."""
        without, with_page = self.without.smallest, self.with_page.smallest
        if without is None or with_page is None:
            return None
        return without.objects - with_page.objects


@old_names.takes_old_keywords(told="report")
def worth(scenario: Scenario | str, target: float = TARGET, *, pages: int = 1, **how: Any) -> Worth:
    """How many emergency objects one page is worth: the smallest pool next to `pages` against the
    smallest next to `pages` + 1.
    """
    without = size(scenario, target, of="pool", fixed=pages, **how)
    with_page = size(scenario, target, of="pool", fixed=pages + 1, **how)
    return Worth(pages, without, with_page)
