# SPDX-License-Identifier: GPL-2.0-only
"""The package of before: whoever imports it is given the new name, in one sentence."""

raise ImportError(
    "krcsim_report is krcsim.report now: write `import krcsim` and `krcsim.answer_text(answer)`"
)
