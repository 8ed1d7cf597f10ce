# SPDX-License-Identifier: GPL-2.0-only
"""The package of before: whoever imports it is given the new name, in one sentence."""

raise ImportError(
    "krcsim_studies is krcsim.studies now: write `import krcsim` and `krcsim.ask(scenario)`"
)
