# SPDX-License-Identifier: GPL-2.0-only
"""How big must the reserve be: a target under a slider, and the sizes that were tried for it."""

from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as w

from krcsim.base.old_names import runs_on_rung
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near
from krcsim.studies.reserves import with_reserve
from krcsim.studies.size import size
from krcsim.studies.size_chart import chart_of_sizes
from krcsim.studies.size_words import size_result, size_sentence, size_text
from krcsim.studies.sized import Sized
from krcsim.widgets.explorer import Shown, possible
from krcsim.widgets.latest import Ticket
from krcsim.widgets.questions import Found

TARGETS = tuple(10.0**-k for k in range(1, 13))
LOOKS = 40  # of a search, more or less


class HowBig(Found):
    """The smallest pool, the fewest pages or the cheapest mix for a target, and all that was tried
    on the way.
    """

    name = "how-big"
    shown = (
        "remedy.head_alloc",
        "allocator.episode.page",
        "allocator.episode.head",
        "allocator.episode_ms",
        "allocator.calm_ms",
        "workload.rate_hz",
        "machine.cpus",
        "grace_period.mean_ms",
        "machine.hz",
        "workload.single_share",
    )

    def __init__(
        self, folder: str | Path = "", preset: str = "", rungs: tuple[int, ...] = (1, 10)
    ) -> None:
        super().__init__(folder, preset, rungs)

    def extras(self) -> list[Any]:
        """The target, and what is to be small."""
        look: Any = dict(style=dict(description_width="9em"), layout=w.Layout(width="30em"))
        self.target = w.SelectionSlider(
            options=[(f"{t:.0e}".replace("e-0", "e-"), t) for t in TARGETS],
            value=1e-6,
            description="Target P(wait)",
            **look,
        )
        self.of = w.Dropdown(
            options=[("smallest pool", "pool"), ("fewest pages", "pages"), ("cheapest mix", "mix")],
            description="Look for the",
            **look,
        )
        self.at_boot = w.Dropdown(
            options=[("as in the scenario", "own"), ("empty", "empty"), ("full", "full")],
            value="full",
            description="At boot it is",
            **look,
        )
        for control in (self.target, self.of, self.at_boot):
            control.observe(self._moved, "value")
        return [self.target, self.of, self.at_boot]

    def worlds(self, s: Scenario) -> dict[str, Scenario]:
        """Without a reserve, with a pool and with a page: what larger ones have in common with
        these.
        """
        return {"own": s} | possible(
            {
                name: partial(with_reserve, s, objects, pages, self.at_boot.value)
                for name, objects, pages in (("none", 0, 0), ("pool", 1, 0), ("page", 0, 1))
            }
        )

    def work(self, ticket: Ticket, s: Scenario, pins: dict[str, Scenario]) -> None:
        """A quick search first, then one that may look as closely as it takes."""
        asked: dict[str, Any] = dict(
            target=self.target.value, of=self.of.value, at_boot=self.at_boot.value
        )
        options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in asked.items())
        self.rung_by_rung(
            ticket,
            s,
            pins,
            lambda rung: size(
                s,
                **asked,
                max_runs=runs_on_rung(rung),
                stop=ticket.stop,
                command=command_near("size", s, f"{options} --max-rung {rung}"),
                report=partial(self.step, ticket, lambda looks: looks / LOOKS),
            ),
        )

    def told_of(self, found: Sized) -> Shown:
        """The sizes that were tried."""
        return self.shows(
            found, chart_of_sizes(found), size_sentence(found), size_text(found), size_result(found)
        )
