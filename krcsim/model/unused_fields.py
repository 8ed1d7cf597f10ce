# SPDX-License-Identifier: GPL-2.0-only
"""Fields of a scenario that change no answer, whatever their value: a slider need not offer them.

Where failures are drawn, for example, nothing uses the size of the memory.
"""

from dataclasses import fields

from krcsim.model.allocator import Failure
from krcsim.model.constants import KMALLOC_MAX_CACHE_BYTES, PAGE_BYTES
from krcsim.model.memory import Memory
from krcsim.model.remedy import HEAD_REQUESTS
from krcsim.model.scenario import Scenario

CLASSES = tuple(one.name for one in fields(Failure))

# Why a field changes nothing, as a notebook says it.
FREE_PAGES = "free pages decide what fails"
DRAWN = "failures are drawn"
NO_EPISODES = "there are no episodes"
GIVEN_EPISODES = "episodes have given times"
NO_BLOCKS = "pointers never go into pages"
NO_PAGE_EVER = "no request for a page ever succeeds"
NO_SINGLE = "no call has one argument"
NO_REFILL = "no worker fills the cache"
NO_SHRINKER = "no reclaim pass calls the shrinker"
SHRUNK = "the shrinker frees cached pages since refills back off"
NO_DOUBLE = "no call has two arguments"
NO_HEAD = "no rcu_head is ever asked for"
RECORDED = "lengths are recorded"
OTHER_CLASS = "no request has these flags"
NOT_WOKEN = "no caller is woken by the grace-period kthread"
GIVEN_LENGTHS = "lengths of grace periods are given"
OWN_PAGES = "each object has pages of its own, which are free with it"
NO_ALLOCATIONS = "no caller allocates"
NO_OOM = "an OOM ends the run"
NOTHING_TO_RECLAIM = "there is no page cache to reclaim"
CALLERS_ALLOCATE = "callers allocate the objects that they free later"
RECORDED_CALLS = "calls are those of a recording"
SAME_RATE = "the rate is the same always"
NO_SHEAVES = "the remedy has no sheaves"
NONE_TAKEN = "no object is of a kind that sheaves take"
ALL_CACHES = "nearly all caches have sheaves"
ONE_CPU = "there is one CPU"
SEVERAL_SIZES = "objects have several sizes"
SAME_CACHE = "one channel is used, and nothing is cached at boot"

SHEAF_FIELDS = (
    "remedy.sheaf_entries",
    "remedy.barn_full",
    "remedy.barn_empty",
    "machine.node_cpus",
    "workload.sheaf_share",
    "workload.opted_in_share",
    "workload.reuse_hz",
    "grace_period.lazy_ms",
)


def unused_fields(scenario: Scenario) -> dict[str, str]:
    """The dotted fields that change no answer of a scenario, each with the reason in words."""
    unused: dict[str, str] = {}

    if scenario.memory.pressure == "pages":
        for state in ("calm", "episode"):
            unused |= {f"allocator.{state}.{name}": FREE_PAGES for name in CLASSES}
        unused |= _unused_feedback(scenario)
    else:
        names = (one.name for one in fields(Memory) if one.name != "pressure")
        unused |= {f"memory.{name}": DRAWN for name in names}
        unused |= {f"workload.{name}": DRAWN for name in ("live_objects", "growth_pages_s")}
        unused |= _unused_failures(scenario)

    if scenario.allocator.episodes != "exponential":
        reason = NO_EPISODES if scenario.allocator.episodes == "none" else GIVEN_EPISODES
        for name in ("episode_ms", "calm_ms", "start"):
            unused[f"allocator.{name}"] = reason

    if scenario.machine.cpus == 1:
        unused["workload.cpu_shares"] = ONE_CPU
    if not scenario.workload.rate_factors():
        unused["workload.rate_period_ms"] = SAME_RATE
    if scenario.workload.object_sizes:
        unused["workload.object_bytes"] = SEVERAL_SIZES
    if scenario.workload.calls is not None:
        of_others = ("rate_hz", "on_ms", "off_ms", "phase")
        unused |= {f"workload.{name}": RECORDED_CALLS for name in of_others}

    if scenario.grace_period.kind == "empirical":
        unused["grace_period.mean_ms"] = RECORDED

    if scenario.remedy.wake != "gp" or scenario.grace_period.expedited:
        unused["remedy.wake_work_ms"] = NOT_WOKEN
    if not scenario.grace_period.is_fitted():
        unused["remedy.own_cpu"] = GIVEN_LENGTHS

    unused |= _unused_of_sheaves(scenario)
    return unused | _unused_of_remedy(scenario) | _unused_of_refill(scenario)


