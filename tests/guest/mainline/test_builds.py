# SPDX-License-Identifier: GPL-2.0-only
"""A build is whole or not there, made once, and made by one at a time."""

from __future__ import annotations

import fcntl
import json
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.guest.mainline import build, compiler, packages
from krcsim.guest.mainline.offers import Offer
from krcsim.guest.mainline.series import SERIES, Series

SEVEN = SERIES["7.3"]
Usage = namedtuple("Usage", "total used free")


class Offered:
    """An apt that offers one kernel, and counts what is built of it."""

    def __init__(self) -> None:
        self.version = "7.3.4+deb13"
        self.made: list[str] = []
        self.asked = 0
        self.fails: BaseException | None = None

    def opened(self, folder: Path, *, again: bool = False) -> packages.Apt:
        self.asked += 1 + again
        return packages.Apt(folder)

    def names(self, _: packages.Apt) -> dict[str, list[str]]:
        kernel = f"{self.version}-cloud-amd64"
        return {"trixie": [f"linux-binary-{kernel}", f"linux-headers-{kernel}"]}

    def make(
        self,
        _: packages.Apt,
        series: Series,
        offer: Offer,
        texts: dict[str, bytes],
        work: Path,
        done: Path,
    ) -> None:
        assert work.is_dir()
        assert texts == build.sources()
        (done / "vmlinuz").write_bytes(b"kernel")
        if self.fails:
            raise self.fails
        (done / "base.cpio.gz").write_bytes(b"files")
        origin = build.Origin(
            series.name, offer.kernel, "7.3.4", offer.image_package, "7.3.4-1", offer.release, "d"
        )
        (done / "origin.json").write_text(json.dumps(origin.__dict__))
        self.made.append(offer.kernel)


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Offered:
    apt = Offered()
    monkeypatch.setattr(build, "check_tools", lambda _: None)
    monkeypatch.setattr(build, "check_host", lambda: None)
    monkeypatch.setattr(compiler, "namespace", lambda: ("unshare",))
    monkeypatch.setattr(packages, "opened", apt.opened)
    monkeypatch.setattr(packages, "kernel_packages", apt.names)
    monkeypatch.setattr(build, "_make", apt.make)
    return apt


def test_a_build_is_made_once_and_then_apt_is_not_asked(tmp_path: Path, offered: Offered) -> None:
    first = build.ready(SEVEN, tmp_path)
    assert first.whole
    assert build.ready(SEVEN, tmp_path) == first
    assert (len(offered.made), offered.asked) == (1, 1)
    assert first.origin.words() == (
        "Linux 7.3.4 (7.3.4+deb13-cloud-amd64, package version 7.3.4-1 of Debian's trixie)"
    )


def test_a_newer_patch_release_is_taken_when_asked_for(tmp_path: Path, offered: Offered) -> None:
    build.ready(SEVEN, tmp_path)
    offered.version = "7.3.10+deb13"
    assert build.ready(SEVEN, tmp_path).kernel.startswith("7.3.4")
    assert build.ready(SEVEN, tmp_path, again=True).kernel.startswith("7.3.10")
    assert build.ready(SEVEN, tmp_path).kernel.startswith("7.3.10")  # not .4, which is there too


def test_a_kernel_of_another_series_is_not_taken(tmp_path: Path, offered: Offered) -> None:
    offered.version = "7.30.1+deb13"
    with pytest.raises(KrcsimError, match=r"no kernel of Linux 7\.3 any more"):
        build.ready(SEVEN, tmp_path)


