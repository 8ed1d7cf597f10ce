# SPDX-License-Identifier: GPL-2.0-only
"""A mail in, the draft of an answer out, for `git send-email` or `mutt -H`: plain text, in its thread, never sent."""
import re
import shlex
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email import header, message_from_bytes, policy, utils
from itertools import groupby
from pathlib import Path
from krcsim.values import KrcsimError, shown
ID = re.compile(r"<[!-;=?A-~]{1,160}@[!-;=?-~]{1,87}>")
ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63}){0,9}", re.ASCII)
CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
NO_MAIL = re.compile(rb"\0|(?im:^content-)(?:.|\n[ \t]){9999}")  # or a header to stall on
MBOX = re.compile(rb"(?:\A|(?<=\n\n))From [^\n]*\d\d:\d\d[^\n]*\n")  # the line above each mail
OWN = re.compile(r"(?!>*From |(?i:From|Subject|Date):|\[PATCH\])(?=  |.{0,72}$)[ -~]{0,998}(?<! )")  # a line of ours

@dataclass(frozen=True)
class Parent:
    """The mail to answer: its headers decoded, the lines of its text as they came."""
    message_id: str = ""
    references: tuple[str, ...] = ()
    subject: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    date: str = ""
    body: tuple[str, ...] = ()

def message_id(text: str) -> str:
    """A Message-ID in angle brackets, which `text` may lack; raises KrcsimError."""
    found = "<" + text.strip(" \t").removeprefix("<").removesuffix(">") + ">"
    _refuse(not ID.fullmatch(found), f"the Message-ID is {shown(text)}; "
        "allowed: one <name@host>, at most 250 visible ASCII characters; copy it from the raw mail")
    return found

def read_parent(path: Path, in_reply_to: str = "") -> Parent:
    """The mail in an .eml, an mbox (`in_reply_to` chooses) or a pasted text (which needs it); raises KrcsimError."""
    wanted = message_id(in_reply_to) if in_reply_to else ""
    try:
        with path.open("rb") as stream:
            raw = stream.read(10_000_001)
        _refuse(len(raw) > 10_000_000, f"{path} is larger than 10 MB; save only the mail that you answer")
        _refuse(not raw.strip() or NO_MAIL.search(raw), f"{path} is empty, binary or malformed; save the raw mail")
        raw = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
        texts = [raw] if not MBOX.match(raw) else [
            re.sub(rb"(?m)^>(>*From )", rb"\1", text) for text in MBOX.split(raw) if text.strip()]
        mails = [x for text in texts if "from" in (x := message_from_bytes(text, policy=policy.default)) and len(x) > 1]
        if not mails:  # pasted: all of it is body
            _refuse(b"<html" in raw[:999].lower(), f"{path} is a web page; save the raw mail, for example from lore")
            _refuse(not wanted, f"{path} has no mail headers; name the mail it is from with --in-reply-to")
            mails = [message_from_bytes(b"\n" + raw, policy=policy.default)]
        known = {"".join(ID.findall(str(_header(x.raw_items(), "message-id")))[:1]): x for x in reversed(mails)}
        _refuse(wanted and not known.keys() & {wanted, ""}, f"{path} has no mail {wanted}; name another file or mail")
        mail = (known.get(wanted) or known.get("") if wanted else None) or mails[0]
        part = mail.get_body(("plain",))
        _refuse(part is None and "html" in [x.get_content_subtype() for x in mail.walk()],
            f"{path} is HTML only; give its plain-text part, or save the raw mail from lore")
        if part is not None and part.get_content_charset() in (None, "us-ascii", "punycode", "idna"):
            part.set_param("charset", "utf-8")  # us-ascii is often a lie, and the last two take forever
        text = "" if part is None else part.get_content(errors="strict")
        _refuse(not text.strip(), f"{path} holds no plain text or is cut off before it; save the raw mail again")
        head = {x: _header(mail.raw_items(), x) for x in "references in-reply-to subject from to cc date".split()}
        ids = {name: tuple(ID.findall(str(head[name]))) for name in head}
        people = {name: tuple(_clean(x) for x in getattr(head[name], "addresses", ()) if x.domain) for name in head}
        return Parent(wanted or next(x for x in known if known[x] is mail), ids["references"] or ids["in-reply-to"][:1],
            _clean(head["subject"]), [*people["from"], _clean(head["from"])][0], people["to"], people["cc"],
            str(head["date"]) if getattr(head["date"], "datetime", None) else "",
            tuple(re.sub("\r\n?", "\n", text).rstrip("\n").split("\n")))
    except Exception as exc:  # the disk, a charset, or the library's parser, which trips over hostile mail in many ways
        raise exc if isinstance(exc, KrcsimError) else KrcsimError(f"the mail {path} cannot be read "
            f"({getattr(exc, 'strerror', None) or shown(str(exc))}); save the raw mail, or UTF-8 text") from None

def _refuse(wrong: object, why: str) -> None:
    if wrong:
        raise KrcsimError(why)

def _clean(text: object) -> str:
    return " ".join(CONTROL.sub(" ", str(text)).split())

