# SPDX-License-Identifier: GPL-2.0-only
"""How fast it is: calls per CPU-second, an interval at each rarity, a slider's point, threads,
memory, imports.

`python -m benchmarks [--record] [--only WORD]`: beside each number stands the change since the last
row of benchmarks/history.csv from a machine like this one; `--record` appends rows. Machines are
shared and noisy: the ratios of methods come from the same rounds and are what counts.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import rarity, record, slider
from benchmarks.record import Measured
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import read_scenario
from krcsim.runs.ladder import extend
from krcsim.runs.replications import WINDOWS, replicate, warm_up
from validation import twin

FOLDER = Path(__file__).parent
ROUNDS = 5
# Simulated seconds a round: enough CPU time to measure each method, a second or so in all.
SECONDS = {"busy4": (600.0, 6.0, 0.4), "slow4": (600.0, 60.0, 20.0)}
IMPORTS = {
    "import krcsim": "import krcsim",
    "import krcsim, and its engine": "import krcsim; krcsim.compare",
    "import krcsim, and krcsim.ask": "import krcsim; krcsim.ask",
}
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


def speed() -> Iterator[Measured]:
    """The benchmark scenarios: medians and ratios round by round."""
    for name in SECONDS:
        s = read_scenario(FOLDER / f"{name}.toml")
        rates = np.array(
            [[calls_per_cpu_s(s, m, SECONDS[name][m], r) for m in range(3)] for r in range(ROUNDS)]
        )
        for m, method in enumerate(METHODS):
            yield Measured(f"{name}, {method}", np.median(rates[:, m]) / 1e6, "M calls/CPU-s")
        for a, b in ((0, 2), (0, 1), (1, 2)):
            ratios = rates[:, a] / rates[:, b]
            yield Measured(
                f"{name}, {METHODS[a]} / {METHODS[b]}", np.median(ratios), "times", span(ratios)
            )


def span(ratios: Sequence[float] | NDArray[np.float64]) -> str:
    """The range of rounds."""
    return f"[{min(ratios):.4g}, {max(ratios):.4g}]"


def python(code: str) -> float:
    """CPU seconds of a fresh interpreter that runs `code`, less those of one that runs nothing."""
    used = []
    for text in (code, "pass"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", text], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return used[0] - used[1]


def threads() -> Iterator[Measured]:
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
    words = f"{span(ratios)}, {'identical' if same else 'DIFFERENT'} numbers"
    yield Measured("two threads / one, CPU time", statistics.median(ratios), "times", words)


def memory() -> Iterator[Measured]:
    """Peak memory of a run, and what a hundred times the horizon adds."""
    code = (
        "import resource; from krcsim.runs.replications import replicate; "
        "from krcsim.model.scenario_file import read_scenario; "
        "from dataclasses import replace; s = read_scenario('{path}'); "
        "replicate(replace(s, horizon_ms={ms}), 1, 0, 1); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    path = FOLDER / "busy4.toml"
    short, long = (
        float(
            subprocess.run(
                [sys.executable, "-c", code.format(path=path, ms=ms)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for ms in (6e3, 6e5)
    )
    yield Measured(
        "memory of a run", long, "MiB", f"a hundred times the horizon: {long - short:+.1f} MiB"
    )


def start() -> Iterator[Measured]:
    """What it costs to begin."""
    for name, code in IMPORTS.items():
        yield Measured(name, statistics.median(python(code) for _ in range(ROUNDS)), "CPU-s")


def pages() -> Iterator[Measured]:
    """The cost of an interval where cached pages make waits rare."""
    return rarity.measure(rarity.page_cases())


ALL = {
    "speed": speed,
    "threads": threads,
    "memory": memory,
    "start": start,
    "rarity": rarity.measure,
    "pages": pages,
    "slider": slider.measure,
}


def main(argv: list[str]) -> None:
    """Measure, print, and record if asked to."""
    ask = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast krcsim is.")
    ask.add_argument(
        "--record", action="store_true", help="append the numbers to benchmarks/history.csv"
    )
    ask.add_argument(
        "--only", choices=ALL, action="append", help="measure this alone (may be given again)"
    )
    given = ask.parse_args(argv)
    warm_up()
    past = record.read()
    print(
        f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} CPUs ({record.cpu_model()}), "
        f"{ROUNDS} rounds"
    )
    for name in given.only or ALL:
        for m in ALL[name]():
            print(record.line(m, past), flush=True)
            if given.record:
                record.append([record.row(m)])


if __name__ == "__main__":
    main(sys.argv[1:])
