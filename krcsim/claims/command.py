# SPDX-License-Identifier: GPL-2.0-only
"""The shell command of a question, which shows the same numbers."""

import shlex
from typing import Any

from krcsim.claims.claim import Question


def command_of(question: Question, quantities: tuple[str, ...]) -> str:
    """The command that answers a question; of a sweep it shows these quantities."""
    words = ["krcsim", question.verb, question.preset]
    for field, value in question.set.items():
        words += ["--set", f"{field}={_as_text(value)}"]
    for field, values in question.over.items():
        words += ["--over", f"{field}={','.join(map(_as_text, values))}"]
    for name, value in question.options.items():
        words += [f"--{name.replace('_', '-')}", _as_text(value)]
    if question.verb == "sweep":
        for quantity in quantities:
            words += ["--quantity", quantity]
    return shlex.join(words)


def _as_text(value: Any) -> str:
    """A value as an option of the shell has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value).replace(" ", "")
