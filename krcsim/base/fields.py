# SPDX-License-Identifier: GPL-2.0-only
"""What users give: fields that know their unit, range and source, texts, and what is refused."""

import difflib
from dataclasses import field, fields, is_dataclass
from functools import partial
from typing import Any, TypeGuard

from krcsim.base.errors import KrcsimError, refuse, shown

_LARGEST = 1e300  # of a number that a file may hold: sums and products of such numbers stay finite


def number(
    default: float | None, unit: str, lo: float, hi: float, why: str, *, kind: str = "number"
) -> Any:
    """A real field in [lo, hi]; one with None as its default may be left out."""
    return field(
        default=default,
        metadata=dict(kind=kind, unit=unit, lo=lo, hi=hi, why=why, optional=default is None),
    )


whole = partial(number, kind="whole")  # a whole-number field in [lo, hi]


def flag(default: bool, why: str) -> Any:
    """A yes-or-no field."""
    return field(default=default, metadata=dict(kind="flag", why=why))


def choice(default: str, options: tuple[str, ...], why: str) -> Any:
    """One word out of a few."""
    return field(default=default, metadata=dict(kind="choice", options=options, why=why))


def is_real(value: object) -> TypeGuard[float]:
    """Whether a value is a number and neither complex nor true or false."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_finite(value: object) -> TypeGuard[float]:
    """Whether a value is a real number that can be counted with: not nan, not infinite, not of
    hundreds of digits.
    """
    return is_real(value) and -_LARGEST <= value <= _LARGEST


def is_whole(value: object, most: int = 2**63 - 1) -> TypeGuard[int]:
    """Whether a value is a whole number from 0 to `most`."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def numbers(field: str, depth: int, allowed: str, remedy: str, given: Any) -> Any:
    """Lists of numbers, nested `depth` deep, as tuples of floats; raises FieldError."""
    if depth > 0 and isinstance(given, (list, tuple)):
        return tuple(numbers(field, depth - 1, allowed, remedy, x) for x in given)
    too_large = isinstance(given, int) and not is_finite(given)
    refuse(depth > 0 or not is_real(given) or too_large, field, given, allowed, remedy)
    return float(given)


def allowed(meta: Any) -> str:
    """The allowed values of a field in words, from its metadata."""
    if "lo" not in meta:
        return "one of " + ", ".join(meta["options"]) if "options" in meta else "true or false"
    text = (
        f"a {'whole ' * (meta['kind'] == 'whole')}number from {meta['lo']:g} to {meta['hi']:g} "
        f"{meta['unit']}"
    )
    return text.rstrip() + (" or leave it out" if meta["optional"] else "")


def _fits(value: Any, meta: Any) -> bool:
    if "lo" not in meta:
        options = meta.get("options", (True, False))
        return isinstance(value, type(options[0])) and value in options
    if not is_real(value):
        return value is None and bool(meta["optional"])
    return bool(meta["lo"] <= value <= meta["hi"]) and (meta["kind"] == "number" or value % 1 == 0)


def check(obj: Any, section: str) -> None:
    """Raise FieldError unless the fields of a frozen dataclass fit: declared ones their metadata,
    parts their class.
    """
    for f in fields(obj):
        value, meta = getattr(obj, f.name), f.metadata
        if "kind" in meta:
            refuse(
                not _fits(value, meta),
                f"{section}.{f.name}",
                value,
                allowed(meta),
                f"it sets {meta['why']}",
            )
            if is_real(value):  # equal values must look equal
                object.__setattr__(obj, f.name, (int if meta["kind"] == "whole" else float)(value))
            elif isinstance(value, str):
                object.__setattr__(obj, f.name, str(value))
        elif is_dataclass(f.default):
            part = type(f.default)
            refuse(
                not isinstance(value, part),
                f"{section}.{f.name}",
                value,
                f"a {part.__name__}",
                f"give {part.__name__}(...), or change single fields with krcsim.changed()",
            )


def refuse_unknown(section: str, given: Any, known: list[str]) -> None:
    """Raise KrcsimError when `given` holds a name that is not in `known`."""
    for name in (name for name in given if name not in known):
        word = (
            name
            if isinstance(name, str) and name.isprintable() and len(name) <= 60
            else shown(name)
        )
        near = difflib.get_close_matches(word, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(known)
        raise KrcsimError(f"{section}.{word} is not a field of [{section}]; {hint}")


def check_whole(name: str, value: Any, most: int, remedy: str) -> None:
    """Raise FieldError unless a value is a whole number from 0 to `most`."""
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    refuse(
        not good,
        name,
        value,
        f"a whole number from 0 to {'2**63 - 1' if most >> 62 else most}",
        remedy,
    )
