# SPDX-License-Identifier: GPL-2.0-only
"""Lines of recordings that were damaged one by one: what krcsim read makes of each is what it says
by the letter, or the line is counted as not understood.

    python -m validation.mutated_lines --count 100000 [--seed N] [--only FORM]

Of each form of a file (trace_pipe, trace-cmd report, perf script, the output, maps and JSON of
bpftrace, the recorder's archive, rcuscale, /proc/vmstat) one line is damaged in one to three ways.
validation/strict_lines.py reads the file a second time, by the letter. A fault is

* an exception that is not the package's own, a message that is no sentence, more than 2 s,
* a number that the strict reading does not find in the lines that were understood,
* a line that is neither of its forms nor counted as not understood,
* lines of which understood, not understood and ignored do not add up.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations
from pathlib import Path

from krcsim.model.scenario_file import load_scenario
from krcsim.trace import words
from krcsim.trace.evidence import Evidence
from krcsim.trace.fit import make
from krcsim.trace.reading import read
from validation.mutations import judged
from validation.strict_lines import BAD, Damaged, Reading, facts_of

SAID_EVERY = 2000  # lines
_CALL = "(kvfree_call_rcu+0x0/0x330) head="
_OWN = "GFP_KERNEL|__GFP_NOWARN|__GFP_NORETRY|__GFP_NOMEMALLOC"

PIPE = f"""\
# tracer: nop
# entries-in-buffer/entries-written: 1857/1900   #P:4
            task-7       [000] .....   100.500001: kvf: {_CALL}0x0 arg=0xffff888004b80500
     kworker/u4:0-12     [001] d.h3.   100.501201: kvf: {_CALL}0xffff888004b80500 arg=0x80 vmalloc=0
   Jit thread po-4435    [003] .....   100.502000: kvf: {_CALL}0x0 arg=0xffffc90000554f5c vmalloc=1
            rcu-15       [000] .....   100.510000: gps: (rcu_gp_init+0x0/0x550)
            task-7       [000] .....   100.511000: sync: (synchronize_rcu+0x4/0xb0)
            task-7       [000] .....   100.511100: old: (__wait_rcu_gp+0x4/0x1b0)
            rcu-15       [002] .....   100.522000: gpe: (rcu_gp_cleanup+0x0/0x550)
            task-7       [000] .....   100.523000: oe: (synchronize_rcu_normal+0x1/0x3 <- __wait_rcu_gp)
            task-7       [000] .....   100.523100: se: (kvfree_call_rcu+0x2c1/0x330 <- synchronize_rcu)
CPU:2 [LOST 123 EVENTS]
            rcu-15       [000] .....   100.530000: gps: (rcu_gp_init+0x0/0x550)
            rcu-15       [000] .....   100.544000: gpe: (rcu_gp_cleanup+0x0/0x550)
            task-9       [001] .....   100.545000: mm_page_alloc: page=0000000000000000 pfn=0x0 order=0 migratetype=0 gfp_flags=GFP_NOWAIT|__GFP_NOWARN
            task-9       [001] .....   100.545100: mm_page_alloc: page=00000000f1b2a3c4 pfn=0x1a2b3 order=0 migratetype=1 gfp_flags={_OWN}
            task-9       [001] .....   100.545200: mm_page_alloc: page=00000000f1b2a3c4 pfn=0x1a2b8 order=3 migratetype=1 gfp_flags=GFP_KERNEL|__GFP_COMP
            task-9       [001] ...1.   100.546000: mm_vmscan_direct_reclaim_begin: order=0 gfp_flags=GFP_KERNEL
            task-9       [001] ...1.   100.549000: mm_vmscan_direct_reclaim_end: nr_reclaimed=32
      kworker/3:3-507    [003] .....   100.550000: rcu_invoke_kfree_bulk_callback: rcu_preempt bulk=0x00000000aaaaaaaa nr_records=60
      kworker/3:3-507    [003] .....   100.551000: mon: (kfree_rcu_monitor+0x4/0x310)
      kworker/3:3-507    [003] .....   100.552000: sheaf: (kvfree_call_rcu+0x4/0x310 <- __kfree_rcu_sheaf) ok=0x1
          <idle>-0       [001] d..2.   100.553000: sched_switch: prev_comm=x prev_pid=9 ==> next_comm=y
""".splitlines()  # noqa: E501

REPORT = f"""\
version = 7
cpus=4
CPU 3 is empty
            task-7     [000]   100.500001: kvf:                  {_CALL}0x0 arg=0xffff888004b80500
 a [b] c-dx-12    [001]   100.501201: kvf:                  {_CALL}0xffff888004b80500 arg=0x80
