# SPDX-License-Identifier: GPL-2.0-only
"""A search for a size in words: one sentence, a table, plain text for a list, and a Result to
save.
"""

import html
import math

from krcsim.base.tables import html_table, text_table
from krcsim.methods import construction
from krcsim.report.counts import estimated, share
from krcsim.report.plain_text import WIDTH, check_text, wrap
from krcsim.report.reply import made_with
from krcsim.report.sentences import assumed, situation
from krcsim.report.target_chart import in_bytes
from krcsim.results.counts import ORDER
from krcsim.results.estimate import Estimate, exact
from krcsim.results.quantities import label
from krcsim.results.result import BASE, Result, number, provenance, words
from krcsim.studies.entries import Entry, entry_of
from krcsim.studies.frontier import Point
from krcsim.studies.sized import Sized, Tried, size_of
from krcsim.studies.unseen import UNSEEN

NOUNS = {"pool": "objects", "pages": "pages"}


def size_in_words(of: str, tried: Tried) -> str:
    """A size with its unit: 12 objects per CPU."""
    objects = f"{tried.objects} object{'s' * (tried.objects != 1)}"
    if of == "pool":
        return f"{objects} per CPU"

    pages = f"{tried.pages} page{'s' * (tried.pages != 1)} per CPU"
    if of == "pages":
        return pages
    if not tried.pages:
        return f"{objects} per CPU next to the plain code's cache"
    return f"{objects} and {pages}"


def _reached(tried: Tried) -> str:
    return f"{words(tried.finding.estimate)}, {tried.bytes_added} bytes added"


def size_sentence(found: Sized) -> str:
    """The answer in one line, also where it is that no size was found."""
    passes, fails, of = found.smallest, found.largest, found.of
    if passes is None:
        return _unmet(found)

    size = size_of(of, passes)
    in_words = size_in_words(of, passes)
    if of == "mix":
        return (
            f"{passes.name} ({in_words}) is the cheapest mix found with {found.goal}: "
            f"{_reached(passes)}"
        )
    if size == 0:
        return f"{found.goal} takes no {NOUNS[of]} at all: {_reached(passes)}"
    if found.sharp and fails:
        text = (
            f"{found.goal} takes {in_words}: {_reached(passes)}; with {size_of(of, fails)}: "
            f"{words(fails.finding.estimate)}"
        )
    else:
        least = size_of(of, fails) + 1 if fails else 0
        text = (
            f"{found.goal} takes between {least} and {in_words}: {size} "
            f"pass{'es' * (size == 1)} ({_reached(passes)}), fewer could not be decided with "
            f"{found.events:.2g} events"
        )

    if found.disorder:
        larger = ", ".join(str(size_of(of, tried)) for tried in found.disorder)
        text += f"; the probability does not fall everywhere: {larger} fail though they are more"
    return text


def goal_in_counts(found: Sized) -> str:
    """The target as a count: fewer than 1 call in 33,000 waits."""
    if found.quantity != "p_wait":
        return f"{label(found.quantity)} below {number(found.target)}"
    goal = share(found.target)
    return f"fewer than {goal.words} {'wait' if goal.is_plural else 'waits'}"


def in_counts(quantity: str, estimate: Estimate) -> str:
    """An estimate as a count: 1 call in 690 waits, about 1 in 700 where only the order of magnitude
    is known; other quantities than P(wait) as a number.
    """
    if quantity != "p_wait":
        return f"{label(quantity)} is {words(estimate).split(' [')[0]}"
    said = estimated(estimate, with_interval=False)
    text = said.words.removesuffix(f" ({ORDER})")
    return f"{text} {'wait' if said.is_plural else 'waits'}"


def reserve_in_words(tried: Tried | Point) -> str:
    """A reserve: a pool of 5 objects, 3 pages, both, or none."""
    parts = []
    if tried.objects:
        parts.append(f"a pool of {tried.objects:,} object{'s' * (tried.objects != 1)}")
    if tried.pages:
        parts.append(f"{tried.pages:,} page{'s' * (tried.pages != 1)}")
    return " and ".join(parts) or "no reserve"


