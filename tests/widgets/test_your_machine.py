# SPDX-License-Identifier: GPL-2.0-only
"""A recording is read, checked, judged, changed by hand, and put onto the sliders; hostile files
are a sentence.
"""

from __future__ import annotations

import datetime
import gzip
from pathlib import Path
from typing import Any

import pytest

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.model.joint import load_joint
from krcsim.model.scenario_file import value_from
from krcsim.trace.recordings import samples
from krcsim.widgets import PoolOrPages, YourMachine
from krcsim.widgets.recorded_preset import LABEL, RECORDED
from krcsim.widgets.uploads import Given, without_folders
from tests.trace.test_archive import archive

pytestmark = pytest.mark.usefixtures("warm_engine")
SAMPLE = "7.3-onoff"  # whose verdict takes no rare-event method


def uploaded(*files: tuple[str, bytes]) -> tuple[dict[str, Any], ...]:
    """As FileUpload has files."""
    when = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return tuple(
        {"name": name, "type": "", "size": len(data), "content": memoryview(data)}
        | {"last_modified": when}
        for name, data in files
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> YourMachine:
    return YourMachine(SAMPLE, tmp_path_factory.mktemp("machine"), runs=8)


@pytest.fixture
def machine(shared: YourMachine) -> YourMachine:
    """With the sample, whatever was done to it before."""
    shared.sample.value = ""
    shared.sample.value = SAMPLE
    return shared


def markup(machine: YourMachine) -> str:
    """All HTML that it shows."""
    parts = (machine.value, machine.note, machine.table, machine.check, machine.read)
    return "".join(part.value for part in (*parts, machine.status, machine.fields.said))


def test_a_sample_is_read_checked_and_judged_at_once(machine: YourMachine) -> None:
    assert machine.found is not None
    assert machine.found.against is not None
    assert machine.found.against.is_evidence
    assert "single-argument call" in machine.value.value
    assert "It rests on more than the recording (assumed: " in machine.value.value
    assert machine.note.value.startswith("The scenario reproduces what was recorded")
    assert "The fitted scenario alone has " in machine.note.value
    assert bytes(machine.image.value).startswith(b"\x89PNG")
    assert "workload.rate_hz" in machine.table.value
    assert not machine.open.disabled


def test_there_is_no_verdict_where_the_scenario_is_refused(machine: YourMachine) -> None:
    machine.sample.value = "6.12-hog"
    assert machine.found is not None
    assert machine.found.verdict == ""
    assert machine.value.value.startswith("No verdict. Refused as evidence: of page requests")
    assert "shrinker" in machine.note.value
    assert "MISSES" not in machine.check.value
    assert "NO" in machine.check.value


def test_what_was_read_is_that_of_the_shell(machine: YourMachine) -> None:
    assert machine.scenario == krcsim.read_recordings(SAMPLE).scenario


def test_files_are_given_by_upload_by_path_and_by_dropping(
    machine: YourMachine, tmp_path: Path
) -> None:
    data = samples()["6.12-onoff"].read_bytes()
    machine.upload.value = uploaded(("mine.txt.gz", data))
    wanted = krcsim.read_recordings("6.12-onoff").scenario
    assert (machine.sample.value, machine.scenario) == ("", wanted)

    machine.sample.value = SAMPLE
    machine._take_drop(None, {"dropped": ["mine.txt.gz"]}, [memoryview(data)])
    assert machine.scenario == wanted

    machine.sample.value = SAMPLE
    path = tmp_path / "mine.txt.gz"
    path.write_bytes(data)
    machine.path.value = str(path)
    assert machine.scenario == wanted


def test_several_files_are_one_recording(machine: YourMachine, tmp_path: Path) -> None:
    log = b"[5.0] app: page allocation failure: order:0, mode:0x800(GFP_NOWAIT)\n"
    machine.upload.value = uploaded(("a.txt", archive(tmp_path).read_bytes()), ("log", log))
    assert machine.found is not None
    assert machine.found.reading.evidence.counters["splats"] == 1


HOSTILE = {
    "markup": (
        "<script>x</script>.txt",
        b"<img src=x onerror=alert(1)> $x^\n",
        "Not read: nothing in",
    ),
    "nothing": ("empty", b"", "Not read: "),
    "zeros": ("bomb.gz", gzip.compress(b"\0" * 1_000_000), "Not read: "),
    "newer": (
        "old.txt",
        b"#@krcsim-recording 99\n",
        "Not read: old.txt is a recording of format 99",
    ),
    "path": ("../../etc/passwd", b"root:x:0:0\n", "Not read: nothing in passwd"),
    "cut": ("cut.gz", samples()["6.1-onoff"].read_bytes()[:40], "Not read: "),
}


@pytest.mark.parametrize("which", HOSTILE)
def test_a_hostile_file_is_one_sentence_without_markup(shared: YourMachine, which: str) -> None:
    machine = shared
    name, data, said = HOSTILE[which]
    machine.upload.value = uploaded((name, data))
    assert machine.value.value.startswith(said)
    assert machine.value.value.count("\n") == 0
    assert "<" not in machine.value.value
    assert "krcsim-recording-" not in machine.value.value
    assert machine.open.disabled
    with pytest.raises(KrcsimError, match="choose a file"):
        _ = machine.scenario


def test_nothing_of_a_file_becomes_markup(machine: YourMachine) -> None:
    text = gzip.decompress(samples()[SAMPLE].read_bytes()).decode()
    text = text.replace("release 7.3.4", "release 7.3.4<b onclick=x>$\\frac{").replace(
        "cpus_online 0", "cpus_online <i>0</i>"
    )
    machine.upload.value = uploaded(("x.txt", (text + "<u>what is this?</u>\n" * 3).encode()))
    assert machine.found is not None
    shown = markup(machine)
    assert "&lt;b onclick=x&gt;" in shown
    for tag in ("<b ", "<i>", "<u>"):
        assert tag not in shown


@pytest.mark.parametrize(
    ("content", "buffers"),
    [
        ({"dropped": []}, []),
        ({"dropped": ["a"]}, []),
        ({"dropped": ["a"] * 60}, [b"x"] * 60),
    ],
)
def test_what_cannot_be_dropped_is_said(shared: YourMachine, content: Any, buffers: Any) -> None:
    shared._take_drop(None, content, buffers)
    assert shared.value.value.startswith("Not read: ")


@pytest.mark.parametrize("content", [None, 7, [], {}, {"dropped": 5}, "x"])
def test_other_messages_of_the_browser_are_nothing(shared: YourMachine, content: Any) -> None:
    before = shared.value.value
    shared._take_drop(None, content, [])
    assert shared.value.value == before


def test_a_field_that_is_changed_by_hand_is_said_and_checked(machine: YourMachine) -> None:
    assert machine.fields.which.value == "workload.rate_hz"
    assert float(machine.fields.text.value) == machine.scenario.workload.rate_hz
    machine.fields.text.value = "9000"
    machine.fields.set.click()
    assert machine.scenario.workload.rate_hz == 9000
    assert "<td>set by you</td>" in machine.table.value
    assert machine.value.value.startswith("No verdict. Refused as evidence: of ")
    machine.fields.back.click()
    assert machine.scenario == krcsim.read_recordings(SAMPLE).scenario
    assert "set by you" not in machine.table.value


def test_a_value_that_does_not_fit_is_a_sentence(machine: YourMachine) -> None:
    before = machine.scenario
    machine.fields.which.value = "workload.single_share"
    machine.fields.text.value = "<b>7</b>"
    machine.fields.set.click()
    assert machine.fields.said.value.startswith("Not possible: workload.single_share is ")
    assert "<" not in machine.fields.said.value
    assert machine.scenario == before


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("0.5", 0.5), ("true", True), (" phone ", "phone"), ("unset", None),
     ("[1.0, 2.0]", [1.0, 2.0]), ("1\nb = 2", "1\nb = 2"), ("]" * 5000, "]" * 5000)],
)  # fmt: skip
def test_values_are_those_of_a_scenario_file(text: str, value: Any) -> None:
    assert value_from(text) == value