CPU:1 [7 EVENTS DROPPED]
            rcu-15    [000]   100.510000: gps:                  (rcu_gp_init+0x0/0x550)
            rcu-15    [002]   100.522000: gpe:                  (rcu_gp_cleanup+0x0/0x550)
            rcu-15    [002]   100.523000: rcu_grace_period:     rcu_preempt 8369 start
            rcu-15    [002]   100.531000: rcu_grace_period:     rcu_preempt 8369 cpustart
            rcu-15    [002]   100.537000: rcu_grace_period:     rcu_preempt 8369 end
            task-3    [002]   100.540000: rcu_sr_normal:        rcu_preempt rhp=0x00000000a1 event=request
            task-3    [002]   100.552000: rcu_sr_normal:        rcu_preempt rhp=0x00000000a1 event=complete
            task-9    [001]   100.555000: mm_page_alloc:        page=(null) pfn=0 order=0 migratetype=0 gfp_flags=GFP_NOWAIT
            task-9    [001]   100.556000: mm_page_alloc:        page=0xffffea0004 pfn=107187 order=0 migratetype=0 gfp_flags=GFP_NOWAIT
            task-9    [001]   100.557000: mm_vmscan_direct_reclaim_begin: order=0 may_writepage=1 gfp_flags=GFP_KERNEL classzone_idx=2
            task-9    [001]   100.558000: mm_vmscan_direct_reclaim_end: nr_reclaimed=0
""".splitlines()  # noqa: E501

PERF = f"""\
         swapper     0 [002]   123.456789: probe:kvfree_call_rcu: (ffffffff811d2f10) head=0x0 arg=0x80
            java   512/513 [001]   123.457789:          1 kprobes:kvf: {_CALL}0xffff888004b80500
            java   512 [001]   123.458789: probe:synchronize_rcu: (ffffffff811d2f10)
            java   512 [001]   123.470789: probe:synchronize_rcu__return: (ffffffff811d2f10 <- ffffffff9)
            perf    12 [000]   123.471000: kmem:mm_page_alloc: page=0x0 pfn=0xffffffffffffffff order=0 migratetype=0 gfp_flags=GFP_NOWAIT|__GFP_NOWARN
            perf    12 [000]   123.472000: vmscan:mm_vmscan_direct_reclaim_begin: order=0 gfp_flags=GFP_KERNEL
            perf    12 [000]   123.475000: vmscan:mm_vmscan_direct_reclaim_end: nr_reclaimed=32
            perf    12 [000]   123.476000: rcu:rcu_invoke_kfree_bulk_callback: slab bulk=0x00000000aa nr_records=512
            perf    12 [000]   123.477000: PERF_RECORD_LOST LOST 9 events
            perf    12 [000]   123.478000: sched:sched_switch: prev_comm=a ==> next_comm=b
""".splitlines()  # noqa: E501

BPFTRACE = """\
#@armed calls page noretry grace_periods reclaims
Attaching 9 probes...
x-0 [000] 5000.005551698: krcsim_on: 
x-18 [000] 5000.016054858: rcu_gp_init: 
x-18 [000] 5000.020135058: rcu_gp_cleanup: 
x-9 [001] 5000.030135058: mm_vmscan_direct_reclaim_begin: 
x-9 [001] 5000.033135058: mm_vmscan_direct_reclaim_end: 
x-0 [000] 5000.995551698: krcsim_on: 
#@end

@monitor: 5
@work: 4
@total: 23
@w[500000, 3, 1]: 17
@w[500001, 3, 0]: 3
@pages[500000, 2048, 1]: 2
@pages[500000, 601280, 0]: 11
@sheaf[1]: 100
@gp_us:
[4K, 8K)               2 |@@@@@@@@                  |
[8K, 16K)              1 |@@@@                      |
@wait_us:
[16K, 32K)             3 |@@@@                      |
""".splitlines()  # noqa: W291

JSON = """\
{"type": "attached_probes", "data": {"probes": 2}}
{"type": "map", "data": {"@w": {"500000,3,1": 17, "500001,3,0": 3}}}
{"type": "map", "data": {"@pages": {"500000,2048,1": 2, "500000,2048,0": 40}}}
{"type": "map", "data": {"@sheaf": {"1": 17}}}
{"type": "map", "data": {"@monitor": 5}}
""".splitlines()

ARCHIVE = """\
#@krcsim-recording 1
#@armed calls reclaims grace_periods waits page noretry sheaves sizes
#@span 20.00 30.00
#@machine
release 6.1.0-56-amd64
arch x86_64
cpus_online 0-3
hz 250
rcu_min_cached_objs 5
#@vmstat start
allocstall_normal 7
pgscan_direct 10
#@vmstat stop
allocstall_normal 19
pgscan_direct 30
#@hist calls single slab

