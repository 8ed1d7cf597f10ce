# SPDX-License-Identifier: GPL-2.0-only
"""What the tests use besides Python, and which Debian packages bring it: `python3 tests/needs.py
test`.

Asked before anything long is done: by `make test` and `make validate`, by .ci/run (`--packages`),
and by the tests themselves, which skip what is not here. It needs no more than Python's own
library.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Need:
    """A tool that some tests of make `of` use: its name, whether it is here, and the packages that
    bring it.
    """

    name: str
    of: str
    here: Callable[[], bool]
    packages: tuple[str, ...]

    def reason(self) -> str:
        """Why a test is skipped without it."""
        return f"{self.name} is not here; on Debian: apt install {' '.join(self.packages)}"


def works(*command: str) -> bool:
    """Whether a command can be run and says that all is well."""
    try:
        return (
            subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
        )
    except OSError:
        return False


def sends_mail() -> bool:
    """git send-email asks for Perl modules only when it is used; Debian's package but recommends
    them.
    """
    try:
        folder = subprocess.run(
            ["git", "--exec-path"], capture_output=True, text=True
        ).stdout.strip()
    except OSError:
        return False
    there = bool(folder) and shutil.which("git-send-email", path=folder) is not None
    return there and works("perl", "-MMail::Address", "-MNet::SMTP", "-e", "1")


def browser() -> str | None:
    """The path of a Chromium."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def compiles() -> bool:
    """Whether there is a C compiler with the headers of a C library."""
    return works("sh", "-c", "echo '#include <stdio.h>' | gcc -E - >/dev/null")


def is_static(tool: str) -> bool:
    """Whether a tool runs in a guest that has no libraries."""
    path = shutil.which(tool)
    return path is not None and b"/ld-linux" not in Path(path).read_bytes()[:65536]


MAIL = Need(
    "git send-email with Perl's Mail::Address",
    "test",
    sends_mail,
    ("git-email", "libmailtools-perl"),
)
BROWSER = Need("Chromium", "test", lambda: browser() is not None, ("chromium", "fonts-liberation"))
QEMU = Need(
    "QEMU for x86",
    "validate",
    lambda: shutil.which("qemu-system-x86_64") is not None,
    ("qemu-system-x86",),
)
BUSYBOX = Need("a static busybox", "validate", lambda: is_static("busybox"), ("busybox-static",))
COMPILER = Need("a C compiler", "validate", compiles, ("gcc", "libc6-dev"))
NEEDS = (MAIL, BROWSER, QEMU, BUSYBOX, COMPILER)


def sentence(lacking: list[Need], strict: bool) -> str:
    """What is not here, what follows from it, and what to install."""
    names = ", ".join(need.name for need in lacking)
    packages = " ".join(package for need in lacking for package in need.packages)
    then = "and nothing may be skipped" if strict else "so the tests that use it are skipped"
    return f"Not on this machine: {names}, {then}; on Debian: apt install {packages}"


def main(argv: list[str] | None = None) -> int:
    """Say in one sentence what is not here, or with --packages a package a line; 1 if nothing may
    be skipped.
    """
    asked = argparse.ArgumentParser(prog="needs.py", description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    asked.add_argument("what", choices=("test", "validate", "all"))
    asked.add_argument(
        "--packages", action="store_true", help="a missing Debian package a line, and nothing else"
    )
    args = asked.parse_args(argv)
    lacking = [need for need in NEEDS if args.what in (need.of, "all") and not need.here()]
    if args.packages:
        sys.stdout.write("".join(f"{package}\n" for need in lacking for package in need.packages))
        return 0
    strict = bool(os.environ.get("KRCSIM_NO_SKIP"))
    if lacking:
        sys.stderr.write(sentence(lacking, strict) + "\n")
    return 1 if lacking and strict else 0


if __name__ == "__main__":
    sys.exit(main())
