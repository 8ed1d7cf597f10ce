# SPDX-License-Identifier: GPL-2.0-only
"""Lines of recordings, and what files of such lines show."""

from __future__ import annotations

from pathlib import Path

from krcsim.trace.evidence import Evidence
from krcsim.trace.reading import read

CALL = "(kvfree_call_rcu+0x0/0x330) head=0x0 arg=0xffff888004b80500"


def of_lines(folder: Path, *lines: str, name: str = "trace.txt") -> Evidence:
    """What lines of one file show."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return read([path])


def event(seconds: float, name: str, text: str, pid: int = 7, cpu: int = 0) -> str:
    return f"            task-{pid}       [{cpu:03}] ..... {seconds:12.6f}: {name}: {text}"
