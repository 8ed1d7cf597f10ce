# SPDX-License-Identifier: GPL-2.0-only
"""Rows of counts: hist triggers of tracefs, and maps of bpftrace as text or as JSON."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from krcsim.base.errors import KrcsimError
from krcsim.base.fields import is_finite, is_whole
from krcsim.base.reading import read_json
from krcsim.trace import gfp
from krcsim.trace.evidence import MOST_CPUS, WINDOW_S
from krcsim.trace.tally import (
    LATEST_S,
    LONGEST_S,
    Tally,
    add_calls,
    add_length,
    add_reclaim,
    add_requests,
    add_run,
    cover,
    is_believed,
    window_of,
)

MOST_COUNT = 10**12  # of one row
MOST_ROWS = 1_000_000  # of a histogram or a file with maps
COUNTS_S = 0.1  # the windows in which the recorder counts runs of the monitor and its like

_ROW = re.compile(rb"\{ (.{1,300}) \} hitcount:\s+(\d{1,12})\s*$")
_KEY = re.compile(rb" *(\w{1,60}): *(?:~ )?(?:0x)?([0-9a-f]{1,20})(?:-(\d{1,20}))? *")
_WIDTHS = (round(WINDOW_S * 1e9), round(COUNTS_S * 1e9))  # of buckets of time, in ns
MOST_IN_WINDOW = 1_000_000  # of one kind in 10 ms: nothing takes less than 10 ns

# @name[1, 0]: 17, and rows of a histogram below @name:
_MAP = re.compile(rb"@(\w{1,60})(?:\[([^\]]{0,200})\])?: *(\d{1,12})?\s*$")
_BUCKET = re.compile(rb"\[(\d{1,12}[KMG]?)(?:, (\d{1,12}[KMG]?)[)\]]|\]) +(\d{1,12}) +\|")
_WORD = re.compile(r"[0-9]{1,19}")
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

Key = tuple[int, ...]


def hist_row(line: bytes) -> tuple[dict[str, int], int] | None:
    """The keys of a row of a hist trigger, and its count; a time is the start of its bucket."""
    found = _ROW.match(line)
    if found is None:
        return None
    keys: dict[str, int] = {}
    for part in found[1].split(b","):
        key = _KEY.fullmatch(part)
        if key is None:
            return None
        name, value, last = key.groups()
        base = 16 if name == b"gfp_flags" and not value.isdigit() else 10
        try:
            first = int(value, base)
        except ValueError:
            return None
        if name == b"common_timestamp" and last is not None:
            width = int(last) + 1 - first
            if width not in _WIDTHS or first % width:
                return None
        elif last is not None:
            return None
        if keys.setdefault(name.decode(), first) != first or len(keys) > 4:
            return None
    return keys, int(found[2])


def is_new(tally: Tally, row: object) -> bool:
    """Whether a row of counts was not there before: a histogram and a map have each key once."""
    seen = tally.rows_seen
    if (mark := hash(row)) in seen:
        return False
    if len(seen) >= MOST_ROWS:
        raise KrcsimError(
            f"a map or a histogram has more than {MOST_ROWS:,} rows; give a shorter part of it"
        )
    seen.add(mark)
    return True


def add_hist_row(tally: Tally, about: list[str], line: bytes) -> str | None:
    """A row of a hist trigger of the recorder; `about` are the words of its section.

    Returns what kind of thing it shows, None where it is not understood.
    """
    row = hist_row(line)
    if row is None or not about:
        return None
    keys, count = row
    if not is_new(tally, tuple(sorted(keys.items()))):
        return None
    if "common_timestamp" in keys and count > MOST_IN_WINDOW:
        return None
    _note_when_it_was_on(tally, about, keys)
    match about:
        case ["calls", arguments, memory] if "cpu" in keys and "common_timestamp" in keys:
            window = _window(tally, keys)
            if not is_believed(tally, keys["cpu"], 0.0) or window is None:
                return None
            if _is_outside(tally, keys):
                return "calls"
            vmalloc = None if memory == "any" else memory == "vmalloc"
            add_calls(tally, window, keys["cpu"], count, arguments == "single", vmalloc)
            return "calls"
        case ["requests", which] if "gfp_flags" in keys and "common_timestamp" in keys:
            window = _window(tally, keys)
            if window is None:
                return None
            if _is_outside(tally, keys):
                return "page"
            tries, failed = (0, count) if which == "failed" else (count, 0)
            flags = str(keys["gfp_flags"]).encode()
            return add_requests(tally, window, flags, tries, failed)
        case ["sizes"] if "size" in keys:
            if not 1 <= keys["size"] <= 1 << 30:
                return None
            tally.object_sizes[keys["size"]] += count
            return "sizes"
        case ["sheaves"] if keys.get("ok", 2) <= 255:
            tally.sheaf_calls[keys["ok"] & 1] += count
            return "sheaves"
        case ["count", name] if "common_timestamp" in keys:
            seconds = keys["common_timestamp"] * 1e-9
            if seconds >= LATEST_S:
                return None
            if not _is_outside(tally, keys, COUNTS_S):
                tally.counters[name] += count
                add_run(tally, name, seconds + tally.shift_s, count)
            return name
        case ["count", name]:
            tally.counters[name] += count
            return name
    return None


def _window(tally: Tally, keys: dict[str, int]) -> int | None:
    seconds = keys["common_timestamp"] * 1e-9
    if not is_believed(tally, 0, seconds):
        return None
    return window_of(seconds + tally.shift_s + WINDOW_S / 2)


def _is_outside(tally: Tally, keys: dict[str, int], width_s: float = WINDOW_S) -> bool:
    """Whether a window lies outside the time of the recording: the counting ends a bit later."""
    span = tally.inside_s
    seconds = keys["common_timestamp"] * 1e-9
    return span is not None and not span[0] - width_s < seconds < span[1]


def _note_when_it_was_on(tally: Tally, about: list[str], keys: dict[str, int]) -> None:
    """For counts without times: how long the histograms of this archive were on at most."""
    if "common_timestamp" not in keys:
        tally.has_timeless_counts |= about[0] in ("count", "sheaves")
        return
    seconds = keys["common_timestamp"] * 1e-9
    if seconds < LATEST_S:
        first, last = tally.counted_s or (seconds, seconds)
        tally.counted_s = (min(first, seconds), max(last, seconds))


def map_row(line: bytes) -> tuple[str, Key, int | None] | None:
    """A row of a map of bpftrace: its name, key and value; no value above a histogram."""
    found = _MAP.match(line)
    if found is None:
        return None
    words = [word.strip() for word in (found[2] or b"").split(b",") if word.strip()]
    if not all(re.fullmatch(rb"\d{1,19}|0x[0-9a-f]{1,16}", word) for word in words):
        return None
    value = None if found[3] is None else int(found[3])
    return found[1].decode(), tuple(int(word, 0 if b"x" in word else 10) for word in words), value


def bucket(line: bytes) -> tuple[float, int] | None:
    """The middle of a row of a histogram of bpftrace, and its count."""
    found = _BUCKET.match(line)
    if found is None:
        return None
    low = _number(found[1])
    high = _number(found[2]) if found[2] else low + 1
    if high <= low:
        return None
    return (max(low, 0.5) * max(high, 1.0)) ** 0.5, int(found[3])


def _number(text: bytes) -> float:
    word = text.decode()
    return float(word.rstrip("KMG")) * _UNITS.get(word[-1], 1)


def json_rows(line: bytes) -> list[tuple[str, Key, int]] | None:
    """Rows of a line of `bpftrace -f json`; None where it is none."""
    try:
        found = read_json(line.decode("utf-8", "replace"), "it")
    except KrcsimError:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("data"), dict):
        return None
    if found.get("type") == "map":
        try:
            return [*_json_maps(found["data"])] or None
        except ValueError:
            return None
    return [] if found.get("type") in ("attached_probes", "printf", "time") else None


def _json_maps(data: dict[str, Any]) -> Iterator[tuple[str, Key, int]]:
    for name, values in data.items():
        for key, value in values.items() if isinstance(values, dict) else [("", values)]:
            words = [word for word in str(key).split(",") if word]
            if not is_whole(value, MOST_COUNT) or not all(map(_WORD.fullmatch, words)):
                raise ValueError("a row of a map that is none")
            yield name.removeprefix("@"), tuple(map(int, words)), value


def map_kind(name: str, key: Key, value: int) -> str | None:
    """What a row of a map with one of the names of docs/recordings.md shows; None for any other."""
    match name, key:
        case "w" | "pages", (window, _, kind) if (
            window * WINDOW_S >= LATEST_S or kind > 1 or value > MOST_IN_WINDOW
        ):
            return None
        case "w", (_, cpu, _):
            return "calls" if cpu < MOST_CPUS else None
        case "pages", (_, flags, _):
            return "page" if gfp.class_of(b"%d" % flags) else None
        case "sheaf", (taken,):
            return "sheaves" if taken <= 1 else None
        case "total", ():
            return "calls"
        case (("monitor" | "work" | "refill" | "shrinker" | "kswapd"), ()):
            return name
        case (("monitor" | "work" | "refill" | "shrinker"), (tenth,)):
            return name if tenth * COUNTS_S < LATEST_S else None
        case (("gp" | "wait" | "reclaim"), (began_us, *_)):
            is_known = began_us * 1e-6 < LATEST_S and value * 1e-6 < LONGEST_S
            return _KIND_OF_LENGTH[name] if is_known else None
    return None


_KIND_OF_LENGTH = {"gp": "grace_periods", "wait": "waits", "reclaim": "reclaims"}


def add_map_rows(tally: Tally, rows: list[tuple[str, Key, int]]) -> str | None:
    """Rows of one line; where one of them shows nothing or was there before, none is taken."""
    kinds = [map_kind(*row) for row in rows]
    if not kinds or None in kinds or not all([is_new(tally, row[:2]) for row in rows]):
        return None
    for row in rows:
        kinds[0] = _add_map_row(tally, *row) or kinds[0]
    return kinds[0]


def _add_map_row(tally: Tally, name: str, key: Key, value: int) -> str | None:
    """A row that shows something: the kind of what it is, if that depends on more than its name."""
    match name, key:
        case "w", (window, cpu, kind):
            at = (window + 0.5) * WINDOW_S
            if _lies_outside(tally, at):
                tally.announced -= value
            else:
                cover(tally, at + tally.shift_s)
                add_calls(tally, window_of(at + tally.shift_s), cpu, value, kind == 1, None)
        case "pages", (window, flags, failed):
            at = (window + 0.5) * WINDOW_S
            if not _lies_outside(tally, at):
                window = window_of(at + tally.shift_s)
                return add_requests(tally, window, b"%d" % flags, value, value * failed)
        case "sheaf", (taken,):
            tally.sheaf_calls[taken] += value
        case "total", ():
            tally.announced += value
        case (("gp" | "wait" | "reclaim"), (began_us, *_)):
            _add_length_since(tally, name, began_us * 1e-6, value * 1e-6)
        case _, (tenth,):
            at = (tenth + 0.5) * COUNTS_S
            if not _lies_outside(tally, at):
                tally.counters[name] += value
                add_run(tally, name, at + tally.shift_s, value)
        case _:
            tally.counters[name] += value
    return None


def _lies_outside(tally: Tally, seconds: float) -> bool:
    """Whether it was before all probes were on, or after the first was off."""
    span = tally.inside_s
    return span is not None and not span[0] <= seconds <= span[1]


def _add_length_since(tally: Tally, name: str, began_s: float, seconds: float) -> None:
    """What lasted so long: a grace period, a wait for one, a direct reclaim."""
    if _lies_outside(tally, began_s + seconds):
        return
    began_s += tally.shift_s
    if name == "gp":
        add_run(tally, "grace_periods", began_s + seconds)
        add_length(tally.grace_periods, seconds)
    elif name == "wait":
        add_length(tally.waits, seconds)
    else:
        add_reclaim(tally, began_s, began_s + seconds)


# Histograms of lengths in us, by their names.
LENGTHS: dict[str, tuple[str, Callable[[Tally], Any]]] = {
    "gp_us": ("grace_periods", lambda tally: tally.grace_periods),
    "wait_us": ("waits", lambda tally: tally.waits),
}
_MOST_OF_A_BUCKET = 100_000


def add_bucket(tally: Tally, name: str, line: bytes) -> str | None:
    """A row of a histogram with one of the names of LENGTHS; None for any other."""
    row = bucket(line)
    if row is None or name not in LENGTHS:
        return None
    middle_us, count = row
    kind, lengths = LENGTHS[name]
    if not is_new(tally, (name, middle_us)):
        return None
    if not is_finite(middle_us) or count > _MOST_OF_A_BUCKET:
        return None
    for _ in range(count):
        add_length(lengths(tally), middle_us * 1e-6)
    return kind
