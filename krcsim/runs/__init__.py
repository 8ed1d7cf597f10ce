# SPDX-License-Identifier: GPL-2.0-only
"""From a scenario to replications: parameters in ticks, arrays, threads, the ladder of runs."""
