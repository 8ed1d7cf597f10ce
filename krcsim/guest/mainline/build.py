# SPDX-License-Identifier: GPL-2.0-only
"""What a guest with a newer kernel boots from: the kernel, the module built for it, an initramfs.

A build is made in a folder of its own and then renamed, under a lock: it is whole or not there. It
is named by the kernel and a digest of the sources, and says itself of which packages it is made.
"""

import errno
import fcntl
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

from krcsim.base.errors import KrcsimError
from krcsim.guest.archive import DIRECTORY, PROGRAM, archive
from krcsim.guest.build import Build, Say, cache_folder, check_host, check_tools
from krcsim.guest.mainline import compiler, packages
from krcsim.guest.mainline.offers import FLAVOUR, Offer, age, newest
from krcsim.guest.mainline.series import Series

MODULE = "krcstock"
TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "apt-get": "apt",
    "apt-cache": "apt",
    "dpkg": "dpkg",
    "tar": "tar",
    "unshare": "util-linux",
    "chroot": "coreutils",
}
NEEDED_BYTES = 1_500_000_000  # while a guest is built; afterwards most of it is free again
_BUILD = 1  # raised when what is built changes though no source of the guest does
_WORK = ".building-mainline-"
_PATIENCE_S = 1200.0  # for another build

# Sources that this module shares with the one that carries the path of April 2020.
_SHARED = ("draws.h", "samples.h")


@dataclass(frozen=True)
class Origin:
    """Of what a build is made: this goes with whatever is measured in it."""

    series: str
    kernel: str  # as uname says it
    patch: str  # the release of kernel.org: 7.3.4
    package: str
    package_version: str
    release: str  # of Debian
    module_digest: str

    def words(self) -> str:
        """One line for people."""
        return (
            f"Linux {self.patch} ({self.kernel}, package version {self.package_version} of "
            f"Debian's {self.release})"
        )


@dataclass(frozen=True)
class MainlineBuild(Build):
    """A folder that a guest with a newer kernel boots from, and of what it is made."""

    module: str = MODULE

    @property
    def origin_file(self) -> Path:
        """Where it is written of what the build is made."""
        return self.folder / "origin.json"

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return super().whole and self.origin_file.is_file()

    @property
    def origin(self) -> Origin:
        """Of what the build is made; raises KrcsimError where that cannot be read."""
        try:
            return Origin(**json.loads(self.origin_file.read_bytes()))
        except (OSError, ValueError, TypeError):
            raise KrcsimError(
                f"{self.origin_file} cannot be read; remove the folder {self.folder} and try again"
            ) from None


def sources() -> dict[str, bytes]:
    """The sources of the module and of the guest, by name."""
    found: dict[str, bytes] = {}
    with resources.as_file(resources.files("krcsim.guest")) as room:
        for path in sorted((room / "mainline" / "module").iterdir()):
            found[path.name] = path.read_bytes()
        for name in _SHARED:
            found[name] = (room / "module" / name).read_bytes()
    return found


def digest(texts: Mapping[str, bytes]) -> str:
    """Twelve digits that change with any source of the guest."""
    digits = hashlib.sha256(str(_BUILD).encode())
    for name, text in sorted(texts.items()):
        digits.update(name.encode() + b"\0" + text + b"\0")
    return digits.hexdigest()[:12]


def ready(
    series: Series, folder: Path | None = None, say: Say = lambda _: None, *, again: bool = False
) -> MainlineBuild:
    """The build for a series, made now if there is none; raises KrcsimError.

    `folder` holds builds side by side. The newest kernel that apt offers is taken when a build is
    made; later that build is used, and apt is not asked. `again`: apt is asked whether it offers a
    newer one. `say` gets a line for what takes time.
    """
    check_host()
    cache = folder or cache_folder()
    if not again and (build := kept(series, cache)):
        return build

    check_tools(TOOLS)
    compiler.namespace()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _alone(cache, say):
            if not again and (build := kept(series, cache)):  # another process was faster
                return build
            _check_space(cache)
            before = packages.read_at(cache / "apt")
            try:
                return _built(series, cache, say, again)
            except packages.NotDownloadedError:
                if packages.read_at(cache / "apt") != before:
                    raise
                return _built(series, cache, say, again=True)  # a mirror drops what is superseded
    except OSError as exc:
        remedy = "free some space" if exc.errno == errno.ENOSPC else "set XDG_CACHE_HOME to another"
        raise KrcsimError(
            f"the guest cannot be built in {cache} ({exc.strerror}); nothing was left behind: "
            f"{remedy}"
        ) from None


def kept(series: Series, cache: Path) -> MainlineBuild | None:
    """The newest whole build of a series in a folder, for the sources as they are."""
    digits = digest(sources())
    found = [
        MainlineBuild(path, path.name.removeprefix("mainline-").removesuffix(f"-{digits}"))
        for path in cache.glob(f"mainline-{series.name}.*-{FLAVOUR}-{digits}")
    ]
    whole = [build for build in found if build.whole]
    return max(whole, key=lambda build: age(build.kernel), default=None)


