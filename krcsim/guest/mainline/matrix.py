# SPDX-License-Identifier: GPL-2.0-only
"""Sets of conditions that tell kernels, and models of them, apart.

python -m krcsim.guest.mainline.matrix --out FOLDER [--kernels 7.3 ...] [--seeds 1 2 3] [SET ...]
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from krcsim.base.errors import KrcsimError, did_you_mean
from krcsim.guest.boot import Boot
from krcsim.guest.mainline.build import MainlineBuild, all_ready
from krcsim.guest.mainline.conditions import SETS, WARM_UP, Condition
from krcsim.guest.mainline.measure import Measured, measure
from krcsim.guest.mainline.rows import write
from krcsim.guest.mainline.series import SERIES, Series, listed


def taken(name: str, build: MainlineBuild, series: Series, seeds: Sequence[int]) -> list[Measured]:
    """A set measured on a kernel, a guest for each way to boot."""
    guests: dict[tuple[Boot, str], list[Condition]] = {}
    for condition in SETS[name](series):
        guests.setdefault((condition.boot(series), condition.before), []).append(condition)

    found: list[Measured] = []
    for (boot, before), conditions in guests.items():
        lines = [
            f"{condition.line} seed={condition.seed(seed)}"
            for number, seed in enumerate(seeds)
            for condition in conditions
            if condition.is_random or number == 0
        ]
        lines = [*filter(None, [before]), f"{WARM_UP} seed=1", *lines]
        one = measure({series.name: build}, {series.name: lines}, {series.name: boot}, _note)
        rows = [row for row in one[series.name].rows if row["label"] != "warm-up"]
        found.append(replace(one[series.name], rows=tuple(rows)))
    return found


def _note(text: str) -> None:
    """Say how far it is, on standard error."""
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m krcsim.guest.mainline.matrix", description=__doc__
    )
    parser.add_argument(
        "sets", nargs="*", metavar="SET", help=f"one of {', '.join(SETS)}; without one: all"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="is made if it is not there"
    )
    parser.add_argument(
        "--kernels", nargs="+", default=list(SERIES), metavar="SERIES", help=", ".join(SERIES)
    )
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="N", help="seeds (1 2 3)"
    )
    parser.add_argument("--folder", type=Path, help="where builds are kept")
    parser.add_argument("--list", action="store_true", help="print the job lines instead")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure sets on kernels, and write SERIES/SET.csv and .const.json of each.

    Returns 0; 1 where something could not be measured, which is said; 2 with one line on what to
    mend.
    """
    args = _parser().parse_args(argv)
    try:
        if unknown := [name for name in args.sets if name not in SETS]:
            hint = did_you_mean(unknown[0], SETS, f"allowed: {', '.join(SETS)}")
            raise KrcsimError(f"{unknown[0]!r} is not a set; {hint}")
        if min(args.seeds) < 0 or max(args.seeds) >= 2**31:
            raise KrcsimError(
                f"--seeds is {args.seeds}; allowed: whole numbers from 0 to {2**31 - 1}"
            )
        wanted = listed(",".join(args.kernels))
        names = args.sets or list(SETS)
        if args.list:
            for series in wanted:
                for name in names:
                    for condition in SETS[name](series):
                        print(condition.line)
            return 0
        return _take(args, wanted, names)
    except (KrcsimError, OSError) as exc:
        _note(f"krcsim: {exc}")
        return 2
    except KeyboardInterrupt:
        _note("krcsim: stopped; the set under way was not written")
        return 130


def _take(args: argparse.Namespace, wanted: Sequence[Series], names: Sequence[str]) -> int:
    builds, failures = all_ready(wanted, args.folder, _note)
    for name, why in failures.items():
        _note(f"krcsim: Linux {name} is left out: {why}")

    troubled = bool(failures)
    for series in wanted:
        if series.name not in builds:
            continue
        build = builds[series.name]
        _note(build.origin.words())
        folder = args.out / series.folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            if not list(SETS[name](series)):
                continue
            _note(f"{series.name}, {name}:")
            found = taken(name, build, series, args.seeds)
            for note in dict.fromkeys(note for one in found for note in one.notes):
                _note(f"krcsim: Linux {series.name}, {name}: {note}")
                troubled = True
            if any(one.rows for one in found):
                write(folder, name, found, for_keeps=True)
    return int(troubled)


if __name__ == "__main__":
    sys.exit(main())
