# SPDX-License-Identifier: GPL-2.0-only
"""From what recordings show to a scenario: each field with its value, interval and evidence.

What they cannot say keeps the value of the scenario that one starts from, and is marked assumed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from krcsim.base.errors import KrcsimError, did_you_mean, shown
from krcsim.base.tables import html_table
from krcsim.model.calls import RecordedCalls
from krcsim.model.remedy import REMEDIES
from krcsim.model.scenario import Scenario, changed
from krcsim.trace import arrivals, background, intervals, object_sizes, pressure, replay
from krcsim.trace.evidence import Evidence, Requests, Source, is_number
from krcsim.trace.intervals import Interval
from krcsim.trace.kernel_row import row_of
from krcsim.trace.kind import kind_of
from krcsim.trace.pressure import Episodes, Failures
from krcsim.trace.value import ASSUMED, LIMIT, MEASURED, READ, Value

LEAST_S = 1.0  # of a recording that says anything about rates
MOST_LENGTHS = 200  # of grace periods that a scenario holds; of more their quantiles
ENOUGH_TRIES = 100  # of which none failed, for a limit that says more than an assumption
FEWEST_LENGTHS = 10


@dataclass(frozen=True)
class Made:
    """A scenario made of recordings: what each of its fields rests on."""

    scenario: Scenario
    values: dict[str, Value]  # by field, those that the recordings say
    assumed: dict[str, str]  # by field, those that they do not, and why if it was asked
    base: str  # the name of the scenario that the assumptions come from
    evidence: Evidence
    notes: tuple[str, ...]

    def explained(self, field: str) -> Value:
        """What a field rests on; raises KrcsimError for what is no field."""
        if field in self.values:
            return self.values[field]
        if field not in self.assumed:
            known = [*self.values, *self.assumed]
            hint = did_you_mean(field, known, "write for example workload.rate_hz")
            raise KrcsimError(f"--explain is {shown(field)}, which is no field; {hint}")
        reason = self.assumed[field] or "no recording says it"
        return Value(field, value_of(self.scenario, field), "", ASSUMED, None, reason)

    def __repr__(self) -> str:
        """In a line what it is: a recording may be long."""
        return (
            f"<Made: {len(self.values)} fields from {self.evidence.lines:,} lines, "
            f"{self.evidence.seconds:.4g} s; all others as in {self.base}>"
        )

    def _repr_html_(self) -> str:
        """How a notebook shows it: each field with what it rests on."""
        rows = [(one.field, one.words(), one.kind, one.evidence) for one in self.values.values()]
        rows += [
            (field, self.explained(field).words(), ASSUMED, why)
            for field, why in self.assumed.items()
            if why
        ]
        return html_table(("field", "value", "", "evidence"), rows)


def make(evidence: Evidence, base: Scenario, name: str, *, replays: bool = False) -> Made:
    """The scenario of recordings; raises KrcsimError where they do not fit into one.

    `replays`: its calls are those of the recordings, one by one.
    """
    reasons: dict[str, str] = {}
    notes: list[str] = []
    episodes = pressure.episodes_of(evidence)
    found = [
        *_machine(evidence, reasons),
        *_workload(evidence, reasons),
        *_grace_periods(evidence, reasons, notes),
        *background.found(evidence, reasons),
        *_episodes(evidence, episodes, reasons),
        *_stalls(evidence, reasons),
    ]
    if replays:
        found = replay.instead_of(found, evidence)
    else:
        _keep_spread(found, evidence, base, notes)
    values = {one.field: one for one in found}
    overrides = {one.field: one.value for one in values.values()} | _consequences(values, base)
    keep_order(overrides, base, values, notes)
    scenario = changed(base, **overrides)

    remedy = _remedy(evidence, reasons)
    for one in remedy:
        values[one.field] = one
        scenario = changed(scenario, **{one.field: one.value})
    assumed = {
        field: reasons.get(field, "") for field in field_names(scenario) if field not in values
    }
    if "remedy" in values:
        assumed = {field: why for field, why in assumed.items() if not field.startswith("remedy.")}
    return Made(scenario, values, assumed, name, evidence, (*evidence.notes, *notes))


def field_names(part: Any, section: str = "") -> Iterator[str]:
    """The dotted names of all fields of a scenario."""
    for declared in fields(part):
        value = getattr(part, declared.name)
        if is_dataclass(value) and not isinstance(value, RecordedCalls):
            yield from field_names(value, f"{section}{declared.name}.")
        else:
            yield f"{section}{declared.name}"


def value_of(scenario: Scenario, field: str) -> Any:
    """The value of a dotted field."""
    value: Any = scenario
    for name in field.split("."):
        value = getattr(value, name)
    return value


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _sources(evidence: Evidence, *kinds: str) -> tuple[Source, ...]:
    return tuple(source for kind in kinds for source in evidence.sources.get(kind, ()))


def _measured(
    field: str, value: Any, unit: str, limits: Interval | None, evidence: str, sources: Any
) -> Value:
    return Value(field, value, unit, MEASURED, limits, evidence, sources)


def _machine(evidence: Evidence, reasons: dict[str, str]) -> Iterator[Value]:
    calls = evidence.calls
    at = _sources(evidence, "machine")
    if calls.total:
        callers = len(np.unique(calls.cpus))
        text = f"{_plural(callers, 'CPU')} made calls"
        if online := evidence.machine.get("cpus_online"):
            text += f"; online are {online[:40]}"
        yield Value("machine.cpus", callers, "", READ, None, text, _sources(evidence, "calls"))

    hz = evidence.machine.get("hz", "")
    if is_number(hz) and len(hz) < 6 and 24 <= int(hz) <= 10_000:
        yield Value("machine.hz", int(hz), "ticks/s", READ, None, "the recorder counted ticks", at)
    else:
        reasons["machine.hz"] = "no archive of krcsim record says how often the machine ticks"
    arch = {"x86_64": "x86-64", "aarch64": "arm64"}.get(evidence.machine.get("arch", ""))
    if arch:
        yield Value("machine.arch", arch, "", READ, None, "uname says it", at)


def _workload(evidence: Evidence, reasons: dict[str, str]) -> Iterator[Value]:
    calls = evidence.calls
    at = _sources(evidence, "calls")
    seconds = evidence.calls_seconds
    if "calls" not in evidence.seen:
        for field in ("rate_hz", "arrivals", "single_share", "vmalloc_share"):
            reasons[f"workload.{field}"] = "no call of kfree_rcu() was recorded; record those too"
        return
    if seconds < LEAST_S:
        reasons["workload.rate_hz"] = (
            f"calls were recorded for {seconds:.3g} s; record {LEAST_S:g} s at least, better 60"
        )
        return
    blocks = arrivals.blocks_of(calls, evidence.calls_spans)
    rate_hz, limits = arrivals.rate(calls, blocks, evidence.calls_spans)
    text = f"{_plural(calls.total, 'call')} in {evidence.counted_words}"
    text += f" on {_plural(len(blocks.cpus), 'CPU')}" if calls.total else ""
    if not calls.total:
        yield Value(
            "workload.rate_hz",
            max(1e-3, limits.high),
            "calls/s per CPU",
            LIMIT,
            Interval(0.0, max(1e-3, limits.high)),
            text,
            at,
        )
        return
    shape, course = kind_of(evidence, blocks, reasons)
    if course is not None:
        limits = course.mean_limits(rate_hz)
        text += f", in {len(course.calls)} pieces of time, each at a rate of its own"
    if evidence.lost:
        limits = Interval(limits.low, limits.high * (1 + evidence.lost / calls.total))
        text += f"; {evidence.lost:,} events were lost"
    yield _measured("workload.rate_hz", max(1e-3, rate_hz), "calls/s per CPU", limits, text, at)

    yield from _shares(evidence, blocks, reasons)
    yield from shape
    yield from object_sizes.found(evidence)


def _keep_spread(found: list[Value], evidence: Evidence, base: Scenario, notes: list[str]) -> None:
    """CPUs that call far more than others get shares of the calls, where the model has them."""
    cpus, index = np.unique(evidence.calls.cpus, return_inverse=True)
    each = np.bincount(index, weights=evidence.calls.calls)
    if len(each) < 2 or each.max() <= 2 * np.median(each) or each.max() <= 100:
        return
    text = (
        f"CPU {int(cpus[each.argmax()])} makes {each.max() / each.mean():.2g} times the calls of "
        "the mean CPU"
    )
    kinds = {one.field: one.value for one in found}
    if kinds.get("workload.arrivals", base.workload.arrivals) in ("poisson", "onoff"):
        shares = tuple(float(calls) for calls in each)
        at = _sources(evidence, "calls")
        found.append(Value("workload.cpu_shares", shares, "", READ, None, text, at))
    else:
        notes.append(f"{text}; the scenario gives all CPUs the same rate")


def _shares(
    evidence: Evidence, blocks: arrivals.Blocks, reasons: dict[str, str]
) -> Iterator[Value]:
    calls = evidence.calls
    for field, some, is_known, words, how in (
        ("single_share", calls.single, calls.kinds_known, "with one argument",
         "record the first argument of kvfree_call_rcu()"),
        ("vmalloc_share", calls.vmalloc, calls.vmalloc_known, "of vmalloc()ed objects",
         "krcsim record tells them apart on x86-64"),
    ):  # fmt: skip
        name = f"workload.{field}"
        if not is_known:
            reasons[name] = f"the recording does not say which calls are {words}; {how}"
            continue
        count = int(some.sum())
        limits = intervals.with_lost(intervals.of_share(count, calls.total), evidence.lost_share)
        if 0 < count < calls.total and blocks.count >= intervals.FEWEST:
            limits = _wider_by_blocks(limits, some, calls.calls, blocks)
        text = f"{count:,} of {calls.total:,} calls {words}"
        yield _measured(name, count / calls.total, "", limits, text, _sources(evidence, "calls"))


def _wider_by_blocks(limits: Interval, some: Any, every: Any, blocks: arrivals.Blocks) -> Interval:
    kept = blocks.of >= 0
    num, den = np.zeros((2, blocks.count))
    np.add.at(num, blocks.of[kept], some[kept].astype(float))
    np.add.at(den, blocks.of[kept], every[kept].astype(float))
    if 2 * num.sum() > den.sum():
        found = intervals.of_ratio(den - num, den)
        found = found and Interval(1 - found.high, 1 - found.low)
    else:
        found = intervals.of_ratio(num, den)
    if found is None:
        return limits
    both = intervals.wider(limits, found)
    return Interval(max(0.0, both.low), min(1.0, both.high))


def _grace_periods(
    evidence: Evidence, reasons: dict[str, str], notes: list[str]
) -> Iterator[Value]:
    lengths = np.sort(evidence.grace_periods_s) * 1000.0
    at = _sources(evidence, "grace_periods")
    if len(lengths) < FEWEST_LENGTHS:
        reasons["grace_period.lengths_ms"] = _few_grace_periods(evidence, len(lengths))
        return
    limits = intervals.of_mean(lengths)
    if len(lengths) > MOST_LENGTHS:
        picked = (np.arange(MOST_LENGTHS) + 0.5) / MOST_LENGTHS
        kept = np.quantile(lengths, picked)
    else:
        kept = lengths
    text = (
        f"{len(lengths):,} grace periods from start to end, mean {lengths.mean():.3g} ms, median "
        f"{np.median(lengths):.3g} ms, longest {lengths[-1]:.3g} ms"
    )
    hz = evidence.machine.get("hz", "")
    if is_number(hz) and 0 < int(hz) < 10**5 and float(np.median(lengths)) < 500.0 / int(hz):
        notes.append(
            "half of the grace periods are shorter than half a tick; the model makes them a tick"
        )
    rounded = tuple(float(f"{one:.4g}") for one in np.maximum(1e-3, kept))
    yield _measured("grace_period.kind", "ticks", "", None, text, at)
    yield _measured("grace_period.lengths_ms", rounded, "ms of the mean", limits, text, at)


def _few_grace_periods(evidence: Evidence, count: int) -> str:
    if count:
        return f"{_plural(count, 'grace period')} recorded; {FEWEST_LENGTHS} are the least"
    if evidence.scale_runs:
        run = evidence.scale_runs[-1]
        return (
            f"rcuscale says {run.batches:,} grace periods in {run.nanoseconds * 1e-9:.3g} s, so "
            f"they last {run.nanoseconds * 1e-6 / run.batches:.3g} ms on average at most; record "
            "rcu_gp_init and rcu_gp_cleanup for their lengths"
        )
    return "no grace period was recorded; record rcu_gp_init and rcu_gp_cleanup"


def _episodes(evidence: Evidence, episodes: Episodes, reasons: dict[str, str]) -> Iterator[Value]:
    kinds = [kind for kind in ("page", "noretry", "reclaims") if kind in evidence.seen]
    at = _sources(evidence, *kinds)
    if not kinds or evidence.seconds < LEAST_S:
        for field in ("episodes", "episode_ms", "calm_ms"):
            reasons[f"allocator.{field}"] = (
                "neither page requests nor direct reclaim were recorded; record those too"
            )
    elif law := pressure.law_of(episodes, evidence.seconds):
        text = _episode_words(episodes, evidence)
        yield _measured("allocator.episodes", "exponential", "", None, text, at)
        for field, value, limits in (
            ("episode_ms", law.episode_s, law.episode),
            ("calm_ms", law.calm_s, law.calm),
        ):
            ends = Interval(limits.low * 1000, limits.high * 1000)
            yield _measured(f"allocator.{field}", value * 1000, "ms", ends, text, at)
    else:
        least = evidence.seconds * 1000.0 / intervals.of_count(0).high
        text = f"no episode of pressure in {evidence.seconds:.4g} s"
        yield Value("allocator.episodes", "exponential", "", READ, None, text, at)
        yield Value("allocator.calm_ms", least, "ms", LIMIT, Interval(least, np.inf), text, at)
        reasons["allocator.episode_ms"] = f"{text}; record while memory is short"
    yield from _failures(evidence, episodes, reasons)


def _episode_words(episodes: Episodes, evidence: Evidence) -> str:
    mark = "failed page requests" if episodes.by_failures else "direct reclaims"
    return (
        f"{_plural(len(episodes.first), 'episode')} in {evidence.seconds:.4g} s, found by "
        f"{episodes.marks.sum():,} {mark}; the shortest {episodes.lengths_s.min() * 1000:.3g} ms, "
        f"the longest {episodes.lengths_s.max() * 1000:.3g} ms"
    )


def _failures(evidence: Evidence, episodes: Episodes, reasons: dict[str, str]) -> Iterator[Value]:
    classes: tuple[tuple[str, Requests, str, str], ...] = (
        ("page", evidence.page, "page", "one page without reclaim"),
        ("page_noretry", evidence.noretry, "noretry", "one page with __GFP_NORETRY"),
    )
    lost = evidence.lost_share
    for field, requests, kind, words in classes:
        for name, part, where in (
            ("calm", pressure.outside(requests, episodes, kind, lost), "outside episodes"),
            ("episode", pressure.inside(requests, episodes, kind, lost), "inside episodes"),
        ):
            path = f"allocator.{name}.{field}"
            if part is None:
                reasons[path] = f"no request for {words} was recorded {where}"
                continue
            found = _failure(path, part, f"{words} {where}", _sources(evidence, kind))
            if found is None:
                reasons[path] = (
                    f"{_plural(part.tries, 'request')} for {words} {where}, none failed; "
                    f"{ENOUGH_TRIES} are the least for a limit"
                )
            else:
                yield found


def _failure(path: str, part: Failures, words: str, at: Any) -> Value | None:
    text = f"{part.tries:,} requests for {words}, {part.failed:,} failed"
    if part.failed:
        return _measured(path, part.failed / part.tries, "", part.limits, text, at)
    if part.tries < ENOUGH_TRIES:
        return None
    return Value(path, part.limits.high, "", LIMIT, part.limits, text, at)


def _stalls(evidence: Evidence, reasons: dict[str, str]) -> Iterator[Value]:
    lengths = (evidence.reclaims.ends_s - evidence.reclaims.begins_s) * 1000.0
    at = _sources(evidence, "reclaims")
    if len(lengths) < FEWEST_LENGTHS:
        for field in ("stall_ms", "stall_sigma"):
            reasons[f"allocator.{field}"] = (
                f"{_plural(len(lengths), 'direct reclaim')} recorded; {FEWEST_LENGTHS} are "
                "the least"
            )
        return
    logs = np.log(lengths)
    text = f"{len(lengths):,} direct reclaims, the longest {lengths.max():.3g} ms"
    median, sigma = float(np.exp(logs.mean())), float(logs.std(ddof=1))
    limits = intervals.of_median_of_logs(lengths), intervals.of_sigma_of_logs(lengths)
    yield _measured("allocator.stall_ms", median, "ms", limits[0], text, at)
    yield _measured("allocator.stall_sigma", min(5.0, sigma), "", limits[1], text, at)


def _remedy(evidence: Evidence, reasons: dict[str, str]) -> Iterator[Value]:
    release = evidence.machine.get("release", "")
    at = _sources(evidence, "machine")
    if not release:
        reasons["remedy"] = "no archive of krcsim record says which kernel it is"
        return
    row, why_not = row_of(release)
    if why_not:
        reasons["remedy"] = why_not
        return
    yield Value("remedy", row, "", READ, None, f"the kernel is {release[:60]}", at)
    pages = evidence.machine.get("rcu_min_cached_objs", "")
    if is_number(pages) and len(pages) < 6 and REMEDIES[row].cache_at_boot <= int(pages) <= 10_000:
        yield Value("remedy.nr_bkv_objs", int(pages), "pages", READ, None, "its parameter", at)


def _consequences(values: dict[str, Value], base: Scenario) -> dict[str, Any]:
    """Fields that have to go with those that were found, so that they fit together."""
    more: dict[str, Any] = {}
    if "workload.calls" in values:
        more |= replay.consequences(values["workload.calls"].value, base)
    elif "workload.arrivals" in values:
        is_bursts = values["workload.arrivals"].value == "bursts"
        more["workload.gap"] = "exponential" if is_bursts else None
        if not is_bursts:
            more["workload.burst"] = None
        if base.workload.loop == "catchup":
            more["workload.loop"] = "open"
        if "workload.rate_changes" in values:  # an answer is over a whole period
            more["horizon_ms"] = base.warmup_ms + values["workload.rate_period_ms"].value
        else:
            more["workload.rate_changes"] = None
    if "workload.object_bytes" in values:
        more["workload.object_sizes"] = None
    if "machine.cpus" in values and "workload.cpu_shares" not in values:
        more["workload.cpu_shares"] = None
    if "grace_period.lengths_ms" in values:
        more |= {"grace_period.mean_ms": None, "grace_period.reader_ms": None}
    if "allocator.episodes" in values:
        more["allocator.schedules"] = None
    if "machine.cpus" in values and values["machine.cpus"].value == 1 < base.machine.cpus:
        more["machine.nocb_share"] = None
    if any(path.startswith("allocator.") for path in values):
        more["memory.pressure"] = "injected"
    return more


def keep_order(
    overrides: dict[str, Any], base: Scenario, values: dict[str, Value], notes: list[str]
) -> None:
    """A request that tries harder cannot fail more often: the model wants that of chance, too.

    `overrides` and `notes` are added to.
    """
    for name in ("calm", "episode"):
        page, harder = f"allocator.{name}.page", f"allocator.{name}.page_noretry"
        at_page = overrides.get(page, value_of(base, page))
        at_harder = overrides.get(harder, value_of(base, harder))
        if at_harder is None or at_harder <= at_page:
            continue
        if page in values or harder not in values:
            overrides[harder] = at_page
            said = harder
        else:
            overrides[page] = at_harder
            said = page
        notes.append(
            f"{said} is set to {overrides[said]:.3g}: a request with __GFP_NORETRY cannot fail "
            "more often than one without reclaim"
        )
