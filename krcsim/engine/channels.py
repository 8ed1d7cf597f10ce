# SPDX-License-Identifier: GPL-2.0-only
"""What a record holds for each channel, added up."""

from krcsim.engine.records import CHANNELS, PerChannel


def total(of_channels: PerChannel) -> int:
    """The sum over the channels."""
    found = 0
    for channel in range(CHANNELS):
        found += of_channels[channel]

    return found
