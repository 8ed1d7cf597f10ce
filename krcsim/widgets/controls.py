# SPDX-License-Identifier: GPL-2.0-only
"""The table of all sliders and lists of choices: what each moves, its label, and where it stands.

A new slider is a new row of CONTROLS, and nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

import ipywidgets

from krcsim.model.scenario import Scenario

# The questions, by the names that their files have.
POOL_OR_PAGES = "pool-or-pages"
COLD_START = "cold-start"
ONE_EPISODE = "one-episode"
HOW_BIG = "how-big"
PRESSURE = "pressure"
RARE_AND_EXACT = "rare-and-exact"
WHICH_KERNEL = "which-kernel"

WITH_EPISODES = (POOL_OR_PAGES, COLD_START, ONE_EPISODE, HOW_BIG)
WITH_RESERVES = (POOL_OR_PAGES, COLD_START, ONE_EPISODE, PRESSURE)

# Values that sliders offer; a loaded scenario with another value gets a place for it.
OBJECTS = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500)
OBJECT_BYTES = (8, 16, 32, 64, 128, 192, 256, 512, 1024, 2048, 4096, 8192, 16384)
PAGES = (0, 1, 2, 3, 4, 5, 8, 10)
ONE_TWO_FIVE = tuple(first * 10.0**power for power in range(6) for first in (1, 2, 5))
PROBABILITIES = (
    *(0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5),
    *(0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0),
)

LOOK: dict[str, Any] = dict(
    style=dict(description_width="10.5em"), layout=dict(width="100%", margin="0")
)

# The tab on which a control stands, by the section of the scenario that its field is in.
TABS = {
    "remedy": "Remedy",
    "allocator": "Pressure",
    "memory": "Pressure",
    "workload": "Load and machine",
    "machine": "Load and machine",
    "grace_period": "Load and machine",
}
MOST_ON_A_TAB = 6  # as many are on the screen without tabs, too


@dataclass(frozen=True)
class Control:
    """A slider, or a list of choices: the field of a scenario that it moves, and how it looks."""

    field: str  # dotted, as in a scenario file
    label: str  # with the unit
    symbol: str  # where the kernel has it
    values: tuple[Any, ...]  # numbers for a slider; (text, value) for a list of choices
    questions: tuple[str, ...]  # the explorers that show it
    unset: Any = None  # the value that stands for a field that is left to its default

    @property
    def is_choice(self) -> bool:
        """Whether it is a list of choices, and no slider."""
        return isinstance(self.values[0], tuple)

    def options(self) -> list[tuple[str, Any]]:
        """The text and the value of each place."""
        if self.is_choice:
            return list(self.values)
        return [(f"{value:g}", value) for value in self.values]

    def value_in(self, scenario: Scenario) -> Any:
        """What a scenario says, as the control has it."""
        value = attrgetter(self.field)(scenario)
        return self.unset if value is None else value

    def field_value(self, value: Any) -> Any:
        """What the field is where the control has a value."""
        return None if self.unset is not None and value == self.unset else value

    @property
    def tab(self) -> str:
        """The tab that it stands on."""
        return TABS[self.field.split(".")[0]]

    def explanation(self) -> str:
        """The kernel's symbol, and what the field is for."""
        return f"{self.symbol}: {self.purpose()}"

    def purpose(self) -> str:
        """What the field is for, as the scenario's own documentation says."""
        *sections, name = self.field.split(".")
        section = attrgetter(".".join(sections))(Scenario())
        return next(str(f.metadata["why"]) for f in fields(section) if f.name == name)


