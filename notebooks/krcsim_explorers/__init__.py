# SPDX-License-Identifier: GPL-2.0-only
"""The sliders of the notebooks; all that they compute, draw and export comes from krcsim."""

from krcsim_explorers.pressure import Pressure
from krcsim_explorers.questions import ColdStart, OneSpell, PoolOrPages
from krcsim_explorers.size import HowBig
from krcsim_explorers.trust import Trust

__all__ = ["ColdStart", "HowBig", "OneSpell", "PoolOrPages", "Pressure", "Trust"]
