# SPDX-License-Identifier: GPL-2.0-only
"""The verbs: each is a file that ends in a VERB, and one word in the table here."""

from krcsim.cli import ask, compare, kernel, reply, show, simulate, size, sweep

VERBS = {
    file.VERB.options.verb: file.VERB
    for file in (ask, compare, kernel, reply, show, simulate, size, sweep)
}
