# SPDX-License-Identifier: GPL-2.0-only
"""The compiled engine: one kernel for all remedies, skipping what cannot matter."""
