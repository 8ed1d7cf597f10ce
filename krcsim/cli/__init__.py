# SPDX-License-Identifier: GPL-2.0-only
"""The command line: one file a verb, listed in verbs.py; what verbs share is in the other files."""
