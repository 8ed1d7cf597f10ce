# SPDX-License-Identifier: GPL-2.0-only
"""Each event of an episode in a sentence, as a kernel developer would say it."""

from collections.abc import Callable

from krcsim.model.constants import milliseconds
from krcsim.model.remedy import Remedy, may_sleep_for_head
from krcsim.report.episode import Episode, Event


def sentence(episode: Episode, number: int) -> str:
    """What happened at an event, and why, with its numbers; without a full stop."""
    event = episode.events[number]
    return SENTENCES[event.what](episode, event)


# ---- words for numbers


def counted(count: float, noun: str) -> str:
    """A number with its noun: 1 page, 2,000 pages."""
    return f"{count:,.0f} {noun}{'s' * (count != 1)}"


def in_ms(ms: float) -> str:
    """A time in ms with as many digits as one can read."""
    digits = 0 if ms >= 10 or not ms else 1 if ms >= 1 else 2
    text = f"{ms:,.{digits}f}"
    return f"{text} ms" if float(text.replace(",", "")) or not ms else "less than 0.01 ms"


def _other_kind(episode: Episode) -> str:
    """What a page may hold that is cached, but not for this call."""
    share = episode.scenario.workload.vmalloc_share
    if share in (0, 1):
        return "slab objects" if share else "vmalloc objects"
    return "the other kind of object (slab or vmalloc)"


def _is_or_are(count: int) -> str:
    return "is" if count == 1 else "are"


def _cached(episode: Episode, event: Event) -> str:
    """Why no cached page was taken."""
    pages = counted(event.cached, "page")
    if not event.cached:
        return "no page is cached"
    if episode.scenario.remedy.cache_shared:
        return f"{pages} came into the cache too late"
    return f"{pages} {_is_or_are(event.cached)} cached, but for {_other_kind(episode)}"


def _after(episode: Episode, jiffies: float, event: Event) -> str:
    """The time from an event to a tick."""
    return in_ms(max(0.0, milliseconds(jiffies, episode.scenario.machine.hz) - event.ms))


# ---- the events


def _boot(episode: Episode, _event: Event) -> str:
    remedy = episode.scenario.remedy
    caches = 1 if remedy.cache_shared else 2
    parts = [counted(remedy.cache_at_boot * caches, "cached page")] * remedy.array_path
    if remedy.nr_emergency_objs:
        parts.append(
            f"{remedy.emergency_at_boot} of {remedy.nr_emergency_objs} objects in its pool"
        )
    return f"the machine boots: each CPU has {' and '.join(parts) or 'no reserve'}"


def _episode_begins(episode: Episode, _event: Event) -> str:
    if episode.scenario.memory.pressure == "pages":
        return "an episode of pressure begins: free pages are taken until requests fail"
    return "an episode of pressure begins: requests of memory may fail from now on"


def _episode_ends(_episode: Episode, _event: Event) -> str:
    return "the episode of pressure ends: memory can be had as in calm"


def _page_from_cache(episode: Episode, event: Event) -> str:
    left = f"{event.value:.0f} left"
    if not episode.scenario.remedy.cache_shared:
        left += " for its kind of object"
    return f"no room in a block: this call takes a page from the cache ({left})"


def _page_allocated(episode: Episode, event: Event) -> str:
    return f"{_cached(episode, event)}: this call asks the allocator for a page, and gets one"


def _page_failed(episode: Episode, event: Event) -> str:
    if event.cached and not episode.scenario.remedy.cache_shared:
        it = "it" if event.cached == 1 else "them"
        return f"{_cached(episode, event)}: this call may not take {it}, and its request fails"
    return f"{_cached(episode, event)}, and the request of this call for one fails"


def _rcu_head_allocated(_episode: Episode, _event: Event) -> str:
    return "no page, but an rcu_head could be had: this call's pointer joins the list"


