# SPDX-License-Identifier: GPL-2.0-only
"""What a recording leaves open, as draws of the whole scenario: each draw is as likely as the next.

The seed has a child for each decision and draw (krcsim/trace/streams.py): a draw is the same
however many are asked for.

How far a value varies is said by its interval, which holds the truth where few things were seen,
too: of no failure in m requests the draws are exponential with their 95 % point at the limit, where
a bootstrap would say 0 each time. Which values go together is said by a bootstrap: the recording is
cut into blocks of time, and of as many blocks, drawn with replacement, everything is fitted again.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import KrcsimError
from krcsim.model.calls import RecordedCalls
from krcsim.model.joint import Joint, check_draws
from krcsim.model.rate_changes import Pieces
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import given
from krcsim.trace import arrivals, intervals, object_sizes, replay
from krcsim.trace.course import Course, course_of, positions_of
from krcsim.trace.evidence import WINDOW_S, Counts, Evidence, Reclaims, Requests
from krcsim.trace.fit import Made, keep_order, make
from krcsim.trace.intervals import FEWEST, Array
from krcsim.trace.reading import read
from krcsim.trace.streams import stream
from krcsim.trace.value import LIMIT, Value

DRAWS = 20
AT_ONCE = 20  # draws that are made together; of fewer the first ones are taken
SEED = 20200404
_NORMAL = 1.959964  # two-sided 95 % of a normal law
_ONE_SIDED = 0.05
_MOST_ODDS = 1e6
_AT_MOST = {"allocator.stall_sigma": 5.0, "allocator.episode_ms": 1e8, "allocator.calm_ms": 1e8}
PIECES = "workload.rate_changes"
_SHARES = ("workload.single_share", "workload.vmalloc_share")
_FAILURES = ("allocator.calm.", "allocator.episode.")


def from_recording(
    *files: str | Path, base: Scenario | str = "thread-as-posted", draws: int = DRAWS
) -> Joint:
    """The scenario that recordings make, with so many draws (8 to 200) of what they do not know;
    what they cannot say is as in `base`. Raises KrcsimError.
    """
    start = given(base)
    evidence = read([Path(file) for file in files])
    return joint_of(make(evidence, start, "the base"), start, draws)


def joint_of(made: Made, base: Scenario, draws: int = DRAWS, seed: int = SEED) -> Joint:
    """The scenario of recordings with so many draws (8 to 200) of what they leave open; the same
    recordings have the same draws, and fewer of them are the first ones.

    Raises KrcsimError where a draw is no scenario.
    """
    check_draws(draws)
    fixed = _fixed(made.scenario)
    varying = [v for v in made.values.values() if _varies(v) and v.field not in fixed]
    course = None
    if PIECES in made.values:
        course = course_of(made.evidence.calls, made.evidence.spans)
    sizes_vary = object_sizes.FIELD in made.values
    found: list[Scenario] = []
    for first in range(0, draws, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        minutes = _minutes(made, numbers, course, seed)
        shares = _shares(base, varying, minutes, first, seed)
        pieces: list[Pieces] = [()] * AT_ONCE
        if course is not None:
            pieces = _drawn_pieces(made, course, first, seed)
        for row, number, minute, own in zip(shares, numbers, minutes, pieces, strict=True):
            more: dict[str, Any] = {}
            if minute is not None and minute.calls is not None:
                more["workload.calls"] = minute.calls
            if sizes_vary:
                random = stream(seed, "sizes", number)
                more[object_sizes.FIELD] = object_sizes.drawn(made.evidence, random)
            if own:
                more[PIECES] = own
            found.append(_scenario_of(made, varying, row, more))
    replays = made.scenario.workload.calls is not None and found[0].workload.calls != (
        made.scenario.workload.calls
    )
    return Joint(
        made.scenario,
        tuple(found[:draws]),
        (
            *(value.field for value in varying),
            *[PIECES] * (course is not None),
            *[object_sizes.FIELD] * sizes_vary,
            *["workload.calls"] * replays,
        ),
        tuple(field for field, reason in made.assumed.items() if reason),
        made.evidence.seconds,
    )


def quantile(value: Value, share: float) -> float:
    """Below what a field lies with this probability, between 0 and 1, given its interval."""
    if value.limits is None:
        raise ValueError(f"{value.field} has no interval")
    low, high = value.limits
    if value.kind == LIMIT and not math.isfinite(high):  # a time without an event
        return low * math.log(_ONE_SIDED) / math.log(share)
    point = point_of(value)
    is_share = value.field in _SHARES or value.field.startswith(_FAILURES)
    if value.kind == LIMIT or point == 0.0:
        return min(high * math.log1p(-share) / math.log(_ONE_SIDED), 1.0 if is_share else math.inf)
    if is_share and point == 1.0:
        return max(0.0, 1.0 - (1.0 - low) * math.log(share) / math.log(_ONE_SIDED))

    middle, below, above = (_on_scale(one, is_share) for one in (point, low, high))
    z = NormalDist().inv_cdf(share)
    found = middle + z / _NORMAL * (above - middle if z > 0.0 else middle - below)
    return 1.0 / (1.0 + math.exp(-found)) if is_share else math.exp(found)


def _on_scale(x: float, is_share: bool) -> float:
    """The logarithm, of a share that of its odds."""
    if not is_share:
        return math.log(x)
    least = 1.0 / _MOST_ODDS
    inside = min(1.0 - least, max(least, x))
    return math.log(inside / (1.0 - inside))


def point_of(value: Value) -> float:
    """The value as one number: of lengths their mean."""
    if isinstance(value.value, tuple):
        return float(np.mean(value.value))
    return float(value.value)


def _fixed(scenario: Scenario) -> frozenset[str]:
    """Fields that are the same in all draws: where calls are replayed, what these say."""
    if scenario.workload.arrivals != "replay":
        return frozenset()
    return frozenset(f"workload.{name}" for name in replay.OVERRULED)


def _varies(value: Value) -> bool:
    """Whether a value has an interval from which draws can come."""
    if value.limits is None:
        return False
    low, high = value.limits
    is_limit = value.kind == LIMIT
    return low < high and (is_limit or math.isfinite(high)) and (low > 0.0 or high < math.inf)


def _drawn_pieces(made: Made, course: Course, first: int, seed: int) -> list[Pieces]:
    """For each of AT_ONCE draws the pieces of a rate that changes, each at a rate as likely as
    others given how many calls it had: normal on a scale of logarithms, of a piece without a call
    exponential.
    """
    pieces = made.values[PIECES].value
    cpus = max(1, len(np.unique(made.evidence.calls.cpus)))
    found = np.zeros((AT_ONCE, len(pieces)))
    for piece, ((_, rate), error) in enumerate(zip(pieces, course.errors(), strict=True)):
        random = stream(seed, "pieces", first, str(piece))
        shares = (random.permutation(AT_ONCE) + random.random(AT_ONCE)) / AT_ONCE
        if course.calls[piece]:
            found[:, piece] = [rate * math.exp(error * NormalDist().inv_cdf(x)) for x in shares]
        else:
            found[:, piece] = -np.log1p(-shares) / (course.seconds[piece] * cpus)
    starts = [start for start, _ in pieces]
    return [
        tuple((start, float(f"{rate:.5g}")) for start, rate in zip(starts, row, strict=True))
        for row in found
    ]


def _scenario_of(made: Made, varying: list[Value], shares: Array, more: dict[str, Any]) -> Scenario:
    """The scenario with each value at its share of its law, and what has been drawn as a whole."""
    overrides = dict(more)
    for value, share in zip(varying, shares, strict=True):
        overrides[value.field] = _drawn(value, float(share))
    keep_order(overrides, made.scenario, made.values, [])
    try:
        return changed(made.scenario, **overrides)
    except KrcsimError as exc:
        raise KrcsimError(
            f"within what the recording leaves open lies no scenario ({exc}); record longer, or "
            "read it without --draws"
        ) from None


def _drawn(value: Value, share: float) -> Any:
    found = quantile(value, share)
    if isinstance(value.value, tuple):
        factor = found / point_of(value)
        return tuple(float(f"{max(1e-3, one * factor):.4g}") for one in value.value)
    if isinstance(value.value, int):
        return max(1, round(found))
    return float(f"{min(_AT_MOST.get(value.field, math.inf), max(1e-9, found)):.5g}")


@dataclass(frozen=True)
class _Minute:
    """What else might have been recorded: blocks of the recording in another order."""

    evidence: Evidence
    calls: RecordedCalls | None  # of a scenario that replays


def _minutes(made: Made, numbers: range, course: Course | None, seed: int) -> list[_Minute | None]:
    """One for each draw; none where a recording is too short for it."""
    evidence, replayed = made.evidence, made.scenario.workload.calls
    wanted = intervals.BLOCKS if replayed is None else replay.blocks_that_keep_phases(evidence)
    blocks = arrivals.blocks_of(evidence.calls, evidence.spans, wanted)
    of_calls = arrivals.blocks_of(evidence.calls, evidence.calls_spans)
    if min(blocks.count, of_calls.count) < FEWEST:
        return [None] * len(numbers)
    minutes: list[_Minute | None] = []
    for number in numbers:
        chosen = _chosen(blocks, evidence, course, stream(seed, "blocks", number))
        own = of_calls if evidence.has_parts else None
        again = resampled(evidence, blocks, chosen, stream(seed, "lengths", number), own)
        calls = replayed and replay.in_blocks(replayed, evidence, blocks, chosen)
        minutes.append(_Minute(again, calls))
    return minutes


def _chosen(
    blocks: arrivals.Blocks, evidence: Evidence, course: Course | None, random: np.random.Generator
) -> Counts:
    """As many blocks, drawn with replacement; with a course each is one of those of its piece."""
    if course is None:
        return random.integers(blocks.count, size=blocks.count)
    middles, _ = positions_of(blocks.first + blocks.windows // 2, evidence.spans)
    piece = course.piece_of(middles)
    return np.array([random.choice(np.flatnonzero(piece == own)) for own in piece])


def _shares(
    base: Scenario,
    varying: list[Value],
    minutes: list[_Minute | None],
    first: int,
    seed: int,
) -> Array:
    """Where in its law each value lies, for each draw and field: one draw in each of the equal
    parts of the law, so that few draws have its spread.

    In which order: by what is fitted to blocks of time that are drawn with replacement; by chance
    where a recording is too short for that, or where the blocks say nothing of the field.
    """
    fits = np.full((len(minutes), len(varying)), np.nan)
    for row, minute in zip(fits, minutes, strict=True):
        if minute is not None:
            row[:] = _fitted(minute.evidence, base, varying)
    shares = np.empty(fits.shape)
    for column, value in enumerate(varying):
        places = _places(fits[:, column], stream(seed, "ties", first, value.field))
        within = stream(seed, "within", first, value.field).random(len(places))
        shares[:, column] = (places + within) / len(places)
    return shares


def _places(values: Array, random: np.random.Generator) -> NDArray[np.intp]:
    """The place of each value among all, from 0: equal ones, and those that are not known (NaN),
    stand by chance.
    """
    known = np.flatnonzero(~np.isnan(values))
    places = random.permutation(len(values))
    shuffled = random.permutation(known)
    places[shuffled[np.argsort(values[shuffled], kind="stable")]] = np.sort(places[known])
    return places


def _fitted(evidence: Evidence, base: Scenario, varying: list[Value]) -> list[float]:
    """What resampled blocks say of each field, NaN where they do not say it."""
    try:
        values = make(evidence, base, "").values
    except KrcsimError:
        return [math.nan] * len(varying)
    return [point_of(values[one.field]) if one.field in values else math.nan for one in varying]


def resampled(
    evidence: Evidence,
    blocks: arrivals.Blocks,
    chosen: Counts,
    random: np.random.Generator,
    of_calls: arrivals.Blocks | None = None,
) -> Evidence:
    """The chosen blocks of the recorded time, one behind the other; of calls that were counted in
    parts of the time blocks of their own.

    Lengths of grace periods have no times in a recording: they are drawn one by one.
    """
    calls, reclaims = evidence.calls, evidence.reclaims
    if of_calls is None:
        of_calls, chosen_calls = blocks, chosen
    else:
        chosen_calls = random.integers(of_calls.count, size=of_calls.count)
    at, to = _moved(calls.windows, of_calls, chosen_calls)
    lengths = evidence.grace_periods_s
    windows = (reclaims.begins_s / WINDOW_S).astype(np.int64)
    order = np.argsort(windows, kind="stable")
    which, moved = _moved(windows[order], blocks, chosen)
    shift_s = (moved - windows[order][which]) * WINDOW_S
    return replace(
        evidence,
        spans=((0.0, blocks.seconds),),
        calls_spans=((0.0, of_calls.seconds),),
        calls=replace(
            calls,
            windows=to,
            cpus=calls.cpus[at],
            calls=calls.calls[at],
            single=calls.single[at],
            vmalloc=calls.vmalloc[at],
        ),
        page=_moved_requests(evidence.page, blocks, chosen),
        noretry=_moved_requests(evidence.noretry, blocks, chosen),
        reclaims=Reclaims(
            reclaims.begins_s[order][which] + shift_s, reclaims.ends_s[order][which] + shift_s
        ),
        grace_periods_s=random.choice(lengths, len(lengths)) if len(lengths) else lengths,
    )


def _moved_requests(requests: Requests, blocks: arrivals.Blocks, chosen: Counts) -> Requests:
    at, to = _moved(requests.windows, blocks, chosen)
    return Requests(to, requests.tries[at], requests.failed[at])


def _moved(windows: Counts, blocks: arrivals.Blocks, chosen: Counts) -> tuple[Counts, Counts]:
    """Which of the rising windows are in the chosen blocks, and where each of them goes."""
    firsts = blocks.first[chosen]
    begins = np.searchsorted(windows, firsts)
    ends = np.searchsorted(windows, firsts + blocks.windows)
    places = [np.arange(begin, end) for begin, end in zip(begins, ends, strict=True)]
    at = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
    shifts = np.repeat(np.arange(len(chosen)) * blocks.windows - firsts, ends - begins)
    return at, windows[at] + shifts
