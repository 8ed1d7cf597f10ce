# SPDX-License-Identifier: GPL-2.0-only
"""Mails as they are, not as they should be: what an answer keeps of each kind, and what it says
when it cannot.
"""

from __future__ import annotations

import base64
import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses
from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.report.mail import Mailbox, Parent, chosen, draft, read_parent, recipients

LIST = "rcu@lists.example.net"
HEAD = {
    "From": "Ina Vogel <ina@example.org>",
    "To": LIST,
    "Cc": "jo@example.com",
    "Date": "Mon, 6 Apr 2020 10:00:00 +0200",
    "Subject": "rcu: pages",
    "Message-ID": "<p1@example.org>",
}
BODY = "It waits.\n\nHow often?\n"
PATCH = "--- a/tree.c\n+++ b/tree.c\n@@ -1 +1 @@\n-pool\n+pages\n"
MARK = "From mboxrd@z Thu Jan  1 00:00:00 1970\n"


def mail(body: str | bytes = BODY, more: str | bytes = "", **head: str | bytes | None) -> bytes:
    """A mail with some headers changed (None: without) and others added."""
    changed = {**HEAD, **{name.replace("_", "-"): value for name, value in head.items()}}
    lines = [
        name.encode() + b": " + raw(value) + b"\n"
        for name, value in changed.items()
        if value is not None
    ]
    return b"".join(lines) + raw(more) + b"\n" + raw(body)


def raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def typed(kind: str, body: str | bytes, encoding: str = "8bit") -> bytes:
    return mail(
        body, f"MIME-Version: 1.0\nContent-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n"
    )


def read(tmp_path: Path, text: str | bytes, in_reply_to: str = "") -> Parent:
    path = tmp_path / "parent.eml"
    path.write_bytes(raw(text))
    return read_parent(path, in_reply_to)


def refused(tmp_path: Path, text: str | bytes, in_reply_to: str = "") -> str:
    """The sentence with which a mail is refused."""
    with pytest.raises(KrcsimError) as error:
        read(tmp_path, text, in_reply_to)
    assert len(str(error.value)) <= 400
    return str(error.value)


def answer(parent: Parent) -> dict[str, str]:
    """The headers of an answer, as they are read."""
    parsed = message_from_bytes(draft("x", parent=parent))
    return {name: re.sub(r"\n[ \t]", " ", value) for name, value in parsed.items()}


def subject_of(parent: Parent) -> str:
    return str(make_header(decode_header(answer(parent)["Subject"])))


def people(parent: Parent, name: str) -> list[str]:
    return [address for _, address in getaddresses([answer(parent).get(name, "")]) if address]


def said(parent: Parent) -> str:
    return "; ".join((*parent.notes, *recipients(parent).notes))


# Who is answered


@pytest.mark.parametrize(
    ("reply_to", "to"),
    [
        ("ina@home.example", ["ina@home.example"]),
        (f"{LIST}, Ina <ina@home.example>", ["ina@home.example"]),
        ("Team: ina@home.example, kim@example.com;", ["ina@home.example", "kim@example.com"]),
        ("=?utf-8?q?Ina_V=C3=B6gel?= <ina@home.example>", ["ina@home.example"]),
        (
            '"Vogel, Ina" <ina@home.example>,\n kim@example.com',
            ["ina@home.example", "kim@example.com"],
        ),
        (LIST, ["ina@example.org"]),  # it hides the author
        ("<>", ["ina@example.org"]),
        ("ina@xxxxxxxxx", ["ina@example.org"]),
    ],
)
def test_an_answer_goes_where_reply_to_says_and_never_to_the_list_alone(
    tmp_path: Path, reply_to: str, to: list[str]
) -> None:
    parent = read(tmp_path, mail(Reply_To=reply_to))
    assert people(parent, "To") == to
    assert people(parent, "Cc") == [LIST, "jo@example.com"]
    assert ("Reply-To asks" in said(parent)) == (to != ["ina@example.org"])


def test_the_address_of_a_relay_is_nowhere(tmp_path: Path) -> None:
    text = mail(From="<devnull+ina.example.org@relay.example>", Reply_To="ina@example.org")
    whole = draft("x", parent=read(tmp_path, text), quote=["y"]).decode()
    assert "relay" not in whole
    assert "On Mon, 06 Apr 2020 10:00:00 +0200, ina@example.org wrote:" in whole


