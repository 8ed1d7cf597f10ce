# SPDX-License-Identifier: GPL-2.0-only
"""A picture that follows a slider: axes drawn once, lines and points blitted onto them."""
import io
from dataclasses import dataclass
from typing import Any
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from krcsim.estimate import Estimate
from krcsim.figures import FLOOR, STYLES, axes_of_bytes
SIZE = (570, 420)  # pixels; the widget is fixed to it, or the page would jump

@dataclass(frozen=True)
class Line:
    """One remedy in growing sizes: labels, bytes per CPU and estimates, in order."""
    name: str
    sizes: tuple[int, ...]
    bytes_at_full: tuple[float, ...]
    estimates: tuple[Estimate, ...]

@dataclass(frozen=True)
class Picture:
    """What a view shows: lines (possibly of the previous setting: `stale`), the setting, a note."""
    lines: tuple[Line, ...]
    here: tuple[float, Estimate]
    note: str
    stale: bool

def drawn(e: Estimate) -> float:
    """Where an estimate stands on the axis: its value, a bound, or nowhere."""
    y = e.hi if e.kind == "bound" else e.value
    return float("nan") if y is None else max(FLOOR, y)

class View:
    """A figure whose background is drawn once; limits stay, so that blitting is exact."""
    def __init__(self, names: tuple[str, ...]) -> None:
        self.fig = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100)
        self.canvas = FigureCanvasAgg(self.fig)
        ax = self.ax = self.fig.add_subplot()
        axes_of_bytes(ax)
        ax.set(xlim=(3.4e3, 6e4), ylim=(1e-7, 1.5))
        self.lines: list[dict[str, Any]] = []
        for name, (colour, marker, dash) in zip(names, STYLES, strict=False):
            looks: Any = dict(line=dict(marker=marker, ls=dash, ms=6, label=name), low=dict(lw=0.8), high=dict(lw=0.8),
                bound=dict(marker=marker, mfc="white", ls="none", ms=6))
            line = {part: ax.plot([], [], color=colour, **look)[0] for part, look in looks.items()}
            tags = [ax.text(0, 0, "", fontsize=7, color=colour, clip_on=True) for _ in range(12)]
            self.lines.append(line | dict(tags=tags))
        (self.here,) = ax.plot([], [], color="black", marker="*", ms=15, mfc="#F0E442", ls="none", label="your setting")
        (self.span,) = ax.plot([], [], color="black", lw=2)
        self.note = ax.text(0.01, 0.02, "", transform=ax.transAxes, fontsize=8)
        ax.legend(loc="upper right", fontsize=8, framealpha=0.9)
        self.fig.subplots_adjust(left=0.13, right=0.98, top=0.97, bottom=0.13)
        self.moving = [self.span, self.here, self.note]
        for d in self.lines:
            self.moving += [d["low"], d["high"], d["line"], d["bound"], *d["tags"]]
        for artist in self.moving:
            artist.set_animated(True)
        self.background: Any = None

    def png(self, p: Picture) -> bytes:
        """The picture as PNG bytes, quick rather than small."""
        if self.background is None:
            self.canvas.draw()
            self.background = self.canvas.copy_from_bbox(self.fig.bbox)
        self.canvas.restore_region(self.background)
        self._move(p)
        renderer = self.canvas.get_renderer()
        for artist in self.moving:
            artist.draw(renderer)
        out = io.BytesIO()
        pixels = np.asarray(self.canvas.buffer_rgba())[:, :, :3]
        Image.fromarray(np.ascontiguousarray(pixels)).save(out, "png", compress_level=1)
        return out.getvalue()

    def _move(self, p: Picture) -> None:
        for d, line in zip(self.lines, p.lines, strict=False):
            x = np.array(line.bytes_at_full)
            y = np.array([drawn(e) for e in line.estimates])
            low, high = np.array([(e.lo or np.nan, e.hi or np.nan) for e in line.estimates]).T
            seen = np.array([e.kind != "bound" for e in line.estimates])
            for part, at, there in (("line", y, seen), ("bound", y, ~seen), ("low", low, seen), ("high", high, seen)):
                d[part].set_data(x, np.where(there, at, np.nan))
                d[part].set_alpha(0.3 if p.stale else 1.0)
            for i, tag in enumerate(d["tags"]):
                shown = i < len(x) and np.isfinite(y[i]) and not p.stale
                tag.set_text(f" {line.sizes[i]}" if shown else "")
                if shown:
                    tag.set_position((x[i] * 1.02, y[i]))
        x_here, e = p.here
        self.here.set_data([x_here], [drawn(e)])
        ends = [FLOOR if e.kind == "bound" else e.lo, e.hi]
        self.span.set_data([x_here, x_here], [np.nan if v is None else max(FLOOR, v) for v in ends])
        self.note.set_text(p.note)

    def still(self, p: Picture) -> Figure:
        """A fresh figure of the same picture for export, nothing animated."""
        view = View(tuple(str(d["line"].get_label()) for d in self.lines))
        for artist in view.moving:
            artist.set_animated(False)
        view._move(p)
        return view.fig
