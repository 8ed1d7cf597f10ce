# SPDX-License-Identifier: GPL-2.0-only
"""The twin's cookies: what of a CPU's objects the monitor finds ready (R56 to R58 of
docs/model.md).

Unlike the engine it keeps the cookie of each block: the number of the grace period that the last
pointer in it needs.
"""

from __future__ import annotations

from collections.abc import Callable

SLAB, VMALLOC, LIST = range(3)

Channels = list[list[int]]


class Cookies:
    """R56: the cookies of what a CPU has queued: one a block, the newest last, and one of the
    list.

    needed, done: the grace period that an insert needs now, and how many have ended.
    """

    def __init__(self, needed: Callable[[], int], done: Callable[[], int]) -> None:
        self.needed, self.done = needed, done
        self.of_blocks: list[list[int]] = [[], []]
        self.of_list = 0

    def renew(self, channels: Channels, channel: int) -> None:
        """R56: an object has joined a channel: its head block, or the list, gets a new cookie."""
        if channel == LIST:
            self.of_list = self.needed()
            return
        cookies = self.of_blocks[channel]
        if len(cookies) < len(channels[channel]):
            cookies.append(0)
        cookies[-1] = self.needed()

    def forget(self, channel: int) -> None:
        """All blocks of a channel have gone into a batch."""
        if channel != LIST:
            self.of_blocks[channel] = []

    def take_ready(self, channels: Channels) -> Channels:
        """R57: what is ready leaves the channels: blocks from the oldest on, and the whole list."""
        ready: Channels = [[], [], []]
        for channel in (SLAB, VMALLOC):
            cookies = self.of_blocks[channel]
            while cookies and cookies[0] <= self.done():
                cookies.pop(0)
                ready[channel].append(channels[channel].pop(0))
        if channels[LIST] and self.of_list <= self.done():
            ready[LIST], channels[LIST] = channels[LIST], []
        return ready


def size_of(channels: Channels) -> int:
    """R57: how many objects these channels hold."""
    return sum(channels[SLAB]) + sum(channels[VMALLOC]) + len(channels[LIST])
