# SPDX-License-Identifier: GPL-2.0-only
"""Calm and pressure as a hidden Markov chain."""

import itertools
import math

import numpy as np
import pytest

from krcsim.trace import two_states
from krcsim.trace.evidence import WINDOW_S
from krcsim.trace.two_states import CALM, EPISODE, Observations, fitted

SECONDS = 60.0


def made(
    seed: int, episode_s: float, calm_s: float, p_calm: float, p_episode: float, hz: float = 200.0
) -> Observations:
    """Requests of two classes of a machine whose law is known; the second fails half as often."""
    random = np.random.default_rng(seed)
    switches = [0.0]
    in_episode = random.random() < episode_s / (episode_s + calm_s)
    begins_inside = in_episode
    while switches[-1] < SECONDS:
        switches.append(switches[-1] + random.exponential(episode_s if in_episode else calm_s))
        in_episode = not in_episode
    many = round(SECONDS / WINDOW_S)
    tries, failed = np.zeros((2, 2, many))
    for place, (rate, part) in enumerate(((hz, 1.0), (hz / 10.0, 0.5))):
        at = np.sort(random.uniform(0.0, SECONDS, random.poisson(rate * SECONDS)))
        inside = (np.searchsorted(switches, at) % 2 == 1) == begins_inside
        fails = random.random(len(at)) < np.where(inside, p_episode, p_calm) * part
        windows = np.minimum(many - 1, (at / WINDOW_S).astype(int))
        np.add.at(tries[place], windows, 1.0)
        np.add.at(failed[place], windows, fails.astype(float))
    seen = tries.sum(axis=0) > 0
    at_s = (np.flatnonzero(seen) + 0.5) * WINDOW_S
    return Observations(at_s, tries[:, seen], failed[:, seen])


GIVEN = np.array([math.log(0.7), math.log(3.0), -4.0, -5.0, 1.0, -0.5])


def few() -> Observations:
    random = np.random.default_rng(3)
    tries = random.integers(0, 4, (2, 9)).astype(float)
    failed = np.floor(tries * random.random((2, 9)))
    return Observations(np.cumsum(random.exponential(0.2, 9)), tries, failed)


def test_the_likelihood_is_the_sum_over_all_paths() -> None:
    seen = few()
    leave = np.exp(GIVEN[:2])
    fails = 1.0 / (1.0 + np.exp(-GIVEN[2:].reshape(2, 2)))
    total = 0.0
    inside = np.zeros(9)
    for path in itertools.product((CALM, EPISODE), repeat=9):
        p = np.array([leave[1], leave[0]])[path[0]] / leave.sum()
        for one, two, gap in zip(path, path[1:], np.diff(seen.at_s), strict=False):
            stays = math.exp(-leave.sum() * gap)
            share = np.array([leave[1], leave[0]]) / leave.sum()
            p *= (stays if one == two else 0.0) + (1.0 - stays) * share[two]
        for place, state in enumerate(path):
            granted = seen.tries[:, place] - seen.failed[:, place]
            p *= float(
                np.prod(fails[state] ** seen.failed[:, place] * (1 - fails[state]) ** granted)
            )
        total += p
        inside += p * np.array(path)

    value, _, passed = two_states._passed(seen, GIVEN)

    assert value == pytest.approx(math.log(total), rel=1e-10)
    np.testing.assert_allclose(passed.states[:, EPISODE], inside / total, rtol=1e-9)


def test_the_gradient_is_that_of_the_likelihood() -> None:
    seen = made(1, 0.5, 1.5, 0.01, 0.7)
    _, gradient, _ = two_states._passed(seen, GIVEN)
    for place in range(len(GIVEN)):
        moved = np.zeros(len(GIVEN))
        moved[place] = 1e-5
        up, down = (two_states._passed(seen, GIVEN + sign * moved)[0] for sign in (1.0, -1.0))
        assert gradient[place] == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-4)


def test_lengths_and_probabilities_are_those_of_the_machine() -> None:
    found = fitted(made(2, 0.5, 1.5, 0.01, 0.7))
    assert 1.0 / found.calms_hz == pytest.approx(0.5, rel=0.4)
    assert 1.0 / found.episodes_hz == pytest.approx(1.5, rel=0.4)
    assert found.p_fails[EPISODE] == pytest.approx([0.7, 0.35], rel=0.15)
    assert found.p_fails[CALM, 0] == pytest.approx(0.01, rel=0.5)
    assert found.is_more_than_chance


@pytest.mark.parametrize("p", [0.002, 0.1, 0.6])
def test_requests_that_fail_alike_all_the_time_have_no_episodes(p: float) -> None:
    assert not any(fitted(made(seed, 0.5, 1.5, p, p)).is_more_than_chance for seed in range(5))


def test_the_errors_of_lengths_hold_in_worlds_of_many_kinds() -> None:
    """Of the logarithm of mean lengths, 95 %: most of 40 worlds, or the errors are too small."""
    random = np.random.default_rng(7)
    held = np.zeros(2)
    for seed in range(40):
        episode_s, calm_s = random.uniform(0.1, 1.0), random.uniform(0.5, 3.0)
        seen = made(
            100 + seed, episode_s, calm_s, random.choice([0.0, 0.01]), random.uniform(0.4, 1)
        )
        found = fitted(seen)
        apart = np.log([found.episodes_hz * calm_s, found.calms_hz * episode_s])
        held += np.abs(apart) < 1.96 * found.errors[:2]
    assert (held >= 34).all()


def test_the_state_in_which_more_fails_is_the_episode() -> None:
    found = fitted(made(5, 4.0, 0.4, 0.02, 0.8))
    assert (found.p_fails[EPISODE] > found.p_fails[CALM]).all()
    assert found.in_episode.mean() > 0.7


def test_one_window_is_enough_for_an_answer() -> None:
    found = fitted(
        Observations(np.array([1.0]), np.array([[4.0], [0.0]]), np.array([[3.0], [0.0]]))
    )
    assert not found.is_more_than_chance
