# SPDX-License-Identifier: GPL-2.0-only
"""Computes claims and writes their numbers and docs/claims.md: python -m krcsim.claims [Q7 ...].

Without a number all claims that can be computed are. What is there for the others is kept.
"""

import sys
from pathlib import Path

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_whole
from krcsim.claims.answers import answered
from krcsim.claims.claim import read_claims
from krcsim.claims.kept import file_of_numbers, read_kept, write_kept
from krcsim.claims.page import page_of
from krcsim.model.scenario_file import data_folder


def main(numbers: list[str]) -> int:
    """Compute these claims, or all; returns the exit status."""
    try:
        table = read_claims()
        chosen = [table.named(number) for number in numbers] or list(table.claims)
        before = read_kept() if file_of_numbers().exists() else {}
        found = dict(before)
        for claim in chosen:
            if claim.questions:
                found[claim.number] = answered(claim, lambda text: print(text, file=sys.stderr))
        order = [claim.number for claim in table.claims]
        write_kept({number: found[number] for number in order if number in found})
        read_kept.cache_clear()
        page = page_of(table, read_kept())
        path = write_whole(docs_folder() / "claims.md", page.encode(), overwrite=True)
    except KrcsimError as exc:
        print(f"krcsim: {exc}", file=sys.stderr)
        return 2
    print(f"{file_of_numbers()}, {path}")
    return 0


def docs_folder() -> Path:
    """The documents of a checkout."""
    return data_folder().parent / "docs"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
