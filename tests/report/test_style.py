# SPDX-License-Identifier: GPL-2.0-only
"""A person's matplotlib settings change no byte of a figure, and no figure changes a person's
settings.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from krcsim.report.style import Picture, plain

import matplotlib
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from krcsim.base.errors import KrcsimError
from krcsim.engine.codes import EVENTS
from krcsim.guest.picture import draw, png
from krcsim.guest.recordings import read_conditions
from krcsim.guest.score import Answer as Scored
from krcsim.guest.score import Comparison
from krcsim.model.scenario_file import load_scenario
from krcsim.report import palette, style
from krcsim.report.chart import OWN, Chart, Line
from krcsim.report.episode import Episode, Event
from krcsim.report.export import Answer, file_of
from krcsim.results.estimate import Estimate
from krcsim.runs.ladder import SEED
from krcsim.studies.sensitivity import Index, Sensitivity
from krcsim.studies.sensitivity_chart import picture_of_sensitivity
from krcsim.widgets.browser_side import BrowserSide
from krcsim.widgets.chart_picture import chart_picture
from krcsim.widgets.live_picture import LivePicture
from tests.quick import mostly_slow

ROOT = Path(__file__).parents[2]
HOSTILE = {
    "text.usetex": "True",
    "font.size": "31",
    "font.family": "monospace",
    "axes.facecolor": "black",
    "axes.prop_cycle": "cycler(color=['r'])",
    "axes.grid": "True",
    "lines.linewidth": "9",
    "figure.dpi": "33",
    "figure.figsize": "2, 2",
    "figure.constrained_layout.use": "True",
    "savefig.dpi": "44",
    "savefig.facecolor": "red",
    "savefig.bbox": "tight",
    "savefig.pad_inches": "2",
    "savefig.transparent": "True",
    "savefig.format": "pdf",
    "svg.hashsalt": "theirs",
    "svg.fonttype": "path",
    "svg.image_inline": "False",
    "pdf.compression": "0",
    "pdf.fonttype": "42",
    "path.simplify": "False",
    "path.sketch": "5, 100, 2",
    "patch.force_edgecolor": "True",
    "xtick.direction": "in",
    "ytick.labelsize": "22",
    "legend.frameon": "False",
    "axes.unicode_minus": "False",
    "text.hinting": "none",
    "axes.formatter.use_locale": "True",
    "mathtext.fontset": "cm",
    "backend": "pdf",
}
SCENARIO = load_scenario("phone")
CHART = Chart(
    (
        Line(
            "pool of N objects",
            ("1", "2", "3"),
            (40.0, 80.0, 4096.0),
            (
                Estimate(1e-3, 5e-4, 2e-3, "interval"),
                Estimate(2e-5, 1e-6, 4e-4, "rough"),
                Estimate(None, 0.0, 3e-4, "bound"),
            ),
        ),
        Line(OWN, ("",), (64.0,), (Estimate(1e-2, 9e-3, 1.1e-2, "interval"),)),
    ),
    "bytes per CPU",
    "P(wait)",
    True,
    "a note",
)
EPISODE = Episode(
    SCENARIO,
    SEED,
    0,
    1,
    0,
    100.0,
    200.0,
    20.0,
    tuple(
        Event(100.0 + 7 * n, 0, what, 1.0, n % 3, n % 2, 1, n, n // 2)
        for n, what in enumerate(EVENTS[:12])
    ),
    calls=1204,
    all_waits=3,
)
INDICES = (
    Index("rate_hz", (1.0, 2.0), (0.5, 0.4, 0.6), (0.7, 0.6, 0.8)),
    Index("head", (0.5, 2.0), (0.1, 0.0, 0.2), (0.2, 0.1, 0.3)),
)
RANKED = Sensitivity("p_wait", "steady", INDICES, 1e-9, 0.1, 0.05, 1.0, 8, 40, 0, SCENARIO, 1)


def compared() -> list[Comparison]:
    """What a model might have said of recorded conditions: one inside, the others not."""
    inside, outside = Scored(0.2, 0.19, 0.1, 0.3, 0.02), Scored(0.02, 0.19, 0.1, 0.3, 0.002)
    answers = [(inside, outside), (outside, inside), (outside, outside)]
    conditions = read_conditions("pool")[:: len(read_conditions("pool")) // 3]
    return [Comparison(c, *both, 10.0, 10.0) for c, both in zip(conditions, answers, strict=False)]


def figures(at: Path) -> Iterator[tuple[str, bytes]]:
    """A figure of each kind that krcsim makes, by name."""
    for kind in ("png", "svg", "pdf"):
        for name, what in (("chart", CHART), ("episode", EPISODE)):
            yield (
                f"{name}.{kind}",
                file_of(Answer(name, SCENARIO, SEED, "krcsim x", what, "t\n"), kind),
            )
    yield "slider", chart_picture(LivePicture(plain), CHART, "krcsim x").png
    yield "ranking", picture_of_sensitivity(RANKED)._repr_png_()
    yield "recordings", png(compared())
    draw(compared(), at / "kernel.png")
    yield "all recordings", (at / "kernel.png").read_bytes()


def hashes(at: Path) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in figures(at)}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return hashes(tmp_path_factory.mktemp("usual"))


@pytest.mark.slow
def test_settings_of_this_process_change_no_byte(usual: dict[str, str], tmp_path: Path) -> None:
    with matplotlib.rc_context({k: v for k, v in HOSTILE.items() if k != "backend"}):
        theirs = dict(matplotlib.rcParams)
        assert hashes(tmp_path) == usual
        assert dict(matplotlib.rcParams) == theirs


@pytest.mark.parametrize(
    "name",
    mostly_slow(
        [
            "text.usetex",
            "font.size",
            "savefig.dpi",
            "savefig.bbox",
            "svg.hashsalt",
            "svg.image_inline",
            "pdf.compression",
            "figure.constrained_layout.use",
        ],
        "font.size",
        "svg.hashsalt",
    ),
)
def test_no_single_setting_changes_a_byte(name: str, usual: dict[str, str]) -> None:
    with matplotlib.rc_context({name: HOSTILE[name]}):
        answer = Answer("chart", SCENARIO, SEED, "krcsim x", CHART, "t\n")
        kind = name.split(".")[0] if name.split(".")[0] in ("svg", "pdf") else "png"
        assert hashlib.sha256(file_of(answer, kind)).hexdigest() == usual[f"chart.{kind}"]


@pytest.mark.parametrize(
    "where", ["matplotlibrc", "elsewhere/matplotlibrc", "config/matplotlib/matplotlibrc"]
)
@pytest.mark.slow
def test_a_matplotlibrc_changes_no_byte(where: str, usual: dict[str, str], tmp_path: Path) -> None:
    """In the folder, named by MATPLOTLIBRC, or in the person's configuration."""
    path = tmp_path / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{key}: {value}\n" for key, value in HOSTILE.items()))
    code = (
        "import json, matplotlib, pathlib; from tests.report.test_style import hashes; "
        "print(json.dumps([matplotlib.rcParams['font.size'], "
        "hashes(pathlib.Path('.'))]))"
    )
    folders = [ROOT, *(ROOT / name for name in "report studies notebooks shell kernel".split())]
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
    }
    env.pop("MPLCONFIGDIR", None)
    if where.startswith("elsewhere"):
        env["MATPLOTLIBRC"] = str(path)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [31.0, usual]


