# SPDX-License-Identifier: GPL-2.0-only
"""Compiles the engine ahead of its first use: python -m krcsim.runs.compile [VERSION ...]."""

import os
import sys

from krcsim.runs import engines


def main(names: list[str]) -> None:
    """Compile these versions of the engine, or all, one after another, behind other work."""
    if hasattr(os, "nice"):
        os.nice(5)
    for version in engines.VERSIONS:
        if version.name in names or not names:
            engines.engine(version)


if __name__ == "__main__":
    main(sys.argv[1:])
