# SPDX-License-Identifier: GPL-2.0-only
"""The kernel harness without a kernel: job lines, what they cannot say, and guests that go
wrong.
"""

import json
import os
import platform
import re
import shlex
import stat
import threading
import time
from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.cli.arguments import pair, scenario_from
from krcsim.cli.command_line import parsed
from krcsim.cli.kernel_answer import measured_words
from krcsim.cli.main import main
from krcsim.cli.verbs import kernel
from krcsim.guest import boot, build, job, matrix, rows
from krcsim.model.scenario import changed
from krcsim.model.scenario_file import load_scenario, presets, value_from
from validation.scenarios import random_scenario

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "krcsim/guest/module/krcmeter.c").read_text()
PARAMETERS = {*re.findall(r"^\tP\((\w+),", SOURCE, re.M), "label", "variant"}
BASE = changed(
    load_scenario("thread-as-posted"),
    **{
        "machine.cpus": 1,
        "machine.instruction_ns": 8,
        "allocator.calm.page": 0,
        "allocator.calm.head": 0,
        "allocator.calm.page_noretry": None,
        "warmup_ms": 0,
    },
)
ROW = {
    "mode": 0,
    "label": "own/r/none/1/1",
    "calls": 10,
    "calls_on": 10,
    "sync": 2,
    "sync_on": 2,
    "sync_ns": 20_000_000,
    "dur_ms": 100,
    "threads": 1,
    "p_page_ppm": 1_000_000,
    "p_obj_ppm": 500_000,
    "k_calls_first": [1],
    "gp_len_us": [1, 2],
}


def words(scenario: object) -> dict[str, str]:
    return dict(word.split("=", 1) for word in job.job_of(scenario).line(7).split())  # type: ignore[arg-type]


def gaps(**sets: object) -> dict[str, bool]:
    return {gap.field: gap.stops for gap in job.job_of(changed(BASE, **sets)).gaps}


# ---- job lines


def test_a_job_line_holds_only_parameters_of_the_module() -> None:
    assert set(words(BASE)) <= PARAMETERS


@pytest.mark.parametrize("name", matrix.SETS)
def test_a_set_holds_only_parameters_of_the_module_and_no_line_twice(name: str) -> None:
    tasks = matrix.tasks_of(name, [1, 2])
    assert {word.split("=")[0] for task in tasks for word in task.line.split()} <= PARAMETERS
    assert len({(task.line, task.boot) for task in tasks}) == len(tasks)
    boot.experiments([task.line for task in tasks])


@pytest.mark.parametrize(
    ("sets", "wanted"),
    [
        ({"workload.loop": "open"}, {"waiters": "512", "catchup": "1"}),
        ({"workload.loop": "closed"}, {"waiters": "0", "catchup": "0"}),
        (
            {"workload.arrivals": "poisson", "workload.rate_hz": 500},
            {"arrival": "1", "burst": "1", "period_us": "2000"},
        ),
        (
            {"workload.arrivals": "bursts", "workload.burst": 20, "workload.rate_hz": 500},
            {"arrival": "0", "burst": "20", "period_us": "40000"},
        ),
        (
            {"workload.loop": "closed", "workload.producers": 4, "workload.rate_hz": 500},
            {"threads": "4", "period_us": "8000"},
        ),
        ({"remedy": "B12f"}, {"pool": "12", "pool_prefill": "1", "head_alloc": "0"}),
        ({"remedy": "D5-A1"}, {"cache_max": "5", "cache_prefill": "5", "cache_shared": "1"}),
        ({"remedy": "A0"}, {"head_alloc": "1"}),
        (
            {"remedy": "E1"},
            {
                "head_alloc": "2",
                "page_return_worker": "1",
                "rearm_unqueued": "0",
                "expedited_drain": "0",
            },
        ),
        ({"remedy.attach_to_pending": False}, {"attach": "0"}),
        ({"remedy.drain_jiffies": 50}, {"drain_jiffies": "50"}),
        ({"workload.single_share": 0.75}, {"double_pct": "25"}),
        ({"workload.vmalloc_share": 0.1}, {"vmalloc_pct": "10"}),
        ({"allocator.episodes": "none"}, {"p_page_ppm": "0", "p_obj_ppm": "0"}),
        (
            {"allocator.episodes": "schedule", "allocator.schedules": [[250, float("inf")]]},
            {"onset_ms": "250", "on_ms": "0"},
        ),
        (
            {"allocator.episodes": "schedule", "allocator.schedules": [[250, 300]]},
            {"onset_ms": "250", "on_ms": "50"},
        ),
        ({"grace_period.expedited": True}, {"sync_exp": "1"}),
        (
            {"machine.cpus": 2, "machine.nocb_share": 0.5},
            {"foreign_pct": "50", "threads": "2", "gp_trace": "1"},
        ),
    ],
)
def test_a_field_becomes_a_parameter(sets: dict[str, object], wanted: dict[str, str]) -> None:
    found = words(changed(BASE, **sets))
    assert {name: found[name] for name in wanted} == wanted


