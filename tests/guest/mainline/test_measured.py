# SPDX-License-Identifier: GPL-2.0-only
"""What a guest gave before it went wrong is kept, and what was not counted is said.

A script of this name on the path stands for QEMU.
"""

from __future__ import annotations

import csv
import json
import os
import stat
from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.guest.boot import Boot, Row
from krcsim.guest.mainline import matrix
from krcsim.guest.mainline.build import MainlineBuild, Origin
from krcsim.guest.mainline.measure import Measured, measure, run_as_far
from krcsim.guest.mainline.rows import flat, write
from krcsim.guest.mainline.series import SERIES
from krcsim.guest.mainline.summary import LINES, blocked, p_wait

ORIGIN = Origin(
    series="7.3",
    kernel="7.3.4+deb13-cloud-amd64",
    patch="7.3.4",
    package="linux-binary-7.3.4+deb13-cloud-amd64",
    package_version="7.3.4-1",
    release="trixie",
    module_digest="0",
)
COUNTS = (
    "late_bursts double_calls wait_ns in_sheaf sheaves sheaf_requests slab_fail page_try page_fail "
    "refills refill_try refill_fail backoffs monitors until_monitor_n until_monitor_mean_us works "
    "until_work_n until_work_mean_us gp_count held_most held_after_settle barrier_us wait_n "
    "probes_missed"
).split()
ROW: Row = dict.fromkeys(COUNTS, 0) | dict(
    mode=2,
    label="x",
    calls=100,
    waits=0,
    cpus=1,
    producers=1,
    dur_ms=1000,
    gp_len_us=[],
    call_hist_log2us=[1, 2],
    missing="__get_free_pages",
    seed=1,
    timing="icount",
    nr_cached=5,
)
LINES_OF_TWO = ["label=a seed=1", "label=a seed=2"]


