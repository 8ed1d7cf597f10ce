# SPDX-License-Identifier: GPL-2.0-only
"""Calm and pressure as a hidden Markov chain: the model's own law, fitted to requests that failed.

The chain stays exponential times in each of its two states, as allocator.episodes = "exponential"
has it. It is not seen; what is seen are requests, of which those of a class fail with one
probability in each state. The likelihood of all requests in their order knows short episodes, long
ones that few requests show, and single failures in calm, where a rule by gaps would have to guess.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, xlogy

Array = NDArray[np.float64]

CALM, EPISODE = 0, 1
_FURTHEST = 14.0  # of a logit: what never failed has no finite one
_STEP = 1e-3  # of the logarithm of a rate, for second derivatives


@dataclass(frozen=True)
class Observations:
    """Requests in order of time: `at_s` (n), `tries` and `failed` (classes, n)."""

    at_s: Array
    tries: Array
    failed: Array


@dataclass(frozen=True)
class Chain:
    """A fitted chain.

    episodes_hz: rate at which calm ends; calms_hz: at which episodes do; p_fails (2, classes): of
    requests in each state; in_episode (n): probability, given all requests, that a request was made
    in an episode; errors: standard errors of the logarithms of the two rates, then of the odds in
    the order of p_fails; gain: logarithm of the likelihood, less that of requests that fail with
    one probability all the time.
    """

    episodes_hz: float
    calms_hz: float
    p_fails: Array
    in_episode: Array
    errors: Array
    log_likelihood: float
    gain: float

    @property
    def is_more_than_chance(self) -> bool:
        """Whether two states are better than one by Schwarz's criterion."""
        parameters = 2 + self.p_fails.shape[1]
        return bool(self.gain > parameters / 2.0 * math.log(max(2, len(self.in_episode))))


def fitted(requests: Observations) -> Chain:
    """The chain of the largest likelihood."""
    wanted = _start(requests)
    shortest = float(np.median(np.diff(requests.at_s))) if len(requests.at_s) > 1 else 1.0
    ends = math.log(1e-6), math.log(1.0 / max(1e-6, shortest))
    bounds = [ends, ends] + [(-_FURTHEST, _FURTHEST)] * (len(wanted) - 2)
    best = minimize(
        lambda given: _negative(requests, given),
        np.clip(wanted, [low for low, _ in bounds], [high for _, high in bounds]),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 100, "ftol": 1e-8},
    ).x
    return _chain(requests, _in_order(requests, best))


def _start(requests: Observations) -> Array:
    """Of some episodes, short and long, those with which the likelihood is largest."""
    tries, failed = requests.tries.sum(axis=1), requests.failed.sum(axis=1)
    share = (failed + 0.5) / (tries + 1.0)
    found = []
    for episode_s in (0.03, 0.3, 3.0):
        for high in (0.3, 0.9):
            p_episode = np.clip(np.maximum(high, 1.5 * share), 0.0, 0.98)
            inside = float(np.clip((share / p_episode).max(), 0.01, 0.8))
            rates = np.log([inside / (1.0 - inside) / episode_s, 1.0 / episode_s])
            p_calm = np.clip(0.05 * share, 1e-5, 0.5)
            found.append(np.concatenate([rates, _logit(p_calm), _logit(p_episode)]))
    return max(found, key=lambda given: -_negative(requests, given)[0])


def _in_order(requests: Observations, given: Array) -> Array:
    """The state in which more fails is the episode."""
    classes = (len(given) - 2) // 2
    weights = requests.tries.sum(axis=1)
    calm, episode = (
        float(expit(given[2 + state * classes : 2 + (state + 1) * classes]) @ weights)
        for state in (CALM, EPISODE)
    )
    if calm <= episode:
        return given
    return np.concatenate([given[1::-1], given[2 + classes :], given[2 : 2 + classes]])


