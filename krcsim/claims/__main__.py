# SPDX-License-Identifier: GPL-2.0-only
"""Computes claims and published figures, and writes their numbers and their pages:
python -m krcsim.claims [Q7 N6 ...].

Without a number all that can be computed are. What is there for the others is kept.
"""

import sys
from pathlib import Path

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_whole
from krcsim.claims.answers import answered
from krcsim.claims.claim import Claim, read_claims
from krcsim.claims.kept import Answers, file_of_figures, file_of_numbers, read_kept, write_kept
from krcsim.claims.page import page_of
from krcsim.claims.published import PublishedFigure, figure_named, read_figures
from krcsim.claims.published_page import page_of_figures
from krcsim.model.scenario_file import data_folder


def main(numbers: list[str]) -> int:
    """Compute these claims and figures, or all; returns the exit status."""
    figures = [number for number in numbers if number.upper().startswith("N")]
    claims = [number for number in numbers if number not in figures]
    try:
        written = []
        if claims or not numbers:
            written += compute_claims(claims)
        if figures or not numbers:
            written += compute_figures(figures)
    except KrcsimError as exc:
        print(f"krcsim: {exc}", file=sys.stderr)
        return 2
    print(", ".join(map(str, written)))
    return 0


def compute_claims(numbers: list[str]) -> list[Path]:
    """Compute these claims, or all; returns what was written."""
    table = read_claims()
    chosen = [table.named(number) for number in numbers] or list(table.claims)
    kept = _computed(chosen, list(table.claims), file_of_numbers())
    page = page_of(table, kept)
    path = write_whole(docs_folder() / "claims.md", page.encode(), overwrite=True)
    return [file_of_numbers(), path]


def compute_figures(numbers: list[str]) -> list[Path]:
    """Compute what stands beside these published figures, or all; returns what was written."""
    figures = read_figures()
    chosen: list[PublishedFigure] = [figure_named(number) for number in numbers] or list(figures)
    everything = [figure.as_claim() for figure in figures]
    kept = _computed([figure.as_claim() for figure in chosen], everything, file_of_figures())
    page = page_of_figures(figures, kept)
    path = write_whole(docs_folder() / "published-figures.md", page.encode(), overwrite=True)
    return [file_of_figures(), path]


def _computed(chosen: list[Claim], everything: list[Claim], path: Path) -> Answers:
    """The answers in a file, with those of the chosen ones made anew and written."""
    found = dict(read_kept(path)) if path.exists() else {}
    for claim in chosen:
        if claim.questions:
            found[claim.number] = answered(claim, lambda text: print(text, file=sys.stderr))
            order = [one.number for one in everything if one.number in found]
            write_kept({number: found[number] for number in order}, path)
    read_kept.cache_clear()
    return read_kept(path)


def docs_folder() -> Path:
    """The documents of a checkout."""
    return data_folder().parent / "docs"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
