# SPDX-License-Identifier: GPL-2.0-only
"""Questions to a scenario that was made of a recording, over the draws of what that leaves open.

The fitted scenario is asked as usual; each draw with random numbers of its own and to a lower
precision, since what counts is how draws differ, and their chance is told apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from krcsim.base.old_names import takes_rungs
from krcsim.methods.finding import Finding
from krcsim.model.joint import Joint
from krcsim.model.remedy import THREAD
from krcsim.results.estimate import Estimate
from krcsim.results.quantities import QUANTITIES
from krcsim.results.result import BASE, Cell, Result
from krcsim.results.two_parts import Parts, combined, combined_difference
from krcsim.runs.ladder import PRECISION, SEED, Progress
from krcsim.studies.ask import BUDGET, CLOSING, ask
from krcsim.studies.compare import Remedies, compare

DRAW_PRECISION = 0.3  # relative half width at which a draw is known well enough
RECORDING = "recording"  # in the provenance of a result
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
        from krcsim.studies.recorded_words import recorded_sentences

        return f"<Recorded: {recorded_sentences(self)}>"


@takes_rungs
def ask_recording(
    joint: Joint,
    quantity: str = "p_wait",
    *,
    progress: Progress | None = None,
    **how: Any,
) -> Recorded:
    """One number of a scenario made of a recording, with an interval in which chance and what the
    recording does not know are told apart.

    `how`: as of ask(); its budget is that of the fitted scenario, and all draws together have as
    much again. progress(done, asked). Raises KrcsimError.
    """
    fitted = ask(joint.scenario, quantity, **how)
    drawn: list[Estimate] = []
    how = _of_a_draw(how, joint, BUDGET)
    for number, draw in enumerate(joint.draws):
        if progress:
            progress(number, len(joint.draws))
        drawn.append(ask(draw, quantity, **_with_seed(how, number)).estimate)
    if progress:
        progress(len(joint.draws), len(joint.draws))
    parts = combined(fitted.estimate, drawn, QUANTITIES[fitted.quantity].is_probability)
    return Recorded(fitted, parts, tuple(drawn), joint)


def _of_a_draw(how: dict[str, Any], joint: Joint, budget: float) -> dict[str, Any]:
    """How a draw is asked."""
    share = how.get("budget", budget) / len(joint.draws)
    precision = max(DRAW_PRECISION, how.get("precision", PRECISION))
    return how | dict(budget=share, precision=precision, have=None)


def _with_seed(how: dict[str, Any], number: int) -> dict[str, Any]:
    return how | dict(seed=(how.get("seed", SEED) + number + 1) % 2**63)


@takes_rungs
def compare_recording(
    joint: Joint, remedies: Remedies = THREAD, *, progress: Progress | None = None, **how: Any
) -> Result:
    """As compare(), over the draws of a recording: a Result whose intervals hold both chance and
    what the recording does not know, and whose differences are those within draws.

    Its provenance has the two parts, which parts_of() reads. Raises KrcsimError.
    """
    count = len(joint.draws)
    fitted = compare(joint.scenario, remedies, **how)
    how = _of_a_draw(how, joint, CLOSING) | dict(command="")
    drawn: list[Result] = []
    for number, draw in enumerate(joint.draws):
        if progress:
            progress(number, count)
        drawn.append(compare(draw, remedies, **_with_seed(how, number)))
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
    told = {
        "seconds": joint.seconds,
        "draws": count,
        "varies": list(joint.varies),
        "assumed": list(joint.assumed),
        "parts": [
            [*where, parts.recording, parts.seen, *_columns(parts.fitted)]
            for where, parts in found.items()
        ],
    }
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


def _differences(fitted: Result, drawn: Sequence[Result]) -> Any:
    """Rows of differences; none where a draw saw nothing with one of the two remedies."""
    for remedy, base, window, quantity, *_, saves in fitted.differences:
        pairs = [
            (one.get(str(remedy), quantity, window).value, one.get(str(base), quantity, window).value)
            for one in drawn
        ]
        apart = [mine - its for mine, its in pairs if mine is not None and its is not None]
        found = combined_difference(apart, float(saves)) if len(apart) == len(drawn) else None
        if found is not None:
            yield remedy, base, window, quantity, found.value, found.lo, found.hi, saves


def parts_of(result: Result) -> dict[tuple[str, str, str], Parts]:
    """The two parts of each row of a result by remedy, window and quantity; none where it was not
    made of a recording.
    """
    told = result.provenance.get(RECORDING)
    if not isinstance(told, dict):
        return {}
    return {
        (remedy, window, quantity): Parts(
            result.get(remedy, quantity, window), Estimate(*fitted), share, told["draws"], seen
        )
        for remedy, window, quantity, share, seen, *fitted in told["parts"]
    }
