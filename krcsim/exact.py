# SPDX-License-Identifier: GPL-2.0-only
"""P(wait) without chance, for small worlds on one CPU: the Markov chain of krcsim.chain, from boot on.

Within a tick calls and switches of pressure are Poisson: their numbers and what became of them are summed up, positive
terms only (uniformization), so that a small probability keeps its digits. A tick is one sparse matrix.
"""
import math
from dataclasses import dataclass
from typing import Any
import numpy as np
from numpy.typing import NDArray
from krcsim.chain import CLOCK, WAITERS, Rules, State, at_boot, events, rules_of, tick
from krcsim.kernel import ticks
from krcsim.run import WINDOWS
from krcsim.scenario import Scenario
from krcsim.values import KrcsimError, refuse, shown
Array = NDArray[np.float64]
MAX_STATES, MAX_LENGTHS, MAX_RATE, MAX_WORK = 60_000, 12, 200.0, 3e10
# What the chain knows, and nothing else; stalls have no length where they can come at all.
WANTED: dict[str, object] = {"machine.cpus": 1, "workload.arrivals": "poisson", "workload.free_instructions": 0,
    "workload.list_free_instructions": 0, "machine.work_delay_ms": 0, "allocator.stall_ms": 0, "remedy.refill": False,
    "memory.pressure": "injected", "grace_period.kind": "ticks", "grace_period.reader_ms": 0,
    "grace_period.expedited": False}
LEFT_OUT = 1e-40  # the probability of more events in a tick than are looked at
FORGOTTEN = 1e-200  # states less likely are dropped: arithmetic near the smallest float is slow

@dataclass(frozen=True)
class Regime:
    """The chain in calm, in a spell, or in either: transposed matrices of one of `rate` events a tick, and of a tick.

    counts, tick_counts: by state, waits and single-argument calls a tick of time, and those made at a tick.
    """
    rate: float
    event: Any
    tick: Any
    counts: Array
    tick_counts: Array

@dataclass(frozen=True)
class Chain:
    """All reachable states, the law of the one at boot, and a regime for calm and one for spells (random: for both)."""
    states: tuple[State, ...]
    boot: Array
    regimes: tuple[Regime, ...]

@dataclass(frozen=True)
class Exact:
    """P(wait) per single-argument call of a window: the means of `waits` over `calls`; and the work it took."""
    value: float
    waits: float
    calls: float
    states: int
    ticks: int

def fits(scenario: Scenario) -> str:
    """The first reason why the exact chain has no answer, "" if it has one (but for the number of states)."""
    gp = scenario.grace_period
    stalls = scenario.remedy.page_class == "noretry" or scenario.remedy.head_alloc in ("tryhard", "three_step")
    for path, want in WANTED.items():
        section, name = path.split(".")
        value = getattr(getattr(scenario, section), name)
        if value != want and (name != "stall_ms" or stalls):
            return f"{path} is {shown(value)}, not {shown(want)}"
    if scenario.workload.single_share == 0 or len(gp.table(scenario.machine.hz, 1)[0]) > MAX_LENGTHS:
        return "no call is single-argument" if scenario.workload.single_share == 0 else (
            f"grace periods have more than {MAX_LENGTHS} lengths")
    many = _rate(scenario) + max(_switches(scenario)) > MAX_RATE
    return f"more than {MAX_RATE:g} calls and switches of pressure come in a tick" if many else ""

def _rate(s: Scenario) -> float:
    return s.workload.rate_hz / s.machine.hz

def _switches(s: Scenario) -> tuple[float, float]:
    """How often random spells begin in calm, and end in a spell, a tick."""
    a, hz = s.allocator, s.machine.hz
    return (1.0 / ticks(a.calm_ms, hz), 1.0 / ticks(a.spell_ms, hz)) if a.spells == "exponential" else (0.0, 0.0)

def chain_of(scenario: Scenario) -> Chain:
    """The states that can be reached from boot, and how they follow each other; raises KrcsimError."""
    if why := fits(scenario):
        raise KrcsimError(f"the exact chain does not fit: {why}; change that or ask by simulation")
    r, a = rules_of(scenario), scenario.allocator
    states, both = _reached(r)
    regimes = [_regime(scenario, r, states, both, spell) for spell in range(1 if a.spells == "none" else 2)]
    boot = np.zeros(len(states))
    boot[0] = 1.0
    if a.spells == "exponential":
        share = a.spell_ms / (a.spell_ms + a.calm_ms) if a.start == "stationary" else 0.0
        boot = np.concatenate([(1.0 - share) * boot, share * boot])
        regimes = [_random(regimes[0], regimes[1], *_switches(scenario))]
    return Chain(tuple(states), boot, tuple(regimes))

def _reached(r: Rules) -> tuple[list[State], list[Array]]:
    """All states, and for events and ticks the rows (from, to, probability in calm, in a spell, waits)."""
    states = [at_boot(r)]
    index, both = {states[0]: 0}, ([], [])  # type: tuple[dict[State, int], tuple[list[Any], list[Any]]]
    for i, state in enumerate(states):  # which grows meanwhile
        for rows, ways in zip(both, (events(r, state), tick(r, state)), strict=True):
            for calm, spell, after, waits in ways:
                j = index.setdefault(after, len(states))
                if j == len(states):
                    states.append(after)
                rows.append((i, j, calm, spell, waits))
        if len(states) > MAX_STATES:
            raise KrcsimError(f"the exact chain has more than {MAX_STATES} states; take a smaller pool, cache, "
                "remedy.block_entries or remedy.drain_jiffies, or ask by simulation")
    return states, [np.array(rows, dtype=np.float64) for rows in both]

