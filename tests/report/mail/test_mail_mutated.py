# SPDX-License-Identifier: GPL-2.0-only
"""Whatever is done to a mail, it is read or refused in a sentence, and no draft carries what no
header may hold.
"""

from __future__ import annotations

import os
import random
import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.report.mail import Parent, draft, read_parent, recipients
from tests.quick import mostly_slow

COUNT = int(os.environ.get("KRCSIM_MUTATIONS", "3000"))  # more of them by hand
CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd]")

SEEDS = (
    b'From: =?utf-8?q?J=C3=BCrgen?= <jg@example.org>\nTo: rcu@lists.example.net, "Vogel, Ina" '
    b"<ina@example.com>\n"
    b"Cc: Team: kim@example.com, Lee <lee@example.com>;\nCc: moe@example.net (Moe)\nReply-To: "
    b"jg@home.example\n"
    b"Subject: [list] Re: =?iso-8859-1?q?gr=FC=DFe?= and\n pages\nDate: Mon, 6 Apr 2020 10:00:00 "
    b"+0200\n"
    b"Message-ID: <p1@example.org> (added)\nReferences: <a@example.org>\n\t<b@example.org>\n"
    b"In-Reply-To: <b@example.org>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; "
    b'boundary="=_b"\n\n'
    b"--=_b\nContent-Type: text/plain; charset=utf-8; format=flowed\nContent-Transfer-Encoding: "
    b"quoted-printable\n\n"
    b'How often does it=20\nwait, J=C3=BCrgen?\n--=_b\nContent-Type: text/x-patch; name="a.patch"\n'
    b"Content-Disposition: inline\nContent-Transfer-Encoding: "
    b"base64\n\nLS0tIGEveAorKysgYi94Cg==\n--=_b--\n",
    b"From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: a@example.org\nSubject: x\nMessage-ID: "
    b"p1@example.org\n"
    b"Mail-Followup-To: rcu@lists.example.net\nContent-Length: 30\n\n>From 10:30 on it waits.\n\n"
    b"From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: b@example.org\nSubject: =?koi8-r?b?8NLJ18XU?=\n"
    b"Message-ID: <p2@example.org>\nContent-Type: text/plain; "
    b"charset=koi8-r\n\n\xf0\xd2\xc9\xd7\xc5\xd4\n",
    b"Re: pool or pages\n\nFrom: Ina Vogel (ina@example.org)\nDate: Mon Apr 06 2020 - 10:00:00 "
    b"EST\n"
    b"Message-ID: <p1@example.org>\n\nOn Fri, Apr 03, Kim wrote:\n> x\n\nIt waits.\n",
)
FRAGMENTS = (
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\n ",
    b"\0",
    b"\x1b[1m",
    b"\x85",
    b"\xe2\x80\xa8",
    b"\xff",
    b"\xc3",
    b"\xc3\xbc",
    b"\t",
    b"=?utf-8?q?a=0Ab?=",
    b"=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3D0Ay=3F=3D?=",
    b"=?utf-8?b?YQpi?=",
    b"=?x?q?=FF?=",
    b"=?",
    b"?=",
    b"=?utf-7?q?+AAo-?=",
    b"=?utf-16?b?AAoACg==?=",
    b"=?idna?q?xn--a?=",
    b"=0A",
    b"=",
    b"<",
    b">",
    b"<>",
    b'"',
    b"\\",
    b"(",
    b")",
    b",",
    b";",
    b":",
    b"@",
    b"@xxxxxxx",
    b"..",
    b"<evil@example.com>",
    b"\nBcc: evil@example.com\n",
    b"\nCc: x@example.com\n",
    b"\nMessage-ID: \n",
    b"\nSubject: y\n",
    b"\nContent-Type: text/html\n",
    b"Content-Transfer-Encoding: base64\n",
    b"--=_b\n",
    b"--=_b--\n",
    b"boundary*0=",
    b"charset=punycode",
    b"charset*=x''%0A",
    b"charset=utf-16",
    b"charset=zlib",
    b"format=flowed",
    b"\nFrom a@b.c Fri Apr  3 20:30:51 2020\nFrom: x\nDate: y\n",
    b"From ",
    b">From ",
    b"content-length: 5\n",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"message/rfc822",
    b"multipart/alternative",
    b"x" * 1200,
    b"9" * 5000,
    b"( " * 300,
    b'" ' * 300,
    b"<a@" * 300,
)


