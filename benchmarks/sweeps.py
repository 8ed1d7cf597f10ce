# SPDX-License-Identifier: GPL-2.0-only
"""What a large sweep costs: measured for 1e2 to 1e5 points, worked out for 1e8.

`python -m benchmarks.sweeps` prints the table of docs/sweeps.md; `--write` puts it there, and takes
some ten minutes of two CPUs. CPU time counts everything, the start of the workers too; it is noisy
by some 10 % on a shared machine.
"""

from __future__ import annotations

import datetime
import os
import platform
import resource
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import krcsim
from benchmarks.record import cpu_model
from krcsim.runs.replications import warm_up

PAGE = Path(__file__).parent.parent / "docs" / "sweeps.md"
BEGIN, END = "<!-- made by python -m benchmarks.sweeps --write -->\n", "<!-- end -->\n"
COMMAND = (
    "krcsim sweep thread-as-posted --set warmup_ms=100 --set horizon_ms=400 "
    "--sample workload.rate_hz=100:3000:log --max-runs 8 --method skipping --on processes --points "
    "N --into FILE"
)
SIZES = (100, 1_000, 10_000, 100_000)
LARGE = 10**8


def measured(points: int, path: Path) -> tuple[float, float, int]:
    """CPU seconds, seconds and bytes of a sweep in processes of its own."""
    argv = [{"N": str(points), "FILE": str(path)}.get(x, x) for x in COMMAND.split()]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", *argv, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - began, path.stat().st_size


def point_s(**how: object) -> float:
    """CPU seconds of one point of the preset as it is: the median of five seeds."""
    used = []
    for seed in range(5):
        began = time.process_time()
        krcsim.ask("thread-as-posted", seed=seed, method="skipping", workers=1, **how)
        used.append(time.process_time() - began)
    return sorted(used)[2]


def rough(x: float) -> str:
    """What was worked out, in two digits."""
    return f"about {float(f'{x:.2g}'):,.0f}"


def table() -> str:
    """The measurements as Markdown."""
    warm_up()
    lines = ["| points | CPU-seconds | bytes of table |", "|---:|---:|---:|"]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for points in SIZES:
            used, seconds, size = measured(points, Path(folder) / f"{points}.csv")
            found.append((points, used, size))
            lines.append(f"| {points:,} | {used:,.1f} | {size:,} |")
            print(f"{points} points: {used:.1f} CPU-s in {seconds:.1f} s", file=sys.stderr)
    (n0, used0, size0), (n1, used1, size1) = found[-2:]
    each, width = (used1 - used0) / (n1 - n0), (size1 - size0) / (n1 - n0)
    hours = LARGE * each / 3600
    lines.append(f"| {LARGE:,} (worked out) | {rough(LARGE * each)} | {rough(LARGE * width)} |")
    fewest, known = point_s(max_runs=8), point_s()
    versions = f"krcsim {krcsim.__version__}, Python {platform.python_version()}"
    text = (
        f"`{COMMAND}`, {datetime.date.today()}, {cpu_model()} ({os.cpu_count()} CPUs), {versions}. "
        f"A point costs {1000 * each:.1f} ms beyond the start of the workers, and {width:.0f} "
        f"bytes. 1e8 of them are {hours:,.0f} CPU-hours: {hours / 24:,.1f} cores for a day, and a "
        f"table of {LARGE * width / 1e9:.1f} GB. A point of the preset as it is costs "
        f"{1000 * fewest:.0f} ms with 8 replications and {1000 * known:.0f} ms at the default "
        "precision, so "
        f"1e8 of those {LARGE * known / 3600 / 24:,.0f} cores for a day."
    )
    return "\n".join([*lines, "", *textwrap.wrap(text, 110, break_long_words=False)]) + "\n"


if __name__ == "__main__":
    made = table()
    if "--write" in sys.argv:
        head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        PAGE.write_text(head + BEGIN + made + END + rest.split(END)[1], encoding="utf-8")
    print(made)
