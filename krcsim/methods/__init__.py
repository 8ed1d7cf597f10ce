# SPDX-License-Identifier: GPL-2.0-only
"""Ways to an answer beside counting: what cannot happen, exact chains, rare events."""
