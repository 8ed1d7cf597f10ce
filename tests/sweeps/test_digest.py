# SPDX-License-Identifier: GPL-2.0-only
"""A half-done sweep is stopped by another rule, and not by another docstring."""

import pytest

from krcsim.sweeps.digest import code_of

BEFORE = '''"""A module."""

def wait(x: float) -> float:
    """Wait."""
    return x + 1.0  # a tick


class Kept:
    """What is kept."""

    ticks: int = 1
'''


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('"""A module."""', '"""Another text,\nof two lines."""'),
        ('"""A module."""\n', ""),
        ('    """Wait."""\n', ""),
        ('"""What is kept."""', '"""What stays."""'),
        ("# a tick", "# one tick"),
        ("    return x + 1.0", "\n    return (\n        x + 1.0\n    )"),
    ],
)
def test_words_and_form_may_change(was: str, now: str) -> None:
    assert was in BEFORE
    assert code_of(BEFORE) == code_of(BEFORE.replace(was, now))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("1.0", "2.0"),
        ("x + 1.0", "x - 1.0"),
        ("ticks: int = 1", "ticks: int = True"),
        ("def wait", "def waits"),
        ("x + 1.0", '"x + 1.0"'),
        ("ticks: int = 1", 'ticks: int = 1\n    """a text that is no docstring"""'),
    ],
)
def test_what_is_computed_may_not(was: str, now: str) -> None:
    assert was in BEFORE
    assert code_of(BEFORE) != code_of(BEFORE.replace(was, now))
