# SPDX-License-Identifier: GPL-2.0-only
"""The sliders without a browser: what they compute, show, keep and export."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

import krcsim
from krcsim.cli.main import main
from krcsim.report import figures
from krcsim.report.chart import OWN, Chart
from krcsim.runs.ladder import SEED
from krcsim.runs.replications import Stopped
from krcsim.studies.compare import compare
from krcsim.widgets import ColdStart, OneEpisode, PoolOrPages
from krcsim.widgets.controls import CONTROLS
from krcsim.widgets.explorer import PRESETS, Explorer
from krcsim.widgets.latest import Latest, Ticket
from krcsim.widgets.remedies_compared import RemediesCompared
from krcsim.widgets.setting import AT_MOST

EXPLORERS = (PoolOrPages, ColdStart, OneEpisode)
KINDS = ["csv", "json", "pdf", "png", "svg", "toml", "txt"]
each_explorer = pytest.mark.parametrize("kind", EXPLORERS, ids=lambda kind: kind.name)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Any]:
    """One explorer of each kind, in a folder of its own."""
    return {kind: kind(tmp_path_factory.mktemp(kind.name), runs=(8, 16)) for kind in EXPLORERS}


@pytest.fixture(scope="module")
def without_runs(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Any]:
    """One explorer of each kind whose controls are moved and whose scenarios are not run."""
    explorers = {}
    for kind in EXPLORERS:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Latest, "submit", lambda _latest, _value: None)
            explorers[kind] = kind(tmp_path_factory.mktemp(kind.name))
        explorers[kind]._latest.submit = lambda _value: None
    return explorers


def lines_of(explorer: Explorer) -> dict[str, Any]:
    assert explorer.done is not None
    assert isinstance(explorer.done.answer.drawn, Chart)
    return {line.name: line for line in explorer.done.answer.drawn.lines}


@each_explorer
@pytest.mark.parametrize("name", PRESETS.values())
def test_a_preset_is_exactly_on_the_sliders(without_runs: Any, kind: Any, name: str) -> None:
    without_runs[kind].preset.value = name
    assert without_runs[kind].scenario == without_runs[kind].fitted(krcsim.load_scenario(name))


@each_explorer
def test_every_control_changes_the_picture(kind: Any, tmp_path: Path) -> None:
    explorer = kind(tmp_path, "thread-as-discussed", runs=())
    for path, control in explorer.controls.items():
        before, was = bytes(explorer.image.value), control.value
        others = [v for _, v in control.options if v != was]
        control.value = others[0] if control.index * 2 > len(others) else others[-1]
        assert bytes(explorer.image.value) != before, CONTROLS[path].label
        control.value = was


def test_the_first_picture_is_the_first_step_of_the_shell(tmp_path: Path) -> None:
    explorer = PoolOrPages(tmp_path, runs=())
    explorer.controls["workload.rate_hz"].value = 2000.0
    (line,) = lines_of(explorer).values()
    there = compare(explorer.scenario, ["own"], seed=SEED, max_runs=8)
    assert line.estimates == (there.get("own", "p_wait", "steady"),)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """How each line of each picture of an explorer looks, picture by picture."""
    seen: list[dict[str, str]] = []
    show_result = RemediesCompared._show_result

    def noted(self: RemediesCompared, ticket: Any, result: Any, chart: Chart, drawing: Any) -> None:
        seen.append({line.name: line.look for line in chart.lines})
        show_result(self, ticket, result, chart, drawing)

    monkeypatch.setattr(RemediesCompared, "_show_result", noted)
    return seen


@pytest.mark.slow
def test_the_old_curve_stays_dimmed_until_its_points_arrive(
    tmp_path: Path, looks: list[dict[str, str]]
) -> None:
    explorer = PoolOrPages(tmp_path, runs=(8,))
    looks.clear()
    explorer.controls["workload.rate_hz"].value = 2000.0
    first, *_, last = looks
    assert first.pop(OWN) == "now"
    assert set(first.values()) == {"old"}
    assert set(last.values()) == {"now"}


@pytest.mark.slow
def test_the_numbers_are_those_of_the_shell(shown: Any) -> None:
    explorer = shown[PoolOrPages]
    explorer.preset.value = "thread-as-posted"
    explorer.controls["workload.rate_hz"].value = 2000.0
    there = compare(explorer.scenario, ["own"], seed=SEED, max_runs=16, precision=0.001)
    assert lines_of(explorer)[OWN].estimates[0] == there.get("own", "p_wait", "steady")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, id=kind.name, marks=() if kind is OneEpisode else pytest.mark.slow)
        for kind in EXPLORERS
    ],
)
def test_every_exported_file_alone_makes_itself_again(
    shown: Any, kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    explorer = shown[kind]
    explorer.preset.value = "phone"
    explorer.controls["workload.rate_hz"].value = 500.0
    if explorer.pins_at_most:
        explorer.buttons["Pin"].click()
        explorer.controls["workload.rate_hz"].value = 200.0
    files = {path.suffix[1:]: path for path in explorer.export()}
    if explorer.pins_at_most:
        explorer.buttons["Unpin"].click()
    commands = {tuple(command_in(path.read_bytes(), end)) for end, path in files.items()}
    verbs = {command[0] for command in commands}
    assert verbs == {"simulate"} or verbs == {"compare", "reply"}
    asked = {command[1:] for command in commands}
    assert len(asked) == 1 + bool(explorer.pins_at_most)  # pins are in all but the text
    monkeypatch.chdir(tmp_path)
    again = [word for end in KINDS for word in ("--out", f"new.{end}")]
    assert main([min(verbs), *max(asked, key=len), *again]) == 0
    for end, path in files.items():
        assert (tmp_path / f"new.{end}").read_bytes() == path.read_bytes(), end


def command_in(data: bytes, end: str) -> list[str]:
    """The arguments of the command that a file carries, but for its --out."""
    if end == "txt":
        text = re.split(r"\nMade with.*:\n", data.decode())[1].replace("\\\n", " ")
    elif end == "json":
        text = data.decode().split('"again": "')[1].split('"')[0]
    else:
        text = data.decode("latin-1").split("again: ")[1].split("\n")[0].split("\\n")[0]
        text = text.replace("&#x27;", "'").replace("\\(", "(").replace("\\)", ")")
    words = shlex.split(text)
    out = ("--out", "--dpi")
    return [
        w for last, w in zip(["", *words[1:]], words[1:], strict=False) if not {w, last} & {*out}
    ]


@pytest.mark.slow
def test_no_file_holds_the_dimmed_curves_of_the_setting_before(
    tmp_path: Path, looks: list[dict[str, str]]
) -> None:
    explorer = PoolOrPages(tmp_path, "thread-as-posted", runs=(8,))
    explorer.runs = ()  # as if everything else were still to come
    explorer.controls["workload.rate_hz"].value = 5000.0
    assert set(looks[-1].values()) == {"now", "old"}
    (file,) = (path for path in explorer.export() if path.suffix == ".csv")
    assert ",old," not in file.read_text()


@pytest.mark.slow
@each_explorer
def test_exporting_twice_overwrites_nothing_and_gives_the_same_bytes(shown: Any, kind: Any) -> None:
    first, second = shown[kind].export(), shown[kind].export()
    assert sorted(path.suffix[1:] for path in first) == KINDS
    assert not set(first) & set(second)
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes()


@pytest.mark.slow
def test_what_is_exported_is_what_is_drawn_though_a_slider_has_moved_on(
    shown: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    explorer = shown[PoolOrPages]
    explorer.preset.value = "thread-as-posted"
    drawn = explorer.scenario
    with monkeypatch.context() as later:
        later.setattr(
            explorer._latest, "submit", lambda _value: None
        )  # its answer is not there yet
        explorer.controls["machine.cpus"].value = 8
        files = {p.suffix: p for p in explorer.export()}
    assert krcsim.load_scenario(files[".toml"]) == drawn != explorer.scenario


@pytest.mark.slow
def test_two_exports_at_once_share_a_folder(tmp_path: Path) -> None:
    both = [PoolOrPages(tmp_path, "phone", runs=(8,)) for _ in range(2)]
    threads = [threading.Thread(target=explorer.export) for explorer in both for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = list((tmp_path / "krcsim-export").iterdir())
    assert len(files) == 4 * len(KINDS)
    assert len({path.stem for path in files}) == 4


@pytest.mark.skipif(os.name != "posix", reason="needs a folder that cannot be written")
def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    explorer = PoolOrPages(tmp_path, runs=())
    (tmp_path / "file").write_text("not a folder")
    explorer.answers.into.value = "file"
    assert explorer.export() == []
    assert "Not exported" in explorer.status.value
    assert (tmp_path / "file").read_text() == "not a folder"


@each_explorer
def test_a_setting_outlives_the_kernel(kind: Any, tmp_path: Path) -> None:
    before = kind(tmp_path, runs=())
    before.controls["workload.rate_hz"].value = 5000.0
    if before.pins_at_most:
        before.buttons["Pin"].click()
    before.controls["remedy.nr_emergency_objs"].value = 10
    after = kind(tmp_path, runs=())
    assert after.scenario == before.scenario
    assert after.pins == before.pins
    assert "is back" in after.status.value


def test_a_kept_setting_that_cannot_be_read_is_said_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pool-or-pages.autosave.toml").write_text("krcsim = 99\n")
    explorer = PoolOrPages(tmp_path, runs=())
    assert "could not be read" in explorer.status.value
    explorer.controls["workload.rate_hz"].value = 5000.0
    assert "krcsim = 99\n" in [path.read_text() for path in tmp_path.iterdir()]
    assert PoolOrPages(tmp_path, runs=()).scenario == explorer.scenario


def test_a_folder_that_cannot_be_written_is_said_and_the_sliders_go_on(tmp_path: Path) -> None:
    explorer = PoolOrPages(tmp_path / "nowhere", runs=())
    assert "not kept" in explorer.status.value
    before = explorer.image.value
    explorer.controls["workload.rate_hz"].value = 5000.0
    assert explorer.image.value != before


@pytest.mark.parametrize("text", ["krcsim = 99", "[machine]\ncpus = -1", "not toml", "x = 1"])
def test_a_bad_scenario_file_is_refused_in_a_sentence(
    shown: Any, tmp_path: Path, text: str
) -> None:
    (tmp_path / "bad ü.toml").write_text(text)
    explorer = shown[PoolOrPages]
    before = explorer.scenario
    explorer.file.value = str(tmp_path / "bad ü.toml")
    assert "Not loaded" in explorer.status.value
    assert explorer.scenario == before


def test_a_loaded_scenario_is_exactly_on_the_sliders(without_runs: Any, tmp_path: Path) -> None:
    odd = krcsim.changed(
        krcsim.load_scenario("phone"), **{"workload.rate_hz": 1234.5, "machine.hz": 128}
    )
    (tmp_path / "odd.toml").write_text(krcsim.toml_text(odd))
    explorer = without_runs[PoolOrPages]
    explorer.file.value = str(tmp_path / "odd.toml")
    assert explorer.scenario == explorer.fitted(odd)
    assert explorer.preset.value == ""


@pytest.mark.parametrize(("low", "high"), AT_MOST)
def test_a_reserve_never_boots_with_more_than_it_keeps(
    without_runs: Any, low: str, high: str
) -> None:
    explorer = without_runs[ColdStart]
    explorer.preset.value = "thread-as-discussed"
    explorer.controls[high].value = 5
    explorer.controls[low].value = 8 if "cache" in low else 10
    assert explorer.controls[high].value == explorer.controls[low].value
    explorer.controls[high].value = 1
    assert explorer.controls[low].value == 1


def test_moving_the_failure_of_objects_keeps_the_share_of_the_other_classes(
    without_runs: Any,
) -> None:
    explorer = without_runs[PoolOrPages]
    explorer.preset.value = "thread-as-posted"
    explorer.controls["allocator.episode.head"].value = 0.1
    episode = explorer.scenario.allocator.episode
    assert (episode.head, episode.head_atomic, episode.head_reclaim) == pytest.approx(
        (0.1, 0.05, 0.05 / 3)
    )


def test_the_pointer_on_the_picture_goes_to_the_nearest_event(shown: Any) -> None:
    explorer = shown[OneEpisode]
    explorer.preset.value = "thread-as-posted"
    explorer.browser_side.at = 0.99
    late = explorer.event.value
    explorer.browser_side.at = 0.2
    assert 0 <= explorer.event.value < late <= explorer.event.max


def test_the_next_wait_names_synchronize_rcu(shown: Any) -> None:
    explorer = shown[OneEpisode]
    explorer.preset.value = "thread-as-posted"
    explorer._next_wait()
    assert "this caller waits in synchronize_rcu()" in explorer.rule.value
    assert "<code>synchronize_rcu()</code>" in explorer.rule.value


def test_an_episode_that_is_not_there_is_said_in_a_sentence(shown: Any) -> None:
    explorer = shown[OneEpisode]
    explorer.preset.value = "thread-as-posted"
    before = explorer.image.value
    explorer.controls["allocator.calm_ms"].value = 50_000.0
    explorer.which.value = 50
    assert explorer.image.value
    explorer.which.value = 1
    explorer.preset.value = "thread-as-posted"
    assert explorer.image.value == before


def test_the_newest_value_wins_and_the_first_result_is_never_starved() -> None:
    shown: list[Any] = []

    def work(ticket: Ticket) -> None:
        for step in range(50):
            if ticket.stop[0]:
                raise Stopped
            time.sleep(0.002)
            ticket.show(shown.append, (ticket.value, step))

    async def drag() -> None:
        latest = Latest(work, lambda _state: None, Stopped)
        for value in range(10):
            latest.submit(value)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)

    asyncio.run(drag())
    assert shown[-1] == (9, 49)
    assert len({value for value, _ in shown}) >= 5


def test_cancel_stops_at_once_and_an_error_is_said() -> None:
    states: list[str] = []

    def work(ticket: Ticket) -> None:
        if ticket.value == "bad":
            raise ValueError("no such thing")
        while not ticket.stop[0]:
            time.sleep(0.001)
        raise Stopped

    async def use() -> None:
        latest = Latest(work, states.append, Stopped)
        latest.submit("long")
        await asyncio.sleep(0.05)
        latest.cancel()
        await asyncio.sleep(0.05)
        latest.submit("bad")
        await asyncio.sleep(0.05)

    asyncio.run(use())
    assert states == ["stopped", "error: no such thing"]


@pytest.mark.slow
def test_a_pinned_line_has_the_letter_of_its_pin(tmp_path: Path) -> None:
    explorer = PoolOrPages(tmp_path, "thread-as-posted", runs=(8,))
    explorer.buttons["Pin"].click()
    explorer.controls["allocator.episode.page"].value = 0.5
    assert explorer.done is not None
    ax = Figure().add_subplot()
    figures.frame(ax, explorer.done.answer.drawn)
    figures.draw(explorer.done.answer.drawn, ax)
    names = [text.get_text() for text in ax.texts]
    assert OWN in names
    assert "A" in names
    assert [name for name in names if ": " in name.split("\n")[0]] == []


def test_a_move_is_not_lost_while_another_thread_sets_widgets(tmp_path: Path) -> None:
    explorer = OneEpisode(tmp_path, "thread-as-posted")
    explorer._set_by_program.on = True  # as while this thread shows a picture
    move = threading.Thread(
        target=setattr, args=(explorer.controls["workload.rate_hz"], "value", 5000.0)
    )
    move.start()
    move.join()
    assert "rate_hz=5000" in explorer.answers.shell.value


def test_an_answer_that_comes_late_on_another_loop_is_not_shown() -> None:
    shown: list[Any] = []
    late: list[Any] = []

    def work(ticket: Ticket) -> None:
        if ticket.value == "old":
            ticket.post = lambda receiver, what: late.append(
                (receiver, what)
            )  # a loop that is busy
        ticket.show(shown.append, ticket.value)

    latest = Latest(work, lambda _state: None, Stopped)
    latest.submit("old")
    latest.submit("new")
    for receiver, what in late:
        receiver(what)
    assert shown == ["new"]
