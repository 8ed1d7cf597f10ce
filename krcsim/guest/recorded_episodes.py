# SPDX-License-Identifier: GPL-2.0-only
"""The episodes of pressure of a recorded run, drawn again as the harness drew them.

The harness has a stream of random numbers for them (krcsim/guest/module/draws.h). All is done in
integers, since the kernel has no floating point: the same nanosecond comes out.
"""

import math

from krcsim.guest.recordings import Condition
from krcsim.model.allocator import Episodes

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15  # the step of splitmix64
_SCHEDULE_STREAM = 77  # `what` of the harness's stream for the episodes of pressure; `who` is 0


def mix64(z: int) -> int:
    """The finaliser of splitmix64."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


def exponential_ns(bits: int, mean_ns: int) -> int:
    """The harness's exponential number from 64 random bits: -mean ln(u), u = bits / 2**64.

    log2 has 16 binary digits after the point, found by squaring.
    """
    bits |= 1
    zeros = 64 - bits.bit_length()
    mantissa = (bits << zeros & _MASK) >> 32

    fraction = 0
    for digit in range(15, -1, -1):
        mantissa = mantissa * mantissa >> 31
        if mantissa >> 32:
            mantissa >>= 1
            fraction |= 1 << digit

    log2 = ((zeros + 1) << 16) - fraction
    return (log2 * 45426 >> 16) * mean_ns >> 16  # 45426 / 65536 is ln 2


def episodes(condition: Condition, seed: int) -> Episodes:
    """The measured episodes of one seed: (start, end) in ms, the last end may be inf."""
    given = condition.given
    if given["on_ms"] == 0:
        return ((given["onset_ms"], math.inf),)

    on_ns, off_ns, end_ns = (round(1e6 * given[name]) for name in ("on_ms", "off_ms", "dur_ms"))
    now_ns = round(1e6 * given["onset_ms"])
    state = mix64(mix64(seed) ^ _SCHEDULE_STREAM)

    found = []
    while now_ns < end_ns:
        lengths_ns = [on_ns, off_ns]
        if given["epi_exp"]:
            for index, mean_ns in enumerate((on_ns, off_ns)):
                state = state + _GOLDEN & _MASK
                lengths_ns[index] = exponential_ns(mix64(state), mean_ns)

        found.append((1e-6 * now_ns, 1e-6 * (now_ns + lengths_ns[0])))
        now_ns += sum(lengths_ns)
    return tuple(found)
