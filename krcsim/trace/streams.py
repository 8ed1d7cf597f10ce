# SPDX-License-Identifier: GPL-2.0-only
"""Random streams of draws: one seed, of which each decision has a child of its own."""

import zlib

import numpy as np

# The number of a stream among the children of a seed. A new one takes a number that no other has.
_NUMBERS = {"blocks": 0, "lengths": 1, "ties": 2, "within": 3, "sizes": 4, "pieces": 5}


def stream(seed: int, name: str, number: int, field: str = "") -> np.random.Generator:
    """The random numbers of a decision, of a draw, and of a field of the scenario: the same
    whatever else is drawn, in whatever order.
    """
    of_field = (zlib.crc32(field.encode()),) if field else ()
    return np.random.default_rng(
        np.random.SeedSequence(seed, spawn_key=(_NUMBERS[name], number, *of_field))
    )
