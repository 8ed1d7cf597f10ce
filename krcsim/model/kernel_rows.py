# SPDX-License-Identifier: GPL-2.0-only
"""The kernels among the remedies: what each version of Linux since v5.8 does.

They are the rows of the table of remedies that have a version, the oldest first. v5.8 itself has no
call with one argument; its row is the code that was first posted for one, on top of it.
"""

from krcsim.base.errors import KrcsimError, did_you_mean, shown
from krcsim.model.kernels import row_of_version
from krcsim.model.remedy import TABLE, NamedRemedy

KERNEL_ROWS: tuple[NamedRemedy, ...] = tuple(row for row in TABLE if row.kernel)
KERNELS: tuple[str, ...] = tuple(row.name for row in KERNEL_ROWS)
FEWEST = 2  # rows of a comparison of kernels


def kernel_named(name: str) -> NamedRemedy:
    """The kernel that is in force in a version (6.6 or v6.6), or of a row (E7); raises KrcsimError
    if there is none.
    """
    name = name.strip()
    by_name = {row.name: row for row in KERNEL_ROWS} | {row.kernel: row for row in KERNEL_ROWS}
    if found := by_name.get(name.removeprefix("v")):
        return found
    if row := row_of_version(name):
        return by_name[row]
    versions = [row.kernel for row in KERNEL_ROWS]
    hint = did_you_mean(name, versions, f"write for example {versions[-1]}")
    raise KrcsimError(f"kernel {shown(name)} is not known; allowed: {', '.join(versions)}; {hint}")


def kernels_listed(names: str) -> tuple[str, ...]:
    """The rows of the kernels in a text, with commas between them; "" for all.

    Raises KrcsimError for one that is not there, and where there are fewer than two.
    """
    if not names:
        return KERNELS
    rows = tuple(dict.fromkeys(kernel_named(name).name for name in names.split(",")))
    if len(rows) < FEWEST:
        raise KrcsimError(f"kernels is {shown(names)}; allowed: two of them or more")
    return rows
