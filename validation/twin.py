# SPDX-License-Identifier: GPL-2.0-only
"""A second, independent implementation of docs/model.md: plain SimPy, one call after another.

It shares with the compiled engine only the values of a scenario, so that an agreement of the two
speaks for both. It is written to be read beside the model; its speed is of no concern. Names are
those of the kernel where there is one: `kfree_rcu_cpu`, `kfree_rcu_cpu_work`, `krw_arr`,
`monitor_todo`.

The clock counts ticks (jiffies), not milliseconds: an event on a tick then has a whole number as
its time, for which now + (time - now) is exact in floating point, and what meets on a tick is
put in order by `Order` alone.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import simpy
from simpy.events import EventPriority

from krcsim.model.scenario import Scenario
from validation.twin_drain import MonitorTimer, asks_for_page, comes_again, drain_delay
from validation.twin_feedback import MAX_RECLAIM_RETRIES, Shrinker
from validation.twin_memory import CpuPages, Memory
from validation.twin_rate import Course
from validation.twin_ready import Cookies, size_of
from validation.twin_refill import RefillWorker
from validation.twin_replay import call_times, rate_of
from validation.twin_sheaf import SHEAF_COUNTERS, Caches, CpuSheaves
from validation.twin_sizes import SIZE_COUNTERS, Sizes
from validation.twin_wait import WaitList

COUNTERS = (
    "single",
    "double",
    "single_episode",
    "double_episode",
    "waits",
    "waits_episode",
    "wait_ms",
    "stalls",
    "stall_ms",
    "list_pushes",
    "early_frees",
    "episodes",
    "episodes_waited",
    "peak",
    "area",
    "pool_hits",
    "cache_hits",
    "page_ok",
    "page_fail",
    "drains",
    "drains_due",
    "rearms",
    "pages_returned",
    "pages_freed",
    "pool_returned",
    "batches",
    "monitors",
    "ready_records",
    "gps",
    "waits_latched",
    "refill_runs",
    "refill_tries",
    "refill_pages",
    "ooms",
    "lost_ms",
    "failed_allocations",
    "pages_asked",
    "pages_released",
    "pages_reclaimed",
    "scans",
    "pages_shrunk",
)

KFREE_N_BATCHES = 2
TASKS = ("poisson", "onoff", "replay")  # calls of tasks that take no CPU time from others
SLAB, VMALLOC, LIST = range(3)  # the channels: two of blocks, and the list
OWN_HEAD, WRAPPER = 0, 1  # what is pushed on the list; only a wrapper feeds the pool

Steps = Generator[simpy.Event, object, None]
Question = Generator[simpy.Event, object, bool]


class Order(IntEnum):
    """R3: Who comes first at one instant; 0 and 1 are SimPy's, for what follows from an event."""

    # The model names monitors and works in one breath: here in that order, which is also that of
    # the timer and RCU softirqs. The steps of a work count as works.
    SHEAF = 2
    COOKIES = 3  # monitors that look at cookies
    GRACE_PERIOD = 4
    MONITOR = 5
    WORK = 6
    REFILL = 7
    WAKE = 8
    STALL = 9
    PRESSURE = 10
    PHASE = 11
    ALLOCATION = 12
    CALL = 13


class Moment(simpy.Event):
    """An event at a given time and with a given place in the order of its instant."""

    def __init__(self, env: simpy.Environment, time: float, order: Order) -> None:
        super().__init__(env)
        self._ok = True
        self._value = None
        env.schedule(self, EventPriority(order), max(0.0, time - env.now))


class Clock(simpy.Environment):
    """SimPy's environment with time in ticks and an order among equal times."""

    def at(self, time: float, order: Order) -> Moment:
        """The event at `time`, to be yielded by a process."""
        return Moment(self, time, order)

    def call_at(self, time: float, order: Order, action: Callable[[], object]) -> None:
        """Let `action` happen at `time`."""

        def happen(_: simpy.Event) -> None:
            action()

        self.at(time, order).callbacks.append(happen)

    def timer(self, jiffies: int) -> float:
        """R23: When a timer set now expires: never early, and rounded up by the timer wheel."""
        shift = 0
        while jiffies >= 63 << shift:
            shift += 3
        return float((((math.floor(self.now) + jiffies) >> shift) + 1) << shift)

    def run_to(self, time: float, ended: Callable[[], bool]) -> None:
        """Let everything before `time` happen, and nothing at it; less if the run ends before."""
        while not ended() and self.peek() < time:
            self.step()
        if not ended() and time > self.now:
            self.run(until=time)


@dataclass
class Window:
    """R2: The counters of one window, and the single waits of the calls made in it."""

    counts: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys((*COUNTERS, *SHEAF_COUNTERS, *SIZE_COUNTERS), 0.0)
    )
    waits_ms: list[float] = field(default_factory=list)

    def add(self, counter: str, amount: float = 1.0) -> None:
        """Count `amount` more."""
        self.counts[counter] += amount


class Odds(NamedTuple):
    """The probabilities of failure in force, in the order of `Failure.resolved()`."""

    page: float
    page_noretry: float
    head: float
    head_atomic: float
    head_high: float
    head_reclaim: float
    sheaf: float


@dataclass
class Episode:
    """R36: One episode of pressure, in the window of its start."""

    window: Window
    waited: bool = False


@dataclass
class Call:
    """What one call of kfree_rcu() keeps from the instant at which it was made."""

    window: Window
    episode: Episode | None
    odds: Odds
    single: bool
    channel: int
    size: int
    refused_for_memory: bool = False


class Draws:
    """Random numbers: a generator for each decision, and one for each CPU's arrivals."""

    def __init__(self, seed: int, replication: int, cpus: int) -> None:
        seeds = np.random.SeedSequence((seed, replication)).spawn(9 + cpus)
        streams = [np.random.default_rng(s) for s in seeds]
        self.kinds, self.failures, self.stalls, self.grace_periods = streams[:4]
        self.expedited, self.episodes, self.foreign_cpus = streams[4:7]
        self.arrivals, self.refills, self.readers = streams[7:-2], streams[-2], streams[-1]
        self.background = np.random.default_rng([seed, replication, 59])


class Asked(NamedTuple):
    """R27 and R62: Who needs a grace period: what happens then, and when RCU knows of it."""

    order: Order
    delay: float
    action: Callable[[], object]
    known_at: float


