# SPDX-License-Identifier: GPL-2.0-only
"""One line of trace_pipe, trace-cmd report or perf script: process, CPU, time, event and text.

The columns over the kernel versions: a `(tgid)` may follow the process, flags have four or five
letters or are missing, times six or nine digits, perf puts the subsystem before the event. Names of
processes may hold blanks, dashes and brackets; none is kept.
"""

import re

# Process, CPU, seconds, event, text: all as they stand there.
Columns = tuple[bytes, bytes, bytes, bytes, bytes]

_REST = (
    rb"[- \t](\d{1,10})(?:/\d{1,10})?[ \t]+(?:\([ \d-]{1,12}\)[ \t]+)?\[(\d{1,6})\][ \t]+"
    rb"(?:[^\s\[\]]{4,5}[ \t]+)?(\d{1,12}\.\d{1,9}):[ \t]+(?:\d{1,12}[ \t]+)?"
    rb"([^\s:]{1,80}(?::[^\s:]{1,80})?):(?=[ \t]|$)[ \t]*(.*)"
)
# Most names have no bracket, and then the bracket of the CPU ends the search for the process.
_USUAL = re.compile(rb"[^\[\n#][^\[\n]{0,47}" + _REST).match
_ANY_NAME = re.compile(rb"([^\n#][^\n]{0,47}?)" + _REST).match
# Two lines in one, or columns that are no name: a bracket with a number in it.
_COLUMN = re.compile(rb"\[[^\]]{0,20}\d").search
_SECOND = re.compile(rb"\[\d{1,6}\][ \t]+(?:[^\s\[\]]{4,5}[ \t]+)?\d{1,12}\.\d{1,9}:[ \t]").search

# What a probe prints before its fields: where it sits, or what returned to where.
_PROBED = re.compile(
    rb"\((?:[^()]{0,200}<- )?(?![0-9a-f]{8,}\b)"  # perf prints addresses, and no names
    rb"([A-Za-z_][\w.]{0,120})(?:\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?)?\)"
)
_RETURNED = re.compile(rb"\([^()]{0,200}<- [^()]{0,200}\)")
_ADDRESSES = re.compile(rb"\([0-9a-f]{6,16}(?: <- [0-9a-f]{6,16})?\)")
# Names that perf and the kernel give to probes by themselves: p_FUNCTION_0, FUNCTION__return.
_NAMED = re.compile(rb"(?:[pr]_)?([A-Za-z_]\w{0,120}?)(?:_0|__return(?:_\d+)?)?$")
_FIELD = re.compile(rb"(?<!\S)([A-Za-z_][\w.]*)=(\S*)")


def columns_of(line: bytes) -> Columns | None:
    """The columns of a line, or None where it has none."""
    found = _USUAL(line)
    if found is not None:
        return found.groups()  # type: ignore[return-value]
    if line.count(b"[") > 1 and (found := _ANY_NAME(line)) and not _COLUMN(found[1]):
        return found.groups()[1:]  # type: ignore[return-value]
    return None


def holds_another(text: bytes) -> bool:
    """Whether the columns of another line stand in a text: an end of line was lost."""
    return b"[" in text and _SECOND(text) is not None


def is_cut(text: bytes) -> bool:
    """Whether what a probe prints first, where it sits, has no end."""
    return text.startswith(b"(") and b")" not in text


def function_of(event: bytes, text: bytes) -> tuple[str, bool]:
    """The function that a probe sits on, or else the name of the event, and whether it returned."""
    plain = event.rpartition(b":")[2]
    is_return = bool(_RETURNED.match(text))
    if probed := _PROBED.match(text):
        return probed[1].decode(), is_return
    if text.startswith(b"(") and (named := _NAMED.match(plain)):
        return named[1].decode(), is_return or b"__return" in plain or plain.startswith(b"r_")
    return plain.decode("ascii", "replace"), is_return


def says_where(text: bytes) -> bool:
    """Whether what a probe prints first is a place in a function, or an address of one."""
    return bool(_PROBED.match(text) or _ADDRESSES.match(text))


def fields_of(text: bytes) -> dict[bytes, bytes]:
    """The fields `key=value` of a text, by their keys: their order changed between kernels.

    One that stands there twice has no value.
    """
    pairs = _FIELD.findall(text)
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[bytes] = set()
        for name, _ in pairs:
            if name in seen:
                found[name] = b""
            seen.add(name)
    return found
