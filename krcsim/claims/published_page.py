# SPDX-License-Identifier: GPL-2.0-only
"""docs/published-figures.md: what was published beside what krcsim predicts, misses included."""

from collections.abc import Iterable, Sequence

from krcsim.claims.answers import Answer
from krcsim.claims.kept import Answers
from krcsim.claims.page import markdown_table, paragraphs, wrapped
from krcsim.claims.published import (
    NEAR,
    Published,
    PublishedFigure,
    how_far,
    is_near,
    predicted,
)
from krcsim.report.kernel_cells import three_digits
from krcsim.results.estimate import Estimate

INTRO = """# Published figures beside predictions

Kernel developers have published numbers about `kfree_rcu()`. Here each stands beside what krcsim
predicts for the same set-up, as far as that is told: {near} of {all} numbers are within a factor of
{factor}, {misses} are not, and {without} of {figures} figures cannot be asked, each with what is
missing. Nothing is fitted to them. What a message leaves open (HZ, the length of grace periods, how
busy CPUs are) is assumed, and said.

`python -m krcsim.claims N6` computes one figure again, `make claims` all of them; the numbers are
kept in `data/published-computed.json`, and `data/published.toml` says what is asked.
"""


def page_of_figures(figures: Sequence[PublishedFigure], answers: Answers) -> str:
    """The page: how many are near, then each figure with its numbers."""
    factors = [
        how_far(value, predicted(value, answers[figure.number]))
        for figure in figures
        if figure.number in answers
        for value in figure.values
    ]
    near = sum(map(is_near, factors))
    intro = INTRO.format(
        near=near,
        all=len(factors),
        factor=NEAR,
        misses=len(factors) - near,
        without=sum(not figure.values for figure in figures),
        figures=len(figures),
    )
    parts = list(paragraphs(intro))
    for figure in figures:
        parts += _section(figure, answers.get(figure.number, ()))
    return "\n".join(parts).rstrip() + "\n"


def _section(figure: PublishedFigure, answers: tuple[Answer, ...]) -> Iterable[str]:
    """A figure: what it is, its numbers beside predictions, what is missing, commands."""
    yield f"## {figure.number}"
    yield ""
    told = [figure.hardware, figure.source]
    yield from wrapped(f"**{figure.title}.** {'. '.join(filter(None, told))}.".strip())
    yield ""
    if figure.values and answers:
        rows = [_row(value, predicted(value, answers)) for value in figure.values]
        head = ["number", "published", "predicted", "krcsim / published"]
        yield from markdown_table(head, rows)
        yield ""
    for text in (figure.remark, figure.missing and f"What is missing: {figure.missing}."):
        if text:
            yield from wrapped(text)
            yield ""
    for answer in answers:
        yield f"    {answer.command}"
        yield ""


def _row(value: Published, estimate: Estimate) -> list[str]:
    """A published number, the prediction, and how far apart they are."""
    least, most = (three_digits(end) for end in value.published)
    published = least if least == most else f"{least} to {most}"
    factor = how_far(value, estimate)
    far = "-" if factor is None else "inside" if factor == 1.0 else f"{factor:.2g}"
    said = far if is_near(factor) else f"**{far}** (a miss)"
    return [value.words, f"{published} {value.unit}".strip(), _number(estimate), said]


def _number(estimate: Estimate) -> str:
    """A prediction with its interval."""
    if estimate.kind == "bound":
        return f"< {three_digits(estimate.hi or 0.0)}"
    if estimate.value is None:
        return "-"
    text = three_digits(estimate.value)
    if estimate.kind != "interval" or estimate.lo is None or estimate.hi is None:
        return text
    ends = three_digits(estimate.lo), three_digits(estimate.hi)
    return text if ends == (text, text) else f"{text} [{ends[0]}, {ends[1]}]"
