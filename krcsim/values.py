# SPDX-License-Identifier: GPL-2.0-only
"""What users give: fields that know their unit, range and source, texts, and what is refused."""

import difflib
import errno
import json
import os
import re
import reprlib
import select
import stat
import tomllib
from dataclasses import field, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

LONGEST_MESSAGE = 390  # characters
_LARGEST = 1e300  # of a number that a file may hold: sums and products of such numbers stay finite
_PATIENCE_S = 60.0  # for the next part of a text that comes through a pipe
_MOST_PARTS = (
    200_000  # values, keys and lines of a TOML text: more take Python's reader more than a second
)
_MOST_NAMES = 16  # in one dotted key: the time that Python's reader takes grows with their square
# A key of too many names, bare or in quotes. A match cannot begin within a name, so that it is
# looked for only once.
_LONG_KEY = re.compile(
    r"""(?:(?:(?<![\w-])[\w-]++|(?<!\\)"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+)"""
    + f"{{{_MOST_NAMES}}}"
)


class _Short(reprlib.Repr):
    """Python's repr of what is small, and the beginning of what is not, however large or deep that
    is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 60
        self.maxlevel = self.maxdict = 4

    def repr_int(self, x: int, level: int) -> str:
        """An integer has more digits than Python prints, or it is cut as the others are."""
        return (
            super().repr_int(x, level)
            if x.bit_length() < 10_000
            else "an integer of thousands of digits"
        )

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        """The first keys in their own order: not all keys can be sorted."""
        if level <= 0:
            return "{...}"
        few = [
            f"{self.repr1(k, level - 1)}: {self.repr1(x[k], level - 1)}"
            for k in list(x)[: self.maxdict]
        ]
        return "{" + ", ".join(few + ["..."] * (len(x) > self.maxdict)) + "}"


_SHORT = _Short()


def shown(value: object) -> str:
    """A value for a message: on one line, at most 60 characters, whatever it is."""
    text = _SHORT.repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def sentence(text: str) -> str:
    """A message on one printable line; of one that is too long the begin (what is wrong) and the
    end (what to do).
    """
    text = text if len(text) <= 10_000 else text[:5_000] + text[-5_000:]
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    end = LONGEST_MESSAGE // 3
    return (
        line
        if len(line) <= LONGEST_MESSAGE
        else f"{line[: LONGEST_MESSAGE - end - 5]} ... {line[-end:]}"
    )


class _Shown(str):
    """What shown() made of a value; it is shown as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class KrcsimError(ValueError):
    """Something the user gave cannot be used; the message is one line that says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(sentence(message))


class FieldError(KrcsimError):
    """One field is wrong: names the field, its value, the unit, the allowed range and a remedy."""

    def __init__(self, field: str, value: object, allowed: str, remedy: str) -> None:
        self.field, self.parts = field, (_Shown(shown(value)), allowed, remedy)
        super().__init__(f"{field} is {self.parts[0]}; allowed: {allowed}; {remedy}")

    def within(self, section: str) -> "FieldError":
        """The same of a field that turned out to belong to a section: page of failure is
        allocator.spell.page.
        """
        return FieldError(f"{section}.{self.field.rsplit('.', 1)[-1]}", *self.parts)

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it comes whole out of another process."""
        return FieldError, (self.field, *self.parts)


def refuse(wrong: bool, field: str, value: object, allowed: str, remedy: str) -> None:
    """Raise FieldError if a field is wrong, for example because it contradicts another."""
    if wrong:
        raise FieldError(field, value, allowed, remedy)


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


def read_text(path: str | Path, what: str, remedy: str, most: int = 10) -> str:
    """The text of a user's file, or of a pipe, of at most `most` MB; raises KrcsimError."""
    refuse(
        not isinstance(path, (str, os.PathLike)), f"the name of the {what}", path, "a path", remedy
    )
    try:
        raw = _read(path, most * 1_000_000 + 1)
        if len(raw) <= most * 1_000_000:
            return raw.decode()
        reason = f"it is larger than {most} MB: shorten it"
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text: save it as such"
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
    raise KrcsimError(f"{what} {path} cannot be read ({reason}); {remedy}")


def _read(path: str | Path, most: int) -> bytes:
    """Up to `most` bytes of a file; of a pipe what is written into it, without waiting for a writer
    for ever.
    """
    parts, left = [], most
    with os.fdopen(
        os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0
    ) as stream:
        pipe = stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
        while left > 0:
            part = stream.read(min(left, 1 << 20))
            if part is None:  # somebody holds the other end and has not written yet
                if not select.select([stream], [], [], _PATIENCE_S)[0]:
                    raise OSError(errno.ETIMEDOUT, f"nothing came through it for {_PATIENCE_S:g} s")
                continue
            if not part:
                break
            parts.append(part)
            left -= len(part)
        if pipe and not parts:
            raise OSError(errno.ENODATA, "it is a pipe that nobody writes into")
    return b"".join(parts)


def read_toml(text: str, what: str) -> dict[str, Any]:
    """The tables of a TOML text; raises KrcsimError, and at once for what would take seconds to
    read.
    """
    parts = sum(map(text.count, ",=[\\\n"))
    if parts > _MOST_PARTS:
        raise KrcsimError(
            f"{what} holds {parts:,} values, keys and lines; allowed: up to {_MOST_PARTS:,}; "
            "shorten it"
        )
    if long := _LONG_KEY.search(text):
        raise KrcsimError(
            f"{what} has a key of {_MOST_NAMES} names and more, {shown(long[0])}; allowed: up to "
            "three; "
            "write for example allocator.spell.page"
        )
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise KrcsimError(f"{what} nests too deeply; write flat tables") from None
    except ValueError as exc:  # also a number of more digits than Python reads
        raise KrcsimError(f"{what} is not TOML: {exc}; mend that place") from None


def read_json(text: str, what: str) -> Any:
    """What a JSON text holds, all numbers finite and no name given twice; raises KrcsimError."""
    try:
        return json.loads(
            text, parse_constant=_finite, parse_float=_finite, object_pairs_hook=_each_once
        )
    except (ValueError, RecursionError):
        raise KrcsimError(f"{what} is not JSON or was cut short") from None


def _finite(word: str) -> float:
    if not is_finite(found := float(word)):
        raise ValueError("a number that is not finite")
    return found


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands there twice")
    return found
