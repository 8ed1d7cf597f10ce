# SPDX-License-Identifier: GPL-2.0-only
"""P(wait) without chance, for small scenarios on one CPU: the Markov chain of krcsim.methods.chain,
from boot on.

Within a tick calls and random switches of pressure are Poisson: their numbers and what became of
them are summed up, positive terms only (uniformization), so that a small probability keeps its
digits. A tick is one sparse matrix.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import KrcsimError, refuse, shown
from krcsim.methods.chain import (
    CLOCK,
    WAITERS,
    Rules,
    State,
    at_boot,
    events,
    other,
    rules_of,
    tick,
)
from krcsim.methods.finding import AUTO, Finding, Question
from krcsim.model.constants import ticks
from krcsim.model.remedy import may_sleep_for_head
from krcsim.model.scenario import Scenario
from krcsim.results.estimate import exact
from krcsim.runs.replications import WINDOWS

NAME = "exact"
LABEL = "exact chain"

Array = NDArray[np.float64]
MAX_STATES = 100_000
MAX_RATE = 200.0  # events in a tick
MAX_WORK = 1e10  # entries of matrices that are used
# Work in events of a plain run: of an entry of a matrix used once, and of a state found and
# numbered.
ENTRY_WORK, STATE_WORK = 0.01, 400.0
# Larger blocks have too many states, and to find that out takes longer than to simulate.
SMALL_BLOCK = 32
# What the chain knows, and nothing else; stalls have no length where they can come at all.
WANTED: dict[str, object] = {
    "machine.cpus": 1,
    "workload.arrivals": "poisson",
    "workload.rate_changes": (),
    "workload.free_instructions": 0,
    "workload.list_free_instructions": 0,
    "machine.work_delay_ms": 0,
    "allocator.stall_ms": 0,
    "remedy.refill": "none",
    "remedy.ready_blocks": False,
    "remedy.wake": "callback",
    "remedy.own_cpu": False,
    "remedy.sheaves": False,
    "grace_period.background_hz": 0,
    "memory.pressure": "injected",
    "grace_period.kind": "ticks",
    "grace_period.reader_ms": 0,
    "grace_period.expedited": False,
}
WHY = "a small scenario on one CPU"
LEFT_OUT = 1e-40  # the probability of more events in a tick than are looked at
FORGOTTEN = 1e-200  # states less likely are dropped: arithmetic near the smallest float is slow


@dataclass(frozen=True)
class Chain:
    """All states that can be reached, the law of the one at boot, and how they follow each other.

    event, tick: transposed matrices of one of `rate` events a tick, and of a tick; counts,
    tick_counts: by state, waits and single-argument calls a tick of time, and those made at a tick;
    other: the same state in calm or in an episode.
    """

    states: tuple[State, ...]
    boot: Array
    rate: float
    event: Any
    tick: Any
    counts: Array
    tick_counts: Array
    other: list[int]


@dataclass(frozen=True)
class Exact:
    """P(wait) per single-argument call of a window: the means of `waits` over `calls`; and the work
    it took.
    """

    value: float
    waits: float
    calls: float
    states: int
    ticks: int


def why_not(scenario: Scenario, quantity: str = "p_wait") -> str:
    """The first reason why the exact chain has no answer, "" if it has one (but for the size of its
    work).
    """
    if quantity != "p_wait":
        return "the chain answers p_wait only"
    remedy = scenario.remedy
    stalls = remedy.page_class == "noretry" or may_sleep_for_head(remedy.head_alloc)
    for path, want in WANTED.items():
        section, name = path.split(".")
        value = getattr(getattr(scenario, section), name)
        if value != want and (name != "stall_ms" or stalls):
            return f"{path} is {shown(value)}, not {shown(want)}"

    rules = rules_of(scenario)
    if remedy.drain_full and remedy.attach_to_pending:
        return "remedy.attach_to_pending is true, not false, where remedy.drain_full is true"
    if remedy.drain_full and rules.grain > 0:
        return (
            f"remedy.drain_full is true with a drain delay of {rules.drain} jiffies, not below 63"
        )
    if rules.calls + max(rules.switches) > MAX_RATE:
        return f"more than {MAX_RATE:g} events come in a tick"
    return ""


def findings(question: Question) -> Iterator[Finding]:
    """The exact value, unless that takes more than the budget and the chain was not asked for."""
    remedy = question.scenario.remedy
    most = math.inf
    if question.method == AUTO:
        if remedy.array_path and remedy.block_entries > SMALL_BLOCK:
            return
        most = question.budget

    try:
        found = exact_p_wait(
            question.scenario, question.window_name, most / STATE_WORK, most / ENTRY_WORK
        )
    except KrcsimError:
        if question.method == AUTO:
            return
        raise
    yield Finding(
        question.quantity,
        question.window_name,
        exact(found.value),
        NAME,
        WHY,
        found.states,
        float(found.ticks),
    )


def chain_of(scenario: Scenario, most_states: float = MAX_STATES) -> Chain:
    """The chain of a scenario; raises KrcsimError naming what does not fit."""
    if why := why_not(scenario):
        raise KrcsimError(f"the exact chain does not fit: {why}; change that or ask by simulation")
    from scipy.sparse import csr_array, diags_array

    rules = rules_of(scenario)
    allocator = scenario.allocator
    scheduled = allocator.episodes == "schedule"
    index, steps = _reached(rules, scheduled, min(most_states, MAX_STATES))
    size = len(index)
    rate = rules.calls + max(rules.switches)
    event, tick = (
        csr_array((p, (end.astype(np.int32), begin.astype(np.int32))), shape=(size, size))
        for begin, end, p, _ in steps
    )
    event += diags_array(np.maximum(0.0, rate - event.sum(axis=0)))

    boot = np.zeros(size)
    boot[0] = 1.0
    if allocator.episodes == "exponential" and allocator.start == "stationary":
        start = at_boot(scenario.remedy)
        lengths = np.array([allocator.calm_ms, allocator.episode_ms])
        boot[[0, index[other(start)]]] = lengths / (allocator.calm_ms + allocator.episode_ms)

    waits = [np.bincount(begin.astype(np.int64), p * count, size) for begin, _, p, count in steps]
    waiting = np.array([state[WAITERS:CLOCK] for state in index], dtype=np.float64)
    free = np.ones(size)
    if rules.producers:
        free = 1.0 - waiting.sum(axis=1) / rules.producers
    single = scenario.workload.single_share
    return Chain(
        tuple(index),
        boot,
        rate,
        (event / rate).tocsr(),
        tick,
        np.array([waits[0], single * rules.calls * free]),
        np.array([waits[1], single * waiting[:, -1]]),
        [index[other(state)] for state in index] if scheduled else [],
    )


def _reached(rules: Rules, scheduled: bool, most: float) -> tuple[dict[State, int], list[Array]]:
    """All states by number, and of events and ticks the columns from, to, rate or probability,
    waits.
    """
    states = [at_boot(rules.remedy)]
    index = {states[0]: 0}
    steps: tuple[list[tuple[float, ...]], ...] = ([], [], [])
    for number, state in enumerate(states):  # which grows meanwhile
        switched = [(1.0, other(state), 0)] if scheduled else []
        for rows, ways in zip(
            steps, (events(rules, state), tick(rules, state), switched), strict=True
        ):
            for p, after, waits in ways:
                number_after = index.setdefault(after, len(states))
                if number_after == len(states):
                    states.append(after)
                rows.append((number, number_after, p, waits))
        if len(states) > most:
            raise KrcsimError(
                f"the exact chain has more than {most:.0f} states; take a smaller pool, cache, "
                "remedy.block_entries or remedy.drain_jiffies, or ask by simulation"
            )
    return index, [np.array(rows, dtype=np.float64).T for rows in steps[:2]]


def poisson(mean: float) -> tuple[Array, Array]:
    """P(N = k) and P(N > k) of a Poisson number N, for k from 0 up to where less than LEFT_OUT is
    left.
    """
    law = [math.exp(-mean)]
    while len(law) <= mean or law[-1] * len(law) > LEFT_OUT * (len(law) - mean):
        law.append(law[-1] * mean / len(law))
    return np.array(law), np.append(np.cumsum(law[:0:-1])[::-1], 0.0)


def _flow(chain: Chain, state_law: Array, length: float) -> tuple[Array, Array]:
    """The law of the state `length` ticks on with no tick in between, and the waits and calls
    meanwhile.
    """
    law, beyond = poisson(chain.rate * length)
    after = law[0] * state_law
    spent = beyond[0] * state_law
    for p, q in zip(law[1:], beyond[1:], strict=True):
        state_law = chain.event @ state_law
        after += p * state_law
        spent += q * state_law
    after[after < FORGOTTEN] = 0.0
    return after, chain.counts @ spent / chain.rate


def expected(chain: Chain, scenario: Scenario, until: float, most_work: float = MAX_WORK) -> Array:
    """Mean waits, and single-argument calls, of each window (a row), of calls made before `until`
    ticks.
    """
    warmup = ticks(scenario.warmup_ms, scenario.machine.hz)
    plans = scenario.allocator.schedules or ((),)
    work = len(plans) * until * len(poisson(chain.rate)[0]) * (chain.event.nnz + 10_000)
    if work > min(most_work, MAX_WORK):
        raise KrcsimError(
            f"the exact chain of {len(chain.states)} states over {until:g} ticks takes too long; "
            "lower scenario.horizon_ms or the size of the scenario, or ask by simulation"
        )

    total = np.zeros((len(WINDOWS), 2))
    for plan in plans:
        switches = [ticks(at, scenario.machine.hz) for pair in plan for at in pair]
        whole_ticks = map(float, range(math.ceil(until)))
        cuts = sorted(at for at in {*whole_ticks, *switches, warmup, until} if at <= until)
        law = chain.boot
        for at, to in zip(cuts, cuts[1:], strict=False):
            window = int(at >= warmup)
            if at > 0.0 and at == math.floor(at):
                total[window] += chain.tick_counts @ law
                law = chain.tick @ law
            if switches.count(at) == 1:  # not where an episode follows another at once
                law = law[chain.other]
            law, counts = _flow(chain, law, to - at)
            total[window] += counts
    return total / len(plans)


def exact_p_wait(
    scenario: Scenario, window: str, most_states: float = MAX_STATES, most_work: float = MAX_WORK
) -> Exact:
    """P(wait) in the window `boot` or `steady`; raises KrcsimError that names what does not fit, or
    what takes more than so many states or steps.
    """
    refuse(
        window not in WINDOWS,
        "window",
        window,
        "one of " + ", ".join(WINDOWS),
        "steady is after warmup_ms",
    )
    place = WINDOWS.index(window)
    chain = chain_of(scenario, most_states)
    until = ticks(scenario.horizon_ms if place else scenario.warmup_ms, scenario.machine.hz)
    waits, calls = expected(chain, scenario, until, most_work)[place].tolist()
    if calls <= 0.0:
        raise KrcsimError(
            f"no single-argument call comes in the window {window}; set warmup_ms between 0 and "
            "horizon_ms, and workload.single_share above 0"
        )
    return Exact(waits / calls, waits, calls, len(chain.states), math.ceil(until))
