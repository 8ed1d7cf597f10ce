# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim read`: recordings of a machine as a scenario, each field with what it rests on."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_all
from krcsim.cli import completion
from krcsim.cli.arguments import pair, scenario_from
from krcsim.cli.delivery import check_target
from krcsim.cli.options import QUESTION, SCENARIO, Files, Json, OnScenario, Quiet, Verb, option
from krcsim.cli.progress import reporting
from krcsim.cli.streams import say

BASE = "thread-as-posted"


@dataclass(frozen=True, kw_only=True)
class Read(OnScenario, Json, Files, Quiet):
    """Recordings of a machine as a scenario: values, intervals, evidence."""

    verb: ClassVar[str] = "read"

    files: Annotated[
        list[str],
        option(
            "what krcsim record, trace_pipe, trace-cmd report, perf script, bpftrace or rcuscale "
            "wrote, and /proc/vmstat before and after",
            SCENARIO,
        ),
    ] = field(default_factory=list, kw_only=False)

    scenario: Annotated[
        str,
        option(
            "what the recordings cannot say is taken from it: a .toml file or a preset",
            SCENARIO,
            name="--base",
            completer=completion.scenarios,
            show_default=True,
        ),
    ] = BASE

    arrivals: Annotated[
        Literal["fitted", "replay"],
        option(
            "how calls come: by a law that varies as they did, or each as it was recorded",
            SCENARIO,
            show_default=True,
        ),
    ] = "fitted"

    replay: Annotated[bool, option("the same as --arrivals replay", SCENARIO)] = False

    explain: Annotated[
        str,
        option(
            "say what one field rests on, for example workload.rate_hz",
            QUESTION,
            metavar="FIELD",
            completer=completion.fields_with_values,
        ),
    ] = ""


def again(options: Read) -> str:
    """The command that makes the same of the same files."""
    base = [] if options.scenario == BASE else ["--base", options.scenario]
    sets = [word for one in options.set for word in ("--set", "=".join(pair(one)))]
    replay = ["--replay"] if replays(options) else []
    return shlex.join(["krcsim", "read", *options.files, *base, *replay, *sets])


def replays(options: Read) -> bool:
    """Whether the calls of the recordings are replayed one by one."""
    return options.replay or options.arrivals == "replay"


def run(options: Read, _: str) -> None:
    """Read the files, and print or write the scenario that they make."""
    from krcsim.trace import words
    from krcsim.trace.fit import make
    from krcsim.trace.reading import read

    if not options.files:
        raise KrcsimError(
            "read needs a recording; give one or more files, or make one with krcsim record"
        )
    targets = [Path(path) for path in options.out]
    for path in targets:
        if path.suffix not in (".toml", ".json"):
            raise KrcsimError(f"--out is {str(path)!r}; allowed: a name ending in .toml or .json")
        check_target(path, options.overwrite)

    base = scenario_from(options)
    with reporting(options.quiet) as show:
        files = [Path(path) for path in options.files]
        evidence = read(files, show or (lambda _: None), call_times=replays(options))
    made = make(evidence, base, options.scenario, replays=replays(options))
    command = again(options)
    if options.explain:
        say(words.explanation(made, made.explained(options.explain.rstrip("="))), end="")
        return

    whole = words.json_of(made, command)
    toml = words.scenario_file(made, command)
    write_all(
        {path: (toml if path.suffix == ".toml" else whole).encode() for path in targets},
        overwrite=options.overwrite,
    )
    say(whole if options.json else words.summary(made), end="")


VERB = Verb(Read, run)
