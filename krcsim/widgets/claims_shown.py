# SPDX-License-Identifier: GPL-2.0-only
"""The claims of the thread as a table; one of them with its numbers, command and sliders."""

import html
from pathlib import Path
from typing import Any

from krcsim.report.style import plain

import ipywidgets

from krcsim.base.errors import KrcsimError
from krcsim.base.tables import html_table
from krcsim.claims.answers import answered
from krcsim.claims.claim import Claim, read_claims
from krcsim.claims.decide import FAILS, HOLDS, HOLDS_WHEN, UNDECIDED
from krcsim.claims.kept import is_current, read_kept
from krcsim.claims.page import number_rows
from krcsim.claims.picture import picture_of_claim
from krcsim.claims.reply import claim_text
from krcsim.claims.words import (
    Decided,
    decided,
    measured_words,
    recordings,
    short_words,
    verdict_words,
    who_words,
)
from krcsim.model.scenario_file import toml_text
from krcsim.report import palette
from krcsim.runs.replications import Stopped
from krcsim.runs.waiting import announced_to
from krcsim.widgets.browser_side import BrowserSide
from krcsim.widgets.latest import Latest, Ticket
from krcsim.widgets.pool_or_pages import PoolOrPages

# A colour beside the word, never instead of it.
COLOURS = {
    HOLDS: palette.BLUE,
    HOLDS_WHEN: palette.ORANGE,
    FAILS: palette.VERMILION,
    UNDECIDED: palette.GREY,
}


FOLDER = "krcsim-claims"  # next to the notebook: scenarios, settings and exports of claims
WIDE = "line-height:1.4;max-width:60em"


