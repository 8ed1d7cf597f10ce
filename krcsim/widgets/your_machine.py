# SPDX-License-Identifier: GPL-2.0-only
"""Your machine: a recording is dropped or chosen, read, checked, and put onto the sliders."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from krcsim.report.style import plain, written

import ipywidgets

from krcsim.base.errors import KrcsimError, shown
from krcsim.base.tables import html_table
from krcsim.model.joint import Joint, joint_text
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario, presets
from krcsim.report.recording_picture import figure_of_recording
from krcsim.report.recording_words import two_parts
from krcsim.results.counts import estimated
from krcsim.results.estimate import Estimate
from krcsim.runs.replications import Stopped
from krcsim.runs.waiting import announced_to
from krcsim.studies.ask import asking
from krcsim.studies.finding_words import finding_sentences
from krcsim.studies.recorded import ask_recording
from krcsim.trace import words
from krcsim.trace.chart import chart_of, texts_of
from krcsim.trace.evidence import Evidence
from krcsim.trace.fit import Made, make
from krcsim.trace.predicted import Against, predicted_against_recorded
from krcsim.trace.reading import read
from krcsim.trace.recordings import BASE, samples
from krcsim.trace.value import LIMIT
from krcsim.widgets import engine_wait
from krcsim.widgets.browser_side import BrowserSide
from krcsim.widgets.fields_changed import FieldsChanged
from krcsim.widgets.latest import Latest, Ticket
from krcsim.widgets.pool_or_pages import PoolOrPages
from krcsim.widgets.progress_line import ProgressLine
from krcsim.widgets.recorded_joint import joint_with, title_of
from krcsim.widgets.recorded_preset import RECORDED
from krcsim.widgets.uploads import MOST_MB, Given, without_folders

SAMPLE = "6.1-poisson"
RUNS = 512  # replications at most, for the verdict
PRECISION = 0.2
BUDGET = 4e6  # events
DRAWS_BUDGET = 1e8  # and of all draws together
MOST_NAMED = 2  # fields of a kind in a sentence
WIDE = "line-height:1.4;max-width:70em"


@dataclass(frozen=True)
class Asked:
    """What is to be read: files under names that people know them by, and what goes with them.

    changes: fields that the person has set, with their values.
    """

    files: Given
    base: str
    changes: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Found:
    """What there is of it so far."""

    asked: Asked
    reading: Made
    against: Against | None = None
    verdict: str = ""
    how: str = ""  # the verdict was found
    joint: Joint | None = field(default=None, repr=False)  # the draws behind the verdict
    picture: bytes = field(default=b"", repr=False)
    theme: str = "light"


class YourMachine:
    """A recording, what was made of it with its evidence, the check of it, and then the verdict.

    sample: which of the recordings that come with krcsim is shown first. folder: where the
    scenario is kept, for the other notebooks. runs: replications of the verdict at most.
    """

    def __init__(self, sample: str = SAMPLE, folder: str | Path = "", runs: int = RUNS) -> None:
        self.home = Path(folder)
        self.runs = runs
        self.found: Found | None = None
        self.explorer: PoolOrPages | None = None
        self._read: dict[Given, Evidence] = {}  # what was read last
        self._make_inputs(sample)
        self._make_outputs()
        self._connect()
        self.submit()

    def _make_inputs(self, sample: str) -> None:
        self.samples = samples()
        self.upload = ipywidgets.FileUpload(
            multiple=True,
            description="Drop or choose files",
            tooltip=f"What krcsim record, trace_pipe, trace-cmd report, perf script or bpftrace "
            f"wrote, up to {MOST_MB} MB; of larger files give the path",
            layout=dict(width="auto"),
        )
        self.path = ipywidgets.Text(
            placeholder="or its path, then Enter",
            description="File",
            continuous_update=False,
            style=dict(description_width="initial"),
        )
        self.sample = ipywidgets.Dropdown(
            options=[*((name, name) for name in self.samples), ("(your files)", "")],
            value=sample,
            description="Sample",
            style=dict(description_width="initial"),
        )
        self.base = ipywidgets.Dropdown(
            options=presets(),
            value=BASE,
            description="Assumptions of",
            tooltip="What the recording cannot say is taken from this preset",
            style=dict(description_width="initial"),
        )
        self.fields = FieldsChanged(self.submit)
        self.open = ipywidgets.Button(
            description="Open with sliders",
            tooltip="Accept the scenario: it is kept next to the notebook, and shown in Pool or "
            "pages, below",
            disabled=True,
            layout=dict(width="auto"),
        )
        self.given = Given(((sample, str(self.samples[sample])),))

    def _make_outputs(self) -> None:
        self.value = ipywidgets.HTML("").add_class("krcsim-verdict")
        self.image = ipywidgets.Image(format="png", layout=dict(width="990px", max_width="100%"))
        self.progress = ProgressLine()
        self.status = self.progress.status
        self.read = ipywidgets.HTML("")
        self.table = ipywidgets.HTML("")
        self.check = ipywidgets.HTML("")
        self.sliders = ipywidgets.VBox([])
        self.note = ipywidgets.HTML("").add_class("krcsim-note")
        self.browser_side = BrowserSide(alt="no picture yet", takes_files=True)
        first = ipywidgets.HBox([self.upload, self.path], layout=dict(flex_flow="row wrap"))
        second = ipywidgets.HBox(
            [self.sample, self.base, self.open], layout=dict(flex_flow="row wrap")
        )
        shown = ipywidgets.VBox(
            [
                self.browser_side,
                first,
                second,
                self.value,
                self.note,
                self.progress.widget,
                self.image,
                self.check,
                self.fields.widget,
                self.table,
                self.read,
            ]
        ).add_class("krcsim-explorer")
        # The explorer has a browser side of its own, and is no part of this one.
        self.widget = ipywidgets.VBox([shown, self.sliders])

    def _connect(self) -> None:
        self._latest = Latest(self._work, self._on_state, Stopped)
        self.upload.observe(self._take_upload, "value")
        self.path.observe(self._take_path, "value")
        self.sample.observe(self._take_sample, "value")
        self.base.observe(lambda _change: self.submit(), "value")
        self.browser_side.on_msg(self._take_drop)
        self.browser_side.observe(lambda _change: self._draw_anew(), "theme")
        self.open.on_click(lambda _button: self.open_sliders())
        self.progress.cancel.on_click(lambda _button: self._latest.cancel())

    def _ipython_display_(self) -> None:
        from IPython import display

        display.display(self.widget)  # type: ignore[no-untyped-call]

    # ---- what is asked

    def _take_upload(self, _change: object) -> None:
        if self.upload.value:
            self._take_files(self.upload.value)

    def _take_drop(self, _side: object, content: Any, buffers: Sequence[Any]) -> None:
        """What the browser says was dropped: names, and the bytes of each."""
        names = content.get("dropped") if isinstance(content, dict) else None
        if not isinstance(names, list):
            return
        if names and len(names) == len(buffers):
            pairs = zip(names, buffers, strict=True)
            self._take_files([{"name": name, "content": buffer} for name, buffer in pairs])
        else:
            self._refuse_files(
                f"folders and more than {MOST_MB} MB cannot be dropped; drop files, or give "
                "the path of a large one"
            )

    def _take_files(self, uploaded: Sequence[Mapping[str, Any]]) -> None:
        try:
            self._take(Given.of_upload(uploaded))
        except KrcsimError as error:
            self._refuse_files(str(error))

    def _refuse_files(self, text: str) -> None:
        self._latest.cancel()
        self.sample.value = ""
        self._refuse(text)

    def _take_path(self, _change: object) -> None:
        if path := self.path.value.strip():
            self._take(Given(((Path(path).name, path),)))

    def _take_sample(self, _change: object) -> None:
        if name := self.sample.value:
            self.given = Given(((name, str(self.samples[name])),))
            self._begin_anew()

    def _take(self, given: Given) -> None:
        """Files of the person's own."""
        self.given = given
        self.sample.value = ""
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Other files: what was changed by hand belonged to those before."""
        self.fields.forget()
        self.submit()

    def submit(self) -> None:
        """Read, check and judge what the widgets say."""
        self.open.disabled = True
        self.progress.remark = ""
        self._latest.submit(Asked(self.given, self.base.value, self.fields.changes()))

    # ---- in the worker's thread

    def _work(self, ticket: Ticket) -> None:
        asked: Asked = ticket.value
        with announced_to(lambda text: ticket.post(self.progress.say_announced, text)):
            try:
                self._answer(ticket, asked)
            except KrcsimError as error:
                ticket.show(self._refuse, without_folders(str(error), asked.files))
            except OSError as error:
                text = f"the file cannot be read ({error.strerror}); choose another"
                ticket.show(self._refuse, text)

    def _answer(self, ticket: Ticket, asked: Asked) -> None:
        """What was read at once, then the check of it, and at last the verdict."""

        def say(text: str) -> None:
            ticket.check()
            ticket.post(self.progress.say, without_folders(text, asked.files))

        if asked.files not in self._read:
            self._read = {asked.files: read(asked.files.paths(), say)}
        made = make(self._read[asked.files], load_scenario(asked.base), asked.base)
        reading = replace(made, scenario=changed(made.scenario, **dict(asked.changes)))
        ticket.show(self._show, self._drawn(Found(asked, reading)))

        engine_wait.get_ready(
            reading.scenario, lambda share: ticket.post(self.progress.set_share, share)
        )

        def progress(done: int, of: int) -> None:
            ticket.check()
            ticket.post(self.progress.say_way, (done / of, f"{done} of {of} replications"))

        against = predicted_against_recorded(reading, stop=ticket.stop, progress=progress)
        checked = self._drawn(Found(asked, reading, against))
        ticket.show(self._show, checked)
        if not against.is_evidence:
            return
        for found in asking(
            reading.scenario,
            precision=PRECISION,
            max_runs=self.runs,
            budget=BUDGET,
            stop=ticket.stop,
        ):
            ticket.check()
            verdict, how = verdict_of(found.estimate, reading), finding_sentences(found)
            last = replace(checked, verdict=verdict, how=how)
            ticket.show(self._show, last)
        self._ask_draws(ticket, last)

    def _ask_draws(self, ticket: Ticket, found: Found) -> None:
        """The verdict once more, with what the recording does not know in its interval."""
        joint = self._joint(found)

        def progress(done: int, of: int) -> None:
            ticket.check()
            ticket.post(self.progress.say_way, (done / of, f"{done} of {of} draws"))

        recorded = ask_recording(
            joint,
            progress=progress,
            precision=PRECISION,
            max_runs=self.runs,
            budget=DRAWS_BUDGET,
            stop=ticket.stop,
        )
        verdict = verdict_of(recorded.parts.whole, found.reading)
        said = two_parts(recorded.parts)
        how = f"{said} {found.how}"
        ticket.show(self._show, replace(found, verdict=verdict, how=how, joint=joint))

    def _joint(self, found: Found) -> Joint:
        """What was found with draws of what the recording does not know."""
        asked = found.asked
        return joint_with(found.reading.evidence, asked.base, dict(asked.changes))

    def _drawn(self, found: Found) -> Found:
        """The same with its picture, in JupyterLab's theme of now."""
        theme = self._theme()
        return replace(found, picture=picture_in(found, theme), theme=theme)

    def _theme(self) -> str:
        return "dark" if self.browser_side.theme == "dark" else "light"

    # ---- back on the event loop, the only thread that sets widgets

    def _show(self, found: Found) -> None:
        if found.theme != self._theme():  # it changed while the picture was drawn
            found = self._drawn(found)
        self.found = found
        reading = found.reading
        self.image.value = found.picture
        self.image.layout.display = ""
        self.value.value = html.escape(sentence_of(found))
        self.note.value = html.escape(note_of(found))
        finding, recorded = texts_of(reading, found.against)
        self.browser_side.alt = f"{finding}. {recorded}"
        self.fields.offer(reading)
        self.table.value = opened("The scenario, field by field", fields_table(found), is_open=True)
        self.check.value = check_of(found)
        self.read.value = opened("What was read", read_words(found))
        self.open.disabled = False

    def _draw_anew(self) -> None:
        if self.found is not None:
            self.found = self._drawn(self.found)
            self.image.value = self.found.picture

    def _refuse(self, text: str) -> None:
        """Nothing could be made of it: one sentence, and nothing of the recording before."""
        self.found = None
        self.value.value = html.escape(f"Not read: {text}.".replace("..", "."))
        self.note.value = ""
        self.browser_side.alt = "no picture"
        self.image.layout.display = "none"
        self.table.value = self.check.value = self.read.value = ""
        self.progress.say_remark("Give another file, or choose a sample.")
        self.open.disabled = True

    def _on_state(self, state: str) -> None:
        self.progress.say_state(state)

    # ---- onto the sliders

    @property
    def scenario(self) -> Scenario:
        """The scenario that is shown; raises KrcsimError while there is none."""
        if self.found is None:
            raise KrcsimError("no recording was read; choose a file or a sample")
        return self.found.reading.scenario

    def open_sliders(self) -> None:
        """Keep the scenario with its draws next to the notebook, and show it in Pool or pages."""
        found = self.found
        if found is None:
            return
        path = self.home / RECORDED
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            joint = found.joint or self._joint(found)
            state = found.against.finding if found.against else "not checked"
            names = [name for name, _ in found.asked.files.files]
            path.write_text(joint_text(joint, title_of(names, state)), encoding="utf-8")
            self.explorer = PoolOrPages(self.home, preset=str(path))
        except (KrcsimError, OSError) as error:
            self.progress.say_remark(f"Not kept: {error}")
            return
        self.sliders.children = (self.explorer.widget,)
        self.progress.say_remark(
            f"{RECORDED} is the preset Your machine of the other notebooks. It holds "
            f"{len(joint.draws)} draws of what the recording does not know, for krcsim compare "
            f"{RECORDED}; sliders show, save and export the scenario alone, without them."
        )


