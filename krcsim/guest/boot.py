# SPDX-License-Identifier: GPL-2.0-only
"""Boot a guest, give it experiments, and take their results: all of them or none.

With one CPU each instruction takes 8 ns of virtual time and idle time is skipped, so that counts do
not depend on the load of the host. More CPUs, or `real`, run in real time, and are not repeatable.
"""

import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from krcsim.base import cells
from krcsim.base.errors import KrcsimError, shown
from krcsim.base.reading import read_json
from krcsim.guest.archive import FILE, archive
from krcsim.guest.build import Build

LONGEST_MS = 600_000  # of a run, in virtual time; the module refuses more too
MOST_SECONDS = 3600.0  # of a guest, whatever its jobs
_USUAL_MS = 3000  # dur_ms of the module
_LATENCY_S = 6  # virtual time of a run with mode=1, which measures synchronize_rcu()

_PANIC = re.compile(r"kernel BUG at|Kernel panic|Oops|general protection fault|Unable to handle")
_COMPLAINT = re.compile(r"BUG:|WARNING:|rcu.*\bstall|blocked for more than|soft lockup|Call Trace:")

# The patch asks with GFP_KERNEL | __GFP_ATOMIC: where memory is really short the page allocator
# warns of that, once.
_KNOWN = re.compile(r"WARNING: CPU: \d+ PID: \d+ at mm/page_alloc\.c:\d+")

Row = dict[str, Any]  # one result of the guest


@dataclass(frozen=True)
class Boot:
    """How a guest is booted; jobs that share it can share a guest."""

    cpus: int = 1
    mib: int = 512  # memory of the guest
    real: bool = False  # real time on one CPU too
    append: str = ""  # words for the kernel's command line
    counted: bool = False  # instructions are the time of several CPUs too; 6.1 does not boot so

    @property
    def timing(self) -> str:
        """`icount` where time is counted in instructions, else `realtime`."""
        return "icount" if (self.cpus == 1 or self.counted) and not self.real else "realtime"

    def machine(self) -> list[str]:
        """The arguments of QEMU."""
        clock = "-accel tcg,thread=multi"
        if self.timing == "icount":
            clock = (
                "-accel tcg,thread=single -icount shift=3,sleep=off -rtc base=2020-01-01,clock=vm"
            )
        size = f"-smp {self.cpus} -m {self.mib}M -cpu qemu64"
        return f"{clock} {size} -nodefaults -no-reboot -display none".split()

    def command_line(self) -> str:
        """The command line of the kernel."""
        return f"console=ttyS0 nokaslr oops=panic panic=-1 mitigations=off {self.append}".rstrip()


ONE_CPU = Boot()


@dataclass(frozen=True)
class Attempt:
    """What a guest left behind: the status of QEMU (None: killed after `limit` seconds), what that
    said, the console of the kernel, and the results.
    """

    status: int | None
    said: str
    console: str
    results: str
    limit: float


def experiments(jobs: Sequence[str], module: str = "krcmeter") -> list[str]:
    """The lines that are experiments: not comments, not commands of the guest's shell.

    Raises KrcsimError for a line that the guest, with this module, would not understand.
    """
    kept = [line.strip() for line in jobs if line.strip() and line.strip()[0] not in "#!"]
    for line in kept:
        for word in line.split():
            if "=" not in word or not word.isascii() or '"' in word:
                raise KrcsimError(
                    f"job line {line[:60]!r} holds {word[:30]!r}; allowed: parameter=value, in "
                    f"ASCII and without quotes; the module's parameters stand in {module}.c"
                )

        dur_ms = _number(line, "dur_ms", _USUAL_MS)
        if not 0 < dur_ms <= LONGEST_MS:
            raise KrcsimError(
                f"job line {line[:60]!r} has dur_ms = {dur_ms:g}; allowed: 1 to {LONGEST_MS} ms; "
                "shorten the run, and take more seeds instead"
            )
    return kept


