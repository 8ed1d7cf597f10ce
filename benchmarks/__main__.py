# SPDX-License-Identifier: GPL-2.0-only
"""Calls per CPU-second of skipping, every-call mode and the SimPy twin, from one interleaved run.

Machines are shared and noisy: the ratios are what counts, and they come from the same rounds.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from krcsim.run import WINDOWS, replicate, warm_up
from krcsim.scenario import Scenario, read_scenario
from krcsim.study import extend
from validation import twin

FOLDER = Path(__file__).parent
ROUNDS = 5
# Simulated seconds a round: enough CPU time to measure each method, a second or so in all.
SECONDS = {"busy4": (600.0, 6.0, 0.4), "slow4": (600.0, 60.0, 20.0)}
METHODS = ("skipping", "every call", "SimPy twin")


def calls_per_cpu_s(s: Scenario, method: int, seconds: float, seed: int) -> float:
    """Calls a CPU-second of one method over `seconds` of simulated time."""
    s = replace(s, horizon_ms=1000.0 * seconds)
    start = time.process_time()
    if method == 2:
        counted = twin.run(s, seed)
        calls = sum(counted[w]["single"] for w in WINDOWS)
    else:
        runs = replicate(s, seed, 0, 1, every_call=method == 1)
        calls = float(runs.of("single", 0).sum() + runs.of("single", 1).sum())
    return calls / (time.process_time() - start)


def speed(name: str) -> None:
    """One benchmark scenario: medians and ratios round by round."""
    s = read_scenario(FOLDER / f"{name}.toml")
    rates = np.array(
        [[calls_per_cpu_s(s, m, SECONDS[name][m], r) for m in range(3)] for r in range(ROUNDS)]
    )
    for m, method in enumerate(METHODS):
        print(f"{name}  {method:10}  {np.median(rates[:, m]) / 1e6:10.3f} M calls/CPU-s")
    for a, b in ((0, 2), (0, 1), (1, 2)):
        ratios = rates[:, a] / rates[:, b]
        print(
            f"{name}  {METHODS[a]} / {METHODS[b]}: {np.median(ratios):.4g} "
            f"[{ratios.min():.4g}, {ratios.max():.4g}]"
        )


def python(code: str) -> float:
    """CPU seconds of a fresh interpreter that runs `code`, less those of one that runs nothing."""
    used = []
    for text in (code, "pass"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", text], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return used[0] - used[1]


def threads() -> None:
    """CPU time of two threads over that of one, and whether the numbers are the same."""
    s = read_scenario(FOLDER / "busy4.toml")
    ratios, same = [], True
    for _ in range(ROUNDS):
        used, counts = [], []
        for workers in (1, 2):
            start = time.process_time()
            counts.append(extend(s, 1, None, 128, workers=workers).counts)
            used.append(time.process_time() - start)
        ratios.append(used[1] / used[0])
        same = same and bool((counts[0] == counts[1]).all())
    print(
        f"two threads / one, CPU time: {statistics.median(ratios):.3f} "
        f"[{min(ratios):.3f}, {max(ratios):.3f}], {'identical' if same else 'DIFFERENT'} numbers"
    )


def memory() -> None:
    """Peak memory of a run, and what a hundred times the horizon adds."""
    code = (
        "import resource; from krcsim.run import replicate; from krcsim.scenario import *; "
        "from dataclasses import replace; s = read_scenario('{path}'); "
        "replicate(replace(s, horizon_ms={ms}), 1, 0, 1); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    path = FOLDER / "busy4.toml"
    short, long = (
        float(subprocess.run([sys.executable, "-c", code.format(path=path, ms=ms)], check=True,
                             capture_output=True, text=True).stdout)
        for ms in (6e3, 6e5)
    )  # fmt: skip
    print(f"memory of a run: {long:.0f} MiB; a hundred times the horizon: {long - short:+.1f} MiB")


if __name__ == "__main__":
    warm_up()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} CPUs, {ROUNDS} rounds")
    for scenario in SECONDS:
        speed(scenario)
    threads()
    memory()
    print(f"import krcsim: {python('import krcsim'):.3f} CPU-s")
    print(f"with the engine: {python('import krcsim; krcsim.compare'):.3f} CPU-s")
