# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim size`: the smallest reserve that keeps a probability below a target."""

import argparse
from collections.abc import Callable
from typing import Any

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.old_names import runs_on_rung
from krcsim.cli.streams import telling
from krcsim.model.scenario import Scenario


def run_size(
    args: argparse.Namespace, scenario: Scenario, command: str, deliver: Callable[..., Any]
) -> None:
    """Search, deliver what was tried; a target that no size meets is an error after that."""
    from krcsim.studies.size import size
    from krcsim.studies.size_chart import chart_of_sizes
    from krcsim.studies.size_words import size_result, size_sentence, size_table, size_text

    refuse(len(args.quantity) > 1, "quantity", args.quantity, "one of them", "ask for each in turn")
    with telling(args.quiet) as told:
        found = size(
            scenario,
            args.target,
            of=args.of,
            quantity=[*args.quantity, "p_wait"][0],
            window=args.window,
            confidence=args.confidence,
            at_boot=args.at_boot,
            fixed=args.beside,
            seed=args.seed,
            max_runs=runs_on_rung(args.max_rung),
            budget=args.budget,
            method=args.method,
            report=told,
            command=command,
        )
    text = size_text(found) if any(path.endswith(".txt") for path in args.out) else ""
    deliver(
        args,
        "how-big",
        scenario,
        command,
        chart_of_sizes(found),
        text,
        size_result(found),
        size_table(found),
    )
    if not found.met:
        raise KrcsimError(size_sentence(found))
