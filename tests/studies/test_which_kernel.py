# SPDX-License-Identifier: GPL-2.0-only
"""The same load on every kernel: a row a kernel, with the numbers that compare() has of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

import krcsim
from krcsim.model.kernel_rows import KERNELS
from krcsim.report.kernel_steps import COMPARED
from krcsim.studies.compare import compare
from krcsim.studies.thread_answered import IDEAS, thread_answered
from krcsim.studies.which_kernel import which_kernel

pytestmark = pytest.mark.usefixtures("warm_engine")
QUICK = replace(krcsim.load_scenario("thread-as-posted"), warmup_ms=500.0, horizon_ms=3000.0)
HOW = dict(max_runs=8, budget=0)


def test_each_kernel_has_a_row_with_all_that_they_are_compared_by() -> None:
    found = which_kernel(QUICK, **HOW)
    assert [point[0] for point in found.points()] == [*KERNELS]
    for name in KERNELS:
        for quantity in COMPARED[1:]:
            assert found.get(name, quantity, "steady").value is not None, (name, quantity)


def test_numbers_are_those_of_a_comparison() -> None:
    found = which_kernel(QUICK, ["5.8", "5.9"], **HOW)
    same = compare(QUICK, ["A0", "E1"], **HOW)
    assert found.rows == same.rows


def test_the_remedy_of_the_scenario_does_not_matter() -> None:
    other = krcsim.changed(QUICK, remedy="B12")
    assert (
        which_kernel(other, ["5.8", "5.9"], **HOW).rows
        == which_kernel(QUICK, ["5.8", "5.9"], **HOW).rows
    )


def test_the_command_names_the_kernels_that_were_asked_for() -> None:
    found = which_kernel("thread-as-posted", ["5.8", "v5.9"], **HOW)
    said = str(found.provenance["command"])
    assert said == "krcsim versions thread-as-posted --kernels 5.8,5.9 --max-runs 8 --budget 0"


def test_time_to_free_is_what_littles_law_says() -> None:
    """Calls with two arguments that never wait: held objects are rate times time to free."""
    calm = krcsim.changed(QUICK, **{"allocator.episodes": "none", "allocator.calm.page": 0.0})
    found = which_kernel(replace(calm, horizon_ms=20_500.0), ["5.8", "5.9"], **HOW)
    rate_hz = calm.workload.rate_hz * calm.machine.cpus
    for name in ("A0", "E1"):
        held = found.get(name, "mean_objects", "steady").value
        dwell_ms = found.get(name, "dwell_ms", "steady").value
        assert held is not None
        assert dwell_ms is not None
        assert held == pytest.approx(rate_hz * dwell_ms / 1000.0, rel=0.02)


def test_each_batch_is_a_callback_and_no_two_grace_periods_run_at_once() -> None:
    calm = krcsim.changed(QUICK, **{"allocator.episodes": "none", "allocator.calm.page": 0.0})
    found = which_kernel(calm, ["5.8", "5.9"], **HOW)
    for name in ("A0", "E1"):
        callbacks = found.get(name, "callbacks_hz", "steady").value
        grace_periods = found.get(name, "gps_hz", "steady").value
        assert callbacks is not None
        assert grace_periods is not None
        assert grace_periods <= callbacks  # each is asked for by a batch
        assert grace_periods <= 1000.0 / 8.0  # and takes two ticks at least


def test_the_thread_is_answered_with_both_ideas_and_all_kernels() -> None:
    found = thread_answered(QUICK, **HOW)
    assert [point[0] for point in found.ideas.points()] == [*IDEAS]
    assert [point[0] for point in found.kernels.points()] == [*KERNELS]
    assert repr(found).startswith("Of the two ideas of April 2020 mainline took")
    html = found._repr_html_()
    assert all(name in html for name in IDEAS)
