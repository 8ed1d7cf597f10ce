# SPDX-License-Identifier: GPL-2.0-only
"""How likely is a synchronous wait in kfree_rcu(), and what does each remedy cost?

    >>> import krcsim
    >>> thread = krcsim.load_scenario("thread-as-posted")
    >>> answer = krcsim.compare(thread, ["A1", "B", "C-A1"], max_rung=2)
    >>> answer.get("A1", "p_wait", "steady").kind
    'interval'

Names are imported on first use, so that `import krcsim` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from krcsim.allocator import Allocator, Failure
    from krcsim.estimate import Estimate
    from krcsim.grace_period import GracePeriod
    from krcsim.remedy import REMEDIES, Remedy, named, pages, pool
    from krcsim.reply import answer_text
    from krcsim.result import Result, load_result
    from krcsim.scenario import Machine, Scenario, changed, load_scenario, presets, toml_text
    from krcsim.study import Run, compare, simulate, sweep
    from krcsim.values import FieldError, KrcsimError
    from krcsim.workload import Workload

__version__ = "0.1.0"

_HOME = {"allocator": "Allocator Failure", "estimate": "Estimate", "grace_period": "GracePeriod",
    "remedy": "REMEDIES Remedy named pages pool", "reply": "answer_text",
    "result": "Result load_result",
    "scenario": "Machine Scenario changed load_scenario presets toml_text",
    "study": "Run compare simulate sweep", "values": "FieldError KrcsimError",
    "workload": "Workload"}
_WHERE = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = ["REMEDIES", "Allocator", "Estimate", "Failure", "FieldError", "GracePeriod",
    "KrcsimError", "Machine", "Remedy", "Result", "Run", "Scenario", "Workload", "answer_text",
    "changed", "compare", "load_result", "load_scenario", "named", "pages", "pool", "presets",
    "simulate", "sweep", "toml_text"]

def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'krcsim' has no attribute {name!r}")
    return getattr(importlib.import_module(f"krcsim.{_WHERE[name]}"), name)
