# SPDX-License-Identifier: GPL-2.0-only
"""The episodes of a scenario and what fails in them, as the harness can make allocations fail."""

from collections.abc import Sequence
from dataclasses import fields

from krcsim.guest.boot import LONGEST_MS
from krcsim.guest.gaps import Gap, Sets, whole_number
from krcsim.model.allocator import HARDER_AND_EASIER, Allocator, Episodes, Failure
from krcsim.model.remedy import HEAD_REQUESTS, may_sleep_for_head, p_no_head
from krcsim.model.scenario import Scenario

MOST_EPISODE_MS = 2_000_000  # as krcmeter.c takes it


def pressure_of(scenario: Scenario, gaps: list[Gap]) -> dict[str, int]:
    """The parameters that make allocations fail, and when they do."""
    _calm(scenario, gaps)
    levels = _levels(scenario, gaps)
    episodes = episodes_of(scenario, gaps)
    return levels | ({"p_page_ppm": 0, "p_obj_ppm": 0} if episodes is None else episodes)


def episodes_of(scenario: Scenario, gaps: list[Gap]) -> dict[str, int] | None:
    """The parameters that say when there is pressure: always where there are none; None: never."""
    allocator = scenario.allocator
    if allocator.episodes == "none":
        return {}
    if allocator.episodes == "exponential":
        return _exponential(allocator, gaps)

    schedule = allocator.schedules[0]
    _one_episode_only(allocator, schedule, gaps)
    return _scheduled(scenario, schedule[0], gaps) if schedule else None


def _calm(scenario: Scenario, gaps: list[Gap]) -> None:
    """Between episodes nothing fails in the harness."""
    allocator = scenario.allocator
    calm = allocator.calm
    if not any(calm.resolved()) or scenario.memory.pressure == "pages":
        return

    if allocator.episodes == "none":
        return  # calm is one episode to the harness
    first = allocator.schedules[0][:1] if allocator.schedules else ()
    if any(start == 0 and end >= scenario.horizon_ms for start, end in first):
        return  # there is no calm

    given = [
        one.name for one in fields(calm) if one.name in ("page", "head") or getattr(calm, one.name)
    ]
    gaps.append(
        Gap(
            "allocator.calm",
            calm.resolved(),
            "in the harness no request fails between episodes",
            True,
            tuple((f"allocator.calm.{name}", 0) for name in given),
        )
    )


def _levels(scenario: Scenario, gaps: list[Gap]) -> dict[str, int]:
    """What fails under pressure: a page, and an rcu_head by the last request for it."""
    allocator = scenario.allocator
    head_alloc = scenario.remedy.head_alloc

    # Without episodes calm lasts for ever: to the harness that is one episode with the
    # probabilities of calm.
    section = "calm" if allocator.episodes == "none" else "episode"
    failure: Failure = getattr(allocator, section)

    # Where a hog takes the memory nothing is made to fail.
    made = Failure() if scenario.memory.pressure == "pages" else failure
    requests = HEAD_REQUESTS[head_alloc]
    p_no_rcu_head = p_no_head(head_alloc, made) if requests else 0.0

    if may_sleep_for_head(head_alloc) and made.by_field()[requests[0]] and allocator.stall_ms:
        why = "a failure that is made takes no time: no call stalls"
        gaps.append(Gap("allocator.stall_ms", allocator.stall_ms, why))

    return {
        "p_page_ppm": _ppm(failure, section, ("page",), made.page, gaps),
        "p_obj_ppm": _ppm(failure, section, _deciding(requests), p_no_rcu_head, gaps),
    }


def _deciding(requests: Sequence[str]) -> tuple[str, ...]:
    """The field that decides the last request for an rcu_head, and those not below it."""
    if not requests:
        return ("head",)

    last = requests[-1]
    easier = [easier for harder, easier in HARDER_AND_EASIER if harder == last]
    return tuple(dict.fromkeys([last, *reversed(requests), *easier]))


def _ppm(
    failure: Failure, section: str, names: Sequence[str], p_fails: float, gaps: list[Gap]
) -> int:
    """A probability in millionths.

    `names`: the field that decides it, and those that may not be below that one.
    """
    decides, *not_below = names
    kind = decides.split("_")[0]  # page or head

    def sets(ppm: int) -> Sets:
        values = failure.by_field()
        values |= {decides: ppm / 1e6}
        values |= {name: max(values[name], ppm / 1e6) for name in not_below}
        values["page_noretry"] = min(values["page"], values["page_noretry"])
        values["head_reclaim"] = min(values["head_reclaim"], values["head_high"], values["head"])
        return tuple(
            (f"allocator.{section}.{name}", value)
            for name, value in values.items()
            if name.startswith(kind)
        )

    field = f"allocator.{section}.{decides}"
    return whole_number(field, 1e6 * p_fails, "millionths", gaps, sets=sets)


def _exponential(allocator: Allocator, gaps: list[Gap]) -> dict[str, int]:
    if allocator.start != "calm":
        gaps.append(
            Gap(
                "allocator.start",
                allocator.start,
                "the harness starts calm",
                True,
                (("allocator.start", "calm"),),
            )
        )

    why = "the first calm lasts just that long; later ones are exponential"
    gaps.append(Gap("allocator.calm_ms", allocator.calm_ms, why))

    calm_ms, episode_ms = (
        whole_number(
            f"allocator.{name}", getattr(allocator, name), "ms", gaps, least=1, most=MOST_EPISODE_MS
        )
        for name in ("calm_ms", "episode_ms")
    )
    return {"onset_ms": calm_ms, "on_ms": episode_ms, "off_ms": calm_ms, "epi_exp": 1}


def _one_episode_only(allocator: Allocator, schedule: Episodes, gaps: list[Gap]) -> None:
    if len(schedule) == 1 and all(other == schedule for other in allocator.schedules):
        return

    sets: Sets = (("allocator.episodes", "none"),)
    if schedule:
        sets = (("allocator.schedules", [list(schedule[0])]),)
    why = "the harness takes one episode, the same in all runs"
    gaps.append(Gap("allocator.schedules", allocator.schedules, why, True, sets))


def _scheduled(scenario: Scenario, episode: tuple[float, float], gaps: list[Gap]) -> dict[str, int]:
    """One episode at given times."""
    start_ms, end_ms = episode
    horizon_ms = scenario.horizon_ms
    lasts_to_the_end = end_ms >= horizon_ms

    def from_onset(ms: int) -> Sets:
        end = end_ms if lasts_to_the_end else max(ms + 1, round(end_ms))
        return (("allocator.schedules", [[ms, end]]),)

    onset_ms = whole_number(
        "allocator.schedules",
        min(start_ms, horizon_ms),
        "ms",
        gaps,
        most=MOST_EPISODE_MS,
        sets=from_onset,
    )
    if lasts_to_the_end:
        return {"onset_ms": onset_ms, "on_ms": 0, "off_ms": 0, "epi_exp": 0}

    length_ms = whole_number(
        "allocator.schedules",
        end_ms - start_ms,
        "ms",
        gaps,
        least=1,
        sets=lambda ms: (("allocator.schedules", [[onset_ms, onset_ms + ms]]),),
    )
    return {
        "onset_ms": onset_ms,
        "on_ms": length_ms,
        "off_ms": min(LONGEST_MS, max(1, round(horizon_ms))),
        "epi_exp": 0,
    }
