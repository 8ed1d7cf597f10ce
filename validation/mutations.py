# SPDX-License-Identifier: GPL-2.0-only
"""Files, options and arguments that were changed at random: each is read as it stands, or refused
in a sentence.

    python -m validation.mutations --count 200000 [--only READER] [--seed N]

A fault is an exception that is not the package's own, a message of more than 400 characters or more
than a line, more than 2 s of CPU time, a changed row of a sweep that is gone on with, and a command
that does not make the same again.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import dataclasses
import gzip
import io
import json
import math
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from krcsim.base.errors import LONGEST_MESSAGE, FieldError, KrcsimError
from krcsim.cli.arguments import pinned, scenario_from
from krcsim.cli.command_line import check_options, parsed
from krcsim.cli.made_with import command_of
from krcsim.cli.options import Studied
from krcsim.cli.result_table import result_table
from krcsim.cli.verbs import VERBS
from krcsim.cli.verbs.compare import over_of
from krcsim.cli.verbs.sweep import Sweep, plan_from
from krcsim.guest.recorded_episodes import episodes
from krcsim.guest.recorded_scenario import scenario_of
from krcsim.guest.recordings import read_set
from krcsim.guest.rows import flat, tables
from krcsim.model.allocator import Allocator, Failure
from krcsim.model.grace_period import GracePeriod, read_lengths
from krcsim.model.joint import Joint, joint_text, load_joint
from krcsim.model.machine import Machine
from krcsim.model.memory import Memory
from krcsim.model.remedy import Remedy
from krcsim.model.scenario import Scenario, changed, from_dict
from krcsim.model.scenario_file import (
    data_folder,
    load_scenario,
    presets,
    read_scenario,
    toml_text,
    value_from,
)
from krcsim.model.workload import Workload
from krcsim.report.chart import chart_csv, chart_of
from krcsim.report.reply import answer_text
from krcsim.results.quantities import QUANTITIES
from krcsim.results.result import BASE, Result, load_result, provenance
from krcsim.results.result_format import checksum
from krcsim.sweeps.grid import MAX_POINTS
from krcsim.sweeps.growing import growing
from krcsim.sweeps.head import columns, head
from krcsim.sweeps.plan import plan_of
from krcsim.sweeps.row import Seal, row
from krcsim.sweeps.table import read_table, table_result
from krcsim.trace import words
from krcsim.trace.draws import joint_of
from krcsim.trace.fit import make
from krcsim.trace.reading import read
from validation.scenarios import random_scenario

MOST_S = 2.0  # CPU time of a case
HANG_S = 60  # after which a case that waits for something is broken off
NUMBERS = (
    "0 -1 1 2 1e999 -1e999 nan inf -inf 1e308 1e-320 0.5 1_000 0x10 1e3 2.0 9223372036854775808 "
    "18446744073709551616 "
    "true false null None '' \"\" [] {} - . 00 1e 1.5.2 \u0661"
).split(" ")
WORDS = [
    *NUMBERS,
    "9" * 400,
    "9" * 5000,
    "[" * 3000,
    "a." * 3000 + "a",
    "x" * 20_000,
    "\0",
    "\n",
    "\r\n",
    "\t",
    "\u2028",
    "\x1b[2J",
    "\xed\xa0\x80",
    "\xe9",
    "\U0001f600",
    ",",
    '"',
    "'",
    "#",
    "=",
    "[x]",
    "<b>x</b>",
    "remedy",
    "own",
    "A1",
    "B12",
    "unset",
    "scenario",
    "machine.cpus",
    "remedy.base",
    "grace_period.file",
]
_TEXTS = ["", "x", "5", "A1", "ticks", "x" * 20_000, "\n", "\0", "\ud800", "<script>"]
_NUMBERS = [
    0,
    1,
    -1,
    5,
    2**63,
    10**400,
    16**5000,
    0.5,
    -0.0,
    1e300,
    math.nan,
    math.inf,
    -math.inf,
    5j,
]
_LISTS = [
    [],
    [1],
    [[1, 2]],
    [[[0, 5]]],
    [[5, 0]],
    [[]],
    [None],
    {},
    {"a": 1},
    {"page": 2},
    (),
    (1,),
    {1, 2},
    range(3),
]
_NUMPY = [
    np.int64(3),
    np.float64(0.5),
    np.float64("nan"),
    np.bool_(True),
    np.str_("A1"),
    np.array([1, 2]),
    np.zeros(0),
]
_MADE = [Scenario, Scenario(), Machine(cpus=2), Remedy(), Failure(), object(), len, Path("x"), b"5"]
VALUES: list[Any] = [None, True, False, *_TEXTS, *_NUMBERS, *_LISTS, *_NUMPY, *_MADE]


def _is_json(x: Any) -> bool:
    try:
        json.dumps(x, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


JSON_VALUES = [x for x in VALUES if _is_json(x)]


@dataclass(frozen=True)
class Outcome:
    """What became of a case: read, refused with a message, or a fault."""

    refused: str = ""
    fault: str = ""
    seconds: float = 0.0


def judged(case: Callable[[], object]) -> Outcome:
    """Run a case and say what became of it."""
    began = time.process_time()
    refused, fault = "", ""
    try:
        with _limited(), contextlib.redirect_stderr(io.StringIO()) as said:
            case()
    except KrcsimError as exc:
        refused = str(exc)
    except SystemExit as exc:
        refused = said.getvalue().removesuffix("\n")
        fault = "" if exc.code == 2 else f"status {exc.code}"
    except Exception as exc:  # that is what is looked for
        where = traceback.extract_tb(exc.__traceback__)[-1]
        fault = (
            f"{type(exc).__name__}: {str(exc)[:200]} ({Path(where.filename).name}:{where.lineno})"
        )
    seconds = time.process_time() - began
    if refused and (
        len(refused.removeprefix("krcsim: ")) > LONGEST_MESSAGE or not refused.isprintable()
    ):
        fault = f"a message of {len(refused)} characters: {refused[:200]!r}"
    if seconds > MOST_S:
        fault = f"{seconds:.1f} s"
    return Outcome(refused, fault, seconds)


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def late(*_: object) -> None:
        raise TimeoutError(f"nothing happened for {HANG_S} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(HANG_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# Changes


def bytes_of(r: random.Random, raw: bytes) -> bytes:
    """A text changed in one to four places."""
    for _ in range(r.choice((1, 1, 1, 2, 4))):
        raw = r.choice((_in_bytes, _in_bytes, _in_numbers, _in_lines))(r, raw)
    return raw


def _in_bytes(r: random.Random, raw: bytes) -> bytes:
    """Some bytes cut, doubled, flipped, wiped, or a word put in."""
    at, to = sorted(r.randrange(len(raw) + 1) for _ in range(2))
    near = min(len(raw), at + r.randrange(1, 30))
    token = r.choice(WORDS).encode("utf-8", "surrogatepass")
    middle = r.choice(
        (
            b"",
            token,
            token + raw[at:near],
            raw[at:near] * 2,
            bytes([r.randrange(256)]),
            bytes(near - at),
        )
    )
    return raw[:at] + middle + r.choice((raw[near:], raw[near:], raw[near:], raw[to:], b""))


def _in_numbers(r: random.Random, raw: bytes) -> bytes:
    """A number replaced by another, or by a word."""
    starts = [
        i for i, c in enumerate(raw) if 48 <= c < 58 and (i == 0 or not 48 <= raw[i - 1] < 58)
    ]
    at = r.choice(starts) if starts else 0
    rest = raw[at:].lstrip(b"0123456789.e+-")
    return (
        raw[:at]
        + r.choice((r.choice(NUMBERS), r.choice(WORDS))).encode("utf-8", "surrogatepass")
        + rest
    )


def _in_lines(r: random.Random, raw: bytes) -> bytes:
    """A line taken out, doubled, or put in the place of another."""
    lines = raw.splitlines(keepends=True) or [b""]
    i, j = r.randrange(len(lines)), r.randrange(len(lines))
    return b"".join(
        [*lines[:i], *r.choice(([], [lines[j]], [lines[i], lines[j]])), *lines[i + 1 :]]
    )


def tree_of(r: random.Random, tree: Any) -> Any:
    """Nested dicts and lists with one to three places changed, taken out or doubled.

    What is put in is copied: a later change must not reach the original, nor put a table into
    itself.
    """
    tree = copy.deepcopy(tree)
    for _ in range(r.choice((1, 1, 2, 3))):
        here = tree
        while True:
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                break
            key = r.choice(keys)
            if isinstance(here[key], (dict, list)) and r.random() < 0.85:
                here = here[key]
                continue
            what = r.randrange(6)
            if what == 0:
                del here[key]
            elif what == 1 and isinstance(here, dict):
                here[r.choice(WORDS)] = here.pop(key)
            elif what == 2 and isinstance(here, list):
                here.insert(r.randrange(len(here) + 1), copy.deepcopy(here[r.randrange(len(here))]))
            elif what == 3:
                other = r.choice(keys)
                here[key], here[other] = here[other], here[key]
            else:
                here[key] = copy.deepcopy(r.choice(JSON_VALUES))
            break
    return tree


# Readers: each takes chance and a folder, and gives a case.

Case = Callable[[], object]


def _scenario_text(r: random.Random) -> str:
    return toml_text(
        random_scenario(r.randrange(40)) if r.random() < 0.7 else load_scenario(r.choice(presets()))
    )


def scenario_file(r: random.Random, folder: Path) -> Case:
    """A TOML file of a scenario, and what is done with one that can be read."""
    path = folder / "s.toml"
    path.write_bytes(bytes_of(r, _scenario_text(r).encode()))

    def case() -> None:
        s = read_scenario(path)
        if read_again(toml_text(s), folder) != s:
            raise AssertionError("another scenario is written than was read")

    return case


@cache
def _joint_text() -> str:
    """A scenario with draws of a recording."""
    base = load_scenario("phone")
    draws = tuple(changed(base, **{"workload.rate_hz": 100.0 + n}) for n in range(8))
    return joint_text(Joint(base, draws, ("workload.rate_hz",), ("machine.hz",), 60.0))


def joint_file(r: random.Random, folder: Path) -> Case:
    """A scenario file with draws of a recording, and the same written again."""
    path = folder / "j.toml"
    path.write_bytes(bytes_of(r, _joint_text().encode()))

    def case() -> None:
        joint = load_joint(path)
        if joint is None:
            return
        (folder / "again.toml").write_text(joint_text(joint), encoding="utf-8")
        if load_joint(folder / "again.toml") != joint:
            raise AssertionError("other draws are written than were read")

    return case


def read_again(text: str, folder: Path) -> Scenario:
    """A scenario written and read."""
    (folder / "again.toml").write_text(text, encoding="utf-8")
    return read_scenario(folder / "again.toml")


def lengths_file(r: random.Random, folder: Path) -> Case:
    """A file of grace-period lengths, named by a scenario."""
    (folder / "lengths").write_bytes(bytes_of(r, b"# ms\n12.5\n8 # a tick less\n\n31.25\n1e1\n"))

    def case() -> None:
        read_lengths(folder / "lengths")
        changed(
            Scenario(),
            **{"grace_period.kind": "empirical", "grace_period.file": str(folder / "lengths")},
        )

    return case


@cache
def _result(by_episode: bool) -> dict[str, Any]:
    """A small result as JSON, without its checksum."""
    rows: list[tuple[Any, ...]] = []
    for remedy in ("A1", "B"):
        for window in ("episode 1", "episode 2 on") if by_episode else ("boot", "steady"):
            for n, name in enumerate(
                (
                    "p_wait",
                    "p_wait_episode",
                    "p_episode",
                    "blocked",
                    "wait_ms",
                    "bytes_at_full",
                    "bytes_added",
                )
            ):
                e = (
                    (0.01 * (n + 1), 0.001, 0.2, "interval"),
                    (None, 0.0, 0.003, "bound"),
                    (0.5, None, None, "rough"),
                    (None, None, None, "none"),
                )[(n + len(rows)) % 4]
                e = (4096.0, 4096.0, 4096.0, "exact") if name.startswith("bytes") else e
                more = ("skipping",) * ("method" in BASE)
                rows.append((remedy, window, name, QUANTITIES[name].unit, *e, 64, *more))
    differences = (("B", "A1", rows[0][1], "p_wait", -0.001, -0.002, 0.0001, 0.3),)
    made = provenance(
        "krcsim compare phone --max-rung 3",
        load_scenario("phone"),
        20200404,
        runs={"A1": 64, "B": 64},
    )
    body: dict[str, Any] = json.loads(
        Result(("remedy", *BASE), tuple(rows), differences, made).to_json()
    )
    del body["sha256"]
    return body


def result_file(r: random.Random, folder: Path) -> Case:
    """A saved result, its checksum mended or not, and all that is made of one."""
    body, path = tree_of(r, _result(r.random() < 0.3)), folder / "r.json"
    if r.random() < 0.2:
        path.write_bytes(bytes_of(r, json.dumps({**body, "sha256": "0" * 64}, indent=1).encode()))
    else:
        with contextlib.suppress(ValueError, TypeError):
            body["sha256"] = checksum(body)
        path.write_text(json.dumps(body), encoding="utf-8")
    return partial(_use_result, path)


def _use_result(path: Path) -> None:
    found = load_result(path)
    assert json.loads(found.to_json())["rows"] == [list(x) for x in found.rows]
    assert "<script" not in found._repr_html_()
    for call in (
        result_table,
        lambda x: chart_csv(chart_of(x), {}),
        answer_text,
        lambda x: answer_text(x, "boot"),
    ):
        with contextlib.suppress(KrcsimError):
            call(found)


@cache
def _plan_and_table(sample: bool) -> tuple[Any, bytes]:
    """A plan of a few points, and its table."""
    s = changed(load_scenario("thread-as-posted"), warmup_ms=20.0, horizon_ms=100.0)
    over: dict[str, Any] = {"remedy": ["A1", "B"], "workload.loop": ["open", "catchup"]}
    if sample:
        plan = plan_of(
            s,
            {},
            sample={"machine.cpus": (1, 4, "whole"), "workload.rate_hz": (10, 100, "log")},
            points=6,
            max_runs=8,
        )
    else:
        plan = plan_of(
            s,
            over | {"workload.arrivals": ["poisson", "periodic"]},
            quantities=("p_wait", "wait_ms"),
            max_runs=8,
            method="skipping",
        )
    text = head(plan)
    return plan, (text + "".join(row(plan, i, Seal(text)) for i in range(plan.size))).encode()


def sweep_table(r: random.Random, folder: Path) -> Case:
    """The table of a sweep: read, and gone on with only as far as it is as it was written."""
    sample = r.random() < 0.3
    plan, whole = _plan_and_table(sample)
    _, other = _plan_and_table(not sample)
    at = len(head(plan))
    where = r.randrange(4)
    if where == 0:
        data = bytes_of(r, whole)
    elif where == 1:
        data = whole[: r.randrange(len(whole))] + (
            other[r.randrange(len(other)) :] if r.random() < 0.5 else b""
        )
    else:
        data = whole[:at] + bytes_of(r, whole[at:])
    if r.random() < 0.2:  # forged: the checks are mended
        lines = [x[:-9] for x in data[at:].decode("utf-8", "replace").splitlines()]
        path = folder / "forged.csv"
        path.write_bytes(data[:at] + "".join(map(Seal(head(plan)).whole, lines)).encode())
        return partial(_use_table, path)
    path = folder / "t.csv"
    path.write_bytes(data)

    def case() -> None:
        refusals: list[KrcsimError] = []
        try:
            with growing(path, plan) as table:
                kept = table.end
                if data[:kept] != whole[:kept] and kept != at:
                    raise AssertionError("a changed row is gone on with")
        except KrcsimError as exc:
            refusals.append(exc)
        path.write_bytes(data)
        _use_table(path)
        if refusals:
            raise refusals[0]

    return case


def _use_table(path: Path) -> None:
    found = read_table(path)
    assert [len(x) for x in found.rows] == [len(columns(found.plan))] * len(found.rows)
    with contextlib.suppress(KrcsimError):
        saved = table_result(found)
        saved.to_json()
        if saved.rows:
            result_table(saved)


@cache
def _recordings() -> list[tuple[bytes, bytes]]:
    """A few rows of recordings of the harness, with what is the same in all of them."""
    found = []
    for path in sorted((data_folder() / "kernel-6.1").glob("*.csv")):
        if path.stem != "gp":
            lines = path.read_bytes().splitlines(keepends=True)
            found.append((b"".join(lines[:5]), path.with_suffix(".const.json").read_bytes()))
    return found


def recording(r: random.Random, folder: Path) -> Case:
    """A recording of the harness, and each condition as a scenario."""
    table, const = r.choice(_recordings())
    if r.random() < 0.5:  # a cell of a row
        lines = [line.split(b",") for line in table.splitlines()]
        for _ in range(r.choice((1, 1, 2))):
            line = r.choice(lines[1:] if r.random() < 0.9 else lines)
            line[r.randrange(len(line))] = r.choice(
                [*NUMBERS, *WORDS, "1000000", "0.000001", "[1, null]", '"[1, 2]"']
            ).encode()
        table = b"\n".join(b",".join(line) for line in lines)
    elif r.random() < 0.6:
        constants = json.loads(const)
        for _ in range(r.choice((1, 2))):
            constants[r.choice(list(constants))] = r.choice(JSON_VALUES)
        const = json.dumps(constants).encode()
    else:
        table, const = bytes_of(r, table), bytes_of(r, const) if r.random() < 0.3 else const
    (folder / "c.csv").write_bytes(table)
    (folder / "c.const.json").write_bytes(const)

    def case() -> None:
        for c in read_set(folder / "c.csv"):
            _ = (
                c.label,
                c.family,
                c.failure,
                c.random,
                c.threads,
                c.overflowed,
                c.each,
                c.measured,
            )
            for run in c.runs:
                episodes(c, run.seed)
            scenario_of(c)

    return case


# A line of each kind that recordings of a user's machine have, and some of an archive.
MACHINE_LINES = b"""#@krcsim-recording 1
#@armed calls reclaims grace_periods page noretry
#@span 20.00 30.00
#@machine
release 5.10.0-30
cpus_online 0-3
hz 250
#@hist calls single slab
{ common_timestamp: ~ 25000000000-25009999999, cpu:          0 } hitcount:        100
#@hist requests failed
{ common_timestamp: ~ 26000000000-26009999999, gfp_flags:      10240 } hitcount:   3
#@trace
# entries-in-buffer/entries-written: 1857/1900   #P:1
     task name-15 [000] .....    24.000000: gps: (rcu_gp_init+0x0/0x550)
     task name-15 [000] .....    24.004000: gpe: (rcu_gp_cleanup+0x0/0x550)
     task-7  ( 7) [003] .... 24.5: kvf: (kvfree_call_rcu+0x4/0x380) head=0x0 arg=0xffff88800554f5c0
