# SPDX-License-Identifier: GPL-2.0-only
"""What kind of pressure decides: a hog's depth under sliders, and which is longer, a stall or a
wait.
"""

import html
from dataclasses import replace
from typing import Any

from krcsim.report.style import Picture, figure, plain

from matplotlib.axes import Axes

from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario
from krcsim.report import palette
from krcsim.results.estimate import Estimate, ratio
from krcsim.results.result import Result, words
from krcsim.runs.ladder import SEED
from krcsim.runs.replications import Replications, replicate
from krcsim.widgets.explorer import PRESETS
from krcsim.widgets.questions import Compared

DEPTHS = {"nowait": "to the min mark", "atomic": "to 3/8 of it", "reserves": "all of it"}
_LOOKS = {"stall": (palette.STALL, "reclaim stall"), "wait": (palette.WAIT, "grace-period wait")}


class Pressure(Compared):
    """P(wait) over bytes under a hog of chosen depth; without one, failures are drawn as the
    scenario says.
    """

    name, names = "pressure", "curve"
    presets = {"Exhausted guest": "exhausted-guest", **PRESETS}
    shown = (
        "memory.hog",
        "memory.deferred_counts",
        "remedy.head_alloc",
        "remedy.nr_emergency_objs",
        "remedy.nr_bkv_objs",
        "remedy.cache_at_boot",
        "allocator.episode.page",
        "allocator.episode.head",
        "workload.rate_hz",
    )

    @property
    def scenario(self) -> Scenario:
        """What the controls stand for: a hog may be taken away, which memory as pages would
        refuse.
        """
        self.base = replace(self.base, memory=replace(self.base.memory, pressure="injected"))
        return super().scenario

    def fitted(self, s: Scenario) -> Scenario:
        """Pages run out where there is a hog, else failures are drawn."""
        kind = "injected" if s.memory.hog == "none" else "pages"
        return replace(s, memory=replace(s.memory, pressure=kind))

    def useless(self, s: Scenario) -> dict[str, str]:
        """Not so the hog: with one, free pages decide, and without one failures are drawn."""
        return {path: reason for path, reason in super().useless(s).items() if path != "memory.hog"}

    def said(self, result: Result, s: Scenario) -> str:
        """The own setting in words, with the time in stalls and in waits (HTML)."""
        w = result.windows()[-1]
        stalled, blocked = (
            html.escape(words(result.get("own", q, w))) for q in ("stalled", "blocked")
        )
        return (
            f"{super().said(result, s)}; in reclaim: <b>{stalled}</b> of the time, waiting: "
            f"<b>{blocked}</b>"
        )


def deeper(hog: str, **fields: Any) -> Scenario:
    """The exhausted guest with a hog of another depth."""
    return changed(load_scenario("exhausted-guest"), **{"memory.hog": hog, **fields})


def lengths(hog: str, replications: int = 40, **fields: Any) -> dict[str, Estimate]:
    """Mean length in ms of a stall and of a wait in the exhausted guest, with a hog of that
    depth.
    """
    runs: Replications = replicate(deeper(hog, **fields), SEED, 0, replications)
    return {kind: ratio(runs.of(f"{kind}_ms", 1), runs.of(f"{kind}s", 1)) for kind in _LOOKS}


def draw_lengths(ax: Axes, **fields: Any) -> dict[str, dict[str, Estimate]]:
    """Draw lengths() for all depths with 95 % intervals; returns what is drawn, by depth."""
    found = {hog: lengths(hog, **fields) for hog in DEPTHS}
    for shift, (kind, (style, name)) in zip((-0.08, 0.08), _LOOKS.items(), strict=True):
        for k, hog in enumerate(DEPTHS):
            e = found[hog][kind]
            if e.value is None or e.lo is None or e.hi is None:
                ax.text(k + shift, 0.4, "none", **palette.no_value(style))
            else:
                ax.errorbar(
                    [k + shift],
                    [e.value],
                    yerr=[[e.value - e.lo], [e.hi - e.value]],
                    **palette.mean_with_interval(style),
                    label=None if name in ax.get_legend_handles_labels()[1] else name,
                )
    ax.set_xticks(range(len(DEPTHS)), [f"{hog}:\n{what}" for hog, what in DEPTHS.items()])
    ax.set_xlim(-0.5, len(DEPTHS) - 0.5)
    ax.set_ylim(0, None)
    ax.set_xlabel("how deep the hog takes free pages")
    ax.set_ylabel("mean length (ms)")
    ax.legend()
    return found


@plain()
def lengths_drawn(**fields: Any) -> Picture:
    """lengths() for all depths as a picture; its `numbers` are what is drawn, by depth."""
    fig = figure(7, 4, layout="constrained")
    found = draw_lengths(fig.subplots(), **fields)
    return Picture(
        fig,
        "mean length of a reclaim stall and of a grace-period wait, by the depth of the hog",
        found,
    )