def _unused_feedback(scenario: Scenario) -> dict[str, str]:
    """Fields of what callers allocate, and of OOM, where memory is counted in pages."""
    memory, workload = scenario.memory, scenario.workload
    unused: dict[str, str] = {}

    if workload.sizes[0][0] >= PAGE_BYTES or workload.vmalloc_share == 1.0:
        unused["memory.release"] = OWN_PAGES
    if workload.live_objects > 0:
        unused["memory.deferred_counts"] = CALLERS_ALLOCATE
    elif not memory.deferred_counts:
        unused["memory.release"] = NO_ALLOCATIONS
    if not scenario.may_invoke_oom:
        unused |= {f"memory.{name}": NO_ALLOCATIONS for name in ("oom_frees_mib", "oom_ms")}
    elif memory.oom_frees_mib == 0:
        unused["memory.oom_ms"] = NO_OOM
    if not memory.shrinker:
        unused["memory.priority"] = NO_SHRINKER
    if memory.file_mib == 0 and memory.load_pages_s == 0:
        unused["memory.reclaim_pages_s"] = NOTHING_TO_RECLAIM

    return unused


def _unused_of_sheaves(scenario: Scenario) -> dict[str, str]:
    """Fields that only sheaves use, and those of them that change nothing here."""
    remedy, workload = scenario.remedy, scenario.workload
    if not remedy.sheaves:
        return dict.fromkeys(SHEAF_FIELDS, NO_SHEAVES)

    is_in_slab = workload.sizes[0][0] <= KMALLOC_MAX_CACHE_BYTES
    opts_in = remedy.sheaf_caches == "opted_in"
    if workload.vmalloc_share == 1.0 or scenario.sheaf_share == 0.0:
        unused = dict.fromkeys(SHEAF_FIELDS, NONE_TAKEN)
        if workload.vmalloc_share < 1.0 and is_in_slab:
            if not opts_in or workload.opted_in_share > 0.0:
                del unused["workload.sheaf_share"]
            if opts_in and workload.sheaf_share > 0.0:
                del unused["workload.opted_in_share"]
        return unused

    unused = {} if opts_in else {"workload.opted_in_share": ALL_CACHES}
    if scenario.machine.cpus == 1:
        unused["machine.node_cpus"] = ONE_CPU
    return unused


def _unused_failures(scenario: Scenario) -> dict[str, str]:
    """Failures that no request draws: of a state that never comes, or of flags that none has."""
    unused: dict[str, str] = {}
    never_comes = {"calm": False, "episode": scenario.allocator.episodes == "none"}
    failures = {"calm": scenario.allocator.calm, "episode": scenario.allocator.episode}

    for state, failure in failures.items():
        asked = set() if never_comes[state] else _asked(scenario, failure)
        asks_for_head = any(name.startswith("head") for name in asked)

        for name in CLASSES:
            if name in asked:
                continue
            reason = OTHER_CLASS
            if never_comes[state]:
                reason = NO_EPISODES
            elif name.startswith("head") and not asks_for_head:
                reason = NO_HEAD
            elif name == "sheaf" and not scenario.remedy.sheaves:
                reason = NO_SHEAVES
            unused[f"allocator.{state}.{name}"] = reason

    return unused


