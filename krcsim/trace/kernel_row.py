# SPDX-License-Identifier: GPL-2.0-only
"""Which row of the table of remedies a kernel is, by the release that uname says."""

import re

from krcsim.model.kernels import NEWEST, SINCE

_RELEASE = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})(?:[^0-9]|$)")


def row_of(release: str) -> tuple[str, str]:
    """The row of a release, and why there is none; one of the two is empty."""
    found = _RELEASE.match(release)
    if found is None:
        return "", f"the release {release[:40]!r} is no number"

    version = (int(found[1]), int(found[2]))
    rows = [row for row, since in SINCE.items() if since <= version]
    if not rows:
        return "", f"Linux {version[0]}.{version[1]} is older than v5.9, the first with a row"
    if version > NEWEST:
        newest = f"{NEWEST[0]}.{NEWEST[1]}"
        return (
            "",
            f"Linux {version[0]}.{version[1]} is newer than v{newest}, the last that was read",
        )
    return rows[-1], ""
