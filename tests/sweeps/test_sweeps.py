# SPDX-License-Identifier: GPL-2.0-only
"""Large sweeps: the table is the same whoever computes it, however often it is killed, and keeps
what was done.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sweeps import BEGIN, END
from krcsim import KrcsimError, ask, changed, load_scenario
from krcsim.cli.arguments import scenario_from
from krcsim.cli.command_line import check_options, parsed
from krcsim.cli.main import main
from krcsim.cli.verbs.compare import over_of
from krcsim.cli.verbs.sweep import Sweep, plan_from
from krcsim.sweeps import cluster, run
from krcsim.sweeps.digest import versions
from krcsim.sweeps.growing import growing
from krcsim.sweeps.head import head, plan_in
from krcsim.sweeps.plan import Plan, Range, plan_of, shuffled, spread
from krcsim.sweeps.run import sweep_into
from krcsim.sweeps.table import read_table, table_result

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
SHORT = changed(load_scenario("thread-as-posted"), warmup_ms=100.0, horizon_ms=400.0)
RATE = "workload.rate_hz"
RATES = spread(100, 3000, 40, "log")
GRID = {"workload.rate_hz": RATES, "remedy": ("A1", "B")}
# The same from a shell, but with so many points that there is time to kill it.
KILLED = {"workload.rate_hz": spread(100, 3000, 300, "log"), "remedy": ("A1", "B")}
SHELL = (
    "sweep thread-as-posted --set warmup_ms=100 --set horizon_ms=4000 --max-runs 8 --method "
    "skipping --over "
    "workload.rate_hz=100:3000:300:log --over remedy=A1,B --into"
).split()


def plan(**how: Any) -> Plan:
    """80 points of a few ms each."""
    return plan_of(
        how.pop("scenario", SHORT),
        how.pop("over", GRID),
        **{"max_runs": 8, "method": "skipping"} | how,
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The table of plan(), made by one thread."""
    path = tmp_path_factory.mktemp("sweep") / "table.csv"
    sweep_into(path, plan(), workers=1)
    return path.read_bytes()


def refusal(what: Any, *args: Any, **how: Any) -> str:
    """The one line with which it is refused."""
    with pytest.raises(KrcsimError) as caught:
        what(*args, **how)
    text = str(caught.value)
    assert "\n" not in text
    return text


# Plans


def test_a_grid_is_the_product_of_its_values() -> None:
    p = plan()
    combos = list(product(*GRID.values()))
    assert p.size == len(combos)
    assert [tuple(p.values(i).values()) for i in range(p.size)] == combos


@given(st.integers(1, 1000), st.integers(0, 5))
def test_shuffling_loses_and_doubles_nothing(n: int, key: int) -> None:
    assert sorted(shuffled(i, n, key) for i in range(n)) == list(range(n))


@pytest.mark.parametrize("how", ["linear", "log"])
def test_each_part_of_a_range_holds_one_draw(how: str) -> None:
    n, lo, hi = 50, 10.0, 1000.0
    p = plan(over={}, sample={"workload.rate_hz": (lo, hi, how)}, points=n)
    drawn = np.array([p.values(i)["workload.rate_hz"] for i in range(n)])
    share = np.log(drawn / lo) / np.log(hi / lo) if how == "log" else (drawn - lo) / (hi - lo)
    assert sorted((share * n).astype(int)) == list(range(n))


def test_whole_numbers_are_drawn_evenly_with_both_ends() -> None:
    p = plan(over={}, sample={"machine.cpus": (1, 4, "whole")}, points=40)
    drawn = [p.values(i)["machine.cpus"] for i in range(40)]
    assert {x: drawn.count(x) for x in drawn} == dict.fromkeys((1, 2, 3, 4), 10)


