# SPDX-License-Identifier: GPL-2.0-only
"""Which kernel of a series apt offers: the newest patch release that has an image and headers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from krcsim.base.errors import KrcsimError
from krcsim.guest.mainline.series import Series

FLAVOUR = "cloud-amd64"
KERNELS = rf"^linux-(image|binary|headers)-[0-9].*-{FLAVOUR}$"  # names of packages
_NAME = re.compile(rf"linux-(image|binary|headers)-((\d+)\.(\d+)\.\d+\S*)-{FLAVOUR}")


@dataclass(frozen=True)
class Offer:
    """A kernel that apt offers: its name without the flavour, and the release of Debian it is of.

    `has_binary`: the kernel lies in a package linux-binary-..., as since v6.19.
    """

    version: str
    release: str
    has_binary: bool = False

    @property
    def kernel(self) -> str:
        """What `uname -r` says."""
        return f"{self.version}-{FLAVOUR}"

    @property
    def image_package(self) -> str:
        """The package that has the kernel."""
        return f"linux-{'binary' if self.has_binary else 'image'}-{self.kernel}"

    @property
    def headers_package(self) -> str:
        """The package that has its headers; it asks for the compiler."""
        return f"linux-headers-{self.kernel}"


def age(version: str) -> tuple[int, ...]:
    """What versions of one series are ordered by: 6.12.118+deb13 is newer than 6.12.99+deb13."""
    return tuple(int(digits) for digits in re.findall(r"\d+", version))


def offers(packages: Mapping[str, Iterable[str]]) -> dict[str, list[Offer]]:
    """The kernels with an image and headers, by series, from names of packages by release.

    A series of which only images are offered has an empty list.
    """
    found: dict[str, list[Offer]] = {}

    for release, names in packages.items():
        kinds: dict[str, set[str]] = {}
        for match in filter(None, map(_NAME.fullmatch, names)):
            kinds.setdefault(match[2], set()).add(match[1])
            found.setdefault(f"{match[3]}.{match[4]}", [])

        for version, has in kinds.items():
            if "headers" in has and has & {"image", "binary"}:
                major, minor = age(version)[:2]
                found[f"{major}.{minor}"].append(Offer(version, release, "binary" in has))

    return found


def newest(series: Series, packages: Mapping[str, Sequence[str]]) -> Offer:
    """The newest patch release of a series; raises KrcsimError where there is none."""
    found = offers(packages)
    if found.get(series.name):
        return max(found[series.name], key=lambda offer: age(offer.version))

    others = sorted((name for name, some in found.items() if some), key=age)
    rest = f"it offers {', '.join(others)}" if others else "it offers no other kernel either"
    lack = "images but no headers" if series.name in found else "no kernel"
    raise KrcsimError(
        f"apt offers {lack} of Linux {series.name} any more ({rest}, in "
        f"{', '.join(packages)}); choose another series with --kernel, or use a build of before"
    )
