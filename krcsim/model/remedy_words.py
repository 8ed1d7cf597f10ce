# SPDX-License-Identifier: GPL-2.0-only
"""Remedies in words: what a name stands for, who proposed it, and how one without a row differs."""

from dataclasses import fields

from krcsim.base.errors import KrcsimError
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
    """The row of the table that has this name."""
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
        return f"your setting with the reserve of {plain}" if on_own else row.words

    if sized := SIZED.fullmatch(plain):
        kind, size, at_boot, base = sized.groups()
        words = RESERVES[kind, at_boot].words.replace("N", size, 1)
        if size == "1":
            words = words.replace("objects", "object").replace("pages", "page")
        return f"{'your setting' if on_own else base or 'A1'} with {words}"
    return name


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
