# SPDX-License-Identifier: GPL-2.0-only
"""Are the sizes that a search finds right? Asked again with ten times the replications.

Their random draws are others. `python -m validation.sizes` prints the table; `--seeds N` asks each
scenario of known answer N times instead.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

from krcsim.methods.exact import exact_p_wait
from krcsim.methods.finding import Finding
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import load_scenario
from krcsim.results.estimate import Estimate
from krcsim.results.result import words
from krcsim.runs.ladder import MOST_RUNS
from krcsim.runs.replications import warm_up
from krcsim.studies.ask import asking
from krcsim.studies.reserves import with_reserve
from krcsim.studies.size import size
from krcsim.studies.size_words import size_sentence
from krcsim.studies.sized import Sized, Tried, size_of
from validation.cases import episodes, pool

OTHER_SEED = 11
TIMES = 10
# preset, what is to be small, target, what the reserve holds at boot
ASKED = (
    ("exhausted-guest", "pages", 1e-6, "own"),
    ("phone", "pool", 1e-6, "full"),
    ("server-128", "pool", 1e-6, "full"),
    ("small-world", "pool", 1e-6, "full"),
    ("thread-as-discussed", "pool", 1e-6, "full"),
    ("thread-as-posted", "pool", 1e-6, "full"),
    ("exhausted-guest", "pool", 1e-4, "own"),
    ("thread-as-posted", "pool", 2e-4, "own"),
)


@dataclass(frozen=True)
class Checked:
    """A search, and what longer runs say of the size it found and of the one below."""

    preset: str
    found: Sized
    cpu_s: float
    passes: Estimate
    fails: Estimate | None
    undecided: dict[int, Estimate]  # by size: neither shown to pass nor shown to fail


def longer(found: Sized, t: Tried) -> Estimate:
    """The size once more, by other random draws.

    The replications are at least ten times those of the run that decided.
    """
    s = with_reserve(found.scenario, t.objects, t.pages, found.at_boot)
    wanted = TIMES * t.finding.replications
    last: Finding | None = None
    for last in asking(
        s, found.quantity, window=found.window, seed=OTHER_SEED, precision=1e-6, max_runs=MOST_RUNS
    ):
        if last.replications >= wanted:
            break
    assert last is not None
    return last.estimate


def checked() -> list[Checked]:
    """All searches, and their longer runs."""
    warm_up()
    rows = []
    for preset, of, target, at_boot in ASKED:
        begun = time.process_time()
        found = size(preset, target, of=of, at_boot=at_boot)
        took = time.process_time() - begun
        assert found.smallest is not None, size_sentence(found)
        below = longer(found, found.largest) if found.largest else None
        undecided = {size_of(of, t): longer(found, t) for t in left_open(found)}
        rows.append(Checked(preset, found, took, longer(found, found.smallest), below, undecided))
    return rows


def left_open(found: Sized) -> list[Tried]:
    """The sizes between the largest that was shown to fail and the smallest that passes."""
    assert found.smallest is not None
    passes = size_of(found.of, found.smallest)
    fails = size_of(found.of, found.largest) if found.largest else -1
    between = [t for t in found.tried if fails < size_of(found.of, t) < passes]
    assert len(between) == passes - fails - 1, "a size in between was never looked at"
    return between


def table(rows: list[Checked]) -> str:
    """A row a search: what was asked, what was found, and what longer runs say."""
    lines = [
        f"{'asked':<52} {'found':<10} {'CPU-s':>5}  {'longer: found':<28} {'longer: one less':<28}"
    ]
    for row in rows:
        f = row.found
        below = "not decided" if row.fails is None else words(row.fails)
        lines.append(
            f"{row.preset + ', ' + f.of + ', ' + f.goal:<52} "
            f"{f.smallest.name if f.smallest else '':<10} "
            f"{row.cpu_s:>5.1f}  {words(row.passes):<28} {below:<28}"
        )
    return "\n".join(lines)


# Scenarios whose pools of any size the exact chain follows, asked as if it did not, and their
# targets.
KNOWN: dict[str, tuple[Scenario, float]] = {
    "small-world": (load_scenario("small-world"), 1e-6),
    "heads seldom fail": (pool(0, 250, 0.02), 1e-5),
    "half of the pages": (pool(0, 250, 0.05, 0.5), 1e-5),
    "in episodes": (pool(0, 250, 0.0, **episodes(50.0, 500.0, 0.9, 0.05), horizon_ms=2000.0), 1e-5),
}
LITTLE = 3e6  # events of a search


def is_right(found: Sized, truth: dict[int, float]) -> bool:
    """Whether the size said to pass passes, and the one said to fail fails.

    A range that is left open is right as well.
    """
    passes = found.smallest is None or truth[found.smallest.objects] < found.target
    return passes and (found.largest is None or truth[found.largest.objects] >= found.target)


def searched(seeds: int) -> str:
    """How many searches were right, and how many found a size and the next smaller.

    They are done by importance sampling, not by the exact chain.
    """
    lines = [f"{'scenario':<24} {'target':>8} {'right':>8} {'sharp':>8} {'open':>6}"]
    for name, (s, target) in KNOWN.items():
        truth: dict[int, float] = {}
        right = sharp = left = 0
        for seed in range(seeds):
            found = size(
                s, target, at_boot="full", seed=seed, budget=LITTLE, method="rare", most=16
            )
            for t in (found.smallest, found.largest):
                if t and t.objects not in truth:
                    truth[t.objects] = exact_p_wait(
                        with_reserve(s, t.objects, 0, "full"), found.window
                    ).value
            right, sharp, left = (
                right + is_right(found, truth),
                sharp + found.sharp,
                left + (found.smallest is None),
            )
        lines.append(
            f"{name:<24} {target:>8g} {right:>4} of {seeds} {sharp:>4} of {seeds} {left:>6}"
        )
        sys.stderr.write(lines[-1] + "\n")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    """Print one of the two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seeds", type=int, default=0, help="ask each scenario of known answer so many times"
    )
    args = parser.parse_args(argv)
    sys.stdout.write((searched(args.seeds) if args.seeds else table(checked())) + "\n")


if __name__ == "__main__":
    main()