def test_the_failure_of_an_object_is_the_last_one_of_its_path() -> None:
    level = {
        "allocator.episode.head": 0.5,
        "allocator.episode.head_atomic": 0.4,
        "allocator.episode.head_high": 0.3,
        "allocator.episode.head_reclaim": 0.2,
    }
    ppm = {
        how: words(changed(BASE, **level, **{"remedy.head_alloc": how}))["p_obj_ppm"]
        for how in ("none", "atomic", "tryhard", "three_step")
    }
    assert ppm == {"none": "0", "atomic": "400000", "tryhard": "200000", "three_step": "200000"}


@pytest.mark.parametrize(
    ("sets", "field"),
    [
        ({"workload.arrivals": "onoff"}, "workload.arrivals"),
        ({"remedy.page_class": "noretry"}, "remedy.page_class"),
        ({"remedy.block_entries": 100}, "remedy.block_entries"),
        ({"allocator.calm.page": 0.1}, "allocator.calm"),
        ({"allocator.start": "stationary"}, "allocator.start"),
        ({"machine.hz": 1000}, "machine.hz"),
        ({"machine.cpus": 64}, "machine.cpus"),
        ({"workload.single_share": 0.5, "workload.object_bytes": 16}, "workload.object_bytes"),
    ],
)
def test_what_would_measure_something_else_stops_a_run(sets: dict[str, object], field: str) -> None:
    assert gaps(**sets)[field]


def runs_with(argv: list[str], words: str) -> None:
    """The command with these words added is parsed, and nothing in it stops a measurement."""
    options = parsed([*argv, *shlex.split(words)])
    assert isinstance(options, kernel.Kernel)
    jobs = kernel.jobs_of(scenario_from(options), options.remedies)
    assert not any(made.stops for made in jobs.values())
    for made in jobs.values():
        boot.experiments([made.line()])