class ClaimsShown:
    """The table of all claims over one of them, chosen by its number.

    All numbers are those that were kept; *Compute again* takes seconds to minutes and shows whether
    they come out again. number: the claim to begin with.
    """

    def __init__(self, number: str = "Q1") -> None:
        self.table = read_claims()
        self.found = {
            claim.number: decided(claim, read_kept().get(claim.number, ()))
            for claim in self.table.claims
        }
        self.explorer: PoolOrPages | None = None

        first = self.table.named(number)
        options = [(f"{claim.number}  {claim.title}", claim.number) for claim in self.table.claims]
        self.which = ipywidgets.Dropdown(
            options=options,
            value=first.number,
            description="Claim",
            layout=ipywidgets.Layout(width="30em", max_width="100%"),
        )
        self.again = ipywidgets.Button(description="Compute again")
        self.cancel = ipywidgets.Button(
            description="Cancel", tooltip="Stop computing; the numbers stay", disabled=True
        )
        self.open = ipywidgets.Button(
            description="Open with sliders", tooltip="Show its scenario in Pool or pages, below"
        )
        self.status = ipywidgets.HTML("").add_class("krcsim-status")
        self.summary = ipywidgets.HTML(self._summary())
        self.about = ipywidgets.HTML("")
        self.image = ipywidgets.Image(format="png", layout=dict(width="900px", max_width="100%"))
        self.how = ipywidgets.HTML("")
        self.numbers = ipywidgets.HTML("")
        self.mail = ipywidgets.HTML("")
        self.sliders = ipywidgets.VBox([])
        self.browser_side = BrowserSide()
        shown = ipywidgets.VBox(
            [
                self.browser_side,
                self.summary,
                ipywidgets.HBox(
                    [self.which, self.again, self.cancel, self.open],
                    layout=dict(flex_flow="row wrap"),
                ),
                self.status,
                self.about,
                self.image,
                self.how,
                self.numbers,
                self.mail,
            ]
        ).add_class("krcsim-explorer")
        # The explorer has a browser side of its own, and is no part of this one.
        self.widget = ipywidgets.VBox([shown, self.sliders])

        self._latest = Latest(self._work, self._on_state, Stopped)
        self.browser_side.observe(lambda _change: self._draw(), "theme")
        self.which.observe(lambda _change: self.show(), "value")
        self.again.on_click(lambda _button: self.compute())
        self.cancel.on_click(lambda _button: self._latest.cancel())
        self.open.on_click(lambda _button: self.open_sliders())
        self.show()

    def _ipython_display_(self) -> None:
        from IPython import display

        display.display(self.widget)  # type: ignore[no-untyped-call]

    @property
    def chosen(self) -> Decided:
        """The claim that is shown."""
        return self.found[self.which.value]

    def show(self) -> None:
        """Show the claim that is chosen."""
        found = self.chosen
        claim = found.claim
        self.about.value = self._about(found)
        has_numbers = bool(found.answers)
        self.again.disabled = self.open.disabled = not claim.questions
        self.image.layout.display = "" if has_numbers else "none"
        self._draw()
        self.how.value = _how(found)
        head = ["case", "what", "95 % interval", "of", "says"]
        rows = number_rows(self.table, found)
        self.numbers.value = _opened("Numbers", html_table(head, rows)) if rows else ""
        self.mail.value = _opened(
            "Mail", f"<pre>{html.escape(claim_text(self.table, found))}</pre>"
        )
        self.status.value = self._kept_words(claim)

    def _draw(self) -> None:
        """The picture of the chosen claim, in JupyterLab's theme."""
        if self.chosen.answers:
            with plain(self.browser_side.theme):
                picture = picture_of_claim(self.table, self.chosen)
                self.image.value = picture._repr_png_()
            self.browser_side.alt = picture.said

    def open_sliders(self) -> None:
        """Show the scenario of the claim's first question in an explorer below."""
        question = self.chosen.claim.questions[0]
        home = Path(FOLDER)
        home.mkdir(exist_ok=True)
        path = home / f"{self.chosen.claim.number}.toml"
        path.write_text(toml_text(question.scenario(), question.words), encoding="utf-8")
        self.explorer = PoolOrPages(home, preset=str(path))
        self.sliders.children = (self.explorer.widget,)

    def compute(self) -> None:
        """Compute the chosen claim again, in the worker's thread."""
        self._latest.submit(self.chosen.claim)

    def _work(self, ticket: Ticket) -> None:
        claim: Claim = ticket.value
        with announced_to(lambda text: ticket.post(self._say, text)):
            try:
                answers = answered(claim, lambda text: ticket.post(self._say, text), ticket.stop)
            except KrcsimError as error:
                ticket.post(self._say, str(error))
                return
        ticket.show(self._computed, decided(claim, answers))

    def _computed(self, found: Decided) -> None:
        """Say whether the numbers came out again."""
        number = found.claim.number
        same = self.found[number].answers == found.answers
        self.found[number] = found
        if self.which.value == number:
            self.show()
        same_words = "the same numbers as those that were kept" if same else "other numbers"
        self._say(f"{number} was computed again: {same_words}.")

    def _on_state(self, state: str) -> None:
        self.cancel.disabled = state != "running"
        if state == "stopped" or state.startswith("error"):
            self._say(f"{state}; the numbers are those that were kept")

    def _say(self, text: str) -> None:
        self.status.value = html.escape(text)

    def _kept_words(self, claim: Claim) -> str:
        if not claim.questions:
            return ""
        if is_current(claim, self.chosen.answers):
            return "Numbers that were kept; the command shows the same."
        return "data/claims.toml asks something else by now: compute again, or run make claims."

    def _about(self, found: Decided) -> str:
        claim = found.claim
        who = who_words(claim)
        link = f"https://lore.kernel.org/all/{claim.message_id}/" if claim.message_id else ""
        quotation = (
            f" <i>&ldquo;{html.escape(claim.quotation)}&rdquo;</i>" if claim.quotation else ""
        )
        lines = [
            f"<b>{_badge(found)} {html.escape(verdict_words(self.table, found))}</b>",
            f"{html.escape(claim.text)}{quotation}",
            f'<a href="{html.escape(link)}">{html.escape(who)}</a>' if link else html.escape(who),
        ]
        return "".join(f'<p style="{WIDE}">{line}</p>' for line in lines if line)

    def _summary(self) -> str:
        """All claims in a table."""
        cells = []
        for found in self.found.values():
            claim = found.claim
            shown = [claim.number, claim.who, claim.title]
            texts = "".join(f"<td>{html.escape(text)}</td>" for text in shown)
            first = _first_number(self.table, found)
            cells.append(
                f"<tr>{texts}<td>{html.escape(first)}</td>"
                f"<td>{_badge(found)} {html.escape(short_words(self.table, found))}</td></tr>"
            )
        head = "".join(
            f"<th>{name}</th>" for name in ("no.", "who", "claim", "computed", "verdict")
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(cells)}</tbody></table>"
        return (
            '<div style="max-height:15em;overflow:auto" tabindex="0" role="region" '
            f'aria-label="All claims">{table}</div>'
        )


def _first_number(table: Any, found: Decided) -> str:
    """What is computed, with the first number that says something."""
    rows = number_rows(table, found)
    speaking = [row for row in rows if row[-1] in ("yes", "no")] or rows
    return f"{speaking[0][1]}: {speaking[0][2]}" if speaking else ""


def _how(found: Decided) -> str:
    """How the verdict follows, what a kernel says, and the commands."""
    if not found.answers:
        return ""
    lines = [
        html.escape(f"{found.claim.rule} {found.claim.remark}".strip()),
        *(
            f"In a guest, Linux 6.1: {html.escape(measured_words(one))}."
            for one in recordings(found.claim)
        ),
        "The same numbers:",
        *(f"<code>{html.escape(answer.command)}</code>" for answer in found.answers),
    ]
    inside = "".join(f'<p style="{WIDE}">{line}</p>' for line in lines)
    return _opened("How it is decided, and the commands", inside)


def _badge(found: Decided) -> str:
    """A spot in the colour of the verdict."""
    colour = COLOURS[found.verdict.word]
    return f'<span aria-hidden="true" style="color:{colour}">&#9632;</span>'


def _opened(title: str, inside: str) -> str:
    """Something below a title that folds."""
    return f"<details><summary>{title}</summary>{inside}</details>"
