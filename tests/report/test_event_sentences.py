# SPDX-License-Identifier: GPL-2.0-only
"""Each event of an episode reads as a sentence, with the numbers of the event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.engine.codes import EVENTS
from krcsim.model.remedy import TABLE
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario
from krcsim.report.episode import Episode, Event, one_episode
from krcsim.report.event_sentences import SENTENCES, in_ms, sentence

LONGEST = 190  # two lines in a picture


def episode(*events: Event, **changes: object) -> Episode:
    """An episode of one CPU from 0 to 100 ms, with these events."""
    scenario = changed(load_scenario("exhausted-guest"), **changes)
    return Episode(scenario, 1, 0, 1, 0, 0.0, 100.0, 60.0, events, calls=1204, all_waits=0)


def event(what: str, ms: float = 5.0, value: float = 0.0, pool: int = 0, cached: int = 0) -> Event:
    return Event(ms, 0, what, value, pool, cached, room=0, queued=3, listed=1)


def said(what: str, value: float = 0.0, pool: int = 0, cached: int = 0, **changes: object) -> str:
    return sentence(episode(event(what, 5.0, value, pool, cached), **changes), 0)


def scenarios() -> Iterator[Scenario]:
    """Worlds in which every kind of event happens, with each remedy of the table."""
    posted = load_scenario("thread-as-posted")
    mixed = changed(posted, **{"workload.single_share": 0.7, "workload.vmalloc_share": 0.3})
    for row in TABLE:
        yield replace(mixed, remedy=row.remedy)
    pool = changed(mixed, remedy="B2", **{"allocator.episode.head_reclaim": 0.2})
    yield pool
    yield changed(pool, **{"remedy.page_class": "noretry"})
    yield changed(pool, **{"remedy.array_path": False, "grace_period.expedited": True})
    # Calls that get no page start the refill worker; without a cache there are many.
    yield changed(mixed, **{"remedy": "E3", "remedy.nr_bkv_objs": 0, "allocator.episode.page": 1.0})
    # Calls are rare, and the monitor finds ready what grace periods of others have passed for.
    often = {"remedy.drain_ms": 20.0, "workload.rate_hz": 50.0} | {
        "grace_period.kind": "fixed",
        "grace_period.mean_ms": 1.0,
        "grace_period.background_hz": 1000.0,
    }
    yield changed(changed(mixed, remedy="E8"), **often)
    # No barn keeps an empty sheaf, and nothing is allocated: each sheaf is a new one.
    new = {"remedy.barn_empty": 0, "workload.reuse_hz": 0.0, "allocator.episode.sheaf": 0.5}
    yield changed(changed(mixed, remedy="E10"), **new)
    yield load_scenario("exhausted-guest")
    yield from out_of_memory()


def out_of_memory() -> Iterator[Scenario]:
    """Callers that allocate what they free later, until there is no memory."""
    world = changed(
        load_scenario("exhausted-guest"),
        **{
            "remedy": "E5",
            "workload.single_share": 0.5,
            "workload.object_bytes": 4096,
            "workload.live_objects": 1000,
            "workload.growth_pages_s": 1000.0,
            "memory.shrinker": True,
            "memory.priority": 0,
        },
    )
    yield world
    yield changed(world, **{"memory.oom_frees_mib": 4.0, "memory.oom_ms": 20.0})


@pytest.fixture(scope="module")
def episodes() -> list[Episode]:
    return [one_episode(scenario, number=1) for scenario in scenarios()]


def test_every_kind_of_event_has_a_sentence() -> None:
    assert set(SENTENCES) == set(EVENTS)


@pytest.mark.parametrize("what", EVENTS)
@pytest.mark.parametrize("count", [0, 1, 2, 12_345])
def test_a_sentence_is_plain_and_short(what: str, count: int) -> None:
    text = said(what, float(count), pool=min(count, 2), cached=min(count, 2))
    assert text.isascii()
    assert len(text) <= LONGEST
    assert not text.endswith(".")
    assert "  " not in text
    assert "1 pages" not in text
    assert "1 objects" not in text
    assert "1 pointers" not in text


def test_the_sentences_of_whole_runs_are_plain_and_short(episodes: list[Episode]) -> None:
    kinds = set()
    for one in episodes:
        for number, happened in enumerate(one.events):
            text = sentence(one, number)
            kinds.add(happened.what)
            assert text.isascii(), text
            assert 10 < len(text) <= LONGEST, text
    assert set(EVENTS) - kinds <= {"boot"}  # which is before any episode


def test_a_page_of_the_other_channel_may_not_be_taken() -> None:
    text = said("page failed", cached=1, **{"remedy.cache_shared": False})
    assert text.startswith("1 page is cached, but for vmalloc objects: this call may not take it")


def test_whose_page_it_is_is_not_guessed() -> None:
    both = {"remedy.cache_shared": False, "workload.vmalloc_share": 0.5}
    assert "the other kind of object" in said("page failed", cached=1, **both)
    all_vmalloc = {"remedy.cache_shared": False, "workload.vmalloc_share": 1.0}
    assert "but for slab objects" in said("page failed", cached=2, **all_vmalloc)


def test_who_waits_says_why_and_for_how_long() -> None:
    begins, ends = event("wait begins", 10.0), event("wait ends", 31.0, 21.0)
    for changes, why in (
        ({"remedy": "B3f"}, "the pool is empty and no rcu_head could be had"),
        ({"remedy": "A0"}, "no page, and no rcu_head could be had:"),
        ({"remedy": "E1"}, "this kernel asks for no rcu_head"),
    ):
        text = sentence(episode(begins, ends, **changes), 0)
        assert why in text
        assert text.endswith("this caller waits in synchronize_rcu() for 21 ms")


def test_a_wait_whose_end_is_not_seen_has_no_length() -> None:
    text = sentence(episode(event("wait begins", 10.0)), 0)
    assert text.endswith("synchronize_rcu() beyond this picture")


def test_each_end_of_a_wait_belongs_to_one_begin() -> None:
    begins = [event("wait begins", 10.0), event("wait begins", 12.0)]
    ends = [event("wait ends", 32.0, 20.0), event("wait ends", 32.0, 22.0)]
    world = episode(*begins, *ends)
    assert [world.wait_lengths_ms[begin] for begin in begins] == [22.0, 20.0]


def test_the_lengths_of_waits_are_those_of_the_run(episodes: list[Episode]) -> None:
    for one in episodes:
        ends = [happened for happened in one.events if happened.what == "wait ends"]
        assert set(one.wait_lengths_ms.values()) <= {end.value for end in ends}
        seen = [wait for wait in one.waits if wait.ms + 40 < one.span[1]]
        assert sum(wait in one.wait_lengths_ms for wait in seen) >= 0.9 * len(seen)


def test_the_last_object_of_a_pool_is_said() -> None:
    assert said("rcu_head from pool", pool=0, remedy="B3f").endswith("the pool is empty now")
    assert said("rcu_head from pool", pool=2, remedy="B3f").endswith("2 of 3 left")


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0.0, "0 ms"), (0.004, "less than 0.01 ms"), (0.25, "0.25 ms"), (5.34, "5.3 ms"),
     (21.4, "21 ms"), (1269.5, "1,270 ms")],
)  # fmt: skip
def test_times_have_digits_that_one_can_read(ms: float, words: str) -> None:
    assert in_ms(ms) == words


def test_an_episode_that_is_not_there_is_refused() -> None:
    with pytest.raises(KrcsimError, match="episodes, so none"):
        one_episode("thread-as-posted", number=50)
