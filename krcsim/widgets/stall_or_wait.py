# SPDX-License-Identifier: GPL-2.0-only
"""Which is longer, a reclaim stall or the wait for a grace period, by how deep memory is taken?"""

from typing import Any

from krcsim.report.style import Picture, figure, plain

from matplotlib.axes import Axes

from krcsim.model.scenario import changed
from krcsim.model.scenario_file import load_scenario
from krcsim.report import palette
from krcsim.results.estimate import Estimate, ratio
from krcsim.runs.ladder import SEED
from krcsim.runs.replications import replicate

DEPTHS = {"nowait": "to the min mark", "atomic": "to 3/8 of it", "reserves": "all of it"}
LOOKS = {"stall": (palette.STALL, "reclaim stall"), "wait": (palette.WAIT, "grace-period wait")}
STEADY = 1  # the window after warm-up


def stall_and_wait_ms(hog: str, replications: int = 40, **fields: Any) -> dict[str, Estimate]:
    """Mean length in ms of a `stall` and of a `wait` in the exhausted guest.

    hog: how deep it takes free pages, one of DEPTHS. fields: other fields of the scenario that are
    changed.
    """
    scenario = changed(load_scenario("exhausted-guest"), **{"memory.hog": hog, **fields})
    runs = replicate(scenario, SEED, 0, replications)
    return {
        kind: ratio(runs.of(f"{kind}_ms", STEADY), runs.of(f"{kind}s", STEADY)) for kind in LOOKS
    }


def draw_stall_and_wait(axes: Axes, **fields: Any) -> dict[str, dict[str, Estimate]]:
    """Draw stall_and_wait_ms() for all depths with 95 % intervals; returns what is drawn, by
    depth.
    """
    found = {hog: stall_and_wait_ms(hog, **fields) for hog in DEPTHS}

    for shift, kind in zip((-0.08, 0.08), LOOKS, strict=True):
        for depth, hog in enumerate(DEPTHS):
            _draw_length(axes, depth + shift, found[hog][kind], kind)

    axes.set_xticks(range(len(DEPTHS)), [f"{hog}:\n{what}" for hog, what in DEPTHS.items()])
    axes.set_xlim(-0.5, len(DEPTHS) - 0.5)
    axes.set_ylim(0, None)
    axes.set_xlabel("how deep the hog takes free pages")
    axes.set_ylabel("mean length (ms)")
    axes.legend()
    return found


def _draw_length(axes: Axes, x: float, estimate: Estimate, kind: str) -> None:
    """One mean with its interval; a name only the first time, for the legend."""
    style, name = LOOKS[kind]

    if estimate.value is None or estimate.lo is None or estimate.hi is None:
        axes.text(x, 0.4, "none", **palette.no_value(style))
        return

    is_named = name in axes.get_legend_handles_labels()[1]
    axes.errorbar(
        [x],
        [estimate.value],
        yerr=[[estimate.value - estimate.lo], [estimate.hi - estimate.value]],
        **palette.mean_with_interval(style),
        label=None if is_named else name,
    )


@plain()
def stall_and_wait_picture(**fields: Any) -> Picture:
    """stall_and_wait_ms() for all depths as a picture; its `numbers` are what is drawn, by
    depth.
    """
    fig = figure(7, 4, layout="constrained")
    found = draw_stall_and_wait(fig.subplots(), **fields)
    return Picture(
        fig,
        "mean length of a reclaim stall and of a grace-period wait, by the depth of the hog",
        found,
    )