def test_a_draw_depends_on_the_seed_and_fields_are_drawn_apart() -> None:
    ranges = {"allocator.episode.page": (0.5, 1.0), "allocator.episode.head": (0.3, 0.9)}
    first, again, other = (plan(over={}, sample=ranges, points=20, seed=n) for n in (1, 1, 2))
    assert [first.values(i) for i in range(20)] == [again.values(i) for i in reversed(range(20))][
        ::-1
    ]
    assert [first.values(i) for i in range(20)] != [other.values(i) for i in range(20)]
    page, head_ = np.array([list(first.values(i).values()) for i in range(20)]).T
    assert abs(np.corrcoef(page, head_)[0, 1]) < 0.9


def test_each_draw_meets_the_whole_grid() -> None:
    p = plan(over={"remedy": ["A1", "B"]}, sample={"workload.rate_hz": (10, 1000)}, points=3)
    rates = [p.values(i)["workload.rate_hz"] for i in range(p.size)]
    assert [p.values(i)["remedy"] for i in range(p.size)] == ["A1", "B"] * 3
    assert rates[::2] == rates[1::2]
    assert len(set(rates)) == 3


def test_a_billion_points_need_no_memory() -> None:
    over, sample = {RATE: spread(1, 1000, 1000)}, {"allocator.episode_ms": (1, 1000)}
    p = plan(over=over, sample=sample, points=10**6)
    assert p.size == 10**9
    first, other, last = (p.values(i) for i in (0, 987_654_321, 10**9 - 1))
    assert (first[RATE], other[RATE], last[RATE]) == (1.0, 322.0, 1000.0)
    assert len({x["allocator.episode_ms"] for x in (first, other, last)}) == 3


def test_a_plan_survives_its_own_head() -> None:
    p = plan(sample={"machine.cpus": (1, 4, "whole")}, points=2, quantities=("p_wait", "wait_ms"))
    assert plan_in(head(p)) == p


def test_a_value_that_needs_another_fields_end_is_no_mistake() -> None:
    arrivals = ["poisson", "periodic", "onoff"]
    over = {"workload.loop": ["open", "catchup"], "workload.arrivals": arrivals}
    assert plan(over=over).size == 6
    assert plan(over=over | {"machine.hz": range(100, 1000)}).size == 5400
    over["workload.arrivals"] = arrivals[::2]
    assert "workload.loop is 'catchup'" in refusal(plan, over=over)


TOO_LARGE = dict.fromkeys(
    ("workload.rate_hz", "allocator.episode_ms", "allocator.calm_ms"), range(1, 10_001)
)
BAD: list[tuple[str, dict[str, Any]]] = [
    ("1,000,000,000,000 points", {"over": TOO_LARGE}),
    ("--sample", {"over": {RATE: range(10**12)}}),
    (
        "10,000,000,000 points",
        {
            "over": GRID | {"machine.cpus": range(1, 126)},
            "sample": {"machine.hz": (100, 1000)},
            "points": 10**6,
        },
    ),
    ("empty", {"over": {}}),
    ("no value", {"over": {RATE: []}}),
    ("a list", {"over": {RATE: "100"}}),
    ("a list", {"over": {RATE: (x for x in (1, 2))}}),
    ("did you mean rate_hz", {"over": {"workload.rate": [1]}}),
    ("allowed: a number", {"over": {RATE: [100, -1]}}),
    ("not known", {"over": {"remedy": ["A1", "nope"]}}),
    ("points", {"over": {}, "sample": {RATE: (1, 2)}}),
    ("points", {"points": 5}),
    ("points", {"over": {}, "sample": {RATE: (1, 2)}, "points": 10**12}),
    ("points", {"over": {}, "sample": {RATE: (1, 2)}, "points": -1}),
    ("range of", {"over": {}, "sample": {RATE: (2, 1)}, "points": 5}),
    ("range of", {"over": {}, "sample": {RATE: (0, 1, "log")}, "points": 5}),
    ("range of", {"over": {}, "sample": {RATE: (0.5, 1, "whole")}, "points": 5}),
    ("range of", {"over": {}, "sample": {RATE: 5}, "points": 5}),
    ("way to draw", {"over": {}, "sample": {RATE: (1, 2, "lag")}, "points": 5}),
    (
        "head = 0.0 fits nowhere",
        {"over": {}, "sample": {"allocator.episode.head": (0, 1)}, "points": 5},
    ),
    ("calls/s", {"over": {}, "sample": {RATE: (1, 1e300)}, "points": 5}),
    ("choose one", {"sample": {RATE: (1, 2)}, "points": 5}),
    ("quantity", {"quantities": ["p_weight"]}),
    ("quantities", {"quantities": []}),
    ("method", {"method": "guess"}),
    ("window", {"window": "later"}),
    ("seed", {"seed": -1}),
    ("precision", {"precision": 2}),
    ("max_runs", {"max_runs": 99}),
]


