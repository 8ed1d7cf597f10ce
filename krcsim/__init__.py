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

import warnings

import lazy_loader

__version__ = "0.1.0"
_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

OLD_NAMES = {"spells": "episodes", "one_spell": "one_episode"}


def __getattr__(name: str) -> object:
    """A public name; one of before is taken, with its new name."""
    new = OLD_NAMES.get(name, name)
    if new != name:
        warnings.warn(f"krcsim.{name} is called krcsim.{new} now", FutureWarning, stacklevel=2)
    return _public(new)
