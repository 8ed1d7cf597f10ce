# SPDX-License-Identifier: GPL-2.0-only
"""Can an answer be trusted? P(wait) by every method, as a reserve grows."""

import html
from collections.abc import Callable
from dataclasses import dataclass

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import check_whole
from krcsim.base.old_names import option_for_runs, takes_old_keywords
from krcsim.base.tables import html_table
from krcsim.methods import exact, plain, rare
from krcsim.methods.finding import Finding
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near, given
from krcsim.results.estimate import NOTHING, Estimate
from krcsim.runs.ladder import SEED, Stop, check_study
from krcsim.studies.ask import ask
from krcsim.studies.reserves import with_reserve

COMPARED = (exact.NAME, plain.NAME, rare.NAME)  # in the order of lines and columns
LARGEST = {"pool": 10, "pages": 8}  # sizes that the chain follows in a second or so
MOST_SIZES = 100
SEEN = 1e-13  # sizes whose exact answer is below are left out
FINEST = 1e-6  # relative half width: all replications are made
Report = Callable[[str], None]


@dataclass(frozen=True)
class AllMethods:
    """What each of COMPARED found for sizes 0, 1, 2, ...; None where a method has no answer.

    of: pool or pages, what grows; window: whose calls; max_runs: the replications of all that is
    simulated; lacking: the first reason why there is no answer, by method.
    """

    scenario: Scenario
    of: str
    window: str
    seed: int
    max_runs: int
    rows: tuple[tuple[Finding | None, ...], ...]
    lacking: dict[str, str]
    command: str = ""

    def estimate(self, method: str, size: int) -> Estimate:
        """What a method found for a size."""
        found = self.rows[size][COMPARED.index(method)]
        return found.estimate if found else NOTHING

    def held(self, method: str) -> tuple[int, int]:
        """How many intervals of a method hold the exact answer, and of how many."""
        inside = 0
        count = 0
        for size in range(len(self.rows)):
            truth = self.estimate(exact.NAME, size).value
            e = self.estimate(method, size)
            if truth is None or e.lo is None or e.hi is None:
                continue
            count += 1
            inside += e.lo <= truth <= e.hi
        return inside, count

    def __repr__(self) -> str:
        """In a line what it is."""
        from krcsim.studies.all_methods_report import verdict

        return f"<AllMethods: {self.of} of 0 to {len(self.rows) - 1}; {verdict(self)}>"

    def _repr_html_(self) -> str:
        """How a notebook shows it: the table, and how often the ranges held."""
        from krcsim.studies.all_methods_report import HEAD, table_rows, verdict

        table = html_table([self.of, *HEAD], table_rows(self))
        return f"{table}<p>{html.escape(verdict(self))}</p>"


@takes_old_keywords(told="report")
def by_all_methods(
    scenario: Scenario | str,
    of: str = "pool",
    *,
    largest: int | None = None,
    window: str | None = None,
    seed: int = SEED,
    max_runs: int = 32,
    stop: Stop | None = None,
    known: dict[Scenario, Finding] | None = None,
    report: Report | None = None,
    command: str = "",
) -> AllMethods:
    """P(wait) by each method for a pool (or a list of pages) of 0 up to `largest` a CPU; raises
    KrcsimError.

    Ends before the sizes whose exact answer is below 1e-13. `known` keeps exact findings for later
    calls.
    """
    scenario = given(scenario)
    refuse(
        of not in LARGEST, "of", of, "one of " + ", ".join(LARGEST), "pages costs the chain more"
    )
    check_study(seed, FINEST, max_runs)
    largest = LARGEST[of] if largest is None else largest
    check_whole("sizes", largest, MOST_SIZES, "the exact chain grows quickly")

    known = {} if known is None else known
    rows: list[tuple[Finding | None, ...]] = []
    lacking: dict[str, str] = {}
    for size in range(largest + 1):
        if report:
            report(f"{max_runs} replications: size {size} of {largest}")
        point = with_reserve(scenario, *((size, 0) if of == "pool" else (0, size)))
        row = (
            _exact(point, window, known, lacking),
            *(
                _simulated(point, method, window, seed, max_runs, stop, lacking)
                for method in COMPARED[1:]
            ),
        )
        if row[0] and (row[0].estimate.value or 0.0) < SEEN:
            break
        rows.append(row)
    if not rows:
        raise KrcsimError(
            "no call ever waits here, whatever the size; let allocator.calm.page and "
            "allocator.calm.head be above 0"
        )

    answered_for = next(found.window for found in rows[0] if found)
    options = f"--sizes {largest} --of {of} {option_for_runs(max_runs)} --seed {seed}"
    if window:
        options += f" --window {window}"
    command = command or command_near("ask", scenario, options)
    return AllMethods(scenario, of, answered_for, seed, max_runs, tuple(rows), lacking, command)


def _exact(
    point: Scenario,
    window: str | None,
    known: dict[Scenario, Finding],
    lacking: dict[str, str],
) -> Finding | None:
    """The exact chain's finding; once it has none, larger sizes are not tried."""
    if exact.NAME not in lacking and point not in known:
        try:
            known[point] = ask(point, method=exact.NAME, window=window)
        except KrcsimError as exc:
            lacking[exact.NAME] = str(exc)
    return known.get(point)


def _simulated(
    point: Scenario,
    method: str,
    window: str | None,
    seed: int,
    max_runs: int,
    stop: Stop | None,
    lacking: dict[str, str],
) -> Finding | None:
    """A method's finding of simulated replications."""
    try:
        return ask(
            point,
            method=method,
            window=window,
            seed=seed,
            precision=FINEST,
            max_runs=max_runs,
            stop=stop,
        )
    except KrcsimError as exc:
        if method == plain.NAME:  # what plain runs cannot answer is no question
            raise
        lacking.setdefault(method, str(exc))
        return None
