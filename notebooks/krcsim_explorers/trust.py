# SPDX-License-Identifier: GPL-2.0-only
"""Can the rare answer be trusted: the exact chain beside what is simulated, on one CPU."""
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
from krcsim.result import words
from krcsim.scenario import Scenario, command_near
from krcsim.study import SEED
from krcsim_studies.beside import LARGEST, Beside, beside, chart_of_beside, result_of, text_of, verdict
from krcsim_studies.question import Finding

class Trust(Explorer):
    """P(wait) over the size of a pool, or of a list of pages: exact, by plain runs, and by forks."""
    name, first = "rare-and-exact", "small-world"
    shown = ("allocator.calm.head", "allocator.calm.page", "workload.rate_hz", "remedy.block_entries",
        "workload.single_share")
    found: Beside | None = None

    def __init__(self, folder: str | Path = "", preset: str = "", rungs: tuple[int, ...] = (0, 2, 5)) -> None:
        self.known: dict[Scenario, Finding] = {}
        super().__init__(folder, preset, rungs)

    def extras(self) -> list[Any]:
        """What grows, up to where, and the size that is told in words."""
        look: Any = dict(style=dict(description_width="12em"), layout=w.Layout(width="33em"))
        self.of = w.Dropdown(options=[("a pool of objects", "pool"), ("a list of pages", "pages")],
            description="What grows", **look)
        self.size = w.IntSlider(6, min=0, max=max(LARGEST.values()), description="Size told in words", **look)
        self.of.observe(self._moved, "value")
        self.size.observe(lambda _: self._told_size(), "value")
        return [self.of, self.size]

    def work(self, ticket: Ticket, s: Scenario, pins: dict[str, Scenario]) -> None:
        """All sizes with few replications, then with more; the exact answers are found once."""
        of, self.known = self.of.value, dict([*self.known.items()][-200:])
        for k, rung in enumerate(self.rungs or (0,)):
            command = command_near("ask", s, f"--sizes {LARGEST[of]} --of {of} --max-rung {rung}")
            self.looks = 0
            found = beside(s, of, rung=rung, stop=ticket.stop, known=self.known, command=command,
                told=partial(self.told, ticket, (k, len(self.rungs or (0,))), LARGEST[of]))
            self.tell(ticket, found)
            if k == 0:
                self.keep(ticket, s, pins)

    def told(self, ticket: Ticket, at: tuple[int, int], sizes: int, text: str) -> None:
        """Say which size is being asked."""
        self.looks += 1
        self.progress(ticket, min(0.95, (at[0] + self.looks / (sizes + 1)) / at[1]), text)

    def tell(self, ticket: Ticket, found: Beside) -> None:
        """Show what was found."""
        chart = chart_of_beside(found)
        key = (figures.limits(chart), tuple(line.name for line in chart.lines))
        png = self.view.png(key, partial(framed, chart=chart), partial(figures.draw, chart), found.command)
        answer = Answer(self.name, found.scenario, SEED, found.command, chart, text_of(found), result_of(found))
        out = Shown(answer, png, f"<b>{html.escape(verdict(found))}</b>",
            f"{chart.ylabel} over {chart.xlabel}. {verdict(found)}")
        ticket.show(self._show_found, (found, out))

    def _show_found(self, out: tuple[Beside, Shown]) -> None:
        self.found = out[0]
        self._show(out[1])
        self._told_size()

    def _told_size(self) -> None:
        """The three answers for the size under the slider."""
        if self.found is None or self.done is None:
            return
        b = self.found
        n = min(self.size.value, len(b.rows) - 1)
        said = (f"With {n} {'objects' if b.of == 'pool' else 'pages'}: exact {words(b.estimate('exact', n))}; forks "
            f"{words(b.estimate('rare', n))}; plain runs {words(b.estimate('skipping', n))}")
        self.value.value = f"{self.done.words}<br>{html.escape(said)}"