@pytest.mark.parametrize("name", presets())
def test_a_preset_runs_or_the_message_says_with_which_settings(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ran(Exception):
        pass

    def run(*_: object) -> None:
        raise Ran

    monkeypatch.setattr(kernel, "ready", run)
    argv = ["kernel", name, "--run"]
    try:
        assert main(argv) == 2
    except Ran:
        return  # as it is
    told = capsys.readouterr().err
    runs_with(argv, told.split("; add ")[1].split("; without --run")[0])
    assert len(told) < 400


@pytest.mark.parametrize("number", range(80))
def test_the_settings_that_are_named_make_any_scenario_one_that_runs(number: int) -> None:
    scenario = random_scenario(number)
    sets = job.sets_for(scenario)
    options = parsed(["kernel", "phone", *shlex.split(job.set_words(sets))])
    given = {field: value_from(value) for field, value in map(pair, options.set)}
    assert not job.job_of(changed(scenario, **given)).stops


@pytest.mark.parametrize(
    "sets",
    [
        {"horizon_ms": 700_000, "warmup_ms": 650_000},
        {"horizon_ms": 0.3, "warmup_ms": 0.3},
        {"machine.hz": 1000, "grace_period.mean_ms": 3.0},
        {"workload.rate_hz": 290_000},
        {"workload.rate_hz": 0.001},
        {"workload.loop": "closed", "workload.producers": 4096, "machine.cpus": 8},
        {"machine.cpus": 512},
        {"workload.single_share": 0.0004, "workload.object_bytes": 8},
        {"workload.object_bytes": 1 << 30},
        {"workload.vmalloc_share": 0.001},
        {"machine.cpus": 2, "machine.nocb_share": 0.004},
        {"allocator.episode.page": 3.4e-6},
        {"allocator.episode.head_reclaim": 1.4e-6, "remedy": "A1-3step"},
        *(
            {
                f"allocator.episode.{name}": 7e-7
                for name in ("head", "head_atomic", "head_high", "head_reclaim")
            }
            | {"remedy": row}
            for row in ("A0", "A1", "A1-3step", "E1")
        ),
        {
            "allocator.episode.head_atomic": 2.4e-6,
            "allocator.episode.head_high": None,
            "allocator.episode.head_reclaim": 2.4e-6,
        },
        {"allocator.episode_ms": 0.01},
        {"allocator.calm_ms": 5e7, "allocator.start": "stationary"},
        {"grace_period.reader_ms": 0.2},
        {"grace_period.reader_ms": 20, "grace_period.reader_gap_ms": 9e3},
        {"allocator.episodes": "schedule", "allocator.schedules": [[0.3, 0.5], [7, 9]]},
        {"allocator.episodes": "schedule", "allocator.schedules": [[[1.2, 4.4]], [[2, 3]]]},
        {"allocator.episodes": "schedule", "allocator.schedules": [[0.3, float("inf")]]},
        {
            "memory.pressure": "pages",
            "memory.mib": 1e6,
            "memory.free_mib": 9e5,
            "memory.file_mib": 9e4,
        },
        {
            "memory.pressure": "pages",
            "memory.mib": 16,
            "memory.free_mib": 10,
            "workload.vmalloc_share": 0.5,
        },
        {"memory.pressure": "pages", "memory.hog": "none", "memory.load_pages_s": 1000},
        {
            "memory.pressure": "pages",
            "memory.hog_ms": 1e5,
            "memory.lead_ms": 9e5,
            "workload.object_bytes": 1 << 20,
        },
    ],
)
def test_the_settings_that_are_named_help_at_the_edges_too(sets: dict[str, object]) -> None:
    scenario = changed(load_scenario("thread-as-posted"), **sets)
    assert not job.job_of(changed(scenario, **job.sets_for(scenario))).stops


def test_a_remedy_that_cannot_be_measured_is_left_out_of_the_list() -> None:
    scenario = changed(load_scenario("thread-as-posted"), **{"remedy.page_class": "noretry"})
    jobs = kernel.jobs_of(scenario, "A1,own,B5")
    told = kernel.way_out(scenario, jobs)
    assert "remedy.page_class=nowait" in told
    runs_with(
        ["kernel", "thread-as-posted", "--remedies", "A1,own,B5"], told
    )  # a field is given once


def test_settings_that_take_the_place_of_others_are_said_to_do_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["kernel", "thread-as-posted", "--run", "--set", "remedy.page_class=noretry"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "--set remedy.page_class=nowait" in told
    assert "in place of --set remedy.page_class;" in told


def test_a_world_without_episodes_has_its_failures_all_the_time() -> None:
    found = words(
        changed(
            BASE,
            **{
                "allocator.episodes": "none",
                "allocator.calm.page": 0.9,
                "allocator.calm.head": 0.4,
                "remedy": "A0",
            },
        )
    )
    assert (found["p_page_ppm"], found["p_obj_ppm"]) == ("900000", "400000")
    assert "onset_ms" not in found


@pytest.mark.parametrize(
    ("sets", "field"),
    [
        ({"machine.instruction_ns": 0.33}, "machine.instruction_ns"),
        ({"warmup_ms": 100}, "warmup_ms"),
        ({"grace_period.busy": True}, "grace_period.busy"),
        ({"grace_period.mean_ms": 20}, "grace_period.mean_ms"),
        ({"workload.rate_hz": 3000}, "workload.rate_hz"),
        ({"remedy": "A1"}, "allocator.stall_ms"),
    ],
)
def test_what_differs_is_said(sets: dict[str, object], field: str) -> None:
    assert not gaps(**sets)[field]
    assert not job.job_of(changed(BASE, **sets)).stops


def test_a_run_of_hours_is_stopped_and_the_longest_one_named() -> None:
    assert gaps(horizon_ms=700_000)["scenario.horizon_ms"]
    assert job.sets_for(changed(BASE, horizon_ms=700_000)) == {"horizon_ms": boot.LONGEST_MS}


def test_the_rcuscale_line_has_the_callers() -> None:
    line, missing = job.rcuscale_of(
        changed(BASE, **{"machine.cpus": 2, "workload.single_share": 0.5})
    )
    assert "kfree_nthreads=2 " in line
    assert "kfree_rcu_test_single=1 kfree_rcu_test_double=1" in line
    assert "workload.single_share" in {gap.field for gap in missing}


# ---- the verb


def test_the_verb_prints_both_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernel", "thread-as-posted", "--remedies", "A1,B"]) == 0
    out = capsys.readouterr().out
    assert out.count("harness line") == 2
    assert "modprobe rcuscale" in out
    assert "(!) allocator.calm" in out
    assert (
        "to measure the rest, add:\n  --set allocator.calm.page=0 --set allocator.calm.head=0"
        in out
    )


def test_the_verb_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernel", "thread-as-posted", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["harness"]) == {"own"}
    assert told["rows"] == {}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--seeds", "0"], "--seeds is 0"),
        (["--out", "x.csv"], "add --run"),
        (["--out", "x.png"], "ending in .csv or .json"),
        (["--run"], "allocator.calm"),
        (["--remedies", "Q"], "'Q'"),
    ],
)
def test_the_verb_refuses(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kernel", "thread-as-posted", *options]) == 2
    assert told in capsys.readouterr().err


def test_without_the_scores_the_measurement_is_shown_alone() -> None:
    row = rows.flat(ROW) | {"release": "6.1"}
    assert "P(wait) 0.2, blocked 0.2" in measured_words("own", [row], None)


# ---- results


def test_a_result_becomes_a_row() -> None:
    row = rows.flat(ROW)
    assert (row["set"], row["p_page"], row["p_obj"], row["p_sync"], row["blocked_frac"]) == (
        "own",
        "1",
        "0.5",
        0.2,
        0.2,
    )
    assert row["gp_len_us"] == "[1,2]"
    assert "k_calls_first" not in row


def test_what_never_changes_goes_into_the_constants() -> None:
    table, constant = rows.tables(
        [rows.flat(ROW | {"seed": 1}), rows.flat(ROW | {"seed": 2, "sync": 3})]
    )
    assert b"dur_ms" not in table.splitlines()[0]
    assert json.loads(constant)["dur_ms"] == 100
    assert table.splitlines()[0].endswith(b"p_sync")


# ---- guests that go wrong: a script of this name on the path instead of QEMU

GOOD = """printf '#guest 6.1 console=ttyS0\\n{"mode":0,"calls":5}\\n#done\\n' >"$results"\n"""


def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> build.Build:
    """A build, and a qemu-system-x86_64 that runs `body` with $console and $results set."""
    script = tmp_path / "bin" / "qemu-system-x86_64"
    script.parent.mkdir()
    script.write_text(
        "#!/bin/sh\nfor word; do case $word in file:*/console) console=${word#file:};; "
        "file:*/results) "
        f"results=${{word#file:}};; esac; done\n{body}"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    made = build.Build(tmp_path, "6.1")
    made.image.write_bytes(b"kernel")
    made.initramfs.write_bytes(b"files")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    return made


def test_a_good_guest_gives_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = boot.run(fake(tmp_path, monkeypatch, GOOD), ["dur_ms=10"])
    assert (row["calls"], row["cmdline"], row["timing"]) == (5, "console=ttyS0", "icount")
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "echo '[ 1.0] Kernel panic - not syncing: boo' >$console",
            "kernel died: 'Kernel panic - not syncing: boo'",
        ),
        (
            "echo 'kernel BUG at mm/slub.c:419!' >$console",
            "kernel died: 'kernel BUG at mm/slub.c:419!'",
        ),
        (f"{GOOD}echo 'WARNING: CPU: 0 PID: 1 at kernel/foo.c:3' >$console", "at kernel/foo.c:3'"),
        (f"{GOOD}echo 'WARNING: CPU: 0 PID: 1 at mm/page_alloc.c:5118' >$console", "complained"),
        (
            f"{GOOD}echo 'rcu: INFO: rcu_preempt detected stalls on CPUs' >$console",
            "stalls on CPUs",
        ),
        (
            f"{GOOD}echo \"krcmeter: unknown parameter 'x' ignored\" >$console",
            "does not know a parameter",
        ),
        (
            """printf '#guest 6.1\\n{"mode":0,"calls":5}\\n' >$results""",
            "1 of 1 results and did not say",
        ),
        ("printf '#guest 6.1\\n#done\\n' >$results", "0 of 1 results and said"),
        ("""printf '{"mode":0,"cal\\n#done\\n' >$results""", "cannot be read"),
        (
            "printf '#failed dur_ms=10\\n' >$results; echo 'krcmeter: burst=0; allowed: 1' "
            ">$console",
            "burst=0; allowed: 1",
        ),
        ("echo 'no such machine' >&2; exit 3", "status 3 and said 'no such machine'"),
    ],
)
def test_a_guest_that_fails_gives_nothing(
    body: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KrcsimError, match=re.escape(told)):
        boot.run(fake(tmp_path, monkeypatch, body), ["dur_ms=10"])
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_hanging_guest_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fake(
        tmp_path,
        monkeypatch,
        f"echo $$ >{tmp_path}/pid; echo 'still booting' >$console; exec sleep 60",
    )
    with pytest.raises(KrcsimError, match=r"did not end within 1 s .* 'still booting'"):
        boot.run(made, ["dur_ms=10"], seconds=1)
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


