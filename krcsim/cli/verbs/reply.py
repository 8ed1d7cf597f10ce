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
from krcsim.cli.options import (
    QUESTION,
    SCENARIO,
    Drawn,
    Mailed,
    Studied,
    Verb,
    Windowed,
    is_given,
    option,
)
from krcsim.cli.streams import note, say
from krcsim.cli.verbs import compare
from krcsim.cli.verbs.compare import joint_for, studied

# What makes an answer: nothing of it changes a saved one.
_MAKES = ("set", "seed", "precision", "max-runs", "remedies", "by-episode", "over", "draws")


@dataclass(frozen=True, kw_only=True)
class Reply(Studied, Drawn, Windowed, Mailed):
    """A plain-text answer from a scenario, a saved .json result, or to a claim of the thread."""

    verb: ClassVar[str] = "reply"

    scenario: Annotated[
        str,
        option(
            f"a saved .json result, a .toml file, or one of: {completion.preset_names()}",
            SCENARIO,
            completer=completion.results_and_scenarios,
        ),
    ] = field(default="", kw_only=False)

    claim: Annotated[
        str,
        option(
            "the answer to a claim of the thread instead (Q1 to Q33)",
            QUESTION,
            metavar="NUMBER",
            completer=completion.claims,
        ),
    ] = ""


def check(options: Reply) -> None:
    """Refuse options that do nothing for a grid, or for a saved result."""
    if options.claim:
        _check_claim(options)
    elif not options.scenario:
        raise KrcsimError(
            "reply needs a scenario: give the path of a .toml file, a saved .json result, --claim "
            f"Q7, or one of: {completion.preset_names()}"
        )
    compare.check(options)
    for name in _MAKES:
        if options.scenario.endswith(".json") and is_given(options, name):
            raise KrcsimError(
                f"--{name} does not change a saved result; leave it out, or give the scenario"
            )
    if options.quote and not options.parent:
        raise KrcsimError("--quote needs the mail it quotes from; add --parent MAIL")


def _check_claim(options: Reply) -> None:
    """Refuse what does nothing for a claim, whose numbers are kept."""
    if options.scenario:
        raise KrcsimError("--claim has scenarios of its own; leave the scenario out")
    for name in (*_MAKES, "budget", "window"):
        if is_given(options, name):
            raise KrcsimError(
                f"--{name} does not change a claim, whose numbers are kept; leave it out, or give "
                "it to the command that stands below the answer"
            )


def run(options: Reply, command: str) -> None:
    """Answer, from a saved result or from a scenario that is run now."""
    from krcsim.claims.reply import reply_to
    from krcsim.report.mail import draft
    from krcsim.report.reply import answer_text
    from krcsim.results.result import load_result

    check_targets(options, ("txt", "eml"))
    claim = _claim_of(options)
    how = _mail(options, claim.message_id if claim else "")
    is_mail = bool(options.parent or options.in_reply_to)
    if is_mail or any(path.endswith(".eml") for path in options.out):
        _check_mail(options, how)  # what is wrong with it is said before the work

    if claim:
        text = reply_to(claim.number)
    elif options.scenario.endswith(".json"):
        text = answer_text(load_result(options.scenario), options.window)
    else:
        text = answer_text(
            studied(options, scenario_from(options), command, joint_for(options)), options.window
        )

    if options.out:
        _write(options, how, text)
    else:
        say(draft(text, **how).decode() if is_mail else text, end="")


def _claim_of(options: Reply) -> Any:
    """The claim that is answered, or None; raises KrcsimError for one that is not there."""
    from krcsim.claims.claim import read_claims

    return read_claims().named(options.claim) if options.claim else None


def _mail(options: Reply, of_claim: str = "") -> dict[str, Any]:
    """What a draft is made with, next to its text; it answers the message of a claim where nothing
    else is named.
    """
    from krcsim.report.mail import Parent, chosen, message_id, read_parent

    known = options.in_reply_to or of_claim * (not options.parent)
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