def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> MainlineBuild:
    """A build, and a qemu-system-x86_64 that runs `body` with $console and $results set."""
    script = tmp_path / "bin" / "qemu-system-x86_64"
    script.parent.mkdir(exist_ok=True)
    script.write_text(
        "#!/bin/sh\nfor word; do case $word in file:*/console) console=${word#file:};; "
        f"file:*/results) results=${{word#file:}};; esac; done\n{body}"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    made = MainlineBuild(tmp_path, "7.3.4")
    made.image.write_bytes(b"kernel")
    made.initramfs.write_bytes(b"files")
    made.origin_file.write_text(json.dumps(ORIGIN.__dict__))
    return made


def giving(*rows: Row, last: str = "#done") -> str:
    """A guest that gives these rows."""
    lines = ["#guest 7.3.4 quiet", "#cached 5", *map(json.dumps, rows), last]
    return "cat >$results <<'END'\n" + "\n".join(lines) + "\nEND\n"


def test_all_rows_of_a_good_guest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_as_far(guest(tmp_path, monkeypatch, giving(ROW, ROW)), LINES_OF_TWO, Boot())
    assert (len(found.rows), found.notes) == (2, ())
    assert (found.rows[0]["nr_cached"], found.rows[0]["cmdline"]) == (5, "quiet")
    assert found.origin == ORIGIN


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            giving(ROW, last="") + "echo '[ 9.0] Kernel panic - not syncing: boo' >$console",
            "1 of 2 experiments were measured: the guest's kernel died: 'Kernel panic - not",
        ),
        (giving(ROW, last='{"mode":2,"cal'), "cannot be read"),
        (giving(ROW, last=""), "ended before it was done"),
        (giving(ROW, last="#failed label=a"), "the module refused 'label=a'"),
        (
            giving(ROW, last="") + "echo no such machine >&2; exit 3",
            "status 3 and said 'no such machine'",
        ),
    ],
)
def test_what_was_measured_before_a_failure_is_kept_and_the_failure_said(
    body: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run_as_far(guest(tmp_path, monkeypatch, body), LINES_OF_TWO, Boot())
    assert len(found.rows) == 1
    assert told in " ".join(found.notes)


def test_a_symbol_that_the_series_should_have_is_named_with_what_was_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ROW | {"missing": "__get_free_pages fill_page_cache_func"}
    found = run_as_far(guest(tmp_path, monkeypatch, giving(row)), LINES_OF_TWO[:1], Boot())
    assert found.notes == (
        "this kernel has no fill_page_cache_func, so these were not counted: refills",
    )
    cells = {line.name: line.cell(found.rows) for line in LINES}
    assert (cells["refills"], cells["pages"]) == ("-", "0, 0")


def test_what_a_series_lacks_anyway_is_not_a_fault() -> None:
    old = ORIGIN.__dict__ | {"series": "6.1"}
    row = ROW | {"missing": " ".join([*SERIES["6.1"].lacks, "get_free_pages_noprof"])}
    found = Measured(Origin(**old), (row,))
    assert found.notes == ()
    cells = {line.name: line.cell(found.rows) for line in LINES}
    assert cells["in_sheaf"] == cells["barrier"] == "-"


def test_hits_that_were_missed_are_said() -> None:
    found = Measured(ORIGIN, (ROW | {"probes_missed": 3},))
    assert found.notes == ("3 hits of probes were missed, by which the counts are too low",)


def test_kernels_are_measured_each_in_its_guest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = guest(tmp_path, monkeypatch, giving(ROW))
    said: list[str] = []
    builds, lines = {"7.2": made, "7.3": made}, LINES_OF_TWO[:1]
    boots = {"7.2": Boot(cpus=2), "7.3": Boot()}
    found = measure(builds, dict.fromkeys(builds, lines), boots, said.append)
    assert list(found) == ["7.2", "7.3"]
    assert len(said) == 2


def test_p_wait_is_of_calls_with_one_argument() -> None:
    row = ROW | {"calls": 100, "double_calls": 80, "waits": 5, "wait_ns": 10**8}
    assert p_wait([row, row]) == 0.25
    assert blocked([row]) == pytest.approx(0.1)


def test_no_wait_is_a_bound_and_no_zero() -> None:
    cells = {line.name: line.cell([ROW]) for line in LINES}
    assert cells["p_wait"] == "none seen, < 0.07"
    assert cells["blocked"] == "none seen"
    without = ROW | {"double_calls": 100}
    assert next(line for line in LINES if line.name == "p_wait").cell([without]) == "no such call"


def test_rows_say_of_which_packages_they_are(tmp_path: Path) -> None:
    (row,) = flat(Measured(ORIGIN, (ROW,)))
    assert (row["series"], row["patch"], row["package_version"]) == ("7.3", "7.3.4", "7.3.4-1")
    assert row["gp_len_us"] == "[]"
    assert "call_hist_log2us" not in row

    write(tmp_path, "set", [Measured(ORIGIN, (ROW, ROW | {"seed": 2, "calls": 7}))])
    with (tmp_path / "set.csv").open(newline="", encoding="utf-8") as stream:
        assert [one["calls"] for one in csv.DictReader(stream)] == ["100", "7"]
    assert json.loads((tmp_path / "set.const.json").read_bytes())["patch"] == "7.3.4"


def test_the_matrix_writes_what_could_be_measured_and_says_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = guest(tmp_path, monkeypatch, giving(ROW))
    why = {"6.1": "apt offers no kernel of Linux 6.1 any more"}
    monkeypatch.setattr(matrix, "all_ready", lambda *_: ({"7.3": made}, why))
    args = ["drains", "--out", str(tmp_path / "out"), "--kernels", "6.1 7.3", "--seeds", "1"]
    assert matrix.main(args) == 1
    said = capsys.readouterr().err
    assert "Linux 6.1 is left out: apt offers no kernel" in said
    assert "1 of 27 experiments were measured" in said
    assert (tmp_path / "out" / "kernel-7.3" / "drains.csv").is_file()


def test_an_origin_that_cannot_be_read_says_what_to_remove(tmp_path: Path) -> None:
    made = MainlineBuild(tmp_path, "7.3.4")
    made.origin_file.write_text("{}")
    with pytest.raises(KrcsimError, match="remove the folder"):
        _ = made.origin