task 7 [001] 24.6: kmem:mm_page_alloc: page=0 pfn=0x0 order=0 migratetype=0 gfp_flags=GFP_NOWAIT
task-7 [001] 24.7: mm_vmscan_direct_reclaim_begin: order=0 gfp_flags=GFP_KERNEL
task-7 [001] 24.8: mm_vmscan_direct_reclaim_end: nr_reclaimed=32 pid=7
task-7 [001] 24.8: rcu_sr_normal: rcu_preempt rhp=0x00000000a1 event=request
task-7 [001] 24.9: end: (kvfree_call_rcu+0x2c1/0x330 <- synchronize_rcu)
task-7 [001] 24.9: rcu_invoke_kfree_bulk_callback: slab bulk=0x00000000aa nr_records=6
CPU:2 [LOST 123 EVENTS]
[ 9.1] rcu-scale: Total time taken by all kfree'ers: 4400000000 ns, loops: 10000, batches: 950
[ 9.2] app: page allocation failure: order:0, mode:0x800(GFP_NOWAIT), nodemask=(null)
allocstall_normal 7
@w[2500, 3, 1]: 17
@gp_us:
[4K, 8K)               2 |@@@@@@@@                  |
{"type": "map", "data": {"@w": {"2500,3,1": 17}}}
#@end
"""


def machine_recording(r: random.Random, folder: Path) -> Case:
    """A recording of a user's machine as a scenario, with everything that is said about it."""
    lines = MACHINE_LINES.splitlines(keepends=True)
    if r.random() < 0.3:
        r.shuffle(lines)
    text = b"".join(lines) * r.choice((1, 1, 1, 2))
    for _ in range(r.choice((1, 2, 8))):
        text = bytes_of(r, text)
    if r.random() < 0.2:
        text = r.choice((gzip.compress(text, 1), text.decode("utf-8", "replace").encode("utf-16")))
        text = bytes_of(r, text) if r.random() < 0.5 else text
    (folder / "trace").write_bytes(text)

    def case() -> None:
        made = make(read([folder / "trace"]), load_scenario("phone"), "phone")
        assert from_dict(tomllib.loads(words.scenario_file(made, "krcsim read"))) == made.scenario
        assert words.summary(made).replace("\n", "").isprintable()
        words.json_of(made, "krcsim read")
        joint_of(made, load_scenario("phone"), 8)
        for field in (*made.values, *made.assumed):
            words.explanation(made, made.explained(field))

    return case


