# SPDX-License-Identifier: GPL-2.0-only
"""The mail that is answered, from a file: a raw mail, one of an mbox, or text pasted
from an archive.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

from krcsim.base.errors import KrcsimError, shown
from krcsim.report.mail.addresses import Mailbox, mailboxes
from krcsim.report.mail.body import body_of, has_html, lines_of
from krcsim.report.mail.charsets import decoded
from krcsim.report.mail.headers import first, values, words
from krcsim.report.mail.ids import message_id, own_ids, thread
from krcsim.report.mail.mbox import MOST_MAILS, head_of, mails_in, mended_head
from krcsim.report.mail.pasted import said_of
from krcsim.report.mail.people import listed, people_of, usable

MOST_BYTES = 10_000_000
MOST_OF_A_HEAD = 128_000
MOST_OF_A_CONTENT_HEADER = 4_000
MOST_PARTS = 1_000
# of the parser, which looks at each line once for each boundary around it
MOST_STEPS = 500_000

_CONTENT_HEADER = re.compile(rb"^content-.*(?:\n[ \t].*)*", re.MULTILINE | re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*:(.*(?:\n[ \t].*)*)", re.MULTILINE | re.IGNORECASE)
_RFC_DATE = re.compile(
    r"(?:[A-Z][a-z]{2,8}, ?)?\d{1,2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d?:\d\d(?!.*[ap]\.?m\b)"
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_TIME = re.compile(r"(?<!\d)(?:[01]?\d|2[0-3]):[0-5]\d(?!\d)")
_BOUNDARY = re.compile(rb'\bboundary[ \t]*=[ \t]*"?([^"\n;]{1,200})', re.IGNORECASE)


@dataclass(frozen=True)
class Parent:
    """The mail to answer: its headers decoded, the lines of its text as they came, and
    what to say about both.
    """

    message_id: str = ""
    references: tuple[str, ...] = ()
    subject: str = ""
    authors: tuple[Mailbox, ...] = ()
    to: tuple[Mailbox, ...] = ()  # whom an answer goes to
    cc: tuple[Mailbox, ...] = ()  # all whom the mail went to
    date: str = ""
    body: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_parent(path: Path, in_reply_to: str = "") -> Parent:
    """The mail in an .eml, an mbox (`in_reply_to` chooses) or a pasted text (which may
    need it); raises KrcsimError.
    """
    wanted = message_id(in_reply_to) if in_reply_to else ""
    name = _shown_path(path)
    raw = _read(path, name)
    mails = mails_in(raw)
    if not mails:
        return _from_page(raw, name, wanted)
    _refuse(
        len(mails) > MOST_MAILS,
        f"{name} holds more than {MOST_MAILS} mails; save only those of the thread",
    )
    try:
        return _from_mail(*_chosen(mails, name, wanted), name)
    except RecursionError:
        raise KrcsimError(
            f"{name} holds too many mails within mails; save the one that you answer"
        ) from None


def _refuse(wrong: object, why: str) -> None:
    if wrong:
        raise KrcsimError(why)


def _brief(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:97]}..."


def _shown_path(path: Path) -> str:
    """A path for a message: its end, if it is long."""
    text = str(path)
    text = text if text.isprintable() else repr(text)[1:-1]
    return text if len(text) <= 100 else f"...{text[-97:]}"


def _read(path: Path, name: str) -> bytes:
    """The bytes of a file with the line ends of Unix; a file of UTF-16, as some editors
    save it, as UTF-8.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as exc:  # a path may hold a NUL
        why = getattr(exc, "strerror", None) or shown(str(exc))
        raise KrcsimError(f"the mail {name} cannot be read ({why}); save the raw mail") from None
    _refuse(
        len(raw) > MOST_BYTES, f"{name} is larger than 10 MB; save only the mail that you answer"
    )
    _refuse(
        raw.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\3\4")),
        f"{name} is compressed; unpack it first",
    )
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        with suppress(UnicodeError):
            raw = raw.decode("utf-16").encode()
    raw = re.sub(rb"\r+\n", b"\n", raw.removeprefix(b"\xef\xbb\xbf"))
    raw = raw if b"\n" in raw else raw.replace(b"\r", b"\n")
    _refuse(not raw.strip(), f"{name} is empty; save the raw mail")
    return raw


