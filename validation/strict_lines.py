# SPDX-License-Identifier: GPL-2.0-only
"""What lines of recordings say by the letter, read a second time: the judge of mutated lines.

Written from docs/recordings.md; it shares no code with krcsim/trace. It takes words apart where the
reader has patterns, knows each form from its first to its last character, and is slow.
"""

from __future__ import annotations

import json
import string
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from krcsim.trace.evidence import Evidence, Requests

NUMBER, NOTHING, BAD = "number", "nothing", "bad"
PAUSE_S, ORDER_S, LATEST_S, LONGEST_S = 60.0, 1.0, 1e9, 1000.0
CPUS = 1024
MOST_IN_WINDOW = 10**6

CALLS = ("kvfree_call_rcu", "kfree_call_rcu")
RUNS = {
    "kfree_rcu_monitor": "monitor",
    "kfree_rcu_work": "work",
    "fill_page_cache_func": "refill",
    "kfree_rcu_shrink_count": "shrinker",
    "mm_vmscan_kswapd_wake": "kswapd",
}
NAMES = {
    "kvf": "kvfree_call_rcu",
    "gps": "rcu_gp_init",
    "gpe": "rcu_gp_cleanup",
    "mon": "kfree_rcu_monitor",
    "wrk": "kfree_rcu_work",
    "fill": "fill_page_cache_func",
    "shc": "kfree_rcu_shrink_count",
}
KNOWN = (
    *CALLS, *RUNS, "mm_page_alloc", "rcu_gp_init", "rcu_gp_cleanup", "rcu_grace_period",
    "rcu_sr_normal", "synchronize_rcu", "__wait_rcu_gp", "mm_vmscan_direct_reclaim_begin",
    "mm_vmscan_direct_reclaim_end", "rcu_invoke_kfree_bulk_callback", "__kfree_rcu_sheaf",
)  # fmt: skip
RECLAIMS = ("GFP_KERNEL GFP_KERNEL_ACCOUNT GFP_USER GFP_HIGHUSER GFP_HIGHUSER_MOVABLE GFP_NOFS "
            "GFP_NOIO GFP_TRANSHUGE __GFP_DIRECT_RECLAIM __GFP_RECLAIM").split()  # fmt: skip
HARD = "GFP_ATOMIC __GFP_HIGH __GFP_ATOMIC".split()
HARMLESS = (
    "none GFP_NOWAIT GFP_DMA GFP_DMA32 GFP_TEMPORARY GFP_TRANSHUGE_LIGHT __GFP_ACCOUNT __GFP_CMA "
    "__GFP_COLD __GFP_COMP __GFP_DMA __GFP_DMA32 __GFP_FS __GFP_HARDWALL __GFP_HIGHMEM __GFP_IO "
    "__GFP_KSWAPD_RECLAIM __GFP_MEMALLOC __GFP_MOVABLE __GFP_NOFAIL __GFP_NOLOCKDEP "
    "__GFP_NOMEMALLOC __GFP_NORETRY __GFP_NOTRACK __GFP_NOWARN __GFP_NO_OBJ_EXT __GFP_OTHER_NODE "
    "__GFP_RECLAIMABLE __GFP_REPEAT __GFP_RETRY_MAYFAIL __GFP_SKIP_KASAN __GFP_SKIP_KASAN_POISON "
    "__GFP_SKIP_KASAN_UNPOISON __GFP_SKIP_ZERO __GFP_THISNODE __GFP_WRITE __GFP_ZERO "
    "__GFP_ZEROTAGS"
).split()
PRESSURE = ("allocstall", "pgscan_direct", "pgscan_kswapd", "pgsteal_direct", "pgsteal_kswapd",
            "oom_kill")  # fmt: skip


class Damaged(Exception):
    """A line is none of the forms."""


@dataclass
class Facts:
    """Numbers that lines say, in plain values that can be compared."""

    calls: Counter[tuple[int, int]] = field(default_factory=Counter)
    single: Counter[tuple[int, int]] = field(default_factory=Counter)
    vmalloc: Counter[tuple[int, int]] = field(default_factory=Counter)
    kinds_known: bool = True
    vmalloc_known: bool = True
    tries: Counter[tuple[str, int]] = field(default_factory=Counter)
    failed: Counter[tuple[str, int]] = field(default_factory=Counter)
    own_tries: int = 0
    grace_periods: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    reclaims: list[tuple[float, float]] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)
    ran: Counter[tuple[str, int]] = field(default_factory=Counter)
    blocks: tuple[int, int] = (0, 0)
    sizes: Counter[int] = field(default_factory=Counter)
    sheaves: tuple[int, int] = (0, 0)
    scale: list[tuple[int, int, int]] = field(default_factory=list)
    vmstat: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    spans: list[tuple[float, float]] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """The same with what is 0 left out and lengths in an order of their own."""
        found = dict(vars(self))
        for name, value in found.items():
            if isinstance(value, Counter):
                found[name] = {key: many for key, many in value.items() if many}
        for name in ("grace_periods", "waits"):
            found[name] = sorted(round(x, 7) for x in found[name])
        found["reclaims"] = sorted((round(a, 7), round(b, 7)) for a, b in self.reclaims)
        found["spans"] = [(round(a, 6), round(b, 6)) for a, b in self.spans]
        return found