GUEST_ROW: dict[str, Any] = dict(
    mode=0,
    label="own/r/none/1/1",
    calls=10,
    calls_on=10,
    sync=2,
    sync_on=2,
    sync_ns=20_000_000,
    dur_ms=100,
    threads=1,
    p_page_ppm=1_000_000,
    p_obj_ppm=500_000,
    k_calls_first=[1],
    gp_len_us=[1, 2],
    variant="own",
    cpus=1,
    seed=1,
)


def guest_row(r: random.Random, _folder: Path) -> Case:
    """A result of the guest as a row of a recording."""
    given = tree_of(r, GUEST_ROW)
    return lambda: tables([flat(given)])


# Options and arguments

CLASSES = {
    "": Scenario,
    "machine.": Machine,
    "remedy.": Remedy,
    "allocator.": Allocator,
    "allocator.episode.": Failure,
    "grace_period.": GracePeriod,
    "workload.": Workload,
    "memory.": Memory,
}
FIELDS = [section + f.name for section, cls in CLASSES.items() for f in dataclasses.fields(cls)]


def _word(r: random.Random) -> str:
    """A word of a command line, which holds neither NUL nor anything that is no UTF-8."""
    return r.choice(WORDS).replace("\0", "")


def _field_value(r: random.Random) -> str:
    values = "3 0.5 true A1 B12 periodic unset [[0,5]] 200:500:3 1,2 1:4:whole".split()
    text = f"{r.choice(FIELDS)}={r.choice(values)}"
    return (
        text
        if r.random() < 0.6
        else bytes_of(r, text.encode()).decode("utf-8", "replace").replace("\0", "")
    )


