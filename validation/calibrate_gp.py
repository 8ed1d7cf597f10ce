# SPDX-License-Identifier: GPL-2.0-only
"""Fit CALIBRATED of krcsim/model/grace_period.py to measured waits in synchronize_rcu().

    python -m validation.calibrate_gp

A wait that begins at a random phase of the tick lasts, in the model, the rest of its tick, the
scans of its grace period (one tick each at HZ=250) and one tick more until it is woken. Fitted are
the mean number of scans and the size of the negative binomial law of those after the first, to the
mean, the median and the 90th and 99th percentile of 100 waits: the law under which these four are
likeliest, each taken as normal with its mean and spread over groups of 100 waits of the model (and
as independent, which they are not quite). Percentiles are taken as the harness took them: element
n * p / 100 of n sorted waits, so that its 99th of 100 is the longest.
"""

from __future__ import annotations

import csv
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import KrcsimError
from krcsim.model.constants import milliseconds
from krcsim.model.grace_period import CALIBRATED
from krcsim.model.scenario_file import data_folder

HZ = 250
STATISTICS = ("mean", "p50", "p90", "p99")  # in ms; "min" is printed with them, not fitted
SHOWN = ("min", *STATISTICS)
SIZES = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, math.inf)  # inf: Poisson
STEP = 0.1  # of the mean number of scans
GROUPS = 2000
SEED = 20200404

BACK_TO_BACK = """\
With one CPU the law holds in both ways of calling. With more it does not: back to back, the idle
kernel is some 10 % faster than the model, and the busy one is not like it at all. In the kernel
the scans that a grace period needs depend on the phase at which it was asked for and on what the
CPUs run (2 CPUs called at random never needed fewer than two: see min); in the model they are
drawn independently. So trust these laws for callers at random times. And no negative binomial
law is as narrow as the waits on 4 busy CPUs were: see p99.
"""

Statistics = dict[str, float]


@dataclass(frozen=True)
class Case:
    """One measured case: where, what, how many waits, and their statistics in ms."""

    cpus: int
    timing: str
    host_load: str
    case: str
    n: int
    ms: Statistics

    @property
    def trusted(self) -> bool:
        """Whether the host left the guest's CPUs alone."""
        return self.host_load in ("any", "low")


@dataclass(frozen=True)
class Fit:
    """Fitted mean scans and size; measured and model statistics in ms.

    `misfit` sums the squared residuals in units of their spread, `surprise` is -2 log likelihood.
    """

    scans: float
    size: float
    measured: Statistics
    model: Statistics
    misfit: float
    surprise: float


def read_cases(folder: Path | None = None) -> list[Case]:
    """The rows of gp_latency.csv; raises KrcsimError."""
    path = (folder or data_folder() / "kernel-runs") / "gp_latency.csv"
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as exc:
        raise KrcsimError(
            f"recording {path} cannot be read ({exc.strerror}); it comes with krcsim's sources"
        ) from None
    return [
        Case(
            int(row["cpus"]),
            row["timing"],
            row["host_load"],
            row["case"],
            int(row["n"]),
            {name: float(row[f"{name}_us"]) / 1000.0 for name in SHOWN},
        )
        for row in rows
    ]


def lengths(
    scans: float, size: float, shape: tuple[int, int], r: np.random.Generator
) -> NDArray[np.float64]:
    """Drawn lengths of grace periods in ticks: 1 + a negative binomial number."""
    more = scans - 1.0
    means = np.full(shape, more) if math.isinf(size) else r.gamma(size, more / size, shape)
    return np.asarray(1.0 + r.poisson(means), dtype=np.float64)


