# SPDX-License-Identifier: GPL-2.0-only
"""What kind of pressure decides: how deep memory is taken, under a list of choices."""

import html
from dataclasses import replace

from krcsim.model.scenario import Scenario
from krcsim.results.result import Result, words
from krcsim.widgets.controls import PRESSURE
from krcsim.widgets.explorer import PRESETS
from krcsim.widgets.remedies_compared import RemediesCompared

HOG = "memory.hog"


class Pressure(RemediesCompared):
    """P(wait) over bytes under a hog of chosen depth; without one, failures are drawn as the
    scenario says.
    """

    name = PRESSURE
    remedies = "curve"
    presets = {"Exhausted guest": "exhausted-guest", **PRESETS}

    @property
    def scenario(self) -> Scenario:
        """What the controls stand for: a hog may be taken away, which memory as pages would
        refuse.
        """
        memory = replace(self.base.memory, pressure="injected")
        self.base = replace(self.base, memory=memory)
        return super().scenario

    def fitted(self, scenario: Scenario) -> Scenario:
        """Pages run out where there is a hog, else failures are drawn."""
        kind = "injected" if scenario.memory.hog == "none" else "pages"
        return replace(scenario, memory=replace(scenario.memory, pressure=kind))

    def without_effect(self, scenario: Scenario) -> dict[str, str]:
        """The hog always has one: with it free pages decide, without it failures are drawn."""
        found = super().without_effect(scenario)
        return {field: reason for field, reason in found.items() if field != HOG}

    def sentence(self, result: Result, scenario: Scenario) -> str:
        """The setting in words, with the time in stalls and in waits (HTML)."""
        window = result.windows()[-1]
        stalled, blocked = (
            html.escape(words(result.get("own", quantity, window)))
            for quantity in ("stalled", "blocked")
        )
        return (
            f"{super().sentence(result, scenario)}; in reclaim: <b>{stalled}</b> of the time, "
            f"waiting: <b>{blocked}</b>"
        )
