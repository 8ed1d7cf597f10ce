# SPDX-License-Identifier: GPL-2.0-only
"""How likely is a synchronous wait in kfree_rcu(), and what does each remedy cost?

    >>> import krcsim
    >>> thread = krcsim.load_scenario("thread-as-posted")
    >>> answer = krcsim.compare(thread, ["A1", "B", "C-A1"], max_runs=32)
    >>> answer.get("A1", "p_wait", "steady").kind
    'interval'

Public names stand in __init__.pyi. They are imported on first use, so that `import krcsim` is
quick.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
