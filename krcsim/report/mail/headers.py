# SPDX-License-Identifier: GPL-2.0-only
"""The headers of a mail as text on one line: raw bytes and encoded words decoded, no
control character kept.
"""

import binascii
import quopri
import re
from email.message import Message
from itertools import groupby

from krcsim.report.mail.charsets import codec_of, decoded

CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")
UNREADABLE = "\ufffd"  # stands for a byte that is no text; never sent

_SURROGATE = re.compile("[\ud800-\udfff]")
ENCODED_WORD = re.compile(
    r"=\?([^?\s]{1,100})\?([bq])\?((?:[^?]|\?(?!=)){0,1000})\?=", re.IGNORECASE
)
_RUN = re.compile(rf"{ENCODED_WORD.pattern}(?:\s*{ENCODED_WORD.pattern})*", re.IGNORECASE)


def clean(text: str) -> str:
    """Text on one line without control characters; what could not be read is
    UNREADABLE.
    """
    return " ".join(CONTROL.sub(" ", _SURROGATE.sub(UNREADABLE, text)).split())


def values(mail: Message, name: str) -> list[tuple[str, str]]:
    """All headers of a name, folds as they are, encoded words too; and as what raw
    bytes were read if they had to be guessed, because a header has no charset and they
    are no UTF-8.
    """
    return [_raw(value, mail) for key, value in mail.raw_items() if key.lower() == name]


def first(mail: Message, name: str) -> str:
    """The first header of a name as one line, or ""."""
    return next((words(text) for text, _ in values(mail, name)), "")


def _raw(value: object, mail: Message) -> tuple[str, str]:
    raw = str(value).encode("ascii", "surrogateescape")
    guess = decoded(raw)
    if guess.read_as:
        # of the body; the same program wrote the header
        hint = codec_of(declared_charset(mail))
        if hint not in ("", "ascii", "utf-8"):
            return decoded(raw, hint).text, hint
    return guess.text, guess.read_as


def declared_charset(mail: Message) -> str:
    """The charset that a part declares, as it is spelt there, or ""."""
    found = mail.get_param("charset")
    return clean(str(found[2] if isinstance(found, tuple) else found or ""))


def words(text: str) -> str:
    """A header as one line, its encoded words decoded; one that is none stays as it
    is.
    """
    return clean(unencoded(text))


def unencoded(text: str) -> str:
    """A header with its encoded words decoded, whatever is in them: line breaks too."""
    return _RUN.sub(_decoded_run, text)


def _decoded_run(run: re.Match[str]) -> str:
    """Encoded words next to each other: blanks between them do not count, and they may
    share a character.
    """
    found = [
        (word[1].partition("*")[0].lower(), _bytes_of(word))
        for word in ENCODED_WORD.finditer(run[0])
    ]
    if any(raw is None for _, raw in found):
        return run[0]
    groups = (
        (charset, b"".join(raw or b"" for _, raw in group))
        for charset, group in groupby(found, lambda x: x[0])
    )
    return "".join(_known(raw, charset) for charset, raw in groups)


def _known(raw: bytes, charset: str) -> str:
    """The text of an encoded word; what could only be guessed is left unreadable."""
    read = decoded(raw, charset)
    return read.text if read.read_as in ("", "UTF-8") else raw.decode("ascii", "surrogateescape")


def _bytes_of(word: re.Match[str]) -> bytes | None:
    payload = word[3].encode("utf-8", "surrogateescape")
    if word[2] in "qQ":
        return quopri.decodestring(payload, header=True)
    digits = re.sub(rb"[^A-Za-z0-9+/]", b"", payload)
    try:
        return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
    except binascii.Error:
        return None
