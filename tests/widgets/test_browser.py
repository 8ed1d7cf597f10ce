# SPDX-License-Identifier: GPL-2.0-only
"""The notebooks with sliders in a real Chromium, used as a person uses them: by mouse and by
keyboard. The short form, for each day, is test_browser_short.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files

import pytest

import krcsim
from krcsim.report.episode import rules
from krcsim.widgets.controls import CONTROLS, MOST_ON_A_TAB, TABS, controls_of
from krcsim.widgets.explorer import PRESETS
from tests.browser import (
    CHROMIUM,
    EXPLORERS,
    LABEL,
    LAPTOP,
    PANEL,
    ROOT,
    ZOOMED,
    Notebook,
    Screen,
    kind_of,
    notebooks_in_a_browser,
)
from tests.needs import BROWSER

SHOTS = ROOT / "output"

pytestmark = [
    pytest.mark.usefixtures("warm_engine"),
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason=BROWSER.reason()),
]
RARE = "06_rare_and_exact"  # has no episode to move, and takes longer
all_notebooks = pytest.mark.parametrize("notebook", EXPLORERS, indirect=True)
each_notebook = pytest.mark.parametrize(
    "notebook", [name for name in EXPLORERS if name != RARE], indirect=True
)
searching = pytest.mark.parametrize("notebook", ["04_how_big", RARE], indirect=True)
rare = pytest.mark.parametrize("notebook", [RARE], indirect=True)
with_pins = pytest.mark.parametrize(
    "notebook", ["01_pool_or_pages", "03_cold_start"], indirect=True
)
one_episode = pytest.mark.parametrize("notebook", ["02_one_episode"], indirect=True)
CONTROL_OF = [(name, path) for name, kind in EXPLORERS.items() for path in controls_of(kind.name)]


def each_control(kind: str) -> pytest.MarkDecorator:
    there = [(name, path) for name, path in CONTROL_OF if kind_of(path) == kind]
    ids = [f"{name[:2]}-{path}" for name, path in there]
    return pytest.mark.parametrize(("notebook", "path"), there, indirect=["notebook"], ids=ids)


# Controls that are shown only with one choice of what takes memory.
ONLY_WITH = {
    "allocator.episode.page": "not: failures are drawn",
    "allocator.episode.head": "not: failures are drawn",
}


@pytest.fixture(scope="module")
def open_notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Notebook]]:
    with notebooks_in_a_browser(tmp_path_factory.mktemp("lab")) as opened:
        yield opened


@pytest.fixture
def notebook(
    request: pytest.FixtureRequest, open_notebook: Callable[[str], Notebook]
) -> Iterator[Notebook]:
    """The notebook, run, on a small laptop's screen; nothing refines on behind the next test."""
    there = open_notebook(request.param)
    yield there
    there.calm()


def shown(notebook: Notebook, path: str) -> None:
    """Bring a control to where it changes something: free pages decide what fails, or draws do,
    never both.
    """
    if "memory.hog" in notebook.fields and path in ONLY_WITH:
        notebook.choose(CONTROLS["memory.hog"].label, ONLY_WITH[path])
        notebook.follows("memory.hog")


def moved(notebook: Notebook, path: str, move: Callable[[int], None]) -> None:
    """Move a slider from where the preset has it towards its farther end, and wait for another
    picture.
    """
    notebook.begin()
    shown(notebook, path)
    before, was = notebook.picture(), notebook.value(path)
    move(notebook.farther(path))
    notebook.until(lambda: notebook.value(path) != was, f"other value than {was}")
    notebook.follows(path)
    notebook.until(lambda: notebook.picture().pixels != before.pixels, "other picture")


# ---- sliders


@all_notebooks
def test_no_news_pop_up_lies_over_the_plot(notebook: Notebook) -> None:
    assert notebook.page.get_by_text("notified about official Jupyter news").count() == 0


@all_notebooks
def test_each_slider_has_a_handle_with_its_name(notebook: Notebook) -> None:
    tabs = list(dict.fromkeys(TABS.values()))
    above = list(notebook.kind.above_tabs)
    fields = [path for path in notebook.fields if path not in above]
    if len(fields) > MOST_ON_A_TAB:
        fields.sort(key=lambda path: tabs.index(CONTROLS[path].tab))
    fields = above + fields
    names = [CONTROLS[path].label for path in fields if kind_of(path) == "slider"]
    others = ("Event", "Target P(wait)", "Size in the sentence")
    assert [label for label in notebook.labels() if label not in others] == names


