# SPDX-License-Identifier: GPL-2.0-only
"""An unknown name is answered with the nearest known one, in one line that is short enough."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import krcsim
from krcsim.base.errors import LONGEST_MESSAGE, KrcsimError, did_you_mean, nearest
from krcsim.model.scenario import Scenario, changed


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("poison", "poisson"),
        ("PERIODIC", "periodic"),
        ("peri", "periodic"),
        ("", ""),
        ("xyz", ""),
        ("p" * 10_000, ""),
        (5, ""),
        (None, ""),
    ],
    ids=lambda value: str(value)[:9],
)
def test_the_nearest_name_is_found_whatever_its_case(given: object, wanted: str) -> None:
    assert nearest(given, ("poisson", "periodic")) == wanted
    assert did_you_mean(given, ("poisson", "periodic"), "else") == (
        f"did you mean {wanted}?" if wanted else "else"
    )


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: krcsim.load_scenario("phoen"), "phone"),
        (lambda: krcsim.load_scenario("thread"), "thread-as-posted"),
        (lambda: krcsim.named("b12f"), "B12f"),
        (lambda: krcsim.named("D5-a1"), "D5-A1"),
        (lambda: krcsim.named("A1-3steps"), "A1-3step"),
        (lambda: changed(Scenario(), **{"workload.rate": 1}), "rate_hz"),
        (lambda: changed(Scenario(), **{"alocator.start": "calm"}), "allocator"),
        (lambda: changed(Scenario(), **{"workload.arrivals": "burst"}), "bursts"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    call: Callable[[], object], wanted: str
) -> None:
    with pytest.raises(KrcsimError) as caught:
        call()
    message = str(caught.value)
    assert f"did you mean {wanted}?" in message
    assert "\n" not in message
    assert len(message) <= LONGEST_MESSAGE
