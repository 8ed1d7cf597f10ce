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
# COUNT: with drain_full the objects queued, up to a block's worth.
POOL = 0
CACHE = 1
ROOM = 3
NOW = 5
MONITOR = 8
GP = 9
BATCH = 10
WAITERS = 18
CLOCK = 24
EPISODE = 25
COUNT = 26
BATCHES = (BATCH, BATCH + 4)
LIST = 2
# What is needed: the next tick only, the next end of a grace period, the one after that.
SERVED, NEXT, LATER = 1, 2, 3
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
    # In calm and in an episode: P(PAGE), P(WRAPPER), P(OWN_HEAD), P(NOTHING).
    answers: tuple[tuple[float, ...], ...]
    calls: float
    switches: tuple[float, float]  # in calm and in an episode


def rules_of(scenario: Scenario) -> Rules:
    """The rules of a scenario that fits, see krcsim.methods.exact.why_not()."""
    allocator, workload, hz = scenario.allocator, scenario.workload, scenario.machine.hz
    grain = 0
    while grain < 24 and scenario.drain_jiffies >= 63 << grain:
        grain += 3

    lengths, cdf = scenario.grace_period.table(hz, scenario.machine.cpus)
    shares = np.diff(cdf, prepend=0.0).tolist()
    switches = (0.0, 0.0)
    if allocator.episodes == "exponential":
        switches = (1.0 / ticks(allocator.calm_ms, hz), 1.0 / ticks(allocator.episode_ms, hz))
    single = workload.single_share
    return Rules(
        scenario.remedy,
        scenario.drain_jiffies,
        grain,
        tuple(zip(map(int, lengths), shares, strict=True)),
        workload.producers if workload.loop == "closed" else 0,
        (1.0 - workload.vmalloc_share, workload.vmalloc_share),
        (
            _answers(scenario.remedy, allocator.calm, single),
            _answers(scenario.remedy, allocator.episode, single),
        ),
        workload.rate_hz / hz,
        switches,
    )


def _answers(remedy: Remedy, failure: Failure, single: float) -> tuple[float, ...]:
    """What becomes of a call without room: P(PAGE), P(WRAPPER), P(OWN_HEAD), P(NOTHING)."""
    page, noretry = failure.resolved()[:2]
    page_of_double, page_of_single = 1.0, 1.0  # that the request fails
    if remedy.array_path:
        page_of_double = page if remedy.double_page else 1.0
        page_of_single = {"nowait": page, "noretry": noretry, "cache": 1.0}[remedy.page_class]

    head_fails = p_no_head(remedy.head_alloc, failure)
    return (
        single * (1.0 - page_of_single) + (1.0 - single) * (1.0 - page_of_double),
        single * page_of_single * (1.0 - head_fails),
        (1.0 - single) * page_of_double,
        single * page_of_single * head_fails,
    )


def at_boot(remedy: Remedy) -> State:
    """The state at time 0, in calm."""
    return (
        remedy.emergency_at_boot,
        remedy.cache_at_boot,
        remedy.cache_at_boot,
        *[0] * (COUNT + 1 - ROOM),
    )


def _request(state: list[int]) -> int:
    """Ask for a grace period; returns what is needed then."""
    state[GP] = state[GP] or -1
    return LATER if state[GP] > 0 else NEXT


def _arm(rules: Rules, state: list[int]) -> None:
    """Set the monitor's timer, which the timer wheel rounds up; with drain_full the wheel does not,
    and a block's worth of objects sets it to a jiffy.
    """
    due = (((state[CLOCK] + rules.drain) >> rules.grain) + 1) << rules.grain
    state[MONITOR] = due - state[CLOCK]
    if rules.remedy.drain_full and state[COUNT] >= rules.remedy.block_entries:
        state[MONITOR] = 2


def _monitor(rules: Rules, state: list[int]) -> None:
    """kfree_rcu_monitor() and the drain."""
    state[MONITOR] = 0
    some_moved = False
    some_left = False
    for batch in BATCHES:
        moved = [
            channel
            for channel in range(3)
            if state[NOW + channel] and not state[batch + 1 + channel]
        ]
        if moved and (rules.remedy.attach_to_pending or not state[batch]):
            some_moved = True
            # A batch that is pending already asks for nothing.
            state[batch] = state[batch] or _request(state)
            for channel in moved:
                state[batch + 1 + channel] = state[NOW + channel]
                state[NOW + channel] = 0
                if channel != LIST:
                    state[ROOM + channel] = 0
        some_left |= any(state[NOW : NOW + 3])

    left = any(state[NOW : NOW + 3])
    if not left:
        state[COUNT] = 0
    if {"unqueued": not some_moved, "left": some_left, "rest": left}[rules.remedy.rearm]:
        _arm(rules, state)


