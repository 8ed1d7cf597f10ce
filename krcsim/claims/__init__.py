# SPDX-License-Identifier: GPL-2.0-only
"""The claims of the thread: what was said, what decides it, and what the numbers say."""