def test_a_list_that_only_names_itself_in_list_post_hides_nobody(tmp_path: Path) -> None:
    parent = read(
        tmp_path,
        mail(Reply_To="talk@lists.example.net", List_Post="<mailto:talk@lists.example.net>"),
    )
    assert people(parent, "To") == ["ina@example.org"]
    assert "talk@lists.example.net" in people(parent, "Cc")


def test_mail_followup_to_adds_people_and_takes_nobody_away_in_silence(tmp_path: Path) -> None:
    parent = read(tmp_path, mail(Mail_Followup_To=f"{LIST}, kim@example.com"))
    assert people(parent, "Cc") == [LIST, "jo@example.com", "kim@example.com"]
    assert "Mail-Followup-To asks" in said(parent)
    assert "--to and --cc" in said(parent)


def test_every_header_of_a_name_counts(tmp_path: Path) -> None:
    more = (
        "CC: kim@example.com\nTo: lee@example.com\ncc: Moe <moe@example.com>\nResent-Cc: "
        "r@x.org\nBcc: b@x.org\n"
    )
    parent = read(tmp_path, mail(more=f"{more}From: Jan <jan@example.org>\n"))
    assert people(parent, "To") == ["ina@example.org", "jan@example.org"]
    assert people(parent, "Cc") == [
        LIST,
        "lee@example.com",
        "jo@example.com",
        "kim@example.com",
        "moe@example.com",
    ]


def test_a_mail_without_author_is_answered_to_those_it_went_to(tmp_path: Path) -> None:
    parent = read(tmp_path, mail(From=None))
    assert people(parent, "To") == [LIST]
    assert "no author" in said(parent)
    assert b"wrote:" not in draft("x", parent=parent, quote=["y"])


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("jo@example.com,\n\tkim@example.com,\n  Lee <lee@example.com>", "jo kim lee"),
        ("jo@example.com; kim@example.com;", "jo kim"),
        (", jo@example.com, , kim@example.com,,", "jo kim"),
        (
            '"Jo @ Work" <jo@example.com>, Kim@Home <kim@example.com>, lee@example.com '
            "<lee@example.com>",
            "jo kim lee",
        ),
        ('jo@example.com (Jo (at) home, here), "Kim, Lee" <kim@example.com>', "jo kim"),
        ("Jo <jo@example.com> Kim <kim@example.com>", "jo kim"),
        ("jo@example.com kim@example.com", "jo kim"),
        ("Us: jo@example.com, Kim <kim@example.com>;, lee@example.com", "jo kim lee"),
        ("Jo <jo@example.com", "jo"),
        ('"Jo <jo@example.com>, kim@example.com', "jo kim"),
        ("Jo (broken <jo@example.com>, kim@example.com", "jo kim"),
        (
            "=?utf-8?q?J=C3=B6_=2C_K?= <jo@example.com>, =?utf-8?q?K,_=C3=B6?= <kim@example.com>",
            "jo kim",
        ),
        ("<mailto:jo@example.com>, < kim@example.com >, lee @ example.com", "jo kim lee"),
        (
            "<@a.example,@b.example:jo@example.com>, kim@example.com., 'lee@example.com'",
            "jo kim lee",
        ),
        ("Key, Jo <jo@example.com>, Jo (jo@example.com), kim@example.com # v5.4", "jo kim"),
        (b"J\xc3\xb6 <jo@example.com>, K\xf6 <kim@example.com>", "jo kim"),
        (
            ", ".join(f"P{n} <p{n}@example.com>" for n in range(700)),
            " ".join(f"p{n}" for n in range(700)),
        ),
    ],
)
def test_all_of_an_address_header_is_found_however_it_is_written(
    tmp_path: Path, header: str | bytes, found: str
) -> None:
    assert people(read(tmp_path, mail(Cc=header)), "Cc") == [
        LIST,
        *(f"{name}@example.com" for name in found.split()),
    ]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Key, Jo <jo@example.com>", "Key, Jo"),
        ("=?utf-8?q?K=C3=A9y, Jo?= <jo@example.com>", "Kéy, Jo"),
        ("=?utf-8?q?Jo_=3Cevil=40example=2Eorg=3E?= <jo@example.com>", "Jo <evil@example.org>"),
        ("=?utf-8?q?J=0Ao?= <jo@example.com>", "J o"),
        ("=?utf-8?q?=3D=3Fx=3Fq=3F=3D0A=3F=3D?= <jo@example.com>", "=?x?q?=0A?="),
        ("jo@example.com (Jo)", "Jo"),
        (b"J\xf6 <jo@example.com>", "Jö"),
        ("n" * 251 + " <jo@example.com>", ""),
        ("=?utf-8?q?J=FF?= <jo@example.com>", ""),
    ],
)
def test_a_name_is_kept_or_its_loss_is_said(tmp_path: Path, header: str | bytes, name: str) -> None:
    parent = read(tmp_path, mail(To=None, Cc=header))
    [(encoded, address)] = getaddresses([answer(parent)["Cc"]])
    assert (str(make_header(decode_header(encoded))), address) == (name, "jo@example.com")
    assert ("without their names" in said(parent)) == (not name)


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("jo@bücher.example", "jo@xn--bcher-kva.example"),
        ("jo..x@example.com", '"jo..x"@example.com'),
        ("jo.@example.com", '"jo."@example.com'),
        (".jo@example.com", '".jo"@example.com'),
        ('"j o"@example.com', '"j o"@example.com'),
    ],
)
def test_an_unusual_address_is_written_so_that_it_can_be_mailed_to(
    tmp_path: Path, header: str, kept: str
) -> None:
    assert kept in answer(read(tmp_path, mail(Cc=header)))["Cc"].split(", ")


