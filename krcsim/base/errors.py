# SPDX-License-Identifier: GPL-2.0-only
"""Errors that a person can act on: field, value, unit, allowed range and remedy, in a line."""

import reprlib
from typing import Any

LONGEST_MESSAGE = 390  # characters


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
        allocator.episode.page.
        """
        return FieldError(f"{section}.{self.field.rsplit('.', 1)[-1]}", *self.parts)

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it comes whole out of another process."""
        return FieldError, (self.field, *self.parts)


def refuse(wrong: bool, field: str, value: object, allowed: str, remedy: str) -> None:
    """Raise FieldError if a field is wrong, for example because it contradicts another."""
    if wrong:
        raise FieldError(field, value, allowed, remedy)
