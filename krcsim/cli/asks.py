# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim ask`: one number in a sentence that says how it was found; or all methods beside each
other.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.old_names import runs_on_rung
from krcsim.cli.streams import say, telling
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import toml_text


def run_ask(
    args: argparse.Namespace, scenario: Scenario, command: str, deliver: Callable[..., Any]
) -> None:
    """Ask, and print what was found."""
    if args.sizes >= 0:
        _beside(args, scenario, command, deliver)
        return
    if args.out or args.of != "pool":
        raise KrcsimError(
            f"--{'out' if args.out else 'of'} of ask draws methods over sizes; add for example "
            "--sizes 6"
        )
    from krcsim.studies.ask import asking
    from krcsim.studies.finding_words import finding_sentences

    refuse(len(args.quantity) > 1, "quantity", args.quantity, "one of them", "ask for each in turn")
    with telling(args.quiet) as told:
        for found in asking(
            scenario,
            [*args.quantity, "p_wait"][0],
            window=args.window,
            seed=args.seed,
            precision=args.precision,
            max_runs=runs_on_rung(args.max_rung),
            method=args.method,
        ):
            if told:
                told(f"{found.replications} replications, {found.method}")
    if args.json:
        body = {
            "command": command,
            "scenario": toml_text(scenario),
            "seed": args.seed,
            "said": finding_sentences(found),
        }
        say(json.dumps(body | asdict(found), indent=1, allow_nan=False))
    else:
        say(finding_sentences(found))


def _beside(
    args: argparse.Namespace, scenario: Scenario, command: str, deliver: Callable[..., Any]
) -> None:
    from krcsim.studies.all_methods import by_all_methods
    from krcsim.studies.all_methods_report import (
        all_methods_result,
        all_methods_table,
        all_methods_text,
        chart_of_all_methods,
    )

    for name, plain in (("quantity", []), ("method", "auto"), ("precision", 0.1)):
        if getattr(args, name) != plain:
            raise KrcsimError(
                f"--{name} does not go with --sizes, which asks for P(wait) by each method; leave "
                "it out"
            )
    with telling(args.quiet) as told:
        found = by_all_methods(
            scenario,
            args.of,
            largest=args.sizes,
            window=args.window,
            seed=args.seed,
            max_runs=runs_on_rung(args.max_rung),
            report=told,
            command=command,
        )
    text = all_methods_text(found) if any(path.endswith(".txt") for path in args.out) else ""
    deliver(
        args,
        "rare-and-exact",
        scenario,
        command,
        chart_of_all_methods(found),
        text,
        all_methods_result(found),
        all_methods_table(found),
    )
