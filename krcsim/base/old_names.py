# SPDX-License-Identifier: GPL-2.0-only
"""Names of before that scripts, files and notebooks still use: each is taken, with its new name."""

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
Answer = TypeVar("Answer")

# Fields of scenarios, or the sections above them.
FIELDS = {
    "allocator.spells": "allocator.episodes",
    "allocator.spell": "allocator.episode",
    "allocator.spell_ms": "allocator.episode_ms",
}
QUANTITIES = {"p_wait_spell": "p_wait_episode", "p_spell": "p_episode"}


def tell(old: str, new: str) -> None:
    """Warn that a name has changed; a shell prints it as a note."""
    warnings.warn(f"{old} is called {new} now", FutureWarning, stacklevel=4)


def field(path: str) -> str:
    """The dotted field of today."""
    for old, new in FIELDS.items():
        if path == old or path.startswith(f"{old}."):
            today = new + path.removeprefix(old)
            tell(path, today)
            return today
    return path


def quantity(name: str) -> str:
    """The quantity of today."""
    today = QUANTITIES.get(name, name)
    if today != name:
        tell(name, today)
    return today


def runs_on_rung(rung: int) -> int:
    """The number of replications that was called a rung: 8 on rung 0, twice as many on each further
    one; what was never a rung is left as it is, for the check of the new name to refuse.
    """
    if isinstance(rung, bool) or not isinstance(rung, int) or rung < 0:
        return rung
    return 8 << min(rung, 64)


def option_for_runs(max_runs: int) -> str:
    """The option of the shell that asks for at most so many replications."""
    if not isinstance(max_runs, int):  # it is refused later
        return f"--max-rung {max_runs}"
    return f"--max-rung {(max_runs // 8).bit_length() - 1}"


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
