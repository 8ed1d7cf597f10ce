# SPDX-License-Identifier: GPL-2.0-only
"""The sliders of the notebooks; all that they compute, draw and export comes from krcsim."""

from krcsim.widgets.how_big import HowBig
from krcsim.widgets.pressure import Pressure
from krcsim.widgets.questions import ColdStart, OneEpisode, PoolOrPages
from krcsim.widgets.trust import Trust

__all__ = ["ColdStart", "HowBig", "OneEpisode", "PoolOrPages", "Pressure", "Trust"]
