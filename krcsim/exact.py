# SPDX-License-Identifier: GPL-2.0-only
"""P(wait) of small worlds on one CPU without chance: the model as a Markov chain from boot on, tick by tick.

Within a tick only calls and switches of pressure happen, and both are Poisson: their number and what became of them are
summed term by term (uniformization), so that small probabilities keep their digits. At a tick grace periods, monitor,
works and woken callers follow in the order of docs/model.md, by a sparse matrix.
"""
import math
from dataclasses import dataclass
from typing import Any
import numpy as np
from numpy.typing import NDArray
from krcsim.allocator import Failure
from krcsim.kernel import ticks
from krcsim.remedy import Remedy
from krcsim.run import WINDOWS
from krcsim.scenario import Scenario
from krcsim.values import KrcsimError, refuse
Array = NDArray[np.float64]
State = tuple[int, ...]
Way = tuple[float, float, State, int]  # probability in calm and in a spell, the state after, and the calls that wait
MAX_STATES, MAX_LENGTHS, MAX_RATE = 60_000, 12, 200.0
LEFT_OUT = 1e-40  # the probability of more calls in a tick than there are terms
FORGOTTEN = 1e-200  # less likely states are dropped: arithmetic at the end of the range of floats is slow
# Where what stands in a state. By channel: pages cached, free entries of the head block, and what is queued: blocks, and
# for the list 1 and its wrappers (0: empty); of blocks and wrappers no more than cache and pool can keep. MONITOR: ticks
# until it runs (0: not pending). GP: ticks until the grace period ends (0: none, -1: begins at the next tick). BATCH,
# twice: what it needs, and by channel what it holds. CALLERS: how many wait for what they need, by need, and whether
# their next call is due (open loop: only that somebody needs LATER). CLOCK: the tick modulo the timer wheel's grain.
POOL, CACHE, ROOM, NOW, MONITOR, GP, BATCH, CALLERS, CLOCK, FIELDS = 0, 1, 3, 5, 8, 9, 10, 18, 24, 25
BATCHES = (BATCH, BATCH + 4)
SERVED, NEXT, LATER = 1, 2, 3  # what is needed: nothing but the next tick, the next end of a grace period, the one after
LIST = 2

@dataclass(frozen=True)
class Rules:
    """What of a scenario the steps of the chain ask for; probabilities and rates are in ticks, for calm and spell."""
    remedy: Remedy
    drain: int
    grain: int  # of the timer wheel, a power of 2 as a shift
    lengths: tuple[tuple[int, float], ...]
    producers: int  # 0: open loop
    shares: tuple[float, float]  # of channels
    page: tuple[float, float]  # a call without room gets a page
    wrapper: tuple[float, float]  # it gets none, but an rcu_head
    own: tuple[float, float]  # it gets none, and pushes its own
    nothing: tuple[float, float]

@dataclass(frozen=True)
class Regime:
    """Transposed matrices of the chain in a state of pressure: one event, at `rate` events a tick, and one tick.

    waits, calls: single-argument calls that wait, and all, a tick of time; tick_waits, tick_calls: at a tick.
    """
    rate: float
    event: Any
    tick: Any
    waits: Array
    calls: Array
    tick_waits: Array
    tick_calls: Array

@dataclass(frozen=True)
class Chain:
    """Reachable states, the first of them at boot, and a regime for calm and one for spells (one if they are random)."""
    states: tuple[State, ...]
    regimes: tuple[Regime, ...]
    boot: Array

@dataclass(frozen=True)
class Exact:
    """P(wait) of a single-argument call in a window: `waits` of `calls`, on average; and the work it took."""
    value: float
    waits: float
    calls: float
    states: int
    ticks: int

