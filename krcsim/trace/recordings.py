# SPDX-License-Identifier: GPL-2.0-only
"""From files to a scenario in one step, and the recordings that come with krcsim."""

from collections.abc import Callable, Sequence
from pathlib import Path

from krcsim.model.scenario_file import data_folder, load_scenario
from krcsim.trace.fit import Made, make
from krcsim.trace.reading import read

BASE = "thread-as-posted"  # what recordings cannot say is taken from it


def read_recordings(
    files: str | Path | Sequence[str | Path],
    base: str = BASE,
    say: Callable[[str], None] = lambda _: None,
) -> Made:
    """The scenario of one recording or more of one machine, with what each field rests on.

    files: paths, or the name of a recording that comes with krcsim (6.1-poisson). base: a preset or
    a scenario file, for what no recording says. `say` gets a sentence about how far it is. Raises
    KrcsimError with what to do where a file cannot be read or says nothing.
    """
    named = [files] if isinstance(files, (str, Path)) else files
    paths = [_path_of(name) for name in named]
    return make(read(paths, say), load_scenario(base), base)


def _path_of(name: str | Path) -> Path:
    path = Path(name)
    return path if path.exists() else samples().get(str(name), path)


def samples() -> dict[str, Path]:
    """The recordings that come with krcsim, by name."""
    files = sorted((data_folder() / "recordings").glob("*.txt.gz"))
    return {path.name.removesuffix(".txt.gz"): path for path in files}
