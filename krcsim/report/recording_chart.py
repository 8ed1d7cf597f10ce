# SPDX-License-Identifier: GPL-2.0-only
"""The data of the pictures of a recording: rates over time, episodes, lengths of grace periods, how
often requests failed, and what was predicted of it.
"""

from dataclasses import dataclass

Span = tuple[float, float]


@dataclass(frozen=True)
class Share:
    """So many of something failed, with the 95 % interval of the probability."""

    name: str
    tries: int
    failed: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself."""
        return self.failed / max(1, self.tries)


@dataclass(frozen=True)
class Pair:
    """A rate as recorded and as predicted, each with its ends; whether the two agree."""

    name: str
    recorded: tuple[float, float, float]
    predicted: tuple[float, float, float]
    agrees: bool


@dataclass(frozen=True)
class RecordingChart:
    """What is drawn of a recording. Times are seconds from its begin.

    edges: of equal windows, one more than there are rates. calls, requests, failed: a second, in
    each window; of calls not a number where none were counted. pieces: begin and end of a rate that
    was fitted, in calls a second; none where it is the same always. episodes: of pressure.
    grace_periods_ms: recorded lengths. pairs: what was predicted; empty before it was.
    """

    edges: tuple[float, ...]
    calls: tuple[float, ...]
    requests: tuple[float, ...]
    failed: tuple[float, ...]
    episodes: tuple[Span, ...]
    grace_periods_ms: tuple[float, ...]
    shares: tuple[Share, ...]
    pairs: tuple[Pair, ...] = ()
    pieces: tuple[tuple[float, float, float], ...] = ()