def _chain(requests: Observations, given: Array) -> Chain:
    value, _, passed = _passed(requests, given)
    classes = len(requests.tries)
    tries, failed = requests.tries.sum(axis=1), requests.failed.sum(axis=1)
    share = failed / np.maximum(1.0, tries)
    alone = float((xlogy(failed, share) + xlogy(tries - failed, 1.0 - share)).sum())
    return Chain(
        episodes_hz=math.exp(given[0]),
        calms_hz=math.exp(given[1]),
        p_fails=expit(given[2:]).reshape(2, classes),
        in_episode=passed.states[:, EPISODE],
        errors=_errors(lambda other: _negative(requests, other)[1], given),
        log_likelihood=value,
        gain=value - alone,
    )


def _errors(gradient: Callable[[Array], Array], given: Array) -> Array:
    """Standard errors by the curvature of the likelihood, infinite where that says nothing."""
    found = np.full(len(given), math.inf)
    free = np.flatnonzero(np.abs(given) < _FURTHEST - 1.0)
    curvature = np.empty((len(free), len(free)))
    for row, one in enumerate(free):
        moved = np.zeros(len(given))
        moved[one] = _STEP
        risen = gradient(given + moved) - gradient(given - moved)
        curvature[row] = risen[free] / (2 * _STEP)
    curvature = (curvature + curvature.T) / 2.0
    if np.linalg.eigvalsh(curvature).min() > 1e-9:
        found[free] = np.sqrt(np.diag(np.linalg.inv(curvature)))
    return found


# ---- the likelihood and its gradient, by one pass forward and one back


@dataclass(frozen=True)
class _Passed:
    states: Array  # (n, 2), probability of each state given all requests
    pairs: Array  # (n - 1, 2, 2), the same of a state and the next


def _negative(requests: Observations, given: Array) -> tuple[float, Array]:
    value, gradient, _ = _passed(requests, given)
    return -value, -gradient


def _passed(requests: Observations, given: Array) -> tuple[float, Array, _Passed]:
    """The logarithm of the likelihood, its gradient, and the states it comes from."""
    classes = len(requests.tries)
    leave = np.exp(given[:2])
    p_fails = expit(given[2:]).reshape(2, classes)
    granted = requests.tries - requests.failed
    logs = np.log(p_fails) @ requests.failed + np.log1p(-p_fails) @ granted  # (2, n)
    top = logs.max(axis=0)
    seen = np.exp(logs - top).T
    moves, q, survives = _moves(leave, np.diff(requests.at_s))
    first = np.array([leave[1], leave[0]]) / leave.sum()

    scale, passed = _forward_and_back(first, moves, seen)
    value = float(top.sum() + scale)

    expected = passed.states.T @ requests.failed.T  # (2, classes)
    of_tries = passed.states.T @ requests.tries.T
    for_p = expected - of_tries * p_fails
    for_rates = _for_rates(leave, np.diff(requests.at_s), q, survives, moves, passed)
    return value, np.concatenate([for_rates, for_p.ravel()]), passed


def _moves(leave: Array, gaps_s: Array) -> tuple[Array, Array, Array]:
    """How likely each state follows each after a gap, (n - 1, 2, 2)."""
    total = leave.sum()
    survives = np.exp(-total * gaps_s)
    q = -np.expm1(-total * gaps_s)
    share = leave[0] / total  # of time in episodes
    moves = np.empty((len(gaps_s), 2, 2))
    moves[:, 0, 1] = share * q
    moves[:, 0, 0] = 1.0 - share * q
    moves[:, 1, 0] = (1.0 - share) * q
    moves[:, 1, 1] = 1.0 - (1.0 - share) * q
    return moves, q, survives


def _for_rates(
    leave: Array, gaps_s: Array, q: Array, survives: Array, moves: Array, passed: _Passed
) -> Array:
    """The derivative by the logarithms of the two rates."""
    total = leave.sum()
    share = leave[0] / total
    by_share = np.array([leave[1], -leave[0]]) / total**2  # of the share, by each rate
    weights = passed.pairs / np.maximum(1e-300, moves)
    to = weights[:, 0, 1] - weights[:, 0, 0]
    back = weights[:, 1, 0] - weights[:, 1, 1]
    grown = gaps_s * survives  # of q, by either rate
    found = np.empty(2)
    for one in range(2):
        found[one] = (to * (by_share[one] * q + share * grown)).sum()
        found[one] += (back * (-by_share[one] * q + (1.0 - share) * grown)).sum()
        calm, episode = passed.states[0]
        found[one] += by_share[one] * (episode / share - calm / (1.0 - share))
    return found * leave