{ common_timestamp: ~ 25000000000-25009999999, cpu:          0 } hitcount:        100
{ common_timestamp: ~ 25010000000-25019999999, cpu:          1 } hitcount:         50

Totals:
    Hits: 150
    Entries: 2
    Dropped: 0
#@hist calls double vmalloc

{ common_timestamp: ~ 26000000000-26009999999, cpu:          1 } hitcount:         25

Totals:
    Hits: 25
    Entries: 1
    Dropped: 4
#@hist requests tried

{ common_timestamp: ~ 26000000000-26009999999, gfp_flags:      10240 } hitcount:         20
{ common_timestamp: ~ 26000000000-26009999999, gfp_flags:     601280 } hitcount:         10

Totals:
    Hits: 30
    Entries: 2
    Dropped: 0
#@hist requests failed

{ common_timestamp: ~ 26000000000-26009999999, gfp_flags:      10240 } hitcount:          3

Totals:
    Hits: 3
    Entries: 1
    Dropped: 0
#@hist count monitor

{ common_timestamp: ~ 25900000000-25999999999 } hitcount:          2

Totals:
    Hits: 2
    Entries: 1
    Dropped: 0
#@hist sheaves

{ ok:          1 } hitcount:       7585

Totals:
    Hits: 7585
    Entries: 1
    Dropped: 0
#@hist sizes

{ size:         64 } hitcount:       7399

Totals:
    Hits: 7399
    Entries: 1
    Dropped: 0
#@trace
# tracer: nop
# entries-in-buffer/entries-written: 739/739   #P:1
x-15 [000] .....    19.500000: gps: (rcu_gp_init+0x0/0x550)
x-15 [000] .....    24.000000: gps: (rcu_gp_init+0x0/0x550)
x-15 [000] .....    24.004000: gpe: (rcu_gp_cleanup+0x0/0x550)
x-9 [001] ...1.    24.546000: mm_vmscan_direct_reclaim_begin: order=0 gfp_flags=GFP_KERNEL
x-9 [001] ...1.    24.549000: mm_vmscan_direct_reclaim_end: nr_reclaimed=32