def call(rules: Rules, state: State) -> list[Way]:
    """kvfree_call_rcu(): all that may become of a call."""
    ways: list[Way] = []
    for channel, share in enumerate(rules.shares):
        cache = CACHE + channel * (not rules.remedy.cache_shared)
        has_room = state[ROOM + channel] + state[cache] > 0
        for got, p in enumerate((1.0,) if has_room else rules.answers[state[EPISODE]]):
            if share * p > 0.0:
                after = list(state)
                waits = got == NOTHING and after[POOL] == 0
                _queue(rules, after, channel, got, waits)
                ways.append((share * p, tuple(after), int(waits)))
    return ways


def _queue(rules: Rules, after: list[int], channel: int, got: int, waits: bool) -> None:
    """What a call does that got a page (or has room), a wrapper, its own head or nothing."""
    remedy = rules.remedy
    cache = CACHE + channel * (not remedy.cache_shared)
    if waits:
        need = _request(after)
        if rules.producers:
            after[WAITERS + 2 * (LATER - need)] += 1
        elif need == LATER:
            after[WAITERS] = 1
        return

    if got == PAGE:
        if after[ROOM + channel] == 0:
            after[cache] -= after[cache] > 0
            after[ROOM + channel] = remedy.block_entries
            after[NOW + channel] = min(after[NOW + channel] + 1, max(1, remedy.nr_bkv_objs))
        after[ROOM + channel] -= 1
    else:
        after[POOL] -= got == NOTHING
        wrappers = max(1, after[NOW + LIST]) + (got != OWN_HEAD)
        after[NOW + LIST] = min(wrappers, 1 + remedy.nr_emergency_objs)

    if remedy.drain_full:
        after[COUNT] = min(after[COUNT] + 1, remedy.block_entries)
        if after[COUNT] == remedy.block_entries and after[MONITOR] > 2:
            _arm(rules, after)

    if after[MONITOR] == 0:
        if got != PAGE and remedy.expedited_drain:
            _monitor(rules, after)
        else:
            _arm(rules, after)


def other(state: State) -> State:
    """The same in the other state of pressure."""
    return (*state[:EPISODE], 1 - state[EPISODE], *state[EPISODE + 1 :])


def events(rules: Rules, state: State) -> list[Way]:
    """What may happen within a tick, as rates: a call, or that of a waiting caller gets due, or
    pressure switches.
    """
    ways = [(rules.switches[state[EPISODE]], other(state), 0)]
    free = max(1, rules.producers)
    each = rules.calls / free
    for place in range(WAITERS, CLOCK, 2) if rules.producers else ():
        free -= state[place] + state[place + 1]
        due = (*state[:place], state[place] - 1, state[place + 1] + 1, *state[place + 2 :])
        ways.append((each * state[place], due, 0))
    ways += [(free * each * p, after, waits) for p, after, waits in call(rules, state)]
    return [way for way in ways if way[0] > 0.0]


def tick(rules: Rules, state: State) -> list[Way]:
    """All that may happen at a tick: grace period, monitor, works, and the late calls of woken
    callers.
    """
    now = list(state)
    now[CLOCK] = (now[CLOCK] + 1) % (1 << rules.grain)
    ready = [batch for batch in BATCHES if now[batch] == SERVED]
    late = now[CLOCK - 1]
    begins = now[GP] < 0
    now[CLOCK - 2 : CLOCK] = [0, 0]
    if now[GP] == 1:
        now[WAITERS:CLOCK] = [0, 0, *now[WAITERS : CLOCK - 2]]
        for batch in BATCHES:
            now[batch] -= now[batch] > SERVED
        begins = now[WAITERS + 2] + now[WAITERS + 3] > 0 or NEXT in (
            now[batch] for batch in BATCHES
        )
        if not rules.producers:
            now[WAITERS + 2] = 0
    ways: list[Way] = []
    for length, p in rules.lengths if begins else ((max(0, now[GP] - 1), 1.0),):
        ways.append((p, _maintenance(rules, [*now[:GP], length, *now[GP + 1 :]], ready), 0))
    for _ in range(late):
        ways = [
            (p * q, after, n + waits)
            for p, then, n in ways
            for q, after, waits in call(rules, then)
        ]
    return ways


def _maintenance(rules: Rules, state: list[int], ready: list[int]) -> State:
    """The monitor, then the works that are ready."""
    if state[MONITOR] == 1:
        _monitor(rules, state)
    else:
        state[MONITOR] = max(0, state[MONITOR] - 1)
    for batch in ready:
        for channel in range(2):
            cache = CACHE + channel * (not rules.remedy.cache_shared)
            state[cache] = min(rules.remedy.nr_bkv_objs, state[cache] + state[batch + 1 + channel])
        state[POOL] = min(
            rules.remedy.nr_emergency_objs, state[POOL] + max(0, state[batch + 1 + LIST] - 1)
        )
        state[batch : batch + 4] = [0, 0, 0, 0]
    return tuple(state)
