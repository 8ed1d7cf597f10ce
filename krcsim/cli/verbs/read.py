# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim read`: recordings of a machine as a scenario, each field with what it rests on."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from krcsim.base.errors import KrcsimError
from krcsim.base.files import write_all
from krcsim.cli import completion
from krcsim.cli.arguments import pair, scenario_from
from krcsim.cli.delivery import check_target
from krcsim.cli.options import (
    EFFORT,
    QUESTION,
    SCENARIO,
    Files,
    Json,
    OnScenario,
    Quiet,
    Verb,
    option,
)
from krcsim.cli.progress import reporting
from krcsim.cli.streams import say
from krcsim.cli.values import Whole

BASE = "thread-as-posted"
DRAWS = 20


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

    check: Annotated[
        bool,
        option(
            "hold what the scenario predicts against what the kernel did meanwhile; it is an error "
            "if it does not reproduce that",
            QUESTION,
        ),
    ] = False

    draws: Annotated[
        Whole,
        option(
            "draws of what the recordings do not know, which go into a .toml and from there into "
            "answers; 8 to 200, or 0",
            EFFORT,
            metavar="N",
            show_default=True,
        ),
    ] = DRAWS


def again(options: Read) -> str:
    """The command that makes the same of the same files."""
    base = [] if options.scenario == BASE else ["--base", options.scenario]
    sets = [word for one in options.set for word in ("--set", "=".join(pair(one)))]
    draws = [] if options.draws == DRAWS else ["--draws", str(options.draws)]
    check = ["--check"] if options.check else []
    replay = ["--replay"] if replays(options) else []
    return shlex.join(["krcsim", "read", *options.files, *base, *replay, *sets, *draws, *check])


def replays(options: Read) -> bool:
    """Whether the calls of the recordings are replayed one by one."""
    return options.replay or options.arrivals == "replay"


def run(options: Read, _: str) -> None:
    """Read the files, and print or write the scenario that they make."""
    from krcsim.model.joint import check_draws
    from krcsim.trace import words
    from krcsim.trace.draws import joint_of
    from krcsim.trace.fit import make
    from krcsim.trace.predicted import predicted_against_recorded
    from krcsim.trace.reading import read

    if not options.files:
        raise KrcsimError(
            "read needs a recording; give one or more files, or make one with krcsim record"
        )
    if options.draws:
        check_draws(options.draws)
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
    against = None
    if options.explain:
        say(words.explanation(made, made.explained(options.explain.rstrip("="))), end="")
        return

    if options.check:
        with reporting(options.quiet) as show:
            against = predicted_against_recorded(made, progress=_said(show))
    whole = words.json_of(made, command, against)
    joint = joint_of(made, base, options.draws) if options.draws and targets else None
    toml = words.scenario_file(made, command, joint)
    write_all(
        {path: (toml if path.suffix == ".toml" else whole).encode() for path in targets},
        overwrite=options.overwrite,
    )
    said = words.summary(made) + (f"\n{against.text()}" if against else "")
    say(whole if options.json else said, end="")
    if against is not None and against.misses:
        against.require()


def _said(show: Callable[[str], None] | None) -> Callable[[int, int], None]:
    def progress(done: int, of: int) -> None:
        if show:
            show(f"{done} of {of} replications, at most")

    return progress


VERB = Verb(Read, run)