def facts_of(evidence: Evidence) -> Facts:
    """What the reader made of lines, in the same plain values."""
    calls = evidence.calls
    keys = [*zip(calls.windows.tolist(), calls.cpus.tolist(), strict=True)]

    def of(counts: Any) -> Counter[tuple[int, int]]:
        return Counter(dict(zip(keys, counts.tolist(), strict=True)))

    def requests(kind: str, some: Requests) -> tuple[Any, Any]:
        at = [(kind, int(window)) for window in some.windows]
        return (
            dict(zip(at, some.tries.tolist(), strict=True)),
            dict(zip(at, some.failed.tolist(), strict=True)),
        )

    page, noretry = requests("page", evidence.page), requests("noretry", evidence.noretry)
    pairs = zip(evidence.reclaims.begins_s.tolist(), evidence.reclaims.ends_s.tolist(), strict=True)
    return Facts(
        of(calls.calls),
        of(calls.single),
        of(calls.vmalloc),
        calls.kinds_known,
        calls.vmalloc_known,
        Counter(page[0] | noretry[0]),
        Counter(page[1] | noretry[1]),
        evidence.own_tries,
        evidence.grace_periods_s.tolist(),
        evidence.waits_s.tolist(),
        [*pairs],
        Counter({k: n for k, n in evidence.counters.items() if k != "splats"}),
        Counter(
            {
                (name, int(window)): int(times)
                for name, some in evidence.ran.items()
                for window, times in zip(some.windows, some.times, strict=True)
            }
        ),
        evidence.block_pointers,
        Counter(evidence.object_sizes),
        evidence.sheaf_calls,
        [(one.nanoseconds, one.loops, one.batches) for one in evidence.scale_runs],
        dict(evidence.vmstat),
        evidence.lost,
        [*evidence.spans],
    )


def split_at_blanks(text: str) -> list[str]:
    """Words with blanks of ASCII between them."""
    return [word.decode("latin-1") for word in text.encode("latin-1").split()]


def whole(text: str, most_digits: int) -> int:
    """A number of a line, in digits of ASCII and nothing else."""
    if not text or len(text) > most_digits or not set(text) <= set(string.digits):
        raise Damaged(text)
    return int(text)


def hexadecimal(text: str, most_digits: int = 16) -> int:
    """The same in hex, with or without 0x."""
    digits = text.removeprefix("0x")
    if not digits or len(digits) > most_digits or not set(digits) <= set(string.hexdigits):
        raise Damaged(text)
    return int(digits, 16)


def stamp(text: str) -> float:
    """A time in seconds, with its point."""
    before, point, behind = text.partition(".")
    whole(before, 12)
    if not point:
        raise Damaged(text)
    whole(behind, 9)
    return float(text)


def window_at(seconds: float) -> int:
    """The window of 10 ms of a time."""
    return int(seconds / 0.01)


