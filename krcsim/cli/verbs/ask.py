# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim ask`: one number in a sentence that says how it was found; or all methods next to each
other.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar

from krcsim.base.errors import KrcsimError, refuse
from krcsim.cli import completion
from krcsim.cli.arguments import joint_from, scenario_from
from krcsim.cli.delivery import check_targets, deliver, wants_text
from krcsim.cli.options import (
    QUESTION,
    Asked,
    Delivered,
    Drawn,
    Precise,
    Quiet,
    Verb,
    is_given,
    option,
)
from krcsim.cli.progress import reporting
from krcsim.cli.streams import say
from krcsim.cli.values import Whole
from krcsim.model.joint import Joint, joint_text
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import toml_text


@dataclass(frozen=True, kw_only=True)
class Ask(Asked, Delivered, Drawn, Precise, Quiet):
    """One number, how it was found and why so; with --sizes all methods next to each other."""

    verb: ClassVar[str] = "ask"

    sizes: Annotated[
        Whole,
        option(
            "pools (--of pages: lists of pages) of 0 to N a CPU, by each method, for a scenario on "
            "one CPU",
            QUESTION,
            metavar="N",
        ),
    ] = -1

    of: Annotated[
        str,
        option(
            "with --sizes: what has these sizes, pool or pages",
            QUESTION,
            metavar="pool|pages",
            completer=completion.pool_or_pages,
        ),
    ] = "pool"


def run(options: Ask, command: str) -> None:
    """Ask, and print what was found."""
    check_targets(options)
    scenario = scenario_from(options)

    if options.sizes >= 0:
        if options.draws:
            raise KrcsimError("--draws does nothing with --sizes; leave one of them out")
        _by_each_method(options, scenario, command)
        return
    if options.out or options.of != "pool":
        raise KrcsimError(
            f"--{'out' if options.out else 'of'} of ask draws methods over sizes; add for example "
            "--sizes 6"
        )
    joint = joint_from(options)
    if joint is None:
        _one_number(options, scenario, command)
    else:
        _over_draws(options, joint, command)


def _quantity(options: Ask) -> str:
    refuse(
        len(options.quantity) > 1,
        "quantity",
        options.quantity,
        "one of them",
        "ask for each in turn",
    )
    return [*options.quantity, "p_wait"][0]


def _how(options: Ask) -> dict[str, Any]:
    return dict(
        window=options.window,
        seed=options.seed,
        precision=options.precision,
        method=options.method,
        max_runs=options.max_runs,
    )


def _over_draws(options: Ask, joint: Joint, command: str) -> None:
    from krcsim.methods import plain
    from krcsim.methods.finding_verdict import finding_verdict
    from krcsim.studies.recorded import ask_recording, recorded_sentences

    quantity = _quantity(options)
    with reporting(options.quiet) as report:
        found = ask_recording(
            joint,
            quantity,
            progress=report and (lambda done, total: report(f"{done} of {total} draws done")),
            **_how(options),
        )

    if options.json:
        body = {
            "command": command,
            "scenario": joint_text(joint),
            "seed": options.seed,
            "said": recorded_sentences(found),
            "parts": asdict(found.parts),
            "drawn": [asdict(e) for e in found.drawn],
        }
        say(json.dumps(body | asdict(found.finding), indent=1, allow_nan=False))
    else:
        said = replace(found.finding, estimate=found.parts.whole, method=plain.NAME)
        say(f"{finding_verdict(said)}\n\n{recorded_sentences(found)}")


def _one_number(options: Ask, scenario: Scenario, command: str) -> None:
    from krcsim.methods.finding_verdict import finding_verdict
    from krcsim.studies.ask import asking
    from krcsim.studies.finding_words import finding_sentences

    quantity = _quantity(options)
    with reporting(options.quiet) as report:
        for found in asking(
            scenario,
            quantity,
            **_how(options),
        ):
            if report:
                report(f"{found.replications} replications, {found.method}")

    if options.json:
        body = {
            "command": command,
            "scenario": toml_text(scenario),
            "seed": options.seed,
            "said": finding_sentences(found),
        }
        say(json.dumps(body | asdict(found), indent=1, allow_nan=False))
    else:
        say(f"{finding_verdict(found)}\n\n{finding_sentences(found)}")


def _by_each_method(options: Ask, scenario: Scenario, command: str) -> None:
    from krcsim.studies.all_methods import by_all_methods
    from krcsim.studies.all_methods_report import (
        all_methods_result,
        all_methods_table,
        all_methods_text,
        chart_of_all_methods,
    )

    for name in ("quantity", "method", "precision"):
        if is_given(options, name):
            raise KrcsimError(
                f"--{name} does not go with --sizes, which asks for P(wait) by each method; leave "
                "it out"
            )

    with reporting(options.quiet) as report:
        found = by_all_methods(
            scenario,
            options.of,
            largest=options.sizes,
            window=options.window,
            seed=options.seed,
            report=report,
            command=command,
            max_runs=options.max_runs,
        )

    text = all_methods_text(found) if wants_text(options) else ""
    deliver(
        options,
        "rare-and-exact",
        scenario,
        command,
        chart_of_all_methods(found),
        text,
        all_methods_result(found),
        all_methods_table(found),
    )


VERB = Verb(Ask, run)
