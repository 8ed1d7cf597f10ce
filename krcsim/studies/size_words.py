# SPDX-License-Identifier: GPL-2.0-only
"""A search for a size in words: one sentence, a table, plain text for a list, and a Result to
save.
"""

import html

from krcsim.base.tables import html_table, text_table
from krcsim.report.plain_text import WIDTH, check_text, wrap
from krcsim.report.reply import made_with
from krcsim.report.sentences import assumed, situation
from krcsim.results.estimate import exact
from krcsim.results.result import BASE, Result, number, provenance, words
from krcsim.studies.ask import BY_CONSTRUCTION
from krcsim.studies.size import Sized, Tried, size_of
from krcsim.studies.unseen import columns_of, how

NOUNS = {"pool": "objects", "pages": "pages"}


def counted(of: str, t: Tried) -> str:
    """A size with its unit: 12 objects per CPU."""
    objects = f"{t.objects} object{'s' * (t.objects != 1)}"
    if of == "pool":
        return f"{objects} per CPU"
    pages = f"{t.pages} page{'s' * (t.pages != 1)} per CPU"
    if of == "pages":
        return pages
    return (
        f"{objects} and {pages}" if t.pages else f"{objects} per CPU beside the plain code's cache"
    )


def _of(t: Tried) -> str:
    return f"{words(t.finding.estimate)}, {t.bytes_added} bytes added"


def sentence(found: Sized) -> str:
    """The answer in one line, also where it is that no size was found."""
    a, b, of = found.smallest, found.largest, found.of
    if a is None:
        return unmet(found)
    if of == "mix":
        return f"{a.name} ({counted(of, a)}) is the cheapest mix found with {found.goal}: {_of(a)}"
    if size_of(of, a) == 0:
        return f"{found.goal} takes no {NOUNS[of]} at all: {_of(a)}"
    if found.sharp and b:
        text = (
            f"{found.goal} takes {counted(of, a)}: {_of(a)}; with {size_of(of, b)}: "
            f"{words(b.finding.estimate)}"
        )
    else:
        text = (
            f"{found.goal} takes between {size_of(of, b) + 1 if b else 0} and {counted(of, a)}: "
            f"{size_of(of, a)} "
            f"pass{'es' * (size_of(of, a) == 1)} ({_of(a)}), fewer could not be decided with "
            f"{found.events:.2g} events"
        )
    if found.disorder:
        larger = ", ".join(str(size_of(of, t)) for t in found.disorder)
        text += f"; the probability does not fall everywhere: {larger} fail though they are more"
    return text


def unmet(found: Sized) -> str:
    """Why no size was found, the best that was reached, and what to try instead."""
    best, of = found.best, found.of
    top = max(
        found.tried, key=lambda t: (t.pages, t.objects) if of == "pages" else (t.objects, t.pages)
    )
    reached = f"the best is {words(best.finding.estimate)} with {best.name}"
    whole = of != "mix" or (top.objects, top.pages) == tuple(
        max(size_of(k, t) for t in found.tried) for k in NOUNS
    )
    if top.verdict != "fails" or not whole:
        unseen = next(
            (t for t in found.tried if t.finding.estimate.kind in ("bound", "none")), None
        )
        if unseen:
            proven = (
                f" (proven: {words(unseen.finding.estimate)})"
                if unseen.finding.estimate.kind == "bound"
                else ""
            )
            reached = f"no wait was seen with {unseen.name}{proven}, but that is no proof"
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


def rows(found: Sized) -> list[list[str]]:
    """A row for each size tried: name, bytes, estimate, runs, verdict."""
    return [
        [
            t.name,
            f"{t.bytes_added}",
            words(t.finding.estimate).split(" [")[0],
            _interval(t),
            f"{t.finding.replications}",
            t.verdict,
        ]
        for t in found.tried
    ]


HEAD = ["reserve", "bytes", "P(wait)", "95 % interval", "runs", "verdict"]


