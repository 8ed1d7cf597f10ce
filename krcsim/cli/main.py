# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim VERB SCENARIO`: the same verbs as in Python, from a shell."""

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from krcsim.base.errors import KrcsimError
from krcsim.base.errors import shown as short
from krcsim.base.files import is_there, write_all
from krcsim.base.old_names import runs_on_rung
from krcsim.cli.given import (
    MAIL,
    Parser,
    check_options,
    command_of,
    known_options,
    pairs,
    pinned,
    scenario_from,
    value_of,
)
from krcsim.cli.streams import check_output, note, open_error, say, telling
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import presets, toml_text


def shown(result: Any) -> str:
    """A result as tables for a terminal."""
    from krcsim.base.tables import text_table
    from krcsim.report.chart import is_by_episode
    from krcsim.report.plain_text import wrap
    from krcsim.report.sentences import found_words, unexposed_words
    from krcsim.results.quantities import QUANTITIES, columns_of_tables
    from krcsim.results.result import words

    names = columns_of_tables(is_by_episode(result))
    out = []
    for w in result.windows():
        rows = [
            [
                *map(str, p),
                *(words(result.get(p, q, w)) for q in names),
                *(
                    str(result.detail(p, names[0], w, column) or "")
                    for column in ("replications", "method")
                ),
            ]
            for p in result.points()
        ]
        out += [
            f"{w}:",
            *text_table([*result.parameters, *names, "runs", f"{names[0]} by"], rows),
            "",
        ]
    points = result.points()
    notes = [*wrap(found_words(result, points), 100), *wrap(unexposed_words(result, points), 100)]
    return "\n".join(
        [*out, *notes, *[""] * bool(notes), *(f"{q}: {QUANTITIES[q].words}" for q in names)]
    )


def run_simulate(args: argparse.Namespace, command: str) -> None:
    """One run with its event log, or one episode of it."""
    from krcsim.base.fields import check_whole
    from krcsim.studies.simulate import simulate

    check_targets(args)
    for option, value in (("--episode", args.episode), ("--cpu", args.cpu)):
        check_whole(option, value, 2**31, "episodes and CPUs are counted, episodes from 1 on")
    if args.episode:
        from krcsim.report.timeline import one_episode, text_of

        episode = one_episode(
            scenario_from(args),
            args.seed,
            replication=args.replication,
            number=args.episode,
            cpu=args.cpu,
        )
        deliver(args, "one-episode", episode.scenario, command, episode, text_of(episode, command))
        return
    if args.out:
        raise KrcsimError("--out of simulate needs one episode; add for example --episode 1")
    run = simulate(
        scenario_from(args),
        args.seed,
        replication=args.replication,
        events=args.events,
        every_call=args.every_call,
    )
    if args.json:
        body = {"command": command, "scenario": toml_text(run.scenario)}
        fields = ("seed", "replication", "counters", "events", "total_events")
        say(json.dumps(body | {name: getattr(run, name) for name in fields}, indent=1))
        return
    for first in range(0, len(run.events), 10_000):  # not all in one text: there may be millions
        say(
            "\n".join(
                f"{at:12.4f} ms  {'all' if cpu < 0 else f'cpu{cpu}':>7}  {what:32} {value:g}"
                for at, cpu, what, value in run.events[first : first + 10_000]
            )
        )
    lines = []
    if run.total_events > len(run.events):
        lines.append(
            f"... {run.total_events - len(run.events)} more events; raise --events to see them"
        )
    lines += [
        f"{window}: " + ", ".join(f"{k} {v:g}" for k, v in counters.items() if v)
        for window, counters in run.counters.items()
    ]
    say("\n".join(lines))


def check_targets(args: argparse.Namespace, kinds: tuple[str, ...] = ()) -> None:
    """Refuse at once what would fail only after the work is done; `kinds`: endings, if not those of
    figures.
    """
    if args.out and not kinds:
        from krcsim.report.export import KINDS as kinds  # which needs matplotlib, as a figure does
    if twice := {
        path
        for path in args.out
        if [Path(x).absolute() for x in args.out].count(Path(path).absolute()) > 1
    }:
        raise KrcsimError(
            f"--out is given twice with {short(min(twice))}; choose another name for one of them"
        )
    for path in map(Path, args.out):
        if is_there(path) and not args.overwrite:
            raise KrcsimError(f"{path} exists already; choose another name or add --overwrite")
        if not path.parent.is_dir():
            raise KrcsimError(f"{path.parent} is not a folder; make it, or choose another")
        if path.suffix[1:] not in kinds:
            raise KrcsimError(
                f"--out is {str(path)!r}; allowed: a name ending in .{', .'.join(kinds)}"
            )


