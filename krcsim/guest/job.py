# SPDX-License-Identifier: GPL-2.0-only
"""A scenario as a line of parameters for the module, and field by field what the harness cannot
express.
"""

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from krcsim.base.errors import KrcsimError, shown
from krcsim.guest.boot import LONGEST_MS, Boot
from krcsim.guest.recordings import KERNEL_MIB
from krcsim.model.allocator import Failure
from krcsim.model.constants import (
    BLOCK_ENTRIES,
    CALL_INSTRUCTIONS,
    FREE_INSTRUCTIONS,
    GUEST_INSTRUCTION_NS,
    PAGE_BYTES,
)
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import UNSET

WAITERS = (
    512  # threads that wait in an open loop; waiter_full counts the calls that found none idle
)
HZ, MOST_CPUS, MIB = 250, 8, 512
GUEST_MIB = (96, 4096)
MOST_THREADS, MOST_PERIOD_US, MOST_EPISODE_MS = (
    4096,
    2_000_000_000,
    2_000_000,
)  # as krcmeter.c takes them
_HEAD_ALLOC = {"tryhard": 0, "atomic": 1, "none": 2, "three_step": 3}
_HOGS = ("none", "nowait", "atomic", "reserves")
# By head_alloc: the field that decides the last request of an rcu_head, and those that may not be
# below it.
_FINAL = {
    "none": ("head",),
    "atomic": ("head_atomic", "head"),
    "tryhard": ("head_reclaim", "head_high", "head"),
    "three_step": ("head_reclaim", "head_atomic", "head_high", "head"),
}
MOST_ROUNDS = 6

Sets = tuple[
    tuple[str, object], ...
]  # fields of a scenario, and values that the harness can express


@dataclass(frozen=True)
class Gap:
    """A field that the harness cannot express as it is; `stops`: it would measure something else
    altogether.

    `sets` closes the gap: as --set takes it, and the nearest that the harness can do.
    """

    field: str
    value: object
    reason: str
    stops: bool = False
    sets: Sets = ()

    def words(self) -> str:
        """One line for people."""
        return f"{self.field} = {shown(self.value)}: {self.reason}"


@dataclass(frozen=True)
class Job:
    """What the module and the guest are given for a scenario; `line` lacks the seed."""

    parameters: tuple[tuple[str, int | str], ...]
    boot: Boot
    gaps: tuple[Gap, ...]

    def line(self, seed: int = 1) -> str:
        """The line of a job file."""
        return " ".join(f"{name}={value}" for name, value in (*self.parameters, ("seed", seed)))

    @property
    def stops(self) -> tuple[Gap, ...]:
        """The gaps for which nothing is measured."""
        return tuple(gap for gap in self.gaps if gap.stops)


def job_of(scenario: Scenario, variant: str = "own") -> Job:
    """The job that comes nearest to a scenario."""
    gaps: list[Gap] = []
    boot, around = _machine(scenario, gaps)
    values = around | _remedy(scenario, gaps) | _load(scenario, gaps) | _pressure(scenario, gaps)
    if scenario.warmup_ms > 0:
        gaps.append(
            Gap(
                "warmup_ms",
                scenario.warmup_ms,
                "the harness counts from the first call on, boot and steady state together",
            )
        )
    label = (
        f"own/r{scenario.workload.rate_hz:g}/{scenario.allocator.episodes}/"
        f"{values['p_page_ppm'] / 1e6:g}/{values['p_obj_ppm'] / 1e6:g}"
    )
    return Job((("label", label), ("variant", variant), *values.items()), boot, tuple(gaps))


def sets_for(scenario: Scenario) -> dict[str, object]:
    """The fields to set, and the values, for a scenario that the harness measures; raises
    KrcsimError if none fits.
    """
    sets: dict[str, object] = {}
    for _ in range(MOST_ROUNDS):  # one field may bring another along
        stops = job_of(changed(scenario, **sets)).stops
        if not stops:
            return sets
        sets |= dict(pair for gap in stops for pair in gap.sets)
    raise KrcsimError(f"{stops[0].words()}; no single field mends that: start from a preset")


