# SPDX-License-Identifier: GPL-2.0-only
"""The recorder in guests of several kernels, under loads that are known: does `krcsim read` find
them again?

    python -m validation.recordings                     the recordings of data/recordings/
    python -m validation.recordings --take FOLDER [--kernels '6.1 7.3'] [--loads 'bursts']

The second takes them again: the guest's module makes the calls while the recorder runs beside it.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_whole
from krcsim.guest.boot import ONE_CPU, Boot, attempt, check
from krcsim.guest.mainline import build
from krcsim.guest.mainline.conditions import SHORT_MIB
from krcsim.guest.mainline.series import listed
from krcsim.model.scenario_file import data_folder
from krcsim.trace.fit import Made
from krcsim.trace.recorder import script
from krcsim.trace.recordings import read_recordings

KERNELS = "6.1 6.12 7.3"
SECONDS = 30
_RUN_MS = 75_000  # of the module, in virtual time: the recorder measures its cost first


@dataclass(frozen=True)
class Load:
    """Calls of the guest's module: its parameters, and what they mean as fields of a scenario."""

    line: str
    arrivals: str
    truth: dict[str, float]
    kernels: tuple[str, ...] = tuple(KERNELS.split())
    boot: Boot = ONE_CPU
    run_ms: int = _RUN_MS
    ends_recorder: bool = False  # by a signal, when the run is over


LOADS = {
    "poisson": Load(
        "period_us=3333 arrival=1 double_pct=30 vmalloc_pct=20 seed=1",
        "poisson",
        {"rate_hz": 300.0, "single_share": 0.7, "vmalloc_share": 0.2},
    ),
    "onoff": Load(
        "period_us=2000 arrival=1 phase_on_us=50000 phase_off_us=150000 double_pct=50 seed=2",
        "onoff",
        {"rate_hz": 125.0, "single_share": 0.5, "on_ms": 50.0, "off_ms": 150.0},
    ),
    "bursts": Load(
        "period_us=20000 arrival=1 burst=8 double_pct=10 vmalloc_pct=50 seed=3",
        "bursts",
        {"rate_hz": 400.0, "single_share": 0.9, "vmalloc_share": 0.5, "burst": 8.0},
    ),
    # A hog takes the memory in episodes, which begin when the recorder is on. What it writes needs
    # memory, so the run is over before.
    "hog": Load(
        "period_us=3333 arrival=1 seed=4 "
        "preobj=1 total=21000 hog=1 hog_us=1000 onset_ms=20000 on_ms=2000 off_ms=5000 epi_exp=1",
        "poisson",
        {},  # callers wait and stall: how many calls they make is what happened, and no truth
        kernels=("6.12",),
        boot=Boot(mib=SHORT_MIB),
        run_ms=70_000,
        ends_recorder=True,
    ),
}


def folder() -> Path:
    """Where the recordings are that come with krcsim."""
    return data_folder() / "recordings"


def path_of(where: Path, kernel: str, load: str) -> Path:
    """The name of a recording."""
    return where / f"{kernel}-{load}.txt.gz"


def made_of(path: Path) -> Made:
    """The scenario of a recording."""
    return read_recordings(path)


def misses(made: Made, load: Load) -> list[str]:
    """The fields whose interval does not hold the truth."""
    found = []
    for name, true in load.truth.items():
        value = made.values.get(f"workload.{name}")
        limits = value.limits if value else None
        if limits is None or not limits.low <= true <= limits.high:
            found.append(name)
    return found


def jobs_of(load: Load) -> list[str]:
    """The lines for the guest: its shell starts the recorder, then the module makes the calls."""
    seconds = 2 * SECONDS if load.ends_recorder else SECONDS
    recorder = script(seconds, 4, "/rec", keep_names=False, command="krcsim record", most_cpu=100.0)
    packed = base64.b64encode(recorder.encode()).decode()
    return [
        "!/bin/busybox --install -s /bin",
        "!mount -t tracefs nodev /sys/kernel/tracing; mkdir /tmp",
        f"!echo {packed} | base64 -d >/record.sh",
        "!(sleep 1; sh -c 'echo $$ >/pid; exec sh /record.sh'; echo $? >/ended) >/said 2>&1 &",
        f"{load.line} dur_ms={load.run_ms} settle_ms=10",
        *(["!kill -TERM $(cat /pid)"] if load.ends_recorder else []),
        "!while [ ! -e /ended ]; do sleep 1; done; cat /said; zcat /rec/*.gz",
    ]


@dataclass(frozen=True)
class Said:
    """What a guest with a recorder says: the archive, and the module's result as JSON."""

    archive: str
    result: str


def guest_says(kernel: str, load: Load) -> Said:
    """What the recorder and the module say in a guest; raises KrcsimError."""
    (series,) = listed(kernel)
    made = build.ready(series, say=_note)
    jobs = jobs_of(load)
    left = attempt(made, jobs, load.boot, seconds=1800.0)
    check(left, made.module, jobs)
    begin, end = left.results.find("#@krcsim-recording"), left.results.find("#@end")
    if not 0 <= begin < end:
        raise KrcsimError(
            f"the recorder left no archive in the guest of Linux {kernel}; it said: "
            f"{left.results[-200:]!r}; run it again"
        )
    result = next((one for one in left.results.splitlines() if one.startswith('{"label"')), "")
    return Said(left.results[begin : end + len("#@end\n")], result)


def taken(kernel: str, load: Load) -> bytes:
    """The archive that the recorder writes in a guest; raises KrcsimError."""
    return gzip.compress(guest_says(kernel, load).archive.encode(), 9, mtime=0)


def _note(text: str) -> None:
    print(text, file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Take recordings if asked to, then hold what is read against what was done."""
    parser = argparse.ArgumentParser(prog="python -m validation.recordings", description=__doc__)
    parser.add_argument("--take", type=Path, metavar="FOLDER", help="where new ones are written")
    parser.add_argument("--kernels", default=KERNELS)
    parser.add_argument("--loads", default=" ".join(LOADS))
    args = parser.parse_args(argv)
    where = args.take or folder()
    asked = missed = 0
    for kernel in args.kernels.split():
        for name in args.loads.split():
            if kernel not in LOADS[name].kernels:
                continue
            path = path_of(where, kernel, name)
            if args.take:
                args.take.mkdir(parents=True, exist_ok=True)
                write_whole(path, taken(kernel, LOADS[name]), overwrite=True)
            made = made_of(path)
            wrong = misses(made, LOADS[name])
            asked += len(LOADS[name].truth)
            missed += len(wrong)
            for field, true in LOADS[name].truth.items():
                value = made.values.get(f"workload.{field}")
                mark = " (!)" if field in wrong else ""
                said = value.words() if value else "not found"
                print(f"{kernel:5} {name:8} {field:14} {true:<6g} {said}{mark}")
    print(f"{asked - missed} of {asked} intervals hold the truth")
    return 0


if __name__ == "__main__":
    sys.exit(main())
