# SPDX-License-Identifier: GPL-2.0-only
"""The functions that are called from Python; krcsim/runs/engines.py compiles them, with all that
they call.
"""

from typing import Any

from krcsim.engine.event_loop import simulate
from krcsim.engine.splitting import simulate_with_copies

DIGEST = 0  # of what was compiled: it is set before


def run(worlds: Any) -> int:
    """One replication of worlds[0], if there is one; returns the digest of what was compiled."""
    if len(worlds) > 0:
        simulate(worlds[0])
    return DIGEST


def run_with_copies(worlds: Any) -> int:
    """As run(), with importance sampling and splitting; worlds[1] and beyond are for copies."""
    if len(worlds) > 0:
        simulate_with_copies(worlds)
    return DIGEST
