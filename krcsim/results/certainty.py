# SPDX-License-Identifier: GPL-2.0-only
"""What is certain before any run: which calls cannot wait, by the probabilities of a scenario."""

from krcsim.model.allocator import Failure
from krcsim.model.remedy import Remedy
from krcsim.model.scenario import Scenario


def harmless_calm(scenario: Scenario) -> bool:
    """Whether no call made in calm can wait: its page, or else its rcu_head, never fails; or a
    sheaf takes each object.
    """
    calm = scenario.allocator.calm
    # With memory as pages the hog of an episode may be felt after it.
    if scenario.memory.pressure == "pages":
        return False
    return p_neither_page_nor_head(scenario.remedy, calm) == 0.0 or sheaves_take_all(scenario, calm)


def sheaves_take_all(scenario: Scenario, failure: Failure) -> bool:
    """Whether a sheaf takes the object of every call: all are of its kind, and a new sheaf never
    fails.
    """
    takes_all_kinds = scenario.workload.vmalloc_share == 0.0 and scenario.sheaf_share == 1.0
    return scenario.remedy.sheaves and takes_all_kinds and failure.by_field()["sheaf"] == 0.0


def p_neither_page_nor_head(remedy: Remedy, failure: Failure) -> float:
    """P(a call gets neither page nor rcu_head), where no page is cached.

    All that it needs fails, one request after the other.
    """
    page, noretry, _, atomic, high, after_reclaim, _ = failure.resolved()
    p_head = {
        "none": 1.0,
        "atomic": atomic,
        "tryhard": min(high, after_reclaim),
        "three_step": min(atomic, after_reclaim),
    }[remedy.head_alloc]
    if not remedy.array_path or remedy.page_class == "cache":
        return p_head

    return p_head * (noretry if remedy.page_class == "noretry" else page)