def deliver(
    args: argparse.Namespace,
    name: str,
    scenario: Scenario,
    command: str,
    drawn: Any,
    text: str,
    result: Any = None,
    shown: str = "",
) -> None:
    """Write an answer into the files of --out, and print it."""
    if args.out or args.json:
        from krcsim.report.export import Answer, file_of

        answer = Answer(name, scenario, args.seed, command, drawn, text, result)
        write_all(
            {path: file_of(answer, path.suffix[1:], args.dpi) for path in map(Path, args.out)},
            overwrite=args.overwrite,
        )
        if args.json:
            say(file_of(answer, "json").decode(), end="")
    if not args.json and (shown or not args.out):
        say(shown or text, end="\n" if shown else "")


def over_of(args: argparse.Namespace) -> dict[str, list[Any]]:
    """The values of --over: V1,V2,... or LO:HI:COUNT, with :log or :whole behind it."""
    from krcsim.model.remedy_list import listed
    from krcsim.sweeps.plan import spread

    over: dict[str, list[Any]] = {}
    for name, text in pairs("--over", args.over).items():
        ends = text.split(":")
        if name == "remedy":
            over[name] = list(listed(text, scenario_from(args)))
            continue
        over[name] = [
            *(
                spread(*map(value_of, ends))
                if len(ends) in (3, 4)
                else map(value_of, text.split(","))
            )
        ]
    return over


def count(told: Callable[[str], None], done: int, total: int) -> None:
    """Say how far a study is."""
    told(f"{done} of {total} points done")


def studied(args: argparse.Namespace, scenario: Scenario, command: str) -> Any:
    """The result of a sweep or a comparison, made now."""
    from krcsim.base.fields import check_whole
    from krcsim.model.remedy import THREAD
    from krcsim.model.remedy_list import listed
    from krcsim.studies.compare import compare, episodes
    from krcsim.sweeps.grid import sweep

    with telling(args.quiet) as told:
        how: dict[str, Any] = dict(
            seed=args.seed,
            precision=args.precision,
            max_runs=runs_on_rung(args.max_rung),
            command=command,
            progress=told and partial(count, told),
        )
        how |= {} if args.budget is None else dict(budget=args.budget)
        if args.over:
            return sweep(scenario, over_of(args), **how)
        names = THREAD if args.remedies is None else listed(args.remedies, scenario)
        check_whole("--by-episode", args.by_episode, 100, "8 shows how a reserve fills")
        return (
            episodes(scenario, names, count=args.by_episode, **how)
            if args.by_episode
            else compare(scenario, names, **how)
        )


def run_study(args: argparse.Namespace, command: str) -> None:
    """Remedies in the same worlds, or a small grid."""
    from krcsim.report.chart import chart_of, with_pins
    from krcsim.report.reply import answer_text

    check_targets(args)
    scenario = scenario_from(args)
    if len(args.pin) > 8:
        raise KrcsimError(
            f"--pin is given {len(args.pin)} times; allowed: up to 8; draw another figure for the "
            "rest"
        )
    pins = [pinned(pin) for pin in args.pin]
    result = studied(args, scenario, command)
    others = {
        letter: chart_of(studied(args, s, command))
        for letter, s in zip("ABCDEFGH", pins, strict=False)
    }
    text = (
        answer_text(result) if any(path.endswith(".txt") for path in args.out) else ""
    )  # a grid may be too wide
    deliver(
        args,
        args.verb,
        scenario,
        command,
        with_pins(chart_of(result), others),
        text,
        result,
        shown(result),
    )


def run_sweep(args: argparse.Namespace, command: str) -> None:
    """A small grid in memory, or any sweep into a table."""
    from krcsim.cli.sweeps import check_sweep, run_into

    check_sweep(args)
    if args.into:
        run_into(args, scenario_from(args), over_of(args))
    else:
        run_study(args, command)


def run_reply(args: argparse.Namespace, command: str) -> None:
    """The answer as plain text or as the draft of a mail, from a saved result or a scenario that is
    run now.
    """
    from krcsim.report.mail import (
        Parent,
        chosen,
        draft,
        message_id,
        read_parent,
        recipients,
        send_command,
    )
    from krcsim.report.reply import answer_text
    from krcsim.results.result import load_result

    check_targets(args, ("txt", "eml"))
    known = args.in_reply_to
    parent = (
        read_parent(Path(args.parent), known)
        if args.parent
        else Parent(known and message_id(known))
    )
    if args.quote and not args.parent:
        raise KrcsimError("--quote needs the mail it quotes from; add --parent MAIL")
    quote = [line for what in args.quote for line in chosen(parent.body, what)]
    how: dict[str, Any] = dict(
        parent=parent, quote=quote, sender=args.sender, subject=args.subject, to=args.to, cc=args.cc
    )
    if args.parent or known or any(path.endswith(".eml") for path in args.out):
        draft("-", **how)  # what is wrong with it is said before the work
        people = recipients(parent, to=args.to, cc=args.cc, sender=args.sender)
        for said in (*parent.notes, *people.notes):
            note(f"krcsim: note: {said}\n")
    result = load_result(args.scenario) if args.scenario.endswith(".json") else None
    text = answer_text(result or studied(args, scenario_from(args), command), args.window)
    write_all(
        {
            path: draft(text, **how) if path.suffix == ".eml" else text.encode("ascii")
            for path in map(Path, args.out)
        },
        overwrite=args.overwrite,
    )
    for path in map(Path, args.out):
        mail = path.suffix == ".eml"
        say(
            f"{path} is a draft, nothing was sent; to send it:\n{send_command(path, parent)}"
            if mail
            else str(path)
        )
    if not args.out:
        say(draft(text, **how).decode() if args.parent or known else text, end="")