def set_words(sets: Mapping[str, object]) -> str:
    """Fields and values as options of the shell."""
    return " ".join(
        f"--set {shlex.quote(f'{field}={text(value)}')}" for field, value in sets.items()
    )


def text(value: object) -> str:
    """A value as --set takes it; None is `unset`."""
    if value is None:
        return UNSET
    return str(value).lower() if isinstance(value, bool) else str(value).replace(" ", "")


def _whole(
    field: str,
    value: float,
    unit: str,
    gaps: list[Gap],
    least: int = 0,
    *,
    most: float = math.inf,
    sets: Callable[[int], Sets] | None = None,
) -> int:
    """`value`, made of a field, as a whole number; `sets` says which fields give just that number
    (the field as is).
    """
    near = round(min(most, max(least, value)))
    if not math.isclose(near, value, rel_tol=1e-6, abs_tol=1e-9):
        name = field.removeprefix("scenario.")
        gaps.append(
            Gap(
                field,
                value,
                f"the harness takes whole {unit}{f', up to {most:g}' if value > most else ''}: "
                f"{near} instead",
                abs(near - value) > 0.1 * value,
                sets(near) if sets else ((name, near),),
            )
        )
    return near


def _machine(s: Scenario, gaps: list[Gap]) -> tuple[Boot, dict[str, int]]:
    m, g = s.machine, s.grace_period
    # A mean of less than a tick of the guest does not fit to its HZ, and the guest has its own
    # grace periods anyway.
    hz_sets: Sets = (("machine.hz", HZ),)
    if g.kind == "ticks" and g.mean_ms:
        hz_sets += (("grace_period.mean_ms", None),)
    fixed: list[tuple[str, object, object, str, bool, Sets]] = [
        ("machine.hz", m.hz, HZ, "Debian's kernel is built with HZ=250", True, hz_sets),
        ("machine.arch", m.arch, "x86-64", "the guest is x86-64", False, ()),
        (
            "machine.instruction_ns",
            m.instruction_ns,
            GUEST_INSTRUCTION_NS,
            "an instruction takes 8 ns in the guest",
            False,
            (),
        ),
        (
            "machine.work_delay_ms",
            m.work_delay_ms,
            0.0,
            "works start when the guest's workqueue starts them",
            False,
            (),
        ),
        ("grace_period.busy", g.busy, False, "nothing else keeps the guest's CPUs busy", False, ()),
    ]
    gaps += [
        Gap(name, value, why, stops, sets)
        for name, value, same, why, stops, sets in fixed
        if value != same
    ]
    if g.kind != "ticks" or g.mean_ms is not None or g.lengths_ms:
        name = "kind" if g.kind != "ticks" else "mean_ms" if g.mean_ms is not None else "lengths_ms"
        gaps.append(
            Gap(
                f"grace_period.{name}",
                getattr(g, name),
                "the guest's kernel makes its own grace periods",
            )
        )
    if g.expedited:
        gaps.append(
            Gap(
                "grace_period.expedited_median_ms",
                g.expedited_median_ms,
                "expedited waits take as long as they take in the guest",
            )
        )
    if m.cpus > MOST_CPUS:
        gaps.append(
            Gap(
                "machine.cpus",
                m.cpus,
                f"a guest has up to {MOST_CPUS} CPUs",
                True,
                (("machine.cpus", MOST_CPUS),),
            )
        )
    short = s.memory.pressure == "pages"
    hog, mib = (s.memory.hog, s.memory.mib + KERNEL_MIB) if short else ("none", MIB)
    if short:
        _memory(s, gaps)
    reader_ms = _whole("grace_period.reader_ms", g.reader_ms, "ms", gaps)
    gap_us = _whole(
        "grace_period.reader_gap_ms",
        1000 * g.reader_gap_ms,
        "us",
        gaps,
        1,
        most=1_000_000,
        sets=lambda us: (("grace_period.reader_gap_ms", us / 1000),),
    )
    nocb = _whole(
        "machine.nocb_share",
        100 * m.nocb_share,
        "percent",
        gaps,
        sets=lambda percent: (("machine.nocb_share", percent / 100),),
    )
    values = {
        "foreign_pct": nocb,
        "sync_exp": int(g.expedited),
        "hog": _HOGS.index(hog),
        "reader_ms": reader_ms,
    }
    if reader_ms:
        values["reader_gap_us"] = gap_us
    if short:  # objects made beforehand: with no memory left none could be made
        values |= {
            "preobj": 1,
            "lead_ms": round(s.memory.lead_ms),
            "hog_us": round(1000 * s.memory.hog_ms),
            "total": math.ceil(s.workload.rate_hz * s.horizon_ms / 1000 / s.workload.producers),
        }
    if m.cpus > 1:
        values["gp_trace"] = 1
    return Boot(
        min(m.cpus, MOST_CPUS), round(mib), False, "preempt=full" if reader_ms else ""
    ), values