def test_a_guest_is_stopped_when_another_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, began = threading.Event(), time.monotonic()
    stop.set()
    with pytest.raises(KrcsimError, match="another guest failed"):
        boot.run(fake(tmp_path, monkeypatch, "exec sleep 60"), ["dur_ms=10"], stop=stop)
    assert time.monotonic() - began < 10


def test_the_known_warning_passes_only_with_a_hog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warning = "WARNING: CPU: 0 PID: 9 at mm/page_alloc.c:5118 __alloc_pages\\nCall Trace:"
    made = fake(tmp_path, monkeypatch, f"{GOOD}printf '{warning}\\n' >$console")
    assert boot.run(made, ["hog=2 dur_ms=10"])
    with pytest.raises(KrcsimError, match="complained"):
        boot.run(made, ["hog=0 dur_ms=10"])


def test_without_qemu_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fake(tmp_path, monkeypatch, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KrcsimError, match="apt install qemu-system-x86"):
        boot.run(made, ["dur_ms=10"])


def test_without_space_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fake(tmp_path, monkeypatch, GOOD)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device", "initrd")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(KrcsimError, match="No space left on device"):
        boot.run(made, ["dur_ms=10"])
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("dur_ms=900000", "dur_ms = 900000"),
        ("burst", "holds 'burst'"),
        ("label=ä", "in ASCII"),
        ("# nothing", "no experiment"),
    ],
)
def test_a_bad_job_line_is_refused_before_the_boot(line: str, told: str) -> None:
    with pytest.raises(KrcsimError, match=re.escape(told)):
        boot.run(build.Build(Path("nowhere"), "6.1"), [line])