@pytest.mark.parametrize("fails", [KeyboardInterrupt(), KrcsimError("no"), OSError(28, "full")])
def test_an_interrupted_build_leaves_nothing_that_is_taken_for_whole(
    tmp_path: Path, offered: Offered, fails: BaseException
) -> None:
    offered.fails = fails
    with pytest.raises((KeyboardInterrupt, KrcsimError)):
        build.ready(SEVEN, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mainline.lock"]

    offered.fails = None
    assert build.ready(SEVEN, tmp_path).whole


@pytest.mark.usefixtures("offered")
def test_what_a_killed_build_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".building-mainline-x" / "root").mkdir(parents=True)
    (tmp_path / ".building-other").mkdir()
    build.ready(SEVEN, tmp_path)
    assert not (tmp_path / ".building-mainline-x").exists()
    assert (tmp_path / ".building-other").exists()


def test_a_folder_that_lacks_a_file_is_built_anew(tmp_path: Path, offered: Offered) -> None:
    one = build.ready(SEVEN, tmp_path)
    one.origin_file.unlink()
    assert build.kept(SEVEN, tmp_path) is None
    assert build.ready(SEVEN, tmp_path).whole
    assert len(offered.made) == 2


def test_two_at_once_make_one_build(tmp_path: Path, offered: Offered) -> None:
    found: list[build.MainlineBuild] = []
    threads = [
        threading.Thread(target=lambda: found.append(build.ready(SEVEN, tmp_path)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert len(offered.made) == 1


def test_who_comes_second_is_told_and_in_the_end_given_up(
    tmp_path: Path, offered: Offered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_PATIENCE_S", -1.0)
    said: list[str] = []
    with (tmp_path / "mainline.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(KrcsimError, match="another guest has been built.* wait for it or end"):
            build.ready(SEVEN, tmp_path, said.append)
    assert said == [f"another guest is being built in {tmp_path}; waiting until that is done"]
    assert not offered.asked


def test_too_little_space_is_said_before_anything_is_downloaded(
    tmp_path: Path, offered: Offered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build.shutil, "disk_usage", lambda _: Usage(9e9, 8e9, 1.4e9))
    with pytest.raises(
        KrcsimError, match=r"1\.4 GB free .* needs 1\.5 GB: free some space, or set"
    ):
        build.ready(SEVEN, tmp_path)
    assert not offered.asked


def test_where_the_mirror_has_dropped_a_package_the_lists_are_read_again_once(
    tmp_path: Path, offered: Offered, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered.fails = packages.NotDownloadedError("404")
    with pytest.raises(KrcsimError, match="404"):
        build.ready(SEVEN, tmp_path)
    assert offered.asked == 3  # once, and then again with new lists

    read = iter(range(9))
    monkeypatch.setattr(packages, "read_at", lambda _: next(read))  # these were new
    offered.asked = 0
    with pytest.raises(KrcsimError, match="404"):
        build.ready(SEVEN, tmp_path)
    assert offered.asked == 1


@pytest.mark.usefixtures("offered")
def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KrcsimError, match="cannot be built in .* set XDG_CACHE_HOME to another"):
        build.ready(SEVEN, tmp_path / "file" / "cache")


def test_another_architecture_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(KrcsimError, match="this machine is aarch64.* measure on an x86-64 machine"):
        build.ready(SEVEN, tmp_path)


def test_missing_tools_are_named_with_their_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "check_host", lambda: None)
    monkeypatch.setattr(build, "TOOLS", {"no-such-emulator": "qemu-system-x86"})
    with pytest.raises(KrcsimError, match="qemu-system-x86 missing here; install: apt install"):
        build.ready(SEVEN, tmp_path)


@pytest.mark.usefixtures("offered")
def test_one_series_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    builds, failures = build.all_ready([SERIES["6.1"], SEVEN], tmp_path)
    assert list(builds) == ["7.3"]
    assert "no kernel of Linux 6.1 any more" in failures["6.1"]


def test_the_digest_is_that_of_all_sources() -> None:
    texts = build.sources()
    assert {"krcstock.c", "init", "Makefile", "draws.h", "samples.h"} <= set(texts)
    for name in texts:
        assert build.digest(texts | {name: texts[name] + b"\n"}) != build.digest(texts), name
