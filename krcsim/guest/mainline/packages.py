# SPDX-License-Identifier: GPL-2.0-only
"""Packages of newer releases of Debian, through an apt state of its own.

It reads them from the mirror that apt uses here. The lists, sources and packages of the host stay
as they are, and nothing is installed.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from krcsim.base.errors import KrcsimError
from krcsim.guest.commands import ended
from krcsim.guest.mainline.offers import KERNELS

# The releases by name, with the suites of each. A kernel is built with the compiler and the
# libraries of its own release.
RELEASES = {
    "bookworm": ("bookworm", "bookworm-security"),
    "trixie": ("trixie", "trixie-backports", "trixie-security"),
    "sid": ("sid",),
}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# What a kernel's makefiles run, besides what its headers ask for.
BUILD_TOOLS = "make dash coreutils sed mawk grep findutils binutils".split()

# What the host has apt run besides: it would change the host.
_HOOKS = (
    "APT::Update::Pre-Invoke",
    "APT::Update::Post-Invoke",
    "APT::Update::Post-Invoke-Success",
    "AptCli::Hooks",
    "DPkg::Pre-Invoke",
    "DPkg::Post-Invoke",
    "DPkg::Pre-Install-Pkgs",
)

_FRESH_S = 24 * 3600.0  # lists that are older are read again
_SECONDS = 900  # for one step: a download over a slow line
_HOST = re.compile(r"(?<=://)[^/ ]+")


class NotDownloadedError(KrcsimError):
    """A package that the lists name could not be had: no network, or the lists are too old."""


@dataclass(frozen=True)
class Apt:
    """An apt state in a folder of its own."""

    folder: Path

    def command(self, tool: str, release: str, *words: str) -> list[str]:
        """A command of apt that sees one release, or all where `release` is "all"."""
        settings = {
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self.folder / "sources" / release,
            "Dir::State::lists": self.folder / "lists",
            "Dir::State::status": "/dev/null",  # nothing is installed: all that is needed is named
            "Dir::Cache": self.folder / "cache",
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "",
            "APT::Install-Recommends": "false",
            "APT::Get::List-Cleanup": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Debug::NoLocking": "true",  # build.py has a lock of its own
        }
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        return [tool, "-q", "-c", str(self.configuration), *options, *words]

    @property
    def configuration(self) -> Path:
        """What apt reads after the host's configuration, whose proxies and keys it needs."""
        return self.folder / "apt.conf"


def mirrors(targets: str) -> dict[str, str]:
    """The sites of Debian's archive and of its security updates, "main" and "security".

    `targets`: lines of `apt-get indextargets` with site, origin and release name. Raises
    KrcsimError where apt has no Debian mirror.
    """
    found: dict[str, str] = {}
    for line in targets.splitlines():
        site, origin, codename = (line.split() + ["", "", ""])[:3]
        if origin == "Debian" and codename:
            kind = "security" if codename.endswith("-security") else "main"
            found.setdefault(kind, site)

    if "main" not in found:
        raise KrcsimError(
            "apt knows no mirror of Debian here, from which the newer kernels come; add a source "
            "of Debian 12 or later and run apt update"
        )
    return found


def sources(sites: dict[str, str], release: str, keyring: Path = KEYRING) -> str:
    """The sources of a release, as apt reads them."""
    blocks: list[str] = []
    for kind, site in sites.items():
        is_security = kind == "security"
        suites = [one for one in RELEASES[release] if one.endswith("-security") == is_security]
        if suites:
            blocks.append(
                f"Types: deb\nURIs: {site}\nSuites: {' '.join(suites)}\nComponents: main\n"
                f"Architectures: amd64\nSigned-By: {keyring}\n"
            )
    return "\n".join(blocks)


def read_at(folder: Path) -> float:
    """When the lists of the apt state in a folder were read, in seconds since 1970; 0: never."""
    stamp = folder / "read"
    return stamp.stat().st_mtime if stamp.is_file() else 0.0


