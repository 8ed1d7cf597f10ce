# SPDX-License-Identifier: GPL-2.0-only
"""What a command line gives: fields and their values, scenarios, and the command that makes the
same again.
"""

import argparse
import functools
import shlex
import sys
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from krcsim.base.errors import KrcsimError, sentence, shown
from krcsim.base.reading import read_toml
from krcsim.cli.streams import note, say
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import UNSET, command_near, load_scenario, presets

# Options that change nothing of an answer: where it goes, and how it is mailed.
MAIL = "parent in-reply-to quote subject to cc from".split()
_ELSEWHERE = {"out", "dpi", "json", "overwrite", "quiet", *MAIL}
# (verb, option): another one without which it would do nothing, or beside which it would do
# nothing.
_NEEDS = {("simulate", "cpu"): "episode"}
_CLASHES = {("simulate", "events"): "episode", ("simulate", "every-call"): "episode"} | {
    (verb, name): "over"
    for verb in ("compare", "sweep", "reply")
    for name in ("remedies", "by-episode")
}
_MAKES = (
    "set seed precision max-rung remedies by-episode over".split()
)  # an answer: nothing of it changes a saved one


class Parser(argparse.ArgumentParser):
    """Errors in one line and exit status 2."""

    def error(self, message: str) -> Any:
        """Print one line and leave with status 2."""
        self.exit(2, f"krcsim: {sentence(f'{message}; see {self.prog} --help')}\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Help and version, or a complaint, on the streams that everything else goes to."""
        (note if file is sys.stderr else partial(say, end=""))(message)


class _PinParser(argparse.ArgumentParser):
    """What may stand in a --pin: a scenario and changes of it."""

    def __init__(self) -> None:
        super().__init__(prog="--pin", add_help=False, allow_abbrev=False)
        self.add_argument("scenario")
        self.add_argument("--set", action="append", default=[])

    def error(self, message: str) -> Any:
        """Say what is wrong with it."""
        raise KrcsimError(
            f"--pin cannot be read ({message}); write for example --pin 'phone --set "
            "machine.cpus=2'"
        )


@functools.cache
def known_options() -> dict[str, dict[str, Any]]:
    """The options of all verbs, as argparse takes them."""
    return tomllib.loads(Path(__file__).with_name("options.toml").read_text(encoding="utf-8"))


def value_of(text: str) -> Any:
    """A value as TOML reads it, else the text itself: 12, 0.5, true, atomic; `unset` is None."""
    if text == UNSET:
        return None
    try:
        found = read_toml(f"x = {text}", "it")
    except KrcsimError:
        return text
    return found["x"] if len(found) == 1 else text


def pair(text: str) -> tuple[str, str]:
    """Split field=value; raises KrcsimError."""
    name, _, value = text.partition("=")
    if not name.strip() or not value.strip():
        raise KrcsimError(
            f"{shown(text)} is not field=value; write for example workload.rate_hz=5000"
        )
    return name.strip(), value.strip()


def pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """The fields of an option that is given once for each; raises KrcsimError for a field given
    twice.
    """
    found: dict[str, str] = {}
    for name, value in map(pair, texts):
        if name in found:
            raise KrcsimError(
                f"{option} gives {name} twice, as {shown(found[name])} and {shown(value)}; leave "
                "one out"
            )
        found[name] = value
    return found


def scenario_from(args: argparse.Namespace) -> Scenario:
    """The scenario that the arguments name, with --set applied: whole sections first, then single
    fields.
    """
    return changed(
        load_scenario(args.scenario),
        **{k: value_of(v) for k, v in pairs("--set", args.set).items()},
    )


def pinned(text: str) -> Scenario:
    """The scenario of a --pin; raises KrcsimError."""
    return scenario_from(_pin(text))


def _pin(text: str) -> argparse.Namespace:
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise KrcsimError(f"--pin is {shown(text)} ({exc}); close the quotes") from None
    return _PinParser().parse_args(words)


def command_of(args: argparse.Namespace, options: str, argv: Sequence[str] = ()) -> str:
    """The command that makes the same again: what the options of its verb were understood as, in
    the order of `argv`.

    Options that only say where output goes are left out. A scenario file, also that of a pin,
    becomes the nearest preset and what differs, so that the command needs no file.
    """
    heads = [word.split("=")[0] for word in argv]
    place = {
        name: next(
            (n for n, x in enumerate(heads) if len(x) > 2 and f"--{name}".startswith(x)), len(heads)
        )
        for name in options.split()
    }
    names = [
        x
        for x in sorted(place, key=lambda x: place[x])
        if place[x] < len(heads) or _is_given(args, x)
    ]
    words = [word for name in names for word in _words(args, name)]
    if not args.scenario or args.scenario in presets() or args.scenario.endswith(".json"):
        return shlex.join(["krcsim", args.verb, *[args.scenario] * bool(args.scenario), *words])
    without = [word for name in names if name != "set" for word in _words(args, name)]
    return command_near(args.verb, scenario_from(args), shlex.join(without))


def _words(args: argparse.Namespace, name: str) -> Iterator[str]:
    value = _value(args, name)
    if name in _ELSEWHERE or value is None or value is False:
        return
    for one in value if isinstance(value, list) else [value]:
        text = _plain(one)
        if name in ("set", "over", "sample"):
            text = "=".join(pair(one))
        elif name == "pin":
            text = _near(one)
        if one is True:
            yield f"--{name}"
        elif text.startswith("-"):
            yield f"--{name}={text}"
        else:
            yield from (f"--{name}", text)


def _plain(value: Any) -> str:
    """A value as somebody would type it: a whole number without its point."""
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _near(pin: str) -> str:
    """A pin that needs no file."""
    given = _pin(pin)
    if given.scenario in presets():
        return shlex.join(
            [
                given.scenario,
                *(word for one in given.set for word in ("--set", "=".join(pair(one)))),
            ]
        )
    return command_near("pin", scenario_from(given)).removeprefix("krcsim pin ")


def _value(args: argparse.Namespace, name: str) -> Any:
    return getattr(args, known_options()[name].get("dest", name.replace("-", "_")))


def _is_given(args: argparse.Namespace, name: str) -> bool:
    """Whether an option is not left to its default."""
    value = _value(args, name)
    return (
        value is not None
        and value is not False
        and value not in ([], known_options()[name].get("default"))
    )


def check_options(args: argparse.Namespace, options: str) -> None:
    """Refuse options that would do nothing beside others, and values that no line can hold."""
    names = options.split()
    for name in (name for name in names if _is_given(args, name)):
        if needed := _NEEDS.get((args.verb, name)):
            _refuse(
                not _is_given(args, needed),
                name,
                f"does nothing without --{needed}; add it, or leave this out",
            )
        if other := _CLASHES.get((args.verb, name)):
            hint = "; sweep over remedies with --over remedy=A1,B" if name == "remedies" else ""
            _refuse(
                _is_given(args, other), name, f"does nothing beside --{other}; leave one out{hint}"
            )
        if args.verb == "reply" and args.scenario.endswith(".json") and name in _MAKES:
            _refuse(
                True, name, "does not change a saved result; leave it out, or give the scenario"
            )
        if name not in MAIL:
            _check_lines(f"--{name}", _value(args, name))
    _check_lines("the scenario", args.scenario)


def _refuse(wrong: bool, name: str, why: str) -> None:
    if wrong:
        raise KrcsimError(f"--{name} {why}")


def _check_lines(what: str, value: Any) -> None:
    """Refuse control characters and bytes that are not UTF-8: they would break the line that makes
    the same again.
    """
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and any(
            unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text
        ):
            raise KrcsimError(
                f"{what} is {shown(text)}; allowed: a line of UTF-8 text; rename the file or leave "
                "the "
                "character out"
            )
