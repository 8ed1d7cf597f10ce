# SPDX-License-Identifier: GPL-2.0-only
"""Compiling in one piece: the same answers, kept on disk as numba's own, and only with a release of
numba that it was tested with.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numba
import pytest

from krcsim.runs import linking

SOURCE = """
import math
import sys

import numba

from krcsim.runs import linking

WAY = sys.argv[1]
INNER = dict(pipeline_class=linking.InnerCompiler) if WAY == "piece" else {}
OUTER = dict(pipeline_class=linking.EntryCompiler) if WAY == "piece" else {}
OPTIONS = dict(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@numba.njit(**OPTIONS, **INNER)
def square(x):
    return x * x


@numba.njit(**OPTIONS, **INNER)
def length(x, y):
    total = 0.0
    for part in (x, y):
        total += square(part)
    return math.sqrt(total) + min(x, y) / max(x, y)


@numba.njit(**OPTIONS, **INNER)
def speaks(x):
    print("speaks", x)
    return x


@numba.njit(cache=True, **OUTER)
def entry(x, y):
    return length(x, y) + square(y)


@numba.njit(**OUTER)
def speaking(x):
    return speaks(x)


if __name__ == "__main__":
    print(entry(-3.0, 4.0).hex())
    print(sum(entry.stats.cache_hits.values()))
    if WAY == "piece":
        try:
            speaking(1.0)
        except linking.LinkingError as error:
            print(error)
"""


def run(path: Path, way: str) -> list[str]:
    """What the program above prints."""
    done = subprocess.run(
        [sys.executable, str(path), way], check=True, capture_output=True, text=True
    )
    return done.stdout.splitlines()


@pytest.mark.slow
def test_in_one_piece_as_in_numbas_own_way(tmp_path: Path) -> None:
    path = tmp_path / "lengths.py"
    path.write_text(SOURCE, encoding="utf-8")
    (answer, *_) = run(path, "plain")
    (tmp_path / "__pycache__").rename(tmp_path / "plain")

    refused = "speaks() needs something of Python"
    assert run(path, "piece") == [answer, "0", refused]
    assert run(path, "piece") == [answer, "1", refused]  # loaded from disk


def test_this_release_of_numba_was_tested() -> None:
    assert linking.is_wanted(), (
        f"numba {numba.__version__} is new here: the engine is compiled in numba's own way, which "
        "is slow. If the other tests of this file pass with it, add it to linking.TESTED"
    )


@pytest.mark.parametrize("release", ["0.60.0", "0.69.0rc1", "1.0.0"])
def test_another_release_compiles_in_its_own_way(
    release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba, "__version__", release)
    assert not linking.is_wanted()


def test_whoever_asks_for_it_gets_numbas_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(linking.PLAIN, "1")
    assert not linking.is_wanted()