def mutated(dice: random.Random) -> bytes:
    """One of the seeds with up to a dozen changes: bytes, lines, fragments that hurt, pieces
    dropped and repeated.
    """
    mail = bytearray(dice.choice(SEEDS))
    for _ in range(dice.randint(1, 12)):
        at, end = sorted(dice.randrange(len(mail) + 1) for _ in range(2))
        end = min(end, at + dice.choice((1, 4, 40, 400)))
        match dice.randrange(6):
            case 0:
                mail[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                mail[at:end] = b""
            case 2:
                mail[at:at] = mail[at:end] * dice.choice((1, 2, 30))
            case 3:
                mail[at:at] = dice.choice(FRAGMENTS)
            case 4:
                colon = mail.find(b": ", at)
                mail[colon + 2 : colon + 2] = dice.choice(FRAGMENTS)
            case 5:
                lines = mail.split(b"\n")
                lines.insert(dice.randrange(len(lines)), lines.pop(dice.randrange(len(lines))))
                mail = bytearray(b"\n".join(lines))
        if len(mail) > 200_000:
            break
    return bytes(mail)


def as_read_elsewhere(name: str, value: str) -> list[str]:
    """A header as it is written, and as two other readers decode it."""
    flat = re.sub(r"\n[ \t]", " ", value)
    modern: Message = message_from_bytes(f"{name}: {flat}\n\n".encode(), policy=policy.default)
    return [flat, str(make_header(decode_header(flat))), str(modern[name])]


def check_draft(mail: bytes) -> None:
    """Raise AssertionError if a header of a draft could not be sent, or would break where it is
    read.
    """
    head = mail.split(b"\n\n", 1)[0]
    assert head.isascii()
    assert max(map(len, head.split(b"\n"))) <= 998
    parsed = message_from_bytes(mail)
    assert not parsed.defects
    assert len(parsed.keys()) == len(set(parsed.keys()))
    assert "Bcc" not in parsed
    for name, value in parsed.items():
        for text in as_read_elsewhere(name, value):
            assert not CONTROL.search(text), (name, text)


def answer(path: Path, wanted: str) -> None:
    """Read a mail and draft an answer to it, as far as that goes; all that is said is short,
    whatever it repeats.
    """
    parent = Parent(subject="x")
    said: list[str] = []
    try:
        parent = read_parent(path, wanted)
        said += [*parent.notes, *recipients(parent).notes]
    except KrcsimError as error:
        said.append(str(error))
    lines = [line for line in parent.body if line.isprintable()]
    for quote, subject in ((parent.body, ""), (lines, ""), (lines, "x")):
        try:
            check_draft(draft("x", parent=parent, quote=quote, subject=subject))
            break
        except KrcsimError as error:
            said.append(str(error))
    else:
        raise AssertionError(f"no draft, whatever is given: {said[-1]}")
    for text in said:
        assert len(text) <= 400, text
        assert not CONTROL.search(text.replace("\ufffd", "")), text


@pytest.mark.parametrize("part", mostly_slow(range(10), 0))
def test_a_mutated_mail_is_read_or_refused(tmp_path: Path, part: int) -> None:
    path = tmp_path / "parent.eml"
    for number in range(part, COUNT, 10):
        dice = random.Random(f"mail {number}")
        path.write_bytes(mutated(dice))
        answer(path, dice.choice(("", "p1@example.org", "given@example.org")))
