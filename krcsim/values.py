# SPDX-License-Identifier: GPL-2.0-only
"""What users give: fields that know their unit, range and source, texts, and what is refused."""
import difflib
from dataclasses import field, fields
from functools import partial
from pathlib import Path
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

def refuse(wrong: bool, field: str, value: object, allowed: str, remedy: str) -> None:
    """Raise FieldError if a field is wrong, for example because it contradicts another."""
    if wrong:
        raise FieldError(field, value, allowed, remedy)

def number(default: float, unit: str, lo: float, hi: float, why: str, *, symbol: str = "",
        optional: bool = False, kind: str = "number") -> Any:
    """A real field in [lo, hi]; `optional` also admits None; `symbol` is the kernel's name."""
    meta = dict(kind=kind, unit=unit, lo=lo, hi=hi, why=why, symbol=symbol, optional=optional)
    return field(default=None if optional else default, metadata=meta)

whole = partial(number, kind="whole")  # a whole-number field in [lo, hi]

def flag(default: bool, why: str, *, symbol: str = "") -> Any:
    """A yes-or-no field."""
    return field(default=default, metadata=dict(kind="flag", why=why, symbol=symbol))

def choice(default: str, options: tuple[str, ...], why: str) -> Any:
    """One word out of a few."""
    return field(default=default, metadata=dict(kind="choice", options=options, why=why))

def is_real(value: object) -> TypeGuard[float]:
    """Whether a value is a number and neither complex nor true or false."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)

def allowed(meta: Any) -> str:
    """The allowed values of a field in words, from its metadata."""
    kind = meta["kind"]
    if kind in ("flag", "choice"):
        return "true or false" if kind == "flag" else "one of " + ", ".join(meta["options"])
    text = "a whole number" if kind == "whole" else "a number"
    text += f" from {meta['lo']:g} to {meta['hi']:g} {meta['unit']}"
    return text.rstrip() + (" or leave it out" if meta["optional"] else "")

def _fits(value: Any, meta: Any) -> bool:
    if meta["kind"] == "flag":
        return isinstance(value, bool)
    if meta["kind"] == "choice":
        return isinstance(value, str) and value in meta["options"]
    if value is None or not is_real(value):
        return value is None and bool(meta["optional"])
    whole = meta["kind"] == "number" or not value % 1
    return bool(whole and meta["lo"] <= value <= meta["hi"])

def check(obj: Any, section: str) -> None:
    """Raise FieldError unless the declared fields of a frozen dataclass fit their metadata."""
    for f in fields(obj):
        if "kind" in f.metadata:
            value, meta = getattr(obj, f.name), f.metadata
            refuse(not _fits(value, meta), f"{section}.{f.name}", value, allowed(meta), f"it sets {meta['why']}")
            if is_real(value):  # equal values must look equal
                object.__setattr__(obj, f.name, (int if meta["kind"] == "whole" else float)(value))

def refuse_unknown(section: str, given: Any, known: list[str]) -> None:
    """Raise KrcsimError when `given` holds a name that is not in `known`."""
    for name in given:
        if name not in known:
            plain = isinstance(name, str) and name.isprintable() and len(name) <= 60
            name = name if plain else shown(name)
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(known)
            raise KrcsimError(f"{section}.{name} is not a field of [{section}]; {hint}")

def read_text(path: Path, what: str, remedy: str) -> str:
    """The text of a user's file of at most 10 MB; raises KrcsimError."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(10_000_001)
        if len(raw) <= 10_000_000:
            return raw.decode()
        reason = "it is larger than 10 MB: shorten it"
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text: save it as such"
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
    raise KrcsimError(f"{what} {path} cannot be read ({reason}); {remedy}")
