# SPDX-License-Identifier: GPL-2.0-only
"""Names of before that scripts, files and notebooks still use: each is taken, with its new name."""

import warnings

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
