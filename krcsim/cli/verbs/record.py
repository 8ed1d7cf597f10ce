# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim record`: print the recorder for the machine that is asked about."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from cyclopts import Parameter

from krcsim.cli.arguments import refuse_together
from krcsim.cli.options import ANSWER, QUESTION, OnScenario, Verb, option
from krcsim.cli.streams import say
from krcsim.cli.values import Real, Whole


@dataclass(frozen=True, kw_only=True)
class Record(OnScenario):
    """A shell script that records a machine, for krcsim read; run it there as root."""

    verb: ClassVar[str] = "record"

    # A recorder has no scenario yet.
    scenario: Annotated[str, Parameter(parse=False)] = ""
    set: Annotated[list[str], Parameter(parse=False)] = field(default_factory=list)

    seconds: Annotated[
        Whole, option("how long it records", QUESTION, metavar="N", show_default=True)
    ] = 60
    mib: Annotated[
        Whole,
        option(
            "limit of the events kept beside the counts", QUESTION, metavar="N", show_default=True
        ),
    ] = 16
    folder: Annotated[
        str,
        option("the only folder it writes into", ANSWER, metavar="FOLDER", show_default=True),
    ] = "krcsim-recording"
    most_cpu: Annotated[
        Real,
        option(
            "limit of its CPU time in %: calls are counted in parts of the time if need be",
            QUESTION,
            metavar="PERCENT",
            show_default=True,
        ),
    ] = 2.0
    names: Annotated[bool, option("keep the names of processes", QUESTION)] = False
    bpftrace: Annotated[
        bool, option("print a program for bpftrace instead, for kernels before v5.14", QUESTION)
    ] = False


def check(options: Record) -> None:
    """Refuse what a program for bpftrace has no use for."""
    for name in ("mib", "folder", "most-cpu", "names"):
        refuse_together(options, name, "bpftrace")


def run(options: Record, command: str) -> None:
    """Print the script."""
    from krcsim.trace.recorder import program, script

    if options.bpftrace:
        say(program(options.seconds, command), end="")
        return
    text = script(
        options.seconds, options.mib, options.folder, options.names, command, options.most_cpu
    )
    say(text, end="")


VERB = Verb(Record, run, check)
