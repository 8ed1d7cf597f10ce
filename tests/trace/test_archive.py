# SPDX-License-Identifier: GPL-2.0-only
"""The archive of the recorder."""

from __future__ import annotations

from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.model.scenario_file import load_scenario
from krcsim.trace.fit import make
from krcsim.trace.kernel_row import row_of
from krcsim.trace.reading import read

ARCHIVE = """\
#@krcsim-recording 1
#@armed calls reclaims grace_periods page noretry
#@span 20.00 30.00
#@machine
release {release}
arch x86_64
cpus_online 0-3
hz 250
rcu_min_cached_objs 5
#@vmstat start
allocstall_normal 1
#@vmstat stop
allocstall_normal 4
#@hist calls single slab
# event histogram
#
# trigger info: hist:keys=common_timestamp.buckets=10000000,common_cpu [active]
#

{{ common_timestamp: ~ 25000000000-25009999999, cpu:          0 }} hitcount:        100
{{ common_timestamp: ~ 31000000000-31009999999, cpu:          0 }} hitcount:         50

Totals:
    Hits: 150
    Entries: 2
    Dropped: 0
#@hist calls double vmalloc
{{ common_timestamp: ~ 26000000000-26009999999, cpu:          1 }} hitcount:         25
#@hist requests tried
{{ common_timestamp: ~ 26000000000-26009999999, gfp_flags:      10240 }} hitcount:  20
{{ common_timestamp: ~ 26000000000-26009999999, gfp_flags:     601280 }} hitcount:  10
#@hist requests failed
{{ common_timestamp: ~ 26000000000-26009999999, gfp_flags:      10240 }} hitcount:   3
#@hist count monitor
{{ cpu:          0 }} hitcount:   7
#@hist sizes
{{ size:         64 }} hitcount:  7
#@trace
# tracer: nop
x-15 [000] .....    19.500000: gps: (rcu_gp_init+0x0/0x550)
x-15 [000] .....    19.600000: gpe: (rcu_gp_cleanup+0x0/0x550)
x-15 [000] .....    24.000000: gps: (rcu_gp_init+0x0/0x550)
x-15 [000] .....    24.004000: gpe: (rcu_gp_cleanup+0x0/0x550)

#@pressure
21.00 some avg10=0.00 avg60=0.00 avg300=0.00 total=0
#@overhead 310
#@end
"""


def archive(folder: Path, name: str = "a.txt", release: str = "5.10.0-30", **changes: str) -> Path:
    text = ARCHIVE.format(release=release)
    for old, new in changes.values():
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return path


def test_an_archive_says_what_was_counted(tmp_path: Path) -> None:
    found = read([archive(tmp_path)])
    assert found.not_understood == 0
    assert found.spans == ((20.0, 30.0),)
    assert (found.calls.total, int(found.calls.vmalloc.sum())) == (125, 25)
    assert (int(found.page.tries.sum()), int(found.page.failed.sum())) == (20, 3)
    assert (int(found.noretry.tries.sum()), found.own_tries) == (10, 10)
    assert found.vmstat == {"allocstall_normal": 3}
    assert found.counters == {"monitor": 7}
    assert found.grace_periods_s.tolist() == pytest.approx([0.004])


def test_a_field_says_in_which_lines_it_stands(tmp_path: Path) -> None:
    made = make(read([archive(tmp_path)]), load_scenario("thread-as-posted"), "thread-as-posted")
    sources = made.explained("workload.rate_hz").sources
    assert [source.lines for source in sources] == [3]
    assert sources[0].first == 1 + ARCHIVE[: ARCHIVE.index("{{ common")].count("\n")


def test_what_the_archive_says_of_the_machine_is_in_the_scenario(tmp_path: Path) -> None:
    made = make(read([archive(tmp_path)]), load_scenario("thread-as-posted"), "thread-as-posted")
    assert (made.scenario.machine.hz, made.scenario.machine.cpus) == (250, 2)
    assert made.scenario.workload.object_bytes == 64
    assert made.explained("remedy").value == "E1"
    assert made.scenario.remedy.nr_bkv_objs == 5


def test_two_archives_of_one_machine_are_one_after_the_other(tmp_path: Path) -> None:
    other = ("#@overhead 310", "#@overhead 311")
    found = read([archive(tmp_path), archive(tmp_path, "b.txt", other=other)])
    assert found.seconds == pytest.approx(20.0)
    assert found.calls.total == 250
    assert len(found.calls.windows) == 4


def test_archives_that_were_concatenated_are_two(tmp_path: Path) -> None:
    path = archive(tmp_path)
    path.write_text(path.read_text() * 2)
    assert read([path]).seconds == pytest.approx(20.0)


def test_an_archive_of_another_machine_is_refused(tmp_path: Path) -> None:
    other = archive(tmp_path, "b.txt", release="6.12.1")
    with pytest.raises(KrcsimError, match="different machines"):
        read([archive(tmp_path), other])


def test_an_archive_that_was_cut_short_says_so(tmp_path: Path) -> None:
    path = archive(tmp_path)
    path.write_text(path.read_text().partition("#@hist requests failed")[0])
    found = read([path])
    assert found.calls.total == 125
    assert any("cut short" in note for note in found.notes)


def test_an_archive_of_a_later_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KrcsimError, match="format 3"):
        read([archive(tmp_path, newer=("krcsim-recording 1", "krcsim-recording 3"))])


@pytest.mark.parametrize(
    ("release", "row"),
    [
        ("5.9.0", "E1"),
        ("5.10.0-30-amd64", "E1"),
        ("4.19.0", ""),
        ("rolling", ""),
    ],
)
def test_a_kernel_is_a_row_of_the_table(release: str, row: str) -> None:
    found, why_not = row_of(release)
    assert found == row
    assert bool(why_not) == (row == "")


def test_runs_in_windows_of_time_are_cut_to_the_recording(tmp_path: Path) -> None:
    """Those before and after it are what the recorder did, and the time of the others is known."""
    rows = "".join(
        f"{{ common_timestamp: ~ {ms}000000-{ms + 99}999999 }} hitcount: 2\n"
        for ms in (5000, 19_800, 20_000, 25_000, 29_900, 30_000, 31_000)
    )
    timed = archive(tmp_path, change=("{ cpu:          0 } hitcount:   7\n", rows))
    found = read([timed])
    assert found.counters == {"monitor": 6}
    assert found.ran["monitor"].total == 6
    assert found.beyond_s == 0.0


def test_how_long_counts_without_times_were_on_is_known_at_most(tmp_path: Path) -> None:
    late = "{ common_timestamp: ~ 33000000000-33009999999, cpu: 1 } hitcount: 3\n"
    longer = archive(tmp_path, change=("#@hist count monitor\n", f"{late}#@hist count monitor\n"))
    found = read([longer])
    assert found.beyond_s == pytest.approx(3.0)
    assert found.counters == {"monitor": 7}
