# SPDX-License-Identifier: GPL-2.0-only
"""The points of a large sweep: a grid of values, a sample of ranges, or both; point i is computed,
never stored.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice, product
from typing import Any

from krcsim.base import old_names
from krcsim.base.errors import KrcsimError, refuse, shown
from krcsim.base.fields import check_whole, is_finite
from krcsim.methods.table import CHOICES
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import given
from krcsim.results.quantities import window_ms
from krcsim.runs.ladder import DEFAULT_RUNS, PRECISION, SEED, check_study
from krcsim.runs.replications import WINDOWS
from krcsim.studies.ask import checked_quantity

MAX_SIZE = 10**9  # points
MAX_VALUES = 10_000  # of one field; all stand in the head of the table
HOW = ("linear", "log", "whole")
_TRIED = 64  # combinations with a value, twice, before it is said to fit nowhere


@dataclass(frozen=True)
class Range:
    """A field drawn between two ends, evenly, evenly on a log scale, or among the whole numbers."""

    field: str
    lo: float
    hi: float
    how: str = "linear"

    def __post_init__(self) -> None:
        lo, hi = self.lo, self.hi
        refuse(
            self.how not in HOW,
            f"the way to draw {self.field}",
            self.how,
            "one of " + ", ".join(HOW),
            "name one",
        )
        good = is_finite(lo) and is_finite(hi) and lo < hi
        good = (
            good
            and (self.how != "log" or lo > 0)
            and (self.how != "whole" or lo % 1 == hi % 1 == 0)
        )
        refuse(
            not good,
            f"the range of {self.field}",
            (lo, hi),
            dict(
                linear="two numbers, the lower first",
                log="two numbers above 0, the lower first",
                whole="two whole numbers, the lower first",
            )[self.how],
            "write for example 100:5000:log",
        )
        for name, value in (("lo", lo), ("hi", hi)):  # equal values must look equal
            object.__setattr__(self, name, (int if self.how == "whole" else float)(value))

    def at(self, x: float) -> float:
        """The value a share x of the way from lo to hi."""
        if self.how == "whole":
            return self.lo + min(int(x * (self.hi - self.lo + 1)), self.hi - self.lo)
        value = (
            self.lo * (self.hi / self.lo) ** x
            if self.how == "log"
            else self.lo + x * (self.hi - self.lo)
        )
        return min(
            max(float(f"{value:.12g}"), self.lo), self.hi
        )  # short, and alike on all machines


def spread(lo: float, hi: float, count: int, how: str = "linear") -> tuple[float, ...]:
    """`count` values from lo to hi with even steps, on a log scale, or rounded to whole numbers
    without repeats.
    """
    check_whole("the number of values", count, MAX_VALUES, "draw from the range instead: sample")
    refuse(
        count < 2,
        "the number of values",
        count,
        f"2 to {MAX_VALUES}",
        "a single value needs no range",
    )
    ends = Range("the values", lo, hi, how)
    if how == "whole":
        return tuple(dict.fromkeys(round(lo + (hi - lo) * i / (count - 1)) for i in range(count)))
    return tuple(ends.at(i / (count - 1)) for i in range(count))


@dataclass(frozen=True)
class Plan:
    """All that decides a table: point i is draw i // (size of the grid) of the sample at place i %
    (size of it).
    """

    scenario: Scenario
    over: tuple[tuple[str, tuple[Any, ...]], ...]
    sample: tuple[Range, ...]
    draws: int  # of the sample; 1 without one
    quantities: tuple[str, ...]
    window: str
    seed: int
    precision: float
    max_runs: int
    method: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that vary: the grid's, then the sample's."""
        return (*(name for name, _ in self.over), *(r.field for r in self.sample))

    @property
    def size(self) -> int:
        """The number of points."""
        return self.draws * math.prod(len(values) for _, values in self.over)

    def values(self, i: int) -> dict[str, Any]:
        """The values of point i; the last field of the grid changes fastest."""
        found = {}
        for name, values in reversed(self.over):
            i, at = divmod(i, len(values))
            found[name] = values[at]
        drawn = {r.field: r.at(_share(i, self.draws, self.seed, r.field)) for r in self.sample}
        return {name: found[name] for name, _ in self.over} | drawn

    def point(self, i: int) -> Scenario:
        """The scenario of point i; raises KrcsimError if its values do not go together."""
        return changed(self.scenario, **self.values(i))


@old_names.takes_rungs
def plan_of(
    scenario: Scenario | str,
    over: Mapping[str, Sequence[Any]] | None = None,
    *,
    sample: Mapping[str, Sequence[Any]] | None = None,
    points: int = 0,
    quantities: Sequence[str] = ("p_wait",),
    window: str | None = None,
    seed: int = SEED,
    precision: float = PRECISION,
    max_runs: int = DEFAULT_RUNS,
    method: str = "auto",
) -> Plan:
    """A checked plan: the full product of `over`, `points` draws of `sample`, or each draw over the
    whole grid.

    `over`: dotted field -> values, `remedy` by name. `sample`: dotted field -> (lo, hi) or (lo, hi,
    how), how one of linear, log, whole; the draws are a Latin hypercube. The rest as for
    krcsim.ask(). Raises KrcsimError.
    """
    over = _named_today("over", over or {})
    sample = _named_today("sample", sample or {})
    _check_points(over, sample, points)
    check_study(seed, precision, max_runs)
    refuse(method not in CHOICES, "method", method, "one of " + ", ".join(CHOICES), "auto chooses")

    scenario = given(scenario)
    window = window or WINDOWS[window_ms(scenario, 1) > 0]
    refuse(
        window not in WINDOWS,
        "window",
        window,
        "one of " + ", ".join(WINDOWS),
        "steady is after warmup_ms",
    )
    plan = Plan(
        scenario,
        tuple((name, tuple(map(_plain, values))) for name, values in over.items()),
        tuple(_range(name, ends) for name, ends in sample.items()),
        points or 1,
        _checked_quantities(quantities),
        window,
        seed,
        float(precision),
        max_runs,
        method,
    )
    _check_values(plan)
    return plan