def fits(scenario: Scenario) -> str:
    """Why the exact chain cannot answer, in one sentence; "" if it can, unless there are too many states."""
    m, r, a, gp, w = (scenario.machine, scenario.remedy, scenario.allocator, scenario.grace_period, scenario.workload)
    costs, stalls = w.costs_ms(m.instruction_ns), r.page_class == "noretry" or r.head_alloc in ("tryhard", "three_step")
    reasons = {f"machine.cpus is {m.cpus}, not 1": m.cpus > 1,
        "machine.work_delay_ms is not 0": m.work_delay_ms > 0,
        f'workload.arrivals is "{w.arrivals}", not "poisson"': w.arrivals != "poisson",
        "works take time: workload.free_instructions or list_free_instructions is not 0":
            costs["free_cost"] > 0 or costs["list_free_cost"] > 0,
        "workload.single_share is 0": w.single_share == 0,
        f'grace_period.kind is "{gp.kind}", not "ticks"': gp.kind != "ticks",
        "grace_period.reader_ms is not 0": gp.reader_ms > 0,
        "grace_period.expedited is set": gp.expedited,
        "allocator.stall_ms is not 0": stalls and a.stall_ms > 0,
        'memory.pressure is "pages"': scenario.memory.pressure == "pages",
        "remedy.refill is set": r.refill}
    if why := next((words for words, wrong in reasons.items() if wrong), ""):
        return why
    if len(gp.table(m.hz, m.cpus)[0]) > MAX_LENGTHS:
        return f"grace periods have more than {MAX_LENGTHS} lengths"
    rate = _rate(scenario) + max(_switches(scenario))
    return f"more than {MAX_RATE:g} calls and switches of pressure come in a tick" if rate > MAX_RATE else ""

def _rate(s: Scenario) -> float:
    return s.workload.rate_hz / s.machine.hz

def _switches(s: Scenario) -> tuple[float, float]:
    """Rates at which random spells begin and end, a tick."""
    a = s.allocator
    lengths = (ticks(a.calm_ms, s.machine.hz), ticks(a.spell_ms, s.machine.hz))
    return (1.0 / lengths[0], 1.0 / lengths[1]) if a.spells == "exponential" else (0.0, 0.0)

def rules_of(s: Scenario) -> Rules:
    """The rules of a scenario that fits."""
    r, a, w, grain = s.remedy, s.allocator, s.workload, 0
    while grain < 24 and s.drain_jiffies >= 63 << grain:
        grain += 3
    lengths, cdf = s.grace_period.table(s.machine.hz, s.machine.cpus)
    calm = _answers(r, a.calm, w.single_share)
    both = tuple(zip(calm, _answers(r, a.spell, w.single_share) if a.spells != "none" else calm, strict=True))
    return Rules(r, s.drain_jiffies, grain, tuple(zip(map(int, lengths), np.diff(cdf, prepend=0.0).tolist(), strict=True)),
        w.producers if w.loop == "closed" else 0, (1.0 - w.vmalloc_share, w.vmalloc_share), *both)

def _answers(r: Remedy, f: Failure, single: float) -> tuple[float, float, float, float]:
    """Probabilities that a call without room and cached page gets a page, a wrapper, lists its own head, gets nothing."""
    page, noretry, _, atomic, high, last = f.resolved()
    double, none = (page, noretry if r.page_class == "noretry" else page) if r.array_path else (1.0, 1.0)
    head = dict(none=1.0, atomic=atomic, tryhard=min(high, last), three_step=min(atomic, last))[r.head_alloc]
    return (single * (1.0 - none) + (1.0 - single) * (1.0 - double), single * none * (1.0 - head),
        (1.0 - single) * double, single * none * head)

def _request(s: list[int]) -> int:
    """Ask for a grace period; what is needed then."""
    s[GP] = s[GP] or -1
    return LATER if s[GP] > 0 else NEXT

def _arm(r: Rules, s: list[int]) -> None:
    s[MONITOR] = ((((s[CLOCK] + r.drain) >> r.grain) + 1) << r.grain) - s[CLOCK]

def _monitor(r: Rules, s: list[int]) -> None:
    """kfree_rcu_monitor() and the drain."""
    s[MONITOR], some, left = 0, False, False
    for b in BATCHES:
        takes = [ch for ch in range(3) if s[NOW + ch] and not s[b + 1 + ch]]
        if takes and (r.remedy.attach_to_pending or not s[b]):
            some, need = True, _request(s)
            s[b] = s[b] or need
            for ch in takes:
                s[b + 1 + ch], s[NOW + ch] = s[NOW + ch], 0
                if ch != LIST:
                    s[ROOM + ch] = 0
        left |= any(s[NOW:NOW + 3])
    if left if r.remedy.rearm == "left" else not some:
        _arm(r, s)

