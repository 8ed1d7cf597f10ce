# SPDX-License-Identifier: GPL-2.0-only
"""How big must it be: what passes, what fails, what stays open, and what cannot be met."""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.cli.main import main
from krcsim.model.remedy import named
from krcsim.report.plain_text import WIDTH
from krcsim.report.target_chart import in_bytes
from krcsim.results.estimate import Estimate, exact
from krcsim.studies.frontier import frontier
from krcsim.studies.limits import at_each_look, limits, needed
from krcsim.studies.reserves import MOST, reserve, with_reserve
from krcsim.studies.size import size, worth
from krcsim.studies.size_chart import (
    chart_of_frontier,
    chart_of_sizes,
    picture_of_frontier,
    picture_of_sizes,
    reserve_in_words,
)
from krcsim.studies.size_verdict import size_verdict
from krcsim.studies.size_words import size_result, size_sentence, size_text
from krcsim.studies.sized import Sized
from krcsim.widgets import HowBig
from tests.pictures import outside, texts
from tests.quick import mostly_slow
from tests.results.sentences import reads_well

POSTED = krcsim.load_scenario("thread-as-posted")
KINDS = ["csv", "json", "pdf", "png", "svg", "toml", "txt"]


@pytest.fixture(scope="module")
def pool() -> Sized:
    """The smallest pool for two waits in ten thousand calls."""
    return size(POSTED, 2e-4)


@pytest.fixture(scope="module")
def beyond() -> Sized:
    """A target below what a pool that boots empty ever reaches."""
    return size(POSTED, 1e-6)


# ---- passes, fails, open


def test_the_smallest_is_below_the_target_and_the_next_smaller_is_not(pool: Sized) -> None:
    assert pool.sharp
    assert pool.smallest is not None
    assert pool.largest is not None
    assert pool.smallest.upper < pool.target <= pool.largest.lower


@pytest.mark.slow
def test_what_is_far_from_the_target_is_decided_by_few_replications() -> None:
    found = size(POSTED, 1e-5, at_boot="full")
    assert found.smallest is not None
    assert found.largest is not None
    runs = {t.objects: t.finding.replications for t in found.tried}
    assert runs[0] < min(runs[found.smallest.objects], runs[found.largest.objects])


def test_a_lower_target_takes_a_larger_pool(pool: Sized) -> None:
    easier = size(POSTED, 1e-3)
    assert easier.smallest is not None
    assert pool.smallest is not None
    assert easier.smallest.objects < pool.smallest.objects


def test_where_the_plain_code_is_good_enough_no_reserve_is_needed() -> None:
    found = size(POSTED, 0.1)
    assert found.smallest is not None
    assert (found.smallest.objects, found.smallest.bytes_added, found.largest) == (0, 0, None)
    assert "no objects" in size_sentence(found)


def test_pages_that_are_enough_by_construction_pass_any_target() -> None:
    found = size(POSTED, 1e-15, of="pages", budget=1e6)
    assert found.smallest is not None
    assert (found.smallest.pages, found.smallest.finding.method) == (3, "by construction")


def test_with_little_work_allowed_the_answer_is_a_range() -> None:
    found = size(POSTED, 1.6e-4, budget=1e6)
    assert found.events <= 1.1e6
    assert not found.sharp
    assert found.between
    assert any(word in size_sentence(found) for word in ("between", "could not be shown"))


def test_more_confidence_takes_more_work(pool: Sized) -> None:
    surer = size(POSTED, 2e-4, confidence=0.999)
    assert surer.events > pool.events
    assert surer.smallest == pool.smallest or (surer.smallest and surer.smallest.objects >= 3)


def test_the_same_question_has_the_same_answer(pool: Sized) -> None:
    assert size(POSTED, 2e-4) == pool


@pytest.mark.slow
def test_a_pool_that_boots_full_is_never_larger(pool: Sized) -> None:
    full = size(POSTED, 2e-4, at_boot="full")
    assert full.smallest is not None
    assert pool.smallest is not None
    assert full.smallest.objects <= pool.smallest.objects
    assert full.smallest.name.endswith("f-own")


@pytest.mark.slow
def test_pages_are_counted_beside_a_pool_and_a_pool_beside_pages() -> None:
    found = size("exhausted-guest", 1e-4, of="pages", fixed=1)
    assert {t.objects for t in found.tried} == {1}
    assert found.smallest is not None
    assert found.smallest.pages >= 1