class Reading:
    """Lines one after another, and what they came to."""

    def __init__(self) -> None:
        self.facts = Facts()
        self.times: list[tuple[float, float]] = []
        self.latest: float | None = None
        self.gp: float | None = None
        self.gp_number = ""
        self.waiting: dict[int, float] = {}
        self.reclaiming: dict[int, float] = {}
        self.section: list[str] = []
        self.map = ""
        self.rows: set[object] = set()
        self.inside: tuple[float, float] | None = None
        self.counted: list[float] = []
        self.first_vmstat: dict[str, int] = {}
        self.last_vmstat: dict[str, int] = {}
        self.announced = 0

    def forget(self) -> None:
        """Lines may be missing here: what began is not known to end next."""
        self.gp = None
        self.waiting.clear()
        self.reclaiming.clear()

    def reject(self, line: bytes) -> None:
        """A line that was not understood."""
        self.map = ""
        if b"[" in line:
            self.forget()

    def finish(self) -> Facts:
        """All of it."""
        facts = self.facts
        if self.counted and self.inside is None:
            self.times.append((min(self.counted), max(self.counted) + 0.01))
        spans: list[tuple[float, float]] = []
        for begin, end in sorted(self.times):
            if spans and begin <= spans[-1][1] + PAUSE_S:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((begin, end))
        facts.spans = spans
        facts.vmstat = {
            name: self.last_vmstat[name] - first
            for name, first in self.first_vmstat.items()
            if self.last_vmstat[name] >= first
        }
        facts.lost += max(0, self.announced - sum(facts.calls.values()))
        return facts

    # ---- lines

    def take(self, raw: bytes) -> str:
        """Add what a line says; raises Damaged where it is none of the forms."""
        line = raw.decode("latin-1")
        if len(line) > 1 << 16 and not line.startswith("{"):
            raise Damaged(line[:80])
        if line.startswith("#@"):
            return self.begin_section(line)
        if self.section[:1] == ["machine"] and self.machine(line):
            return NOTHING
        if self.section[:1] == ["pressure"]:
            return NOTHING
        if self.section[:1] == ["hist"] and line.startswith("Totals:"):
            self.section = ["totals"]
            return NOTHING
        if line.startswith("{ "):
            return self.row(line)
        if line.startswith("@"):
            return self.map_line(line)
        if line.startswith("[") and self.map and "|" in line:
            return self.bucket(line)
        if line.startswith("{"):
            return self.json(line)
        if not line.startswith("#") and (columns := columns_of(line)) is not None:
            return self.event(*columns)
        return self.other(line)

    def machine(self, line: str) -> bool:
        """A name and a value of the machine: text, of which no number is made here."""
        name, _, value = line.partition(" ")
        fine = set(string.ascii_letters + string.digits + "_.,+:~/%-")
        return bool(name) and set(name) <= fine and not line.startswith(("#", "{", "@", "["))

    def begin_section(self, line: str) -> str:
        words = split_at_blanks(line[2:])
        fine = set(string.ascii_letters + string.digits + "_.,+:~/%-")
        if not words or any(not set(word) <= fine or len(word) > 100 for word in words):
            self.section = []
            raise Damaged(line)
        first, *rest = words
        self.section = []
        if first == "span" and len(rest) == 2:
            ends = []
            for word in rest:
                before, _, behind = word.partition(".")
                whole(before, 10)
                if behind or word.endswith("."):
                    whole(behind, 9)
                ends.append(float(word))
            if not ends[0] < ends[1] < LATEST_S or self.inside:
                raise Damaged(line)
            self.inside = (ends[0], ends[1])
            self.times.append(self.inside)
        elif first == "hist":
            self.begin_histogram(line, rest)
        elif first == "krcsim-recording":
            if rest != ["1"]:
                raise Damaged(line)
            self.inside = None
        elif first not in ("armed", "overhead", "vmstat") and words not in (
            ["machine"],
            ["trace"],
            ["pressure"],
            ["end"],
        ):
            raise Damaged(line)
        self.section = words
        self.rows.clear()
        return NOTHING

    def begin_histogram(self, line: str, rest: list[str]) -> None:
        known = [
            *(["calls", a, b] for a in ("single", "double") for b in ("slab", "vmalloc", "any")),
            *(["requests", a] for a in ("tried", "failed")),
            *(["count", a] for a in ("monitor", "work", "refill", "shrinker")),
            ["sheaves"],
            ["sizes"],
        ]
        if rest not in known:
            raise Damaged(line)

    def row(self, line: str) -> str:
        """{ key: value, key: ~ first-last } hitcount: 5."""
        keys, mark, count_text = line[2:].partition(" } hitcount:")
        if not mark or not count_text[:1].isspace():
            raise Damaged(line)
        count = whole(count_text.strip(" \t\r\n\f\v"), 12)
        values: dict[str, int] = {}
        for part in keys.split(","):
            name, colon, value = part.strip(" ").partition(":")
            if not colon:
                raise Damaged(line)
            value = value.strip(" ").removeprefix("~ ")
            first, dash, last = value.partition("-")
            is_hex = name == "gfp_flags" and not set(first) <= set(string.digits)
            number = hexadecimal(first, 20) if is_hex else whole(first.removeprefix("0x"), 20)
            if dash:
                width = whole(last, 20) + 1 - number
                if name != "common_timestamp" or width not in (10**7, 10**8) or number % width:
                    raise Damaged(line)
            if values.setdefault(name, number) != number:
                raise Damaged(line)
        about = self.section[1:] if self.section[:1] == ["hist"] else []
        mark_of_row = tuple(sorted(values.items()))
        if not about or mark_of_row in self.rows:
            raise Damaged(line)
        self.count_row(line, about, values, count)
        self.rows.add(mark_of_row)
        return NUMBER

    def count_row(self, line: str, about: list[str], values: dict[str, int], count: int) -> None:
        facts = self.facts
        seconds = values.get("common_timestamp", -1) * 1e-9
        timed = seconds >= 0.0
        if seconds >= LATEST_S or (timed and count > MOST_IN_WINDOW):
            raise Damaged(line)
        width = 0.1 if about[0] == "count" else 0.01
        outside = bool(self.inside and timed) and not (
            self.inside[0] - width < seconds < self.inside[1]  # type: ignore[index]
        )
        window = window_at(seconds + 0.005)
        match about:
            case ["calls", arguments, memory] if timed and "cpu" in values:
                if values["cpu"] >= CPUS:
                    raise Damaged(line)
                if not outside:
                    facts.calls[window, values["cpu"]] += count
                    facts.single[window, values["cpu"]] += count * (arguments == "single")
                    facts.vmalloc[window, values["cpu"]] += count * (memory == "vmalloc")
                    facts.vmalloc_known &= memory != "any" or not count
            case ["requests", which] if timed and "gfp_flags" in values:
                kind, own = class_of(str(values["gfp_flags"]))
                if not outside and kind:
                    facts.tries[kind, window] += count * (which == "tried")
                    facts.failed[kind, window] += count * (which == "failed")
                    facts.own_tries += count * own * (which == "tried")
            case ["count", name]:
                if not outside:
                    facts.counters[name] += count
                    if timed:
                        facts.ran[name, window_at(seconds)] += count
            case ["sizes"] if 1 <= values.get("size", 0) <= 1 << 30:
                facts.sizes[values["size"]] += count
            case ["sheaves"] if values.get("ok", 256) < 256:
                self.sheaf(values["ok"] & 1, count)
            case _:
                raise Damaged(line)
        if timed:
            self.counted.append(seconds)

    def sheaf(self, taken: int, count: int) -> None:
        refused, took = self.facts.sheaves
        self.facts.sheaves = (refused + count * (not taken), took + count * taken)

    def map_line(self, line: str) -> str:
        """@name[1, 2]: 5, or the name alone above a histogram."""
        self.map = ""
        left, colon, right = line[1:].rpartition(":")
        name, bracket, inside = left.partition("[")
        fine = set(string.ascii_letters + string.digits + "_")
        if not colon or not name or len(name) > 60 or not set(name) <= fine:
            raise Damaged(line)
        if bracket and not inside.endswith("]"):
            raise Damaged(line)
        words = [word.strip(" \t\f\v\r") for word in inside[:-1].split(",")] if bracket else []
        key = tuple(
            hexadecimal(word) if word.startswith("0x") else whole(word, 19)
            for word in words
            if word
        )
        text = right.strip(" \t\f\v\r\n")
        if not text:
            if name not in ("gp_us", "wait_us") or key:
                raise Damaged(line)
            self.map = name
            return NOTHING
        self.map = name
        self.map_rows(line, [(name, key, whole(text, 12))])
        return NUMBER

    def map_rows(self, line: str, rows: list[tuple[str, tuple[int, ...], int]]) -> None:
        for name, key, value in rows:
            self.check_map_row(line, name, key, value)
        if any((name, key) in self.rows for name, key, _ in rows):
            raise Damaged(line)
        facts = self.facts
        for name, key, value in rows:
            self.rows.add((name, key))
            if name == "w":
                at = (key[0] + 0.5) * 0.01
                self.times.append((at, at))
                facts.calls[window_at(at), key[1]] += value
                facts.single[window_at(at), key[1]] += value * key[2]
                facts.vmalloc_known &= not value
            elif name == "pages":
                kind, own = class_of(str(key[1]))
                if kind:
                    facts.tries[kind, window_at((key[0] + 0.5) * 0.01)] += value
                    facts.failed[kind, window_at((key[0] + 0.5) * 0.01)] += value * key[2]
                    facts.own_tries += value * own
            elif name == "sheaf":
                self.sheaf(key[0], value)
            elif name == "total":
                self.announced += value
            else:
                facts.counters[name] += value

    def check_map_row(self, line: str, name: str, key: tuple[int, ...], value: int) -> None:
        shapes = {"w": 3, "pages": 3, "sheaf": 1, "total": 0} | dict.fromkeys(RUNS.values(), 0)
        if shapes.get(name) != len(key):
            raise Damaged(line)
        if name in ("w", "pages") and (
            key[0] * 0.01 >= LATEST_S or key[2] > 1 or value > MOST_IN_WINDOW
        ):
            raise Damaged(line)
        if (name == "w" and key[1] >= CPUS) or (name == "sheaf" and key[0] > 1):
            raise Damaged(line)
        if name == "pages":
            class_of(str(key[1]))

    def json(self, line: str) -> str:
        try:
            found = json.loads(line.encode("latin-1").decode("utf-8", "replace"))
            data = found["data"]
            if found["type"] != "map":
                if found["type"] in ("attached_probes", "printf", "time") and isinstance(
                    data, dict
                ):
                    return NOTHING
                raise Damaged(line)
            rows = []
            for name, values in data.items():
                for key, value in values.items() if isinstance(values, dict) else [("", values)]:
                    words = tuple(whole(word, 19) for word in key.split(",") if word)
                    if type(value) is not int or not 0 <= value <= 10**12:
                        raise Damaged(line)
                    rows.append((name.removeprefix("@"), words, value))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Damaged(line) from None
        if not rows:
            raise Damaged(line)
        self.map_rows(line, rows)
        return NUMBER

    def bucket(self, line: str) -> str:
        """[4K, 8K)   2 |@@@ |."""
        head, bar, _ = line.partition("|")
        ends, close, count_text = head[1:].partition(")" if ")" in head else "]")
        if not bar or not close or not count_text.startswith(" ") or not count_text.endswith(" "):
            raise Damaged(line)
        count = whole(count_text.strip(" "), 12)
        numbers = []
        for word in ends.split(", "):
            scale = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(word[-1:], 0)
            numbers.append(whole(word[:-1] if scale else word, 12) * (scale or 1))
        if len(numbers) > 2 or (close == ")" and len(numbers) != 2):
            raise Damaged(line)
        low = numbers[0]
        high = numbers[1] if len(numbers) == 2 else low + 1
        lengths = {"gp_us": self.facts.grace_periods, "wait_us": self.facts.waits}.get(self.map)
        if lengths is None or count > 100_000 or high <= low:
            raise Damaged(line)
        middle = (max(low, 0.5) * max(high, 1.0)) ** 0.5
        if ("bucket", self.map, middle) in self.rows:
            raise Damaged(line)
        self.rows.add(("bucket", self.map, middle))
        if 0.0 < middle * 1e-6 < LONGEST_S:
            lengths += [middle * 1e-6] * count
        return NUMBER

    # ---- events

    def event(self, pid: int, cpu: int, seconds: float, name: str, text: str) -> str:
        if cpu >= CPUS or seconds >= LATEST_S or another_in(text):
            raise Damaged(name)
        if text.startswith("(") and ")" not in text:
            raise Damaged(text)
        if self.inside and not self.inside[0] <= seconds <= self.inside[1]:
            return NOTHING
        function, returned = function_of(name, text)
        self.function(function, returned, pid, cpu, seconds, text)
        self.times.append((seconds, seconds))
        if self.latest is None or seconds >= self.latest:
            self.latest = seconds
        elif self.latest - seconds > ORDER_S:
            self.forget()
        return NUMBER

    def function(
        self, function: str, returned: bool, pid: int, cpu: int, seconds: float, text: str
    ) -> None:
        facts = self.facts
        words = split_at_blanks(text)
        pairs = [word.split("=", 1) for word in words if "=" in word]
        names = [name for name, _ in pairs]
        fields = {name: value if names.count(name) == 1 else "" for name, value in pairs}
        if returned:
            if function == "synchronize_rcu" or (
                function == "__wait_rcu_gp" and not text.startswith("(synchronize_rcu")
            ):
                self.wait_ends(pid, seconds, text)
            elif function == "__kfree_rcu_sheaf":
                given = fields.get("ok", fields.get("ret", fields.get("arg1", "")))
                self.sheaf(hexadecimal(given) & 1, 1)
            return
        if function in CALLS:
            self.call(cpu, seconds, fields, text)
        elif function == "mm_page_alloc":
            self.page(seconds, text)
        elif function in ("rcu_gp_init", "rcu_gp_cleanup"):
            self.grace_period(seconds, function == "rcu_gp_init")
        elif function == "rcu_grace_period":
            if len(words) < 3:
                raise Damaged(text)
            whole(words[1].removeprefix("-"), 20)
            if words[0] in ("rcu_preempt", "rcu_sched") and words[2] in ("start", "end"):
                if words[2] == "end" and words[1] != self.gp_number:
                    self.gp = None
                self.gp_number = words[1] if words[2] == "start" else self.gp_number
                self.grace_period(seconds, words[2] == "start")
        elif function == "rcu_sr_normal":
            rhp = fields.get("rhp", "")
            digits = rhp.removeprefix("0x")
            is_address = rhp.startswith("0x") and 0 < len(digits) <= 16
            if is_address and set(digits) <= set("0123456789abcdef"):
                pid = int(digits, 16)
            if fields.get("event") == "request":
                self.waiting[pid] = seconds
            elif fields.get("event") == "complete":
                self.wait_ends(pid, seconds, text)
            else:
                raise Damaged(text)
        elif function == "synchronize_rcu":
            self.waiting[pid] = seconds
        elif function == "__wait_rcu_gp":
            self.waiting.setdefault(pid, seconds)
        elif function == "mm_vmscan_direct_reclaim_begin":
            self.reclaiming[pid] = seconds
        elif function == "mm_vmscan_direct_reclaim_end":
            began = self.reclaiming.pop(pid, None)
            if began is not None and 0.0 < seconds - began < LONGEST_S:
                facts.reclaims.append((began, seconds))
        elif function == "rcu_invoke_kfree_bulk_callback":
            records = whole(fields.get("nr_records", ""), 4)
            if records > 8192:
                raise Damaged(text)
            facts.blocks = (facts.blocks[0] + 1, facts.blocks[1] + records)
        elif function in RUNS:
            facts.counters[RUNS[function]] += 1
            facts.ran[RUNS[function], window_at(seconds)] += 1

    def call(self, cpu: int, seconds: float, fields: dict[str, str], text: str) -> None:
        heads = [fields[name] for name in ("head", "arg1", "di", "rdi", "x0") if name in fields]
        address = hexadecimal(heads[0]) if heads else None
        names = [word.partition("=")[0] for word in split_at_blanks(text) if "=" in word]
        if any(names.count(name) > 1 for name in ("head", "vmalloc")):
            raise Damaged(text)
        memory = fields.get("vmalloc")
        if memory not in (None, "0", "1"):
            raise Damaged(memory)
        facts = self.facts
        at = (window_at(seconds), cpu)
        facts.calls[at] += 1
        facts.single[at] += address == 0
        facts.vmalloc[at] += memory == "1"
        facts.kinds_known &= address is not None
        facts.vmalloc_known &= memory is not None

    def page(self, seconds: float, text: str) -> None:
        words = text.split(" ")
        names = ["page", "pfn", "order"]
        values: list[str] = []
        for name, word in zip(names, words, strict=False):
            if not word.startswith(f"{name}="):
                raise Damaged(text)
            values.append(word.removeprefix(f"{name}="))
        flags = [word for word in words[3:] if word.startswith("gfp_flags=")]
        if len(values) < 3 or not flags:
            raise Damaged(text)
        page, pfn, order = values
        frame = hexadecimal(pfn) if pfn.startswith("0x") or pfn == "f" * 16 else whole(pfn, 20)
        failed = pfn in ("0", "0x0") or pfn.endswith("f" * 16)
        kind, own = class_of(split_at_blanks(flags[0].removeprefix("gfp_flags="))[0])
        if whole(order, 2):
            return
        if not failed and (page in ("(null)", "(nil)") or not page.removeprefix("0x").strip("0")):
            raise Damaged(f"{text} {frame}")
        if kind:
            self.facts.tries[kind, window_at(seconds)] += 1
            self.facts.failed[kind, window_at(seconds)] += failed
            self.facts.own_tries += own

    def grace_period(self, seconds: float, begins: bool) -> None:
        if begins:
            self.gp = seconds
            return
        self.facts.ran["grace_periods", window_at(seconds)] += 1
        if self.gp is not None and 0.0 < seconds - self.gp < LONGEST_S:
            self.facts.grace_periods.append(seconds - self.gp)
        self.gp = None

    def wait_ends(self, pid: int, seconds: float, text: str) -> None:
        began = self.waiting.pop(pid, None)
        if began is not None:
            if 0.0 < seconds - began < LONGEST_S:
                self.facts.waits.append(seconds - began)
            self.facts.counters["own_waits"] += text.startswith("(kvfree_call_rcu+")

    # ---- other lines

    def other(self, line: str) -> str:
        plain = line.strip(" \t\r\f\v")
        words = split_at_blanks(plain)
        if not plain or line.startswith("#"):
            return self.written(line, words) if "entries-in-buffer/" in line else NOTHING
        if (lost := lost_of(line, words)) is not None:
            self.facts.lost += lost
            if lost:
                self.forget()
            return NUMBER
        if "Total time taken by all kfree'ers" in line:
            return self.scale(line)
        if len(words) == 2 and line == f"{words[0]} {words[1]}" and is_counter(words[0]):
            sign = words[1].startswith("-")
            value = whole(words[1].removeprefix("-"), 19) * (-1 if sign else 1)
            if is_of_pressure(words[0]):
                if sign:
                    raise Damaged(line)
                self.first_vmstat.setdefault(words[0], value)
                self.last_vmstat[words[0]] = value
            return NUMBER
        if is_of_a_log(line) or is_head(line, words):
            return NOTHING
        raise Damaged(line)

    def written(self, line: str, words: list[str]) -> str:
        if len(words) < 3 or not line.startswith(
            f"# entries-in-buffer/entries-written: {words[2]}"
        ):
            raise Damaged(line)
        kept, slash, all_of_them = words[2].partition("/")
        missing = whole(all_of_them, 15) - whole(kept, 15)
        if not slash or missing < 0:
            raise Damaged(line)
        self.facts.lost += missing
        return NUMBER

    def scale(self, line: str) -> str:
        if line.count("Total time taken by all kfree'ers") > 1:
            raise Damaged(line)
        rest = line.partition("Total time taken by all kfree'ers: ")[2]
        taken, _, rest = rest.partition(" ns, loops: ")
        loops, _, rest = rest.partition(", batches: ")
        batches = rest.split(",")[0].split(" ")[0].rstrip("\r\t\f\v")
        run = whole(taken, 18), whole(loops, 9), whole(batches, 12)
        if run[0] and run[2]:
            self.facts.scale.append(run)
        return NUMBER


