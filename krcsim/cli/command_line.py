# SPDX-License-Identifier: GPL-2.0-only
"""The command line that cyclopts reads, and its complaints in one line."""

import difflib
import io
import sys
from collections.abc import Callable, Sequence
from inspect import BoundArguments
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter
from cyclopts.exceptions import (
    CoercionError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

import krcsim
from krcsim.base.errors import KrcsimError, shown
from krcsim.cli import completion
from krcsim.cli.arguments import check_lines
from krcsim.cli.old_options import in_full
from krcsim.cli.options import OnScenario, names_of
from krcsim.cli.streams import note, say
from krcsim.cli.verbs import VERBS


def app() -> App:
    """The command line: a command for each verb, whose parameters are the fields of its options."""
    made = App(
        name="krcsim",
        help="How likely is a synchronous wait in kfree_rcu(), and what does each remedy cost?",
        version=f"krcsim {krcsim.__version__}",
        help_format="plaintext",
        usage="Usage: krcsim VERB SCENARIO [OPTIONS]",
        # The last of several values holds; a list has --set= twice, and no --empty-set.
        default_parameter=Parameter(negative=(), allow_repeating=True, show_default=False),
    )
    made["--help"].help = "Show this message, or with a verb its options."
    made["--version"].help = "Show the version."

    for name, verb in VERBS.items():
        made.command(verb.options, name=name, help=verb.options.__doc__)

    def install_completion(
        *,
        shell: Annotated[
            completion.Shell | None, Parameter(help="for this shell, else $SHELL")
        ] = None,
        output: Annotated[Path | None, Parameter(help="write the script into this file")] = None,
    ) -> None:
        completion.install(made, shell, output)

    made.command(
        install_completion,
        name="--install-completion",
        help="Let the Tab key complete verbs, options, presets and fields.",
    )
    return made


def parsed(argv: Sequence[str]) -> OnScenario:
    """The options of a command line that names a verb; raises KrcsimError."""
    options, _ = understood(argv)
    if options is None:
        raise KrcsimError("this command line has no verb; see krcsim --help")
    return options


def understood(argv: Sequence[str]) -> tuple[OnScenario | None, list[str]]:
    """The options of a command line, and its words with each option written out; None where it
    asked for help, for the version or for completion, which is done then. Raises KrcsimError.
    """
    words = [*argv]
    if not words:
        raise KrcsimError(f"a verb is missing: {_verbs_in_words()}")
    if words[0] in VERBS:
        kind = VERBS[words[0]].options
        is_flag = {name: declared.default is False for name, declared in names_of(kind).items()}
        rest, notes = in_full(words[1:], is_flag | {"help": True, "version": True}, words[0])
        words = [words[0], *rest]
        for text in notes:
            note(f"krcsim: note: {text}\n")

    whole = app()
    try:
        command, bound, _ = whole.parse_args(words, exit_on_error=False, print_error=False)
    except CycloptsError as exc:
        raise KrcsimError(_complaint(exc, words[0])) from None

    if isinstance(command, type) and issubclass(command, OnScenario):
        return command(*bound.args, **bound.kwargs), words

    if "console" in bound.arguments:
        _print(command, bound)
    else:
        command(*bound.args, **bound.kwargs)
    return None, words


def check_options(options: OnScenario) -> None:
    """Refuse values that no line can hold, and options that do not go together."""
    check_lines(options)
    VERBS[options.verb].check(options)


class _Sheet(io.StringIO):
    """A text in memory, in signs that standard output has."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(sys.stdout, "encoding", None) or "utf-8"


def _print(show: Callable[..., Any], bound: BoundArguments) -> None:
    """Write help or the version to standard output as every other answer is written."""
    from rich.console import Console

    sheet = _Sheet()
    bound.arguments["console"] = Console(file=sheet, force_terminal=sys.stdout.isatty())
    show(*bound.args, **bound.kwargs)
    say(sheet.getvalue(), end="")


def _verbs_in_words() -> str:
    return f"{', '.join(VERBS)}; see krcsim --help"


def _complaint(exc: CycloptsError, verb: str) -> str:
    """What the library has found wrong, as one line that names the way out."""
    if isinstance(exc.__cause__, KrcsimError):
        return str(exc.__cause__)

    help_of = f"see krcsim {verb} --help"
    name = exc.argument.name if exc.argument is not None else ""

    match exc:
        case UnknownCommandError():
            near = difflib.get_close_matches(verb, VERBS, n=1)
            wrong = f"{shown(verb)} is not a verb"
            return f"{wrong}; did you mean {near[0]}?" if near else f"{wrong}: {_verbs_in_words()}"

        case UnknownOptionError():
            return _unknown_option(exc.token.keyword or exc.token.value, verb)

        case MissingArgumentError() if name == "--scenario":
            return (
                f"{verb} needs a scenario: give the path of a .toml file, or one of: "
                f"{completion.preset_names()}"
            )

        case MissingArgumentError():
            return f"{name} needs a value; {help_of}"

        case UnusedCliTokensError():
            return f"{shown((exc.unused_tokens or [''])[0])} is one word too many; {help_of}"

        case CoercionError() if exc.token is not None:
            choices = exc.argument.get_choices() if exc.argument is not None else None
            allowed = f"allowed: {', '.join(choices)}; " if choices else ""
            return f"{name} is {shown(exc.token.value)}; {allowed}{help_of}"

        case _:
            return f"{str(exc).rstrip('.')}; {help_of}"


def _unknown_option(given: str, verb: str) -> str:
    wrong = f"{shown(given)[1:-1]} is not an option of {verb}"
    if verb not in VERBS:
        return f"{wrong}; see krcsim --help"

    name = given.removeprefix("--")
    others = [other for other, about in VERBS.items() if name in names_of(about.options)]
    if others:
        return f"{wrong}, but of {', '.join(others)}; see krcsim {verb} --help"

    near = difflib.get_close_matches(name, names_of(VERBS[verb].options), n=1)
    remedy = f"did you mean --{near[0]}?" if near else f"see krcsim {verb} --help"
    return f"{wrong}; {remedy}"