def picture_in(found: Found, theme: str) -> bytes:
    """What was found as a PNG for a theme."""
    with plain(theme):
        chart = chart_of(found.reading, found.against)
        fig = figure_of_recording(chart, *texts_of(found.reading, found.against))
        return written(fig, "png")


def verdict_of(estimate: Estimate, reading: Made) -> str:
    """How many calls wait, in numbers that a person can act on, and what that rests on besides the
    recording.
    """
    assumed = [name for name, why in reading.assumed.items() if why]
    limits = [one.field for one in reading.values.values() if one.kind == LIMIT]
    rests_on = f" {_rests_on(assumed, limits)}" if assumed or limits else ""
    if estimate.kind == "none":
        return f"No single-argument call is made, so none can wait.{rests_on}"
    share = estimated(estimate, "single-argument call")
    first = share.words[:1].upper() + share.words[1:]
    return f"{first} wait{'s' * (not share.is_plural)}.{rests_on}"


def _rests_on(assumed: list[str], limits: list[str]) -> str:
    parts = []
    for what, names in (("assumed", assumed), ("at the limit of what was not seen", limits)):
        if names:
            more = len(names) - MOST_NAMED
            listed = ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
            parts.append(f"{what}: {listed}")
    return f"It rests on more than the recording ({'; '.join(parts)})."


