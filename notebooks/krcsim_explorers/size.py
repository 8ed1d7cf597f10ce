# SPDX-License-Identifier: GPL-2.0-only
"""How big must the reserve be: a target under a slider, and the sizes that were tried for it."""
import html
from functools import partial
from pathlib import Path
from typing import Any
import ipywidgets as w
from krcsim_explorers.explore import Explorer, Shown
from krcsim_explorers.latest import Ticket
from krcsim_explorers.questions import framed
from krcsim_report import figures
from krcsim_shell.export import Answer
from krcsim.scenario import Scenario, command_near
from krcsim.study import SEED
from krcsim_studies.pictures import chart_of_sizes
from krcsim_studies.size import Sized, size
from krcsim_studies.told import result_of, sentence, text_of
TARGETS = tuple(10.0**-k for k in range(1, 13))
LOOKS = 40  # of a search, more or less

class HowBig(Explorer):
    """The smallest pool, the fewest pages or the cheapest mix for a target, and all that was tried on the way."""
    name = "how-big"
    shown = ("remedy.head_alloc", "allocator.spell.page", "allocator.spell.head", "allocator.spell_ms",
        "allocator.calm_ms", "workload.rate_hz", "machine.cpus", "grace_period.mean_ms", "machine.hz",
        "workload.single_share")
    found: Sized | None = None

    def __init__(self, folder: str | Path = "", preset: str = "", rungs: tuple[int, ...] = (1, 10)) -> None:
        super().__init__(folder, preset, rungs)

    def extras(self) -> list[Any]:
        """The target, and what is to be small."""
        look: Any = dict(style=dict(description_width="9em"), layout=w.Layout(width="30em"))
        self.target = w.SelectionSlider(options=[(f"{t:.0e}".replace("e-0", "e-"), t) for t in TARGETS], value=1e-6,
            description="Target P(wait)", **look)
        self.of = w.Dropdown(options=[("smallest pool", "pool"), ("fewest pages", "pages"), ("cheapest mix", "mix")],
            description="Look for the", **look)
        self.at_boot = w.Dropdown(options=[("as in the scenario", "own"), ("empty", "empty"), ("full", "full")],
            value="full", description="At boot it is", **look)
        for control in (self.target, self.of, self.at_boot):
            control.observe(self._moved, "value")
        return [self.target, self.of, self.at_boot]

    def work(self, ticket: Ticket, s: Scenario, pins: dict[str, Scenario]) -> None:
        """A quick search first, then one that may look as closely as it takes."""
        asked: dict[str, Any] = dict(target=self.target.value, of=self.of.value, at_boot=self.at_boot.value)
        options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in asked.items())
        for rung in self.rungs or (0,):
            command = command_near("size", s, f"{options} --max-rung {rung}")
            self.looks = 0
            found = size(s, **asked, max_rung=rung, stop=ticket.stop, command=command,
                told=partial(self.told, ticket))
            self.tell(ticket, found)
            if rung == (self.rungs or (0,))[0]:
                self.keep(ticket, s, pins)

    def told(self, ticket: Ticket, text: str) -> None:
        """Say which size is being looked at."""
        self.looks += 1
        self.progress(ticket, min(0.95, self.looks / LOOKS), text)

    def tell(self, ticket: Ticket, found: Sized) -> None:
        """Show what was found."""
        chart, said = chart_of_sizes(found), sentence(found)
        key = (figures.limits(chart), tuple(line.name for line in chart.lines))
        png = self.view.png(key, partial(framed, chart=chart), partial(figures.draw, chart), found.command)
        answer = Answer(self.name, found.scenario, SEED, found.command, chart, text_of(found), result_of(found))
        out = Shown(answer, png, f"<b>{html.escape(said)}</b>", f"{chart.ylabel} over {chart.xlabel}. {said}")
        ticket.show(self._show_found, (found, out))

    def _show_found(self, out: tuple[Sized, Shown]) -> None:
        self.found = out[0]
        self._show(out[1])
