# SPDX-License-Identifier: GPL-2.0-only
"""What is odd about recordings as a whole, each in a sentence with what to do."""

from collections.abc import Iterator

from krcsim.trace.evidence import MOST_CPUS
from krcsim.trace.tally import IN_ORDER_S, Tally


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
