# SPDX-License-Identifier: GPL-2.0-only
"""A slider's point: how often 100 ms of CPU time suffice for a useful interval of P(wait).

`python -m benchmarks.slider [COUNT] [SEED]` draws COUNT settings each with 1, 4 and 16 CPUs,
P(wait) from 1e-3 to 1e-10, and prints each miss and the share of hits. A hit is an exact answer or
an interval of kind `interval`, not `rough`, with a half width of 25 % at most (40 % on 16 CPUs),
after 100 ms of one worker on a warm engine.

Failing heads and the pool make these waits rare, not cached pages, which is the dearer question: no
page is cached, or one where the calls of a drain interval fill two blocks and so use it up in each.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.record import Measured
from krcsim.methods.finding import Finding
from krcsim.model.constants import BLOCK_ENTRIES
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario, read_scenario
from krcsim.model.workload import Workload
from krcsim.runs.replications import warm_up
from krcsim.studies import ask

FOLDER = Path(__file__).parent
CPUS = (1, 4, 16)
COUNT, SEED = 100, 1
BUDGET_S = 0.1
PATIENCE_S = 2.0  # what is spent on learning how rare waits are at all
RARE = (1e-10, 1e-3)
HEADS = ("head", "head_atomic", "head_high", "head_reclaim")


@dataclass(frozen=True)
class Point:
    """A setting in words, its best finding within the time, the last one without that limit, and
    when they came.
    """

    words: str
    want: float
    best: Finding | None
    best_s: float
    last: Finding
    last_s: float

    @property
    def hit(self) -> bool:
        """Whether the time was enough."""
        return self.best is not None and width(self.best) <= self.want

    @property
    def counts(self) -> bool:
        """Whether waits are as rare as this is about."""
        return RARE[0] <= (self.last.estimate.value or 0.0) <= RARE[1]


def width(f: Finding) -> float:
    """Half width of an answer; inf if it is not one to rely on."""
    return f.estimate.half_width if f.estimate.kind in ("interval", "exact") else math.inf


def setting(draw: np.random.Generator, cpus: int) -> tuple[Scenario, str]:
    """A random setting, and what is random in it."""
    pool, rate = int(draw.integers(0, 6)), float(10 ** draw.uniform(2.7, 4.7))
    head, page = float(10 ** draw.uniform(-3.5, -0.4)), float(draw.uniform(0.5, 0.97))
    busy, kept = bool(draw.random() < 0.5), int(draw.integers(0, 2))
    if busy:
        s = read_scenario(FOLDER / "busy4.toml")
        s = replace(s, warmup_ms=2000.0, horizon_ms=12000.0, workload=Workload())
        more = {"allocator.episode.head": head, "allocator.calm.head": head / 100}
    else:
        s = load_scenario("thread-as-posted")
        more = {f"allocator.episode.{name}": head for name in HEADS}
    drain_s = s.drain_jiffies / s.machine.hz
    pages = kept if rate * drain_s >= 2 * BLOCK_ENTRIES else 0
    more |= {"machine.cpus": cpus, "workload.rate_hz": rate, "allocator.episode.page": page}
    more |= {"remedy.nr_emergency_objs": pool, "remedy.emergency_at_boot": pool}
    more |= {"remedy.nr_bkv_objs": pages, "remedy.cache_at_boot": pages}
    base = "busy4" if busy else "thread-as-posted"
    return changed(s, **more), (
        f"{cpus} CPU, {base}, {rate:.0f} calls/s, pool {pool}, {pages} page cached, "
        f"episode page {page:.2f} head {head:.1e}"
    )


def asked(s: Scenario, words: str, want: float, seed: int) -> Point:
    """Ask until the width is reached or patience ends."""
    best: Finding | None = None
    best_s, begin = 0.0, time.process_time()
    for found in ask.asking(s, seed=seed, precision=want, workers=1):
        now = time.process_time() - begin
        if now <= BUDGET_S and (best is None or width(found) <= width(best)):
            best, best_s = found, now
        if now > PATIENCE_S or width(found) <= want:
            break
    return Point(words, want, best, best_s, found, now)


def points(cpus: int, count: int, seed: int) -> Iterator[Point]:
    """`count` points with waits as rare as asked for, and the others that were drawn on the way."""
    draw = np.random.default_rng([seed, cpus])
    while count > 0:
        s, words = setting(draw, cpus)
        p = asked(s, words, 0.4 if cpus == 16 else 0.25, int(draw.integers(1 << 30)))
        count -= p.counts
        yield p


def why(p: Point) -> str:
    """Why the time was not enough."""
    e = p.last.estimate
    end = (
        f"{e.kind} of {e.half_width:.0%} after {1000 * p.last_s:.0f} ms, {p.last.method} of "
        f"{p.last.replications} replications"
    )
    if p.best is None:
        return f"first answer too late: {end}"
    b = p.best.estimate
    wide = f" of {b.half_width:.0%}" if math.isfinite(b.half_width) else ""
    return f"{b.kind}{wide} after {1000 * p.best_s:.0f} ms; {end} ({p.last.why})"


def measure(count: int = COUNT, seed: int = SEED) -> Iterator[Measured]:
    """The share of hits by CPUs; the misses are printed."""
    for cpus in CPUS:
        drawn = list(points(cpus, count, seed))
        told = [p for p in drawn if p.counts]
        for p in told:
            if not p.hit:
                print(f"  MISS {p.words}: P {p.last.estimate.value:.1e}; {why(p)}", flush=True)
        unknown = sum(
            p.last.estimate.value is None and p.last.method != ask.BY_CONSTRUCTION for p in drawn
        )
        used = sorted(p.last_s for p in told)
        yield Measured(
            f"slider points in 100 ms, {cpus} CPU",
            100.0 * sum(p.hit for p in told) / len(told),
            "%",
            f"of {len(told)}; median {1000 * used[len(used) // 2]:.0f} ms, longest "
            f"{1000 * used[-1]:.0f} ms; left out: "
            f"{len(drawn) - len(told) - unknown} more or less rare, {unknown} of unknown "
            "rarity",
        )


if __name__ == "__main__":
    warm_up()
    for m in measure(*(int(x) for x in sys.argv[1:3])):
        print(f"{m.name:44} {m.value:8.3g} {m.unit}  {m.note}", flush=True)