@pytest.mark.parametrize(
    "masked",
    [
        "jo@xxxxxxx",
        "jo@localhost",
        "jo...@example.com",
        "jo-x@public.gmane.org",
        "jo at example.com",
        "jö@example.com",
        "Jo <jo () example ! com>",
        "jo@.example.com",
        "jo@a..example.com",
        "Jo <jo <at> example.com>",
        "LKML",
        "jo@x.invalid",
        '"j(<o>"@example.com',
        "=?utf-8?q?a=0Ab?=@example.com",
        "<jo@example.com> Bcc: kim@example.com",
    ],
)
def test_who_cannot_be_mailed_is_named_and_not_dropped_in_silence(
    tmp_path: Path, masked: str
) -> None:
    parent = read(tmp_path, mail(Cc=f"{masked}, lee@example.com"))
    assert [
        x for x in people(parent, "Cc") if x not in (LIST, "lee@example.com", "jo@example.com")
    ] == []
    assert "left out" in said(parent)
    assert "--cc" in said(parent)


@pytest.mark.parametrize(
    "typed_in", [".jo@example.com", "jo..x@example.com", "jo.@example.com", "jo@-x.org", "jo", ""]
)
def test_an_address_that_is_typed_wrong_is_refused(typed_in: str) -> None:
    with pytest.raises(KrcsimError, match="cc is .*; allowed: addresses"):
        draft("x", parent=Parent("<a@b.c>", subject="x"), cc=[typed_in])


# Its place in the thread


@pytest.mark.parametrize(
    "header",
    [
        "p1@example.org",
        "<p1@example.org",
        "p1@example.org>",
        "<p1@example.org> (added by mta@relay.example)",
        "(x) <p1@example.org>",
        "< p1@example.org >",
        "\n <p1@example.org>",
        "<p1@exam\n ple.org>",
        "<p1@example.org>;",
        "=?utf-8?q?=3Cp1=40exam?=\n =?utf-8?q?ple=2Eorg=3E?=",
        "p1 () example ! org",
        "<p1-AT-example.org>",
    ],
)
def test_a_message_id_is_found_however_it_is_written(tmp_path: Path, header: str) -> None:
    found = answer(read(tmp_path, mail(Message_ID=header)))
    assert found["In-Reply-To"] == found["References"] == "<p1@example.org>"


@pytest.mark.parametrize(
    "header", ["<p 1@example.org>", "<p1>", f"<{'p' * 300}@example.org>", "<p1..@[192.0.2.1]>"]
)
def test_an_unusual_message_id_is_kept_as_it_is(tmp_path: Path, header: str) -> None:
    assert answer(read(tmp_path, mail(Message_ID=header)))["In-Reply-To"] == header


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "<>",
        "p1",
        "<p1@xxxxxxxx>",
        "<p1@exa\0mple.org>",
        "<pö@example.org>",
        f"<{'p' * 990}@example.org>",
        "=?utf-8?q?=3Cp1=40exa=0Ample=2Eorg=3E?=",
        "<=?utf-8?q?x=0Ay?=@example.org>",
    ],
)
def test_without_a_message_id_an_answer_asks_for_one(tmp_path: Path, header: str | None) -> None:
    assert "--in-reply-to" in refused(tmp_path, mail(Message_ID=header))
    assert (
        answer(read(tmp_path, mail(Message_ID=header), "g@example.org"))["In-Reply-To"]
        == "<g@example.org>"
    )


