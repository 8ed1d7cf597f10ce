# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of a user's machine: a recorder, readers, and the scenario that they make."""
