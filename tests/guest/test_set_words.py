# SPDX-License-Identifier: GPL-2.0-only
"""Recorded sets have words, and the picture of a set says its score and its misses."""

from __future__ import annotations

import re

from krcsim.report.style import plain

from krcsim.guest.picture import MOST_NAMED, png, worst_misses
from krcsim.guest.recordings import read_conditions
from krcsim.guest.score import Answer, Comparison
from krcsim.guest.set_words import (
    PATTERNS,
    SETS,
    family_in_words,
    finding,
    load_in_words,
    recording_in_words,
    set_in_words,
)
from krcsim.widgets.against_a_kernel import label_of, sets

POOL = read_conditions("pool")
INSIDE, OUTSIDE = Answer(0.2, 0.19, 0.1, 0.3, 0.02), Answer(0.02, 0.19, 0.1, 0.3, 0.002)
FARTHER = Answer(0.002, 0.19, 0.1, 0.3, 0.002)
NO_WAIT = Answer(0.0, 0.0, 0.0, 0.0)


def compared(*answers: tuple[Answer, Answer]) -> list[Comparison]:
    """What a model might have said of the first conditions in which calls waited."""
    waited = [condition for condition in POOL if condition.waits]
    return [Comparison(c, *both, 10.0, 10.0) for c, both in zip(waited, answers, strict=False)]


def test_every_recorded_set_that_is_shown_has_words() -> None:
    assert set(sets()) <= set(SETS)
    labels = [label_of(name, path) for name, path in sets().items()]
    assert len(set(labels)) == len(labels)
    assert not any("{" in label for label in labels)


def test_every_pattern_that_was_recorded_has_words() -> None:
    recorded = {c.labels["pattern"] for name in ("main", "pool") for c in read_conditions(name)}
    assert recorded <= set(PATTERNS)


def test_the_sizes_of_pools_are_those_that_were_recorded() -> None:
    sizes = {round(condition.given["pool"]) for condition in POOL}
    assert set_in_words("pool", POOL) == f"pools of {min(sizes)} to {max(sizes)} objects"


def test_a_set_of_ones_own_keeps_its_name() -> None:
    assert set_in_words("mine", POOL) == "set mine"


def test_loads_are_said_in_calls_and_ms() -> None:
    words = {condition.rate: load_in_words(condition) for condition in POOL}
    assert words["burst"] == "2,000 calls each 100 ms"
    assert words["low"] == "1 call each 10 ms"


def test_the_finding_counts_conditions_inside() -> None:
    rows = compared((INSIDE, OUTSIDE), (INSIDE, INSIDE), (OUTSIDE, OUTSIDE), (INSIDE, INSIDE))
    text = finding(rows)
    inside = [sum(one.answers[i].inside for one in rows) for i in (0, 1)]
    numbers = re.findall(r"in (\d+) of (\d+) conditions, its time blocked in (\d+)", text)
    assert numbers == [(str(inside[0]), "4", str(inside[1]))]
    assert text.startswith("Pools of ")
    assert len(text) <= 160


def test_where_nobody_waits_the_finding_says_so() -> None:
    calm = [c for c in POOL if not c.waits][:2]
    rows = [Comparison(c, NO_WAIT, NO_WAIT, 0.0, 0.0) for c in calm]
    assert finding(rows).endswith("no call waits in kernel or model")
    assert "2 more, in which no call waits on either side" in recording_in_words(rows)
    assert png(rows)[:4] == b"\x89PNG"


def test_the_worst_miss_of_each_family_is_named_the_worst_first() -> None:
    rows = compared(*[(INSIDE, INSIDE)] * 3, *[(OUTSIDE, INSIDE)] * 20, (FARTHER, INSIDE))
    worst = worst_misses(rows, 0)
    families = [one.condition.family for one in worst]
    assert len(set(families)) == len(families)
    assert worst[0] == rows[-1]
    assert all(not one.p_wait.inside for one in worst)
    assert worst_misses(rows, 1) == []
    assert MOST_NAMED >= 1
    assert all("call" in family_in_words(one.condition) for one in worst)


def test_a_picture_has_the_background_of_its_theme() -> None:
    rows = compared((INSIDE, OUTSIDE), (OUTSIDE, INSIDE))
    with plain("dark"):
        dark = png(rows)
    assert dark != png(rows)