@pytest.mark.slow
def test_time_blocked_may_be_the_target() -> None:
    found = size(POSTED, 0.01, quantity="blocked")
    assert found.met
    assert found.goal.startswith("blocked < 0.01")


def test_nobody_seen_to_wait_is_a_bound_on_the_time_blocked_too() -> None:
    (never,) = size(
        POSTED, 0.5, quantity="blocked", of="pages", fixed=50, most=0, at_boot="full", max_runs=8
    ).tried
    assert never.finding.estimate.kind == "bound"
    assert 0 < never.upper < math.inf


# ---- limits


def test_a_limit_on_one_side_is_nearer_than_that_of_an_interval() -> None:
    e = Estimate(1e-3, 5e-4, 2e-3, "interval")
    lower, upper = limits(e, 1000, 0.95)
    assert 5e-4 < lower < 1e-3 < upper < 2e-3


def test_a_limit_of_97_5_percent_is_the_end_of_the_interval() -> None:
    assert limits(Estimate(1e-3, 5e-4, 2e-3, "interval"), 9, 0.975) == pytest.approx((5e-4, 2e-3))


def test_few_replications_that_saw_anything_decide_only_from_afar() -> None:
    rough, sure = (
        limits(Estimate(1e-3, 5e-4, 2e-3, kind), 9, 0.95) for kind in ("rough", "interval")
    )
    assert rough[0] == pytest.approx(sure[0] / 10)
    assert rough[1] == pytest.approx(sure[1] * 10)


def test_a_bound_rises_with_the_confidence_and_decides_no_failure() -> None:
    bound = Estimate(None, 0.0, 1e-3, "bound")
    assert limits(bound, 9, 0.95) == (0.0, 1e-3)
    assert limits(bound, 9, 0.9999)[1] > 1e-3


def test_what_is_exact_has_no_room() -> None:
    assert limits(exact(0.0), 1, 0.99) == (0.0, 0.0)


@pytest.mark.parametrize("looks", [2, 8, 11])
def test_looks_at_ever_more_runs_go_wrong_together_as_often_as_allowed(looks: int) -> None:
    draw = np.random.default_rng(looks)
    runs = 2.0 ** np.maximum(0, np.arange(looks) - 1)  # that each look adds
    sums = np.cumsum(np.sqrt(runs) * draw.standard_normal((400_000, looks)), axis=1)
    worst = (sums / np.sqrt(np.cumsum(runs))).max(axis=1)
    assert np.mean(ndtr(worst) > at_each_look(0.95, looks)) == pytest.approx(
        0.05, abs=4 * 0.05 / math.sqrt(8_000)
    )


def test_a_single_look_has_all_the_confidence() -> None:
    assert at_each_look(0.9, 1) == 0.9


@given(st.floats(0.5, 0.9999), st.integers(2, 15))
def test_each_look_is_surer_than_all_together_and_no_surer_than_if_they_had_nothing_in_common(
    confidence: float, looks: int
) -> None:
    assert confidence < at_each_look(confidence, looks) < 1 - (1 - confidence) / looks


def test_an_estimate_at_the_target_is_told_from_it_by_no_runs_in_reach() -> None:
    near, far = (needed(Estimate(x, 0.8 * x, 1.2 * x, "interval"), 1e-3) for x in (1e-3, 2e-3))
    assert near == pytest.approx(16)
    assert far < 0.1


def test_early_looks_at_forks_decide_only_from_afar() -> None:
    e = Estimate(1e-3, 5e-4, 2e-3, "interval")
    assert limits(e, 9, 0.95, early=True) == limits(replace(e, kind="rough"), 9, 0.95)


def test_without_an_interval_nothing_is_decided() -> None:
    assert limits(Estimate(1e-3, None, None, "rough"), 1, 0.95) == (0.0, math.inf)


# ---- what a reserve is


@pytest.mark.parametrize("key", [(0, 0), (7, 0), (0, 3)])
@pytest.mark.parametrize("at_boot", ["own", "empty", "full"])
def test_a_reserve_has_the_name_of_its_remedy(key: tuple[int, int], at_boot: str) -> None:
    name, remedy = reserve(POSTED.remedy, *key, at_boot)
    assert named(name, POSTED.remedy) == remedy


def test_a_pool_boots_as_the_own_one_does() -> None:
    own = krcsim.changed(POSTED, remedy="B3f")
    assert with_reserve(own, 9, 0).remedy.emergency_at_boot == 9
    assert with_reserve(POSTED, 9, 0).remedy.emergency_at_boot == 0