def _forward_and_back(first: Array, moves: Array, seen: Array) -> tuple[float, _Passed]:
    """The states given all that is seen, and the logarithm of its probability.

    Steps depend on each other, so the time is cut into about as many pieces as a piece has steps:
    what a piece does to either state is known for all pieces together, place by place.
    """
    steps = moves * seen[1:, None, :]  # (n - 1, 2, 2)
    n = len(steps)
    length = max(1, math.isqrt(n))
    pieces = -(-n // length)
    padded = np.broadcast_to(np.eye(2), (pieces * length, 2, 2)).copy()
    padded[:n] = steps
    places = np.ascontiguousarray(padded.reshape(pieces, length, 4).transpose(1, 2, 0))

    begin = first * seen[0]
    entries, exits = _through(begin / begin.sum(), places)
    ahead, scale = _forward(entries, places)
    behind = _back(exits, places)

    before = np.concatenate([(begin / begin.sum())[None], _in_line(ahead, n)])
    later = np.concatenate([_in_line(behind, n), np.ones((1, 2))])  # what is seen after each
    later_first = steps[0] @ later[0] if n else np.ones(2)
    states = before * np.concatenate([later_first[None], later[:n]])
    states /= states.sum(axis=1, keepdims=True)
    pairs = before[:-1, :, None] * steps * later[:n, None, :]
    pairs /= pairs.sum(axis=(1, 2), keepdims=True)
    return scale + math.log(begin.sum()), _Passed(states, pairs)


def _through(begin: Array, places: Array) -> tuple[Array, Array]:
    """States at the begin of each piece, and what is seen after its end; (2, pieces) both."""
    pieces = places.shape[2]
    a, b, c, d = np.ones(pieces), np.zeros(pieces), np.zeros(pieces), np.ones(pieces)
    for e, f, g, h in places:
        a, b, c, d = a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h
        total = a + b + c + d
        a, b, c, d = a / total, b / total, c / total, d / total

    entries, exits = np.empty((2, pieces)), np.empty((2, pieces))
    calm, episode = begin
    for piece in range(pieces):
        entries[:, piece] = calm, episode
        calm, episode = (
            calm * a[piece] + episode * c[piece],
            calm * b[piece] + episode * d[piece],
        )
        calm, episode = calm / (calm + episode), episode / (calm + episode)
    calm = episode = 0.5
    for piece in range(pieces - 1, -1, -1):
        exits[:, piece] = calm, episode
        calm, episode = (
            a[piece] * calm + b[piece] * episode,
            c[piece] * calm + d[piece] * episode,
        )
        calm, episode = calm / (calm + episode), episode / (calm + episode)
    return entries, exits


def _forward(entries: Array, places: Array) -> tuple[Array, float]:
    """States after each step given what was seen until then, (length, 2, pieces)."""
    found, totals = (
        np.empty((len(places), 2, entries.shape[1])),
        np.empty((len(places), entries.shape[1])),
    )
    calm, episode = entries
    for place, (a, b, c, d) in enumerate(places):
        calm, episode = calm * a + episode * c, calm * b + episode * d
        total = calm + episode
        calm, episode = calm / total, episode / total
        found[place, 0], found[place, 1], totals[place] = calm, episode, total
    return found, float(np.log(totals).sum())


def _back(exits: Array, places: Array) -> Array:
    """What is seen after each step as weights of the states, (length, 2, pieces)."""
    found = np.empty((len(places), 2, exits.shape[1]))
    calm, episode = exits
    for place in range(len(places) - 1, -1, -1):
        found[place, 0], found[place, 1] = calm, episode
        a, b, c, d = places[place]
        calm, episode = a * calm + b * episode, c * calm + d * episode
        total = calm + episode
        calm, episode = calm / total, episode / total
    return found


def _in_line(found: Array, n: int) -> Array:
    """Pieces one after the other, without what only fills the last one up: (n, 2)."""
    line: Array = found.transpose(2, 0, 1).reshape(-1, 2)[:n]
    return line


def _logit(share: Array) -> Array:
    found: Array = np.log(share / (1.0 - share))
    return found
