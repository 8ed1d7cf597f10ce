# SPDX-License-Identifier: GPL-2.0-only
"""The archive that the recorder writes: text in sections, each begun by a line `#@name words`.

docs/recordings.md describes it. A section says what its lines are; lines that need none (events,
/proc/vmstat) are read as everywhere else.
"""

import re

import numpy as np

from krcsim.base.errors import KrcsimError
from krcsim.trace.evidence import WINDOW_S
from krcsim.trace.histogram import add_hist_row
from krcsim.trace.tally import LATEST_S, MOST_SPANS, PAUSE_S, Tally, cover

FORMATS = ("1", "2")  # of the second kind, calls were counted in parts of the time
_APART_S = 1000.0  # between the clocks of two archives

_WORD = re.compile(r"[\w.,+:~/%-]{1,100}", re.ASCII)
_ARMED = {"calls", "page", "noretry", "grace_periods", "waits", "reclaims", "sheaves", "sizes"}
COUNTED = ("monitor", "work", "refill", "shrinker")
_SECONDS = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?")
_SAME = ("release", "arch", "cpus_online")  # what two archives of one machine share


def section_of(tally: Tally, file: str, before: list[str], line: bytes) -> list[str]:
    """The words of a section that begins with this line; empty where it is none."""
    words = line[2:].decode("ascii", "replace").split()
    if not words or not all(_WORD.fullmatch(word) for word in words):
        return []
    match words:
        case ["krcsim-recording", version]:
            if version not in FORMATS:
                known = " and ".join(FORMATS)
                raise KrcsimError(
                    f"{file} is a recording of format {version}; this version reads {known}: use "
                    "the krcsim whose recorder wrote it"
                )
            end(tally, file, before)
            tally.parts_from = len(tally.counted) if version == FORMATS[1] else None
            tally.inside_s, tally.shift_s, tally.has_counts = None, 0.0, False
            tally.after_s = max((span[1] for span in tally.spans), default=None)
        case ["armed", *kinds]:
            tally.seen.update(_ARMED.intersection(kinds))
        case ["span", start, stop]:
            if not _span(tally, start, stop):
                return []
        case ["counted", start, stop]:
            if not _counted(tally, start, stop):
                return []
        case ["hist", "count", name]:
            if name not in COUNTED:
                return []
            tally.counters[name] += 0  # it may have run never, which is known, too
        case ["counts", *names] if set(COUNTED).issuperset(names):
            tally.counters.update(dict.fromkeys(names, 0))
        case ["hist", "calls", "single" | "double", "slab" | "vmalloc" | "any"]:
            pass
        case ["hist", "requests", "tried" | "failed"] | ["hist", "sheaves" | "sizes"]:
            pass
        case ["machine" | "trace" | "pressure" | "end"] | ["overhead" | "vmstat", *_]:
            pass
        case _:
            return []
    tally.rows_seen.clear()
    return words


def _span(tally: Tally, start: str, stop: str) -> bool:
    """The time that the recording covers; its clock is moved behind that of the one before.

    Returns whether these words can be one, of which an archive has one only.
    """
    if not _SECONDS.fullmatch(start) or not _SECONDS.fullmatch(stop) or tally.inside_s:
        return False
    began, ended = float(start), float(stop)
    if not 0.0 <= began < ended < LATEST_S:
        return False
    if tally.after_s is not None:
        moved = tally.after_s + _APART_S - began
        tally.shift_s = round(moved / WINDOW_S) * WINDOW_S
    tally.inside_s = (began, ended)
    tally.spans.append([began + tally.shift_s, ended + tally.shift_s])
    return True


def _counted(tally: Tally, start: str, stop: str) -> bool:
    """A part of the span above in which calls were counted; without any they were all the time."""
    span = tally.inside_s
    if span is None or not _SECONDS.fullmatch(start) or not _SECONDS.fullmatch(stop):
        return False
    began, ended = float(start), float(stop)
    if not span[0] <= began < ended <= span[1]:
        return False
    if len(tally.counted) >= MOST_SPANS:
        raise KrcsimError(
            f"the recording has more than {MOST_SPANS} parts in which calls were counted; give one "
            "that krcsim record made"
        )
    tally.counted.append((began + tally.shift_s, ended + tally.shift_s))
    return True


def add(tally: Tally, section: list[str], line: bytes) -> str | None:
    """A line of a section that can be read only there; None for any other."""
    if section[:2] == ["hist", "calls"] and _says_no_part(tally):
        return "head"
    if section[0] == "hist" and line.startswith(b"{"):
        tally.has_counts = True
        return add_hist_row(tally, section[1:], line)
    if section[0] == "hist" and line.startswith(b"Totals:"):
        section[:] = ["totals"]  # what comes behind belongs to a section whose begin was damaged
        return "head"
    if section[0] == "machine":
        name, _, value = line.decode("utf-8", "replace").partition(" ")
        if _WORD.fullmatch(name) and value.isprintable() and len(value) <= 200:
            if tally.machine.setdefault(name, value) != value and name in _SAME:
                raise KrcsimError(
                    f"the recordings are of different machines ({name}: {tally.machine[name]!r} "
                    f"and {value!r}); give those of one machine"
                )
            return "machine"
    if section[0] == "pressure":
        return "head"  # of /proc/pressure/memory, for whoever wants to see it
    return None


def _says_no_part(tally: Tally) -> bool:
    """Whether calls were counted in parts of the time, of which none is known."""
    return tally.parts_from is not None and len(tally.counted) == tally.parts_from


def end(tally: Tally, file: str, section: list[str]) -> None:
    """The file, or the archive in it, is over: one that was cut short is said."""
    if tally.has_timeless_counts and tally.inside_s and tally.counted_s:
        earlier = tally.inside_s[0] - tally.counted_s[0]
        later = tally.counted_s[1] - tally.inside_s[1]
        tally.beyond_s += max(0.0, earlier) + max(0.0, later)
    if tally.has_counts and tally.counted_s and not tally.inside_s:
        first, last = tally.counted_s
        for seconds in (*np.arange(first, last, PAUSE_S / 2.0), last + WINDOW_S):
            cover(tally, float(seconds))
        tally.notes.append(
            f"{file} does not say when it was on: the time from its first to its last count is "
            "taken; record again, or mend its line #@span"
        )
    tally.counted_s, tally.has_timeless_counts, tally.has_counts = None, False, False
    if _says_no_part(tally):
        tally.notes.append(
            f"{file} counts calls in parts of the time and does not say in which; nothing is made "
            "of them"
        )
        if not tally.calls.total:
            tally.seen.discard("calls")
    tally.parts_from = None
    if section and section[0] != "end":
        tally.notes.append(f"{file} was cut short; what there is was read")