def test_of_two_message_ids_the_first_is_answered_and_the_other_may_be_chosen(
    tmp_path: Path,
) -> None:
    two = mail(more="Message-Id: <p2@example.org>\n")
    assert read(tmp_path, two).message_id == "<p1@example.org>"
    assert "2 Message-IDs" in said(read(tmp_path, two))
    assert read(tmp_path, two, "p2@example.org").message_id == "<p2@example.org>"
    assert "has no mail <p3@example.org>" in refused(tmp_path, two, "p3@example.org")


@pytest.mark.parametrize(
    ("header", "above"),
    [
        ("<a@x.org>\n\t<b@x.org>", "<a@x.org> <b@x.org>"),
        ("<a@x.org><b@x.org>,<a@x.org>", "<a@x.org> <b@x.org>"),
        ("a@x.org b@x.org", "<a@x.org> <b@x.org>"),
        ("<a@x.org> <b@x\n .org> <p1@example.org>", "<a@x.org> <b@x.org>"),
        ("<a@x.org <b@x.org>", "<a@x.org> <b@x.org>"),
        ("=?utf-8?q?=3Ca=40x=2Eorg=3E?=", "<a@x.org>"),
        ("", "<irt@x.org>"),
    ],
)
def test_references_lead_to_the_parent(tmp_path: Path, header: str, above: str) -> None:
    parent = read(
        tmp_path, mail(References=header, In_Reply_To='jo@x.org of "Mon" <irt@x.org> <q@x.org>')
    )
    assert answer(parent)["References"] == f"{above} <p1@example.org>"
    assert said(parent) == ""


def test_what_is_no_reference_is_named(tmp_path: Path) -> None:
    parent = read(tmp_path, mail(References="<a@x.org> <b@xxxxxxx> <c\x1b@x.org> d@x.org"))
    assert answer(parent)["References"] == "<a@x.org> <p1@example.org>"
    assert said(parent).endswith("<b@xxxxxxx>, <c @x.org> and d@x.org")


# Its subject


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("RE: x", "Re: x"),
        ("Re : Re[2]: Re^3: Re(4): x", "Re: x"),
        ("[list] Re: Re: x", "Re: [list] x"),
        ("Re: [list] RE: [PATCH v2 1/3] rcu: y", "Re: [list] [PATCH v2 1/3] rcu: y"),
        ("AW: Re: x", "Re: AW: x"),
        ("Fwd: Re: x", "Re: Fwd: x"),
        ("Re：x", "Re: x"),
        ("reject: x (was: Re: y)", "Re: reject: x (was: Re: y)"),
        ("[PATCH] rcu: re: y", "Re: [PATCH] rcu: re: y"),
        ("=?iso-8859-1?q?Re=3A_gr=FC=DFe?=", "Re: grüße"),
        ("=?utf-8?q?gr=C3?= =?utf-8?q?=BC=C3=9Fe?=", "Re: grüße"),
        (b"gr\xfc\xdfe", "Re: grüße"),
        (b"gr\xc3\xbc\xc3\x9fe, gr\xfc\xdfe", "Re: grüße, grüße"),
        ("=?utf-8?q?a=0D=0ABcc:_evil@example.com?=", "Re: a Bcc: evil@example.com"),
        ("x=?utf-8?b?YQpi?=y=?utf-8?q?=00=1B?=z\x0b\x85", "Re: xa by z"),
        ("=?utf-7?q?a+AAo-b?=", "Re: a b"),
        ("a\rBcc: evil@example.com", "Re: a Bcc: evil@example.com"),
        (r"a\u000ab =?x?q?c?=", r"Re: a\u000ab c"),
    ],
)
def test_a_subject_keeps_its_words_and_has_one_re(
    tmp_path: Path, header: str | bytes, subject: str
) -> None:
    assert subject_of(read(tmp_path, mail(Subject=header))) == subject


def test_a_subject_that_would_be_decoded_twice_is_encoded_once_more(tmp_path: Path) -> None:
    found = answer(read(tmp_path, mail(Subject="=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3D0Ab=3F=3D?=")))[
        "Subject"
    ]
    assert str(make_header(decode_header(found))) == "Re: =?utf-8?q?a=0Ab?="
    assert "=0A" not in draft("x", parent=Parent("<a@b.c>"), subject="=?utf-8?q?a=0Ab?=").decode()


