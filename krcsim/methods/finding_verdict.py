# SPDX-License-Identifier: GPL-2.0-only
"""The verdict of a finding: its number in a sentence that a person can act on."""

from krcsim.methods import construction, exact
from krcsim.methods.finding import Finding
from krcsim.results.one_answer import counted, measured, next_to_none
from krcsim.results.quantities import QUANTITIES


def finding_verdict(found: Finding) -> str:
    """One sentence of ASCII: 1 call in 26 million waits for a grace period, without chance (exact
    chain).
    """
    estimate = found.estimate
    wording = QUANTITIES[found.quantity].wording
    when = ["in the boot window"] if found.window == "boot" else []
    if wording is None or estimate.kind == "none":
        text = measured(found.quantity, estimate)
        return _sentence([f"{text}{' in the boot window' if when else ''}"])

    when += [wording.when] if wording.when else []
    said = counted(found.quantity, estimate)
    if found.method == construction.NAME:
        said += " (by construction)"
    elif found.method == exact.NAME:
        said = next_to_none(found.quantity) if estimate.value == 0.0 else said
        said += ", without chance (exact chain)"
    elif found.when:
        said += f" {found.when}"
    if estimate.kind == "bound" and found.method != construction.NAME:
        said += "; none was seen, which is no proof"
    before = f"{' '.join(when)}, " if when else ""
    return _sentence([f"{before}{said}"])


def _sentence(parts: list[str]) -> str:
    text = " ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
