# SPDX-License-Identifier: GPL-2.0-only
"""Grace periods that others ask for: those that are left where kfree_rcu() has taken its own."""

import math
from collections.abc import Iterator

from krcsim.model.constants import sheaf_entries
from krcsim.trace import intervals, rates
from krcsim.trace.evidence import WINDOW_S, Evidence
from krcsim.trace.intervals import Interval
from krcsim.trace.value import MEASURED, Value

FIELD = "grace_period.background_hz"
MOST_HZ = 1000.0  # as grace_period.background_hz has it
FEWEST = 10  # grace periods that say something


def found(evidence: Evidence, reasons: dict[str, str]) -> Iterator[Value]:
    """How often others ask for a grace period, a second in which none runs; `reasons` gets why
    that is not known.

    Each batch, each full sheaf and each wait of kfree_rcu() takes one, and the others are theirs.
    """
    count = rates.grace_periods(evidence)
    idle_s = evidence.seconds - float(evidence.grace_periods_s.sum())
    if count < FEWEST or idle_s <= 0.0:
        return
    own = own_grace_periods(evidence)
    if own is None:
        reasons[FIELD] = "no run of kfree_rcu_work() was recorded, which would say whose they are"
        return

    others = max(0, round(count - own))
    limits = intervals.of_count(others)
    text = (
        f"{count:,} grace periods in {evidence.seconds:.4g} s, of which {own:,.0f} at most are "
        f"those of batches, sheaves and waits of kfree_rcu(); none ran for {idle_s:.4g} s"
    )
    ends = Interval(limits.low / idle_s, min(MOST_HZ, limits.high / idle_s))
    sources = tuple(
        source for kind in ("grace_periods", "work") for source in evidence.sources.get(kind, ())
    )
    yield Value(FIELD, min(MOST_HZ, others / idle_s), "GP/s", MEASURED, ends, text, sources)


def own_grace_periods(evidence: Evidence) -> float | None:
    """At most so many grace periods were asked for by kfree_rcu(); None where that is not known."""
    if "work" not in evidence.counters and not evidence.sheaf_calls[1]:
        return None
    works = evidence.counters.get("work", 0) * _part_inside(evidence, "work")
    sizes = evidence.object_sizes
    counted = sum(sizes.values())
    sheaves = sum(count / sheaf_entries(size) for size, count in sizes.items())
    full = _taken_by_sheaves(evidence) * sheaves / max(1, counted)
    return works + full + evidence.counters.get("own_waits", 0)


def _taken_by_sheaves(evidence: Evidence) -> float:
    """Objects that sheaves took; where calls were counted in parts of the time, what they took of
    others gives their share of slab objects.
    """
    refused, taken = evidence.sheaf_calls
    if not evidence.has_parts:
        return taken * _part_inside(evidence, rates.SHEAVES)
    calls = evidence.calls
    of_slab = calls.total - int(calls.vmalloc.sum()) * calls.vmalloc_known
    share = taken / max(1, refused + taken)
    return of_slab * share * evidence.seconds / max(evidence.calls_seconds, WINDOW_S)


def _part_inside(evidence: Evidence, name: str) -> float:
    shortest, longest = rates.seconds_of(evidence, name)
    return shortest / math.sqrt(shortest * longest) if longest > 0.0 else 1.0
