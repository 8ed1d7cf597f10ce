# SPDX-License-Identifier: GPL-2.0-only
"""The command that makes the same answer again, as it stands in every file under `again:` or `Made
with:`.
"""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from krcsim.cli.arguments import joint_from, pair, pin_of, scenario_from
from krcsim.cli.options import (
    Drawn,
    Figures,
    Json,
    Mailed,
    OnScenario,
    Quiet,
    is_given,
    names_of,
)
from krcsim.model.scenario_file import command_near, presets

# Options that change nothing of an answer: where it goes, and how it is mailed.
_ELSEWHERE = {name for group in (Figures, Json, Quiet, Mailed) for name in names_of(group)}


def command_of(options: OnScenario, words: Sequence[str] = ()) -> str:
    """The command that makes the same again: what the options were understood as, in the order of
    `words`, in which they are written out.

    Options that only say where output goes are left out. A scenario file, also that of a pin,
    becomes the nearest preset and what differs, so that the command needs no file; one with draws
    of a recording is named, since no line can hold them.
    """
    heads = [word.partition("=")[0] for word in words]
    place = {
        name: heads.index(f"--{name}") if f"--{name}" in heads else len(heads)
        for name in names_of(options)
    }
    names = [
        name
        for name in sorted(place, key=lambda name: place[name])
        if name not in _ELSEWHERE and (place[name] < len(heads) or is_given(options, name))
    ]

    needs_no_file = options.scenario in ("", *presets()) or options.scenario.endswith(".json")
    if needs_no_file:
        given = [word for name in names for word in _words(options, name)]
        return shlex.join(["krcsim", options.verb, *filter(None, [options.scenario]), *given])

    if isinstance(options, Drawn) and joint_from(options) is not None:
        given = [word for name in names for word in _words(options, name)]
        return shlex.join(["krcsim", options.verb, options.scenario, *given])

    rest = [word for name in names if name != "set" for word in _words(options, name)]
    return command_near(options.verb, scenario_from(options), shlex.join(rest))


def _words(options: OnScenario, name: str) -> Iterator[str]:
    """One option as words of a command."""
    value = getattr(options, names_of(options)[name].name)
    if value is None or value is False:
        return

    for one in value if isinstance(value, list) else [value]:
        text = _as_typed(one)
        if name in ("set", "over", "sample"):
            text = "=".join(pair(one))
        elif name == "pin":
            text = _without_file(one)

        if one is True:
            yield f"--{name}"
        elif text.startswith("-"):
            yield f"--{name}={text}"
        else:
            yield from (f"--{name}", text)


def _as_typed(value: Any) -> str:
    """A value as somebody would type it: a whole number without its point."""
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _without_file(text: str) -> str:
    """A pin that needs no file."""
    pin = pin_of(text)
    if pin.scenario not in presets():
        return command_near("pin", scenario_from(pin)).removeprefix("krcsim pin ")

    sets = [word for one in pin.set for word in ("--set", "=".join(pair(one)))]
    return shlex.join([pin.scenario, *sets])
