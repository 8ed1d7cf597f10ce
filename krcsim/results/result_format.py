# SPDX-License-Identifier: GPL-2.0-only
"""What a result file may hold: its columns, a rule for each, and how older formats are read."""

import hashlib
import json
import warnings
from typing import Any

from krcsim.base import cells, old_names
from krcsim.base.errors import KrcsimError, shown
from krcsim.base.reading import read_toml
from krcsim.model.scenario import from_dict
from krcsim.model.scenario_file import toml_text

FORMAT = "krcsim-result/3"
Cell = str | int | float | bool | None

# The columns of a row behind the parameters that vary.
BASE = ("window", "quantity", "unit", "value", "lo", "hi", "kind", "replications", "method")
DIFFERENCES = ("remedy", "baseline", "window", "quantity", "value", "lo", "hi", "pairing_saves")
# How an estimate is meant; rough: the order of magnitude only. See estimate.Estimate.
KINDS = ("interval", "rough", "bound", "none", "exact")
# How a row was found: plain runs, importance sampling or splitting, the exact chain, a proof;
# "bound" where runs of any kind saw nothing and only their number says how rare it is. None in
# files of format 1, which do not say.
METHODS = ("skipping", "rare", "exact", "by construction", "bound")

# The columns of each format that is read. Formats 1 and 2 also had the step of the ladder of
# replications, which the number of replications says as well, and called an episode a spell.
_OLD = ("window", "quantity", "unit", "value", "lo", "hi", "kind", "replications", "rung")
FORMATS = {
    "krcsim-result/1": _OLD,
    "krcsim-result/2": (*_OLD, "method"),
    FORMAT: BASE,
}

RULES = {
    "window": cells.NAME,
    "quantity": cells.NAME,
    "unit": cells.LINE,
    "value": cells.either(cells.AMOUNT),
    "lo": cells.either(cells.NUMBER),
    "hi": cells.either(cells.AMOUNT),
    "kind": cells.word(*KINDS),
    "replications": cells.COUNT,
    "rung": cells.whole(99),
    "method": cells.either(cells.NAME),
}
_DIFFERENCE_RULES = {
    "remedy": cells.NAME,
    "baseline": cells.NAME,
    "window": cells.NAME,
    "quantity": cells.NAME,
    "value": cells.either(cells.NUMBER),
    "lo": cells.NUMBER,
    "hi": cells.NUMBER,
    "pairing_saves": cells.NUMBER,
}
_ROWS = cells.several(cells.Rule("a row", lambda x: isinstance(x, list)))
_FILE = {
    "format": cells.NAME,
    "provenance": cells.TABLE,
    "columns": cells.several(cells.NAME),
    "rows": _ROWS,
    "difference_columns": cells.several(cells.NAME),
    "differences": _ROWS,
}
_PROVENANCE = {
    "command": cells.COMMAND,
    "scenario": cells.TEXT,
    "seed": cells.COUNT,
    "versions": cells.mapping(cells.LINE),
}
_ENCODER = json.JSONEncoder(indent=1, allow_nan=False, sort_keys=True)


def signed(body: dict[str, Any]) -> str:
    """The text of a result file: its parts as JSON, with a checksum of themselves."""
    return _ENCODER.encode({**body, "sha256": checksum(body)}) + "\n"


def checksum(body: dict[str, Any]) -> str:
    """The checksum of all parts but itself.

    Bit by bit: the whole text takes many times the memory of the result.
    """
    digest = hashlib.sha256()
    for part in _ENCODER.iterencode(body):
        digest.update(part.encode())

    return digest.hexdigest()


def wrong_in_file(body: Any) -> str:
    """What is wrong with what a file holds, and what to do, or ""; takes its checksum out."""
    if not isinstance(body, dict) or body.get("format") not in [*FORMATS]:
        return _unknown_format(body)

    try:
        if body.pop("sha256", None) != checksum(body):
            return "was changed or cut short after it was written; save the result again"
    except RecursionError:
        return "nests too deeply to be one; save the result again"

    if wrong := _wrong_parts(body) or _wrong_columns(body) or _wrong_rows(body):
        return f"{wrong}; save the result again"

    return ""