def _header(items: Iterable[tuple[str, object]], name: str) -> object:
    """The first header of a name, decoded; cut where more would only stall, empty if the library cannot parse it."""
    try:
        raw = next((str(value)[:20_000] for key, value in items if key.lower() == name), "")
        text = raw.encode(errors="surrogateescape").decode(errors="replace")
        return policy.default.header_factory(name, " ".join(text.split()))
    except Exception:
        return ""

def chosen(lines: Sequence[str], what: str) -> list[str]:
    """The lines FROM-TO or N, from 1, or the paragraph that holds a text, however it is quoted; raises KrcsimError."""
    *keys, wanted = [" ".join(line.lstrip("> \t").casefold().split()) for line in [*lines, what]]
    blocks = [list(block) for _, block in groupby(range(len(lines)), lambda n: bool(keys[n]))]
    holding = (block for block in blocks if wanted and wanted in " ".join(keys[n] for n in block))
    span = re.fullmatch(r"\s*([0-9]{1,9})\s*(?:-\s*([0-9]{1,9})\s*)?", what)
    found: Sequence[int] = range(int(span[1]) - 1, int(span[2] or span[1])) if span else next(holding, [])
    _refuse(not found or found[0] < 0 or found[-1] >= len(lines),
        f"the lines to quote are {shown(what)}; allowed: within 1-{len(lines)}, or words of one paragraph")
    return [lines[n] for n in found]

def quoted(lines: Iterable[str]) -> list[str]:
    """The lines behind a mark of quoting, otherwise as they came."""
    return [">" + " " * (line[:1] not in ("", ">")) + line for line in lines]

def _mailboxes(texts: Iterable[str], field: str = "") -> dict[str, str]:
    box: dict[str, str] = {}
    for text in texts:
        people = getattr(_header([("to", text)], "to"), "addresses", ())
        good = [x for x in people if ADDRESS.fullmatch(x.addr_spec) and (field or "." in x.domain)]  # user@xxxx: masked
        _refuse(field and (CONTROL.search(text) or not good or len(good) < len(people)),
            f"{field} is {shown(text)}; allowed: addresses like Name <name@host>; correct it")
        box |= {x.addr_spec.lower(): utils.formataddr((_clean(x.display_name)[:100], x.addr_spec)) for x in good}
    return box

def draft(answer: str, *, parent: Parent, quote: Sequence[str] = (), subject: str = "", to: Sequence[str] = (),
        cc: Sequence[str] = (), sender: str = "") -> bytes:
    """The answer as a mail without Date and Message-ID; raises KrcsimError for what a list would mangle."""
    title = subject.strip(" ") or re.sub(r"(?i)^(re:\s*)*", "Re: ", _clean(parent.subject), count=1)
    _refuse(title == "Re: " or len(title) > 250 or CONTROL.search(title),
        f"the subject is {shown(title)}; allowed: one line of at most 250 characters; give it with --subject")
    own, first = _mailboxes([sender] if sender else [], "from"), _mailboxes(to, "to")
    first = first or _mailboxes([parent.sender]) or _mailboxes(parent.to) or _mailboxes(parent.cc)
    others = _mailboxes(cc, "cc") or _mailboxes([*parent.to, *parent.cc])
    others = {key: box for key, box in others.items() if key not in {**own, **first}}
    head = [f"{name}: " + ",\n ".join(x.values()) for name, x in {"From": own, "To": first, "Cc": others}.items() if x]
    head.append("Subject: " + header.Header(title, header_name="Subject").encode())
    if parent.message_id:
        chain = [message_id(x) for x in (*parent.references, parent.message_id)]
        head += [f"In-Reply-To: {chain[-1]}", "References: " + "\n ".join(chain[:1] + chain[1:][-20:])]
    below, lines = quoted(quote), answer.strip("\n").split("\n")
    for line in below:
        _refuse(len(line.encode(errors="replace")) > 998 or re.search("[\0\r\n\ud800-\udfff]", line),
            f"a quoted line is {shown(line)}; allowed: text of at most 998 bytes; quote fewer lines")
    for n, line in enumerate(lines, 1):
        _refuse(not OWN.fullmatch(line), f"line {n} of the answer is {shown(line)}; allowed: 72 columns of 7-bit text "
            "without tabs, blanks at the end or what looks like a header; reword it")
    names = utils.parseaddr(parent.sender) if "@" in parent.sender else [parent.sender]
    intros = [textwrap.wrap(f"{parent.date and f'On {parent.date}, '}{name} wrote:", 72, break_long_words=False,
        break_on_hyphens=False) for name in names if name]
    intro = next((x for x in intros if below and all(map(OWN.fullmatch, x))), [])
    charset, encoding = ("us-ascii", "7bit") if "".join(below).isascii() else ("utf-8", "8bit")
    return "\n".join([*head, "MIME-Version: 1.0", f"Content-Type: text/plain; charset={charset}",
        f"Content-Transfer-Encoding: {encoding}", "", *intro, *below, *[""][: len(below)], *lines, ""]).encode()

def send_command(path: Path, parent: Parent) -> str:
    """The command that would send a draft, with a place to fill in if it has no recipient."""
    data = path.read_bytes() if path.is_file() else draft("", parent=parent, subject="-")
    hint = "" if b"\nTo: " in b"\n" + data.split(b"\n\n")[0] else "--to=ADDRESS "
    return f"git send-email {hint}{shlex.quote(f'./{path}' if str(path).startswith('-') else str(path))}"
