# SPDX-License-Identifier: GPL-2.0-only
"""How far model and kernel agree: counts in a file, and a sentence made of them in the documents.

`make kernel` counts again and writes both. A test holds the documents against the file, and `make
validate` the file against the recordings.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from krcsim.base.errors import KrcsimError
from krcsim.guest.score import ENOUGH_WAITS, Comparison
from krcsim.model.scenario_file import data_folder

FILE = data_folder() / "kernel-6.1" / "headline.toml"
ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- headline: make kernel -->", "<!-- end of headline -->"
Counts = Mapping[str, Mapping[str, Any]]


def shares(compared: Sequence[Comparison]) -> dict[str, int]:
    """Conditions, those in which somebody waited here or there, and how many of them are inside."""
    some = [c for c in compared if not c.trivial]
    return dict(
        conditions=len(compared),
        waited=len(some),
        p_wait_inside=sum(c.p_wait.inside for c in some),
        blocked_inside=sum(c.blocked.inside for c in some),
    )


def spread(compared: Sequence[Comparison]) -> dict[str, float]:
    """P(wait) of the model over the kernel's, least and most, where waits are enough to compare."""
    ratios = [1.0 + c.p_wait.error for c in compared if c.condition.waits >= ENOUGH_WAITS]
    return dict(
        conditions=len(compared),
        compared=len(ratios),
        least=round(min(ratios), 2),
        most=round(max(ratios), 2),
    )


def counts(
    fitted: Sequence[Comparison],
    confirmed: Sequence[Comparison],
    readers: Sequence[Comparison],
    cpus: Sequence[Comparison],
) -> dict[str, dict[str, Any]]:
    """The numbers of the sentence."""
    return dict(
        fitted=shares(fitted),
        not_fitted=shares(confirmed),
        long_readers=shares(readers),
        several_cpus=spread(cpus),
    )


def sentence(found: Counts) -> str:
    """The headline."""
    new, cpus = found["not_fitted"], found["several_cpus"]
    inside, blocked = (
        100 * new[name] / max(1, new["waited"]) for name in ("p_wait_inside", "blocked_inside")
    )
    return (
        f"Against a kernel (Linux 6.1 in a guest): on one CPU, in {new['p_wait_inside']} of the "
        f"{new['waited']} "
        f"conditions ({inside:.0f} %) to which nothing was fitted and in which a call waited, "
        "P(wait) lies inside the "
        f"model's own 95 % interval ({blocked:.0f} % for the time blocked); on 2 and 4 CPUs in "
        "real time, given the "
        f"grace periods and timers that each run saw, the model's P(wait) is {cpus['least']:.2f} "
        f"to {cpus['most']:.2f} "
        f"times the kernel's in the {cpus['compared']} conditions of {ENOUGH_WAITS} waits or more. "
        "This covers made "
        "failures, HZ=250 and the code of April 2020 with its variants; it does not cover memory "
        "that really runs "
        "out, other HZ, more CPUs, real hardware, or production loads."
    )


def in_short(found: Counts) -> str:
    """The headline of the README."""
    new, cpus = found["not_fitted"], found["several_cpus"]
    inside = 100 * new["p_wait_inside"] / max(1, new["waited"])
    return (
        "Held against a kernel (Linux 6.1 in a guest, one CPU), P(wait) lies inside the model's "
        f"own 95 % interval in {new['p_wait_inside']} of the {new['waited']} conditions "
        f"({inside:.0f} %, where 95 % would be perfect) to which nothing was fitted and in which a "
        "call waited; on 2 and 4 "
        "CPUs, given the grace periods and timers that each run saw, it is "
        f"{cpus['least']:.2f} to {cpus['most']:.2f} times the kernel's in the {cpus['compared']} "
        f"conditions of {ENOUGH_WAITS} waits or more. This does not cover memory that really runs "
        "out, other HZ than 250, more CPUs, real hardware, or production loads."
    )


DOCUMENTS: Mapping[Path, Callable[[Counts], str]] = {
    ROOT / "README.md": in_short,
    ROOT / "docs" / "kernel.md": sentence,
}


def read() -> dict[str, Any]:
    """The numbers as they were counted last."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def headline_of(text: str) -> str:
    """The headline that a document has; raises KrcsimError without one."""
    found = re.search(f"{re.escape(BEGIN)}(.*?){re.escape(END)}", text, re.S)
    if not found:
        raise KrcsimError(
            f"a document has no place for the headline; put {BEGIN} and {END} where it shall stand"
        )
    return found[1]


def write(found: Counts) -> None:
    """Put the numbers into the file, and their sentence into the documents."""
    head = (
        "# SPDX-License-Identifier: GPL-2.0-only\n# Counted by `make kernel`; "
        "validation/headline.py makes a sentence of it.\n"
    )
    FILE.write_text(head + tomli_w.dumps(found), encoding="utf-8")
    for document, said in DOCUMENTS.items():
        text = document.read_text(encoding="utf-8")
        headline_of(text)
        begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
        document.write_text(text[:begin] + said(found) + text[end:], encoding="utf-8")
