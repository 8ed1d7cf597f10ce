# SPDX-License-Identifier: GPL-2.0-only
"""A scenario: one frozen value that says everything about a run but its seed.

as_dict() and from_dict() turn it into nested dicts and back, as a TOML file holds them; changed()
makes one of another.
"""

from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from krcsim.base import old_names
from krcsim.base.errors import FieldError, KrcsimError, refuse, shown
from krcsim.base.fields import check, is_whole, number, refuse_unknown
from krcsim.model.allocator import Allocator
from krcsim.model.constants import (
    KMALLOC_MAX_CACHE_BYTES,
    PAGE_BYTES,
    milliseconds,
    sheaf_entries,
)
from krcsim.model.grace_period import GracePeriod, Table, read_lengths
from krcsim.model.machine import Machine
from krcsim.model.memory import Memory
from krcsim.model.remedy import REMEDIES, Remedy, named
from krcsim.model.workload import Workload

FORMAT = 1  # of scenario files: `krcsim = 1`
MAX_CALLS = 1e11  # of one replication; more would run for hours before the first answer
MAX_PRODUCERS = 100_000  # tasks on all CPUs together


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything about a run but its seed.

    Calls made before `warmup_ms` belong to the window `boot`, later ones to `steady`.
    """

    warmup_ms: float = number(2000.0, "ms", 0, 1e8, "where boot ends and steady state begins")
    horizon_ms: float = number(12_000.0, "ms", 1e-3, 1e8, "the length of a run")
    machine: Machine = Machine()
    remedy: Remedy = REMEDIES["A1"]
    allocator: Allocator = Allocator()
    grace_period: GracePeriod = GracePeriod()
    workload: Workload = Workload()
    memory: Memory = Memory()

    def __post_init__(self) -> None:
        check(self, "scenario")
        machine = self.machine
        workload = self.workload

        refuse(
            self.warmup_ms > self.horizon_ms,
            "scenario.warmup_ms",
            self.warmup_ms,
            f"0 to horizon_ms = {self.horizon_ms:g} ms",
            "lower it or raise horizon_ms",
        )
        if self.grace_period.kind == "ticks":
            self.grace_period.law(machine.hz, machine.cpus)

        most = MAX_CALLS / machine.cpus / self.horizon_ms * 1000.0
        refuse(
            workload.rate_hz * machine.cpus * self.horizon_ms / 1000.0 > MAX_CALLS,
            "workload.rate_hz",
            workload.rate_hz,
            f"up to {most:.3g} calls/s per CPU for {machine.cpus} CPUs and {self.horizon_ms:g} ms",
            "lower the rate, the CPUs or the horizon",
        )

        call_s = workload.call_instructions * machine.instruction_ns * 1e-9
        begins_anew = workload.loop == "closed" and workload.arrivals in ("periodic", "bursts")
        busiest_hz = workload.rate_hz
        if workload.cpu_shares:
            busiest_hz *= max(workload.rates_of_cpus(machine.cpus))
        if workload.rate_changes:
            busiest_hz *= workload.highest_factor()
        refuse(
            call_s * busiest_hz > 1 and not begins_anew,
            "workload.rate_hz",
            busiest_hz,
            f"up to {1 / (call_s or 1):.4g} calls/s per CPU, each taking {call_s * 1e9:g} ns",
            "lower the rate, workload.call_instructions or machine.instruction_ns",
        )

        self._check_recorded_calls()
        refuse(
            len(workload.cpu_shares) > machine.cpus,
            "workload.cpu_shares",
            workload.cpu_shares,
            f"up to {machine.cpus} numbers, one for each CPU",
            "leave numbers out, or raise machine.cpus",
        )
        refuse(
            workload.producers * machine.cpus > MAX_PRODUCERS,
            "workload.producers",
            workload.producers,
            f"up to {MAX_PRODUCERS // machine.cpus} tasks per CPU on {machine.cpus} CPUs",
            "lower it: each task holds a record in memory",
        )
        # What sheaves hold would have to come back into the slab pages of the callers.
        refuse(
            workload.live_objects > 0 and self.remedy.sheaves,
            "workload.live_objects",
            workload.live_objects,
            "0 where remedy.sheaves is true",
            "callers that allocate are modelled without sheaves only (kernels up to v6.17)",
        )
        if self.memory.pressure == "pages":
            self._check_pages()

    def _check_recorded_calls(self) -> None:
        """A recording is of as many CPUs, and lasts as long, as the run."""
        calls = self.workload.calls
        if calls is None:
            return
        refuse(
            self.machine.cpus != len(calls.cpus),
            "machine.cpus",
            self.machine.cpus,
            f"{len(calls.cpus)} CPUs, as workload.calls has them",
            'set it to that; a further CPU that makes no call is a line "" of workload.calls.cpus',
        )
        refuse(
            self.horizon_ms > calls.length_ms * (1 + 1e-9) and not calls.repeat,
            "scenario.horizon_ms",
            self.horizon_ms,
            f"up to {calls.length_ms:g} ms, the length of the recording",
            "lower it, or set workload.calls.repeat = true for a recording that begins anew",
        )

    def _check_pages(self) -> None:
        """Somebody takes memory, and what is in use at boot fits into it."""
        memory, workload = self.memory, self.workload
        refuse(
            not memory.something_takes_pages() and workload.live_objects == 0,
            "memory.hog",
            memory.hog,
            "a hog where load_pages_s and workload.live_objects are 0",
            'nothing takes memory: set memory.hog = "nowait", give memory.load_pages_s, or let '
            "callers allocate with workload.live_objects",
        )

        free_pages, _ = memory.pages_at_boot()
        live_pages = self.machine.cpus * workload.live_pages()
        refuse(
            live_pages > free_pages,
            "workload.live_objects",
            workload.live_objects,
            f"objects of {workload.mean_object_bytes():g} bytes on {self.machine.cpus} CPUs that "
            "fit into "
            f"the {free_pages * PAGE_BYTES / (1 << 20):g} MiB that are free at boot",
            "lower it, or raise memory.mib",
        )

    @property
    def may_invoke_oom(self) -> bool:
        """Whether some request may not fail, so that memory in pages can run out: of callers that
        allocate what they free later, or of the refill worker of v5.11.
        """
        return self.workload.live_objects > 0 or self.remedy.refill == "e2"

    @property
    def drain_jiffies(self) -> int:
        """The drain delay in jiffies, HZ/50 where the remedy leaves it open."""
        return self.remedy.drain_delay(self.machine.hz)

    @property
    def sheaf_entries(self) -> int:
        """Pointers in a sheaf, of several sizes of objects of the smallest; 0 if the remedy has no
        sheaves.
        """
        return self.sheaf_entries_of(self.workload.sizes[0][0])

    def sheaf_entries_of(self, object_bytes: int) -> int:
        """Pointers in a sheaf of the cache of objects of a size; 0 if the remedy has no sheaves."""
        if not self.remedy.sheaves:
            return 0
        return self.remedy.sheaf_entries or sheaf_entries(object_bytes)

    @property
    def slab_share(self) -> float:
        """The share of objects that are in slab pages, of those that are not of vmalloc()."""
        sizes = self.workload.sizes
        if sizes[-1][0] <= KMALLOC_MAX_CACHE_BYTES:
            return 1.0
        return sum(share for size, share in sizes if size <= KMALLOC_MAX_CACHE_BYTES)

    @property
    def sheaf_share_of_slab(self) -> float:
        """The share of those that a sheaf takes."""
        workload = self.workload
        opted_in = workload.opted_in_share if self.remedy.sheaf_caches == "opted_in" else 1.0
        return workload.sheaf_share * opted_in

    @property
    def sheaf_share(self) -> float:
        """The share of objects that are not of vmalloc() which a sheaf takes."""
        return self.slab_share * self.sheaf_share_of_slab

    @property
    def node_cpus(self) -> int:
        """CPUs that share a barn, all where the machine leaves it open."""
        return self.machine.node_cpus or self.machine.cpus

    @property
    def reuse_hz(self) -> float:
        """Allocations a second and CPU of the cache, as many as calls where it is left open."""
        reuse = self.workload.reuse_hz
        return self.workload.rate_hz if reuse is None else reuse

    def reuse_of_cpus(self) -> tuple[float, ...]:
        """The allocations of each CPU, as multiples of `reuse_hz`: as its calls, or all alike where
        `workload.reuse_hz` is given.
        """
        if self.workload.reuse_hz is None:
            return self.workload.rates_of_cpus(self.machine.cpus)
        return (1.0,) * self.machine.cpus

    def has_own_cpu_law(self) -> bool:
        """Whether lengths of grace periods are those of a kthread that reports for its own CPU."""
        return self.remedy.own_cpu and self.grace_period.is_fitted()

    def gps_end_at_once(self) -> bool:
        """Whether a grace period needs no tick: one CPU, for which the kthread reports."""
        return self.has_own_cpu_law() and self.machine.cpus == 1

    def grace_periods(self) -> Table:
        """The lengths of grace periods in ticks, rising, and their cumulative probabilities."""
        machine = self.machine
        if self.has_own_cpu_law():
            wake_ms = self.workload.costs_ms(machine.instruction_ns)["wake_cost"]
            return self.grace_period.table_of_own_cpu(machine.hz, machine.cpus, wake_ms)
        return self.grace_period.table(machine.hz, machine.cpus)

    def origin_of_grace_periods(self) -> str:
        """Where the lengths of grace periods come from, in words a figure can print."""
        machine = self.machine
        if not self.has_own_cpu_law():
            return self.grace_period.origin(machine.hz, machine.cpus)
        if machine.cpus == 1:
            return "grace periods that need no tick on one CPU (v7.2)"
        length = milliseconds(float(self.grace_periods()[0][0]), machine.hz)
        return f"grace periods up to {length:.3g} ms, on ticks of HZ={machine.hz} (rule of v7.2)"

    def release_share(self, object_bytes: int) -> float:
        """The share of the pages of freed objects of a size that become free pages, on average over
        objects of slab pages and those that have pages of their own.
        """
        if object_bytes >= PAGE_BYTES:
            return 1.0
        own_pages = self.workload.vmalloc_share
        return own_pages + (1.0 - own_pages) * self.memory.release

    def bytes_at_boot(self) -> int:
        """Reserve bytes per CPU after boot."""
        return self.remedy.bytes_at_boot(self.machine.arch)

    def bytes_at_full(self) -> int:
        """Reserve bytes per CPU once every reserve is full."""
        return self.remedy.bytes_at_full(self.workload.channels(), self.machine.arch)

    def bytes_added(self) -> int:
        """Reserve bytes per CPU, once full, beyond those of the plain code.

        That keeps a page a channel after its first drain.
        """
        plain = Remedy().bytes_at_full(self.workload.channels(), self.machine.arch)
        return max(0, self.bytes_at_full() - plain)


def as_dict(scenario: Scenario) -> dict[str, Any]:
    """The scenario as nested dicts of plain values; None and empty fields are left out."""
    return {"krcsim": FORMAT} | dict(_plain(_of_class("scenario", scenario, Scenario)))


def _plain(value: Any) -> Any:
    """Dataclasses as dicts and tuples as lists, without fields that are None or empty."""
    if is_dataclass(value):
        pairs = ((one.name, _plain(getattr(value, one.name))) for one in fields(value))
        return {name: plain for name, plain in pairs if plain is not None and plain != []}
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value


def from_dict(given: dict[str, Any], folder: Path | None = None) -> Scenario:
    """A checked scenario from nested dicts; raises KrcsimError.

    `grace_period.file` is read relative to `folder`. Old names of fields are read, too, each with a
    FutureWarning that says the new one.
    """
    scenario: Scenario = _section("scenario", Scenario, given, folder)
    return scenario


def _section(name: str, cls: type, given: Any, folder: Path | None) -> Any:
    if name == "remedy" and isinstance(given, str):
        return named(given)
    if not isinstance(given, dict):
        raise KrcsimError(f"{name} is {shown(given)}; allowed: a table [{name}] of fields")

    table = old_names.fields(given, name)
    base = cls()
    known = [one.name for one in fields(cls)]

    if name == "scenario":
        _check_format(table.pop("krcsim", FORMAT))
        known.append("krcsim")
    elif name == "remedy":  # base: the name of a row
        row = table.pop("base", "A0")
        base = named(row if isinstance(row, str) else shown(row))
        known.append("base")
    elif name == "grace_period" and "file" in table:
        _read_lengths_of(table, folder or Path())

    refuse_unknown(name, table, known)

    for key, value in table.items():
        default = getattr(base, key, None)
        if is_dataclass(default):
            section = key if cls is Scenario else f"{name}.{key}"
            table[key] = _section(section, type(default), value, folder)

    try:
        return replace(base, **table)
    except FieldError as exc:
        if exc.field.startswith("failure."):  # that of calm or of an episode
            raise exc.within(name) from None
        raise


def _check_format(version: Any) -> None:
    if not is_whole(version) or version != FORMAT:
        raise KrcsimError(
            f"krcsim = {shown(version)} is not the format of this version; allowed: {FORMAT}; "
            "use the krcsim that wrote the file or rewrite it by hand"
        )


def _read_lengths_of(table: dict[str, Any], folder: Path) -> None:
    """Put the lengths of the file that a [grace_period] names in the place of its name."""
    file = table.pop("file")
    refuse(
        "lengths_ms" in table,
        "grace_period.file",
        file,
        "left out where lengths_ms is given",
        "give one",
    )
    if not isinstance(file, str) or not file.isprintable():
        raise KrcsimError(f"grace_period.file is {shown(file)}; allowed: a path in quotes")

    table["lengths_ms"] = read_lengths(folder / file)


def changed(scenario: Scenario, /, **overrides: Any) -> Scenario:
    """A copy with dotted fields replaced: changed(scenario, **{"workload.rate_hz": 1e4}).

    `remedy` may be a name or a Remedy. A whole section (`remedy`, `memory`, ...) is replaced first,
    then single fields, in whatever order they are given. None leaves a field or a section to its
    default. Old names of fields are taken with a FutureWarning that says the new one. Raises
    KrcsimError for what does not exist or fit.
    """
    data = as_dict(scenario)
    overrides = old_names.fields(overrides)
    if "remedy.base" in overrides:  # the name of a row stands for the whole, as in a file
        refuse(
            "remedy" in overrides,
            "remedy.base",
            overrides["remedy.base"],
            "left out where remedy is given",
            "give one of both",
        )
        overrides["remedy"] = overrides.pop("remedy.base")

    _drop_lists(data, overrides)

    for path, value in sorted(overrides.items(), key=lambda item: item[0].count(".")):
        *sections, key = path.split(".")
        here: Any = data
        for name in sections:
            here = here.setdefault(name, {}) if len(sections) <= _DEEPEST else None
            if not isinstance(here, dict):
                raise KrcsimError(f"{path} is not a field of a scenario; write section.field")

        here[key] = _given_whole(path, value, scenario.remedy)
        if here[key] is None:
            del here[key]

    found = from_dict(data)
    _check_rate_is_taken(found, overrides.get("workload.rate_hz"))
    return found


def _check_rate_is_taken(scenario: Scenario, rate_hz: Any) -> None:
    """Refuse a rate that a recording overrules: the answer would stand under the wrong rate."""
    workload = scenario.workload
    refuse(
        workload.calls is not None and rate_hz not in (None, workload.rate_hz),
        "workload.rate_hz",
        rate_hz,
        f"{workload.rate_hz:g} calls/s per CPU, or left out, where calls are those of a recording",
        'for another rate set workload.arrivals = "poisson", too',
    )


# Lists that only one kind needs, with that kind.
_KINDS = (
    ("grace_period.kind", "empirical", "grace_period.lengths_ms"),
    ("allocator.episodes", "schedule", "allocator.schedules"),
    ("workload.arrivals", "replay", "workload.calls"),
)
_DEEPEST = 2  # sections above a field: allocator.episode.page


def _drop_lists(data: dict[str, Any], overrides: dict[str, Any]) -> None:
    """Take lists of the scenario out that go with a kind it no longer has; given ones stay."""
    for kind, needs_list, path in _KINDS:
        if kind in overrides:
            given = overrides[kind]
            if not (isinstance(given, str) and given == needs_list):
                _drop(data, path)

    # Pieces of a rate go with their period, and neither with a recording.
    changes = overrides.get("workload.rate_changes", True)
    has_none = changes is None or (isinstance(changes, (list, tuple)) and not changes)
    arrivals = overrides.get("workload.arrivals")
    if has_none or (isinstance(arrivals, str) and arrivals == "replay"):
        _drop(data, "workload.rate_changes")
        _drop(data, "workload.rate_period_ms")

    kind = overrides.get("grace_period.kind", data["grace_period"].get("kind", "ticks"))
    has_mean = overrides.get("grace_period.mean_ms") is not None and kind == "ticks"
    if "grace_period.file" in overrides or has_mean:
        _drop(data, "grace_period.lengths_ms")


def _drop(data: dict[str, Any], path: str) -> None:
    section, key = path.split(".")
    data[section].pop(key, None)


def _given_whole(path: str, value: Any, own: Remedy) -> Any:
    """A value as it stands in nested dicts.

    Of a section that is a dict, whether it is given by name, as a value of its class or as None.
    """
    if path == "remedy" and isinstance(value, str):
        return _plain(named(value, own))

    if value is not None and not is_dataclass(value):
        return _copied(value)

    default: Any = Scenario()
    for name in path.split("."):
        default = getattr(default, name, None)

    if not is_dataclass(default):
        return value
    return _plain(default if value is None else _of_class(path, value, type(default)))


def _copied(value: Any, depth: int = _DEEPEST) -> Any:
    """A copy of the user's dict, as deep as single fields may be written into it."""
    if not isinstance(value, dict) or depth == 0:
        return value
    return {key: _copied(inner, depth - 1) for key, inner in value.items()}


def _of_class(field: str, value: Any, wanted: type) -> Any:
    refuse(
        not isinstance(value, wanted),
        field,
        value,
        f"a {wanted.__name__}",
        "give one made by krcsim",
    )
    return value
