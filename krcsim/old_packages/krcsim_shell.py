# SPDX-License-Identifier: GPL-2.0-only
"""The package of before: whoever imports it is given the new name, in one sentence."""

raise ImportError(
    "krcsim_shell is krcsim.cli now: write `python -m krcsim`, or `krcsim` in a shell"
)