def _unknown_format(body: Any) -> str:
    """Why a file of another format is not read, and how to go on."""
    found = body.get("format") if isinstance(body, dict) else None
    if not isinstance(found, str) or not found.startswith("krcsim-result/"):
        return f"is not a result of krcsim (format {FORMAT!r} expected); give one that it saved"

    made = body.get("provenance")
    command = made.get("command") if isinstance(made, dict) else None
    again = f", by {shown(command)}" if isinstance(command, str) else ""
    return (
        f"has the format {shown(found)}, and this version reads {', '.join(FORMATS)}; read it with "
        f"the krcsim that wrote it, or make it again{again}"
    )


def _wrong_parts(body: dict[str, Any]) -> str:
    wrong = cells.wrong_in_table(_FILE, body)
    wrong = wrong or cells.wrong_in_table(_PROVENANCE, body["provenance"])
    return wrong and f"holds what no result does: {wrong}"


def _wrong_columns(body: dict[str, Any]) -> str:
    base = FORMATS[body["format"]]
    parameters = body["columns"][: -len(base)]
    right = (
        body["columns"][-len(base) :] == [*base]
        and body["difference_columns"] == [*DIFFERENCES]
        and parameters[:1] == ["remedy"]
        and len(set(parameters)) == len(parameters)
    )
    return "" if right else "does not have the columns of its format"


def _wrong_rows(body: dict[str, Any]) -> str:
    if not body["rows"]:
        return "holds no answer"

    base = FORMATS[body["format"]]
    parameters = body["columns"][: -len(base)]
    value_at = len(parameters) + base.index("value")
    rules = [("remedy", cells.LINE), *((name, cells.VALUE) for name in parameters[1:])]
    rules += [(name, RULES[name]) for name in base]
    for row in body["rows"]:
        wrong = cells.wrong_in_row(rules, row)
        if wrong := wrong or wrong_estimate(*row[value_at : value_at + 4]):
            return f"holds what no result does: {wrong}"

    for row in body["differences"]:
        if wrong := cells.wrong_in_row(_DIFFERENCE_RULES, row):
            return f"holds what no result does: {wrong}"

    return ""


def wrong_estimate(value: Cell, lo: Cell, hi: Cell, kind: Cell) -> str:
    """What is wrong with the parts of an Estimate, of which each for itself is right; or ""."""
    given = tuple(part is not None for part in (value, lo, hi))
    allowed = {
        "none": [(False, False, False)],
        "bound": [(False, True, True)],
        "exact": [(True, True, True)],
    }.get(str(kind), [(True, True, True), (True, False, False)])
    ordered: list[Any] = [part for part in (lo, value, hi) if part is not None]
    if given not in allowed or ordered != sorted(ordered):
        return f"value, lo and hi are {value}, {lo}, {hi}, which is no estimate of kind {kind}"

    return ""


def in_todays_format(body: dict[str, Any]) -> dict[str, Any]:
    """What a file of an older format holds as today's would: the same numbers under new names.

    A column that it did not have is None.
    """
    if body["format"] == FORMAT:
        return body

    old = FORMATS[body["format"]]
    parameters = body["columns"][: -len(old)]
    rows = []
    for row in body["rows"]:
        cell = dict(zip(old, row[len(parameters) :], strict=True))
        cell["window"] = _todays_window(cell["window"])
        cell["quantity"] = old_names.QUANTITIES.get(cell["quantity"], cell["quantity"])
        rows.append([*row[: len(parameters)], *map(cell.get, BASE)])

    differences = []
    for row in body["differences"]:
        cell = dict(zip(DIFFERENCES, row, strict=True))
        cell["window"] = _todays_window(cell["window"])
        cell["quantity"] = old_names.QUANTITIES.get(cell["quantity"], cell["quantity"])
        differences.append([*cell.values()])

    made = body["provenance"]
    today = {
        "format": FORMAT,
        "columns": [*parameters, *BASE],
        "rows": rows,
        "differences": differences,
        "provenance": made | {"scenario": _todays_scenario(made["scenario"])},
    }
    return body | today


def _todays_window(name: str) -> str:
    """spell 3 on -> episode 3 on."""
    old = "spell "
    return f"episode {name.removeprefix(old)}" if name.startswith(old) else name


def _todays_scenario(text: str) -> str:
    """A scenario file with the names of today; one that cannot be read stays as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # nobody typed the old names just now
        try:
            return toml_text(from_dict(read_toml(text, "it")))
        except KrcsimError:
            return text