def is_of_a_log(line: str) -> bool:
    """Whether a line begins as those of the kernel's log do, in dmesg, on a console, in a file."""
    level, close, rest = line.partition(">")
    if close and level.startswith("<") and level[1:].isascii() and level[1:].isdigit():
        line = rest
    inside = line[1:].partition("]")[0].strip(" ").split(".")
    if (
        line.startswith("[")
        and "]" in line
        and len(inside) == 2
        and all(part.isascii() and part.isdigit() for part in inside)
    ):
        return True
    if "page allocation failure" in line or "SLUB: Unable to allocate memory on " in line:
        return True
    if line[4:5] == "-" and line[10:11] == "T":
        return (line[:4] + line[5:7] + line[8:10]).isdigit()
    words = split_at_blanks(line)
    return len(words) > 3 and len(words[0]) == 3 and words[1].isdigit() and words[2][2:3] == ":"


def is_head(line: str, words: list[str]) -> bool:
    """Whether a line is what tools print above and below their events."""
    return (
        (len(words) == 1 and (words[0].startswith("cpus=") or words[0] == "Totals:"))
        or set(words[0]) == {"="}
        or (words[:2] == ["version", "="] and len(words) == 3)
        or (words[0] in ("Attaching", "Attached") and len(words) == 3)
        or (words[0] == "CPU" and words[2:] == ["is", "empty"])
        or (line[0].isspace() and words[0] in ("Hits:", "Entries:") and words[1:] != [])
    )


