# SPDX-License-Identifier: GPL-2.0-only
"""What a guest boots from: a Debian kernel, the measuring module built for it, and an initramfs.

The initramfs holds busybox. Packages are only unpacked, so that nothing of the host changes and
root is not needed. The folder is made whole or not at all, and named by the kernel and a digest of
the sources.
"""

import errno
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from krcsim.base.errors import KrcsimError
from krcsim.guest.archive import DIRECTORY, PROGRAM, archive
from krcsim.guest.commands import ended

PINNED = "6.1.0-50-cloud-amd64"  # the kernel of data/kernel-runs
_FLAVOUR = r"^linux-image-6\.1\.0-[0-9]+-cloud-amd64$"
SYSTEM_HEADERS = Path("/usr/src")

# Debian's package of each tool.
TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "gcc": "gcc",
    "make": "make",
    "strip": "binutils",
    "dpkg": "dpkg",
    "apt-get": "apt",
    "apt-cache": "apt",
}
_SECONDS = 500  # for one step: a download over a slow line
_BUILD = 2  # raised when what is built changes though no source of the guest does

Say = Callable[[str], None]


@dataclass(frozen=True)
class Build:
    """A folder that a guest boots from, the version of its kernel, and the module in it."""

    folder: Path
    kernel: str
    module: str = "krcmeter"

    @property
    def image(self) -> Path:
        """The kernel."""
        return self.folder / "vmlinuz"

    @property
    def initramfs(self) -> Path:
        """The initramfs but for the jobs."""
        return self.folder / "base.cpio.gz"

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return self.image.is_file() and self.initramfs.is_file()


def sources() -> Path:
    """The folder with the sources of the guest: krcsim/guest/module, also where it is installed."""
    with resources.as_file(resources.files("krcsim.guest")) as room:
        return room / "module"


def digest() -> str:
    """Twelve digits that change with any source of the guest."""
    digits = hashlib.sha256(str(_BUILD).encode())
    for path in sorted(sources().iterdir()):
        digits.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digits.hexdigest()[:12]


