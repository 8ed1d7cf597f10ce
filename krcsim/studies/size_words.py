# SPDX-License-Identifier: GPL-2.0-only
"""A search for a size in words: one sentence, a table, plain text for a list, and a Result to
save.
"""

import html
import math

from krcsim.base.tables import html_list, html_table, paragraph, text_table
from krcsim.methods import construction
from krcsim.model.remedy_words import words_of
from krcsim.report.plain_text import WIDTH, check_text, wrap
from krcsim.report.reply import made_with
from krcsim.report.sentences import assumed, situation
from krcsim.results.estimate import exact
from krcsim.results.legend import grouped
from krcsim.results.result import BASE, Result, number, provenance, words
from krcsim.studies.entries import Entry, entry_of
from krcsim.studies.size_verdict import size_verdict
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


def _unmet(found: Sized) -> str:
    """Why no size was found, the best that was reached, and what to try instead."""
    best, of = found.best, found.of
    if of == "pages":
        top = max(found.tried, key=lambda tried: (tried.pages, tried.objects))
    else:
        top = max(found.tried, key=lambda tried: (tried.objects, tried.pages))
    largest = tuple(max(size_of(kind, tried) for tried in found.tried) for kind in NOUNS)
    whole = of != "mix" or (top.objects, top.pages) == largest

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
    """For a terminal: the verdict, what the rows are, the table, the sentence where the target is
    met, and what to know of the window.
    """
    head = [found.quantity if name == "P(wait)" else name for name in HEAD]
    below = [line for line in (size_sentence(found) if found.met else "", note(found)) if line]
    if below:
        below.insert(0, "")
    above = [size_verdict(found), "", *(f"{name}: {what}" for name, what in size_legend(found)), ""]
    return "\n".join([*above, *text_table(head, table_rows(found)), *below])


def size_legend(found: Sized) -> list[tuple[str, str]]:
    """What the rows are: sizes of one reserve share a line."""
    return grouped([(tried.name, words_of(tried.name)) for tried in found.tried])


def size_html(found: Sized) -> str:
    """The verdict, what the rows are, the table and the sentence for a notebook."""
    sentence = html.escape(size_sentence(found))
    table = html_table(_head(found), table_rows(found))
    return (
        f"{paragraph(size_verdict(found))}{html_list(size_legend(found))}{table}<p>{sentence}</p>"
    )


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
