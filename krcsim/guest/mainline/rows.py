# SPDX-License-Identifier: GPL-2.0-only
"""Results of newer kernels as rows of a table, each with the kernel and the packages it is of.

Written as those of data/kernel-runs: a CSV with a row for each experiment, and a JSON with the
columns that are the same in all rows.
"""

import json
from collections.abc import Iterable
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


def write(folder: Path, name: str, measured: Iterable[Measured]) -> None:
    """NAME.csv and NAME.const.json in a folder, over those of before."""
    table, constant = tables([row for one in measured for row in flat(one)])
    write_all(
        {folder / f"{name}.csv": table, folder / f"{name}.const.json": constant}, overwrite=True
    )
