# SPDX-License-Identifier: GPL-2.0-only
"""Addresses: the mailboxes in a header, however it is written, and a mailbox as a
header that every mailer reads.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.header import Header
from email.utils import formataddr

from krcsim.base.errors import KrcsimError, shown
from krcsim.report.mail.headers import CONTROL, UNREADABLE, words

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(
    rf"{_ATOM}(?:\.{_ATOM})*|\"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~. -]+\""
)  # git takes no more
_DOTTED = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|\[[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}\]")
_MASKED = re.compile(
    r'@[x.]+$|\.\.\."?@|@public\.gmane\.org$|\.invalid$', re.IGNORECASE
)  # by archives, on Usenet

# The parts of a header of addresses; an encoded word is one even if it holds a comma.
# Lengths keep the search short.
_TOKEN = re.compile(
    r"=\?[^?\s]{1,100}\?[bq]\?[^?\s]{0,1000}\?="
    r'|"(?:[^"\\]|\\.){0,500}"'
    r"|<[^<>]*>"
    r"|[(),;:]"
    r"|\s+"
    r'|[^"<>(),;:\s=]+'
    r"|.",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True)
class Mailbox:
    """Somebody's name and address. One that nobody can be mailed at keeps the words it
    was found in.
    """

    name: str = ""
    address: str = ""

    @property
    def usable(self) -> bool:
        """Whether mail can be sent there, by git send-email too."""
        host = self.address.rpartition("@")[2]
        return is_address(self.address) and "." in host and not _MASKED.search(self.address)

    @property
    def nameable(self) -> bool:
        """Whether a header can hold the name."""
        return len(self.name) <= 250 and UNREADABLE not in self.name

    def __str__(self) -> str:
        """As it stands in a header: a name that a program might take for an address is
        encoded.
        """
        if not self.name or not self.nameable:
            return self.address
        if self.name.isascii() and not re.search(r"[<>]|=\?", self.name):
            return formataddr((self.name, self.address))
        return f"{Header(self.name, 'utf-8').encode()} <{self.address}>"


def is_address(text: str) -> bool:
    """Whether mail programs take it: local part and host as in RFC 5321."""
    local, _, host = text.rpartition("@")
    short = len(local) <= 64 and len(host) <= 253
    return short and "=?" not in local and bool(_LOCAL.fullmatch(local) and _HOST.fullmatch(host))


def mailboxes(text: str) -> tuple[Mailbox, ...]:
    """All that a header of addresses names; what is no address is a Mailbox that is not
    usable.
    """
    found: list[Mailbox] = []
    # Without an address: `Example, Ann <ann@example.org>` has a comma in its name.
    waiting: list[str] = []
    for element in _elements(text):
        boxes = list(_boxes(element))
        if not boxes:
            waiting += [name] if (name := _name(element)) else []
            continue
        if len(waiting) == 1 and boxes[0].name:
            boxes[0] = Mailbox(words(f"{waiting.pop()}, {boxes[0].name}"), boxes[0].address)
        found += [*map(Mailbox, waiting), *boxes]
        waiting = []
    return (*found, *map(Mailbox, waiting))


def given_mailboxes(texts: Iterable[str], field: str) -> tuple[Mailbox, ...]:
    """The mailboxes that somebody typed; raises KrcsimError unless they are written as
    they must be.
    """
    found: list[Mailbox] = []
    for text in texts:
        boxes = mailboxes(text)
        fine = all(
            is_address(x.address) and x.nameable and (x.address in text or not text.isascii())
            for x in boxes
        )
        if not boxes or not fine or CONTROL.search(text):
            raise KrcsimError(
                f"{field} is {shown(text)}; allowed: addresses like Name <name@host>; correct it"
            )
        found += boxes
    return tuple(found)


def distinct(boxes: Iterable[Mailbox], without: Iterable[Mailbox] = ()) -> tuple[Mailbox, ...]:
    """Each address once, the first name that has it first, and none of `without`."""
    known = {box.address.lower() for box in without}
    box_of: dict[str, Mailbox] = {}
    for box in boxes:
        key = box.address.lower()
        if key not in known and (key not in box_of or not box_of[key].name):
            box_of[key] = box
    return tuple(box_of.values())


def _elements(text: str) -> Iterator[list[str]]:
    """What stands between commas and semicolons, in tokens; the name of a group is none
    of it.
    """
    element: list[str] = []
    for token in _with_comments(_TOKEN.findall(text.replace(" <at> ", " at "))):
        if token in (",", ";"):
            yield element
            element = []
        elif token == ":" and not any("@" in part for part in element):
            element = []
        else:
            element.append(token)
    yield element


def _with_comments(tokens: list[str]) -> Iterator[str]:
    """The tokens, each comment as one; a parenthesis that has no partner is an ordinary
    character.
    """
    opened: list[int] = []
    end_of: dict[int, int] = {}
    for place, token in enumerate(tokens):
        if token == "(":
            opened.append(place)
        elif token == ")" and opened:
            end_of[opened.pop()] = place
    place = 0
    while place < len(tokens):
        end = end_of.get(place, place) + 1
        yield "".join(tokens[place:end])
        place = end


def _is_comment(token: str) -> bool:
    return token[0] == "(" and token[-1] == ")"


def _boxes(element: list[str]) -> Iterator[Mailbox]:
    """The mailboxes of one element: usually one, more where a comma is missing, none
    without an address.
    """
    before: list[str] = []
    in_brackets = False
    for token in element:
        if token[0] == "<" and token[-1] == ">" and len(token) > 1:
            yield Mailbox(_name(before), _address(token[1:-1]))
            in_brackets = True
            before = []
        else:
            before.append(token)
    if not in_brackets:
        yield from _bare_boxes(before)
    elif any("@" in token and not _is_comment(token) for token in before):
        # a comma is missing, or a line break was smuggled in
        yield Mailbox(_name(before))


def _bare_boxes(element: list[str]) -> Iterator[Mailbox]:
    comments = [token for token in element if _is_comment(token)]
    text = "".join(token for token in element if not _is_comment(token))
    parts = re.findall(r'(?:"[^"]*"|[^\s"]|")+', text)
    with_at = [part for part in parts if "@" in part]
    if len(with_at) == 1 and not is_address(_address(with_at[0])) and is_address(_address(text)):
        yield Mailbox(_name(comments), _address(text))  # blanks around the @
    elif with_at:
        before = " ".join(part.strip('"') for part in parts[: parts.index(with_at[0])])
        name = (_name(comments) or words(before)) if len(with_at) == 1 else ""
        yield from (Mailbox(name, _address(part)) for part in with_at)
    elif len(parts) > 2 and parts[-2].lower() == "at":  # as archives mask it
        yield Mailbox(_name(comments) or words(" ".join(parts[:-3])), words(" ".join(parts[-3:])))
    elif is_address(_address(inside := _name(comments))):
        yield Mailbox(
            words(text), _address(inside)
        )  # `Ann Example (ann@example.org)`, as old archives have it


def _name(tokens: Iterable[str]) -> str:
    """The name in some tokens: what stands outside of comments, else the first comment."""
    tokens = list(tokens)
    comments = [token[1:-1] for token in tokens if _is_comment(token)]
    plain = "".join(_unquoted(token) for token in tokens if not _is_comment(token))
    return words(plain) or words("".join(comments[:1]))


def _unquoted(token: str) -> str:
    is_quoted = len(token) > 1 and token[0] == token[-1] == '"'
    return re.sub(r"(?s)\\(.)", r"\1", token[1:-1]) if is_quoted else token


def _address(text: str) -> str:
    """An address as mail programs take it, if there is a way to write it so; else its
    words.
    """
    text = text[1:-1] if re.fullmatch(r'"[^"]*"', text) else text
    text = text.strip() if '"' in text or "@" not in text else re.sub(r"\s+", "", text)
    text = re.sub(r"(?i)^mailto:", "", text.strip("<>'"))
    if text.startswith("@"):
        text = text.rpartition(":")[2]  # a route, as mails had it once
    local, at, host = text.rpartition("@")
    host = host.rstrip(".")
    if not host.isascii() and len(host) <= 253:
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return words(text)
    if _DOTTED.fullmatch(local) and not _LOCAL.fullmatch(local):
        # dots where an atom has none: the same mailbox, as RFC 5321 writes it
        local = f'"{local}"'
    return words(local + at + host)