class GracePeriods:
    """R27: struct rcu_state: numbered grace periods, one at a time, each shared by all
    who need it.
    """

    def __init__(self, clock: Clock, scenario: Scenario, draws: Draws) -> None:
        law, machine = scenario.grace_period, scenario.machine
        self.clock, self.draws, self.background = clock, draws.grace_periods, draws.background
        self.background_rate = law.background_hz / machine.hz
        self.idle_since = 0  # how often no grace period was running or due
        self.lengths, self.cumulative = scenario.grace_periods()
        self.on_ticks = law.kind == "ticks"
        self.invoke_ticks = law.invoke_ticks()
        self.done = 0
        self.running = False
        self.due = False
        self.asked: dict[int, list[Asked]] = {}
        self.by_gp = scenario.remedy.wake == "gp"
        self.at_once = scenario.gps_end_at_once()
        self.list = WaitList(scenario.remedy.wake_work_ms * machine.hz / 1000.0)
        self.readers: list[Reader] = []
        self.ended: Callable[[], object] = lambda: None
        self.leave_to_others()

    def leave_to_others(self) -> None:
        """R59: None runs or is due: another user of RCU asks for one, some time."""
        self.idle_since += 1
        turn = self.idle_since

        def ask() -> None:
            if turn == self.idle_since and not (self.running or self.due):
                self.request()

        if self.background_rate > 0.0:
            gap = self.background.exponential(1.0 / self.background_rate)
            self.clock.call_at(self.clock.now + gap, Order.GRACE_PERIOD, ask)

    def needed(self) -> int:
        """R27: The first grace period that starts after now; the running one began too early."""
        return self.done + (2 if self.running else 1)

    def ask(self, order: Order, delay: float, action: Callable[[], object]) -> None:
        """R27: Let `action` happen when a full grace period has passed, `delay` ticks after
        serving.
        """
        entry = Asked(order, delay, action, math.floor(self.clock.now) + 1.0)
        self.asked.setdefault(self.needed(), []).append(entry)
        self.request()

    def request(self) -> None:
        """R28 and R30: Let a grace period start, on the next tick or at once, unless one runs."""
        if self.running or self.due:
            return
        if self.on_ticks:
            self.due = True
            self.idle_since += 1
            turn = self.idle_since

            def start() -> None:  # a waiter on the list may have started it meanwhile
                if turn == self.idle_since and self.due:
                    self.start()

            self.clock.call_at(math.floor(self.clock.now) + 1, Order.GRACE_PERIOD, start)
        else:
            self.start()

    def join_list(self, wake: Callable[[float], object]) -> None:
        """R60: A caller waits on the list; it starts a grace period itself, unless one runs."""
        self.list.add(self.needed(), wake)
        if not self.running:
            self.start()

    def put_off(self) -> None:
        """R62: Callbacks that are not known yet need the grace period after the one that starts."""
        entries = self.asked.pop(self.done + 1, [])
        for entry in entries:
            late = self.by_gp and self.on_ticks and entry.known_at > self.clock.now
            self.asked.setdefault(self.done + (2 if late else 1), []).append(entry)

    def start(self) -> None:
        """R28 and R30: Start the next grace period, of a length drawn now."""
        self.put_off()
        self.due, self.running = False, True
        drawn = np.searchsorted(self.cumulative, self.draws.random(), side="right")
        if self.readers:
            self.clock.process(self.held_up(float(self.lengths[drawn])))
        else:
            begun = self.clock.now
            if self.by_gp and self.on_ticks and not self.at_once:
                begun = math.floor(begun)
            self.clock.call_at(begun + float(self.lengths[drawn]), Order.GRACE_PERIOD, self.end)

    def held_up(self, length: float) -> Steps:
        """R29 and R63: End the grace period that begins now when its scans are over and no reader
        holds it up; one that ends at once waits for sections that were there at its start only.
        """
        before = [reader.section for reader in self.readers]
        if self.at_once:  # R63
            yield self.clock.at(self.clock.now + length, Order.GRACE_PERIOD)
            for section in before:
                if section:
                    yield section.over
            self.end()
            return
        tick = math.floor(self.clock.now)
        yield self.clock.at(tick + 1, Order.GRACE_PERIOD)
        now = [reader.section for reader in self.readers]
        held = [
            new
            for new, old in zip(now, before, strict=True)
            if new and (new is old or new.preempted)
        ]
        yield self.clock.at(tick + length, Order.GRACE_PERIOD)
        for section in held:
            yield section.over
        self.end()

    def end(self) -> None:
        """R28 and R30: Finish the grace period, serve those who needed it, and go on if others need
        more.
        """
        self.done += 1
        self.running = False
        served = (
            math.floor(self.clock.now) if self.on_ticks else self.clock.now
        ) + self.invoke_ticks
        self.ended()
        for entry in self.asked.pop(self.done, []):
            self.clock.call_at(served + entry.delay, entry.order, entry.action)
        self.list.serve(self.done, self.clock.now)
        self.start_next()

    def start_next(self) -> None:
        """R28 and R62: Go on if others need more: at once, or when the first callback is known."""
        now = self.clock.now
        starts_at = [entry.known_at for entries in self.asked.values() for entry in entries]
        if self.list.waiters or (starts_at and not (self.by_gp and self.on_ticks)):
            starts_at.append(now)
        if not starts_at:
            self.leave_to_others()
        elif min(starts_at) <= now:
            self.start()
        else:
            self.due = True
            self.idle_since += 1
            turn = self.idle_since

            def start() -> None:
                if turn == self.idle_since and self.due:
                    self.start()

            self.clock.call_at(min(starts_at), Order.GRACE_PERIOD, start)


@dataclass
class Section:
    """R29: A read-side critical section: whether a call has preempted its reader, and the event of
    its end.
    """

    over: simpy.Event
    preempted: bool = False


class Reader:
    """R29: A preemptible reader of lowest priority: it runs, and so begins and ends sections, on an
    idle CPU only.

    The engine moves sections out of the way of works, and of bursts at fixed gaps of one producer;
    other bursts only hold up a section's end that a grace period waits for. That is too rare to be
    seen by the comparison.
    """

    def __init__(self, kernel: Kernel, cpu: Cpu) -> None:
        self.kernel, self.clock, self.cpu = kernel, kernel.clock, cpu
        self.section: Section | None = None
        self.clock.process(self.read())

    def read(self) -> Steps:
        """R29: Section after section; those before boot are over at a random time before it."""
        law, kernel, clock = self.kernel.scenario.grace_period, self.kernel, self.clock
        length = kernel.ticks(law.reader_ms)
        gap = kernel.ticks(law.reader_gap_ms + 2.0 * kernel.cpu_ms["wake_cost"])
        span = (
            1.0
            if kernel.scenario.workload.phase == "tick"
            else kernel.ticks(law.reader_ms + law.reader_gap_ms)
        )
        begin = gap - span * kernel.draws.readers.random()
        while begin + length <= 0.0:
            begin += length + gap
        while True:
            yield from self.idle_at(begin)
            begun = max(begin, clock.now) if begin >= 0.0 else begin
            self.section = Section(clock.event())
            yield from self.idle_at(begun + length)
            self.section.over.succeed()
            self.section = None
            begin = clock.now + gap

    def idle_at(self, time: float) -> Steps:
        """R29: Wait until `time`, and then until the CPU has nothing of a higher priority to do."""
        if time > self.clock.now:
            yield self.clock.at(time, Order.PHASE)
        while self.cpu.busy():
            yield self.cpu.idle