def size_title(found: Sized) -> str:
    """The answer as the title of a picture: what is enough for the target, and what it costs."""
    passes, of = found.smallest, found.of
    if passes is None:
        return _unmet_title(found)

    goal = goal_in_counts(found)
    if size_of(of, passes) == 0 and of != "mix":
        return f"No {NOUNS[of]} are needed: {goal}"

    reserve = reserve_in_words(passes)
    is_or_are = "are" if reserve[0].isdigit() and passes.pages > 1 else "is"
    text = f"{reserve[:1].upper()}{reserve[1:]} ({in_bytes(passes.bytes_added)} per CPU) "
    text += f"{is_or_are} enough: {goal}"
    if of == "mix":
        return f"{text}; no cheaper mix was found"
    if found.sharp and found.largest:
        return f"{text}; with {size_of(of, found.largest)} it is more"
    return f"{text}; whether fewer are could not be decided"


def _unmet_title(found: Sized) -> str:
    """That no size was found, and the best that was reached."""
    goal = goal_in_counts(found)
    top, is_whole = _largest(found)
    what = {
        "pool": f"pool of up to {top.objects:,} objects",
        "pages": f"list of up to {top.pages:,} pages",
        "mix": f"mix of up to {top.objects:,} objects and {top.pages:,} pages",
    }[found.of]
    if top.verdict != "fails" or not is_whole:
        return f"It is not decided whether a {what} per CPU is enough: {goal}"

    text = f"No {what} per CPU is enough: {goal}"
    if found.quantity == "p_wait":
        best = estimated(found.best.finding.estimate, with_interval=False)
        text += f"; at best it is {best.words}"
    return text


def _largest(found: Sized) -> tuple[Tried, bool]:
    """The largest size that was tried, and whether it is the largest of both kinds."""
    if found.of == "pages":
        top = max(found.tried, key=lambda tried: (tried.pages, tried.objects))
    else:
        top = max(found.tried, key=lambda tried: (tried.objects, tried.pages))
    largest = tuple(max(size_of(kind, tried) for tried in found.tried) for kind in NOUNS)
    return top, found.of != "mix" or (top.objects, top.pages) == largest


def _unmet(found: Sized) -> str:
    """Why no size was found, the best that was reached, and what to try instead."""
    best, of = found.best, found.of
    top, whole = _largest(found)

    reached = f"the best is {words(best.finding.estimate)} with {best.name}"
    if top.verdict != "fails" or not whole:
        without_a_wait = [tried for tried in found.tried if tried.finding.estimate.kind in UNSEEN]
        if without_a_wait:
            first = without_a_wait[0]
            estimate = first.finding.estimate
            proven = f" (proven: {words(estimate)})" if estimate.kind == "bound" else ""
            reached = f"no wait was seen with {first.name}{proven}, but that is no proof"
        return (
            f"{found.goal} could not be shown for any size: {reached}; raise max_runs, budget "
            "or target"
        )

    what = {
        "pool": f"pool of up to {top.objects} objects per CPU",
        "pages": f"list of up to {top.pages} pages per CPU",
        "mix": f"mix of up to {top.objects} objects and {top.pages} pages per CPU",
    }[of]
    hint = "raise the target, or ask for another reserve"
    if of == "pool" and "f" not in top.name:
        hint = "a pool that boots empty fills only as wrappers return: try at_boot full, or pages"
    return f"no {what} has {found.goal}; {reached}; {hint}"


def table_rows(found: Sized) -> list[list[str]]:
    """A row for each size tried: name, bytes, estimate, interval, runs, verdict."""
    return [
        [
            tried.name,
            f"{tried.bytes_added}",
            words(tried.finding.estimate).split(" [")[0],
            _interval(tried),
            f"{tried.finding.replications}",
            tried.verdict,
        ]
        for tried in found.tried
    ]


HEAD = ["reserve", "bytes", "P(wait)", "95 % interval", "runs", "verdict"]


def _head(found: Sized) -> list[str]:
    """The names of the columns: that of the quantity is the third."""
    quantity = HEAD[2] if found.quantity == "p_wait" else found.quantity
    return [*HEAD[:2], quantity, *HEAD[3:]]


