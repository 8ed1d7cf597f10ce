# SPDX-License-Identifier: GPL-2.0-only
"""What the screen is like: the theme, the room for the picture, and how dense its pixels are."""

from collections.abc import Sequence

from krcsim.widgets.live_picture import Look

# Few sizes, so that what stays in a picture is drawn once for each of them; pixels of CSS.
WIDTHS = (*range(320, 800, 20), *range(800, 1280, 40))
HEIGHTS = tuple(range(240, 700, 20))
DENSE = 1.5  # pixels of the screen in one of CSS, from which a picture has twice as many
MOST_PIXELS = 2_000_000  # of a picture: a larger one takes too long to send


def look_for(theme: str, room: Sequence[float], pixel_ratio: float) -> Look:
    """The look of a picture in a room of (width, height), pixels of CSS.

    Before the browser has said anything of its room, the look is the usual one.
    """
    theme = "dark" if theme == "dark" else "light"
    if len(room) != 2 or min(room) <= 0:
        return Look(theme)

    width = largest_within(WIDTHS, room[0])
    height = largest_within(HEIGHTS, room[1])
    is_dense = pixel_ratio >= DENSE and 4 * width * height <= MOST_PIXELS
    return Look(theme, width, height, 2 if is_dense else 1)


def largest_within(sizes: Sequence[int], room: float) -> int:
    """The largest of growing sizes that fits, or the smallest."""
    return max((size for size in sizes if size <= room), default=sizes[0])
