# SPDX-License-Identifier: GPL-2.0-only
"""Results of the guest as the files of data/kernel-runs.

A CSV has a row for each experiment, a JSON next to it the columns that are the same in all rows.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from krcsim.base import cells
from krcsim.base.csv_text import csv_text
from krcsim.base.errors import KrcsimError, shown
from krcsim.base.files import write_whole
from krcsim.guest.boot import Row

LABELS = ("set", "rate", "pattern", "p_page", "p_obj")  # parts of a label, between slashes
_ALWAYS = (*LABELS, "variant", "cpus", "seed")  # stay in the CSV
_LISTS = ("gp_len_us", "gp_idle_us")  # lists that are kept, as JSON in their cell

_RESULT = {"mode": cells.COUNT, "label": cells.LINE}
_RUN = (
    dict.fromkeys(("calls", "sync", "calls_on", "sync_on", "sync_ns"), cells.COUNT)
    | dict.fromkeys(("p_page_ppm", "p_obj_ppm"), cells.whole(1_000_000))
    | dict.fromkeys(("dur_ms", "threads"), cells.within(1, 1e9, "a whole number from 1 on"))
)


def flat(result: Row) -> Row:
    """One result as a row: its label taken apart, shares with the counts, and no histograms.

    Raises KrcsimError for what the harness did not write.
    """
    if wrong := _wrong_in(result):
        raise KrcsimError(f"a result of the guest is not one of the harness: {wrong}; run it again")

    parts = str(result["label"]).split("/")
    row: Row = dict(zip(LABELS, parts, strict=False))
    for name, value in result.items():
        if name in _LISTS:
            row[name] = json.dumps(value, separators=(",", ":"))
        elif not isinstance(value, list) and name not in ("label", "p_page_ppm", "p_obj_ppm"):
            row[name] = value

    if result["mode"] == 1:  # grace periods alone
        return row

    row["p_page"] = f"{result['p_page_ppm'] / 1e6:g}"
    row["p_obj"] = f"{result['p_obj_ppm'] / 1e6:g}"
    for share, part, whole in (("p_sync", "sync", "calls"), ("p_sync_on", "sync_on", "calls_on")):
        row[share] = round(result[part] / result[whole], 7) if result[whole] else ""

    time_ns = result["dur_ms"] * 1e6 * result["threads"]
    row["blocked_frac"] = round(result["sync_ns"] / time_ns, 6)
    return row


def _wrong_in(result: Row) -> str:
    """What the harness did not write, or ""."""
    rules = _RESULT if result.get("mode") == 1 else _RESULT | _RUN
    if wrong := cells.wrong_in_table(rules, result):
        return wrong

    for name, value in result.items():
        is_value = isinstance(value, list) or cells.VALUE.fits(value)
        if not (cells.NAME.fits(name) and is_value):
            return f"{shown(name)} is {shown(value)}"
    return ""


def tables(rows: Sequence[Row]) -> tuple[bytes, bytes]:
    """The CSV and the JSON of some rows."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    constant = {
        name: rows[0].get(name, "")
        for name in columns
        if name not in _ALWAYS and len({str(row.get(name, "")) for row in rows}) == 1
    }
    varying = [name for name in columns if name not in constant]
    table = csv_text(varying, ([row.get(name, "") for name in varying] for row in rows))
    return table.encode(), (json.dumps(constant, indent=1) + "\n").encode()


def write(folder: Path, name: str, results: Iterable[Row]) -> None:
    """NAME.csv and NAME.const.json in a folder, over those of before."""
    table, constant = tables([flat(result) for result in results])
    write_whole(folder / f"{name}.csv", table, overwrite=True)
    write_whole(folder / f"{name}.const.json", constant, overwrite=True)
