# SPDX-License-Identifier: GPL-2.0-only
"""Which kernel is taken: the newest patch release of a series that apt offers with headers."""

from __future__ import annotations

import re

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.guest.mainline import offers, series

OFFERED = {
    "bookworm": ["linux-image-6.1.0-9-cloud-amd64", "linux-headers-6.1.0-9-cloud-amd64"]
    + ["linux-image-6.1.0-56-cloud-amd64", "linux-headers-6.1.0-56-cloud-amd64"]
    + ["linux-image-6.12.117+deb12-cloud-amd64", "linux-headers-6.12.117+deb12-cloud-amd64"],
    "trixie": ["linux-image-6.12-cloud-amd64", "linux-headers-6.12-cloud-amd64"]
    + ["linux-image-6.12.99+deb13-cloud-amd64", "linux-headers-6.12.99+deb13-cloud-amd64"]
    + ["linux-image-6.12.118+deb13-cloud-amd64", "linux-headers-6.12.118+deb13-cloud-amd64"]
    + ["linux-image-6.12.119+deb13-cloud-amd64"]
    + ["linux-image-7.1.13+deb13-cloud-amd64", "linux-binary-7.1.13+deb13-cloud-amd64"]
    + ["linux-image-7.2.12+deb13-cloud-amd64", "linux-headers-7.2.12+deb13-cloud-amd64"]
    + ["linux-binary-7.2.12+deb13-cloud-amd64", "linux-headers-7.2.12+deb13-common"],
    "sid": ["linux-binary-7.2.13+deb14-cloud-amd64", "linux-headers-7.2.13+deb14-cloud-amd64"],
}


@pytest.mark.parametrize(
    ("name", "version", "release"),
    [
        ("6.1", "6.1.0-56", "bookworm"),  # not -9, which is later in the alphabet
        ("6.12", "6.12.118+deb13", "trixie"),  # .119 has no headers
        ("7.2", "7.2.13+deb14", "sid"),
    ],
)
def test_the_newest_patch_release_with_headers_is_taken(
    name: str, version: str, release: str
) -> None:
    offer = offers.newest(series.SERIES[name], OFFERED)
    assert (offer.version, offer.release) == (version, release)


def test_the_kernel_lies_in_another_package_since_6_19() -> None:
    assert offers.newest(series.SERIES["7.2"], OFFERED).image_package.startswith("linux-binary-7.2")
    assert offers.newest(series.SERIES["6.1"], OFFERED).image_package.startswith("linux-image-6.1")


def test_of_a_series_that_is_gone_the_message_says_what_is_offered() -> None:
    with pytest.raises(KrcsimError, match=r"no kernel of Linux 7\.3 any more \(it offers 6\.1, "):
        offers.newest(series.SERIES["7.3"], OFFERED)


def test_images_without_headers_are_said_to_be_that() -> None:
    only_images = {"trixie": ["linux-image-7.3.4+deb13-cloud-amd64"]}
    with pytest.raises(
        KrcsimError, match=r"images but no headers of Linux 7\.3 .* no other kernel"
    ):
        offers.newest(series.SERIES["7.3"], only_images)


def test_a_list_of_series_keeps_its_order_and_names_each_once() -> None:
    assert [one.name for one in series.listed("7.3, 6.1,7.3")] == ["7.3", "6.1"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "one or more of 6.1, 6.12, 7.2, 7.3"),
        (" , ", "one or more of"),
        ("7.3.4", "'7.3.4' is not a series"),
        ("5.9", "allowed: 6.1, 6.12, 7.2, 7.3"),
        ("6.21", "did you mean"),
    ],
)
def test_what_is_no_series_is_refused_with_those_there_are(text: str, told: str) -> None:
    with pytest.raises(KrcsimError, match=re.escape(told)):
        series.listed(text)
