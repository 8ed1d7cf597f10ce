# SPDX-License-Identifier: GPL-2.0-only
"""What tests/ and validation/ share: Hypothesis without chance, no silent skips, a warm engine."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

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
    """The engine compiled or loaded; for tests that measure time."""
    from krcsim.runs.replications import warm_up

    warm_up()
