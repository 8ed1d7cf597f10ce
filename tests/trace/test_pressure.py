# SPDX-License-Identifier: GPL-2.0-only
"""Episodes of a recording, and how often requests fail inside and outside of them."""

import numpy as np
import pytest

from krcsim.trace import pressure
from krcsim.trace.evidence import WINDOW_S, Requests
from krcsim.trace.pressure import Episodes, Failures

SECONDS = 60.0
NONE = Requests(*np.zeros((3, 0), dtype=np.int64))


def recorded(seed: int, episode_s: float, p_calm: float, p_episode: float, hz: float) -> Requests:
    """Requests of one class by windows, in calm three times as long as in episodes."""
    random = np.random.default_rng(seed)
    switches = [0.0]
    while switches[-1] < SECONDS:
        long = 3.0 if len(switches) % 2 else 1.0
        switches.append(switches[-1] + random.exponential(long * episode_s))
    at = np.sort(random.uniform(0.0, SECONDS, random.poisson(hz * SECONDS)))
    inside = np.searchsorted(switches, at) % 2 == 0
    fails = random.random(len(at)) < np.where(inside, p_episode, p_calm)
    windows, place = np.unique((at / WINDOW_S).astype(np.int64), return_inverse=True)
    tries = np.bincount(place)
    failed = np.bincount(place, weights=fails).astype(np.int64)
    return Requests(windows, tries, failed)


def episodes_in(page: Requests) -> Episodes:
    return pressure._of_failures({"page": page, "noretry": NONE})


def both(page: Requests) -> tuple[Failures, Failures]:
    found = episodes_in(page)
    calm = pressure.outside(page, found, "page")
    episode = pressure.inside(page, found, "page")
    assert calm is not None
    assert episode is not None
    return calm, episode


def test_requests_at_the_edge_of_an_episode_do_not_pull_its_failures_down() -> None:
    apart = []
    for seed in range(12):
        _, episode = both(recorded(seed, 0.4, 0.0, 0.6, 290.0))
        apart.append(episode.failed / episode.tries - 0.6)
    assert abs(np.mean(apart)) < 0.01


@pytest.mark.parametrize("p_calm", [0.0, 0.001, 0.01])
def test_intervals_hold_the_truth_in_calm_and_in_episodes(p_calm: float) -> None:
    held = np.zeros(2)
    for seed in range(20):
        calm, episode = both(recorded(100 + seed, 0.3, p_calm, 0.7, 250.0))
        held += [
            calm.limits.low <= p_calm <= calm.limits.high,
            episode.limits.low <= 0.7 <= episode.limits.high,
        ]
    assert (held >= 17).all()


def test_episodes_that_hardly_show_leave_it_open_whether_calm_has_failures() -> None:
    """At 30 requests a second many an episode has one or two failures."""
    for seed in range(10):
        calm, _ = both(recorded(200 + seed, 0.1, 0.0, 0.8, 30.0))
        assert calm.limits.low == 0.0


def test_mean_lengths_hold_the_truth() -> None:
    held = np.zeros(2)
    for seed in range(20):
        law = pressure.law_of(episodes_in(recorded(300 + seed, 0.4, 0.002, 0.6, 200.0)), SECONDS)
        assert law is not None
        held += [
            law.episode.low <= 0.4 <= law.episode.high,
            law.calm.low <= 1.2 <= law.calm.high,
        ]
    assert (held >= 17).all()


def test_two_failures_are_no_episode() -> None:
    windows = np.arange(0, 6000, 10)
    failed = np.zeros(600, dtype=np.int64)
    failed[[100, 101]] = 1
    assert not len(episodes_in(Requests(windows, np.full(600, 2), failed)).first)