def is_counter(word: str) -> bool:
    """Whether a word may be a name in /proc/vmstat."""
    fine = set(string.ascii_lowercase + string.digits + "_")
    return 2 <= len(word) <= 61 and set(word) <= fine and word[0] in string.ascii_lowercase


def is_of_pressure(name: str) -> bool:
    """Whether a counter says something about pressure."""
    return name.startswith(PRESSURE)


def lost_of(line: str, words: list[str]) -> int | None:
    """How many events a line says were lost."""
    line = line.rstrip(" \t\f\v")
    if line.startswith("CPU:") and line.endswith((" EVENTS]", " EVENTS DROPPED]", "[LOST EVENTS]")):
        inside = line.rpartition("[")[2].rstrip("]")
        parts = inside.split(" ")
        whole(line.removeprefix("CPU:").partition("[")[0].strip(" "), 9)
        if parts == ["LOST", "EVENTS"]:
            return 1
        if len(parts) == 3:
            return whole(parts[1] if parts[0] == "LOST" else parts[0], 15)
    if "LOST" in words and words[-1:] == ["events"]:
        return whole(words[-2], 15)
    if line[:1].isspace() and words[:1] == ["Dropped:"] and len(words) == 2:
        return whole(words[1], 15)
    return None


def class_of(flags: str) -> tuple[str, bool]:
    """The class of a page request: page, noretry or "" for others; and whether it is its own."""
    if flags.startswith("(") and flags.endswith(")"):
        flags = flags[1:-1]
    if flags and set(flags) <= set(string.digits) and len(flags) <= 10:
        bits = int(flags)
    elif flags.startswith("0x") and "|" not in flags:
        bits = hexadecimal(flags, 8)
    else:
        return class_of_names(flags.split("|"))
    if bits >= 1 << 32:
        raise Damaged(flags)
    if bits & 0x400:
        return ("noretry" if bits & 0x10000 else ""), bits in (0x92CC0, 0x192CC0)
    return ("" if bits & 0x20 else "page"), False


