# SPDX-License-Identifier: GPL-2.0-only
"""A draft answers one mail, in its thread, and reaches the list as it was written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krcsim.base.errors import KrcsimError
from krcsim.report.mail import (
    Mailbox,
    Parent,
    chosen,
    draft,
    message_id,
    quoted,
    read_parent,
    recipients,
    send_command,
)
from krcsim.report.mail.addresses import mailboxes
from tests.needs import MAIL

ID = "<20200404195129.GA83565@google.com>"
BEFORE = "<20200403173051.4081-1-urezki@gmail.com>"
TITLE = "Re: [PATCH 1/1] rcu/tree: add emergency pool for headless case"
PASTED = """\
On Fri, Apr 03, 2020 at 07:30:51PM +0200, Uladzislau Rezki (Sony) wrote:
> Maintain an emergency pool for each CPU with some
> extra objects.

Hi Vlad,

One concern I have is this moves the problem a bit
further down.
"""
RAW = f"""\
Message-ID: {ID}
In-Reply-To: {BEFORE}
References: {BEFORE}
From: Joel Fernandes <joel@joelfernandes.org>
To: "Uladzislau Rezki (Sony)" <urezki@gmail.com>
Cc: rcu@vger.kernel.org, Joel Fernandes <joel@joelfernandes.org>,
 linux-kernel@vger.kernel.org
Subject: {TITLE}
Date: Sat, 4 Apr 2020 15:51:29 -0400
Content-Type: text/plain; charset=us-ascii

