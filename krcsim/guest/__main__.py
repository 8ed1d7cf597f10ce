# SPDX-License-Identifier: GPL-2.0-only
"""The harness without a scenario: `python -m krcsim.guest build`, and `... run JOBFILE`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from krcsim.base.errors import KrcsimError
from krcsim.base.reading import read_text
from krcsim.guest.boot import Boot, run
from krcsim.guest.build import Build, Say, ready
from krcsim.guest.mainline import build as mainline
from krcsim.guest.mainline.series import SERIES, listed


def main(argv: Sequence[str] | None = None) -> int:
    """Build the guest, or run a job file in it; 0, or 2 with one line on what to mend."""
    parser = argparse.ArgumentParser(prog="python -m krcsim.guest", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where builds are kept")
    parser.add_argument(
        "--kernel",
        metavar="SERIES",
        help=f"the kfree_rcu() of a newer kernel itself: {', '.join(SERIES)}",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    make = verbs.add_parser("build", help="build the guest if it is not there, and say where it is")
    make.add_argument(
        "--newest", action="store_true", help="with --kernel: ask apt for a newer patch release"
    )
    take = verbs.add_parser(
        "run", help="run a job file: a line of module parameters is one experiment"
    )
    take.add_argument("jobs", type=Path, metavar="JOBFILE")
    take.add_argument(
        "--cpus", type=int, default=1, choices=range(1, 9), metavar="N", help="CPUs (1)"
    )
    take.add_argument(
        "--mib", type=int, default=512, metavar="N", help="memory of the guest in MiB (512)"
    )
    take.add_argument("--real", action="store_true", help="real time on one CPU too")
    take.add_argument(
        "--append",
        default="",
        metavar="WORDS",
        help="for the kernel's command line, e.g. preempt=full",
    )
    args = parser.parse_args(argv)
    try:
        if args.verb == "build":
            for build in _builds(args, args.newest):
                print(build.folder)
            return 0
        if not 96 <= args.mib <= 4096:
            raise KrcsimError(f"--mib is {args.mib}; allowed: 96 to 4096 MiB")
        jobs = read_text(
            args.jobs, "job file", "give a text file with a line of module parameters an experiment"
        )
        build, *others = _builds(args)
        if others:
            raise KrcsimError(f"--kernel is {args.kernel}; allowed: one series to run jobs in")
        for row in run(build, jobs.splitlines(), Boot(args.cpus, args.mib, args.real, args.append)):
            print(json.dumps(row))
    except KrcsimError as exc:
        sys.stderr.write(f"krcsim: {exc}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nkrcsim: stopped; nothing was written\n")
        return 130
    return 0


def _builds(args: argparse.Namespace, again: bool = False) -> list[Build]:
    """The build of each series that is asked for, or that with the code of April 2020."""
    say: Say = _note
    if not args.kernel:
        return [ready(args.folder, say)]
    return [mainline.ready(one, args.folder, say, again=again) for one in listed(args.kernel)]


def _note(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