def opened(folder: Path, *, again: bool = False) -> Apt:
    """The apt state of a folder, with lists of at most a day; raises KrcsimError.

    `again`: its lists are read again, however old they are.
    """
    apt = Apt(folder)
    folder.mkdir(parents=True, exist_ok=True)
    apt.configuration.write_text("".join(f"#clear {name};\n" for name in _HOOKS))
    stamp = folder / "read"
    if not again and 0 <= time.time() - read_at(folder) < _FRESH_S:
        return apt

    if not KEYRING.is_file():
        raise KrcsimError(
            f"{KEYRING} is missing, by which apt knows Debian's packages; install: apt install "
            "debian-archive-keyring"
        )
    fields = "$(SITE) $(ORIGIN) $(CODENAME)"
    sites = mirrors(_run(["apt-get", "indextargets", "--format", fields], "apt's sources"))

    stamp.unlink(missing_ok=True)
    for name in ("lists/partial", "cache/archives/partial", "none/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for release in RELEASES:
        text = sources(sites, release)
        for seen_by in (release, "all"):
            (folder / "sources" / seen_by).mkdir(parents=True, exist_ok=True)
            (folder / "sources" / seen_by / f"{release}.sources").write_text(text)

    update = apt.command("apt-get", "all", "-o", "APT::Update::Error-Mode=any", "update")
    _run(update, "reading the lists of packages", "look at the network and at apt's sources")
    stamp.touch()
    return apt


def kernel_packages(apt: Apt) -> dict[str, list[str]]:
    """The names of packages of kernels, by release."""
    return {
        release: [
            line.split()[0]
            for line in _run(
                apt.command("apt-cache", release, "search", "--names-only", KERNELS),
                f"looking for kernels in {release}",
            ).splitlines()
            if line.strip()
        ]
        for release in RELEASES
    }


def version_of(apt: Apt, release: str, package: str) -> str:
    """The version of a package, such as 6.1.192-2."""
    text = _run(
        apt.command("apt-cache", release, "show", "--no-all-versions", package),
        f"looking for {package}",
    )
    found = re.search(r"^Version: (\S+)$", text, re.MULTILINE)
    return found[1] if found else "unknown"


def with_dependencies(apt: Apt, release: str, packages: Sequence[str]) -> list[Path]:
    """Packages and all that they depend on, downloaded; those of before are taken again."""
    none = ["-o", f"Dir::Cache::archives={apt.folder / 'none'}"]  # those there are not printed
    words = [*none, "--yes", "--print-uris", "install", *packages]
    text = _run(apt.command("apt-get", release, *words), f"what {packages[0]} depends on")
    names = [line.split()[1] for line in text.splitlines() if line.startswith("'")]

    words = ["--yes", "--download-only", "install", *packages]
    what = f"the download of {packages[0]} and what it depends on"
    _download(apt.command("apt-get", release, *words), what)
    return [apt.folder / "cache" / "archives" / name for name in names]


def alone(apt: Apt, release: str, package: str, folder: Path) -> Path:
    """A package without those it depends on, downloaded into a new folder."""
    folder.mkdir()
    words = ["-o", f"Dir::Cache::archives={apt.folder / 'cache' / 'archives'}", "download", package]
    _download(apt.command("apt-get", release, *words), f"the download of {package}", folder)
    return next(folder.glob("*.deb"))


def unpack(deb: Path, folder: Path, *patterns: str) -> None:
    """Unpack a package, or the files of it that a pattern fits.

    Folders that are links stay links: in older packages programs lie in /bin, which is /usr/bin.
    """
    skipped = ("./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/lib/systemd")
    taken = ["--wildcards", *patterns] if patterns else [f"--exclude={name}" for name in skipped]
    how = ["--no-same-owner", "--keep-directory-symlink"]
    command = ["tar", "-x", *how, "-C", str(folder), *taken]

    with subprocess.Popen(
        ["dpkg", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as files:
        done = subprocess.run(
            command, stdin=files.stdout, capture_output=True, text=True, check=False
        )
    if done.returncode or files.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        space = " and free some space" if "space" in said[0] else ""
        deb.unlink(missing_ok=True)
        raise KrcsimError(
            f"unpacking {deb.name} failed: tar says {said[0][:160]!r}; the package was thrown "
            f"away: try again{space}"
        )


def _download(command: Sequence[str], what: str, folder: Path | None = None) -> None:
    try:
        _run(command, what, "look at the network", folder)
    except KrcsimError as exc:
        raise NotDownloadedError(str(exc)) from None


def _run(command: Sequence[str], what: str, remedy: str = "", folder: Path | None = None) -> str:
    """What a command prints; raises KrcsimError, without the name of the mirror."""
    if shutil.which(command[0]) is None:
        raise KrcsimError(f"{command[0]} is missing here; measure on a Debian, which has it")
    done = ended(command, what, _SECONDS, folder=folder, remedy="look at the network and try again")

    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:", "Err:"))]
        reason = said[0] if said else done.stderr.strip()[-160:] or "nothing"
        for host in _HOST.findall(reason):
            reason = reason.replace(host, "MIRROR")
        raise KrcsimError(
            f"{what} failed: {command[0]} says {reason[:200]!r}; "
            f"{remedy or 'look at apt and its sources'} and try again"
        )
    return done.stdout
