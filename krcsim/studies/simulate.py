# SPDX-License-Identifier: GPL-2.0-only
"""One run with its counters and its event log."""

from dataclasses import dataclass

from krcsim.base.errors import refuse
from krcsim.base.fields import check_whole
from krcsim.base.tables import html_table, paragraph
from krcsim.engine.codes import EVENTS
from krcsim.engine.records import COUNTERS
from krcsim.model.constants import milliseconds
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import given
from krcsim.results.feedback import run_sentences
from krcsim.runs.ladder import SEED, check_study
from krcsim.runs.replications import WINDOWS, event_log


@dataclass(frozen=True)
class Run:
    """One run: its counters by window, its first events, and what made it."""

    counters: dict[str, dict[str, float]]
    events: tuple[tuple[float, int, str, float], ...]  # ms, CPU (-1: all), what, a value
    total_events: int
    scenario: Scenario
    seed: int
    replication: int

    @property
    def sentence(self) -> str:
        """How many calls waited in this run, which says little of how often they do."""
        waits, calls = (
            int(sum(counters[name] for counters in self.counters.values()))
            for name in ("waits", "single")
        )
        waited = f"{waits:,} of {calls:,}" if waits else f"none of {calls:,}"
        said = f"In this run {waited} single-argument call{'s' * (calls != 1)} waited."
        if not calls:
            said = "In this run no single-argument call was made."
        return " ".join([said, *run_sentences(self.scenario, self.counters)])

    def __repr__(self) -> str:
        """In a line what it is: there may be millions of events."""
        return (
            f"<Run: replication {self.replication} of seed {self.seed}, {self.total_events} "
            f"events; {self.sentence}>"
        )

    def _repr_html_(self) -> str:
        """How a notebook shows it: how many calls waited, and what was counted in each window."""
        names = [
            name for name in COUNTERS if any(counters[name] for counters in self.counters.values())
        ]
        table = html_table(
            ["window", *names],
            [
                [window, *(f"{counters[name]:g}" for name in names)]
                for window, counters in self.counters.items()
            ],
        )
        return f"{paragraph(self.sentence)}{table}"


def simulate(
    scenario: Scenario | str,
    seed: int = SEED,
    *,
    replication: int = 0,
    events: int = 100_000,
    every_call: bool = False,
) -> Run:
    """One run with its event log, times in ms (uneventful calls leave none); raises FieldError."""
    check_study(seed)
    check_whole("replication", replication, 2**31, "choose another")
    check_whole("events", events, 10_000_000, "choose another")
    refuse(
        not isinstance(every_call, bool),
        "every_call",
        every_call,
        "true or false",
        "true takes calls one by one",
    )
    scenario = given(scenario)
    runs, log, total = event_log(scenario, seed, replication, events=events, every_call=every_call)
    rows = tuple(
        (
            milliseconds(float(event["at"]), scenario.machine.hz),
            int(event["cpu"]),
            EVENTS[int(event["code"])],
            float(event["value"]),
        )
        for event in log
    )
    counters = {
        window: {counter: float(runs.of(counter, place)[0]) for counter in COUNTERS}
        for place, window in enumerate(WINDOWS)
    }
    return Run(counters, rows, total, scenario, seed, replication)
