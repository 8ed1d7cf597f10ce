# SPDX-License-Identifier: GPL-2.0-only
"""How soon a slider of PoolOrPages shows a right picture, in a real Chromium on a JupyterLab of its
own.

Next to it, in the same notebook and in alternating blocks, stands a slider that only swaps two
stored pictures: what widgets cost at least. Machines are shared and noisy, so that the ratio to it
is what counts. Numbers that differ from the shell's make the exit status 1; slow ones never do.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import os
import platform
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path
from typing import Any

from krcsim.cli.arguments import scenario_from
from krcsim.cli.command_line import parsed
from krcsim.results.result import load_result, words
from krcsim.runs.replications import warm_up
from krcsim.widgets.controls import CONTROLS

ROOT = Path(__file__).parent.parent
TOKEN = "krcsim-bench"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]
SLIDERS = (
    "workload.rate_hz",
    "allocator.episode.page",
    "remedy.nr_emergency_objs",
    "allocator.episode_ms",
    "grace_period.mean_ms",
    "allocator.calm_ms",
    "remedy.nr_bkv_objs",
    "allocator.episode.head",
)
PACKAGES = (
    "jupyterlab",
    "ipykernel",
    "ipywidgets",
    "anywidget",
    "numpy",
    "numba",
    "matplotlib",
    "pillow",
)
WAY_MS = 30  # between two moves of a drag
CELLS = (
    """
import asyncio, io
import ipywidgets as w
from PIL import Image, ImageOps, PngImagePlugin
from krcsim.widgets import PoolOrPages
explorer = PoolOrPages()
while explorer.done is None:
    await asyncio.sleep(0.1)
pngs = []
for n in range(2):
    text, out = PngImagePlugin.PngInfo(), io.BytesIO()
    text.add_text("Comment", f"control {n}")
    whole = Image.open(io.BytesIO(explorer.done.drawing.png))
    (ImageOps.mirror(whole) if n else whole).save(out, "png", compress_level=1, pnginfo=text)
    pngs.append(out.getvalue())
slider = w.SelectionSlider(options=[(str(n), n) for n in range(40)], value=20)
picture = w.Image(value=pngs[0], format="png", layout=explorer.image.layout)
slider.observe(lambda change: setattr(picture, "value", pngs[change["new"] % 2]), "value")
w.HBox([slider, picture]).add_class("bench-control")
""",
    "explorer",
)
LATENESS = """
import asyncio, time
async def bench_sleeper(late, span=0.005):
    while True:
        begin = time.perf_counter()
        await asyncio.sleep(span)
        late.append(time.perf_counter() - begin - span)
bench_late = []
bench_task = asyncio.get_running_loop().create_task(bench_sleeper(bench_late))
"""


@dataclass
class Bench:
    """The page, the kernel, how much to do, and what was found."""

    page: Any
    kernel: Any
    share: float
    pid: int = 0
    ms: dict[str, list[float]] = field(default_factory=dict)
    checked: list[tuple[str, str]] = field(default_factory=list)  # stamp, words under the picture
    lines: list[str] = field(default_factory=list)

    def add(self, name: str, ms: float) -> None:
        """Keep a time."""
        self.ms.setdefault(name, []).append(ms)

    def times(self, n: int) -> range:
        """So many times, or a tenth of it."""
        return range(max(1, round(n * self.share)))

    def js(self, code: str, arg: Any = None) -> Any:
        """What an expression is in the page."""
        return self.page.evaluate(code, arg)


# ---- a lab, a browser and a kernel of their own


def notebook() -> str:
    """The notebook that is driven."""
    cells = [
        dict(
            cell_type="code",
            id=f"cell-{n}",
            execution_count=None,
            metadata={},
            outputs=[],
            source=text.strip(),
        )
        for n, text in enumerate(CELLS)
    ]
    kernel = dict(name="python3", display_name="Python 3", language="python")
    return json.dumps(
        dict(cells=cells, metadata=dict(kernelspec=kernel), nbformat=4, nbformat_minor=5)
    )


def answers(url: str) -> bool:
    """Whether a server answers there."""
    try:
        with urllib.request.urlopen(url):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def started_lab() -> Iterator[tuple[str, Path]]:
    """JupyterLab in a temporary folder: the notebook's URL, and the folder."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="krcsim-ui-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        (home / "bench.ipynb").write_text(notebook())
        env = os.environ | {"JUPYTER_CONFIG_PATH": str(ROOT / ".jupyter"), "PYTHONPATH": str(ROOT)}
        env |= {
            f"JUPYTER_{kind}_DIR": str(home / kind.lower())
            for kind in ("CONFIG", "DATA", "RUNTIME")
        }
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            f"--IdentityProvider.token={TOKEN}",
            f"--ServerApp.root_dir={home}",
        ]
        with (home / "log").open(
            "w"
        ) as log:  # a session of its own: Ctrl-C would make it ask a question
            server = subprocess.Popen(
                command, cwd=home, env=env, stdout=log, stderr=log, start_new_session=True
            )
        try:
            wait(
                lambda: answers(f"http://127.0.0.1:{port}/api?token={TOKEN}"),
                60,
                "JupyterLab does not start",
            )
            yield f"http://127.0.0.1:{port}/lab/tree/bench.ipynb?token={TOKEN}", home
        finally:
            stop(server)


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server; it ends its kernels."""
    server.terminate()
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def wait(done: Callable[[], Any], seconds: float, what: str) -> None:
    """Wait until `done`; raises SystemExit with `what` if that takes too long."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise SystemExit(what)
        time.sleep(0.05)


