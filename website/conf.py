# SPDX-License-Identifier: GPL-2.0-only
"""How Sphinx builds the site; the names are Sphinx's, myst-nb's and furo's."""

import krcsim

project = "krcsim"
version = release = krcsim.__version__
language = "en"

extensions = ["myst_nb"]
# Notebooks were run before, with pictures where sliders would be (notebooks.py).
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # no page has a widget, and none asks another host
nb_merge_streams = True
nb_code_prompt_show, nb_code_prompt_hide = "Show the code", "Hide the code"
myst_enable_extensions: list[str] = []
myst_heading_anchors = 3  # links into a page, as on GitHub

highlight_language = "none"  # indented lines are commands and tables
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"

html_theme = "furo"
html_title = f"krcsim {version}"
html_favicon = "static/krcsim.svg"
html_static_path = ["static"]
html_css_files = ["krcsim.css"]
html_copy_source = html_show_sourcelink = False
html_show_copyright = False
