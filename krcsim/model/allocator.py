# SPDX-License-Identifier: GPL-2.0-only
"""When a page or an rcu_head object can be had: calm, and episodes of pressure shared by all
CPUs.
"""

import math
from dataclasses import dataclass, fields
from functools import partial
from itertools import chain, pairwise
from typing import Any

from krcsim.base.errors import refuse
from krcsim.base.fields import check, choice, is_real, number, numbers

Episodes = tuple[tuple[float, float], ...]
_probability = partial(number, 0.0, "", 0, 1)
_or_above = partial(number, None, "", 0, 1)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """P(a request fails) by class of GFP flags, never rising: one draw decides; left out: as the
    one above.
    """

    page: float = _probability("failure of a page request with GFP_NOWAIT")
    page_noretry: float = _or_above(
        "failure of GFP_KERNEL|__GFP_NORETRY after one round of reclaim"
    )
    head: float = _probability("failure of an rcu_head request with GFP_NOWAIT")
    head_atomic: float = _or_above("failure with GFP_ATOMIC (3/8 of the min mark)")
    head_high: float = _or_above("need of reclaim with __GFP_HIGH (1/2 of the min mark)")
    head_reclaim: float = _or_above("failure of a sleepable request after direct reclaim")

    def resolved(self) -> tuple[float, float, float, float, float, float]:
        """The six without gaps: head_reclaim falls back on the lower of the two above it."""
        noretry = self.page if self.page_noretry is None else self.page_noretry
        atomic = self.head if self.head_atomic is None else self.head_atomic
        high = atomic if self.head_high is None else self.head_high
        last = min(atomic, high) if self.head_reclaim is None else self.head_reclaim
        return (self.page, noretry, self.head, atomic, high, last)

    def __post_init__(self) -> None:
        section = "failure"  # of calm or of an episode: whoever reads them says which
        check(self, section)
        p = dict(zip((f.name for f in fields(self)), self.resolved(), strict=True))
        for name, easier in (
            ("page_noretry", "page"),
            ("head_atomic", "head"),
            ("head_high", "head"),
            ("head_reclaim", "head_high"),
            ("head_reclaim", "head"),
        ):
            refuse(
                p[name] > p[easier],
                f"{section}.{name}",
                p[name],
                f"a number from 0 to {p[easier]:g}",
                f"a request that tries harder cannot fail more often than {easier}",
            )


@dataclass(frozen=True, kw_only=True)
class Allocator:
    """Episodes of pressure and what fails in them; replication i uses schedules[i %
    len(schedules)].

    Log-normal stalls are assumed: none are published (clean page cache 0.1 to 1 ms, writeback or
    swap 1 to 100 ms).
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
        for plan in self.schedules:
            for (_, last), (start, end) in pairwise([(0.0, 0.0), *plan]):
                refuse(
                    not (math.isfinite(start) and last <= start < end),
                    "allocator.schedules",
                    (start, end),
                    "pairs start_ms < end_ms in order of time, not overlapping, from 0 ms",
                    "an end of inf means until the end of the run",
                )


def read_schedules(given: Any) -> tuple[Episodes, ...]:
    """Turn [[a, b], ...] or [[[a, b], ...], ...] (ms) into schedules; raises FieldError."""
    rule = "a list of [start_ms, end_ms] pairs in ms", "write for example [[0, 100], [500, 600]]"
    refuse(not isinstance(given, (list, tuple)), "allocator.schedules", given, *rule)
    rows = [row for row in given if isinstance(row, (list, tuple))]
    one = not given or any(is_real(x) for row in rows for x in row)
    plans: tuple[Episodes, ...] = numbers(
        "allocator.schedules", 3, *rule, [given] if one else given
    )
    for pair in chain(*plans):
        refuse(len(pair) != 2, "allocator.schedules", pair, *rule)
    return plans
