# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim reply`: the answer as plain text, or as the draft of a mail."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_all
from krcsim.cli import completion
from krcsim.cli.arguments import scenario_from
from krcsim.cli.delivery import check_targets
from krcsim.cli.options import SCENARIO, Mailed, Studied, Verb, Windowed, is_given, option
from krcsim.cli.streams import note, say
from krcsim.cli.verbs import compare
from krcsim.cli.verbs.compare import studied

# What makes an answer: nothing of it changes a saved one.
_MAKES = ("set", "seed", "precision", "max-runs", "remedies", "by-episode", "over")


@dataclass(frozen=True, kw_only=True)
class Reply(Studied, Windowed, Mailed):
    """A plain-text answer from a scenario or a saved .json result."""

    verb: ClassVar[str] = "reply"

    scenario: Annotated[
        str,
        option(
            f"a saved .json result, a .toml file, or one of: {completion.preset_names()}",
            SCENARIO,
            completer=completion.results_and_scenarios,
        ),
    ] = field(kw_only=False)


def check(options: Reply) -> None:
    """Refuse options that do nothing for a grid, or for a saved result."""
    compare.check(options)
    for name in _MAKES:
        if options.scenario.endswith(".json") and is_given(options, name):
            raise KrcsimError(
                f"--{name} does not change a saved result; leave it out, or give the scenario"
            )
    if options.quote and not options.parent:
        raise KrcsimError("--quote needs the mail it quotes from; add --parent MAIL")


def run(options: Reply, command: str) -> None:
    """Answer, from a saved result or from a scenario that is run now."""
    from krcsim.report.mail import draft
    from krcsim.report.reply import answer_text
    from krcsim.results.result import load_result

    check_targets(options, ("txt", "eml"))
    how = _mail(options)
    is_mail = bool(options.parent or options.in_reply_to)
    if is_mail or any(path.endswith(".eml") for path in options.out):
        _check_mail(options, how)  # what is wrong with it is said before the work

    if options.scenario.endswith(".json"):
        result = load_result(options.scenario)
    else:
        result = studied(options, scenario_from(options), command)
    text = answer_text(result, options.window)

    if options.out:
        _write(options, how, text)
    else:
        say(draft(text, **how).decode() if is_mail else text, end="")


def _mail(options: Reply) -> dict[str, Any]:
    """What a draft is made with, next to its text."""
    from krcsim.report.mail import Parent, chosen, message_id, read_parent

    known = options.in_reply_to
    if options.parent:
        parent = read_parent(Path(options.parent), known)
    else:
        parent = Parent(known and message_id(known))

    return dict(
        parent=parent,
        quote=[line for what in options.quote for line in chosen(parent.body, what)],
        sender=options.sender,
        subject=options.subject,
        to=options.to,
        cc=options.cc,
    )


def _check_mail(options: Reply, how: dict[str, Any]) -> None:
    """Refuse a mail that cannot be drafted, and say what a draft leaves out."""
    from krcsim.report.mail import draft, recipients

    draft("-", **how)
    parent = how["parent"]
    people = recipients(parent, to=options.to, cc=options.cc, sender=options.sender)
    for text in (*parent.notes, *people.notes):
        note(f"krcsim: note: {text}\n")


def _write(options: Reply, how: dict[str, Any], text: str) -> None:
    """Write the files, and say how a draft would be sent."""
    from krcsim.report.mail import draft, send_command

    paths = [Path(path) for path in options.out]
    write_all(
        {
            path: draft(text, **how) if path.suffix == ".eml" else text.encode("ascii")
            for path in paths
        },
        overwrite=options.overwrite,
    )
    for path in paths:
        if path.suffix == ".eml":
            command = send_command(path, how["parent"])
            say(f"{path} is a draft, nothing was sent; to send it:\n{command}")
        else:
            say(str(path))


VERB = Verb(Reply, run, check)
