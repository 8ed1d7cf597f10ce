# SPDX-License-Identifier: GPL-2.0-only
"""The two parts of an interval in words: chance in the simulation, and what a recording does not
know.
"""

from krcsim.results.quantities import label
from krcsim.results.recorded_parts import parts_of, recording_of
from krcsim.results.result import Result, number, words
from krcsim.results.two_parts import Parts, after

TEN = 10.0
MOSTLY = 0.5  # of the variance: below that chance has the larger part


def two_parts(parts: Parts) -> str:
    """How much of an interval is which part, in some sentences."""
    alone = f"The fitted scenario alone has {words(parts.fitted)}."
    if parts.seen < parts.draws:
        alone += f" {parts.draws - parts.seen} of the {parts.draws} draws saw none."
    if parts.recording is None:
        return alone
    return f"Of the variance of its logarithm {_shares(parts)}. {alone} {advice(parts)}"


def _shares(parts: Parts) -> str:
    share = round(100 * (parts.recording or 0.0))
    return (
        f"{share} % is what the recording does not know, {100 - share} % chance in the simulation"
    )


def advice(parts: Parts) -> str:
    """What makes an interval narrower: a longer recording, or more replications."""
    if parts.recording is None:
        return ""
    if parts.recording < MOSTLY:
        return "More replications make the interval narrower (a smaller precision)."
    width = round(100 * after(parts, TEN))
    return f"A recording ten times longer would leave {width} % of the interval's width."


def recording_notes(result: Result, quantity: str) -> str:
    """What is to be known of the intervals of a result that was made of a recording, or ""."""
    seconds, draws = recording_of(result)
    if not draws:
        return ""

    window = result.windows()[-1]
    parts = {
        remedy: one
        for (remedy, where, name), one in parts_of(result).items()
        if (where, name) == (window, quantity) and one.recording is not None
    }
    text = f"Intervals hold what {number(seconds)} s of recording do not know, over {draws} draws"
    if not parts:
        return f"{text}."
    each = ", ".join(
        f"{remedy} {round(100 * (one.recording or 0.0))} %" for remedy, one in parts.items()
    )
    widest = max(parts.values(), key=lambda one: one.recording or 0.0)
    return (
        f"{text}. Of the variance of log {label(quantity)} ({window}) that is {each}; the rest is "
        f"chance in the simulation. {advice(widest)}"
    )


def recording_in_short(result: Result) -> str:
    """The same in a line, for a mail."""
    seconds, draws = recording_of(result)
    if not draws:
        return ""
    return f"Intervals hold what {number(seconds)} s of recording do not know."
