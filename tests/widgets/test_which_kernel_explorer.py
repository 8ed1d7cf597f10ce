# SPDX-License-Identifier: GPL-2.0-only
"""The explorer of kernels: a row a kernel, and the same numbers in a shell and in Python."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

import krcsim
from krcsim.cli.main import main
from krcsim.model.kernel_rows import KERNEL_ROWS
from krcsim.report.kernels_chart import KernelsChart
from krcsim.results.result import load_result
from krcsim.widgets import WhichKernel

pytestmark = pytest.mark.usefixtures("warm_engine")
KINDS = ["csv", "json", "pdf", "png", "svg", "toml", "txt"]


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> WhichKernel:
    return WhichKernel(tmp_path_factory.mktemp("which"), runs=(8,))


def test_it_draws_a_row_for_each_kernel(explorer: WhichKernel) -> None:
    assert explorer.done is not None
    chart = explorer.done.answer.drawn
    assert isinstance(chart, KernelsChart)
    assert [row.version for row in chart.rows] == [f"v{row.kernel}" for row in KERNEL_ROWS]
    assert explorer.done.verdict == chart.title


def test_size_and_kind_of_the_object_stand_outside_of_all_tabs(explorer: WhichKernel) -> None:
    assert explorer.extras() == [explorer.controls[field] for field in explorer.above_tabs]
    on_tabs = [box for page in explorer.tabs.children for box in page.children]
    assert not {*explorer.extras()} & {*on_tabs}


def test_larger_objects_hold_more_memory(tmp_path: Path) -> None:
    explorer = WhichKernel(tmp_path, "thread-as-posted", runs=(8,))

    def held() -> float:
        assert explorer.done is not None
        value = explorer.done.found.get("E1", "mean_bytes", "steady").value
        assert value is not None
        return float(value)

    small = held()
    explorer.controls["workload.object_bytes"].value = 4096
    assert held() == pytest.approx(64.0 * small)


def test_pages_had_after_reclaim_are_left_open_at_the_end_of_their_slider(tmp_path: Path) -> None:
    explorer = WhichKernel(tmp_path, "thread-as-posted", runs=())
    control = explorer.controls["allocator.episode.page_noretry"]
    control.value = 0.1
    assert explorer.scenario.allocator.episode.page_noretry == 0.1
    control.value = 1.0
    assert explorer.scenario.allocator.episode.page_noretry is None


def test_a_request_after_reclaim_fails_no_more_often_than_one_without(tmp_path: Path) -> None:
    explorer = WhichKernel(tmp_path, "thread-as-posted", runs=())
    noretry = explorer.controls["allocator.episode.page_noretry"]
    page = explorer.controls["allocator.episode.page"]
    assert (noretry.value, page.value) == (1.0, 0.95)

    for beyond in (0.98, 0.99):
        noretry.value = beyond
        assert noretry.value == 0.95
    noretry.value = 1.0
    assert explorer.scenario.allocator.episode.page_noretry is None

    noretry.value = 0.8
    page.value = 0.5
    assert noretry.value == 0.5
    assert explorer.scenario.allocator.episode.page_noretry == 0.5


def test_the_command_gives_the_same_numbers(explorer: WhichKernel, tmp_path: Path) -> None:
    assert explorer.done is not None
    answer = explorer.done.answer
    path = tmp_path / "again.json"
    words = shlex.split(answer.command)[1:]
    assert main([*words, "--quiet", "--out", str(path)]) == 0
    assert answer.result is not None
    assert load_result(path).rows == answer.result.rows


def test_the_python_gives_the_same_numbers(explorer: WhichKernel) -> None:
    assert explorer.done is not None
    found: dict[str, krcsim.Result] = {}
    exec(explorer.done.python, found)
    assert found["result"].rows == explorer.done.found.rows


def test_everything_is_exported(explorer: WhichKernel) -> None:
    files = explorer.export()
    assert sorted(path.suffix[1:] for path in files) == KINDS
