# SPDX-License-Identifier: GPL-2.0-only
"""Which cases of a test `make test` runs; `make validate` runs all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

SLOW = pytest.mark.slow


def mostly_slow(cases: Iterable[Any], *quick: Any) -> list[Any]:
    """The cases of a parametrised test, of which all but `quick` are marked slow.

    Raises ValueError where one of `quick` is no case, so that a case that was renamed is noticed.
    """
    every = list(cases)
    if unknown := [case for case in quick if case not in every]:
        raise ValueError(f"no such cases: {unknown}")

    return [case if case in quick else pytest.param(case, marks=SLOW) for case in every]