def _chosen(mails: list[bytes], name: str, wanted: str) -> tuple[bytes, str, list[str]]:
    """The mail that is wanted, else the first; its Message-ID, and what to say about
    the choice.
    """
    ids = [_ids_of(mail) for mail in mails]
    notes: list[str] = []
    place = 0
    if wanted:
        known = [n for n, found in enumerate(ids) if wanted in found]
        nameless = [n for n, found in enumerate(ids) if not found]
        _refuse(
            not known and len(nameless) > 1,
            f"{name} has no mail {_brief(wanted)}, but {len(nameless)} without "
            "a Message-ID; save the one that you answer in a file of its own",
        )
        _refuse(
            not known and not nameless,
            f"{name} has no mail {_brief(wanted)}; name another file or mail",
        )
        place = (known or nameless)[0]
        if not known and len(mails) > 1:
            notes.append(
                f"{name} has no mail {_brief(wanted)}; this answers the one without a Message-ID"
            )
    elif len(mails) > 1:
        notes.append(
            f"{name} holds {len(mails)} mails; this answers the first; --in-reply-to names another"
        )
    found = [wanted] if wanted else ids[place]
    _refuse(
        not found,
        f"{name} has no Message-ID that an answer could name, so that it would not be in its "
        "thread; give the ID with --in-reply-to",
    )
    if len(found) > 1:
        notes.append(
            f"the mail has {len(found)} Message-IDs; this answers {_brief(found[0])}; "
            "--in-reply-to names another"
        )
    return mails[place], found[0], notes


def _ids_of(mail: bytes) -> list[str]:
    """The Message-IDs of a mail, none of them twice."""
    ids: list[str] = []
    for header in _MESSAGE_ID.findall(head_of(mail)):
        ids += own_ids(header.decode("ascii", "surrogateescape"))

    return list(dict.fromkeys(ids))


def _parsed(raw: bytes, name: str) -> Message:
    """A mail as Python's library reads it; refused before what would take the library
    minutes.
    """
    head, between, rest = raw.partition(b"\n\n")
    boundaries = {found.strip(b' \t"') for found in _BOUNDARY.findall(raw)}
    spelt_in_pieces = b"boundary*" in raw.lower()
    lines = (found[1].strip() for found in re.finditer(rb"^--(.*)", raw, re.MULTILINE))
    parts = sum(
        spelt_in_pieces or line in boundaries or line.removesuffix(b"--") in boundaries
        for line in lines
    )
    headers = len(re.findall(rb"^[!-9;-~]+:", raw, re.MULTILINE))
    steps = raw.count(b"\n") * (1 + len(boundaries)) + 5 * headers
    if b"message/delivery-status" in raw.lower():
        steps += 50 * raw.count(b"\n\n")  # each empty line in one begins a part
    longest = max((len(found[0]) for found in _CONTENT_HEADER.finditer(raw)), default=0)
    _refuse(
        len(head) > MOST_OF_A_HEAD or longest > MOST_OF_A_CONTENT_HEADER,
        f"{name} has headers of {max(len(head), longest)} bytes; shorten them, or save the raw "
        "mail again",
    )
    _refuse(
        parts > MOST_PARTS or steps > MOST_STEPS,
        f"{name} has {parts} parts and {raw.count(10)} lines, more than "
        "is read; save the text that you answer as plain text, and name its mail with "
        "--in-reply-to",
    )
    return message_from_bytes(mended_head(head) + between + rest, policy=policy.compat32)