@pytest.mark.parametrize(
    "header", [None, "", "Re:", "=?utf-8?q?gr=FC?=", "=?x-klingon?q?=FF?=", b"x\x81", "x" * 251]
)
def test_a_subject_that_cannot_be_kept_is_asked_for(
    tmp_path: Path, header: str | bytes | None
) -> None:
    with pytest.raises(KrcsimError, match="give it with --subject"):
        answer(read(tmp_path, mail(Subject=header)))


def test_raw_bytes_in_a_subject_are_read_as_the_body_is_declared(tmp_path: Path) -> None:
    kind = "Content-Type: text/plain; charset=koi8-r\n"
    parent = read(tmp_path, mail("x\n", kind, Subject="Привет".encode("koi8-r")))
    assert subject_of(parent) == "Re: Привет"
    assert "read as koi8-r" in said(parent)


@pytest.mark.parametrize(
    ("header", "date"),
    [
        ("Friday, 03-Apr-20 19:30:51 GMT", "On Fri, 03 Apr 2020 19:30:51 +0000, Ina"),
        ("2020-04-04 19:51:29 GMT", "On 2020-04-04 19:51:29 GMT, Ina"),
        (
            "Saturday 4th April 2020 19:51:29 UTC (over 3 years ago)",
            "On Saturday 4th April 2020 19:51:29 UTC, Ina",
        ),
        ("Fri, 3 Apr 2020 9:30 PM", "On Fri, 3 Apr 2020 9:30 PM, Ina"),
        ("yesterday", "Ina"),
        ("9" * 5000, "Ina"),
    ],
)
def test_a_date_is_kept_or_its_loss_is_said(tmp_path: Path, header: str, date: str) -> None:
    parent = read(tmp_path, mail(Date=header))
    assert f"\n\n{date} Vogel wrote:\n" in draft("x", parent=parent, quote=["y"]).decode()
    assert ("left out" in said(parent)) == (date == "Ina")


# Its text


GRUSS = ("Grüße", "plain")


@pytest.mark.parametrize(
    ("kind", "encoding", "note"),
    [
        ("text/plain; charset=y", "utf-8", ""),
        ("text/plain; charset=y", "latin-1", "windows-1252"),
        ("text/plain; charset=us-ascii", "latin-1", "windows-1252"),
        ("text/plain", "latin-1", "windows-1252"),
        ("text/plain; charset=us-ascii", "utf-8", ""),
        ("text/plain; charset=utf8mb4", "utf-8", ""),
        ("text/plain; charset=charset=UTF-8", "utf-8", ""),
        ("text/plain; charset*=us-ascii'en'utf-8", "utf-8", ""),
        ("text/plain; charset=iso-8859-1", "utf-8", "UTF-8"),
        ("text/plain; charset=windows-1251", "utf-8", "UTF-8"),
        ("text/plain; charset=cp-1252", "cp1252", ""),
        ("text/plain; charset=iso8859_1 (x)", "latin-1", ""),
        ("text/plain; charset=punycode", "utf-8", ""),
        ("text/plain; charset=zlib", "utf-8", ""),
        ("text/plain; charset=utf-16", "utf-8", ""),
        ("text", "utf-8", ""),
    ],
)
def test_a_charset_may_be_unknown_misspelt_missing_or_wrong(
    tmp_path: Path, kind: str, encoding: str, note: str
) -> None:
    parent = read(tmp_path, typed(kind, "Grüße\nplain\n".encode(encoding)))
    assert parent.body == GRUSS
    assert said(parent).endswith(f"read as {note}") if note else said(parent) == ""


@pytest.mark.parametrize("charset", ["koi8-r", "gb2312", "iso-2022-jp", "shift_jis", "utf-7"])
def test_a_true_charset_is_believed(tmp_path: Path, charset: str) -> None:
    text = {"koi8-r": "Привет", "gb2312": "中文"}.get(charset, "日本")
    assert read(
        tmp_path, typed(f"text/plain; charset={charset}", f"{text}\n".encode(charset))
    ).body == (text,)


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"\xe2\x82", b"a\0b"])
def test_only_the_line_that_is_no_text_cannot_be_quoted(tmp_path: Path, bad: bytes) -> None:
    parent = read(tmp_path, typed("text/plain; charset=utf-8", bad + b"\nplain\n"))
    assert b"> plain" in draft("x", parent=parent, quote=chosen(parent.body, "2"))
    with pytest.raises(KrcsimError, match="a quoted line is .*quote other lines"):
        draft("x", parent=parent, quote=chosen(parent.body, "1-2"))


