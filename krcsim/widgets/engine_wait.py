# SPDX-License-Identifier: GPL-2.0-only
"""Before the first picture: is the engine compiled for this machine, and how long does it take?"""

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from krcsim.model.scenario import Scenario
from krcsim.runs.engines import FULL, compile_seconds, engine, is_compiled
from krcsim.runs.replications import compile_the_rest, seconds_to_compile, warm_up

EACH_S = 0.5  # between two steps of the progress bar

_begun: set[str] = set()  # questions whose other engines are being compiled


def seconds_to_wait(scenario: Scenario, *, logs_events: bool = False) -> float:
    """About how long the first picture of a scenario waits for the compiler; 0 if the engine is
    there. `logs_events`: the question asks for the events of a run.
    """
    if logs_events:
        return 0.0 if is_compiled(FULL) else compile_seconds(FULL)
    return seconds_to_compile(scenario)


def sentence(seconds: float) -> str:
    """What a picture waits for, and how long, as the engine itself announces it; "" for 0."""
    if seconds <= 0.0:
        return ""
    return f"Compiling the engine for this machine: about {seconds:.0f} s where it is idle, once"


def get_ready(
    scenario: Scenario, on_progress: Callable[[float], object], *, logs_events: bool = False
) -> None:
    """Compile or load the engine that a scenario needs, in a worker's thread.

    While it is compiled on_progress(share) is called about twice a second with the share of the
    time that has passed, 0 to 0.95.
    """
    expected_s = seconds_to_wait(scenario, logs_events=logs_events)
    begun = monotonic()
    ended = threading.Event()

    def report() -> None:
        while not ended.wait(EACH_S):
            with suppress(RuntimeError):  # the event loop was closed: nobody is left to see it
                on_progress(min(0.95, (monotonic() - begun) / expected_s))

    reporter = threading.Thread(target=report, name="krcsim-compile", daemon=True)
    if expected_s > 0.0:
        reporter.start()
    try:
        if logs_events:
            engine(FULL)
        else:
            warm_up(scenario)
    finally:
        ended.set()
        if expected_s > 0.0:
            reporter.join()


def compile_what_comes_later(question: str, scenario: Scenario) -> None:
    """After a first answer: compile in a process of its own what later ones may need, as
    importance sampling; once for a question.
    """
    if question not in _begun:
        _begun.add(question)
        compile_the_rest(scenario)
