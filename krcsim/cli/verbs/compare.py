# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim compare`: remedies with the same random draws; what compare, sweep and reply share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

from krcsim.base.errors import KrcsimError
from krcsim.cli.arguments import joint_from, pairs, pinned, refuse_together, scenario_from
from krcsim.cli.delivery import check_targets, deliver, wants_text
from krcsim.cli.options import QUESTION, Delivered, Drawn, Studied, Verb, option, repeated
from krcsim.cli.progress import reporting
from krcsim.cli.result_table import result_table
from krcsim.cli.streams import note
from krcsim.model.joint import Joint
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import value_from

_MOST_PINS = 8


@dataclass(frozen=True, kw_only=True)
class Compared(Studied, Delivered):
    """A comparison that may be drawn, next to those of other scenarios."""

    pin: Annotated[
        list[str],
        option(
            "draw another scenario next to it; again for more, up to 8",
            QUESTION,
            metavar="'SCENARIO --set ...'",
        ),
    ] = repeated()


@dataclass(frozen=True, kw_only=True)
class Compare(Compared, Drawn):
    """Remedies with the same random draws."""

    verb: ClassVar[str] = "compare"


def check(options: Studied) -> None:
    """Refuse options that do nothing for a grid."""
    hint = "; sweep over remedies with --over remedy=A1,B"
    refuse_together(options, "remedies", "over", hint)
    refuse_together(options, "by-episode", "over")
    if isinstance(options, Drawn) and options.draws:
        refuse_together(options, "draws", "over")
        refuse_together(options, "draws", "by-episode")


def run(options: Compared, command: str) -> None:
    """Compare, or fill a small grid; print it and write its files."""
    from krcsim.report.chart import chart_of, with_pins
    from krcsim.report.reply import answer_text
    from krcsim.studies.ask import checked_quantity

    check_targets(options)
    scenario = scenario_from(options)
    columns = [checked_quantity(name) for name in getattr(options, "quantity", [])]
    if len(options.pin) > _MOST_PINS:
        raise KrcsimError(
            f"--pin is given {len(options.pin)} times; allowed: up to {_MOST_PINS}; draw another "
            "figure for the rest"
        )

    pins = [pinned(pin) for pin in options.pin]
    result = studied(options, scenario, command, joint_for(options))
    others = {
        letter: chart_of(studied(options, pin, command))
        for letter, pin in zip("ABCDEFGH", pins, strict=False)
    }
    text = answer_text(result) if wants_text(options) else ""

    deliver(
        options,
        options.verb,
        scenario,
        command,
        with_pins(chart_of(result), others),
        text,
        result,
        result_table(result, columns),
    )


def joint_for(options: Studied) -> Joint | None:
    """The scenario with the draws of its recording, where the question is asked over them."""
    if not isinstance(options, Drawn) or (joint := joint_from(options)) is None:
        return None
    if options.over or options.by_episode:
        which = "over" if options.over else "by-episode"
        note(f"krcsim: note: with --{which} the fitted scenario is asked, without its draws\n")
        return None
    return joint


def studied(options: Studied, scenario: Scenario, command: str, joint: Joint | None = None) -> Any:
    """The result of a sweep or a comparison, made now; over the draws of a recording, if given."""
    from krcsim.base.fields import check_whole
    from krcsim.model.remedy import THREAD
    from krcsim.model.remedy_list import listed
    from krcsim.studies.compare import compare, episodes
    from krcsim.studies.recorded import compare_recording
    from krcsim.sweeps.grid import sweep

    with reporting(options.quiet) as report:
        how: dict[str, Any] = dict(
            seed=options.seed,
            precision=options.precision,
            command=command,
            progress=report and partial(_report_points, report),
        )
        how["max_runs"] = options.max_runs
        if options.budget is not None:
            how["budget"] = options.budget

        if options.over:
            return sweep(scenario, over_of(options), **how)

        names = THREAD if options.remedies is None else listed(options.remedies, scenario)
        check_whole("--by-episode", options.by_episode, 100, "8 shows how a reserve fills")
        if options.by_episode:
            return episodes(scenario, names, count=options.by_episode, **how)
        if joint is not None:
            how["progress"] = report and partial(_report_draws, report)
            return compare_recording(joint, names, **how)
        return compare(scenario, names, **how)


def _report_points(report: Callable[[str], None], done: int, total: int) -> None:
    report(f"{done} of {total} points done")


def _report_draws(report: Callable[[str], None], done: int, total: int) -> None:
    report(f"{done} of {total} draws of the recording done")


def over_of(options: Studied) -> dict[str, list[Any]]:
    """The values of --over: V1,V2,... or LO:HI:COUNT, with :log or :whole after it."""
    from krcsim.model.remedy_list import listed
    from krcsim.sweeps.plan import spread

    over: dict[str, list[Any]] = {}
    for name, text in pairs("--over", options.over).items():
        ends = text.split(":")
        if name == "remedy":
            over[name] = [*listed(text, scenario_from(options))]
        elif len(ends) in (3, 4):
            over[name] = [*spread(*map(value_from, ends))]
        else:
            over[name] = [value_from(value) for value in text.split(",")]
    return over


VERB = Verb(Compare, run, check)