@pytest.mark.parametrize(
    "encoding",
    [
        "quoted-printable;",
        "QUOTED-Printable",
        "quoted-printable; x=y",
        '"quoted-printable"',
        "quoted printable",
        "quoted-printible",
        "quoted-printable (it is)",
        "x-quoted-printable",
    ],
)
def test_quoted_printable_may_be_misspelt(tmp_path: Path, encoding: str) -> None:
    assert (
        read(
            tmp_path, typed("text/plain; charset=utf-8", "Gr=C3=BC=C3=\n=9Fe\npl=61in\n", encoding)
        ).body
        == GRUSS
    )


@pytest.mark.parametrize("encoding", ["base64", "BASE64;", "base-64", "Base64 (x)"])
@pytest.mark.parametrize("below", ["", "____\nlist footer\n"])
def test_base64_may_be_misspelt_and_have_the_footer_of_a_list(
    tmp_path: Path, encoding: str, below: str
) -> None:
    coded = base64.encodebytes("Grüße\nplain\n".encode()).decode()
    body = read(tmp_path, typed("text/plain; charset=utf-8", coded + below, encoding)).body
    assert tuple(line for line in body if line) == (*GRUSS, *below.splitlines())


def test_an_unknown_transfer_encoding_is_said(tmp_path: Path) -> None:
    assert "'en-us' is unknown" in said(read(tmp_path, typed("text/plain", "a=20b\n", "en-us")))


@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: text/x-diff\nContent-Disposition: inline",
        "Content-Type: application/x-patch",
        "Content-Type: text/x-patch; name=a.patch\nContent-Disposition: attachment",
        "Content-Type: application/octet-stream\nContent-Disposition: attachment;\n "
        "filename*=utf-8''a%20b.diff",
        'Content-Type: application/octet-stream; name="=?utf-8?q?a=2Epatch?="',
        "Content-Type: text/plain\nContent-Disposition: attachment; filename=x.txt",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_patch_beside_the_text_can_be_quoted(tmp_path: Path, head: str, first: bool) -> None:
    parts = ["\n\nIt waits.\n", f"\n{head}\n\n{PATCH}"]
    whole = "--b".join(["", *(parts if first else parts[::-1]), "--\n"])
    parent = read(tmp_path, typed("multipart/mixed; boundary=b", whole))
    assert parent.body == ("It waits.", "", *PATCH.splitlines())
    assert b"\n> +pages\n" in draft("x", parent=parent, quote=chosen(parent.body, "+pages"))


def test_a_forwarded_mail_is_read_behind_the_text(tmp_path: Path) -> None:
    inner = (
        "--b\nContent-Type: message/rfc822\n\nFrom: a@b.c\nSubject: "
        "y\n\ninner\n--b\n\nouter\n--b--\n"
    )
    assert read(tmp_path, typed("multipart/mixed; boundary=b", inner)).body == (
        "outer",
        "",
        "inner",
    )


@pytest.mark.parametrize("kind", ["format=flowed", "Format=Flowed; DelSp=yes", 'format="flowed"'])
def test_flowed_text_loses_its_stuffing_and_its_soft_breaks(tmp_path: Path, kind: str) -> None:
    text = " >literal \nand \nmore.\n From x\n  indented\n> quoted \n>> deep\n-- \nsig\n"
    parent = read(tmp_path, typed(f"text/plain; {kind}", text))
    assert body_of(draft("x", parent=parent, quote=parent.body)).split("\n")[1:-3] == [
        "> >literal",
        "> and",
        "> more.",
        "> From x",
        ">  indented",
        ">> quoted",
        ">>> deep",
        "> -- ",
        "> sig",
    ]


def body_of(text: bytes) -> str:
    return text.decode().split("\n\n", 1)[1]


@pytest.mark.parametrize("line", ["word " * 240, "ü" * 600, "x" * 5000])
def test_a_line_longer_than_a_mail_may_have_is_encoded(line: str) -> None:
    whole = draft("x", parent=Parent("<a@b.c>", subject="x"), quote=[line, "y=z"])
    assert max(map(len, whole.split(b"\n"))) <= 78
    parsed = message_from_bytes(whole)
    assert parsed.get_payload(decode=True).decode() == f"> {line}\n> y=z\n\nx\n"


