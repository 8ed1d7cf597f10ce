# SPDX-License-Identifier: GPL-2.0-only
"""Values of options as numbers; what is no number is refused with the option and its value."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token

from krcsim.base.errors import KrcsimError, shown

# Replications are added by doubling, so a limit on them is 8 times a power of two.
FEWEST_RUNS = 8
MOST_RUNS = 131_072
RUNS_ALLOWED = f"{FEWEST_RUNS}, {2 * FEWEST_RUNS}, {4 * FEWEST_RUNS}, ... up to {MOST_RUNS}"


def whole_number(_: Any, tokens: Sequence[Token]) -> int:
    """The whole number that was given last; raises KrcsimError."""
    token = tokens[-1]
    try:
        return int(token.value)
    except ValueError:
        raise KrcsimError(
            f"{token.keyword} is {shown(token.value)}; allowed: a whole number; write for example "
            f"{token.keyword} 8"
        ) from None


def real_number(_: Any, tokens: Sequence[Token]) -> float:
    """The number that was given last; raises KrcsimError."""
    token = tokens[-1]
    try:
        return float(token.value)
    except ValueError:
        raise KrcsimError(
            f"{token.keyword} is {shown(token.value)}; allowed: a number; write for example "
            f"{token.keyword} 0.1"
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
