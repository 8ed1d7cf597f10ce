# SPDX-License-Identifier: GPL-2.0-only
"""Bytes of a mail as text: by the charset it declares, where that is known and true.

What cannot be read becomes a lone surrogate, one for each byte (Python's
`surrogateescape`): a line that holds one cannot be quoted, all others can. Nothing
becomes U+FFFD.
"""

import codecs
import re
from dataclasses import dataclass

# Text codecs of Python that no mail means: some take forever, the others turn ASCII
# into something else.
_NEVER = set(
    "idna punycode unicode_escape raw_unicode_escape undefined mbcs oem charmap cp037 cp273 cp424 "
    "cp500 cp875 "
    "cp1026 cp1140".split()
)

# Here ASCII bytes need not mean ASCII characters.
_NOT_ASCII = ("utf-7", "utf-16", "utf-32", "hz", "iso2022")

# What senders mean by the smaller charset, and what mail readers take it for.
_WIDER = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}

# How charsets are spelt that Python knows by another name.
_SPELT = (
    (r"^(?:x-)?(?:windows|win|cp|ibm|dos|ms)-?(\d+)", "cp"),
    (r"8859-?(\d+)", "iso8859-"),
    (r"utf-?(8)", "utf-"),
)

# One lone surrogate for each byte that is no UTF-8; windows-1252 leaves five of them
# undefined.
_WESTERN = {
    0xDC00 + byte: bytes([byte]).decode("cp1252")
    for byte in range(0x80, 0x100)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


@dataclass(frozen=True)
class Text:
    """Text, and as what it was read if that is not as it was declared."""

    text: str
    read_as: str = ""


def codec_of(name: str) -> str:
    """The name by which Python knows a declared charset, or "": iso-8859-8-i,
    windows-874, cp-850 and utf8mb4 too.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", name[:60].lower().removeprefix("charset=")).strip("-")
    guesses = [plain, plain.removeprefix("x-")]
    guesses += [
        prefix + number for pattern, prefix in _SPELT for number in re.findall(pattern, plain)[:1]
    ]
    for guess in guesses:
        try:
            found = codecs.lookup(guess).name
            bytes(4).decode(found)  # some codecs make no text of bytes
        except (LookupError, UnicodeError):
            continue
        if found not in _NEVER:
            return found
    return ""


def decoded(raw: bytes, declared: str = "") -> Text:
    """Bytes as text."""
    codec = codec_of(declared)
    if codec.startswith(("utf-16", "utf-32")) and b"\0" not in raw:
        codec = ""  # no such text is without a NUL in its line ends
    if raw.isascii() and not codec.startswith(_NOT_ASCII):
        return Text(raw.decode("ascii"))
    if codec == "utf-8":
        return Text(raw.decode("utf-8", "surrogateescape"))
    as_utf_8 = _utf_8(raw)
    if as_utf_8 and (codec in ("", "ascii") or _is_never(as_utf_8, codec)):
        return Text(as_utf_8, "UTF-8" if codec not in ("", "ascii") else "")
    if codec in ("", "ascii"):
        return Text(raw.decode("utf-8", "surrogateescape").translate(_WESTERN), "windows-1252")
    codec = _WIDER.get(codec, codec)
    try:
        return Text(raw.decode(codec))
    except UnicodeError:
        return Text(_escaped(raw, codec))


def _utf_8(raw: bytes) -> str:
    """Bytes as UTF-8, or "" if they are none."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _is_never(as_utf_8: str, codec: str) -> bool:
    """Whether a text that is UTF-8 cannot be one in a charset by chance; where two
    bytes are a character, a few can.
    """
    single_byte = ("iso8859", "cp125", "cp8", "cp4", "cp7", "koi8", "mac", "tis", "kz1048", "ptcp")
    return (
        codec.startswith(single_byte) or sum(not character.isascii() for character in as_utf_8) >= 6
    )


def _escaped(raw: bytes, codec: str) -> str:
    try:
        return raw.decode(codec, "surrogateescape")
    except UnicodeError:  # a codec that cannot escape
        return raw.decode("ascii", "surrogateescape")
