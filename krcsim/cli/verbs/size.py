# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim size`: the smallest reserve that keeps a probability below a target."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from krcsim.base.errors import KrcsimError, refuse
from krcsim.cli import completion
from krcsim.cli.arguments import scenario_from
from krcsim.cli.delivery import check_targets, deliver, wants_text
from krcsim.cli.options import (
    EFFORT,
    QUESTION,
    Asked,
    Budgeted,
    Delivered,
    Limited,
    Quiet,
    Verb,
    option,
)
from krcsim.cli.progress import reporting
from krcsim.cli.values import Real, Whole


@dataclass(frozen=True, kw_only=True)
class Size(Asked, Delivered, Limited, Budgeted, Quiet):
    """The smallest pool, the fewest pages or the cheapest mix for a target."""

    verb: ClassVar[str] = "size"

    target: Annotated[
        Real, option("what the probability must stay below", QUESTION, show_default=True)
    ] = 1e-6

    of: Annotated[
        str,
        option(
            "what is to be small: objects (pool), pages, or bytes of both (mix)",
            QUESTION,
            metavar="pool|pages|mix",
            completer=completion.pool_pages_or_mix,
            show_default=True,
        ),
    ] = "pool"

    confidence: Annotated[
        Real, option("for all looks at a size together", EFFORT, show_default=True)
    ] = 0.95

    at_boot: Annotated[
        str,
        option(
            "what the reserve holds at boot: empty, full, or own for your setting",
            QUESTION,
            metavar="own|empty|full",
            completer=completion.reserves_at_boot,
            show_default=True,
        ),
    ] = "own"

    beside: Annotated[
        Whole, option("pages next to a pool, or objects next to pages", QUESTION, metavar="N")
    ] = 0


def run(options: Size, command: str) -> None:
    """Search, deliver what was tried; a target that no size meets is an error after that."""
    from krcsim.studies.size import size
    from krcsim.studies.size_chart import chart_of_sizes
    from krcsim.studies.size_words import size_result, size_sentence, size_table, size_text

    check_targets(options)
    scenario = scenario_from(options)
    refuse(
        len(options.quantity) > 1,
        "quantity",
        options.quantity,
        "one of them",
        "ask for each in turn",
    )

    with reporting(options.quiet) as report:
        found = size(
            scenario,
            options.target,
            of=options.of,
            quantity=[*options.quantity, "p_wait"][0],
            window=options.window,
            confidence=options.confidence,
            at_boot=options.at_boot,
            fixed=options.beside,
            seed=options.seed,
            budget=options.budget,
            method=options.method,
            report=report,
            command=command,
            max_runs=options.max_runs,
        )

    text = size_text(found) if wants_text(options) else ""
    deliver(
        options,
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


VERB = Verb(Size, run)