#@pressure
21.00 some avg10=0.00 avg60=0.00 avg300=0.00 total=0
#@overhead 310
#@end
""".splitlines()

LOG = """\
[    0.000000] Linux version 6.1.0 (root) #1 SMP
[   12.000000] rcu-scale: --- Start of test: kfree_rcu_test=1
[   17.100000] rcu-scale: Total time taken by all kfree'ers: 4400000000 ns, loops: 10000, batches: 950, memory footprint: 40MB
rcuperf: Total time taken by all kfree'ers: 2200000000 ns, loops: 5000, batches: 400
[   18.000000] app: page allocation failure: order:0, mode:0x800(GFP_NOWAIT), nodemask=(null),cpuset=/
[   19.000000] SLUB: Unable to allocate memory on node -1, gfp=0x800(GFP_NOWAIT)
<6>[   20.000000] oom-kill:constraint=CONSTRAINT_NONE
""".splitlines()  # noqa: E501

VMSTAT = """\
nr_free_pages 50000
nr_dirtied -3
allocstall_normal 7
allocstall_movable 100
pgscan_direct 1000
pgsteal_direct 900
pgscan_kswapd 10
oom_kill 0
nr_free_pages 40000
allocstall_normal 19
allocstall_movable 130
pgscan_direct 5000
pgsteal_direct 4000
pgscan_kswapd 99
oom_kill 1
""".splitlines()

FORMS: dict[str, Sequence[str]] = {
    "trace_pipe": PIPE,
    "trace-cmd": REPORT,
    "perf": PERF,
    "bpftrace": BPFTRACE,
    "json": JSON,
    "archive": ARCHIVE,
    "log": LOG,
    "vmstat": VMSTAT,
    "mixture": [*PIPE[2:6], *PERF[:2], *VMSTAT[2:4], *BPFTRACE[9:14], *LOG[2:3], *REPORT[3:7]],
}

# Ways to damage a line; each gives the lines that take its place.

Lines = list[bytes]
Damage = Callable[[random.Random, bytes, bytes], Lines]

_ODD = [
    "\u0663", "\u0967", "\u00b2", "\uff15", "\0", "\x07", "\x1b[2J", "\x1b]0;x\x07", "\t", "\x0b",
    "\u2028", "\u202e", "\ufeff", "%s%n", "%d", "{0}", "{}", "$(id)", "`id`", "<script>alert(1)"
    "</script>", "&amp;", "'\"", "|", "@", "#@", "#", "=", ":", "[", "]", "(", ")", "-", "+", ",",
    ".", " ", "e9", "0x", "_", "\u00e9",
]  # fmt: skip
_NUMBERS = [
    "0", "1", "-1", "-5", "+5", "nan", "NaN", "inf", "-inf", "Infinity", "1e18", "1e308",
    "1000000000000000000", "9" * 19, "9" * 40, "18446744073709551615", "18446744073709551616",
    "4096", "1024", "1023", "2147483648", "0x10", "0b1", "1_000", "1,000", "1.000,5", "1.5", "00",
    "\u0661\u0662", "", "256", "1e3", "999999999999.999999999", "0.0", "12345678901234567890",
]  # fmt: skip


def _numbers_in(line: bytes) -> list[tuple[int, int]]:
    """Where the numbers of a line begin and end."""
    found = []
    at = 0
    while at < len(line):
        if line[at : at + 1].isdigit():
            begin = at
            while at < len(line) and (line[at : at + 1].isdigit() or line[at : at + 1] == b"."):
                at += 1
            found.append((begin, at))
        at += 1
    return found


def _words_in(line: bytes) -> list[bytes]:
    return line.split(b" ")


def cut(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """Nothing after a place."""
    return [line[: r.randrange(len(line) + 1)]]


def beheaded(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """Nothing before a place, as where a ring buffer begins."""
    return [line[r.randrange(len(line) + 1) :]]


def without_some(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """Some bytes are missing."""
    at = r.randrange(len(line) + 1)
    return [line[:at] + line[at + r.randrange(1, 12) :]]


def doubled(_: random.Random, line: bytes, _other: bytes) -> Lines:
    """The same line twice."""
    return [line, line]


def doubled_inside(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """Some bytes twice."""
    at = r.randrange(len(line) + 1)
    to = at + r.randrange(1, 30)
    return [line[:to] + line[at:]]


def other_digits(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """A digit is another, or two are swapped."""
    places = [n for n in range(len(line)) if line[n : n + 1].isdigit()]
    if not places:
        return [line]
    changed = bytearray(line)
    at, to = r.choice(places), r.choice(places)
    if r.random() < 0.5:
        changed[at], changed[to] = changed[to], changed[at]
    else:
        changed[at] = ord(r.choice("0123456789"))
    return [bytes(changed)]


def other_number(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """A number is another, or none."""
    numbers = _numbers_in(line)
    if not numbers:
        return [line]
    begin, end = r.choice(numbers)
    return [line[:begin] + r.choice(_NUMBERS).encode() + line[end:]]


def negative(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """A sign before a number."""
    numbers = _numbers_in(line)
    if not numbers:
        return [line]
    begin, _ = r.choice(numbers)
    return [line[:begin] + r.choice([b"-", b"+", b"--"]) + line[begin:]]


def commas(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """The points and commas of another locale."""
    return [line.translate(bytes.maketrans(b".,", b",.")) if r.random() < 0.5 else
            line.replace(b".", b",", r.randrange(1, 4))]  # fmt: skip


def odd(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """Something that does not belong there: controls, HTML, shell, formats, other digits."""
    at = r.randrange(len(line) + 1)
    over = r.choice((0, 0, 1, 3))
    return [line[:at] + r.choice(_ODD).encode() + line[at + over :]]


def any_byte(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """A byte is another."""
    at = r.randrange(len(line) + 1)
    byte = r.randrange(256)
    return [line[:at] + bytes([byte if byte != 10 else 32]) + line[at + 1 :]]


def a_bit(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """A bit is wrong."""
    if not line:
        return [line]
    at = r.randrange(len(line))
    byte = line[at] ^ (1 << r.randrange(8))
    return [line[:at] + bytes([byte if byte != 10 else 32]) + line[at + 1 :]]


def merged(r: random.Random, line: bytes, other: bytes) -> Lines:
    """The end of a line is missing, with some of the next one or of this one."""
    head = line if r.random() < 0.5 else line[: r.randrange(len(line) + 1)]
    tail = other if r.random() < 0.5 else other[r.randrange(len(other) + 1) :]
    return [head + tail]


def split(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """An end of line in the middle."""
    at = r.randrange(len(line) + 1)
    return [line[:at], line[at:]]


def without_a_word(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """A field is missing."""
    parts = _words_in(line)
    del parts[r.randrange(len(parts))]
    return [b" ".join(parts)]


def words_swapped(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """Two words have changed places."""
    parts = _words_in(line)
    at, to = r.randrange(len(parts)), r.randrange(len(parts))
    parts[at], parts[to] = parts[to], parts[at]
    return [b" ".join(parts)]


def blanks(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """Tabs for blanks, blanks at the end, no blanks."""
    return [r.choice([line.replace(b" ", b"\t"), line + b"  ", b"  " + line,
                      line.replace(b" ", b"", r.randrange(1, 5)), b"\t" + line])]  # fmt: skip


def capitals(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """Letters in the other case."""
    return [line.upper() if r.random() < 0.5 else line.swapcase()]


def wide(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """A part in UTF-16 amid the rest."""
    at = r.randrange(len(line) + 1)
    return [line[:at] + line[at:].decode("latin-1").encode("utf-16-le").replace(b"\n", b"")]


def huge(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """Very long."""
    at = r.randrange(len(line) + 1)
    return [line[:at] + r.choice([b"9", b"x", b" ", b"[", b"=", b"("]) * 70_000 + line[at:]]


def many_cpus(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """A CPU that no machine has, or a time that no clock shows."""
    for old in (b"[000]", b"[001]", b"[002]", b"[003]", b"cpu:          0", b", 3,"):
        if old in line:
            number = r.choice([b"4095", b"1024", b"-1", b"99999999", b"1023", b"0x1", b"1e1"])
            kept = [c for c in old if c in b"[], :cpu"]
            new = old.strip(b"[], 0123:cpu") or number
            return [line.replace(old, bytes(kept[:1]) + new + bytes(kept[-1:]), 1)]
    return other_number(r, line, _other)


def time_jumps(r: random.Random, line: bytes, _other: bytes) -> Lines:
    """A time that is far off, or negative."""
    numbers = [(a, b) for a, b in _numbers_in(line) if b"." in line[a:b]]
    if not numbers:
        return [line]
    begin, end = numbers[0]
    new = r.choice([b"0.000001", b"-5.5", b"999999999.5", b"1e18", b"100.6", b"160.1", b"99999.5",
                    b"1000000000000.0", b"100.5000019"])  # fmt: skip
    return [line[:begin] + new + line[end:]]


DAMAGES: tuple[Damage, ...] = (
    cut, beheaded, without_some, doubled, doubled_inside, other_digits, other_number, negative,
    commas, odd, any_byte, a_bit, merged, split, without_a_word, words_swapped, blanks, capitals,
    wide, huge, many_cpus, time_jumps,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A file as lines, and which of them were damaged."""

    form: str
    lines: tuple[bytes, ...]
    damaged: tuple[int, ...]
    packed: bytes


