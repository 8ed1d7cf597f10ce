# SPDX-License-Identifier: GPL-2.0-only
"""How calls come: at what rate, alone, in bursts or in phases, by how their counts vary.

The index of dispersion of counts in a window, their variance over their mean, is 1 for a Poisson
process, the size of the bursts for bursts, and grows with the window for phases. Two sizes of
windows tell them apart.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from krcsim.trace import intervals
from krcsim.trace.evidence import WINDOW_S, Calls, Counts, Spans
from krcsim.trace.intervals import BLOCKS, FEWEST, Array, Interval

RESAMPLES = 400
_SEED = 20200404
LARGE = 100  # small windows in a large one: 1 s
MIDDLE = 5  # in one for the size of bursts


@dataclass(frozen=True)
class Shape:
    """The kind of arrivals, and what the kind needs, each with its interval."""

    arrivals: str
    dispersion: tuple[float, float]  # in small and in large windows
    window_s: tuple[float, float]
    limits: tuple[Interval, Interval]
    burst: tuple[float, Interval] | None = None
    on_ms: tuple[float, Interval] | None = None
    off_ms: tuple[float, Interval] | None = None


@dataclass(frozen=True)
class Blocks:
    """Calls of each CPU in blocks of time of equal length; arrays are (CPU, block).

    `of` is the block of each cell of the calls, or -1 where it lies outside all of them.
    """

    cpus: Counts
    windows: int  # small ones in a block
    first: Counts  # the first window of each block
    of: Counts
    calls: Array

    @property
    def count(self) -> int:
        """How many blocks."""
        return len(self.first)

    @property
    def seconds(self) -> float:
        """The time in all of them."""
        return self.count * self.windows * WINDOW_S


def blocks_of(calls: Calls, spans: Spans, wanted: int = BLOCKS) -> Blocks:
    """The recorded time in `wanted` blocks at most; the rest at the ends of spans is left out."""
    total = sum(end - start for start, end in spans)
    size = max(1, math.floor(total / WINDOW_S / wanted))
    if size >= 2 * LARGE:
        size -= size % LARGE
    block = np.full(len(calls.windows), -1, dtype=np.int64)
    firsts: list[int] = []
    for start, end in spans:
        first = math.ceil(start / WINDOW_S - 1e-6)
        many = int((math.floor(end / WINDOW_S + 1e-6) - first) // size)
        inside = (calls.windows >= first) & (calls.windows < first + many * size)
        block[inside] = len(firsts) + (calls.windows[inside] - first) // size
        firsts += [first + number * size for number in range(many)]

    cpus, index = np.unique(calls.cpus, return_inverse=True)
    sums = np.zeros((len(cpus), len(firsts)))
    kept = block >= 0
    np.add.at(sums, (index[kept], block[kept]), calls.calls[kept].astype(float))
    return Blocks(cpus, size, np.array(firsts, dtype=np.int64), block, sums)


def rate(calls: Calls, blocks: Blocks, spans: Spans) -> tuple[float, Interval]:
    """Calls a second and CPU, over the CPUs that call.

    Where they were counted in many parts of the time, how these differ is in the interval, too.
    """
    seconds = sum(end - start for start, end in spans)
    cpu_seconds = max(seconds, WINDOW_S) * max(1, len(blocks.cpus))
    total = calls.total
    limits = Interval(*(end / cpu_seconds for end in intervals.of_count(total)))
    cuts = [blocks] if blocks.count >= FEWEST else []
    are_parts = len({round((end - start) / WINDOW_S) for start, end in spans}) == 1
    if len(spans) > 2 and are_parts:
        cuts.append(blocks_of(calls, spans, len(spans)))
    for cut in cuts:
        if not total or cut.count < 2:
            continue
        in_blocks = cut.calls.sum(axis=0)
        found = intervals.of_ratio(in_blocks, np.ones(cut.count))
        if found is not None:
            scale = total / cpu_seconds / float(in_blocks.mean())
            limits = intervals.wider(limits, Interval(found.low * scale, found.high * scale))
    return total / cpu_seconds, limits


def shape(calls: Calls, blocks: Blocks) -> Shape | None:
    """The kind of arrivals; None where the recording is too short to tell."""
    if not is_enough(calls, blocks):
        return None

    sizes = (1, burst_window(blocks), large_window(blocks))
    chosen = choices_of_blocks(blocks)
    small, of_bursts, big = (
        _dispersion(blocks, _squares(calls, blocks, size), size, chosen) for size in sizes
    )
    mean_hz = float(blocks.calls.sum()) / blocks.seconds / len(blocks.cpus)
    return shape_of((small, of_bursts, big), sizes[2], mean_hz)


def burst_window(blocks: Blocks) -> int:
    """Small windows in one for the size of bursts, of which hardly any lies in two of these."""
    return MIDDLE if blocks.windows % MIDDLE == 0 else 1


def large_window(blocks: Blocks) -> int:
    """Small windows in a large one, of which a whole number makes a block."""
    return LARGE if blocks.windows % LARGE == 0 else blocks.windows


def is_enough(calls: Calls, blocks: Blocks) -> bool:
    """Whether a recording is long enough to tell the kind of arrivals."""
    return blocks.count >= FEWEST and large_window(blocks) >= 4 and calls.total >= 50


def choices_of_blocks(blocks: Blocks) -> NDArray[np.number]:
    """How often each block counts: each once, then as blocks are drawn with replacement."""
    every = np.ones((1, blocks.count))
    chosen = np.random.default_rng(_SEED).multinomial(
        blocks.count, np.full(blocks.count, 1 / blocks.count), RESAMPLES
    )
    return np.concatenate([every, chosen])


def shape_of(dispersions: tuple[Array, Array, Array], large: int, mean_hz: float) -> Shape:
    """The kind of arrivals with these dispersions in small windows, in those for bursts and in
    large ones, the first those of the recording, the others of choices of its blocks; `mean_hz`
    while calls come at all.
    """
    small, of_bursts, big = dispersions
    limits = (_limits(small), _limits(big))
    window_s = (WINDOW_S, large * WINDOW_S)
    seen = (float(small[0]), float(big[0]))
    base = Shape("poisson", seen, window_s, limits)
    if limits[0].low <= 1.0 and limits[1].low <= 1.0:
        return base
    return _phases_or_bursts(base, small, of_bursts, big, mean_hz)


def _phases_or_bursts(
    base: Shape, small: Array, of_bursts: Array, big: Array, mean_hz: float
) -> Shape:
    grows = (big - 1.0) / np.maximum(small - 1.0, 1e-9)
    limits = _limits(grows)
    if limits.low <= 1.25 or small[0] <= 1.0:  # what is correlated lies within a small window
        size = np.maximum(1.0, of_bursts)
        burst = (float(round(size[0])), _limits(size))
        kind = "bursts" if burst[0] >= 2 else "poisson"
        return Shape(
            kind, base.dispersion, base.window_s, base.limits, burst if kind == "bursts" else None
        )

    phases = np.array(
        [phases_of(mean_hz, s, b, *base.window_s) for s, b in zip(small, big, strict=True)]
    )
    on, off = phases[:, 0] * 1000.0, phases[:, 1] * 1000.0
    return Shape(
        "onoff",
        base.dispersion,
        base.window_s,
        base.limits,
        on_ms=(float(on[0]), _limits(on)),
        off_ms=(float(off[0]), _limits(off)),
    )


def phases_of(
    mean_hz: float, small: float, big: float, small_s: float, big_s: float
) -> tuple[float, float]:
    """Mean on and off phases in s whose counts have these dispersions in windows of two sizes.

    Of calls that are Poisson in exponential on phases, and none between: the dispersion is
    1 + 2 A (1/r - (1 - exp(-r t)) / (r^2 t)), with 1/r = on off / (on + off) and A = rate off / on.
    """
    excess = max(small - 1.0, 1e-9)
    wanted = max(big - 1.0, excess) / excess

    def grown(r: float) -> float:
        return _weight(r, big_s) / _weight(r, small_s)

    low, high = 1e-3 / big_s, 1e3 / small_s  # the ratio falls from big_s / small_s to 1
    for _ in range(80):
        middle = math.sqrt(low * high)
        if grown(middle) > wanted:
            low = middle
        else:
            high = middle
    r = math.sqrt(low * high)
    odds = max(1e-9, excess / (2.0 * _weight(r, small_s)) / mean_hz)  # off over on
    return (1.0 + odds) / (r * odds), (1.0 + odds) / r


def _weight(r: float, t: float) -> float:
    if r * t < 1e-4:
        return t / 2.0
    return 1.0 / r + math.expm1(-r * t) / (r * r * t)


def _squares(calls: Calls, blocks: Blocks, size: int) -> Array:
    """Sums of squares of counts in windows of `size` small ones, which divides a block."""
    kept = blocks.of >= 0
    index = np.searchsorted(blocks.cpus, calls.cpus[kept])
    within = calls.windows[kept] - blocks.first[blocks.of[kept]]
    keys = (index * blocks.count + blocks.of[kept]) * (blocks.windows + 1) + within // size
    values, place = np.unique(keys, return_inverse=True)
    counts = np.bincount(place, weights=calls.calls[kept].astype(float))
    sums = np.zeros(len(blocks.cpus) * blocks.count)
    np.add.at(sums, values // (blocks.windows + 1), counts**2)
    return sums.reshape(len(blocks.cpus), blocks.count)


def _dispersion(blocks: Blocks, squares: Array, size: int, chosen: NDArray[np.number]) -> Array:
    """Variance over mean of counts in windows, within CPUs, for each choice of blocks."""
    windows = blocks.count * blocks.windows / size
    mean = chosen @ blocks.calls.T / windows
    second = chosen @ squares.T / windows
    variance = (second - mean**2) * windows / (windows - 1.0)
    found: Array = variance.sum(axis=1) / np.maximum(mean.sum(axis=1), 1e-300)
    return found


def _limits(values: Array) -> Interval:
    """The interval of the first value, by how the others, made of resampled blocks, vary."""
    good = values[1:][(values[1:] > 0.0) & np.isfinite(values[1:])]
    if len(good) < RESAMPLES // 2 or values[0] <= 0.0:
        return Interval(0.0, math.inf)
    return intervals.around(float(values[0]), float(np.log(good).std()), BLOCKS - 1)
