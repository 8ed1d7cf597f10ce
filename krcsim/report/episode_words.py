# SPDX-License-Identifier: GPL-2.0-only
"""What an episode shows, in words: its finding, whose setting it is, the events that tell the
story, and the answer for a list.
"""

import textwrap
from collections import Counter

from krcsim.report.episode import Episode
from krcsim.report.event_sentences import counted, in_ms, sentence
from krcsim.report.plain_text import WIDTH, wrap
from krcsim.report.setting_words import setting_in_words

MOST_KEY_EVENTS = 4  # that are written out below a picture


def finding(episode: Episode) -> str:
    """What an episode shows, in a sentence without a full stop: who waits, and what came short."""
    several = episode.scenario.machine.cpus > 1
    waits = episode.all_waits
    made = counted(episode.calls, "call")
    if not waits:
        who = f"None of {made} waits in this episode; " + f"on CPU {episode.cpu} " * several
    else:
        who = f"{waits:,} of {made} wait{'s' * (waits == 1)} in this episode"
        here = f"{len(episode.waits):,} of them on CPU {episode.cpu}, where "
        who += f", {here}" if several else "; "
    return who + _what_came_short(episode)


def _what_came_short(episode: Episode) -> str:
    """What the pool of the CPU did, or else how many of its calls found no page."""
    remedy = episode.scenario.remedy
    if remedy.nr_emergency_objs:
        return _pool_words(episode)

    seen = Counter(event.what for event in episode.within())
    if remedy.array_path:
        failed = seen["page failed"]
        if not failed:
            return "no page request fails"
        return f"{counted(failed, 'page request')} fail{'s' * (failed == 1)}"
    had = seen["rcu_head allocated"]
    return f"{counted(had, 'call')} get{'s' * (had == 1)} an rcu_head"


def _pool_words(episode: Episode) -> str:
    """When the pool of the CPU ran out in the episode, or how far it fell."""
    seen = [event for event in episode.events if event.cpu >= 0]
    before = [event for event in seen if event.ms < episode.begin_ms]
    within = [event for event in seen if episode.begin_ms <= event.ms <= episode.end_ms]
    size = episode.scenario.remedy.nr_emergency_objs
    level = before[-1].nr_emergency if before else episode.scenario.remedy.emergency_at_boot

    if not level:
        stays = not any(event.nr_emergency for event in within)
        return "the pool is empty all along" if stays else "the pool was empty when it began"
    for event in within:
        if not event.nr_emergency:
            return f"the pool ran out {in_ms(event.ms - episode.begin_ms)} after it began"
    least = min([level, *(event.nr_emergency for event in within)])
    if least == size:
        return "the pool stays full"
    return f"the pool never falls below {least} of {counted(size, 'object')}"


def situation_of(episode: Episode) -> str:
    """Whose episode it is: the setting, the CPU that is looked at, and the length."""
    cpus = episode.scenario.machine.cpus
    parts = [setting_in_words(episode.scenario)]
    if cpus > 1:
        parts.append(f"seen from CPU {episode.cpu}")
    length = in_ms(episode.end_ms - episode.begin_ms)
    return "; ".join([*parts, f"episode {episode.number}: {length}"])


def key_events(episode: Episode) -> list[int]:
    """The events that tell the story, in their order: the first page that fails, the pool that
    runs out, the first wait, and what is had again after it.
    """
    inside = [
        (number, event)
        for number, event in enumerate(episode.events)
        if episode.begin_ms <= event.ms <= episode.end_ms
    ]
    pool_runs_out = (n for n, e in inside if e.what == "rcu_head from pool" and not e.nr_emergency)
    first = {
        what: next((n for n, e in inside if e.what == what), None)
        for what in ("episode begins", "page failed", "wait begins")
    }
    wait = first["wait begins"]
    had_again = (
        n
        for n, e in inside
        if wait is not None and n > wait and e.what in ("wrapper to pool", "wait ends")
    )
    found = {*first.values(), next(pool_runs_out, None), next(had_again, None)} - {None}
    return sorted(n for n in found if n is not None)[-MOST_KEY_EVENTS:]


def story(episode: Episode) -> str:
    """The episode in a sentence: its length, what failed, who waited."""
    count = Counter(event.what for event in episode.within())
    waits_ms = [event.value for event in episode.events if event.what == "wait ends"]
    mean = f", {sum(waits_ms) / len(waits_ms):.3g} ms on average" if waits_ms else ""
    return (
        f"Episode {episode.number} on CPU {episode.cpu}: "
        f"{episode.end_ms - episode.begin_ms:.4g} ms, "
        f"{count['page from cache']} pages came from the cache, "
        f"{count['rcu_head from pool']} objects from the pool, "
        f"{count['reclaim stall']} callers stalled in reclaim; "
        f"{len(episode.waits)} callers waited{mean}."
    )


def text_of(episode: Episode, command: str, most: int = 40) -> str:
    """The episode as plain text for a list: the finding, the events around its first wait on up to
    `most` lines, the command.
    """
    waits = (n for n, event in enumerate(episode.events) if event.what == "wait begins")
    first_wait = next(waits, len(episode.events) // 2)
    before: list[str] = []
    for number in range(first_wait, -1, -1):
        lines = _event_lines(episode, number)
        if len(before) + len(lines) > most // 2:
            break
        before = lines + before

    after: list[str] = []
    for number in range(first_wait + 1, len(episode.events)):
        lines = _event_lines(episode, number)
        if len(before) + len(after) + len(lines) > most:
            break
        after += lines

    head = [*wrap(f"krcsim: {finding(episode)}."), ""]
    head += wrap(story(episode))
    return "\n".join([*head, "", *before, *after, "", "Made with:", command]) + "\n"


def _event_lines(episode: Episode, number: int) -> list[str]:
    """An event on lines of at most 72 columns, the time before its sentence."""
    if not episode.events:
        return []
    event = episode.events[number]
    return textwrap.wrap(
        sentence(episode, number),
        WIDTH,
        initial_indent=f"{event.ms:10.3f} ms  ",
        subsequent_indent=" " * 15,
    )