def run_show(args: argparse.Namespace, command: str) -> None:
    """A scenario as TOML, or the names of those that come with krcsim."""
    say(toml_text(scenario_from(args)) if args.scenario else "\n".join([*presets(), ""]), end="")


def run_size(args: argparse.Namespace, command: str) -> None:
    """The smallest reserve for a target."""
    from krcsim.cli.size import run_size as run

    check_targets(args)
    run(args, scenario_from(args), command, deliver)


def run_ask(args: argparse.Namespace, command: str) -> None:
    """One number, or all methods beside each other."""
    from krcsim.cli.asks import run_ask as run

    check_targets(args)
    run(args, scenario_from(args), command, deliver)


def run_kernel(args: argparse.Namespace, command: str) -> None:
    """The scenario as a line for the harness in kernel/; measured in a guest if asked."""
    from krcsim.cli.kernel import run_kernel as run

    run(args, scenario_from(args), command)


_MAIL = " ".join(MAIL)
_STUDY = "set seed json precision max-rung budget out dpi overwrite quiet pin"
VERBS = {
    "simulate": (
        run_simulate,
        "one run with its event log, or one episode of it",
        "set replication events every-call episode cpu seed json out dpi overwrite",
    ),
    "compare": (run_study, "remedies in the same worlds", f"{_STUDY} remedies by-episode over"),
    "sweep": (
        run_sweep,
        "a grid of values; with --into a large one, or a sample, into a table",
        f"{_STUDY} remedies by-episode over into sample points quantity window method workers on",
    ),
    "ask": (
        run_ask,
        "one number, how it was found and why so; with --sizes all methods beside each other",
        "set quantity window method precision max-rung seed json sizes of out dpi overwrite quiet",
    ),
    "size": (
        run_size,
        "the smallest pool, the fewest pages or the cheapest mix for a target",
        "set target of quantity method confidence at-boot beside window budget seed json max-rung "
        "out dpi overwrite "
        "quiet",
    ),
    "reply": (
        run_reply,
        "a plain-text answer from a scenario or a saved .json result",
        "set seed precision max-rung budget out overwrite quiet remedies by-episode over window "
        f"{_MAIL}",
    ),
    "kernel": (
        run_kernel,
        "the scenario as a line for the kernel harness; with --run measured in a guest",
        "set run seeds remedies json out overwrite quiet",
    ),
    "show": (run_show, "a scenario as TOML; without a name, the list", "set"),
}


def parser() -> Parser:
    """The command line."""
    import krcsim

    top = Parser(prog="krcsim", description="How likely is a synchronous wait in kfree_rcu()?")
    top.add_argument("--version", action="version", version=f"krcsim {krcsim.__version__}")
    known = known_options()
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    for name, (_, words, options) in VERBS.items():
        p = verbs.add_parser(name, help=words, description=words)
        p.add_argument(
            "scenario",
            nargs="?" if name == "show" else None,
            metavar="SCENARIO",
            help="a .toml file, or one of: " + ", ".join(presets()),
        )
        for option in options.split():
            about = known[option] | (
                {"default": []} if known[option].get("action") == "append" else {}
            )
            kind = {"int": int, "float": float}.get(about.pop("type", ""))
            p.add_argument(f"--{option}", **about | ({"type": kind} if kind else {}))
    return top


def main(argv: list[str] | None = None) -> int:
    """Run a command line; returns the exit status: 0, or 2 with one line on what to mend."""
    argv = sys.argv[1:] if argv is None else argv
    open_error()
    try:
        check_output()
        args = parser().parse_args(argv)
        run, _, options = VERBS[args.verb]
        check_options(args, options)
        run(args, command_of(args, options, argv))
    except KrcsimError as exc:
        note(f"krcsim: {exc}\n")
        return 2
    except KeyboardInterrupt:
        note("\nkrcsim: stopped; nothing was written\n")
        return 130
    finally:
        note(
            ""
            # what could not be written is dropped here, and not by the interpreter, which would
            # fail on it
        )
    return 0
