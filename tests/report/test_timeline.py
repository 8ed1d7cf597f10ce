# SPDX-License-Identifier: GPL-2.0-only
"""One spell as a CPU saw it: what it held, who waited, which rule fired."""

from __future__ import annotations

import pytest

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.engine.records import EVENTS
from krcsim.report.chart import digest
from krcsim.report.export import Answer, file_of
from krcsim.report.timeline import (
    Spell,
    csv_of,
    one_spell,
    rules,
    spell_figure,
    story,
    text_of,
    whole,
)
from krcsim.runs.ladder import SEED
from krcsim.studies.simulate import simulate


@pytest.fixture(scope="module")
def spell() -> Spell:
    return one_spell("thread-as-posted", number=2)


def test_every_event_has_a_rule_of_the_kernel() -> None:
    assert set(rules()) == set(EVENTS)
    assert all(rule["rule"].endswith(".") and rule["symbol"] for rule in rules().values())


def test_the_events_are_those_of_the_run(spell: Spell) -> None:
    run = simulate("thread-as-posted", SEED)
    left, right = whole(spell)
    there = [(ms, cpu, what) for ms, cpu, what, _ in run.events if left <= ms <= right and cpu < 1]
    assert [(e.ms, e.cpu, e.what) for e in spell.events] == there


def test_a_wait_lasts_from_its_begin_to_its_end(spell: Spell) -> None:
    begins = [e.ms for e in spell.events if e.what == "wait begins"]
    ends = [e for e in spell.events if e.what == "wait ends"]
    assert len(begins) > 3
    for e in ends:
        assert any(abs(e.ms - e.value - at) < 0.01 for at in begins), e


@pytest.mark.parametrize("remedy", ["B", "D5-A1", "C-A1", "A0"])
def test_a_cpu_never_holds_more_than_its_reserves(remedy: str) -> None:
    spell = one_spell("thread-as-discussed", remedy=remedy, number=1)
    r = spell.scenario.remedy
    for e in spell.events:
        assert 0 <= e.nr_emergency <= r.nr_emergency_objs
        assert 0 <= e.cached <= r.nr_bkv_objs * (1 if r.cache_shared else 2)
        assert 0 <= e.listed <= e.queued


def test_who_waits_found_the_pool_empty() -> None:
    short = {"remedy": "B1", "allocator.spell.head_reclaim": 0.2}
    spell = one_spell(krcsim.changed(krcsim.load_scenario("thread-as-posted"), **short), number=2)
    assert spell.waits
    assert {e.nr_emergency for e in spell.waits} == {0}


def test_the_story_counts_the_waits(spell: Spell) -> None:
    assert f"{len(spell.waits)} callers waited" in story(spell)


def test_the_text_fits_a_mail(spell: Spell) -> None:
    lines = text_of(spell, "krcsim simulate thread-as-posted --spell 2").splitlines()
    assert max(map(len, lines)) <= 72
    assert len(lines) <= 57
    assert all(line.isascii() and line == line.rstrip() for line in lines)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf", "csv", "json", "toml", "txt"])
def test_a_spell_is_exported_the_same_each_time(spell: Spell, kind: str) -> None:
    answer = Answer("one-spell", spell.scenario, SEED, "krcsim simulate x --spell 2", spell, "t\n")
    assert file_of(answer, kind) == file_of(answer, kind)


def test_the_figure_has_a_lane_for_each_thing(spell: Spell) -> None:
    (ax,) = spell_figure(spell, "", "").axes
    assert [t.get_text() for t in ax.get_yticklabels()][0] == "waiting callers"
    assert digest(csv_of(spell, {})) == digest(csv_of(spell, {}))


@pytest.mark.parametrize("number", [0, 99])
def test_a_spell_that_is_not_there_is_refused(number: int) -> None:
    with pytest.raises(KrcsimError, match="spells, so none"):
        one_spell("thread-as-posted", number=number)


def test_a_cpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(KrcsimError, match="cpu is 4; allowed: 0 to 3"):
        one_spell("thread-as-posted", cpu=4)


def test_preset_names_are_scenarios_everywhere() -> None:
    by_name = krcsim.compare("phone", ["A1"], max_rung=0)
    assert by_name.rows == krcsim.compare(krcsim.load_scenario("phone"), ["A1"], max_rung=0).rows