@each_control("slider")
def test_a_slider_moved_by_keyboard_changes_the_picture(notebook: Notebook, path: str) -> None:
    handle = notebook.handle(CONTROLS[path].label)

    def press(way: int) -> None:
        for _ in range(3):
            handle.press("ArrowRight" if way > 0 else "ArrowLeft")

    moved(notebook, path, press)


@each_control("slider")
def test_a_slider_moved_by_mouse_changes_the_picture(notebook: Notebook, path: str) -> None:
    moved(notebook, path, lambda way: notebook.drag(CONTROLS[path].label, way))


@each_control("choice")
def test_another_choice_changes_the_picture(notebook: Notebook, path: str) -> None:
    notebook.begin()
    shown(notebook, path)
    before = notebook.picture()
    notebook.choose(
        CONTROLS[path].label, next(str(text) for text, _ in reversed(CONTROLS[path].options()))
    )
    notebook.follows(path)
    notebook.until(lambda: notebook.picture().pixels != before.pixels, "other picture")


@each_notebook
def test_what_a_slider_says_to_a_screen_reader_is_its_value_and_no_index(
    notebook: Notebook,
) -> None:
    notebook.begin()
    others = {"04_how_big": ("CPUs", "8"), "09_which_kernel": ("P(page fails)", "0.98")}
    label, further = others.get(notebook.name, ("Page cache (pages)", "2"))
    handle = notebook.handle(label)
    handle.press("ArrowRight")
    notebook.until(
        lambda: handle.get_attribute("aria-valuetext") == further, f"aria-valuetext {further}"
    )
    handles = notebook.root.locator(".noUi-handle")
    readouts = notebook.root.locator(".widget-hslider .widget-readout")
    notebook.until(
        lambda: (
            readouts.all_text_contents()
            == [handle.get_attribute("aria-valuetext") for handle in handles.all()]
        ),
        "same texts",
    )


@each_notebook
@pytest.mark.parametrize("on", ["slider", "button", "choice"])
def test_letters_typed_on_a_control_change_no_cell(notebook: Notebook, on: str) -> None:
    before = notebook.cells()
    names = {"01": "CPUs", "03": "CPUs", "05": CONTROLS["workload.rate_hz"].label}
    where = {
        "slider": notebook.handle(names.get(notebook.name[:2], "P(object fails)")),
        "button": notebook.button("Reset"),
        "choice": notebook.box("Preset").locator("select"),
    }
    where[on].focus()
    for key in ("d", "d", "x", "a", "b", "m"):
        notebook.page.keyboard.press(key)
    notebook.page.wait_for_timeout(300)
    assert notebook.cells() == before


# ---- presets


@each_notebook
@pytest.mark.parametrize(("label", "name"), PRESETS.items())
def test_a_preset_is_on_the_sliders_and_ends_with_an_answer(
    notebook: Notebook, label: str, name: str
) -> None:
    notebook.choose("Preset", label)
    notebook.until(lambda: notebook.says(krcsim.load_scenario(name)), f"{name} on the sliders")
    notebook.until(lambda: f" {name} " in notebook.answer(), f"answer for {name}")


@each_notebook
def test_refining_ends_by_itself(notebook: Notebook) -> None:
    notebook.choose("Preset", "Phone, light load")
    notebook.until(lambda: " phone " in notebook.answer(), "answer for the phone")
    notebook.until(lambda: notebook.status().startswith("done"), "end")


@each_notebook
def test_a_setting_of_ones_own_is_no_preset_and_reset_goes_back_to_it(notebook: Notebook) -> None:
    notebook.begin()
    shown(notebook, "allocator.episode.page")
    notebook.handle("P(page fails)").press("ArrowLeft")
    notebook.until(lambda: notebook.preset() == "(your setting)", "preset (your setting)")
    notebook.press("Reset")
    notebook.until(lambda: notebook.preset() == LABEL, "preset as before")
    notebook.until(
        lambda: notebook.says(krcsim.load_scenario("thread-as-posted")), "preset on the sliders"
    )


