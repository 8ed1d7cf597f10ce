# SPDX-License-Identifier: GPL-2.0-only
"""The model against a running kernel: every recorded one-CPU condition with injected failures, scored.

    python -m validation.kernel_runs [--out FOLDER] [--replications N]

What the recordings are is said in data/kernel-runs/README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from krcsim.values import KrcsimError
from krcsim_kernel.picture import draw
from krcsim_kernel.recorded import read_conditions
from krcsim_kernel.score import REPLICATIONS, compare_all, misses, table

SETS = ("main", "pool")


def main(argv: Iterable[str] | None = None) -> int:
    """Compare, print the tables, draw the picture; 0 unless the recordings cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m validation.kernel_runs", description=__doc__)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="draw kernel_runs.png there")
    parser.add_argument(
        "--replications", type=int, default=REPLICATIONS, metavar="N",
        help=f"of each condition (default {REPLICATIONS})",
    )  # fmt: skip
    options = parser.parse_args(None if argv is None else list(argv))
    if options.replications < 1:
        parser.error(f"--replications is {options.replications}; allowed: 1 or more")
    try:
        conditions = [c for name in SETS for c in read_conditions(name)]
    except KrcsimError as exc:
        print(exc, file=sys.stderr)
        return 1
    comparisons = compare_all(conditions, options.replications)
    print("Agreement on P(wait) / on the blocked fraction; data/kernel-runs/README.md has the rules.")
    print(table(comparisons))
    print("\nFamilies with misses: P(wait) / blocked, of so many non-trivial; the worst of each.")
    print(misses(comparisons))
    if options.out:
        draw(comparisons, options.out / "kernel_runs.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
