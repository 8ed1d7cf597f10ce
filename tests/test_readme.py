# SPDX-License-Identifier: GPL-2.0-only
"""The pictures and the table of the documents are what their commands give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

import krcsim
from benchmarks.figures import BEGIN, DOCS, END, PICTURES, draw
from krcsim.model.remedy import THREAD

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


THREAD_PAGE = (DOCS / "thread.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_carries_the_hash_of_what_its_command_gives(name: str, tmp_path: Path) -> None:
    draw(name, tmp_path / "again.csv")
    made = re.search(r"^# hash: (\w+)$", (tmp_path / "again.csv").read_text(), re.M)
    assert made is not None
    with Image.open(DOCS / f"{name}.png") as picture:
        assert f"hash: {made[1]}" in picture.text["Description"]


def test_the_readme_fits_a_screen_and_shows_the_picture() -> None:
    assert len(README.splitlines()) <= 50
    assert "](docs/pool-or-pages.png)" in README


def test_every_notebook_is_on_the_map() -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"](notebooks/{path.name})" in README


def test_the_table_of_the_thread_agrees_with_a_run_of_another_seed() -> None:
    block = THREAD_PAGE.split(BEGIN)[1].split(END)[0]
    told = {row.split("|")[1].strip(): row.split("|")[2] for row in block.split("\n")[2:8]}
    assert tuple(told) == THREAD
    answer = krcsim.compare(krcsim.load_scenario("thread-as-posted"), max_runs=256, seed=1)
    for remedy, cell in told.items():
        mine = answer.get(remedy, "p_wait", "steady")
        numbers = [float(x) for x in re.findall(r"[0-9.]+(?:e-?\d+)?", cell)]
        if "<" in cell:
            assert mine.kind == "bound"
        else:
            value, low, high = numbers
            assert low <= value <= high
            assert max(low, mine.lo or 0) <= min(high, mine.hi or 0) * 1.05


def test_the_commands_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|    )make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.M), target
    for preset in re.findall(r"krcsim (?:compare|sweep|reply|simulate) ([\w-]+)", README):
        assert preset in krcsim.presets()
