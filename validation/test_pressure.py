# SPDX-License-Identifier: GPL-2.0-only
"""The bars: waits per second within a factor of two of a kernel without free pages, and the order
of the remedies.
"""

from __future__ import annotations

from functools import cache

import pytest

from validation.pressure import SETS, Answer, answers, pairs

pytestmark = pytest.mark.slow

# Missed, and why, in docs/model.md: "Memory under pressure".
MISSED = {
    ("heavy/warm/atomic", "B1"),
    ("heavy/warm/reserves", "B8"),
    ("r300/warm/reserves", "D8"),
    ("r300/warm/atomic", "D8"),
    ("m512/warm/reserves", "D5r"),
    ("m512/warm/atomic", "D5r"),
    ("burst/warm/reserves", "D5r"),
}


@cache
def found(recording: str) -> list[Answer]:
    return answers(recording, 12)


@pytest.mark.parametrize("recording", SETS)
def test_waits_per_second_are_within_a_factor_of_two(recording: str) -> None:
    missed = {(a.case.condition, a.case.variant) for a in found(recording) if not a.met}
    assert missed <= MISSED


@pytest.mark.parametrize(("recording", "wrong"), [("real", 0), ("real_more", 1), ("real-6.1", 0)])
def test_remedies_come_in_the_order_of_the_kernel(recording: str, wrong: int) -> None:
    # Without the refill worker, which gains nothing in the model under a hog and 15 to 60 % in the
    # kernel.
    order = [
        (agrees, x, y) for x, y, agrees in pairs(found(recording)) if not (refills(x) or refills(y))
    ]
    assert len(order) > 20
    assert sum(not agrees for agrees, *_ in order) <= wrong


def refills(a: Answer) -> bool:
    return a.case.scenario.remedy.has_refill_worker
