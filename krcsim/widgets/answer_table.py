# SPDX-License-Identifier: GPL-2.0-only
"""The numbers of an answer as HTML: estimates, and what each row is; or an episode's events."""

import html

from krcsim.base.tables import html_table
from krcsim.report.episode import Episode
from krcsim.report.event_sentences import sentence
from krcsim.report.export import Answer


def table_of(answer: Answer, words: str = "") -> str:
    """The table of an answer, with its words above; to be made in the worker's thread.

    words: HTML that says what was found.
    """
    above = f'<p class="krcsim-words">{words}</p>' if words else ""
    if answer.result is not None:
        return above + answer.result._repr_html_()
    if isinstance(answer.drawn, Episode):
        return above + events_table(answer.drawn)
    return f"{above}<pre>{html.escape(answer.text)}</pre>"


def events_table(episode: Episode) -> str:
    """The events of an episode in sentences, and what the CPU held after each, a row each."""
    head = [
        "ms since it began",
        "what happened",
        "cached pages",
        "pool",
        "in blocks",
        "on the list",
    ]
    rows = []
    for number, event in enumerate(episode.events):
        counts = (event.cached, event.nr_emergency, event.in_blocks, event.listed)
        held = [f"{count:,}" if event.cpu >= 0 else "" for count in counts]
        when = f"{event.ms - episode.begin_ms:,.3f}"
        rows.append([when, sentence(episode, number), *held])
    return html_table(head, rows)
