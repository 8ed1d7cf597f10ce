# SPDX-License-Identifier: GPL-2.0-only
"""A verdict never says what the table does not carry, and reads like a sentence."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.verdicts import BEGIN, END, PAGE, SHAPES, block, bound, interval, result_of, steady
from krcsim.base.errors import KrcsimError
from krcsim.model.remedy import THREAD, Remedy, named
from krcsim.model.remedy_list import CURVE
from krcsim.results.estimate import NOTHING, Estimate, between, exact, order_of_magnitude
from krcsim.results.held_against import Row
from krcsim.results.result import Cell, Result
from krcsim.results.verdict import phrases_of, verdict
from tests.results.sentences import COUNT, NUMBER, carries, number, reads_well

FEWER = rf"fewer \((?:{NUMBER}) to (?:{NUMBER})\)|fewer"
OWN_NAMES = [name for name in CURVE if name.endswith("own")]
SIZED = ["B12", "B20f", "D3-A0", "D8e", "D2-A1", "E1", "A1-3step"]
MADE = {
    "mine": Remedy(head_alloc="tryhard", nr_emergency_objs=7, emergency_at_boot=3),
    "a very long name of a remedy that somebody wrote down in full, with a comma": Remedy(),
    "größe. ": Remedy(cache_shared=True, nr_bkv_objs=40, cache_at_boot=2),
    "<b>&": Remedy(array_path=False),
}


# ---- random results

rates = st.floats(-15.0, 0.0).map(lambda power: 10.0**power)


@st.composite
def estimates(draw: st.DrawFn) -> Estimate:
    """Any estimate of a probability: rare or common, of each kind."""
    kind = draw(
        st.sampled_from(["interval"] * 5 + ["bound", "bound", "rough", "exact", "none", "zero"])
    )
    value = draw(rates)
    if kind == "none":
        return NOTHING
    if kind == "bound":
        return bound(value)
    if kind == "zero":
        return exact(0.0)
    if kind == "exact":
        return exact(value)
    wide = draw(st.sampled_from([1.02, 1.1, 1.5, 5.0, 40.0]))
    if kind == "rough":
        limits = draw(st.booleans())
        return (
            Estimate(value, value / wide, min(1.0, value * wide), "rough")
            if limits
            else (order_of_magnitude(value))
        )
    if draw(st.integers(0, 9)) == 0:  # nearly all, or all
        missing = draw(st.sampled_from([0.0, 1e-4, 2e-3, 0.1]))
        low = max(0.0, 1.0 - max(missing, 1e-3) * wide)
        return Estimate(1.0 - missing, min(low, 1.0 - missing), 1.0 - missing / wide, "interval")
    return Estimate(value, value / wide, min(1.0, value * wide), "interval")


@st.composite
def results(draw: st.DrawFn) -> Result:
    """Any result: one row to many, by window, by episode or on a grid, with paired differences."""
    own = draw(st.sampled_from([None, named("A1"), named("B3"), named("C-A0"), named("D5-A1")]))
    made = draw(st.sampled_from([{}, {}, MADE]))
    pool = draw(
        st.sampled_from([THREAD, OWN_NAMES, [*THREAD, *SIZED], [*OWN_NAMES[:4], *THREAD, *made]])
    )
    names = draw(st.lists(st.sampled_from([*pool]), min_size=1, max_size=12, unique=True))
    if pool == OWN_NAMES and draw(st.booleans()):  # as the explorer asks
        names = list(dict.fromkeys(["own", "B0-own", *names]))
    windows = draw(
        st.sampled_from(
            [["boot", "steady"], ["steady"], ["boot"], ["episode 1 on"]]
            + [["episode 1", "episode 2", "episode 3 on"]]
        )
    )
    is_grid = draw(st.integers(0, 5)) == 0
    points: list[Any] = list(names)
    if is_grid:
        points = [
            (name, rate)
            for name in names[:3]
            for rate in draw(st.sampled_from([(5,), (5, 5000.0)]))
        ]
    alike = draw(st.booleans())
    base = draw(estimates())
    table = {
        window: {
            point: base if alike and draw(st.booleans()) else draw(estimates()) for point in points
        }
        for window in windows
    }
    result = result_of(
        table,
        own=own,
        made={name: made[name] for name in names if name in made},
        parameters=("remedy", "workload.rate_hz") if is_grid else ("remedy",),
    )
    return replace(result, differences=tuple(draw(paired(row)) for row in result.differences))


@st.composite
def paired(draw: st.DrawFn, row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """A difference as sharp as the same draws make it, or that no run showed."""
    *names, value, lo, hi, saves = row
    if value is None or draw(st.booleans()):
        return row
    if value == 0.0:
        return (*names, value, lo, hi, 1.0)
    sharp = draw(st.sampled_from([0.5, 0.1, 0.01]))
    low, middle, high = (float(x) for x in (lo, value, hi))  # type: ignore[arg-type]
    return (*names, value, middle - sharp * (middle - low), middle + sharp * (high - middle), saves)


# ---- what a sentence claims, read back


def quantity_of(result: Result) -> str:
    return "p_wait_episode" if result.windows()[0].startswith("episode") else "p_wait"


def limits_of(result: Result, row: tuple[Cell, ...], base: tuple[Cell, ...], window: str) -> Any:
    """The limits of row minus base in the result, or from the intervals."""
    quantity = quantity_of(result)
    for one, first, where, what, value, lo, hi, saves in result.differences:
        if (where, what) != (window, quantity):
            continue
        same = value == 0.0 and saves == 1.0
        if (one, first) == (row[0], base[0]):
            return lo, hi, same
        if (one, first) == (base[0], row[0]):
            return -hi, -lo, same  # type: ignore[operator]
    mine, its = (result.get(point, quantity, window) for point in (row, base))
    if mine.kind == its.kind == "exact" and mine.value == its.value:
        return 0.0, 0.0, True
    apart = between(mine, its)
    return (apart.lo, apart.hi, False) if apart else None


def claim_holds(relation: str, e: Estimate, base: Estimate, limits: Any) -> bool:
    """Whether what is said behind a number follows from the two estimates and their difference."""
    unseen = e.kind == base.kind == "bound"
    if relation in ("", ", for"):
        return True
    if relation == ", the same":
        return e.kind == base.kind == "exact" and e.value == base.value
    if relation == ", no difference seen":
        return bool(limits[2])
    if relation == ", no difference proven":
        return unseen if limits is None else limits[0] <= 0.0 <= limits[1]

    fewer = relation.split(" (")[0].endswith("fewer")
    assert limits is not None
    if not (limits[1] < 0.0 if fewer else limits[0] > 0.0):
        return False
    high, low = (base, e) if fewer else (e, base)
    sure = all(x.kind in ("interval", "exact") for x in (e, base))
    if relation in (": fewer", ": more"):
        return not sure
    if found := re.fullmatch(rf": at least ({NUMBER}) times (?:fewer|as many)", relation):
        assert high.lo is not None
        assert low.hi is not None
        return not sure and high.lo / low.hi >= number(found[1]) * (1 - 1e-9)
    assert sure, relation
    assert e.value
    assert base.value
    if found := re.fullmatch(r": ([\d.e-]+) % (?:fewer|more)", relation):
        return math.isclose(
            float(found[1]), 100 * abs(e.value / base.value - 1.0), rel_tol=0.34, abs_tol=0.51
        )
    found = re.fullmatch(
        rf": ({NUMBER}) times (?:fewer|as many)(?: \(({NUMBER}) to ({NUMBER})\))?", relation
    )
    assert found, relation
    ratio = high.value / low.value  # type: ignore[operator]
    if not math.isclose(number(found[1]), ratio, rel_tol=0.052):
        return False
    if found[2] is None:
        return True
    least, most = number(found[2]), number(found[3])
    widest = high.hi / low.lo * 1.12, high.lo / low.hi * 0.88  # type: ignore[operator]
    return (
        0.95 <= least <= ratio * 1.001 and ratio * 0.999 <= most <= widest[0] and least >= widest[1]
    )


RELATION = (
    r"(?:, the same|, no difference (?:seen|proven)"
    rf"|: (?:at least )?{NUMBER} times (?:fewer|as many)(?: \([^()]*\))?"
    r"|: [\d.e-]+ % (?:fewer|more)|: fewer|: more)?"
)
WHEN = (
    r"^(?:in|from) (?:the first [\d.e+]+ ms from boot|the first episode of pressure"
    r"|an episode of pressure|episode \d+(?: on)?)(?:, | )"
)
COST = r"(?:, for [\d,]+ bytes (?:less )?per CPU)?"


def check(result: Result, window: str, sentence: str) -> None:
    """Everything that a sentence says is true of the result."""
    quantity = quantity_of(result)
    points = [
        point for point in result.points() if result.get(point, quantity, window).kind != "none"
    ]
    if not points:
        assert sentence.startswith("Nothing is known about waits")
        return
    if len(result.parameters) > 1:
        check_grid(result, points, window, sentence)
        return

    phrases = phrases_of(result)

    def named_so(phrase: str) -> list[tuple[Cell, ...]]:
        return [
            point
            for point in points
            if phrase in {phrases(Row(point, NOTHING, None), shorter) for shorter in (0, 1, 2)}
        ]

    text = sentence[0].lower() + sentence[1:].removesuffix(".")
    text = re.sub(WHEN, "", text)
    match = re.match(
        rf"(?:(with(?: or without)?|without) (.*?), )?({COUNT}) (waits?|can wait) "
        "for a grace period",
        text,
    )
    assert match, sentence
    how, phrase, count, verb = match.groups()
    rest = text[match.end() :]
    if " it is " in rest:
        row = [("B0-own",)] if how == "without" else named_so(phrase or "")
        check_episodes(result, row, count, rest, sentence)
        return

    if how == "with or without":
        bases = [("own",)]
    elif how == "without":
        bases = [("B0-own",)]
    elif how:
        bases = named_so(phrase)
    else:
        bases = [("own",)]
    assert bases, sentence
    assert any(carries(result.get(base, quantity, window), count) for base in bases), sentence
    base = next(base for base in bases if carries(result.get(base, quantity, window), count))
    several = " calls in " in count or count.startswith("all but")
    assert verb == ("can wait" if count == "no call" else "wait" if several else "waits"), sentence

    if how == "with or without":
        assert limits_of(result, ("B0-own",), base, window)[2], sentence
        assert rest.startswith(" (no difference seen)"), sentence
        rest = rest.removeprefix(" (no difference seen)")
    if found := re.fullmatch(r"; none of the (\d+) others is proven to have fewer", rest):
        others = [point for point in points if point != base]
        assert int(found[1]) == len(others)
        for point in others:
            limits = limits_of(result, point, base, window)
            assert limits is None or limits[1] >= 0.0, (sentence, point)
        return
    if not rest:
        first_is_unknown = result.get(base, quantity, result.windows()[0]).kind == "none"
        assert len(points) == 1 or (window.startswith("episode") and first_is_unknown), sentence
        return

    clauses = rest.removeprefix("; ").split("; with ")
    first = re.fullmatch(rf"with (.*?) ({COUNT})({RELATION})({COST})", clauses[0])
    assert first, (sentence, clauses)
    plain = ("B0-own",) if how == "with or without" else base
    assert any(
        carries(e := result.get(row, quantity, window), first[2])
        and claim_holds(
            first[3], e, result.get(base, quantity, window), limits_of(result, row, base, window)
        )
        and cost_is(result, row, plain, window, first[4])
        for row in named_so(first[1])
    ), sentence
    for clause in clauses[1:]:
        cheap = re.fullmatch(rf"(.*?) ({COUNT}), (?:for ([\d,]+)|at no cost)", clause)
        assert cheap, sentence
        assert any(
            carries(result.get(row, quantity, window), cheap[2])
            and limits_of(result, row, base, window)[1] < 0.0
            and cost_is(
                result, row, plain, window, f", for {cheap[3]} bytes per CPU" if cheap[3] else ""
            )
            for row in named_so(cheap[1])
        ), sentence


def cost_is(result: Result, row: Any, base: Any, window: str, said: str) -> bool:
    """Whether the bytes are those of the two rows; none may be said where there are some."""
    if not said:
        return True
    mine, its = (result.get(point, "bytes_added", window).value for point in (row, base))
    assert mine is not None
    assert its is not None
    number_said = float(re.findall(r"[\d,]+", said.removeprefix(","))[0].replace(",", ""))
    return (-number_said if "less" in said else number_said) == mine - its


def check_episodes(result: Result, rows: Any, count: str, rest: str, sentence: str) -> None:
    """The first episode against a later one."""
    found = re.fullmatch(rf"; (?:from|in) (episode \d+(?: on)?) it is ({COUNT})({RELATION})", rest)
    assert found, sentence
    assert any(
        carries(before := result.get(row, "p_wait_episode", "episode 1"), count)
        and carries(e := result.get(row, "p_wait_episode", found[1]), found[2])
        and claim_holds(found[3], e, before, limits_between(e, before))
        for row in rows
    ), sentence


def limits_between(e: Estimate, base: Estimate) -> Any:
    apart = between(e, base)
    return (apart.lo, apart.hi, False) if apart else None


def check_grid(result: Result, points: Any, window: str, sentence: str) -> None:
    """The ends of a grid, and of two remedies the better one."""
    quantity = quantity_of(result)
    seen = [e for p in points if (e := result.get(p, quantity, window)).value is not None]
    if not seen:
        assert "no wait was seen" in sentence.lower()
        return
    if " go from " not in sentence:
        assert len({e.value for e in seen}) == 1, sentence
        return
    found = re.search(
        rf"go from ({COUNT})(?: with .*?)? to ({COUNT})(?: with .*?)?, over (\d+) points", sentence
    )
    assert found, sentence
    low = min(seen, key=lambda e: e.value or 0.0)
    high = max(seen, key=lambda e: e.value or 0.0)
    assert carries(low, found[1]), sentence
    assert carries(high, found[2]), sentence
    assert int(found[3]) == len(result.points())
    none = re.search(r", none seen at (\d+)", sentence)
    assert (int(none[1]) if none else 0) == len(points) - len(seen)
    if better := re.search(r"; (fewer|more) with .* than with .* at", sentence):
        first, second = dict.fromkeys(point[0] for point in points)
        for point in points:
            if point[0] == second:
                limits = limits_of(result, point, (first, *point[1:]), window)
                assert limits[1] < 0.0 if better[1] == "fewer" else limits[0] > 0.0, sentence


@settings(max_examples=5 * settings.default.max_examples)  # 500 in `make validate`
@given(results())
def test_a_verdict_says_nothing_that_the_table_does_not_carry(result: Result) -> None:
    for window in (None, *result.windows()):
        sentence = verdict(result, window)
        reads_well(sentence)
        meant = window or ("steady" if "steady" in result.windows() else result.windows()[-1])
        check(result, meant, sentence)


# ---- the usual shapes


def test_the_page_shows_the_verdicts_of_today() -> None:
    assert PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0] == block()
    assert len(SHAPES) >= 20


@pytest.mark.parametrize("title", [title for title in SHAPES if title != "No rows"])
def test_a_usual_shape_is_carried_by_its_table(title: str) -> None:
    result = SHAPES[title]
    sentence = verdict(result)
    reads_well(sentence)
    check(result, result.windows()[-1], sentence)


# ---- which rows


def test_your_setting_is_held_against_the_same_without_a_reserve() -> None:
    rows = {"own": interval(1e-6), "A1": interval(1e-4), "B0-own": interval(1e-3)}
    said = verdict(steady(rows, own=named("B3")))
    assert said.startswith("Without a reserve, 1 call in 1,000")
    assert "with your pool of 3 objects 1 in a million" in said


def test_a_setting_without_a_reserve_is_held_against_a_reserve_on_it() -> None:
    rows = {"own": interval(1e-3), "A1": interval(1e-9), "B0-own": interval(1e-3)}
    said = verdict(steady({**rows, "B5-own": interval(1e-6)}, own=named("A0")))
    assert said.startswith("1 call in 1,000")
    assert "with a pool of 5 objects" in said


def test_of_many_rows_the_cheapest_of_those_that_cannot_be_told_apart_is_taken() -> None:
    rows = {"A1": interval(1e-3), "B20": interval(1.0e-6), "B10": interval(1.05e-6)}
    assert "(B10)" in verdict(steady(rows))
    assert "(B20)" in verdict(steady({**rows, "B10": interval(3e-6)}))


def test_a_bound_that_proves_little_is_not_the_best() -> None:
    rows = {"A1": interval(1e-3), "B12": bound(5e-4), "B20": interval(1e-6)}
    assert "(B20)" in verdict(steady(rows))


def test_twelve_rows_of_which_none_is_better_are_counted() -> None:
    rows = {f"B{size}": interval(1e-3) for size in range(1, 13)}
    assert "none of the 11 others is proven to have fewer" in verdict(steady(rows))


# ---- no more than is proven


def test_what_only_the_same_draws_prove_has_no_interval_of_the_factor() -> None:
    rows = {"A1": interval(1e-3, 1.2), "B": interval(4e-4, 1.2)}
    apart = (("B", "A1", "steady", "p_wait", -6e-4, -7e-4, -5e-4, 0.9),)
    assert ": 2.5 times fewer, for 120" in verdict(steady(rows, differences=apart))
    assert "no difference proven" in verdict(steady(rows))


def test_an_order_of_magnitude_is_no_ratio() -> None:
    said = verdict(steady({"A1": interval(1e-3), "B": order_of_magnitude(1.3e-9)}))
    assert "about 1 in 800 million (order of magnitude)" in said
    assert "fewer" not in said


def test_limits_of_an_order_of_magnitude_carry_at_least() -> None:
    rough = Estimate(1e-7, 1e-9, 1e-5, "rough")
    assert "at least 92 times fewer" in verdict(steady({"A1": interval(1e-3), "B": rough}))


# ---- bad input


def test_a_window_that_is_not_there_is_refused() -> None:
    with pytest.raises(KrcsimError, match="allowed: steady"):
        verdict(steady({"A1": interval(1e-3)}), "boot")


def test_a_result_about_something_else_says_so() -> None:
    rows = tuple(row for row in steady({"A1": exact(0.1)}).rows if row[2] != "p_wait")
    assert "does not say how many calls wait" in verdict(replace(SHAPES["No rows"], rows=rows))


@pytest.mark.parametrize("name", ["", " ", "...", "\n", "\x00", "remède", "a  b", "x" * 300])
def test_a_remedy_with_any_name_makes_a_sentence(name: str) -> None:
    rows: dict[Any, Estimate] = {"A1": interval(1e-3), name: bound(1e-6)}
    reads_well(verdict(steady(rows, made={name: Remedy()})))
    result = steady(
        {(name, 1.0): interval(1e-3)}, parameters=("remedy", "x"), made={name: Remedy()}
    )
    reads_well(verdict(result))


@pytest.mark.parametrize("provenance", [{}, {"scenario": "no TOML ["}, {"scenario": "krcsim = 1"}])
def test_a_result_that_does_not_say_where_it_is_from_has_a_verdict(
    provenance: dict[str, Any],
) -> None:
    for title, result in SHAPES.items():
        sentence = verdict(replace(result, provenance=provenance))
        reads_well(sentence)
        assert sentence, title
