# SPDX-License-Identifier: GPL-2.0-only
"""Results of newer kernels as rows of a table, each with the kernel and the packages it is of.

Written as those of data/kernel-runs: a CSV with a row for each experiment, and a JSON with the
columns that are the same in all rows.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from krcsim.base.files import write_all
from krcsim.guest.boot import Row
from krcsim.guest.mainline.measure import Measured
from krcsim.guest.mainline.summary import p_wait
from krcsim.guest.rows import tables


def flat(measured: Measured) -> list[Row]:
    """The rows of a kernel: its series and packages, all counts, and P(wait).

    Lists are kept as JSON in their cell; logarithmic histograms are left out.
    """
    origin = measured.origin
    of = dict(
        series=origin.series,
        patch=origin.patch,
        package=origin.package,
        package_version=origin.package_version,
        debian=origin.release,
        module=origin.module_digest,
    )
    found: list[Row] = []
    for result in measured.rows:
        row: Row = dict(of)
        for name, value in result.items():
            if isinstance(value, list):
                if not name.endswith("_hist_log2us"):
                    row[name] = json.dumps(value, separators=(",", ":"))
            else:
                row[name] = value
        row["p_wait"] = round(p_wait([result]), 7)
        found.append(row)
    return found


# What recordings leave out to stay small: lengths that hold the time of the probes, and which CPU
# or flag was seen.
_LEFT_OUT = "call_p50_us call_p90_us call_p99_us wait_min_us wait_p99_us settle_us work_us".split()
_QUANTILES_KEPT = 21  # of 101
# The sets whose point a list is; others leave it out.
_LIST_OF = {
    "monitor_us": ("drains", "background"),
    "refill_us": ("drains", "real"),
    "sheaf_us": (),
    "gp_len_us": ("waits", "background", "readers"),
}


def kept(name: str, row: Row) -> Row:
    """What a recording of a set keeps of a row."""
    found = {
        column: value
        for column, value in row.items()
        if column not in _LEFT_OUT and name in _LIST_OF.get(column, (name,))
    }
    if "gp_len_us" in found:
        lengths = json.loads(str(found["gp_len_us"]))
        step = max(1, (len(lengths) - 1) // (_QUANTILES_KEPT - 1))
        found["gp_len_us"] = json.dumps(lengths[::step], separators=(",", ":"))
    return found


def write(
    folder: Path, name: str, measured: Iterable[Measured], *, for_keeps: bool = False
) -> None:
    """NAME.csv and NAME.const.json in a folder, over those of before.

    `for_keeps`: without the columns that a recording does not need.
    """
    rows = [row for one in measured for row in flat(one)]
    if for_keeps:
        day = datetime.now(UTC).date().isoformat()
        rows = [kept(name, row) | {"recorded": day} for row in rows]
    table, constant = tables(rows)
    write_all(
        {folder / f"{name}.csv": table, folder / f"{name}.const.json": constant}, overwrite=True
    )
