# SPDX-License-Identifier: GPL-2.0-only
"""What a quantity is: how it is called, found, shown and said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from krcsim.model.scenario import Scenario
from krcsim.results.estimate import Estimate

if TYPE_CHECKING:  # a saved result is read without what compiles the engine
    from krcsim.runs.replications import Replications

Formula = Callable[["Replications", Scenario, int], Estimate]


@dataclass(frozen=True)
class Wording:
    """How a share is said in a sentence.

    noun: whose share it is, with a plural in s; one, several: what one of them does, and several.
    never: what is said of none. kept: what is to be kept low. when: the calls that are meant.
    """

    noun: str
    one: str
    several: str
    never: str
    kept: str
    when: str = ""


@dataclass(frozen=True)
class Quantity:
    """Something that is asked of a run; whoever adds one adds it to quantities.py.

    name: as options, files and Python call it
    unit: "" of a share or a probability
    words: what it is, in a line
    get: get(runs, scenario, window) estimates it from plain runs
    label: in heads and on axes, the name if left out
    is_probability: whether it is at most 1 by its nature
    falls_with_reserve: whether more objects or pages make it smaller, so that a size can be asked
    of_episode: whether it counts calls made in an episode of pressure only
    asked_by_episode: whether it is asked episode by episode, too
    column_by_window, column_by_episode: whether tables show it
    sums: the counters whose ratio it is ("" below: the time of all callers), where copies of runs
        count them with their weights and differences between remedies are taken; None elsewhere
    wording: how it is said in so many of a hundred or one in so many; None where it is not counted
    """

    name: str
    unit: str
    words: str
    get: Formula
    label: str = ""
    is_probability: bool = False
    falls_with_reserve: bool = False
    of_episode: bool = False
    asked_by_episode: bool = False
    column_by_window: bool = False
    column_by_episode: bool = False
    sums: tuple[str, str] | None = None
    wording: Wording | None = None