def cache_folder() -> Path:
    """Where builds are kept unless a folder is named."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "krcsim"


def ready(folder: Path | None = None, say: Say = lambda _: None) -> Build:
    """The build for the sources as they are, made now if it is not there; raises KrcsimError.

    `folder` holds builds side by side. `say` gets a line for what takes time, and a line if another
    kernel had to be taken.
    """
    check_host()
    cache = folder or cache_folder()

    pinned = Build(cache / f"kernel-{PINNED}-{digest()}", PINNED)
    if pinned.whole:
        return pinned

    check_tools(TOOLS)
    kernel = _offered(say)
    build = Build(cache / f"kernel-{kernel}-{digest()}", kernel)
    if build.whole:
        return build

    say(f"building the guest for Linux {kernel} in {build.folder}, once")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".building-") as name:
            _make(Path(name), kernel)
            _move(Path(name) / "done", build)
    except OSError as exc:
        place = "free some space" if exc.errno == errno.ENOSPC else "choose another with --folder"
        raise KrcsimError(
            f"the guest cannot be built in {cache} ({exc.strerror}); nothing was left behind: "
            f"{place}"
        ) from None
    return build


def check_host() -> None:
    """Raise KrcsimError on a machine that cannot build or run the guest."""
    if platform.machine() != "x86_64":
        raise KrcsimError(
            f"this machine is {platform.machine()}; the guest is an x86-64 kernel and its module "
            "is built with a compiler for that: measure on an x86-64 machine, or use the "
            "recordings in data/kernel-runs"
        )


def check_tools(tools: dict[str, str]) -> None:
    """Raise KrcsimError if one of the tools is missing here; `tools` names the package of each."""
    missing = sorted({package for tool, package in tools.items() if not shutil.which(tool)})
    if "apt" in missing or "dpkg" in missing:
        raise KrcsimError(
            "the guest is built from Debian's packages and this machine has no apt: build on "
            "Debian or Ubuntu, or copy a build folder from there and name it with --folder"
        )
    if missing:
        raise KrcsimError(
            f"{', '.join(missing)} missing here; install: apt install {' '.join(missing)}"
        )

    busybox = Path(shutil.which("busybox") or "")
    if "busybox" in tools and busybox.is_file() and b"/ld-linux" in busybox.read_bytes()[:100_000]:
        raise KrcsimError(
            f"{busybox} needs shared libraries, which the guest has not; install: apt install "
            "busybox-static"
        )


def _offered(say: Say) -> str:
    """The pinned kernel, or the newest of its kind that apt offers."""
    if _succeeds(["apt-cache", "show", f"linux-image-{PINNED}"]):
        return PINNED

    lines = _output(["apt-cache", "search", "--names-only", _FLAVOUR]).splitlines()
    versions = [line.split()[0].removeprefix("linux-image-") for line in lines if line.strip()]
    if not versions:
        raise KrcsimError(
            f"apt offers neither Linux {PINNED} nor another 6.1 cloud kernel (Debian 12 has them); "
            "add Debian 12 to apt's sources and run apt update"
        )

    newest = max(
        versions, key=lambda version: [int(digits) for digits in re.findall(r"\d+", version)]
    )
    say(
        f"NOTE: apt does not offer Linux {PINNED}, of which the recordings are; taking {newest}: "
        "numbers may move"
    )
    return newest


def _make(folder: Path, kernel: str) -> None:
    """Make the build in folder/done."""
    done = folder / "done"
    done.mkdir()
    _unpack([f"linux-image-{kernel}"], folder / "image")
    shutil.copyfile(folder / "image" / "boot" / f"vmlinuz-{kernel}", done / "vmlinuz")

    module = folder / "module"
    headers = _headers(kernel, folder / "headers")
    shutil.copytree(sources(), module)
    _run(["make", "-C", str(headers), f"M={module}", "modules"], "the module")

    # The path of the folder is in these sections; without them the module is the same wherever it
    # is built.
    ko = module / "krcmeter.ko"
    with_paths = ["--strip-debug", "-R", ".note.gnu.build-id", "-R", ".BTF"]
    _run(["strip", *with_paths, str(ko)], "the module")

    busybox = Path(shutil.which("busybox") or "busybox").read_bytes()
    folders = {name: (DIRECTORY, b"") for name in ("bin", "dev", "proc", "sys")}
    (done / "base.cpio.gz").write_bytes(
        archive(
            folders
            | {
                "bin/busybox": (PROGRAM, busybox),
                "init": (PROGRAM, (sources() / "init").read_bytes()),
                "krcmeter.ko": (PROGRAM, ko.read_bytes()),
            }
        )
    )


def _headers(kernel: str, folder: Path) -> Path:
    """The headers of the kernel: those installed, or unpacked into a folder."""
    installed = SYSTEM_HEADERS / f"linux-headers-{kernel}"
    if (installed / "Makefile").is_file() and (installed / "scripts").is_dir():
        return installed

    common = "linux-headers-" + re.sub(r"-cloud-amd64$", "-common", kernel)
    _unpack([f"linux-headers-{kernel}", common, "linux-kbuild-6.1"], folder)
    tree = folder / "usr" / "src"
    (tree / f"linux-headers-{kernel}" / "Makefile").write_text(
        f"include {tree / common}/Makefile\n"
    )
    return tree / f"linux-headers-{kernel}"


def _unpack(packages: Sequence[str], folder: Path) -> None:
    """Download Debian packages and unpack them into a new folder."""
    folder.mkdir()
    _run(
        ["apt-get", "-q", "-o", "APT::Sandbox::User=", "download", *packages],
        "the download of " + ", ".join(packages),
        folder,
        "look at apt's sources and the network",
    )
    for deb in sorted(folder.glob("*.deb")):
        _run(["dpkg", "-x", str(deb), str(folder)], f"unpacking {deb.name}")
        deb.unlink()


def _move(done: Path, build: Build) -> None:
    try:
        done.rename(build.folder)
    except OSError:
        if not build.whole:  # else another process was faster
            raise


def _run(command: Sequence[str], what: str, folder: Path | None = None, remedy: str = "") -> None:
    done = ended(command, what, _SECONDS, folder=folder)

    if done.returncode:
        lines = [line for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
        reasons = (
            line for line in lines if "rror" in line or line.startswith("E:") or "space" in line
        )
        reason = next(reasons, lines[-1] if lines else "nothing")
        raise KrcsimError(
            f"{what} failed: {command[0]} says {reason.strip()[:200]!r}; {remedy or 'mend that'} "
            "and try again"
        )


def _succeeds(command: Sequence[str]) -> bool:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.stdout