class Kernel:
    """The whole of one run: what the CPUs share, and what is counted."""

    def __init__(self, scenario: Scenario, seed: int, replication: int) -> None:
        cpus = scenario.machine.cpus
        self.scenario, self.replication = scenario, replication
        self.cpu_ms = scenario.workload.costs_ms(scenario.machine.instruction_ns)
        self.clock = Clock()
        self.draws = Draws(seed, replication, cpus)
        self.rcu = GracePeriods(self.clock, scenario, self.draws)
        self.rcu.ended = lambda: self.window.add("gps")
        self.calm_odds = Odds(*scenario.allocator.calm.resolved())
        self.episode_odds = Odds(*scenario.allocator.episode.resolved())
        self.episode: Episode | None = None
        self.boot, self.steady, self.after = Window(), Window(), Window()
        self.window = self.boot
        self.horizon = self.ticks(scenario.horizon_ms)
        self.open_calls = 0
        self.queued = self.freed = 0
        self.accounted = 0.0
        self.shrinker = Shrinker(self)
        self.memory = Memory(scenario) if scenario.memory.pressure == "pages" else None
        self.sizes = Sizes(scenario, seed, replication)
        self.cache = Caches(self, seed, replication) if scenario.remedy.sheaves else None
        self.cpus = [Cpu(self, number) for number in range(cpus)]
        if scenario.grace_period.reader_ms > 0:
            self.rcu.readers = [cpu.reader for cpu in self.cpus if cpu.reader]
        self.clock.process(self.pressure())

    def ticks(self, ms: float) -> float:
        """Milliseconds as ticks."""
        return ms * self.scenario.machine.hz / 1000.0

    def ms(self, ticks: float) -> float:
        """Ticks as milliseconds."""
        return ticks * 1000.0 / self.scenario.machine.hz

    def run(self) -> dict[str, dict[str, float]]:
        """R1 and R2: Run boot, steady state, and then on until the last call that blocks
        has ended.
        """
        warmup = self.ticks(self.scenario.warmup_ms)
        self.clock.run_to(warmup, self.out_of_memory)
        if self.out_of_memory():
            self.boot.add("lost_ms", self.ms(warmup - self.clock.now))
            self.steady.add("lost_ms", self.ms(self.horizon - warmup))
        else:
            self.enter(self.steady)
            self.clock.run_to(self.horizon, self.out_of_memory)
            if self.out_of_memory():
                self.steady.add("lost_ms", self.ms(self.horizon - self.clock.now))
        self.window.add("drains_due", sum(cpu.krcp.monitor.pending for cpu in self.cpus))
        self.enter(self.after)
        self.horizon = self.clock.now
        deferred = self.queued - self.freed
        whole = {"queued": self.queued, "freed": self.freed, "deferred": deferred}
        while self.open_calls:
            self.clock.step()
        return {
            "boot": self.boot.counts,
            "steady": self.steady.counts,
            "whole": {name: float(value) for name, value in whole.items()},
        }

    def enter(self, window: Window) -> None:
        """R2: Close the present window and open `window`, with what is deferred as its
        first peak.
        """
        self.account()
        self.count_pages()
        self.window = window
        self.account()

    def out_of_memory(self) -> bool:
        """R86: Whether an OOM ends the run."""
        return bool(self.memory and self.memory.dead)

    def count_pages(self) -> None:
        """R87: Count what memory has noted, in the present window."""
        if self.memory:
            self.window.add("pages_asked", self.memory.asked)
            self.window.add("pages_released", self.memory.released)
            self.window.add("pages_reclaimed", self.memory.reclaimed)
            self.window.add("ooms", self.memory.ooms)
            self.memory.ooms = 0
            self.memory.asked = self.memory.released = self.memory.reclaimed = 0.0

    def account(self) -> None:
        """R45: Bring area and peak up to now."""
        deferred, counts = self.queued - self.freed, self.window.counts
        counts["area"] += deferred * self.ms(self.clock.now - self.accounted)
        if self.cache:
            self.cache.account(self.ms(self.clock.now - self.accounted))
        counts["peak"] = max(counts["peak"], deferred)
        if self.sizes.several:
            counts["bytes_area"] += self.sizes.held * self.ms(self.clock.now - self.accounted)
            counts["peak_bytes"] = max(counts["peak_bytes"], self.sizes.held)
        self.accounted = self.clock.now

    def defer(self, size: int, in_sheaf: bool = False) -> None:
        """R43, R45 and R112: Count one more object that waits to be freed."""
        self.account()
        self.queued += 1
        self.sizes.defer(size, in_sheaf)
        self.account()
        if self.memory:
            self.memory.defer(self.clock.now, self.sizes.held)

    def kfree(self, objects: int, cpu: Cpu, of_sheaf: int | None = None) -> None:
        """R43, R45, R80 and R112: Count objects that a work has freed on a CPU, or those of a full
        sheaf of that size.
        """
        self.account()
        self.freed += objects
        freed = self.sizes.free(objects, of_sheaf)
        if self.memory:
            self.memory.kfree(self.clock.now, self.sizes.held, freed)
            if self.memory.allocates and cpu.krcp.pages:
                self.memory.free_objects(cpu.krcp.pages, self.clock.now, freed)

    def kfree_batched(self, objects: int, cpu: Cpu) -> None:
        """R34: The same for objects of a batch."""
        self.kfree(objects, cpu)
        if self.cache:
            self.cache.batch(-objects)

    def new_kind(self) -> tuple[bool, int]:
        """R4: Draw what kind of call is made."""
        workload, kinds = self.scenario.workload, self.draws.kinds
        single = bool(kinds.random() < workload.single_share)
        return single, VMALLOC if kinds.random() < workload.vmalloc_share else SLAB

    def new_call(self, single: bool, channel: int, size: int) -> Call:
        """R20 and R45: Count a call, and note the state it is made in."""
        odds = self.episode_odds if self.episode else self.calm_odds
        self.window.add("single" if single else "double")
        if self.episode:
            self.window.add("single_episode" if single else "double_episode")
        return Call(self.window, self.episode, odds, single, channel, size)

    def direct_reclaim(self, call: Call, for_object: bool) -> Steps:
        """R21, R42 and R53: Stall the call while the allocator reclaims memory."""
        allocator, memory = self.scenario.allocator, self.memory
        if memory:
            self.reclaim_pass()
        median = (
            self.ms(memory.stall_ticks(self.clock.now, for_object))
            if memory
            else allocator.stall_ms
        )
        if memory:
            memory.shared.enter(self.clock.now)
        ms = median * float(self.draws.stalls.lognormal(0.0, allocator.stall_sigma))
        call.window.add("stalls")
        call.window.add("stall_ms", ms)
        yield self.clock.at(self.clock.now + self.ticks(ms), Order.STALL)
        if memory:
            memory.reclaim(self.clock.now, for_object)

    def reclaim_pass(self) -> None:
        """R53 and R88: A reclaim pass of a stall: it counts, and comes to the scan right after."""
        self.shrink_count()
        if self.scenario.memory.shrinker and not self.shrinker.asked:
            self.shrinker.asked = True
            self.clock.call_at(self.clock.now, Order.GRACE_PERIOD, self.shrinker.shrink)

    def shrink_count(self) -> None:
        """R53: A reclaim pass: with a shrinker each CPU backs off."""
        if self.scenario.memory.shrinker:
            for cpu in self.cpus:
                cpu.krcp.refill_worker.backs_off = True

    def new_object(self, single: bool, pages: CpuPages, size: int) -> Question:
        """R81, R84 and R86: Let a caller allocate an object: after stalls if it may sleep, and with
        OOM after so many rounds in vain; False if it makes no call.
        """
        memory, window, rounds = self.memory, self.window, 0
        assert memory
        began = True
        while not memory.new_object(pages, self.clock.now, size):
            if not single:
                window.add("failed_allocations")
                return False
            if rounds == MAX_RECLAIM_RETRIES:
                memory.follow(self.clock.now)
                memory.out_of_memory(self.clock.now)
                if memory.dead:
                    return False
                rounds = 0
                yield self.clock.at(memory.killed_at, Order.STALL)
            else:
                if began:
                    window.add("stalls")
                self.reclaim_pass()
                memory.shared.enter(self.clock.now)
                ms = self.ms(memory.stall_ticks(self.clock.now, for_object=False))
                ms *= float(self.draws.stalls.lognormal(0.0, self.scenario.allocator.stall_sigma))
                window.add("stall_ms", ms)
                yield self.clock.at(self.clock.now + self.ticks(ms), Order.STALL)
                found = memory.reclaim(self.clock.now, for_object=False)
                rounds = 0 if found >= 1.0 else rounds + 1
                began = False
            if memory.dead or self.clock.now >= self.horizon:
                return False
        return True

    def synchronize_rcu(self, call: Call, cpu: Cpu) -> Generator[simpy.Event, Any, float]:
        """R12, R19, R31, R82 and R83: Let the call wait for a grace period: what this study is
        about; returns when its caller runs.
        """
        began = self.clock.now
        law = self.scenario.grace_period
        if self.memory:
            self.memory.waits(began, 1)
        if law.expedited:
            spread = float(self.draws.expedited.lognormal(0.0, law.expedited_sigma))
            yield self.clock.at(began + self.ticks(law.expedited_median_ms * spread), Order.WAKE)
        else:
            woken = self.clock.event()
            listed = self.rcu.by_gp and not self.rcu.list.latched
            if cpu.sheaves and not listed:
                cpu.sheaves.ask()
            entry = Waiting(
                began + self.ticks(self.cpu_ms["call_cost"]),
                self.rcu.needed(),
                self.clock.active_process,
            )
            cpu.waiting.append(entry)

            def wake(time: float) -> None:
                entry.wakes = time
                self.clock.call_at(time, Order.WAKE, woken.succeed)

            if listed:
                self.rcu.join_list(wake)
            else:
                if self.rcu.by_gp:
                    call.window.add("waits_latched")
                self.rcu.ask(Order.WAKE, 0.0, woken.succeed)
            yield woken
            if listed:
                self.rcu.list.leave()
            cpu.waiting.remove(entry)
        if self.memory and self.memory.allocates and cpu.krcp.pages:
            self.memory.waits(self.clock.now, -1)
            self.memory.free_objects(cpu.krcp.pages, self.clock.now, {call.size: 1})
            call.window.add("pages_asked", self.memory.grows * (self.clock.now - began))
        if call.refused_for_memory and cpu.sheaves:
            cpu.sheaves.free(call.size)
        runs_at, costs = cpu.free_again(), self.scenario.workload.arrivals in ("periodic", "bursts")
        self.count_wait(call, self.ms(runs_at - began) - costs * self.cpu_ms["call_cost"])
        return runs_at

    def count_wait(self, call: Call, ms: float) -> None:
        """R45: Count a wait in the window of its call and in the episode of its call."""
        call.window.add("waits")
        call.window.add("wait_ms", ms)
        if self.cache:
            call.window.add("waits_memory" if call.refused_for_memory else "waits_kind")
        call.window.waits_ms.append(ms)
        if call.episode:
            call.window.add("waits_episode")
            if not call.episode.waited:
                call.episode.waited = True
                call.episode.window.add("episodes_waited")

    def pressure(self) -> Steps:
        """R36: Switch the odds of all CPUs at the start and at the end of each episode."""
        for start, end in self.episode_times():
            yield self.clock.at(start, Order.PRESSURE)
            if self.memory:
                self.memory.episode_begins(self.clock.now)
            self.episode = Episode(self.window)
            self.window.add("episodes")
            yield self.clock.at(end, Order.PRESSURE)
            if self.memory:
                self.memory.episode_ends(self.clock.now)
            self.episode = None

    def episode_times(self) -> Iterator[tuple[float, float]]:
        """Starts and ends of the episodes, in ticks."""
        allocator, draws = self.scenario.allocator, self.draws.episodes
        if allocator.episodes == "schedule":
            plan = allocator.schedules[self.replication % len(allocator.schedules)]
            yield from ((self.ticks(start), self.ticks(end)) for start, end in plan)
        elif allocator.episodes == "exponential":
            share = allocator.episode_ms / (allocator.episode_ms + allocator.calm_ms)
            at_boot = allocator.start == "stationary" and draws.random() < share
            start = 0.0 if at_boot else draws.exponential(self.ticks(allocator.calm_ms))
            while True:
                end = start + draws.exponential(self.ticks(allocator.episode_ms))
                yield start, end
                start = end + draws.exponential(self.ticks(allocator.calm_ms))

    def cpu_for_work(self, home: Cpu) -> Cpu:
        """R32: The CPU that runs a work of `home`: itself, or any other one if it is offloaded."""
        draws = self.draws.foreign_cpus
        if draws.random() >= self.scenario.machine.nocb_share:
            return home
        others = [cpu for cpu in self.cpus if cpu is not home]
        return others[draws.integers(len(others))]