def _number(line: str, name: str, default: float) -> float:
    """A parameter of a job line."""
    found = re.search(rf"(?:^|\s){name}=(\d+)(?:\s|$)", line)
    return float(found[1]) if found else default


def seconds_for(jobs: Sequence[str], boot: Boot) -> float:
    """The time after which a guest with these jobs has hung: generous, but at most an hour."""
    virtual_s = 0.0
    for line in jobs:
        virtual_s += 0.2 + _number(line, "dur_ms", _USUAL_MS) / 1000
        virtual_s += _number(line, "settle_ms", 0) / 1000
        if _number(line, "mode", 0) == 1:
            virtual_s += _LATENCY_S

    return min(MOST_SECONDS, 90.0 + 5.0 * len(jobs) + 6.0 * virtual_s * (1 + boot.cpus))


def run(
    build: Build,
    jobs: Sequence[str],
    boot: Boot = ONE_CPU,
    *,
    seconds: float | None = None,
    stop: threading.Event | None = None,
) -> list[Row]:
    """The results of all experiments, in their order.

    A guest that is not done after `seconds`, or when `stop` is set, is killed. Raises KrcsimError
    if a single result is missing or in doubt.
    """
    wanted = experiments(jobs, build.module)
    left = attempt(build, jobs, boot, seconds=seconds, stop=stop)
    check(left, build.module, wanted)
    return _rows(left, build.module, wanted, boot)


def attempt(
    build: Build,
    jobs: Sequence[str],
    boot: Boot = ONE_CPU,
    *,
    seconds: float | None = None,
    stop: threading.Event | None = None,
) -> Attempt:
    """What a guest leaves behind, however it ends; raises KrcsimError where none can be started."""
    wanted = experiments(jobs, build.module)
    if not wanted:
        raise KrcsimError(
            "there is no experiment among the job lines; write one line of module parameters for "
            "each"
        )

    limit = seconds or seconds_for(wanted, boot)
    try:
        with tempfile.TemporaryDirectory(prefix="krcsim-guest-") as name:
            folder = Path(name)
            lines = "".join(f"{line.strip()}\n" for line in jobs)
            jobs_file = archive({"jobs": (FILE, lines.encode("ascii"))})
            (folder / "initrd").write_bytes(build.initramfs.read_bytes() + jobs_file)

            status = _boot(build, folder, boot, limit, stop)
            console = _text(folder / "console")
            results = _text(folder / "results")
            said = _text(folder / "said")
    except OSError as exc:
        raise KrcsimError(
            f"a guest cannot be started ({exc.strerror}: {exc.filename}); free some space in the "
            "folder for temporary files, or set TMPDIR to another"
        ) from None
    return Attempt(status, said, console, results.replace("\r", ""), limit)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _boot(
    build: Build, folder: Path, boot: Boot, limit: float, stop: threading.Event | None
) -> int | None:
    """The exit status of QEMU; None if its time was over. It never outlives this call."""
    command = [
        "qemu-system-x86_64",
        *boot.machine(),
        "-kernel",
        str(build.image),
        "-initrd",
        str(folder / "initrd"),
        "-append",
        boot.command_line(),
        "-serial",
        f"file:{folder / 'console'}",
        "-serial",
        f"file:{folder / 'results'}",
    ]
    with (folder / "said").open("wb") as said:
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        except FileNotFoundError:
            raise KrcsimError(
                "qemu-system-x86_64 is missing here; install: apt install qemu-system-x86"
            ) from None
        end = time.monotonic() + limit
        try:
            while time.monotonic() < end:
                try:
                    return child.wait(0.2)
                except subprocess.TimeoutExpired:
                    if stop and stop.is_set():
                        raise KrcsimError(
                            "stopped, since another guest failed; mend that one"
                        ) from None
            return None
        finally:
            child.kill()
            child.wait()