def case_of(seed: int, number: int, form: str = "") -> Case:
    """The case of that number, always the same."""
    r = random.Random(f"{seed} {number}")
    form = form or r.choice([*FORMS])
    lines = [line.encode() for line in FORMS[form]]
    at = r.randrange(len(lines))
    other = lines[at + 1] if at + 1 < len(lines) else r.choice(lines)
    is_merged = False
    new = [lines[at]]
    for _ in range(r.choice((1, 1, 1, 2, 3))):
        damage = r.choice(DAMAGES)
        is_merged |= damage is merged
        place = r.randrange(len(new))
        new[place : place + 1] = damage(r, new[place], other)
    rest = lines[at + 2 :] if is_merged else lines[at + 1 :]
    # A line that was damaged may hold ends of lines now.
    new = [part for line in new for part in line.split(b"\n")]
    lines = [*lines[:at], *new, *rest]
    end = r.choice([b"\n", b"\n", b"\n", b"\r\n"])
    text = end.join(lines) + end
    packed = gzip.compress(text, 1) if r.random() < 0.05 else text
    return Case(form, tuple(lines), tuple(range(at, at + len(new))), packed)


def said_by(case: Case, without: tuple[int, ...]) -> tuple[dict[str, object], list[str]]:
    """The numbers of a case by the letter, without some lines, and what became of each line."""
    reading = Reading()
    verdicts = []
    for number, line in enumerate(case.lines):
        line = line.rstrip(b"\r")
        verdict = BAD
        if number not in without:
            with contextlib.suppress(Damaged):
                verdict = reading.take(line)
        if verdict == BAD:
            reading.reject(line)
        verdicts.append(verdict)
    return reading.finish().plain(), verdicts


