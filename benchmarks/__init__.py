# SPDX-License-Identifier: GPL-2.0-only
"""How fast it is, and the pictures of the README; never part of the tests."""