@pytest.mark.parametrize(
    "text",
    [
        mail().replace(b"\n", b"\r\n"),
        mail().replace(b"\n", b"\r\r\n"),
        mail().replace(b"\n", b"\r"),
        b"\n\n" + mail(),
        b"\xef\xbb\xbf" + mail(),
        mail().decode().encode("utf-16"),
        b">From ina@example.org Mon Apr  6 2020\n" + mail(),
        b"From ina@example.org\n" + mail(),
        mail("\ufeff" + BODY),
    ],
    ids=range(9),
)
def test_line_ends_and_what_stands_above_the_headers_change_nothing(
    tmp_path: Path, text: bytes
) -> None:
    assert read(tmp_path, text) == read(tmp_path, mail())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Subject:", "Subject :"),
        ("Subject: rcu: pages", "Subject: rcu:\npages"),  # folded without a blank
        ("From:", "From:\n"),
        ("Cc:", "cc\t:"),
        ("To: ", "To: \r"),
        ("Date:", "X-Spam: yes\n\tno\nDate:"),
    ],
)
def test_broken_headers_lose_no_other_header(tmp_path: Path, old: str, new: str) -> None:
    assert read(tmp_path, mail().decode().replace(old, new, 1)) == read(tmp_path, mail())


def test_a_body_may_follow_its_headers_without_an_empty_line(tmp_path: Path) -> None:
    assert read(tmp_path, mail().replace(b"\n\nIt", b"\nIt", 1)) == read(tmp_path, mail())


# Files of many mails


@pytest.mark.parametrize(
    "line",
    [
        "From 10:30 on it waits.",
        "From here: 12:00",
        "From now on\nNote: it waits",
        "From 2020 on, 10:30:00 2020 is",
    ],
)
def test_a_sentence_that_begins_with_from_ends_no_mail(tmp_path: Path, line: str) -> None:
    first = mail(f"First.\n\n{line}\nLast?\n").decode()
    mbox = f"{MARK}{first}\n{MARK}{mail().decode()}"
    parent = read(tmp_path, mbox)
    assert parent.body == ("First.", "", *line.split("\n"), "Last?")
    assert "holds 2 mails" in said(parent)