CONTROLS: dict[str, Control] = {
    control.field: control
    for control in (
        Control(
            "memory.hog",
            "Memory is taken",
            "__zone_watermark_ok()",
            (
                ("not: failures are drawn", "none"),
                ("to the NOWAIT mark", "nowait"),
                ("to the ATOMIC mark", "atomic"),
                ("reserves too", "reserves"),
            ),
            (PRESSURE,),
        ),
        Control(
            "remedy.head_alloc",
            "rcu_head request",
            "kvfree_call_rcu()",
            (
                ("none (v5.9)", "none"),
                ("ATOMIC (A0)", "atomic"),
                ("try hard (A1)", "tryhard"),
                ("three steps to KERNEL", "three_step"),
            ),
            (*WITH_RESERVES, HOW_BIG),
        ),
        Control(
            "remedy.cache_shared",
            "Page cache is",
            "krcp->bkvcache",
            (("per channel", False), ("shared", True)),
            (POOL_OR_PAGES,),
        ),
        Control(
            "remedy.nr_emergency_objs",
            "Pool (objects/CPU)",
            "rcu_nr_emergency_objs",
            OBJECTS,
            WITH_RESERVES,
        ),
        Control(
            "remedy.emergency_at_boot",
            "Pool at boot",
            "krcp->nr_emergency",
            OBJECTS,
            (COLD_START, ONE_EPISODE),
        ),
        Control(
            "remedy.nr_bkv_objs",
            "Page cache (pages)",
            "rcu_min_cached_objs",
            PAGES,
            WITH_RESERVES,
        ),
        Control(
            "remedy.cache_at_boot",
            "Pages at boot",
            "kfree_rcu_batch_init()",
            PAGES,
            (POOL_OR_PAGES, COLD_START, ONE_EPISODE),
        ),
        Control(
            "workload.object_bytes",
            "Object (bytes)",
            "kmem_cache_size()",
            OBJECT_BYTES,
            (WHICH_KERNEL,),
        ),
        Control(
            "workload.vmalloc_share",
            "Of vmalloc() (share)",
            "is_vmalloc_addr()",
            (0.0, 0.01, 0.1, 0.5, 0.9, 1.0),
            (WHICH_KERNEL,),
        ),
        Control(
            "allocator.episode.page",
            "P(page fails)",
            "__get_free_page()",
            PROBABILITIES[1:],
            (*WITH_EPISODES, PRESSURE, WHICH_KERNEL),
        ),
        Control(
            "allocator.episode.page_noretry",
            "P(fails after reclaim)",
            "__GFP_NORETRY",
            PROBABILITIES,
            (WHICH_KERNEL,),
            unset=1.0,
        ),
        Control(
            "allocator.episode.head",
            "P(object fails)",
            "kmalloc()",
            PROBABILITIES,
            (*WITH_EPISODES, PRESSURE, WHICH_KERNEL),
        ),
        Control(
            "allocator.calm.head",
            "P(object fails), ever",
            "kmalloc()",
            (0.001, 0.002, 0.005, *PROBABILITIES[1:-1]),
            (RARE_AND_EXACT,),
        ),
        Control(
            "allocator.calm.page",
            "P(page fails), ever",
            "__get_free_page()",
            PROBABILITIES[1:],
            (RARE_AND_EXACT,),
        ),
        Control(
            "allocator.episode_ms",
            "Episode length (ms)",
            "__zone_watermark_ok()",
            ONE_TWO_FIVE[3:13],
            (*WITH_EPISODES, WHICH_KERNEL),
        ),
        Control(
            "allocator.calm_ms",
            "Calm between (ms)",
            "kswapd",
            ONE_TWO_FIVE[3:15],
            (*WITH_EPISODES, WHICH_KERNEL),
        ),
        Control(
            "workload.rate_hz",
            "Calls (1/s per CPU)",
            "kvfree_call_rcu()",
            ONE_TWO_FIVE[3:16],
            (*WITH_EPISODES, PRESSURE, RARE_AND_EXACT, WHICH_KERNEL),
        ),
        Control(
            "remedy.block_entries",
            "Pointers a block",
            "KVFREE_BULK_MAX_ENTR",
            (4, 8, 16, 32, 64),
            (RARE_AND_EXACT,),
        ),
        Control(
            "machine.cpus",
            "CPUs",
            "nr_cpu_ids",
            (1, 2, 4, 8, 16, 32, 64, 128),
            (POOL_OR_PAGES, COLD_START, HOW_BIG, WHICH_KERNEL),
        ),
        Control(
            "grace_period.mean_ms",
            "Grace period (ms)",
            "synchronize_rcu(), 0: calibrated",
            (0, 10, 12, 16, 20, 30, 50, 100, 200),
            WITH_EPISODES,
            unset=0,
        ),
        Control(
            "machine.hz",
            "Tick rate (1/s)",
            "CONFIG_HZ",
            (100, 250, 300, 1000),
            (POOL_OR_PAGES, COLD_START, HOW_BIG, WHICH_KERNEL),
        ),
        Control(
            "workload.single_share",
            "Single-arg. share",
            "kvfree_rcu(ptr)",
            (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
            (*WITH_EPISODES, RARE_AND_EXACT, WHICH_KERNEL),
        ),
    )
}


def controls_of(question: str) -> dict[str, Control]:
    """The controls that a question shows, by field, in the order of the screen."""
    return {name: control for name, control in CONTROLS.items() if question in control.questions}


def make_widget(control: Control) -> Any:
    """The slider, or the list of choices; the browser shows its tooltip on focus, too."""
    kind = ipywidgets.Dropdown if control.is_choice else ipywidgets.SelectionSlider
    return kind(
        options=control.options(),
        description=control.label,
        tooltip=control.explanation(),
        **LOOK,
    )


def make_tabs(widgets: Mapping[str, Any]) -> Any:
    """Controls, given by field, on a tab each for remedy, pressure, and load and machine.

    A few are all on the screen, without tabs.
    """
    if len(widgets) <= MOST_ON_A_TAB:
        return ipywidgets.VBox(list(widgets.values())).add_class("krcsim-controls")

    by_tab: dict[str, list[Any]] = {tab: [] for tab in TABS.values()}
    for field, widget in widgets.items():
        by_tab[CONTROLS[field].tab].append(widget)

    there = {tab: found for tab, found in by_tab.items() if found}
    pages = [ipywidgets.VBox(found) for found in there.values()]
    return ipywidgets.Tab(pages, titles=tuple(there)).add_class("krcsim-controls")


def values_of(widget: Any) -> list[Any]:
    """The values that a widget offers, in the order of its places."""
    return [value for _, value in widget.options]


def set_widget(widget: Any, value: Any) -> None:
    """Set a widget; a slider gets a place for a value that it does not offer, and keeps it.

    With fewer places than before, a browser would take the handle for moved to the last of them.
    """
    places = set(values_of(widget))
    is_slider = isinstance(widget, ipywidgets.SelectionSlider)

    if is_slider and value not in places:
        widget.options = [(f"{place:g}", place) for place in sorted({*places, value})]

    widget.value = value


def make_buttons(texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Buttons by their text, each with its tooltip."""
    return {
        text: ipywidgets.Button(description=text, tooltip=tooltip, layout=dict(width="auto"))
        for text, tooltip in texts
    }
