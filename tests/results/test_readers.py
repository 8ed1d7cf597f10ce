# SPDX-License-Identifier: GPL-2.0-only
"""Files that lie: whatever was changed in them, they are read as they stand or refused in a short
sentence.
"""

from __future__ import annotations

import json
import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from krcsim.base.errors import LONGEST_MESSAGE, FieldError, KrcsimError, sentence, shown
from krcsim.guest.recorded_episodes import episodes
from krcsim.guest.recorded_scenario import grace_lengths_ms
from krcsim.guest.recordings import condition_of, read_set
from krcsim.guest.rows import flat
from krcsim.model.grace_period import read_lengths
from krcsim.model.scenario import changed
from krcsim.model.scenario_file import data_folder, load_scenario, read_scenario
from krcsim.report.chart import Chart, Line, chart_csv
from krcsim.results import result_format as formats
from krcsim.results.estimate import NOTHING
from krcsim.results.result import BASE, Result, load_result
from krcsim.sweeps.growing import growing
from krcsim.sweeps.head import FIRST_FORMAT, FORMAT, OLD_FORMATS, head
from krcsim.sweeps.plan import plan_of
from krcsim.sweeps.row import Seal
from krcsim.sweeps.run import sweep_into
from krcsim.sweeps.table import read_table, table_result
from validation.mutations import GUEST_ROW, READERS, _result, run


def refusal(call: Callable[..., object], *args: Any, **how: Any) -> str:
    """The one short line with which it is refused."""
    with pytest.raises(KrcsimError) as caught:
        call(*args, **how)
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) <= LONGEST_MESSAGE
    return text


@pytest.mark.usefixtures("warm_engine")
@pytest.mark.parametrize("reader", READERS)
def test_what_was_changed_at_random_is_read_or_refused_in_a_sentence(reader: str) -> None:
    assert run(reader, range(250)).faults == {}


# Messages


INSIDE_ITSELF: dict[str, object] = {}
INSIDE_ITSELF["x"] = [INSIDE_ITSELF]
HUGE = [
    INSIDE_ITSELF,
    "x" * 10**6,
    [[[[[[1]]]]]] * 1000,
    {n: n for n in range(1000)},
    16**5000,
    b"x" * 999,
    "\n\0\ud800",
    "\x1b[2J",
]


@pytest.mark.parametrize("value", HUGE, ids=range(len(HUGE)))
def test_a_message_shows_a_readable_part_of_what_was_given(value: object) -> None:
    assert len(shown(value)) <= 60
    text = str(FieldError("machine.cpus", value, "a number", "mend it"))
    assert text.isprintable()
    assert len(text) <= LONGEST_MESSAGE


def test_a_message_that_is_too_long_keeps_what_is_wrong_and_what_to_do() -> None:
    text = sentence("scenario file " + "a\n" * 9000 + " cannot be read; give another")
    assert text.startswith("scenario file a")
    assert text.endswith("cannot be read; give another")


@pytest.mark.parametrize("value", [0, "0", len, lambda: 0], ids=range(4))
def test_a_refusal_comes_whole_out_of_another_process(value: object) -> None:
    refused = FieldError("machine.cpus", value, "a number", "mend it")
    again = pickle.loads(pickle.dumps(refused))
    assert (str(again), again.field) == (str(refused), "machine.cpus")
    assert str(again.within("other")) == str(refused).replace("machine", "other")


# Scenarios


