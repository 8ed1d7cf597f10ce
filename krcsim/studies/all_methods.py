# SPDX-License-Identifier: GPL-2.0-only
"""Can an answer be trusted? A finding in words, and all methods beside each other as a reserve
grows.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import check_whole
from krcsim.base.old_names import option_for_runs, takes_rungs
from krcsim.base.tables import html_table, text_table
from krcsim.methods.exact import FORGOTTEN, fits
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import command_near, given
from krcsim.report.chart import Chart, Line
from krcsim.report.plain_text import check_text, fitting_table, wrap
from krcsim.report.reply import made_with
from krcsim.report.sentences import situation
from krcsim.results.estimate import NOTHING, Estimate
from krcsim.results.quantities import QUANTITIES
from krcsim.results.result import BASE, Result, number, provenance, words
from krcsim.runs.ladder import SEED, Stop, check_study
from krcsim.studies.ask import BY_CONSTRUCTION, Finding, ask
from krcsim.studies.size import reserve, with_reserve
from krcsim.studies.unseen import columns_of, how

KINDS = ("exact", "skipping", "rare")  # of methods, in the order of lines
SPOKEN = {
    "exact": "the exact chain",
    "skipping": "skipping simulation",
    "rare": "rare-event estimation",
}
NAMES = {
    "exact": "exact chain",
    "skipping": "plain runs",
    "rare": "forks, splitting",
}  # in pictures and tables
LARGEST = {"pool": 10, "pages": 8}  # sizes that the chain follows in a second or so
SEEN = 1e-13  # sizes whose exact answer is below are left out
Told = Callable[[str], None]


@dataclass(frozen=True)
class Beside:
    """Findings of KINDS for sizes 0, 1, 2, ...; of: pool or pages; None where a method has no
    answer, with `lacking`.

    window: whose calls; max_runs: the replications of all that is simulated; lacking: the first
    reason, by method.
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
        """What a method said of a size."""
        found = self.rows[size][KINDS.index(method)]
        return found.estimate if found else NOTHING

    def held(self, method: str) -> tuple[int, int]:
        """How many intervals of a method hold the exact answer, and of how many."""
        pairs = [
            (self.estimate("exact", n).value, self.estimate(method, n))
            for n in range(len(self.rows))
        ]
        both = [(x, e) for x, e in pairs if x is not None and e.lo is not None and e.hi is not None]
        return sum(
            e.lo <= x <= e.hi for x, e in both if e.lo is not None and e.hi is not None
        ), len(both)

    def __repr__(self) -> str:
        """In a line what it is."""
        return f"<Beside: {self.of} of 0 to {len(self.rows) - 1}; {verdict(self)}>"

    def _repr_html_(self) -> str:
        """How a notebook shows it: the table, and how often the ranges held."""
        table_html = html_table([self.of, *NAMES.values()], rows_of(self))
        return f"{table_html}<p>{html.escape(verdict(self))}</p>"


@takes_rungs
def beside(
    scenario: Scenario | str,
    of: str = "pool",
    *,
    largest: int | None = None,
    window: str | None = None,
    seed: int = SEED,
    max_runs: int = 32,
    stop: Stop | None = None,
    known: dict[Scenario, Finding] | None = None,
    told: Told | None = None,
    command: str = "",
) -> Beside:
    """P(wait) by each method for a pool (or a list of pages) of 0 up to `largest` a CPU; raises
    KrcsimError.

    Ends before the sizes whose exact answer is below 1e-13. `known` keeps exact findings for later
    calls.
    """
    s = given(scenario)
    refuse(
        of not in LARGEST, "of", of, "one of " + ", ".join(LARGEST), "pages costs the chain more"
    )
    check_study(seed, 0.1, max_runs)
    largest = LARGEST[of] if largest is None else largest
    check_whole("sizes", largest, 100, "the exact chain grows quickly")
    known = {} if known is None else known
    rows: list[tuple[Finding | None, ...]] = []
    lacking: dict[str, str] = {}
    for n in range(largest + 1):
        if told:
            told(f"{max_runs} replications: size {n} of {largest}")
        world = with_reserve(s, *((n, 0) if of == "pool" else (0, n)))
        row: list[Finding | None] = []
        for method in KINDS:
            try:
                if method == "exact" and "exact" not in lacking and world not in known:
                    known[world] = ask(world, method="exact", window=window)
                row.append(
                    known.get(world)
                    if method == "exact"
                    else ask(
                        world,
                        method=method,
                        window=window,
                        seed=seed,
                        precision=1e-6,
                        max_runs=max_runs,
                        stop=stop,
                    )
                )
            except KrcsimError as exc:
                if method == "skipping":  # what plain runs cannot answer is no question
                    raise
                lacking.setdefault(method, str(exc))
                row.append(None)
        if row[0] and (row[0].estimate.value or 0.0) < SEEN:
            break
        rows.append(tuple(row))
    if not rows:
        raise KrcsimError(
            "no call ever waits here, whatever the size; let allocator.calm.page and "
            "allocator.calm.head be above 0"
        )
    at = next(f.window for f in rows[0] if f)
    command = command or command_near(
        "ask",
        s,
        f"--sizes {largest} --of {of} {option_for_runs(max_runs)} --seed {seed}"
        + (f" --window {window}" if window else ""),
    )
    return Beside(s, of, at, seed, max_runs, tuple(rows), lacking, command)


