# SPDX-License-Identifier: GPL-2.0-only
"""A scenario as a line of parameters for the module, and field by field what the harness cannot express."""
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from krcsim.kernel import BLOCK_ENTRIES, CALL_INSTRUCTIONS, FREE_INSTRUCTIONS, GUEST_INSTRUCTION_NS
from krcsim.scenario import Scenario
from krcsim.values import KrcsimError, refuse, shown
from krcsim_kernel.guest import LONGEST_MS, Boot
from krcsim_kernel.recorded import KERNEL_MIB

WAITERS = 512  # threads that wait in an open loop; waiter_full counts the calls that found none idle
HZ, MOST_CPUS, MIB = 250, 8, 512
_HEAD_ALLOC = {"tryhard": 0, "atomic": 1, "none": 2, "three_step": 3}
_HOGS = ("none", "nowait", "atomic", "reserves")

@dataclass(frozen=True)
class Gap:
    """A field that the harness cannot express as it is; `stops`: it would measure something else altogether."""
    field: str
    value: object
    reason: str
    stops: bool = False

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

def job_of(scenario: Scenario, variant: str = "own") -> Job:
    """The job that comes nearest to a scenario; raises KrcsimError where it would run for hours."""
    refuse(scenario.horizon_ms > LONGEST_MS, "scenario.horizon_ms", scenario.horizon_ms, f"up to {LONGEST_MS} ms in "
        "the harness", "shorten it for the measurement, and take more seeds instead")
    gaps: list[Gap] = []
    boot, around = _machine(scenario, gaps)
    values = around | _remedy(scenario, gaps) | _load(scenario, gaps) | _pressure(scenario, gaps)
    if scenario.warmup_ms > 0:
        gaps.append(Gap("warmup_ms", scenario.warmup_ms, "the harness counts from the first call on, boot and steady "
            "state together"))
    label = (f"own/r{scenario.workload.rate_hz:g}/{scenario.allocator.spells}/"
        f"{values['p_page_ppm'] / 1e6:g}/{values['p_obj_ppm'] / 1e6:g}")
    return Job((("label", label), ("variant", variant), *values.items()), boot, tuple(gaps))

def checked(job: Job) -> Job:
    """The job, if it measures the scenario; raises KrcsimError with the first field that stops it."""
    for gap in job.gaps:
        if gap.stops:
            raise KrcsimError(f"{gap.field} is {shown(gap.value)}; {gap.reason}; change it with --set to measure the "
                "rest")
    return job

def _whole(field: str, value: float, unit: str, gaps: list[Gap], least: int = 0) -> int:
    near = max(least, round(value))
    if not math.isclose(near, value, rel_tol=1e-6, abs_tol=1e-9):
        gaps.append(Gap(field, value, f"the harness takes whole {unit}: {near} instead",
            abs(near - value) > 0.1 * value))
    return near

def _machine(s: Scenario, gaps: list[Gap]) -> tuple[Boot, dict[str, int]]:
    m, g = s.machine, s.grace_period
    fixed: list[tuple[str, object, object, str, bool]] = [
        ("machine.hz", m.hz, HZ, "Debian's kernel is built with HZ=250", True),
        ("machine.arch", m.arch, "x86-64", "the guest is x86-64", False),
        ("machine.instruction_ns", m.instruction_ns, GUEST_INSTRUCTION_NS, "an instruction takes 8 ns in the guest",
        False),
        ("machine.work_delay_ms", m.work_delay_ms, 0.0, "works start when the guest's workqueue starts them", False),
        ("grace_period.busy", g.busy, False, "nothing else keeps the guest's CPUs busy", False)]
    gaps += [Gap(name, value, why, stops) for name, value, same, why, stops in fixed if value != same]
    if g.kind != "ticks" or g.mean_ms is not None:
        gaps.append(Gap("grace_period.kind" if g.kind != "ticks" else "grace_period.mean_ms",
            g.kind if g.kind != "ticks" else g.mean_ms, "the guest's kernel makes its own grace periods"))
    if g.expedited:
        gaps.append(Gap("grace_period.expedited_median_ms", g.expedited_median_ms, "expedited waits take as long as "
            "they take in the guest"))
    if m.cpus > MOST_CPUS:
        gaps.append(Gap("machine.cpus", m.cpus, f"a guest has up to {MOST_CPUS} CPUs", True))
    short = s.memory.pressure == "pages"
    hog, mib = (s.memory.hog, s.memory.mib + KERNEL_MIB) if short else ("none", MIB)
    if short and s.memory.load_pages_s:
        gaps.append(Gap("memory.load_pages_s", s.memory.load_pages_s, "in the guest only a hog takes memory", True))
    reader_ms = _whole("grace_period.reader_ms", g.reader_ms, "ms", gaps)
    gap_us = _whole("grace_period.reader_gap_ms", 1000 * g.reader_gap_ms, "us", gaps, 1)
    values = {"foreign_pct": _whole("machine.nocb_share", 100 * m.nocb_share, "percent", gaps),
        "sync_exp": int(g.expedited), "hog": _HOGS.index(hog), "reader_ms": reader_ms}
    if reader_ms:
        values["reader_gap_us"] = gap_us
    if short:  # objects made beforehand: with no memory left none could be made
        values |= {"preobj": 1, "lead_ms": round(s.memory.lead_ms),
            "total": math.ceil(s.workload.rate_hz * s.horizon_ms / 1000)}
    if m.cpus > 1:
        values["gp_trace"] = 1
    return Boot(min(m.cpus, MOST_CPUS), round(mib), False, "preempt=full" if reader_ms else ""), values