def _interval(t: Tried) -> str:
    e = t.finding.estimate
    return (
        "none seen"
        if e.kind == "bound"
        else ""
        if e.lo is None or e.hi is None or e.kind == "exact"
        else f"{number(e.lo)} .. {number(e.hi)}"
    )


def note(found: Sized) -> str:
    """What a reader has to know of the window, "" if nothing."""
    return next((t.finding.note for t in found.tried if t.finding.note), "")


def shown(found: Sized) -> str:
    """The table for a terminal, the sentence where the target is met, and what to know of the
    window.
    """
    head = [found.quantity if name == "P(wait)" else name for name in HEAD]
    said = [line for line in (sentence(found) if found.met else "", note(found)) if line]
    return "\n".join([*text_table(head, rows(found)), *([""] if said else []), *said])


def html_of(found: Sized) -> str:
    """The sentence and the table for a notebook."""
    head = [
        found.quantity if name == "P(wait)" and found.quantity != "p_wait" else name
        for name in HEAD
    ]
    return f"<p>{html.escape(sentence(found))}</p>{html_table(head, rows(found))}"


def _narrow(head: list[str], body: list[list[str]]) -> list[str]:
    """The table for a list; where long names make it too wide, without the runs, then without
    intervals too.
    """
    for left_out in ((), HEAD[4:5], HEAD[3:5]):
        columns = [k for k, name in enumerate(HEAD) if name not in left_out]
        lines = text_table([head[k] for k in columns], [[row[k] for k in columns] for row in body])
        if max(map(len, lines)) <= WIDTH:
            break
    return lines


def text_of(found: Sized) -> str:
    """The answer as plain text for a list: situation, sentence, table, what a verdict means,
    command.
    """
    head = [
        found.quantity if name == "P(wait)" and found.quantity != "p_wait" else name
        for name in HEAD
    ]
    lines = [
        *wrap(f"krcsim, {found.window} window: {situation(found.scenario)}"),
        "",
        *wrap(sentence(found) + "."),
        "",
        *_narrow(head, rows(found)),
        "",
        *wrap(
            "bytes: what the reserve adds per CPU once full. f: full at boot. A "
            "size passes (fails) if its one-sided limit is below (not below) "
            f"{number(found.target)}, with "
            f"{100 * found.confidence:g} % for all looks at it together; sizes far from the target "
            "were given few runs."
        ),
        "",
        *([*wrap(note(found) + "."), ""] if note(found) else []),
        *wrap(f"{assumed(found.scenario)}; the size is no better than they are."),
        "",
        *made_with(found.command, found.scenario),
    ]
    return check_text("\n".join(lines) + "\n")


def result_of(found: Sized) -> Result:
    """A Result that saves all that was tried, with what was asked for in its provenance."""
    out = []
    for t in found.tried:
        e, f = t.finding.estimate, t.finding
        out.append(
            (
                t.name,
                found.window,
                found.quantity,
                "",
                *columns_of(e, f.replications, how(f)),
            )
        )
        for name, value in (("bytes_added", t.bytes_added), ("bytes_at_full", t.bytes_at_full)):
            known = columns_of(exact(float(value)), f.replications, BY_CONSTRUCTION)
            out.append((t.name, found.window, name, "bytes", *known))
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
        "said": sentence(found),
        "events": found.events,
        "smallest": found.smallest and found.smallest.name,
        "largest": found.largest and found.largest.name,
        "between": [t.name for t in found.between],
        "verdicts": {t.name: t.verdict for t in found.tried},
        "limits": {
            t.name: [t.lower, t.upper if t.upper < float("inf") else None] for t in found.tried
        },
        "methods": {t.name: t.finding.method for t in found.tried},
    }
    runs = {t.name: t.finding.runs for t in found.tried}
    return Result(
        ("remedy", *BASE),
        tuple(out),
        (),
        provenance(
            found.command, found.scenario, found.seed, asked=asked, answer=answer, runs=runs
        ),
    )
