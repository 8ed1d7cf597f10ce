# SPDX-License-Identifier: GPL-2.0-only
"""The legend of rows under the name of this room; it is made where a Result can show it."""

from krcsim.results.legend import legend as legend