def _memory(s: Scenario, gaps: list[Gap]) -> None:
    """What a guest that is short of memory cannot express."""
    m = s.memory
    if m.load_pages_s:
        sets: Sets = (
            ("memory.load_pages_s", 0),
            *((("memory.hog", "nowait"),) if m.hog == "none" else ()),
        )
        gaps.append(
            Gap(
                "memory.load_pages_s",
                m.load_pages_s,
                "in the guest only a hog takes memory",
                True,
                sets,
            )
        )
    least, most = (mib - KERNEL_MIB for mib in GUEST_MIB)
    if not least <= m.mib <= most:
        mib = min(most, max(least, m.mib))
        rest = tuple(
            (f"memory.{name}", value)
            for name, value in (("free_mib", None), ("file_mib", 0))
            if getattr(m, name)
        )
        gaps.append(
            Gap(
                "memory.mib",
                m.mib,
                f"a guest has {least} to {most} MiB for all but its kernel",
                True,
                (("memory.mib", mib), *rest),
            )
        )
    if m.file_mib:
        gaps.append(
            Gap(
                "memory.file_mib",
                m.file_mib,
                "a guest has hardly any page cache",
                True,
                (("memory.file_mib", 0),),
            )
        )
    for name, milliseconds, least_ms, most_ms in (
        ("hog_ms", m.hog_ms, 0.01, 1000.0),
        ("lead_ms", m.lead_ms, 0.0, LONGEST_MS),
    ):
        near = min(most_ms, max(least_ms, milliseconds))
        if near != milliseconds:
            gaps.append(
                Gap(
                    f"memory.{name}",
                    milliseconds,
                    f"the harness takes {least_ms:g} to {most_ms:g} ms",
                    True,
                    ((f"memory.{name}", near),),
                )
            )
    w, cpus = s.workload, min(s.machine.cpus, MOST_CPUS)
    objects, room = (
        w.rate_hz * s.horizon_ms / 1000 * cpus,
        0.5 * min(most, max(least, m.mib)) * (1 << 20),
    )
    if objects * w.object_bytes > room:
        size = w.object_bytes if w.object_bytes <= PAGE_BYTES else 64
        bring: Sets = () if size == w.object_bytes else (("workload.object_bytes", size),)
        rate = min(w.rate_hz, room / size / cpus / s.horizon_ms * 1000)
        gaps.append(
            Gap(
                "workload.rate_hz",
                w.rate_hz,
                "all objects of a run are made before it, and would take more "
                "than half of the guest's memory",
                True,
                (*bring, ("workload.rate_hz", rate)),
            )
        )
    if s.workload.vmalloc_share:
        gaps.append(
            Gap(
                "workload.vmalloc_share",
                s.workload.vmalloc_share,
                "objects made before the memory is taken are kmalloc()ed",
                True,
                (("workload.vmalloc_share", 0),),
            )
        )


