# SPDX-License-Identifier: GPL-2.0-only
"""The apt state of its own: it leaves the host's alone, and says what to do when it fails."""

from __future__ import annotations

import os
import stat
import tarfile
from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.guest.mainline import compiler, packages

TARGETS = """http://mirror.example/debian Debian bookworm
http://mirror.example/debian Debian bookworm-updates
http://security.example/debian-security Debian bookworm-security
http://other.example/ Other stable
"""


def script(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, body: str) -> None:
    """A program of this name that is found before any other."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "KEYRING", tmp_path / "keyring.gpg")
    packages.KEYRING.touch()


def apt_get(folder: Path, monkeypatch: pytest.MonkeyPatch, update: str) -> None:
    """An apt-get that knows the mirrors of TARGETS, counts updates, and then does `update`."""
    script(
        folder,
        monkeypatch,
        "apt-get",
        f"case \"$*\" in indextargets*) cat <<'END'\n{TARGETS}END\n;; "
        f"*update) echo x >>{folder}/updates; {update};; esac",
    )


def test_the_mirrors_are_those_of_debian_that_apt_uses() -> None:
    assert packages.mirrors(TARGETS) == {
        "main": "http://mirror.example/debian",
        "security": "http://security.example/debian-security",
    }


def test_without_a_mirror_of_debian_the_message_says_what_to_add() -> None:
    with pytest.raises(KrcsimError, match="no mirror of Debian here.* add a source of Debian 12"):
        packages.mirrors("http://archive.example/ubuntu Ubuntu noble\n\n")


def test_each_suite_is_read_from_its_own_site() -> None:
    text = packages.sources(packages.mirrors(TARGETS), "trixie")
    main, security = text.split("\n\n")
    assert "mirror.example" in main
    assert "Suites: trixie trixie-backports\n" in main
    assert "security.example" in security
    assert "Suites: trixie-security\n" in security
    assert "Types: deb\n" in packages.sources({"main": "http://mirror.example/debian"}, "sid")


def test_nothing_that_apt_writes_is_the_hosts(tmp_path: Path) -> None:
    command = packages.Apt(tmp_path).command("apt-get", "sid", "update")
    settings = dict(word.split("=", 1) for word in command if "::" in word)
    for name in ("Dir::State::lists", "Dir::Cache", "Dir::Etc::sourceparts"):
        assert settings[name].startswith(str(tmp_path)), name
    assert settings["Dir::State::status"] == "/dev/null"  # what is installed here plays no part


@pytest.mark.usefixtures("keyring")
def test_no_hook_of_the_host_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's image for containers, for one, empties the host's cache after each update."""
    apt_get(tmp_path, monkeypatch, f'echo "$*" >{tmp_path}/words')
    apt = packages.opened(tmp_path / "apt")
    assert f"-c {apt.configuration}" in (tmp_path / "words").read_text()
    cleared = apt.configuration.read_text()
    for hook in ("APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success", "AptCli::Hooks"):
        assert f"#clear {hook};\n" in cleared


@pytest.mark.usefixtures("keyring")
def test_lists_are_read_once_a_day_or_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt_get(tmp_path, monkeypatch, "true")

    def updates() -> int:
        return (tmp_path / "updates").read_text().count("x")

    packages.opened(tmp_path / "apt")
    packages.opened(tmp_path / "apt")
    assert updates() == 1
    packages.opened(tmp_path / "apt", again=True)
    assert updates() == 2
    os.utime(tmp_path / "apt" / "read", (0, 0))
    packages.opened(tmp_path / "apt")
    assert updates() == 3


@pytest.mark.usefixtures("keyring")
def test_without_a_network_the_message_says_so_and_lists_are_read_again_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = "echo 'E: Failed to fetch http://mirror.example/x: cannot resolve' >&2; exit 100"
    apt_get(tmp_path, monkeypatch, failing)
    for _ in range(2):
        with pytest.raises(KrcsimError, match=r"reading the lists .* look at the network") as told:
            packages.opened(tmp_path / "apt")
    assert "mirror.example" not in str(told.value)
    assert (tmp_path / "updates").read_text().count("x") == 2


def test_without_debians_keys_the_message_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "KEYRING", tmp_path / "none.gpg")
    with pytest.raises(KrcsimError, match="apt install debian-archive-keyring"):
        packages.opened(tmp_path / "apt")


def test_what_a_package_depends_on_is_what_apt_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(
        tmp_path,
        monkeypatch,
        "apt-get",
        'case "$*" in *--print-uris*) echo "\'http://x/a.deb\' libc6_1%3a2_amd64.deb 9 SHA256:0";'
        " echo Need to get 9 B;; esac",
    )
    found = packages.with_dependencies(packages.Apt(tmp_path), "sid", ["make"])
    assert [path.name for path in found] == ["libc6_1%3a2_amd64.deb"]


def test_a_package_cut_short_is_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path, monkeypatch, "dpkg", "echo not an archive; exit 2")
    deb = tmp_path / "x.deb"
    deb.touch()
    with pytest.raises(
        KrcsimError, match=r"unpacking x\.deb failed: .* was thrown away: try again"
    ):
        packages.unpack(deb, tmp_path)
    assert not deb.exists()


def test_programs_in_bin_come_to_lie_in_usr_bin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dash").write_text("a shell")
    with tarfile.open(tmp_path / "files.tar", "w") as tar:
        for folder in (".", "./bin", "./usr/share/doc/dash"):
            one = tarfile.TarInfo(folder)
            one.type, one.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(one)
        tar.add(tmp_path / "dash", "./bin/dash")
        tar.add(tmp_path / "dash", "./usr/share/doc/dash/readme")
    script(tmp_path, monkeypatch, "dpkg", f"cat {tmp_path}/files.tar")

    root = tmp_path / "root"
    compiler.root_of([tmp_path / "dash_1.deb"], root)
    assert (root / "usr" / "bin" / "dash").read_text() == "a shell"
    assert (root / "bin").is_symlink()
    assert (root / "bin" / "sh").read_text() == "a shell"
    assert not (root / "usr" / "share" / "doc" / "dash").exists()


# ---- where the compiler runs


def test_root_makes_a_namespace_and_others_one_of_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path, monkeypatch, "unshare", "exit 0")
    assert compiler.namespace() == ("unshare", "--mount")
    script(tmp_path, monkeypatch, "unshare", '[ "$1" = --user ]')
    assert compiler.namespace() == ("unshare", "--user", "--map-root-user", "--mount")


def test_where_no_namespace_can_be_made_the_message_says_what_to_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path, monkeypatch, "unshare", "echo 'unshare: not permitted' >&2; exit 1")
    with pytest.raises(KrcsimError, match=r"\(unshare: not permitted\).* run as root, or allow"):
        compiler.namespace()


def test_what_does_not_compile_is_said_with_the_first_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "echo 'x.c:3: error: no such thing' >&2; exit 2"
    script(tmp_path, monkeypatch, "unshare", body)
    inside = (str(tmp_path / "bin" / "unshare"),)
    monkeypatch.setattr(compiler, "namespace", lambda: inside)
    with pytest.raises(KrcsimError, match=r"compiling krcstock failed: 'x\.c:3: error: no such"):
        compiler.compiled(tmp_path, "linux-headers-7.3.4", "krcstock")