OPTIONS = (
    "--set --set --over --sample --pin --seed --max-rung --max-runs --precision --remedies "
    "--points --quantity --by-episode --of "
    "--target --into --sizes --method --max --rem --on"
).split()


def command_line(r: random.Random, folder: Path) -> Case:
    """Words of a command line, as far as they are understood before work begins; the same again
    from its own words.
    """
    own = folder / "own.toml"
    own.write_text(_scenario_text(r), encoding="utf-8")
    asking = [verb for verb in VERBS if verb != "show"]
    argv = [r.choice(asking), r.choice(["phone", "thread-as-posted", str(own)])]
    for _ in range(r.randrange(4)):
        name, value = r.choice(OPTIONS), _field_value(r)
        if name == "--pin":
            mine = shlex.join([str(own), "--set", value])
            value = r.choice((value, "", "phone", mine, f"phone --set '{value}", f"--set {value}"))
        elif name not in ("--set", "--over", "--sample"):
            value = r.choice(
                (
                    "1",
                    "2",
                    "16",
                    "0.1",
                    "A1,B",
                    "own",
                    "mix",
                    argv[0],
                    "p_wait",
                    "1e-3",
                    "7\n",
                    "-1",
                    _word(r),
                )
            )
        argv += r.choice(([name, value], [f"{name}={value}"]))
    if r.random() < 0.2:
        argv.insert(r.randrange(len(argv)), _word(r))
    return partial(_understood, argv)


