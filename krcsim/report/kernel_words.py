# SPDX-License-Identifier: GPL-2.0-only
"""Kernels in sentences: the verdict, which idea of 2020 mainline took, and what each step bought.

All of it is made from the numbers of a result and from the switches of the rows.
"""

import math
from collections.abc import Iterable, Sequence

from krcsim.model.remedy import A0, NamedRemedy
from krcsim.report.kernel_cells import COLUMN_OF, cell_of
from krcsim.report.kernel_steps import Step, kernels_of, steps, window_of
from krcsim.results.counts import estimated, percent, times
from krcsim.results.estimate import Estimate
from krcsim.results.held_against import apart_from
from krcsim.results.result import Result
from krcsim.results.verdict import FEW_TIMES, first_that_fits

FEW_STEPS = (3, 2, 1, 0)  # of a verdict, as many as have room
NO_STEP = "moves nothing here"


def version(kernel: NamedRemedy) -> str:
    """A kernel by its version: v6.1."""
    return f"v{kernel.kernel}"


def kernels_verdict(result: Result) -> str:
    """From the first kernel to the last: how often calls wait, and which changes moved that most,
    in a sentence of at most 200 characters.
    """
    kernels = kernels_of(result)
    first, last = (_waits(result, kernel) for kernel in (kernels[0], kernels[-1]))
    names = f"From {version(kernels[0])} to {version(kernels[-1])}"
    if "none" in (first.kind, last.kind):
        return f"{names}, nothing is known about waits: no call was made that could have met one."

    moved = sorted(
        (step for step in steps(result) if step.quantity == "p_wait"),
        key=lambda step: -step.factor,
    )
    apart = apart_from(last, first)
    if apart is None or not (apart.is_less or apart.is_more):
        said = f"{names}, no difference in waits is proven: {_count(first)}, then {_count(last)}"
        before_steps = "; on the way "
    else:
        verb = "fall" if apart.is_less else "rise"
        said = f"{names}, waits {verb} from {_count(first)} to {_count(last)}"
        before_steps = ": "
    texts = []
    for few in FEW_STEPS:
        shown = sorted(moved[:few], key=lambda step: kernels.index(step.kernel))
        parts = ", ".join(f"{version(step.kernel)} {by_how_much(step)}" for step in shown)
        texts.append(f"{said}{before_steps * bool(parts)}{parts}.")
    return first_that_fits(texts)


def _waits(result: Result, kernel: NamedRemedy) -> Estimate:
    return result.get(kernel.name, "p_wait", window_of(result))


def _count(estimate: Estimate) -> str:
    """1 call in 1,930, without its interval."""
    if estimate.value == 0.0:
        return "none"
    return estimated(estimate, with_interval=False).words.removesuffix(" (order of magnitude)")


def by_how_much(step: Step) -> str:
    """A step in a few words: 12 times fewer, 30 % more, at least 3 times as many, none any more."""
    column = COLUMN_OF[step.quantity]
    if math.isinf(step.factor):
        return "for the first time" if step.is_more else "none any more"
    if step.factor < FEW_TIMES:
        part = step.factor - 1.0 if step.is_more else 1.0 - 1.0 / step.factor
        how = f"{percent(part)} {column.up if step.is_more else column.down}"
    else:
        how = f"{times(step.factor)} times {column.times_up if step.is_more else column.down}"
    return how if step.is_exact else f"at least {how}"


# ---- which idea mainline took


def idea_taken(kernels: Sequence[NamedRemedy]) -> str:
    """Which of the two ideas of April 2020 the kernels have: a pool of objects, or cached pages."""
    with_pool = [kernel for kernel in kernels if kernel.remedy.nr_emergency_objs]
    with_pages = [kernel for kernel in kernels if _caches_pages(kernel)]
    if with_pool and with_pages:
        both = f"the pool in {_span(with_pool)}, cached pages in {_span(with_pages)}"
        return f"Of the two ideas of April 2020 mainline has had both: {both}."
    if not (with_pool or with_pages):
        return "None of these kernels has a pool of objects, and none keeps more pages than A0."

    taken, left = ("cached pages", "a pool of objects")
    has = with_pages
    if with_pool:
        taken, left, has = left, taken, with_pool
    text = f"Of the two ideas of April 2020 mainline took {taken}; {left} is in none of these."
    return f"{text} {_how_many(has)}" if has is with_pages else text


def _caches_pages(kernel: NamedRemedy) -> bool:
    remedy = kernel.remedy
    return remedy.array_path and (remedy.cache_shared or remedy.nr_bkv_objs > A0.nr_bkv_objs)


def _span(kernels: Sequence[NamedRemedy]) -> str:
    first, last = version(kernels[0]), version(kernels[-1])
    return first if first == last else f"{first} to {last}"


def _how_many(kernels: Sequence[NamedRemedy]) -> str:
    """How many pages a CPU keeps, and from where, kernels with equal numbers together."""
    groups: list[list[NamedRemedy]] = []
    for kernel in kernels:
        if groups and _kept(groups[-1][0]) == _kept(kernel):
            groups[-1].append(kernel)
        else:
            groups.append([kernel])
    parts = []
    for group in groups:
        pages, at_boot = _kept(group[0])
        there = "all there at boot" if at_boot == pages else "none of them at boot"
        if 0 < at_boot < pages:
            there = f"{at_boot} of them at boot"
        parts.append(f"{_span(group)}: {pages} a CPU, {there}")
    return f"{'; '.join(parts)}."


def _kept(kernel: NamedRemedy) -> tuple[int, int]:
    return kernel.remedy.nr_bkv_objs, kernel.remedy.cache_at_boot


def what_each_step_bought(result: Result) -> list[tuple[NamedRemedy, str]]:
    """Each kernel but the first with what it moved, in words; NO_STEP where nothing is proven."""
    by_kernel: dict[str, list[Step]] = {kernel.name: [] for kernel in kernels_of(result)[1:]}
    for step in steps(result):
        by_kernel[step.kernel.name].append(step)
    return [(kernel, _sentence_of(by_kernel[kernel.name])) for kernel in kernels_of(result)[1:]]


def _sentence_of(moved: Iterable[Step]) -> str:
    parts = [
        f"{COLUMN_OF[step.quantity].noun} {by_how_much(step)} "
        f"({cell_of(step.quantity, step.before)} to {cell_of(step.quantity, step.after)})"
        for step in moved
    ]
    return "; ".join(parts) or NO_STEP
