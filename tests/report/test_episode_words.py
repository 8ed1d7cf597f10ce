# SPDX-License-Identifier: GPL-2.0-only
"""What an episode shows, in words: the numbers of its finding are those of the data."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from krcsim.engine.codes import EVENTS
from krcsim.model.scenario import changed
from krcsim.model.scenario_file import load_scenario
from krcsim.report.episode import Episode, one_episode
from krcsim.report.episode_words import finding, key_events, situation_of
from krcsim.runs.ladder import SEED
from krcsim.runs.replications import event_log

FAILING = {name: 0.6 for name in ("head", "head_atomic", "head_high", "head_reclaim")}
POOL = {"remedy": "B3f", **{f"allocator.episode.{name}": p for name, p in FAILING.items()}}
CASES = (
    ("thread-as-posted", {}),
    ("thread-as-posted", POOL),
    ("thread-as-posted", POOL | {"remedy": "B"}),
    ("thread-as-discussed", {"remedy": "D5-A1"}),
    ("phone", {}),
    ("exhausted-guest", {}),
)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]} {len(case[1])}")
def episode(request: pytest.FixtureRequest) -> Episode:
    preset, changes = request.param
    return one_episode(changed(load_scenario(preset), **changes), number=1)


def numbers(text: str) -> list[int]:
    """The whole numbers of a sentence."""
    return [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*\d|\d", text)]


def test_the_finding_counts_waits_and_calls(episode: Episode) -> None:
    text = finding(episode)
    assert len(text) <= 200
    first = text.split(" in this episode")[0]
    made = [episode.all_waits, episode.calls] if episode.all_waits else [episode.calls]
    assert numbers(first) == made
    assert text.startswith("None of") == (episode.all_waits == 0)


def test_the_waits_of_a_cpu_are_part_of_all(episode: Episode) -> None:
    assert len(episode.waits) <= episode.all_waits <= episode.calls
    if episode.scenario.machine.cpus == 1:
        assert len(episode.waits) == episode.all_waits
    elif episode.all_waits:
        assert f"{len(episode.waits):,} of them on CPU {episode.cpu}" in finding(episode)


@pytest.mark.parametrize("preset", ["thread-as-posted", "phone", "exhausted-guest"])
def test_the_calls_of_all_episodes_are_those_that_the_run_counts(preset: str) -> None:
    scenario = load_scenario(preset)
    runs, log, _ = event_log(scenario, SEED, 3, events=1_000_000)
    count = int((log["code"] == EVENTS.index("episode begins")).sum())
    found = [one_episode(scenario, replication=3, number=n + 1).calls for n in range(count)]
    counters = ("single_episode", "double_episode")
    assert sum(found) == sum(runs.of(name, window)[0] for name in counters for window in (0, 1))


def test_a_pool_that_runs_out_says_when() -> None:
    episode = one_episode(changed(load_scenario("thread-as-posted"), **POOL), number=1)
    empty = next(e for e in episode.within() if e.cpu >= 0 and e.nr_emergency == 0)
    after_ms = empty.ms - episode.begin_ms
    assert after_ms > 10
    assert finding(episode).endswith(f"the pool ran out {after_ms:,.0f} ms after it began")


def test_a_pool_that_does_not_run_out_says_how_far_it_fell() -> None:
    large = changed(load_scenario("thread-as-posted"), **POOL | {"remedy": "B500f"})
    episode = one_episode(large, number=1)
    least = min(e.nr_emergency for e in episode.within() if e.cpu >= 0)
    assert finding(episode).endswith(f"the pool never falls below {least} of 500 objects")


def test_a_pool_that_never_held_anything_is_empty_all_along() -> None:
    episode = one_episode(changed(load_scenario("thread-as-posted"), **POOL), number=1)
    empty = tuple(replace(event, nr_emergency=0) for event in episode.events)
    assert finding(replace(episode, events=empty)).endswith("the pool is empty all along")


@pytest.mark.parametrize("remedy", ["A0", "A1", "C-A0", "D5-A1"])
def test_without_a_pool_the_requests_that_failed_are_counted(remedy: str) -> None:
    episode = one_episode("thread-as-posted", remedy=remedy)
    failed = sum(event.what == "page failed" for event in episode.within())
    said = f"{failed:,} page request" if failed else "no page request fails"
    assert said in finding(episode)


def test_the_setting_is_said(episode: Episode) -> None:
    words = situation_of(episode)
    assert words.startswith("your setting: ")
    assert f"{episode.scenario.workload.rate_hz:,g} calls/s" in words
    assert f"episode {episode.number}: " in words
    assert len(words) <= 250  # two lines in a picture


def test_key_events_are_few_in_order_and_have_the_first_wait(episode: Episode) -> None:
    told = key_events(episode)
    assert 1 <= len(told) <= 4
    assert told == sorted(told)
    first = [n for n, e in enumerate(episode.events) if e in episode.waits][:1]
    assert set(first) <= set(told)
