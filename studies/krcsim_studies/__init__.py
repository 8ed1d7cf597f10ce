# SPDX-License-Identifier: GPL-2.0-only
"""Questions that take many runs: how big a reserve must be, what moves the answer most, and large
sweeps.
"""
