# SPDX-License-Identifier: GPL-2.0-only
"""Counts under the name of this room; they are made where a Result can show them."""

from krcsim.results.counts import bounded as bounded
from krcsim.results.counts import count as count
from krcsim.results.counts import estimated as estimated
from krcsim.results.counts import share as share
from krcsim.results.counts import span as span
from krcsim.results.counts import times as times
