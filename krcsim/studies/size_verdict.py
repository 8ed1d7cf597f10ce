# SPDX-License-Identifier: GPL-2.0-only
"""The verdict on a search for a size: how much it takes, what that costs, and that fewer do not do.

A size that is open is never said to pass or to fail; where nothing could be shown, that is said.
"""

from krcsim.methods.construction import NAME
from krcsim.results.counts import estimated, share
from krcsim.results.quantities import QUANTITIES
from krcsim.results.result import number, words
from krcsim.results.verdict import finished, first_that_fits
from krcsim.studies.sized import Sized, Tried, size_of


def size_verdict(found: Sized) -> str:
    """One sentence of ASCII, of at most verdict.LONGEST characters.

    4 objects per CPU (160 bytes) keep waits below 1 call in a million: 1 in 3.2 million (2.1 to 4.4
    million); 3 do not.
    """
    passes = found.smallest
    if passes is None:
        return _unmet(found)
    if size_of(found.of, passes) == 0 and found.of != "mix":
        what = "nothing more" if found.fixed else "no reserve"
        return first_that_fits(
            finished([], f"{what} is needed to keep {goal(found)}: {_reached(found, passes, keep)}")
            for keep in (True, False)
        )

    keeps = "keeps" if _is_one(found, passes) else "keep"
    is_full = passes.objects > 0 and "f" in passes.name.split("+")[0]
    cost = f"({passes.bytes_added:,} bytes{', full at boot' * is_full})"
    size = f"{reserve_of(found, passes)} {cost}"
    return first_that_fits(
        finished([], f"{size} {keeps} {goal(found)}: {_reached(found, passes, keep)}{fewer}")
        for keep in (True, False)
        for fewer in dict.fromkeys((_fewer(found), ""))
    )


def goal(found: Sized) -> str:
    """What was asked for: waits below 1 call in a million."""
    asked = QUANTITIES[found.quantity]
    if asked.wording is None:
        return f"{asked.words} below {number(found.target)}"
    return f"{asked.wording.kept} below {share(found.target, asked.wording.noun).words}"


def _reached(found: Sized, tried: Tried, with_interval: bool = True) -> str:
    """What a size was found to have: 1 in 3.2 million (2 to 4.4 million)."""
    estimate = tried.finding.estimate
    if estimate.kind == "none":
        return "nothing is known of it"
    if QUANTITIES[found.quantity].wording is None:
        return words(estimate)
    said = estimated(estimate, "", with_interval=with_interval).words
    if estimate.kind == "bound":
        return f"{said}, {'by construction' if tried.finding.method == NAME else 'none seen'}"
    return said


def reserve_of(found: Sized, tried: Tried) -> str:
    """A size in words: 4 objects per CPU, 1 page per CPU next to 3 objects."""
    objects = f"{tried.objects:,} object{'s' * (tried.objects != 1)}"
    pages = f"{tried.pages:,} page{'s' * (tried.pages != 1)}"
    if found.of == "pool":
        return f"{objects} per CPU{f' next to {pages}' if tried.pages else ''}"
    if found.of == "pages":
        return f"{pages} per CPU{f' next to {objects}' if tried.objects else ''}"
    parts = [part for part, size in ((objects, tried.objects), (pages, tried.pages)) if size]
    return f"{' and '.join(parts) or 'no reserve'} per CPU"


def _is_one(found: Sized, tried: Tried) -> bool:
    return (tried.objects + tried.pages if found.of == "mix" else size_of(found.of, tried)) == 1


def _fewer(found: Sized) -> str:
    """What is known of smaller sizes, and of larger ones that fail."""
    if found.of == "mix":
        return "; the cheapest mix that was found"
    if found.disorder:
        return f"; but {size_of(found.of, found.disorder[0]):,}, though more, do not"

    below = size_of(found.of, found.largest) if found.largest else 0
    does = f"; {below:,} {'does' if below == 1 else 'do'} not"
    if found.sharp and found.largest:
        return does if below else "; without any they are not"
    return f"{does}, and in between it stays open" if below else "; whether fewer do stays open"


def _unmet(found: Sized) -> str:
    """That no size was found, and the best that was reached."""
    best = found.best
    said = _reached(found, best)
    is_known = best.finding.estimate.kind != "none"
    reached = f"with {reserve_of(found, best)} {'it is ' * is_known}{said}"
    text = f"no size could be shown to keep {goal(found)}"
    if all(tried.verdict == "fails" for tried in found.tried):
        kind, noun = {
            "pool": ("pools", "objects"),
            "pages": ("lists", "pages"),
            "mix": ("mixes", "objects"),
        }[found.of]
        largest = max(size_of(found.of, tried) for tried in found.tried)
        many = f"{len(found.tried)} {kind} of up to {largest:,} {noun} per CPU"
        text = f"none of {many} keeps {goal(found)}"
    return first_that_fits([finished([], f"{text}; {reached}"), finished([], text)])