def _understood(argv: list[str]) -> None:
    options = parsed(argv)
    check_options(options)
    scenario = scenario_from(options)
    over = over_of(options) if isinstance(options, Studied) else {}
    if isinstance(options, Sweep):
        plan = plan_from(options, scenario, over) if options.into else None
        if plan is None and math.prod(map(len, over.values())) <= MAX_POINTS:
            plan_of(scenario, over) if over else None
    pins = [pinned(pin) for pin in getattr(options, "pin", [])]
    command = command_of(options)
    assert command.isprintable()
    if "scenario.toml" not in command:
        again = parsed(shlex.split(command)[1:])
        assert scenario_from(again) == scenario
        assert [pinned(pin) for pin in getattr(again, "pin", [])] == pins
        same = {*vars(options)} - {"scenario", "set", "pin", "over", "sample", "out"}
        assert {k: repr(vars(again)[k]) for k in same} == {k: repr(vars(options)[k]) for k in same}
        assert command_of(again) == command


def option_value(r: random.Random, _folder: Path) -> Case:
    """One value of --set, as text."""
    text, field = bytes_of(r, r.choice(WORDS).encode()).decode("utf-8", "replace"), r.choice(FIELDS)
    return lambda: changed(Scenario(), **{field: value_from(text)})


def constructor(r: random.Random, _folder: Path) -> Case:
    """A class of the user's, made with any values: it is a FieldError or a value that can be
    written and used.
    """
    cls = r.choice([*CLASSES.values()])
    names = [f.name for f in dataclasses.fields(cls)]
    given = {name: r.choice(VALUES) for name in r.sample(names, r.choice((1, 1, 2)))}

    def case() -> None:
        try:
            made = cls(**given)
        except FieldError:
            raise
        except KrcsimError as exc:
            raise AssertionError(f"no FieldError: {exc}") from None
        hash(made)
        if isinstance(made, Scenario):
            toml_text(made)

    return case