def _regime(s: Scenario, r: Rules, states: list[State], both: list[Array], spell: int) -> Regime:
    """The chain in calm (spell = 0) or in a spell."""
    from scipy.sparse import csr_array
    n, rate, single = len(states), _rate(s), s.workload.single_share
    at, to = zip(*(rows[:, :2].T.astype(np.int32) for rows in both), strict=True)
    share = [rows[:, 2 + spell] for rows in both]
    event, tick = (csr_array((share[i], (to[i], at[i])), shape=(n, n)) for i in range(2))
    waits = [np.bincount(at[i], share[i] * both[i][:, 4], n) for i in range(2)]
    held = np.array([state[WAITERS:CLOCK] for state in states], dtype=np.float64)
    free = 1.0 - held.sum(axis=1) / r.producers if r.producers else np.ones(n)
    return Regime(rate, event, tick, np.array([rate * waits[0], rate * single * free]),
        np.array([waits[1], single * held[:, -1]]))

def _random(calm: Regime, spell: Regime, begins: float, ends: float) -> Regime:
    """Both regimes in one, on states in calm and then in a spell; spells begin and end at these rates."""
    from scipy.sparse import block_diag, diags_array, eye_array, kron
    rate, pause = calm.rate + max(begins, ends), diags_array([max(begins, ends) - begins, max(begins, ends) - ends])
    switch = kron(pause + diags_array([[ends], [begins]], offsets=[1, -1]), eye_array(calm.counts.shape[1]))
    event = (block_diag([calm.rate * calm.event, spell.rate * spell.event]) + switch) / rate
    return Regime(rate, event.tocsr(), block_diag([calm.tick, spell.tick], format="csr"),
        np.hstack([calm.counts, spell.counts]), np.hstack([calm.tick_counts, spell.tick_counts]))

def poisson(mean: float) -> tuple[Array, Array]:
    """P(N = k) and P(N > k) of a Poisson number N, for k from 0 up to where less than LEFT_OUT is left."""
    law = [math.exp(-mean)]
    while len(law) <= mean or law[-1] * len(law) > LEFT_OUT * (len(law) - mean):
        law.append(law[-1] * mean / len(law))
    return np.array(law), np.append(np.cumsum(law[:0:-1])[::-1], 0.0)

def _flow(g: Regime, x: Array, length: float) -> tuple[Array, Array]:
    """The law of the state `length` ticks on with no tick in between, and the mean time spent in each state."""
    law, beyond = poisson(g.rate * length)
    after, spent = law[0] * x, beyond[0] * x
    for p, q in zip(law[1:], beyond[1:], strict=True):
        x = g.event @ x
        after += p * x
        spent += q * x
    after[after < FORGOTTEN] = 0.0
    return after, spent / g.rate

def expected(chain: Chain, s: Scenario, until: float) -> Array:
    """Mean waits, and single-argument calls, of each window (a row), of calls made before `until` ticks."""
    warmup, plans = ticks(s.warmup_ms, s.machine.hz), s.allocator.schedules or ((),)
    total = np.zeros((len(WINDOWS), 2))
    work = len(plans) * until * len(poisson(chain.regimes[0].rate)[0]) * (chain.regimes[0].event.nnz + 10_000)
    if work > MAX_WORK:
        raise KrcsimError(f"the exact chain of {len(chain.states)} states over {until:g} ticks takes too long; lower "
            "scenario.horizon_ms or the size of the world, or ask by simulation")
    for plan in plans:
        times = [ticks(at, s.machine.hz) for pair in plan for at in pair]
        cuts = sorted(at for at in {*map(float, range(math.ceil(until))), *times, warmup, until} if at <= until)
        x, spell = chain.boot, 0
        for at, to in zip(cuts, cuts[1:], strict=False):
            window = int(at >= warmup)
            if at > 0.0 and at == math.floor(at):
                total[window] += chain.regimes[spell].tick_counts @ x
                x = chain.regimes[spell].tick @ x
            spell ^= times.count(at) % 2  # two at once: one spell follows the other
            x, spent = _flow(chain.regimes[spell], x, to - at)
            total[window] += chain.regimes[spell].counts @ spent
    return total / len(plans)

def exact_p_wait(scenario: Scenario, window: str) -> Exact:
    """P(wait) in the window `boot` or `steady`; raises KrcsimError that names what does not fit."""
    refuse(window not in WINDOWS, "window", window, "one of " + ", ".join(WINDOWS), "steady is after warmup_ms")
    w, chain = WINDOWS.index(window), chain_of(scenario)
    until = ticks(scenario.horizon_ms if w else scenario.warmup_ms, scenario.machine.hz)
    waits, calls = expected(chain, scenario, until)[w].tolist()
    if calls <= 0.0:
        raise KrcsimError(f"the window {window} has no length; set warmup_ms between 0 and horizon_ms")
    return Exact(waits / calls, waits, calls, len(chain.states), math.ceil(until))
