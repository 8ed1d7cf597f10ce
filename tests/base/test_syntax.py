# SPDX-License-Identifier: GPL-2.0-only
"""Syntax trees, while other threads parse as well."""

import gc

import pytest

from krcsim.base.syntax import no_garbage_collection, tree_of

TEXT = "\n".join(f"a{i} = [{i}, -b, f(c)]" for i in range(500))


def test_no_other_thread_is_let_in_between_begin_and_end_of_a_tree() -> None:
    collections = 0

    def count(phase: str, _info: object) -> None:
        nonlocal collections
        collections += phase == "start"

    threshold = gc.get_threshold()
    gc.callbacks.append(count)
    gc.set_threshold(1)  # each of the 500 lines makes more objects than that
    try:
        tree = tree_of(TEXT)
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(count)
    assert len(tree.body) == 500
    assert collections < 50


def test_garbage_is_collected_again_after_a_text_that_is_none() -> None:
    with pytest.raises(SyntaxError):
        tree_of("x =")
    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    gc.disable()
    try:
        with no_garbage_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