def check(left: Attempt, module: str, wanted: Sequence[str]) -> None:
    """Raise KrcsimError if the guest, its kernel or the module went wrong in these experiments."""
    hog = any(_number(line, "hog", 0) for line in wanted)  # memory is really short
    lines = [
        re.sub(r"^\[ *[\d.]+\] ", "", line.strip())
        for line in left.console.splitlines()
        if line.strip()
    ]

    if panic := next((line for line in lines if _PANIC.search(line)), ""):
        raise KrcsimError(
            f"the guest's kernel died: {panic[:160]!r}; no result of it was kept: take the "
            "experiment out or report it"
        )
    if left.status is None:
        last = lines[-1][:160] if lines else "nothing"
        raise KrcsimError(
            f"the guest did not end within {left.limit:.0f} s and was killed; its console ends "
            f"with {last!r}: run shorter experiments, fewer CPUs, or on a less loaded machine"
        )
    if left.status:
        words = left.said.strip().splitlines()[-1:] or ["nothing"]
        raise KrcsimError(
            f"qemu-system-x86_64 ended with status {left.status} and said {words[0][:160]!r}; "
            "mend that"
        )
    if unknown := next((line for line in lines if "unknown parameter" in line.lower()), ""):
        raise KrcsimError(
            f"the module does not know a parameter of a job line: {unknown[:100]!r}; its "
            f"parameters stand in {module}.c"
        )
    if complaint := _first_complaint(lines, hog):
        raise KrcsimError(
            f"the guest's kernel complained: {complaint[:160]!r}; no result of it was kept: take "
            "the experiment out or report it"
        )


def _first_complaint(lines: Sequence[str], hog: bool) -> str:
    """The first warning on the console, or ""; with a hog the known one may come once."""
    known_was_seen = False

    for number, line in enumerate(lines):
        if not _COMPLAINT.search(line):
            continue
        if hog and not known_was_seen and _KNOWN.search(line):
            known_was_seen = True
            continue

        before = lines[max(0, number - 40) : number]
        is_trace_of_known = "Call Trace:" in line and any(_KNOWN.search(other) for other in before)
        if not (known_was_seen and is_trace_of_known):
            return line
    return ""


def row_of(line: str) -> Row:
    """One result of the guest; all but its mode and count is checked where it is used."""
    try:
        row = read_json(line, "it")
        counted = {
            "mode": cells.COUNT,
            "calls" if row.get("mode") != 1 else "idle_normal_n": cells.COUNT,
        }
        wrong = cells.wrong_in_table(counted, row)
    except KrcsimError as exc:
        wrong = str(exc)
    if wrong:
        raise KrcsimError(
            f"a result of the guest cannot be read: {shown(line)} ({wrong}); run it again"
        )
    found: Row = row
    return found


def _rows(left: Attempt, module: str, wanted: Sequence[str], boot: Boot) -> list[Row]:
    """The results of the guest, each with how it was booted."""
    lines = left.results.splitlines()

    if refused := refusal(left, module):
        raise KrcsimError(refused)

    booted = booted_with(lines, boot)
    rows = [row_of(line) | booted for line in lines if line.startswith("{")]

    if len(rows) != len(wanted) or "#done" not in lines:
        done = "said" if "#done" in lines else "did not say"
        raise KrcsimError(
            f"the guest gave {len(rows)} of {len(wanted)} results and {done} that it was done; "
            "none was kept: run it again"
        )
    return rows


def refusal(left: Attempt, module: str) -> str:
    """Which job line the module refused first, and why; or ""."""
    lines = left.results.splitlines()
    failed = next((line for line in lines if line.startswith("#failed")), "")
    if not failed:
        return ""
    reasons = re.findall(rf"{module}: (.*)", left.console)
    reason = reasons[-1] if reasons else "the console does not say why"
    return f"the module refused {failed[8:][:100]!r}: {reason.strip()[:160]}; mend that job line"


def booted_with(lines: Sequence[str], boot: Boot) -> Row:
    """How a guest was booted, of which these lines are the results."""
    head = next((line for line in lines if line.startswith("#guest ")), "")
    return dict(cmdline=" ".join(head.split()[2:]), timing=boot.timing, mib=boot.mib)