@contextlib.contextmanager
def opened_page(url: str) -> Iterator[Any]:
    """The notebook, run, in Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            page.goto(url)
            page.get_by_text("| Idle").wait_for(timeout=60_000)
            page.get_by_text("Run", exact=True).first.click()
            page.get_by_text("Run All Cells", exact=True).click()
            for selector in (
                ".bench-control img",
                ".krcsim-explorer img[src^=blob]",
                ".krcsim-explorer .noUi-handle",
            ):
                page.wait_for_selector(selector, state="attached", timeout=60_000)
            page.evaluate(Path(__file__).with_suffix(".js").read_text())
            page.evaluate(
                "bench.watch('control', '.bench-control'); bench.watch('explorer', "
                "'.krcsim-explorer')"
            )
            yield page
        finally:
            with contextlib.suppress(Exception):
                browser.close()


@contextlib.contextmanager
def second_client(home: Path) -> Iterator[Any]:
    """Another client of the same kernel; without its outputs, which would pile up in the kernel
    when unread.
    """
    from jupyter_client.blocking.client import BlockingKernelClient

    kernel = BlockingKernelClient(
        connection_file=str(next((home / "runtime").glob("kernel-*.json")))
    )
    kernel.load_connection_file()
    kernel.start_channels(iopub=False, stdin=False, hb=False, control=False)
    try:
        yield kernel
    finally:
        kernel.stop_channels()


def value_in_kernel(b: Bench, expression: str, code: str = "") -> Any:
    """What an expression is in the kernel after some code."""
    sent = b.kernel.execute(
        code, silent=True, user_expressions={"x": f"__import__('json').dumps({expression})"}
    )
    while (reply := b.kernel.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != sent:
        pass
    if (
        reply["content"]["status"] != "ok"
        or "data" not in reply["content"]["user_expressions"]["x"]
    ):
        raise SystemExit(f"the kernel says {reply['content']}")
    return json.loads(
        ast.literal_eval(reply["content"]["user_expressions"]["x"]["data"]["text/plain"])
    )


# ---- moves


def handle_of(b: Bench, path: str) -> Any:
    """The handle of a slider of the explorer, or of the control."""
    if path == "control":
        return b.page.locator(".bench-control .noUi-handle").first
    handle = b.page.locator(
        f".krcsim-explorer .noUi-handle[aria-label='{CONTROLS[path].label}']"
    ).first
    if not handle.is_visible():
        b.page.get_by_role("tab", name=CONTROLS[path].tab, exact=True).click()
    return handle


def key_for(handle: Any, n: int) -> str:
    """Two steps up, two down, and never against an end."""
    now, top = (int(float(handle.get_attribute(f"aria-value{x}"))) for x in ("now", "max"))
    return "ArrowLeft" if now == top else "ArrowRight" if now == 0 or n % 4 < 2 else "ArrowLeft"


def readout(handle: Any) -> str:
    """The value next to a slider."""
    return str(
        handle.evaluate(
            "e => e.closest('.widget-inline-hbox').querySelector('.widget-readout').textContent"
        )
    )


def right(stamp: str, path: str, value: str) -> bool:
    """Whether a first picture is of that value."""
    if path == "control":
        return stamp == f"control {int(value) % 2}"
    if "--remedies own " not in stamp or " --max-runs 8 " not in f"{stamp} ":
        return False
    given = attrgetter(path)(scenario_from(parsed(shlex.split(stamp)[1:])))
    return f"{given or 0:g}" == value


def move(b: Bench, path: str, n: int) -> tuple[float, int, dict[str, Any]]:
    """Press a key on a slider: when it went down, how many pictures there were, and the first right
    one.
    """
    name = "control" if path == "control" else "explorer"
    handle, part = handle_of(b, path), "control" if path == "control" else "--remedies own"
    handle.focus()
    key, before = key_for(handle, n), b.js("name => bench.count(name)", name)
    b.page.keyboard.press(key)
    at, value = b.js("bench.keys.at(-1)"), readout(handle)
    for _ in range(10):
        b.js("([name, n, part]) => bench.shown(name, n, part, 1000)", [name, before, part])
        for one in b.js("([name, n]) => bench.since(name, n)", [name, before]):
            if one["shown"] and right(one["stamp"] or "", path, value):
                return at, before, one
    raise SystemExit(
        f"no right picture of {path} = {value} within ten seconds; the last one says {one['stamp']}"
    )


def look_at(b: Bench, selector: str) -> None:
    """Scroll something into view."""
    b.page.locator(selector).first.evaluate("e => e.scrollIntoView()")
    b.page.wait_for_timeout(300)


def quiet(b: Bench, *, cancel: bool) -> None:
    """Wait until the explorer rests, or make it."""
    if cancel:
        b.js(
            "[...document.querySelectorAll('.krcsim-explorer button')].find(e => e.innerText == "
            "'Cancel').click()"
        )
    b.js("bench.state(['done', 'stopped', 'error'], 30000)")
    b.page.wait_for_timeout(300)


# ---- what is measured


def first_pictures(b: Bench) -> None:
    """From the key to the right picture: from rest, and while the last move is refined; the control
    in between.
    """
    for block in b.times(10):
        look_at(b, ".bench-control")
        for n in range(4):
            at, _, one = move(b, "control", n + 2 * block)
            b.add("control", one["shown"] - at)
            b.page.wait_for_timeout(150)
        look_at(b, ".krcsim-explorer")
        for n in range(4):
            from_rest(
                b,
                SLIDERS[(4 * block + n) % len(SLIDERS)],
                (4 * block + n) // len(SLIDERS),
                checked=n % 4 == 0,
            )
        for n in range(3):
            at, _, one = move(
                b, SLIDERS[(3 * block + n) % len(SLIDERS)], (3 * block + n) // len(SLIDERS) + 1
            )
            b.add("refining", one["shown"] - at)
            b.page.wait_for_timeout((100, 250, 500)[n])
        quiet(b, cancel=True)


def from_rest(b: Bench, path: str, n: int, *, checked: bool) -> None:
    """One move while nothing else goes on."""
    at, before, one = move(b, path, n)
    b.add("explorer", one["shown"] - at)
    b.page.wait_for_timeout(150)
    quiet(b, cancel=True)
    if checked:
        words_then = next(
            x["words"]
            for x in b.js("n => bench.since('explorer', n)", before)
            if x["stamp"] == one["stamp"]
        )
        b.checked.append((one["stamp"], words_then))


def full_curves(b: Bench) -> None:
    """From the key to the first curve, to the last step but one, and to the last."""
    for n in b.times(3):
        at, before, _ = move(b, SLIDERS[n % len(SLIDERS)], 0)
        quiet(b, cancel=False)
        pictures = b.js("n => bench.since('explorer', n)", before)
        curves = [x for x in pictures if "--remedies curve" in (x["stamp"] or "")]
        for name, k in (("first curve", 0), ("last but one", -2), ("last step", -1)):
            b.add(name, (curves[k]["shown"] or curves[k]["changed"]) - at)
        if n == 0:
            b.checked.append((curves[-1]["stamp"], curves[-1]["words"]))


def cancels(b: Bench) -> None:
    """From the click on Cancel to the word `stopped`."""
    button = b.page.get_by_role("button", name="Cancel")
    for n in b.times(8):
        move(b, SLIDERS[n % len(SLIDERS)], n // len(SLIDERS) + 2)
        b.page.wait_for_timeout((200, 600)[n % 2])
        button.click()
        b.js("bench.state(['stopped'], 10000)")
        b.add(
            "cancel",
            b.js("bench.said.findLast((x) => x[1].startsWith('stopped'))[0] - bench.clicks.at(-1)"),
        )
        b.page.wait_for_timeout(200)


def other_cells(b: Bench) -> None:
    """How long 1+1 takes from another client, at rest and while the explorer refines."""

    def ask(name: str) -> None:
        begin = time.perf_counter()
        if value_in_kernel(b, "1+1") != 2:
            raise SystemExit("1+1 is not 2")
        b.add(name, 1000 * (time.perf_counter() - begin))

    for _ in b.times(20):
        ask("1+1 at rest")
        time.sleep(0.03)
    move(b, SLIDERS[0], 0)
    for _ in b.times(20):
        time.sleep(0.1)
        ask("1+1 refining")
    quiet(b, cancel=True)


def late(b: Bench, name: str, meanwhile: Callable[[], Any]) -> None:
    """How late a task on the kernel's main thread wakes meanwhile."""
    value_in_kernel(b, "1", LATENESS)
    meanwhile()
    b.ms[name] = [1000 * x for x in value_in_kernel(b, "bench_late", "bench_task.cancel()")]