def test_the_scenario_goes_onto_the_sliders_and_is_a_preset_of_the_others(
    machine: YourMachine,
) -> None:
    machine.open.click()
    path = machine.home / RECORDED
    kept = krcsim.load_scenario(path)
    assert kept == machine.scenario
    joint = load_joint(path)
    assert joint is not None
    assert (joint.scenario, len(joint.draws)) == (kept, 20)
    assert "20 draws of what the recording does not know" in machine.progress.remark
    assert "save and export the scenario alone, without them" in machine.progress.remark
    assert machine.explorer is not None
    assert machine.sliders.children == (machine.explorer.widget,)

    other = PoolOrPages(machine.home, "thread-as-posted", runs=(8,))
    assert (LABEL, str(path)) in other.preset.options
    other.preset.value = str(path)
    assert other.scenario.workload == kept.workload
    assert other.preset.value == str(path)


def test_a_preset_that_was_broken_since_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / RECORDED).write_text("[machine]\ncpus = -1\n")
    explorer = PoolOrPages(tmp_path, "thread-as-posted", runs=(8,))
    explorer.preset.value = str(tmp_path / RECORDED)
    assert explorer.status.value.startswith("Not loaded: ")


def test_the_picture_follows_the_theme(machine: YourMachine) -> None:
    before = machine.image.value
    machine.browser_side.theme = "dark"
    assert machine.image.value != before
    machine.browser_side.theme = "light"
    assert machine.image.value == before


def test_names_of_files_cannot_leave_their_folder() -> None:
    given = Given.of_upload(uploaded(("../../a b/..\\c<d>.txt", b"x"), ("..", b"y"), ("", b"z")))
    for name, path in given.files:
        assert Path(path).name == name
        assert Path(path).parent.parent.name.startswith("krcsim-recording-")
        assert Path(path).read_bytes()
    assert [name for name, _ in given.files] == ["c_d_.txt", "recording", "recording"]
    assert without_folders(f"in {given.files[0][1]}", given) == "in c_d_.txt"