def class_of_names(names: list[str]) -> tuple[str, bool]:
    """The same of flags by their names."""
    for name in names:
        if name.startswith("0x"):
            if hexadecimal(name, 8) & 0x10420:
                raise Damaged(name)
        elif name not in RECLAIMS + HARD + HARMLESS:
            raise Damaged(name)
    own = {"GFP_KERNEL", "__GFP_NORETRY", "__GFP_NOMEMALLOC", "__GFP_NOWARN"}
    if set(names) & set(RECLAIMS):
        is_own = set(names) - {"__GFP_HARDWALL"} == own
        return ("noretry" if "__GFP_NORETRY" in names else ""), is_own
    return ("" if set(names) & set(HARD) else "page"), False


def another_in(text: str) -> bool:
    """Whether a second event begins in a text: a CPU in brackets, flags perhaps, and a time."""
    for part in text.split("[")[1:]:
        cpu, bracket, rest = part.partition("]")
        words = split_at_blanks(rest)
        if bracket and rest[:1] in (" ", "\t") and len(cpu) <= 6 and set(cpu) <= set(string.digits):
            for word in words[:2]:
                if word.endswith(":") and word[:-1].replace(".", "", 1).isdecimal() and "." in word:
                    return bool(cpu)
                if not 4 <= len(word) <= 5:
                    break
    return False


