# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim sensitivity`: which uncertain input moves the answer most, and what to record next."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from krcsim.base.errors import refuse
from krcsim.cli.arguments import joint_from, scenario_from
from krcsim.cli.options import (
    EFFORT,
    QUESTION,
    Drawn,
    Json,
    OnScenario,
    Quiet,
    Seeded,
    Verb,
    Windowed,
    option,
    repeated,
)
from krcsim.cli.progress import reporting
from krcsim.cli.streams import say
from krcsim.cli.values import Runs, Whole

WIDTH = 100


@dataclass(frozen=True, kw_only=True)
class SensitivityOf(OnScenario, Seeded, Windowed, Drawn, Json, Quiet):
    """Which uncertain input moves the answer most; of a recording, what to record next."""

    verb: ClassVar[str] = "sensitivity"

    quantity: Annotated[
        list[str], option("what is asked, for example wait_ms (p_wait)", QUESTION)
    ] = repeated()

    points: Annotated[
        Whole,
        option(
            "a power of two; (inputs + 2) times as many points are asked",
            EFFORT,
            metavar="N",
            show_default=True,
        ),
    ] = 64

    max_runs: Annotated[
        Runs, option("replications of a point at most", EFFORT, metavar="N", show_default=True)
    ] = 16


def run(options: SensitivityOf, command: str) -> None:
    """Rank the inputs, and print the ranking."""
    from krcsim.studies.sensitivity import sensitivity

    names = options.quantity
    refuse(len(names) > 1, "quantity", names, "one of them", "ask for each in turn")
    scenario = joint_from(options) or scenario_from(options)
    with reporting(options.quiet) as report:
        found = sensitivity(
            scenario,
            n=options.points,
            max_runs=options.max_runs,
            quantity=[*names, "p_wait"][0],
            window=options.window,
            seed=options.seed,
            command=command,
            progress=report and (lambda done, total: report(f"{done} of {total} points done")),
        )
    say(_json(found) if options.json else _text(found))


def _text(found: Any) -> str:
    from krcsim.base.tables import text_table
    from krcsim.report.plain_text import wrap
    from krcsim.results.result import number
    from krcsim.studies.sensitivity_chart import caption, finding, in_rows
    from krcsim.studies.what_to_record import what_to_record

    rows = [
        [
            *in_rows(row.name, *row.range).partition("\n")[::2],
            row.origin,
            *(f"{number(x)} [{number(lo)}, {number(hi)}]" for x, lo, hi in (row.first, row.total)),
        ]
        for row in found.indices
    ]
    table = text_table(["input", "range", "which is", "alone", "with all others"], rows)
    lines = [*wrap(f"{finding(found)}.", WIDTH), *wrap(what_to_record(found), WIDTH), "", *table]
    return "\n".join([*lines, "", *wrap(caption(found), WIDTH)])


def _json(found: Any) -> str:
    from dataclasses import asdict

    from krcsim.model.scenario_file import toml_text
    from krcsim.studies.what_to_record import what_to_record

    body = {
        "command": found.command,
        "scenario": toml_text(found.scenario),
        "seed": found.seed,
        "said": what_to_record(found),
        "quantity": found.quantity,
        "window": found.window,
        "indices": [asdict(row) for row in found.indices],
        "floor": found.floor,
        "at_floor": found.at_floor,
        "chance": found.chance,
        "spread": found.spread,
        "points": found.points,
    }
    return json.dumps(body, indent=1, allow_nan=False)


VERB = Verb(SensitivityOf, run)
