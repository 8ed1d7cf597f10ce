# SPDX-License-Identifier: GPL-2.0-only
"""What was measured is what is predicted: recordings as scenarios, and what is said of the two
beside each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_all
from krcsim.cli.kernel_answer import measured_words
from krcsim.cli.verbs import kernel
from krcsim.guest import job, recorded_scenario, recordings, score
from krcsim.model.grace_period import GracePeriod
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import data_folder, load_scenario
from krcsim.runs.replications import replicate
from validation import headline
from validation.scenarios import random_scenario

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "krcsim/guest/module/krcmeter.c").read_text(encoding="utf-8")
MODULE = set(re.findall(r"^\tP\((\w+),", SOURCE, re.M))
# Parameters that say how a run is recorded, or that the rows hold in another column.
HARMLESS = set("p_page_ppm p_obj_ppm seed gp_n gp_trace preobj preobj_shuffle".split())
RUN = dict(
    label="x",
    variant="A",
    seed=1,
    calls=1000,
    sync=10,
    sync_ns=100_000_000,
    cpus=1,
    p_page_ppm=1_000_000,
    p_obj_ppm=500_000,
    mib=512,
    free_pages_before=48_000,
    period_us=1000,
    dur_ms=1000,
    threads=1,
    hz=250,
)


def condition(**changes: object) -> recordings.Condition:
    return recordings.condition_of("x", [{**RUN, **changes}])


def predicted(**changes: object) -> Scenario:
    return recorded_scenario.scenario_of(condition(**changes))


# ---- several producers


@pytest.mark.parametrize(("threads", "cpus"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 4)])
def test_every_producer_calls_at_its_own_rate(threads: int, cpus: int) -> None:
    """A producer makes a call a ms; a CPU with three of them sees three."""
    w = predicted(threads=threads, cpus=cpus).workload
    assert w.producers == threads / cpus
    assert w.rate_hz == 1000.0 * threads / cpus


def test_producers_that_nothing_holds_up_are_one_that_is_as_fast() -> None:
    w = predicted(threads=2, waiters=512, catchup=1).workload
    assert (w.loop, w.producers, w.rate_hz) == ("open", 1, 2000.0)


@pytest.mark.parametrize(("threads", "cpus"), [(3, 2), (1, 2), (5, 4)])
def test_cpus_with_unequal_numbers_of_producers_are_refused(threads: int, cpus: int) -> None:
    with pytest.raises(KrcsimError, match=f"threads = {threads} on {cpus} CPUs"):
        predicted(threads=threads, cpus=cpus)


def test_the_model_makes_as_many_calls_as_two_producers_made_in_the_kernel() -> None:
    for c in recordings.read_set(data_folder() / "kernel-6.1" / "pairs.csv"):
        if c.given["waiters"]:  # nothing holds them up: the load alone decides
            runs = replicate(recorded_scenario.scenario_of(c), 1, 0, len(c.runs))
            assert float(runs.of("single", 1).mean()) == pytest.approx(
                np.mean([r.calls for r in c.runs]), rel=0.04
            )


def test_a_scenario_comes_back_from_its_own_measurement() -> None:
    for number in range(60):
        own = random_scenario(number)
        own = changed(own, **job.sets_for(own))
        made = job.job_of(own)
        row = {**RUN, **dict(made.parameters), "cpus": own.machine.cpus}
        again = recorded_scenario.scenario_of(recordings.condition_of("own", [row]))
        assert again.workload.producers == own.workload.producers
        assert again.workload.rate_hz == pytest.approx(own.workload.rate_hz, rel=0.11)
        assert again.workload.loop == own.workload.loop or own.workload.arrivals in (
            "poisson",
            "onoff",
        )
        assert again.remedy == changed(own, **{"remedy.drain_jiffies": own.drain_jiffies}).remedy
        assert again.machine.nocb_share == pytest.approx(own.machine.nocb_share, abs=0.005)
        assert again.allocator.episode.page == pytest.approx(
            own.allocator.calm.page
            if own.allocator.episodes == "none"
            else own.allocator.episode.page,
            abs=1e-6,
        )


# ---- nothing of a recording is passed over


# what must be set for a parameter to have an effect, and its value
ELSEWHERE: dict[str, dict[str, object]] = {
    "pool": dict(pool=3),
    "pool_prefill": dict(pool=3, pool_prefill=1),
    "cache_max": dict(cache_max=2),
    "cache_prefill": dict(cache_prefill=1),
    "array_path": dict(array_path=0),
    "attach": dict(attach=0),
    "bind": dict(bind=0),
    "period_us": dict(period_us=500),
    "burst": dict(burst=7),
    "objsize": dict(objsize=128),
    "dur_ms": dict(dur_ms=900),
    "total": dict(total=100),
    "lead_ms": dict(lead_ms=50),
    "foreign_pct": dict(cpus=2, threads=2, foreign_pct=50),
    "threads": dict(threads=2),
    "hog": dict(hog=2),
    "hog_us": dict(hog=2, hog_us=5000),
    "hog_keep": dict(hog=3, hog_keep=9),
    "on_ms": dict(on_ms=100, off_ms=300),
    "off_ms": dict(on_ms=100, off_ms=200),
    "epi_exp": dict(on_ms=100, off_ms=300, epi_exp=1),
    "reader_gap_us": dict(reader_ms=20, reader_gap_us=900),
    "reader_ms": dict(reader_ms=20),
    "drain_jiffies": dict(drain_jiffies=9),
    "waiters": dict(waiters=512, catchup=1),
    "mode": dict(mode=2),
}


@pytest.mark.parametrize("name", sorted(MODULE - HARMLESS))
def test_a_parameter_of_the_harness_changes_the_prediction_or_is_refused(name: str) -> None:
    given = {"off_ms": 300, **ELSEWHERE.get(name, {name: 1})}
    before = predicted(**{k: v for k, v in given.items() if k != name})
    told = ""
    try:
        assert predicted(**given) != before
    except KrcsimError as exc:
        told = str(exc)
    assert not told or name in told


# ---- what a run in real time saw itself


def test_each_run_is_predicted_from_the_grace_periods_that_it_saw() -> None:
    rows = [
        {**RUN, "cpus": 2, "threads": 2, "gp_len_us": json.dumps([ms * 1000] * 101)}
        for ms in (8, 24)
    ]
    found = recorded_scenario.scenarios_of(recordings.condition_of("x", rows))
    assert [set(s.grace_period.lengths_ms) for s in found] == [{8.0}, {24.0}]


def test_the_longest_grace_period_of_a_run_is_not_taken_for_one_in_a_hundred() -> None:
    """101 quantiles bound 100 equal parts: a single stall of 1 s at the end stands for half of the
    last one.
    """
    lengths = recorded_scenario.grace_lengths_ms(
        condition(gp_len_us=json.dumps([8000] * 100 + [1_000_000]))
    )
    assert np.mean(lengths) == pytest.approx(0.995 * 8.0 + 0.005 * 1000.0)


def test_readers_are_simulated_and_not_recorded_on_top() -> None:
    assert predicted(reader_ms=20, gp_len_us=json.dumps([8000] * 101)).grace_period == GracePeriod(
        reader_ms=20.0, expedited_median_ms=recorded_scenario.EXPEDITED_MS, expedited_sigma=0.1
    )


def test_a_run_whose_timers_were_late_is_predicted_with_timers_that_are_as_late() -> None:
    s = predicted(cpus=2, threads=2)
    low, high = (
        score.later_jiffies(s, condition(mon=100, montimer_mean_us=us).runs[0])
        for us in (24_000, 28_000)
    )
    assert high - low == pytest.approx(1.0)
    assert 0.0 <= low < 0.6
    early = condition(mon=100, montimer_mean_us=15_000).runs[0]
    assert score.later_jiffies(s, early) == 0.0
    at_once = condition(mon=200, drained_at_once=100, montimer_mean_us=14_000).runs[0]
    assert score.later_jiffies(s, at_once) == pytest.approx(high)


def test_of_late_drains_as_many_as_give_the_mean() -> None:
    s = predicted(array_path=0)  # all on the list: the drains are the same in each run
    each = [score._with_late_drains(s, late, 0, 20).of("drains", 1) for late in (0.0, 0.25, 1.0)]
    assert len(each[1]) == 20
    assert sorted(each[1]) == sorted([*each[2][:5], *each[0][5:]])


# ---- what is said of it


def words(waits: int, model: tuple[float, float, float], **columns: object) -> str:
    c = condition(sync=waits, sync_ns=waits * 10_000_000, **columns)
    answer = score.Answer(c.measured[0], *model)
    found = score.Comparison(c, answer, answer, 1000 * model[0], 0.0)
    row = {
        **RUN,
        "sync": waits,
        "blocked_frac": 0.0,
        "release": "6.1",
        "drain_jiffies": 5,
        **columns,
    }
    return measured_words("own", [row], found)


def test_no_wait_on_either_side_is_not_called_an_agreement() -> None:
    told = words(0, (0.0, 0.0, 0.0))
    assert "says nothing of the model" in told
    assert "inside" not in told


def test_an_interval_that_holds_no_wait_says_what_was_expected() -> None:
    assert "no wait was measured (the model expects 2)" in words(0, (0.002, 0.0, 0.004))
    assert words(10, (0.01, 0.005, 0.02)).count(": inside") == 2
    assert words(90, (0.01, 0.005, 0.02)).count(": OUTSIDE") == 2


def test_a_measurement_in_real_time_says_that_the_host_matters() -> None:
    told = words(
        10,
        (0.01, 0.005, 0.02),
        cpus=4,
        threads=4,
        timing="realtime",
        montimer_p99_us=60_000,
        gp_len_us=json.dumps([10_000] * 101),
    )
    assert "the load of this host matters" in told
    assert "due within 24 ms took up to 60 ms" in told
    assert "(10 ms on average)" in told
    assert "host" not in words(10, (0.01, 0.005, 0.02), timing="icount")


def test_a_table_of_measured_rows_can_be_read_again(tmp_path: Path) -> None:
    options = kernel.Kernel("phone", out=[str(tmp_path / "x.csv")], run=True)
    targets = kernel.targets_of(options)
    write_all(
        kernel.files_of(targets, [{**RUN, "set": "own", "seed": n} for n in (1, 2)], "{}"),
        overwrite=False,
    )
    (again,) = recordings.read_set(targets[0])
    assert (len(again.runs), again.given["period_us"]) == (2, 1000.0)
    with pytest.raises(KrcsimError, match="exists already"):
        kernel.targets_of(options)


# ---- the headline


def test_the_headline_of_the_documents_is_made_of_the_counted_numbers() -> None:
    for document, said in headline.DOCUMENTS.items():
        assert headline.headline_of(document.read_text(encoding="utf-8")) == said(headline.read())


@pytest.mark.parametrize("said", [headline.sentence, headline.in_short])
def test_the_headline_says_how_many_and_what_it_does_not_cover(
    said: Callable[[headline.Counts], str],
) -> None:
    found = headline.read()
    told = said(found)
    assert (
        f"{found['not_fitted']['p_wait_inside']} of the {found['not_fitted']['waited']} conditions"
        in told
    )
    assert "does not cover" in told


def test_the_preset_of_the_thread_is_measured_on_its_cpus() -> None:
    made = job.job_of(
        changed(
            load_scenario("thread-as-posted"), **job.sets_for(load_scenario("thread-as-posted"))
        )
    )
    assert made.boot.cpus == 4
    assert made.boot.timing == "realtime"
