# SPDX-License-Identifier: GPL-2.0-only
"""Lines of events, one for each form that kernels and tools have given them."""

from __future__ import annotations

from pathlib import Path

import pytest

from krcsim.trace import gfp
from krcsim.trace.line import columns_of, function_of
from tests.trace.lines import CALL, event, of_lines


@pytest.mark.parametrize(
    ("line", "pid", "cpu", "seconds"),
    [
        (f"      busybox-87      [000] .....    19.249977: kvf: {CALL}", 87, 0, 19.249977),
        (f"      busybox-87      [000] ....    19.249977: kvf: {CALL}", 87, 0, 19.249977),
        (f"         init-1       [012] .N...    27.355960: kvf: {CALL}", 1, 12, 27.35596),
        (f"  kworker/u4:0-12     [000] d.h3.    25.1: kvf: {CALL}", 12, 0, 25.1),
        (f"Jit thread pool-4435  [003] ..... 1.000001: kvf: {CALL}", 4435, 3, 1.000001),
        (f"surfaceflinger-1155  ( 1155) [001] ...1 12839.500: kvf: {CALL}", 1155, 1, 12839.5),
        (f"        <...>-77    (-----) [001] ...1 12839.500: kvf: {CALL}", 77, 1, 12839.5),
        (f"        <...>-77    [001]  12839.500123456: kvf:   {CALL}", 77, 1, 12839.500123456),
        (f"<idle>-0     [001] d..2. 3.5: kvf: {CALL}", 0, 1, 3.5),
        (f"swapper     0 [002] 123.456789: probe:kvf: {CALL}", 0, 2, 123.456789),
        (f"java 512/513 [002] 123.456789: probe:kvf: {CALL}", 513, 2, 123.456789),
        (f"a [b] c-d 9 [1023]   5.5:          1 kprobes:kvf: {CALL}", 9, 1023, 5.5),
        (f"x-5 [000] .....    7.5: kvf: {CALL}", 5, 0, 7.5),
        (f"{'-':>16}-6      [000] .....    7.5: kvf: {CALL}", 6, 0, 7.5),
    ],
)
def test_columns_are_found_whatever_the_version(
    line: str, pid: int, cpu: int, seconds: float
) -> None:
    found = columns_of(line.encode())
    assert found is not None
    wanted = pid if "/" not in line.split("[")[0] or "kworker" in line else 512
    assert (int(found[0]), int(found[1]), float(found[2])) == (wanted, cpu, seconds)
    assert function_of(found[3], found[4]) == ("kvfree_call_rcu", False)


@pytest.mark.parametrize(
    "line",
    ["", "no columns", "x-5 [000]", "x-5 [zero] ..... 1.5: kvf: a=1", "[1] 5: kvf", "x" * 10_000],
)
def test_other_lines_have_no_columns(line: str) -> None:
    assert columns_of(line.encode()) is None


@pytest.mark.parametrize(
    ("event", "text", "function", "is_return"),
    [
        (b"gps", b"(rcu_gp_init+0x0/0x550)", "rcu_gp_init", False),
        (b"mon", b"(kfree_rcu_monitor+0x4/0x310)", "kfree_rcu_monitor", False),
        (b"s", b"(do_shrink_slab+0x13e/0x2e0 <- kfree_rcu_shrink_scan) ret=5",
         "kfree_rcu_shrink_scan", True),
        (b"s", b"(mod_init+0xb1f/0x1000 [mod] <- synchronize_rcu)", "synchronize_rcu", True),
        (b"probe:kvfree_call_rcu", b"(ffffffff811d2f10) head=0x0", "kvfree_call_rcu", False),
        (b"p_kvfree_call_rcu_0", b"(ffffffff811d2f10)", "kvfree_call_rcu", False),
        (b"probe:synchronize_rcu__return", b"(ffffffff8 <- ffffffff9)", "synchronize_rcu", True),
        (b"kmem:mm_page_alloc", b"page=0 pfn=0x0 order=0", "mm_page_alloc", False),
    ],
)  # fmt: skip
def test_a_probe_is_known_by_where_it_sits_and_else_by_its_name(
    event: bytes, text: bytes, function: str, is_return: bool
) -> None:
    assert function_of(event, text) == (function, is_return)


