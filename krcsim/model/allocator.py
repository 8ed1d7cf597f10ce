# SPDX-License-Identifier: GPL-2.0-only
"""When a page or an rcu_head object can be had: calm, and episodes of pressure.

All CPUs share the episodes. What fails in calm and in an episode is a Failure each.
"""

import math
from dataclasses import dataclass, fields
from functools import partial
from itertools import chain, pairwise
from typing import Any

from krcsim.base.errors import refuse
from krcsim.base.fields import check, choice, is_real, number, numbers
from krcsim.base.old_names import refuse_old_fields

Episodes = tuple[tuple[float, float], ...]  # (start_ms, end_ms), in order; the last end may be inf

_probability = partial(number, 0.0, "", 0, 1)
_or_as_the_one_above = partial(number, None, "", 0, 1)

# A request that tries harder cannot fail more often: the first field is at most the second.
HARDER_AND_EASIER = (
    ("page_noretry", "page"),
    ("head_atomic", "head"),
    ("head_high", "head"),
    ("head_reclaim", "head_high"),
    ("head_reclaim", "head"),
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """P(a request fails), by the class of its GFP flags.

    One draw decides all classes, so that a class that tries harder fails no more often. A class
    that is left out fails as often as the one above it.
    """

    page: float = _probability("failure of a page request with GFP_NOWAIT")
    page_noretry: float = _or_as_the_one_above(
        "failure of GFP_KERNEL|__GFP_NORETRY after one round of reclaim"
    )
    head: float = _probability("failure of an rcu_head request with GFP_NOWAIT")
    head_atomic: float = _or_as_the_one_above("failure with GFP_ATOMIC (3/8 of the min mark)")
    head_high: float = _or_as_the_one_above("need of reclaim with __GFP_HIGH (1/2 of the min mark)")
    head_reclaim: float = _or_as_the_one_above(
        "failure of a sleepable request after direct reclaim"
    )
    sheaf: float = _or_as_the_one_above("failure of a new sheaf; left out: as head")

    def resolved(self) -> tuple[float, float, float, float, float, float, float]:
        """The seven in the order of the fields, without gaps.

        head_reclaim falls back on the lower of head_atomic and head_high.
        """
        noretry = self.page if self.page_noretry is None else self.page_noretry
        atomic = self.head if self.head_atomic is None else self.head_atomic
        high = atomic if self.head_high is None else self.head_high
        last = min(atomic, high) if self.head_reclaim is None else self.head_reclaim
        sheaf = self.head if self.sheaf is None else self.sheaf
        return (self.page, noretry, self.head, atomic, high, last, sheaf)

    def by_field(self) -> dict[str, float]:
        """The same seven by their names."""
        return dict(zip((one.name for one in fields(self)), self.resolved(), strict=True))

    def __post_init__(self) -> None:
        section = "failure"  # of calm or of an episode: whoever reads a scenario says which
        check(self, section)

        p_fails = self.by_field()
        for harder, easier in HARDER_AND_EASIER:
            refuse(
                p_fails[harder] > p_fails[easier],
                f"{section}.{harder}",
                p_fails[harder],
                f"a number from 0 to {p_fails[easier]:g}",
                f"a request that tries harder cannot fail more often than {easier}",
            )


@dataclass(frozen=True, kw_only=True)
class Allocator:
    """Episodes of memory pressure, and what fails in them and in calm.

    With several schedules replication i has schedules[i % len(schedules)]. Stalls are assumed to be
    log-normal: no distribution is published (clean page cache takes 0.1 to 1 ms, writeback or swap
    1 to 100 ms).
    """

    episodes: str = choice(
        "exponential", ("none", "schedule", "exponential"), "the kind of episodes"
    )
    episode_ms: float = number(500.0, "ms", 1e-3, 1e8, "the mean length of an episode of pressure")
    calm_ms: float = number(2000.0, "ms", 1e-3, 1e8, "the mean time between two episodes")
    start: str = choice("calm", ("calm", "stationary"), "the state at boot (exponential episodes)")
    schedules: tuple[Episodes, ...] = ()
    stall_ms: float = number(0.5, "ms", 0, 1e5, "the median stall of a request in direct reclaim")
    stall_sigma: float = number(1.0, "", 0, 5, "the spread of stalls: sigma of their logarithm")
    calm: Failure = Failure()
    episode: Failure = Failure(page=0.9, head=0.2)

    def __new__(cls, **given: Any) -> "Allocator":
        """Refuse the old names of fields with the new ones."""
        refuse_old_fields("allocator", "Allocator", given)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        check(self, "allocator")

        if not isinstance(self.schedules, tuple) or self.schedules:
            object.__setattr__(self, "schedules", read_schedules(self.schedules))
        refuse(
            (self.episodes == "schedule") != bool(self.schedules),
            "allocator.schedules",
            self.schedules,
            'given if and only if episodes = "schedule"',
            "give lists of [start_ms, end_ms] pairs or change allocator.episodes",
        )

        for schedule in self.schedules:
            for (_, end_before), (start, end) in pairwise([(0.0, 0.0), *schedule]):
                refuse(
                    not (math.isfinite(start) and end_before <= start < end),
                    "allocator.schedules",
                    (start, end),
                    "pairs start_ms < end_ms in order of time, not overlapping, from 0 ms",
                    "an end of inf means until the end of the run",
                )


def read_schedules(given: Any) -> tuple[Episodes, ...]:
    """Schedules from one list of [start_ms, end_ms] pairs, or from a list of such lists.

    Raises FieldError.
    """
    name = "allocator.schedules"
    rule = ("a list of [start_ms, end_ms] pairs in ms", "write for example [[0, 100], [500, 600]]")
    refuse(not isinstance(given, (list, tuple)), name, given, *rule)

    rows = [row for row in given if isinstance(row, (list, tuple))]
    is_one_schedule = not given or any(is_real(value) for row in rows for value in row)
    several = [given] if is_one_schedule else given
    schedules: tuple[Episodes, ...] = numbers(name, 3, *rule, several)

    for pair in chain(*schedules):
        refuse(len(pair) != 2, name, pair, *rule)
    return schedules
