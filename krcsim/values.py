# SPDX-License-Identifier: GPL-2.0-only
"""Fields of frozen values that know their unit, range and source, and refuse anything else."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any, TypeGuard

def shown(value: object) -> str:
    """A value for a message: on one line, at most 60 characters, whatever it is."""
    try:
        text = repr(value)
    except ValueError:
        text = "an integer of more digits than Python prints"
    return text if len(text) <= 60 else text[:57] + "..."

class KrcsimError(ValueError):
    """Something the user gave cannot be used; the message is one line that says what to do."""

class FieldError(KrcsimError):
    """One field is wrong: names the field, its value, the unit, the allowed range and a remedy."""

    def __init__(self, field: str, value: object, allowed: str, remedy: str) -> None:
        super().__init__(f"{field} is {shown(value)}; allowed: {allowed}; {remedy}")
        self.field = field

def number(default: float, unit: str, lo: float, hi: float, why: str, *, symbol: str = "",
        optional: bool = False) -> Any:
    """A real field in [lo, hi]; `optional` also admits None, which `why` explains."""
    meta = dict(kind="number", unit=unit, lo=lo, hi=hi, why=why, symbol=symbol, optional=optional)
    return dataclasses.field(default=None if optional else default, metadata=meta)

def whole(default: int, unit: str, lo: int, hi: int, why: str, *, symbol: str = "",
        optional: bool = False) -> Any:
    """A whole-number field in [lo, hi]."""
    meta = dict(kind="whole", unit=unit, lo=lo, hi=hi, why=why, symbol=symbol, optional=optional)
    return dataclasses.field(default=None if optional else default, metadata=meta)

def flag(default: bool, why: str, *, symbol: str = "") -> Any:
    """A yes-or-no field."""
    return dataclasses.field(default=default, metadata=dict(kind="flag", why=why, symbol=symbol))

def choice(default: str, options: tuple[str, ...], why: str, *, symbol: str = "") -> Any:
    """One word out of a few."""
    meta = dict(kind="choice", options=options, why=why, symbol=symbol)
    return dataclasses.field(default=default, metadata=meta)

def _is_real(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

def allowed(meta: Any) -> str:
    """The allowed values of a field in words, from its metadata."""
    if meta["kind"] == "flag":
        return "true or false"
    if meta["kind"] == "choice":
        return "one of " + ", ".join(meta["options"])
    noun = "a whole number" if meta["kind"] == "whole" else "a number"
    text = f"{noun} from {meta['lo']:g} to {meta['hi']:g}"
    text += f" {meta['unit']}" if meta["unit"] else ""
    return text + (" or leave it out" if meta["optional"] else "")

def check_field(name: str, value: object, meta: Any) -> None:
    """Raise FieldError unless `value` fits the field's metadata."""
    kind = meta["kind"]
    if kind == "flag":
        good = isinstance(value, bool)
    elif kind == "choice":
        good = isinstance(value, str) and value in meta["options"]
    elif value is None:
        good = bool(meta["optional"])
    else:
        good = (
            _is_real(value)
            and meta["lo"] <= value <= meta["hi"]  # type: ignore[operator]
            and (kind != "whole" or value == int(value))
        )
    if not good:
        raise FieldError(name, value, allowed(meta), f"it sets {meta['why']}")

def check(obj: Any, section: str) -> None:
    """Check all fields of a frozen dataclass that were declared by the functions above.

    Whole-number fields given as floats (5.0) become ints, so that equal values stay equal.
    """
    for f in dataclasses.fields(obj):
        if "kind" not in f.metadata:
            continue
        value = getattr(obj, f.name)
        check_field(f"{section}.{f.name}", value, f.metadata)
        if f.metadata["kind"] == "whole" and value is not None:
            object.__setattr__(obj, f.name, int(value))
        elif f.metadata["kind"] == "number" and value is not None:
            object.__setattr__(obj, f.name, float(value))

def refuse_unknown(section: str, given: Any, known: list[str]) -> None:
    """Raise KrcsimError when `given` holds a name that is not in `known`."""
    for name in given:
        if name not in known:
            plain = isinstance(name, str) and name.isprintable() and len(name) <= 60
            name = name if plain else shown(name)
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(known)
            raise KrcsimError(f"{section}.{name} is not a field of [{section}]; {hint}")