def _from_mail(raw: bytes, own_id: str, notes: list[str], name: str) -> Parent:
    mail = _parsed(raw, name)
    people = people_of(mail)
    body = body_of(mail)
    if not any(line.strip() for line in body.lines):
        _refuse(
            has_html(mail),
            f"{name} is HTML only; give its plain-text part, or save the raw mail from lore",
        )
        _refuse(
            True, f"{name} holds no plain text or is cut off before it; save the raw mail again"
        )

    subjects = [(words(text), read_as) for text, read_as in values(mail, "subject")] or [("", "")]
    subject, read_as = subjects[0]
    if read_as:
        notes.append(
            f"the subject is neither ASCII nor UTF-8; read as {read_as}; --subject says otherwise"
        )
    if len({text for text, _ in subjects}) > 1:
        notes.append(
            f"the mail has {len(subjects)} subjects; the first is answered; --subject says "
            "otherwise"
        )

    when = first(mail, "date") or first(mail, "sent")
    date = _date_of(when)
    if when and not date:
        notes.append(f"its date, {shown(when)}, cannot be read and is left out")

    above = {key: [text for text, _ in values(mail, key)] for key in ("references", "in-reply-to")}
    references, broken = thread(above["references"], above["in-reply-to"])
    if broken:
        notes.append(
            f"left out of References, because no Message-IDs: {listed(map(Mailbox, broken))}"
        )
    return Parent(
        own_id,
        references,
        subject,
        people.authors,
        people.to,
        people.cc,
        date,
        body.lines,
        (*notes, *people.notes, *body.notes),
    )


def _date_of(text: str) -> str:
    """A date as headers have it; one in an archive's words, or in a zone without a
    number, as it stands; else "".
    """
    with suppress(ValueError, TypeError, OverflowError, IndexError):
        when = parsedate_to_datetime(text[:200]) if _RFC_DATE.match(text) else None
        if when and (when.tzinfo or "-0000" in text):
            return format_datetime(when)
    plain = re.sub(r"\s*\(.*", "", text[:200])
    return plain if len(plain) <= 60 and _YEAR.search(plain) and _TIME.search(plain) else ""


def _from_page(raw: bytes, name: str, wanted: str) -> Parent:
    """What a text says above its body; the body is all of it, so that its lines are
    counted as an editor does.
    """
    _refuse(
        re.search(rb"(?i)<(?:html|!doctype)", raw[:999]),
        f"{name} is a web page; save the raw mail, for example from lore",
    )
    _refuse(b"\0" in raw, f"{name} is binary; save the raw mail")
    read = decoded(raw)
    lines = lines_of(read.text)
    said = {key: words(value) for key, value in said_of(lines).items()}
    ids = own_ids(said.get("message-id", ""))
    _refuse(
        wanted and ids and wanted not in ids,
        f"{name} is the mail {_brief(''.join(ids[:1]))} and not "
        f"{_brief(wanted)}; name another file or mail",
    )
    _refuse(
        not wanted and not ids,
        f"{name} has no Message-ID; name the mail it is from with --in-reply-to",
    )

    authors = mailboxes(said.get("from", ""))
    others = mailboxes(", ".join(said[field] for field in ("to", "cc") if field in said))
    references, _ = thread([said.get("references", "")], [said.get("in-reply-to", "")])
    date = _date_of(said.get("date", ""))
    notes = []
    if said:
        notes.append(
            f"{name} is no raw mail; read from its first lines: subject {shown(said['subject'])}, "
            f"author {shown(said['from'])}, date {shown(date)}"
        )
    if read.read_as:
        notes.append(f"its text is read as {read.read_as}")

    to = authors if any(box.usable for box in authors) else (*authors, *usable(others))
    return Parent(
        wanted or ids[0],
        references,
        said.get("subject", ""),
        authors,
        to,
        others,
        date,
        lines,
        tuple(notes),
    )
