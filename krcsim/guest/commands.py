# SPDX-License-Identifier: GPL-2.0-only
"""Commands that the guests need from the host: run without input, and stopped after some time."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from krcsim.base.errors import KrcsimError


def ended(
    command: Sequence[str],
    what: str,
    seconds: int,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    remedy: str = "try again",
) -> subprocess.CompletedProcess[str]:
    """How a command ended and what it printed, whether it failed or not.

    what: what it does, as a sentence begins with it. folder: where it runs. Raises KrcsimError with
    the remedy if it takes longer than `seconds`.
    """
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise KrcsimError(
            f"{what} took more than {seconds} s: {command[0]} was stopped; {remedy}"
        ) from None
