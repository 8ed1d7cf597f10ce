# SPDX-License-Identifier: GPL-2.0-only
"""Files with recordings, in any mixture: each line is given to what understands it.

A line that nobody understands is counted, and nothing is made of it.
"""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from krcsim.base.errors import KrcsimError, shown
from krcsim.trace import archive, histogram, other_lines
from krcsim.trace.events import OTHER, Handler, handler_of
from krcsim.trace.evidence import MOST_CPUS, Evidence
from krcsim.trace.line import Columns, columns_of, function_of
from krcsim.trace.tally import LATEST_S, Tally, cover, evidence, see
from krcsim.trace.text import Text

MOST_EXAMPLES = 5
_MOST_NAMES = 10_000  # of events, whose handlers are remembered

Say = Callable[[str], None]


@dataclass
class _Place:
    """Where in a file the reader is, and what the lines above said about the next ones."""

    name: str
    section: list[str] = field(default_factory=list)  # of the recorder's archive
    map_name: str = ""  # of a histogram of bpftrace
    handlers: dict[bytes, Handler] = field(default_factory=dict)


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
    return evidence(tally)


def _progress(path: Path, say: Say) -> Callable[[int, int], None]:
    def report(done: int, size: int) -> None:
        if size:
            say(f"{path.name}: {100 * done // size} % of {size / 1e6:,.0f} MB read")

    return report


def _read_file(tally: Tally, text: Text) -> None:
    place = _Place(str(text.path))
    handlers = place.handlers
    kinds: dict[str, list[int]] = {}
    number = 0
    tally.gp_began = None
    tally.shift_s = 0.0
    tally.inside_s = None
    tally.parts_from = None
    tally.waiting.clear()
    tally.reclaiming.clear()

    for line in text.lines():
        number += 1
        columns = columns_of(line)
        if columns is None:
            kind = _other_line(tally, place, line)
        else:
            event = columns[3]
            handler = handlers.get(event)
            if handler is None:
                handler = handler_of(*function_of(event, columns[4]))
                if len(handlers) < _MOST_NAMES:
                    handlers[event] = handler
            kind = _event(tally, handler, columns)

        if kind is None:
            _not_understood(tally, line)
        elif kind in kinds:
            lines = kinds[kind]
            lines[0] += 1
            lines[2] = number
        elif kind not in ("head", OTHER):
            kinds[kind] = [1, number, number]
    tally.lines += number
    see(tally, kinds, place.name)
    archive.end(tally, place.name, place.section)


def _event(tally: Tally, handler: Handler, columns: Columns) -> str | None:
    cpu = int(columns[1])
    seconds = float(columns[2])
    if cpu >= MOST_CPUS or seconds >= LATEST_S:
        return None

    if (span := tally.inside_s) and not span[0] <= seconds <= span[1]:
        return OTHER  # what the recorder itself caused before and after
    seconds += tally.shift_s
    kind = handler(tally, int(columns[0]), cpu, seconds, columns[4])
    if kind is not None:
        cover(tally, seconds)
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
        return "head" if name in histogram.LENGTHS else None
    return histogram.add_map_row(tally, name, key, value)


def _json_line(tally: Tally, line: bytes) -> str | None:
    rows = histogram.json_rows(line)
    if rows is None:
        return None
    kinds = [histogram.add_map_row(tally, *row) for row in rows]
    return next((kind for kind in kinds if kind), None if kinds else "head")


def _not_understood(tally: Tally, line: bytes) -> None:
    tally.not_understood += 1
    if len(tally.examples) < MOST_EXAMPLES:
        tally.examples.append(shown(line[:80].decode("utf-8", "replace")))
