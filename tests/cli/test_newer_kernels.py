# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim kernel --kernel`: what it prints, with guests that are not really booted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from krcsim.cli import newer_kernels
from krcsim.cli.main import main
from krcsim.guest.mainline import predicted
from krcsim.guest.mainline.measure import Measured
from krcsim.guest.mainline.predicted import Predicted
from tests.guest.mainline.test_measured import ORIGIN, ROW

WAITED = ROW | {"waits": 5, "wait_ns": 10**7, "wait_n": 5, "wait_p50_us": 200, "wait_max_us": 700}


@pytest.fixture
def guests(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Builds that there are, why others are not, and what is measured in all of them."""
    given: dict[str, Any] = {"why": {}, "rows": (WAITED,), "trouble": "", "lines": []}

    def all_ready(series: Any, *_: Any) -> Any:
        return {one.name: None for one in series if one.name not in given["why"]}, given["why"]

    def measure(builds: Any, lines: Any, *_: Any) -> Any:
        given["lines"] = [line for some in lines.values() for line in some]
        return {name: Measured(ORIGIN, given["rows"], given["trouble"]) for name in builds}

    monkeypatch.setattr(newer_kernels, "all_ready", all_ready)
    monkeypatch.setattr(newer_kernels, "measure", measure)
    return given


def test_without_run_the_line_is_printed_and_nothing_is_built(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["kernel", "phone", "--kernel", "7.3"]) == 0
    out = capsys.readouterr().out
    assert "phase_on_us=30000" in out
    assert "machine.cpus = 8: measured on 1 of them" in out
    assert "no row" not in out


@pytest.mark.usefixtures("guests")
def test_without_a_row_in_the_table_nothing_is_predicted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicted, "REMEDIES", {})
    assert main(["kernel", "phone", "--kernel", "7.3", "--run"]) == 0
    out = capsys.readouterr().out
    assert "Linux 7.3.4 (7.3.4+deb13-cloud-amd64, package version 7.3.4-1 of Debian's" in out
    lines = {line[:34].strip(): line[34:].split("  ") for line in out.splitlines()}
    assert [cell.strip() for cell in lines["P(wait) per single-argument call"] if cell.strip()] == [
        "0.05",
        "no row yet",
    ]
    assert "so nothing is predicted for it." in out


@pytest.mark.usefixtures("guests")
def test_where_there_is_a_row_its_prediction_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = {"p_wait": Predicted(0.04, 0.03, 0.06), "blocked": Predicted(0.01, 0, 0.02)}
    monkeypatch.setattr(newer_kernels, "predictions", lambda *_: one)
    monkeypatch.setattr(newer_kernels, "why_not", lambda _: "")
    assert main(["kernel", "phone", "--kernel", "7.3", "--run"]) == 0
    out = capsys.readouterr().out
    assert "0.04 [0.03, 0.06]" in out
    assert "no row" not in out


def test_several_kernels_stand_in_one_table(
    guests: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    guests["why"] = {"6.1": "apt offers no kernel of Linux 6.1 any more"}
    assert main(["kernel", "phone", "--kernel", "6.1,7.2,7.3", "--run", "--seeds", "2"]) == 0
    out = capsys.readouterr().out
    heads = [line.split() for line in out.splitlines() if line.lstrip().startswith("Linux 7.2 ")]
    assert ["Linux", "7.2", "Linux", "7.3"] in heads
    assert "Linux 6.1 was not measured: apt offers no kernel of Linux 6.1 any more." in out
    assert [line.split()[-1] for line in guests["lines"]] == ["seed=1", "seed=2"] * 2


def test_where_no_kernel_can_be_had_the_reason_is_the_answer(
    guests: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    guests["why"] = {"7.3": "no network; look at it"}
    assert main(["kernel", "phone", "--kernel", "7.3", "--run"]) == 2
    assert capsys.readouterr().err == "krcsim: no network; look at it\n"


def test_a_guest_that_gave_nothing_is_no_success(
    guests: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    guests["rows"], guests["trouble"] = (), "0 of 3 experiments were measured: it died"
    out = ["--out", str(tmp_path / "rows.csv")]
    assert main(["kernel", "phone", "--kernel", "7.3", "--run", *out]) == 2
    assert not list(tmp_path.iterdir())
    said = capsys.readouterr()
    assert "it died" in said.out
    assert "nothing was measured" in said.err


@pytest.mark.usefixtures("guests")
def test_it_speaks_json_and_writes_tables(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = ["--out", str(tmp_path / "rows.csv"), "--json"]
    assert main(["kernel", "phone", "--kernel", "7.2,7.3", "--run", *out]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kernels"]["7.3"]["origin"]["patch"] == "7.3.4"
    assert told["kernels"]["7.2"]["rows"][0]["waits"] == 5
    assert json.loads((tmp_path / "rows.const.json").read_bytes())["package_version"] == "7.3.4-1"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--kernel", "5.9"], "'5.9' is not a series of kernels"),
        (["--kernel", ""], "allowed: one or more of 6.1"),
        (["--kernel", "7.3", "--remedies", "A1"], "leave one out"),
        (["--kernel", "7.3", "--cpus", "9"], "--cpus is 9; allowed: 1 to 8"),
        (["--cpus", "2"], "--cpus needs --kernel"),
        (["--kernel", "7.3", "--run", "--set", "machine.hz=1000"], "add --set machine.hz=250"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kernel", "phone", *options]) == 2
    assert told in " ".join(capsys.readouterr().err.split())
