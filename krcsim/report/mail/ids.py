# SPDX-License-Identifier: GPL-2.0-only
"""Message-IDs: what an answer names its parent by."""

import re
from collections.abc import Iterable

from krcsim.base.errors import KrcsimError, shown
from krcsim.report.mail.headers import CONTROL, ENCODED_WORD, unencoded

# Visible ASCII between angle brackets, and blanks, which some programs make. The line
# of a header must hold it.
_ID = re.compile(r"<[!-;=?-~](?:[ -;=?-~]{0,900}[!-;=?-~])?>")
_GIVEN = re.compile(r"<[!-;=?A-~]{1,450}@[!-;=?-~]{1,450}>")
_MASKED = re.compile(r"@(?:x{3,}|\.{3,}|public\.gmane\.org|)>$")
_BRACKETED = re.compile(r"<([^<>]*)(?:>|(?=<))")
_COMMENT = re.compile(r"\([^()]*\)")
_SPELT_OUT = re.compile(
    r"([!-~]+) \(\) ([!-~]+(?: ! [!-~]+)+)|([!-~]+)(?:-AT-| at )([!-~]+\.[!-~]+)"
)


def message_id(text: str) -> str:
    """A Message-ID in angle brackets, which `text` may lack; raises KrcsimError."""
    found = "<" + text.strip(" \t").removeprefix("<").removesuffix(">") + ">"
    if not _GIVEN.fullmatch(found) or ENCODED_WORD.search(found):
        raise KrcsimError(
            f"the Message-ID is {shown(text)}; allowed: one <name@host> of visible ASCII "
            "characters; copy it from the raw mail"
        )
    return found


def is_sendable(text: str) -> bool:
    """Whether an ID in brackets can stand in a header, and is not one of an archive
    that hides hosts.
    """
    return bool(_ID.fullmatch(text)) and not _MASKED.search(text) and not ENCODED_WORD.search(text)


def own_ids(text: str) -> list[str]:
    """The IDs in the header Message-ID, which may lack its brackets, or have a comment
    next to it.
    """
    text = _decoded(text)
    if "@" not in text and len(text) <= 500:
        text = _SPELT_OUT.sub(_as_it_was, text)
    found = _bracketed(text) or [f"<{word}>" for word in _bare_words(text) if "@" in word]
    return [text for text in dict.fromkeys(found) if is_sendable(text)]


def thread(
    references: Iterable[str], in_reply_to: Iterable[str]
) -> tuple[tuple[str, ...], list[str]]:
    """The IDs above a mail, the oldest first, and what stands among them and is
    none.
    """
    above: list[str] = []
    broken: list[str] = []
    for text in map(_decoded, references):
        bare = [word for word in _bare_words(_BRACKETED.sub(" ", text)) if "@" in word]
        found = _bracketed(text) or [f"<{word}>" for word in bare]
        broken += [word for word in found if not is_sendable(word) and word != "<>"]
        broken += bare if _bracketed(text) else []
        above += filter(is_sendable, found)
    if not above:
        texts = map(_decoded, in_reply_to)
        ids = [word for text in texts for word in _bracketed(text) or _only(_bare_words(text))]
        above = list(filter(is_sendable, ids))[:1]
    return tuple(dict.fromkeys(above)), broken


def _decoded(text: str) -> str:
    """A header of IDs; one that has a control character behind an encoding keeps a NUL
    there, and is none.
    """
    return CONTROL.sub("\0", unencoded(text)) if ENCODED_WORD.search(text) else text


def _bracketed(text: str) -> list[str]:
    """All that stands in angle brackets; a line folded inside of an ID is joined
    again.
    """
    return ["<" + re.sub(r"\n\s*", "", inner).strip() + ">" for inner in _BRACKETED.findall(text)]


def _bare_words(text: str) -> list[str]:
    return [word.strip("<>;,'\"") for word in _COMMENT.sub(" ", text).split()]


def _only(found: list[str]) -> list[str]:
    return [f"<{found[0]}>"] if len(found) == 1 and "@" in found[0] else []


def _as_it_was(found: re.Match[str]) -> str:
    """An ID whose @ and dots an archive has spelt out: `1.2 () example ! org`,
    `1.2-AT-example.org`.
    """
    name = found[1] or found[3]
    host = found[2] or found[4]
    return f"{name}@{host.replace(' ! ', '.')}"