class KfreeRcuCpuWork:
    """struct kfree_rcu_cpu_work: one batch, with the grace period each channel would need."""

    def __init__(self, krcp: KfreeRcuCpu) -> None:
        self.krcp = krcp
        self.channels: list[list[int]] = [[], [], []]
        self.gp_needed = [0, 0, 0]
        self.pending = False
        self.asked = 0.0

    def queue_rcu_work(self) -> None:
        """R25: Have the work done after a full grace period, unless it waits for one already."""
        if not self.pending:
            self.pending = True
            kernel = self.krcp.kernel
            kernel.window.add("batches")
            self.asked = kernel.clock.now
            if self.krcp.cpu.sheaves:
                self.krcp.cpu.sheaves.ask()
            delay = kernel.ticks(kernel.scenario.machine.work_delay_ms)
            kernel.rcu.ask(Order.WORK, delay, self.ready)

    def ready(self) -> None:
        """R32: Hand the work to a CPU."""
        kernel = self.krcp.kernel
        cpu = kernel.cpu_for_work(self.krcp.cpu)
        first = cpu.woken_before(self.asked)
        if first is None:
            cpu.add_work(self)
        else:  # a caller that asked before goes on with its burst before the work
            ms = kernel.cpu_ms["wake_cost"] + first.calls * kernel.cpu_ms["call_cost"]
            kernel.clock.call_at(
                kernel.clock.now + kernel.ticks(ms), Order.WORK, lambda: cpu.add_work(self)
            )

    def kfree_rcu_work(self, krcp: KfreeRcuCpu) -> Steps:
        """R33 to R35: Free everything in the batch, on the CPU of `krcp`."""
        kernel, clock = krcp.kernel, krcp.kernel.clock
        scenario = kernel.scenario
        free_ticks = kernel.ticks(kernel.cpu_ms["free_cost"])
        cache_owner = self.krcp if scenario.remedy.page_return == "batch" else krcp
        krcp.cpu.work_over = clock.now + self.cpu_ticks(krcp)
        freed, began = self.size(), clock.now
        taken, self.channels = self.channels, [[], [], []]
        self.pending = False
        self.count_early_frees(taken)
        blocks = len(taken[SLAB]) + len(taken[VMALLOC])
        for channel in (SLAB, VMALLOC):
            for nr_records in reversed(taken[channel]):
                krcp.cpu.block_over = clock.now + nr_records * free_ticks
                yield clock.at(krcp.cpu.block_over, Order.WORK)
                kernel.kfree_batched(nr_records, krcp.cpu)
                cache_owner.put_cached_bnode(channel)
                blocks -= 1
                if blocks or taken[LIST]:
                    began = yield from krcp.cpu.let_in(began)
        entries = taken[LIST]
        while entries:
            piece, ticks = self.piece_of_list(krcp, entries)
            entries = entries[len(piece) :]
            yield clock.at(clock.now + ticks, Order.WORK)
            kernel.kfree_batched(len(piece), krcp.cpu)
            krcp.refill_pool(piece.count(WRAPPER))
            if entries:
                began = yield from krcp.cpu.let_in(began)
        krcp.cpu.warm = min(krcp.cpu.warm + freed, scenario.workload.reusable_objects())

    def piece_of_list(self, krcp: KfreeRcuCpu, entries: list[int]) -> tuple[list[int], float]:
        """R34: What is freed before the work can be preempted, and its CPU time: all, or the
        entries up to a tick.
        """
        kernel = self.krcp.kernel
        free_ticks = kernel.ticks(kernel.cpu_ms["free_cost"])
        now, whole = kernel.clock.now, krcp.cpu.workload.arrivals in TASKS
        ticks, wrappers = 0.0, 0
        for number, kind in enumerate(entries, 1):
            wrappers += kind == WRAPPER
            ticks = number * free_ticks + krcp.wrapper_ticks(wrappers)
            if not whole and now + ticks >= math.floor(now) + 1:
                return entries[:number], ticks
        return entries, ticks

    def cpu_ticks(self, krcp: KfreeRcuCpu) -> float:
        """R34: The CPU time that freeing it takes on the CPU of `krcp`."""
        kernel = krcp.kernel
        wrappers = krcp.wrapper_ticks(self.channels[LIST].count(WRAPPER))
        return self.size() * kernel.ticks(kernel.cpu_ms["free_cost"]) + wrappers

    def size(self) -> int:
        """Objects in the batch."""
        return sum(self.size_of(channel) for channel in (SLAB, VMALLOC, LIST))

    def size_of(self, channel: int) -> int:
        """Objects of a channel in the batch."""
        objects = self.channels[channel]
        return len(objects) if channel == LIST else sum(objects)

    def count_early_frees(self, taken: list[list[int]]) -> None:
        """R33: Count the objects of channels that joined too late for the grace period
        that ended.
        """
        sizes = (sum(taken[SLAB]), sum(taken[VMALLOC]), len(taken[LIST]))
        kernel = self.krcp.kernel
        for size, gp_needed in zip(sizes, self.gp_needed, strict=True):
            if gp_needed > kernel.rcu.done:
                kernel.window.add("early_frees", size)


