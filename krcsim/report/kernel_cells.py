# SPDX-License-Identifier: GPL-2.0-only
"""The numbers that kernels are compared by, as a column of a picture or a table has them."""

from collections.abc import Callable
from dataclasses import dataclass

from krcsim.report.count_cells import count_of
from krcsim.results.estimate import Estimate

KIB, MIB = 1024.0, 1024.0**2
SECOND_MS = 1000.0


@dataclass(frozen=True)
class Column:
    """A quantity as a column: its head in two rows, and how a number of it is written.

    noun: as the subject of a step. times_up, up, down: 3 times as many, 20 % more, 20 % fewer.
    """

    quantity: str
    head: tuple[str, str]
    written: Callable[[float], str]
    noun: str
    times_up: str = "as many"
    up: str = "more"
    down: str = "fewer"


def three_digits(value: float) -> str:
    """A number in three digits at most: 0.034, 4.2, 171, 12,000."""
    if value >= 999.5:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{float(f'{value:.2g}' if value < 99.5 else f'{value:.3g}'):g}"


def in_bytes(value: float) -> str:
    """A number of bytes: 680 B, 8.5 KiB, 3.2 MiB."""
    if value < KIB:
        return f"{three_digits(value)} B"
    return f"{three_digits(value / KIB)} KiB" if value < MIB else f"{three_digits(value / MIB)} MiB"


def in_time(ms: float) -> str:
    """A time: 0.3 ms, 34 ms, 2.6 s."""
    return f"{three_digits(ms / SECOND_MS)} s" if ms >= SECOND_MS else f"{three_digits(ms)} ms"


def a_second(value: float) -> str:
    """A rate: 171/s."""
    return f"{three_digits(value)}/s"


_MUCH = ("as much", "more", "less")
_LONG = ("as long", "longer", "shorter")
COLUMNS = (
    Column("p_wait", ("calls", "that wait"), three_digits, "waits"),
    Column("mean_bytes", ("memory", "held"), in_bytes, "memory held", *_MUCH),
    Column("dwell_ms", ("time", "to free"), in_time, "time to free", *_LONG),
    Column("callbacks_hz", ("RCU", "callbacks"), a_second, "callbacks"),
    Column("gps_hz", ("grace", "periods"), a_second, "grace periods"),
    Column("bytes_at_full", ("kept", "per CPU"), in_bytes, "bytes kept per CPU", *_MUCH),
)
COLUMN_OF = {column.quantity: column for column in COLUMNS}


def cell_of(quantity: str, estimate: Estimate) -> str:
    """A number in a cell: 1 in 1,930, none seen, 34 ms, 171/s; "-" where nothing is known."""
    if quantity == "p_wait":
        return _waits(estimate)
    if estimate.kind == "bound":
        return f"< {COLUMN_OF[quantity].written(estimate.hi or 0.0)}"
    if estimate.value is None:
        return "-"
    return COLUMN_OF[quantity].written(estimate.value)


def _waits(estimate: Estimate) -> str:
    if estimate.kind == "bound":
        return "none seen"
    count = count_of(estimate)
    if count in ("-", "never"):
        return count
    if count == "1":
        return "all"
    sign = "~" * count.startswith("~")
    return f"{sign}1 in {count.removeprefix('~')}"
