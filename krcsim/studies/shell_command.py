# SPDX-License-Identifier: GPL-2.0-only
"""The shell command that asks the same question as a call from Python."""

from collections.abc import Mapping
from typing import Any


def options_of(asked: Mapping[str, Any], usual: Mapping[str, Any]) -> list[str]:
    """Options for the values that are not the usual ones, in the order of `usual`."""
    return [
        f"--{name.replace('_', '-')} {asked[name]}"
        for name in usual
        if asked.get(name, usual[name]) != usual[name]
    ]
