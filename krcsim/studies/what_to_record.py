# SPDX-License-Identifier: GPL-2.0-only
"""What to do for a better answer: record longer, measure something else, or simulate more."""

import math

from krcsim.results.quantities import label
from krcsim.studies.recorded_ranges import ASSUMED, NEVER_RECORDED, RECORDED
from krcsim.studies.sensitivity import Index, Sensitivity
from krcsim.studies.sensitivity_chart import SUBJECTS

TEN = 10.0
MOSTLY = 0.5


def what_to_record(found: Sensitivity) -> str:
    """What follows from a ranking over the draws of a recording, in some sentences; "" where no
    range is that of a recording or of an assumption beside one.
    """
    recorded = _shares(found, RECORDED)
    assumed = _shares(found, ASSUMED)
    if not recorded and not assumed:
        return ""
    if found.at_floor > MOSTLY:
        return (
            f"At {_percent(found.at_floor)} of the points no wait was seen, which ranks nothing: "
            "raise max_runs."
        )
    if found.indices[0].total[1] <= found.chance:
        return "All of it may be chance: raise max_runs or n before anything is measured."

    by_recording, by_assumption = (_sum(one) for one in (recorded, assumed))
    whole = by_recording + by_assumption
    text = (
        f"Of the variance of log {label(found.quantity)} {_percent(by_recording / whole)} is what "
        f"the recording does not know, {_percent(by_assumption / whole)} what is assumed."
    )
    if by_recording >= by_assumption:
        left = math.sqrt(max(0.0, 1.0 - by_recording / whole * (1.0 - 1.0 / TEN)))
        first = max(recorded, key=lambda row: row.total[0])
        return (
            f"{text} Record ten times longer: {_percent(left)} of the spread would be left. Most "
            f"comes from {SUBJECTS[first.name]}."
        )
    first = max(assumed, key=lambda row: row.total[0])
    return f"{text} {_measure(first)}"


def _measure(row: Index) -> str:
    subject = SUBJECTS[row.name]
    if row.name in NEVER_RECORDED:
        return (
            f"Most comes from {subject}, which no recording shows: a longer one does not help; ask "
            "over a range of it (--over)."
        )
    return f"Measure {subject}: it is an assumption, and a longer recording of the rest helps less."


def _shares(found: Sensitivity, origin: str) -> list[Index]:
    return [row for row in found.indices if row.origin == origin]


def _sum(rows: list[Index]) -> float:
    """By their total shares, which count what several move together for each of them."""
    return sum(max(0.0, row.total[0]) for row in rows)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
