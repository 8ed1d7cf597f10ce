# SPDX-License-Identifier: GPL-2.0-only
"""What a user can get wrong is refused in one line, and what he writes is read as he meant it."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krcsim.base.errors import FieldError, KrcsimError
from krcsim.base.fields import allowed
from krcsim.model.allocator import Allocator, Failure, read_schedules
from krcsim.model.grace_period import GracePeriod, read_lengths
from krcsim.model.machine import Machine
from krcsim.model.memory import Memory
from krcsim.model.remedy import REMEDIES, Remedy, named
from krcsim.model.scenario import Scenario, as_dict, changed, from_dict
from krcsim.model.scenario_file import read_scenario, toml_text
from krcsim.model.workload import Workload
from validation.scenarios import random_scenario

SECTIONS = dict(
    scenario=Scenario,
    machine=Machine,
    remedy=Remedy,
    allocator=Allocator,
    grace_period=GracePeriod,
    workload=Workload,
    memory=Memory,
)
FIELDS: dict[str, tuple[str, Any, Any]] = {
    f"{section}.{field.name}": (section, cls, field)
    for section, cls in SECTIONS.items()
    for field in dataclasses.fields(cls)
    if "kind" in field.metadata
}


def of_kind(*kinds: str) -> list[str]:
    """The names of the fields of some kinds."""
    return [name for name in FIELDS if FIELDS[name][2].metadata["kind"] in kinds]


NO_NUMBERS = {
    "nan": math.nan,
    "inf": math.inf,
    "minus inf": -math.inf,
    "text": "5",
    "true": True,
    "bytes": b"5",
    "list": [5],
    "array": np.array([5]),
    "numpy's whole number": np.int64(5),
    "numpy's nan": np.float64("nan"),
    "complex": 5j,
    "no float": 10**400,
    "not printable": 16**5000,
}


def refusal(call: Callable[[], object]) -> str:
    """The one line in which a call refuses what it was given."""
    with pytest.raises(KrcsimError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) <= 400
    return message


def assert_refused(name: str, value: object) -> None:
    """Fails unless a value is refused by name, value and allowed range, in both ways in."""
    section, cls, field = FIELDS[name]
    given_in = {field.name: value}
    as_table = given_in if section == "scenario" else {section: given_in}
    for call in (lambda: cls(**given_in), lambda: from_dict(as_table)):
        with pytest.raises(FieldError) as caught:
            call()
        message = str(caught.value)
        assert message.startswith(f"{name} is ")
        assert allowed(field.metadata) in message
        assert "\n" not in message
        assert caught.value.field == name


@pytest.mark.parametrize("what", NO_NUMBERS)
@pytest.mark.parametrize("name", of_kind("number", "whole"))
def test_a_number_must_be_a_finite_number(name: str, what: str) -> None:
    assert_refused(name, NO_NUMBERS[what])


@pytest.mark.parametrize("name", of_kind("number", "whole"))
def test_a_number_must_lie_in_its_range(name: str) -> None:
    lo, hi = (FIELDS[name][2].metadata[end] for end in ("lo", "hi"))
    for value in (lo - 1, math.nextafter(lo, -math.inf), math.nextafter(hi, math.inf), 2 * hi + 1):
        assert_refused(name, value)


@pytest.mark.parametrize("name", of_kind("whole"))
def test_a_count_must_be_whole(name: str) -> None:
    assert_refused(name, FIELDS[name][2].metadata["lo"] + 0.5)


@pytest.mark.parametrize("value", ["true", 1, 0, None, 0.0])
@pytest.mark.parametrize("name", of_kind("flag"))
def test_a_switch_must_be_true_or_false(name: str, value: Any) -> None:
    assert_refused(name, value)


WAS_A_FLAG = "remedy.refill"  # true and false are its old values


@pytest.mark.parametrize("value", ["", "Poisson", "nonsense", 1, None, ["none"]])
@pytest.mark.parametrize("name", of_kind("choice"))
def test_a_word_must_be_one_of_the_known(name: str, value: Any) -> None:
    if name == "remedy.refill" and value is True:  # as files said when there was one such worker
        assert from_dict(dict(remedy=dict(refill=True))).remedy.refill == "any_miss"
    else:
        assert_refused(name, value)


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("name", [name for name in of_kind("choice") if name != WAS_A_FLAG])
def test_a_word_is_no_switch(name: str, value: bool) -> None:
    assert_refused(name, value)


@pytest.mark.parametrize(("value", "word"), [(True, "any_miss"), (False, "none")])
def test_refill_as_a_switch_stands_for_the_worker_of_the_harness_or_none(
    value: bool, word: str
) -> None:
    """As in files of before; changed, it is the same as read."""
    read = from_dict({"remedy": {"refill": value}})
    assert read.remedy.refill == word
    assert changed(read, **{WAS_A_FLAG: not value}) != read
    assert changed(read, **{WAS_A_FLAG: value}) == read
    assert from_dict({"remedy": {"refill": word}}) == read


@pytest.mark.parametrize("what", [*NO_NUMBERS, "negative", "above 1", "none"])
@pytest.mark.parametrize("when", ["calm", "episode"])
def test_a_failure_must_be_a_probability(when: str, what: str) -> None:
    value = {**NO_NUMBERS, "negative": -0.1, "above 1": 1.1, "none": None}[what]
    message = refusal(lambda: from_dict({"allocator": {when: {"page": value}}}))
    assert message.startswith(f"allocator.{when}.page is ")
    assert "from 0 to 1" in message


@pytest.mark.parametrize("optional", [f.name for f in dataclasses.fields(Failure)])
def test_a_failure_that_is_left_out_falls_back_on_another(optional: str) -> None:
    failure = Failure(**{f: 0.5 for f in ("page", "head") if f != optional})
    assert all(0.0 <= p <= 0.5 for p in failure.resolved())


CONTRADICTIONS: dict[str, dict[str, Any]] = {
    "machine.nocb_share": dict(machine=dict(cpus=1, nocb_share=0.5)),
    "remedy.emergency_at_boot": dict(remedy=dict(nr_emergency_objs=3, emergency_at_boot=4)),
    "remedy.cache_at_boot": dict(remedy=dict(nr_bkv_objs=1, cache_at_boot=2)),
    "remedy.array_path": dict(remedy=dict(array_path=False, cache_at_boot=1)),
    "remedy.array_path ": dict(remedy=dict(array_path=False, page_class="noretry")),
    "allocator.schedules": dict(allocator=dict(episodes="schedule")),
    "allocator.schedules ": dict(allocator=dict(episodes="none", schedules=[[0, 1]])),
    "allocator.schedules  ": dict(allocator=dict(episodes="schedule", schedules=[[5, 5]])),
    "allocator.schedules   ": dict(
        allocator=dict(episodes="schedule", schedules=[[0, 9], [5, 12]])
    ),
    "allocator.schedules    ": dict(allocator=dict(episodes="schedule", schedules=[[-1, 5]])),
    "allocator.schedules     ": dict(
        allocator=dict(episodes="schedule", schedules=[[math.nan, 5]])
    ),
    "allocator.episode.page_noretry": dict(
        allocator=dict(episode=dict(page=0.1, page_noretry=0.2))
    ),
    "allocator.episode.head_atomic": dict(allocator=dict(episode=dict(head=0.1, head_atomic=0.2))),
    "allocator.episode.head_high": dict(allocator=dict(episode=dict(head=0.1, head_high=0.2))),
    "allocator.calm.head_reclaim": dict(allocator=dict(calm=dict(head=0.1, head_reclaim=0.2))),
    "grace_period.mean_ms": dict(grace_period=dict(kind="fixed")),
    "grace_period.mean_ms ": dict(grace_period=dict(kind="ticks", mean_ms=1.0)),
    "grace_period.lengths_ms": dict(grace_period=dict(kind="empirical")),
    "grace_period.lengths_ms ": dict(
        grace_period=dict(kind="fixed", mean_ms=10.0, lengths_ms=[10.0])
    ),
    "grace_period.mean_ms  ": dict(
        grace_period=dict(kind="ticks", mean_ms=12.0, lengths_ms=[10.0])
    ),
    "grace_period.reader_ms": dict(
        grace_period=dict(kind="ticks", reader_ms=20.0, lengths_ms=[10.0])
    ),
    "grace_period.lengths_ms  ": dict(grace_period=dict(kind="empirical", lengths_ms=[0.0])),
    "grace_period.lengths_ms   ": dict(grace_period=dict(kind="empirical", lengths_ms=[math.nan])),
    "workload.burst": dict(workload=dict(arrivals="poisson", burst=2)),
    "workload.gap": dict(workload=dict(arrivals="poisson", gap="exponential")),
    "workload.producers": dict(workload=dict(loop="open", producers=2)),
    "workload.producers ": dict(
        machine=dict(cpus=1024), workload=dict(loop="closed", producers=4096)
    ),
    "workload.rate_hz": dict(workload=dict(rate_hz=1e7), machine=dict(instruction_ns=8)),
    "workload.rate_hz ": dict(workload=dict(rate_hz=1e5), horizon_ms=1e8, machine=dict(cpus=100)),
    "scenario.warmup_ms": dict(warmup_ms=20.0, horizon_ms=10.0),
}


@pytest.mark.parametrize("field", CONTRADICTIONS)
def test_contradictory_settings_are_refused_by_the_field_to_change(field: str) -> None:
    message = refusal(lambda: from_dict(CONTRADICTIONS[field]))
    assert message.startswith(f"{field.strip()} is ")
    assert "; allowed: " in message


@pytest.mark.parametrize(
    ("table", "start"),
    [
        (dict(machine=dict(cpus=0)), "machine.cpus is 0; allowed: a whole number from 1 to 1024"),
        (dict(workload=dict(rate_hz=1e12)), "workload.rate_hz is 1000000000000.0; allowed: "),
        (dict(horizon_ms=0), "scenario.horizon_ms is 0; allowed: a number from 0.001 to 1e+08 ms"),
        (dict(krcsim=2), "krcsim = 2 is not the format of this version"),
        (dict(machine=5), "machine is 5; allowed: a table [machine] of fields"),
        (dict(machine=dict(cpu=5)), "machine.cpu is not a field of [machine]; did you mean cpus?"),
        (dict(machines={}), "scenario.machines is not a field of [scenario]; did you mean machine"),
        (dict(remedy=dict(pool=5)), "remedy.pool is not a field of [remedy]; known: head_alloc"),
        (dict(remedy="Z9"), "remedy 'Z9' is not known; allowed: A0, A1"),
        (dict(remedy="B\u00b2"), "remedy 'B\u00b2' is not known"),
        (dict(remedy=dict(base=5)), "remedy '5' is not known"),
        (dict(allocator=dict(episode=dict(pages=1))), "allocator.episode.pages is not a field"),
        ({"a\nb": 1}, r"scenario.'a\nb' is not a field"),
        (dict(grace_period=dict(file="a\nb")), "grace_period.file is "),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_write(table: dict[str, Any], start: str) -> None:
    assert refusal(lambda: from_dict(table)).startswith(start)


@pytest.mark.parametrize("number", range(40))
def test_a_scenario_written_as_toml_is_read_back_equal(number: int, tmp_path: Path) -> None:
    scenario = random_scenario(number)
    file = tmp_path / "world.toml"
    file.write_text(toml_text(scenario, "two\nlines"), encoding="utf-8")
    assert read_scenario(file) == scenario


@pytest.mark.parametrize("name", [*REMEDIES, "B0", "B12", "D0-A0", "D8-A1"])
def test_a_named_remedy_is_the_same_in_a_scenario_and_in_its_table(name: str) -> None:
    scenario = from_dict({"remedy": name})
    assert scenario.remedy == named(name)
    assert from_dict(as_dict(scenario)) == scenario


def test_a_changed_field_is_all_that_changes() -> None:
    scenario = random_scenario(1)
    faster = changed(scenario, **{"workload.rate_hz": 123.0})
    workload = dataclasses.replace(scenario.workload, rate_hz=123.0)
    assert faster == dataclasses.replace(scenario, workload=workload)


@pytest.mark.parametrize("path", ["", ".", "rate_hz", "workload.rate", "workload.rate_hz.x", "a.b"])
def test_a_change_of_what_does_not_exist_is_refused(path: str) -> None:
    refusal(lambda: changed(Scenario(), **{path: 1.0}))


# ---- made in Python

PARTS = [
    (cls, f.name)
    for cls in (Scenario, Allocator)
    for f in dataclasses.fields(cls)
    if dataclasses.is_dataclass(f.default)
]
NO_PARTS: list[Any] = [5, None, "A1", {}, {"cpus": 2}, [], Scenario, REMEDIES]


@pytest.mark.parametrize("value", NO_PARTS, ids=lambda x: type(x).__name__)
@pytest.mark.parametrize(("cls", "name"), PARTS, ids=lambda x: str(x))
def test_a_part_of_another_class_is_refused(cls: type, name: str, value: Any) -> None:
    with pytest.raises(FieldError, match=rf"^{cls.__name__.lower()}\.{name} is "):
        cls(**{name: value})


@pytest.mark.parametrize("what", NO_NUMBERS)
def test_a_failure_made_in_python_is_refused_at_once(what: str) -> None:
    with pytest.raises(FieldError, match=r"^failure\.head is "):
        Failure(head=NO_NUMBERS[what])


@pytest.mark.parametrize(
    "value", [5, "x", None, {}, [["a"]], [[1, 2, 3]], np.zeros((1, 2)), 1.5, True]
)
def test_episodes_that_are_no_list_of_pairs_are_refused(value: Any) -> None:
    with pytest.raises(FieldError, match=r"^allocator\.schedules is "):
        Allocator(episodes="schedule", schedules=value)


@pytest.mark.parametrize("value", [5, "12", None, {}, ["x"], [[1]], np.zeros(2), True])
def test_lengths_that_are_no_list_of_numbers_are_refused(value: Any) -> None:
    with pytest.raises(FieldError, match=r"^grace_period\.lengths_ms is "):
        GracePeriod(kind="empirical", lengths_ms=value)


def test_lists_given_in_python_are_the_same_as_those_of_a_file() -> None:
    made = Scenario(
        allocator=Allocator(episodes="schedule", schedules=[[0, 5]]),  # type: ignore[arg-type]
        grace_period=GracePeriod(kind="empirical", lengths_ms=[12, 8.5]),  # type: ignore[arg-type]
    )
    assert from_dict(as_dict(made)) == made
    assert hash(made)


def test_numbers_and_words_of_numpy_are_pythons_afterwards() -> None:
    made = Workload(rate_hz=np.float64(77.0), arrivals=np.str_("periodic"))
    assert (type(made.rate_hz), type(made.arrivals)) == (float, str)


# ---- changes


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    "remedy", ["E1", named("E1"), dataclasses.asdict(named("E1"))], ids=["name", "value", "dict"]
)
def test_a_whole_part_is_changed_first_and_then_its_fields(remedy: Any, order: int) -> None:
    given = dict(list({"remedy.nr_bkv_objs": 3, "remedy": remedy}.items())[::order])
    found = changed(Scenario(), **given).remedy
    assert found == dataclasses.replace(named("E1"), nr_bkv_objs=3)


@pytest.mark.parametrize("order", [1, -1])
def test_a_list_that_is_given_with_another_kind_is_not_dropped(order: int) -> None:
    for kind, other, lists, value in (
        ("grace_period.kind", "fixed", "grace_period.lengths_ms", [5.0]),
        ("allocator.episodes", "none", "allocator.schedules", [[0, 5]]),
    ):
        length = {"grace_period.mean_ms": 5.0} if other == "fixed" else {}
        given = dict(list({kind: other, lists: value, **length}.items())[::order])
        assert lists in refusal(lambda given=given: changed(Scenario(), **given))


def test_the_row_of_a_remedy_is_no_single_field_that_nothing_reads() -> None:
    assert changed(Scenario(), **{"remedy.base": "E1"}).remedy == named("E1")
    assert "give one" in refusal(
        lambda: changed(Scenario(), **{"remedy.base": "E1", "remedy": "A1"})
    )


def test_a_section_is_changed_by_a_value_of_its_class_and_left_to_its_default_by_none() -> None:
    s = random_scenario(3)
    assert changed(s, machine=Machine(cpus=2)).machine == Machine(cpus=2)
    assert changed(s, **{"allocator.episode": Failure(page=0.5)}).allocator.episode == Failure(
        page=0.5
    )
    assert changed(s, remedy=None).remedy == Scenario().remedy
    assert "remedy is Machine(" in refusal(lambda: changed(s, remedy=Machine()))


def test_a_dict_that_is_given_stays_as_it_was() -> None:
    mine = {"cpus": 2}
    episode: dict[str, Any] = {"episode": {"page": 0.5}}
    given = {
        "machine": mine,
        "machine.hz": 1000,
        "allocator": episode,
        "allocator.episode.head": 0.4,
    }
    assert changed(Scenario(), **given).machine == Machine(cpus=2, hz=1000)
    assert (mine, episode) == ({"cpus": 2}, {"episode": {"page": 0.5}})


@pytest.mark.parametrize(
    "path", ["allocator.episode.page.x.y", "workload.rate_hz.x", "a" + ".a" * 50_000], ids=len
)
def test_a_field_below_a_field_does_not_exist(path: str) -> None:
    refusal(lambda: changed(Scenario(), **{path: 1.0}))


NOT_SCENARIOS = {
    "not TOML": b"= 5",
    "unfinished": b"[machine",
    "twice": b"[machine]\n[machine]",
    "UTF-16": "[machine]".encode("utf-16"),
    "Latin-1": b"# \xe9",
    "deep list": b"a = " + b"[" * 5000,
    "deep table": b"machine" + b".a" * 2000 + b" = 1",
    "long number": b"krcsim = " + b"1" * 5000,
    "long hexadecimal": b"[machine]\ncpus = 0x" + b"f" * 5000,
    "date": b"[machine]\ncpus = 2020-04-04",
    "no file": b"[grace_period]\nfile = 'nowhere'",
    "NUL in a name": b'[grace_period]\nfile = "\\u0000"',
}


@pytest.mark.parametrize("content", NOT_SCENARIOS.values(), ids=NOT_SCENARIOS)
def test_a_file_that_is_no_scenario_is_named_and_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    assert "broken.toml" in refusal(lambda: read_scenario(file))


@pytest.mark.parametrize("name", ["missing.toml", "", "nul\0.toml", "\ud800.toml"])
def test_a_file_that_cannot_be_read_is_refused(name: str, tmp_path: Path) -> None:
    assert "cannot be read" in refusal(lambda: read_scenario(tmp_path / name))
    assert "cannot be read" in refusal(lambda: read_lengths(tmp_path / name))


def test_lengths_are_one_number_a_line_with_comments(tmp_path: Path) -> None:
    (tmp_path / "lengths").write_text("# ms\n12\n\n 8.5 # a tick less\n", encoding="utf-8")
    scenario = from_dict({"grace_period": dict(kind="empirical", file="lengths")}, tmp_path)
    assert scenario.grace_period.lengths_ms == (12.0, 8.5)


def test_a_line_that_is_no_length_is_named_and_refused(tmp_path: Path) -> None:
    (tmp_path / "lengths").write_text("12\n8,5\n", encoding="utf-8")
    assert "line 2 is '8,5'" in refusal(lambda: read_lengths(tmp_path / "lengths"))


def test_a_file_without_lengths_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lengths").write_text("# nothing\n", encoding="utf-8")
    assert "holds no length" in refusal(lambda: read_lengths(tmp_path / "lengths"))


@pytest.mark.parametrize("given_pairs", [[[0, 1], [2, 3]], [[[0, 1], [2, 3]]]])
def test_one_schedule_may_be_written_with_or_without_outer_brackets(given_pairs: Any) -> None:
    assert read_schedules(given_pairs) == (((0.0, 1.0), (2.0, 3.0)),)


@pytest.mark.parametrize(
    "value",
    [5, "", "ab", {}, None, [1], [[1]], [[0, 1, 2]], [""], [[0, "1"]], [[0, True]], [[0, 10**400]]],
    ids=str,
)
def test_what_is_no_list_of_pairs_is_no_schedule(value: Any) -> None:
    assert "[start_ms, end_ms]" in refusal(lambda: read_schedules(value))


@pytest.mark.parametrize("value", [5, "12", {}, [[12.0]], ["12"], [True], [-1.0], [10**400], [1e7]])
def test_what_is_no_list_of_positive_numbers_gives_no_lengths(value: Any) -> None:
    table = {"grace_period": dict(kind="empirical", lengths_ms=value)}
    assert "grace_period.lengths_ms" in refusal(lambda: from_dict(table))


# ---- whatever comes, only a KrcsimError may escape

WORDS = sorted(
    {f.name for cls in (*SECTIONS.values(), Failure) for f in dataclasses.fields(cls)}
    | {"krcsim", "base", "file"}
    | {word for _, _, field in FIELDS.values() for word in field.metadata.get("options", ())}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**400, *WORDS, *REMEDIES])
)
KEYS = st.sampled_from(WORDS) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(KEYS, v, max_size=4), max_leaves=8
)
TABLES = st.dictionaries(
    st.sampled_from([*SECTIONS, "krcsim", "warmup_ms", "horizon_ms"]) | KEYS,
    st.one_of(
        VALUES,
        *(
            st.dictionaries(st.sampled_from([f.name for f in dataclasses.fields(cls)]), VALUES)
            for cls in SECTIONS.values()
        ),
    ),
    max_size=4,
)


def fuzz(examples: int) -> settings:
    """Settings for that many examples under the profile `full`, and a tenth of them under `quick`;
    the same in every run.
    """
    return settings(
        max_examples=examples * settings.default.max_examples // 100,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def answered(call: Callable[[], object]) -> None:
    """Fails unless a call returns, or refuses in one line."""
    line = ""
    try:
        call()
    except KrcsimError as exc:
        line = str(exc)
    assert "\n" not in line


@fuzz(800)
@given(TABLES | VALUES)
def test_any_nested_value_is_a_scenario_or_refused(table: Any) -> None:
    answered(lambda: from_dict(table))


@fuzz(800)
@given(st.sampled_from(sorted(FIELDS)), VALUES)
def test_any_value_of_any_field_is_taken_or_refused(name: str, value: Any) -> None:
    section, _, field = FIELDS[name]
    inner = {field.name: value}
    answered(lambda: from_dict(inner if section == "scenario" else {section: inner}))


@fuzz(800)
@given(VALUES)
def test_any_value_is_a_list_of_schedules_or_refused(value: Any) -> None:
    answered(lambda: read_schedules(value))


@fuzz(800)
@given(VALUES)
def test_any_value_is_a_list_of_lengths_or_refused(value: Any) -> None:
    answered(lambda: from_dict({"grace_period": dict(kind="empirical", lengths_ms=value)}))


def read_bytes(read: Callable[[Path], object], content: bytes) -> None:
    """Let a reader have a file of these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "any"
        file.write_bytes(content)
        answered(lambda: read(file))


LINES = st.sampled_from(["[machine]", "[remedy]", "cpus = ", "=", "[[", "1e999", "nan", '"', "0x"])
BYTES = st.binary(max_size=200) | st.lists(LINES | st.text(max_size=6), max_size=12).map(
    lambda words: "\n".join(words).encode("utf-8", "surrogatepass")
)


@fuzz(800)
@given(BYTES)
def test_any_file_is_a_scenario_or_refused(content: bytes) -> None:
    read_bytes(read_scenario, content)


@fuzz(800)
@given(BYTES)
def test_any_file_is_a_list_of_lengths_or_refused(content: bytes) -> None:
    read_bytes(read_lengths, content)


@pytest.mark.parametrize("given", [np.zeros(2), np.zeros((0,)), np.zeros((2, 2)), "x", {1: 2}])
def test_pieces_of_a_rate_that_are_no_list_are_refused(given: object) -> None:
    with pytest.raises(KrcsimError, match=r"workload\.rate_changes"):
        changed(Scenario(), **{"workload.rate_changes": given})