{PASTED}"""
JOEL = Mailbox("Joel Fernandes", "joel@joelfernandes.org")
SEED = Parent(
    ID,
    (BEFORE,),
    TITLE,
    (JOEL,),
    (JOEL,),
    (Mailbox("Uladzislau Rezki (Sony)", "urezki@gmail.com"), Mailbox("", "rcu@vger.kernel.org")),
    "Sat, 04 Apr 2020 15:51:29 -0400",
    tuple(PASTED.splitlines()),
)
ANSWER = "The pool waits less often:\n\n  krcsim reply thread-as-posted\n"
HEADERS = set(
    "From To Cc Subject In-Reply-To References MIME-Version Content-Type "
    "Content-Transfer-Encoding".split()
)


@pytest.fixture
def outside(tmp_path: Path) -> dict[str, str]:
    """An environment in which git knows nobody and has no configuration."""
    who = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in {"NAME": "A Tester", "EMAIL": "tester@example.org"}.items()
    }
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    neutral = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(tmp_path)}
    return {**kept, **neutral, **who}


def run(*command: str, at: Path, env: dict[str, str], given: bytes = b"") -> bytes:
    done = subprocess.run(command, cwd=at, env=env, input=given, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def send(path: Path, env: dict[str, str], *options: str) -> str:
    """What git send-email would send, with nobody to ask and no network."""
    if not MAIL.here():
        pytest.skip(MAIL.reason())
    neutral = "--dry-run --confirm=never --suppress-cc=self --smtp-server=/bin/true".split()
    command = ["git", "send-email", *neutral, *options, str(path)]
    return re.sub(r"\n[ \t]+", " ", run(*command, at=path.parent, env=env).decode())


def mailinfo(mail: bytes, at: Path, env: dict[str, str]) -> bytes:
    """The body that `git mailinfo` takes out with its default options."""
    run("git", "mailinfo", "msg", "patch", at=at, env=env, given=mail)
    return (at / "msg").read_bytes() + (at / "patch").read_bytes()


def body_of(mail: bytes) -> bytes:
    return mail.split(b"\n\n", 1)[1]


def headers(mail: bytes) -> dict[str, str]:
    """The headers, each of which may be there once; no other ones than a draft has."""
    parsed = message_from_bytes(mail)
    assert not parsed.defects
    assert set(parsed.keys()) <= HEADERS
    assert len(parsed.keys()) == len(set(parsed.keys()))
    return {key: re.sub(r"\n[ \t]", " ", value) for key, value in parsed.items()}


def addresses(value: str) -> list[str]:
    return [address for _, address in getaddresses([value])]


def saved(tmp_path: Path, mail: str | bytes, name: str = "parent.eml") -> Path:
    path = tmp_path / name
    path.write_bytes(mail.encode() if isinstance(mail, str) else mail)
    return path


def read(tmp_path: Path, mail: str | bytes, in_reply_to: str = "") -> Parent:
    return read_parent(saved(tmp_path, mail), in_reply_to)


# Message-IDs


@pytest.mark.parametrize("text", [ID, ID.strip("<>"), f"  {ID} "])
def test_a_message_id_may_lack_its_brackets(text: str) -> None:
    assert message_id(text) == ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no-at",
        "a@b\nBcc: x@y.z",
        "a@b\r\n",
        "<a@b> <c@d>",
        "a b@c",
        "ü@b.c",
        "a@b\0",
        "a@" + "b" * 1000,
        "<a@b>,<c@d>",
        "a@",
        "@b",
        "Message-ID: <a@b>",
        "<=?utf-8?q?x=0Ay?=@b>",
    ],
)
def test_anything_else_is_no_message_id(text: str) -> None:
    with pytest.raises(KrcsimError, match="Message-ID is .*; allowed: .*; copy") as error:
        message_id(text)
    assert "\n" not in str(error.value)


# Mails that are read


def test_a_raw_mail_gives_its_headers_and_its_lines(tmp_path: Path) -> None:
    parent = read(tmp_path, RAW)
    assert parent == replace(SEED, cc=parent.cc)
    assert [box.address for box in parent.cc] == [
        "urezki@gmail.com",
        "rcu@vger.kernel.org",
        "joel@joelfernandes.org",
        "linux-kernel@vger.kernel.org",
    ]


def test_crlf_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    crlf = b"\xef\xbb\xbf" + RAW.replace("\n", "\r\n").encode()
    assert read(tmp_path, crlf) == read(tmp_path, RAW)


def test_pasted_text_is_all_body_and_needs_a_message_id(tmp_path: Path) -> None:
    text = f"Hi Vlad,\n\nFrom: Joel Fernandes\n\n{PASTED}"
    assert read(tmp_path, text, ID.strip("<>")) == Parent(ID, body=tuple(text.splitlines()))
    with pytest.raises(KrcsimError, match="--in-reply-to"):
        read(tmp_path, text)


def test_an_mbox_gives_the_mail_asked_for_else_its_first(tmp_path: Path) -> None:
    mark = "From mboxrd@z Thu Jan  1 00:00:00 1970\n"
    other = RAW.replace(ID, "<other@example.org>").replace("Hi Vlad,", ">From here\n>>From there")
    mbox = f"{mark}{RAW}\n{mark}{other}\n"
    parent = read(tmp_path, mbox)
    assert replace(parent, notes=()) == read(tmp_path, RAW)
    assert "holds 2 mails" in parent.notes[0]
    assert read(tmp_path, mbox, "other@example.org").message_id == "<other@example.org>"
    assert read(tmp_path, mbox, "other@example.org").body[4:6] == ("From here", ">From there")
    with pytest.raises(KrcsimError, match="has no mail <third@example.org>"):
        read(tmp_path, mbox, "third@example.org")


def test_only_in_an_mbox_from_is_unescaped(tmp_path: Path) -> None:
    assert ">From here" in read(tmp_path, RAW.replace("Hi Vlad,", ">From here")).body


def test_of_html_and_plain_text_the_plain_text_is_taken(tmp_path: Path) -> None:
    mail = (
        "From: a@example.org\nSubject: x\nMessage-ID: <x@example.org>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/alternative; boundary="b"\n\n'
        "--b\nContent-Type: text/html\n\n<p>rich</p>\n"
        "--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: "
        "quoted-printable\n\n"
        "Gr=FC=\n=DFe,=09plain\n--b--\n"
    )
    assert read(tmp_path, mail).body == ("Grüße,\tplain",)
    assert read(tmp_path, mail.replace("--b--\n", "")).body == ("Grüße,\tplain",)
    with pytest.raises(KrcsimError, match="cut off|HTML only"):
        read(tmp_path, mail[: mail.index("Gr=")])
    with pytest.raises(KrcsimError, match="no plain text"):
        read(tmp_path, mail[: mail.index("--b\n")])


def test_a_part_without_headers_is_text(tmp_path: Path) -> None:
    mail = (
        "From: a@b.cd\nSubject: x\nContent-Type: multipart/mixed; "
        'boundary="b"\n\n--b\n\nplain\n--b--\n'
    )
    assert read(tmp_path, mail, ID).body == ("plain",)


def test_undeclared_utf_8_and_base64_are_read(tmp_path: Path) -> None:
    author = (Mailbox("Jürgen", "a@b.cd"),)
    assert read(tmp_path, "From: Jürgen <a@b.cd>\nSubject: ü\n\n…\n", ID) == Parent(
        ID, subject="ü", authors=author, to=author, body=("…",)
    )
    head = "From: a@b.cd\nSubject: x\nContent-Type: text/plain; charset=utf-8\n"
    coded = read(tmp_path, head + "Content-Transfer-Encoding: base64\n\n4oCmDQoJYg0K\n", ID)
    assert coded.body == ("…", "\tb")


@pytest.mark.parametrize(
    ("mail", "why"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        (b"From: a@b.c\nSubject: x\nContent-Type: text/html\n\n<p>hello</p>\n", "HTML only; give"),
        (b"<!DOCTYPE html>\n<html><body>x</body></html>", "web page; save"),
        (b"From: a@b.c\nSubject: x\n", "cut off"),
        (
            b"From: a@b.c\nSubject: x\nContent-Type: multipart/mixed; boundary=b\n\n"
            + b"--b\nContent-Type: "
            b"message/rfc822\n\n" * 2000,
            "mails within mails|parts|no plain text",
        ),
        (
            b"From: a@b.c\nSubject: x\nContent-Disposition: " + b"(" * 5000 + b"\n\nx\n",
            "headers of 5",
        ),
        (
            b"From: a@b.c\nSubject: x\nContent-Type: text/plain; "
            + b"a=b;\n " * 90_000
            + b"\n\nx\n",
            "headers of 5",
        ),
        (
            b"From: a@b.c\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; "
            b"boundary=b\n\n" + b"--b\n\nx\n" * 700_000,
            "700000 parts",
        ),
        (
            b"From: a@b.c\nSubject: x\nContent-Type: message/delivery-status\n\n"
            + b"a\n\n" * 200_000,
            "lines, more than",
        ),
        (b"\x1f\x8b\x08\0\0", "compressed; unpack"),
    ],
)
def test_what_is_no_text_is_refused_with_a_remedy(tmp_path: Path, mail: bytes, why: str) -> None:
    with pytest.raises(KrcsimError, match=why) as error:
        read(tmp_path, mail, ID)
    assert ";" in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) <= 400


def test_a_huge_file_and_no_file_are_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.mbox"
    with huge.open("wb") as stream:
        stream.truncate(50_000_000)
    with pytest.raises(KrcsimError, match="10 MB; save"):
        read_parent(huge)
    with pytest.raises(KrcsimError, match="cannot be read"):
        read_parent(tmp_path)
    with pytest.raises(KrcsimError, match="No such file"):
        read_parent(tmp_path / "none.eml")


# Lines that are quoted


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        ("5", ["c"]),
        ("1-3", ["a  b", "\tB c", ""]),
        ("A B b", ["a  b", "\tB c"]),
        ("c", ["a  b", "\tB c"]),
        ("d e", ["> d", "> e"]),
        ("> e", ["> d", "> e"]),
    ],
)
def test_lines_are_chosen_by_number_or_by_their_words(what: str, lines: list[str]) -> None:
    assert chosen(["a  b", "\tB c", "", "", "c", ">", "> d", "> e", ">"], what) == lines


@pytest.mark.parametrize("what", ["0", "4", "2-9", "3-2", "c a", "nowhere", "", " ", ">", "9" * 30])
def test_lines_that_are_not_there_are_refused(what: str) -> None:
    with pytest.raises(KrcsimError, match="within 1-3"):
        chosen(["a", "", "c"], what)


def test_a_quote_changes_nothing_but_its_mark() -> None:
    assert quoted(["a\t", "> b", "", " ", "\tx", " > y"]) == [
        "> a\t",
        ">> b",
        ">",
        ">  ",
        "> \tx",
        "> > y",
    ]


# Drafts


def test_a_draft_answers_all_in_the_thread() -> None:
    mail = draft(ANSWER, parent=SEED, quote=SEED.body[4:])
    assert headers(mail) == {
        "To": "Joel Fernandes <joel@joelfernandes.org>",
        "Cc": '"Uladzislau Rezki (Sony)" <urezki@gmail.com>, rcu@vger.kernel.org',
        "Subject": TITLE,
        "In-Reply-To": ID,
        "References": f"{BEFORE} {ID}",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=us-ascii",
        "Content-Transfer-Encoding": "7bit",
    }
    assert body_of(mail).decode() == (
        "On Sat, 04 Apr 2020 15:51:29 -0400, Joel Fernandes wrote:\n"
        "> Hi Vlad,\n>\n> One concern I have is this moves the problem a bit\n> further down.\n\n"
        + ANSWER
    )


def test_the_same_input_gives_the_same_bytes() -> None:
    assert draft(ANSWER, parent=SEED, quote=SEED.body) == draft(
        ANSWER, parent=SEED, quote=SEED.body
    )


def test_what_is_given_replaces_what_the_parent_says() -> None:
    who = '"Jürgen \\"JG\\" Groß" <me@example.org>'
    mail = headers(
        draft(ANSWER, parent=SEED, subject="Zähler", to=["a@b.cd, c@d.ef"], cc=[who], sender=who)
    )
    assert addresses(mail["To"]) == ["a@b.cd", "c@d.ef"]
    assert "Cc" not in mail
    assert str(make_header(decode_header(mail["Subject"]))) == "Zähler"
    [(name, address)] = getaddresses([mail["From"]])
    assert (str(make_header(decode_header(name))), address) == (
        'Jürgen "JG" Groß',
        "me@example.org",
    )


@pytest.mark.parametrize("subject", ["x", "Re: x", "RE: re:x"])
def test_one_re_is_enough(subject: str) -> None:
    assert headers(draft(ANSWER, parent=Parent(ID, subject=subject)))["Subject"] == "Re: x"


def test_many_references_are_cut_but_never_the_first() -> None:
    ids = tuple(f"<{n}@example.org>" for n in range(100))
    kept = headers(draft(ANSWER, parent=replace(SEED, references=ids)))["References"].split()
    assert kept == [ids[0], *ids[81:], ID]


def test_masked_addresses_are_left_out(tmp_path: Path) -> None:
    joel = (Mailbox("Joel", "joel@xxxxxxxxxxxxxxxxx"),)
    parent = replace(SEED, authors=joel, to=joel, cc=(Mailbox("", "urezki@xxxxxxxxx"),))
    mail = draft(ANSWER, parent=parent, quote=["x"])
    assert [note[-5:] for note in recipients(parent).notes] == [" --to", " --cc"]
    assert not {"To", "Cc"} & set(headers(mail))
    assert b"Joel wrote:\n" in mail
    path = saved(tmp_path, mail, "draft.eml")
    assert send_command(path, parent) == f"git send-email --to=ADDRESS {path}"
    saved(tmp_path, draft(ANSWER, parent=parent, to=["a@b.cd"]), "draft.eml")
    assert send_command(path, parent) == f"git send-email {path}"


@pytest.mark.parametrize("name", ["my draft.eml", "Entwürfe für's Netz.eml", "-draft.eml"])
def test_the_command_survives_the_shell(name: str) -> None:
    *command, path = shlex.split(send_command(Path(name), SEED))
    assert command == ["git", "send-email"]
    assert Path(path) == Path(name)
    assert not path.startswith("-")


@pytest.mark.parametrize(
    ("author", "line"),
    [
        (Mailbox("Jürgen Groß", "jgross@example.org"), "jgross@example.org wrote:"),
        (Mailbox("Jürgen Groß"), "> x"),
        (Mailbox("Subject: gotcha"), "> x"),
        (Mailbox("From: gotcha", "a@b.cd"), "a@b.cd wrote:"),
        (Mailbox(), "> x"),
    ],
)
def test_a_name_that_lists_would_mangle_is_not_written(author: Mailbox, line: str) -> None:
    mail = draft(
        ANSWER, parent=replace(SEED, authors=(author,), to=(author,), date=""), quote=["x"]
    )
    assert body_of(mail).decode().splitlines()[0] == line
    assert mail.count(b"us-ascii") == 1


@pytest.mark.parametrize(
    "line",
    [
        "x" * 73,
        "tab\t",
        "a\tb",
        "blank ",
        "ü",
        "From me",
        ">From me",
        "From: me",
        "[PATCH] x",
        "a\r",
        "\x1b[1m",
        "  " + "x" * 1000,
    ],
)
def test_own_lines_that_lists_mangle_are_refused(line: str) -> None:
    with pytest.raises(KrcsimError, match="line 2 of the answer .*72 columns"):
        draft(f"x\n{line}\nx", parent=SEED)


def test_a_command_may_be_longer_than_a_line() -> None:
    assert b"x" * 90 in draft("  krcsim " + "x" * 90, parent=SEED)


@pytest.mark.parametrize("line", ["a\nb", "a\rb", "\0", "\ud800"])
def test_quoted_lines_that_no_mail_can_hold_are_refused(line: str) -> None:
    with pytest.raises(KrcsimError, match="a quoted line is .*; quote other lines"):
        draft(ANSWER, parent=SEED, quote=[line])


@pytest.mark.parametrize(
    "evil", ["x\nBcc: a@b.cd", "x\ra@b.cd", "x\0", "a@b.cd\n", "x\u2028a@b.cd"]
)
@pytest.mark.parametrize("field", ["subject", "sender", "to", "cc"])
def test_no_header_is_injected_by_what_is_given(field: str, evil: str) -> None:
    value = evil if field in ("subject", "sender") else [evil]
    with pytest.raises(KrcsimError) as error:
        draft(ANSWER, parent=SEED, **{field: value})
    assert "\n" not in str(error.value)


def test_an_answer_without_any_subject_is_refused() -> None:
    with pytest.raises(KrcsimError, match="--subject"):
        draft(ANSWER, parent=Parent(ID))


HOSTILE = [
    "=?utf-8?q?x=0ABcc:_evil@example.org=0A=0Abody?= <a@example.org>",
    "=?utf-8?b?eA0KQmNjOiBldmlsQGV4YW1wbGUub3JnDQo=?=",
    '"a \\" <evil@example.org>, b" <a@example.org>',
    "=?utf-8?q?=22=3Cevil=40example=2Eorg=3E=2C?= <a@example.org>",
    'Jürgen "x" Groß <a@example.org>, O\'Neil, Pat <a@example.org>',
    "<a@b>\n Bcc: evil@example.org",
    "(" * 5000,
    '"' * 5000,
    "<@" * 5000,
    "=?utf-8?q?" * 1000,
    "a:" * 3000 + ";",
    "\t\n\t\n x",
    "urezki@xxxxxxxxx",
    "\x0bBcc: b@example.org",
    "\x85\u2028Bcc: b@example.org",
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_no_header_is_injected_by_the_parent(tmp_path: Path, value: str) -> None:
    names = "Subject References In-Reply-To To Cc Reply-To Date X".split()
    head = f"From: {value}\n" + "".join(f"{name}: {value}\n" for name in names)
    parent = read(tmp_path, f"{head}\nhello\n", ID)
    mail = draft(
        ANSWER, parent=parent, quote=["hello"], subject="" if 0 < len(parent.subject) < 240 else "x"
    )
    found = headers(mail)
    known = addresses(found.get("To", "") + ", " + found.get("Cc", ""))
    assert "evil@example.org" not in known
    assert body_of(mail).endswith(b"> hello\n\n" + ANSWER.encode())


LINES = st.text(
    st.one_of(st.characters(exclude_categories=["Cc", "Cs"]), st.just("\t")), max_size=200
)
ANYTHING = st.text(max_size=60)


@given(
    quote=st.lists(LINES, min_size=1, max_size=9),
    subject=ANYTHING,
    sender=ANYTHING,
    others=st.lists(ANYTHING),
)
def test_any_quote_comes_back_unchanged(
    quote: list[str], subject: str, sender: str, others: list[str]
) -> None:
    to, cc = mailboxes(", ".join(others)), mailboxes(f"{sender} <a@b.cd>")
    subject = re.sub("[\ufffd\ud800-\udfff]", "", subject)
    parent = Parent(ID, (BEFORE,), f"x{subject}", mailboxes(sender), to, cc, body=tuple(quote))
    mail = draft(ANSWER, parent=parent, quote=chosen(quote, f"1-{len(quote)}"))
    assert headers(mail)["In-Reply-To"] == ID
    parsed = message_from_bytes(mail)
    text = parsed.get_payload(decode=True).decode(parsed.get_content_charset())
    assert text.endswith("\n".join([*quoted(quote), "", ANSWER]))
    assert parsed["Content-Transfer-Encoding"] == ("7bit" if mail.isascii() else "8bit")


@given(
    st.lists(st.tuples(st.sampled_from(sorted(HEADERS | {"Message-ID", "Date"})), ANYTHING)),
    st.binary(),
)
def test_any_mail_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, head: list[tuple[str, str]], body: bytes
) -> None:
    text = "".join(f"{name}: {value}\n" for name, value in [("From", "a@b.cd"), *head])
    path = tmp_path_factory.mktemp("mail") / "parent.eml"
    path.write_bytes(text.encode(errors="surrogatepass") + b"\n" + body)
    parent = Parent()
    with suppress(KrcsimError):
        parent = read_parent(path)
    headers(draft(ANSWER, parent=parent, subject="x"))


# Drafts as git takes them


@pytest.fixture
def patches(tmp_path: Path, outside: dict[str, str]) -> bytes:
    """Two patches of a real repository with tabs, long lines and UTF-8 in it."""
    at, env = tmp_path / "repository", {**outside, "GIT_AUTHOR_NAME": "Jürgen Groß"}
    at.mkdir()
    run("git", "init", "-q", at=at, env=env)
    for n in (1, 2):
        (at / "tree.c").write_text(f"int f(void)\n{{\n\treturn {n};\t/* … */\n}}\n// {'x' * 150}\n")
        run("git", "add", "tree.c", at=at, env=env)
        run("git", "commit", "-qm", f"rcu/tree: Zähler {n}\n\nIt counts … to {n}.", at=at, env=env)
    return run("git", "format-patch", "--root", "--stdout", "--thread", at=at, env=env)


def test_a_draft_to_a_real_patch_reaches_the_list(
    tmp_path: Path, outside: dict[str, str], patches: bytes
) -> None:
    first, second = re.findall(rb"(?mi)^Message-ID: (.*)$", patches)
    parent = read_parent(saved(tmp_path, patches, "a series.mbox"), second.decode())
    assert parent.references == (first.decode(),)
    assert parent.authors == (Mailbox("Jürgen Groß", "tester@example.org"),)
    assert parent.subject == "[PATCH 2/2] rcu/tree: Zähler 2"
    assert "\n".join(parent.body) in patches.decode()
    assert "+\treturn 2;\t/* … */" in parent.body

    mail = draft(ANSWER, parent=parent, quote=parent.body)
    assert body_of(mail).startswith(b"On ")
    assert mailinfo(mail, tmp_path, outside) == body_of(mail)
    path = saved(tmp_path, mail, "Entwürfe für alle.eml")
    log = send(path, outside)
    assert f"In-Reply-To: {second.decode()}\n" in log
    assert f"References: {first.decode()} {second.decode()}\n" in log
    assert "Sendmail: /bin/true -i tester@example.org\n" in log
    assert "Content-Type: text/plain; charset=utf-8\n" in log


def test_a_draft_to_pasted_text_reaches_the_list(tmp_path: Path, outside: dict[str, str]) -> None:
    parent = read(tmp_path, PASTED, ID)
    quote = chosen(parent.body, "emergency pool for each cpu with some extra")
    mail = draft(ANSWER, parent=parent, quote=quote, subject=TITLE, to=["joel@joelfernandes.org"])
    assert body_of(mail).startswith(b"> On Fri, Apr 03")
    assert mailinfo(mail, tmp_path, outside) == body_of(mail)
    log = send(saved(tmp_path, mail, "draft.eml"), outside)
    assert f"In-Reply-To: {ID}\nReferences: {ID}\n" in log
    assert f"Subject: {TITLE}\n" in log


def test_names_and_long_threads_survive_git_send_email(
    tmp_path: Path, outside: dict[str, str]
) -> None:
    ids = tuple(f"<{'x' * 60}{n}@example.org>" for n in range(9))
    author = (Mailbox('Groß, "J" Jürgen', "a@b.cd"),)
    parent = replace(SEED, authors=author, to=author, references=ids, subject="Zähler " * 20)
    log = send(saved(tmp_path, draft(ANSWER, parent=parent), "draft.eml"), outside)
    assert f"References: {' '.join([*ids, ID])}\n" in log
    [to] = re.findall("(?m)^To: (.*)$", log)
    [(name, address)] = getaddresses([to])
    assert (str(make_header(decode_header(name))), address) == ('Groß, "J" Jürgen', "a@b.cd")
    [subject] = re.findall("(?m)^Subject: (.*)$", log)
    assert str(make_header(decode_header(subject))) == "Re: " + ("Zähler " * 20).strip()


def test_long_lines_and_unusual_addresses_reach_the_list(
    tmp_path: Path, outside: dict[str, str]
) -> None:
    names = '"Jo @ Work" <jo@x.org>, =?utf-8?q?K_=3Cevil=40x=2Eorg=3E?= <k@x.org>'
    cc = mailboxes(f'{names}, a..b@x.org, "c d"@x.org, e@bücher.example')
    parent = replace(SEED, message_id="<p 1@example.org>", cc=cc)
    mail = draft(ANSWER, parent=parent, quote=["word " * 300, "ü" * 700, "From here\t=20"])
    assert b"Content-Transfer-Encoding: quoted-printable\n" in mail
    assert mailinfo(mail, tmp_path, outside) == message_from_bytes(mail).get_payload(decode=True)
    log = send(saved(tmp_path, mail, "draft.eml"), outside)
    assert "In-Reply-To: <p 1@example.org>\n" in log
    [sent] = re.findall("(?m)^Sendmail: /bin/true -i (.*)$", log)
    wanted = (
        'joel@joelfernandes.org jo@x.org k@x.org "a..b"@x.org "c d"@x.org e@xn--bcher-kva.example'
    )
    assert sent == wanted


@pytest.mark.parametrize(
    "first", ["---", "diff -u a b", "Index: x", "--- a/x", "-- >8 --", "x:", ">From:", "Re: x"]
)
def test_git_takes_no_line_for_something_else(
    tmp_path: Path, outside: dict[str, str], first: str
) -> None:
    for quote in ([], [first, "From x", "From: x", "Subject: y"]):
        mail = draft(
            f"\n{first}\n\n---\n{first}\nx\n", parent=replace(SEED, authors=()), quote=quote
        )
        assert mailinfo(mail, tmp_path, outside) == body_of(mail)