def change(r: random.Random, _folder: Path) -> Case:
    """Changes of a scenario in any order: the same whatever comes first."""
    fields = [
        *FIELDS,
        "machine",
        "remedy",
        "allocator",
        "memory",
        "remedy.base",
        "grace_period.file",
        "krcsim",
        _word(r),
    ]
    given = {r.choice(fields): r.choice(VALUES) for _ in range(r.randrange(1, 4))}
    return lambda: _changed_both_ways(random_scenario(r.randrange(40)), given)


def _changed_both_ways(s: Scenario, given: dict[str, Any]) -> None:
    first = changed(s, **given)
    if changed(s, **dict(reversed(given.items()))) != first:
        raise AssertionError("the order of changes matters")


_EACH = (
    scenario_file,
    joint_file,
    lengths_file,
    result_file,
    sweep_table,
    recording,
    machine_recording,
    guest_row,
    command_line,
    option_value,
    constructor,
    change,
)
READERS: dict[str, Callable[[random.Random, Path], Case]] = {f.__name__: f for f in _EACH}


@dataclass
class Tally:
    """What became of the cases of a reader."""

    cases: int = 0
    refused: int = 0
    longest: int = 0
    slowest: float = 0.0
    faults: dict[str, list[int]] = dataclasses.field(default_factory=dict)


