# SPDX-License-Identifier: GPL-2.0-only
"""Rows as a data frame of pandas or polars, for those who have one; krcsim needs
neither.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from krcsim.base.errors import KrcsimError, refuse

# Per kind of column: the type that pandas and polars have for it. A gap in a column of
# real numbers is nan in pandas, as its users expect; elsewhere it is a missing value.
PANDAS = {"text": "string", "whole": "Int64", "real": "float64", "flag": "boolean"}
POLARS = {"text": "String", "whole": "Int64", "real": "Float64", "flag": "Boolean"}


def data_frame(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    kinds: Mapping[str, str],
    library: str = "",
) -> Any:
    """The rows as a frame with typed columns; raises KrcsimError if the library is not
    installed.

    `kinds`: text, whole, real or flag by column; a column that is not named there has
    the kind of its cells. `library`: pandas or polars; left out, pandas if it is there,
    else polars.
    """
    makers: dict[str, Callable[..., Any]] = {"pandas": _pandas_frame, "polars": _polars_frame}
    refuse(
        library not in ("", *makers),
        "library",
        library,
        "pandas or polars",
        "leave it out for the one that is installed",
    )
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    data = {name: list(column) for name, column in zip(columns, cells, strict=True)}
    typed = {name: kinds.get(name) or kind_of_cells(column) for name, column in data.items()}
    for name, column in data.items():
        if typed[name] == "text":
            data[name] = [None if cell is None else str(cell) for cell in column]

    for name in [library] if library else makers:
        try:
            return makers[name](data, typed)
        except ModuleNotFoundError as exc:
            if exc.name != name:  # it is there, and something that it needs is not
                raise

    wanted = library or "pandas or polars"
    raise KrcsimError(
        f"a data frame needs {wanted}, which is not installed; install it with: "
        f"pip install {library or 'pandas'}, or take .columns and .rows, which need nothing"
    )


def kind_of_cells(cells: Sequence[object]) -> str:
    """The narrowest kind that all cells of a column have, but for gaps."""
    types = {type(cell) for cell in cells if cell is not None}
    if types == {bool}:
        return "flag"
    if types == {int}:
        return "whole"
    if types and types <= {int, float}:
        return "real"
    return "text"


def _pandas_frame(data: dict[str, list[Any]], kinds: dict[str, str]) -> Any:
    import pandas

    series = {name: pandas.Series(data[name], dtype=PANDAS[kinds[name]]) for name in data}
    return pandas.DataFrame(series)


def _polars_frame(data: dict[str, list[Any]], kinds: dict[str, str]) -> Any:
    import polars

    schema = {name: getattr(polars, POLARS[kinds[name]]) for name in data}
    return polars.DataFrame(data, schema=schema, strict=False)