class KfreeRcuCpu:
    """struct kfree_rcu_cpu: what a CPU has queued, its reserves, and its monitor."""

    def __init__(self, kernel: Kernel, cpu: Cpu) -> None:
        self.kernel, self.cpu = kernel, cpu
        self.remedy = kernel.scenario.remedy
        # A channel of blocks holds the number of records in each, the newest block last; the
        # list holds OWN_HEAD or WRAPPER for each entry.
        self.channels: list[list[int]] = [[], [], []]
        self.krw_arr = [KfreeRcuCpuWork(self) for _ in range(KFREE_N_BATCHES)]
        self.bkvcache = [self.remedy.cache_at_boot, self.remedy.cache_at_boot]
        self.nr_emergency = self.remedy.emergency_at_boot
        order = Order.COOKIES if self.remedy.ready_blocks else Order.MONITOR
        self.monitor = MonitorTimer(kernel.clock, order, self.kfree_rcu_monitor)
        self.left = False
        self.cookies = Cookies(kernel.rcu.needed, lambda: kernel.rcu.done)
        self.ready_work = KfreeRcuCpuWork(self)
        self.wrapped = 0  # calls that got a wrapper from the allocator
        self.pages = kernel.memory.cpu_pages() if kernel.memory else None
        self.refill_worker = RefillWorker(self, Order.REFILL)
        self.refill_owes = 0.0  # CPU time of its turn now

    def start_call(self) -> simpy.Process:
        """Make a call now, as a process that ends when the call returns."""
        self.kernel.open_calls += 1
        if self.cpu.reader and self.cpu.reader.section:
            self.cpu.reader.section.preempted = True
        return self.kernel.clock.process(self.kvfree_call_rcu())

    def kvfree_call_rcu(self) -> Generator[simpy.Event, Any, float]:
        """R13 to R19: One call, step by step; returns when its caller runs again, 0 if it did not
        wait.
        """
        runs_at = 0.0
        single, channel = self.kernel.new_kind()
        size = self.kernel.sizes.of_call()
        memory = self.kernel.memory
        if memory and memory.allocates and self.pages:
            got = yield from self.kernel.new_object(single, self.pages, size)
            if not got:
                self.kernel.open_calls -= 1
                return runs_at
        call = self.kernel.new_call(single, channel, size)
        if self.cpu.sheaves and self.cpu.sheaves.take(call):
            pass
        elif self.remedy.array_path and (yield from self.add_ptr_to_bulk(call)):
            self.kernel.defer(call.size)
            self.arm_monitor(at_once=False)
        elif not call.single:
            self.push(call, OWN_HEAD)
        elif (yield from self.alloc_rcu_head(call)):
            self.wrapped += 1
            self.push(call, WRAPPER)
        elif self.nr_emergency > 0:
            self.nr_emergency -= 1
            call.window.add("pool_hits")
            self.push(call, WRAPPER)
        else:
            runs_at = yield from self.kernel.synchronize_rcu(call, self.cpu)
        self.kernel.open_calls -= 1
        return runs_at

    def add_ptr_to_bulk(self, call: Call) -> Question:
        """R13 to R15: Put the pointer into the head block, or into a new one from cache or
        allocator.
        """
        blocks = self.channels[call.channel]
        if blocks and blocks[-1] < self.remedy.block_entries:
            blocks[-1] += 1
            self.cookies.renew(self.channels, call.channel)
            return True
        hit = self.get_cached_bnode(call)
        found = hit or (yield from self.alloc_page(call))
        if not hit:
            self.refill_worker.missed(found)
        if found:
            # A stall may have seen a drain; the head block is that of now.
            self.channels[call.channel].append(1)
            self.cookies.renew(self.channels, call.channel)
        return found

    def cache_of(self, channel: int) -> int:
        """The index of the cache that serves a channel."""
        return SLAB if self.remedy.cache_shared else channel

    def get_cached_bnode(self, call: Call) -> bool:
        """R14: Take a page from the cache."""
        cache = self.cache_of(call.channel)
        if self.bkvcache[cache] == 0:
            return False
        self.bkvcache[cache] -= 1
        call.window.add("cache_hits")
        return True

    def put_cached_bnode(self, channel: int) -> None:
        """R34: Keep a drained page in the cache if there is room, else free it."""
        cache = self.cache_of(channel)
        if self.bkvcache[cache] < self.remedy.nr_bkv_objs:
            self.bkvcache[cache] += 1
            self.kernel.window.add("pages_returned")
        else:
            self.kernel.window.add("pages_freed")
            if self.kernel.memory and self.pages:
                self.kernel.memory.free_pages(self.pages, self.kernel.clock.now, 1)

    def wrapper_ticks(self, wrappers: int) -> float:
        """R34: The CPU time of freeing those wrappers that the pool does not keep."""
        freed = max(0, wrappers - (self.remedy.nr_emergency_objs - self.nr_emergency))
        return freed * self.kernel.ticks(self.kernel.cpu_ms["list_free_cost"])

    def refill_pool(self, wrappers: int) -> None:
        """R34: Keep wrappers in the emergency pool while there is room."""
        kept = min(wrappers, self.remedy.nr_emergency_objs - self.nr_emergency)
        self.nr_emergency += kept
        self.kernel.window.add("pool_returned", kept)
        if self.kernel.memory and self.pages:
            self.kernel.memory.wrappers_freed(self.pages, self.kernel.clock.now, wrappers - kept)

    def alloc_page(self, call: Call) -> Question:
        """R15, R46 and R47: Ask the allocator for a page."""
        if not asks_for_page(self.remedy, call.single):
            return False
        u_page = self.kernel.draws.failures.random()
        got = self.page_now(u_page, call.odds.page)
        if not got and call.single and self.remedy.page_class == "noretry":
            yield from self.kernel.direct_reclaim(call, for_object=False)
            got = self.page_now(u_page, call.odds.page_noretry)
        call.window.add("page_ok" if got else "page_fail")
        return got

    def page_now(self, u_page: float, fails: float) -> bool:
        """R15 and R39: Whether a page can be had: by chance, or with memory as pages if one is
        free.
        """
        memory = self.kernel.memory
        if memory and self.pages:
            return memory.page(self.pages, self.kernel.clock.now, memory.marks.nowait)
        return u_page >= fails

    def alloc_rcu_head(self, call: Call) -> Question:
        """R17: Ask the allocator for a wrapper, in the way of the remedy."""
        if self.remedy.head_alloc == "none":
            return False
        if self.kernel.memory:
            return (yield from self.alloc_rcu_head_page(call, self.kernel.memory))
        odds = call.odds
        first = odds.head_high if self.remedy.head_alloc == "tryhard" else odds.head_atomic
        u_head = self.kernel.draws.failures.random()
        if u_head >= first:
            return True
        if self.remedy.head_alloc == "atomic":
            return False
        yield from self.kernel.direct_reclaim(call, for_object=True)
        return bool(u_head >= odds.head_reclaim)

    def alloc_rcu_head_page(self, call: Call, memory: Memory) -> Question:
        """R41: The same with memory as pages: the slab lists are looked at before a stall only."""
        assert self.pages
        if memory.rcu_head(self.pages, self.kernel.clock.now):
            return True
        if self.remedy.head_alloc == "atomic":
            return False
        yield from self.kernel.direct_reclaim(call, for_object=True)
        return memory.slab_page(self.pages, self.kernel.clock.now, memory.sleeping_mark())

    def push(self, call: Call, kind: int) -> None:
        """R22: Push the object on the list."""
        self.channels[LIST].append(kind)
        self.cookies.renew(self.channels, LIST)
        call.window.add("list_pushes")
        self.kernel.defer(call.size)
        self.arm_monitor(at_once=self.remedy.expedited_drain)

    def arm_monitor(self, at_once: bool) -> None:
        """R22 and R49: Have the monitor run, or run sooner if it is pending already."""
        queued = sum(self.channels[SLAB]) + sum(self.channels[VMALLOC]) + len(self.channels[LIST])
        delay = drain_delay(self.remedy, self.kernel.scenario.machine.hz, queued)
        if not self.monitor.pending and at_once:
            self.monitor.at(self.kernel.clock.now)
        elif not self.monitor.pending:
            self.monitor.set(delay)
        elif self.remedy.drain_full:
            self.monitor.bring_forward(delay)

    def kfree_rcu_monitor(self) -> None:
        """R24 to R26: Move what is queued into batches, and come again for what could not
        be moved.
        """
        self.kernel.window.add("monitors")
        if not any(self.channels):  # the shrinker came before, or v5.9 came again for nothing
            return
        if self.remedy.ready_blocks:
            self.kvfree_rcu_drain_ready()
        queued = self.queue_kfree_rcu_work()
        if queued:
            self.kernel.window.add("drains")
        again = comes_again(self.remedy.rearm, queued, self.left, any(self.channels))
        if self.remedy.ready_blocks and not any(self.channels):
            again = False
        if again:
            self.kernel.window.add("rearms")
            self.arm_monitor(at_once=False)

    def kvfree_rcu_drain_ready(self) -> None:
        """R57 and R58: Take what is ready; the monitor frees it as a work of its own, which needs
        no grace period and frees the oldest block first.
        """
        ready = self.cookies.take_ready(self.channels)
        if not any(ready):
            return
        self.kernel.window.add("ready_records", size_of(ready))
        if self.kernel.cache:
            self.kernel.cache.batch(size_of(ready))
        for channel, taken in enumerate(ready):  # a work frees its blocks from the last on
            self.ready_work.channels[channel][:0] = reversed(taken)
        if self.ready_work not in self.cpu.works:
            self.cpu.add_work(self.ready_work)

    def queue_kfree_rcu_work(self) -> bool:
        """R24: Move each channel into the first batch that takes it; whether anything was moved."""
        queued = self.left = False
        for krw in self.krw_arr:
            movable = self.movable(krw)
            gp_needed = self.kernel.rcu.needed()
            for channel in movable:
                krw.channels[channel], self.channels[channel] = self.channels[channel], []
                krw.gp_needed[channel] = gp_needed
                self.cookies.forget(channel)
                if self.kernel.cache:
                    self.kernel.cache.batch(krw.size_of(channel))
            if movable:
                krw.queue_rcu_work()
                queued = True
            self.left |= any(self.channels)  # also while only the first batch is busy
        return queued

    def movable(self, krw: KfreeRcuCpuWork) -> list[int]:
        """R24: The channels that a batch would take now."""
        if any(krw.channels) and not self.remedy.attach_to_pending:
            return []
        return [c for c in range(3) if self.channels[c] and not krw.channels[c]]


