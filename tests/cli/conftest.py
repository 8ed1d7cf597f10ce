# SPDX-License-Identifier: GPL-2.0-only
"""Commands find the engine compiled here, because what they write to standard error is compared."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _compiled(warm_engine: None) -> None:
    """Compile before the first command, in this process."""
