# SPDX-License-Identifier: GPL-2.0-only
"""Values of options as numbers; what is no number is refused with the option and its value."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter, Token

from krcsim.base.errors import KrcsimError, shown

Number = TypeVar("Number", int, float)

# Replications are added by doubling, so a limit on them is 8 times a power of two.
FEWEST_RUNS = 8
MOST_RUNS = 131_072
RUNS_ALLOWED = f"{FEWEST_RUNS}, {2 * FEWEST_RUNS}, {4 * FEWEST_RUNS}, ... up to {MOST_RUNS}"


def whole_number(_: Any, tokens: Sequence[Token]) -> int:
    """The whole number that was given last; raises KrcsimError."""
    return _number(tokens[-1], int, "a whole number", "8")


def real_number(_: Any, tokens: Sequence[Token]) -> float:
    """The number that was given last; raises KrcsimError."""
    return _number(tokens[-1], float, "a number", "0.1")


def _number(token: Token, kind: Callable[[str], Number], allowed: str, example: str) -> Number:
    try:
        return kind(token.value)
    except ValueError:
        raise KrcsimError(
            f"{token.keyword} is {shown(token.value)}; allowed: {allowed}; write for example "
            f"{token.keyword} {example}"
        ) from None


def number_of_runs(hint: Any, tokens: Sequence[Token]) -> int:
    """A limit on replications: 8, 16, 32, ...; raises KrcsimError with the two next to it."""
    runs = whole_number(hint, tokens)
    is_power_of_two = runs & (runs - 1) == 0

    if FEWEST_RUNS <= runs <= MOST_RUNS and is_power_of_two:
        return runs

    if runs < FEWEST_RUNS:
        remedy = f"{FEWEST_RUNS} is the least"
    elif runs > MOST_RUNS:
        remedy = f"{MOST_RUNS} is the most"
    else:
        below = 1 << (runs.bit_length() - 1)
        remedy = f"take {below} or {2 * below}"

    value = shown(tokens[-1].value) if runs.bit_length() > 200 else runs
    raise KrcsimError(
        f"{tokens[-1].keyword} is {value}; allowed: {RUNS_ALLOWED} replications; {remedy}"
    )


Whole = Annotated[int, Parameter(converter=whole_number)]
Real = Annotated[float, Parameter(converter=real_number)]
Runs = Annotated[int, Parameter(converter=number_of_runs)]