def test_the_limit_grows_with_the_jobs_and_ends() -> None:
    one, many = (boot.seconds_for(["dur_ms=3000"] * n, boot.Boot()) for n in (1, 10))
    assert 60 < one < many
    assert boot.seconds_for(["dur_ms=600000"] * 100, boot.Boot()) == boot.MOST_SECONDS


# ---- builds


def test_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(KrcsimError, match="this machine is aarch64"):
        build.ready(tmp_path)


def test_missing_tools_are_named_with_their_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(
        "shutil.which", lambda tool: None if tool in ("gcc", "busybox") else "/bin/true"
    )
    with pytest.raises(KrcsimError, match="apt install busybox-static gcc"):
        build.ready(tmp_path)


def test_another_kernel_is_taken_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    offer = "linux-image-6.1.0-9-cloud-amd64 - x\nlinux-image-6.1.0-51-cloud-amd64 - y\n"
    monkeypatch.setattr(build, "_succeeds", lambda _: False)
    monkeypatch.setattr(build, "_output", lambda _: offer)
    said: list[str] = []
    assert build._offered(said.append) == "6.1.0-51-cloud-amd64"
    assert "numbers may move" in said[0]


def test_a_build_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(folder: Path, _kernel: str) -> None:
        (folder / "half").write_text("")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(build, "check_tools", lambda _: None)
    monkeypatch.setattr(build, "_offered", lambda _: build.PINNED)
    monkeypatch.setattr(build, "_make", full)
    with pytest.raises(KrcsimError, match="free some space"):
        build.ready(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_named_by_the_sources(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = build.digest()
    (tmp_path / "init").write_text("other")
    monkeypatch.setattr(build, "sources", lambda: tmp_path)
    assert build.digest() != before


def test_a_measurement_keeps_the_order_of_its_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        matrix, "run", lambda _b, lines, _boot, **_: [{"line": line} for line in lines]
    )
    tasks = [matrix.Task(f"seed={n}", boot.Boot(cpus=1 + n % 2)) for n in range(80)]
    rows = matrix.measure(build.Build(Path(), "6.1"), tasks)
    assert [row["line"] for row in rows] == [task.line for task in tasks]


def test_a_hog_is_measured_only_where_memory_is_pages() -> None:
    drawn = dict(
        job.job_of(changed(load_scenario("thread-as-posted"), **{"machine.cpus": 1})).parameters
    )
    assert drawn["hog"] == 0
    assert drawn["p_page_ppm"] > 0


def test_under_a_hog_nothing_is_drawn_and_objects_are_made_before() -> None:
    measured = job.job_of(load_scenario("exhausted-guest"))
    given = dict(measured.parameters)
    assert (given["hog"], given["p_page_ppm"], given["p_obj_ppm"], given["preobj"]) == (2, 0, 0, 1)
    assert given["total"] >= 250_000
    assert measured.boot.mib == 256
