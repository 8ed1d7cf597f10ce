# SPDX-License-Identifier: GPL-2.0-only
"""What is told of a result: charts, figures, replies in plain text, and the story of one
episode.
"""
