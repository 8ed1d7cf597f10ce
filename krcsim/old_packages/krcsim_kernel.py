# SPDX-License-Identifier: GPL-2.0-only
"""The package of before: whoever imports it is given the new name, in one sentence."""

raise ImportError("krcsim_kernel is krcsim.guest now: write `from krcsim.guest import recordings`")
