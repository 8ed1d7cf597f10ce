# SPDX-License-Identifier: GPL-2.0-only
"""What runs in the browser: names for screen readers, keys, copying, the pointer on the picture;
and what the browser says of itself: its theme and its room.
"""

from importlib import resources

import anywidget
import traitlets

from krcsim.report import palette


def _text(name: str) -> str:
    """A file of this folder, with the colours of the palette."""
    text = resources.files("krcsim.widgets").joinpath(name).read_text(encoding="utf-8")
    for colour, value in palette.CSS.items():
        text = text.replace(f"{colour.upper()}_COLOUR", value)

    return text


class BrowserSide(anywidget.AnyWidget):
    """Stands in the same box as what it names.

    alt: the picture's text for who cannot see it. track: whether the pointer is followed; at: its
    place on the picture, 0 (left) to 1 (right). theme: "light" or "dark". room: width and height
    that a picture may have, pixels of CSS. ratio: pixels of the screen in one of CSS.
    takes_files: whether files may be dropped; they come as a message {"dropped": names, "size":
    bytes}, with their bytes.
    """

    _esm = _text("browser_side.js")
    _css = _text("browser_side.css")
    alt = traitlets.Unicode("").tag(sync=True)
    track = traitlets.Bool(False).tag(sync=True)
    at = traitlets.Float(-1.0).tag(sync=True)
    theme = traitlets.Unicode("light").tag(sync=True)
    room = traitlets.List(traitlets.Float(), []).tag(sync=True)
    takes_files = traitlets.Bool(False).tag(sync=True)
    ratio = traitlets.Float(1.0).tag(sync=True)
