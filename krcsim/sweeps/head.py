# SPDX-License-Identifier: GPL-2.0-only
"""The head of a table: the whole plan as TOML behind `# `, and the line with the names of the
columns.
"""

from collections.abc import Iterable
from typing import Any

from krcsim.base import cells, old_names
from krcsim.base.csv_text import csv_line
from krcsim.base.errors import KrcsimError
from krcsim.base.reading import read_toml
from krcsim.methods.table import CHOICES
from krcsim.model.scenario import as_dict, from_dict
from krcsim.model.scenario_file import UNSET
from krcsim.results.quantities import QUANTITIES
from krcsim.runs.ladder import FIRST_RUNS, MOST_RUNS, steps
from krcsim.runs.replications import WINDOWS
from krcsim.sweeps.digest import versions
from krcsim.sweeps.plan import MAX_SIZE, Plan, Range

FORMAT = "krcsim-sweep/3"
# Formats of before are read, but not gone on with; the first had no check in its rows.
FIRST_FORMAT, SECOND_FORMAT = "krcsim-sweep/1", "krcsim-sweep/2"
OLD_FORMATS = (FIRST_FORMAT, SECOND_FORMAT)
PARTS = ("value", "lo", "hi", "kind", "method", "replications")  # of a quantity
OLD_PARTS = (*PARTS, "rung")
_LIST = cells.Rule("a list of values", lambda x: isinstance(x, list) and len(x) > 0)
_HEAD = {
    "format": cells.word(*OLD_FORMATS, FORMAT),
    "draws": cells.within(1, MAX_SIZE, "a whole number from 1 on"),
    "quantities": cells.several(cells.word(*QUANTITIES)),
    "window": cells.word(*WINDOWS),
    "seed": cells.COUNT,
    "precision": cells.within(0, 1, "a number from 0 to 1"),
    "max_runs": cells.Rule(
        f"{FIRST_RUNS}, {2 * FIRST_RUNS}, ... or {MOST_RUNS}",
        lambda x: cells.COUNT.fits(x) and x in steps(MOST_RUNS),
    ),
    "method": cells.word(*CHOICES),
    "points": cells.COUNT,
    "versions": cells.mapping(cells.LINE),
    "over": cells.mapping(_LIST),
    "sample": cells.mapping(_LIST),
    "scenario": cells.TABLE,
}


def head(plan: Plan) -> str:
    """The head of a plan's table: TOML behind `# `, and the line with the names of the columns."""
    import tomli_w

    body = {
        "format": FORMAT,
        "draws": plan.draws,
        "quantities": list(plan.quantities),
        "window": plan.window,
        "seed": plan.seed,
        "precision": plan.precision,
        "max_runs": plan.max_runs,
        "method": plan.method,
        "points": plan.size,
        "versions": versions(),
        "over": {name: [UNSET if v is None else v for v in values] for name, values in plan.over},
        "sample": {r.field: [r.lo, r.hi, r.how] for r in plan.sample},
        "scenario": as_dict(plan.scenario),
    }
    text = tomli_w.dumps(body).replace("\n    ", " ").replace(",\n]", " ]")  # lists on one line
    return "".join(f"# {x}".rstrip() + "\n" for x in text.splitlines()) + csv_line(columns(plan))


def columns(plan: Plan) -> tuple[str, ...]:
    """Names of the columns."""
    return names_of_columns(plan.fields, plan.quantities, PARTS, FORMAT)


def names_of_columns(
    fields: Iterable[str], quantities: Iterable[str], parts: tuple[str, ...], form: str
) -> tuple[str, ...]:
    """Names of the columns of a table of some format."""
    found = (q if part == "value" else f"{q}.{part}" for q in quantities for part in parts)
    last = ("refused",) if form == FIRST_FORMAT else ("refused", "check")
    return ("point", *fields, *found, *last)


def plan_in(text: str) -> Plan:
    """The plan in the head of a table; raises KrcsimError for what is none."""
    body = _with_names_of_today(body_of(text))
    if wrong := cells.wrong_in_table(_HEAD, body):
        raise KrcsimError(f"the head of the table holds what none does: {wrong}")
    if any(len(ends) != 3 for ends in body["sample"].values()) or set(body["sample"]) & set(
        body["over"]
    ):
        raise KrcsimError("the head of the table holds a sample that is none")
    over = tuple((k, tuple(None if x == UNSET else x for x in v)) for k, v in body["over"].items())
    sample = tuple(Range(k, *v) for k, v in body["sample"].items())
    plan = Plan(
        from_dict(body["scenario"]),
        over,
        sample,
        int(body["draws"]),
        tuple(body["quantities"]),
        body["window"],
        body["seed"],
        body["precision"],
        body["max_runs"],
        body["method"],
    )
    if plan.size != body["points"]:
        raise KrcsimError(
            f"the head of the table says {body['points']:,} points, and its plan has {plan.size:,}"
        )
    return plan


def _with_names_of_today(body: dict[str, Any]) -> dict[str, Any]:
    """The head of a table of a former format with the names of today."""
    if body.get("format") not in OLD_FORMATS:
        return body

    body = dict(body)
    if "max_rung" in body:
        body["max_runs"] = old_names.runs_on_rung(body.pop("max_rung"))
    if isinstance(body.get("quantities"), list):
        body["quantities"] = [old_names.QUANTITIES.get(str(q), q) for q in body["quantities"]]
    for part in ("over", "sample"):
        if isinstance(body.get(part), dict):
            body[part] = {old_names.field(name): values for name, values in body[part].items()}
    return body


def body_of(text: str) -> dict[str, Any]:
    return read_toml(
        "\n".join(x[2:] for x in text.splitlines() if x.startswith("#")), "the head of the table"
    )
