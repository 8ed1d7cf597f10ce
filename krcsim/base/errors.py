# SPDX-License-Identifier: GPL-2.0-only
"""Errors that a person can act on: field, value, unit, allowed range and remedy, in a line."""

import difflib
import reprlib
from collections.abc import Iterable
from typing import Any

LONGEST_MESSAGE = 390  # characters


class _Short(reprlib.Repr):
    """Python's repr of a small value, and the beginning of a large or deep one."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 60
        self.maxlevel = self.maxdict = 4

    def repr_int(self, x: int, level: int) -> str:
        """An integer, cut as other values are; Python refuses to print one of too many digits."""
        if x.bit_length() >= 10_000:
            return "an integer of thousands of digits"

        return super().repr_int(x, level)

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        """The first keys in their own order: not all keys can be sorted."""
        if level <= 0:
            return "{...}"

        parts = [
            f"{self.repr1(key, level - 1)}: {self.repr1(x[key], level - 1)}"
            for key in list(x)[: self.maxdict]
        ]
        if len(x) > self.maxdict:
            parts.append("...")

        return "{" + ", ".join(parts) + "}"


_SHORT = _Short()


def shown(value: object) -> str:
    """A value for a message: on one line, at most 60 characters, whatever it is."""
    text = _SHORT.repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def sentence(text: str) -> str:
    """A message on one printable line of at most LONGEST_MESSAGE characters.

    One that is too long keeps its beginning (what is wrong) and its end (what to do).
    """
    if len(text) > 10_000:
        text = text[:5_000] + text[-5_000:]

    line = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
    if len(line) <= LONGEST_MESSAGE:
        return line

    end = LONGEST_MESSAGE // 3
    return f"{line[: LONGEST_MESSAGE - end - 5]} ... {line[-end:]}"


def nearest(given: object, known: Iterable[str]) -> str:
    """The known name that a person most likely meant, whatever its case; "" if none is near."""
    if not isinstance(given, str) or len(given) > 60:
        return ""

    by_lower_case = {name.lower(): name for name in known}
    near = difflib.get_close_matches(given.lower(), by_lower_case, n=1)
    if not near and len(given) >= 3:  # the beginning of a longer name
        near = sorted((name for name in by_lower_case if name.startswith(given.lower())), key=len)

    return by_lower_case[near[0]] if near else ""


def did_you_mean(given: object, known: Iterable[str], otherwise: str) -> str:
    """The end of a message about an unknown name: the nearest known one, else `otherwise`."""
    near = nearest(given, known)
    return f"did you mean {near}?" if near else otherwise


class _Shown(str):
    """A value that shown() has made text of already; a message holds it as it is."""

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
        self.field = field
        self.parts = (_Shown(shown(value)), allowed, remedy)
        super().__init__(f"{field} is {self.parts[0]}; allowed: {allowed}; {remedy}")

    def within(self, section: str) -> "FieldError":
        """The same error, with the section that the field belongs to.

        A Failure does not know whether it is that of calm or of an episode: its field `page` is
        allocator.episode.page only where the episode is read.
        """
        return FieldError(f"{section}.{self.field.rsplit('.', 1)[-1]}", *self.parts)

    def __reduce__(self) -> tuple[Any, ...]:
        """Lets the error come whole out of another process."""
        return FieldError, (self.field, *self.parts)


def refuse(wrong: bool, field: str, value: object, allowed: str, remedy: str) -> None:
    """Raise FieldError if a field is wrong, for example because it contradicts another."""
    if wrong:
        raise FieldError(field, value, allowed, remedy)
