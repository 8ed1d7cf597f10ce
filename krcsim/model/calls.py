# SPDX-License-Identifier: GPL-2.0-only
"""Recorded calls of kfree_rcu(): a table in text, a line for each CPU, that a scenario holds.

A line is words with blanks in between. Of counts (`cell_ms` > 0) each word is the number of calls
in a cell, from the begin of the recording on; of exact times (`cell_ms` = 0) it is the time in us
since the call before, of the first since the begin. `7*3` stands for three words `7`.

The same recording may be replayed in another order: blocks of it, one behind another, some of them
again and some not at all, as what else might have been recorded.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import refuse
from krcsim.base.fields import check, flag, is_real, number, refuse_unknown

MOST_CALLS = 10_000_000  # of a recording: their times take 80 MB
MOST_TEXT = 9_000_000  # characters: a scenario file has 10 MB at most
MOST_CPUS = 1024  # as machine.cpus has it
MOST_REPEATS = 1_000_000_000
NS_IN_US, NS_IN_MS = 1000, 1_000_000
SHORTER = 3  # from so many equal words on `7*3` is written

_WORD = r"[0-9]{1,12}(?:\.[0-9]{1,3})?(?:\*[0-9]{1,9})?"
_LINE = re.compile(rf"(?:{_WORD}(?: {_WORD})*+)?")

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class RecordedCalls:
    """The calls of a recording: `cpus` has a line for each CPU, "" for one without calls.

    Raises FieldError for a line that cannot be read, that goes beyond `length_ms`, or where there
    are more than MOST_CALLS calls.
    """

    length_ms: float = number(1000.0, "ms", 1e-3, 1e8, "the length of the recording")
    cell_ms: float = number(0.0, "ms", 0, 1e6, "the width of a cell of counts; 0: times are exact")
    repeat: bool = flag(False, "whether the recording begins anew when it has ended")
    block_ms: float = number(0.0, "ms", 0, 1e8, "the length of each of blocks_ms")
    blocks_ms: tuple[float, ...] = ()  # where blocks begin, in the order in which they are replayed
    cpus: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check(self, "workload.calls")
        lines = tuple(self.cpus) if isinstance(self.cpus, (list, tuple)) else ()
        is_text = all(isinstance(line, str) for line in lines)
        refuse(
            not lines or not is_text or len(lines) > MOST_CPUS,
            "workload.calls.cpus",
            self.cpus,
            f"a list of 1 to {MOST_CPUS} texts, one for each CPU",
            "let krcsim read FILES --replay make it",
        )
        refuse(
            sum(map(len, lines)) > MOST_TEXT,
            "workload.calls.cpus",
            f"{sum(map(len, lines))} characters",
            f"up to {MOST_TEXT} characters",
            "take a shorter part of the recording",
        )
        object.__setattr__(self, "cpus", lines)
        for cpu, line in enumerate(lines):
            self._check_line(cpu, line)
        self._check_blocks()
        refuse(
            self.total > MOST_CALLS,
            "workload.calls.cpus",
            f"{self.total} calls",
            f"up to {MOST_CALLS} calls",
            "take a shorter part of the recording",
        )

    def _check_line(self, cpu: int, line: str) -> None:
        name = f"workload.calls.cpus[{cpu}]"
        what = "counts" if self.cell_ms else "times in us"
        refuse(
            not _LINE.fullmatch(line) or (self.cell_ms > 0 and "." in line),
            name,
            line,
            f"{what} with blanks in between, 7*3 for three words 7",
            "let krcsim read FILES --replay make it",
        )
        values, repeats = self._recorded(cpu)
        calls = repeats * (np.minimum(values, MOST_CALLS + 1) if self.cell_ms else 1)
        refuse(
            bool(np.any(repeats > MOST_REPEATS)) or float(calls.sum()) > MOST_CALLS,
            name,
            line,
            f"up to {MOST_CALLS} calls",
            "take a shorter part of the recording",
        )
        if len(values):
            ends_ms = self._last_ms(values, repeats)
            refuse(
                ends_ms > self.length_ms * (1 - 1e-12 if self.cell_ms else 1 + 1e-12),
                name,
                f"calls at {ends_ms:g} ms",
                f"calls up to length_ms = {self.length_ms:g} ms",
                "raise workload.calls.length_ms, or take these calls out",
            )

    def _check_blocks(self) -> None:
        """Blocks lie in the recording, and of counts they are whole cells."""
        blocks = tuple(self.blocks_ms) if isinstance(self.blocks_ms, (list, tuple)) else None
        refuse(
            blocks is None or (bool(blocks) and not self._are_blocks(blocks)),
            "workload.calls.blocks_ms",
            self.blocks_ms,
            "begins of blocks of block_ms, whole cells within length_ms, together no longer",
            "let krcsim read FILES --replay make them, or leave them out",
        )
        object.__setattr__(self, "blocks_ms", blocks)

    def _are_blocks(self, blocks: tuple[object, ...]) -> bool:
        if not all(is_real(begin) and math.isfinite(begin) for begin in blocks):
            return False
        begins = np.array(blocks, dtype=np.float64)
        most = self.length_ms * (1 + 1e-9)
        if self.block_ms <= 0.0 or len(begins) * self.block_ms > most:
            return False
        if begins.min() < 0.0 or begins.max() + self.block_ms > most:
            return False
        if not self.cell_ms:
            return True
        cells = np.append(begins, self.block_ms) / self.cell_ms
        is_whole = bool((np.abs(cells - np.round(cells)) < 1e-6).all())
        return is_whole and self.length_ms / self.cell_ms <= MOST_CALLS

    def _last_ms(self, values: Counts, repeats: Counts) -> float:
        """When the last call is made, of counts where the last cell begins."""
        if self.cell_ms:
            return float(repeats.sum() - 1) * self.cell_ms
        return float(values.astype(float) @ repeats) / NS_IN_MS

    def _recorded(self, cpu: int) -> tuple[Counts, Counts]:
        """The words of a line: counts or ns, and how often each stands there."""
        return words_of(self.cpus[cpu], 1 if self.cell_ms else NS_IN_US)

    def _words(self, cpu: int) -> tuple[Counts, Counts]:
        """The same in the order in which the blocks are replayed."""
        if not self.blocks_ms:
            return self._recorded(cpu)
        return _laid(self.cpus[cpu], self.cell_ms, self.length_ms, self.block_ms, self.blocks_ms)

    @property
    def total(self) -> int:
        """All calls."""
        return sum(self.calls_of(cpu) for cpu in range(len(self.cpus)))

    def calls_of(self, cpu: int) -> int:
        """The calls of a CPU."""
        values, repeats = self._words(cpu)
        return int(values @ repeats if self.cell_ms else repeats.sum())

    @property
    def rate_hz(self) -> float:
        """Calls a second, on average over time and CPUs."""
        return self.total / len(self.cpus) / self.length_ms * 1000.0

    def times_ms(self, cpu: int) -> Array:
        """The exact times of the calls of a CPU, rising; of counts there are none."""
        values, repeats = self._words(cpu)
        return np.cumsum(np.repeat(values, repeats)).astype(np.float64) / NS_IN_MS

    def cells(self, cpu: int) -> tuple[Array, Array, Counts]:
        """Of counts, the cells with calls of a CPU: begins and ends in ms, and how many calls."""
        values, repeats = self._words(cpu)
        ends = np.cumsum(repeats)
        some = values > 0
        calls = np.repeat(values[some], repeats[some])
        first = np.repeat(ends[some], repeats[some]) - _down_from(repeats[some])
        begins: Array = first.astype(np.float64) * self.cell_ms
        return begins, np.minimum(begins + self.cell_ms, self.length_ms), calls

    def most_calls(self, span_ms: float) -> int:
        """The most calls of a CPU that may lie within a time of `span_ms`; whole cells count."""
        return max(self._most_of(cpu, span_ms) for cpu in range(len(self.cpus)))

    def _most_of(self, cpu: int, span_ms: float) -> int:
        if self.cell_ms:
            begins, ends, calls = self.cells(cpu)
        else:
            begins = ends = self.times_ms(cpu)
            calls = np.ones(len(begins), np.int64)
        if not len(begins):
            return 0

        laps = 2 + math.floor(span_ms / self.length_ms) if self.repeat else 1
        if laps * len(begins) > MOST_CALLS:  # a bound will do
            return int(calls.sum()) * laps
        starts = (np.arange(laps)[:, None] * self.length_ms + begins).ravel()
        stops = (np.arange(laps)[:, None] * self.length_ms + ends).ravel()
        before = np.concatenate([[0], np.cumsum(np.tile(calls, laps))])
        # From the end of a cell on, as early as a call of it may still lie within.
        last = np.searchsorted(starts, stops + span_ms, side="right")
        return int(np.max(before[last] - before[:-1]))


def _down_from(repeats: Counts) -> Counts:
    """Of each number r the numbers r, r - 1, ..., 1, one after another."""
    if not len(repeats):
        return repeats
    ends = np.repeat(np.cumsum(repeats), repeats)
    down: Counts = ends - np.arange(int(repeats.sum()))
    return down


@lru_cache(maxsize=2 * MOST_CPUS)
def words_of(line: str, unit: int) -> tuple[Counts, Counts]:
    """The words of a line, times `unit` as whole numbers, and how often each stands there."""
    parts = [word.partition("*") for word in line.split()]
    values = [round(float(word) * unit) for word, _, _ in parts]
    repeats = [int(times or 1) for _, _, times in parts]
    return np.array(values, dtype=np.int64), np.array(repeats, dtype=np.int64)


@lru_cache(maxsize=32)
def _laid(
    line: str, cell_ms: float, length_ms: float, block_ms: float, blocks_ms: tuple[float, ...]
) -> tuple[Counts, Counts]:
    """The words of a line whose blocks are laid one behind another; behind the last of them stands
    what was recorded there.
    """
    values, repeats = words_of(line, 1 if cell_ms else NS_IN_US)
    words = np.repeat(values, repeats)
    if cell_ms:
        counts = np.zeros(max(len(words), math.ceil(length_ms / cell_ms)), np.int64)
        counts[: len(words)] = words
        width = round(block_ms / cell_ms)
        firsts = [round(begin / cell_ms) for begin in blocks_ms]
        parts = [counts[first : first + width] for first in firsts]
        found = np.concatenate([*parts, counts[width * len(firsts) :]])
        last = np.flatnonzero(found)
        found = found[: int(last[-1]) + 1 if len(last) else 0]
    else:
        times, width = np.cumsum(words), round(block_ms * NS_IN_MS)
        parts = []
        for place, begin in enumerate(blocks_ms):
            at = round(begin * NS_IN_MS)
            first, last = np.searchsorted(times, [at, at + width])
            parts.append(times[first:last] - at + place * width)
        rest = np.searchsorted(times, width * len(blocks_ms))
        found = np.diff(np.concatenate([*parts, times[rest:]]), prepend=0)
    return found, np.ones(len(found), np.int64)


def line_of(words: Iterable[str]) -> str:
    """Words as a line, equal ones in a row as one."""
    found: list[str] = []
    for word, equal in groupby(words):
        times = sum(1 for _ in equal)
        found += [f"{word}*{times}"] if times >= SHORTER else [word] * times
    return " ".join(found)


def counted_calls(
    counts: Sequence[Sequence[int]],
    cell_ms: float,
    length_ms: float | None = None,
    *,
    repeat: bool = False,
) -> RecordedCalls:
    """Calls of which the counts in cells are known, for each CPU from the begin of the recording.

    Without `length_ms` it is as long as the cells of the CPU that has most of them.
    """
    lines = [line_of(str(int(calls)) for calls in _without_end(one)) for one in counts]
    longest = max((len(one) for one in counts), default=0) * cell_ms
    return RecordedCalls(
        length_ms=longest if length_ms is None else length_ms,
        cell_ms=cell_ms,
        repeat=repeat,
        cpus=tuple(lines),
    )


def timed_calls(
    times_ms: Sequence[Sequence[float]], length_ms: float, *, repeat: bool = False
) -> RecordedCalls:
    """Calls of which the times since the begin of the recording are known, to the ns."""
    lines = []
    for one in times_ms:
        times_ns = np.sort(np.round(np.asarray(one, np.float64) * NS_IN_MS).astype(np.int64))
        gaps = np.diff(times_ns, prepend=0)
        lines.append(line_of(f"{gap / NS_IN_US:.3f}".rstrip("0").rstrip(".") for gap in gaps))
    return RecordedCalls(length_ms=length_ms, cell_ms=0.0, repeat=repeat, cpus=tuple(lines))


def _without_end(counts: Sequence[int]) -> Sequence[int]:
    """Counts without the cells behind the last call."""
    some = np.flatnonzero(np.asarray(counts))
    return counts[: int(some[-1]) + 1] if len(some) else []


def given_calls(given: Any) -> RecordedCalls | None:
    """Recorded calls as a value, as the table of a scenario file, or none."""
    if given is None or isinstance(given, RecordedCalls):
        return given
    refuse(
        not isinstance(given, dict),
        "workload.calls",
        given,
        "a table [workload.calls] of length_ms, cell_ms, repeat, block_ms, blocks_ms and cpus",
        "let krcsim read FILES --replay make it",
    )
    refuse_unknown("workload.calls", given, [one.name for one in fields(RecordedCalls)])
    return RecordedCalls(**given)
