# SPDX-License-Identifier: GPL-2.0-only
"""The two parts of an interval in words: chance in the simulation, and what a recording does not
know.
"""

from krcsim.results.quantities import QUANTITIES
from krcsim.results.result import Result, number, words
from krcsim.results.two_parts import Parts, after
from krcsim.studies.recorded import RECORDING, Recorded, parts_of

TEN = 10.0
MOSTLY = 0.5


def recorded_sentences(found: Recorded) -> str:
    """One number with its two parts, and what would make its interval narrower."""
    quantity = QUANTITIES[found.finding.quantity]
    what = f"{quantity.words}, {found.finding.when or f'{found.finding.window} window'}"
    unit = f" {quantity.unit}" if quantity.unit else ""
    parts = found.parts
    return (
        f"{what}: {words(parts.whole)}{unit}, with what the recording of {found.joint.seconds:.3g} "
        f"s does not know, over {parts.draws} draws. {two_parts(parts)}{_assumed(found)}"
    )


def two_parts(parts: Parts) -> str:
    """How much of an interval is which part, in some sentences."""
    alone = f"The fitted scenario alone has {words(parts.fitted)}."
    if parts.seen < parts.draws:
        alone += f" {parts.draws - parts.seen} of the draws saw none."
    if parts.recording is None:
        return alone
    share = round(100 * parts.recording)
    return (
        f"{share} % of the variance of its logarithm is what the recording does not know, "
        f"{100 - share} % chance in the simulation. {alone} {advice(parts)}"
    )


def advice(parts: Parts) -> str:
    """What makes an interval narrower: a longer recording, or more replications."""
    if parts.recording is None:
        return ""
    if parts.recording < MOSTLY:
        return "More replications make it narrower (a smaller precision, or more max_runs)."
    width = round(100 * after(parts, TEN))
    return f"A recording ten times longer would leave {width} % of its width."


def _assumed(found: Recorded) -> str:
    if not found.joint.assumed:
        return ""
    names = ", ".join(found.joint.assumed[:4])
    more = len(found.joint.assumed) - 4
    return f" Not in it is what stays an assumption: {names}{f' and {more} more' * (more > 0)}."


def recorded_notes(result: Result, quantity: str) -> str:
    """What is to be known of the intervals of a result that was made of a recording, or ""."""
    parts = {
        (remedy, window): one
        for (remedy, window, name), one in parts_of(result).items()
        if name == quantity and one.recording is not None
    }
    if not parts:
        return ""

    told = result.provenance[RECORDING]
    window = result.windows()[-1]
    each = ", ".join(
        f"{remedy} {round(100 * (one.recording or 0.0))} %"
        for (remedy, where), one in parts.items()
        if where == window
    )
    first = next((one for (_, where), one in parts.items() if where == window), None)
    text = (
        f"Intervals hold what the recording of {number(told['seconds'])} s does not know, over "
        f"{told['draws']} draws of it"
    )
    if first is None:
        return f"{text}."
    return (
        f"{text}: of the variance of log {quantity} ({window}) that is {each}; the rest is chance "
        f"in the simulation. {advice(first)}"
    )