def function_of(name: str, text: str) -> tuple[str, bool]:
    """The function that an event is about, and whether it returned."""
    plain = name.rpartition(":")[2]
    if not text.startswith("("):
        return NAMES.get(plain, plain), False
    inside = text[1 : text.index(")")]
    caller, arrow, callee = inside.partition("<- ")
    sits, plus, offset = (callee if arrow else inside).partition("+")
    fine = set(string.ascii_letters + string.digits + "_.")
    digits = set("0123456789abcdef")
    ends = [caller.strip(" "), sits] if arrow else [sits]
    is_address = not plus and all(6 <= len(one) <= 16 and set(one) <= digits for one in ends)
    if not is_address:
        parts = [part.removeprefix("0x") for part in offset.split("/")] if plus else []
        is_whole = all(part and set(part) <= digits for part in parts) and len(parts) <= 2
        is_name = bool(sits) and set(sits) <= fine and sits[0] not in string.digits + "."
        if is_name and is_whole and "(" not in inside:
            return NAMES.get(sits, sits), bool(arrow)
        bare = plain.removeprefix("p_").removeprefix("r_").removesuffix("_0")
        bare = bare.partition("__return")[0]
        if NAMES.get(bare, bare) in KNOWN:
            raise Damaged(text)
        return plain, bool(arrow)
    returned = bool(arrow) or "__return" in plain or plain.startswith("r_")
    plain = plain.removeprefix("p_").removeprefix("r_").removesuffix("_0")
    plain = plain.partition("__return")[0]
    return NAMES.get(plain, plain), returned


