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
DOTS_PER_INCH = 100
FRAMES_KEPT = 6  # limits go back and forth between an old curve, a new point and a new curve
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def encoded(pixels: Any, stamp: str) -> bytes:
    """Pixels [row, column, colour] as PNG, with the stamp as its comment.

    Rows are not filtered: the search for filters would take three times as long.
    """
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + pixels[0].size), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    comment = b"Comment\0" + stamp.encode("latin-1", "replace")
    chunks = (
        _chunk(b"IHDR", size),
        _chunk(b"tEXt", comment),
        _chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)),
        _chunk(b"IEND", b""),
    )
    return PNG_MAGIC + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


class LivePicture:
    """Pictures of one thread; axes of equal `key` have equal limits, so that blitting is exact.

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
            canvas, axes, background = self._frame_of(key, frame)
            canvas.restore_region(background)
            renderer = canvas.get_renderer()
            for artist in draw(axes):
                artist.draw(renderer)
                artist.remove()

        return encoded(np.asarray(canvas.buffer_rgba())[:, :, :3], stamp)

    def _frame_of(
        self, key: Any, frame: Callable[[Axes], Any]
    ) -> tuple[FigureCanvasAgg, Axes, Any]:
        """The frame for a key, which becomes the last that is given up."""
        found = self._frames.pop(key) if key in self._frames else self._make_frame(frame)

        newest = list(self._frames.items())[1 - FRAMES_KEPT :]
        self._frames = dict(newest) | {key: found}
        return found

    def _make_frame(self, frame: Callable[[Axes], Any]) -> tuple[FigureCanvasAgg, Axes, Any]:
        width, height = SIZE
        inches = (width / DOTS_PER_INCH, height / DOTS_PER_INCH)
        figure = Figure(figsize=inches, dpi=DOTS_PER_INCH)
        canvas = FigureCanvasAgg(figure)
        figure.subplots_adjust(left=0.13, right=RIGHT, top=0.975, bottom=0.125)

        axes = figure.add_subplot()
        frame(axes)
        canvas.draw()
        return canvas, axes, canvas.copy_from_bbox(figure.bbox)
