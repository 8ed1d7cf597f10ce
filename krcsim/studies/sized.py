# SPDX-License-Identifier: GPL-2.0-only
"""What a search for a size found: the sizes that were tried, and the answer."""

from dataclasses import dataclass

from krcsim.methods.finding import Finding
from krcsim.model.scenario import Scenario
from krcsim.results.quantities import label
from krcsim.results.result import number
from krcsim.studies.limits import value_or_bound


@dataclass(frozen=True)
class Tried:
    """A reserve that was tried: what it adds, what was found, its one-sided limits and whether it
    passes.

    objects and pages per CPU; pages 0: the plain code's own cache, empty at boot, and nothing more.
    bytes_added and bytes_at_full per CPU. verdict: passes, fails or open.
    """

    name: str
    objects: int
    pages: int
    bytes_added: int
    bytes_at_full: int
    finding: Finding
    lower: float
    upper: float
    verdict: str


@dataclass(frozen=True)
class Sized:
    """The answer: `smallest` passes (in a mix: the cheapest), `largest` fails and is smaller,
    `between` is open.

    A size passes if the upper one-sided limit is below the target, and fails if the lower one is
    not. The confidence holds for all looks at a size together.
    """

    of: str
    quantity: str
    window: str
    target: float
    confidence: float
    at_boot: str
    fixed: int
    tried: tuple[Tried, ...]
    smallest: Tried | None
    largest: Tried | None
    between: tuple[Tried, ...]
    events: float
    scenario: Scenario
    seed: int
    max_runs: int
    command: str = ""

    @property
    def met(self) -> bool:
        """Whether a size was found that passes."""
        return self.smallest is not None

    @property
    def sharp(self) -> bool:
        """Whether the next smaller size was shown to fail, or none is smaller."""
        if self.smallest is None or self.of == "mix":
            return False
        below = size_of(self.of, self.largest) if self.largest else -1
        return size_of(self.of, self.smallest) - below == 1

    @property
    def best(self) -> Tried:
        """The lowest that was reached, by the smallest size that did."""
        return min(
            self.tried,
            key=lambda tried: (
                value_or_bound(tried.finding.estimate),
                tried.bytes_added,
                tried.objects,
            ),
        )

    @property
    def disorder(self) -> tuple[Tried, ...]:
        """Larger sizes that fail though a smaller one passes: P(wait) does not fall everywhere."""
        if self.smallest is None or self.of == "mix":
            return ()
        passes = size_of(self.of, self.smallest)
        return tuple(
            tried
            for tried in self.tried
            if tried.verdict == "fails" and size_of(self.of, tried) > passes
        )

    @property
    def goal(self) -> str:
        """What was asked for, in words."""
        return f"{label(self.quantity)} < {number(self.target)} at {100 * self.confidence:g} %"

    def __repr__(self) -> str:
        """The verdict in a line: what was tried is for tables."""
        from krcsim.studies.size_verdict import size_verdict

        return f"<Sized: {size_verdict(self)}>"

    def _repr_html_(self) -> str:
        """How a notebook shows it: the verdict, and what was tried."""
        from krcsim.studies.size_words import size_html

        return size_html(self)


def size_of(of: str, tried: Tried) -> int:
    """The size that is searched over."""
    return tried.pages if of == "pages" else tried.objects
