# SPDX-License-Identifier: GPL-2.0-only
"""The sliders of a notebook: pool or pages, on your machine and load."""
import hashlib
import html
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any
import ipywidgets as w
from krcsim.figures import picture
from krcsim.files import free_name, write_whole
from krcsim.latest import Latest, Ticket
from krcsim.measures import p_wait
from krcsim.reply import answer_text
from krcsim.result import Result, words
from krcsim.run import Replications, Stopped
from krcsim.scenario import Scenario, changed, load_scenario, overrides, toml_text
from krcsim.study import SEED, compare, extend, main_window, replications_at
from krcsim.values import KrcsimError
from krcsim.view import SIZE, Line, Picture, View
POOLS = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500)
PAGES = (1, 2, 3, 4, 5, 8)
RUNGS = (0, 2, 4)  # replications of the curve: a first look, a fair one, a good one
NAMES = ("emergency pool of N objects", "N pages shared, preallocated", "N pages shared, empty at boot")
PRESETS = {"Thread as posted (C on A0)": "thread-as-posted", "Thread as discussed (C on A1)": "thread-as-discussed",
    "Phone, light load": "phone", "Server, 128 CPUs": "server-128"}
COMPARED = ("own", "A0", "A1", "B", "C-A1", "D5-A1")
STEPS = tuple(m * 10.0**k for k in range(1, 6) for m in (1, 2, 5))  # 10, 20, 50, 100, ...

