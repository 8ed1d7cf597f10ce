# SPDX-License-Identifier: GPL-2.0-only
"""A random walk through the controls of an explorer: `python -m tests.walk --moves 5000 [NOTEBOOK
...]`.

Whoever moves sliders, chooses, loads, pins and steps in any order gets an answer or a sentence,
never an error.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as w

from krcsim.base.errors import KrcsimError
from krcsim.model.scenario import Scenario, changed
from krcsim.model.scenario_file import load_scenario, presets, toml_text
from krcsim.runs.ladder import FIRST_RUNS
from krcsim.widgets import (
    ColdStart,
    HowBig,
    OneEpisode,
    PoolOrPages,
    Pressure,
    RareAndExact,
    WhichKernel,
)
from krcsim.widgets.explorer import Explorer
from krcsim.widgets.remedies_compared import RemediesCompared

EXPLORERS: dict[str, type[Explorer]] = {
    "01": PoolOrPages,
    "02": OneEpisode,
    "03": ColdStart,
    "04": HowBig,
    "05": Pressure,
    "06": RareAndExact,
    "09": WhichKernel,
}
ODD: tuple[dict[str, Any], ...] = (  # what no slider gives, but a loaded file has
    {"allocator.episodes": "none"},
    {"allocator.episodes": "schedule", "allocator.schedules": [[100.0, 400.0]]},
    {"remedy.array_path": False, "remedy.cache_at_boot": 0, "remedy.page_class": "nowait"},
    {"remedy.page_class": "noretry"},
    {"workload.single_share": 0.0},
    {"workload.vmalloc_share": 0.3},
    {"grace_period.kind": "fixed", "grace_period.mean_ms": 7.0},
    {"grace_period.expedited": True},
    {
        "grace_period.kind": "empirical",
        "grace_period.lengths_ms": [9.0, 14.0],
        "grace_period.mean_ms": None,
    },
    {"remedy": "E1"},
    {"remedy": "B100000f"},
    {"remedy": "D9999-A1"},
    {"warmup_ms": 0.0},
    {
        "allocator.episode.page": 0.0,
        "allocator.episode.page_noretry": None,
        "allocator.calm.page": 0.0,
    },
    {"workload.rate_hz": 0.001},
    {"machine.cpus": 1, "allocator.episode_ms": 10.0},
    {
        "machine.cpus": 1,
        "machine.nocb_share": 0.0,
        "workload.arrivals": "replay",
        "workload.calls": dict(cpus=["7*40 0*9 1"], cell_ms=10.0, length_ms=500.0, repeat=True),
    },
)


def odd_files(folder: Path) -> list[Path]:
    """Scenario files: the presets, each of them with something odd where that is possible, and
    files that are none.
    """
    out = []
    for name in presets():
        for n, odd in enumerate(({}, *ODD)):
            try:
                s: Scenario = changed(load_scenario(name), **odd)
            except KrcsimError:
                continue
            path = folder / f"{name}-{n}.toml"
            path.write_text(toml_text(s), encoding="utf-8")
            out.append(path)
    (folder / "none.toml").write_text("[machine]\ncpus = -1\n")
    return [*out, folder / "none.toml", folder / "missing.toml"]


def choices(
    explorer: Explorer, files: list[Path], r: random.Random
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """One move of each kind that a person can make, by name."""

    def set_value(widget: Any, value: Any) -> Callable[[], None]:
        return lambda: setattr(widget, "value", value)

    shown = [
        path for path, control in explorer.controls.items() if control.layout.display != "none"
    ]
    for _ in range(8):
        path = r.choice(shown)
        value = r.choice([v for _, v in explorer.controls[path].options])
        yield f"{path}={value}", set_value(explorer.controls[path], value)
    name = r.choice([*explorer.presets.values(), ""])
    yield f"preset {name}", set_value(explorer.preset, name)
    path = r.choice(files)
    yield f"load {path.stem}", set_value(explorer.file, str(path))
    for text in ("Reset", "Pin", "Unpin", "Cancel"):
        yield text, explorer.buttons[text].click
    for name, widget in vars(explorer).items():
        if isinstance(widget, w.Dropdown | w.SelectionSlider) and name != "preset":
            value = r.choice([v for _, v in widget.options])
            yield f"{name}={value}", set_value(widget, value)
        elif isinstance(widget, w.IntSlider | w.BoundedIntText):
            value = r.randint(widget.min, min(widget.max, widget.min + 40))
            yield f"{name}={value}", set_value(widget, value)
    if isinstance(explorer, OneEpisode):
        at = r.random()
        yield "pointer", lambda: setattr(explorer.browser_side, "at", at)
        yield "next wait", explorer._next_wait


def hasty(kind: type[Explorer], most: float) -> type[Explorer]:
    """The explorer of somebody who does not wait for what takes more than so many calls: only for
    the setting itself.
    """

    def work(self: Any, ticket: Any, s: Scenario, pins: dict[str, Scenario]) -> None:
        calls = sum(calls_of(setting, kind) for setting in (s, *pins.values()))
        self.waited = calls <= most
        if not self.waited:
            return

        all_calls = calls * len(self.scenarios(s))
        is_quick = all_calls <= most or not issubclass(kind, RemediesCompared)
        self.runs = (FIRST_RUNS,) if is_quick else ()
        kind.work(self, ticket, s, pins)

    return type(kind.__name__, (kind,), {"work": work})


def calls_of(s: Scenario, kind: type[Explorer]) -> float:
    """The calls of the first look at a scenario."""
    span = s.horizon_ms
    if issubclass(kind, ColdStart):
        span = 12.0 * (s.allocator.episode_ms + s.allocator.calm_ms)
    return FIRST_RUNS * s.machine.cpus * s.workload.rate_hz * span / 1000.0


def walk(kind: type[Explorer], seed: int, moves: int, most: float = 2e6) -> Iterator[str]:
    """What went wrong in so many moves, each as the move and what was said."""
    r = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        files = odd_files(home)
        explorer: Any = hasty(kind, most)(home)
        for n in range(moves):
            what, move = r.choice([*choices(explorer, files, r)])
            try:
                move()
            except Exception as exc:  # whatever it is, it is what is looked for
                yield f"{n}: {what}: {type(exc).__name__}: {exc}"
            said = str(explorer.status.value)
            if said.startswith("error") or "Not possible" in said:
                yield f"{n}: {what}: {said}"
            elif (
                explorer.done is not None
                and explorer.waited
                and (fault := contradiction(explorer, said))
            ):
                yield f"{n}: {what}: {fault}"


def contradiction(explorer: Explorer, said: str) -> str:
    """Where what is shown is not what the controls say, though no sentence says why."""
    assert explorer.done is not None
    done = explorer.done.answer
    if done.scenario != explorer.scenario and said in ("done", "done. "):
        return "the answer is of another scenario, and nothing says so"
    lines = done.text.splitlines()
    wide = [line for line in lines if len(line) > 72 and not line.startswith("  ")]
    return (
        f"the answer has a line of {len(wide[0])} columns"
        if wide and not isinstance(explorer, OneEpisode)
        else ""
    )


def main() -> int:
    """Walk, and print each fault with its seed; 1 if there was any."""
    asked = argparse.ArgumentParser(prog="tests.walk", description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    asked.add_argument(
        "names",
        nargs="*",
        metavar="NOTEBOOK",
        help=f"which explorers: {', '.join(EXPLORERS)} (all)",
    )
    asked.add_argument("--moves", type=int, default=5000)
    asked.add_argument("--seed", type=int, default=1)
    args = asked.parse_args()
    faults = 0
    for name in args.names or EXPLORERS:
        begun = time.monotonic()
        found = [*walk(EXPLORERS[name], args.seed, args.moves)]
        faults += len(found)
        took = time.monotonic() - begun
        sys.stdout.write(
            f"{name}: {args.moves} moves, seed {args.seed}, {len(found)} faults, {took:.0f} s\n"
        )
        sys.stdout.write("".join(f"  {fault}\n" for fault in found[:40]))
        sys.stdout.flush()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