def test_pages_boot_as_the_own_ones_do() -> None:
    dry = krcsim.changed(POSTED, remedy="D4e")
    assert with_reserve(dry, 0, 6).remedy.cache_at_boot == 0
    assert with_reserve(POSTED, 0, 6).remedy.cache_at_boot == 6


def test_a_mix_holds_both() -> None:
    s = with_reserve(POSTED, 5, 2, "full")
    assert (s.remedy.emergency_at_boot, s.remedy.nr_bkv_objs, s.remedy.cache_shared) == (5, 2, True)


def test_where_the_probability_does_not_fall_that_is_said(pool: Sized) -> None:
    assert pool.disorder == ()
    worse = replace(next(t for t in pool.tried if t.verdict == "fails"), objects=99)
    mixed = replace(pool, tried=(*pool.tried, worse))
    assert mixed.disorder == (worse,)
    assert "does not fall everywhere: 99" in size_sentence(mixed)


# ---- mixes, a page's worth, the frontier


def test_the_cheapest_mix_costs_no_more_than_a_pool_or_pages_alone() -> None:
    found = {of: size("exhausted-guest", 2e-5, of=of).smallest for of in ("pool", "pages", "mix")}
    costs = {of: t.bytes_added for of, t in found.items() if t}
    assert costs["mix"] <= min(costs["pool"], costs["pages"])


@pytest.mark.slow
def test_a_mix_is_found_though_for_pages_alone_nothing_can_be_shown() -> None:
    found = size(POSTED, 2e-4, of="mix")
    assert found.smallest is not None
    assert found.smallest.objects > 0


def test_a_page_is_worth_the_objects_that_it_spares() -> None:
    page = worth("exhausted-guest", 1e-4, pages=1)
    a, b = page.without.smallest, page.with_page.smallest
    assert a is not None
    assert b is not None
    assert (a.pages, b.pages) == (1, 2)
    assert page.objects == a.objects - b.objects > 0


def test_a_page_is_worth_nothing_that_can_be_counted_where_no_pool_meets_the_target() -> None:
    assert worth(POSTED, 1e-6, pages=0, max_runs=16).objects is None


def test_on_the_envelope_more_bytes_buy_less_waiting() -> None:
    found = frontier(POSTED, pools=(1, 3, 10), pages=(2,), mixed=(1,), max_runs=16)
    kept = found.envelope
    assert len(kept) > 1
    assert [p.bytes_added for p in kept] == sorted({p.bytes_added for p in kept})
    heights = [p.finding.estimate.value or p.finding.estimate.hi or 0.0 for p in kept]
    assert heights == sorted(heights, reverse=True)


def test_where_no_wait_was_seen_nothing_larger_is_asked() -> None:
    found = frontier(POSTED, pools=(1,), pages=(50, 60), mixed=(1,), max_runs=8)
    assert {(p.objects, p.pages) for p in found.points} == {(0, 0), (1, 0), (0, 50)}


def test_pools_pages_and_both_have_lines_of_their_own() -> None:
    found = frontier(POSTED, pools=(1, 3), pages=(1, 2), mixed=(1,), max_runs=8)
    chart = chart_of_frontier(found)
    names = [line.name for line in chart.lines]
    assert names[:3] == ["pool of N objects", "N pages", "pool of N next to 1 page"]
    assert len(names) <= 4

    best = found.envelope[-1]
    assert chart.title.startswith("Without a reserve ")
    assert in_bytes(best.bytes_added) in chart.title
    assert reserve_in_words(best) in chart.title
    assert outside(picture_of_frontier(found).figure) == []


# ---- what cannot be met


def test_a_target_below_what_any_size_reaches_is_no_error_and_what_was_tried_stays(
    beyond: Sized,
) -> None:
    assert not beyond.met
    assert {0, MOST["pool"]} <= {t.objects for t in beyond.tried}
    assert all(t.verdict == "fails" for t in beyond.tried)
    assert beyond.best.name in size_sentence(beyond)
    assert "\n" not in size_sentence(beyond)


def test_mixes_are_not_refuted_by_a_pool_that_fails_alone(beyond: Sized) -> None:
    pages = replace(beyond.tried[0], name="D3-own", objects=0, pages=3, verdict="open")
    said = size_sentence(replace(beyond, of="mix", tried=(*beyond.tried, pages)))
    assert "could not be shown" in said