# A slider: the scenario field it moves, its label with unit, its values, why it is there.
Control = namedtuple("Control", "field label values why")
CONTROLS = tuple(Control(*row) for row in (
    ("remedy.nr_emergency_objs", "Pool (objects/CPU)", POOLS, "rcu_nr_emergency_objs; starts empty"),
    ("remedy.nr_bkv_objs", "Page cache (pages)", (0, 1, 2, 3, 4, 5, 8, 10),
        "pages kept, per channel in 2020, shared since v5.9 (rcu_min_cached_objs)"),
    ("remedy.cache_at_boot", "Pages at boot (pages)", (0, 1, 2, 3, 4, 5, 8, 10),
        "preallocated pages; the cache keeps no more than its size"),
    ("allocator.spell.page", "P(page fails) in a spell", (0.1, 0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0),
        "P(a GFP_NOWAIT page request fails) in a spell"),
    ("allocator.spell_ms", "Spell length (ms)", STEPS[:10], "mean length of a spell of pressure"),
    ("workload.rate_hz", "Calls/s per CPU", STEPS[:13], "kfree_rcu() calls offered on each CPU"),
    ("machine.cpus", "CPUs", (1, 2, 4, 8, 16, 32, 64, 128), "nr_cpu_ids"),
    ("grace_period.mean_ms", "Grace period (ms)", (0, 10, 12, 16, 20, 30, 50, 100, 200),
        "mean length; 0: as calibrated for this machine"),
    ("machine.hz", "HZ (ticks/s)", (100, 250, 300, 1000), "CONFIG_HZ"),
    ("workload.single_share", "Single-arg share", (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
        "share of calls that may have to wait")))

def fitted(s: Scenario) -> Scenario:
    """The scenario with a horizon of a few spells: long enough to see them, short enough to wait.

    Many CPUs make many events, so they get fewer spells a replication (from a stationary start).
    """
    cycle, cpus = s.allocator.spell_ms + s.allocator.calm_ms, s.machine.cpus
    span = max(2.0 * cycle if cpus <= 16 else cycle, min(4.0 * cycle, 10_000.0 / max(1.0, cpus / 4)))
    return replace(s, horizon_ms=round(s.warmup_ms + span, 3))

def lines_of(s: Scenario) -> Iterator[tuple[str, tuple[int, ...], list[Scenario]]]:
    """The points of the curve: growing pools and page caches, all on the setting's base."""
    base = replace(s.remedy, nr_emergency_objs=0, emergency_at_boot=0, cache_shared=False,
        nr_bkv_objs=1, cache_at_boot=0)
    pools = [replace(base, nr_emergency_objs=n) for n in POOLS]
    empty = [replace(base, cache_shared=True, nr_bkv_objs=n) for n in PAGES]
    full = [replace(r, cache_at_boot=r.nr_bkv_objs) for r in empty]
    for name, sizes, line in zip(NAMES, (POOLS, PAGES, PAGES), (pools, full, empty), strict=True):
        yield name, sizes, [replace(s, remedy=remedy) for remedy in line]

class PoolOrPages:
    """The explorer of the thread's question; show `.widget`, read `.scenario` and `.result`."""
    def __init__(self, folder: str | Path = "krcsim-export", preset: str = "", rungs: tuple[int, ...] = RUNGS) -> None:
        self.folder, self.rungs = Path(folder), rungs
        preset = preset or next(iter(PRESETS.values()))
        self.base = load_scenario(preset)
        self.view = View(NAMES)
        self.result: Result | None = None
        self.picture: Picture | None = None
        self._latest = Latest(self._work, self._show, self._state, Stopped)
        self._build(preset)
        self._put()

    def _build(self, preset: str) -> None:
        look: Any = dict(style=dict(description_width="12em"), layout=w.Layout(width="23em", margin="0"))
        self.sliders = {c.field: w.SelectionSlider(options=[(f"{v:g}", v) for v in c.values],
            description=c.label, tooltip=c.why, **look) for c in CONTROLS}
        self.head = w.Dropdown(options=[("none (v5.9)", "none"), ("ATOMIC (A0)", "atomic"),
            ("try hard (A1)", "tryhard"), ("NOWAIT, ATOMIC, KERNEL", "three_step")],
            description="rcu_head request", **look)
        self.shared = w.Dropdown(options=[("per channel", False), ("shared", True)],
            description="Page cache is", **look)
        self.controls = self.sliders | {"remedy.head_alloc": self.head, "remedy.cache_shared": self.shared}
        self.preset = w.Dropdown(options=list(PRESETS.items()), value=preset, description="Preset", **look)
        self.reset = w.Button(description="Reset", tooltip="Back to the preset")
        self.cancel = w.Button(description="Cancel", tooltip="Stop refining", disabled=True)
        self.save = w.Button(description="Save figure, data, answer", disabled=True, layout=dict(width="15em"))
        self.status = w.HTML("Compiling the engine (once, some seconds) ...")
        width, height = SIZE
        self.image = w.Image(format="png", width=width, height=height,
            layout=dict(width=f"{width}px", height=f"{height}px"))
        self.value = w.HTML("")
        self.answer = w.Textarea(rows=24, description="Answer", layout=dict(width="50em"),
            style=dict(description_width="5em"))
        for control in self.controls.values():
            control.observe(self._moved, "value")
        self.preset.observe(self._put, "value")
        self.reset.on_click(self._put)
        self.cancel.on_click(lambda _: self._latest.cancel())
        self.save.on_click(lambda _: self.export())
        left = w.VBox([self.preset, *self.controls.values(), w.HBox([self.reset, self.cancel]),
            self.save], layout=dict(flex="0 0 auto"))  # labels stay whole: the picture wraps
        right = w.VBox([self.image, self.value, self.status], layout=dict(width=f"{width + 4}px", flex="0 0 auto"))
        columns = w.Box([left, right], layout=dict(display="flex", flex_flow="row wrap"))
        self.widget = w.VBox([columns, self.answer]).add_class("krcsim-explorer")

    @property
    def scenario(self) -> Scenario:
        """The scenario that the sliders stand for; raises KrcsimError if they contradict."""
        v = {field: control.value for field, control in self.controls.items()}
        v["remedy.cache_at_boot"] = min(v["remedy.cache_at_boot"], v["remedy.nr_bkv_objs"])
        v["grace_period.mean_ms"] = v["grace_period.mean_ms"] or None
        v["allocator.calm.page"] = min(self.base.allocator.calm.page, v["allocator.spell.page"])
        return fitted(changed(self.base, **v))

    def command(self, preset: str, s: Scenario) -> str:
        """The shell command with the same numbers for a scenario near a preset."""
        sets = [f"--set {k}={v}" for k, v in overrides(load_scenario(preset), s)]
        return " ".join(["krcsim reply", preset, *sets, "--remedies", ",".join(COMPARED),
            f"--max-rung {self.rungs[-1]} --precision 0.01"])

    def _put(self, _event: Any = None) -> None:
        """Set all sliders to the preset, with one run for the whole change."""
        s = self.base = load_scenario(self.preset.value)
        self._quiet = True
        for c in CONTROLS:
            given = attrgetter(c.field)(s) or 0
            self.sliders[c.field].value = min(c.values, key=lambda v: abs(v - given))
        self.head.value = s.remedy.head_alloc
        self.shared.value = s.remedy.cache_shared
        self._quiet = False
        self._moved()

    def _moved(self, _change: Any = None) -> None:
        try:
            if not self._quiet:
                self._latest.submit((self.preset.value, self.scenario))
        except KrcsimError as exc:
            self.status.value = html.escape(f"Not possible: {exc}")

    def _work(self, ticket: Ticket) -> Iterator[tuple[Scenario, Picture, Result | None]]:
        """In the worker's thread: a first number, the curve on each rung, the whole comparison."""
        (preset, s), stop = ticket.value, ticket.stop  # not the widgets: they may have moved on
        window = main_window(s)
        old = self.picture.lines if self.picture else ()
        runs = extend(s, SEED, None, replications_at(0), stop=stop)
        here = (float(s.bytes_at_full()), p_wait(runs, s, window))
        yield s, Picture(old, here, f"{len(runs)} replications, seed {SEED}", True), None
        points: dict[Scenario, Replications] = {}
        for total in map(replications_at, self.rungs):
            runs = extend(s, SEED, runs, total, stop=stop)
            lines = []
            for name, sizes, line in lines_of(s):
                for p in line:
                    points[p] = extend(p, SEED, points.get(p), total, stop=stop)
                lines.append(Line(name, sizes, tuple(float(p.bytes_at_full()) for p in line),
                    tuple(p_wait(points[p], p, window) for p in line)))
            shown = Picture(tuple(lines), (here[0], p_wait(runs, s, window)),
                f"{total} replications a point, seed {SEED}", False)
            yield s, shown, None
        yield s, shown, compare(s, COMPARED, seed=SEED, max_rung=self.rungs[-1], precision=0.01,
            command=self.command(preset, s), stop=stop)

    def _show(self, out: tuple[Scenario, Picture, Result | None]) -> None:
        """Back on the event loop, the only thread that sets widgets."""
        s, self.picture, self.result = out
        self.drawn = s
        self.image.value = self.view.png(self.picture)
        here = html.escape(words(self.picture.here[1]))
        self.value.value = (f"P(wait) of your setting: <b>{here}</b>, "
            f"{s.bytes_at_boot()} bytes per CPU at boot, {s.bytes_at_full()} at full; "
            f"{html.escape(s.grace_period.origin(s.machine.hz, s.machine.cpus))}")
        self.save.disabled = self.result is None
        if self.result is not None:
            self.answer.value = answer_text(self.result)

    def _state(self, state: str) -> None:
        self.cancel.disabled = state != "running"
        told = {"running": "refining ...", "done": "done", "stopped": "stopped; the picture stays"}
        self.status.value = html.escape(told.get(state, state))

    def export(self) -> list[Path]:
        """Write figure (png, svg), drawn data, scenario, result and answer; overwrites nothing."""
        if self.result is None or self.picture is None:
            self.status.value = "Nothing to save yet: wait for 'done'."
            return []
        about: dict[str, Any] = {"command": self.result.provenance["command"], "seed": SEED}
        rows = [f"# {k}: {v}" for k, v in about.items()]
        rows.append("line,size,bytes_per_cpu,p_wait,lo,hi,kind")
        x, e = self.picture.here
        for line in (*self.picture.lines, Line("your setting", (0,), (x,), (e,))):
            for n, x, e in zip(line.sizes, line.bytes_at_full, line.estimates, strict=True):
                cells = ["" if v is None else repr(v) for v in (e.value, e.lo, e.hi)]
                rows.append(",".join([line.name, str(n), f"{x:g}", *cells, e.kind]))
        text = toml_text(self.drawn, f"command: {about['command']}")
        stem = "pool-or-pages-" + hashlib.sha256(text.encode()).hexdigest()[:8]
        still = self.view.still(self.picture)
        files = {".png": picture(still, "png", about, 200), ".svg": picture(still, "svg", about),
            ".csv": "\n".join([*rows, ""]).encode(), ".toml": text.encode(),
            ".json": self.result.to_json().encode(), ".txt": self.answer.value.encode()}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = free_name(self.folder / f"{stem}.png").stem
            done = [write_whole(self.folder / f"{name}{end}", data) for end, data in files.items()]
        except (OSError, KrcsimError) as exc:
            self.status.value = html.escape(f"Not saved: {exc}")
            return []
        names = ", ".join(path.name for path in done)
        self.status.value = html.escape(f"Saved {names} in {self.folder}/")
        return done
