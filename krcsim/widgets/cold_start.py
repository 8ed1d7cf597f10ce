# SPDX-License-Identifier: GPL-2.0-only
"""Cold start: P(wait) in the first episode after boot, in the second, and so on."""

import html
from typing import Any

from krcsim.model.remedy_list import listed
from krcsim.model.scenario import Scenario
from krcsim.results.result import Result, words
from krcsim.studies.compare import episodes
from krcsim.widgets.controls import COLD_START
from krcsim.widgets.remedies_compared import RemediesCompared


class ColdStart(RemediesCompared):
    """What preallocation buys after boot, and for how many episodes of pressure."""

    name = COLD_START
    remedies = "cold"
    options = " --by-episode 8"
    asks = "krcsim.episodes"

    def ask(self, scenario: Scenario, remedies: str, **how: Any) -> Result:
        """Run the question, episode by episode."""
        return episodes(scenario, listed(remedies, scenario), **how)

    def sentence(self, result: Result, scenario: Scenario) -> str:  # noqa: ARG002
        """The first and the last episode of the setting (HTML)."""
        first, last = result.windows()[0], result.windows()[-1]
        p_first, p_last = (
            html.escape(words(result.get("own", "p_wait_episode", window)))
            for window in (first, last)
        )
        return (
            f"P(wait) of your setting in the first episode: <b>{p_first}</b>, "
            f"in {last}: <b>{p_last}</b>"
        )
