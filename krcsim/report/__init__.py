# SPDX-License-Identifier: GPL-2.0-only
"""How a result is shown: charts, figures, replies in plain text, and the story of one
episode.
"""