def outcome(reader: str, number: int, seed: int, folder: Path) -> Outcome:
    """The case of that number, always the same."""
    return judged(READERS[reader](random.Random(f"{reader} {seed} {number}"), folder))


def run(reader: str, numbers: range, seed: int = 0) -> Tally:
    """Some cases of a reader; faults by what they say, with the numbers of their cases."""
    tally, folder = Tally(), Path(tempfile.mkdtemp(prefix="krcsim-mutations-"))
    try:
        for number in numbers:
            found = outcome(reader, number, seed, folder)
            tally.cases += 1
            tally.refused += bool(found.refused)
            tally.longest, tally.slowest = (
                max(tally.longest, len(found.refused)),
                max(tally.slowest, found.seconds),
            )
            if found.fault:
                tally.faults.setdefault(found.fault, []).append(number)
    finally:
        shutil.rmtree(folder)
    return tally


def main(argv: list[str] | None = None) -> int:
    """Print a row a reader, and the faults; 1 if there were any."""
    options = argparse.ArgumentParser(prog="python -m validation.mutations", description=__doc__)
    options.add_argument(
        "--count", type=int, default=2000, help="cases of all readers together (2000)"
    )
    options.add_argument("--seed", type=int, default=0)
    options.add_argument(
        "--only", choices=READERS, action="append", help="readers; again for more (all)"
    )
    args = options.parse_args(argv)
    names = args.only or list(READERS)
    print(f"{'reader':15} {'cases':>8} {'refused':>8} {'longest':>8} {'slowest':>8} {'faults':>7}")
    bad = 0
    for name in names:
        t = run(name, range(-(-args.count // len(names))), args.seed)
        faults = sum(map(len, t.faults.values()))
        bad += faults
        print(
            f"{name:15} {t.cases:8} {t.refused:8} {t.longest:8} {t.slowest:6.2f} s {faults:7}",
            flush=True,
        )
        for fault, numbers in sorted(t.faults.items(), key=lambda x: -len(x[1]))[:20]:
            print(
                f"    {len(numbers):6} x {fault} (numbers {', '.join(map(str, numbers[:3]))})",
                flush=True,
            )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