def _interval(tried: Tried) -> str:
    e = tried.finding.estimate
    if e.kind == "bound":
        return "none seen"
    if e.lo is None or e.hi is None or e.kind == "exact":
        return ""
    return f"{number(e.lo)} .. {number(e.hi)}"


def note(found: Sized) -> str:
    """What a reader has to know of the window, "" if nothing."""
    return next((tried.finding.note for tried in found.tried if tried.finding.note), "")


def size_table(found: Sized) -> str:
    """The table for a terminal, the sentence where the target is met, and what to know of the
    window.
    """
    head = [found.quantity if name == "P(wait)" else name for name in HEAD]
    below = [line for line in (size_sentence(found) if found.met else "", note(found)) if line]
    if below:
        below.insert(0, "")
    return "\n".join([*text_table(head, table_rows(found)), *below])


def size_html(found: Sized) -> str:
    """The sentence and the table for a notebook."""
    sentence = html.escape(size_sentence(found))
    return f"<p>{sentence}</p>{html_table(_head(found), table_rows(found))}"


def _narrow(head: list[str], body: list[list[str]]) -> list[str]:
    """The table for a list; where long names make it too wide, without the runs, then without
    intervals too.
    """
    lines: list[str] = []
    for left_out in ((), HEAD[4:5], HEAD[3:5]):
        columns = [place for place, name in enumerate(HEAD) if name not in left_out]
        narrow = [[row[place] for place in columns] for row in body]
        lines = text_table([head[place] for place in columns], narrow)
        if max(map(len, lines)) <= WIDTH:
            break
    return lines


def size_text(found: Sized) -> str:
    """The answer as plain text for a list: situation, sentence, table, what a verdict means,
    command.
    """
    remark = [*wrap(note(found) + "."), ""] if note(found) else []
    lines = [
        *wrap(f"krcsim, {found.window} window: {situation(found.scenario)}"),
        "",
        *wrap(size_sentence(found) + "."),
        "",
        *_narrow(_head(found), table_rows(found)),
        "",
        *wrap(
            "bytes: what the reserve adds per CPU when full. f: full at boot. A size passes "
            "(fails) if its one-sided limit is below (not below) "
            f"{number(found.target)}, with {100 * found.confidence:g} % for all looks at it "
            "together; sizes far from the target were given few runs."
        ),
        "",
        *remark,
        *wrap(f"{assumed(found.scenario)}; the size is no better than they are."),
        "",
        *made_with(found.command, found.scenario),
    ]
    return check_text("\n".join(lines) + "\n")


def size_result(found: Sized) -> Result:
    """A Result that saves all that was tried, with what was asked for in its provenance."""
    rows = []
    for tried in found.tried:
        entry = entry_of(tried.finding)
        rows.append((tried.name, found.window, found.quantity, "", *entry.columns()))
        for name in ("bytes_added", "bytes_at_full"):
            known = Entry(exact(float(getattr(tried, name))), entry.replications, construction.NAME)
            rows.append((tried.name, found.window, name, "bytes", *known.columns()))

    asked = {
        "of": found.of,
        "target": found.target,
        "confidence": found.confidence,
        "quantity": found.quantity,
        "at_boot": found.at_boot,
        "fixed": found.fixed,
    }
    answer = {
        "met": found.met,
        "sharp": found.sharp,
        "said": size_sentence(found),
        "events": found.events,
        "smallest": found.smallest and found.smallest.name,
        "largest": found.largest and found.largest.name,
        "between": [tried.name for tried in found.between],
        "verdicts": {tried.name: tried.verdict for tried in found.tried},
        "limits": {
            tried.name: [tried.lower, tried.upper if tried.upper < math.inf else None]
            for tried in found.tried
        },
        "methods": {tried.name: tried.finding.method for tried in found.tried},
    }
    runs = {tried.name: tried.finding.runs for tried in found.tried}
    return Result(
        ("remedy", *BASE),
        tuple(rows),
        (),
        provenance(
            found.command, found.scenario, found.seed, asked=asked, answer=answer, runs=runs
        ),
    )
