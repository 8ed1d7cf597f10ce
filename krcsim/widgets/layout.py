# SPDX-License-Identifier: GPL-2.0-only
"""Where everything stands in an explorer; sizes and colours are in browser_side.css."""

from typing import TYPE_CHECKING, Any

import ipywidgets

if TYPE_CHECKING:
    from krcsim.widgets.explorer import Explorer


def arranged(explorer: "Explorer") -> Any:
    """All widgets of an explorer as one, so that what matters is on a laptop's first screen.

    From the top: a row of actions; the verdict; the controls beside the picture with its progress;
    the answer to take along.
    """
    texts = ["Reset", *["Pin", "Unpin"] * bool(explorer.pins_at_most), "Export"]
    actions = [explorer.preset, explorer.file, *(explorer.buttons[text] for text in texts)]

    extras = explorer.extras()
    beside, below = ([], extras) if explorer.extras_below else (extras, [])
    left = [*beside, explorer.tabs, explorer.why, explorer.without]
    right = [explorer.image, explorer.progress.widget, explorer.note, *below]

    widget = ipywidgets.VBox(
        [
            explorer.browser_side,
            ipywidgets.HBox(actions).add_class("krcsim-actions"),
            explorer.value,
            ipywidgets.Box(
                [
                    ipywidgets.VBox(left).add_class("krcsim-left"),
                    ipywidgets.VBox(right).add_class("krcsim-right"),
                ]
            ).add_class("krcsim-columns"),
            explorer.answers.widget,
        ]
    )
    return widget.add_class("krcsim-explorer")
