# SPDX-License-Identifier: GPL-2.0-only
"""`krcsim VERB SCENARIO`: the same verbs as in Python, from a shell."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

from krcsim.files import write_whole
from krcsim.scenario import UNSET, Scenario, changed, load_scenario, presets, toml_text
from krcsim.values import KrcsimError

def value_of(text: str) -> Any:
    """A value as TOML reads it, else the text itself: 12, 0.5, true, atomic; `unset` is None."""
    if text == UNSET:
        return None
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text

def pair(text: str) -> tuple[str, str]:
    """Split field=value; raises KrcsimError."""
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        raise KrcsimError(f"{text!r} is not field=value; write for example workload.rate_hz=5000")
    return name.strip(), value.strip()

def scenario_from(args: argparse.Namespace) -> Scenario:
    """The scenario that the arguments name, with --set applied."""
    scenario = load_scenario(args.scenario)
    overrides = {k: value_of(v) for k, v in map(pair, args.set)}
    return changed(scenario, **overrides) if overrides else scenario

def command_of(args: argparse.Namespace, argv: list[str]) -> str:
    """The command as typed, without options that only say where output goes."""
    skip = {"--out": 2, "--json": 1, "--figure": 2, "--overwrite": 1, "--quiet": 1}
    words, i = [], 0
    while i < len(argv):
        if argv[i] in skip:
            i += skip[argv[i]]
            continue
        if argv[i].split("=", 1)[0] not in skip:
            words.append(shlex.quote(argv[i]))
        i += 1
    return " ".join(["krcsim", *words])

class Progress:
    """A line on a terminal that says how far a study is; silent elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self.on = sys.stderr.isatty() and not quiet

    def __call__(self, done: int, total: int) -> None:
        if self.on:
            end = "\r" if done < total else "\r" + " " * 40 + "\r"
            sys.stderr.write(f"\r  {done} of {total} points done{end}")
            sys.stderr.flush()

def show(result: Any, window: str | None) -> str:
    """A result as a table for a terminal."""
    from krcsim.measures import QUANTITIES
    from krcsim.reply import table
    from krcsim.result import words

    names = ("p_wait", "p_spell", "blocked", "stalled", "wait_ms", "bytes_at_boot", "bytes_at_full")
    out = []
    for w in [window] if window else result.windows():
        head = [*result.parameters, *names, "runs"]
        rows = [[*map(str, p), *(words(result.get(p, q, w)) for q in names),
            str(result.cell(p, "replications"))] for p in result.points()]
        out += [f"{w}:", *table(head, rows, 10_000), ""]
    out += [f"{q}: {QUANTITIES[q].words}" for q in names]
    return "\n".join(out)

def run_simulate(args: argparse.Namespace, argv: list[str]) -> int:
    """One run with its event log."""
    from krcsim.study import simulate

    run = simulate(scenario_from(args), args.seed, replication=args.replication, events=args.events,
        every_call=args.every_call)
    if args.json:
        body = {"command": command_of(args, argv), "scenario": toml_text(run.scenario),
            "seed": run.seed, "replication": run.replication, "counters": run.counters,
            "events": run.events, "total_events": run.total_events}
        print(json.dumps(body, indent=1))
        return 0
    for at, cpu, what, value in run.events:
        print(f"{at:12.4f} ms  {'all' if cpu < 0 else f'cpu{cpu}':>7}  {what:32} {value:g}")
    if run.total_events > len(run.events):
        print(f"... {run.total_events - len(run.events)} more events; raise --events to see them")
    for window, counters in run.counters.items():
        print(f"{window}:", ", ".join(f"{k} {v:g}" for k, v in counters.items() if v))
    return 0

def finish(args: argparse.Namespace, result: Any) -> int:
    """Print a result and write it where it was asked for."""
    if args.out:
        result.save(args.out, overwrite=args.overwrite)
    if args.figure:
        from krcsim.figures import save_figure

        save_figure(result, Path(args.figure), overwrite=args.overwrite)
    print(result.to_json() if args.json else show(result, None))
    return 0

def check_targets(args: argparse.Namespace) -> None:
    """Refuse at once what would fail only after the work is done."""
    for name in filter(None, (args.out, args.figure)):
        path = Path(name)
        if path.exists() and not args.overwrite:
            raise KrcsimError(f"{path} exists already; choose another name or add --overwrite")
        if not path.parent.is_dir():
            raise KrcsimError(f"{path.parent} is not a folder; make it, or choose another")
    if args.figure and Path(args.figure).suffix not in (".png", ".svg", ".pdf"):
        raise KrcsimError(
            f"--figure is {args.figure!r}; allowed: a name ending in .png, .svg, .pdf")