def _remedy(s: Scenario, gaps: list[Gap]) -> dict[str, int]:
    r = s.remedy
    if r.page_class != "nowait":
        gaps.append(Gap("remedy.page_class", r.page_class, "the harness asks for pages with GFP_NOWAIT only", True))
    if r.block_entries != BLOCK_ENTRIES:
        gaps.append(Gap("remedy.block_entries", r.block_entries, f"a block is a page of {BLOCK_ENTRIES} pointers",
            True))
    if r.emergency_at_boot not in (0, r.nr_emergency_objs):
        gaps.append(Gap("remedy.emergency_at_boot", r.emergency_at_boot, "the harness fills a pool at boot or leaves "
            "it empty", True))
    return {"pool": r.nr_emergency_objs, "pool_prefill": int(r.emergency_at_boot > 0), "cache_max": r.nr_bkv_objs,
        "cache_prefill": r.cache_at_boot, "cache_shared": int(r.cache_shared), "refill": int(r.refill),
        "array_path": int(r.array_path), "head_alloc": _HEAD_ALLOC[r.head_alloc],
        "expedited_drain": int(r.expedited_drain), "rearm_unqueued": int(r.rearm == "unqueued"),
        "attach": int(r.attach_to_pending), "page_return_worker": int(r.page_return == "worker"),
        "drain_jiffies": r.drain_jiffies or max(1, HZ // 50)}

def _load(s: Scenario, gaps: list[Gap]) -> dict[str, int]:
    w, m = s.workload, s.machine
    for name, value, same in (("call_instructions", w.call_instructions, CALL_INSTRUCTIONS),
            ("free_instructions", w.free_instructions, FREE_INSTRUCTIONS)):
        if value != same:
            gaps.append(Gap(f"workload.{name}", value, f"the guest takes about {same:g}"))
    if w.arrivals == "onoff":
        gaps.append(Gap("workload.arrivals", w.arrivals, "the harness has no on and off phases: use poisson, periodic "
            "or bursts", True))
    exponential = w.arrivals in ("poisson", "onoff") or w.gap == "exponential"
    if w.phase != "tick" and not exponential:
        gaps.append(Gap("workload.phase", w.phase, "fixed gaps begin just after a tick"))
    if m.cpus > 1 and not exponential:
        gaps.append(Gap("machine.cpus", m.cpus, "the producers' first calls are spread over a period, not at the same "
            "time on each CPU"))
    period = _whole("workload.rate_hz", 1e6 * w.burst * w.producers / w.rate_hz, "us between two bursts", gaps, 1)
    single = _whole("workload.single_share", 100 * w.single_share, "percent", gaps)
    if w.single_share < 1 and w.object_bytes < 24:
        gaps.append(Gap("workload.object_bytes", w.object_bytes, "an rcu_head of a double-argument call needs 24 "
            "bytes in the object", True))
    if w.object_bytes > 4 << 20:
        gaps.append(Gap("workload.object_bytes", w.object_bytes, "an object of the guest has up to 4 MiB", True))
    return {"threads": m.cpus * w.producers, "period_us": period, "burst": w.burst, "arrival": int(exponential),
        "catchup": int(w.loop in ("open", "catchup")), "waiters": WAITERS if w.loop == "open" else 0,
        "objsize": min(w.object_bytes, 4 << 20), "double_pct": 100 - single,
        "vmalloc_pct": _whole("workload.vmalloc_share", 100 * w.vmalloc_share, "percent", gaps),
        "dur_ms": _whole("scenario.horizon_ms", s.horizon_ms, "ms", gaps, 1)}

def _pressure(s: Scenario, gaps: list[Gap]) -> dict[str, int]:
    a = s.allocator
    if any(a.calm.resolved()):
        gaps.append(Gap("allocator.calm", a.calm.resolved(), "in the harness no request fails between spells", True))
    if a.spells == "none":
        return {"p_page_ppm": 0, "p_obj_ppm": 0}
    page, _, _, atomic, high, reclaim = a.spell.resolved()
    if s.memory.pressure == "pages":
        page = atomic = high = reclaim = 0.0
    final = {"none": 0.0, "atomic": atomic, "tryhard": min(high, reclaim), "three_step": min(atomic, reclaim)}
    stalls = {"tryhard": high, "three_step": atomic}.get(s.remedy.head_alloc, 0.0)
    if stalls and a.stall_ms:
        gaps.append(Gap("allocator.stall_ms", a.stall_ms, "a failure that is made takes no time: no call stalls"))
    levels = {"p_page_ppm": _ppm("page", page, gaps), "p_obj_ppm": _ppm("head", final[s.remedy.head_alloc], gaps)}
    if a.spells == "exponential":
        if a.start != "calm":
            gaps.append(Gap("allocator.start", a.start, "the harness starts calm", True))
        gaps.append(Gap("allocator.calm_ms", a.calm_ms, "the first calm lasts just that long; later ones are "
            "exponential"))
        calm = _whole("allocator.calm_ms", a.calm_ms, "ms", gaps, 1)
        return levels | {"onset_ms": calm, "on_ms": _whole("allocator.spell_ms", a.spell_ms, "ms", gaps, 1),
            "off_ms": calm, "epi_exp": 1}
    plan = a.schedules[0]
    if any(other != plan for other in a.schedules) or len(plan) != 1:
        gaps.append(Gap("allocator.schedules", a.schedules, "the harness takes one spell, the same in all runs", True))
    start, stop = plan[0] if plan else (s.horizon_ms, math.inf)
    onset = _whole("allocator.schedules", start, "ms", gaps)
    if stop >= s.horizon_ms:
        return levels | {"onset_ms": onset, "on_ms": 0, "off_ms": 0, "epi_exp": 0}
    return levels | {"onset_ms": onset, "on_ms": _whole("allocator.schedules", stop - start, "ms", gaps, 1),
        "off_ms": _whole("scenario.horizon_ms", s.horizon_ms, "ms", [], 1), "epi_exp": 0}

def _ppm(name: str, p: float, gaps: list[Gap]) -> int:
    return _whole(f"allocator.spell.{name}", 1e6 * p, "millionths", gaps)

def rcuscale_of(scenario: Scenario) -> tuple[str, tuple[Gap, ...]]:
    """The nearest line for the kernel's own rcuscale, and what that leaves out."""
    w, m = scenario.workload, scenario.machine
    per_loop = w.burst if w.burst > 1 else max(1, min(8000, round(w.rate_hz / 10)))
    calls = w.rate_hz * scenario.horizon_ms / 1000
    loops = max(1, min(100_000, round(calls / per_loop / w.producers)))
    kinds = " kfree_rcu_test_single=1" * (w.single_share > 0) + " kfree_rcu_test_double=1" * (w.single_share < 1)
    line = (f"modprobe rcuscale kfree_rcu_test=1 kfree_nthreads={m.cpus * w.producers} kfree_alloc_num={per_loop} "
        f"kfree_loops={loops} kfree_mult={max(1, round(w.object_bytes / 24))}{kinds}")
    own: Callable[[str, object, str], Gap] = Gap
    gaps = [own("workload.rate_hz", w.rate_hz, "it frees as fast as it can, and yields after each loop"),
        own("allocator.spell", scenario.allocator.spell.resolved(), "nothing makes allocations fail: load memory "
        "beside it"),
        own("remedy", "as given", "it measures the remedy that the running kernel has"),
        own("what is measured", "P(wait), blocked", "it prints the time of all loops, grace periods and memory, no "
        "waits")]
    if 0 < w.single_share < 1:
        gaps.append(own("workload.single_share", w.single_share, "with both flags a loop mixes them half and half"))
    if w.vmalloc_share:
        gaps.append(own("workload.vmalloc_share", w.vmalloc_share, "its objects are kmalloc()ed"))
    return line, tuple(gaps)

def with_trace(job: Job) -> Job:
    """The same job with its grace periods recorded."""
    return replace(job, parameters=(*(p for p in job.parameters if p[0] != "gp_trace"), ("gp_trace", 1)))
