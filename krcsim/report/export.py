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
from krcsim.report.chart import Chart, chart_csv, digest
from krcsim.report.episode import Episode, episode_csv
from krcsim.report.exact_chart import ExactChart
from krcsim.report.exact_picture import exact_figure
from krcsim.report.figures import figure_of, picture
from krcsim.report.kernels_chart import KernelsChart
from krcsim.report.kernels_picture import kernels_figure
from krcsim.report.sentences import situation
from krcsim.report.target_chart import TargetChart
from krcsim.report.target_picture import target_figure
from krcsim.report.timeline import episode_figure
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
    return digest(toml_text(answer.scenario), answer.seed, _csv(answer.drawn, {}))


def _csv(drawn: Chart | Episode, about: dict[str, Any]) -> str:
    """The numbers drawn, and where they come from."""
    return chart_csv(drawn, about) if isinstance(drawn, Chart) else episode_csv(drawn, about)


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
    made = about(answer, kind, dpi)
    if kind in ("png", "svg", "pdf"):
        foot = f"{answer.command}   [{made['hash']}]"
        return picture(_figure(answer, foot), kind, made, dpi)

    if kind == "csv":
        return _csv(answer.drawn, made).encode()

    if kind == "toml":
        head = "".join(f"{key}: {made[key]}\n" for key in ("again", "seed", "krcsim"))
        return toml_text(answer.scenario, head).encode()

    if kind == "json" and answer.result is not None:
        origin = answer.result.provenance | {"again": made["again"]}
        return replace(answer.result, provenance=origin).to_json().encode()

    if kind == "json" and isinstance(answer.drawn, Episode):
        events = [asdict(event) for event in answer.drawn.events]
        return (json.dumps(made | {"events": events}, indent=1) + "\n").encode()

    if kind == "txt":
        return answer.text.encode()

    raise KrcsimError(
        f"a file of kind {kind!r} cannot be made of this answer; allowed: {', '.join(KINDS)}"
    )


def _figure(answer: Answer, foot: str) -> Any:
    """The figure of an answer, what it is about above."""
    if isinstance(answer.drawn, TargetChart):
        return target_figure(answer.drawn, foot)
    if isinstance(answer.drawn, ExactChart):
        return exact_figure(answer.drawn, foot)
    if isinstance(answer.drawn, KernelsChart):
        return kernels_figure(answer.drawn, foot)
    if isinstance(answer.drawn, Chart):
        return figure_of(answer.drawn, situation(answer.scenario), foot)

    return episode_figure(answer.drawn, foot=foot)


def export_all(
    folder: Path, answer: Answer, dpi: int = 150, kinds: Iterable[str] = KINDS
) -> list[Path]:
    """Write all files of an answer under one free name; raises KrcsimError and leaves none if one
    fails.
    """
    files = {f".{kind}": file_of(answer, kind, dpi) for kind in kinds}
    return write_set(folder, f"{answer.name}-{hash_of(answer)[:8]}", files)
