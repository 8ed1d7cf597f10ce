# SPDX-License-Identifier: GPL-2.0-only
"""Syntax trees of Python's text, in any thread."""

import ast
import contextlib
import gc
import threading
from collections.abc import Iterator

_one_at_a_time = threading.Lock()


def tree_of(source: str) -> ast.Module:
    """The syntax tree of a module's text, also while other threads parse.

    Before 3.11.8 and 3.12.2 Python counts for all threads together how deep it stands in a tree
    (CPython's issue 106905). If garbage collection lets another thread in, here a notebook that
    parses its next cell, the count no longer fits, and a SystemError ends the parsing.
    """
    with _one_at_a_time, no_garbage_collection():
        return ast.parse(source)


@contextlib.contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Without garbage collection in any thread, up to the end of the block."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
