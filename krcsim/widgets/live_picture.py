# SPDX-License-Identifier: GPL-2.0-only
"""A picture that follows a slider: what stays is drawn once, what moves is blitted onto it."""

import struct
import threading
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

RIGHT = 0.985  # where the axes end, in parts of the width
DOTS_PER_INCH = 100  # of CSS
BELOW_KEPT = 3  # of the things that are drawn once below what moves
FRAMES_KEPT = 6  # limits go back and forth between an old curve, a new point and a new curve
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Until there is a picture; a browser would show a broken one. Nothing to be seen, in the shape of a
# picture, so that the line of progress below it stays on the screen.
NO_PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000001d000000100806000000ea0d74d10000001749"
    "44415478da63601805a360148c8251300a4601a50000075000019316c9590000000049454e44"
    "ae426082"
)


@dataclass(frozen=True)
class Look:
    """How a picture is drawn.

    theme: "light" or "dark". width, height: pixels of CSS. density: pixels of the picture in one of
    CSS, 1 or 2.
    """

    theme: str = "light"
    width: int = 560
    height: int = 340
    density: int = 1


@dataclass(frozen=True)
class Drawing:
    """A picture as PNG, the look that it was drawn with, and how to draw it with that of now."""

    png: bytes
    look: Look
    again: Callable[[], "Drawing"]


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


@dataclass(frozen=True)
class Below:
    """What is drawn once on a frame, below what moves: `draw` returns equal artists for an equal
    `key` on an equal frame.
    """

    key: Any
    draw: Callable[[Axes], list[Any]]


class LivePicture:
    """Pictures that share what stays; axes of equal `key` have equal limits, so blitting is exact.

    look: theme and size of all that is drawn from now on. All is drawn within style(theme),
    whatever settings a person has for figures of their own. A worker's thread and the event loop
    may both draw: one waits for the other.
    """

    def __init__(
        self, style: Callable[[str], AbstractContextManager[Any]] = lambda _theme: nullcontext()
    ) -> None:
        self.style = style
        self.look = Look()
        self._frames: dict[Any, tuple[FigureCanvasAgg, Axes, Any]] = {}
        self._below: dict[Any, Any] = {}
        self._drawing = threading.Lock()

    def drawing(
        self,
        key: Any,
        frame: Callable[[Axes], Any],
        draw: Callable[[Axes], list[Any]],
        stamp: str = "",
        below: Below | None = None,
    ) -> Drawing:
        """What frame() drew for an equal `key`, and on it what is `below`, with draw()'s artists on
        top; quick, not small.

        `stamp` goes into the file's text, so that whoever sees the picture can tell what it shows.
        """
        look = self.look
        with self._drawing, self.style(look.theme):
            canvas, axes, background = self._frame_of((look, key), frame)
            if below is not None:
                background = self._with_below((look, key), canvas, axes, background, below)
            pixels = np.array(_drawn_on(canvas, axes, background, draw))[:, :, :3]

        png = encoded(pixels, stamp)
        return Drawing(png, look, partial(self.drawing, key, frame, draw, stamp, below))

    def keep_below(self, key: Any, frame: Callable[[Axes], Any], below: Below) -> None:
        """Draw ahead of time what drawing() will need for `key` and `below`."""
        look = self.look
        with self._drawing, self.style(look.theme):
            self._with_below((look, key), *self._frame_of((look, key), frame), below)

    def _with_below(
        self,
        key: tuple[Look, Any],
        canvas: FigureCanvasAgg,
        axes: Axes,
        background: Any,
        below: Below,
    ) -> Any:
        """The background with what is below what moves."""
        place = (key, below.key)
        found = self._below.pop(place, None)
        if found is None:
            _drawn_on(canvas, axes, background, below.draw)
            found = canvas.copy_from_bbox(canvas.figure.bbox)

        self._below = dict(list(self._below.items())[1 - BELOW_KEPT :]) | {place: found}
        return found

    def _frame_of(
        self, key: tuple[Look, Any], frame: Callable[[Axes], Any]
    ) -> tuple[FigureCanvasAgg, Axes, Any]:
        """The frame for a key, which becomes the last that is given up."""
        found = self._frames.pop(key) if key in self._frames else _make_frame(key[0], frame)

        newest = list(self._frames.items())[1 - FRAMES_KEPT :]
        self._frames = dict(newest) | {key: found}
        return found


def _drawn_on(
    canvas: FigureCanvasAgg, axes: Axes, background: Any, draw: Callable[[Axes], list[Any]]
) -> Any:
    """The pixels of a background with draw()'s artists on it, which the canvas may change later."""
    canvas.restore_region(background)
    renderer = canvas.get_renderer()
    for artist in draw(axes):
        artist.draw(renderer)
        artist.remove()
    return canvas.buffer_rgba()


def _make_frame(look: Look, frame: Callable[[Axes], Any]) -> tuple[FigureCanvasAgg, Axes, Any]:
    inches = (look.width / DOTS_PER_INCH, look.height / DOTS_PER_INCH)
    figure = Figure(figsize=inches, dpi=DOTS_PER_INCH * look.density)
    canvas = FigureCanvasAgg(figure)
    figure.subplots_adjust(
        left=72 / look.width, right=RIGHT, top=1 - 10 / look.height, bottom=46 / look.height
    )

    axes = figure.add_subplot()
    frame(axes)
    canvas.draw()
    return canvas, axes, canvas.copy_from_bbox(figure.bbox)
