# SPDX-License-Identifier: GPL-2.0-only
"""One CPU as a Markov chain: its states, and what an event and a tick make of them, as in
docs/model.md.

A state is a tuple of whole numbers that holds what decides about later waits and nothing else: of
blocks and wrappers no more than cache and pool can keep, of times the ticks that are left.
"""

from dataclasses import dataclass

import numpy as np

from krcsim.model.allocator import Failure
from krcsim.model.constants import ticks
from krcsim.model.remedy import Remedy, p_no_head
from krcsim.model.scenario import Scenario

State = tuple[int, ...]
Way = tuple[float, State, int]  # its probability, the state after, and how many calls wait
# Places in a state. By channel: pages cached, free entries of the head block, and what is queued:
# blocks, and for the list 1 and its wrappers (0: empty). MONITOR: ticks until it runs (0: not
# pending). GP: ticks until the grace period ends (0: none, -1: one begins at the next tick). BATCH:
# twice what it needs (0: idle), and what it holds by channel. WAITERS: callers that wait, by what
# they need (LATER, NEXT, SERVED), and whether their next call is due; in an open loop only whether
# somebody needs LATER. CLOCK: the tick, modulo the grain of the timer wheel. EPISODE: of pressure.
POOL, CACHE, ROOM, NOW, MONITOR, GP, BATCH, WAITERS, CLOCK, EPISODE = (
    0,
    1,
    3,
    5,
    8,
    9,
    10,
    18,
    24,
    25,
)
BATCHES, LIST = (BATCH, BATCH + 4), 2
SERVED, NEXT, LATER = (
    1,
    2,
    3,
)  # needed: the next tick only, the next end of a grace period, the one after that
PAGE, WRAPPER, OWN_HEAD, NOTHING = range(4)  # what a call without room gets


@dataclass(frozen=True)
class Rules:
    """What of a scenario decides about the steps of the chain; rates are in events a tick."""

    remedy: Remedy
    drain: int
    grain: int  # of the timer wheel, as a shift
    lengths: tuple[tuple[int, float], ...]  # of grace periods, in ticks, and their probabilities
    producers: int  # 0: open loop
    shares: tuple[float, float]  # of channels
    answers: tuple[
        tuple[float, ...], ...
    ]  # in calm and in an episode: P(PAGE), P(WRAPPER), P(OWN_HEAD), P(NOTHING)
    calls: float
    switches: tuple[float, float]  # in calm and in an episode


def rules_of(s: Scenario) -> Rules:
    """The rules of a scenario that fits, see krcsim.methods.exact.fits()."""
    a, w, hz, grain = s.allocator, s.workload, s.machine.hz, 0
    while grain < 24 and s.drain_jiffies >= 63 << grain:
        grain += 3
    lengths, cdf = s.grace_period.table(hz, s.machine.cpus)
    switches = (
        (1.0 / ticks(a.calm_ms, hz), 1.0 / ticks(a.episode_ms, hz))
        if a.episodes == "exponential"
        else (0.0, 0.0)
    )
    return Rules(
        s.remedy,
        s.drain_jiffies,
        grain,
        tuple(zip(map(int, lengths), np.diff(cdf, prepend=0.0).tolist(), strict=True)),
        w.producers if w.loop == "closed" else 0,
        (1.0 - w.vmalloc_share, w.vmalloc_share),
        (_answers(s.remedy, a.calm, w.single_share), _answers(s.remedy, a.episode, w.single_share)),
        w.rate_hz / hz,
        switches,
    )


def _answers(r: Remedy, f: Failure, single: float) -> tuple[float, ...]:
    page, noretry = f.resolved()[:2]
    double, alone = (
        (page, noretry if r.page_class == "noretry" else page) if r.array_path else (1.0, 1.0)
    )
    head = p_no_head(r.head_alloc, f)
    return (
        single * (1.0 - alone) + (1.0 - single) * (1.0 - double),
        single * alone * (1.0 - head),
        (1.0 - single) * double,
        single * alone * head,
    )


def at_boot(r: Remedy) -> State:
    """The state at time 0, in calm."""
    return (r.emergency_at_boot, r.cache_at_boot, r.cache_at_boot, *[0] * (EPISODE + 1 - ROOM))


def _request(s: list[int]) -> int:
    """Ask for a grace period; returns what is needed then."""
    s[GP] = s[GP] or -1
    return LATER if s[GP] > 0 else NEXT


def _arm(r: Rules, s: list[int]) -> None:
    s[MONITOR] = ((((s[CLOCK] + r.drain) >> r.grain) + 1) << r.grain) - s[CLOCK]