SLOW = {
    "names with dots": "a" + ".a" * 50_000 + " = 1",
    "names in quotes": '"a"' + '."a"' * 50_000 + " = 1",
    "a header": "[a" + ".a" * 50_000 + "]",
    "tables": "".join(f"[t{n}]\n" for n in range(300_000)),
    "a list": "x = [" + "1," * 1_000_000 + "]",
    "brackets": "[machine]\ncpus = " + "[" * 3000,
    "digits": "[machine]\ncpus = " + "1" * 5000,
    "escapes": 'x = "' + '\\"' * 1_000_000 + '"',
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_a_scenario_that_would_take_long_to_read_is_refused_at_once(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "s.toml").write_text(text)
    assert str(tmp_path / "s.toml") in refusal(read_scenario, tmp_path / "s.toml")


def test_thousands_of_lengths_and_episodes_are_no_lie(tmp_path: Path) -> None:
    text = (
        "[grace_period]\nkind = 'empirical'\nlengths_ms = ["
        + "12.5," * 20_000
        + "]\n[allocator]\nepisodes = 'schedule'\n"
    )
    (tmp_path / "s.toml").write_text(
        text + "schedules = [" + ",".join(f"[{2 * n}, {2 * n + 1}]" for n in range(20_000)) + "]"
    )
    s = read_scenario(tmp_path / "s.toml")
    assert (len(s.grace_period.lengths_ms), len(s.allocator.schedules[0])) == (20_000, 20_000)


def test_a_pipe_that_nobody_writes_into_is_refused_and_another_one_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "nobody writes" in refusal(read_lengths, tmp_path / "pipe")
    ends = os.pipe()
    writer = threading.Timer(0.1, lambda: (os.write(ends[1], b"12.5\n"), os.close(ends[1])))
    writer.start()
    assert read_lengths(Path(f"/dev/fd/{ends[0]}")) == (12.5,)
    writer.join()
    os.close(ends[0])


@pytest.mark.parametrize("name", [5, None, b"phone", ["phone"], 1.5])
def test_what_is_no_name_names_no_scenario(name: Any) -> None:
    assert "the name of a preset or the path" in refusal(load_scenario, name)


# Results


def write(path: Path, body: dict[str, Any]) -> Path:
    """A result file whose checksum is right, whatever it holds."""
    path.write_text(json.dumps({**body, "sha256": formats.checksum(body)}), encoding="utf-8")
    return path


def body() -> dict[str, Any]:
    """A result, to be changed."""
    found: dict[str, Any] = json.loads(json.dumps(_result(False)))
    return found


def row_with(column: str, value: object) -> dict[str, Any]:
    changed_body = body()
    changed_body["rows"][0][1 + BASE.index(column)] = value
    return changed_body


LIES: dict[str, Callable[[], dict[str, Any]]] = {
    "no rows": lambda: body() | {"rows": []},
    "rows that are a number": lambda: body() | {"rows": 5},
    "a row that is text": lambda: body() | {"rows": ["steady"]},
    "a short row": lambda: body() | {"rows": [body()["rows"][0][:-1]]},
    "a value that is text": lambda: row_with("value", "0.5"),
    "a value below 0": lambda: row_with("value", -0.5),
    "an interval upside down": lambda: row_with("lo", 0.9),
    "a kind that is none": lambda: row_with("kind", "guess"),
    "a bound with a value": lambda: row_with("kind", "bound"),
    "half a replication": lambda: row_with("replications", 1.5),
    "a window on two lines": lambda: row_with("window", "boot\nsteady"),
    "a difference of words": lambda: (
        body() | {"differences": [["B", "A1", "boot", "p_wait", "x", 0, 0, 0]]}
    ),
    "no seed": lambda: (
        body() | {"provenance": {k: v for k, v in body()["provenance"].items() if k != "seed"}}
    ),
    "a command with an open quote": lambda: (
        body() | {"provenance": body()["provenance"] | {"command": "krcsim 'x"}}
    ),
    "the same column twice": lambda: body() | {"columns": ["remedy", "remedy", *BASE]},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_result_that_lies_is_refused_though_its_checksum_is_right(
    lie: str, tmp_path: Path
) -> None:
    refusal(load_result, write(tmp_path / "r.json", LIES[lie]()))


def test_a_name_given_twice_is_no_result(tmp_path: Path) -> None:
    path = write(tmp_path / "r.json", body())
    assert load_result(path).points()
    path.write_text(
        path.read_text().replace('"format":', '"format": "krcsim-result/1", "format":', 1)
    )
    assert "not JSON" in refusal(load_result, path)


def test_each_column_of_a_result_has_a_rule() -> None:
    assert {*BASE} <= {*formats.RULES}


def test_a_notebook_shows_names_and_runs_none() -> None:
    wrong = "<script>alert(1)</script>"
    found = Result(
        ("remedy", wrong, *BASE),
        (("A1", wrong, "steady", "p_wait", "", 0.5, 0.4, 0.6, "interval", 8, None),),
        (),
        {},
    )
    assert "<script" not in found._repr_html_()


# Tables of sweeps


PLAN = plan_of(
    changed(load_scenario("thread-as-posted"), warmup_ms=20.0, horizon_ms=100.0),
    {"machine.cpus": [1, 2, 3, 4]},
    max_runs=8,
    method="skipping",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The table of PLAN."""
    path = tmp_path_factory.mktemp("sweep") / "t.csv"
    sweep_into(path, PLAN, workers=1)
    return path.read_bytes()


def second_row(whole: bytes) -> bytes:
    return whole.splitlines(keepends=True)[-3]


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "a digit": lambda row: row.replace(b"0.", b"1.", 1),
    "a word": lambda row: row.replace(b"skipping", b"exact", 1),
    "cut to its number": lambda _: b"1,\n",
    "without its check": lambda row: row[:-10] + b"\n",
    "zeros": lambda row: b"1," + bytes(len(row) - 3) + b"\n",
    "a space": lambda row: row[:-1] + b" \n",
    "of another table": lambda row: Seal("another head").whole(row[:-10].decode()).encode(),
    "nothing": lambda _: b"\n",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_row_is_never_taken_for_one_that_was_computed(
    change: str, whole: bytes, tmp_path: Path
) -> None:
    lie = whole.replace(second_row(whole), CHANGES[change](second_row(whole)))
    assert lie != whole
    (tmp_path / "t.csv").write_bytes(lie)
    assert "the row of point 1" in refusal(sweep_into, tmp_path / "t.csv", PLAN)
    assert (tmp_path / "t.csv").read_bytes() == lie
    assert "the row of point 1" in refusal(read_table, tmp_path / "t.csv")
    (tmp_path / "t.csv").write_bytes(lie[: whole.index(second_row(whole))])
    sweep_into(tmp_path / "t.csv", PLAN)
    assert (tmp_path / "t.csv").read_bytes() == whole


def test_a_table_torn_at_any_byte_of_its_rows_ends_as_if_nothing_had_happened(
    whole: bytes, tmp_path: Path
) -> None:
    for cut in range(len(head(PLAN)), len(whole), 7):
        (tmp_path / "t.csv").write_bytes(whole[:cut])
        with growing(tmp_path / "t.csv", PLAN) as found:
            assert whole[:cut].startswith(whole[: found.end])
            assert found.rows == whole[: found.end].count(b"\n") - head(PLAN).count("\n")


def of_before(whole: bytes, form: str) -> bytes:
    """The same as an older version wrote it: with rungs, and in the first format without checks."""
    text = whole.decode().replace(FORMAT, form).replace("max_runs = 8", "max_rung = 0")
    top = [line for line in text.splitlines() if line.startswith("#")]
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    older = [
        ",".join([*cells[:-2], "p_wait.rung" if cells[0] == "point" else "0", cells[-2]])
        for cells in rows
    ]
    if form == FIRST_FORMAT:
        return "".join(f"{line}\n" for line in [*top, *older]).encode()

    begin = "".join(f"{line}\n" for line in [*top, f"{older[0]},check"])
    return (begin + "".join(map(Seal(begin).whole, older[1:]))).encode()


def first_format(whole: bytes) -> bytes:
    """The same as a version without checks wrote it."""
    return of_before(whole, FIRST_FORMAT)


@pytest.mark.parametrize("form", OLD_FORMATS)
def test_a_table_of_before_is_read_but_not_gone_on_with(
    form: str, whole: bytes, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_bytes(of_before(whole, form))
    (tmp_path / "u.csv").write_bytes(whole)
    old, new = read_table(tmp_path / "t.csv"), read_table(tmp_path / "u.csv")
    assert old.plan == new.plan
    assert [row[:-1] for row in new.rows] == [row[: len(new.columns) - 1] for row in old.rows]
    assert table_result(old) == table_result(new)
    refused = refusal(sweep_into, tmp_path / "t.csv", PLAN)
    assert form in refused
    assert "choose another name" in refused


@pytest.mark.parametrize(
    "wrong",
    ['"', "x,1", "1e999", "nan", "1" * 5000, "x" * 200_000, "\0", ",,,,,,,,,,,,,,", "0,1,\u0661"],
    ids=range(9),
)
def test_a_table_of_before_that_was_changed_is_refused_too(
    wrong: str, whole: bytes, tmp_path: Path
) -> None:
    lines = first_format(whole).decode().splitlines()
    lines[-2] = f"2,{wrong},{lines[-2].split(',', 2)[2]}"
    (tmp_path / "t.csv").write_text("\n".join([*lines, ""]))
    refusal(read_table, tmp_path / "t.csv")


HEADS = [
    ("draws = 1", "draws = -1"),
    ("points = 4", "points = 5"),
    ('"p_wait"', '"p_weight"'),
    ("seed = ", "seed = -"),
    ("[over]", "[over.a]"),
    ("max_runs = 8", 'max_runs = "x"'),
    ("cpus = 4", 'cpus = "x"'),
    ("precision = 0.1", "precision = []"),
]


@pytest.mark.parametrize(("was", "lie"), HEADS)
def test_a_head_that_lies_is_no_plan(was: str, lie: str, whole: bytes, tmp_path: Path) -> None:
    assert was.encode() in whole
    (tmp_path / "t.csv").write_bytes(whole.replace(was.encode(), lie.encode()))
    refusal(read_table, tmp_path / "t.csv")


# Recordings


def rows() -> list[dict[str, Any]]:
    """Two rows of a recording."""
    first = read_set(data_folder() / "kernel-6.1" / "loops.csv")[0]
    return [dict(run.columns) for run in first.runs]


@pytest.mark.parametrize(
    "value",
    ["0", "-1", "1e999", "nan", "", "x", None, "1" * 400, [1], "\0", "1e300"],
    ids=range(11),
)
@pytest.mark.parametrize("column", ["hz", "cpus", "period_us", "dur_ms"])
def test_a_recording_with_a_number_that_no_run_has_is_refused_by_column(
    column: str, value: Any
) -> None:
    wrong = [row | {column: value} for row in rows()]
    if value == "":  # left out: what the harness takes then
        assert condition_of("x", wrong)
    else:
        assert f"recording x has {column} = " in refusal(condition_of, "x", wrong)


@pytest.mark.parametrize("column", ["seed", "calls", "sync", "sync_ns"])
def test_a_recording_without_a_count_is_refused_by_column(column: str) -> None:
    for value in ("", "-1", "x", "1e99", None):
        assert column in refusal(condition_of, "x", [row | {column: value} for row in rows()])
    assert f"no column {column}" in refusal(
        condition_of, "x", [{k: v for k, v in r.items() if k != column} for r in rows()]
    )


@pytest.mark.parametrize(
    "lie", [{"sync_ns": "0"}, {"sync": "0"}, {"calls": "1"}, {"threads": "0.5"}, {"hz": "250.5"}]
)
def test_counts_that_contradict_each_other_or_are_not_whole_are_refused(
    lie: dict[str, str],
) -> None:
    assert int(rows()[0]["sync"]) > 1
    refusal(condition_of, "x", [row | lie for row in rows()])


def test_episodes_that_would_never_end_are_no_recording() -> None:
    wrong = [row | {"on_ms": "1", "off_ms": "0", "dur_ms": "1000000"} for row in rows()]
    assert "episodes of pressure" in refusal(condition_of, "x", wrong)
    right = condition_of(
        "x", [row | {"on_ms": "10", "off_ms": "60", "seed": str(2**63 - 1)} for row in rows()]
    )
    assert episodes(right, right.runs[0].seed)


@pytest.mark.parametrize(
    "lengths", ["5", "[", "[1, null]", "[-1]", '["x"]', "[1e999]", "[" * 3000], ids=range(7)
)
def test_grace_periods_that_are_no_list_of_lengths_are_refused(lengths: str) -> None:
    refusal(grace_lengths_ms, condition_of("x", [row | {"gp_len_us": lengths} for row in rows()]))


@pytest.mark.parametrize("name", ["mode", "calls", "dur_ms", "threads", "p_page_ppm", "sync_ns"])
def test_a_result_of_the_guest_without_a_count_is_refused(name: str) -> None:
    assert flat(GUEST_ROW)["calls"] == 10
    for value in (None, "x", -1, 10**400, [], 0.5 if name != "dur_ms" else 0):
        refusal(flat, GUEST_ROW | {name: value})
    refusal(flat, {k: v for k, v in GUEST_ROW.items() if k != name})


# What is written


def test_a_name_is_one_cell_of_the_data_drawn_and_no_formula() -> None:
    lines = tuple(
        Line(name, ("3, of four",), (1.0,), (NOTHING,)) for name in ('=cmd|"x"', "two\nlines", "B3")
    )
    text = chart_csv(Chart(lines, "x", "y", True), {})
    assert text.splitlines()[1:] == [
        '"\'=cmd|""x""",now,"3, of four",1,,,,none',
        '"two lines",now,"3, of four",1,,,,none',
        '"B3",now,"3, of four",1,,,,none',
    ]
