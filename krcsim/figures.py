# SPDX-License-Identifier: GPL-2.0-only
"""Result in, axes out. Colours are Okabe and Ito's; line style and marker say the same again."""
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any
import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from krcsim.estimate import Estimate
from krcsim.files import write_whole
from krcsim.result import Cell, Result, scenario_of
STYLES = (("#0072B2", "o", "-"), ("#D55E00", "s", "--"), ("#009E73", "^", "-."), ("#CC79A7", "D", ":"),
    ("#E69F00", "v", (0, (5, 1))), ("#56B4E9", "P", (0, (3, 1, 1, 1))), ("#000000", "X", (0, (1, 1))))
SVG: Any = {"svg.hashsalt": "krcsim", "svg.fonttype": "none"}
FLOOR = 1e-9  # P(wait) below is drawn at the foot of the axis

def kib(x: float, _position: Any = None) -> str:
    """A number of bytes as a tick label in KiB."""
    return f"{x / 1024:g} KiB"

def draw_point(ax: Axes, x: float, e: Estimate, style: Any, label: str | None) -> list[Any]:
    """One estimate: a marker with its interval, or an arrow down from its bound."""
    colour, marker, _ = style
    y = e.hi if e.kind == "bound" else e.value
    if y is None:
        return []
    look: Any = dict(mfc="none") if e.kind == "bound" else dict(ms=7)
    look |= dict(marker=marker, color=colour, ls="none", label=label)
    artists: list[Any] = ax.plot([x], [y], **look)
    if e.kind == "bound":
        artists.append(ax.annotate("", (x, y / 4), (x, y),
            arrowprops=dict(arrowstyle="->", color=colour, linewidth=1.4)))
    elif e.lo is not None and e.hi is not None and e.hi > e.lo:
        artists += ax.plot([x, x], [e.lo, e.hi], color=colour, lw=1.6)
    return artists

def probability_over_bytes(result: Result, ax: Axes, window: str | None = None) -> list[Any]:
    """P(wait) per single-argument call over bytes per CPU at full, a style per remedy.

    Returns the artists. A bound is an open marker with an arrow down.
    """
    window = window or ("steady" if "steady" in result.windows() else "boot")
    styles: dict[Cell, Any] = {}
    seen: dict[tuple[float, float], int] = {}
    artists: list[Any] = []
    for p in result.points():
        e = result.get(p, "p_wait", window)
        x = result.get(p, "bytes_at_full", window).value or 1.0
        key = (x, round(e.value or e.hi or 0.0, 12))
        shift = seen.get(key, 0)  # equal points side by side, not on top of each other
        seen[key] = shift + 1
        label = None if p[0] in styles else str(p[0])
        style = styles.setdefault(p[0], STYLES[len(styles) % len(STYLES)])
        artists += draw_point(ax, x * 1.04**shift, e, style, label)
    axes_of_bytes(ax)
    ax.legend(frameon=False, ncols=2)
    return artists

def axes_of_bytes(ax: Axes) -> None:
    """Logarithmic axes: P(wait) over bytes per CPU."""
    ax.set(xscale="log", yscale="log", ylabel="P(wait) per single-argument call",
        xlabel="bytes per CPU at full, the page that plain code keeps included")
    ax.xaxis.set(major_locator=LogLocator(base=2), minor_locator=NullLocator(),
        major_formatter=FuncFormatter(kib), minor_formatter=NullFormatter())
    ax.grid(True, which="major", alpha=0.3)

def figure_of(result: Result, window: str | None = None) -> Figure:
    """A whole figure: the curve, the situation in the title, the command at the foot."""
    fig = Figure(figsize=(8, 4.8), dpi=100, layout="constrained")
    FigureCanvasAgg(fig)
    ax = fig.add_subplot()
    probability_over_bytes(result, ax, window)
    s = scenario_of(result)
    ax.set_title(f"{s.machine.cpus} CPUs, {s.workload.rate_hz:g} calls/s per CPU, "
        f"{s.workload.loop} loop\n{s.grace_period.origin(s.machine.hz, s.machine.cpus)}", fontsize=9)
    fig.text(0.01, -0.02, str(result.provenance["command"])[:150], fontsize=6, va="top")
    return fig

def picture(fig: Figure, kind: str, provenance: Mapping[str, Cell], dpi: int = 150) -> bytes:
    """A figure as png, svg or pdf bytes that carry their provenance; same input, same bytes."""
    text = "\n".join(f"{k}: {v}" for k, v in provenance.items())
    meta: dict[str, Any] = {"png": {"Description": text, "Software": "krcsim"},
        "svg": {"Description": text, "Date": None, "Creator": "krcsim"},
        "pdf": {"Subject": text, "Creator": "krcsim", "Producer": None, "CreationDate": None}}
    out = io.BytesIO()
    with matplotlib.rc_context(SVG):
        fig.savefig(out, format=kind, dpi=dpi, bbox_inches="tight", metadata={"Title": "krcsim"} | meta.get(kind, {}))
    return out.getvalue()

def save_figure(result: Result, path: Path, *, overwrite: bool = False) -> Path:
    """Draw a result into a .png, .svg or .pdf file."""
    carried = {key: str(result.provenance[key]) for key in ("command", "seed", "rungs", "versions", "scenario")}
    data = picture(figure_of(result), path.suffix[1:], carried)
    return write_whole(path, data, overwrite=overwrite)
