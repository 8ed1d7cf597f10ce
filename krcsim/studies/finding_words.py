# SPDX-License-Identifier: GPL-2.0-only
"""A finding in words."""

from krcsim.methods import construction, exact
from krcsim.methods.finding import Finding
from krcsim.methods.table import METHODS
from krcsim.results.quantities import QUANTITIES
from krcsim.results.result import number, words


def finding_sentences(found: Finding) -> str:
    """A finding in some sentences: what, how much, how it was found and why so, the work, and what
    to know of it.
    """
    sentences = _sentences(found)
    return f"{sentences} {found.note}." if found.note else sentences


def _sentences(found: Finding) -> str:
    quantity = QUANTITIES[found.quantity]
    what = f"{quantity.words}, {found.when or f'{found.window} window'}"
    estimate = words(found.estimate)
    if found.method == construction.NAME:
        value = "0" if found.estimate.kind == "exact" else estimate
        seed = ", whatever the seed" if found.estimate.kind == "exact" else ""
        return f"{what}: {value} by construction{seed}: {found.why}. Nothing was simulated."

    if found.method == exact.NAME:
        if found.estimate.value == 0.0:
            estimate = f"0: nothing leads to a wait that is as likely as {number(exact.FORGOTTEN)}"
        return (
            f"{what}: {estimate}, without chance. Found by the exact chain ({found.why}): "
            f"{found.replications} states, {number(found.events)} ticks."
        )

    with_unit = f"{estimate} {quantity.unit}".rstrip()
    how = (
        f"{METHODS[found.method].LABEL} ({found.why}): {found.replications} replications, "
        f"{number(found.events)} events"
    )
    kinds = {
        "exact": f"{with_unit}, which no draw changes; found by {how}.",
        "bound": f"{estimate} at 95 %, an upper bound: nothing was seen, which is no proof that "
        f"it is so rare. Asked by {how}.",
        "none": f"no answer, nothing that defines it was seen. Asked by {how}.",
        "rough": f"{with_unit}, an order of magnitude only: too few replications met it; raise "
        f"max_runs. Found by {how}.",
        "interval": f"{with_unit} at 95 %. Found by {how}.",
    }
    return f"{what}: {kinds[found.estimate.kind]}"
