# SPDX-License-Identifier: GPL-2.0-only
"""Who stands in the headers of a draft: whom the user names, else the people of the
parent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from krcsim.report.mail.addresses import Mailbox, distinct, given_mailboxes
from krcsim.report.mail.parent import Parent
from krcsim.report.mail.people import listed, usable


@dataclass(frozen=True)
class Recipients:
    """The mailboxes of a draft, and a sentence for each kind of the parent's that could
    not be kept.
    """

    senders: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    notes: tuple[str, ...] = ()


def recipients(
    parent: Parent, *, to: Sequence[str] = (), cc: Sequence[str] = (), sender: str = ""
) -> Recipients:
    """Who gets the answer; what is given takes the place of what the parent says;
    raises KrcsimError.
    """
    senders = given_mailboxes([sender] if sender else [], "from")
    given_to = given_mailboxes(to, "to")
    given_cc = given_mailboxes(cc, "cc")
    notes: list[str] = []
    if not given_to:
        notes += _left_out(parent.to, "--to")
    if not given_cc:
        notes += _left_out([box for box in parent.cc if box not in parent.to], "--cc")

    first = distinct(given_to or usable(parent.to))
    others = distinct(given_cc or usable(parent.cc), without=[*senders, *first])

    nameless = [box for box in (*first, *others) if not box.nameable]
    if nameless:
        notes.append(f"without their names, which no header can hold: {listed(nameless)}")

    return Recipients(senders, first, others, tuple(notes))


def _left_out(boxes: Sequence[Mailbox], option: str) -> list[str]:
    """What to say about people nobody can mail: an archive has masked them, or their
    address is none.
    """
    lost = [box for box in boxes if not box.usable and (box.address or box.name)]
    if not lost:
        return []

    return [f"left out, for want of an address to mail to: {listed(lost)}; add them with {option}"]
