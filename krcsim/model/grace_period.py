# SPDX-License-Identifier: GPL-2.0-only
"""How long a grace period lasts, and whom it serves."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from krcsim.base.errors import KrcsimError, refuse
from krcsim.base.fields import check, choice, flag, number, numbers
from krcsim.base.reading import read_text
from krcsim.model.constants import fqs_jiffies, milliseconds, ticks

# Lengths in ticks, rising, and their cumulative probabilities.
Table = tuple[NDArray[np.float64], NDArray[np.float64]]

# By CPUs and load (busy or not), scans of the force-quiescent-state loop in one grace period: the
# mean, and the size of the negative binomial law of those after the first (inf: Poisson). Fitted by
# `make calibrate` to gp_latency.csv (Linux 6.1, HZ=250, synchronize_rcu() at random times, host
# little loaded); waits back to back on several CPUs do not follow these laws.
CALIBRATED: dict[tuple[int, bool], tuple[float, float]] = {
    (1, False): (1.0, math.inf),
    (1, True): (1.0, math.inf),
    (2, False): (2.7, math.inf),
    (2, True): (2.7, 5.0),
    (4, False): (2.6, math.inf),
    (4, True): (9.9, math.inf),
}


@dataclass(frozen=True, kw_only=True)
class GracePeriod:
    """The law of the lengths of grace periods, and of expedited waits.

    Those of kind "ticks" start on the tick after the request, and callbacks come a tick after the
    end; "fixed" and "empirical" ones start at once, and callbacks come with the end.
    """

    kind: str = choice("ticks", ("ticks", "fixed", "empirical"), "the law of lengths")
    mean_ms: float | None = number(
        None, "ms", 1e-3, 1e5, "the mean length, start to end (ticks: fitted if left out)"
    )
    busy: bool = flag(False, "whether the other work keeps the CPUs busy (ticks)")
    lengths_ms: tuple[float, ...] = ()  # as recorded, each as likely (ticks: in whole ticks)
    reader_ms: float = number(
        0.0,
        "ms",
        0,
        1e4,
        "the length of the sections of one reader of lowest priority on each "
        "CPU, preemptible (ticks); 0: none",
    )
    background_hz: float = number(
        0.0, "GP/s", 0, 1000, "the grace periods that others ask for, a second in which none runs"
    )
    reader_gap_ms: float = number(0.5, "ms", 1e-3, 1e4, "the time between its sections")
    lazy_ms: float = number(
        0.0, "ms", 0, 1e4, "how long a full sheaf may wait before it asks (rcu_nocbs, RCU_LAZY)"
    )
    expedited: bool = flag(False, "whether waits use synchronize_rcu_expedited()")
    # Quartiles 39 and 342 us around 98 us on an arm64 5.10 kernel with work queues.
    expedited_median_ms: float = number(0.1, "ms", 1e-4, 1e4, "the median of an expedited wait")
    expedited_sigma: float = number(1.6, "", 0, 5, "its spread: sigma of the logarithm")

    def __post_init__(self) -> None:
        check(self, "grace_period")

        lengths_ms = numbers(
            "grace_period.lengths_ms",
            1,
            "a list of numbers above 0 and up to 1e6 ms",
            "write for example [12, 8.5]",
            self.lengths_ms,
        )
        object.__setattr__(self, "lengths_ms", lengths_ms)

        self._check_kind()
        self._check_recorded()
        for length in self.lengths_ms:
            refuse(
                not 0 < length <= 1e6,
                "grace_period.lengths_ms",
                length,
                "numbers above 0 and up to 1e6 ms",
                "take the line out of the file",
            )

    def _check_kind(self) -> None:
        """Each kind has what it needs, and nothing that it does not use."""
        refuse(
            self.kind == "fixed" and self.mean_ms is None,
            "grace_period.mean_ms",
            None,
            "a number from 0.001 to 100000 ms",
            'a fixed grace period needs its length: set mean_ms or kind = "ticks"',
        )
        refuse(
            self.kind == "empirical" and not self.lengths_ms,
            "grace_period.lengths_ms",
            self.lengths_ms,
            'given if "empirical"',
            'name a file with one length in ms a line, or set kind = "ticks"',
        )
        refuse(
            self.kind == "fixed" and bool(self.lengths_ms),
            "grace_period.lengths_ms",
            self.lengths_ms,
            'left out if "fixed"',
            'leave it out, or set kind = "ticks" or "empirical"',
        )

    def _check_recorded(self) -> None:
        """Recorded lengths have their mean, and hold what readers add to them."""
        recorded = self.kind == "ticks" and bool(self.lengths_ms)
        refuse(
            recorded and self.mean_ms is not None,
            "grace_period.mean_ms",
            self.mean_ms,
            "left out where lengths_ms is given",
            "recorded lengths have their own mean: leave one of the two out",
        )
        refuse(
            recorded and self.reader_ms > 0,
            "grace_period.reader_ms",
            self.reader_ms,
            "0 where lengths_ms is given",
            "recorded lengths hold the readers already: set it to 0",
        )
        refuse(
            self.reader_ms > 0 and self.kind != "ticks",
            "grace_period.reader_ms",
            self.reader_ms,
            '0 unless kind = "ticks"',
            "recorded or fixed lengths hold the readers already: set it to 0",
        )

    def law(self, hz: int, cpus: int) -> tuple[float, float]:
        """Scans in a grace period of kind "ticks": their mean, and the size of the law.

        The law of the scans after the first is negative binomial, of that size (inf: Poisson).
        Raises FieldError if mean_ms is shorter than one scan.
        """
        measured_cpus = max(measured for measured, _ in CALIBRATED if measured <= cpus)
        scans, size = CALIBRATED[measured_cpus, self.busy]

        if self.mean_ms is not None:
            scan = fqs_jiffies(hz, cpus)
            scans = ticks(self.mean_ms, hz) / scan
            refuse(
                scans < 1 - 1e-9,
                "grace_period.mean_ms",
                self.mean_ms,
                f"at least {1000 * scan / hz:g} ms, one scan at HZ={hz}",
                'raise it, leave it out, or set kind = "fixed"',
            )

        return max(1.0, scans), size

    def is_fitted(self) -> bool:
        """Whether the lengths are those of the kernel, and neither given nor recorded."""
        return self.kind == "ticks" and self.mean_ms is None and not self.lengths_ms

    def table_of_own_cpu(self, hz: int, cpus: int, wake_ms: float) -> Table:
        """The length in ticks where the grace-period kthread reports for its own CPU (v7.2).

        One CPU: two wake-ups of `wake_ms` each, of the kthread and by it. Several: idle ones are
        seen by the first scan, busy ones report with their second tick.
        """
        length = ticks(2.0 * wake_ms, hz)
        if cpus > 1:
            length = 2.0 if self.busy else fqs_jiffies(hz, cpus) + 1.0
        return np.array([length]), np.ones(1)

    def table(self, hz: int, cpus: int) -> Table:
        """The lengths in ticks, rising, and their cumulative probabilities.

        The longest 1e-7 of all grace periods of a fitted law are left out.
        """
        if self.kind != "ticks":
            fixed = self.kind == "fixed" and self.mean_ms is not None
            lengths = (self.mean_ms,) if fixed else self.lengths_ms
            cumulative = np.arange(1, len(lengths) + 1) / len(lengths)
            return np.sort(np.asarray(lengths, dtype=np.float64)) * hz / 1000.0, cumulative

        if self.lengths_ms:
            whole = np.maximum(1.0, np.round(np.asarray(self.lengths_ms) * hz / 1000.0))
            recorded, counts = np.unique(whole, return_counts=True)
            return recorded, np.cumsum(counts) / len(whole)

        return self._fitted_table(hz, cpus)

    def _fitted_table(self, hz: int, cpus: int) -> Table:
        scans, size = self.law(hz, cpus)
        mean_more = scans - 1.0  # scans after the first
        spread = math.sqrt(mean_more * (1.0 + mean_more / size))

        fewest = max(0, int(mean_more - 10 * spread))
        most = int(mean_more + 12 * spread) + 40
        more = np.arange(fewest, most, dtype=float)
        cumulative = np.cumsum(np.exp([_log_mass(count, mean_more, size) for count in more]))

        kept = int(np.searchsorted(cumulative, (1 - 1e-7) * cumulative[-1])) + 1
        lengths = (1.0 + more[:kept]) * fqs_jiffies(hz, cpus)
        return lengths, np.asarray(cumulative[:kept] / cumulative[kept - 1], dtype=np.float64)

    def invoke_ticks(self) -> float:
        """Ticks from the end of a grace period to the callbacks."""
        return 1.0 if self.kind == "ticks" else 0.0

    def origin(self, hz: int, cpus: int) -> str:
        """Where the lengths come from, in words a figure can print."""
        if self.kind == "fixed":
            return f"grace period fixed at {self.mean_ms:g} ms"
        if self.kind == "empirical":
            return f"grace periods drawn from {len(self.lengths_ms)} recorded lengths"

        lengths, cumulative = self.table(hz, cpus)
        mean = milliseconds(float(np.sum(lengths * np.diff(cumulative, prepend=0.0))), hz)
        load = "busy" if self.busy else "idle"

        source = "assumed length"
        if self.lengths_ms:
            source = f"drawn from {len(self.lengths_ms)} recorded lengths"
        elif self.mean_ms is None and hz == 250 and cpus in (1, 2, 4):
            source = f"measured: {cpus} {load} CPU{'s' * (cpus > 1)}, Linux 6.1"
        elif self.mean_ms is None:
            source = f"assumed: scans as measured at HZ=250, up to 4 {load} CPUs"

        return f"grace period {mean:.3g} ms on average, on ticks of HZ={hz} ({source})"


def _log_mass(k: float, mean: float, size: float) -> float:
    """The logarithm of P(k) of a negative binomial law; of a Poisson law if `size` is inf.

    A probability itself would be rounded to 0 from e**-745 on.
    """
    if mean == 0.0:
        return 0.0 if k == 0 else -math.inf

    if math.isinf(size):
        return k * math.log(mean) - mean - math.lgamma(k + 1)

    p_more = mean / (size + mean)
    log_ways = math.lgamma(k + size) - math.lgamma(size) - math.lgamma(k + 1)
    return log_ways + size * math.log1p(-p_more) + k * math.log(p_more)


def read_lengths(path: Path) -> tuple[float, ...]:
    """Grace-period lengths in ms, one number a line, # starts a comment; raises KrcsimError."""
    text = read_text(path, "grace_period.file", "give a text file with one length in ms a line")
    lengths = []

    for line_number, line in enumerate(text.splitlines(), 1):
        word = line.split("#", 1)[0].strip()
        if not word:
            continue

        try:
            lengths.append(float(word))
        except ValueError:
            raise KrcsimError(
                f"grace_period.file {path} line {line_number} is {word[:40]!r}; allowed: one "
                "number above 0 in ms; mend the line"
            ) from None

    if not lengths:
        raise KrcsimError(f"grace_period.file {path} holds no length; give one number in ms a line")
    return tuple(lengths)
