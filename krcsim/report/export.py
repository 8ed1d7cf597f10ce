# SPDX-License-Identifier: GPL-2.0-only
"""An answer as files: figure, data drawn, scenario, result, text; each alone enough to be made
again.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.files import write_set
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import SCENARIO_FILE, toml_text
from krcsim.report.chart import Chart, csv_text, digest
from krcsim.report.figures import figure_of, picture
from krcsim.report.reply import situation
from krcsim.report.timeline import Episode, csv_of, episode_figure, story
from krcsim.results.result import Result

KINDS = ("png", "svg", "pdf", "csv", "toml", "json", "txt")


@dataclass(frozen=True)
class Answer:
    """What a question was answered with: `drawn` is in the figure; `command` makes it again in a
    shell.
    """

    name: str
    scenario: Scenario
    seed: int
    command: str
    drawn: Chart | Episode
    text: str
    result: Result | None = None


def hash_of(answer: Answer) -> str:
    """Twelve digits that stand for scenario, seed and the numbers drawn."""
    numbers = (
        csv_text(answer.drawn, {}) if isinstance(answer.drawn, Chart) else csv_of(answer.drawn, {})
    )
    return digest(toml_text(answer.scenario), answer.seed, numbers)


def about(answer: Answer, kind: str, dpi: int = 150) -> dict[str, Any]:
    """Where a file of an answer comes from; `again` is the one command that makes it again."""
    import krcsim

    again = f"{answer.command} --out again.{kind}" + (f" --dpi {dpi}" if kind == "png" else "")
    if SCENARIO_FILE in answer.command.split():
        again += f"  # {SCENARIO_FILE}: the scenario that stands in this file"
    return {
        "again": again,
        "seed": answer.seed,
        "hash": hash_of(answer),
        "krcsim": krcsim.__version__,
        "scenario": toml_text(answer.scenario),
    }


def file_of(answer: Answer, kind: str, dpi: int = 150) -> bytes:
    """One file of an answer as bytes, the same for the same answer; `kind` is one of KINDS."""
    refuse(
        not 20 <= dpi <= 1200,
        "dpi",
        dpi,
        "20 to 1200 dots per inch",
        "150 fits a screen, 300 paper",
    )
    made, drawn = about(answer, kind, dpi), answer.drawn
    if kind in ("png", "svg", "pdf"):
        foot = f"{answer.command}   [{made['hash']}]"
        fig = (
            figure_of(drawn, situation(answer.scenario), foot)
            if isinstance(drawn, Chart)
            else episode_figure(drawn, story(drawn), foot)
        )
        return picture(fig, kind, made, dpi)
    if kind == "csv":
        return (csv_text(drawn, made) if isinstance(drawn, Chart) else csv_of(drawn, made)).encode()
    if kind == "toml":
        head = "".join(f"{key}: {made[key]}\n" for key in ("again", "seed", "krcsim"))
        return toml_text(answer.scenario, head).encode()
    if kind == "json" and answer.result is not None:
        whole = replace(
            answer.result, provenance=answer.result.provenance | {"again": made["again"]}
        )
        return whole.to_json().encode()
    if kind == "json" and isinstance(drawn, Episode):
        return (
            json.dumps(made | {"events": [asdict(e) for e in drawn.events]}, indent=1) + "\n"
        ).encode()
    if kind == "txt":
        return answer.text.encode()
    raise KrcsimError(
        f"a file of kind {kind!r} cannot be made of this answer; allowed: {', '.join(KINDS)}"
    )


def export_all(
    folder: Path, answer: Answer, dpi: int = 150, kinds: Iterable[str] = KINDS
) -> list[Path]:
    """Write all files of an answer under one free name; raises KrcsimError and leaves none if one
    fails.
    """
    files = {f".{kind}": file_of(answer, kind, dpi) for kind in kinds}
    return write_set(folder, f"{answer.name}-{hash_of(answer)[:8]}", files)
