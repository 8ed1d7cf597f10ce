# SPDX-License-Identifier: GPL-2.0-only
"""The shell on krcsim: `krcsim VERB SCENARIO`, and drafts of mails."""
