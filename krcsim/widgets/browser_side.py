# SPDX-License-Identifier: GPL-2.0-only
"""What runs in the browser: names for screen readers, keys, and the pointer on the picture."""

from pathlib import Path

import anywidget
import traitlets

from krcsim.report import palette


def _script() -> str:
    """The script of the browser, with the colours of the palette."""
    text = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    for name, colour in palette.CSS.items():
        text = text.replace(f"{name.upper()}_COLOUR", colour)

    return text


class BrowserSide(anywidget.AnyWidget):
    """Stands in the same box as what it names.

    alt: the picture's text for who cannot see it. track: whether the pointer is followed; at: its
    place on the picture, 0 (left) to 1 (right).
    """

    _esm = _script()
    alt = traitlets.Unicode("").tag(sync=True)
    track = traitlets.Bool(False).tag(sync=True)
    at = traitlets.Float(-1.0).tag(sync=True)
