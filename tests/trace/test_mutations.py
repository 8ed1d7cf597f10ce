# SPDX-License-Identifier: GPL-2.0-only
"""Files that were damaged, forged or mixed: a scenario or a sentence, and never a traceback."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from krcsim.base.errors import KrcsimError
from krcsim.model.scenario import from_dict
from krcsim.model.scenario_file import load_scenario
from krcsim.trace import words
from krcsim.trace.fit import make
from krcsim.trace.reading import read
from tests.trace.lines import CALL, event
from tests.trace.test_archive import ARCHIVE

GOOD = [
    *(event(100 + n / 50, "kvf", CALL, cpu=n % 3) for n in range(60)),
    *ARCHIVE.format(release="6.1.0").splitlines(),
    event(100.5, "gps", "(rcu_gp_init+0x0/0x550)"),
    event(100.6, "gpe", "(rcu_gp_cleanup+0x0/0x550)"),
    event(100.7, "mm_page_alloc", "page=0 pfn=0x0 order=0 migratetype=0 gfp_flags=GFP_NOWAIT"),
    event(100.7, "mm_vmscan_direct_reclaim_begin", "order=0 gfp_flags=GFP_KERNEL"),
    event(100.8, "mm_vmscan_direct_reclaim_end", "nr_reclaimed=7"),
    event(100.8, "rcu_sr_normal", "rcu_preempt rhp=0xa1 event=request"),
    "CPU:2 [LOST 123 EVENTS]",
    "Total time taken by all kfree'ers: 4400000000 ns, loops: 10000, batches: 950",
    "@w[500000, 3, 1]: 17",
    "@gp_us:",
    "[4K, 8K)               2 |@@@@@@@@                  |",
    '{"type": "map", "data": {"@w": {"500000,3,1": 17}}}',
    "allocstall_normal 7",
]
ODD = [
    b"\0", b"\xff\xfe", b"999999999999999999", b"-1", b"1e18", b"nan", b"[4096]", b"$(id)",
    b"<script>", b"%s%n", b"{}", b"\r", b"'\"", b"|", b"@", b"#@", b"\x1b[2J", b"0x", b":", b"=",
]  # fmt: skip

CHANGE = st.tuples(
    st.integers(0, 2**16), st.integers(0, 200), st.integers(0, 12), st.sampled_from(ODD)
)


def changed(lines: list[bytes], changes: list[tuple[int, int, int, bytes]]) -> bytes:
    """The lines, with bytes cut out and odd ones put in at chosen places."""
    for number, place, cut, odd in changes:
        index = number % len(lines)
        line = lines[index]
        at = place % (len(line) + 1)
        lines[index] = line[:at] + odd + line[at + cut :]
    return b"\n".join(lines)


def answered(data: bytes) -> None:
    """Whatever the bytes are: a scenario that krcsim reads again, or one sentence."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trace.txt"
        path.write_bytes(data)
        try:
            made = make(read([path]), load_scenario("thread-as-posted"), "thread-as-posted")
        except KrcsimError:
            return  # its message is a line: tests/base/test_messages.py

    import tomllib

    text = words.scenario_file(made, "krcsim read")
    assert from_dict(tomllib.loads(text)) == made.scenario
    assert words.json_of(made, "krcsim read")
    said = words.summary(made)
    assert all(c.isprintable() or c == "\n" for c in said)


@given(st.lists(CHANGE, max_size=12), st.randoms(use_true_random=False))
def test_changed_lines_give_an_answer(
    changes: list[tuple[int, int, int, bytes]], random: object
) -> None:
    lines = [line.encode() for line in GOOD]
    random.shuffle(lines)  # type: ignore[attr-defined]
    answered(changed(lines, changes))


@given(st.lists(CHANGE, max_size=12))
def test_a_changed_archive_gives_an_answer(changes: list[tuple[int, int, int, bytes]]) -> None:
    lines = [line.encode() for line in ARCHIVE.format(release="5.10.0").splitlines()]
    answered(changed(lines, changes))


@given(st.binary(max_size=400))
def test_any_bytes_give_an_answer(data: bytes) -> None:
    answered(data)
    answered(b"#@krcsim-recording 1\n" + data)
