# SPDX-License-Identifier: GPL-2.0-only
"""A picture that follows a slider: what stays is drawn once, what moves is blitted onto it."""

import struct
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

RIGHT = 0.985  # where the axes end, in parts of the width
SIZE = (570, 420)  # pixels; the widget is fixed to it, or the page would jump
KEPT = 6  # frames: limits go back and forth between an old curve, a new point and a new curve


def encoded(pixels: Any, stamp: str) -> bytes:
    """Pixels [row, column, colour] as PNG: unfiltered rows, a third of the time that a search for
    filters takes.
    """

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = np.zeros((len(pixels), 1 + pixels[0].size), np.uint8)
    rows[:, 1:] = pixels.reshape(len(pixels), -1)
    size = struct.pack(">IIBBBBB", pixels.shape[1], len(pixels), 8, 2, 0, 0, 0)
    text = b"Comment\0" + stamp.encode("latin-1", "replace")
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"tEXt", text)
        + chunk(b"IDAT", zlib.compress(rows.tobytes(), 1))
        + chunk(b"IEND", b"")
    )


class View:
    """Pictures of one thread; the limits of axes are those of their `key`, so that blitting is
    exact.

    All that is drawn is drawn within `style`, whatever settings a person has for figures of their
    own.
    """

    def __init__(self, style: Callable[[], AbstractContextManager[Any]] = nullcontext) -> None:
        self.style = style
        self._frames: dict[Any, tuple[FigureCanvasAgg, Axes, Any]] = {}

    def png(
        self,
        key: Any,
        frame: Callable[[Axes], Any],
        draw: Callable[[Axes], list[Any]],
        stamp: str = "",
    ) -> bytes:
        """PNG bytes, quick rather than small: what frame() drew for an equal `key`, and draw()'s
        artists on it.

        `stamp` goes into the file's text, so that whoever sees the picture can tell what it shows.
        """
        with self.style():
            canvas, ax, background = (
                self._frames.pop(key) if key in self._frames else self._framed(frame)
            )
            self._frames = dict([*self._frames.items()][1 - KEPT :]) | {
                key: (canvas, ax, background)
            }
            canvas.restore_region(background)
            renderer = canvas.get_renderer()
            for artist in draw(ax):
                artist.draw(renderer)
                artist.remove()
        return encoded(np.asarray(canvas.buffer_rgba())[:, :, :3], stamp)

    def _framed(self, frame: Callable[[Axes], Any]) -> tuple[FigureCanvasAgg, Axes, Any]:
        fig = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100)
        canvas = FigureCanvasAgg(fig)
        fig.subplots_adjust(left=0.13, right=RIGHT, top=0.975, bottom=0.125)
        ax = fig.add_subplot()
        frame(ax)
        canvas.draw()
        return canvas, ax, canvas.copy_from_bbox(fig.bbox)
