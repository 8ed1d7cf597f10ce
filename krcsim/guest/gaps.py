# SPDX-License-Identifier: GPL-2.0-only
"""Gaps: fields of a scenario that the harness cannot express as they are, and what closes each."""

import math
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from krcsim.base.errors import shown
from krcsim.model.scenario_file import UNSET

# Fields of a scenario, each with a value that the harness can express.
Sets = tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class Gap:
    """A field that the harness cannot express as it is, and why.

    `stops`: it would measure something else altogether, so that nothing is measured. `sets` closes
    the gap: fields as --set takes them, with the nearest values that the harness can do.
    """

    field: str
    value: object
    reason: str
    stops: bool = False
    sets: Sets = ()

    def words(self) -> str:
        """One line for people."""
        return f"{self.field} = {shown(self.value)}: {self.reason}"


def whole_number(
    field: str,
    value: float,
    unit: str,
    gaps: list[Gap],
    *,
    least: int = 0,
    most: float = math.inf,
    sets: Callable[[int], Sets] | None = None,
) -> int:
    """A value, made of a field, as the nearest whole number from `least` to `most`.

    If that is another value, a gap is added, which stops if it is off by more than a tenth. `sets`
    says which fields give just that number; without it the field itself takes it.
    """
    nearest = round(min(most, max(least, value)))
    if math.isclose(nearest, value, rel_tol=1e-6, abs_tol=1e-9):
        return nearest

    limit = f", up to {most:g}" if value > most else ""
    name = field.removeprefix("scenario.")
    gap = Gap(
        field,
        value,
        f"the harness takes whole {unit}{limit}: {nearest} instead",
        stops=abs(nearest - value) > 0.1 * value,
        sets=sets(nearest) if sets else ((name, nearest),),
    )
    gaps.append(gap)
    return nearest


def set_words(sets: Mapping[str, object]) -> str:
    """Fields and values as options of the shell."""
    return " ".join(
        f"--set {shlex.quote(f'{field}={set_text(value)}')}" for field, value in sets.items()
    )


def set_text(value: object) -> str:
    """A value as --set takes it; None is `unset`."""
    if value is None:
        return UNSET
    return str(value).lower() if isinstance(value, bool) else str(value).replace(" ", "")