def _queued(r: Rules, s: list[int], ch: int) -> State:
    """The state once an object has joined a channel."""
    if s[MONITOR] == 0 and ch == LIST and r.remedy.expedited_drain:
        _monitor(r, s)
    elif s[MONITOR] == 0:
        _arm(r, s)
    return tuple(s)

def _block(r: Rules, state: State, ch: int, cache: int = -1) -> State:
    """The state once an object is the first of a new block, in a cached page or (-1) in a new one."""
    s = list(state)
    if cache >= 0:
        s[cache] -= 1
    s[ROOM + ch], s[NOW + ch] = r.remedy.block_entries - 1, min(s[NOW + ch] + 1, max(1, r.remedy.nr_bkv_objs))
    return _queued(r, s, ch)

def _listed(r: Rules, state: State, wrappers: int, pooled: int = 0) -> State:
    """The state once an object is on the list, with a wrapper or its own head."""
    s = list(state)
    s[POOL] -= pooled
    s[NOW + LIST] = min(max(1, s[NOW + LIST]) + wrappers, 1 + r.remedy.nr_emergency_objs)
    return _queued(r, s, LIST)

def _waiting(r: Rules, state: State) -> State:
    """The state once a caller waits."""
    s = list(state)
    need = _request(s)
    if r.producers:
        s[CALLERS + 2 * (LATER - need)] += 1
    elif need == LATER:
        s[CALLERS] = 1
    return tuple(s)

def call(r: Rules, state: State) -> list[Way]:
    """kvfree_call_rcu(): all that may become of a call made in a state."""
    ways: list[Way] = []
    for ch in range(2):
        mine, cache = r.shares[ch], CACHE + (0 if r.remedy.cache_shared else ch)
        if mine > 0.0 and state[ROOM + ch] > 0:
            s = list(state)
            s[ROOM + ch] -= 1
            ways.append((mine, mine, _queued(r, s, ch), 0))
        elif mine > 0.0 and state[cache] > 0:
            ways.append((mine, mine, _block(r, state, ch, cache), 0))
        elif mine > 0.0:
            for (calm, spell), way in ((r.page, 0), (r.wrapper, 1), (r.own, 2), (r.nothing, 3)):
                if calm + spell > 0.0:
                    after = (_block(r, state, ch) if way == 0 else _listed(r, state, way & 1) if way < 3 else
                        _listed(r, state, 1, 1) if state[POOL] else _waiting(r, state))
                    ways.append((mine * calm, mine * spell, after, int(way == 3 and not state[POOL])))
    return ways

def tick(r: Rules, state: State) -> list[Way]:
    """All that may happen at a tick, up to the calls of woken callers that are late."""
    s = list(state)
    s[CLOCK] = (s[CLOCK] + 1) & ((1 << r.grain) - 1)
    ready, late = [b for b in BATCHES if s[b] == SERVED], s[CALLERS + 5]
    s[CALLERS + 4] = s[CALLERS + 5] = 0
    begins = s[GP] < 0
    if s[GP] == 1:
        s[CALLERS:CALLERS + 6] = [0, 0, *s[CALLERS:CALLERS + 4]]
        for b in BATCHES:
            s[b] -= s[b] > SERVED
        begins = s[CALLERS + 2] + s[CALLERS + 3] > 0 or any(s[b] == NEXT for b in BATCHES)
        if not r.producers:
            s[CALLERS + 2] = 0
    s[GP] = max(0, s[GP] - 1)
    ways: list[Way] = []
    for length, p in r.lengths if begins else ((s[GP], 1.0),):
        ways.append((p, p, _maintenance(r, [*s[:GP], length, *s[GP + 1:]], ready), 0))
    for _ in range(late):
        ways = [(p * calm, q * spell, after, n + waits)
            for p, q, then, n in ways for calm, spell, after, waits in call(r, then)]
    return ways

