# SPDX-License-Identifier: GPL-2.0-only
"""The package of before: whoever imports it is given the new name, in one sentence."""

raise ImportError(
    "krcsim_explorers is krcsim.widgets now: write `from krcsim.widgets import PoolOrPages`"
)
