# SPDX-License-Identifier: GPL-2.0-only
"""Legends of rows under the name of this room; they are made where a Result can show it."""

from krcsim.results.legend import legend as legend
from krcsim.results.legend import short_legend as short_legend