# ---- pins


@with_pins
def test_a_pinned_curve_is_drawn_next_to_the_next_one_until_it_is_unpinned(
    notebook: Notebook,
) -> None:
    notebook.begin()
    notebook.press("Pin")
    notebook.handle("P(page fails)").press("ArrowLeft")
    notebook.until(
        lambda: "--pin thread-as-posted" in notebook.picture().stamp.replace("'", ""),
        "pinned curve",
    )
    pinned = notebook.picture()
    notebook.until(lambda: notebook.command() == pinned.stamp, "command of the picture")
    notebook.press("Unpin")
    notebook.until(
        lambda: not {"own", "--pin"} & {*notebook.picture().stamp.split()},
        "whole picture without pin",
    )
    assert notebook.picture().pixels != pinned.pixels


@with_pins
def test_a_fourth_pin_is_refused_in_a_sentence(notebook: Notebook) -> None:
    for _ in range(4):
        notebook.press("Pin")
    notebook.until(
        lambda: "Three curves are pinned; Unpin takes them away" in notebook.status(), "refusal"
    )
    notebook.press("Unpin")


# ---- cancel


@with_pins
def test_cancel_stops_refining_and_keeps_the_picture(notebook: Notebook) -> None:
    notebook.refine()
    notebook.press("Cancel")
    notebook.until(lambda: "stopped" in notebook.status(), "word that it stopped")
    there = notebook.picture()
    notebook.page.wait_for_timeout(1000)
    assert notebook.picture() == there


@with_pins
def test_after_cancel_a_slider_still_works(notebook: Notebook) -> None:
    notebook.refine()
    notebook.press("Cancel")
    notebook.until(lambda: "stopped" in notebook.status(), "word that it stopped")
    notebook.handle("CPUs").press("ArrowLeft")
    notebook.until(lambda: notebook.value("machine.cpus") == "64", "64 CPUs")
    notebook.follows("machine.cpus")


@with_pins
def test_what_an_export_says_stays_while_refining_goes_on(notebook: Notebook) -> None:
    notebook.refine()
    notebook.press("Export")
    notebook.until(
        lambda: "left. Exported " in notebook.status(), "word of the export next to the progress"
    )


# ---- files


@all_notebooks
def test_export_writes_all_kinds_of_files_next_to_the_notebook(notebook: Notebook) -> None:
    notebook.begin()
    files = notebook.export()
    assert {path.suffix for path in files} == {
        ".png",
        ".svg",
        ".pdf",
        ".csv",
        ".toml",
        ".json",
        ".txt",
    }
    assert {path.parent for path in files} == {notebook.folder / "krcsim-export"}
    assert min(path.stat().st_size for path in files) > 100


@each_notebook
def test_exporting_twice_overwrites_nothing(notebook: Notebook) -> None:
    notebook.begin()
    notebook.stop()
    first = {path: path.read_bytes() for path in notebook.export()}
    second = notebook.export()
    assert len(second) == 7
    assert not second & set(first)
    assert {path: path.read_bytes() for path in first} == first


@each_notebook
def test_an_exported_scenario_is_put_back_on_the_sliders(notebook: Notebook) -> None:
    notebook.begin()
    shown(notebook, "allocator.episode.page")
    notebook.handle("P(page fails)").press("ArrowLeft")
    notebook.follows("allocator.episode.page")
    (file,) = (path for path in notebook.export() if path.suffix == ".toml")
    notebook.choose("Preset", "Phone, light load")
    notebook.until(lambda: notebook.says(krcsim.load_scenario("phone")), "phone on the sliders")
    notebook.fill("Load", f"krcsim-export/{file.name}")
    notebook.until(
        lambda: notebook.says(krcsim.load_scenario(file)), "exported scenario on the sliders"
    )
    notebook.until(lambda: f"{file.name} is on the sliders" in notebook.status(), "word of it")
    notebook.until(
        lambda: notebook.drawn() == krcsim.load_scenario(file), "picture of the exported scenario"
    )


