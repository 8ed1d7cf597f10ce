# SPDX-License-Identifier: GPL-2.0-only
"""Remedies in words: what a name stands for, who proposed it, and how one without a row differs."""

import re
from collections.abc import Sequence
from dataclasses import fields

from krcsim.base.errors import KrcsimError
from krcsim.model.kernels import row_of_version
from krcsim.model.remedy import (
    A0,
    OWN,
    RESERVE,
    RESERVES,
    SIZED,
    TABLE,
    NamedRemedy,
    Remedy,
    named,
)

ON_OWN = f"-{OWN}"
WITHOUT = f"B0{ON_OWN}"  # your setting without a reserve
_BASES = {"atomic": "A0", "tryhard": "A1", "three_step": "A1-3step", "none": "no rcu_head"}


def row_of(name: str) -> NamedRemedy | None:
    """The row of the table that has this name, or that a kernel of this version has."""
    try:
        name = row_of_version(name) or name
    except KrcsimError:  # a version of no known kernel may be a name of somebody's own
        return None
    return next((row for row in TABLE if row.name == name), None)


def words_of(name: str, own: Remedy | None = None) -> str:
    """What a remedy is, in words for people: those of its row, or of its reserve with the size.

    own: the remedy of the scenario. A name that stands for neither is returned as it is.
    """
    if name == OWN:
        return f"your setting: {described(own)}" if own else "your setting"
    if name == WITHOUT:
        return "your setting without a reserve"

    on_own = name.endswith(ON_OWN)
    plain = name.removesuffix(ON_OWN)
    row = row_of(plain)
    if row:
        version = "" if row.name == plain else f"as in {row.name}: "
        return f"your setting with the reserve of {plain}" if on_own else version + row.words

    return words_of_sizes(name, list(map(str, sizes_of(name)))) if is_sized(name) else name


def is_sized(name: str) -> bool:
    """Whether a name is that of a reserve of some size, or of two on your setting: B4+D2-own."""
    plain = name.removesuffix(ON_OWN)
    parts = [SIZED.fullmatch(part) for part in plain.split("+")]
    return row_of(name) is None and None not in parts and (len(parts) == 1 or plain != name)


def sizes_of(name: str) -> list[int]:
    """The sizes in the name of a reserve."""
    return [int(sized[2]) for sized in _sized(name)]


def words_of_sizes(name: str, sizes: Sequence[str]) -> str:
    """What the name of a reserve stands for, with these sizes instead of its own."""
    reserves = []
    for sized, size in zip(_sized(name), sizes, strict=True):
        words = RESERVES[sized[1], sized[3]].words.replace("N", size, 1)
        one = words.replace("objects", "object").replace("pages", "page")
        reserves.append(one if size == "1" else words)
    base = "your setting" if name.endswith(ON_OWN) else _sized(name)[0][4] or "A1"
    return f"{base} with {' and '.join(reserves)}"


def _sized(name: str) -> list[re.Match[str]]:
    """The parts of the name of a reserve."""
    parts = name.removesuffix(ON_OWN).split("+")
    return [sized for part in parts if (sized := SIZED.fullmatch(part))]


def reserve_words(remedy: Remedy) -> str:
    """The reserve of a remedy without commas, for a sentence: a pool of 3 objects; "" if none."""
    parts = []
    if objects := remedy.nr_emergency_objs:
        full = {0: "", objects: " full at boot"}
        at_boot = full.get(remedy.emergency_at_boot, f" ({remedy.emergency_at_boot} at boot)")
        parts.append(f"a pool of {objects} object{'s' * (objects != 1)}{at_boot}")

    if remedy.array_path and (pages := _pages_words(remedy)):
        parts.append(pages)
    return " and ".join(parts)


def _pages_words(remedy: Remedy) -> str:
    """The cached pages of a remedy, "" for those that the plain code has."""
    pages = remedy.nr_bkv_objs
    per_channel = "" if remedy.cache_shared else " per channel"
    if not remedy.cache_shared and (pages, remedy.cache_at_boot) == (1, 0):
        return ""
    if not pages:
        return "no cached page"

    noun = f"page{'s' * (pages != 1)}"
    number = "a" if pages == 1 else str(pages)
    if remedy.cache_at_boot == pages:
        return f"{number} preallocated {noun}{per_channel}"
    if not remedy.cache_at_boot:
        return f"{number} {noun}{per_channel} empty at boot"
    return f"{number} {noun}{per_channel} ({remedy.cache_at_boot} at boot)"


def described(remedy: Remedy) -> str:
    """A remedy without a name, by how it differs from those that have one."""
    for row in TABLE:
        if row.remedy == remedy:
            return f"{row.name} ({row.words})"

    text = _BASES[remedy.head_alloc]
    reserve = reserve_words(remedy)
    if reserve:
        text += f" with {reserve}"

    told = (*RESERVE, "head_alloc")
    others = [
        f"{field.name} = {_toml(getattr(remedy, field.name))}"
        for field in fields(Remedy)
        if field.name not in told and getattr(remedy, field.name) != getattr(A0, field.name)
    ]
    return "; ".join([text, *others])


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def known_remedy(name: str, own: Remedy | None) -> Remedy | None:
    """The remedy of a name, None if it has none here."""
    try:
        return named(name, own)
    except KrcsimError:
        return None
