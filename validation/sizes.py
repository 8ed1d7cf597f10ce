# SPDX-License-Identifier: GPL-2.0-only
"""Are the sizes that a search finds right? Asked again with ten times the replications, in other worlds.

`python -m validation.sizes` prints the table.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from krcsim.estimate import Estimate
from krcsim_studies.question import Finding, asking
from krcsim.result import words
from krcsim.run import warm_up
from krcsim_studies.size import Sized, Tried, size, with_reserve
from krcsim_studies.told import sentence
from krcsim.study import MAX_RUNG

OTHER_SEED = 11
TIMES = 10
# preset, what is to be small, target, what the reserve holds at boot
ASKED = (
    ("exhausted-guest", "pages", 1e-6, "own"),
    ("phone", "pool", 1e-6, "full"),
    ("server-128", "pool", 1e-6, "full"),
    ("small-world", "pool", 1e-6, "full"),
    ("thread-as-discussed", "pool", 1e-6, "full"),
    ("thread-as-posted", "pool", 1e-6, "full"),
    ("exhausted-guest", "pool", 1e-4, "own"),
    ("thread-as-posted", "pool", 2e-4, "own"),
)


@dataclass(frozen=True)
class Checked:
    """A search, and what longer runs say of the size it found and of the one below."""

    preset: str
    found: Sized
    cpu_s: float
    passes: Estimate
    fails: Estimate | None


def longer(found: Sized, t: Tried) -> Estimate:
    """The size once more, with at least ten times the replications of the run that decided, in other worlds."""
    s = with_reserve(found.scenario, t.objects, t.pages, found.at_boot)
    wanted = TIMES * t.finding.replications
    last: Finding | None = None
    for last in asking(s, found.quantity, window=found.window, seed=OTHER_SEED, precision=1e-6, max_rung=MAX_RUNG):
        if last.replications >= wanted:
            break
    assert last is not None
    return last.estimate


def checked() -> list[Checked]:
    """All searches, and their longer runs."""
    warm_up()
    rows = []
    for preset, of, target, at_boot in ASKED:
        begun = time.process_time()
        found = size(preset, target, of=of, at_boot=at_boot)
        took = time.process_time() - begun
        assert found.smallest is not None, sentence(found)
        below = longer(found, found.largest) if found.largest else None
        rows.append(Checked(preset, found, took, longer(found, found.smallest), below))
    return rows


def table(rows: list[Checked]) -> str:
    """A row a search: what was asked, what was found, and what longer runs say."""
    lines = [f"{'asked':<52} {'found':<10} {'CPU-s':>5}  {'longer: found':<28} {'longer: one less':<28}"]
    for row in rows:
        f = row.found
        below = "not decided" if row.fails is None else words(row.fails)
        lines.append(f"{row.preset + ', ' + f.of + ', ' + f.goal:<52} {f.smallest.name if f.smallest else '':<10} "
                     f"{row.cpu_s:>5.1f}  {words(row.passes):<28} {below:<28}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(checked()) + "\n")