def wrong_in(case: Case, evidence: Evidence) -> str:
    """What the reader made of a case that its lines do not say; nothing where all is right."""
    found = facts_of(evidence).plain()
    taken = sum(source.lines for some in evidence.sources.values() for source in some)
    if taken + evidence.ignored + evidence.not_understood != evidence.lines:
        return (
            f"{taken} understood + {evidence.ignored} ignored + {evidence.not_understood} not "
            f"understood are not {evidence.lines} lines"
        )
    nearest = ""
    for without in chain.from_iterable(
        combinations(case.damaged, n) for n in range(len(case.damaged) + 1)
    ):
        said, verdicts = said_by(case, without)
        differs = [name for name in said if said[name] != found[name]]
        bad = verdicts.count(BAD)
        if not differs and bad == evidence.not_understood:
            return ""
        told = ", ".join(f"{name}: {found[name]!r} for {said[name]!r}" for name in differs)
        told = told or f"{evidence.not_understood} not understood for {bad}"
        nearest = told if not nearest or len(told) < len(nearest) else nearest
    return nearest


@dataclass
class Count:
    """What became of the cases of a form."""

    cases: int = 0
    refused: int = 0
    not_understood: int = 0
    slowest: float = 0.0
    faults: dict[str, list[int]] = field(default_factory=dict)


def outcome(case: Case, path: Path, count: Count, number: int) -> None:
    """Read a case, and remember what was wrong with it."""
    path.write_bytes(case.packed)
    seen: list[Evidence] = []

    def reading() -> None:
        evidence = read([path])
        seen.append(evidence)
        if wrong := wrong_in(case, evidence):
            raise AssertionError(wrong)
        if number % 20 == 0:
            made = make(evidence, load_scenario("phone"), "phone")
            assert words.summary(made).replace("\n", "").isprintable()

    found = judged(reading)
    count.cases += 1
    count.refused += bool(found.refused)
    count.slowest = max(count.slowest, found.seconds)
    count.not_understood += sum(evidence.not_understood for evidence in seen)
    if found.fault:
        count.faults.setdefault(f"{case.form}: {found.fault}", []).append(number)


def run(
    numbers: range, seed: int = 0, form: str = "", say: Callable[[str], None] = lambda _: None
) -> dict[str, Count]:
    """Some cases, by their forms; `say` gets how far it is, now and then."""
    counts: dict[str, Count] = {}
    folder = Path(tempfile.mkdtemp(prefix="krcsim-lines-"))
    try:
        for number in numbers:
            case = case_of(seed, number, form)
            outcome(case, folder / "recording", counts.setdefault(case.form, Count()), number)
            if (number + 1) % SAID_EVERY == 0:
                faults = sum(len(one.faults) for one in counts.values())
                say(f"{number + 1:,} of {len(numbers):,} lines, {faults} kinds of faults")
    finally:
        shutil.rmtree(folder)
    return counts


def main(argv: list[str] | None = None) -> int:
    """Print a row a form, and the faults; 1 if there were any."""
    options = argparse.ArgumentParser(prog="python -m validation.mutated_lines")
    options.add_argument("--count", type=int, default=100_000, help="damaged lines (100000)")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", choices=FORMS, default="", help="a form (all)")
    args = options.parse_args(argv)
    counts = run(
        range(args.count),
        args.seed,
        args.only,
        lambda text: print(text, file=sys.stderr, flush=True),
    )
    print(f"{'form':12} {'lines':>8} {'refused':>8} {'not understood':>15} {'slowest':>8} faults")
    for name, one in sorted(counts.items()):
        bad = sum(map(len, one.faults.values()))
        print(
            f"{name:12} {one.cases:8} {one.refused:8} {one.not_understood:15} "
            f"{one.slowest:6.2f} s {bad:6}"
        )
    faults: Counter[str] = Counter()
    for one in counts.values():
        for fault, numbers in one.faults.items():
            faults[f"{fault} (numbers {', '.join(map(str, numbers[:3]))})"] = len(numbers)
    for fault, many in faults.most_common(40):
        print(f"{many:6} x {fault[:600]}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
