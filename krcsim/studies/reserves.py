# SPDX-License-Identifier: GPL-2.0-only
"""Reserves of any size on the remedy of a scenario: objects of a pool and preallocated pages."""

from dataclasses import replace

from krcsim.model.remedy import Remedy, named
from krcsim.model.scenario import Scenario

AT_BOOT = ("own", "empty", "full")
MOST = {"pool": 4096, "pages": 512}  # objects and pages per CPU, the largest that are tried
Key = tuple[int, int]  # objects, pages


def reserve(own: Remedy, objects: int, pages: int, at_boot: str = "own") -> tuple[str, Remedy]:
    """The name and the remedy of a reserve on the scenario's own one; without pages the plain
    code's cache is kept.

    at_boot: empty, full, or own: a pool is then full if the remedy's own is, and pages are
    preallocated unless the remedy has a shared list of its own that boots empty.
    """
    full = own.emergency_at_boot > 0 if at_boot == "own" else at_boot == "full"
    boots_empty = own.cache_shared and own.nr_bkv_objs > own.cache_at_boot == 0
    empty = boots_empty if at_boot == "own" else at_boot == "empty"

    pool, cache = f"B{objects}{'f' * full}-own", f"D{pages}{'e' * empty}-own"
    if not pages:
        return pool, named(pool, own)
    if not objects:
        return cache, named(cache, own)

    both = replace(
        named(cache, own), nr_emergency_objs=objects, emergency_at_boot=objects if full else 0
    )
    return f"{pool.removesuffix('-own')}+{cache}", both


def with_reserve(scenario: Scenario, objects: int, pages: int, at_boot: str = "own") -> Scenario:
    """The scenario with such a reserve on its own remedy."""
    return replace(scenario, remedy=reserve(scenario.remedy, objects, pages, at_boot)[1])
