# SPDX-License-Identifier: GPL-2.0-only
"""Random numbers inside compiled code: xoshiro256++ streams (Blackman and Vigna) and the few
distributions that the model needs.
"""

import math

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from krcsim.engine.records import Stream

INF = np.inf
UNLIMITED = 1 << 40
LAYERS = 128  # of the ziggurat
FACTORIALS = 1024  # in the table
INVERSION_BELOW = 10.0  # of this mean on, rejection is faster


def ziggurat() -> NDArray[np.float64]:
    """Edges of the layers of equal area under exp(-x * x / 2), the outermost first; that one holds
    the tail.
    """
    edge = 3.442619855899
    area = 9.91256303526217e-3
    edges = [area / math.exp(-0.5 * edge * edge), edge]

    while len(edges) < LAYERS:
        edges.append(math.sqrt(-2.0 * math.log(area / edges[-1] + math.exp(-0.5 * edges[-1] ** 2))))

    return np.array([*edges, 0.0])


EDGE = ziggurat()
LOG_FACTORIAL = np.array([math.lgamma(k + 1.0) for k in range(FACTORIALS)])


def next64(stream: Stream) -> int:
    """The next 64 random bits of a stream."""
    a = stream.a
    b = stream.b
    total = stream.a + stream.d
    c = stream.c ^ a
    d = stream.d ^ b

    stream.a = a ^ d
    stream.b = b ^ c
    stream.c = c ^ (b << uint64(17))
    stream.d = (d << uint64(45)) | (d >> uint64(19))

    bits: int = ((total << uint64(23)) | (total >> uint64(41))) + a
    return bits


def renew_stream(stream: Stream, source: Stream) -> None:
    """A new state for a stream, out of another."""
    stream.a = next64(source)
    stream.b = next64(source)
    stream.c = next64(source)
    stream.d = next64(source)


def uniform(stream: Stream) -> float:
    """Uniform in (0, 1), both ends excluded."""
    return float((np.float64(next64(stream) >> uint64(11)) + 0.5) * 1.1102230246251565e-16)


def chance(stream: Stream, probability: float) -> bool:
    """True with this probability; draws nothing if that is certain."""
    return probability >= 1.0 or (probability > 0.0 and uniform(stream) < probability)


def exponential(stream: Stream) -> float:
    """Exponential with mean 1."""
    return -math.log(uniform(stream))


def normal(stream: Stream) -> float:
    """Standard normal: the ziggurat of Marsaglia and Tsang 2000, other bits for the layer than for
    the point in it.
    """
    while True:
        bits = next64(stream)
        layer = bits & uint64(127)
        point = np.float64(np.int64(bits) >> 10) * 2.0**-53
        x: float = point * EDGE[layer]

        if abs(x) < EDGE[layer + uint64(1)]:
            return x

        if layer == 0:  # the tail
            while True:
                x = exponential(stream) / EDGE[1]
                if 2.0 * exponential(stream) > x * x:
                    return math.copysign(EDGE[1] + x, point)

        inner = math.exp(-0.5 * EDGE[layer + uint64(1)] ** 2)
        outer = math.exp(-0.5 * EDGE[layer] ** 2)
        if outer + uniform(stream) * (inner - outer) < math.exp(-0.5 * x * x):
            return x


def gamma(stream: Stream, shape: int) -> float:
    """Gamma with a whole shape >= 1 and scale 1, the time of the shape-th call at rate 1: Marsaglia
    and Tsang 2000.
    """
    if shape == 1:
        return exponential(stream)

    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)

    while True:
        x = normal(stream)
        v = 1.0 + c * x

        if v > 0.0:
            u = uniform(stream)
            v = v * v * v
            xx = x * x
            if u < 1.0 - 0.0331 * xx * xx or math.log(u) < 0.5 * xx + d - d * v + d * math.log(v):
                return d * v


def geometric(stream: Stream, p_again: float) -> int:
    """Trials up to and with the first that is not `again`; at most UNLIMITED."""
    if not 0.0 < p_again < 1.0:
        return UNLIMITED if p_again > 0.0 else 1

    trials = math.log(uniform(stream)) / math.log(p_again)
    return UNLIMITED if trials >= UNLIMITED - 1 else 1 + int(trials)


def log_factorial(k: float) -> float:
    """The logarithm of k!, of a whole number as a float."""
    if k < 1024.0:
        return float(LOG_FACTORIAL[np.uint64(k)])
    return math.lgamma(k + 1.0)


def poisson(stream: Stream, mean: float) -> int:
    """A Poisson number: inversion for a small mean, else transformed rejection: Hoermann 1993
    (PTRS).
    """
    if mean < INVERSION_BELOW:
        p_count = math.exp(-mean)
        left = uniform(stream)
        count = 0
        while left > p_count and count < 100:
            left = left - p_count
            count = count + 1
            p_count *= mean / count
        return count

    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b

    while True:
        u = uniform(stream) - 0.5
        v = uniform(stream)
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + mean + 0.43)

        if us >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2.0):
            return int(k)

        if k >= 0 and (us >= 0.013 or v <= us):
            alpha = 1.1239 + 1.1328 / (b - 3.4)
            bound = k * math.log(mean) - mean - log_factorial(k)
            if math.log(v * alpha / (a / (us * us) + b)) <= bound:
                return int(k)


def binomial(stream: Stream, trials: int, probability: float) -> int:
    """Successes in this many trials: inversion for a small mean, else rejection."""
    if trials <= 0 or not 0.0 < probability < 1.0:
        return trials if probability >= 1.0 else 0

    rarer = min(probability, 1.0 - probability)
    if trials * rarer < INVERSION_BELOW:
        successes = invert_binomial(stream, trials, rarer)
    else:
        successes = reject_binomial(stream, trials, rarer)

    return trials - successes if probability > 0.5 else successes


def invert_binomial(stream: Stream, trials: int, probability: float) -> int:
    """A binomial number by summing up probabilities from 0 on."""
    odds = probability / (1.0 - probability)

    while True:
        p_count = math.exp(trials * math.log1p(-probability))
        left = uniform(stream)
        count = 0
        while left > p_count and count <= trials:
            left = left - p_count
            count = count + 1
            p_count *= (trials + 1) * odds / count - odds
        if count <= trials:
            return count


def reject_binomial(stream: Stream, trials: int, probability: float) -> int:
    """A binomial number by transformed rejection: Hoermann 1993 (BTRS)."""
    mean = trials * probability
    spq = math.sqrt(mean * (1.0 - probability))
    mode = math.floor((trials + 1) * probability)
    b = 1.15 + 2.53 * spq
    a = -0.0873 + 0.0248 * b + 0.01 * probability
    alpha = (2.83 + 5.1 / b) * spq

    while True:
        u = uniform(stream) - 0.5
        v = uniform(stream)
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + mean + 0.5)

        if us >= 0.07 and v <= 0.92 - 4.2 / b:
            return int(k)

        if 0 <= k <= trials:
            bound = log_factorial(mode) + log_factorial(trials - mode) - log_factorial(k)
            bound += (k - mode) * math.log(probability / (1.0 - probability)) - log_factorial(
                trials - k
            )
            if math.log(v * alpha / (a / (us * us) + b)) <= bound:
                return int(k)
