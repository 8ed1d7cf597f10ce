# SPDX-License-Identifier: GPL-2.0-only
"""One number as a clause: 1 call in 1,930 waits for a grace period; mean wait: 20.5 ms."""

from krcsim.results.counts import RAREST, Share, bounded, estimated
from krcsim.results.estimate import Estimate
from krcsim.results.quantities import QUANTITIES, Wording, wording_of
from krcsim.results.result import number


def counted(quantity: str, estimate: Estimate, *, with_interval: bool = True) -> str:
    """A share as a clause: 1 call in 1,930 (1,780 to 2,090) waits for a grace period."""
    wording = wording_of(quantity)
    if estimate.value == 0.0:
        return wording.never
    return _with_verb(wording, estimated(estimate, wording.noun, with_interval=with_interval))


def next_to_none(quantity: str) -> str:
    """What is said where nothing leads to it that anybody would count."""
    wording = wording_of(quantity)
    return _with_verb(wording, bounded(RAREST, wording.noun))


def _with_verb(wording: Wording, share: Share) -> str:
    """So many, and what they do."""
    return f"{share.words} {wording.several if share.is_plural else wording.one}"


def measured(quantity: str, estimate: Estimate) -> str:
    """Any quantity as a number with its unit: mean wait: 20.5 ms (20 to 21.2)."""
    asked = QUANTITIES[quantity]
    if estimate.kind == "none":
        return f"{asked.words}: no answer, since nothing that defines it was seen"

    unit = f" {asked.unit}" if asked.unit else ""
    if estimate.kind == "bound" or estimate.value is None:
        return f"{asked.words}: less than {number(estimate.hi or 0.0)}{unit}"
    said = f"{number(estimate.value)}{unit}"
    if estimate.kind == "rough":
        return f"{asked.words}: about {said} (order of magnitude)"
    if estimate.kind == "exact" or estimate.lo is None or estimate.hi is None:
        return f"{asked.words}: {said}"
    return f"{asked.words}: {said} ({number(estimate.lo)} to {number(estimate.hi)})"
