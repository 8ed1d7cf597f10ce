# SPDX-License-Identifier: GPL-2.0-only
"""What tests/ and validation/ share: Hypothesis without chance, no silent skips, a warm engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import schedule

# The same examples in every run: a failure in CI is a failure at home. No deadline, because the
# first call of the engine compiles it. `make test` takes the profile `quick`; `make validate` asks
# for ten times as many examples with `--hypothesis-profile full`.
for _profile, _examples in (("quick", 10), ("full", 100)):
    settings.register_profile(
        _profile,
        max_examples=_examples,
        derandomize=True,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )

settings.load_profile("quick")

NO_SKIP = bool(os.environ.get("KRCSIM_NO_SKIP"))


def _no_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that says why; an expected failure is no skip."""
    if NO_SKIP and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"KRCSIM_NO_SKIP is set, so nothing may be skipped: {reason}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return schedule.scheduler(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several processes
        items[:] = schedule.in_order(items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport():
    report = yield
    _no_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report():
    report = yield
    _no_skip(report)
    return report


@pytest.fixture(scope="session")
def warm_engine() -> None:
    """All versions of the engine compiled or loaded; for tests that measure time, or what is
    written to standard error.
    """
    from krcsim.runs import engines

    for version in engines.VERSIONS:
        engines.engine(version)


@pytest.fixture(scope="session", autouse=True)
def _compiling_in_silence() -> Iterator[None]:
    """What is written to standard error is the same with and without kept code."""
    from krcsim.runs.waiting import announced_to

    with announced_to(None):
        yield
