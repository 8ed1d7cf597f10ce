# SPDX-License-Identifier: GPL-2.0-only
"""The pieces of a rate that changes as an array that the engine reads (R107 of docs/model.md)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from krcsim.engine.record_form import RatePiece
from krcsim.model.constants import ticks
from krcsim.model.scenario import Scenario


def rate_pieces(scenario: Scenario) -> NDArray[Any]:
    """The pieces in their order; one without meaning where the rate is the same always."""
    hz = scenario.machine.hz
    factors = scenario.workload.rate_factors() or ((0.0, 1.0),)
    pieces = np.zeros(len(factors), RatePiece.dtype)
    pieces["begins_at"] = [ticks(start, hz) for start, _ in factors]
    pieces["factor"] = [factor for _, factor in factors]
    loads = np.diff(pieces["begins_at"]) * pieces["factor"][:-1]
    pieces["load_before"] = np.concatenate([[0.0], np.cumsum(loads)])
    return pieces
