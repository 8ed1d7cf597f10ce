# SPDX-License-Identifier: GPL-2.0-only
"""A scenario as a job for newer kernels: what it becomes, and what is said to be left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from krcsim.guest.boot import experiments
from krcsim.guest.mainline import build, matrix
from krcsim.guest.mainline.conditions import SETS
from krcsim.guest.mainline.job import job_of, sets_for
from krcsim.guest.mainline.series import SERIES, Series
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario, presets

PHONE = load_scenario("phone")
PLAIN = changed(PHONE, **{"workload.arrivals": "poisson", "allocator.episodes": "none"})


def words(scenario: Scenario, cpus: int = 1) -> dict[str, str]:
    return dict(word.split("=", 1) for word in job_of(scenario, cpus).line().split())


def known_parameters() -> dict[str, tuple[int, int]]:
    """The parameters of the module, with the ends between which each must lie."""
    text = build.sources()["krcstock.c"].decode()
    found = re.findall(r"\tP\((\w+), [^,]+, ([^,]+), ([^,]+),", text)
    numbers = {"LONGEST_MS": 600_000}
    return {name: (int(least), numbers.get(most) or int(most)) for name, least, most in found}


def test_the_phone_is_measured_as_it_is_on_one_cpu() -> None:
    job = job_of(PHONE)
    assert not job.stops
    assert job.boot.cpus == 1
    assert "measured on 1 of them" in {gap.field: gap.reason for gap in job.gaps}["machine.cpus"]


def test_calls_come_in_phases_with_the_mean_rate_of_the_scenario() -> None:
    found = words(PHONE)
    on_us, off_us, period_us = (
        int(found[name]) for name in ("phase_on_us", "phase_off_us", "period_us")
    )
    assert (on_us, off_us) == (30_000, 90_000)
    rate_hz = 1e6 / period_us * on_us / (on_us + off_us)
    assert rate_hz == pytest.approx(PHONE.workload.rate_hz)
    assert int(found["double_pct"]) == 90


def test_pages_fail_as_noretry_requests_do_in_calm_and_in_episodes() -> None:
    scenario = changed(PHONE, **{"allocator.episode.page_noretry": 0.5})
    found = words(scenario)
    assert found["p_page_ppm"] == "500000"
    assert found["calm_page_ppm"] == "1000"
    assert found["p_slab_ppm"] == "200000"  # of an rcu_head: a slab object without reclaim
    assert (found["on_ms"], found["off_ms"], found["epi_exp"]) == ("1000", "4000", "1")


def test_without_episodes_calm_is_all_there_is() -> None:
    found = words(PLAIN)
    assert found["p_page_ppm"] == "1000"
    assert "calm_page_ppm" not in found
    assert "on_ms" not in found


def test_a_schedule_without_an_episode_is_calm() -> None:
    two = {"allocator.episodes": "schedule", "allocator.schedules": [[], [[100, 200]]]}
    found = words(changed(PHONE, **two))
    assert found["p_page_ppm"] == "1000"
    assert "onset_ms" not in found


def test_an_open_loop_has_threads_that_wait_and_a_closed_one_has_none() -> None:
    assert int(words(PLAIN)["waiters"]) > 0
    assert "waiters" not in words(changed(PLAIN, **{"workload.loop": "closed"}))
    assert "waiters" not in words(changed(PLAIN, **{"workload.single_share": 0}))


def test_where_memory_runs_out_a_hog_takes_it_and_nothing_is_made_to_fail() -> None:
    scenario = load_scenario("exhausted-guest")
    job = job_of(scenario)
    assert not job.stops
    assert job.boot.mib == 256
    found = words(scenario)
    assert (found["hog"], found["preobj"], found["onset_ms"]) == ("2", "1", "500")
    assert "p_page_ppm" not in found


def test_a_hog_has_a_head_start_only_where_the_pressure_begins_with_the_run() -> None:
    scenario = changed(load_scenario("exhausted-guest"), **{"memory.lead_ms": 300})
    assert "lead_ms" not in words(scenario)
    at_once = {"allocator.schedules": [[0, 10_000]]}
    assert words(changed(scenario, **at_once))["lead_ms"] == "300"


def test_readers_read_where_the_kernel_can_be_preempted() -> None:
    job = job_of(changed(PLAIN, **{"grace_period.reader_ms": 20}))
    assert job.boot.append == "preempt=full"
    assert dict(job.parameters)["reader_ms"] == 20
    assert "reader_ms" not in words(PLAIN)


def test_bursts_begin_at_once_and_poisson_calls_after_a_gap() -> None:
    assert words(load_scenario("exhausted-guest"))["at_once"] == "1"
    assert "at_once" not in words(PLAIN)


@pytest.mark.parametrize("name", presets())
@pytest.mark.parametrize("cpus", [1, 2])
def test_every_preset_can_be_measured_with_what_the_module_takes(name: str, cpus: int) -> None:
    scenario = load_scenario(name)
    job = job_of(changed(scenario, **sets_for(scenario, cpus)), cpus)
    assert not job.stops
    known = known_parameters()
    for parameter, value in job.parameters:
        if parameter != "label":
            least, most = known[parameter]
            assert least <= int(value) <= most, parameter


@pytest.mark.parametrize("series", SERIES.values(), ids=SERIES)
@pytest.mark.parametrize("name", SETS)
def test_the_conditions_of_a_set_are_what_the_module_takes(name: str, series: object) -> None:
    known = known_parameters()
    conditions = list(SETS[name](series))  # type: ignore[arg-type]
    lines = experiments([f"{condition.line} seed={condition.seed(3)}" for condition in conditions])
    for line in lines:
        for parameter, value in (word.split("=") for word in line.split()[1:]):
            least, most = known[parameter]
            assert least <= int(value) <= most, (line, parameter)


@pytest.mark.parametrize("series", SERIES.values(), ids=SERIES)
def test_no_two_conditions_of_a_kernel_share_their_name_or_their_seeds(series: Series) -> None:
    conditions = [condition for make in SETS.values() for condition in make(series)]
    labels = {condition.line.split()[0] for condition in conditions}
    seeds = {condition.seed(number) for condition in conditions for number in (1, 2, 3)}
    assert len(labels) == len(conditions)
    assert len(seeds) == 3 * len(conditions)


def test_several_cpus_are_counted_where_the_kernel_boots_so() -> None:
    for name, timing in (("6.1", "realtime"), ("6.12", "icount")):
        boots = {condition.boot(SERIES[name]) for condition in SETS["waits"](SERIES[name])}
        assert {boot.timing for boot in boots if boot.cpus > 1} == {timing}


def test_older_kernels_are_not_asked_for_sheaves() -> None:
    assert not list(SETS["sheaves"](SERIES["6.12"]))
    assert list(SETS["sheaves"](SERIES["7.3"]))
    assert not any("p_sheaf_ppm=1" in c.line for c in SETS["rates"](SERIES["6.1"]))


def test_the_page_cache_is_set_where_the_kernel_has_its_parameter() -> None:
    for name, room in (("6.12", "rcutree"), ("7.3", "slab_common")):
        conditions = SETS["cached"](SERIES[name])
        appended = {condition.boot(SERIES[name]).append for condition in conditions}
        assert appended == {f"{room}.rcu_min_cached_objs={pages}" for pages in (1, 5)}


def test_the_list_of_sets_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = ["--out", str(tmp_path)]
    assert matrix.main([*out, "--kernels", "7.3", "--list", "drains"]) == 0
    assert capsys.readouterr().out.count("label=drains/") == 26
    assert matrix.main([*out, "drain"]) == 2
    assert "did you mean drains" in capsys.readouterr().err
    assert matrix.main([*out, "--kernels", "5.9", "drains"]) == 2
    assert "allowed: 6.1" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
