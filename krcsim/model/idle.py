# SPDX-License-Identifier: GPL-2.0-only
"""Which fields of a scenario move no answer, whatever their value, and why: what a slider need not
offer.
"""

from dataclasses import fields

from krcsim.model.allocator import Failure
from krcsim.model.memory import Memory
from krcsim.model.scenario import Scenario

CLASSES = tuple(f.name for f in fields(Failure))
FREE_PAGES = "free pages decide what fails"
DRAWN = "failures are drawn"
NO_EPISODES = "there are no episodes"
GIVEN_EPISODES = "episodes have given times"
NO_BLOCKS = "pointers never go into pages"
NO_PAGE_EVER = "no page is ever had"
NO_SINGLE = "no call has one argument"
NO_HEAD = "no rcu_head is ever asked for"
RECORDED = "lengths are recorded"
OTHER_CLASS = "no request has these flags"
SAME_CACHE = "one channel is used, and nothing is cached at boot"


def idle(s: Scenario) -> dict[str, str]:
    """The dotted fields that can be changed without any change of an answer, with the reason."""
    found: dict[str, str] = {}
    if s.memory.pressure == "pages":
        found |= {
            f"allocator.{when}.{name}": FREE_PAGES
            for when in ("calm", "episode")
            for name in CLASSES
        }
    else:
        found |= {f"memory.{f.name}": DRAWN for f in fields(Memory) if f.name != "pressure"}
        found |= _idle_failures(s)
    if s.allocator.episodes != "exponential":
        why = NO_EPISODES if s.allocator.episodes == "none" else GIVEN_EPISODES
        found |= dict.fromkeys(
            ("allocator.episode_ms", "allocator.calm_ms", "allocator.start"), why
        )
    if s.grace_period.kind == "empirical":
        found["grace_period.mean_ms"] = RECORDED
    return found | _idle_remedy(s)


def _idle_failures(s: Scenario) -> dict[str, str]:
    """Failures that no request draws: of a state that never is, or of flags that no request has."""
    found: dict[str, str] = {}
    for when, failure in (("calm", s.allocator.calm), ("episode", s.allocator.episode)):
        asked, why = _asked(s, failure), OTHER_CLASS
        if when == "episode" and s.allocator.episodes == "none":
            asked, why = set(), NO_EPISODES
        for name in CLASSES:
            if name not in asked:
                heads = (
                    name.startswith("head")
                    and why == OTHER_CLASS
                    and not any(a.startswith("head") for a in asked)
                )
                found[f"allocator.{when}.{name}"] = NO_HEAD if heads else why
    return found


def _asked(s: Scenario, f: Failure) -> set[str]:
    """The classes of requests that are made, and those from which a class that was left out has its
    value.
    """
    r, singles = s.remedy, s.workload.single_share > 0.0
    asked = {"page"} if r.array_path else set()
    if r.array_path and (
        r.refill or singles and r.page_class == "noretry"
    ):  # the worker that refills may sleep, too
        asked.add("page_noretry")
    if singles and (
        not r.array_path or f.page > 0.0
    ):  # else a page is had, and nothing more is asked for
        asked |= dict(
            none=set(),
            atomic={"head_atomic"},
            tryhard={"head_high", "head_reclaim"},
            three_step={"head_atomic", "head_reclaim"},
        )[r.head_alloc]
    for name, others in (
        ("head_reclaim", {"head_atomic", "head_high"}),
        ("head_high", {"head_atomic"}),
        ("head_atomic", {"head"}),
        ("page_noretry", {"page"}),
    ):
        if name in asked and getattr(f, name) is None:
            asked |= others
    return asked


def _idle_remedy(s: Scenario) -> dict[str, str]:
    r, found = s.remedy, dict[str, str]()
    if not r.array_path:
        found |= dict.fromkeys(
            (
                f"remedy.{name}"
                for name in ("block_entries", "nr_bkv_objs", "cache_at_boot", "cache_shared")
            ),
            NO_BLOCKS,
        )
    elif r.cache_at_boot == 0 and not r.refill and s.workload.channels() == 1:
        found["remedy.cache_shared"] = SAME_CACHE
    if r.array_path and r.cache_at_boot == 0 and not r.refill and _never_a_page(s):
        found["remedy.block_entries"] = NO_PAGE_EVER
    never_asks = (
        r.array_path and s.memory.pressure != "pages" and all(f.page == 0.0 for f in _states(s))
    )
    if s.workload.single_share == 0.0 or never_asks:
        found["remedy.head_alloc"] = NO_SINGLE if s.workload.single_share == 0.0 else NO_HEAD
    return found


def _states(s: Scenario) -> list[Failure]:
    """The failures of the states that there are."""
    return [s.allocator.calm] + [s.allocator.episode] * (s.allocator.episodes != "none")


def _never_a_page(s: Scenario) -> bool:
    """Whether every page request fails, in calm and in episodes."""
    sure = (
        min(f.resolved()[:2]) if s.remedy.page_class == "noretry" else f.page for f in _states(s)
    )
    return s.memory.pressure != "pages" and all(p == 1.0 for p in sure)