def columns_of(line: str) -> tuple[int, int, float, str, str] | None:
    """Process, CPU, seconds, event and text of a line, None where it has no such columns."""
    places = [n for n, c in enumerate(line) if c == "["]
    for place in places:
        cpu, bracket, rest = line[place + 1 :].partition("]")
        before = line[:place].rstrip(" \t")
        if not bracket or before == line[:place] or rest[:1] not in (" ", "\t"):
            continue
        words = split_at_blanks(rest)
        if words and not words[0].endswith(":") and 4 <= len(words[0]) <= 5:
            words = words[1:]
        try:
            number = whole(cpu, 6)
            if len(words) < 2 or not words[0].endswith(":"):
                continue
            seconds = stamp(words[0][:-1])
            if words[1].isascii() and words[1].isdigit():
                words = words[1:]
            event = words[1]
            if event.count(":") > 2 or len(event) > 160:
                continue
            if not event.endswith(":") or not event.strip(":"):
                continue
            process = process_of(before)
        except (Damaged, IndexError):
            continue
        at = line.index(event, place + line[place:].index(words[0]) + len(words[0]))
        return process, number, seconds, event[:-1], line[at + len(event) :].lstrip(" \t")
    return None


def process_of(before: str) -> int:
    """The number of a process, of what stands before the CPU: name-7, name 7/8, name-7 ( 7)."""
    if before.endswith(")"):
        before = before.rpartition("(")[0].rstrip(" \t")
    name, _, last = before.replace("-", " ").replace("\t", " ").rpartition(" ")
    if "[" in name and any(c in string.digits for c in name.partition("[")[2]):
        raise Damaged(before)
    return whole(last.partition("/")[0], 10)
