# SPDX-License-Identifier: GPL-2.0-only
"""What an interval costs at each rarity: CPU-seconds of one worker to a 95 % half width of 10 % for
P(wait).

Costs are scaled to that width (an interval narrows with the root of its work), and compared with
those of plain simulation: measured down to 1e-6, and beyond at least what single, independent waits
would take.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import krcsim
from benchmarks.record import Measured
from krcsim.methods.finding import Finding
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario, read_scenario
from krcsim.model.workload import Workload
from krcsim.results.estimate import student
from krcsim.runs.replications import replicate, warm_up

FOLDER = Path(__file__).parent
WIDTH = 0.1  # the half width that costs are scaled to
BARS = {1e-4: 1.0, 1e-6: 1.0, 1e-9: 2.0, 1e-12: 5.0}  # CPU-seconds allowed
PAGE_BAR = 20.0
MEASURED = 1e-6  # plain simulation is run down to this probability
PLAIN_WIDTH = 0.2
MAX_RUNS = 32_768
PATIENCE_S = 20.0
# P(an rcu_head request fails in an episode) that brings P(wait) near the target, found by trying.
BUSY = {1e-4: 0.16, 1e-6: 0.029, 1e-9: 0.0042, 1e-12: 0.00072}
SLOW = {1e-4: 0.05, 1e-6: 0.0146, 1e-9: 0.0021, 1e-12: 0.0004}
THREAD = {1e-4: 0.17, 1e-6: 0.04, 1e-9: 0.0063, 1e-12: 0.0012}


@dataclass(frozen=True)
class Case:
    """A setting, the probability that it is near, the CPU-seconds allowed, and the seeds that are
    run.
    """

    name: str
    scenario: Scenario
    near: float
    bar: float
    seeds: int = 3
    method: str = "auto"


@dataclass(frozen=True)
class Cost:
    """A finding and its CPU-seconds; plain: those of plain simulation at 10 %, measured or at
    least.
    """

    found: Finding
    cpu_s: float
    plain_s: float = 0.0
    measured: bool = False

    @property
    def scaled_s(self) -> float:
        """CPU-seconds to a half width of 10 %."""
        return scaled(self.cpu_s, self.found)


def busy(cpus: int, head: float) -> Scenario:
    """50,000 calls/s per CPU with all costs of calls, a full pool of 3, and heads that fail in
    episodes.
    """
    s = read_scenario(FOLDER / "busy4.toml")
    s = replace(
        s, warmup_ms=2000.0, horizon_ms=12000.0, workload=Workload(rate_hz=s.workload.rate_hz)
    )
    return changed(
        s,
        **{"machine.cpus": cpus, "allocator.episode.head": head, "allocator.calm.head": head / 100},
    )


def thread(cpus: int, head: float) -> Scenario:
    """The thread's machine, 1,000 calls/s per CPU and a page in the cache, with a full pool of
    3.
    """
    heads = {
        f"allocator.episode.{k}": head for k in ("head", "head_atomic", "head_high", "head_reclaim")
    }
    pool = {"remedy.nr_emergency_objs": 3, "remedy.emergency_at_boot": 3}
    return changed(load_scenario("thread-as-posted"), **{"machine.cpus": cpus} | heads | pool)


def slow(cpus: int, head: float) -> Scenario:
    """As the thread's, without the page: nothing but heads and the pool makes waits rare."""
    return changed(thread(cpus, head), **{"remedy.nr_bkv_objs": 0, "remedy.cache_at_boot": 0})


def cached(cpus: int, pages: int, rate_hz: float) -> Scenario:
    """No rcu_head at all: a call waits when the cached pages are used up, and that alone is
    rare.
    """
    s = replace(load_scenario("thread-as-posted"), remedy=krcsim.named("E1"))
    more = {"allocator.episode.page": 0.95, "allocator.calm.page": 0.0, "remedy.nr_bkv_objs": pages}
    more |= {"remedy.cache_at_boot": pages, "machine.cpus": cpus, "workload.rate_hz": rate_hz}
    return changed(s, **more)


