# SPDX-License-Identifier: GPL-2.0-only
"""Fields and their values, scenarios and pins, as a command line gives them."""

import argparse
import shlex
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from krcsim.base.errors import KrcsimError, shown
from krcsim.cli.options import Drawn, Mailed, OnScenario, is_given, names_of
from krcsim.model.joint import Joint, fewer, load_joint, with_changes
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario, presets, value_from


class Pin(NamedTuple):
    """What may stand in a --pin: a scenario and changes of it."""

    scenario: str
    set: list[str]


class _PinParser(argparse.ArgumentParser):
    """Reads the words of a --pin."""

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


def scenario_from(options: OnScenario | Pin) -> Scenario:
    """The scenario that is named, with --set applied: whole sections first, then single fields."""
    changes = {name: value_from(text) for name, text in pairs("--set", options.set).items()}
    return changed(_named(options.scenario), **changes)


def joint_from(options: OnScenario) -> Joint | None:
    """The scenario with the draws of its recording and --set applied to all of them; None where it
    has no draws, or where --draws 0 leaves them out. Raises KrcsimError.
    """
    wanted = options.draws if isinstance(options, Drawn) else None
    if wanted == 0:
        return None
    is_file = options.scenario not in presets() and Path(options.scenario).is_file()
    joint = load_joint(options.scenario) if is_file else None
    if joint is None:
        if wanted:
            raise KrcsimError(
                f"--draws is {wanted}, but {shown(options.scenario)} has no draws; leave "
                "it out, or let krcsim read make the scenario of a recording"
            )
        return None
    if wanted is not None:
        joint = fewer(joint, wanted)
    changes = {name: value_from(text) for name, text in pairs("--set", options.set).items()}
    return with_changes(joint, **changes)


def _named(scenario: str) -> Scenario:
    """A preset, or what a file holds; a preset that is misspelt is said."""
    if scenario not in presets() and not Path(scenario).suffix and "/" not in scenario:
        import difflib

        near = difflib.get_close_matches(scenario, presets(), n=1)
        if near and not _exists(scenario):
            raise KrcsimError(
                f"there is no preset and no file {shown(scenario)}; did you mean {near[0]}?"
            )
    return load_scenario(scenario)


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def pinned(text: str) -> Scenario:
    """The scenario of a --pin; raises KrcsimError."""
    return scenario_from(pin_of(text))


def pin_of(text: str) -> Pin:
    """The words of a --pin; raises KrcsimError."""
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise KrcsimError(f"--pin is {shown(text)} ({exc}); close the quotes") from None

    found = _PinParser().parse_args(words)
    return Pin(found.scenario, found.set)


def refuse_alone(options: OnScenario, name: str, needed: str) -> None:
    """Refuse an option that has no effect unless another is given."""
    if is_given(options, name) and not is_given(options, needed):
        raise KrcsimError(f"--{name} does nothing without --{needed}; add it, or leave this out")


def refuse_together(options: OnScenario, name: str, other: str, hint: str = "") -> None:
    """Refuse an option that has no effect while another is given."""
    if is_given(options, name) and is_given(options, other):
        raise KrcsimError(f"--{name} does nothing together with --{other}; leave one out{hint}")


def check_lines(options: OnScenario) -> None:
    """Refuse control characters and bytes that are not UTF-8: they would break the line that makes
    the same again.
    """
    mail = names_of(Mailed)

    for name, declared in names_of(options).items():
        if name not in mail:
            _check_line(f"--{name}", getattr(options, declared.name))
    _check_line("the scenario", options.scenario)


def _check_line(what: str, value: Any) -> None:
    breaking = ("Cc", "Cs", "Zl", "Zp")

    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and any(unicodedata.category(sign) in breaking for sign in text):
            raise KrcsimError(
                f"{what} is {shown(text)}; allowed: a line of UTF-8 text; rename the file or leave "
                "the character out"
            )
