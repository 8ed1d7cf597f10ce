# SPDX-License-Identifier: GPL-2.0-only
"""One episode as a CPU saw it: what it held, who waited, which rule fired."""

from __future__ import annotations

import itertools

from krcsim.report.style import figure

import pytest
from hypothesis import given
from hypothesis import strategies as st

import krcsim
from krcsim.base.errors import KrcsimError
from krcsim.engine.codes import EVENTS
from krcsim.report.chart import digest
from krcsim.report.episode import Episode, episode_csv, one_episode, rules
from krcsim.report.episode_words import finding, key_events, situation_of, story, text_of
from krcsim.report.export import Answer, file_of
from krcsim.report.timeline import draw_event, episode_figure, event_in_words, frame, layers
from krcsim.runs.ladder import SEED
from krcsim.studies.simulate import simulate
from tests.pictures import outside, texts


@pytest.fixture(scope="module")
def episode() -> Episode:
    return one_episode("thread-as-posted", number=2)


def test_every_event_has_a_rule_of_the_kernel() -> None:
    assert set(rules()) == set(EVENTS)
    assert all(rule["rule"].endswith(".") and rule["symbol"] for rule in rules().values())


def test_the_events_are_those_of_the_run(episode: Episode) -> None:
    run = simulate("thread-as-posted", SEED)
    left, right = episode.span
    there = [(ms, cpu, what) for ms, cpu, what, _ in run.events if left <= ms <= right and cpu < 1]
    assert [(e.ms, e.cpu, e.what) for e in episode.events] == there


def test_a_wait_lasts_from_its_begin_to_its_end(episode: Episode) -> None:
    begins = [e.ms for e in episode.events if e.what == "wait begins"]
    ends = [e for e in episode.events if e.what == "wait ends"]
    assert len(begins) > 3
    for e in ends:
        assert any(abs(e.ms - e.value - at) < 0.01 for at in begins), e


@pytest.mark.parametrize("remedy", ["B", "D5-A1", "C-A1", "A0"])
def test_a_cpu_never_holds_more_than_its_reserves(remedy: str) -> None:
    episode = one_episode("thread-as-discussed", remedy=remedy, number=1)
    r = episode.scenario.remedy
    for e in episode.events:
        assert 0 <= e.nr_emergency <= r.nr_emergency_objs
        assert 0 <= e.cached <= r.nr_bkv_objs * (1 if r.cache_shared else 2)
        assert 0 <= e.listed <= e.queued


def test_who_waits_found_the_pool_empty() -> None:
    short = {"remedy": "B1", "allocator.episode.head_reclaim": 0.2}
    episode = one_episode(
        krcsim.changed(krcsim.load_scenario("thread-as-posted"), **short), number=2
    )
    assert episode.waits
    assert {e.nr_emergency for e in episode.waits} == {0}


def test_the_story_counts_the_waits(episode: Episode) -> None:
    assert f"{len(episode.waits)} callers waited" in story(episode)


def test_the_text_fits_a_mail(episode: Episode) -> None:
    lines = text_of(episode, "krcsim simulate thread-as-posted --episode 2").splitlines()
    assert max(map(len, lines)) <= 72
    assert len(lines) <= 50
    assert all(line.isascii() and line == line.rstrip() for line in lines)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf", "csv", "json", "toml", "txt"])
def test_an_episode_is_exported_the_same_each_time(episode: Episode, kind: str) -> None:
    answer = Answer(
        "one-episode", episode.scenario, SEED, "krcsim simulate x --episode 2", episode, "t\n"
    )
    assert file_of(answer, kind) == file_of(answer, kind)


def test_the_same_episode_has_the_same_numbers(episode: Episode) -> None:
    again = one_episode("thread-as-posted", number=2)
    assert digest(episode_csv(episode, {})) == digest(episode_csv(again, {}))


EPISODES = (
    ("thread-as-posted", ""),
    ("thread-as-posted", "B"),
    ("thread-as-discussed", "D5-A1"),
    ("exhausted-guest", ""),
    ("phone", "B1"),
    ("thread-as-posted", "E1"),
)


@pytest.fixture(scope="module", params=EPISODES, ids=" ".join)
def any_episode(request: pytest.FixtureRequest) -> Episode:
    preset, remedy = request.param
    return one_episode(preset, remedy=remedy, number=1)


def test_a_figure_says_its_finding_the_setting_and_key_events(any_episode: Episode) -> None:
    said = texts(episode_figure(any_episode, "made with krcsim"))
    assert finding(any_episode) in said
    assert situation_of(any_episode) in said
    told = key_events(any_episode)
    assert told == sorted(told)
    assert all(str(rank) in said for rank in range(1, len(told) + 1))


def test_no_text_of_a_figure_is_cut_off(any_episode: Episode) -> None:
    assert outside(episode_figure(any_episode, "krcsim simulate " + 20 * "--set a.b=1 ")) == []


def test_a_figure_has_four_rows_at_most_and_that_of_callers_on_top(any_episode: Episode) -> None:
    (ax,) = episode_figure(any_episode).axes
    named = [text for text in ax.texts if text.get_ha() == "right"]
    assert 2 <= len({int(text.get_position()[1]) for text in named}) <= 4
    assert max(named, key=lambda text: text.get_position()[1]).get_text().startswith("callers")


@pytest.mark.parametrize("width", [4.2, 5.6, 7.6, 12.0])
@pytest.mark.parametrize("span_ms", [40.0, 4000.0])
def test_the_sentence_of_each_event_is_inside_the_picture(
    any_episode: Episode, span_ms: float, width: float
) -> None:
    fig = figure(width, 4.3)
    ax = fig.add_subplot()
    begin = any_episode.begin_ms
    frame(ax, episode=any_episode, span=(begin - span_ms / 2, begin + span_ms / 2))
    longest = sorted(
        range(len(any_episode.events)), key=lambda n: len(event_in_words(any_episode, n))
    )[-3:]
    for number in longest:
        artists = draw_event(ax, any_episode, number)
        assert outside(fig) == []
        for artist in artists:
            artist.remove()


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)).map(sorted).map(tuple)))
def test_layers_hold_all_spans_and_none_overlap(spans: list[tuple[float, float]]) -> None:
    found = layers(spans)
    assert sorted(span for layer in found for span in layer) == sorted(spans)
    for layer in found:
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(layer))


@pytest.mark.parametrize("number", [0, 99])
def test_an_episode_that_is_not_there_is_refused(number: int) -> None:
    with pytest.raises(KrcsimError, match="episodes, so none"):
        one_episode("thread-as-posted", number=number)


def test_a_cpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(KrcsimError, match="cpu is 4; allowed: 0 to 3"):
        one_episode("thread-as-posted", cpu=4)


def test_preset_names_are_scenarios_everywhere() -> None:
    by_name = krcsim.compare("phone", ["A1"], max_runs=8)
    assert by_name.rows == krcsim.compare(krcsim.load_scenario("phone"), ["A1"], max_runs=8).rows
