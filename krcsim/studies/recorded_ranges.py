# SPDX-License-Identifier: GPL-2.0-only
"""Over which ranges the inputs of a recorded machine are uncertain: what the recording does not
know, and what it cannot say.
"""

import numpy as np

from krcsim.model.joint import Joint
from krcsim.studies.inputs import INPUTS, Ends, default_ranges

GIVEN, RECORDED, ASSUMED = "given", "recorded", "assumed"

# The field without which an input is an assumption. What is not here is known, or is a decision
# (a pool); that an rcu_head fails no recording shows.
_SAID_BY = {
    "rate_hz": "workload.rate_hz",
    "burstiness": "workload.arrivals",
    "episode_ms": "allocator.episode_ms",
    "calm_ms": "allocator.calm_ms",
    "page": "allocator.episode.page",
    "grace_ms": "grace_period.lengths_ms",
}
NEVER_RECORDED = ("head",)


def recorded_ranges(joint: Joint) -> tuple[dict[str, Ends], dict[str, str]]:
    """The range of each uncertain input, and whether it is "recorded" (95 % of the draws) or
    "assumed" (from half to twice).
    """
    usual = default_ranges(joint.scenario)
    ranges: dict[str, Ends] = {}
    origins: dict[str, str] = {}
    for name, known in INPUTS.items():
        drawn = [known.get(draw) for draw in joint.draws]
        values = np.array([value for value in drawn if value is not None], dtype=float)
        by_lengths = name == "grace_ms" and joint.scenario.grace_period.lengths_ms
        if len(values) == len(drawn) and np.ptp(values) > 0.0 and not by_lengths:
            low, high = np.quantile(values, (0.025, 0.975))
            ranges[name] = (float(low), float(high))
            origins[name] = RECORDED
        elif name in usual and (name in NEVER_RECORDED or _SAID_BY.get(name) in joint.assumed):
            ranges[name] = usual[name]
            origins[name] = ASSUMED
    return ranges, origins
