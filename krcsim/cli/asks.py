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
    from krcsim.studies.all_methods import said
    from krcsim.studies.ask import asking

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
            "said": said(found),
        }
        say(json.dumps(body | asdict(found), indent=1, allow_nan=False))
    else:
        say(said(found))


def _beside(
    args: argparse.Namespace, scenario: Scenario, command: str, deliver: Callable[..., Any]
) -> None:
    from krcsim.studies.all_methods import beside, chart_of_beside, result_of, shown, text_of

    for name, plain in (("quantity", []), ("method", "auto"), ("precision", 0.1)):
        if getattr(args, name) != plain:
            raise KrcsimError(
                f"--{name} does not go with --sizes, which asks for P(wait) by each method; leave "
                "it out"
            )
    with telling(args.quiet) as told:
        found = beside(
            scenario,
            args.of,
            largest=args.sizes,
            window=args.window,
            seed=args.seed,
            max_runs=runs_on_rung(args.max_rung),
            told=told,
            command=command,
        )
    text = text_of(found) if any(path.endswith(".txt") for path in args.out) else ""
    deliver(
        args,
        "rare-and-exact",
        scenario,
        command,
        chart_of_beside(found),
        text,
        result_of(found),
        shown(found),
    )