def test_a_matplotlibrc_that_is_no_text_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_bytes(b"\xff\xfe\x00")
    command = [
        sys.executable,
        "-m",
        "krcsim",
        "simulate",
        "phone",
        "--episode",
        "1",
        "--out",
        "f.png",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("krcsim: matplotlib cannot read your matplotlibrc")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "f.png").exists()


def test_a_setting_made_while_a_figure_is_drawn_is_kept() -> None:
    with matplotlib.rc_context({"lines.linewidth": 3.0}):
        with plain():
            assert matplotlib.rcParams["lines.linewidth"] == 1.5
            matplotlib.rcParams["lines.linewidth"] = 7.0  # as a cell does while a slider draws
        assert matplotlib.rcParams["lines.linewidth"] == 7.0


@pytest.mark.slow
def test_two_threads_that_draw_at_once_leave_a_persons_settings_alone() -> None:
    with matplotlib.rc_context({"font.size": 31.0}):
        threads = [
            threading.Thread(
                target=lambda: [picture_of_sensitivity(RANKED)._repr_png_() for _ in range(3)]
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert matplotlib.rcParams["font.size"] == 31.0


def test_a_picture_is_an_image_and_its_text_is_a_line() -> None:
    picture = picture_of_sensitivity(RANKED)
    assert isinstance(picture, Picture)
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert "\n" not in repr(picture)


SOURCES = sorted(
    p
    for folder in "krcsim report studies notebooks shell kernel validation benchmarks".split()
    for p in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_figures_are_made_and_written_in_one_place(path: Path) -> None:
    """Whoever made one elsewhere would make it under a person's settings; the view is told under
    which it draws.
    """
    if path == Path(style.__file__) or path.stem == "live_picture":
        return
    calls = [
        node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
    ]
    names = {f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in calls}
    assert not names & {"Figure", "FigureCanvasAgg", "savefig", "print_figure", "rc_context"}


PACKAGE = Path(style.__file__).parents[1]
LOOKS = re.compile(r"#[0-9a-fA-F]{6}\b|\bcolou?rs? ?= ?[\"']|\b(?:mfc|ec|fc) ?= ?[\"']|\"C[0-9]\"")


@pytest.mark.parametrize(
    "path",
    sorted(path for kind in ("py", "js") for path in PACKAGE.rglob(f"*.{kind}")),
    ids=lambda path: f"{path.parent.name}.{path.name}",
)
def test_colours_stand_in_one_place(path: Path) -> None:
    """So that a change of the look touches one file."""
    found = LOOKS.findall(path.read_text(encoding="utf-8"))
    assert bool(found) == (path == Path(palette.__file__))


def test_no_two_lines_of_a_chart_look_alike() -> None:
    for part in ("colour", "marker", "dash"):
        assert len({str(getattr(look, part)) for look in palette.LINES}) == len(palette.LINES)


def test_the_script_of_the_browser_has_the_colours_of_the_palette() -> None:
    script = str(BrowserSide._esm) + str(BrowserSide._css)
    assert all(colour in script for colour in palette.CSS.values())
    assert "_COLOUR" not in script


def test_axes_of_a_persons_own_keep_their_style() -> None:
    with matplotlib.rc_context({"axes.facecolor": "black"}):
        ax: Axes = Figure().subplots()
        picture_of_sensitivity(RANKED)
        assert ax.get_facecolor() == (0.0, 0.0, 0.0, 1.0)


# ---- light and dark


def luminance(colour: str) -> float:
    """The relative luminance of a colour as the WCAG defines it, 0 (black) to 1 (white)."""
    parts = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in to_rgb(colour)]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as the WCAG defines it, 1 (equal) to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
HUES = sorted({look.colour for look in (*palette.LINES, palette.STALL, palette.WAIT)})
BACKGROUNDS = (palette.WHITE, palette.PALEST_GREY)


@THEMES
@pytest.mark.parametrize("hue", HUES)
def test_each_line_shows_on_its_background_and_text_in_its_colour_can_be_read(
    theme: str, hue: str
) -> None:
    with plain(theme):
        paper, grey = map(palette.shade, BACKGROUNDS)
        assert contrast(palette.shade(hue), paper) >= 3.0
        assert min(contrast(palette.as_text(hue), ground) for ground in (paper, grey)) >= 4.5


@THEMES
def test_what_axes_write_can_be_read(theme: str) -> None:
    with plain(theme):
        paper = matplotlib.rcParams["axes.facecolor"]
        assert paper == matplotlib.rcParams["figure.facecolor"]
        for name in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color"):
            assert contrast(matplotlib.rcParams[name], paper) >= 4.5
        assert contrast(matplotlib.rcParams["axes.edgecolor"], paper) >= 3.0
        assert contrast(palette.shade(palette.WHITE), paper) == pytest.approx(1.0)


@THEMES
def test_a_figure_is_written_in_the_theme_in_which_it_was_made(theme: str) -> None:
    with plain(theme):
        picture = picture_of_sensitivity(RANKED)
        within = picture._repr_png_()
    assert style.theme_of(picture.figure) == theme
    assert picture._repr_png_() == within


def test_a_theme_goes_on_within_and_ends_behind() -> None:
    ink = matplotlib.rcParams["text.color"]
    with plain("dark"):
        with plain():
            assert palette.is_dark()
        with plain("light"):
            assert not palette.is_dark()
        assert palette.is_dark()
    assert matplotlib.rcParams["text.color"] == ink


def test_a_theme_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(KrcsimError, match="light or dark"), plain("sepia"):
        pass


def test_no_colour_is_changed_twice() -> None:
    """What stands for a colour on a dark background has nothing that stands for it."""
    assert not set(palette.DARK) & set(palette.DARK.values())
    assert not set(palette.DARK) & set(palette.DEEP.values())
