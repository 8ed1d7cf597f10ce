# SPDX-License-Identifier: GPL-2.0-only
"""Can the rare answer be trusted: the exact chain beside what is simulated, on one CPU."""

import html
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as w

from krcsim.base.old_names import runs_on_rung
from krcsim.methods.finding import Finding
from krcsim.methods.table import METHODS
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near
from krcsim.results.result import words
from krcsim.studies.all_methods import COMPARED, LARGEST, AllMethods, by_all_methods
from krcsim.studies.all_methods_report import (
    all_methods_result,
    all_methods_text,
    chart_of_all_methods,
    verdict,
)
from krcsim.studies.reserves import with_reserve
from krcsim.widgets.explorer import PRESETS, Shown, possible
from krcsim.widgets.latest import Ticket
from krcsim.widgets.questions import Found


class Trust(Found):
    """P(wait) over the size of a pool, or of a list of pages: exact, by plain runs, and by
    forks.
    """

    name = "rare-and-exact"
    presets = {"Small world, 1 CPU": "small-world", **PRESETS}
    shown = (
        "allocator.calm.head",
        "allocator.calm.page",
        "workload.rate_hz",
        "remedy.block_entries",
        "workload.single_share",
    )

    def __init__(
        self, folder: str | Path = "", preset: str = "", rungs: tuple[int, ...] = (0, 2, 5)
    ) -> None:
        self.known: dict[Scenario, Finding] = {}
        super().__init__(folder, preset, rungs)

    def extras(self) -> list[Any]:
        """What grows, up to where, and the size that is told in words."""
        look: Any = dict(style=dict(description_width="12em"), layout=w.Layout(width="33em"))
        self.of = w.Dropdown(
            options=[("a pool of objects", "pool"), ("a list of pages", "pages")],
            description="What grows",
            **look,
        )
        self.size = w.IntSlider(
            6, min=0, max=max(LARGEST.values()), description="Size told in words", **look
        )
        self.of.observe(self._moved, "value")
        self.size.observe(lambda _: self._told_size(), "value")
        return [self.of, self.size]

    def worlds(self, s: Scenario) -> dict[str, Scenario]:
        """Without a reserve, and with the smallest of the kind that grows."""
        one = (1, 0) if self.of.value == "pool" else (0, 1)
        return {"own": s} | possible(
            {"none": partial(with_reserve, s, 0, 0), "one": partial(with_reserve, s, *one)}
        )

    def work(self, ticket: Ticket, s: Scenario, pins: dict[str, Scenario]) -> None:
        """All sizes with few replications, then with more; the exact answers are found once."""
        of, self.known = self.of.value, dict([*self.known.items()][-200:])
        largest, runs = LARGEST[of], [*map(runs_on_rung, self.rungs or (0,))]

        def share(rung: int, looks: int) -> float:
            there = runs_on_rung(rung)
            return (sum(n for n in runs if n < there) + there * (looks - 1) / (largest + 1)) / sum(
                runs
            )

        self.rung_by_rung(
            ticket,
            s,
            pins,
            lambda rung: by_all_methods(
                s,
                of,
                max_runs=runs_on_rung(rung),
                stop=ticket.stop,
                known=self.known,
                command=command_near("ask", s, f"--sizes {largest} --of {of} --max-rung {rung}"),
                report=partial(self.step, ticket, partial(share, rung)),
            ),
        )

    def told_of(self, found: AllMethods) -> Shown:
        """All methods beside each other."""
        return self.shows(
            found,
            chart_of_all_methods(found),
            verdict(found),
            all_methods_text(found),
            all_methods_result(found),
        )

    def _show(self, out: Shown) -> None:
        super()._show(out)
        self._told_size()

    def _told_size(self) -> None:
        """The three answers for the size under the slider."""
        b: AllMethods | None = self.found
        if b is None or self.done is None:
            return
        n = min(self.size.value, len(b.rows) - 1)
        grows = f"{'object' if b.of == 'pool' else 'page'}{'s' * (n != 1)}"
        more = f" (sizes above {n} are left out: too rare)" if self.size.value > n else ""
        said = "; ".join(
            f"{METHODS[method].LABEL} {words(b.estimate(method, n))}" for method in COMPARED
        )
        self.value.value = f"{self.done.words}<br>{html.escape(f'With {n} {grows}: {said}{more}')}"