@pytest.mark.parametrize(
    ("flags", "kind", "is_own"),
    [
        (b"GFP_NOWAIT|__GFP_NOWARN", gfp.PAGE, False),
        (b"GFP_NOWAIT", gfp.PAGE, False),
        (b"0x800", gfp.PAGE, False),
        (b"10240", gfp.PAGE, False),
        (b"none", gfp.PAGE, False),
        (b"GFP_ATOMIC|__GFP_NOWARN", gfp.ATOMIC, False),
        (b"0xa20", gfp.ATOMIC, False),
        (b"GFP_KERNEL", gfp.SLEEPS, False),
        (b"GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO", gfp.SLEEPS, False),
        (b"GFP_KERNEL|__GFP_NOWARN|__GFP_NORETRY|__GFP_NOMEMALLOC", gfp.NORETRY, True),
        (b"GFP_KERNEL|__GFP_NOWARN|__GFP_NORETRY", gfp.NORETRY, False),
        (b"601280", gfp.NORETRY, True),
        (b"0x92cc0", gfp.NORETRY, True),
        (b"0x192cc0", gfp.NORETRY, True),
    ],
)
def test_the_class_of_a_request_is_that_of_its_flags(flags: bytes, kind: str, is_own: bool) -> None:
    assert gfp.class_of(flags) == (kind, is_own)


@pytest.mark.parametrize("flags", [b"", b"0x", b"rm -rf", b"GFP_NOWAIT|$(x)", b"1" * 40])
def test_what_are_no_flags_have_no_class(flags: bytes) -> None:
    assert gfp.class_of(flags) is None


PAGE = "mm_page_alloc"


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("page=0000000000000000 pfn=0x0 order=0 migratetype=0 gfp_flags=GFP_NOWAIT", 1),
        ("page=(null) pfn=0 order=0 migratetype=0 gfp_flags=GFP_NOWAIT|__GFP_NOWARN", 1),
        ("page=00000000f1b2 pfn=0x1a2b3 order=0 migratetype=1 gfp_flags=GFP_NOWAIT", 0),
        ("page=00000000f1b2 pfn=107187 order=0 migratetype=1 gfp_flags=GFP_NOWAIT", 0),
        ("page=0xffffea0004 pfn=0x1a2b3 order=0 migratetype=1 gfp_flags=GFP_NOWAIT", 0),
    ],
)
def test_a_failed_request_has_no_page_in_decimal_and_in_hex(
    tmp_path: Path, text: str, failed: int
) -> None:
    found = of_lines(tmp_path, event(5.0, PAGE, text)).page
    assert (int(found.tries.sum()), int(found.failed.sum())) == (1, failed)


def test_requests_for_more_than_a_page_are_none_of_ours(tmp_path: Path) -> None:
    text = "page=0000000000000000 pfn=0x0 order=9 migratetype=0 gfp_flags=GFP_NOWAIT"
    call = event(6.0, "kvf", CALL)
    found = of_lines(tmp_path, event(5.0, PAGE, text), call)
    assert len(found.page.windows) == 0
    assert found.not_understood == 0


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("order=0 may_writepage=1 gfp_flags=GFP_KERNEL classzone_idx=2", "nr_reclaimed=32"),
        ("order=0 gfp_flags=GFP_KERNEL", "nr_reclaimed=32"),
        ("order=0 gfp_flags=GFP_KERNEL pid=7 memcg_id=1 ", "nr_reclaimed=32 pid=7 memcg_id=1 "),
        ("order=0 gfp_flags=GFP_KERNEL pid=7 memcg_id=1 (in-irq)", "nr_reclaimed=0 (in-irq)"),
    ],
)
def test_a_stall_is_from_begin_to_end_of_a_task(tmp_path: Path, begin: str, end: str) -> None:
    found = of_lines(
        tmp_path,
        event(5.0, "mm_vmscan_direct_reclaim_begin", begin, pid=7),
        event(5.001, "mm_vmscan_direct_reclaim_begin", begin, pid=8),
        event(5.004, "mm_vmscan_direct_reclaim_end", end, pid=7),
        event(5.010, "mm_vmscan_direct_reclaim_end", end, pid=8),
        event(5.020, "mm_vmscan_direct_reclaim_end", end, pid=9),
    )
    lengths = found.reclaims.ends_s - found.reclaims.begins_s
    assert lengths.tolist() == pytest.approx([0.004, 0.009])


