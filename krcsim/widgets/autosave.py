# SPDX-License-Identifier: GPL-2.0-only
"""What outlives the kernel: the last setting and the pins, as files next to the notebook."""

import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_whole
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import load_scenario, toml_text

PINS = "ABC"  # the letters of pinned curves


@dataclass(frozen=True)
class Restored:
    """What was found: the setting (None: there is none), the pins by letter, and what to say."""

    setting: Scenario | None = None
    pins: dict[str, Scenario] = field(default_factory=dict)
    message: str = ""


@contextmanager
def old_names_accepted() -> Iterator[None]:
    """Take old field names in silence: the file is written again with the new ones at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def setting_file(folder: Path, question: str) -> Path:
    """Where the last setting of a question is kept."""
    return folder / f"{question}.autosave.toml"


def pin_file(folder: Path, question: str, letter: str) -> Path:
    """Where a pinned curve is kept."""
    return folder / f"{question}.pin-{letter}.toml"


def restore(
    folder: Path, question: str, most_pins: int, old_names: tuple[str, ...] = ()
) -> Restored:
    """What was kept of a question, under its name or else under one that it had before.

    A setting that cannot be read is moved aside and left as it is.
    """
    files = [setting_file(folder, name) for name in (question, *old_names)]
    kept = next((path for path in files if path.exists()), None)
    if kept is None:
        return Restored()

    try:
        with old_names_accepted():
            setting = load_scenario(kept)
    except KrcsimError as error:
        aside = kept.with_suffix(f".{time.time_ns()}.toml")
        with suppress(OSError):  # then keeping will fail too, and say so
            kept.rename(aside)
        return Restored(
            message=f"Your last setting could not be read and is now in {aside.name}: {error}"
        )

    pins: dict[str, Scenario] = {}
    with suppress(KrcsimError), old_names_accepted():
        pinned = sorted(folder.glob(f"{question}.pin-?.toml"))
        pins = dict(zip(PINS[:most_pins], map(load_scenario, pinned), strict=False))

    message = f"Your last setting is back, from {kept.name}; choose a preset to begin anew."
    return Restored(setting, pins, message)


def keep(folder: Path, question: str, setting: Scenario, pins: Mapping[str, Scenario]) -> None:
    """Write the setting and the pins; raises KrcsimError or OSError where that is impossible."""
    text = toml_text(setting, "The last setting of the explorer.")
    write_whole(setting_file(folder, question), text.encode(), overwrite=True)

    for letter in PINS:
        path = pin_file(folder, question, letter)
        if letter in pins:
            write_whole(path, toml_text(pins[letter]).encode(), overwrite=True)
        else:
            path.unlink(missing_ok=True)
