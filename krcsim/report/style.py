# SPDX-License-Identifier: GPL-2.0-only
"""Where figures are made and written: the same bytes whatever matplotlibrc, style sheet
or backend a person has; dark on light, or light on dark as in JupyterLab's dark theme.
"""

import io
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from krcsim.base.errors import KrcsimError, refuse
from krcsim.report.palette import THEMES

_log = logging.getLogger("matplotlib")
# it reads a person's matplotlibrc while it is imported; what it thinks of it is nothing
# to us
_log.disabled = True
try:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import to_rgba
    from matplotlib.figure import Figure
except (OSError, UnicodeDecodeError) as exc:
    raise KrcsimError(
        f"matplotlib cannot read your matplotlibrc ({exc}); save it as UTF-8 text, or move it away"
    ) from None
finally:
    _log.disabled = False

SVG: dict[str, Any] = {"svg.hashsalt": "krcsim", "svg.fonttype": "none"}
# How windows behave and where files are looked for: no picture depends on these.
NOT_DRAWN = (
    "backend",
    "interactive",
    "toolbar",
    "webagg.",
    "tk.",
    "docstring.",
    "figure.raise_window",
    "figure.max_open_warning",
    "savefig.directory",
    "timezone",
    "date.epoch",
)
SETTINGS: dict[str, Any] = {
    name: value
    for name, value in matplotlib.rcParamsDefault.items()
    if not name.startswith(NOT_DRAWN)
}
BACKENDS = {
    "png": "agg",
    "svg": "svg",
    "pdf": "pdf",
}  # who writes each kind; a person's own would write other bytes
_one_at_a_time = threading.RLock()  # the settings are matplotlib's, and so all threads'
_themes = ["light"]  # of the blocks that are in plain() now, the innermost last


@contextmanager
def plain(theme: str = "", more: Mapping[str, Any] | None = None) -> Iterator[None]:
    """matplotlib's defaults in a theme, and `more`, instead of a person's settings while a
    figure is made, drawn or written.

    theme: `light` or `dark`; without one that of the block around, or else `light`. Only
    settings that differ are touched, in most processes few; what another thread sets
    meanwhile is left to it.
    """
    refuse(
        theme not in ("", *THEMES),
        "theme",
        theme,
        " or ".join(THEMES),
        "leave it out for dark on light",
    )
    params: Any = matplotlib.rcParams
    with _one_at_a_time:
        _themes.append(theme or _themes[-1])
        ours = SETTINGS | THEMES[_themes[-1]] | dict(more or {})
        theirs = {name: params[name] for name, value in ours.items() if params[name] != value}
        try:
            params.update({name: ours[name] for name in theirs})
            yield
        finally:
            _themes.pop()
            params.update(
                {name: value for name, value in theirs.items() if params[name] == ours[name]}
            )


def theme_of(fig: Figure) -> str:
    """The theme in which a figure was made."""
    red, green, blue, _ = to_rgba(fig.get_facecolor())
    return "dark" if red + green + blue < 1.5 else "light"


def figure(width: float, height: float, dpi: float = 100, layout: str | None = None) -> Figure:
    """An empty figure, in inches; to be called within plain()."""
    fig = Figure(figsize=(width, height), dpi=dpi, layout=layout)  # type: ignore[arg-type]  # a Literal there
    FigureCanvasAgg(fig)
    return fig


def written(fig: Figure, kind: str, metadata: Mapping[str, Any] | None = None, **how: Any) -> bytes:
    """A figure as png, svg or pdf bytes, without the time of day; same figure, same
    bytes.
    """
    undated: dict[str, Any] = {
        "svg": {"Date": None},
        "pdf": {"CreationDate": None, "Producer": None},
    }
    out = io.BytesIO()
    with plain(theme_of(fig), SVG):
        fig.savefig(
            out,
            format=kind,
            backend=BACKENDS[kind],
            metadata={**undated.get(kind, {}), **(metadata or {})},
            **how,
        )
    return out.getvalue()


@dataclass(frozen=True)
class Picture:
    """A figure for a notebook, which shows it as an image under any backend; `numbers`
    are what is drawn.
    """

    figure: Figure
    said: str = ""
    numbers: Any = None

    def __repr__(self) -> str:
        return f"<Picture: {self.said}>"

    def _repr_png_(self) -> bytes:
        return written(self.figure, "png")