NONSENSE = {
    "no TOML": b"what is this",
    "an unknown field": b"[workload]\nspeed = 1\n",
    "no text": bytes(range(256)),
    "out of range": b"[machine]\ncpus = -4\n",
    "no such file": None,
}


@each_notebook
@pytest.mark.parametrize("what", NONSENSE)
def test_a_file_that_is_no_scenario_is_refused_in_a_sentence(notebook: Notebook, what: str) -> None:
    name = f"{what.replace(' ', '-')}.toml"
    if (content := NONSENSE[what]) is not None:
        (notebook.folder / name).write_bytes(content)
    before = notebook.setting()
    notebook.fill("Load", name)
    notebook.until(
        lambda: "Not loaded: " in notebook.status() and name in notebook.status(), "refusal"
    )
    assert notebook.setting() == before
    assert notebook.tracebacks() == []


# ---- one episode


@one_episode
def test_a_step_goes_to_the_next_event_and_back_to_the_one_before(notebook: Notebook) -> None:
    notebook.begin()
    n = notebook.event()
    for button, there in (("Step", n + 1), ("Step", n + 2), ("Back", n + 1)):
        notebook.press(button)
        notebook.until(
            lambda there=there: notebook.picture().stamp.endswith(f" event {there}"),
            f"event {there}",
        )


@one_episode
def test_a_step_leaves_the_preset_as_it_is(notebook: Notebook) -> None:
    notebook.begin()
    n = notebook.event()
    notebook.press("Step")
    notebook.until(lambda: notebook.event() == n + 1, "next event")
    assert notebook.preset() == LABEL


@one_episode
def test_next_wait_goes_to_a_caller_that_waits(notebook: Notebook) -> None:
    notebook.begin()
    n = notebook.event()
    notebook.press("Next wait")
    notebook.until(lambda: notebook.event() != n, "other event")
    notebook.until(lambda: "this caller waits in synchronize_rcu()" in notebook.rule(), "wait")


@one_episode
def test_play_goes_through_the_events_until_it_is_paused(notebook: Notebook) -> None:
    notebook.begin()
    n = notebook.event()
    notebook.root.locator(".widget-play button").first.click()
    notebook.until(lambda: notebook.event() >= n + 3, "third event from here")
    notebook.root.locator(".widget-play button").first.click()
    notebook.page.wait_for_timeout(1000)
    there = notebook.event()
    notebook.page.wait_for_timeout(1000)
    assert notebook.event() == there


@one_episode
def test_each_event_names_a_rule_and_a_symbol_of_the_kernel(notebook: Notebook) -> None:
    notebook.begin()
    symbols = {rule["symbol"] for rule in rules().values()}
    for n in range(notebook.event() + 1, notebook.event() + 6):
        notebook.press("Step")
        notebook.until(lambda n=n: notebook.picture().stamp.endswith(f" event {n}"), f"event {n}")
        assert notebook.symbol() in symbols


@one_episode
def test_the_event_slider_follows_the_keyboard(notebook: Notebook) -> None:
    notebook.begin()
    n = notebook.event()
    notebook.handle("Event").press("ArrowLeft")
    notebook.until(lambda: notebook.picture().stamp.endswith(f" event {n - 1}"), "event before")


@one_episode
def test_the_pointer_on_the_picture_moves_the_event(notebook: Notebook) -> None:
    notebook.begin()
    picture, seen = notebook.root.locator("img").first, [notebook.event()]
    for x in (150, 300, 500):
        picture.hover(position={"x": x, "y": 200})
        notebook.page.wait_for_timeout(100)  # what comes within 60 ms of another move is left out
        picture.hover(position={"x": x + 2, "y": 200})
        notebook.until(lambda: notebook.event() != seen[-1], "other event")
        notebook.page.wait_for_timeout(300)
        seen.append(notebook.event())
    assert seen[1:] == sorted(seen[1:])


# ---- can the rare answer be trusted, and how big must it be


@rare
def test_the_preset_of_a_notebook_is_back_after_one_with_more_places_on_a_slider(
    notebook: Notebook,
) -> None:
    notebook.begin()
    notebook.choose("Preset", next(iter(notebook.kind.presets)))
    notebook.until(
        lambda: notebook.command().startswith("krcsim ask small-world --sizes"), "small world"
    )
    assert notebook.says(krcsim.load_scenario("small-world"))
    assert notebook.preset() == next(iter(notebook.kind.presets))


