# SPDX-License-Identifier: GPL-2.0-only
"""The model with memory as pages against a kernel whose memory a hog had taken: waits per second,
and their order.

    python -m validation.pressure [--replications N]

The recordings are data/kernel-runs/real.csv (constants were fitted on its pattern `warm`) and
real_more.csv, and data/kernel-6.1/real.csv, which nothing was fitted to.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from krcsim.model.allocator import Allocator
from krcsim.model.constants import CALL_INSTRUCTIONS, GUEST_INSTRUCTION_NS
from krcsim.model.machine import Machine
from krcsim.model.memory import HOGS, Memory
from krcsim.model.remedy import A1
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import data_folder
from krcsim.model.workload import Workload
from krcsim.runs.replications import replicate, warm_up

SETS = ("real", "real_more", "real-6.1")
SEED, REPLICATIONS, FACTOR = 20200404, 24, 2.0
KEPT = (
    "hog",
    "pattern",
    "variant",
    "pool",
    "pool_prefill",
    "cache_max",
    "cache_prefill",
    "refill",
    "period_us",
    "burst",
    "onset_ms",
    "on_ms",
    "off_ms",
    "lead_ms",
    "seed",
)
GUEST_KIB = 223_636  # MemTotal of a guest of 256 MiB
FEW = 2.0  # waits a run: where either side saw fewer on average, a factor means nothing


@dataclass(frozen=True)
class Case:
    """The runs of one remedy in one condition: waits a second under pressure, one number a seed."""

    recording: str
    condition: str
    variant: str
    fitted: bool
    scenario: Scenario
    pressed_ms: float
    waits: tuple[float, ...]
    rates: tuple[float, ...]


@dataclass(frozen=True)
class Answer:
    """A case, the model's mean rate, and both intervals (measured: of the mean; model: of as many
    runs).
    """

    case: Case
    mean: float
    measured: tuple[float, float]
    predicted: tuple[float, float]
    replications: tuple[float, ...]

    @property
    def seen(self) -> float:
        """The measured mean of waits per second."""
        return float(np.mean(self.case.rates))

    @property
    def factor(self) -> float:
        """Model over kernel; infinite if only the model waits."""
        if self.mean == self.seen:
            return 1.0
        return self.mean / self.seen if self.seen else math.inf

    @property
    def met(self) -> bool:
        """Within the factor, or inside the kernel's own interval, or both all but nothing."""
        few = FEW * 1000.0 / self.case.pressed_ms
        inside = self.measured[0] <= self.mean <= self.measured[1]
        return 1 / FACTOR <= self.factor <= FACTOR or inside or max(self.mean, self.seen) <= few


def scenario_of(row: dict[str, str]) -> Scenario:
    """A recorded run as a scenario; with a lead it begins when the calls do."""
    n = {k: float(v) for k, v in row.items() if k not in ("set", "pattern", "variant")}
    start, end = n["onset_ms"], 2500.0 - n["lead_ms"]
    end = max(end, n["run_ms"] - n["lead_ms"]) if n["onset_ms"] == 0 else n["run_ms"]
    episodes = [(start, math.inf)]
    if n["on_ms"]:
        cycle = n["on_ms"] + n["off_ms"]
        episodes = [(start + i * cycle, start + i * cycle + n["on_ms"]) for i in range(20)]
    remedy = replace(
        A1,
        nr_emergency_objs=int(n["pool"]),
        emergency_at_boot=int(n["pool"] * n["pool_prefill"]),
        nr_bkv_objs=int(n["cache_max"]),
        cache_at_boot=int(n["cache_prefill"]),
        refill="any_miss" if n["refill"] else "none",
        expedited_drain=False,
        rearm="left",
    )
    # A producer that is never idle is late at once; the schedule of a closed loop starts anew from
    # there.
    most = 0.99e9 / (CALL_INSTRUCTIONS * GUEST_INSTRUCTION_NS)
    return Scenario(
        warmup_ms=start,
        horizon_ms=end,
        machine=Machine(cpus=1, instruction_ns=GUEST_INSTRUCTION_NS),
        remedy=remedy,
        allocator=Allocator(episodes="schedule", schedules=(tuple(episodes),), stall_sigma=0.05),
        workload=Workload(
            arrivals="bursts",
            burst=int(n["burst"]),
            gap="exponential",
            phase="tick",
            loop="closed",
            rate_hz=min(most, 1e6 * n["burst"] / n["period_us"]),
        ),
        memory=Memory(
            pressure="pages",
            mib=n["memory_kib"] / 1024,
            free_mib=n["free_pages"] / 256,
            hog=HOGS[int(n["hog"])],
            lead_ms=n["lead_ms"],
            deferred_counts=False,
        ),
    )


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def harness_rows() -> list[dict[str, str]]:
    """data/kernel-6.1/real.csv, as the harness in kernel/ wrote it, with the columns of the two
    older recordings.
    """
    folder = data_folder() / "kernel-6.1"
    constants = json.loads((folder / "real.const.json").read_text())
    rows = [constants | row for row in read(folder / "real.csv")]
    return [
        {k: str(row[k]) for k in KEPT}
        | {
            "set": row["rate"],
            "memory_kib": str(GUEST_KIB),
            "free_pages": row["free_pages_before"],
            "run_ms": f"{int(row['run_ns']) / 1e6:.0f}",
            "waits": row["sync"],
        }
        for row in rows
    ]


