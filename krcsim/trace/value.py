# SPDX-License-Identifier: GPL-2.0-only
"""A field of a scenario as a recording has it: value, interval, evidence and source lines."""

from dataclasses import dataclass
from typing import Any

from krcsim.model.calls import RecordedCalls
from krcsim.trace.evidence import Source
from krcsim.trace.intervals import Interval

MEASURED = "measured"
LIMIT = "limit"  # nothing was seen: the value is the 95 % limit itself
READ = "read"  # stands in the recording as it is
ASSUMED = "assumed"  # the recording cannot say it


@dataclass(frozen=True)
class Value:
    """One field. `limits` is its 95 % interval, None where it has none; `evidence` is a sentence
    without its point; `parts` are the fields that go with it.
    """

    field: str
    value: Any
    unit: str
    kind: str
    limits: Interval | None
    evidence: str
    sources: tuple[Source, ...] = ()

    def words(self) -> str:
        """The value with its interval, for people."""
        unit = f" {self.unit}" if self.unit else ""
        if self.kind == LIMIT:
            side = "at least" if self.limits and self.limits.low == self.value else "at most"
            return f"{side} {shown(self.value)}{unit} (95 %)"
        text = f"{shown(self.value)}{unit}"
        if self.limits is not None:
            text += f", 95 % {shown(self.limits.low)} to {shown(self.limits.high)}"
        return text


def shown(value: Any) -> str:
    """A value in a few characters; of a list how long it is."""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e5 else f"{value:,.0f}"
    if isinstance(value, RecordedCalls):
        seconds = value.length_ms / 1000.0
        plural = "s" * (len(value.cpus) > 1)
        return f"{value.total:,} calls of {len(value.cpus)} CPU{plural} in {seconds:.4g} s"
    if isinstance(value, (list, tuple)):
        if value and isinstance(value[0], tuple):  # sizes in bytes are whole, times are not
            if isinstance(value[0][0], int):
                return ", ".join(f"{size:,} bytes {share:.3g}" for size, share in value)
            return f"{len(value)} pieces"
        return f"{len(value)} numbers"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
