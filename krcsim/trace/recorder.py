# SPDX-License-Identifier: GPL-2.0-only
"""The recorder: a script for the machine that is asked about, printed and never run from here."""

import re
import shlex
from importlib import resources

from krcsim.base.errors import refuse

MOST_SECONDS = 3600
_MARK = re.compile("@[A-Z]+@")
MOST_MIB = 1024
LONGEST_FOLDER = 200  # characters
MOST_CPU = 2.0  # % of the CPU time that recording may take
LEAST_CPU = 0.1


def script(
    seconds: int, mib: int, folder: str, keep_names: bool, command: str, most_cpu: float = MOST_CPU
) -> str:
    """The shell script for tracefs: it records for `seconds`, into one archive in `folder`.

    `mib` limits the events that are kept beside the counts. Calls that come so often that counting
    them would take more than `most_cpu` % of the CPU time are counted in parts of the time. Raises
    FieldError.
    """
    _check_seconds(seconds)
    refuse(
        not 1 <= mib <= MOST_MIB,
        "--mib",
        mib,
        f"1 to {MOST_MIB} MiB",
        "grace periods and reclaims of a minute need a few MiB",
    )
    refuse(
        not folder.isprintable() or not 0 < len(folder) <= LONGEST_FOLDER,
        "--folder",
        folder,
        f"a path of up to {LONGEST_FOLDER} characters",
        "name the folder that the recorder may write into",
    )
    refuse(
        not LEAST_CPU <= most_cpu <= 100.0,
        "--most-cpu",
        most_cpu,
        f"{LEAST_CPU} to 100 % of the CPU time",
        "100 counts all calls, whatever it costs",
    )
    return _filled(
        "record.sh",
        {
            "@MOST@": f"{most_cpu:g}",
            "@SECONDS@": str(seconds),
            "@MIB@": str(mib),
            "@FOLDER@": shlex.quote(folder),
            "@KEEP@": "1" if keep_names else "0",
            "@NAMES@": "all names of processes" if keep_names else "no names of processes",
            "@COMMAND@": command,
        },
    )


def program(seconds: int, command: str) -> str:
    """The same for bpftrace, with less in it; raises FieldError."""
    _check_seconds(seconds)
    return _filled("record.bt", {"@SECONDS@": str(seconds), "@COMMAND@": command})


def _check_seconds(seconds: int) -> None:
    refuse(
        not 1 <= seconds <= MOST_SECONDS,
        "--seconds",
        seconds,
        f"1 to {MOST_SECONDS} s",
        "a minute shows most; record twice rather than for hours",
    )


def _filled(name: str, values: dict[str, str]) -> str:
    """A file of this room with values in the places of its marks; a value holds no marks."""
    text = resources.files("krcsim.trace").joinpath(name).read_text(encoding="utf-8")
    return _MARK.sub(lambda found: values[found[0]], text)
