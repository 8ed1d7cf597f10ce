# SPDX-License-Identifier: GPL-2.0-only
"""What is odd about recordings as a whole, each in a sentence with what to do."""

from collections.abc import Iterator

import numpy as np

from krcsim.trace.evidence import MOST_CPUS, WINDOW_S, Evidence
from krcsim.trace.tally import IN_ORDER_S, Tally

FEWEST_CALLS = 100  # of a CPU of which it is said that it came or went


def of_cpus(evidence: Evidence) -> Iterator[str]:
    """CPUs that made calls in a small part of the recording only."""
    calls = evidence.calls
    for cpu in np.unique(calls.cpus):
        own = calls.cpus == cpu
        windows = calls.windows[own]
        there_s = float(windows[-1] + 1 - windows[0]) * WINDOW_S
        if int(calls.calls[own].sum()) >= FEWEST_CALLS and 2 * there_s < evidence.seconds:
            yield (
                f"CPU {cpu} made its calls within {there_s:.3g} s of {evidence.seconds:.4g} s: it "
                "came or went meanwhile, or others took its work over; the scenario takes its mean "
                "rate for all the time: give the part in which all CPUs were there"
            )
            return  # of many such CPUs one is enough


def on(tally: Tally) -> Iterator[str]:
    """The sentences, without their points."""
    if found := tally.unbelieved.get("CPU"):
        yield (
            f"{found[0]:,} lines of CPUs above {MOST_CPUS - 1} are left out (the first of CPU "
            f"{found[1]:.0f}): krcsim knows up to {MOST_CPUS} CPUs; give the lines of some of them"
        )
    if found := tally.unbelieved.get("time"):
        yield (
            f"{found[0]:,} lines with times of more than thirty years are left out (the first at "
            f"{found[1]:.3g} s); record with the clock of tracefs as it is after boot"
        )
    if tally.back_s > IN_ORDER_S:
        yield (
            f"the lines are not in the order of time, by up to {tally.back_s:.4g} s: the clock "
            "jumped, or pieces were put together; give each in a file of its own, in order"
        )
    if tally.lost_unknown:
        yield (
            f"the kernel says {tally.lost_unknown:,} times that events were lost, not how many: "
            "rates may be too low; record with a larger buffer, or with krcsim record"
        )
    if any(last < first for first, last in tally.vmstat.values()):
        yield (
            "counters of /proc/vmstat fall, and are left out: give the one from before first, both "
            "of the same boot"
        )