def _maintenance(r: Rules, s: list[int], ready: list[int]) -> State:
    """The monitor, then the works, at a tick."""
    if s[MONITOR] == 1:
        _monitor(r, s)
    else:
        s[MONITOR] = max(0, s[MONITOR] - 1)
    for b in ready:
        for ch in range(2):
            cache = CACHE + (0 if r.remedy.cache_shared else ch)
            s[cache] = min(r.remedy.nr_bkv_objs, s[cache] + s[b + 1 + ch])
        s[POOL] = min(r.remedy.nr_emergency_objs, s[POOL] + max(0, s[b + 3] - 1))
        s[b:b + 4] = [0, 0, 0, 0]
    return tuple(s)

def _events(r: Rules, state: State) -> list[Way]:
    """The events within a tick, as shares of the rate of all callers: calls, and calls of waiting ones that get due."""
    if not r.producers or not any(state[CALLERS:CLOCK]):
        return call(r, state)
    share, blocked = 1.0 / r.producers, sum(state[CALLERS:CLOCK])
    free = share * (r.producers - blocked)
    ways = [(p * free, q * free, after, n) for p, q, after, n in call(r, state)] if free > 0.0 else []
    for i in range(CALLERS, CLOCK, 2):
        if state[i]:
            after = (*state[:i], state[i] - 1, state[i + 1] + 1, *state[i + 2:])
            ways.append((share * state[i], share * state[i], after, 0))
    late = share * sum(state[CALLERS + 1:CLOCK:2])
    return [*ways, (late, late, state, 0)] if late else ways

def chain_of(scenario: Scenario) -> Chain:
    """All states that can be reached from boot, and how they follow each other; raises KrcsimError."""
    if why := fits(scenario):
        raise KrcsimError(f"the exact chain does not fit: {why}; change that or ask by simulation")
    r = rules_of(scenario)
    start = [0] * FIELDS
    start[POOL], start[CACHE], start[CACHE + 1] = r.remedy.emergency_at_boot, *[r.remedy.cache_at_boot] * 2
    index, states = {tuple(start): 0}, [tuple(start)]
    entries: tuple[list[tuple[int, int, float, float, int]], ...] = ([], [])
    for i, state in enumerate(states):  # grows meanwhile
        for found, ways in zip(entries, (_events(r, state), tick(r, state)), strict=True):
            for calm, spell, after, waits in ways:
                j = index.setdefault(after, len(states))
                if j == len(states):
                    states.append(after)
                found.append((i, j, calm, spell, waits))
        if len(states) > MAX_STATES:
            raise KrcsimError(f"the exact chain has more than {MAX_STATES} states; take a smaller pool, cache or "
                "remedy.block_entries, or ask by simulation")
    free = np.array([(1.0 - sum(s[CALLERS:CLOCK]) / r.producers) if r.producers else 1.0 for s in states])
    late = np.array([float(s[CALLERS + 5]) for s in states])
    regimes = [_regime(scenario, k, entries, free, late) for k in range(1 if scenario.allocator.spells == "none" else 2)]
    boot = np.zeros(len(states))
    boot[0] = 1.0
    if scenario.allocator.spells == "exponential":
        a = scenario.allocator
        share = a.spell_ms / (a.spell_ms + a.calm_ms) if a.start == "stationary" else 0.0
        regimes, boot = [_random(*regimes, *_switches(scenario))], np.concatenate([(1.0 - share) * boot, share * boot])
    return Chain(tuple(states), tuple(regimes), boot)

def _regime(s: Scenario, spell: int, entries: Any, free: Array, late: Array) -> Regime:
    """The chain in calm (spell = 0) or in a spell, out of (from, to, p calm, p spell, waits) of events and ticks."""
    from scipy.sparse import csr_array
    n, found = len(free), []
    for rows in entries:
        at, to, p, waits = np.array([(i, j, q if spell else p, w) for i, j, p, q, w in rows]).T
        matrix = csr_array((p, (to.astype(np.int32), at.astype(np.int32))), shape=(n, n))
        matrix.sum_duplicates()
        found.append((matrix, np.bincount(at.astype(np.int64), p * waits, n)))
    (event, waits), (tick, tick_waits) = found
    rate, single = _rate(s), s.workload.single_share
    return Regime(rate, event, tick, rate * waits, rate * single * free, tick_waits, single * late)

