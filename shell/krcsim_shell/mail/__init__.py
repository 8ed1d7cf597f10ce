# SPDX-License-Identifier: GPL-2.0-only
"""A mail in, the draft of an answer out, for `git send-email` or `mutt -H`: plain text, in its
thread, never sent.
"""

from krcsim_shell.mail.addresses import Mailbox
from krcsim_shell.mail.draft import draft, send_command
from krcsim_shell.mail.ids import message_id
from krcsim_shell.mail.parent import Parent, read_parent
from krcsim_shell.mail.quoting import chosen, quoted
from krcsim_shell.mail.recipients import Recipients, recipients

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
