# SPDX-License-Identifier: GPL-2.0-only
"""Lists of remedies that have a name of their own: a growing reserve, and pools and pages full and
empty at boot.
"""

from krcsim.model.scenario import Scenario

CURVE = (
    "own",
    "A0",
    "A1",
    "B",
    "C-A1",
    "D5-A1",
    *(f"B{n}-own" for n in (0, 1, 2, 3, 5, 10, 20, 50, 100, 200)),
    *(f"D{n}{boot}-own" for boot in ("", "e") for n in (1, 2, 3, 4, 5, 8)),
)


def listed(names: str, s: Scenario) -> tuple[str, ...]:
    """The remedies of a comma-separated list, of `curve` (growing reserves) or of `cold` (full and
    empty at boot).
    """
    pool, pages = s.remedy.nr_emergency_objs or 3, max(2, s.remedy.nr_bkv_objs)
    cold = ("own", "B0-own", f"B{pool}-own", f"B{pool}f-own", f"D{pages}e-own", f"D{pages}-own")
    return CURVE if names == "curve" else cold if names == "cold" else tuple(names.split(","))