@cache
def cases(recording: str) -> tuple[Case, ...]:
    """The conditions and remedies of a recording, in the order of its file."""
    rows = (
        harness_rows()
        if recording == "real-6.1"
        else read(data_folder() / "kernel-runs" / f"{recording}.csv")
    )
    groups: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(
            (row["set"], row["pattern"], HOGS[int(row["hog"])], row["variant"]), []
        ).append(row)
    return tuple(_case(recording, key, group) for key, group in groups.items())


def _case(recording: str, key: tuple[str, ...], rows: list[dict[str, str]]) -> Case:
    rate, pattern, hog, variant = key
    middle = sorted(rows, key=lambda row: float(row["run_ms"]))[len(rows) // 2]
    s = scenario_of(middle)
    waits = tuple(float(row["waits"]) for row in rows)
    lengths = [float(r["run_ms"]) - float(r["onset_ms"]) - float(r["lead_ms"]) for r in rows]
    rates = tuple(1000.0 * w / ms for w, ms in zip(waits, lengths, strict=True))
    fitted = recording == "real" and pattern == "warm"
    return Case(
        recording,
        f"{rate}/{pattern}/{hog}",
        variant,
        fitted,
        s,
        float(np.mean(lengths)),
        waits,
        rates,
    )


def t_interval(values: Sequence[float] | NDArray[np.float64], runs: int = 0) -> tuple[float, float]:
    """The 95 % interval of a mean by Student's t; with `runs` of the mean of that many more."""
    v = np.asarray(values)
    se = v.std(ddof=1) * math.sqrt(1 / runs + 1 / len(v) if runs else 1 / len(v))
    half = float(stats.t.ppf(0.975, len(v) - 1) * se)
    return float(v.mean()) - half, float(v.mean()) + half


def answer(case: Case, replications: int = REPLICATIONS) -> Answer:
    """Simulate a case."""
    s = case.scenario
    waits = replicate(s, SEED, 0, replications).of("waits", 1)
    rates = waits / (s.horizon_ms - s.warmup_ms) * 1000.0
    return Answer(
        case,
        float(rates.mean()),
        t_interval(case.rates),
        t_interval(rates, len(case.rates)),
        tuple(rates),
    )


def answers(recording: str, replications: int = REPLICATIONS) -> list[Answer]:
    """All cases of a recording, on two threads."""
    warm_up()
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda case: answer(case, replications), cases(recording)))


def pairs(found: list[Answer]) -> list[tuple[Answer, Answer, bool]]:
    """Pairs of remedies of a condition whose order in the kernel is significant; whether the model
    agrees.

    Significant: Welch's t test on the seeds at 5 %, more than 1 wait a run apart. Seeds are paired
    in the recordings, but a remedy that waits changes the calls that follow.
    """
    out = []
    for a, b in combinations(found, 2):
        if a.case.condition != b.case.condition:
            continue
        gap = abs(np.mean(a.case.waits) - np.mean(b.case.waits))
        equal = np.ptp(a.case.rates) == np.ptp(b.case.rates) == 0
        p = 0.0 if equal else stats.ttest_ind(a.case.rates, b.case.rates, equal_var=False).pvalue
        if gap > 1.0 and p < 0.05:
            out.append((a, b, (a.mean - b.mean) * (a.seen - b.seen) > 0))
    return out


def line(a: Answer) -> str:
    """One row of the table."""
    c = a.case
    factor = f"{a.factor:6.2f}" if max(a.mean, a.seen) > 0 else "     -"
    return (
        f"{c.condition:26}{c.variant:5}{'fit' if c.fitted else '':4}{a.seen:7.1f} "
        f"[{max(0, a.measured[0]):5.1f},"
        f"{a.measured[1]:6.1f}]{a.mean:8.1f} "
        f"[{max(0, a.predicted[0]):5.1f},{a.predicted[1]:6.1f}]{factor}"
        f"  {'' if a.met else 'missed'}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table and what it comes to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    args = parser.parse_args(argv)
    print(
        "condition                 remedy    kernel waits/s     model waits/s          model/kernel"
    )
    for recording in SETS:
        found = answers(recording, args.replications)
        for a in found:
            print(line(a))
        for fitted in (True, False):
            part = [a for a in found if a.case.fitted == fitted]
            busy = [a for a in part if max(a.mean, a.seen) > 0]
            order = pairs(part)
            if part:
                print(
                    f"{recording}, {'fitted' if fitted else 'not fitted'}: "
                    f"{sum(a.met for a in busy)} of {len(busy)} "
                    f"with waits within the bar, {sum(a.met for a in part)} of {len(part)} in all; "
                    f"order right in {sum(ok for *_, ok in order)} of {len(order)} significant "
                    "pairs"
                )
                for x, y, ok in order:
                    if not ok:
                        print(
                            f"  order: {x.case.condition} {x.case.variant} {x.seen:.1f} "
                            f"{y.case.variant} {y.seen:.1f}; model {x.mean:.1f} "
                            f"{y.mean:.1f}"
                        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
