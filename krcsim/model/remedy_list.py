# SPDX-License-Identifier: GPL-2.0-only
"""Lists of remedies with a name of their own.

`curve` is a reserve that grows, `cold` has pools and pages full and empty at boot.
"""

from krcsim.model.remedy import OWN, TABLE
from krcsim.model.scenario import Scenario

POOL_SIZES = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200)  # objects per CPU
PAGE_COUNTS = (1, 2, 3, 4, 5, 8)  # pages per CPU

CURVE = (
    OWN,
    *(row.name for row in TABLE if row.in_curve),
    *(f"B{size}-{OWN}" for size in POOL_SIZES),
    *(f"D{count}{at_boot}-{OWN}" for at_boot in ("", "e") for count in PAGE_COUNTS),
)


def cold(scenario: Scenario) -> tuple[str, ...]:
    """The reserves of a scenario, at least 3 objects or 2 pages, full and empty at boot."""
    pool = scenario.remedy.nr_emergency_objs or 3
    pages = max(2, scenario.remedy.nr_bkv_objs)
    reserves = ("B0", f"B{pool}", f"B{pool}f", f"D{pages}e", f"D{pages}")
    return (OWN, *(f"{reserve}-{OWN}" for reserve in reserves))


def listed(names: str, scenario: Scenario) -> tuple[str, ...]:
    """The names of remedies in a text: `curve`, `cold`, or names with commas between them."""
    if names == "curve":
        return CURVE
    if names == "cold":
        return cold(scenario)
    return tuple(names.split(","))