def _named_today(name: str, values: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """The fields by their names of today; raises FieldError for what is no table of fields."""
    refuse(
        not isinstance(values, Mapping) or not all(isinstance(field, str) for field in values),
        name,
        values,
        "a dict of dotted field -> values",
        'write for example {"machine.cpus": [1, 2]}',
    )
    return {old_names.field(field): listed for field, listed in values.items()}


def _check_points(
    over: Mapping[str, Sequence[Any]], sample: Mapping[str, Sequence[Any]], points: int
) -> None:
    """Raise KrcsimError for a grid and a sample that make no points, or too many."""
    lengths = [_length(name, values) for name, values in over.items()]
    if not over and not sample:
        raise KrcsimError(
            "the grid is empty; give a field with values to sweep over, or a range to draw from"
        )
    check_whole("points", points, MAX_SIZE, "of a sample")
    refuse(
        bool(sample) != bool(points),
        "points",
        points,
        f"1 to {MAX_SIZE} with a sample, 0 without",
        "say how many to draw from which ranges",
    )

    size = math.prod(lengths) * (points or 1)
    if size > MAX_SIZE:
        raise KrcsimError(
            f"the grid has {size:,} points; allowed: up to {MAX_SIZE:,}; thin it out, or draw from "
            "it: a range instead of values (--sample FIELD=LO:HI --points N)"
        )
    for name in set(over) & set(sample):
        raise KrcsimError(f"{name} is swept over and drawn; choose one")


def _checked_quantities(quantities: Sequence[str]) -> tuple[str, ...]:
    """The quantities by their names of today; raises FieldError for one that is not known or stands
    twice.
    """
    today = tuple(map(checked_quantity, quantities))
    refuse(
        not today or len(set(today)) < len(today),
        "quantities",
        quantities,
        "at least one, each once",
        "the first question is p_wait",
    )
    return today


def _length(name: str, values: Any) -> int:
    if isinstance(values, str) or not hasattr(values, "__len__"):
        raise KrcsimError(
            f"the values of {name} are {shown(values)}; allowed: a list; write for example [1, 2]"
        )
    if not len(values):
        raise KrcsimError(f"{name} has no value to sweep over; give at least one")
    if len(values) > MAX_VALUES:
        raise KrcsimError(
            f"{name} has {len(values):,} values; allowed: up to {MAX_VALUES:,}; thin them out, or "
            f"draw from their range: --sample {name}=LO:HI --points N"
        )
    return len(values)


def _range(name: str, ends: Any) -> Range:
    good = isinstance(ends, (list, tuple)) and len(ends) in (2, 3)
    refuse(
        not good,
        f"the range of {name}",
        ends,
        "(lo, hi) or (lo, hi, how)",
        "write for example (100, 5000, 'log')",
    )
    return Range(name, *map(_plain, ends))


def _plain(value: Any) -> Any:
    """A value without numpy's types."""
    return _plain(value.item()) if hasattr(value, "item") else value


def _check_values(plan: Plan) -> None:
    """Refuse a value, or an end of a range, that fits in no combination with others, as far as they
    are tried.
    """
    tried = {name: values for name, values in plan.over} | {
        r.field: (r.lo, r.hi) for r in plan.sample
    }
    for name, values in tried.items():
        others = {k: v for k, v in tried.items() if k != name}
        for value in values:
            _fits_somewhere(plan.scenario, name, value, others)


def _fits_somewhere(
    base: Scenario, name: str, value: Any, others: Mapping[str, tuple[Any, ...]]
) -> None:
    wrong = ""
    for combo in _combinations(others):
        try:
            changed(base, **{name: value}, **combo)
            return
        except KrcsimError as exc:
            wrong = wrong or str(exc)
    raise KrcsimError(
        wrong
        if wrong.startswith(f"{name} is ")
        else f"{name} = {shown(value)} fits nowhere: {wrong}"
    )


def _combinations(others: Mapping[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """All combinations, or where there are many those of the first and last values, then some at
    random.
    """
    few = math.prod(map(len, others.values())) <= _TRIED
    values = others.values() if few else [(v[0], v[-1]) for v in others.values()]
    for combo in islice(product(*values), _TRIED):
        yield dict(zip(others, combo, strict=True))
    for n in range(0 if few else _TRIED):
        yield {k: v[_hash(n, k) % len(v)] for k, v in others.items()}


def _hash(*parts: object) -> int:
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


def _share(i: int, n: int, seed: int, field: str) -> float:
    """Where draw i of n stands between the ends of its range: each n-th part of it holds one
    draw.
    """
    return (shuffled(i, n, seed, field) + (_hash(seed, field, i, "within") >> 11) * 2.0**-53) / n


def shuffled(i: int, n: int, *key: object) -> int:
    """Where i goes when 0 .. n - 1 are shuffled, without a list of them: a Feistel network, walked
    until inside.
    """
    half = max(3, ((n - 1).bit_length() + 1) // 2)
    while True:
        left, right = i >> half, i & ((1 << half) - 1)
        for turn in range(4):
            left, right = right, left ^ (_hash(*key, turn, right) & ((1 << half) - 1))
        i = left << half | right
        if i < n:
            return i