def cases() -> list[Case]:
    """Where failing heads and the pool make waits rare."""
    out = []
    for near, bar in BARS.items():
        for cpus in (1, 4):
            out.append(Case(f"busy {cpus} CPU near {near:.0e}", busy(cpus, BUSY[near]), near, bar))
            out.append(Case(f"slow {cpus} CPU near {near:.0e}", slow(cpus, SLOW[near]), near, bar))
        # On one CPU the page is always back in time, and no call waits.
        out.append(Case(f"slow + page 4 CPU near {near:.0e}", thread(4, THREAD[near]), near, bar))
    return out


def page_cases() -> list[Case]:
    """Where cached pages alone do; `auto` is content with a bound by construction on one CPU."""
    given = ((1, 2, 17_000.0, 1e-9), (4, 3, 17_200.0, 1e-7), (4, 4, 18_500.0, 1e-9))
    return [
        Case(
            f"pages {cpus} CPU near {near:.0e}",
            cached(cpus, n, rate),
            near,
            PAGE_BAR,
            seeds=1,
            method="rare",
        )
        for cpus, n, rate, near in given
    ]


def scaled(cpu_s: float, found: Finding) -> float:
    """CPU-seconds that a half width of 10 % would have taken; inf without an interval."""
    e = found.estimate
    return cpu_s * (e.half_width / WIDTH) ** 2 if e.kind == "interval" else float("inf")


def asked(
    s: Scenario, seed: int, precision: float, max_runs: int, method: str = "auto"
) -> tuple[Finding, float]:
    """A finding and its CPU-seconds; no further step is begun when patience is at an end."""
    begin = time.process_time()
    how = dict(seed=seed, precision=precision, max_runs=max_runs, method=method, workers=1)
    for found in krcsim.asking(s, **how):  # noqa: B007
        used = time.process_time() - begin
        if used > PATIENCE_S:
            break
    return found, used


def at_least(s: Scenario, p: float) -> float:
    """CPU-seconds of plain simulation if each wait came alone; they come in clusters, which costs
    more.
    """
    begin = time.process_time()
    runs = replicate(s, 1, 0, 32)
    calls_per_s = float(runs.of("single", 1).sum()) / (time.process_time() - begin)
    return (student(10**6) / WIDTH) ** 2 / p / calls_per_s


def cost(c: Case) -> Cost:
    """What the interval of a case costs: the seed in the middle of all."""
    got = [
        Cost(*asked(c.scenario, seed, WIDTH, MAX_RUNS, c.method)) for seed in range(1, c.seeds + 1)
    ]
    middle = sorted(got, key=lambda x: x.scaled_s)[len(got) // 2]
    p = middle.found.estimate.value
    if c.near >= MEASURED:
        plain, cpu_s = asked(c.scenario, 1, PLAIN_WIDTH, 14, "skipping")
        if plain.estimate.kind == "interval":
            return replace(middle, plain_s=scaled(cpu_s, plain), measured=True)
    return replace(middle, plain_s=at_least(c.scenario, p) if p else float("nan"))


def told(c: Case, x: Cost) -> str:
    """A cost in words."""
    f, e = x.found, x.found.estimate
    if e.value is None:
        return f"{f.method}, {f.replications} replications: {e.kind}"
    times = x.plain_s / x.scaled_s
    plain = (
        f"plain {x.plain_s:.3g} CPU-s, {times:.3g} times"
        if x.measured
        else (f"plain at least {x.plain_s:.2g} CPU-s (worked out), {times:.2g} times")
    )
    bar = "within" if x.scaled_s <= c.bar else "OVER"
    width = f" [{e.lo:.2e}, {e.hi:.2e}]" if e.lo is not None else ""
    return (
        f"{bar} {c.bar:g}; P {e.value:.2e}{width} {e.kind}, {f.method} of {f.replications}, "
        f"{x.cpu_s:.3g} CPU-s to {e.half_width:.1%}; {plain}"
    )


def measure(some: list[Case] | None = None) -> Iterator[Measured]:
    """The costs of cases."""
    for c in cases() if some is None else some:
        x = cost(c)
        yield Measured(f"interval of 10 %, {c.name}", x.scaled_s, "CPU-s", told(c, x))


if __name__ == "__main__":
    warm_up()
    for m in measure(cases() + page_cases()):
        print(f"{m.name:44} {m.value:8.3g} {m.unit}  {m.note}", flush=True)
