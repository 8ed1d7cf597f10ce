# SPDX-License-Identifier: GPL-2.0-only
"""How functions of the engine are compiled."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

# On first use, and for compiled code only: wrappers for Python would cost compile time. A division
# by zero gives infinity, as in NumPy.
OPTIONS: dict[str, Any] = dict(
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)

# The last line of a module of the engine: compiles all of its functions. A partial, because
# numba.jit_module() compiles the module that calls it.
compile_module = functools.partial(numba.jit_module, **OPTIONS)


def part(function: F) -> F:
    """For a function with few callers: it becomes part of them before they are compiled, since a
    call costs as much as a small function does.
    """
    return cast(F, numba.njit(inline="always", **OPTIONS)(function))