def test_no_wait_seen_is_no_proof() -> None:
    found = size(POSTED, 1e-9, of="pages", budget=1e6, most=2)  # three are enough by construction
    assert not found.met
    assert "no wait was seen with D2-own" in size_sentence(found)
    assert "no proof" in size_sentence(found)


@pytest.mark.parametrize(
    "change",
    [
        dict(target=-1e-6),
        dict(target=0.0),
        dict(target=1.5),
        dict(target=math.nan),
        dict(confidence=1.0),
        dict(confidence=0.2),
        dict(of="bytes"),
        dict(quantity="wait_ms"),
        dict(at_boot="half"),
        dict(budget=0.0),
        dict(most=-1),
        dict(most=10**9),
        dict(fixed=-1),
        dict(max_runs=99),
        dict(seed=-1),
        dict(target="1e-6"),
        dict(window="later"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused_in_a_line(change: dict[str, object]) -> None:
    with pytest.raises(KrcsimError, match="allowed") as told:
        size(POSTED, **{"target": 1e-3, **change})  # type: ignore[arg-type]
    assert "\n" not in str(told.value)


def test_where_no_call_may_wait_no_size_is_searched() -> None:
    with pytest.raises(KrcsimError, match="only calls with one argument wait"):
        size("run-away-64")


# ---- words, files, the shell


def test_the_verdict_names_the_size_its_cost_and_the_next_smaller_one(pool: Sized) -> None:
    said = size_verdict(pool)
    reads_well(said)
    assert pool.smallest is not None
    assert pool.largest is not None
    size, cost = pool.smallest.objects, pool.smallest.bytes_added
    assert said.startswith(
        f"{size} objects per CPU ({cost} bytes) keep waits below 1 call in 5,000"
    )
    assert said.endswith(f"; {pool.largest.objects} do not.")


def test_the_verdict_on_a_target_that_is_not_met_claims_what_was_tried(beyond: Sized) -> None:
    said = size_verdict(beyond)
    reads_well(said)
    assert said.startswith(
        f"None of {len(beyond.tried)} pools of up to 4,096 objects per CPU keeps"
    )
    opened = replace(beyond, tried=(replace(beyond.tried[0], verdict="open"), *beyond.tried[1:]))
    assert size_verdict(opened).startswith("No size could be shown to keep")


def test_the_verdict_says_what_stays_open(pool: Sized) -> None:
    assert "stays open" in size_verdict(replace(pool, largest=None))
    assert "and in between it stays open" in size_verdict(
        replace(pool, largest=next(t for t in pool.tried if t.objects == 1))
    )


def test_the_shell_and_a_notebook_begin_with_the_verdict(
    beyond: Sized, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["size", "thread-as-posted", "--target", "1e-6"])
    assert capsys.readouterr().out.startswith(size_verdict(beyond))
    assert size_verdict(beyond) in beyond._repr_html_().split("<table>")[0]


def test_a_chart_shows_the_target_and_what_passes(pool: Sized) -> None:
    chart = chart_of_sizes(pool)
    lines = {line.name: line for line in chart.lines}
    assert pool.smallest is not None
    assert {e.value for e in lines["target 0.0002"].estimates} == {2e-4} == {chart.target}
    assert lines[f"{pool.smallest.name} passes"].estimates == (pool.smallest.finding.estimate,)
    assert chart.answer is not None
    assert (chart.answer.x, chart.answer.verdict) == (pool.smallest.objects, "passes")
    assert in_bytes(pool.smallest.bytes_added) in chart.answer_words
    assert [size.verdict for size in chart.sizes] == [tried.verdict for tried in pool.tried]


def test_the_picture_of_a_search_has_its_verdict_as_title(pool: Sized, beyond: Sized) -> None:
    for found in (pool, beyond):
        assert chart_of_sizes(found).title == size_verdict(found)
        fig = picture_of_sizes(found).figure
        assert size_verdict(found).removesuffix(".") in texts(fig)
        assert outside(fig) == []


def test_the_answer_fits_a_list(beyond: Sized) -> None:
    assert max(map(len, size_text(beyond).splitlines())) <= WIDTH


def test_what_was_tried_can_be_saved_and_read_again(pool: Sized, tmp_path: Path) -> None:
    again = krcsim.load_result(size_result(pool).save(tmp_path / "r.json"))
    assert pool.smallest is not None
    name = pool.smallest.name
    assert again.get(name, "p_wait", "steady") == pool.smallest.finding.estimate
    assert again.provenance["answer"]["smallest"] == name


def test_the_shell_says_what_python_says(pool: Sized, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["size", "thread-as-posted", "--target", "2e-4"]) == 0
    assert size_sentence(pool) in capsys.readouterr().out


def test_in_a_shell_a_target_that_is_not_met_leaves_files_a_line_and_status_2(
    beyond: Sized, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "r.json"
    assert main(["size", "thread-as-posted", "--target", "1e-6", "--out", str(file)]) == 2
    said = capsys.readouterr()
    assert said.err == f"krcsim: {size_sentence(beyond)}\n"
    assert "B4096-own" in said.out
    assert json.loads(file.read_text())["provenance"]["answer"]["met"] is False


@pytest.mark.parametrize("kind", mostly_slow(KINDS, "csv", "toml", "json", "txt"))
def test_every_file_alone_makes_itself_again(kind: str, tmp_path: Path) -> None:
    first, second = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    assert (
        main(["size", "phone", "--set", "machine.cpus=2", "--target", "0.01", "--out", str(first)])
        == 0
    )
    text = first.read_bytes().decode("latin-1")
    assert "krcsim size phone --set machine.cpus=2 --target 0.01" in " ".join(
        text.replace("\\\n", " ").split()
    )
    assert (
        main(["size", "phone", "--set", "machine.cpus=2", "--target", "0.01", "--out", str(second)])
        == 0
    )
    assert first.read_bytes() == second.read_bytes()


# ---- sliders


@pytest.mark.slow
def test_the_longest_names_still_leave_an_answer_that_fits_a_list(tmp_path: Path) -> None:
    explorer = HowBig(tmp_path, "thread-as-posted", runs=(16,))
    explorer.target.value, explorer.of.value = 1e-12, "mix"
    assert explorer.found is not None
    assert explorer.found.of == "mix"
    longest = replace(explorer.found.tried[-1], name="B4096f+D512-own")
    found = replace(explorer.found, tried=(*explorer.found.tried, longest))
    assert "+D512-own" in size_text(found)
    assert max(map(len, size_text(found).splitlines())) <= WIDTH


@pytest.mark.slow
def test_a_loaded_world_is_asked_as_it_is(tmp_path: Path) -> None:
    explorer = HowBig(tmp_path, "small-world", runs=(8,))
    assert explorer.scenario == krcsim.load_scenario("small-world")


def test_the_search_can_be_cancelled_before_its_first_answer(tmp_path: Path) -> None:
    explorer = HowBig(tmp_path, runs=(8,))
    assert explorer.buttons["Cancel"].disabled
    explorer.progress.say_way((0.1, "B2-own"))
    assert not explorer.buttons["Cancel"].disabled


@pytest.mark.slow
def test_the_numbers_are_those_of_the_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    explorer = HowBig(tmp_path, runs=(32,))
    explorer.controls["workload.rate_hz"].value = 2000.0
    assert explorer.done is not None
    assert explorer.found is not None
    status = main(shlex.split(explorer.done.answer.command)[1:])
    assert status == (0 if explorer.found.met else 2)
    assert size_sentence(explorer.found) in "".join(capsys.readouterr())


@pytest.mark.slow
def test_target_kind_and_boot_change_the_picture(tmp_path: Path) -> None:
    explorer = HowBig(tmp_path, runs=(16,))
    for control, other in (
        (explorer.target, 1e-2),
        (explorer.of, "pages"),
        (explorer.at_boot, "empty"),
    ):
        before = explorer.image.value
        control.value = other
        assert explorer.image.value != before
    assert explorer.found is not None
    assert (explorer.found.of, explorer.found.target, explorer.found.at_boot) == (
        "pages",
        1e-2,
        "empty",
    )


@pytest.mark.slow
def test_a_target_that_is_not_met_is_told_and_the_picture_stays(tmp_path: Path) -> None:
    explorer = HowBig(tmp_path, "thread-as-posted", runs=(32,))
    explorer.at_boot.value = "empty"
    assert explorer.found is not None
    many = len(explorer.found.tried)
    assert explorer.value.value.startswith(
        f"None of {many} pools of up to {MOST['pool']:,} objects per CPU keeps waits below "
    )
    assert explorer.image.value[:4] == b"\x89PNG"


@pytest.mark.slow
def test_all_files_are_exported(tmp_path: Path) -> None:
    explorer = HowBig(tmp_path, runs=(8,))
    assert sorted(path.suffix[1:] for path in explorer.export()) == KINDS