def drag(b: Bench, moves: int) -> None:
    """Moves in quick succession, eight steps up and eight down."""
    due = time.perf_counter()
    for n in range(moves):
        if n % 50 == 0:
            handle = handle_of(b, SLIDERS[n // 50 % len(SLIDERS)])
            handle.focus()
        b.page.keyboard.press("ArrowRight" if n % 16 < 8 else "ArrowLeft")
        due = max(due + WAY_MS / 1000, time.perf_counter())
        time.sleep(max(0.0, due - time.perf_counter()))


def status(b: Bench, key: str) -> int:
    """A number from the kernel's /proc/PID/status: VmRSS in kB, Threads."""
    lines = Path(f"/proc/{b.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(key)))


def long_drag(b: Bench) -> None:
    """Memory and threads before and after many moves, pictures on the way, lateness meanwhile."""
    drag(b, len(b.times(100)))
    quiet(b, cancel=True)
    before, threads, pictures = (
        status(b, "VmRSS"),
        status(b, "Threads"),
        b.js("bench.count('explorer')"),
    )
    begin = time.perf_counter()
    late(b, "late, drag", lambda: drag(b, len(b.times(1000))))
    rate = (b.js("bench.count('explorer')") - pictures) / (time.perf_counter() - begin)
    quiet(b, cancel=True)
    b.ms["memory MB"] = [(status(b, "VmRSS") - before) / 1024]
    b.lines += [
        f"{'pictures a second in the drag':34}{rate:9.1f}",
        f"{'kernel memory (MB)':34}{before / 1024:9.1f} -> {status(b, 'VmRSS') / 1024:.1f}",
        f"{'kernel threads':34}{threads:9d} -> {status(b, 'Threads')}",
    ]


def shell_says(stamp: str, folder: Path) -> str:
    """P(wait) of the setting by the stamp's command, in words."""
    out = subprocess.run(
        [sys.executable, "-m", *shlex.split(stamp), "--json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    path = folder / "result.json"
    path.write_text(out)
    result = load_result(path)
    return words(result.get("own", "p_wait", result.windows()[-1]))


def wrong_numbers(b: Bench, folder: Path) -> int:
    """How many of the words under checked pictures are not the shell's."""
    some = [*b.checked[: max(2, round(6 * b.share))], b.checked[-1]]
    wrong = 0
    for stamp, seen in some:
        want = f"P(wait) of your setting: {shell_says(stamp, folder)};"
        if not seen.startswith(want):
            wrong += 1
            print(f"WRONG: the explorer says {seen!r}, the shell {want!r}\n  {stamp}")
    b.lines.append(f"{'pictures held against the shell':34}{len(some):9d}, {wrong} wrong")
    return wrong


# ---- the table


def machine() -> str:
    """The processor's name and the number of CPUs."""
    models = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{(models or [platform.machine()])[0]}, {os.cpu_count()} CPUs"


def at(values: list[float], share: float) -> float:
    """A quantile by rank."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


ROWS = (
    ("control", "control: key to picture"),
    ("explorer", "explorer, at rest: key to picture"),
    ("refining", "explorer, refining: the same"),
    ("first curve", "key to first full curve"),
    ("last but one", "key to last step but one"),
    ("last step", "key to last step"),
    ("cancel", "Cancel to `stopped`"),
    ("1+1 at rest", "1+1 elsewhere, at rest"),
    ("1+1 refining", "1+1 elsewhere, refining"),
    ("late, rest", "main thread late, at rest"),
    ("late, refining", "main thread late, refining"),
    ("late, drag", "main thread late, drag"),
)


def table(b: Bench) -> None:
    """All times in ms."""
    print(f"\n{'ms':34}{'median':>9}{'p90':>9}{'p99':>9}{'max':>9}{'n':>7}")
    for name, said in ROWS:
        v = b.ms[name]
        print(
            f"{said:34}{statistics.median(v):9.2f}{at(v, 0.9):9.2f}{at(v, 0.99):9.2f}"
            f"{max(v):9.2f}{len(v):7d}"
        )
    print(*b.lines, sep="\n")


def verdicts(b: Bench, wrong: int) -> None:
    """A line for each bar."""
    median = {name: statistics.median(v) for name, v in b.ms.items()}
    p90 = {name: at(v, 0.9) for name, v in b.ms.items()}
    for said, value, bar in (
        ("explorer / control, at rest", median["explorer"] / median["control"], 1.7),
        ("the same at their p90", p90["explorer"] / p90["control"], 2.0),
        ("explorer / control, refining", median["refining"] / median["control"], 2.0),
        ("first full curve (s)", median["first curve"] / 1000, 2.0),
        ("memory after the moves (MB more)", median["memory MB"], 20.0),
        ("main thread late, refining (ms)", median["late, refining"], 1.0),
        ("main thread late, drag (ms)", median["late, drag"], 1.0),
        ("numbers that are not the shell's", wrong, 0),
    ):
        print(f"{'ok' if value <= bar else 'MISSED':7}{said:34}{value:8.2f}   bar {bar:g}")


def load() -> str:
    """Load averages now."""
    return " ".join(f"{x:.2f}" for x in os.getloadavg())


def measure(b: Bench, home: Path) -> int:
    """Everything, in turn; the number of wrong answers."""
    b.pid = value_in_kernel(b, "__import__('os').getpid()")
    quiet(b, cancel=True)
    first_pictures(b)
    full_curves(b)
    cancels(b)
    other_cells(b)
    late(b, "late, rest", lambda: time.sleep(1))
    late(b, "late, refining", lambda: [move(b, SLIDERS[0], 0), b.page.wait_for_timeout(4000)])
    quiet(b, cancel=True)
    long_drag(b)
    return wrong_numbers(b, home)


def main() -> int:
    """Measure, print, and say by the exit status whether all numbers were right."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.ui", description=__doc__)
    options.add_argument("--quick", action="store_true", help="a tenth of the moves")
    quick = options.parse_args().quick
    if CHROMIUM is None:
        raise SystemExit("no Chromium (Debian: apt install chromium)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    warm_up()
    print(f"{time.strftime('%Y-%m-%d %H:%M %z')}, {machine()}, load average {load()}")
    with started_lab() as (url, home), opened_page(url) as page, second_client(home) as kernel:
        b = Bench(page, kernel, 0.1 if quick else 1.0)
        versions = [f"{name} {version(name)}" for name in PACKAGES]
        print(
            f"Python {platform.python_version()}, Chromium {page.context.browser.version}, "
            f"{', '.join(versions)}"
        )
        wrong = measure(b, home)
    table(b)
    print(f"load average {load()}\n")
    verdicts(b, wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
