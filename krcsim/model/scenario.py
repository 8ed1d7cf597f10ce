# SPDX-License-Identifier: GPL-2.0-only
"""One frozen value that says everything about a run but its seed; reads and writes TOML."""

from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from krcsim.base import old_names
from krcsim.base.errors import FieldError, KrcsimError, refuse, shown
from krcsim.base.fields import check, is_whole, number, refuse_unknown
from krcsim.model.allocator import Allocator
from krcsim.model.constants import drain_jiffies
from krcsim.model.grace_period import GracePeriod, read_lengths
from krcsim.model.machine import Machine
from krcsim.model.memory import Memory
from krcsim.model.remedy import REMEDIES, Remedy, named
from krcsim.model.workload import Workload

FORMAT = 1
MAX_CALLS = 1e11  # of one replication; more would run for hours before the first answer
MAX_PRODUCERS = 100_000


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything about a run; calls made before `warmup_ms` belong to the window `boot`, later ones
    to `steady`.
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
        m, w = self.machine, self.workload
        refuse(
            self.warmup_ms > self.horizon_ms,
            "scenario.warmup_ms",
            self.warmup_ms,
            f"0 to horizon_ms = {self.horizon_ms:g} ms",
            "lower it or raise horizon_ms",
        )
        if self.grace_period.kind == "ticks":
            self.grace_period.law(m.hz, m.cpus)
        most = MAX_CALLS / m.cpus / self.horizon_ms * 1000.0
        refuse(
            w.rate_hz * m.cpus * self.horizon_ms / 1000.0 > MAX_CALLS,
            "workload.rate_hz",
            w.rate_hz,
            f"up to {most:.3g} calls/s per CPU for {m.cpus} CPUs and {self.horizon_ms:g} ms",
            "lower the rate, the CPUs or the horizon",
        )
        call_s = w.call_instructions * m.instruction_ns * 1e-9
        refuse(
            call_s * w.rate_hz > 1,
            "workload.rate_hz",
            w.rate_hz,
            f"up to {1 / (call_s or 1):.4g} calls/s per CPU, each taking {call_s * 1e9:g} ns",
            "lower the rate, workload.call_instructions or machine.instruction_ns",
        )
        refuse(
            w.producers * m.cpus > MAX_PRODUCERS,
            "workload.producers",
            w.producers,
            f"up to {MAX_PRODUCERS // m.cpus} tasks per CPU on {m.cpus} CPUs",
            "lower it: each task holds a record in memory",
        )

    @property
    def drain_jiffies(self) -> int:
        """The drain delay in jiffies, HZ/50 where the remedy leaves it open."""
        return self.remedy.drain_jiffies or drain_jiffies(self.machine.hz)

    def bytes_at_boot(self) -> int:
        """Reserve bytes per CPU after boot."""
        return self.remedy.bytes_at_boot(self.machine.arch)

    def bytes_at_full(self) -> int:
        """Reserve bytes per CPU once every reserve is full."""
        return self.remedy.bytes_at_full(self.workload.channels(), self.machine.arch)

    def bytes_added(self) -> int:
        """What they are more than with the plain code, which keeps a page a channel after its first
        drain.
        """
        return max(
            0,
            self.bytes_at_full()
            - Remedy().bytes_at_full(self.workload.channels(), self.machine.arch),
        )


def as_dict(scenario: Scenario) -> dict[str, Any]:
    """The scenario as nested dicts of plain values; None and empty fields are left out."""
    return {"krcsim": FORMAT} | dict(_plain(_of_class("scenario", scenario, Scenario)))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        pairs = ((f.name, _plain(getattr(value, f.name))) for f in fields(value))
        return {k: v for k, v in pairs if v is not None and v != []}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def from_dict(given: dict[str, Any], folder: Path | None = None) -> Scenario:
    """A checked scenario from nested dicts, `grace_period.file` read relative to `folder`; raises
    KrcsimError.
    """
    scenario: Scenario = _section("scenario", Scenario, given, folder)
    return scenario


