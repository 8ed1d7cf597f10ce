# SPDX-License-Identifier: GPL-2.0-only
"""What the model predicts for a kernel, where the table of remedies has a row for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from krcsim.base.errors import KrcsimError
from krcsim.guest.mainline.series import Series
from krcsim.guest.score import GROUPS, INSIDE, SEED
from krcsim.model.remedy import REMEDIES
from krcsim.model.scenario import Scenario, changed

REPLICATIONS = 200


@dataclass(frozen=True)
class Predicted:
    """A value of the model, and where as many runs as were measured lie with 95 %."""

    value: float
    low: float
    high: float


def why_not(wanted: Sequence[Series]) -> str:
    """Why there is no prediction for some of these series, in a sentence; "" where there is none
    such.
    """
    without = [series.name for series in wanted if series.row not in REMEDIES]
    if not without:
        return ""
    names = " and ".join([", ".join(without[:-1]), without[-1]] if without[1:] else without)
    return (
        f"The model's table of remedies has no row for Linux {names} yet, so nothing is predicted "
        f"for {'them' if without[1:] else 'it'}."
    )


def predictions(series: Series, scenario: Scenario, cpus: int, runs: int) -> dict[str, Predicted]:
    """P(wait) of single-argument calls and the share of time blocked, for groups of `runs` runs.

    Empty where there is no row for the series.
    """
    if series.row not in REMEDIES:
        return {}

    from krcsim.runs.replications import replicate

    here = {"remedy": REMEDIES[series.row], "machine.cpus": cpus, "warmup_ms": 0}
    try:
        world = changed(scenario, **here)
    except KrcsimError as exc:
        raise KrcsimError(f"the row {series.row} does not fit this scenario: {exc}") from None
    simulated = replicate(world, SEED, 0, REPLICATIONS)
    single, waits, wait_ms = (simulated.of(name, 1) for name in ("single", "waits", "wait_ms"))

    pick = np.random.default_rng(SEED).integers(REPLICATIONS, size=(GROUPS, runs))
    time_ms = scenario.horizon_ms * cpus * world.workload.producers
    found = {
        "p_wait": (
            float(waits.sum() / max(1.0, single.sum())),
            waits[pick].sum(1) / np.maximum(1.0, single[pick].sum(1)),
        ),
        "blocked": (float(wait_ms.mean()) / time_ms, wait_ms[pick].mean(1) / time_ms),
    }
    ends = [(1 - INSIDE) / 2, (1 + INSIDE) / 2]
    return {
        name: Predicted(value, *map(float, np.quantile(groups, ends)))
        for name, (value, groups) in found.items()
    }
