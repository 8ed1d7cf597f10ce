# SPDX-License-Identifier: GPL-2.0-only
"""A picture that follows a slider: what stays is drawn once, what moves is blitted onto it."""
import io
from collections.abc import Callable
from typing import Any
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin
RIGHT = 0.985  # where the axes end, in parts of the width
SIZE = (570, 420)  # pixels; the widget is fixed to it, or the page would jump

class View:
    """One canvas of one thread; the limits of its axes stay while `key` does, so that blitting is exact."""
    def __init__(self) -> None:
        self._key: Any = None

    def png(self, key: Any, frame: Callable[[Axes], Any], draw: Callable[[Axes], list[Any]], stamp: str = "") -> bytes:
        """PNG bytes, quick rather than small: what frame() drew for an equal `key`, and draw()'s artists on it.

        `stamp` goes into the file's text, so that whoever sees the picture can tell what it shows.
        """
        if key != self._key:
            self._fig = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100)
            self._canvas = FigureCanvasAgg(self._fig)
            self._fig.subplots_adjust(left=0.13, right=RIGHT, top=0.975, bottom=0.125)
            self._ax = self._fig.add_subplot()
            frame(self._ax)
            self._canvas.draw()
            self._background: Any = self._canvas.copy_from_bbox(self._fig.bbox)
            self._key = key
        self._canvas.restore_region(self._background)
        renderer = self._canvas.get_renderer()
        for artist in draw(self._ax):
            artist.draw(renderer)
            artist.remove()
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", stamp)
        out = io.BytesIO()
        pixels = np.asarray(self._canvas.buffer_rgba())[:, :, :3]
        Image.fromarray(np.ascontiguousarray(pixels)).save(out, "png", compress_level=1, pnginfo=text)
        return out.getvalue()