def _section(name: str, cls: type, given: Any, folder: Path | None) -> Any:
    if name == "remedy" and isinstance(given, str):
        return named(given)
    if not isinstance(given, dict):
        raise KrcsimError(f"{name} is {shown(given)}; allowed: a table [{name}] of fields")
    table, base, known = dict(given), cls(), [f.name for f in fields(cls)]
    if name == "scenario":
        version, known = table.pop("krcsim", FORMAT), ["krcsim", *known]
        if not is_whole(version) or version != FORMAT:
            raise KrcsimError(
                f"krcsim = {shown(version)} is not the format of this version; allowed: {FORMAT}; "
                "use "
                "the krcsim that wrote the file or rewrite it by hand"
            )
    if name == "remedy":  # base: the name of a row
        row = table.pop("base", "A0")
        base = named(row if isinstance(row, str) else shown(row))
        known.append("base")
    if name == "grace_period" and "file" in table:
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
        table["lengths_ms"] = read_lengths((folder or Path()) / file)
    table = {old_names.field(f"{name}.{k}").removeprefix(f"{name}."): v for k, v in table.items()}
    refuse_unknown(name, table, known)
    for k, v in table.items():
        if is_dataclass(value := getattr(base, k, None)):
            table[k] = _section(k if cls is Scenario else f"{name}.{k}", type(value), v, folder)
    try:
        return replace(base, **table)
    except FieldError as exc:
        if exc.field.startswith("failure."):  # that of calm or of an episode
            raise exc.within(name) from None
        raise


def changed(scenario: Scenario, /, **overrides: Any) -> Scenario:
    """A copy with dotted fields replaced, `remedy` by a name or a Remedy: changed(s,
    **{"workload.rate_hz": 1e4}).

    A whole section (`remedy`, `memory`, ...) is replaced first, then single fields, in whatever
    order they are given. None leaves a field or a section to its default. Raises KrcsimError for
    what does not exist or fit.
    """
    data = as_dict(scenario)
    overrides = {old_names.field(path): value for path, value in overrides.items()}
    if "remedy.base" in overrides:  # the name of a row stands for the whole, as in a file
        refuse(
            "remedy" in overrides,
            "remedy.base",
            overrides["remedy.base"],
            "left out where remedy is given",
            "give one of both",
        )
        overrides["remedy"] = overrides.pop("remedy.base")
    for kind, same, lists in _KINDS:
        if kind in overrides and not (isinstance(overrides[kind], str) and overrides[kind] == same):
            _drop(data, lists)
    kind = overrides.get("grace_period.kind", data["grace_period"].get("kind", "ticks"))
    if "grace_period.file" in overrides or (
        overrides.get("grace_period.mean_ms") is not None and kind == "ticks"
    ):
        _drop(data, "grace_period.lengths_ms")
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
    return from_dict(data)


# What only one kind needs goes with that kind: the lists that the scenario had are dropped, those
# given now are not.
_KINDS = (
    ("grace_period.kind", "empirical", "grace_period.lengths_ms"),
    ("allocator.episodes", "schedule", "allocator.schedules"),
)
_DEEPEST = 2  # sections above a field: allocator.episode.page


def _drop(data: dict[str, Any], path: str) -> None:
    section, key = path.split(".")
    data[section].pop(key, None)


def _given_whole(path: str, value: Any, own: Remedy) -> Any:
    """A value as it stands in nested dicts: of a section a dict, whether it is given by name, by
    class or as None.
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


def _copied(value: Any, deep: int = _DEEPEST) -> Any:
    """A dict of the user's as one that single fields may be written into; what lies deeper is not
    written to.
    """
    if not isinstance(value, dict) or deep == 0:
        return value
    return {k: _copied(v, deep - 1) for k, v in value.items()}


def _of_class(field: str, value: Any, wanted: type) -> Any:
    refuse(
        not isinstance(value, wanted),
        field,
        value,
        f"a {wanted.__name__}",
        "give one made by krcsim",
    )
    return value
