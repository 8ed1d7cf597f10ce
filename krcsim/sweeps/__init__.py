# SPDX-License-Identifier: GPL-2.0-only
"""Many points of a question: small grids, and large plans into a table, also on a cluster."""
