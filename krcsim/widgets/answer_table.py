# SPDX-License-Identifier: GPL-2.0-only
"""The numbers of an answer as HTML: estimates, and what each row is; or an episode's events."""

import html
from collections.abc import Iterable
from dataclasses import asdict, fields

from krcsim.base.tables import html_table
from krcsim.report.export import Answer
from krcsim.report.timeline import Episode, Event


def table_of(answer: Answer, words: str = "") -> str:
    """The table of an answer, with its words above; to be made in the worker's thread.

    words: HTML that says what was found.
    """
    above = f'<p class="krcsim-words">{words}</p>' if words else ""
    if answer.result is not None:
        return above + answer.result._repr_html_()
    if isinstance(answer.drawn, Episode):
        return above + events_table(answer.drawn.events)
    return f"{above}<pre>{html.escape(answer.text)}</pre>"


def events_table(events: Iterable[Event]) -> str:
    """The events of an episode, a row each."""
    rows = [[_cell(value) for value in asdict(event).values()] for event in events]
    return html_table([field.name for field in fields(Event)], rows)


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
