# SPDX-License-Identifier: GPL-2.0-only
"""Questions to a scenario that was made of a recording, over the draws of what that leaves open.

The fitted scenario is asked as usual; each draw with random numbers of its own and to a lower
precision, since what counts is how draws differ, and their chance is told apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from krcsim.base.errors import KrcsimError, shown
from krcsim.base.old_names import takes_rungs
from krcsim.methods.finding import Finding
from krcsim.model.joint import Joint, joint_text, load_joint
from krcsim.model.remedy import THREAD
from krcsim.report.recording_words import two_parts
from krcsim.results.estimate import Estimate
from krcsim.results.quantities import QUANTITIES
from krcsim.results.recorded_parts import RECORDING, table_of
from krcsim.results.result import BASE, Cell, Result, number, words
from krcsim.results.two_parts import Parts, combined, combined_difference
from krcsim.runs.ladder import DEFAULT_RUNS, PRECISION, SEED, Progress
from krcsim.studies.ask import BUDGET, CLOSING, ask
from krcsim.studies.compare import Remedies, compare
from krcsim.studies.differences import Point

DRAW_PRECISION = 0.2  # relative half width at which a draw is known well enough
DRAW_RUNS = 1024  # replications of a draw at most
MOST_NAMED = 4  # of what stays assumed
_OF_DRAWS = 101  # among the children of a seed; keys of streams of a run have two numbers
_VALUE = BASE.index("value")


@dataclass(frozen=True)
class Recorded:
    """One number over the draws of a recording: the finding of the fitted scenario, the two parts
    of the interval, and the draws' own estimates, in their order.
    """

    finding: Finding
    parts: Parts
    drawn: tuple[Estimate, ...]
    joint: Joint

    def __repr__(self) -> str:
        """In some sentences what was found."""
        return f"<Recorded: {recorded_sentences(self)}>"


def recorded_sentences(found: Recorded) -> str:
    """The number with its two parts, what would make its interval narrower, and what is assumed."""
    quantity = QUANTITIES[found.finding.quantity]
    what = f"{quantity.words}, {found.finding.when or f'{found.finding.window} window'}"
    unit = f" {quantity.unit}" if quantity.unit else ""
    text = (
        f"{what}: {words(found.parts.whole)}{unit} at 95 %, over {found.parts.draws} draws of what "
        f"{number(found.joint.seconds)} s of recording do not know. {two_parts(found.parts)}"
    )
    assumed = found.joint.assumed
    if assumed:
        more = f" and {len(assumed) - MOST_NAMED} more" * (len(assumed) > MOST_NAMED)
        text += f" Not in it is what stays assumed: {', '.join(assumed[:MOST_NAMED])}{more}."
    return text


@takes_rungs
def ask_recording(
    joint: Joint | str,
    quantity: str = "p_wait",
    *,
    progress: Progress | None = None,
    **how: Any,
) -> Recorded:
    """One number of a scenario made of a recording, with an interval in which chance and what the
    recording does not know are told apart.

    `joint`: also the path of a file that krcsim read wrote. `how`: as of ask(); its budget is that
    of the fitted scenario, and all draws together have as much again. progress(done, asked). Raises
    KrcsimError.
    """
    joint = _given(joint)
    fitted = ask(joint.scenario, quantity, **how)
    drawn: list[Estimate] = []
    how = _of_a_draw(how, joint, BUDGET)
    for done, draw in enumerate(joint.draws):
        if progress:
            progress(done, len(joint.draws))
        drawn.append(ask(draw, quantity, **_with_seed(how, done)).estimate)
    if progress:
        progress(len(joint.draws), len(joint.draws))
    parts = combined(fitted.estimate, drawn, QUANTITIES[fitted.quantity].is_probability)
    return Recorded(fitted, parts, tuple(drawn), joint)


def _given(joint: Joint | str) -> Joint:
    """The scenario with its draws, or those of a file."""
    if isinstance(joint, Joint):
        return joint
    found = load_joint(joint)
    if found is None:
        raise KrcsimError(
            f"{shown(joint)} has no draws of a recording; let krcsim read write one, or ask "
            "without them: krcsim.ask(), krcsim.compare()"
        )
    return found


def _of_a_draw(how: dict[str, Any], joint: Joint, budget: float) -> dict[str, Any]:
    """How a draw is asked."""
    share = how.get("budget", budget) / len(joint.draws)
    precision = max(DRAW_PRECISION, how.get("precision", PRECISION))
    runs = min(DRAW_RUNS, how.get("max_runs", DEFAULT_RUNS))
    return how | dict(budget=share, precision=precision, max_runs=runs, have=None)


def _with_seed(how: dict[str, Any], draw: int) -> dict[str, Any]:
    return how | dict(seed=seed_of_draw(how.get("seed", SEED), draw))


def seed_of_draw(seed: int, draw: int) -> int:
    """The seed of a draw, a child of that of the question: the same whichever draw is asked first,
    and however many are.
    """
    child = np.random.SeedSequence(seed, spawn_key=(_OF_DRAWS, draw, 0))
    return int(child.generate_state(1, np.uint64)[0] >> np.uint64(1))


@takes_rungs
def compare_recording(
    joint: Joint | str, remedies: Remedies = THREAD, *, progress: Progress | None = None, **how: Any
) -> Result:
    """As compare(), over the draws of a recording: a Result whose intervals hold both chance and
    what the recording does not know, and whose differences are those within draws.

    `joint`: also the path of a file that krcsim read wrote. The provenance has the two parts, which
    parts_of() reads. Raises KrcsimError.
    """
    joint = _given(joint)
    count = len(joint.draws)
    fitted = compare(joint.scenario, remedies, **how)
    how = _of_a_draw(how, joint, CLOSING) | dict(command="")
    drawn: list[Result] = []
    for done, draw in enumerate(joint.draws):
        if progress:
            progress(done, count)
        drawn.append(compare(draw, remedies, **_with_seed(how, done)))
    if progress:
        progress(count, count)

    found = {
        (str(row[0]), str(row[1]), str(row[2])): _parts_of_row(row, fitted, drawn)
        for row in fitted.rows
    }
    rows = tuple(
        (*row[: 1 + _VALUE], *_columns(parts.whole), *row[1 + _VALUE + 4 :])
        for row, parts in zip(fitted.rows, found.values(), strict=True)
    )
    differences = tuple(_differences(fitted, drawn))
    told = table_of(found, joint.seconds, count) | {"scenario": joint_text(joint)}
    return replace(
        fitted,
        rows=rows,
        differences=differences,
        provenance=fitted.provenance | {RECORDING: told},
    )


def _columns(e: Estimate) -> tuple[Cell, ...]:
    return e.value, e.lo, e.hi, e.kind


def _parts_of_row(row: tuple[Cell, ...], fitted: Result, drawn: Sequence[Result]) -> Parts:
    remedy, window, quantity = str(row[0]), str(row[1]), str(row[2])
    return combined(
        fitted.get(remedy, quantity, window),
        [one.get(remedy, quantity, window) for one in drawn],
        QUANTITIES[quantity].is_probability,
    )


def _differences(fitted: Result, drawn: Sequence[Result]) -> Iterator[Point]:
    """Rows of differences; none where a draw saw nothing with one of the two remedies."""
    for row in fitted.differences:
        remedy, base, window, quantity = map(str, row[:4])
        saves = float(row[-1] or 0.0)
        pairs = [
            (one.get(remedy, quantity, window).value, one.get(base, quantity, window).value)
            for one in drawn
        ]
        apart = [mine - its for mine, its in pairs if mine is not None and its is not None]
        found = combined_difference(apart, saves) if len(apart) == len(drawn) else None
        if found is not None:
            yield remedy, base, window, quantity, found.value, found.lo, found.hi, saves
