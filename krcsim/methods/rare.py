# SPDX-License-Identifier: GPL-2.0-only
"""Rare waits by forks (krcsim/engine/biased_copies.py): what is biased and how far, and estimates
from what the forks found.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from krcsim.engine.records import Tally
from krcsim.methods.weights import EFFECTIVE, EXPOSED_ROUGH, RUNS, at_most, faint, weighed
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import NOTHING, Array, Estimate, effective
from krcsim.results.quantities import (
    QUANTITIES,
    answers,
    callers,
    harmless_calm,
    pressed_share,
    window_ms,
)
from krcsim.runs.ladder import Stop, in_chunks
from krcsim.runs.replications import Levels, Replications, rare_runs

PILOT = 1 << 40  # replications from here on choose the levels
SETTLED = 0.05  # of the time under pressure that may be missing from a window that is called steady
EFFECTIVE_SPLIT = 30.0  # as EFFECTIVE, of split runs: many copies go back to few
FORKS, HITS = ((Tally.dtype.names or ()).index(name) for name in ("copies", "hits"))
PILOT_WORK = (
    2e7  # events of a pilot, times CPUs (danger looks at each): levels that take more lead nowhere
)
# what danger takes to look at a CPU, by channel and length of a grace period, in events of a plain
# run
DANGER = 0.1
STARVED = -0.5  # danger above which no level is set
PILOT_GO = 4  # replications of one go of a pilot
# By quantity: what forks sum up, and the counter it is divided by ("": the time of all callers).
SUMS = {
    "p_wait": ("waits", "single"),
    "p_wait_episode": ("waits_episode", "single_episode"),
    "blocked": ("wait_ms", ""),
}


@dataclass(frozen=True)
class Forked:
    """Replications with forks: the runs themselves, and tally[replication, window, field of
    TALLY].
    """

    runs: Replications
    tally: NDArray[np.float64]
    split: bool = False

    def of(self, name: str, window: int) -> Array:
        """What the forks of each replication sum up to in a window."""
        return np.asarray(self.tally[:, window, (Tally.dtype.names or ()).index(name)])

    def events(self) -> float:
        """Events handled, those of forks included."""
        return float(
            self.tally[:, :, (Tally.dtype.names or ()).index("events")].sum()
            + self.runs.of("events", 1).sum()
        )


def fits(s: Scenario) -> str:
    """ "" if forks can help, else the reason."""
    return (
        "failures follow from free pages, there is no luck to bias"
        if s.memory.pressure == "pages"
        else ""
    )


def bias(s: Scenario) -> dict[str, float]:
    """How a fork's luck is biased: any bias is right, this one is cheap.

    choice: that trouble is a hit, so that a pool is often emptied in a row; least: that a call is
    trouble, so that as many hits come before wrappers return; most: the logarithm of a weight above
    which nothing is biased; share: of the places that are forked, calm_share: of those in calm,
    where waits are fewer still; repeat: the forks of a place.
    """
    pool, m, r, w = s.remedy.nr_emergency_objs, s.machine, s.remedy, s.workload
    rate_hz = w.rate_hz * (
        (w.on_ms + w.off_ms) / w.on_ms if w.arrivals == "onoff" else 1.0
    )  # while calls come at all
    life = 6.0 if r.expedited_drain else 1.25 * s.drain_jiffies + 5.0  # ticks until wrappers return
    calls = rate_hz * w.single_share / m.hz * (1.25 * s.drain_jiffies + 5.0)
    # Chances to find a page before wrappers return: so many times may luck fail, and the pool be
    # emptied all the same.
    chances = rate_hz * w.single_share / m.hz * life / r.block_entries
    low = 0.0 if chances > 3 else 0.6 if chances > 1 else 0.9 if r.expedited_drain else 0.8
    slack = max(1.0, chances if r.expedited_drain else min(2.0, chances))
    choice, least = (
        max(low, 1 - slack / (pool + 1 + slack)),
        min(0.9, (pool + 2) / max(calls, 1e-9)),
    )
    batches = m.cpus * s.horizon_ms / 1000.0 * m.hz / s.drain_jiffies
    share = (1.0 if m.cpus <= 4 else min(1.0, 1e4 / s.workload.rate_hz)) / m.cpus
    if (
        r.array_path and r.nr_bkv_objs > 0 and chances <= 1
    ):  # few places lie between two cached pages, and not for long
        choice, least, share = (
            max(choice, 0.97),
            max(least, min(0.36, 2 * least)),
            min(1.0, 4 * share),
        )
    return dict(
        makes_copies=1,
        p_hit_biased=choice,
        p_eventful_biased=least,
        max_log_ratio=5.0,
        p_copy_in_calm=0.0 if harmless_calm(s) else 0.1,
        p_copy_at_place=share,
        copies_per_place=max(1, min(16, int(300 / batches))),
    )


def split(s: Scenario) -> dict[str, float]:
    """As bias(), for a run that is split: plans are short, so that danger is looked at often."""
    a, less = s.allocator, 0.0
    if (
        harmless_calm(s) and a.episodes != "none"
    ):  # what counts in calm is that an episode begins within some ticks
        less = (
            min(0.0, math.log(4000.0 / s.machine.hz / a.calm_ms))
            if a.episodes == "exponential"
            else -math.inf
        )
    return bias(s) | dict(max_plan_calls=max(1, s.remedy.block_entries // 16), calm_danger=less)


def step_cost(s: Scenario) -> float:
    """What an event of a split run takes, in events of plain runs: after each the danger of all
    CPUs is looked at.
    """
    lengths, _ = s.grace_period.table(s.machine.hz, s.machine.cpus)
    return 1.0 + DANGER * s.machine.cpus * s.workload.channels() * len(lengths)


def levels(
    s: Scenario,
    seed: int,
    *,
    share: float = 0.3,
    want: int = 200,
    stop: Stop | None = None,
    most: float = math.inf,
) -> tuple[Levels, float]:
    """Levels of danger, each passed by about `share` of those that passed the one before, up to
    where forks begin.

    Found by replications that no answer uses, with the events of these. Empty where forks wait in
    many of them anyway, and where the way there is too long (or takes more work than `most`, in
    events of plain runs).
    """
    events = 0.0
    found: list[tuple[float, float]] = []
    at = PILOT
    for _ in range(30):
        peaks: list[float] = []
        met, first = 0.0, at
        while len(peaks) < want and at < first + 32:
            runs, tally, seen = rare_runs(
                s, seed, at, at + PILOT_GO, split(s), found, 1 << 14, stop
            )
            at += PILOT_GO
            peaks += [x for x in seen if x > -math.inf]
            events += Forked(runs, tally).events()
            hits = tally[:, :, HITS].sum(
                axis=1
            )  # of copies each counts, of whole runs those that have any
            met += float(hits.sum()) if found else np.count_nonzero(hits)
        if events * s.machine.cpus > PILOT_WORK or events * step_cost(s) > most:
            return (), events
        if len(peaks) < 10 or met > share * (len(peaks) if found else at - first):
            break
        top = float(np.quantile(peaks, 1.0 - (share if found else 0.1)))
        if found and top <= found[-1][0]:
            top = min((x for x in peaks if x > found[-1][0]), default=math.inf)
        passed = float(np.mean(np.array(peaks) >= top))
        if passed < 0.03 or (
            found and top > STARVED
        ):  # a jump, or there is no page left already: copies gain nothing
            break
        if found:
            found[-1] = (found[-1][0], max(1, round(1 / passed)))
        found.append((top, round(1 / share)))
    return tuple(found), events


def extend(
    s: Scenario,
    seed: int,
    have: Forked | None,
    total: int,
    at: Levels = (),
    *,
    stop: Stop | None = None,
    workers: int | None = None,
    by_episode: int = 0,
) -> Forked:
    """Replications 0 .. total - 1 with forks, of which `have` are there already, split `at` levels
    if there are any.
    """
    work = partial(
        rare_runs, s, seed, how=split(s) if at else bias(s), levels=at, by_episode=by_episode
    )
    parts = in_chunks(work, len(have.runs) if have else 0, total, stop, workers)
    runs: list[Replications] = ([have.runs] if have else []) + [p[0] for p in parts]
    tally = ([have.tally] if have else []) + [p[1] for p in parts]
    return Forked(sum(runs[1:], runs[0]), np.concatenate(tally), bool(at))


def expected_episode_ms(s: Scenario, window: int) -> float | None:
    """The mean time under pressure in a window where that is random; else None."""
    return (
        pressed_share(s, window) * window_ms(s, window)
        if s.allocator.episodes == "exponential"
        else None
    )


def unsettled(s: Scenario, window: int) -> str:
    """A warning where the steady window begins before episodes of pressure are as frequent as later
    on; else "".
    """
    known, a = expected_episode_ms(s, window), s.allocator
    if window == 0 or known is None:
        return ""
    length, pace = window_ms(s, window), 1.0 / a.calm_ms + 1.0 / a.episode_ms
    less = 1.0 - known / (length * a.episode_ms / (a.calm_ms + a.episode_ms))
    if less <= SETTLED:
        return ""
    enough = math.log(-math.expm1(-pace * length) / (pace * length) / SETTLED) / pace
    return (
        f"The steady window is not steady: it begins {s.warmup_ms:g} ms after a calm boot and is "
        "under pressure "
        f"{100 * less:.0f} % less than later on; set warmup_ms = {math.ceil(enough / 100) * 100} "
        "and horizon_ms as "
        'much later, or allocator.start = "stationary"'
    )


def estimate(forked: Forked, s: Scenario, quantity: str, window: int) -> Estimate:
    """A quantity of SUMS with its interval; time under pressure, of known mean, takes its part of
    the variance away.

    Where hardly any replication holds the sum, the upper limit is that of the plain runs.
    """
    y, runs = forked.of(SUMS[quantity][0], window), forked.runs
    known = expected_episode_ms(s, window) if quantity != "p_wait_episode" else None
    control = None if known is None else runs.of("episode_ms", window) - known
    least, most = (
        EFFECTIVE_SPLIT if forked.split else EFFECTIVE,
        QUANTITIES[quantity].get(runs, s, window).hi,
    )
    e = weighed(
        y,
        divisor(runs, s, quantity, window),
        exposed(runs, s, quantity, window),
        control,
        least=least,
        most=most,
    )
    return e if quantity == "blocked" else at_most(e, 1.0)


def plain(runs: Replications, s: Scenario, quantity: str, window: int) -> Estimate:
    """A quantity of plain runs; of those in SUMS only as sure as the replications that met calls
    which may wait.
    """
    e = answers(runs, s, window, [quantity])[quantity]
    if quantity not in SUMS:
        return e
    met = exposed(runs, s, quantity, window)
    if e.kind == "bound" and not met.any():
        return NOTHING
    if e.value is None or e.lo is None or e.hi is None:
        return e
    if effective(met) < EXPOSED_ROUGH:
        return faint(e.value, None)
    few = len(runs) < RUNS and effective(runs.of(SUMS[quantity][0], window)) < EXPOSED_ROUGH
    return replace(e, kind="rough") if few else e


def divisor(runs: Replications, s: Scenario, quantity: str, window: int) -> Array:
    """What a quantity of SUMS is divided by, of each replication: calls, or the time of all
    callers.
    """
    if name := SUMS[quantity][1]:
        return runs.of(name, window)
    return np.full(len(runs), window_ms(s, window) * callers(s))


def exposed(runs: Replications, s: Scenario, quantity: str, window: int) -> Array:
    """The calls that may wait, of each replication: those under pressure, where no other can."""
    return runs.of(
        "single_episode" if harmless_calm(s) or quantity == "p_wait_episode" else "single", window
    )
