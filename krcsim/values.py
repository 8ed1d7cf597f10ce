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

def number(default: float | None, unit: str, lo: float, hi: float, why: str, *, kind: str = "number") -> Any:
    """A real field in [lo, hi]; one with None as its default may be left out."""
    return field(default=default, metadata=dict(kind=kind, unit=unit, lo=lo, hi=hi, why=why, optional=default is None))

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

def numbers(field: str, depth: int, allowed: str, remedy: str, given: Any) -> Any:
    """Lists of numbers, nested `depth` deep, as tuples of floats; raises FieldError."""
    if depth > 0 and isinstance(given, (list, tuple)):
        return tuple(numbers(field, depth - 1, allowed, remedy, x) for x in given)
    too_large = isinstance(given, int) and abs(given) > 10**300
    refuse(depth > 0 or not is_real(given) or too_large, field, given, allowed, remedy)
    return float(given)

def allowed(meta: Any) -> str:
    """The allowed values of a field in words, from its metadata."""
    if "lo" not in meta:
        return "one of " + ", ".join(meta["options"]) if "options" in meta else "true or false"
    text = f"a {'whole ' * (meta['kind'] == 'whole')}number from {meta['lo']:g} to {meta['hi']:g} {meta['unit']}"
    return text.rstrip() + (" or leave it out" if meta["optional"] else "")

def _fits(value: Any, meta: Any) -> bool:
    if "lo" not in meta:
        options = meta.get("options", (True, False))
        return isinstance(value, type(options[0])) and value in options
    if not is_real(value):
        return value is None and bool(meta["optional"])
    return bool(meta["lo"] <= value <= meta["hi"]) and (meta["kind"] == "number" or value % 1 == 0)

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
    for name in (name for name in given if name not in known):
        word = name if isinstance(name, str) and name.isprintable() and len(name) <= 60 else shown(name)
        near = difflib.get_close_matches(word, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(known)
        raise KrcsimError(f"{section}.{word} is not a field of [{section}]; {hint}")

def read_text(path: Path, what: str, remedy: str, most: int = 10) -> str:
    """The text of a user's file of at most `most` MB; raises KrcsimError."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(most * 1_000_000 + 1)
        if len(raw) <= most * 1_000_000:
            return raw.decode()
        reason = f"it is larger than {most} MB: shorten it"
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text: save it as such"
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
    raise KrcsimError(f"{what} {path} cannot be read ({reason}); {remedy}")