def _monitor(r: Rules, s: list[int]) -> None:
    """kfree_rcu_monitor() and the drain."""
    s[MONITOR], some, left = 0, False, False
    for b in BATCHES:
        moved = [ch for ch in range(3) if s[NOW + ch] and not s[b + 1 + ch]]
        if moved and (r.remedy.attach_to_pending or not s[b]):
            some = True
            s[b] = s[b] or _request(s)  # a batch that is pending already asks for nothing
            for ch in moved:
                s[b + 1 + ch], s[NOW + ch] = s[NOW + ch], 0
                if ch != LIST:
                    s[ROOM + ch] = 0
        left |= any(s[NOW : NOW + 3])
    if left if r.remedy.rearm == "left" else not some:
        _arm(r, s)


def call(r: Rules, state: State) -> list[Way]:
    """kvfree_call_rcu(): all that may become of a call."""
    ways: list[Way] = []
    for ch, share in enumerate(r.shares):
        cache = CACHE + ch * (not r.remedy.cache_shared)
        sure = state[ROOM + ch] + state[cache] > 0
        for what, p in enumerate((1.0,) if sure else r.answers[state[EPISODE]]):
            if share * p > 0.0:
                s = list(state)
                waits = what == NOTHING and s[POOL] == 0
                if waits:
                    need = _request(s)
                    if r.producers:
                        s[WAITERS + 2 * (LATER - need)] += 1
                    elif need == LATER:
                        s[WAITERS] = 1
                elif what == PAGE:
                    if s[ROOM + ch] == 0:
                        s[cache] -= sure
                        s[ROOM + ch] = r.remedy.block_entries
                        s[NOW + ch] = min(s[NOW + ch] + 1, max(1, r.remedy.nr_bkv_objs))
                    s[ROOM + ch] -= 1
                else:
                    s[POOL] -= what == NOTHING
                    wrappers = max(1, s[NOW + LIST]) + (what != OWN_HEAD)
                    s[NOW + LIST] = min(wrappers, 1 + r.remedy.nr_emergency_objs)
                if s[MONITOR] == 0 and not waits:
                    (_monitor if what != PAGE and r.remedy.expedited_drain else _arm)(r, s)
                ways.append((share * p, tuple(s), int(waits)))
    return ways


def other(state: State) -> State:
    """The same in the other state of pressure."""
    return (*state[:EPISODE], 1 - state[EPISODE])


def events(r: Rules, state: State) -> list[Way]:
    """What may happen within a tick, as rates: a call, or that of a waiting caller gets due, or
    pressure switches.
    """
    ways = [(r.switches[state[EPISODE]], other(state), 0)]
    each, free = r.calls / max(1, r.producers), max(1, r.producers)
    for i in range(WAITERS, CLOCK, 2) if r.producers else ():
        free -= state[i] + state[i + 1]
        ways.append(
            (each * state[i], (*state[:i], state[i] - 1, state[i + 1] + 1, *state[i + 2 :]), 0)
        )
    ways += [(free * each * p, after, waits) for p, after, waits in call(r, state)]
    return [way for way in ways if way[0] > 0.0]


def tick(r: Rules, state: State) -> list[Way]:
    """All that may happen at a tick: grace period, monitor, works, and the late calls of woken
    callers.
    """
    s = list(state)
    s[CLOCK] = (s[CLOCK] + 1) % (1 << r.grain)
    ready, late, begins = [b for b in BATCHES if s[b] == SERVED], s[CLOCK - 1], s[GP] < 0
    s[CLOCK - 2 : CLOCK] = [0, 0]
    if s[GP] == 1:
        s[WAITERS:CLOCK] = [0, 0, *s[WAITERS : CLOCK - 2]]
        for b in BATCHES:
            s[b] -= s[b] > SERVED
        begins = s[WAITERS + 2] + s[WAITERS + 3] > 0 or NEXT in (s[b] for b in BATCHES)
        if not r.producers:
            s[WAITERS + 2] = 0
    ways: list[Way] = []
    for length, p in r.lengths if begins else ((max(0, s[GP] - 1), 1.0),):
        ways.append((p, _maintenance(r, [*s[:GP], length, *s[GP + 1 :]], ready), 0))
    for _ in range(late):
        ways = [
            (p * q, after, n + waits) for p, then, n in ways for q, after, waits in call(r, then)
        ]
    return ways


def _maintenance(r: Rules, s: list[int], ready: list[int]) -> State:
    """The monitor, then the works that are ready."""
    if s[MONITOR] == 1:
        _monitor(r, s)
    else:
        s[MONITOR] = max(0, s[MONITOR] - 1)
    for b in ready:
        for ch in range(2):
            cache = CACHE + ch * (not r.remedy.cache_shared)
            s[cache] = min(r.remedy.nr_bkv_objs, s[cache] + s[b + 1 + ch])
        s[POOL] = min(r.remedy.nr_emergency_objs, s[POOL] + max(0, s[b + 1 + LIST] - 1))
        s[b : b + 4] = [0, 0, 0, 0]
    return tuple(s)
