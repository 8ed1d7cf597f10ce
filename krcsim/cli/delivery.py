# SPDX-License-Identifier: GPL-2.0-only
"""An answer goes into files, or is printed; what would fail after the work is refused before it."""

from pathlib import Path
from typing import Any

from krcsim.base.errors import KrcsimError, shown
from krcsim.base.files import is_there, write_all
from krcsim.cli.options import Delivered, Files
from krcsim.cli.streams import say
from krcsim.model.scenario import Scenario


def check_targets(options: Files, kinds: tuple[str, ...] = ()) -> None:
    """Refuse files that cannot be written; `kinds`: allowed endings, if not those of figures."""
    if options.out and not kinds:
        from krcsim.report.export import KINDS as kinds  # which needs matplotlib, as a figure does

    places = [Path(path).absolute() for path in options.out]
    twice = [
        path for path, place in zip(options.out, places, strict=True) if places.count(place) > 1
    ]
    if twice:
        raise KrcsimError(
            f"--out is given twice with {shown(min(twice))}; choose another name for one of them"
        )

    for path in map(Path, options.out):
        check_target(path, options.overwrite)
        if path.suffix[1:] not in kinds:
            raise KrcsimError(
                f"--out is {str(path)!r}; allowed: a name ending in .{', .'.join(kinds)}"
            )


def check_target(path: Path, overwrite: bool) -> None:
    """Refuse one file that cannot be written; raises KrcsimError."""
    if is_there(path) and not overwrite:
        raise KrcsimError(f"{path} exists already; choose another name or add --overwrite")
    if not path.parent.is_dir():
        raise KrcsimError(f"{path.parent} is not a folder; make it, or choose another")


def wants_text(options: Files) -> bool:
    """Whether a .txt is to be written, whose text a wide grid may not have."""
    return any(path.endswith(".txt") for path in options.out)


def deliver(
    options: Delivered,
    name: str,
    scenario: Scenario,
    command: str,
    drawn: Any,
    text: str,
    result: Any = None,
    table: str = "",
) -> None:
    """Write an answer into the files of --out, and print it: as JSON, or as a table, or if there is
    neither a table nor a file as text.

    `name`: of the kind of answer, in the files. `drawn`: the figure's data. `result`: its numbers.
    """
    if options.out or options.json:
        from krcsim.report.export import Answer, file_of

        answer = Answer(name, scenario, options.seed, command, drawn, text, result)
        files = {
            path: file_of(answer, path.suffix[1:], options.dpi) for path in map(Path, options.out)
        }
        write_all(files, overwrite=options.overwrite)
        if options.json:
            say(file_of(answer, "json").decode(), end="")
            return

    if table:
        say(table)
    elif not options.out:
        say(text, end="")
