# SPDX-License-Identifier: GPL-2.0-only
"""A file as the raw mails that it holds: one, or the many of an mbox."""

import re

MOST_MAILS = 10_000

# The line above each mail of an mbox. One with time and year is one wherever it stands,
# as for git mailsplit; any other one must follow an empty line. Below it, headers
# begin: a sentence of a body that begins with "From " is none.
_ABOVE = re.compile(rb"^From [^\n]*\n(?=(?:>From [^\n]*\n)?[!-9;-~]+[ \t]*:)", re.MULTILINE)
_ABOVE_HEAD = re.compile(rb"\A>From [^\n]*\n")
_DATED = re.compile(rb"\d{1,2}:\d\d(?::\d\d)?(?: [-+A-Z0-9]{1,6})* (?:19|20)\d\d")

_HEADER = re.compile(rb"^(from|to|cc|date|subject|message-id)[ \t]*:", re.MULTILINE | re.IGNORECASE)
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,9})[ \t]*$", re.MULTILINE | re.IGNORECASE)


def head_of(raw: bytes) -> bytes:
    """The headers of a mail, as bytes."""
    return raw.partition(b"\n\n")[0]


def mended_head(head: bytes) -> bytes:
    """Headers as the library reads them: a line that is none, above another header,
    goes on with the one before it; a blank before a colon is dropped, and so is a lone
    carriage return.
    """
    head = re.sub(rb"(?m)^([!-9;-~]+)[ \t]+:", rb"\1:", head.replace(b"\r", b" "))
    end = max(
        (found.end() for found in _HEADER.finditer(head)), default=0
    )  # below it may be a body
    return re.sub(rb"\n(?![!-9;-~]+:|[ \t])", b"\n ", head[:end]) + head[end:]


def is_mail(raw: bytes) -> bool:
    """Whether a text begins with headers: at least two that every mail has."""
    head = head_of(raw)
    begins = re.match(rb"[!-9;-~]+[ \t]*:", head)
    return bool(begins) and len({name.lower() for name in _HEADER.findall(head)}) >= 2


def mails_in(raw: bytes) -> list[bytes]:
    """The mails of a file, each without the line above it and as it was before the
    mbox; [] if there is none.

    Of more than MOST_MAILS only one more is read.
    """
    raw = raw.lstrip(b"\n")
    if not raw.startswith(b"From "):
        mail = _ABOVE_HEAD.sub(b"", raw)
        return [mail] if is_mail(mail) else []
    pieces = _pieces(raw)
    mails: list[list[bytes]] = []
    place = 0
    while place < len(pieces) and len(mails) <= MOST_MAILS:
        text = _ABOVE_HEAD.sub(b"", pieces[place].partition(b"\n")[2])
        if is_mail(text):
            after = place + _pieces_of(text, pieces[place + 1 : place + 100])
            mails.append([text, *pieces[place + 1 : after]])
        elif mails:
            # what only looks like the beginning of a mail
            mails[-1].append(pieces[place])
            after = place + 1
        else:
            return []
        place = after
    return [re.sub(rb"(?m)^>(>*From )", rb"\1", b"".join(parts)) for parts in mails]


def _pieces(raw: bytes) -> list[bytes]:
    """An mbox cut before each line that may begin a mail; [] if its first line does
    not.
    """
    starts = [
        found.start()
        for found in _ABOVE.finditer(raw)
        if raw[max(0, found.start() - 2) : found.start()] in (b"", b"\n\n")
        or _DATED.search(found[0])
    ]
    if starts[:1] != [0]:
        return []
    return [raw[start:end] for start, end in zip(starts, [*starts[1:], len(raw)], strict=True)]


def _pieces_of(text: bytes, others: list[bytes]) -> int:
    """How many pieces a mail takes: more than one if its Content-Length ends exactly
    where a later one ends.
    """
    said = _LENGTH.search(head_of(text))
    length = len(text.partition(b"\n\n")[2])
    for count, other in enumerate(others, 2):
        if not said or length >= int(said[1]):
            break
        length += len(other)
        if length - int(said[1]) in (0, 1):  # an empty line may stand between two mails
            return count
    return 1
