# SPDX-License-Identifier: GPL-2.0-only
"""The button Export all: the answer on the screen as files in a folder next to the notebook."""

from pathlib import Path

from krcsim.base.errors import KrcsimError
from krcsim.report.export import Answer, export_all


def export_answer(
    home: Path, folder: str, answer: Answer | None, dpi: int
) -> tuple[list[Path], str]:
    """Write all files of an answer into a folder of `home`; overwrites nothing.

    Returns the files that were written, and what to say about it.
    """
    if answer is None:
        return [], "Nothing to export yet: wait for the first picture."

    try:
        files = export_all(home / folder, answer, dpi)
    except (OSError, KrcsimError) as error:
        return [], f"Not exported: {error}"

    names = ", ".join(path.name for path in files)
    return files, f"Exported {names} into {folder}/"
