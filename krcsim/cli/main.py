# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim VERB SCENARIO`: the verbs of Python, from a shell."""

import sys

from krcsim.base.errors import KrcsimError
from krcsim.cli.command_line import check_options, understood
from krcsim.cli.made_with import command_of
from krcsim.cli.old_options import notes_of_old_names
from krcsim.cli.streams import check_output, note, open_error
from krcsim.cli.verbs import VERBS
from krcsim.runs.waiting import announced_to


def main(argv: list[str] | None = None) -> int:
    """Run a command line; returns the exit status: 0, or 2 with one line on what to mend."""
    open_error()
    try:
        check_output()
        with notes_of_old_names():
            _run(sys.argv[1:] if argv is None else argv)
    except KrcsimError as exc:
        note(f"krcsim: {exc}\n")
        return 2
    except KeyboardInterrupt:
        note("\nkrcsim: stopped; nothing was written\n")
        return 130
    finally:
        # What could not be written is dropped here, and not by the interpreter, which would fail
        # on it.
        note("")
    return 0


def _run(argv: list[str]) -> None:
    options, words = understood(argv)
    if options is None:
        return

    check_options(options)
    is_quiet = getattr(options, "quiet", False)
    with announced_to(None if is_quiet else lambda text: note(f"krcsim: {text}\n")):
        VERBS[options.verb].run(options, command_of(options, words))
