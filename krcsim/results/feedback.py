# SPDX-License-Identifier: GPL-2.0-only
"""Feedback on memory in numbers and words: the loop gain, a run-away, and OOM.

The loop gain is the number of pages that are asked for while a page comes back (rule R87 of
docs/model.md). Above 1 there is less and less memory: a run-away.
"""

import numpy as np

from krcsim.model.constants import milliseconds
from krcsim.model.object_sizes import objects_in_page, pages_of_object
from krcsim.model.scenario import Scenario

RUN_AWAY = 1.0  # pages asked for each page released


def has_feedback(scenario: Scenario) -> bool:
    """Whether memory can run out."""
    return scenario.memory.pressure == "pages" and scenario.may_invoke_oom


def mean_wait_ms(scenario: Scenario) -> float:
    """The mean wait in ms of callers that come at any time while grace periods follow each other:
    the rest of one, a whole one, and the callback.
    """
    grace_period, machine = scenario.grace_period, scenario.machine
    if grace_period.expedited:
        sigma = grace_period.expedited_sigma
        return float(grace_period.expedited_median_ms * np.exp(sigma * sigma / 2.0))

    lengths, cumulative = grace_period.table(machine.hz, machine.cpus)
    p = np.diff(cumulative, prepend=0.0)
    mean = float((lengths * p).sum())
    rest = float((lengths * lengths * p).sum()) / (2.0 * mean)
    return milliseconds(rest + mean + grace_period.invoke_ticks(), machine.hz)


def gain_if_all_wait(scenario: Scenario) -> float:
    """Pages that grow during a wait for each page that its object gives back: the loop gain where
    every call waits, without the pages of kfree_rcu() itself; infinite where none come back.
    """
    workload = scenario.workload
    asked = workload.growth_pages_s * mean_wait_ms(scenario) / 1000.0
    released = sum(
        share * scenario.release_share(size) * pages_of_object(size) / objects_in_page(size)
        for size, share in workload.sizes
    )
    if released == 0.0:
        return float("inf") if asked > 0.0 else 0.0
    return asked / released


def gain_words(gain: float) -> str:
    """A loop gain in words: 2.4 pages are asked for while one comes back: a run-away."""
    what = f"{gain:.3g} pages are asked for while one comes back"
    if gain > RUN_AWAY:
        return f"{what}: a run-away"
    return f"{what}: memory recovers"


def scenario_notes(scenario: Scenario) -> list[str]:
    """What is to be known of a scenario's feedback before it runs, in lines; none without it."""
    if not has_feedback(scenario):
        return []

    notes = []
    if scenario.workload.growth_pages_s > 0:
        gain = gain_words(gain_if_all_wait(scenario))
        notes.append(f"loop gain where every call waits: {gain}")
    end = "frees memory" if scenario.memory.oom_frees_mib > 0 else "ends the run"
    notes.append(f"a request that may not fail invokes the OOM killer, which {end}")
    return notes


def run_sentences(scenario: Scenario, counters: dict[str, dict[str, float]]) -> list[str]:
    """What one run with feedback came to, from its counters by window; nothing without it."""
    if not has_feedback(scenario):
        return []

    asked, released, ooms, lost_ms = (
        sum(counted[name] for counted in counters.values())
        for name in ("pages_asked", "pages_released", "ooms", "lost_ms")
    )
    found = []
    if released > 0.0 and scenario.workload.growth_pages_s > 0:
        found.append(f"Its loop gain: {gain_words(asked / released)}.")
    if lost_ms > 0.0:
        found.append(f"It ended out of memory after {scenario.horizon_ms - lost_ms:,.1f} ms.")
    elif ooms > 0:
        found.append(f"The OOM killer was invoked {ooms:,.0f} time{'s' * (ooms != 1)}.")
    return found
