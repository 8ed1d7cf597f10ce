# SPDX-License-Identifier: GPL-2.0-only
"""From the values of the controls to a scenario: fields that move together, and values that fit."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from krcsim.base.errors import FieldError, KrcsimError
from krcsim.model.scenario import Scenario, changed
from krcsim.model.unused_fields import unused_fields
from krcsim.widgets.controls import CONTROLS, values_of

EPISODE_PAGE = "allocator.episode.page"
EPISODE_NORETRY = "allocator.episode.page_noretry"
EPISODE_HEAD = "allocator.episode.head"
HEAD_CLASSES = ("head_atomic", "head_high", "head_reclaim")  # move with EPISODE_HEAD

# A reserve never holds more at boot than it keeps.
AT_MOST = (
    ("remedy.emergency_at_boot", "remedy.nr_emergency_objs"),
    ("remedy.cache_at_boot", "remedy.nr_bkv_objs"),
)


def scenario_with(base: Scenario, values: Mapping[str, Any]) -> Scenario:
    """The base with the values of the controls; raises KrcsimError where they contradict.

    Fields without a control that belong to one move with it: a page fails no more often in calm
    than in an episode, and the classes of head requests keep their share.
    """
    new = {name: CONTROLS[name].field_value(value) for name, value in values.items()}
    episode = base.allocator.episode

    if EPISODE_PAGE in new:
        page, calm = new[EPISODE_PAGE], base.allocator.calm.page
        new["allocator.calm.page"] = calm if page == episode.page else min(calm, page)
        if EPISODE_NORETRY not in new and episode.page_noretry is not None:
            new[EPISODE_NORETRY] = min(episode.page_noretry, page)

    if EPISODE_HEAD in new and episode.head:
        factor = new[EPISODE_HEAD] / episode.head
        for name in HEAD_CLASSES:
            before = getattr(episode, name)
            if before is not None:
                new[f"allocator.episode.{name}"] = min(1.0, round(before * factor, 9))

    if base.workload.calls is not None:  # a recording has its own rate, and no slider shows it
        new.pop("workload.rate_hz", None)
    return changed(base, **new)


def fields_moved_by(name: str, scenario: Scenario) -> list[str]:
    """The fields that the control of a field moves."""
    if name == EPISODE_PAGE:
        return [name, "allocator.calm.page", EPISODE_NORETRY]

    if name == EPISODE_HEAD:
        episode = scenario.allocator.episode
        classes = [c for c in HEAD_CLASSES if episode.head and getattr(episode, c)]
        return [name, *(f"allocator.episode.{c}" for c in classes)]

    return [name]


def without_effect(
    names: list[str],
    scenario: Scenario,
    scenarios: Mapping[str, Scenario],
    is_shared: Callable[[str, str], bool],
) -> dict[str, str]:
    """The fields whose control would change no answer, each with the reason.

    `scenarios`: all that are run for the setting, by remedy; is_shared(remedy, field): whether a
    field of the setting is in the scenario of that remedy, too.
    """
    unused_in = {remedy: unused_fields(one) for remedy, one in scenarios.items()}
    found: dict[str, str] = {}

    for name in names:
        asked = [fields for remedy, fields in unused_in.items() if is_shared(remedy, name)]
        moved = fields_moved_by(name, scenario)
        if all(field in fields for fields in asked for field in moved):
            found[name] = unused_in["own"][name]

    return found


def possible(ways: Mapping[str, Callable[[], Scenario]]) -> dict[str, Scenario]:
    """The scenarios that can be made: pages cannot be kept where pointers never go into pages."""
    found: dict[str, Scenario] = {}

    for name, make in ways.items():
        with suppress(KrcsimError):
            found[name] = make()

    return found


def settle_reserves(widgets: Mapping[str, Any], moved: Any) -> None:
    """Let no reserve hold more at boot than it keeps; of the two, the one that was moved wins."""
    for at_boot, kept in AT_MOST:
        small, big = widgets.get(at_boot), widgets.get(kept)
        if not small or not big or small.value <= big.value:
            continue
        if moved is small:
            big.value = min(value for value in values_of(big) if value >= small.value)
        else:
            small.value = max(value for value in values_of(small) if value <= big.value)


def settle_requests(widgets: Mapping[str, Any]) -> None:
    """Let a request that may reclaim fail no more often than one that may not; the end of its
    slider stands for "as often".
    """
    noretry, page = widgets.get(EPISODE_NORETRY), widgets.get(EPISODE_PAGE)
    if not noretry or not page or noretry.value == CONTROLS[EPISODE_NORETRY].unset:
        return
    if noretry.value > page.value:
        noretry.value = max(one for one in values_of(noretry) if one <= page.value)


def make_consistent(
    widgets: Mapping[str, Any], moved: Any, scenario: Callable[[], Scenario]
) -> str:
    """Where values contradict, move one control to the nearest value that fits.

    The control of the field that is named comes first, then the one that was moved. Returns what to
    say about it, "" if nothing was changed.
    """
    try:
        scenario()
        return ""
    except FieldError as error:
        wrong = error

    candidates = [widgets.get(wrong.field), moved]
    for widget in candidates:
        if widget in widgets.values() and _move_to_nearest(widget, scenario):
            return f"{widget.description} is now {widget.label}: {wrong}."

    return ""


def _move_to_nearest(widget: Any, scenario: Callable[[], Scenario]) -> bool:
    """Move a control to the nearest place at which there is a scenario; False if there is none."""
    places, before = values_of(widget), widget.value
    now = places.index(before)
    nearest_first = sorted(range(len(places)), key=lambda place: abs(place - now))

    for place in nearest_first[1:]:
        widget.value = places[place]
        with suppress(FieldError):
            scenario()
            return True

    widget.value = before
    return False
