# SPDX-License-Identifier: GPL-2.0-only
"""What the Tab key offers, and the script that a shell needs for it."""

import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from cyclopts import App
from cyclopts.completion import CompletionContext

from krcsim.base.errors import KrcsimError
from krcsim.base.files import is_there
from krcsim.cli.streams import say
from krcsim.model.scenario_file import presets

Shell = Literal["bash", "zsh", "fish", "powershell"]


def preset_names() -> str:
    """The presets in a sentence."""
    return ", ".join(presets())


def scenarios(context: CompletionContext) -> list[str]:
    """Presets, and the .toml files that begin with what is typed."""
    return [*presets(), *_files(context.incomplete, "*.toml")]


def results_and_scenarios(context: CompletionContext) -> list[str]:
    """The same, and saved results."""
    return [*scenarios(context), *_files(context.incomplete, "*.json")]


def _files(typed: str, ending: str) -> list[str]:
    folder = Path(typed) if typed.endswith("/") else Path(typed).parent
    try:
        return sorted(map(str, folder.glob(ending)))
    except OSError:
        return []


def field_names(part: Any, section: str = "") -> Iterator[str]:
    """The dotted names of all fields of a scenario, or of a section of it."""
    for declared in fields(part):
        name = f"{section}{declared.name}"
        value = getattr(part, declared.name)
        if is_dataclass(value):
            yield from field_names(value, f"{name}.")
        else:
            yield name


def fields_with_values(_: CompletionContext) -> list[str]:
    """What may stand in --set, --over or --sample, up to its value."""
    from krcsim.model.scenario import Scenario

    return [f"{name}=" for name in ("remedy", *field_names(Scenario()))]


def quantities(_: CompletionContext) -> list[str]:
    """The names of quantities."""
    from krcsim.results.quantities import QUANTITIES

    return [*QUANTITIES]


def methods(_: CompletionContext) -> list[str]:
    """How a quantity may be found."""
    return ["auto", "skipping", "rare", "exact"]


def pool_or_pages(_: CompletionContext) -> list[str]:
    """Kinds of reserve."""
    return ["pool", "pages"]


def pool_pages_or_mix(_: CompletionContext) -> list[str]:
    """What a size may be of."""
    return ["pool", "pages", "mix"]


def reserves_at_boot(_: CompletionContext) -> list[str]:
    """What a reserve may hold at boot."""
    return ["own", "empty", "full"]


def remedies(_: CompletionContext) -> list[str]:
    """Rows of the table of remedies, and the names of lists."""
    from krcsim.model.remedy import REMEDIES

    return [*REMEDIES, "own", "curve", "cold"]


def kernels(_: CompletionContext) -> list[str]:
    """The versions of kernels that have a row."""
    from krcsim.model.kernel_rows import KERNEL_ROWS

    return [row.kernel for row in KERNEL_ROWS]


def claims(_: CompletionContext) -> list[str]:
    """The numbers of the claims."""
    from krcsim.claims.claim import read_claims

    return [claim.number for claim in read_claims().claims]


def install(app: App, shell: Shell | None, output: Path | None) -> None:
    """Write the completion script where the shell looks for it, or into a new file `output`; no
    start-up file of the shell is touched. Raises KrcsimError.
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in ("bash", "zsh", "fish", "powershell"):
        raise KrcsimError(
            "$SHELL names no shell that completion is made for; add --shell bash, zsh, fish or "
            "powershell"
        )
    if output and is_there(output):
        raise KrcsimError(f"{output} exists already; choose another name")

    try:
        written = app.install_completion(shell=name, output=output, add_to_startup=False)  # type: ignore[arg-type]
    except OSError as exc:
        raise KrcsimError(
            f"the completion script cannot be written ({exc.strerror or exc}); choose another "
            "place: --output FILE"
        ) from None

    begin = "put its folder into $fpath, then start" if name == "zsh" else "start"
    say(f"{written} completes krcsim in {name}; {begin} a new shell")
