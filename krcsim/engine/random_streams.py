# SPDX-License-Identifier: GPL-2.0-only
"""Random numbers inside compiled code: xoshiro256++ streams (Blackman and Vigna) and the few laws
the model needs.
"""

import functools
import math
from typing import Any

import numba
import numpy as np
from numba import uint64
from numpy.typing import NDArray

STREAM = np.dtype(
    [(word, "u8") for word in "abcd"]
)  # a record, so that a function gets it as one pointer
INF, BIG = np.inf, 1 << 40


def ziggurat() -> NDArray[np.float64]:
    """Edges of 128 layers of equal area under exp(-x * x / 2), the outermost first; it holds the
    tail.
    """
    edge, area = 3.442619855899, 9.91256303526217e-3
    edges = [area / math.exp(-0.5 * edge * edge), edge]
    while len(edges) < 128:
        edges.append(math.sqrt(-2.0 * math.log(area / edges[-1] + math.exp(-0.5 * edges[-1] ** 2))))
    return np.array([*edges, 0.0])


EDGE = ziggurat()
LOG_FACTORIAL = np.array([math.lgamma(k + 1.0) for k in range(1024)])
# Ends a module of the engine: compiles all its functions, on first use and for compiled code only
# (wrappers for Python would cost compile time). A division by zero gives inf as in NumPy.
OPTIONS: dict[str, Any] = dict(
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)
compile_module = functools.partial(numba.jit_module, **OPTIONS)
# For a function with few callers: part of them before they are compiled. A call costs as much as a
# small function does.
part = functools.partial(numba.njit, inline="always", **OPTIONS)


def next64(r: Any) -> Any:
    """The next 64 random bits of a stream."""
    a, b, x = r.a, r.b, r.a + r.d
    c, d = r.c ^ a, r.d ^ b
    r.a, r.b, r.c = a ^ d, b ^ c, c ^ (b << uint64(17))
    r.d = (d << uint64(45)) | (d >> uint64(19))
    return ((x << uint64(23)) | (x >> uint64(41))) + a


def uniform(r: Any) -> Any:
    """Uniform in (0, 1), both ends excluded."""
    return (np.float64(next64(r) >> uint64(11)) + 0.5) * 1.1102230246251565e-16


def chance(r: Any, p: Any) -> Any:
    """True with probability p; draws nothing if that is certain."""
    return p >= 1.0 or (p > 0.0 and uniform(r) < p)


def exponential(r: Any) -> Any:
    """Exponential with mean 1."""
    return -math.log(uniform(r))


@part
def normal(r: Any) -> Any:
    """Standard normal: the ziggurat of Marsaglia and Tsang 2000, other bits for the layer than for
    the place.
    """
    while True:
        bits = next64(r)
        i, u = bits & uint64(127), np.float64(np.int64(bits) >> 10) * 2.0**-53
        x = u * EDGE[i]
        if abs(x) < EDGE[i + uint64(1)]:
            return x
        if i == 0:  # the tail
            while True:
                x = exponential(r) / EDGE[1]
                if 2.0 * exponential(r) > x * x:
                    return math.copysign(EDGE[1] + x, u)
        inner, outer = math.exp(-0.5 * EDGE[i + uint64(1)] ** 2), math.exp(-0.5 * EDGE[i] ** 2)
        if outer + uniform(r) * (inner - outer) < math.exp(-0.5 * x * x):
            return x


def gamma(r: Any, shape: Any) -> Any:
    """Gamma with a whole shape >= 1 and scale 1, the time of the shape-th call at rate 1: Marsaglia
    and Tsang 2000.
    """
    if shape == 1:
        return exponential(r)
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(r)
        v = 1.0 + c * x
        if v > 0.0:
            u, v, xx = uniform(r), v * v * v, x * x
            if u < 1.0 - 0.0331 * xx * xx or math.log(u) < 0.5 * xx + d - d * v + d * math.log(v):
                return d * v


def geometric(r: Any, again: Any) -> Any:
    """Trials up to and with the first that is not `again` (a probability); at most BIG."""
    if not 0.0 < again < 1.0:
        return BIG if again > 0.0 else 1
    x = math.log(uniform(r)) / math.log(again)
    return BIG if x >= BIG - 1 else 1 + int(x)


def log_factorial(k: Any) -> Any:
    """The logarithm of k!, of a whole number as a float."""
    return LOG_FACTORIAL[np.uint64(k)] if k < 1024.0 else math.lgamma(k + 1.0)


def poisson(r: Any, mean: Any) -> Any:
    """A Poisson number: inversion for a small mean, else transformed rejection: Hoermann 1993
    (PTRS).
    """
    if mean < 10.0:
        f, u, k = math.exp(-mean), uniform(r), 0
        while u > f and k < 100:
            u, k = u - f, k + 1
            f *= mean / k
        return k
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    while True:
        u, v = uniform(r) - 0.5, uniform(r)
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2.0):
            return int(k)
        if k >= 0 and (us >= 0.013 or v <= us):
            alpha = 1.1239 + 1.1328 / (b - 3.4)
            if math.log(v * alpha / (a / (us * us) + b)) <= k * math.log(
                mean
            ) - mean - log_factorial(k):
                return int(k)


def binomial(r: Any, n: Any, p: Any) -> Any:
    """Successes in n trials of probability p: inversion for a small mean, else rejection."""
    if n <= 0 or not 0.0 < p < 1.0:
        return n if p >= 1.0 else 0
    rarer = min(p, 1.0 - p)
    k = inversion(r, n, rarer) if n * rarer < 10.0 else rejection(r, n, rarer)
    return n - k if p > 0.5 else k


def inversion(r: Any, n: Any, p: Any) -> Any:
    """A binomial number by summing up probabilities from 0 on."""
    odds = p / (1.0 - p)
    while True:
        f, u, k = math.exp(n * math.log1p(-p)), uniform(r), 0
        while u > f and k <= n:
            u, k = u - f, k + 1
            f *= (n + 1) * odds / k - odds
        if k <= n:
            return k


def rejection(r: Any, n: Any, p: Any) -> Any:
    """A binomial number by transformed rejection: Hoermann 1993 (BTRS)."""
    spq, m = math.sqrt(n * p * (1.0 - p)), math.floor((n + 1) * p)
    b = 1.15 + 2.53 * spq
    a = -0.0873 + 0.0248 * b + 0.01 * p
    alpha = (2.83 + 5.1 / b) * spq
    while True:
        u, v = uniform(r) - 0.5, uniform(r)
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + n * p + 0.5)
        if us >= 0.07 and v <= 0.92 - 4.2 / b:
            return int(k)
        if 0 <= k <= n:
            rhs = log_factorial(m) + log_factorial(n - m) - log_factorial(k)
            rhs += (k - m) * math.log(p / (1.0 - p)) - log_factorial(n - k)
            if math.log(v * alpha / (a / (us * us) + b)) <= rhs:
                return int(k)


compile_module()
