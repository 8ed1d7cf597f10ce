# SPDX-License-Identifier: GPL-2.0-only
"""Rows as a data frame, for those who have pandas or polars; stand-ins take their places here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.results.frame import data_frame, kind_of_cells
from krcsim.results.result import Result, load_result

SAVED = Path(__file__).parent / "old_results" / "compare-2.json"
TEXTS = ("remedy", "window", "quantity", "unit", "kind", "method")


@dataclass
class Frame:
    """What a stand-in was given: the library, the cells and the type of each column."""

    library: str
    cells: dict[str, list[Any]]
    types: dict[str, str]


def pandas() -> ModuleType:
    """As much of pandas as a frame takes."""
    module: Any = ModuleType("pandas")
    module.Series = lambda cells, dtype: (cells, dtype)
    module.DataFrame = lambda series: Frame(
        "pandas", {k: v[0] for k, v in series.items()}, {k: v[1] for k, v in series.items()}
    )
    return module


def polars() -> ModuleType:
    """As much of polars as a frame takes."""
    module: Any = ModuleType("polars")
    for name in ("String", "Int64", "Float64", "Boolean"):
        setattr(module, name, name)
    module.DataFrame = lambda cells, schema, **_: Frame("polars", cells, schema)
    return module


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes these libraries look installed, and no other."""

    def only(*names: str) -> None:
        made = {"pandas": pandas, "polars": polars}
        for name, make in made.items():
            monkeypatch.setitem(sys.modules, name, make() if name in names else None)

    return only


@pytest.fixture(scope="module")
def result() -> Result:
    return load_result(SAVED)


@pytest.mark.parametrize(
    ("there", "asked", "used"),
    [
        (("pandas", "polars"), "", "pandas"),
        (("polars",), "", "polars"),
        (("pandas", "polars"), "polars", "polars"),
        (("pandas",), "pandas", "pandas"),
    ],
)
def test_the_library_is_the_one_asked_for_or_the_one_that_is_there(
    there: tuple[str, ...],
    asked: str,
    used: str,
    installed: Callable[..., None],
    result: Result,
) -> None:
    installed(*there)
    assert result.to_frame(asked).library == used


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("", "needs pandas or polars, which is not installed; install it with: pip install pandas"),
        ("pandas", "needs pandas, which is not installed; install it with: pip install pandas"),
        ("polars", "needs polars, which is not installed; install it with: pip install polars"),
        ("excel", "library is 'excel'; allowed: pandas or polars"),
    ],
)
def test_without_the_library_it_is_said_what_to_install(
    asked: str, said: str, installed: Callable[..., None], result: Result
) -> None:
    installed()
    with pytest.raises(KrcsimError, match=said):
        result.to_frame(asked)


def test_what_a_library_lacks_itself_is_not_hidden(
    installed: Callable[..., None], monkeypatch: pytest.MonkeyPatch, result: Result
) -> None:
    installed("pandas")

    def broken(*_: Any, **__: Any) -> None:
        raise ModuleNotFoundError("No module named 'dateutil'", name="dateutil")

    monkeypatch.setattr(sys.modules["pandas"], "Series", broken)
    with pytest.raises(ModuleNotFoundError, match="dateutil"):
        result.to_frame()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_each_cell_is_there_and_each_column_has_a_type(
    library: str, installed: Callable[..., None], result: Result
) -> None:
    installed(library)
    frame = result.to_frame(library)
    assert tuple(frame.cells) == result.columns
    assert list(zip(*frame.cells.values(), strict=True)) == list(result.rows)
    text, whole, real = (
        ("string", "Int64", "float64") if library == "pandas" else ("String", "Int64", "Float64")
    )
    assert {frame.types[name] for name in TEXTS} == {text}
    assert {frame.types[name] for name in ("value", "lo", "hi")} == {real}
    assert frame.types["replications"] == whole


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([1, 2, None], "whole"),
        ([1, 2.5], "real"),
        ([True, None], "flag"),
        (["x"], "text"),
        ([True, 1], "text"),
        ([1, "x"], "text"),
        ([None], "text"),
        ([], "text"),
    ],
    ids=str,
)
def test_a_parameter_that_varies_has_the_kind_of_its_cells(cells: list[Any], kind: str) -> None:
    assert kind_of_cells(cells) == kind


def test_a_frame_without_rows_has_its_columns(installed: Callable[..., None]) -> None:
    installed("pandas")
    frame = data_frame(("remedy", "value"), (), {"value": "real"})
    assert frame.cells == {"remedy": [], "value": []}
    assert frame.types == {"remedy": "string", "value": "float64"}
