# SPDX-License-Identifier: GPL-2.0-only
"""The recorder is a script that a POSIX shell takes, and that holds nothing but what was asked."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.trace.recorder import program, script

SHELLS = [shell for shell in ("dash", "busybox", "bash") if shutil.which(shell)]


def made(folder: str = "krcsim-recording") -> str:
    return script(60, 16, folder, keep_names=False, command="krcsim record")


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_read_it(shell: str) -> None:
    command = ["busybox", "sh"] if shell == "busybox" else [shell]
    done = subprocess.run([*command, "-n"], input=made(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_mark_is_left_in_it() -> None:
    assert re.findall(r"@[A-Z]+@", made()) == []


@pytest.mark.parametrize("folder", ["a b", "$(touch x)", "'; touch x; '", "`id`", "-rf", "a\\b"])
def test_a_folder_with_any_name_is_one_word(folder: str) -> None:
    line = next(line for line in made(folder).splitlines() if line.startswith("folder="))
    done = subprocess.run(
        ["sh", "-c", f'{line}\nprintf %s "$folder"'], capture_output=True, text=True
    )
    assert done.stdout == folder


@pytest.mark.parametrize(
    ("seconds", "mib", "folder"),
    [(0, 16, "a"), (3601, 16, "a"), (60, 0, "a"), (60, 9999, "a"), (60, 16, ""), (60, 16, "a\nb")],
)
def test_what_it_cannot_do_is_refused(seconds: int, mib: int, folder: str) -> None:
    with pytest.raises(KrcsimError, match="allowed"):
        script(seconds, mib, folder, keep_names=False, command="krcsim record")


def test_it_says_how_much_of_the_cpu_it_may_take() -> None:
    assert "\nmost_cpu=2\n" in made()
    assert "# It takes 2 % of the CPU time at most" in made()


@pytest.mark.parametrize("most_cpu", [0.0, 0.05, 100.1, float("nan")])
def test_a_share_of_the_cpu_that_is_none_is_refused(most_cpu: float) -> None:
    with pytest.raises(KrcsimError, match=r"--most-cpu .*allowed: 0.1 to 100 %"):
        script(60, 16, "a", keep_names=False, command="krcsim record", most_cpu=most_cpu)


PLAN = re.search(r"awk '(\n\tfunction slices.*?)'\)\n", made(), re.DOTALL)


def planned(calls: int, pages: int = 0, seconds: int = 60, most_cpu: float = 2.0) -> list[str]:
    """What the script would do after half a second with so many calls; 20 us each, 30 ms a part."""
    assert PLAN
    words = f"50 0 0 0 {calls} 0 0 {pages} {seconds} 1 {most_cpu} 20000 30000 0 0"
    done = subprocess.run(["awk", PLAN[1]], input=words, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_few_calls_are_counted_all_the_time() -> None:
    assert planned(calls=20)[:3] == ["1", "1", "12"]  # and it looks twelve times whether more come
    assert planned(calls=0, seconds=5)[:3] == ["1", "1", "3"]
    assert planned(calls=50_000, most_cpu=100.0)[:3] == ["1", "1", "1"]


@pytest.mark.parametrize("calls", [1000, 5000, 20_000])
@pytest.mark.parametrize("seconds", [30, 60, 600])
def test_many_calls_are_counted_in_parts_that_take_no_more_than_was_asked(
    calls: int, seconds: int
) -> None:
    always, _, many, hundredths, _, ns, us, *_ = map(
        lambda word: int(word) if word.isdigit() else word, planned(calls, seconds=seconds)
    )
    assert always == 0
    assert int(hundredths) >= 10
    taken_s = int(many) * (int(us) / 1e6 + int(hundredths) / 100 * 2 * calls * int(ns) / 1e9)
    assert 0.003 * seconds < taken_s <= 0.018 * seconds


def test_where_no_part_is_cheap_enough_that_is_said() -> None:
    assert planned(calls=100_000, seconds=5)[-1] == "never"


def test_page_requests_that_cost_too_much_are_left_out() -> None:
    assert planned(calls=20, pages=100)[1] == "1"
    assert planned(calls=20, pages=1000)[1] == "0"


@pytest.mark.parametrize("argument", ["x", "0", "3601", "1 2; id", "--"])
def test_a_time_that_is_none_is_refused_before_anything_is_touched(argument: str) -> None:
    done = subprocess.run(
        ["sh", "-s", "--", argument], input=made(), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("krcsim-record: ")


NAMES = re.search(r"sed '(s/\^\[.*?)'; }", made())


@pytest.mark.parametrize(
    "line",
    [
        "      busybox-87      [000] .....    19.249977: gps: (rcu_gp_init+0x0/0x550)",
        "Jit thread pool-87  [000] .....    19.249977: gps: (rcu_gp_init+0x0/0x550)",
        "a-5 [001] b-87 [000] .....    19.249977: gps: (rcu_gp_init+0x0/0x550)",
        "     secret-87   (  87) [000] .....    19.249977: gps: (rcu_gp_init+0x0/0x550)",
    ],
)
def test_names_of_processes_are_taken_out(line: str) -> None:
    assert NAMES
    done = subprocess.run(["sed", NAMES[1]], input=line, capture_output=True, text=True)
    assert done.stdout == "x-87 [000] .....    19.249977: gps: (rcu_gp_init+0x0/0x550)"


def test_a_program_for_bpftrace_has_its_time_in_it() -> None:
    text = program(45, "krcsim record --bpftrace")
    assert "interval:s:45 { exit(); }" in text
    assert re.findall(r"@[A-Z]+@", text) == []
