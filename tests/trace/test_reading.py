# SPDX-License-Identifier: GPL-2.0-only
"""Files in any packing and mixture; what is not understood is counted, and never guessed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.trace.evidence import ScaleRun
from krcsim.trace.reading import read
from tests.trace.lines import CALL, event, of_lines

LINES = [event(100.0 + n / 100, "kvf", CALL) for n in range(200)]
TEXT = ("\n".join(LINES) + "\n").encode()


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        TEXT.replace(b"\n", b"\r\n"),
        gzip.compress(TEXT),
        gzip.compress(TEXT[:5000]) + gzip.compress(TEXT[5000:]),
        TEXT.decode().encode("utf-16"),
        b"\xfe\xff" + TEXT.decode().encode("utf-16-be"),
        TEXT.rstrip(b"\n") + b" ",
        b"\xef\xbb\xbf\n" + TEXT,
    ],
    ids=[
        "plain",
        "windows",
        "gzip",
        "gzips",
        "utf-16",
        "utf-16-be",
        "no end",
        "utf-8 mark",
    ],
)
def test_the_packing_of_a_text_does_not_matter(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "trace"
    path.write_bytes(data)
    assert read([path]).calls.total == 200


def test_a_file_that_was_cut_short_gives_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "trace.gz"
    path.write_bytes(gzip.compress(TEXT, mtime=0)[:-40])
    found = read([path])
    assert 0 < found.calls.total <= 200
    assert any("cut short" in note for note in found.notes)


def test_a_damaged_file_gives_what_stands_before_the_damage(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(TEXT * 200, 0))
    data[len(data) // 2] ^= 0xFF
    path = tmp_path / "trace.gz"
    path.write_bytes(data)
    found = read([path])
    assert found.calls.total > 0
    assert any("damaged" in note for note in found.notes)


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (b"\x17\x08\x44tracing6\0", "trace-cmd report"),
        (b"PERFILE2\0\0", "perf script"),
        (b"\xfd7zXZ\0\0", "xz -d"),
        (b"\x28\xb5\x2f\xfd\0", "zstd -d"),
        (b"\x7fELF\0\0\0", "bytes that no text has"),
        (b"", "nothing in"),
        (b"hello\n" * 10, "10 of 10 lines"),
        (b"[    0.0] Linux version 6.1\n", "krcsim record"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_way_out(
    tmp_path: Path, data: bytes, remedy: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(KrcsimError, match=remedy):
        read([path])


@pytest.mark.parametrize("name", ["gone", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(KrcsimError, match="cannot be read"):
        read([tmp_path / name])


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(TEXT)
    with pytest.raises(KrcsimError, match="holds the same"):
        read([tmp_path / "a", tmp_path / "b"])


def test_lines_that_nobody_understands_are_counted_and_shown(tmp_path: Path) -> None:
    bad = ["x-1 [000] ..... 1.5", "x-5 [999999] ..... 5.0: kvf: " + CALL, "\x1b[31mred"]
    found = of_lines(tmp_path, *LINES, *bad)
    assert (found.not_understood, found.lines) == (3, 203)
    assert found.calls.total == 200
    assert all(example.isprintable() for example in found.examples)


@pytest.mark.parametrize(
    "line",
    [
        event(5.0, "kvf", CALL, cpu=4096),
        event(1e12 - 1, "kvf", CALL).replace("[000]", "[001]"),
        event(5.0, "mm_page_alloc", "page=1 pfn=0x1 order=0 migratetype=0 gfp_flags=`id`"),
        event(5.0, "rcu_invoke_kfree_bulk_callback", "slab bulk=0x0 nr_records=99999999999999"),
        "{ common_timestamp: ~ 1-2, cpu: 0 } hitcount: 5",
        "@w[99999999999999999, 0, 1]: 5",
        "@unknown[0]: 5",
    ],
)
def test_no_number_is_made_of_what_cannot_be(tmp_path: Path, line: str) -> None:
    found = of_lines(tmp_path, *LINES, line)
    assert found.not_understood == 1
    assert found.calls.total == 200
    assert found.seconds == pytest.approx(1.99)


@pytest.mark.parametrize(
    ("line", "lost"),
    [
        ("CPU:2 [LOST 123 EVENTS]", 123),
        ("CPU:1 [7 EVENTS DROPPED]", 7),
        ("perf 12 [000] 1.5: PERF_RECORD_LOST LOST 9 events", 9),
        ("# entries-in-buffer/entries-written: 1857/1900   #P:1", 43),
        ("    Dropped: 5", 5),
    ],
)
def test_events_that_were_lost_are_counted(tmp_path: Path, line: str, lost: int) -> None:
    assert of_lines(tmp_path, *LINES, line).lost == lost


def test_time_without_a_line_for_a_minute_is_not_covered(tmp_path: Path) -> None:
    later = [event(5000.0 + n / 100, "kvf", CALL) for n in range(101)]
    found = of_lines(tmp_path, *LINES, *later)
    assert found.seconds == pytest.approx(1.99 + 1.0)


def test_lines_out_of_order_are_counted_all_the_same(tmp_path: Path) -> None:
    assert of_lines(tmp_path, *reversed(LINES)).seconds == pytest.approx(1.99)


def test_a_clock_that_jumps_all_the_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KrcsimError, match="jump"):
        of_lines(tmp_path, *(event(1000.0 * n, "kvf", CALL) for n in range(1100)))


@pytest.mark.parametrize(
    "line",
    [
        "[ 9.1] rcu-scale: Total time taken by all kfree'ers: 4400000000 ns, loops: 10000, "
        "batches: 950, memory footprint: 40MB",
        " Total time taken by all kfree'ers: 4400000000 ns, loops: 10000, batches: 950,  memory "
        "footprint: 40M  ",
        "rcuperf: Total time taken by all kfree'ers: 4400000000 ns, loops: 10000, batches: 950",
    ],
)
def test_a_line_of_rcuscale_is_read_in_all_its_forms(tmp_path: Path, line: str) -> None:
    assert of_lines(tmp_path, line).scale_runs == (ScaleRun(4_400_000_000, 10_000, 950),)


@pytest.mark.parametrize(
    "line",
    [
        "[5.0] app: page allocation failure: order:0, mode:0x800(GFP_NOWAIT), nodemask=(null)",
        "app: page allocation failure. order:0, mode:0x20",
        "[5.0] SLUB: Unable to allocate memory on node -1, gfp=0x800(GFP_NOWAIT)",
        "[5.0] SLUB: Unable to allocate memory on CPU 1 (of node 0) on node -1, gfp=0x800",
    ],
)
def test_splats_are_counted_and_nothing_more(tmp_path: Path, line: str) -> None:
    found = of_lines(tmp_path, *LINES, line)
    assert found.counters["splats"] == 1
    assert len(found.page.windows) == 0


def test_a_pair_of_vmstat_gives_what_rose(tmp_path: Path) -> None:
    (tmp_path / "before").write_text("nr_free_pages 5000\nallocstall_normal 7\npgscan_kswapd 10\n")
    (tmp_path / "after").write_text("nr_free_pages 4000\nallocstall_normal 19\npgscan_kswapd 10\n")
    found = read([tmp_path / "before", tmp_path / "after"])
    assert found.vmstat == {"allocstall_normal": 12, "pgscan_kswapd": 0}


def test_maps_and_histograms_of_bpftrace_are_read(tmp_path: Path) -> None:
    found = of_lines(
        tmp_path,
        "Attaching 5 probes...",
        "@w[500000, 3, 1]: 17",
        "@w[500001, 3, 0]: 3",
        "@pages[500000, 2048, 1]: 2",
        "@gp_us:",
        "[4K, 8K)               2 |@@@@@@@@                  |",
        "[8K, 16K)              1 |@@@@                      |",
        "@monitor: 5",
    )
    assert (found.calls.total, int(found.calls.single.sum())) == (20, 17)
    assert int(found.page.failed.sum()) == 2
    assert len(found.grace_periods_s) == 3
    assert found.counters["monitor"] == 5
    assert found.not_understood == 0


def test_json_of_bpftrace_is_read(tmp_path: Path) -> None:
    found = of_lines(
        tmp_path,
        '{"type": "attached_probes", "data": {"probes": 2}}',
        '{"type": "map", "data": {"@w": {"500000,3,1": 17, "500001,3,0": 3}}}',
        '{"type": "map", "data": {"@w": {"x": 17}}}',
    )
    assert found.calls.total == 20
    assert found.not_understood == 1


def test_what_bpftrace_counted_within_its_time_is_read(tmp_path: Path) -> None:
    found = of_lines(
        tmp_path,
        "#@armed calls page noretry grace_periods waits reclaims",
        "#@machine",
        "release 6.12.1",
        "cpus_online 0-3",
        "x-0 [000] 5000.000000000: krcsim_on: ",
        "#@span 5000.000000000 5009.000000000",
        "#@counts monitor work refill shrinker",
        "#@end",
        "@total: 40",
        "@w[499990, 3, 1]: 15",  # before all probes were on
        "@w[500001, 3, 1]: 17",
        "@w[500002, 3, 0]: 3",
        "@pages[499990, 2048, 1]: 2",
        "@pages[500001, 2048, 1]: 1",
        "@gp[5001000000]: 4000",
        "@gp[5009500000]: 4000",
        "@wait[5001000000, 77]: 12000",
        "@reclaim[5001000000, 77]: 3000",
        "@monitor[50010]: 2",
        "@monitor[49990]: 2",
    )
    assert (found.calls.total, int(found.calls.single.sum()), found.lost) == (20, 17, 5)
    assert int(found.page.failed.sum()) == 1
    assert found.spans == ((5000.0, 5009.0),)
    assert found.grace_periods_s.tolist() == [0.004]
    assert found.waits_s.tolist() == [0.012]
    assert found.reclaims.ends_s.tolist() == [5001.003]
    assert found.counters == {"monitor": 2, "work": 0, "refill": 0, "shrinker": 0}
    assert found.ran["monitor"].windows.tolist() == [500105]
    assert found.machine["release"] == "6.12.1"
    assert (found.not_understood, found.notes) == (0, ())


def test_rows_that_bpftrace_had_no_room_for_are_lost(tmp_path: Path) -> None:
    found = of_lines(tmp_path, "@w[500000, 3, 1]: 17", "@total: 20")
    assert (found.calls.total, found.lost) == (17, 3)


def test_events_of_the_program_for_bpftrace_are_read(tmp_path: Path) -> None:
    found = of_lines(
        tmp_path,
        "#@armed calls page noretry grace_periods reclaims",
        "x-0 [000] 79.865551698: krcsim_on: ",
        "x-18 [000] 80.236054858: rcu_gp_init: ",
        "x-18 [000] 80.240135058: rcu_gp_cleanup: ",
        "x-0 [000] 89.865551698: krcsim_on: ",
        "#@end",
    )
    assert found.grace_periods_s.tolist() == pytest.approx([0.0040802])
    assert found.seconds == pytest.approx(10.0)
    assert (found.not_understood, found.notes) == (0, ())
