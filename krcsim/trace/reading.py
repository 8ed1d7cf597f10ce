# SPDX-License-Identifier: GPL-2.0-only
"""Files with recordings, in any mixture: each line is given to what understands it.

A line that nobody understands is counted, and nothing is made of it.
"""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from krcsim.base.errors import KrcsimError, shown
from krcsim.trace import archive, histogram, other_lines, remarks
from krcsim.trace.events import OTHER, Handler, handler_of
from krcsim.trace.evidence import Evidence
from krcsim.trace.line import Columns, columns_of, function_of, holds_another, is_cut, says_where
from krcsim.trace.tally import Tally, cover, evidence, forget_pairs, is_believed, see, step_back
from krcsim.trace.text import LONGEST_LINE, Text

MOST_EXAMPLES = 5
_MOST_NAMES = 10_000  # of events, whose handlers are remembered

Say = Callable[[str], None]


@dataclass
class _Place:
    """Where in a file the reader is, and what the lines above said about the next ones."""

    name: str
    section: list[str] = field(default_factory=list)  # of the recorder's archive
    map_name: str = ""  # of a histogram of bpftrace
    handlers: dict[tuple[bytes, bytes], Handler] = field(default_factory=dict)


def read(paths: Sequence[Path], say: Say = lambda _: None, *, call_times: bool = False) -> Evidence:
    """What the files show; raises KrcsimError where nothing of them is understood.

    `say` gets a sentence about how far it is; `call_times`: the time of each call is kept.
    """
    tally = Tally(call_times=array("d") if call_times else None)
    digests: dict[bytes, Path] = {}
    for path in paths:
        text = Text(path, _progress(path, say))
        _read_file(tally, text)
        tally.notes += text.notes
        if (first := digests.setdefault(text.digest, path)) is not path:
            raise KrcsimError(f"{path} holds the same as {first}; leave one of them out")

    if not tally.seen - {OTHER, "head", "log", "lost"}:
        names = ", ".join(str(path) for path in paths[:3])
        raise KrcsimError(
            f"nothing in {names} says anything about kfree_rcu(), page requests, grace periods or "
            f"reclaim ({tally.not_understood:,} of {tally.lines:,} lines are not understood); give "
            "what krcsim record, trace_pipe, trace-cmd report, perf script, bpftrace or rcuscale "
            "wrote"
        )
    tally.notes += remarks.on(tally)
    found = evidence(tally)
    return replace(found, notes=(*found.notes, *remarks.of_cpus(found)))


def _progress(path: Path, say: Say) -> Callable[[int, int], None]:
    def report(done: int, size: int) -> None:
        if size:
            say(f"{path.name}: {100 * done // size} % of {size / 1e6:,.0f} MB read")

    return report


def _read_file(tally: Tally, text: Text) -> None:
    place = _Place(str(text.path))
    kinds: dict[str, list[int]] = {}
    number = 0
    tally.shift_s = 0.0
    tally.inside_s = None
    tally.parts_from = None
    tally.clock_s = None
    tally.rows_seen.clear()
    forget_pairs(tally)

    for line in text.lines():
        number += 1
        if text.is_cut or (len(line) > LONGEST_LINE and not line.startswith(b"{")):
            kind = None
        elif columns := columns_of(line):
            kind = _event(tally, place, columns)
        else:
            kind = _other_line(tally, place, line)

        if kind is None:
            _not_understood(tally, place, line)
        elif kind in kinds:
            lines = kinds[kind]
            lines[0] += 1
            lines[2] = number
        elif kind in ("head", OTHER):
            tally.ignored += 1
        else:
            kinds[kind] = [1, number, number]
    tally.lines += number
    see(tally, kinds, place.name)
    archive.end(tally, place.name, place.section)


def _handler(place: _Place, event: bytes, text: bytes) -> Handler:
    """What takes an event: by its name, of a probe by where it sits, too, and not by its name alone
    as of the first one, which may be damaged.
    """
    sits = text[: text.find(b")") + 1] if text.startswith(b"(") else b""
    handlers = place.handlers
    handler = handlers.get((event, sits))
    if handler is None:
        is_damaged = text.startswith(b"(") and not says_where(text)
        handler = handler_of(*function_of(event, text), is_damaged=is_damaged)
        if len(handlers) < _MOST_NAMES:
            handlers[event, sits] = handler
    return handler


def _event(tally: Tally, place: _Place, columns: Columns) -> str | None:
    cpu = int(columns[1])
    seconds = float(columns[2])
    text = columns[4]
    if is_cut(text) or holds_another(text) or not is_believed(tally, cpu, seconds):
        return None
    handler = _handler(place, columns[3], text)

    if (span := tally.inside_s) and not span[0] <= seconds <= span[1]:
        return OTHER  # what the recorder itself caused before and after
    seconds += tally.shift_s
    kind = handler(tally, int(columns[0]), cpu, seconds, text)
    if kind is not None:
        cover(tally, seconds)
        clock = tally.clock_s
        if clock is None or seconds >= clock:
            tally.clock_s = seconds
        else:
            step_back(tally, clock - seconds)
    return kind


def _other_line(tally: Tally, place: _Place, line: bytes) -> str | None:
    """What kind of thing a line shows that is no event; None where it is not understood."""
    if line.startswith(b"#@"):
        place.section = archive.section_of(tally, place.name, place.section, line)
        return "head" if place.section else None
    if place.section and (kind := archive.add(tally, place.section, line)):
        return kind
    if line.startswith(b"{ "):
        return histogram.add_hist_row(tally, [], line)
    if line.startswith(b"@"):
        return _map_line(tally, place, line)
    if line.startswith(b"[") and place.map_name and b"|" in line:
        return histogram.add_bucket(tally, place.map_name, line)
    if line.startswith(b"{"):
        return _json_line(tally, line)
    return other_lines.add(tally, line)


def _map_line(tally: Tally, place: _Place, line: bytes) -> str | None:
    row = histogram.map_row(line)
    if row is None:
        return None
    name, key, value = row
    place.map_name = name
    if value is None:
        return "head" if name in histogram.LENGTHS and not key else None
    return histogram.add_map_rows(tally, [(name, key, value)])


def _json_line(tally: Tally, line: bytes) -> str | None:
    rows = histogram.json_rows(line)
    if rows is None:
        return None
    return histogram.add_map_rows(tally, rows) if rows else "head"


def _not_understood(tally: Tally, place: _Place, line: bytes) -> None:
    """Count it; it may have been the end of something, or the head of what follows."""
    tally.not_understood += 1
    place.map_name = ""
    if b"[" in line:
        forget_pairs(tally)
    if len(tally.examples) < MOST_EXAMPLES:
        tally.examples.append(shown(line[:80].decode("utf-8", "replace")))
