# SPDX-License-Identifier: GPL-2.0-only
"""Whose answer a picture shows: the remedy and the load, in a line or two."""

from krcsim.model.remedy_words import described
from krcsim.model.scenario import Scenario


def setting_in_words(scenario: Scenario, remark: str = "") -> str:
    """The remedy, the CPUs, their load and the pressure; `remark` says what is drawn instead."""
    setting = f"your setting{' ' * bool(remark)}{remark}: {described(scenario.remedy)}"
    return f"{setting}; {load_in_words(scenario)}"


def load_in_words(scenario: Scenario) -> str:
    """The same without the remedy: the CPUs, their load and the pressure."""
    parts = [_load(scenario)]
    allocator = scenario.allocator
    if allocator.episodes == "exponential":
        cycle_ms = allocator.episode_ms + allocator.calm_ms
        parts.append(f"pressure for {allocator.episode_ms:,g} ms in {cycle_ms:,g} ms on average")
    elif allocator.episodes == "none":
        parts.append("no episodes of pressure")
    return "; ".join(parts)


def _load(scenario: Scenario) -> str:
    """The CPUs and how many calls each makes."""
    cpus = scenario.machine.cpus
    rate = f"{scenario.workload.rate_hz:,g} calls/s"
    return f"{cpus:,} CPUs, {rate} on each" if cpus > 1 else f"1 CPU, {rate}"