def _rcu_head_from_pool(episode: Episode, event: Event) -> str:
    left = event.nr_emergency
    size = episode.scenario.remedy.nr_emergency_objs
    after = f"{left} of {size} left" if left else "the pool is empty now"
    return f"no page and no rcu_head could be had: this call takes an object of the pool, {after}"


def _own_head_listed(_episode: Episode, _event: Event) -> str:
    return "no page, but this call brings its own rcu_head (two arguments): it joins the list"


def _reclaim_stall(_episode: Episode, event: Event) -> str:
    return (
        "the request fails but may sleep: this caller stalls in direct reclaim for "
        f"{in_ms(event.value)}"
    )


def _no_rcu_head(remedy: Remedy) -> str:
    if remedy.head_alloc == "none":
        return "this kernel asks for no rcu_head"
    by_reclaim = ", not even by reclaim" if may_sleep_for_head(remedy.head_alloc) else ""
    return f"no rcu_head could be had{by_reclaim}"


def _wait_begins(episode: Episode, event: Event) -> str:
    remedy = episode.scenario.remedy
    why = f"no page, and {_no_rcu_head(remedy)}"
    if remedy.nr_emergency_objs:
        why = f"the pool is empty and {_no_rcu_head(remedy)}"

    length = episode.wait_lengths_ms.get(event)
    how_long = f"for {in_ms(length)}" if length is not None else "beyond this picture"
    return f"{why}: this caller waits in synchronize_rcu() {how_long}"


def _wait_ends(_episode: Episode, event: Event) -> str:
    return f"after {in_ms(event.value)} a caller's wait is over: it frees its object itself"


def _monitor_armed(episode: Episode, event: Event) -> str:
    after = _after(episode, event.value, event)
    return f"the first pointer since the last drain: the monitor is set to drain in {after}"


def _monitor_pulled(episode: Episode, event: Event) -> str:
    return (
        f"{counted(event.queued, 'queued pointer')} fill a block: the monitor is brought forward, "
        f"to {_after(episode, event.value, event)} from now"
    )


def _drained_early(_episode: Episode, event: Event) -> str:
    return (
        "a pointer joined the list while no monitor was pending: "
        f"the {counted(event.queued, 'queued pointer')} {_is_or_are(event.queued)} drained at once"
    )


def _batch_queued(_episode: Episode, event: Event) -> str:
    return (
        f"a free batch takes the {counted(event.value, 'queued pointer')}, and waits for a grace "
        "period"
    )


def _joined_a_pending_batch(_episode: Episode, event: Event) -> str:
    return (
        "a batch that waits already takes what it has a free channel for, of "
        f"{counted(event.value, 'queued pointer')}"
    )


def _monitor_rearmed(episode: Episode, event: Event) -> str:
    stay = f"{counted(event.queued, 'pointer')} stay{'s' * (event.queued == 1)} queued"
    if not event.queued:
        stay = "a batch was busy"
    return f"{stay}: the monitor comes again in {_after(episode, event.value, event)}"


def _gp_starts(_episode: Episode, event: Event) -> str:
    return f"grace period {event.value:.0f} starts: who asks from now on needs the next one"


def _gp_ends(_episode: Episode, event: Event) -> str:
    return f"grace period {event.value:.0f} ends: who waited for it may go on"


def _work_starts(_episode: Episode, event: Event) -> str:
    return (
        f"the grace period of a batch is over: its {counted(event.value, 'object')} "
        f"{_is_or_are(int(event.value))} about to be freed"
    )


def _freed_too_early(_episode: Episode, event: Event) -> str:
    return (
        f"{counted(event.value, 'object')} {_is_or_are(int(event.value))} freed before a full "
        "grace period: the batch had asked for it before they joined"
    )


def _page_to_cache(_episode: Episode, event: Event) -> str:
    return (
        f"a block is freed, and its page goes into the cache: {counted(event.cached, 'page')} now"
    )


def _page_freed(_episode: Episode, _event: Event) -> str:
    return "a block is freed, and its page goes to the allocator: the cache has no room"