def _remedy(s: Scenario, gaps: list[Gap]) -> dict[str, int]:
    r = s.remedy
    if r.page_class != "nowait":
        gaps.append(
            Gap(
                "remedy.page_class",
                r.page_class,
                "the harness asks for pages with GFP_NOWAIT only",
                True,
                (("remedy.page_class", "nowait"),),
            )
        )
    if r.block_entries != BLOCK_ENTRIES:
        gaps.append(
            Gap(
                "remedy.block_entries",
                r.block_entries,
                f"a block is a page of {BLOCK_ENTRIES} pointers",
                True,
                (("remedy.block_entries", BLOCK_ENTRIES),),
            )
        )
    if r.emergency_at_boot not in (0, r.nr_emergency_objs):
        gaps.append(
            Gap(
                "remedy.emergency_at_boot",
                r.emergency_at_boot,
                "the harness fills a pool at boot or leaves it empty",
                True,
                (("remedy.emergency_at_boot", r.nr_emergency_objs),),
            )
        )
    return {
        "pool": r.nr_emergency_objs,
        "pool_prefill": int(r.emergency_at_boot > 0),
        "cache_max": r.nr_bkv_objs,
        "cache_prefill": r.cache_at_boot,
        "cache_shared": int(r.cache_shared),
        "refill": int(r.refill),
        "array_path": int(r.array_path),
        "head_alloc": _HEAD_ALLOC[r.head_alloc],
        "expedited_drain": int(r.expedited_drain),
        "rearm_unqueued": int(r.rearm == "unqueued"),
        "attach": int(r.attach_to_pending),
        "page_return_worker": int(r.page_return == "worker"),
        "drain_jiffies": r.drain_jiffies or max(1, HZ // 50),
    }


def _load(s: Scenario, gaps: list[Gap]) -> dict[str, int]:
    w, m = s.workload, s.machine
    cpus = min(m.cpus, MOST_CPUS)
    for name, value, same in (
        ("call_instructions", w.call_instructions, CALL_INSTRUCTIONS),
        ("free_instructions", w.free_instructions, FREE_INSTRUCTIONS),
    ):
        if value != same:
            gaps.append(Gap(f"workload.{name}", value, f"the guest takes about {same:g}"))
    if w.arrivals == "onoff":
        gaps.append(
            Gap(
                "workload.arrivals",
                w.arrivals,
                "the harness has no on and off phases: use poisson, periodic or bursts",
                True,
                (("workload.arrivals", "poisson"),),
            )
        )
    exponential = w.arrivals in ("poisson", "onoff") or w.gap == "exponential"
    if w.phase != "tick" and not exponential:
        gaps.append(Gap("workload.phase", w.phase, "fixed gaps begin just after a tick"))
    if m.cpus > 1 and not exponential:
        gaps.append(
            Gap(
                "machine.cpus",
                m.cpus,
                "the producers' first calls are spread over a period, not at the same "
                "time on each CPU",
            )
        )
    most = MOST_THREADS // cpus
    if w.producers > most:
        gaps.append(
            Gap(
                "workload.producers",
                w.producers,
                f"the harness has up to {MOST_THREADS} callers, {most} on each of {cpus} CPUs",
                True,
                (("workload.producers", most),),
            )
        )
    producers = min(w.producers, most)

    def slower(us: int) -> int:  # rather than faster than a CPU can be
        return min(MOST_PERIOD_US, us + (us < 1e6 * w.burst * producers / w.rate_hz))

    period = _whole(
        "workload.rate_hz",
        1e6 * w.burst * producers / w.rate_hz,
        "us between two bursts",
        gaps,
        1,
        most=MOST_PERIOD_US,
        sets=lambda us: (("workload.rate_hz", 1e6 * w.burst * producers / slower(us)),),
    )
    single = _whole(
        "workload.single_share",
        100 * w.single_share,
        "percent",
        gaps,
        int(w.single_share > 0),
        sets=lambda percent: (("workload.single_share", percent / 100),),
    )
    vmalloc = _whole(
        "workload.vmalloc_share",
        100 * w.vmalloc_share,
        "percent",
        gaps,
        sets=lambda percent: (("workload.vmalloc_share", percent / 100),),
    )
    if w.single_share < 1 and w.object_bytes < 24:
        gaps.append(
            Gap(
                "workload.object_bytes",
                w.object_bytes,
                "an rcu_head of a double-argument call needs 24 bytes in the object",
                True,
                (("workload.object_bytes", 24),),
            )
        )
    if w.object_bytes > 4 << 20:
        gaps.append(
            Gap(
                "workload.object_bytes",
                w.object_bytes,
                "an object of the guest has up to 4 MiB",
                True,
                (("workload.object_bytes", 4 << 20),),
            )
        )
    shorter: Sets = (("warmup_ms", 0),) if s.warmup_ms > LONGEST_MS else ()
    duration = _whole(
        "scenario.horizon_ms",
        s.horizon_ms,
        "ms",
        gaps,
        1,
        most=LONGEST_MS,
        sets=lambda ms: (
            *shorter,
            ("horizon_ms", min(LONGEST_MS, max(ms, math.ceil(s.horizon_ms)))),
        ),
    )
    return {
        "threads": cpus * producers,
        "period_us": period,
        "burst": w.burst,
        "arrival": int(exponential),
        "catchup": int(w.loop in ("open", "catchup")),
        "waiters": WAITERS if w.loop == "open" else 0,
        "objsize": min(w.object_bytes, 4 << 20),
        "double_pct": 100 - single,
        "vmalloc_pct": vmalloc,
        "dur_ms": duration,
    }


def _pressure(s: Scenario, gaps: list[Gap]) -> dict[str, int]:
    a, short = s.allocator, s.memory.pressure == "pages"
    plan = a.schedules[0] if a.schedules else ()
    always = a.episodes == "none" or (
        plan[:1] != () and plan[0][0] == 0 and plan[0][1] >= s.horizon_ms
    )
    if any(a.calm.resolved()) and not always and not short:
        given = [
            f.name for f in fields(a.calm) if f.name in ("page", "head") or getattr(a.calm, f.name)
        ]
        gaps.append(
            Gap(
                "allocator.calm",
                a.calm.resolved(),
                "in the harness no request fails between episodes",
                True,
                tuple((f"allocator.calm.{name}", 0) for name in given),
            )
        )
    # Without episodes calm lasts for ever: to the harness that is one episode with the
    # probabilities of calm.
    section = "calm" if a.episodes == "none" else "episode"
    failure = a.calm if a.episodes == "none" else a.episode
    page, _, _, atomic, high, reclaim = (0.0,) * 6 if short else failure.resolved()
    final = {
        "none": 0.0,
        "atomic": atomic,
        "tryhard": min(high, reclaim),
        "three_step": min(atomic, reclaim),
    }
    stalls = {"tryhard": high, "three_step": atomic}.get(s.remedy.head_alloc, 0.0)
    if stalls and a.stall_ms:
        gaps.append(
            Gap(
                "allocator.stall_ms",
                a.stall_ms,
                "a failure that is made takes no time: no call stalls",
            )
        )
    levels = {
        "p_page_ppm": _ppm(failure, section, ("page",), page, gaps),
        "p_obj_ppm": _ppm(
            failure, section, _FINAL[s.remedy.head_alloc], final[s.remedy.head_alloc], gaps
        ),
    }
    if a.episodes == "none":
        return levels
    if a.episodes == "exponential":
        if a.start != "calm":
            gaps.append(
                Gap(
                    "allocator.start",
                    a.start,
                    "the harness starts calm",
                    True,
                    (("allocator.start", "calm"),),
                )
            )
        gaps.append(
            Gap(
                "allocator.calm_ms",
                a.calm_ms,
                "the first calm lasts just that long; later ones are exponential",
            )
        )
        calm = _whole("allocator.calm_ms", a.calm_ms, "ms", gaps, 1, most=MOST_EPISODE_MS)
        episode = _whole("allocator.episode_ms", a.episode_ms, "ms", gaps, 1, most=MOST_EPISODE_MS)
        return levels | {"onset_ms": calm, "on_ms": episode, "off_ms": calm, "epi_exp": 1}
    if any(other != plan for other in a.schedules) or len(plan) != 1:
        one: Sets = (
            (("allocator.schedules", [list(plan[0])]),)
            if plan
            else (("allocator.episodes", "none"),)
        )
        gaps.append(
            Gap(
                "allocator.schedules",
                a.schedules,
                "the harness takes one episode, the same in all runs",
                True,
                one,
            )
        )
    if not plan:
        return levels | {"p_page_ppm": 0, "p_obj_ppm": 0}
    start, stop = plan[0]
    forever = stop >= s.horizon_ms
    ends = [x if x < s.horizon_ms else math.inf for x in (start, stop)]

    def from_to(ms: int) -> Sets:
        return (("allocator.schedules", [[ms, stop if forever else max(ms + 1, round(stop))]]),)

    onset = _whole(
        "allocator.schedules",
        min(start, s.horizon_ms),
        "ms",
        gaps,
        most=MOST_EPISODE_MS,
        sets=from_to,
    )
    if forever:
        return levels | {"onset_ms": onset, "on_ms": 0, "off_ms": 0, "epi_exp": 0}
    length = _whole(
        "allocator.schedules",
        ends[1] - ends[0],
        "ms",
        gaps,
        1,
        sets=lambda ms: (("allocator.schedules", [[onset, onset + ms]]),),
    )
    return levels | {
        "onset_ms": onset,
        "on_ms": length,
        "off_ms": min(LONGEST_MS, max(1, round(s.horizon_ms))),
        "epi_exp": 0,
    }


def _ppm(failure: Failure, section: str, names: Sequence[str], p: float, gaps: list[Gap]) -> int:
    """A probability in millionths. `names`: the field that decides it, and those that may not be
    below that one.
    """

    def sets(ppm: int) -> Sets:
        values = dict(zip((f.name for f in fields(failure)), failure.resolved(), strict=True))
        values |= {names[0]: ppm / 1e6} | {name: max(values[name], ppm / 1e6) for name in names[1:]}
        values["page_noretry"] = min(values["page"], values["page_noretry"])
        values["head_reclaim"] = min(values["head_reclaim"], values["head_high"], values["head"])
        kind = names[0].split("_")[0]
        return tuple(
            (f"allocator.{section}.{name}", x)
            for name, x in values.items()
            if name.startswith(kind)
        )

    return _whole(f"allocator.{section}.{names[0]}", 1e6 * p, "millionths", gaps, sets=sets)


def rcuscale_of(scenario: Scenario) -> tuple[str, tuple[Gap, ...]]:
    """The nearest line for the kernel's own rcuscale, and what that leaves out."""
    w, m = scenario.workload, scenario.machine
    per_loop = w.burst if w.burst > 1 else max(1, min(8000, round(w.rate_hz / 10)))
    calls = w.rate_hz * scenario.horizon_ms / 1000
    loops = max(1, min(100_000, round(calls / per_loop / w.producers)))
    kinds = " kfree_rcu_test_single=1" * (w.single_share > 0) + " kfree_rcu_test_double=1" * (
        w.single_share < 1
    )
    line = (
        f"modprobe rcuscale kfree_rcu_test=1 kfree_nthreads={m.cpus * w.producers} "
        f"kfree_alloc_num={per_loop} "
        f"kfree_loops={loops} kfree_mult={max(1, round(w.object_bytes / 24))}{kinds}"
    )
    own: Callable[[str, object, str], Gap] = Gap
    gaps = [
        own(
            "workload.rate_hz", w.rate_hz, "it frees as fast as it can, and yields after each loop"
        ),
        own(
            "allocator.episode",
            scenario.allocator.episode.resolved(),
            "nothing makes allocations fail: load memory beside it",
        ),
        own("remedy", "as given", "it measures the remedy that the running kernel has"),
        own(
            "what is measured",
            "P(wait), blocked",
            "it prints the time of all loops, grace periods and memory, no waits",
        ),
    ]
    if 0 < w.single_share < 1:
        gaps.append(
            own(
                "workload.single_share",
                w.single_share,
                "with both flags a loop mixes them half and half",
            )
        )
    if w.vmalloc_share:
        gaps.append(own("workload.vmalloc_share", w.vmalloc_share, "its objects are kmalloc()ed"))
    return line, tuple(gaps)


def with_trace(job: Job) -> Job:
    """The same job with its grace periods recorded."""
    return replace(
        job, parameters=(*(p for p in job.parameters if p[0] != "gp_trace"), ("gp_trace", 1))
    )
