# SPDX-License-Identifier: GPL-2.0-only
"""The scenario of a recording as a preset of the other notebooks, where one was kept."""

from pathlib import Path

RECORDED = "your-machine.toml"  # next to the notebooks
LABEL = "Your machine, as recorded"


def recorded_preset(folder: Path) -> dict[str, str]:
    """By its label the file that 10_your_machine kept in a folder; nothing where there is none."""
    path = folder / RECORDED
    return {LABEL: str(path)} if path.is_file() else {}
