# SPDX-License-Identifier: GPL-2.0-only
"""The sliders of the notebooks; all that they compute, draw and export comes from krcsim.

Public names stand in __init__.pyi. They are imported on first use, so that a notebook loads one
question and no others.
"""

import warnings

import lazy_loader

_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

OLD_NAMES = {
    "OneSpell": "OneEpisode",
    "Trust": "RareAndExact",
    "Against": "AgainstAKernel",
}


def __getattr__(name: str) -> object:
    """A public name; one of before is taken, with its new name."""
    new = OLD_NAMES.get(name, name)
    if new != name:
        warnings.warn(f"{name} is called {new} now", FutureWarning, stacklevel=2)
    return _public(new)
