# SPDX-License-Identifier: GPL-2.0-only
"""The verdict under the name of this room; it is made where a Result can show it."""

from krcsim.results.verdict import verdict as verdict
