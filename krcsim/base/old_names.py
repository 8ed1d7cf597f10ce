# SPDX-License-Identifier: GPL-2.0-only
"""Old names that scripts, files and notebooks still use, and what each is called now.

A file or a keyword with an old name is read, with a FutureWarning that says the new one. A class
that is made with an old name is refused with the new one.
"""

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

from krcsim.base.errors import KrcsimError, shown

P = ParamSpec("P")
Answer = TypeVar("Answer")

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


def runs_on_rung(rung: int) -> int:
    """The number of replications that was called a rung: 8 on rung 0, twice as many on each further
    one; what was never a rung is left as it is, for the check of the new name to refuse.
    """
    if isinstance(rung, bool) or not isinstance(rung, int) or rung < 0:
        return rung
    return 8 << min(rung, 64)


def option_for_runs(max_runs: int) -> str:
    """The option of the shell that asks for at most so many replications."""
    return f"--max-runs {max_runs}"


def takes_old_keywords(
    **names: str,
) -> Callable[[Callable[P, Answer]], Callable[P, Answer]]:
    """A decorator: the function also takes keywords of before (old=new), and `max_rung` or `rung`
    for the `max_runs` of today.
    """

    def decorate(function: Callable[P, Answer]) -> Callable[P, Answer]:
        return _with_old_keywords(function, names)

    return decorate


def takes_rungs(function: Callable[P, Answer]) -> Callable[P, Answer]:
    """The function, which also takes `max_rung` (or `rung`) for the `max_runs` of today."""
    return _with_old_keywords(function, {})


def _with_old_keywords(function: Callable[P, Answer], names: dict[str, str]) -> Callable[P, Answer]:
    @functools.wraps(function)
    def with_old_names(*args: P.args, **how: P.kwargs) -> Answer:
        for old, new in names.items():
            if old in how:
                how[new] = how.pop(old)
                warnings.warn(f"{old} is called {new} now", FutureWarning, stacklevel=2)
        for old in ("max_rung", "rung"):
            if old in how:
                how["max_runs"] = runs_on_rung(cast(int, how.pop(old)))
                warnings.warn(
                    f"{old} is called max_runs now; write max_runs={how['max_runs']!r}",
                    FutureWarning,
                    stacklevel=2,
                )
        return function(*args, **how)

    return with_old_names


def _present(path: str) -> str:
    for old, new in FIELDS.items():
        if path == old or path.startswith(f"{old}."):
            return new + path.removeprefix(old)
    return path
