# SPDX-License-Identifier: GPL-2.0-only
"""Experiments in guests with newer kernels. What a guest gave before it went wrong is kept."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from krcsim.base.errors import KrcsimError
from krcsim.guest.boot import (
    Boot,
    Row,
    attempt,
    booted_with,
    check,
    experiments,
    refusal,
    row_of,
    seconds_for,
)
from krcsim.guest.mainline.build import MainlineBuild, Origin
from krcsim.guest.mainline.series import SERIES

BOOT_S = 240.0  # more than a guest gets anyway: these kernels take 10 s of CPU time to boot

# The symbols of which one must have a probe, and what is not counted without it.
COUNTED_AT = {
    "pages asked for": ("get_free_pages_noprof", "__get_free_pages"),
    "waits": ("synchronize_rcu", "__wait_rcu_gp"),
    "calls offered to a sheaf": ("__kfree_rcu_sheaf",),
    "new sheaves asked for": ("__kmalloc_flags_noprof",),
    "full sheaves": ("rcu_free_sheaf",),
    "sheaves flushed by a barrier": ("rcu_free_sheaf_nobarn",),
    "monitors": ("kfree_rcu_monitor",),
    "works": ("kfree_rcu_work",),
    "batches": ("kvfree_rcu_queue_batch",),
    "refills": ("fill_page_cache_func",),
    "back-offs": ("kfree_rcu_shrink_count",),
    "scans of the shrinker": ("kfree_rcu_shrink_scan",),
    "blocks freed": ("kvfree_rcu_bulk",),
    "objects freed in bulk": ("kmem_cache_free_bulk",),
    "vmalloc objects freed": ("vfree",),
    "list entries freed": ("kvfree",),
    "grace periods": ("rcu_gp_init", "rcu_gp_cleanup"),
    "the barrier": ("kvfree_rcu_barrier",),
}


@dataclass(frozen=True)
class Measured:
    """What was measured on a kernel; `trouble` says what went wrong, if anything did."""

    origin: Origin
    rows: tuple[Row, ...]
    trouble: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what this kernel did not let be counted, and on what went wrong."""
        found = [not_counted(row, self.origin.series) for row in self.rows[:1]]
        missed = sum(row["probes_missed"] for row in self.rows)
        if missed:
            found.append(f"{missed} hits of probes were missed, by which the counts are too low")
        return tuple(filter(None, [*found, self.trouble]))


def not_counted(row: Row, series: str) -> str:
    """A sentence on what was not counted for want of symbols that the series should have, or ""."""
    missing = set(row["missing"].split())
    lacking = {
        what: names
        for what, names in COUNTED_AT.items()
        if missing >= set(names) and not set(names) <= set(SERIES[series].lacks)
    }
    if not lacking:
        return ""
    symbols = ", ".join(name for names in lacking.values() for name in names)
    return f"this kernel has no {symbols}, so these were not counted: {', '.join(lacking)}"


def run_as_far(
    build: MainlineBuild, jobs: Sequence[str], boot: Boot, stop: threading.Event | None = None
) -> Measured:
    """The results of the experiments, as many as there are before anything goes wrong.

    Raises KrcsimError where no guest can be started at all, or a job line is not understood.
    """
    wanted = experiments(jobs, build.module)
    left = attempt(build, jobs, boot, seconds=BOOT_S + seconds_for(wanted, boot), stop=stop)
    lines = left.results.splitlines()
    trouble = ""
    try:
        check(left, build.module, wanted)
    except KrcsimError as exc:
        trouble = str(exc).replace("no result of it was kept", "what it gave before was kept")

    trouble = trouble or refusal(left, build.module)

    rows: list[Row] = []
    cached = next((line.split()[1:] for line in lines if line.startswith("#cached")), [])
    more = booted_with(lines, boot) | {"nr_cached": int(cached[0]) if cached else ""}
    for line in lines:
        if not line.startswith("{"):
            continue
        try:
            rows.append(row_of(line) | more)
        except KrcsimError as exc:  # cut off in the middle
            trouble = trouble or str(exc)

    if not trouble and (len(rows) != len(wanted) or "#done" not in lines):
        trouble = "the guest ended before it was done; run it again"
    if trouble:
        trouble = f"{len(rows)} of {len(wanted)} experiments were measured: {trouble}"
    return Measured(build.origin, tuple(rows), trouble)


def measure(
    builds: Mapping[str, MainlineBuild],
    lines: Mapping[str, Sequence[str]],
    boots: Mapping[str, Boot],
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Measured]:
    """The lines of each series measured in a guest of it.

    Guests of one CPU run side by side; others run alone, since in real time a neighbour would be
    noise.
    """
    stop = threading.Event()

    def take(name: str) -> Measured:
        found = run_as_far(builds[name], lines[name], boots[name], stop)
        say(f"Linux {name}: {len(found.rows)} of {len(lines[name])} experiments measured")
        return found

    counted = [name for name in builds if boots[name].timing == "icount"]
    found: dict[str, Measured] = {}
    with ThreadPoolExecutor(min(len(counted), os.cpu_count() or 1) or 1) as pool:
        futures = {name: pool.submit(take, name) for name in counted}
        try:
            found = {name: future.result() for name, future in futures.items()}
        except BaseException:  # Ctrl-C: no guest may outlive it
            stop.set()
            raise

    found |= {name: take(name) for name in builds if name not in found}
    return {name: found[name] for name in builds}
