# SPDX-License-Identifier: GPL-2.0-only
"""The notebooks, executed, and the documents as static pages: `make site`.

The way of a page: pages.py copies the documents, notebooks.py runs the notebooks with stills.py
where sliders would be, Sphinx (conf.py) makes HTML of both, and links.py looks at the result.
"""