@pytest.mark.parametrize(("word", "how"), BAD, ids=lambda x: str(x)[:60])
def test_a_bad_plan_is_refused_in_a_line(word: str, how: dict[str, Any]) -> None:
    assert word in refusal(plan, **how)


def test_a_range_of_values_has_both_ends_and_even_steps() -> None:
    assert spread(0, 1, 5) == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert spread(1, 100, 3, "log") == (1.0, 10.0, 100.0)
    assert spread(1, 4, 9, "whole") == (1, 2, 3, 4)
    assert Range("x", 1, 3, "whole").at(0.999) == 3
    assert "allowed" in refusal(spread, 1, 2, 10**9)


# Tables


def test_a_row_is_what_ask_says(undisturbed: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(undisturbed)
    there, p = read_table(tmp_path / "t.csv"), plan()
    assert there.plan == p
    assert there.column("point") == tuple(range(p.size))
    for i in (0, 41, p.size - 1):
        found = ask(p.point(i), max_runs=8, method="skipping")
        e = found.estimate
        assert there.rows[i][1:3] == tuple(p.values(i).values())
        told = (e.value, e.lo, e.hi, e.kind, found.method, found.replications)
        assert there.rows[i][3:9] == told


def test_a_table_becomes_a_result(undisturbed: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(undisturbed)
    result = table_result(read_table(tmp_path / "t.csv"))
    p = plan()
    at = ("B", RATES[7])
    scenario = p.point(7 * 2 + 1)
    assert (
        result.get(at, "p_wait", "steady") == ask(scenario, max_runs=8, method="skipping").estimate
    )


def test_points_that_make_no_scenario_are_rows_with_a_reason(tmp_path: Path) -> None:
    over = {"workload.loop": ["open", "catchup"], "workload.arrivals": ["poisson", "periodic"]}
    p = plan(over=over, quantities=("p_wait", "wait_ms"))
    assert sweep_into(tmp_path / "t.csv", p) == 4
    there = read_table(tmp_path / "t.csv")
    kinds = there.column("p_wait.kind")
    assert [kind == "refused" for kind in kinds] == [False, False, True, False]
    assert "workload.loop" in str(there.column("refused")[2])
    assert set(there.column("refused")[:2]) == {None}
    assert len(table_result(there).points()) == 3


class AnyOrder(Executor):
    """Finishes tasks in another order than they came in."""

    def __init__(self) -> None:
        self.threads: list[threading.Timer] = []
        self.chance = random.Random(1)

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.threads.append(
            threading.Timer(
                self.chance.uniform(0, 0.05), lambda: future.set_result(fn(*args, **kwargs))
            )
        )
        self.threads[-1].start()
        return future


def test_who_computes_and_in_which_order_changes_nothing(
    undisturbed: bytes, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(3) as mine:
        for n, how in enumerate(
            [
                {"workers": 2},
                {"executor": mine},
                {"executor": AnyOrder(), "workers": 8},
            ]
        ):
            sweep_into(tmp_path / f"{n}.csv", plan(), **how)
            assert (tmp_path / f"{n}.csv").read_bytes() == undisturbed


@pytest.mark.slow
def test_what_is_torn_off_is_made_again(undisturbed: bytes, tmp_path: Path) -> None:
    path, size = tmp_path / "t.csv", len(undisturbed)
    for cut in (0, 1, 500, len(head(plan())) - 1, len(head(plan())) + 3, size - 200, size - 1):
        path.write_bytes(undisturbed[:cut])
        assert sweep_into(path, plan()) == plan().size
        assert path.read_bytes() == undisturbed


def test_a_complete_table_is_not_touched(undisturbed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(undisturbed)
    before = path.stat().st_mtime_ns
    assert sweep_into(path, plan()) == plan().size
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (undisturbed, before)


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("seed = 20200404, and this sweep has 1", {"seed": 1}),
    ("scenario.horizon_ms = 400.0", {"scenario": changed(SHORT, horizon_ms=500.0)}),
    ("scenario.machine.cpus = 4", {"scenario": changed(SHORT, **{"machine.cpus": 2})}),
    ("over.workload.rate_hz", {"over": GRID | {RATE: RATES[1:]}}),
    ("order of fields", {"over": dict(reversed(GRID.items()))}),
    ("quantities", {"quantities": ["wait_ms"]}),
    ("precision", {"precision": 0.2}),
    ("max_runs", {"max_runs": 16}),
    ("window", {"window": "boot"}),
    ("method", {"method": "auto"}),
]


@pytest.mark.parametrize(("word", "how"), OTHERS, ids=lambda x: str(x)[:60])
def test_a_table_goes_on_only_with_what_it_was_begun_with(
    word: str, how: dict[str, Any], undisturbed: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(undisturbed[:-100])
    assert word in refusal(sweep_into, path, plan(**how))
    assert path.read_bytes() == undisturbed[:-100]


def test_another_version_does_not_go_on(
    undisturbed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_bytes(undisturbed[:-100])
    newer = versions() | {"krcsim": "9.9"}
    monkeypatch.setattr("krcsim.sweeps.head.versions", lambda: newer)
    assert "versions.krcsim" in refusal(sweep_into, tmp_path / "t.csv", plan())


def test_a_worker_with_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = head(plan(seed=77))
    newer = versions() | {"numpy": "9.9"}
    monkeypatch.setattr("krcsim.sweeps.head.versions", lambda: newer)
    assert "other versions" in refusal(run.computed, text, 0, 1)


@pytest.mark.parametrize("found", ["hello\n", "# not = [toml\npoint,\n", "\0" * 100, "point,1\n"])
def test_a_file_of_something_else_is_left_alone(found: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(found)
    assert "not a table" in refusal(sweep_into, path, plan())
    assert "not the table" in refusal(read_table, path)
    assert path.read_text() == found


def test_a_changed_row_is_found(undisturbed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(undisturbed.replace(b"\n17,", b"\n18,"))
    assert "point 17" in refusal(sweep_into, path, plan())
    assert "point 17" in refusal(read_table, path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "not a file" in refusal(sweep_into, "/dev/full", plan())
    assert "cannot be opened" in refusal(sweep_into, tmp_path, plan())
    assert "cannot be opened" in refusal(sweep_into, tmp_path / "no" / "t.csv", plan())
    assert "cannot be read" in refusal(read_table, tmp_path / "none.csv")


def test_two_sweeps_do_not_write_to_one_file(undisturbed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(undisturbed[:-100])
    with growing(path, plan()):
        assert "another sweep" in refusal(sweep_into, path, plan())
        assert len(read_table(path).rows) > 0  # reading is allowed, and does not lift the lock
        assert "another sweep" in refusal(sweep_into, path, plan())
    assert sweep_into(path, plan()) == plan().size
    assert path.read_bytes() == undisturbed


@contextlib.contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file may grow larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("warm_engine")
@pytest.mark.parametrize("room", [-1, 1500])
def test_a_full_disk_keeps_whole_rows_and_goes_on_later(
    room: int, undisturbed: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    with files_up_to(len(head(plan())) + room):
        told = refusal(sweep_into, path, plan())
    assert "free some space" in told
    kept = path.read_bytes()
    assert undisturbed.startswith(kept)
    assert f"its {len(read_table(path).rows) if room > 0 else 0} rows are safe" in told
    assert (len(kept) > len(head(plan()))) == (room > 0)
    sweep_into(path, plan())
    assert path.read_bytes() == undisturbed


def test_a_sweep_that_is_stopped_keeps_what_is_done(undisturbed: bytes, tmp_path: Path) -> None:
    path, stop = tmp_path / "t.csv", np.zeros(1, np.int64)

    def progress(done: int, _: int) -> None:
        stop[0] = done >= 3

    done = sweep_into(path, plan(), progress=progress, stop=stop, workers=1)
    assert 3 <= done < plan().size
    assert len(read_table(path).rows) == done
    assert undisturbed.startswith(path.read_bytes())
    assert sweep_into(path, plan()) == plan().size
    assert path.read_bytes() == undisturbed


# Workers that die


@pytest.mark.slow
def test_a_dead_worker_process_is_replaced(undisturbed: bytes, tmp_path: Path) -> None:
    killed: list[int] = []
    told: list[str] = []

    def progress(done: int, _: int) -> None:
        if done and not killed:
            killed.extend(p.pid for p in multiprocessing.active_children()[:1] if p.pid)
            os.kill(killed[0], signal.SIGKILL)

    sweep_into(
        tmp_path / "t.csv",
        plan(),
        executor="processes",
        workers=2,
        progress=progress,
        say=told.append,
    )
    assert killed
    assert len(told) == 1
    assert (tmp_path / "t.csv").read_bytes() == undisturbed


class Broken(Executor):
    """Its workers die on every task after the first ones."""

    def __init__(self, good: int) -> None:
        self.good = good

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.good -= 1
        if self.good >= 0:
            future.set_result(fn(*args, **kwargs))
        else:
            future.set_exception(BrokenExecutor("it died"))
        return future


@pytest.mark.slow
def test_a_point_that_kills_every_worker_ends_the_sweep(
    undisturbed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools: list[int] = []

    @contextlib.contextmanager
    def processes(count: int) -> Iterator[Executor]:
        pools.append(count)
        yield Broken(2 if len(pools) == 1 else 0)

    monkeypatch.setattr(run, "_processes", processes)
    told = refusal(sweep_into, tmp_path / "t.csv", plan(), executor="processes")
    assert "again and again" in told
    assert len(pools) == 4
    assert undisturbed.startswith((tmp_path / "t.csv").read_bytes())
    assert len(read_table(tmp_path / "t.csv").rows) > 0


def test_a_foreign_executor_that_breaks_ends_in_a_line(tmp_path: Path) -> None:
    assert "worker" in refusal(sweep_into, tmp_path / "t.csv", plan(), executor=Broken(1))


class Cancels(AnyOrder):
    """A cluster that goes away: its tasks are cancelled."""

    def submit(self, *_: Any, **__: Any) -> Future[Any]:  # type: ignore[override]
        future: Future[Any] = Future()
        future.cancel()
        return future


def test_a_cluster_that_goes_away_ends_in_a_line(tmp_path: Path) -> None:
    assert "CancelledError" in refusal(sweep_into, tmp_path / "t.csv", plan(), executor=Cancels())


@pytest.mark.slow
def test_dask_gives_the_same_table_though_a_worker_is_killed(
    undisturbed: bytes, tmp_path: Path
) -> None:
    killed: list[int] = []
    with cluster.dask_executor("", 2) as (executor, workers):
        client: Any = executor._client  # type: ignore[attr-defined]
        pids = list(client.run(os.getpid).values())
        assert len(set(pids) - {os.getpid()}) == 2

        def progress(done: int, _: int) -> None:
            if done and not killed:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)

        sweep_into(
            tmp_path / "t.csv", plan(), executor=executor, workers=workers, progress=progress
        )
    assert killed
    assert (tmp_path / "t.csv").read_bytes() == undisturbed


def test_without_dask_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(KrcsimError, match=r"pip install 'krcsim\[cluster\]'"):
        cluster.dask_executor().__enter__()


# From a shell, killed


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    try:
        return [int(x) for x in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def lives(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def started(path: Path, *options: str) -> subprocess.Popen[str]:
    """A sweep from a shell that has begun to append."""
    before = path.stat().st_size if path.exists() else 0
    process = subprocess.Popen(
        [sys.executable, "-m", "krcsim", *SHELL, str(path), "--workers", "2", *options],
        stderr=subprocess.PIPE,
        text=True,
    )
    begun, least = time.monotonic(), 5000  # more than a head
    while time.monotonic() < begun + 100 and process.poll() is None:
        if path.exists() and path.stat().st_size > max(before, least):
            return process
        time.sleep(0.01)
    process.kill()
    pytest.fail(f"it did not begin: {process.communicate()[1]}")


@pytest.mark.slow
def test_a_sweep_killed_again_and_again_ends_with_the_same_table(tmp_path: Path) -> None:
    longer = changed(SHORT, horizon_ms=4000.0)
    whole, path = tmp_path / "whole.csv", tmp_path / "killed.csv"
    sweep_into(whole, plan(scenario=longer, over=KILLED))
    chance, sizes = random.Random(5), [0]
    for options in ([], ["--on", "processes"]):
        process = started(path, *options)
        time.sleep(chance.uniform(0.0, 0.8))
        workers = children(process.pid)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert process.stderr is not None
        process.stderr.close()
        until = time.monotonic() + 20
        while any(map(lives, workers)) and time.monotonic() < until:
            time.sleep(0.05)
        assert not any(map(lives, workers)), "workers outlive a sweep that was killed"
        sizes.append(path.stat().st_size)
    assert len(set(sizes)) == len(sizes)
    assert sizes[-1] < whole.stat().st_size, "it was complete before it was killed"
    process = started(path)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert f"{len(read_table(path).rows)} of 600 points; the same command goes on" in told
    assert main([*SHELL, str(path), "--quiet"]) == 0
    assert path.read_bytes() == whole.read_bytes()


def test_the_shell_says_what_it_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [
        "sweep",
        "phone",
        "--sample",
        "workload.rate_hz=10:500:log",
        "--points",
        "3",
        "--set",
        "horizon_ms=2100",
        "--max-runs",
        "8",
        "--quantity",
        "wait_ms",
        "--into",
        str(tmp_path / "t.csv"),
    ]
    assert main(argv) == 0
    assert "holds all 3 points" in capsys.readouterr().out
    assert main(argv) == 0
    assert "complete" in capsys.readouterr().out
    assert "wait_ms.kind" in read_table(tmp_path / "t.csv").columns
    assert main([*argv, "--seed", "5"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# What the page says


def test_the_commands_of_the_page_are_plans_that_can_be_made(tmp_path: Path) -> None:
    lines = [x.strip() for x in PAGE.replace("\\\n", " ").splitlines()]
    commands = [x.split() for x in lines if x.startswith("krcsim sweep ") and "..." not in x]
    assert len(commands) == 2
    for words in commands:
        options = parsed([*words[1:-1], str(tmp_path / words[-1])])
        assert isinstance(options, Sweep)
        check_options(options)
        assert plan_from(options, scenario_from(options), over_of(options)).size >= 1000


def test_the_cost_of_1e8_points_follows_from_what_was_measured() -> None:
    made = PAGE.split(BEGIN)[1].split(END)[0]
    rows = [[x.strip() for x in line.split("|")[1:4]] for line in made.splitlines()[2:7]]
    points, used, size = ([float(re.sub("[^0-9.]", "", row[k])) for row in rows] for k in range(3))
    assert points == [1e2, 1e3, 1e4, 1e5, 1e8]
    for cost in (used, size):
        each = (cost[3] - cost[2]) / (points[3] - points[2])
        assert cost[4] == pytest.approx(each * points[4], rel=0.02)