def _wrapper_to_pool(episode: Episode, event: Event) -> str:
    size = episode.scenario.remedy.nr_emergency_objs
    return (
        f"{counted(event.value, 'freed rcu_head')} go{'es' * (event.value == 1)} into the pool: "
        f"{event.nr_emergency} of {size} now"
    )


def _refill_worker_ran(_episode: Episode, event: Event) -> str:
    cached = counted(event.cached, "page")
    return f"the refill worker has run: {cached} {_is_or_are(event.cached)} cached"


def _work_ends(_episode: Episode, _event: Event) -> str:
    return "all objects of the batch are freed"


def _sheaf_allocated(_episode: Episode, _event: Event) -> str:
    return "this CPU has no sheaf to fill, and no empty one is at hand: it gets a new one"


def _sheaf_failed(_episode: Episode, _event: Event) -> str:
    return "this CPU has no sheaf to fill, and its request for a new one fails"


def _sheaf_full(_episode: Episode, event: Event) -> str:
    pointers = counted(event.value, "pointer")
    return f"a sheaf is full: its {pointers} wait for a grace period as one callback"


def _sheaves_back(_episode: Episode, event: Event) -> str:
    sheaves = "a full sheaf comes" if event.value == 1 else f"{event.value:.0f} full sheaves come"
    return f"{sheaves} back: the objects are free"


def _ready_objects_taken(_episode: Episode, event: Event) -> str:
    objects = counted(event.value, "object")
    return (
        f"the monitor finds {objects} that a grace period has passed for: it frees "
        f"{'it' if event.value == 1 else 'them'} itself"
    )


def _object_failed(_episode: Episode, _event: Event) -> str:
    return "no memory for the object of a caller that may not sleep: it makes no call"


def _oom_kill(_episode: Episode, event: Event) -> str:
    return (
        "16 rounds of reclaim found nothing: the OOM killer is invoked, which will free "
        f"{counted(event.value, 'page')}"
    )


def _oom_end(_episode: Episode, _event: Event) -> str:
    return "16 rounds of reclaim found nothing: the OOM killer is invoked, and the run ends"


def _shrinker_scans(_episode: Episode, event: Event) -> str:
    return (
        f"a reclaim pass comes to the shrinker, which could free {counted(event.value, 'thing')}: "
        "cached pages go, and monitors run now"
    )


SENTENCES: dict[str, Callable[[Episode, Event], str]] = {
    "boot": _boot,
    "episode begins": _episode_begins,
    "episode ends": _episode_ends,
    "page from cache": _page_from_cache,
    "page allocated": _page_allocated,
    "page failed": _page_failed,
    "rcu_head allocated": _rcu_head_allocated,
    "rcu_head from pool": _rcu_head_from_pool,
    "own head listed": _own_head_listed,
    "reclaim stall": _reclaim_stall,
    "wait begins": _wait_begins,
    "wait ends": _wait_ends,
    "monitor armed": _monitor_armed,
    "monitor pulled forward": _monitor_pulled,
    "drained early": _drained_early,
    "batch queued": _batch_queued,
    "joined a pending batch": _joined_a_pending_batch,
    "monitor re-armed": _monitor_rearmed,
    "grace period starts": _gp_starts,
    "grace period ends": _gp_ends,
    "work starts": _work_starts,
    "freed before its grace period": _freed_too_early,
    "page to cache": _page_to_cache,
    "page freed": _page_freed,
    "wrapper to pool": _wrapper_to_pool,
    "work ends": _work_ends,
    "refill worker ran": _refill_worker_ran,
    "ready objects taken": _ready_objects_taken,
    "object failed": _object_failed,
    "out of memory: kill": _oom_kill,
    "out of memory: end": _oom_end,
    "shrinker scans": _shrinker_scans,
    "sheaf allocated": _sheaf_allocated,
    "sheaf failed": _sheaf_failed,
    "sheaf full": _sheaf_full,
    "sheaves back": _sheaves_back,
}
