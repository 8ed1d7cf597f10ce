# SPDX-License-Identifier: GPL-2.0-only
"""The text of a mail as lines: its parts, decoded as they are and not only as they
claim to be.
"""

import binascii
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import PurePosixPath

from krcsim.report.mail.charsets import decoded
from krcsim.report.mail.headers import declared_charset, first, words

# text/* that is no text to quote, and names of files that are, whatever type they are
# sent as.
_MARKUP = set("html calendar vcard x-vcard rtf richtext x-amp-html css xml".split())
_TEXT_FILES = set(
    ".patch .diff .txt .c .h .s .log .config .dts .dtsi .rst .md .sh .py .cocci".split()
)

_PLAIN = ("7bit", "8bit", "binary", "")
_CODED = {
    "quotedprintable": "quoted-printable",
    "uuencode": "x-uuencode",
    "base64": "8bit",
}  # base64: below


@dataclass(frozen=True)
class Body:
    """Lines to quote from, and what to say about how they were read."""

    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def body_of(mail: Message) -> Body:
    """The first text of a mail, and behind it, after an empty line, each other one:
    patches and forwarded mails too.
    """
    parts = list(_texts(mail))
    main = next((part for part in parts if _is_main(part)), None)
    ordered = [part for part in parts if part is main] + [
        part for part in parts if part is not main
    ]
    bodies = [_read(part) for part in ordered]
    lines: list[str] = []
    for body in bodies:
        if any(line.strip() for line in body.lines):
            lines += [""] * bool(lines) + list(body.lines)
    return Body(tuple(lines), tuple(dict.fromkeys(note for body in bodies for note in body.notes)))


def has_html(mail: Message) -> bool:
    """Whether a part is a web page, which is not read."""
    return any(part.get_content_type() == "text/html" for part in mail.walk())


def lines_of(text: str) -> tuple[str, ...]:
    """Text in lines, whatever ends them, without the empty ones at its end."""
    return tuple(re.sub("\r\n?", "\n", text.removeprefix("\ufeff")).rstrip("\n").split("\n"))


def _texts(part: Message) -> Iterator[Message]:
    """The parts that hold text, those of forwarded mails last; of several forms of one
    text only one.
    """
    if not part.is_multipart():
        if _is_text(part):
            yield part
        return
    inner = [child for child in part.get_payload() if isinstance(child, Message)]
    if part.get_content_type() == "multipart/alternative":
        inner = [child for child in inner if child.get_content_type() == "text/plain"][:1] or inner
    inner.sort(key=lambda child: child.get_content_maintype() == "message")
    for child in inner:
        yield from _texts(child)


def _is_text(part: Message) -> bool:
    """Whether a part is text, or a file that is, whatever type it is sent as."""
    main = part.get_content_maintype()
    sub = part.get_content_subtype()
    if main == "text":
        return sub not in _MARKUP
    suffix = PurePosixPath(words(part.get_filename() or "")).suffix.lower()
    is_file = main == "application" and (suffix in _TEXT_FILES or "patch" in sub or "diff" in sub)
    return is_file or main == "multipart"  # its parts could not be told apart


def _is_main(part: Message) -> bool:
    return (
        part.get_content_type() == "text/plain" and part.get_content_disposition() != "attachment"
    )


def _read(part: Message) -> Body:
    raw, notes = _transferred(part)
    charset = declared_charset(part)
    read = decoded(raw, charset)
    if read.read_as:
        notes += [f"its text, declared as {charset[:40] or 'nothing'}, is read as {read.read_as}"]
    if part.get_content_maintype() == "multipart":
        notes += ["its parts cannot be told apart; read as they stand"]
    lines = lines_of(read.text)
    if str(part.get_param("format", "")).lower() == "flowed":
        lines = tuple(map(_unflowed, lines))
    return Body(lines, tuple(notes))


def _unflowed(line: str) -> str:
    """A line of format=flowed as it is meant (RFC 3676): without the blank that marks a
    soft break, or that stuffs it, which only stays before a ">" that is no mark of
    quoting.
    """
    if not line.startswith((">", " >")):
        line = line.removeprefix(" ")
    return line if line.lstrip("> ") == "" or line.endswith("-- ") else line.removesuffix(" ")


def _transferred(part: Message) -> tuple[bytes, list[str]]:
    """The bytes of a part without their transfer encoding, and what to say of it."""
    spelt = first(part, "content-transfer-encoding")
    encoding = _encoding(spelt)
    del part["content-transfer-encoding"]
    if encoding in _CODED:
        part["content-transfer-encoding"] = _CODED[encoding]
    # never without `decode`: it would trust the charset
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    if encoding == "base64":
        return _from_base64(raw), []
    known = encoding in _PLAIN or encoding in _CODED
    return raw, [] if known else [
        f"Content-Transfer-Encoding {spelt[:40]!r} is unknown; its text is read as it stands"
    ]


def _encoding(spelt: str) -> str:
    """The transfer encoding that is meant: `quoted-printable;`, `Base-64`,
    `quoted-printible` too.
    """
    plain = re.sub(r"[^a-z0-9]", "", spelt.lower()[:100])
    for coded in _CODED:
        if coded in plain:
            return coded
    return next(iter(difflib.get_close_matches(plain, [*_PLAIN, *_CODED], n=1, cutoff=0.7)), plain)


def _from_base64(raw: bytes) -> bytes:
    """What base64 stands for, with the plain text that a mailing list may have put
    below it.
    """
    lines = raw.split(b"\n")
    foreign = (
        n
        for n, line in enumerate(lines)
        if not re.fullmatch(rb"[A-Za-z0-9+/]*={0,2}", line.strip())
    )
    coded = next(foreign, len(lines))
    digits = b"".join(line.strip() for line in lines[:coded])
    out: list[bytes] = []
    for segment in re.findall(rb"[A-Za-z0-9+/]+", digits):
        # cut off within a byte
        whole = segment[:-1] if len(segment) % 4 == 1 else segment
        out.append(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))
    below = b"\n".join(lines[coded:]).strip(b"\n")
    return b"\n".join(filter(None, [b"".join(out), below]))
