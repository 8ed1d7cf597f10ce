# SPDX-License-Identifier: GPL-2.0-only
"""The calls of a recording as arrays that the engine reads (R100 to R102 of docs/model.md)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from krcsim.engine.record_form import RecordedCell
from krcsim.model.constants import ticks
from krcsim.model.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Arrays:
    """Times of all calls, CPU by CPU, in ticks, exact or room for those that are drawn; cells with
    calls, none where times are exact; and by name fields of each CPU's record.
    """

    times: NDArray[np.float64]
    cells: NDArray[Any]
    of_cpu: dict[str, NDArray[np.int64]]


def recorded_calls(scenario: Scenario) -> Arrays:
    """The arrays of a scenario; what cannot come before its horizon is left out."""
    calls = scenario.workload.calls
    if calls is None:
        return Arrays(np.zeros(1), np.zeros(1, RecordedCell.dtype), {})

    scale = ticks(1.0, scenario.machine.hz)
    # Each turn is the whole recording.
    end_ms = np.inf if calls.repeat else scenario.horizon_ms
    times: list[NDArray[np.float64]] = []
    cells: list[NDArray[Any]] = []
    for cpu in range(len(calls.cpus)):
        if calls.cell_ms:
            begins, ends, counts = calls.cells(cpu)
            kept = int(np.searchsorted(begins, end_ms))
            begins, ends, counts = begins[:kept], ends[:kept], counts[:kept]
            of_cpu = np.zeros(kept, RecordedCell.dtype)
            of_cpu["begins_at"], of_cpu["ends_at"] = begins * scale, ends * scale
            of_cpu["calls"] = counts
            times.append(np.zeros(int(counts.sum())))
        else:
            exact = calls.times_ms(cpu)
            of_cpu = np.zeros(0, RecordedCell.dtype)
            times.append(exact[exact < end_ms] * scale)
        cells.append(of_cpu)

    sizes = {"call": [len(one) for one in times], "cell": [len(one) for one in cells]}
    return Arrays(
        np.concatenate([*times, np.zeros(1)]),  # one more, so that no array is empty
        np.concatenate([*cells, np.zeros(1, RecordedCell.dtype)]),
        {
            **{f"first_{kind}": np.cumsum([0, *many[:-1]]) for kind, many in sizes.items()},
            **{f"recorded_{kind}s": np.array(many) for kind, many in sizes.items()},
        },
    )
