# SPDX-License-Identifier: GPL-2.0-only
"""Below the picture, to read and to take along: table, mail, shell command, Python; where to
export.
"""

import html
from typing import Any

import ipywidgets

from krcsim.widgets.controls import make_buttons
from krcsim.widgets.shown import Shown

RESOLUTIONS = (100, 150, 200, 300)  # dots per inch of an exported PNG


class AnswerTabs:
    """Tabs with the last answer, each with a button that copies it.

    into, dpi: the folder that files are exported into, and the resolution of a PNG.
    """

    def __init__(self) -> None:
        self.table = ipywidgets.HTML("").add_class("krcsim-text").add_class("krcsim-table")
        self.table.add_class("jp-RenderedHTMLCommon")  # as JupyterLab shows tables
        self.mail = ipywidgets.Textarea(rows=24, description="Mail").add_class("krcsim-text")
        self.shell = ipywidgets.HTML("").add_class("krcsim-text").add_class("krcsim-shell")
        self.python = ipywidgets.HTML("").add_class("krcsim-text").add_class("krcsim-python")
        look: Any = dict(style=dict(description_width="8em"), layout=dict(width="25em"))
        self.into = ipywidgets.Text(value="krcsim-export", description="Folder", **look)
        self.dpi = ipywidgets.Dropdown(
            options=[(f"{dpi} dpi", dpi) for dpi in RESOLUTIONS],
            value=150,
            description="PNG resolution",
            **look,
        )
        self.copied = {
            "Table": self.table,
            "Mail": self.mail,
            "Shell command": self.shell,
            "Python": self.python,
        }
        pages = [_with_copy(name, text) for name, text in self.copied.items()]
        self.widget = ipywidgets.Tab(
            [*pages, ipywidgets.VBox([self.into, self.dpi])],
            titles=(*self.copied, "Export into"),
        ).add_class("krcsim-answers")

    def show(self, shown: Shown) -> None:
        """Fill all tabs with an answer."""
        self.table.value = shown.table
        self.mail.value = shown.answer.text
        self.shell.value = _code(shown.answer.command)
        self.python.value = _code(shown.python)


def _with_copy(name: str, text: Any) -> Any:
    """A text below the button that copies it; the browser says beside it how that went."""
    button = make_buttons([("Copy", f"Copy: {name.lower()}")])["Copy"].add_class("krcsim-copy")
    said = ipywidgets.HTML("").add_class("krcsim-copied")
    return ipywidgets.VBox([ipywidgets.HBox([button, said]), text])


def _code(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"