def sentence_of(found: Found) -> str:
    """The verdict; before it the check, and where that fails that there is none."""
    if found.verdict:
        return found.verdict
    if found.against is None:
        return words.what_was_read(found.reading.evidence)
    if found.against.is_evidence:
        return f"{found.against.sentence}."
    return f"No verdict. {found.against.said}."


def note_of(found: Found) -> str:
    """What stands smaller below that: how it was found, or why the scenario may miss."""
    against = found.against
    if against is None:
        return "Held next against what the kernel itself did meanwhile ..."
    if not against.is_evidence:
        return f"{against.advice}."
    if not found.verdict:
        return "How many calls wait comes next ..."
    return f"{against.sentence}. {found.how}"


def check_of(found: Found) -> str:
    """What was predicted beside what was recorded, as HTML."""
    against = found.against
    if against is None:
        return ""
    inside = against._repr_html_()
    return opened("Predicted against recorded", inside, is_open=not against.is_evidence)


def fields_table(found: Found) -> str:
    """Each field with its value, its interval and what it rests on, as HTML."""
    reading = found.reading
    mine = dict(found.asked.changes)
    rows: list[tuple[str, str, str, str]] = [
        (name, shown(value), "changed", "set by you") for name, value in mine.items()
    ]
    for one in reading.values.values():
        if one.field not in mine:
            rows.append((one.field, one.words(), one.kind, one.evidence))
    for name, why in reading.assumed.items():
        if why and name not in mine:
            rows.append((name, reading.explained(name).words(), "assumed", why))
    table = html_table(("field", "value", "", "evidence"), rows)
    rest = f"<p>All other fields are assumed, as in {html.escape(reading.base)}.</p>"
    return (
        '<div style="max-height:24em;overflow:auto" tabindex="0" role="region" '
        f'aria-label="Fields of the scenario">{table}</div>{rest}'
    )


def read_words(found: Found) -> str:
    """What was read, with notes and the lines of the recording, as HTML."""
    reading = found.reading
    lines: Sequence[str] = [
        words.what_was_read(reading.evidence),
        *(f"Note: {note}." for note in reading.notes),
    ]
    return "".join(
        f'<p style="{WIDE}">{html.escape(without_folders(line, found.asked.files))}</p>'
        for line in lines
    )


def opened(title: str, inside: str, *, is_open: bool = False) -> str:
    """Something below a title that folds."""
    return f"<details{' open' * is_open}><summary>{title}</summary>{inside}</details>"
