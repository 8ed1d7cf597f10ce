# SPDX-License-Identifier: GPL-2.0-only
"""Fields of frozen dataclasses that know their unit, their range and what they set.

A class declares its fields with number(), whole(), flag() and choice(), and calls check() when it
is made. What does not fit is refused with the field, its value, the allowed range and what it sets.
"""

from dataclasses import field, fields, is_dataclass
from functools import partial
from typing import Any, TypeGuard

from krcsim.base.errors import FieldError, KrcsimError, did_you_mean, nearest, refuse, shown

_LARGEST = 1e300  # of a number that a file may hold: sums and products of such numbers stay finite


def number(
    default: float | None, unit: str, lo: float, hi: float, why: str, *, kind: str = "number"
) -> Any:
    """A real field from `lo` to `hi`, in `unit`; one with None as its default may be left out.

    `why` ends the sentence "it sets ..." of an error.
    """
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
        return tuple(numbers(field, depth - 1, allowed, remedy, inner) for inner in given)

    too_large = isinstance(given, int) and not is_finite(given)
    refuse(depth > 0 or not is_real(given) or too_large, field, given, allowed, remedy)
    return float(given)


def allowed(meta: Any) -> str:
    """The allowed values of a field in words, from its metadata."""
    if "options" in meta:
        return "one of " + ", ".join(meta["options"])
    if "lo" not in meta:
        return "true or false"

    number = "whole number" if meta["kind"] == "whole" else "number"
    text = f"a {number} from {meta['lo']:g} to {meta['hi']:g} {meta['unit']}".rstrip()
    return text + (" or leave it out" if meta["optional"] else "")


def _fits(value: Any, meta: Any) -> bool:
    if "lo" not in meta:
        options = meta.get("options", (True, False))
        return isinstance(value, type(options[0])) and value in options

    if not is_real(value):
        return value is None and bool(meta["optional"])

    return bool(meta["lo"] <= value <= meta["hi"]) and (meta["kind"] == "number" or value % 1 == 0)


def check(obj: Any, section: str) -> None:
    """Raise FieldError unless the fields of a frozen dataclass fit.

    A declared field must fit its metadata, a part (the `machine` of a scenario) its class.
    """
    for one in fields(obj):
        name = f"{section}.{one.name}"
        value = getattr(obj, one.name)

        if "kind" in one.metadata:
            _check_declared(name, value, one.metadata)
            object.__setattr__(obj, one.name, _plain(value, one.metadata["kind"]))
        elif is_dataclass(one.default):
            part = type(one.default).__name__
            refuse(
                not isinstance(value, type(one.default)),
                name,
                value,
                f"a {part}",
                f"give {part}(...), or change single fields with krcsim.changed()",
            )


def _check_declared(name: str, value: Any, meta: Any) -> None:
    if _fits(value, meta):
        return

    remedy = f"it sets {meta['why']}"
    if near := nearest(value, meta.get("options", ())):
        remedy = f"did you mean {near}? {remedy}"
    raise FieldError(name, value, allowed(meta), remedy)


def _plain(value: Any, kind: str) -> Any:
    """A value of Python's own class, so that equal values look equal: 5 for 5.0, no NumPy."""
    if is_real(value):
        return int(value) if kind == "whole" else float(value)
    return str(value) if isinstance(value, str) else value


def refuse_unknown(section: str, given: Any, known: list[str]) -> None:
    """Raise KrcsimError when `given` holds a name that is not in `known`."""
    for name in given:
        if name in known:
            continue

        is_plain = isinstance(name, str) and name.isprintable() and len(name) <= 60
        word = name if is_plain else shown(name)
        hint = did_you_mean(word, known, "known: " + ", ".join(known))
        raise KrcsimError(f"{section}.{word} is not a field of [{section}]; {hint}")


def check_whole(name: str, value: Any, most: int, remedy: str) -> None:
    """Raise FieldError unless a value is a whole number from 0 to `most`."""
    largest = "2**63 - 1" if most >> 62 else most
    refuse(not is_whole(value, most), name, value, f"a whole number from 0 to {largest}", remedy)