@rare
def test_the_size_put_into_words_follows_the_keyboard(notebook: Notebook) -> None:
    handle = notebook.handle("Size in the sentence")
    for key, n in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2)):
        handle.press(key)
        notebook.until(lambda n=n: f"With {n} object" in notebook.text(), f"words about {n}")


@rare
def test_pages_grow_instead_of_a_pool(notebook: Notebook) -> None:
    notebook.choose("What grows", "a list of pages")
    notebook.until(lambda: "--of pages" in notebook.picture().stamp, "picture of pages")
    notebook.choose("What grows", "a pool of objects")
    notebook.until(lambda: "--of pool" in notebook.picture().stamp, "picture of a pool")


@searching
def test_a_search_is_cancelled_before_its_first_answer(notebook: Notebook) -> None:
    notebook.begin()
    notebook.stop()
    before = notebook.picture()
    notebook.choose("Preset", "Server, 128 CPUs")
    notebook.until(
        lambda: "left" in notebook.status() and notebook.button("Cancel").is_enabled(),
        "way to cancel",
    )
    notebook.press("Cancel")
    notebook.until(lambda: "stopped" in notebook.status(), "word that it stopped")
    assert notebook.picture() == before


# ---- looks, and those who cannot look


@all_notebooks
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious(notebook: Notebook, theme: str) -> None:
    notebook.begin()
    notebook.theme(theme)
    notebook.page.evaluate(
        files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    )
    found = notebook.page.evaluate("where => axe.run(where)", f"{PANEL} .krcsim-explorer")
    assert len(found["passes"]) > 10
    bad = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in bad] == []


@all_notebooks
@pytest.mark.parametrize(
    ("look", "theme", "screen"),
    [
        ("light", "JupyterLab Light", LAPTOP),
        ("dark", "JupyterLab Dark", LAPTOP),
        ("zoom", "JupyterLab Light", ZOOMED),
    ],
)
def test_nothing_is_wider_than_the_screen(
    notebook: Notebook, look: str, theme: str, screen: Screen
) -> None:
    notebook.begin()
    notebook.theme(theme)
    notebook.screen(*screen)
    try:
        notebook.shot(SHOTS / f"{notebook.name}-{look}-picture.png", "img")
        notebook.shot(SHOTS / f"{notebook.name}-{look}.png")
        assert notebook.too_wide() == []
    finally:
        notebook.screen(*LAPTOP)


@all_notebooks
def test_no_choice_is_too_long_for_its_list(notebook: Notebook) -> None:
    assert notebook.cut_choices() == []


# ---- the kernel is gone; the last tests of a notebook


@each_notebook
def test_after_a_restart_the_last_setting_is_back(notebook: Notebook) -> None:
    notebook.begin()
    if notebook.kind.pins_at_most:
        notebook.press("Pin")
    shown(notebook, "allocator.episode.page")
    notebook.handle("P(page fails)").press("ArrowLeft")
    notebook.follows("allocator.episode.page")
    notebook.until(lambda: notebook.kept() == notebook.drawn(), "setting next to the notebook")
    setting = notebook.setting()
    notebook.restart()
    notebook.run_all()
    assert notebook.setting() == setting
    notebook.until(lambda: "Your last setting is back" in notebook.status(), "word of it")
    if notebook.kind.pins_at_most:
        notebook.until(
            lambda: "--pin thread-as-posted" in notebook.command().replace("'", ""), "pinned curve"
        )


@each_notebook
def test_a_dead_kernel_is_said_in_a_sentence_without_red_icons(notebook: Notebook) -> None:
    """The last that is done with a notebook: it would have to be run again."""
    notebook.restart()
    assert "The kernel was restarted" in notebook.root.locator(".krcsim-gone").inner_text()
    assert set(notebook.icons()) == {"none"}


@all_notebooks
def test_nothing_wrote_a_traceback(notebook: Notebook) -> None:
    assert notebook.tracebacks() == []


@all_notebooks
def test_the_browser_console_has_no_error(notebook: Notebook) -> None:
    assert notebook.console == []
