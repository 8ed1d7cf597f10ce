# SPDX-License-Identifier: GPL-2.0-only
"""Old names that scripts, files and notebooks still use, and what each is called now.

A file or a keyword with an old name is read, with a FutureWarning that says the new one. A class
that is made with an old name is refused with the new one.
"""

import warnings
from collections.abc import Mapping
from typing import Any

from krcsim.base.errors import KrcsimError, shown

# Fields of scenarios, and sections: what stands below a section is renamed with it.
FIELDS = {
    "allocator.spells": "allocator.episodes",
    "allocator.spell": "allocator.episode",
    "allocator.spell_ms": "allocator.episode_ms",
}

QUANTITIES = {"p_wait_spell": "p_wait_episode", "p_spell": "p_episode"}


def warn(old: str, new: str) -> None:
    """Warn that a name has changed; a shell prints it as a note."""
    warnings.warn(f"{old} is called {new} now", FutureWarning, stacklevel=4)


def field(path: str) -> str:
    """The present name of a dotted field, with a FutureWarning if `path` is an old one."""
    present = _present(path)
    if present != path:
        warn(path, present)
    return present


def fields(given: Mapping[Any, Any], section: str = "") -> dict[Any, Any]:
    """The same values under the present names of their fields.

    `section` is where the fields stand, "" if their names hold it already. Raises KrcsimError if a
    field is given by its old and by its new name.
    """
    prefix = f"{section}." if section else ""
    renamed: dict[Any, Any] = {}

    for name, value in given.items():
        present = name
        if isinstance(name, str):
            present = field(prefix + name).removeprefix(prefix)
        if present != name and present in given:
            raise KrcsimError(
                f"{prefix}{name} is {shown(value)} and {prefix}{present} is "
                f"{shown(given[present])}; {prefix}{name} is the old name of {prefix}{present}: "
                f"give {prefix}{present} only"
            )
        renamed[present] = value

    return renamed


def refuse_old_fields(section: str, class_name: str, given: Mapping[str, object]) -> None:
    """Raise KrcsimError if a class is made with the old name of a field."""
    for name in given:
        present = _present(f"{section}.{name}").removeprefix(f"{section}.")
        if present != name:
            raise KrcsimError(
                f"{section}.{name} is called {section}.{present} now; write "
                f"{class_name}({present}=...)"
            )


def quantity(name: str) -> str:
    """The present name of a quantity, with a FutureWarning if `name` is an old one."""
    present = QUANTITIES.get(name, name)
    if present != name:
        warn(name, present)
    return present


def _present(path: str) -> str:
    for old, new in FIELDS.items():
        if path == old or path.startswith(f"{old}."):
            return new + path.removeprefix(old)
    return path
