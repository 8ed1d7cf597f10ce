# SPDX-License-Identifier: GPL-2.0-only
"""How likely is a synchronous wait in kfree_rcu(), and what does each remedy cost?

    >>> import krcsim
    >>> thread = krcsim.load_scenario("thread-as-posted")
    >>> answer = krcsim.compare(thread, ["A1", "B", "C-A1"], max_rung=2)
    >>> answer.get("A1", "p_wait", "steady").kind
    'interval'

Names are imported on first use, so that `import krcsim` is quick.
"""

import importlib
from typing import Any

__version__ = "0.1.0"
_HOMES = (
    "values workload allocator grace_period remedy scenario estimate result study "
    "krcsim_studies.comparison "
    "krcsim_studies.sweep krcsim_studies.question krcsim_report.reply krcsim_report.timeline "
    "krcsim_studies.size "
    "krcsim_studies.frontier krcsim_studies.sensitivity"
)
__all__ = [
    "REMEDIES",
    "Allocator",
    "Estimate",
    "Failure",
    "FieldError",
    "Finding",
    "GracePeriod",
    "KrcsimError",
    "Machine",
    "Remedy",
    "Result",
    "Run",
    "Scenario",
    "Sized",
    "Workload",
    "answer_text",
    "ask",
    "asking",
    "changed",
    "compare",
    "frontier",
    "load_result",
    "load_scenario",
    "named",
    "one_spell",
    "pages",
    "pool",
    "presets",
    "sensitivity",
    "simulate",
    "size",
    "spells",
    "story",
    "sweep",
    "toml_text",
    "worth",
]


def __getattr__(name: str) -> Any:
    for home in _HOMES.split() if name in __all__ else ():
        module = importlib.import_module(home if "." in home else f"krcsim.{home}")
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(f"module 'krcsim' has no attribute {name!r}")
