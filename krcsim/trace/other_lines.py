# SPDX-License-Identifier: GPL-2.0-only
"""Lines that are no events: heads of tools, lost events, rcuscale, logs, /proc/vmstat."""

import re

from krcsim.trace.evidence import ScaleRun
from krcsim.trace.tally import Tally, forget_pairs

# What a line without anything for us looks like; it counts as understood.
_NOTHING = re.compile(
    rb"\s*$|#|cpus=\d+\s*$|version = [\d.]+\s*$|CPU \d+ is empty\s*$|=+\s*$"
    rb"|Attach(?:ing|ed) \d+ probes?[.]*\s*$|Totals:\s*$|\s+(?:Hits|Entries): \d+\s*$"
)
# trace_pipe, trace-cmd and perf, each in its own words.
_LOST = re.compile(
    rb"(?:CPU:\s?\d{1,9} \[LOST (\d{1,15}) EVENTS\]|CPU:\s?\d{1,9} \[(\d{1,15}) EVENTS DROPPED\]"
    rb"|(?:[^=]{0,80}\s)?LOST (\d{1,15}) events|\s+Dropped: (\d{1,15})|Lost (\d{1,15}) events)\s*$"
)
_LOST_SOME = re.compile(
    rb"CPU:\s?\d{1,9} \[LOST EVENTS\]\s*$"
)  # the kernel itself does not know how many
_WRITTEN = re.compile(rb"# entries-in-buffer/entries-written: (\d{1,15})/(\d{1,15})(?:\s|$)")

_TOTAL = b"Total time taken by all kfree'ers"
_SCALE = re.compile(
    rb".{0,200}Total time taken by all kfree'ers: (\d{1,18}) ns, loops: (\d{1,9}), "
    rb"batches: (\d{1,12})(?:,|\s|$)"
)
_NO_MEMORY = re.compile(
    rb".{0,200}(?:page allocation failure[.:] ?order:(\d+)|SLUB: Unable to allocate memory on )"
)
_LOG_LINE = re.compile(rb"(?:<\d+>)?\[ *\d+\.\d+\]|\w{3} +\d+ \d\d:\d\d:\d\d |\d{4}-\d\d-\d\dT")
_SCALE_PARAMETER = re.compile(rb"(?:rcuscale|rcuperf)\.?\s?(kfree_\w+)=(\d{1,9})(?:\s|$)")
_VMSTAT = re.compile(rb"([a-z][a-z0-9_]{1,60}) (-?\d{1,19})$")

# The counters of /proc/vmstat that say something about pressure, under all their names.
_PRESSURE = re.compile(rb"allocstall|pg(?:scan|steal)_(?:direct|kswapd)|oom_kill")


def add(tally: Tally, line: bytes) -> str | None:
    """What kind of thing a line shows that is no event; None where it is not understood."""
    if written := _WRITTEN.match(line):
        kept, all_of_them = int(written[1]), int(written[2])
        if kept > all_of_them:
            return None
        tally.lost += all_of_them - kept
        return "head"
    if b"entries-in-buffer/" in line:
        return None
    if _NOTHING.match(line):
        return "head"
    if lost := _LOST.match(line):
        return _lost(tally, int(next(filter(None, lost.groups()))))
    if _LOST_SOME.match(line):
        tally.lost_unknown += 1
        return _lost(tally, 1)
    if vmstat := _VMSTAT.match(line):
        return _vmstat(tally, vmstat[1], int(vmstat[2]))

    if (times := line.count(_TOTAL)) and not (times == 1 and _SCALE.match(line)):
        return None
    if scale := _SCALE.match(line):
        run = ScaleRun(*map(int, scale.groups()))
        if run.nanoseconds and run.batches and len(tally.scale_runs) < 10_000:
            tally.scale_runs.append(run)
        return "rcuscale"
    for name, value in _SCALE_PARAMETER.findall(line):
        tally.machine.setdefault(name.decode(), value.decode())
    if _NO_MEMORY.match(line):
        tally.counters["splats"] += 1
        return "log"
    return "log" if _LOG_LINE.match(line) else None


def _lost(tally: Tally, events: int) -> str:
    """Events are missing here: what ends after them may not have begun before them."""
    if events:
        tally.lost += events
        forget_pairs(tally)
    return "lost"


def _vmstat(tally: Tally, name: bytes, value: int) -> str | None:
    """A counter of /proc/vmstat: the first and the latest value of it are kept."""
    if _PRESSURE.match(name):
        if value < 0:
            return None
        key = name.decode()
        if key in tally.vmstat:
            tally.vmstat[key][1] = value
        elif len(tally.vmstat) < 200:
            tally.vmstat[key] = [value, value]
    return "vmstat"
