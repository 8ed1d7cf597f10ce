# SPDX-License-Identifier: GPL-2.0-only
"""What all explorers share: sliders, the picture, pins, what is kept, and what is exported."""

import html
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar

from krcsim.report.style import plain

import anywidget
import ipywidgets as w
import traitlets

from krcsim.base.errors import FieldError, KrcsimError
from krcsim.base.files import write_whole
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario, toml_text
from krcsim.model.unused_fields import unused_fields
from krcsim.report.export import Answer, export_all
from krcsim.runs.replications import Stopped
from krcsim.widgets.latest import Latest, Ticket
from krcsim.widgets.view import SIZE, View

PRESETS = {
    "As posted (C on A0)": "thread-as-posted",
    "As discussed (C on A1)": "thread-as-discussed",
    "Phone, light load": "phone",
    "Server, 128 CPUs": "server-128",
}
CUSTOM = ("(your own)", "")
SIZES = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500)
STEPS = tuple(m * 10.0**k for k in range(6) for m in (1, 2, 5))  # 1, 2, 5, 10, 20, ...
CHANCES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
# A control: the field it moves, its label, where the kernel has it, its values.
CONTROLS: dict[str, tuple[str, str, tuple[Any, ...]]] = {
    "memory.hog": (
        "Memory is taken",
        "__zone_watermark_ok()",
        (
            ("not: failures are drawn", "none"),
            ("to the NOWAIT mark", "nowait"),
            ("to the ATOMIC mark", "atomic"),
            ("reserves too", "reserves"),
        ),
    ),
    "memory.deferred_counts": (
        "Deferred objects",
        "free pages",
        (("hold none of it", False), ("hold memory", True)),
    ),
    "remedy.head_alloc": (
        "rcu_head request",
        "kvfree_call_rcu()",
        (
            ("none (v5.9)", "none"),
            ("ATOMIC (A0)", "atomic"),
            ("try hard (A1)", "tryhard"),
            ("three steps to KERNEL", "three_step"),
        ),
    ),
    "remedy.cache_shared": (
        "Page cache is",
        "krcp->bkvcache",
        (("per channel", False), ("shared", True)),
    ),
    "remedy.nr_emergency_objs": ("Pool (objects/CPU)", "rcu_nr_emergency_objs", SIZES),
    "remedy.emergency_at_boot": ("Pool at boot (objects)", "krcp->nr_emergency", SIZES),
    "remedy.nr_bkv_objs": ("Page cache (pages)", "rcu_min_cached_objs", (0, 1, 2, 3, 4, 5, 8, 10)),
    "remedy.cache_at_boot": (
        "Pages at boot (pages)",
        "kfree_rcu_batch_init()",
        (0, 1, 2, 3, 4, 5, 8, 10),
    ),
    "allocator.episode.page": ("P(page fails)", "__get_free_page()", CHANCES[1:]),
    "allocator.episode.head": ("P(object fails)", "kmalloc()", CHANCES),
    "allocator.calm.page": ("P(page fails), ever", "__get_free_page()", CHANCES[1:]),
    "allocator.calm.head": (
        "P(object fails), ever",
        "kmalloc()",
        (0.001, 0.002, 0.005, *CHANCES[1:-1]),
    ),
    "remedy.block_entries": ("Pointers a block", "KVFREE_BULK_MAX_ENTR", (4, 8, 16, 32, 64)),
    "allocator.episode_ms": ("Episode length (ms)", "__zone_watermark_ok()", STEPS[3:13]),
    "allocator.calm_ms": ("Calm between (ms)", "kswapd", STEPS[3:15]),
    "workload.rate_hz": ("Calls (1/s per CPU)", "kvfree_call_rcu()", STEPS[3:16]),
    "machine.cpus": ("CPUs", "nr_cpu_ids", (1, 2, 4, 8, 16, 32, 64, 128)),
    "grace_period.mean_ms": (
        "Grace period (ms)",
        "synchronize_rcu(), 0: calibrated",
        (0, 10, 12, 16, 20, 30, 50, 100, 200),
    ),
    "machine.hz": ("Tick rate (1/s)", "CONFIG_HZ", (100, 250, 300, 1000)),
    "workload.single_share": (
        "Single-arg. share",
        "kvfree_rcu(ptr)",
        (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
    ),
}
AT_MOST = (
    ("remedy.emergency_at_boot", "remedy.nr_emergency_objs"),
    ("remedy.cache_at_boot", "remedy.nr_bkv_objs"),
)
CLASSES = ("head_atomic", "head_high", "head_reclaim")  # move with allocator.episode.head


def why(path: str) -> str:
    """What a field is for, in its own words."""
    *sections, key = path.split(".")
    owner = attrgetter(".".join(sections))(Scenario())
    return next(str(f.metadata["why"]) for f in fields(owner) if f.name == key)


def possible(ways: dict[str, Callable[[], Scenario]]) -> dict[str, Scenario]:
    """The scenarios that can be made; as pages cannot be kept where pointers never go into
    pages.
    """
    out: dict[str, Scenario] = {}
    for name, make in ways.items():
        with suppress(KrcsimError):
            out[name] = make()
    return out


@dataclass(frozen=True)
class Shown:
    """An answer as it is on the screen: the picture, words about it, words for who cannot see it,
    and its source.
    """

    answer: Answer
    png: bytes
    words: str
    alt: str
    found: Any = None


class Guard(anywidget.AnyWidget):
    """Names and keys for what stands beside it, the picture's text, and the pointer's place on it
    (0 to 1).
    """

    _esm = Path(__file__).with_name("guard.js")
    alt = traitlets.Unicode("").tag(sync=True)
    track = traitlets.Bool(False).tag(sync=True)
    at = traitlets.Float(-1.0).tag(sync=True)


class Quiet(threading.local):
    """Whether what this thread sets on widgets is no move of the person's; JupyterLab may use
    several threads.
    """

    on = False


class Explorer:
    """Sliders beside a picture that follows them; a question gives the fields, what to run and what
    to draw.
    """

    name: ClassVar[str]
    shown: ClassVar[tuple[str, ...]]  # the fields with a control
    presets: ClassVar[dict[str, str]] = (
        PRESETS  # by label; the first is the scenario that nobody chose
    )
    pins_at_most: ClassVar[int] = 0  # curves of other settings beside the present one

    def __init__(
        self, folder: str | Path = "", preset: str = "", rungs: tuple[int, ...] = (0, 2, 3, 5)
    ) -> None:
        self.home, self.rungs = Path(folder), rungs
        self.kept = self.home / f"{self.name}.autosave.toml"
        self.view, self.pins = View(plain), dict[str, Scenario]()
        self.done: Shown | None = None
        self.base = load_scenario(preset or next(iter(self.presets.values())))
        self._quiet, self._note = Quiet(), ""
        self._latest = Latest(self._work, self._state, Stopped)
        self._build()
        said = "" if preset else self._restore()
        self._put(self.base, said)

    # ---- what a question gives

    def fitted(self, s: Scenario) -> Scenario:
        """The scenario as it is run."""
        return s

    def work(self, ticket: Ticket, s: Scenario, pins: dict[str, Scenario]) -> None:
        """In the worker's thread: ticket.show(self._show, Shown) as often as there is something
        better.
        """
        raise NotImplementedError

    def extras(self) -> list[Any]:
        """Widgets under the picture that only this question has."""
        return []

    def worlds(self, s: Scenario) -> dict[str, Scenario]:
        """What is run for a scenario, by the name of its remedy; `own` is the scenario itself."""
        return {"own": s}

    def carries(self, name: str, path: str) -> bool:  # noqa: ARG002
        """Whether a field of the scenario is in the world of that name too, and not another value
        of its remedy.
        """
        return True

    # ---- widgets

    def _build(self) -> None:
        look: Any = dict(
            style=dict(description_width="11em"), layout=dict(width="25em", margin="0")
        )  # one each
        self.preset = w.Dropdown(
            options=[*self.presets.items(), CUSTOM], description="Preset", **look
        )
        self.file = w.Text(
            placeholder="path of a .toml, then Enter",
            description="Load scenario",
            continuous_update=False,
            **look,
        )
        self.controls: dict[str, Any] = {}
        self.rows: dict[str, tuple[Any, Any]] = {}  # a control, and what it is for
        for path in self.shown:
            label, symbol, values = CONTROLS[path]
            kind = w.Dropdown if isinstance(values[0], tuple) else w.SelectionSlider
            options = values if kind is w.Dropdown else [(f"{v:g}", v) for v in values]
            self.controls[path] = kind(options=options, description=label, **look)
            about = w.HTML(html.escape(f"{symbol}: {why(path)}")).add_class("krcsim-why")
            self.rows[path] = (self.controls[path], about)
            self.controls[path].observe(self._moved, "value")
        self.buttons = {
            text: w.Button(description=text, tooltip=tip, layout=dict(width="auto"))
            for text, tip in (
                ("Reset", "Back to the preset"),
                ("Cancel", "Stop refining; the picture stays"),
                ("Pin", "Keep this curve to compare the next one with"),
                ("Unpin", "Take the pinned curves away"),
                (
                    "Export all",
                    "Figure (png, svg, pdf), data, scenario, result and answer into the folder",
                ),
            )
        }
        self.into = w.Text(value="krcsim-export", description="Export into", **look)
        self.dpi = w.Dropdown(
            options=[(f"{n} dpi", n) for n in (100, 150, 200, 300)],
            value=150,
            description="PNG resolution",
            **look,
        )
        width, tall = SIZE
        self.image = w.Image(
            format="png", layout=dict(width=f"{width}px", height=f"{tall}px", max_width="100%")
        )
        self.value, self.status = (
            w.HTML(""),
            w.HTML("Getting the engine ready (compiled once, some seconds) ..."),
        )
        self.status.add_class("krcsim-status")
        self.bar = w.FloatProgress(
            max=1.0, layout=dict(width=f"{width}px", height="6px", max_width="100%")
        )
        self.shell = w.HTML("")
        self.answer = w.Textarea(
            rows=24,
            description="Answer",
            layout=dict(width="54em", max_width="100%"),
            style=dict(description_width="5em"),
        )
        self.guard = Guard()
        self.preset.observe(self._preset, "value")
        self.file.observe(self._load, "value")
        for text, act in (
            ("Reset", lambda _: self._put(self.base)),
            ("Cancel", lambda _: self._latest.cancel()),
            ("Pin", lambda _: self._pin()),
            ("Unpin", lambda _: self._unpin()),
            ("Export all", lambda _: self.export()),
        ):
            self.buttons[text].on_click(act)
        few = ("Reset", "Cancel", "Pin", "Unpin")[: 4 if self.pins_at_most else 2]
        self.without = w.HTML("").add_class("krcsim-why")
        rows = [widget for row in self.rows.values() for widget in row]
        left = w.VBox(
            [
                self.preset,
                self.file,
                *rows,
                self.without,
                w.HBox([self.buttons[text] for text in few]),
                self.into,
                self.dpi,
                self.buttons["Export all"],
            ]
        ).add_class("krcsim-left")
        right = w.VBox(
            [self.image, self.bar, self.status, self.value, *self.extras(), self.shell],
            layout=dict(width=f"{width + 8}px", max_width="100%", flex="0 1 auto"),
        ).add_class("krcsim-right")
        columns = w.Box([left, right], layout=dict(display="flex", flex_flow="row wrap"))
        self.widget = w.VBox([self.guard, columns, self.answer]).add_class("krcsim-explorer")

    def _ipython_display_(self) -> None:
        from IPython import display

        display.display(self.widget)  # type: ignore[no-untyped-call]

    # ---- from the widgets to a scenario, and back

    @property
    def scenario(self) -> Scenario:
        """The scenario that the controls stand for; raises KrcsimError if they contradict."""
        v = {path: control.value for path, control in self.controls.items()}
        if "grace_period.mean_ms" in v:
            v["grace_period.mean_ms"] = v["grace_period.mean_ms"] or None
        episode, page = self.base.allocator.episode, v.get("allocator.episode.page", 1.0)
        if "allocator.episode.page" in v:
            calm = self.base.allocator.calm.page
            v["allocator.calm.page"] = calm if page == episode.page else min(calm, page)
            if episode.page_noretry is not None:
                v["allocator.episode.page_noretry"] = min(episode.page_noretry, page)
        if "allocator.episode.head" in v and episode.head:
            part = (
                v["allocator.episode.head"] / episode.head
            )  # the other classes keep their share of it
            for name in CLASSES:
                if (was := getattr(episode, name)) is not None:
                    v[f"allocator.episode.{name}"] = min(1.0, round(was * part, 9))
        return self.fitted(changed(self.base, **v))

    def useless(self, s: Scenario) -> dict[str, str]:
        """The controls that would change nothing in any world of a scenario, with the reason."""
        found = {name: unused_fields(world) for name, world in self.worlds(s).items()}
        out: dict[str, str] = {}
        for path in self.controls:
            there = [world for name, world in found.items() if self.carries(name, path)]
            if all(field in world for world in there for field in self._moves(path, s)):
                out[path] = found["own"][path]
        return out

    def _moves(self, path: str, s: Scenario) -> list[str]:
        """The fields that a control moves."""
        episode = s.allocator.episode
        more = {
            "allocator.episode.page": ["calm.page", "episode.page_noretry"],
            "allocator.episode.head": [
                f"episode.{name}" for name in CLASSES if episode.head and getattr(episode, name)
            ],
        }.get(path, [])
        return [path, *(f"allocator.{name}" for name in more)]

    def _offer(self, s: Scenario) -> None:
        """Show the controls that change something, and say why the others are not there."""
        useless = self.useless(s)
        for path, row in self.rows.items():
            for widget in row:
                shown = "none" if path in useless else None
                if widget.layout.display != shown:
                    widget.layout.display = shown
        by_reason: dict[str, list[str]] = {}
        for path, reason in useless.items():
            by_reason.setdefault(reason, []).append(CONTROLS[path][0])
        told = "; ".join(f"{', '.join(labels)}: {reason}" for reason, labels in by_reason.items())
        self.without.value = (
            html.escape(f"Not shown, since they change nothing here: {told}.") if told else ""
        )

    def _put(self, s: Scenario, said: str = "") -> None:
        """Set all controls to a scenario, with one run for the whole change."""
        self.base, self._quiet.on = s, True
        for path, control in self.controls.items():
            given = attrgetter(path)(s)
            given = (0 if path == "grace_period.mean_ms" else False) if given is None else given
            if isinstance(
                control, w.SelectionSlider
            ):  # an odd value gets a place of its own, and keeps it:
                there = {
                    v for _, v in control.options
                }  # of fewer places the browser makes a move to the last one
                if given not in there:
                    control.options = [(f"{v:g}", v) for v in sorted({*there, given})]
            control.value = given
        self.preset.value = next(
            (
                name
                for name in self.presets.values()
                if self.fitted(load_scenario(name)) == self.fitted(s)
            ),
            "",
        )
        self._quiet.on = False
        self._note = said
        self._moved()

    def _preset(self, _change: Any) -> None:
        if not self._quiet.on and self.preset.value:
            self._put(load_scenario(self.preset.value))

    def _load(self, _change: Any) -> None:
        try:
            if path := self.file.value.strip():
                self._put(load_scenario(path), f"{path} is on the sliders.")
        except KrcsimError as exc:
            self._remark(f"Not loaded: {exc}")

    def _moved(self, change: Any = None) -> None:
        if self._quiet.on:
            return
        try:
            self._quiet.on = True
            if change is not None:
                self._settle(change["owner"])
            self._quiet.on = False
            s = self.scenario
            self._offer(s)
            self._latest.submit((s, dict(self.pins)))
        except KrcsimError as exc:
            self._remark(f"Not possible: {exc}")
        finally:
            self._quiet.on = False

    def _settle(self, moved: Any) -> None:
        """After a control was moved: no reserve boots with more than it keeps, and this is no
        preset any more.
        """
        for low, high in AT_MOST:
            small, big = self.controls.get(low), self.controls.get(high)
            if small and big and small.value > big.value:  # the one that was moved wins
                if moved is small:
                    big.value = min(v for _, v in big.options if v >= small.value)
                else:
                    small.value = max(v for _, v in small.options if v <= big.value)
        self._note = self._mend(moved)
        if moved in self.controls.values():  # a step to another event leaves the setting as it is
            self.preset.value = ""

    def _mend(self, moved: Any) -> str:
        """Where values contradict, the control that is named, else the one that was moved, takes
        the nearest that fits.

        Returns what to say about it.
        """
        try:
            self.scenario  # noqa: B018
            return ""
        except FieldError as exc:
            wrong = exc
        named: list[Any] = [self.controls.get(wrong.field), moved]
        for control in (control for control in named if control in self.controls.values()):
            places, was = [v for _, v in control.options], control.value
            at = places.index(was)
            for value in sorted(places, key=lambda v: abs(places.index(v) - at))[1:]:
                control.value = value
                with suppress(FieldError):
                    self.scenario  # noqa: B018
                    return f"{control.description} is now {control.label}: {wrong}."
            control.value = was
        return ""

    # ---- what outlives the kernel

    def _restore(self) -> str:
        """Take over what was kept beside the notebook; returns what to say about it."""
        if not self.kept.exists():
            return ""
        try:
            self.base = load_scenario(self.kept)
        except KrcsimError as exc:
            aside = self.kept.with_suffix(f".{time.time_ns()}.toml")
            with suppress(OSError):  # then keeping will fail too, and say so
                self.kept.rename(aside)
            return f"Your last setting could not be read and is now in {aside.name}: {exc}"
        with suppress(KrcsimError):
            kept = sorted(self.home.glob(f"{self.name}.pin-?.toml"))
            self.pins = dict(
                zip("ABC"[: self.pins_at_most], map(load_scenario, kept), strict=False)
            )
        return f"Your last setting is back, from {self.kept.name}; choose a preset to begin anew."

    def _keep(self, s: Scenario, pins: dict[str, Scenario]) -> None:
        """Write the setting and the pins beside the notebook; raises KrcsimError where that is
        impossible.
        """
        write_whole(
            self.kept, toml_text(s, "The last setting of the explorer.").encode(), overwrite=True
        )
        for letter in "ABC":
            path = self.home / f"{self.name}.pin-{letter}.toml"
            if letter in pins:
                write_whole(path, toml_text(pins[letter]).encode(), overwrite=True)
            else:
                path.unlink(missing_ok=True)

    # ---- the worker's thread

    def _work(self, ticket: Ticket) -> None:
        s, pins = ticket.value
        self._begun = self._told = time.monotonic()
        try:
            self.work(ticket, s, pins)
        # a question that this setting has no answer to, as of episodes where there are none
        except KrcsimError as exc:
            ticket.post(self._remark, f"No answer here: {exc}")

    def keep(self, ticket: Ticket, s: Scenario, pins: dict[str, Scenario]) -> None:
        """As _keep(), for the worker: what went wrong is told, and the work goes on."""
        try:
            self._keep(s, pins)
        except (KrcsimError, OSError) as exc:
            ticket.post(self._remark, f"This setting is not kept for the next kernel: {exc}")

    def progress(self, ticket: Ticket, share: float, what: str) -> None:
        """Tell how far the work is (0 to 1) and how long it may still take."""
        now = time.monotonic()
        if now - self._told > 0.1:
            self._told = now
            left = (now - self._begun) * (1.0 / max(share, 1e-3) - 1.0)
            ticket.post(self._on_way, (share, f"{what}; about {max(left, 0.1):.1f} s left"))

    # ---- back on the event loop, the only thread that sets widgets

    def _on_way(self, way: tuple[float, str]) -> None:
        self.buttons["Cancel"].disabled = False  # there may be no answer yet
        self.bar.value = way[0]
        self._say(way[1])

    def _say(self, text: str) -> None:
        self.status.value = html.escape(f"{text}{'. ' * bool(self._note)}{self._note}")

    def _remark(self, text: str) -> None:
        """Say something that stays beside the progress until a slider is moved."""
        self._note, self.status.value = text, html.escape(text)

    def _show(self, out: Shown) -> None:
        self.done = out
        self.image.value = out.png
        self.value.value = out.words
        self.guard.alt = out.alt
        self.shell.value = f"The same from a shell: <code>{html.escape(out.answer.command)}</code>"
        self.answer.value = out.answer.text

    def _state(self, state: str) -> None:
        running = state == "running"
        self.buttons["Cancel"].disabled = not running
        self.bar.value = 0.0 if running else 1.0
        told = {
            "running": "running ...",
            "done": "done",
            "stopped": "stopped; the picture stays as it is",
        }
        self._say(told.get(state, state))

    def _pin(self) -> None:
        free = [letter for letter in "ABC"[: self.pins_at_most] if letter not in self.pins]
        if self.done is None or not free:
            self._remark(
                "Three curves are pinned; Unpin takes them away."
                if self.done
                else "Nothing to pin yet."
            )
            return
        self.pins[free[0]] = self.done.answer.scenario
        self._moved()

    def _unpin(self) -> None:
        self.pins = {}
        self._moved()

    def export(self) -> list[Path]:
        """Write all that is shown into the folder; overwrites nothing."""
        if self.done is None:
            self._remark("Nothing to export yet: wait for the first picture.")
            return []
        try:
            done = export_all(self.home / self.into.value, self.done.answer, self.dpi.value)
        except (OSError, KrcsimError) as exc:
            self._remark(f"Not exported: {exc}")
            return []
        self._remark(f"Exported {', '.join(path.name for path in done)} into {self.into.value}/")
        return done
