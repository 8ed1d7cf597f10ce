# SPDX-License-Identifier: GPL-2.0-only
"""The answer to the thread of April 2020, some years later: which of its two ideas mainline took,
and what each step of mainline bought, under one load.
"""

from dataclasses import dataclass
from typing import Any

from krcsim.base.tables import html_list, html_table, paragraph
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import given
from krcsim.report.kernel_steps import kernels_of, window_of
from krcsim.report.kernel_words import idea_taken, version, what_each_step_bought
from krcsim.results.counts import estimated
from krcsim.results.legend import legend
from krcsim.results.result import Result, words
from krcsim.runs.ladder import Have
from krcsim.studies.compare import compare
from krcsim.studies.which_kernel import which_kernel

# The ideas: neither of them, the pool, the pages; as a sentence has them.
IDEAS = {"A1": "with neither (A1)", "B": "with the pool (B)", "D5-A1": "with the pages (D5-A1)"}


@dataclass(frozen=True)
class ThreadAnswered:
    """The ideas of the thread and the kernels since, under one load.

    ideas, kernels: results with the same random draws.
    """

    ideas: Result
    kernels: Result

    @property
    def said(self) -> tuple[str, str]:
        """Which idea was taken, and how often calls wait with each and with the kernels."""
        first, *_, last = kernels_of(self.kernels)
        parts = [f"{where} {_count(self.ideas, name)}" for name, where in IDEAS.items()]
        parts += [
            f"in {version(kernel)} {_count(self.kernels, kernel.name)}" for kernel in (first, last)
        ]
        waits = f"Of calls with one argument wait under this load: {'; '.join(parts)}."
        return idea_taken(kernels_of(self.kernels)), waits

    def __repr__(self) -> str:
        return self.said[0]

    def _repr_html_(self) -> str:
        """The sentences, the waits with each idea and kernel, and what each step moved."""
        rows = [[name, _waits(self.ideas, name)] for name in IDEAS]
        rows += [
            [version(kernel), _waits(self.kernels, kernel.name)]
            for kernel in kernels_of(self.kernels)
        ]
        bought = [
            (f"{version(kernel)}: {kernel.change} ({', '.join(kernel.commits)})", said)
            for kernel, said in what_each_step_bought(self.kernels)
        ]
        sentences = "".join(map(paragraph, self.said))
        table = html_table(["", "P(wait)"], rows)
        return f"{sentences}{html_list(legend(self.ideas))}{table}{html_list(bought)}"


def _waits(result: Result, name: str) -> str:
    return words(result.get(name, "p_wait", window_of(result)))


def _count(result: Result, name: str) -> str:
    """1 in 1,930."""
    estimate = result.get(name, "p_wait", window_of(result))
    if estimate.kind == "none":
        return "none that could"
    return estimated(estimate, "", with_interval=False).words


def thread_answered(scenario: Scenario | str, **how: Any) -> ThreadAnswered:
    """Both ideas and all kernels under the load of a scenario; how: as of compare()."""
    scenario = given(scenario)
    have: Have = how.pop("have", None) or {}
    ideas = compare(scenario, tuple(IDEAS), have=have, **how)
    return ThreadAnswered(ideas, which_kernel(scenario, have=have, **how))