def _asked(scenario: Scenario, failure: Failure) -> set[str]:
    """The classes of requests that are made, and those whose values they fall back on."""
    remedy = scenario.remedy
    has_single = scenario.workload.single_share > 0.0
    asked = set()

    if _asks_for_pages(scenario):
        asked.add("page")
    # The worker that refills a cache may sleep, too.
    may_sleep = remedy.has_refill_worker or (has_single and remedy.page_class == "noretry")
    if remedy.array_path and may_sleep:
        asked.add("page_noretry")

    workload = scenario.workload
    if remedy.sheaves and workload.vmalloc_share < 1.0 and scenario.sheaf_share > 0.0:
        asked.add("sheaf")

    # A call that always gets a page asks for nothing more.
    asks_always = remedy.array_path and remedy.page_class != "cache"
    if has_single and (not asks_always or failure.page > 0.0):
        asked |= set(HEAD_REQUESTS[remedy.head_alloc])

    for name, others in (
        ("head_reclaim", {"head_atomic", "head_high"}),
        ("head_high", {"head_atomic"}),
        ("head_atomic", {"head"}),
        ("sheaf", {"head"}),
        ("page_noretry", {"page"}),
    ):
        if name in asked and getattr(failure, name) is None:
            asked |= others

    return asked


def _unused_of_remedy(scenario: Scenario) -> dict[str, str]:
    remedy = scenario.remedy
    has_single = scenario.workload.single_share > 0.0
    fills_caches = remedy.cache_at_boot > 0 or remedy.has_refill_worker
    unused: dict[str, str] = {}

    if not remedy.array_path:
        for name in ("nr_bkv_objs", "cache_at_boot", "cache_shared", "double_page"):
            unused[f"remedy.{name}"] = NO_BLOCKS
    elif not fills_caches and scenario.workload.channels() == 1:
        unused["remedy.cache_shared"] = SAME_CACHE

    if scenario.workload.single_share == 1.0:
        unused.setdefault("remedy.double_page", NO_DOUBLE)

    if not remedy.drain_full:  # else so many queued objects bring the monitor forward
        if not remedy.array_path:
            unused["remedy.block_entries"] = NO_BLOCKS
        elif not fills_caches and _never_gets_a_page(scenario):
            unused["remedy.block_entries"] = NO_PAGE_EVER

    always_gets_a_page = (
        remedy.array_path
        and remedy.page_class != "cache"
        and scenario.memory.pressure != "pages"
        and all(failure.page == 0.0 for failure in _failures(scenario))
    )
    if not has_single:
        unused["remedy.head_alloc"] = NO_SINGLE
    elif always_gets_a_page:
        unused["remedy.head_alloc"] = NO_HEAD

    return unused


def _unused_of_refill(scenario: Scenario) -> dict[str, str]:
    remedy = scenario.remedy
    unused: dict[str, str] = {}
    shrinks = scenario.memory.pressure == "pages" and scenario.memory.shrinker
    if not remedy.array_path or not remedy.has_refill_worker:
        reason = NO_REFILL if remedy.array_path else NO_BLOCKS
        unused["remedy.refill_ms"] = reason
        if not shrinks:
            unused["remedy.refill_backoff_ms"] = reason
    elif not shrinks:
        unused["remedy.refill_backoff_ms"] = NO_SHRINKER
    if not shrinks:
        unused["remedy.shrinks_cache"] = NO_SHRINKER
    elif remedy.refill_backoff_ms > 0:
        unused["remedy.shrinks_cache"] = SHRUNK
    return unused


def _asks_for_pages(scenario: Scenario) -> bool:
    """Whether any call asks the allocator for a page."""
    remedy, single = scenario.remedy, scenario.workload.single_share
    of_single = single > 0.0 and remedy.page_class != "cache"
    return remedy.array_path and (of_single or (single < 1.0 and remedy.double_page))


def _failures(scenario: Scenario) -> list[Failure]:
    """The failures of the states that come."""
    if scenario.allocator.episodes == "none":
        return [scenario.allocator.calm]
    return [scenario.allocator.calm, scenario.allocator.episode]


def _never_gets_a_page(scenario: Scenario) -> bool:
    """Whether every page request fails, in calm and in episodes."""
    if not _asks_for_pages(scenario):
        return True
    if scenario.memory.pressure == "pages":
        return False

    for failure in _failures(scenario):
        p_fails = failure.by_field()
        lowest = p_fails["page"]
        if scenario.remedy.page_class == "noretry":
            lowest = min(lowest, p_fails["page_noretry"])
        if lowest < 1.0:
            return False
    return True
