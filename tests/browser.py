# SPDX-License-Identifier: GPL-2.0-only
"""What the browser tests drive: a JupyterLab, a notebook of it in Chromium, and the explorer
there.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from matplotlib.image import imread

from benchmarks.ui import answers
from krcsim.cli.arguments import scenario_from
from krcsim.cli.command_line import parsed
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import load_scenario
from krcsim.widgets import (
    ColdStart,
    HowBig,
    OneEpisode,
    PoolOrPages,
    Pressure,
    RareAndExact,
    WhichKernel,
)
from krcsim.widgets.controls import CONTROLS, controls_of
from krcsim.widgets.explorer import PRESETS, Explorer
from tests.needs import browser

ROOT = Path(__file__).parent.parent
TOKEN = "krcsim-browser-test"
CHROMIUM = browser()
EXPLORERS: dict[str, type[Explorer]] = {
    "01_pool_or_pages": PoolOrPages,
    "02_one_episode": OneEpisode,
    "03_cold_start": ColdStart,
    "04_how_big": HowBig,
    "05_pressure": Pressure,
    "06_rare_and_exact": RareAndExact,
    "09_which_kernel": WhichKernel,
}
FIRST = load_scenario("thread-as-posted")
LABEL = next(label for label, name in PRESETS.items() if name == "thread-as-posted")
PATIENCE = 60.0  # seconds; a wait ends as soon as there is what it waits for
# A run of a notebook, or a start of JupyterLab or a kernel, that takes longer never ends; how long
# they take is for the benchmarks.
HANGS_S = 600.0
Screen = tuple[int, int, int]  # width, height, device pixels in one of CSS
LAPTOP: Screen = (1366, 768, 1)
ZOOMED: Screen = (683, 384, 2)  # the laptop's, at 200 %
DESKTOP: Screen = (1920, 1080, 1)
NARROW: Screen = (900, 768, 1)
WHAT_A_USER_LEAVES = shutil.ignore_patterns(
    "krcsim-export", "*.autosave*.toml", "*.pin-?.toml", ".ipynb_checkpoints"
)
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
READ_PICTURE = """async img => {
    const bytes = new Uint8Array(await (await fetch(img.src)).arrayBuffer());
    return btoa(Array.from(bytes, b => String.fromCharCode(b)).join(""));
}"""
HEAR_KERNEL = """() => {
    Object.assign(window, {said: [], ended: 0});
    window.jupyterapp.shell.currentWidget.sessionContext.iopubMessage.connect((_, m) => {
        const text = m.content.text ?? m.content.traceback?.join("\\n") ?? "";
        if (m.header.msg_type === "error" || text.includes("Traceback")) window.said.push(text);
        if (m.header.msg_type === "error") window.ended = Infinity; // no further cell is run
        if (m.parent_header.msg_type === "execute_request" && m.content.execution_state === "idle")
            window.ended++;
    });
}"""
# Not the word in the status line, which is drawn a moment later and may be that of another kernel.
KERNEL_STATE = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.kernelDisplayStatus"
CELLS = """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(
    cell => [cell.cell_type, cell.getSource()])"""

CONTROLS_NOW = """explorer => Object.fromEntries(
    [...explorer.querySelectorAll(".widget-inline-hbox")].map(box => [
        box.querySelector(".widget-label")?.textContent,
        box.querySelector(".widget-readout")?.textContent
            ?? box.querySelector("select")?.selectedOptions[0]?.value,
    ]))"""
ICONS = """explorer => [explorer, ...explorer.querySelectorAll("*")]
    .filter(e => e.classList.contains("jupyter-widgets-disconnected"))
    .map(e => getComputedStyle(e, "::before").display)"""
TOO_WIDE = """explorer => {
    const panel = explorer.closest(".jp-WindowedPanel-outer").getBoundingClientRect();
    const kinds = "button, input, select, textarea, img, .widget-html-content, .widget-label";
    return [...explorer.querySelectorAll(kinds)]
        .filter(e => e.getClientRects().length)
        .filter(e => e.getBoundingClientRect().right > panel.right
            || e.getBoundingClientRect().left < panel.left)
        .map(e => e.outerHTML.slice(0, 200));
}"""
CUT_CHOICES = """explorer => {
    const pen = document.createElement("canvas").getContext("2d"), arrow = 20;
    const seen = [...explorer.querySelectorAll("select")].filter(e => e.getClientRects().length);
    return seen.flatMap(select => {
        const style = getComputedStyle(select);
        pen.font = style.font;
        const room = select.clientWidth - parseFloat(style.paddingLeft) - arrow;
        return [...select.options].map(o => o.text)
            .filter(text => pen.measureText(text).width > room);
    });
}"""

# The edges of the first element of each selector, and of what is seen of the notebook.
EDGES = """(explorer, parts) => {
    const edges = e => { const box = e.getBoundingClientRect();
        return {left: box.left, top: box.top, right: box.right, bottom: box.bottom}; };
    const seen = explorer.closest(".jp-WindowedPanel-outer");
    return [seen, ...parts.map(part => explorer.querySelector(part))].map(edges);
}"""
BACKGROUND = """explorer => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.fillStyle = getComputedStyle(explorer).getPropertyValue("--jp-layout-color0").trim();
    return pen.fillStyle;
}"""

T = TypeVar("T")


def kind_of(path: str) -> str:
    """Whether a field is on a slider or in a list of choices."""
    return "choice" if CONTROLS[path].is_choice else "slider"


def shown(s: Scenario, path: str) -> str:
    """A field as its control has it."""
    control = CONTROLS[path]
    value = control.value_in(s)
    if not control.is_choice:
        return f"{value:g}"
    return next(str(text) for text, choice in control.options() if choice == value)


def scenario_of(command: str) -> Scenario:
    """The scenario of a shell command."""
    return scenario_from(parsed(shlex.split(command)[1:]))


@dataclass(frozen=True)
class Picture:
    """What a PNG shows: the stamp in its text, and a hash of its pixels without that."""

    stamp: str
    pixels: str

    @classmethod
    def read(cls, png: bytes) -> Picture:
        assert png.startswith(b"\x89PNG\r\n"), "no PNG"
        at, stamp, pixels = 8, "", hashlib.sha256()
        while at < len(png):
            size, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
            body = png[at + 8 : at + 8 + size]
            if kind == b"tEXt" and body.startswith(b"Comment\0"):
                stamp = body.removeprefix(b"Comment\0").decode("latin-1")
            elif kind == b"IDAT":
                pixels.update(body)
            at += size + 12
        return cls(stamp, pixels.hexdigest())


class Notebook:
    """A notebook in a page of its own, and its explorer as a person sees it."""

    def __init__(self, page: Any, url: str, folder: Path, name: str) -> None:
        self.page, self.folder, self.name = page, folder, name
        self.kind = EXPLORERS.get(name, Explorer)  # else something without sliders
        self.fields = list(controls_of(self.kind.name)) if name in EXPLORERS else []
        self.console: list[str] = []
        page.on("console", lambda m: self.console.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: self.console.append(str(e)))
        page.goto(url, timeout=HANGS_S * 1000)
        page.wait_for_selector(f"{PANEL} .jp-Notebook .jp-Cell", timeout=HANGS_S * 1000)
        self.idle()
        page.evaluate(HEAR_KERNEL)
        self.run_all()

    # ---- JupyterLab

    def idle(self) -> None:
        """Without a kernel "Run All Cells" does nothing at all."""
        self.until(lambda: self.page.evaluate(KERNEL_STATE) == "idle", "idle kernel", HANGS_S)

    def menu(self, name: str, item: str) -> None:
        self.page.locator(".lm-MenuBar-itemLabel").get_by_text(name, exact=True).click()
        self.page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()

    def run_all(self) -> None:
        """Run All Cells, to the end of the last one, and the first answer."""
        to_run = sum(kind == "code" for kind, _ in self.cells())
        self.page.evaluate("window.ended = 0")
        self.menu("Run", "Run All Cells")
        self.until(
            lambda: self.page.evaluate("window.ended") >= to_run,
            lambda: f"end of {to_run} cells, only of {self.page.evaluate('window.ended')},",
            HANGS_S,
        )
        # The first answer may wait for a version of the engine that is compiled.
        self.until(
            lambda: self.root.count() and not self.is_gone() and self.answer(), "answer", HANGS_S
        )
        self.idle()

    def restart(self) -> None:
        self.menu("Kernel", "Restart Kernel…")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.until(self.is_gone, "a sentence that the kernel is gone")
        self.idle()

    def cells(self) -> list[list[str]]:
        """Kind and source of each cell."""
        return list(self.page.evaluate(CELLS))

    def theme(self, name: str) -> None:
        self.page.evaluate(
            "t => window.jupyterapp.commands.execute('apputils:change-theme', {theme: t})", name
        )
        self.page.wait_for_selector(
            f"body[data-jp-theme-name='{name}']", state="attached", timeout=PATIENCE * 1000
        )

    def screen(self, width: int, height: int, ratio: int) -> None:
        """As on a screen of so many pixels; a ratio of 2 is what a zoom of 200 % does."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.context.new_cdp_session(self.page).send(
            "Emulation.setDeviceMetricsOverride",
            dict(width=width, height=height, deviceScaleFactor=ratio, mobile=False),
        )

    def shot(self, path: Path, part: str = "") -> None:
        path.parent.mkdir(exist_ok=True)
        (self.root.locator(part).first if part else self.root).evaluate("e => e.scrollIntoView()")
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=path)

    def tracebacks(self) -> list[str]:
        """What is red in a cell, and each error or traceback that a kernel sent, for a cell or
        not.
        """
        red = self.page.locator(
            f"{PANEL} .ansi-red-fg, {PANEL} [data-mime-type*=stderr]"
        ).all_inner_texts()
        return [*red, *self.page.evaluate("window.said")]

    # ---- the explorer

    @property
    def root(self) -> Any:
        return self.page.locator(f"{PANEL} .krcsim-explorer").first

    def until(
        self,
        reached: Callable[[], T],
        what: str | Callable[[], str],
        patience: float = PATIENCE,
    ) -> T:
        """Wait for it, for so many seconds."""
        end = time.monotonic() + patience
        while not (got := reached()):
            if time.monotonic() > end:
                missing = what if isinstance(what, str) else what()
                raise AssertionError(
                    f"no {missing} within {patience:g} s; the status: {self.status()!r}"
                )
            self.page.wait_for_timeout(50)
        return got

    def handle(self, label: str) -> Any:
        """The handle of a slider, on the tab that is opened for it."""
        self.open_tab_of(label)
        return self.root.get_by_role("slider", name=label, exact=True)

    def tabs(self, of: str) -> list[Any]:
        """The tabs of the controls, or of the answers; none where a few controls need none."""
        return list(self.root.locator(f".krcsim-{of}").get_by_role("tab").all())

    def open_tab(self, name: str) -> None:
        """Open a tab by its name."""
        self.root.get_by_role("tab", name=name, exact=True).click()

    def open_tab_of(self, label: str) -> None:
        """Open the tab that a control stands on, if it is hidden."""
        control = next((c for c in CONTROLS.values() if c.label == label), None)
        if control and self.tabs("controls") and not self.box(label).is_visible():
            self.open_tab(control.tab)

    def drag(self, label: str, way: int) -> None:
        """Drag a handle by the mouse, by a step and a half or a twelfth of the slider, whichever is
        more.
        """
        handle = self.handle(label)
        handle.evaluate("e => e.scrollIntoView({block: 'center'})")
        length = handle.evaluate("e => e.closest('.noUi-target').clientWidth")
        steps = float(handle.get_attribute("aria-valuemax"))
        at, mouse = handle.bounding_box(), self.page.mouse
        x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + way * length * max(1.5 / steps, 1 / 12), y, steps=3)
        mouse.up()

    def labels(self) -> list[str]:
        """The names of all sliders, as a screen reader has them."""
        return [
            h.get_attribute("aria-label") or "" for h in self.root.locator(".noUi-handle").all()
        ]

    def box(self, label: str) -> Any:
        """A control with its label."""
        return (
            self.root.locator(".widget-inline-hbox")
            .filter(has=self.page.get_by_text(label, exact=True))
            .first
        )

    def values(self) -> dict[str, str]:
        """What each slider and each list of choices says, by its label."""
        return dict(self.root.evaluate(CONTROLS_NOW))

    def value(self, path: str) -> str:
        return self.values()[CONTROLS[path].label]

    def setting(self) -> dict[str, str]:
        """What the controls of all fields say."""
        now = self.values()
        return {path: now[CONTROLS[path].label] for path in self.fields}

    def says(self, s: Scenario) -> bool:
        """Whether the controls stand for a scenario."""
        return self.setting() == {path: shown(s, path) for path in self.fields}

    def preset(self) -> str:
        return self.values()["Preset"]

    def choose(self, label: str, option: str) -> None:
        self.open_tab_of(label)
        self.box(label).locator("select").select_option(value=option)

    def button(self, name: str) -> Any:
        return self.root.get_by_role("button", name=name, exact=True)

    def press(self, button: str) -> None:
        self.button(button).click()

    def fill(self, label: str, text: str) -> None:
        """Type into a field, then Enter."""
        field = self.box(label).locator("input")
        field.fill(text)
        field.press("Enter")

    def status(self) -> str:
        return " ".join(self.root.locator(".krcsim-status").first.all_text_contents())

    def text(self) -> str:
        return str(self.root.text_content())

    def answer(self) -> str:
        if self.name not in EXPLORERS:
            return str(self.root.locator(".krcsim-verdict").first.text_content() or "")
        return str(self.root.locator("textarea").input_value())

    def command(self) -> str:
        """The shell command below the picture."""
        return str(self.root.locator(".krcsim-shell pre").text_content())

    def picture(self) -> Picture:
        """What is drawn now."""
        for _ in range(20):
            try:
                return Picture.read(
                    base64.b64decode(self.root.locator("img").first.evaluate(READ_PICTURE))
                )
            except Exception as exc:  # it was replaced while it was read
                last = exc
        raise last

    def pixels(self) -> Any:
        """The picture's pixels [row, column, colour], 0 to 255."""
        png = base64.b64decode(self.root.locator("img").first.evaluate(READ_PICTURE))
        return (imread(io.BytesIO(png))[:, :, :3] * 255).round().astype(int)

    def is_in_theme(self) -> bool:
        """Whether the picture's background is that of JupyterLab."""
        there = self.root.evaluate(BACKGROUND)  # as #rrggbb
        return "#" + "".join(f"{part:02x}" for part in self.pixels()[0, 0]) == there

    def is_drawn_as_shown(self) -> bool:
        """Whether the picture has as many pixels as its place on the screen, so that it is
        sharp.
        """
        image = self.root.locator("img").first
        ratio = self.page.evaluate("devicePixelRatio")
        shown = image.evaluate("e => [e.clientHeight, e.clientWidth]")
        height, width, _ = self.pixels().shape
        return [height, width] == [round(length * ratio) for length in shown]

    def edges(self, *parts: str) -> list[dict[str, float]]:
        """The edges of what is seen of the notebook, and of each part of the explorer."""
        return list(self.root.evaluate(EDGES, list(parts)))

    def drawn(self) -> Scenario:
        """The scenario that the picture says it shows."""
        return scenario_of(self.picture().stamp.split(" event ")[0])

    def follows(self, path: str) -> None:
        """Wait for the picture to show what a control says."""
        self.until(
            lambda: shown(self.drawn(), path) == self.value(path),
            lambda: f"picture of {path} = {self.value(path)}, only of {shown(self.drawn(), path)},",
        )

    def begin(self) -> None:
        """The first preset on all controls, and its picture."""
        if self.preset() == LABEL:
            self.press("Reset")  # its picture may have been cancelled
        self.choose("Preset", LABEL)
        self.until(lambda: self.says(FIRST), "first preset on the controls")
        self.until(lambda: self.says(self.drawn()), "its picture")

    def refine(self) -> None:
        """Something that takes its time to refine."""
        self.begin()
        self.choose("Preset", "Server, 128 CPUs")
        self.until(lambda: "of 256 replications" in self.status(), "refining")

    def calm(self) -> None:
        """Stop refining, if it does."""
        if (
            self.button("Cancel").count()
            and self.button("Cancel").is_enabled()
            and not self.is_gone()
        ):
            self.button("Cancel").dispatch_event("click")

    def stop(self) -> None:
        """Stop refining, and wait for the end of it."""
        self.calm()
        self.until(lambda: self.button("Cancel").is_disabled(), "end")

    def farther(self, path: str) -> int:
        """The way to the farther end of a slider: 1 is up."""
        handle = self.handle(CONTROLS[path].label)
        low, now, high = (
            float(handle.get_attribute(f"aria-value{what}")) for what in ("min", "now", "max")
        )
        return 1 if high - now > now - low else -1

    def export(self) -> set[Path]:
        """Export all; the new files."""
        before = set(self.folder.glob("krcsim-export/*"))
        self.press("Export")
        self.until(
            lambda: len(set(self.folder.glob("krcsim-export/[!.]*")) - before) >= 7,
            "seven new files",
        )
        self.until(lambda: "Exported" in self.status(), "word of the export")
        return set(self.folder.glob("krcsim-export/*")) - before

    def kept(self) -> Scenario:
        """The setting that is kept next to the notebook."""
        return load_scenario(self.folder / f"{self.kind.name}.autosave.toml")

    def too_wide(self) -> list[str]:
        """What sticks out of the notebook's panel."""
        return list(self.root.evaluate(TOO_WIDE))

    def cut_choices(self) -> list[str]:
        """The choices that are too long for their list."""
        found = self.root.evaluate(CUT_CHOICES)
        for tab in self.tabs("controls"):
            tab.click()
            found += self.root.evaluate(CUT_CHOICES)
        return list(found)

    # ---- one episode

    def event(self) -> int:
        return int(self.values()["Event"])

    def rule(self) -> str:
        return str(self.root.locator(".krcsim-status").last.text_content())

    def symbol(self) -> str:
        return str(self.root.locator(".krcsim-status").last.locator("code").text_content())

    # ---- when the kernel is gone

    def is_gone(self) -> bool:
        return bool(self.root.locator(".krcsim-gone").is_visible())

    def icons(self) -> list[str]:
        """How what is cut off from its kernel shows its icon."""
        return list(self.root.evaluate(ICONS))


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def jupyterlab(home: Path) -> Iterator[Callable[[str], str]]:
    """JupyterLab on a folder that holds notebooks/; gives the URL of one of them by name."""
    port, log = free_port(), home.parent / "lab.log"
    apart = {
        f"JUPYTER_{what}_DIR": str(home.parent / what.lower())
        for what in ("CONFIG", "DATA", "RUNTIME")
    }
    env = os.environ | apart | {"JUPYTER_CONFIG_PATH": str(ROOT / ".jupyter")}
    env["PYTHONPATH"] = str(ROOT)
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--IdentityProvider.token={TOKEN}",
        "--allow-root",
        f"--ServerApp.root_dir={home}",
        "--LabApp.expose_app_in_browser=True",
    ]
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=home, env=env, stdout=out, stderr=out)
        try:
            end = time.monotonic() + HANGS_S
            while not answers(f"http://127.0.0.1:{port}/api?token={TOKEN}"):
                if server.poll() is not None or time.monotonic() > end:
                    raise AssertionError("JupyterLab did not start: " + log.read_text()[-2000:])
                time.sleep(0.25)
            yield (
                lambda name: (
                    f"http://127.0.0.1:{port}/lab/workspaces/{name}/tree/"
                    + urllib.parse.quote(f"notebooks/{name}.ipynb")
                    + f"?token={TOKEN}"
                )
            )
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def notebooks_in_a_browser(folder: Path) -> Iterator[Callable[[str], Notebook]]:
    """Each notebook once, in a page of its own, under a path with blanks and an umlaut; gives a
    notebook by name, run.
    """
    home = folder / "Prüfung mit Leerzeichen"
    shutil.copytree(ROOT / "notebooks", home / "notebooks", ignore=WHAT_A_USER_LEAVES)
    opened: dict[str, Notebook] = {}

    with jupyterlab(home) as url, chromium() as browser:

        def notebook(name: str) -> Notebook:
            if name not in opened:
                page = browser.new_page(viewport=dict(width=LAPTOP[0], height=LAPTOP[1]))
                opened[name] = Notebook(page, url(name), home / "notebooks", name)
            return opened[name]

        yield notebook


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser that asks nobody for anything."""
    from playwright.sync_api import sync_playwright

    quiet = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-sync",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=quiet)
        try:
            yield browser
        finally:
            browser.close()