def run_compare(args: argparse.Namespace, argv: list[str]) -> int:
    """Remedies in the same worlds."""
    from krcsim.study import compare

    check_targets(args)
    result = compare(scenario_from(args), args.remedies.split(","), seed=args.seed,
        precision=args.precision, max_rung=args.max_rung, command=command_of(args, argv),
        progress=Progress(args.quiet))
    return finish(args, result)

def run_sweep(args: argparse.Namespace, argv: list[str]) -> int:
    """A small grid."""
    from krcsim.study import sweep

    check_targets(args)
    over = {k: [value_of(x) for x in v.split(",")] for k, v in map(pair, args.over)}
    result = sweep(scenario_from(args), over, seed=args.seed, precision=args.precision,
        max_rung=args.max_rung, command=command_of(args, argv), progress=Progress(args.quiet))
    return finish(args, result)

def run_reply(args: argparse.Namespace, argv: list[str]) -> int:
    """The answer as plain text, from a saved result or a scenario that is run now."""
    from krcsim.reply import answer_text
    from krcsim.result import load_result
    from krcsim.study import compare

    if args.scenario.endswith(".json"):
        result = load_result(args.scenario)
    else:
        result = compare(scenario_from(args), args.remedies.split(","), seed=args.seed,
            precision=args.precision, max_rung=args.max_rung, command=command_of(args, argv),
            progress=Progress(args.quiet))
    text = answer_text(result, args.window)
    if args.out:
        write_whole(args.out, text.encode("ascii"), overwrite=args.overwrite)
    else:
        print(text, end="")
    return 0

def run_show(args: argparse.Namespace, argv: list[str]) -> int:
    """A scenario as TOML, or the names of those that come with krcsim."""
    if not args.scenario:
        print("\n".join(presets()))
    else:
        print(toml_text(scenario_from(args)), end="")
    return 0

class Parser(argparse.ArgumentParser):
    """Errors in one line and exit status 2."""

    def error(self, message: str) -> Any:
        """Print one line and leave with status 2."""
        self.exit(2, f"krcsim: {message}; see {self.prog} --help\n")

def parser() -> Parser:
    """The command line."""
    top = Parser(prog="krcsim", description="How likely is a synchronous wait in kfree_rcu()?")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)

    def verb(name: str, run: Any, words: str, optional: bool = False) -> argparse.ArgumentParser:
        p = verbs.add_parser(name, help=words, description=words)
        p.add_argument("scenario", nargs="?" if optional else None, metavar="SCENARIO",
                       help="a .toml file, or one of: " + ", ".join(presets()))
        p.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE",
                       help="override a field, e.g. workload.rate_hz=5000")
        p.set_defaults(run=run)
        return p

    p = verb("simulate", run_simulate, "one run with its event log")
    p.add_argument("--replication", type=int, default=0, help="which replication (0)")
    p.add_argument("--events", type=int, default=100, help="events to show (100)")
    p.add_argument("--every-call", action="store_true", help="take calls one by one")
    _common(p)
    for name, run, words in (("compare", run_compare, "remedies in the same worlds"),
            ("sweep", run_sweep, "a small grid of values"),
            ("reply", run_reply, "a plain-text answer from a scenario or a saved .json result")):
        p = verb(name, run, words)
        _common(p)
        p.add_argument("--precision", type=float, default=0.1,
                       help="wanted half width of P(wait), relative (0.1)")
        p.add_argument("--max-rung", type=int, default=10,
                       help="rung r has 8 * 2**r replications (10)")
        p.add_argument("--out", metavar="FILE", help="write the result (reply: the text) there")
        p.add_argument("--overwrite", action="store_true", help="replace files that exist")
        p.add_argument("--quiet", action="store_true", help="no progress line")
        if name == "sweep":
            p.add_argument("--over", action="append", default=[], metavar="FIELD=V1,V2,...",
                           help="values of a field; remedy=A1,B,D5-A1 works too")
        else:
            p.add_argument("--remedies", default="A0,A1,B,C-A0,C-A1,D5-A1",
                           help="rows of the table of remedies, or B12, D8-A1")
        if name == "reply":
            p.add_argument("--window", choices=("boot", "steady"), help="which answer")
        else:
            p.add_argument("--figure", metavar="FILE", help="draw P(wait) over bytes per CPU")
    p = verb("show", run_show, "a scenario as TOML; without a name, the list", optional=True)
    return top

def _common(p: argparse.ArgumentParser) -> None:
    p.add_argument("--seed", type=int, default=20200404, help="one seed for all (20200404)")
    p.add_argument("--json", action="store_true", help="print JSON for machines")

def main(argv: list[str] | None = None) -> int:
    """Run a command line; returns the exit status: 0, or 2 with one line on what to mend."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        args = parser().parse_args(argv)
        return int(args.run(args, argv))
    except KrcsimError as exc:
        sys.stderr.write(f"krcsim: {exc}\n")
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("\nkrcsim: stopped; nothing was written\n")
        return 130

if __name__ == "__main__":
    sys.exit(main())