@pytest.mark.parametrize(
    "lines",
    [
        [
            event(5.0, "gps", "(rcu_gp_init+0x0/0x550)"),
            event(5.012, "gpe", "(rcu_gp_cleanup+0x4/0x5)"),
        ],
        [  # an init without an end was no grace period
            event(1.0, "gps", "(rcu_gp_init+0x0/0x550)"),
            event(5.0, "gps", "(rcu_gp_init+0x0/0x550)"),
            event(5.012, "gpe", "(rcu_gp_cleanup+0x4/0x5)"),
        ],
        [
            event(5.0, "rcu_grace_period", "rcu_preempt 8369 start"),
            event(5.001, "rcu_grace_period", "rcu_preempt 8369 cpustart"),
            event(5.002, "rcu_grace_period", "srcu 4 start"),
            event(5.012, "rcu_grace_period", "rcu_preempt 8369 end"),
        ],
    ],
)  # fmt: skip
def test_a_grace_period_is_from_init_to_cleanup(tmp_path: Path, lines: list[str]) -> None:
    assert of_lines(tmp_path, *lines).grace_periods_s.tolist() == pytest.approx([0.012])


@pytest.mark.parametrize(
    ("lines", "own"),
    [
        (
            [
                event(5.0, "sync", "(synchronize_rcu+0x0/0xb0)"),
                event(5.012, "end", "(kvfree_call_rcu+0x2c1/0x330 <- synchronize_rcu)"),
            ],
            1,
        ),
        (
            [
                event(5.0, "sync", "(__wait_rcu_gp+0x4/0x1b0)"),
                event(5.012, "end", "(do_umount+0x1/0x3 <- __wait_rcu_gp)"),
            ],
            0,
        ),
        (  # one within the other, as on 6.12
            [
                event(5.0, "sync", "(synchronize_rcu+0x4/0xb0)"),
                event(5.001, "old", "(__wait_rcu_gp+0x4/0x1b0)"),
                event(5.011, "end", "(synchronize_rcu_normal+0x1/0x3 <- __wait_rcu_gp)"),
                event(5.012, "end", "(kvfree_call_rcu+0x2c1/0x330 <- synchronize_rcu)"),
            ],
            1,
        ),
        (  # synchronize_rcu() inlined, as on 6.1
            [
                event(5.0, "old", "(__wait_rcu_gp+0x0/0x1b0)"),
                event(5.012, "end", "(kvfree_call_rcu+0x2c1/0x330 <- __wait_rcu_gp)"),
            ],
            1,
        ),
        (
            [
                event(5.0, "rcu_sr_normal", "rcu_preempt rhp=0x00000000a1 event=request", pid=3),
                event(5.012, "rcu_sr_normal", "rcu_preempt rhp=0x00000000a1 event=complete"),
            ],
            0,
        ),
    ],
)
def test_a_wait_is_from_call_to_return(tmp_path: Path, lines: list[str], own: int) -> None:
    found = of_lines(tmp_path, *lines)
    assert found.waits_s.tolist() == pytest.approx([0.012])
    assert found.counters.get("own_waits", 0) == own


@pytest.mark.parametrize("name", ["rcu_preempt", "rcu_sched", "slab"])
def test_blocks_are_counted_under_any_name_of_the_flavour(tmp_path: Path, name: str) -> None:
    text = f"{name} bulk=0x00000000aaaaaaaa nr_records=6"
    found = of_lines(tmp_path, event(470.286305, "rcu_invoke_kfree_bulk_callback", text))
    assert found.block_pointers == (1, 6)


def test_calls_are_told_by_their_first_argument(tmp_path: Path) -> None:
    found = of_lines(
        tmp_path,
        event(5.0, "kvf", "(kvfree_call_rcu+0x0/0x330) head=0x0 arg=0xffff88800554f5c0"),
        event(5.0, "kvf", "(kvfree_call_rcu+0x4/0x380) head=0xffff888004b80500 arg=0x80"),
        event(5.0, "kvf", "(kvfree_call_rcu+0x4/0x380) head=0xffff888004b80500", cpu=3),
    ).calls
    assert (found.total, int(found.single.sum()), found.cpus.tolist()) == (3, 1, [0, 3])
    assert found.kinds_known
    assert not found.vmalloc_known


def test_calls_without_arguments_are_of_unknown_kind(tmp_path: Path) -> None:
    found = of_lines(tmp_path, event(5.0, "kvf", "(kvfree_call_rcu+0x0/0x330)")).calls
    assert (found.total, found.kinds_known) == (1, False)
