# SPDX-License-Identifier: GPL-2.0-only
"""What the browser says of its theme and its room decides how a picture is drawn, and nothing
else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes

from krcsim.widgets import PoolOrPages
from krcsim.widgets.explorer import Explorer, Shown
from krcsim.widgets.latest import Latest
from krcsim.widgets.live_picture import LivePicture, Look
from krcsim.widgets.screen import HEIGHTS, MOST_PIXELS, WIDTHS, look_for
from tests.browser import Picture

WIDE_ENOUGH, HIGH_ENOUGH = float(WIDTHS[0]), float(HEIGHTS[0])


@given(
    st.sampled_from(["light", "dark", "", "odd"]),
    st.lists(st.floats(0.0, 5000.0), max_size=3),
    st.floats(0.5, 4.0),
)
def test_every_room_has_a_look_that_fits_in_and_few_rooms_differ(
    theme: str, room: list[float], ratio: float
) -> None:
    look = look_for(theme, room, ratio)
    assert look.theme in ("light", "dark")
    assert look.density in (1, 2)
    assert look.width * look.height * look.density**2 <= MOST_PIXELS
    if len(room) == 2 and min(room) > 0.0:
        assert look.width <= max(room[0], WIDE_ENOUGH)
        assert look.height <= max(room[1], HIGH_ENOUGH)
        assert look.width in WIDTHS


def test_a_dense_screen_has_twice_the_pixels_unless_they_are_too_many() -> None:
    assert look_for("light", [600.0, 400.0], 2.0).density == 2
    assert look_for("light", [1240.0, 680.0], 2.0).density == 1
    assert look_for("light", [600.0, 400.0], 1.0).density == 1


def size_of(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def test_a_picture_has_the_pixels_of_its_look_and_is_drawn_again_with_a_new_one() -> None:
    framed: list[Look] = []
    picture = LivePicture()

    def frame(_axes: Axes) -> None:
        framed.append(picture.look)

    first = picture.drawing("a key", frame, lambda axes: axes.plot([0, 1], [0, 1]), "a stamp")
    assert size_of(first.png) == (first.look.width, first.look.height)
    picture.look = Look("dark", 640, 400, 2)
    second = first.again()
    assert size_of(second.png) == (1280, 800)
    assert second.look == picture.look
    assert Picture.read(second.png).stamp == "a stamp"
    second.again()
    assert framed == [Look(), picture.look]  # what stays is drawn once for a look


@pytest.fixture
def explorer(tmp_path: Path) -> Explorer:
    return PoolOrPages(tmp_path, runs=())


@pytest.mark.parametrize(
    ("trait", "value"), [("theme", "dark"), ("room", [800.0, 500.0]), ("ratio", 2.0)]
)
def test_another_screen_gives_another_picture_of_the_same_answer_without_a_run(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch, trait: str, value: Any
) -> None:
    explorer.browser_side.room = [600.0, 400.0]
    monkeypatch.setattr(Latest, "submit", lambda *_: pytest.fail("a run"))
    before, done = bytes(explorer.image.value), explorer.done
    setattr(explorer.browser_side, trait, value)
    after = bytes(explorer.image.value)
    assert after != before
    assert Picture.read(after).stamp == Picture.read(before).stamp
    assert explorer.done is done


def test_a_picture_that_was_drawn_for_the_screen_of_before_is_drawn_again(
    explorer: Explorer,
) -> None:
    late: list[Shown] = [explorer.done] if explorer.done else []
    explorer.browser_side.theme = "dark"
    dark = bytes(explorer.image.value)
    explorer._show(late[0])  # as if the worker had drawn it meanwhile
    assert bytes(explorer.image.value) == dark
