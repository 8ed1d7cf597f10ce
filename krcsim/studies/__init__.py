# SPDX-License-Identifier: GPL-2.0-only
"""Questions that take many runs, one a module: ask, compare, size, frontier, sensitivity."""