@pytest.mark.parametrize(
    "mark",
    [
        MARK,
        "From ina@example.org\n",
        "From ina at example.org  Mon Apr  6 10:00:00 2020\n",
        "From ina@example.org Mon Apr  6 10:00:00 +0200 2020\n",
        f"{MARK}>From ina@example.org Mon\n",
        f"From {'0123456789' * 4} Mon Sep 17 00:00:00 2001\n",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_of_an_mbox_have_many_forms(tmp_path: Path, mark: str, end: str) -> None:
    second = mail("Second.\n", Message_ID="<p2@example.org>").decode()
    mbox = f"{mark}{mail('>From >From.').decode()}\n\n{mark}{second}".replace("\n", end)
    assert read(tmp_path, mbox).body == ("From >From.",)
    assert read(tmp_path, mbox, "p2@example.org").body == ("Second.",)


def test_a_true_content_length_is_believed_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    body = f"First.\n\n{MARK}From: a@b.c\nSubject: quoted\n\nLast.\n"
    for length, last in ((len(body), "Last."), (len(body) - 9, "First.")):
        mbox = f"{MARK}{mail(body, Content_Length=str(length)).decode()}\n{MARK}{mail().decode()}"
        assert read(tmp_path, mbox).body[-1] == last


# Pages of archives


PAGES = {
    "hypermail": "Re: pool or pages\n\nFrom: Ina Vogel\nDate: Mon Apr 06 2020 - 10:00:00 "
    "EST\n\n\nIt waits.\n",
    "hypermail, old": "Re: pool or pages\n\nFrom: Ina Vogel (ina@example.org)\nDate: Mon Apr 06 "
    "2020 - 10:00:00 EST\n\n"
    "x\n",
    "lore": "* Re: pool or pages\n  2020-04-03 17:30 [PATCH] pool or pages Jo Key\n@ 2020-04-06 "
    "10:00 ` Ina Vogel\n"
    "  0 siblings, 1 reply; 4+ messages in thread\nFrom: Ina Vogel @ 2020-04-06 10:00 UTC "
    "(permalink / raw)\n"
    "  To: Jo Key\n  Cc: LKML\n\nIt waits.\n",
    "marc": "[prev in list] [next in list]\n\nList:       rcu\nSubject:    Re: pool or pages\n"
    "From:       Ina Vogel <ina () example ! org>\nDate:       2020-04-06 10:00:00\n"
    "Message-ID: p1 () example ! org\n\nx\n",
    "lkml.org": "Date\tMon, 6 Apr 2020 10:00:00 +0200\nFrom\tIna Vogel <>\nSubject\tRe: pool or "
    "pages\n\nIt waits.\n",
    "spinics": "Re: pool or pages\n[Date Prev][Date Next]\n\n  * To: jo@xxxxxxxxx\n  * Subject: "
    "Re: pool or pages\n"
    "  * From: Ina Vogel <ina@xxxxxxxxx>\n  * Date: Mon, 6 Apr 2020 10:00:00 +0200\n  * "
    "User-agent: Mutt\n\nx\n",
    "pipermail": "Re: pool or pages\nIna Vogel ina at example.org\nMon Apr 6 10:00:00 CEST 2020\n\n"
    "Next message: y\n\nx\n",
    "mail-archive": "Re: pool or pages\n\nIna Vogel Mon, 06 Apr 2020 10:00:00 -0700\n\nIt waits.\n",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_an_archive_gives_subject_author_and_date(tmp_path: Path, page: str) -> None:
    parent = read(tmp_path, PAGES[page], "p1@example.org")
    whole = draft("x", parent=parent, quote=["y"]).decode()
    assert "Subject: Re: pool or pages\n" in whole
    assert re.search(r"\n\nOn .*2020.*, Ina Vogel wrote:\n> y\n", whole)
    assert parent.body == tuple(PAGES[page].rstrip("\n").split("\n"))
    assert (
        "is no raw mail; read from its first lines: subject 'Re: pool or pages', author 'Ina Vogel"
        in said(parent)
    )
    assert ("left out" in said(parent)) == (page != "hypermail, old")


def test_the_message_id_of_a_page_is_used(tmp_path: Path) -> None:
    assert read(tmp_path, PAGES["marc"]).message_id == "<p1@example.org>"
    assert "is the mail <p1@example.org> and not <p2@" in refused(
        tmp_path, PAGES["marc"], "p2@example.org"
    )
    assert "--in-reply-to" in refused(tmp_path, PAGES["lore"])


def test_the_text_of_a_raw_page_is_a_mail(tmp_path: Path) -> None:
    text = mail(
        Date="Mon, 6 Apr 2020 10:00:00 +0200\t[thread overview]",
        Message_ID="<p1@example.org> (raw)",
    )
    assert read(tmp_path, text) == read(tmp_path, mail())


@pytest.mark.parametrize(
    "text",
    [
        "Hi Vlad,\n\nFrom: Jo <jo@example.com>\nSubject: [PATCH] inner\n\nx\n",
        "It waits.\n\nOften.\n\nFrom: Jo\nDate: now\n\nx\n",
        "On Fri, Apr 03, 2020 at 07:30:51PM +0200, Jo wrote:\n> x\n\nFrom: Jo\nDate: now\n",
        "From: Jo\n\nx\n",
    ],
)
def test_a_patch_within_a_text_is_not_its_header(tmp_path: Path, text: str) -> None:
    parent = read(tmp_path, text, "p1@example.org")
    assert (parent.subject, parent.authors, parent.date, parent.to) == ("", (), "", ())


def test_a_compressed_file_a_web_page_and_bytes_are_refused(tmp_path: Path) -> None:
    assert "unpack" in refused(tmp_path, b"\x1f\x8b\x08")
    assert "web page" in refused(tmp_path, "<!DOCTYPE html>")
    assert "binary" in refused(tmp_path, b"\x7fELF\0\1")


def test_a_message_names_the_end_of_a_long_path(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 200) / ("n" * 200) / "a\nb.eml"
    with pytest.raises(KrcsimError, match=r"\.\.\.n+/a\\nb\.eml cannot be read") as error:
        read_parent(path)
    assert len(str(error.value)) <= 400


def test_mailboxes_compare_by_what_they_are() -> None:
    assert str(Mailbox("Jo Key", "jo@example.com")) == "Jo Key <jo@example.com>"
    assert not Mailbox("Jo Key", "jo@xxxxxxx").usable