@dataclass
class Burst:
    """R7: Calls that a producer has yet to make back to back, and the event of their end."""

    calls: int
    over: simpy.Event
    due: float = 0.0


@dataclass(eq=False)
class Waiting:
    """A call in synchronize_rcu(): since when, the grace period it needs, its process; and when it
    wakes, if it is on the list of the kthread and that is known.
    """

    began: float
    need: int
    process: Any
    wakes: float | None = None


class Cpu:
    """One CPU: the works and bursts that it serves in turn, and the sources of its calls."""

    def __init__(self, kernel: Kernel, number: int) -> None:
        self.kernel, self.clock, self.number = kernel, kernel.clock, number
        self.workload = kernel.scenario.workload
        self.draws = kernel.draws.arrivals[number]
        self.closed = self.workload.loop != "open"
        self.course = Course(kernel.scenario)
        self.krcp = KfreeRcuCpu(kernel, self)
        self.works: deque[KfreeRcuCpuWork] = deque()
        self.bursts: deque[Burst] = deque()
        self.work_over = self.block_over = self.awake_at = 0.0
        self.waiting: list[Waiting] = []
        self.warm = 0  # objects in slab pages just freed: the next calls find theirs quickly
        self.bell = self.clock.event()
        self.idle = self.clock.event()
        self.working = False
        self.on = True
        self.reader = Reader(kernel, self) if kernel.scenario.grace_period.reader_ms > 0 else None
        self.sheaves = CpuSheaves(kernel.cache, self, number) if kernel.cache else None
        self.clock.process(self.serve())
        self.start_sources()

    def ring(self) -> None:
        """Tell an idle CPU that there is something to do."""
        if not self.bell.triggered:
            self.bell.succeed()

    def busy(self) -> bool:
        """Whether a work or a burst has the CPU, or will have it before anybody of a lower
        priority.
        """
        return self.working or bool(self.works or self.bursts)

    def free_again(self) -> float:
        """R11: When a caller woken now can run: a burst's, only after the works that are
        ready now.
        """
        now = self.clock.now
        if self.workload.arrivals in TASKS:
            return now
        if not self.closed:
            runs_at = max(now, self.block_over)
        else:
            runs_at = max(now, self.work_over) + sum(
                work.cpu_ticks(self.krcp) for work in self.works
            )
        self.awake_at = max(runs_at, self.awake_at) + self.kernel.ticks(
            self.kernel.cpu_ms["wake_cost"]
        )
        return self.awake_at

    def add_work(self, work: KfreeRcuCpuWork) -> None:
        """Let a work run as soon as the CPU gets to it."""
        self.works.append(work)
        self.ring()

    def woken_before(self, asked: float) -> Burst | None:
        """R9: The burst of a caller that is woken now and began to wait before `asked`."""
        if not self.closed or self.workload.arrivals in TASKS:
            return None
        done = self.kernel.rcu.done
        found = [
            w.process.burst
            for w in self.waiting
            if w.need <= done and w.began < asked and w.wakes in (None, self.clock.now)
        ]
        return found[-1] if found else None

    def serve(self) -> Steps:
        """R8: Serve works first, and one call of the foremost burst between two looks at them."""
        while True:
            if self.works:
                self.working = True
                yield from self.works.popleft().kfree_rcu_work(self.krcp)
                self.working = False
            elif self.bursts:
                # A work may become ready at this very instant, and comes first then.
                yield self.clock.at(self.clock.now, Order.CALL)
                if not self.works:
                    yield from self.serve_call()
            else:
                self.bell = self.clock.event()
                ended, self.idle = self.idle, self.clock.event()
                ended.succeed()
                yield self.bell

    def let_in(self, began: float) -> Generator[simpy.Event, Any, float]:
        """R10: Let late producers in if the work that began then has seen a tick; returns since
        when it has the CPU.
        """
        now = self.clock.now
        if math.floor(now) <= math.floor(began) or not self.bursts:
            return began
        yield from self.serve_late()
        self.work_over += self.clock.now - now
        return self.clock.now

    def serve_late(self) -> Steps:
        """R10: Within a work: the rest of a late burst and the next if that is due; of a very late
        one all until a tick.
        """
        came, period = (
            self.clock.now,
            self.workload.producers * self.kernel.ticks(self.workload.period_ms),
        )
        very_late = self.bursts[0].due + 2.0 * period < came
        calls = self.bursts[0].calls + self.workload.burst
        while very_late or calls > 0:
            yield self.clock.at(self.clock.now, Order.CALL)
            if not self.bursts or (very_late and self.clock.now >= math.floor(came) + 1):
                return
            yield from self.serve_call()
            calls -= 1

    def serve_call(self) -> Steps:
        """R6 and R7: Make the next call of the foremost burst and give it its CPU time."""
        if self.clock.now >= self.kernel.horizon:
            self.bursts.clear()
            return
        ms, wrapped = self.kernel.cpu_ms, self.krcp.wrapped
        call_ms = ms["call_cost"] + (0.0 if self.warm > 0 else ms["slab_cost"])
        self.warm = max(0, self.warm - 1)
        burst = self.bursts[0]
        burst.calls -= 1
        call: Any = self.krcp.start_call()
        call.burst = burst
        yield self.clock.at(self.clock.now + self.kernel.ticks(call_ms), Order.CALL)
        if self.krcp.refill_owes > 0.0:  # the worker has its turn
            turn, self.krcp.refill_owes = self.krcp.refill_owes, 0.0
            yield self.clock.at(self.clock.now + turn, Order.CALL)
        if self.krcp.wrapped > wrapped and not call.is_alive:
            yield self.clock.at(self.clock.now + self.kernel.ticks(ms["list_cost"]), Order.CALL)
        if self.closed and call.is_alive:
            self.bursts.popleft()
            self.clock.process(self.block(burst, call))
        elif burst.calls == 0:
            self.bursts.popleft()
            burst.over.succeed()

    def block(self, burst: Burst, call: simpy.Process) -> Generator[simpy.Event, Any, None]:
        """R12: Let a burst go on behind the others when its call has stalled or waited."""
        runs_at = yield call
        if runs_at > self.clock.now:
            yield self.clock.at(runs_at, Order.CALL)
        if burst.calls:
            self.bursts.append(burst)
            self.ring()
        else:
            burst.over.succeed()

    def start_sources(self) -> None:
        """Start a process for each producer, and one for the phases they share."""
        workload, period = self.workload, self.kernel.ticks(self.workload.period_ms)
        if workload.arrivals == "replay":
            self.clock.process(self.recorded_calls())
        elif workload.arrivals in TASKS:
            if workload.arrivals == "onoff":
                self.clock.process(self.phases())
            for _ in range(workload.producers):
                self.clock.process(self.poisson_calls())
        else:
            tick_phase = workload.phase == "tick"
            phase = self.kernel.ticks(0.02) if tick_phase else self.draws.uniform(0.0, period)
            for i in range(workload.producers):
                due = self.course.later(0.0, phase + i * period)
                self.clock.process(self.periodic_bursts(due))

    def phases(self) -> Steps:
        """R5: Switch the source on and off."""
        on_ms, off_ms = self.workload.on_ms, self.workload.off_ms
        self.on = bool(self.draws.random() < on_ms / (on_ms + off_ms))
        while True:
            length = self.draws.exponential(self.kernel.ticks(on_ms if self.on else off_ms))
            yield self.clock.at(self.clock.now + length, Order.PHASE)
            self.on = not self.on

    def poisson_calls(self) -> Steps:
        """R5, R12, R105 and R108: Make calls at exponential gaps; those that would fall into an off
        phase are not made.
        """
        workload = self.workload
        rate = workload.rate_hz / self.kernel.scenario.machine.hz / workload.producers
        rate *= rate_of(self.kernel.scenario, self.number)
        if workload.arrivals == "onoff":
            rate *= (workload.on_ms + workload.off_ms) / workload.on_ms
        late = False
        while rate > 0.0:
            gap = 0.0 if late else self.draws.exponential(1.0 / rate)
            yield self.clock.at(self.course.later(self.clock.now, gap), Order.CALL)
            if self.clock.now >= self.kernel.horizon:
                return
            late = False
            if self.on:
                made = self.clock.now
                call = self.krcp.start_call()
                if self.closed:
                    yield call
                    now = self.clock.now
                    missed = -math.expm1(-(now - made) * rate * self.course.factor(now))
                    late = self.on and self.draws.random() < missed

    def recorded_calls(self) -> Steps:
        """R100, R103 and R104: Make the calls of a recording, what each is being drawn as for all
        others; the twin makes no copies of a run.
        """
        scenario = self.kernel.scenario
        for at_ms in call_times(scenario, self.number, self.draws):
            at = self.kernel.ticks(at_ms)
            if at >= self.kernel.horizon:
                return
            yield self.clock.at(at, Order.CALL)
            self.krcp.start_call()

    def periodic_bursts(self, due: float) -> Steps:
        """R7 and R108: Offer a burst whenever one is due and the one before has ended."""
        period = self.workload.producers * self.kernel.ticks(self.workload.period_ms)
        while True:
            if due > self.clock.now:
                yield self.clock.at(
                    due + self.kernel.ticks(self.kernel.cpu_ms["wake_cost"]), Order.CALL
                )
            burst = Burst(self.workload.burst, self.clock.event(), due)
            self.bursts.append(burst)
            self.ring()
            yield burst.over
            gap = period if self.workload.gap == "fixed" else self.draws.exponential(period)
            due = self.course.later(due, gap)
            if self.workload.loop == "closed":
                due = max(due, self.clock.now)


def run(scenario: Scenario, seed: int, replication: int = 0) -> dict[str, dict[str, float]]:
    """Simulate one replication: the counters of `boot` and `steady`, and totals in `whole`."""
    return Kernel(scenario, seed, replication).run()


def run_waits(scenario: Scenario, seed: int, replication: int = 0) -> dict[str, list[float]]:
    """The lengths in ms of all waits, by the window of their call and in the order they ended."""
    kernel = Kernel(scenario, seed, replication)
    kernel.run()
    return {"boot": kernel.boot.waits_ms, "steady": kernel.steady.waits_ms}
