# SPDX-License-Identifier: GPL-2.0-only
"""Which row of the table of remedies a kernel is, by the release that uname says."""

import re

from krcsim.model.remedy import REMEDIES

# The first release of each row (docs/recordings.md), oldest first.
_FIRST: tuple[tuple[tuple[int, int], str], ...] = (
    ((5, 9), "E1"),
    ((5, 11), "E2"),
    ((5, 13), "E3"),
    ((5, 14), "E4"),
    ((6, 1), "E5"),
    ((6, 3), "E6"),
    ((6, 5), "E7"),
    ((6, 12), "E8"),
    ((6, 18), "E9"),
    ((7, 0), "E10"),
    ((7, 3), "E11"),
)
_RELEASE = re.compile(r"(\d{1,3})\.(\d{1,3})(?:\D|$)")


def row_of(release: str) -> tuple[str, str]:
    """The row of a release, and why there is none; one of the two is empty."""
    found = _RELEASE.match(release)
    if found is None:
        return "", f"the release {release[:40]!r} is no number"

    version = (int(found[1]), int(found[2]))
    rows = [row for first, row in _FIRST if first <= version]
    if not rows:
        return "", f"Linux {version[0]}.{version[1]} is older than v5.9, the first with a row"
    if rows[-1] not in REMEDIES:
        return "", f"Linux {version[0]}.{version[1]} would be row {rows[-1]}, which is not there"
    return rows[-1], ""
