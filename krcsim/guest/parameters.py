# SPDX-License-Identifier: GPL-2.0-only
"""The parameters of the measuring module that say what a run is, and what each may be.

They are declared in krcsim/guest/module/krcmeter.c; docs/kernel.md says what they mean.
"""

from collections.abc import Mapping

from krcsim.model.memory import HOGS
from krcsim.model.remedy import HEAD_ALLOC

KERNEL_MIB = 38  # of a guest of 256 MiB that MemTotal does not hold

# The numbers by which the module knows a way to ask for an rcu_head, and a hog.
HEAD_ALLOC_CODES = {"tryhard": 0, "atomic": 1, "none": 2, "three_step": 3}
HOG_CODES = {"none": 0, "nowait": 1, "atomic": 2, "reserves": 3}

assert set(HEAD_ALLOC_CODES) == set(HEAD_ALLOC)
assert set(HOG_CODES) == set(HOGS)

# What a parameter is where a recording leaves it out.
PARAMETERS: dict[str, float] = dict(
    # the machine
    cpus=1,
    hz=250,
    mem_mib=0,
    foreign_pct=0,
    # the remedy
    pool=0,
    pool_prefill=0,
    cache_max=1,
    cache_prefill=0,
    cache_shared=0,
    refill=0,
    array_path=1,
    head_alloc=0,
    expedited_drain=0,
    rearm_unqueued=0,
    attach=1,
    page_return_worker=0,
    drain_jiffies=0,
    # the calls
    period_us=1000,
    burst=1,
    arrival=0,
    catchup=0,
    waiters=0,
    threads=0,
    objsize=64,
    ch1_pct=0,
    vmalloc_pct=0,
    double_pct=0,
    total=0,
    dur_ms=3000,
    # memory pressure
    onset_ms=0,
    on_ms=0,
    off_ms=0,
    epi_exp=0,
    hog=0,
    hog_us=1000,
    hog_keep=0,
    lead_ms=0,
    preobj=0,
    # grace periods
    reader_ms=0,
    reader_gap_us=500,
    sync_exp=0,
    # how it is measured
    mode=0,
    bind=1,
    stock_inject=0,
    probe_gp=0,
)

FLAGS = (
    "pool_prefill cache_shared refill epi_exp preobj expedited_drain rearm_unqueued attach "
    "page_return_worker array_path sync_exp"
).split()

# The ends between which each must lie: a flag, a share in percent, or a number up to what the
# module itself would take.
LIMITS: Mapping[str, tuple[float, float]] = (
    {name: (0.0, 1e9) for name in PARAMETERS}
    | {name: (0, 1) for name in FLAGS}
    | {name: (0, 100) for name in PARAMETERS if name.endswith("_pct")}
    | dict(
        cpus=(1, 1024),
        hz=(24, 10_000),
        period_us=(1, 1e9),
        burst=(1, 1e6),
        objsize=(8, 1 << 30),
        dur_ms=(1, 1e7),
        hog=(0, max(HOG_CODES.values())),
        head_alloc=(0, max(HEAD_ALLOC_CODES.values())),
        threads=(0, 4096 * 1024),
        reader_ms=(0, 1e4),
        reader_gap_us=(1, 1e7),
        arrival=(0, 9),
        catchup=(0, 9),
    )
)


def name_of(codes: Mapping[str, int], number: float) -> str:
    """The name that a number of the module stands for, e.g. of HEAD_ALLOC_CODES."""
    return next(name for name, code in codes.items() if code == number)
