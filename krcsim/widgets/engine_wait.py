# SPDX-License-Identifier: GPL-2.0-only
"""Before the first picture: is the engine compiled for this machine, and how long does it take?"""

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from krcsim.model.scenario import Scenario
from krcsim.runs.replications import compile_the_rest, seconds_to_compile, warm_up

EACH_S = 0.5  # between two steps of the progress bar

_begun: set[str] = set()  # questions whose other engines are being compiled


def sentence(seconds: float) -> str:
    """What a picture waits for, and how long; "" where nothing has to be compiled."""
    if seconds <= 0.0:
        return ""
    return f"Compiling the engine for this machine: about {seconds:.0f} s, once"


def sentence_for(scenario: Scenario) -> str:
    """What the first picture of a scenario waits for, and how long; "" if the engine is there."""
    return sentence(seconds_to_compile(scenario))


def get_ready(
    scenario: Scenario,
    on_wait: Callable[[str], object],
    on_progress: Callable[[float], object],
) -> None:
    """Compile or load the engine that a scenario needs, in a worker's thread.

    on_wait(sentence) is called at once if the engine has to be compiled, and on_progress(share)
    about twice a second with the share of the time that has passed, 0 to 0.95.
    """
    expected_s = seconds_to_compile(scenario)
    if expected_s <= 0.0:
        warm_up(scenario)
        return

    on_wait(sentence(expected_s))
    begun = monotonic()
    ended = threading.Event()

    def report() -> None:
        while not ended.wait(EACH_S):
            with suppress(RuntimeError):  # the event loop was closed: nobody is left to see it
                on_progress(min(0.95, (monotonic() - begun) / expected_s))

    reporter = threading.Thread(target=report, name="krcsim-compile", daemon=True)
    reporter.start()
    try:
        warm_up(scenario)
    finally:
        ended.set()
        reporter.join()


def compile_what_comes_later(question: str, scenario: Scenario) -> None:
    """After a first answer: compile in a process of its own what later ones may need, as
    importance sampling; once for a question.
    """
    if question not in _begun:
        _begun.add(question)
        compile_the_rest(scenario)