@contextmanager
def _alone(cache: Path, say: Say) -> Iterator[None]:
    """Hold the lock of a folder of builds; what an interrupted build left there is removed.

    The lock goes with the process that holds it, however that ends.
    """
    with (cache / "mainline.lock").open("w") as lock:
        end = time.monotonic() + _PATIENCE_S
        waits = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as exc:
                if exc.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            if not waits:
                say(f"another guest is being built in {cache}; waiting until that is done")
                waits = True
            if time.monotonic() > end:
                raise KrcsimError(
                    f"another guest has been built in {cache} for {_PATIENCE_S / 60:.0f} minutes; "
                    "wait for it or end it, and try again"
                )
            time.sleep(0.5)

        for left in cache.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _check_space(cache: Path) -> None:
    free = shutil.disk_usage(cache).free
    if free < NEEDED_BYTES:
        raise KrcsimError(
            f"there are {free / 1e9:.1f} GB free for {cache}; building a guest needs "
            f"{NEEDED_BYTES / 1e9:.1f} GB: free some space, or set XDG_CACHE_HOME to a folder on "
            "another disk"
        )


def _built(series: Series, cache: Path, say: Say, again: bool) -> MainlineBuild:
    """A build of the newest kernel of a series that apt offers."""
    say("reading which kernels apt offers")
    apt = packages.opened(cache / "apt", again=again)
    offer = newest(series, packages.kernel_packages(apt))
    texts = sources()
    build = MainlineBuild(cache / f"mainline-{offer.kernel}-{digest(texts)}", offer.kernel)
    if build.whole:
        return build

    say(f"building the guest for Linux {offer.kernel} in {build.folder}, once: a minute or two")
    with tempfile.TemporaryDirectory(dir=cache, prefix=_WORK) as name:
        done = Path(name) / "done"
        done.mkdir()
        _make(apt, series, offer, texts, Path(name), done)
        if build.folder.exists():  # what is not whole is not taken
            shutil.rmtree(build.folder)
        done.rename(build.folder)
    return build


def _make(
    apt: packages.Apt,
    series: Series,
    offer: Offer,
    texts: Mapping[str, bytes],
    work: Path,
    done: Path,
) -> None:
    """Make the build of an offered kernel and these sources in the folder `done`."""
    image = packages.alone(apt, offer.release, offer.image_package, work / "image")
    packages.unpack(image, work / "image", "*/vmlinuz*")
    vmlinuz = [path for path in (work / "image").rglob("vmlinuz*") if path.stat().st_size > 1 << 20]
    if not vmlinuz:
        raise KrcsimError(
            f"{offer.image_package} has no kernel in it; nothing was left behind: report it, and "
            "choose another series with --kernel"
        )
    shutil.copyfile(vmlinuz[0], done / "vmlinuz")

    wanted = [offer.headers_package, *packages.BUILD_TOOLS]
    root = work / "root"
    compiler.root_of(packages.with_dependencies(apt, offer.release, wanted), root)
    (root / "module").mkdir()
    for name, text in texts.items():
        (root / "module" / name).write_bytes(text)
    module = compiler.compiled(root, offer.headers_package, MODULE)

    (done / "base.cpio.gz").write_bytes(_initramfs(texts["init"], module))
    version = packages.version_of(apt, offer.release, offer.image_package)
    origin = Origin(
        series=series.name,
        kernel=offer.kernel,
        patch=version.split("-")[0].split("~")[0],
        package=offer.image_package,
        package_version=version,
        release=offer.release,
        module_digest=digest(texts),
    )
    (done / "origin.json").write_text(json.dumps(asdict(origin), indent=1) + "\n")


def _initramfs(init: bytes, module: bytes) -> bytes:
    """The initramfs but for the jobs."""
    busybox = Path(shutil.which("busybox") or "busybox").read_bytes()
    folders: dict[str, tuple[int, bytes]] = {
        name: (DIRECTORY, b"") for name in ("bin", "dev", "proc", "sys")
    }
    files = {
        "bin/busybox": (PROGRAM, busybox),
        "init": (PROGRAM, init),
        f"{MODULE}.ko": (PROGRAM, module),
    }
    return archive(folders | files)


def all_ready(
    wanted: Sequence[Series], folder: Path | None = None, say: Say = lambda _: None
) -> tuple[dict[str, MainlineBuild], dict[str, str]]:
    """The builds of several series, and for each that cannot be had a sentence on why not."""
    builds: dict[str, MainlineBuild] = {}
    why_not: dict[str, str] = {}
    for series in wanted:
        try:
            builds[series.name] = ready(series, folder, say)
        except KrcsimError as exc:
            why_not[series.name] = str(exc)
    return builds, why_not