def _random(calm: Regime, spell: Regime, begins: float, ends: float) -> Regime:
    """One regime of both, on states with the pressure beside them; it begins and ends at these rates a tick."""
    from scipy.sparse import block_array, block_diag, eye_array
    rate, one = calm.rate + max(begins, ends), eye_array(len(calm.calls), format="csr")
    stay = max(begins, ends) - np.array([begins, ends])
    event = block_array([[calm.rate * calm.event + stay[0] * one, ends * one],
        [begins * one, calm.rate * spell.event + stay[1] * one]], format="csr") / rate
    tick = block_diag([calm.tick, spell.tick], format="csr")
    pairs = (np.concatenate([getattr(calm, name), getattr(spell, name)])
        for name in ("waits", "calls", "tick_waits", "tick_calls"))
    return Regime(rate, event, tick, *pairs)

def poisson(mean: float) -> tuple[Array, Array]:
    """P(N = k) and P(N > k) of a Poisson number for k = 0, 1, ..., but for a tail of less than LEFT_OUT."""
    law, k = [math.exp(-mean)], 0
    while k < mean or law[-1] * (k + 1) > LEFT_OUT * (k + 1 - mean):
        k += 1
        law.append(law[-1] * mean / k)
    at = np.array(law)
    return at, np.concatenate([np.cumsum(at[:0:-1])[::-1], [0.0]])

def _flow(g: Regime, x: Array, length: float) -> tuple[Array, Array]:
    """The law of the state after `length` ticks without a tick between, and the mean time spent in each state."""
    at, beyond = poisson(g.rate * length)
    after, spent = at[0] * x, beyond[0] * x
    for p, q in zip(at[1:], beyond[1:], strict=True):
        x = g.event @ x
        after += p * x
        spent += q * x
    after[after < FORGOTTEN] = 0.0
    return after, spent / g.rate

def run(chain: Chain, s: Scenario, until: float) -> Array:
    """Expected waits and calls by window, [window, 0] and [window, 1], of calls made before `until` ticks."""
    warmup, total = ticks(s.warmup_ms, s.machine.hz), np.zeros((len(WINDOWS), 2))
    plans = s.allocator.schedules or ((),)
    for plan in plans:
        switches = {ticks(at, s.machine.hz) for pair in plan for at in pair}  # back to back: a moment of calm only
        switches -= {ticks(a[1], s.machine.hz) for a, b in zip(plan, plan[1:], strict=False) if a[1] == b[0]}
        cuts = sorted(x for x in {*map(float, range(math.ceil(until))), warmup, until, *switches} if x <= until)
        x, spell = chain.boot, 0
        for at, to in zip(cuts, cuts[1:], strict=False):
            g, now = chain.regimes[spell], total[int(at >= warmup)]
            if at > 0.0 and at == math.floor(at):
                now += x @ g.tick_waits, x @ g.tick_calls
                x = g.tick @ x
            spell ^= at in switches
            g = chain.regimes[spell]
            x, spent = _flow(g, x, to - at)
            now += spent @ g.waits, spent @ g.calls
    return total / len(plans)

def exact_p_wait(scenario: Scenario, window: str) -> Exact:
    """P(wait) in the window `boot` or `steady`; raises KrcsimError naming what the chain does not know."""
    refuse(window not in WINDOWS, "window", window, "one of " + ", ".join(WINDOWS), "steady is after warmup_ms")
    chain, w = chain_of(scenario), WINDOWS.index(window)
    until = ticks(scenario.horizon_ms if w else scenario.warmup_ms, scenario.machine.hz)
    waits, calls = run(chain, scenario, until)[w].tolist()
    if calls <= 0.0:
        raise KrcsimError(f"the window {window} has no length; set warmup_ms between 0 and horizon_ms")
    return Exact(waits / calls, waits, calls, len(chain.states), math.ceil(until))
