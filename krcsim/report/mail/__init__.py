# SPDX-License-Identifier: GPL-2.0-only
"""A mail in, the draft of an answer out, for `git send-email` or `mutt -H`: plain text,
in its thread, never sent.
"""

from krcsim.report.mail.addresses import Mailbox
from krcsim.report.mail.draft import draft, send_command
from krcsim.report.mail.ids import message_id
from krcsim.report.mail.parent import Parent, read_parent
from krcsim.report.mail.quoting import chosen, quoted
from krcsim.report.mail.recipients import Recipients, recipients

__all__ = [
    "Mailbox",
    "Parent",
    "Recipients",
    "chosen",
    "draft",
    "message_id",
    "quoted",
    "read_parent",
    "recipients",
    "send_command",
]
