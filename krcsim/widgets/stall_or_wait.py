# SPDX-License-Identifier: GPL-2.0-only
"""Which is longer, a reclaim stall or the wait for a grace period, by how deep memory is taken?"""

from textwrap import fill
from typing import Any

from krcsim.report.style import Picture, figure, plain

from matplotlib.axes import Axes

from krcsim.model.scenario import changed
from krcsim.model.scenario_file import load_scenario
from krcsim.report import palette
from krcsim.results.estimate import Estimate, ratio
from krcsim.results.held_against import apart_from
from krcsim.results.result import number
from krcsim.runs.ladder import SEED
from krcsim.runs.replications import replicate

# How deep the hog takes free pages: as the axis and as a sentence have it.
DEPTHS = {
    "nowait": ("to the NOWAIT mark", "memory is taken to the NOWAIT mark"),
    "atomic": ("to the ATOMIC mark", "memory is taken to the ATOMIC mark"),
    "reserves": ("reserves, too", "the reserves are gone, too"),
}
LOOKS = {"stall": (palette.STALL, "reclaim stall"), "wait": (palette.WAIT, "grace-period wait")}
STEADY = 1  # the window after warm-up
ROOM = 1.45  # the end of the axis, in parts of the longest bar


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

    for kind, shift in zip(LOOKS, (-0.2, 0.2), strict=True):
        for depth, hog in enumerate(DEPTHS):
            _draw_length(axes, depth + shift, found[hog][kind], kind)

    axes.set_yticks(range(len(DEPTHS)), [what for what, _ in DEPTHS.values()])
    axes.set_ylim(len(DEPTHS) - 0.45, -0.55)  # the deepest last
    axes.set_ylabel("how deep the hog takes free pages")
    axes.set_xlabel("mean length (ms)")
    axes.spines[["top", "right"]].set_visible(False)
    _leave_room(axes, found)
    return found


def _draw_length(axes: Axes, y: float, estimate: Estimate, kind: str) -> None:
    """One mean as a bar with its interval, and its name and number at the end."""
    style, name = LOOKS[kind]
    if estimate.value is None or estimate.lo is None or estimate.hi is None:
        axes.text(0.0, y, f"  no {name}", **palette.bar_label(style))
        return

    ends = [[estimate.value - estimate.lo], [estimate.hi - estimate.value]]
    axes.barh(y, estimate.value, xerr=ends, **palette.bar(style))
    axes.text(estimate.hi, y, f"  {name}: {number(estimate.value)} ms", **palette.bar_label(style))


def _leave_room(axes: Axes, found: dict[str, dict[str, Estimate]]) -> None:
    """Let the axis end far enough behind the longest bar that its name fits."""
    ends = [estimate.hi or 0.0 for lengths in found.values() for estimate in lengths.values()]
    axes.set_xlim(0.0, ROOM * max(ends, default=0.0) or 1.0)


def which_is_longer(found: dict[str, dict[str, Estimate]]) -> str:
    """Where a stall is proven to be longer than a wait, and where it is shorter, in a sentence."""
    places: dict[str, list[str]] = {"longer": [], "shorter": []}
    for hog, lengths in found.items():
        stall, wait = lengths["stall"], lengths["wait"]
        apart = apart_from(stall, wait)
        if apart is None or not (apart.is_less or apart.is_more):
            continue
        numbers = f"{number(stall.value or 0.0)} against {number(wait.value or 0.0)} ms"
        where = f"where {DEPTHS[hog][1]} ({numbers})"
        places["longer" if apart.is_more else "shorter"].append(where)

    longer, shorter = (" and ".join(where) for where in places.values())
    if not (longer or shorter):
        return "It is not proven whether a reclaim stall or the wait for a grace period is longer."
    first = "longer" if longer else "shorter"
    end = f", shorter {shorter}" if longer and shorter else ""
    return f"A reclaim stall is {first} than the wait for a grace period {longer or shorter}{end}."


@plain()
def stall_and_wait_picture(**fields: Any) -> Picture:
    """stall_and_wait_ms() for all depths as a picture, its finding above; its `numbers` are what is
    drawn, by depth.
    """
    fig = figure(8, 4.2, layout="constrained")
    axes = fig.subplots()
    found = draw_stall_and_wait(axes, **fields)
    finding = which_is_longer(found)
    fig.suptitle(fill(finding, 76), x=0.012, **palette.TITLE)
    return Picture(fig, finding, found)
