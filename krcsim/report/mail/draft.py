# SPDX-License-Identifier: GPL-2.0-only
"""The draft of an answer, for `git send-email` or `mutt -H`: plain text, in its thread,
never sent.
"""

import quopri
import re
import shlex
import textwrap
from collections.abc import Sequence
from email.header import Header
from pathlib import Path

from krcsim.base.errors import KrcsimError, shown
from krcsim.report.mail.headers import CONTROL, UNREADABLE, clean
from krcsim.report.mail.ids import is_sendable
from krcsim.report.mail.parent import Parent
from krcsim.report.mail.quoting import quoted
from krcsim.report.mail.recipients import recipients

LONGEST_LINE = 998  # bytes that a mail may have between two line ends (RFC 5322)

# A line of ours: 7-bit text of 72 columns, or a longer one that is indented, and
# nothing that git or a list would take for something else.
_OWN = re.compile(r"(?!>*From |(?i:From|Subject|Date):|\[PATCH\])(?=  |.{0,72}$)[ -~]{0,998}(?<! )")

# What stands before a subject: marks of answers, of which one is enough, of forwarded
# mails, and of lists.
_RE = r"re *(?:\[\d+\]|\(\d+\)|\^\d+|\*\d+)? *[:：]"
_BEFORE = re.compile(
    rf"(?:(?P<re>{_RE})|\[[^\[\]]*\]"
    r"|(?:fwd?|aw|antw|sv|vs|wg|tr|r|rif|odp|回复|答复|转发) *[:：]) *",
    re.IGNORECASE,
)


def draft(
    answer: str,
    *,
    parent: Parent,
    quote: Sequence[str] = (),
    subject: str = "",
    to: Sequence[str] = (),
    cc: Sequence[str] = (),
    sender: str = "",
) -> bytes:
    """The answer as a mail without Date and Message-ID; raises KrcsimError for what a
    list would mangle.
    """
    people = recipients(parent, to=to, cc=cc, sender=sender)
    named = {"From": people.senders, "To": people.to, "Cc": people.cc}
    head = [f"{name}: " + ",\n ".join(map(str, boxes)) for name, boxes in named.items() if boxes]
    head.append(f"Subject: {_subject(subject.strip(' ') or answered(parent.subject))}")
    head += _thread(parent)

    below = quoted(quote)
    lines = answer.strip("\n").split("\n")
    _check(below, lines)
    intro = _attribution(parent) if below else []
    text = "\n".join([*intro, *below, *[""] * bool(below), *lines, ""]).encode()

    charset = "us-ascii" if text.isascii() else "utf-8"
    encoding = "7bit" if text.isascii() else "8bit"
    if any(len(line) > LONGEST_LINE for line in text.split(b"\n")):
        text = quopri.encodestring(text)
        encoding = "quoted-printable"
    head += [
        "MIME-Version: 1.0",
        f"Content-Type: text/plain; charset={charset}",
        f"Content-Transfer-Encoding: {encoding}",
    ]
    return "\n".join([*head, "", ""]).encode("ascii") + text


def answered(subject: str) -> str:
    """The subject of an answer to a subject: with one "Re:", wherever and however
    others stand before it.
    """
    kept = ""
    rest = clean(subject)
    while found := _BEFORE.match(rest):
        kept += "" if found["re"] else found[0]
        rest = rest[found.end() :]

    return f"Re: {kept}{rest}".strip() if kept + rest else ""


def send_command(path: Path, parent: Parent) -> str:
    """The command that would send a draft, with a place to fill in if it has no
    recipient.
    """
    data = path.read_bytes() if path.is_file() else draft("", parent=parent, subject="-")
    hint = "" if b"\nTo: " in b"\n" + data.split(b"\n\n")[0] else "--to=ADDRESS "
    return (
        "git send-email "
        f"{hint}{shlex.quote(f'./{path}' if str(path).startswith('-') else str(path))}"
    )


def _subject(title: str) -> str:
    """A subject as a header; encoded too if it would be decoded once more where it is
    read.
    """
    if (
        not title
        or len(title) > 250
        or CONTROL.search(title)
        or re.search(f"[{UNREADABLE}\ud800-\udfff]", title)
    ):
        raise KrcsimError(
            f"the subject is {shown(title)}; allowed: one line of at most 250 readable characters; "
            "give it with --subject"
        )
    return Header(title, None if "=?" not in title else "utf-8", header_name="Subject").encode()


def _thread(parent: Parent) -> list[str]:
    """The headers that put an answer below its parent: the first of the thread is kept,
    and the last twenty.
    """
    if not parent.message_id:
        return []

    above = dict.fromkeys(text for text in parent.references if text != parent.message_id)
    chain = [*above, parent.message_id]
    for text in chain:
        if not is_sendable(text):
            raise KrcsimError(
                f"the Message-ID is {shown(text)}; allowed: one <name@host> of visible ASCII "
                "characters; give it with --in-reply-to"
            )

    return [f"In-Reply-To: {chain[-1]}", "References: " + "\n ".join(chain[:1] + chain[1:][-20:])]


def _check(below: Sequence[str], lines: Sequence[str]) -> None:
    """Raise KrcsimError for a line that no mail can hold, or that a list or git would
    take for something else.
    """
    for line in below:
        if re.search("[\0\r\n\ud800-\udfff]", line):
            raise KrcsimError(
                f"a quoted line is {shown(line)}; allowed: text; it holds a NUL, a line break or "
                "bytes that its charset does not have; quote other lines"
            )
    for n, line in enumerate(lines, 1):
        if not _OWN.fullmatch(line):
            raise KrcsimError(
                f"line {n} of the answer is {shown(line)}; allowed: 72 columns of 7-bit text "
                "without tabs, blanks at the end or what looks like a header; reword it"
            )


def _attribution(parent: Parent) -> list[str]:
    """Who wrote what is quoted, and when: by name, else by address, as far as our own
    lines can hold it.
    """
    if not parent.authors:
        return []

    # The address of a relay is nobody's.
    known_by = [box for box in parent.authors if box in parent.to] or parent.to
    names = ", ".join(box.name for box in parent.authors if box.name)
    addresses = ", ".join(box.address for box in known_by if box.address)
    choices = [(date, who) for date in (parent.date, "") for who in (names, addresses) if who]
    for date, who in choices:
        text = f"On {date}, {who} wrote:" if date else f"{who} wrote:"
        lines = textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False)
        if all(map(_OWN.fullmatch, lines)):
            return lines
    return []
