# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim simulate`: one run, event by event, or one episode of it."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from krcsim.base.errors import KrcsimError
from krcsim.cli.arguments import refuse_alone, refuse_together, scenario_from
from krcsim.cli.delivery import check_targets, deliver
from krcsim.cli.options import QUESTION, Delivered, Verb, option
from krcsim.cli.streams import say
from krcsim.cli.values import Whole
from krcsim.model.scenario_file import toml_text

_EVENTS_IN_ONE_TEXT = 10_000


@dataclass(frozen=True, kw_only=True)
class Simulate(Delivered):
    """One run with its event log, or one episode of it."""

    verb: ClassVar[str] = "simulate"

    replication: Annotated[Whole, option("which replication, the first is 0", QUESTION)] = 0
    events: Annotated[
        Whole, option("how many events to show", QUESTION, metavar="N", show_default=True)
    ] = 100
    every_call: Annotated[bool, option("take calls one by one", QUESTION)] = False
    episode: Annotated[
        Whole, option("show one episode only, the first is 1", QUESTION, metavar="N")
    ] = 0
    cpu: Annotated[Whole, option("the CPU it is seen from, the first is 0", QUESTION)] = 0


def check(options: Simulate) -> None:
    """Refuse options that do nothing for a run, or for an episode."""
    refuse_alone(options, "cpu", "episode")
    refuse_together(options, "events", "episode")
    refuse_together(options, "every-call", "episode")


def run(options: Simulate, command: str) -> None:
    """Simulate, and print what happened."""
    from krcsim.base.fields import check_whole

    check_targets(options)
    for name, value in (("--episode", options.episode), ("--cpu", options.cpu)):
        check_whole(name, value, 2**31, "episodes and CPUs are counted, episodes from 1 on")

    if options.episode:
        _one_episode(options, command)
        return
    if options.out:
        raise KrcsimError("--out of simulate needs one episode; add for example --episode 1")

    from krcsim.studies.simulate import simulate

    found = simulate(
        scenario_from(options),
        options.seed,
        replication=options.replication,
        events=options.events,
        every_call=options.every_call,
    )
    if options.json:
        body = {"command": command, "scenario": toml_text(found.scenario)}
        names = ("seed", "replication", "counters", "events", "total_events")
        say(json.dumps(body | {name: getattr(found, name) for name in names}, indent=1))
    else:
        _print_run(found)


def _one_episode(options: Simulate, command: str) -> None:
    from krcsim.report.episode import one_episode
    from krcsim.report.episode_words import text_of

    episode = one_episode(
        scenario_from(options),
        options.seed,
        replication=options.replication,
        number=options.episode,
        cpu=options.cpu,
    )
    text = text_of(episode, command)
    deliver(options, "one-episode", episode.scenario, command, episode, text)


def _print_run(found: Any) -> None:
    """Print what it came to, events and counters; not all events in one text, for there may be
    millions.
    """
    say(f"{found.sentence}\n")
    for first in range(0, len(found.events), _EVENTS_IN_ONE_TEXT):
        some = found.events[first : first + _EVENTS_IN_ONE_TEXT]
        say(
            "\n".join(
                f"{at:12.4f} ms  {'all' if cpu < 0 else f'cpu{cpu}':>7}  {what:32} {value:g}"
                for at, cpu, what, value in some
            )
        )

    lines: list[str] = []
    more = found.total_events - len(found.events)
    if more > 0:
        lines.append(f"... {more} more events; raise --events to see them")

    for window, counters in found.counters.items():
        counted = ", ".join(f"{name} {count:g}" for name, count in counters.items() if count)
        lines.append(f"{window}: {counted}")
    say("\n".join(lines))


VERB = Verb(Simulate, run, check)