def said(f: Finding) -> str:
    """A finding in some sentences: what, how much, how it was found and why so, the work, and what
    to know of it.
    """
    return f"{_said(f)} {f.note}." if f.note else _said(f)


def _said(f: Finding) -> str:
    e, what = f.estimate, f"{QUANTITIES[f.quantity].words}, {f.window} window"
    unit = f" {QUANTITIES[f.quantity].unit}".rstrip()
    runs = f"{f.replications} replications, {number(f.events)} events"
    how = f"found by {SPOKEN.get(f.method, f.method)} ({f.why}): {runs}"
    if f.method == BY_CONSTRUCTION and e.kind == "exact":
        return f"{what}: 0 by construction, whatever the seed: {f.why}. Nothing was simulated."
    if f.method == BY_CONSTRUCTION:
        return f"{what}: {words(e)} by construction: {f.why}. Nothing was simulated."
    if f.method == "exact":
        value = (
            f"0: nothing leads to a wait that is as likely as {number(FORGOTTEN)}"
            if e.value == 0.0
            else words(e)
        )
        return (
            f"{what}: {value}, without chance. Found by the exact chain ({f.why}): "
            f"{f.replications} states, "
            f"{number(f.events)} ticks."
        )
    if e.kind == "exact":
        return f"{what}: {words(e)}{unit}, which no draw changes; {how}."
    if e.kind == "bound":
        return (
            f"{what}: {words(e)} at 95 %, an upper bound: nothing was seen, which is no proof that "
            "it is so rare. "
            f"Asked by {SPOKEN[f.method]} ({f.why}): {runs}."
        )
    if e.kind == "none":
        return (
            f"{what}: no answer, nothing that defines it was seen. Asked by {SPOKEN[f.method]} "
            f"({f.why}): {runs}."
        )
    if e.kind == "rough":
        return (
            f"{what}: {words(e)}{unit}, rough: too few replications tell of it, so read it as a "
            "factor and raise "
            f"max_runs. {how[0].upper()}{how[1:]}."
        )
    return f"{what}: {words(e)}{unit} at 95 %. {how[0].upper()}{how[1:]}."


def verdict(b: Beside) -> str:
    """How often what was simulated held the exact answer, and where it gave only a bound."""
    if b.estimate("exact", 0).value is None:
        why = fits(with_reserve(b.scenario, 0, 0)) or b.lacking.get("exact", "no exact answer")
        return (
            "There is nothing exact to hold the ranges against: the chain does not follow "
            f"this world ({why})"
        )
    parts = []
    for method in KINDS[1:]:
        inside, of = b.held(method)
        bounds = sum(b.estimate(method, n).kind == "bound" for n in range(len(b.rows)))
        parts.append(
            f"{NAMES[method]}: {inside} of {of} ranges hold the exact answer ({bounds} of them "
            "bounds)"
        )
    return "; ".join(parts)


def chart_of_beside(b: Beside) -> Chart:
    """P(wait) over the size: the exact answer as a line, what was simulated as dots."""
    x = tuple(map(float, range(len(b.rows))))
    lines = tuple(
        Line(
            NAMES[m],
            ("",) * len(x),
            x,
            tuple(b.estimate(m, n) for n in range(len(x))),
            "now" if m == "exact" else "dots",
        )
        for m in KINDS
    )
    runs = max((f.replications for row in b.rows for f in row[1:] if f), default=0)
    what = "objects in the pool" if b.of == "pool" else "pages in the list"
    return Chart(
        lines,
        f"{what}, per CPU",
        QUANTITIES["p_wait"].words,
        False,
        f"up to {runs} replications a point, seed {b.seed}; window {b.window}",
    )


def rows_of(b: Beside) -> list[list[str]]:
    """A row a size: what each method says."""
    return [[str(n), *(words(b.estimate(m, n)) for m in KINDS)] for n in range(len(b.rows))]


def shown(b: Beside) -> str:
    """The table for a terminal, and the verdict."""
    return "\n".join([*text_table([b.of, *NAMES.values()], rows_of(b)), "", verdict(b)])


def text_of(b: Beside) -> str:
    """The answer as plain text for a list."""
    rows = [
        [str(n), *(words(b.estimate(m, n)).split(" [")[0] for m in KINDS)]
        for n in range(len(b.rows))
    ]
    lines = [
        *wrap(f"krcsim, {b.window} window: {situation(b.scenario)}"),
        "",
        *wrap(verdict(b) + "."),
        "",
        *fitting_table([b.of, *NAMES.values()], rows),
        "",
        *wrap("P(wait) by size. ~ is read as a factor, < is an upper bound."),
        "",
        *made_with(b.command, b.scenario),
    ]
    return check_text("\n".join(lines) + "\n")


def result_of(b: Beside) -> Result:
    """A Result that saves all findings; the column `asked` tells by which method."""
    rows, runs = [], {}
    for n, row in enumerate(b.rows):
        name = reserve(b.scenario.remedy, *((n, 0) if b.of == "pool" else (0, n)))[0]
        for method, f in zip(KINDS, row, strict=True):
            e = f.estimate if f else NOTHING
            rows.append(
                (
                    name,
                    method,
                    b.window,
                    "p_wait",
                    "",
                    *columns_of(e, f.replications if f else 0, how(f)),
                )
            )
            runs[f"{name} {method}"] = f.runs if f else 0
    return Result(
        ("remedy", "asked", *BASE),
        tuple(rows),
        (),
        provenance(b.command, b.scenario, b.seed, runs=runs, said=verdict(b), lacking=b.lacking),
    )