def statistics(
    scans: float, size: float, n: int, back_to_back: bool = False
) -> tuple[Statistics, Statistics]:
    """Mean over groups of n waits, and spread over the groups, of each statistic of waits in ms.

    A caller that calls right after it was woken is at the start of a tick, not at a random phase.
    """
    r = np.random.default_rng(SEED)
    rest = 1.0 if back_to_back else 1.0 - r.random((GROUPS, n))
    waits = np.sort(milliseconds(1.0, HZ) * (rest + lengths(scans, size, (GROUPS, n), r) + 1.0))
    groups = {"min": waits[:, 0], "mean": waits.mean(1)}
    groups |= {f"p{p}": waits[:, n * p // 100] for p in (50, 90, 99)}
    means = {name: float(values.mean()) for name, values in groups.items()}
    return means, {name: float(values.std()) for name, values in groups.items()}


def fit(measured: Statistics, n: int) -> Fit:
    """The mean scans (in steps of 0.1) and size under which n such waits are likeliest."""
    guess = measured["mean"] * HZ / 1000.0 - 1.5  # half a tick before the scans, one after
    near = round(guess / STEP)
    best: Fit | None = None
    for steps in range(max(round(1 / STEP), near - 10), max(round(1 / STEP), near + 10) + 1):
        scans = round(steps * STEP, 6)
        for size in (math.inf,) if scans == 1.0 else SIZES:
            model, spread = statistics(scans, size, n)
            misfit = sum(((measured[k] - model[k]) / spread[k]) ** 2 for k in STATISTICS)
            # The spread counts too, else a law so wide that everything is near would win.
            surprise = misfit + sum(2.0 * math.log(spread[k]) for k in STATISTICS)
            if best is None or surprise < best.surprise:
                best = Fit(scans, size, measured, model, misfit, surprise)
    assert best is not None
    return best


def fit_all(cases: list[Case] | None = None) -> dict[tuple[int, bool], Fit]:
    """A fit for 1, 2 and 4 CPUs, idle (False) and busy (True)."""
    fits = {}
    for case in read_cases() if cases is None else cases:
        if case.trusted and case.case in ("idle_normal", "busy_normal"):
            fits[case.cpus, case.case == "busy_normal"] = fit(case.ms, case.n)
    return fits


def lines(fits: dict[tuple[int, bool], Fit]) -> str:
    """The table of krcsim/model/grace_period.py to paste."""
    rows = [
        f"    {key}: ({f.scans:g}{'.0' if f.scans == int(f.scans) else ''}, "
        + ("math.inf" if math.isinf(f.size) else f"{f.size!r}")
        + "),"
        for key, f in sorted(fits.items())
    ]
    return "\n".join(["CALIBRATED: dict[tuple[int, bool], tuple[float, float]] = {", *rows, "}"])


def _row(name: str, ms: Statistics) -> str:
    return f"{name:28s}" + "".join(f"{ms[k]:8.2f}" for k in SHOWN)


def _place(cpus: int, case: str) -> str:
    return f"{cpus} CPU{'s' * (cpus > 1)}, {case.split('_')[0]}"


def _law(f: Fit) -> str:
    if f.scans == 1:
        return "1 scan"
    return f"{f.scans:g} scans, " + ("Poisson" if math.isinf(f.size) else f"size {f.size:g}")


def report(cases: list[Case]) -> str:
    """Measured against model, residuals, the check back to back, expedited medians, the lines."""
    fits = fit_all(cases)
    out = [
        "Waits in synchronize_rcu() in ms, HZ=250, Linux 6.1; `min` is not fitted.",
        " " * 28 + "".join(f"{k:>8s}" for k in SHOWN),
    ]
    for (cpus, busy), f in sorted(fits.items()):
        out += [
            f"{_place(cpus, 'busy' if busy else 'idle')}: {_law(f)}; "
            f"misfit {f.misfit:.1f} (chance: 2 to 4)",
            _row("  measured", f.measured),
            _row("  model", f.model),
            _row("  residual", {k: f.measured[k] - f.model[k] for k in SHOWN}),
        ]
    out += [
        "",
        "Not fitted, a check: the same laws for a caller that calls as soon as it is woken.",
    ]
    for case in cases:
        if case.trusted and case.case.endswith("backtoback"):
            f = fits[case.cpus, case.case.startswith("busy")]
            model, _ = statistics(f.scans, f.size, case.n, back_to_back=True)
            off = model["mean"] / case.ms["mean"] - 1.0
            out += [
                f"{_place(case.cpus, case.case)}: the model's mean is off by {100 * off:+.0f} %",
                _row("  measured", case.ms),
                _row("  model", model),
            ]
    out += [
        "",
        BACK_TO_BACK,
        "Medians of synchronize_rcu_expedited() in ms (information; the model has its own law):",
    ]
    out += [
        f"  {_place(c.cpus, c.case)}, host load {c.host_load}: {c.ms['p50']:.3f}"
        for c in cases
        if c.case.endswith("expedited")
    ]
    same = all(CALIBRATED[key] == (f.scans, f.size) for key, f in fits.items())
    out += [
        "",
        f"krcsim/model/grace_period.py {'has these' if same else 'has other values; paste'}:",
        lines(fits),
    ]
    return "\n".join(out)


def main() -> int:
    """Print the report; 0 unless the recording cannot be read."""
    try:
        print(report(read_cases()))
    except KrcsimError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
