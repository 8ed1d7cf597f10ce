# SPDX-License-Identifier: GPL-2.0-only
"""Compiled code that is kept on disk: what was damaged is never run, and never stands in the way of
an answer.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import pytest

from krcsim.base.errors import KrcsimError
from krcsim.runs import compiled_cache
from tests.quick import mostly_slow

TYPES = (numba.int64,)
SOURCE = """
import numba

def make():
    @numba.njit(cache=True)
    def run(x):
        return 3 * x
    return run
"""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """What decorates a function of a module that nobody else compiles; afresh each time, as in a
    new process.
    """
    source = tmp_path / "source" / "threefold.py"
    source.parent.mkdir()
    source.write_text(SOURCE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("threefold", source)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(
        sys.modules, "threefold", module
    )  # loading kept code imports the module by its name
    spec.loader.exec_module(module)
    return module.make  # type: ignore[no-any-return]


def hits(make: Callable[[], Any]) -> int:
    """How often kept code was loaded instead of compiled; the answer is right either way."""
    function = compiled_cache.whole(make, TYPES)
    assert function(14) == 42
    found = sum(function.stats.cache_hits.values())
    del function
    gc.collect()  # numba finds what is still in memory; a new process does not have it
    return found


def files(tmp_path: Path) -> list[Path]:
    return sorted(
        x for x in (tmp_path / "source" / "__pycache__").iterdir() if "threefold.make" in x.name
    )


def test_what_was_compiled_once_is_loaded_from_then_on(make: Callable[[], Any]) -> None:
    assert [hits(make) for _ in range(3)] == [0, 1, 1]


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize(
    "damage", mostly_slow(["empty", "cut", "one bit", "noise", "gone"], "one bit")
)
def test_damaged_code_is_compiled_again_and_heals(
    suffix: str, damage: str, make: Callable[[], Any], tmp_path: Path
) -> None:
    hits(make)
    path = next(x for x in files(tmp_path) if x.suffix == suffix)
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(
            {"empty": b"", "cut": whole[:middle], "one bit": flipped, "noise": b"\0" * 99}[damage]
        )
    assert [hits(make) for _ in range(2)] == [0, 1]


def test_code_without_checksums_is_not_trusted(make: Callable[[], Any], tmp_path: Path) -> None:
    hits(make)
    next((tmp_path / "source" / "__pycache__").glob("sums.*")).unlink()
    assert [hits(make) for _ in range(2)] == [0, 1]


def no_place(monkeypatch: pytest.MonkeyPatch, temporary: Path) -> None:
    """Neither the folder of the source nor the home can be written to."""
    for locator in ("InTreeCacheLocator", "UserWideCacheLocator"):
        monkeypatch.setattr(f"numba.core.caching.{locator}.from_function", lambda *_: None)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(temporary))


def test_without_a_home_it_is_kept_among_the_users_own_temporary_files(
    make: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_place(monkeypatch, tmp_path)
    assert [hits(make) for _ in range(2)] == [0, 1]
    folder = tmp_path / f"krcsim-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_could_write_to_is_not_used(
    make: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_place(monkeypatch, tmp_path)
    planted = tmp_path / f"krcsim-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert hits(make) == 0
    assert list(planted.iterdir()) == []


def test_where_it_can_be_kept_nowhere_a_sentence_says_what_to_make_writable(
    make: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_place(monkeypatch, tmp_path / "none")
    with pytest.raises(KrcsimError, match="can be kept nowhere; make one of these writable"):
        compiled_cache.whole(make, TYPES)


def test_a_full_disk_takes_no_answer_away(
    make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("numba.core.caching.IndexDataCacheFile._save_data", full)
        assert hits(make) == 0
    assert [hits(make) for _ in range(2)] == [0, 1]
