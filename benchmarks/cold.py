# SPDX-License-Identifier: GPL-2.0-only
"""How soon the first answer is there on a fresh checkout, against another checkout.

    python -m benchmarks.cold OTHER_CHECKOUT [--rounds 3]

Runs `krcsim compare thread-as-posted --max-rung 0` in turns, here and there, first with an empty
cache and then with what that left. Prints CPU times, children included, and their ratio.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parents[1]
QUESTION = ("compare", "thread-as-posted", "--max-rung", "0", "--quiet")


def answer(checkout: Path, cache: str) -> tuple[float, str]:
    """CPU seconds of the question in a checkout, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "krcsim", *QUESTION],
        cwd=checkout,
        env=os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": str(checkout)},
        check=True,
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stdout


def main(argv: list[str]) -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(prog="python -m benchmarks.cold")
    ask.add_argument("other", type=Path, help="a checkout to compare with")
    ask.add_argument("--rounds", type=int, default=3)
    given = ask.parse_args(argv)

    ratios: dict[str, list[float]] = {"empty cache": [], "kept code": []}
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as mine, tempfile.TemporaryDirectory() as other:
            for what, found in ratios.items():
                here, answered = answer(HERE, mine)
                there, answered_there = answer(given.other.resolve(), other)
                found.append(here / there)
                same = "the same answer" if answered == answered_there else "ANOTHER ANSWER"
                print(f"{what}: {here:.1f} CPU-s here, {there:.1f} there; {same}", flush=True)

    for what, found in ratios.items():
        median = statistics.median(found)
        print(f"{what}: {median:.3f} of the other, or 1/{1 / median:.1f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
