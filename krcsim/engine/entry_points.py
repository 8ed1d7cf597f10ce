# SPDX-License-Identifier: GPL-2.0-only
"""The compiled functions that are called from Python."""

from typing import Any

import numba

from krcsim.engine.event_loop import simulate
from krcsim.engine.splitting import simulate_with_copies


def compiled(sources: int) -> Any:
    """The entry point, cached on disk; numba's cache key holds `sources`, a digest, but not the
    functions called.
    """

    @numba.njit(nogil=True, error_model="numpy", cache=True)  # type: ignore[untyped-decorator]
    def run(worlds: Any) -> Any:
        if len(worlds) > 1:
            simulate_with_copies(worlds)
        else:
            simulate(worlds[0])
        return sources

    return run
