# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim show`: a scenario as TOML."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from krcsim.cli import completion
from krcsim.cli.arguments import scenario_from
from krcsim.cli.options import SCENARIO, OnScenario, Verb, option
from krcsim.cli.streams import say
from krcsim.model.scenario_file import presets, toml_text


@dataclass(frozen=True, kw_only=True)
class Show(OnScenario):
    """A scenario as TOML; without a name, the list."""

    verb: ClassVar[str] = "show"

    scenario: Annotated[
        str,
        option(
            f"a .toml file, or one of: {completion.preset_names()}",
            SCENARIO,
            completer=completion.scenarios,
        ),
    ] = field(default="", kw_only=False)


def run(options: Show, _: str) -> None:
    """Print the scenario, or the names of those that come with krcsim."""
    if options.scenario:
        from krcsim.results.feedback import scenario_notes

        scenario = scenario_from(options)
        notes = "".join(f"# {note}\n" for note in scenario_notes(scenario))
        say(f"{notes}{toml_text(scenario)}", end="")
    else:
        say("\n".join(presets()))


VERB = Verb(Show, run)
