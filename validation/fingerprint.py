# SPDX-License-Identifier: GPL-2.0-only
"""What the engine answered, to the bit: counters, histograms, tallies of forks and exact chains of
many worlds.

A change of form must not move a number. `python -m validation.fingerprint` says which worlds moved;
`--write` keeps the new answers, for a change of a rule, and the changelog says what moved.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
import numpy as np

from krcsim.engine.records import COUNTERS
from krcsim.methods import importance, rare, splitting
from krcsim.methods.exact import exact_p_wait
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario, presets
from krcsim.runs.replications import Replications, rare_runs, replicate
from validation.cases import cases
from validation.scenarios import detailed_scenario, random_scenario

KEPT = Path(__file__).with_name("fingerprint.json")
SEED, REPLICATIONS = 20200404, 2
RANDOM = 200  # scenarios, every second of them with what stands beside the plain model
SHORT_MS = dict(
    warmup_ms=200.0, horizon_ms=1000.0
)  # presets are cut to this, so that the test takes seconds
EXACT = (
    "pool of 1",
    "pool of 6",
    "pages, 3 of 8 entries",
    "pool, closed loop",
    "pool in short episodes",
)


@numba.njit  # type: ignore[untyped-decorator]
def _library(x: float) -> float:
    return math.log(x) + math.exp(-x) + math.log1p(-x / 2.0) + math.sqrt(x) + math.pow(x, 0.3)


def machine() -> dict[str, str]:
    """What may move the last bit of a number without any change here."""
    bits = np.array([_library((i + 0.5) / 1000.0) for i in range(1000)])
    packages = {name: version(name) for name in ("numpy", "scipy", "numba")}
    return packages | {
        "arch": platform.machine(),
        "library": hashlib.sha256(bits.tobytes()).hexdigest()[:16],
    }


def print_of(*arrays: Any) -> list[Any]:
    """A digest of the arrays' bytes, and for other machines a sum of each."""
    whole = [np.ascontiguousarray(array) for array in arrays]
    digest = hashlib.sha256(b"".join(array.tobytes() for array in whole)).hexdigest()[:16]
    return [digest, *(float(array.sum()) for array in whole)]


def old_counts(runs: Replications) -> Any:
    """The counters that there were when the fingerprints were kept; later ones stand behind."""
    return runs.counts[:, :, : COUNTERS.index("episode_ms") + 1]


def of_runs(runs: Replications) -> list[Any]:
    """The fingerprint of plain runs."""
    return print_of(old_counts(runs), runs.wait_hist, runs.late_hist)


def worlds() -> Iterator[tuple[str, Scenario]]:
    """The scenarios by name: presets, short, and random ones."""
    for name in presets():
        yield name, changed(load_scenario(name), **SHORT_MS)
    for number in range(RANDOM):
        yield (
            f"random {number}",
            (detailed_scenario if number % 2 else random_scenario)(number, SEED),
        )


def fingerprints() -> Iterator[tuple[str, list[Any]]]:
    """Name and fingerprint of each answer."""
    for number, (name, scenario) in enumerate(worlds()):
        yield name, of_runs(replicate(scenario, SEED, 0, REPLICATIONS))
        if number % 4 == 0:
            yield f"{name}, by episode", of_runs(replicate(scenario, SEED, 0, 1, by_episode=3))
        if number % 8 == 0:
            yield f"{name}, every call", of_runs(replicate(scenario, SEED, 0, 1, every_call=True))
        if number % 2 == 0 and not rare.why_not(scenario):
            runs, tally, _ = rare_runs(scenario, SEED, 0, 1, importance.bias(scenario))
            yield f"{name}, forks", print_of(old_counts(runs), tally)
        if number % 8 == 2 and not rare.why_not(scenario) and scenario.machine.cpus <= 4:
            how, levels = splitting.split(scenario), ((-6.0, 3), (-3.0, 3))
            runs, tally, peaks = rare_runs(scenario, SEED, 0, 1, how, levels, 64)
            yield f"{name}, split", print_of(tally, np.array(peaks))
    small = cases()
    for name in EXACT:
        e = exact_p_wait(small[name], "steady")
        yield f"chain of {name}", print_of(np.array([e.value, e.waits, e.calls]))


def moved(found: dict[str, list[Any]], kept: dict[str, Any]) -> list[str]:
    """Names of answers that differ: in a bit on the machine that kept them, else by more than a
    billionth.
    """
    here, prints = kept["machine"] == machine(), kept["prints"]
    if set(found) != set(prints):
        return sorted(set(found) ^ set(prints))
    if here:
        return [name for name in found if found[name] != prints[name]]
    return [
        name
        for name in found
        if not np.allclose(found[name][1:], prints[name][1:], rtol=1e-9, atol=0.0)
    ]


def main() -> None:
    """Compare with what is kept, or keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep these answers")
    found = dict(fingerprints())
    if parser.parse_args().write:
        rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in found.items())
        KEPT.write_text(f'{{"machine": {json.dumps(machine())},\n"prints": {{\n{rows}\n}}}}\n')
    changed_names = moved(found, json.loads(KEPT.read_text()))
    print(f"{len(found)} answers, {len(changed_names)} moved", *changed_names, sep="\n")


if __name__ == "__main__":
    main()
