# SPDX-License-Identifier: GPL-2.0-only
"""From replications to answers: estimates with their intervals, quantities, tables of them."""
