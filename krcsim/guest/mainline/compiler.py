# SPDX-License-Identifier: GPL-2.0-only
"""A folder with the compiler of a kernel, and what it compiles in there.

The packages are only unpacked. The compiler then sees the folder as its root, in a namespace of its
own: as root, or as a user where the kernel of the host allows user namespaces.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from krcsim.base.errors import KrcsimError
from krcsim.guest.commands import ended
from krcsim.guest.mainline.packages import unpack

_SECONDS = 500
_MERGED = ("bin", "sbin", "lib", "lib64")  # links to the folders of this name in usr
_LINKS = {"usr/bin/sh": "dash", "usr/bin/awk": "mawk"}  # that Debian makes when it installs

# $1 is the folder. What is mounted is gone with the namespace.
_INSIDE = 'mount --rbind /proc "$1/proc" && mount --rbind /dev "$1/dev" && cd / && exec chroot "$@"'


def namespace() -> tuple[str, ...]:
    """The command that gives another a namespace of its own; raises KrcsimError where none may."""
    said = "unshare is missing"
    for options in (("--mount",), ("--user", "--map-root-user", "--mount")):
        try:
            done = subprocess.run(
                ["unshare", *options, "true"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            break
        if not done.returncode:
            return ("unshare", *options)
        said = done.stderr.strip()[-100:]

    raise KrcsimError(
        f"no namespace can be made here ({said}), in which the kernel's own compiler could run; "
        "run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, in a "
        "container its option for them)"
    )


def root_of(debs: Sequence[Path], folder: Path) -> None:
    """Unpack a compiler and all it needs into a new folder."""
    folder.mkdir()
    for name in _MERGED:
        (folder / "usr" / name).mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(f"usr/{name}")
    for name in ("proc", "tmp", "dev"):
        (folder / name).mkdir()

    for deb in debs:
        unpack(deb, folder)

    for name, target in _LINKS.items():
        if not (folder / name).exists():
            (folder / name).symlink_to(target)


def compiled(root: Path, headers: str, module: str) -> bytes:
    """The module of the sources in root/module, without debug information; raises KrcsimError.

    The path of the folder is not in it: the same sources give the same module.
    """
    make = (
        f"make -s -C /usr/src/{headers} M=/module CONFIG_DEBUG_INFO_BTF_MODULES= modules && "
        f"strip --strip-debug -R .note.gnu.build-id -R .BTF /module/{module}.ko"
    )
    command = [*namespace(), "sh", "-c", _INSIDE, "sh", str(root), "sh", "-c", make]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/"}
    done = ended(command, f"compiling {module}", _SECONDS, environment=environment)

    made = root / "module" / f"{module}.ko"
    if done.returncode or not made.is_file():
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        reason = next((line for line in lines if "rror" in line), lines[-1] if lines else "nothing")
        raise KrcsimError(
            f"compiling {module} failed: {reason.strip()[:200]!r}; nothing was left behind: mend "
            "that, or choose another kernel with --kernel"
        )
    return made.read_bytes()
