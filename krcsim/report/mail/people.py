# SPDX-License-Identifier: GPL-2.0-only
"""Whom a mail names, and whom an answer to it goes to: its author, or where the author
asks for it, and all others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message

from krcsim.report.mail.addresses import Mailbox, distinct, mailboxes
from krcsim.report.mail.headers import clean, values


@dataclass(frozen=True)
class People:
    """Who wrote a mail, who is answered, who else reads it (some of them may be not
    usable), and what to say of it.
    """

    authors: tuple[Mailbox, ...] = ()
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    notes: tuple[str, ...] = ()


def people_of(mail: Message) -> People:
    """The people of a mail, from every header of a name."""
    names = ("From", "Reply-To", "To", "Cc", "Mail-Followup-To", "List-Post")
    found = {
        name: [box for text, _ in values(mail, name.lower()) for box in mailboxes(text)]
        for name in names
    }
    guessed = {
        name: read_as for name in names for _, read_as in values(mail, name.lower()) if read_as
    }
    notes = [
        f"the names in {name} are neither ASCII nor UTF-8; read as {read_as}"
        for name, read_as in guessed.items()
    ]

    to, why = _answered(found)
    cc = [*found["To"], *found["Cc"], *found["Reply-To"], *found["Mail-Followup-To"]]
    if not found["From"]:
        notes.append(
            "the mail has no author; the answer goes to those it went to; --to says otherwise"
        )
    if not any(box.usable for box in to):
        to = [*to, *(usable(found["To"]) or usable(cc))]
    wished = found["Mail-Followup-To"]
    unasked = distinct(usable([*to, *cc]), without=wished)
    if wished and unasked:
        notes.append(
            f"Mail-Followup-To asks for answers to {listed(wished)} only; {listed(unasked)} get "
            "this one too; --to and --cc say otherwise"
        )
    return People(tuple(found["From"]), tuple(to), tuple(cc), (*notes, *why))


def _answered(found: dict[str, list[Mailbox]]) -> tuple[list[Mailbox], list[str]]:
    """Who is answered: where Reply-To says, unless it only names a list, which hides
    the author.
    """
    lists = [*found["To"], *found["Cc"], *found["List-Post"]]
    asked = distinct(usable(found["Reply-To"]), without=lists)
    unusable = [box for box in found["Reply-To"] if not box.usable]
    if not asked:
        return [*found["From"], *unusable], []
    instead = distinct(
        usable(found["From"]), without=[*asked, *found["Reply-To"], *found["To"], *found["Cc"]]
    )
    why = [
        f"Reply-To asks for answers to {listed(asked)}; From ({listed([box])}) gets none; --cc "
        "says otherwise"
        for box in instead
    ]
    return [*asked, *unusable], why


def usable(boxes: Iterable[Mailbox]) -> list[Mailbox]:
    """Those that mail can be sent to."""
    return [box for box in boxes if box.usable]


def listed(boxes: Iterable[Mailbox]) -> str:
    """Up to three of some mailboxes in words, short enough for a message."""
    texts = [text for box in boxes if (text := clean(box.address or box.name))]
    named = [text if len(text) <= 50 else f"{text[:47]}..." for text in texts[:3]]
    more = [f"{len(texts) - 3} more"] if len(texts) > 3 else []
    *start, last = [*named, *more] or ["nobody"]
    return f"{', '.join(start)} and {last}" if start else last
