# SPDX-License-Identifier: GPL-2.0-only
"""The table of claims is whole, its numbers are those of its questions, and verdicts follow."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.claims import verdict_text
from krcsim.claims.answers import Answer, Row, answered, command_for
from krcsim.claims.claim import Claim, read_claims
from krcsim.claims.decide import (
    FAILS,
    HOLDS,
    HOLDS_WHEN,
    NO,
    OPEN,
    SILENT,
    UNDECIDED,
    VERDICTS,
    YES,
    Verdict,
    decide,
    ratio,
)
from krcsim.claims.kept import is_current, read_kept, write_kept
from krcsim.claims.page import page_of
from krcsim.claims.picture import picture_of_claim
from krcsim.claims.reply import claim_text
from krcsim.claims.words import decided, short_words, verdict_words
from krcsim.results.estimate import NOTHING, Estimate, exact

ROOT = Path(__file__).parents[2]
TABLE = read_claims()
COMPUTED = [claim for claim in TABLE.claims if claim.questions]
NEED_NOTHING_NEW = {f"Q{n}" for n in (1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 20, 21, 23, 27)}

each_claim = pytest.mark.parametrize("claim", TABLE.claims, ids=lambda claim: claim.number)
each_computed = pytest.mark.parametrize("claim", COMPUTED, ids=lambda claim: claim.number)


def test_they_stand_in_the_order_of_their_numbers() -> None:
    assert [claim.number for claim in TABLE.claims] == [f"Q{n}" for n in range(1, 34)]


def test_what_needs_nothing_new_is_decided() -> None:
    answers = read_kept()
    decided_ = {
        claim.number for claim in COMPUTED if decide(claim, answers[claim.number]).word != UNDECIDED
    }
    assert decided_ >= NEED_NOTHING_NEW


@each_claim
def test_a_claim_says_who_and_where(claim: Claim) -> None:
    year = int(str(claim.when).split(" ")[-1].split("-")[0])
    assert 2020 <= year <= 2026
    assert claim.message_id == "" or claim.message_id.count("@") == 1
    assert "<" not in claim.message_id
    assert len(claim.quotation.split()) <= 25


@each_computed
def test_kept_numbers_are_those_of_the_questions(claim: Claim) -> None:
    kept = read_kept()[claim.number]
    assert is_current(claim, kept), "data/claims.toml has changed since: run make claims"
    commands = [command_for(claim, question) for question in claim.questions]
    assert [answer.command for answer in kept] == commands


# validation/test_claims.py computes all of them, by their commands.
@pytest.mark.parametrize("claim", [TABLE.named("Q10"), TABLE.named("Q13")], ids=lambda c: c.number)
def test_computed_again_the_numbers_are_the_same(claim: Claim) -> None:
    assert answered(claim) == read_kept()[claim.number]


def test_the_page_is_that_of_the_numbers() -> None:
    page = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    assert page == page_of(TABLE, read_kept()), "run make claims"


def test_no_verdict_stands_in_the_table() -> None:
    raw = tomllib.loads((ROOT / "data" / "claims.toml").read_text(encoding="utf-8"))
    assert not any("verdict" in claim for claim in raw["claim"])


@each_claim
def test_the_answer_to_a_claim_fits_into_a_mail(claim: Claim) -> None:
    text = claim_text(TABLE, decided(claim, read_kept().get(claim.number, ())))
    lines = text.splitlines()
    assert len(lines) <= 40
    assert text.isascii()
    assert max(map(len, lines)) <= 72
    assert claim.number in lines[0]
    assert any(word in " ".join(lines) for word in VERDICTS)
    if claim.message_id:
        assert f"<{claim.message_id}>" in text


@each_claim
def test_a_verdict_has_its_word_first(claim: Claim) -> None:
    found = decided(claim, read_kept().get(claim.number, ()))
    text = verdict_words(TABLE, found)
    word = UNDECIDED if claim.missing else found.verdict.word
    if word == HOLDS_WHEN and claim.yes:
        word = f"{HOLDS} in {list(found.verdict.by_case.values()).count(YES)} of "
    assert text.startswith(word)
    assert len(text) > len(word) + 5, "when?"


@each_computed
def test_a_verdict_names_each_situation_in_which_a_case_speaks(claim: Claim) -> None:
    found = decided(claim, read_kept()[claim.number])
    text = verdict_words(TABLE, found)
    for case, answer in found.verdict.by_case.items():
        if answer in (YES, NO):
            assert claim.question(str(dict(case)["question"])).words in text


@each_claim
def test_a_verdict_fits_into_a_cell(claim: Claim) -> None:
    found = decided(claim, read_kept().get(claim.number, ()))
    cell = short_words(TABLE, found)
    assert len(cell) <= 102
    assert cell != HOLDS_WHEN, "when?"


def test_a_question_is_answered_with_its_two_sides() -> None:
    claim = TABLE.named("Q8")
    text = verdict_words(TABLE, decided(claim, read_kept()["Q8"]))
    assert claim.yes in text
    assert f"{claim.no} with a median stall of 50 ms (8 of 8 cases)" in text


def made_up(says: dict[str, str]) -> str:
    """The verdict in words where the hog of Q7 leaves so much free, and a case says so."""
    claim = TABLE.named("Q7")
    question = replace(claim.questions[0], name="hog", words="it is tried")
    by_case = {(("question", "hog"), ("memory.hog", hog)): said for hog, said in says.items()}
    said = set(says.values())
    word = HOLDS_WHEN if {YES, NO} <= said else HOLDS if YES in said else FAILS
    verdict = Verdict(word, (), by_case, ())
    return verdict_text.verdict_words(TABLE, replace(claim, questions=(question,)), verdict)


@pytest.mark.parametrize(
    ("says", "text"),
    [
        ({"nowait": YES, "atomic": YES}, "holds in all 2 cases: when it is tried"),
        ({"nowait": NO, "atomic": NO}, "does not hold in any of the 2 cases: when it is tried"),
        (
            {"nowait": YES, "atomic": NO},
            "holds when it is tried, with the min watermark left free, but not with 3/8 of the "
            "min watermark left free",
        ),
        (
            {"nowait": YES, "atomic": NO, "reserves": NO},
            "holds when it is tried, with the min watermark left free, but not with 3/8 of the "
            "min watermark left free or no page left free (0 of 2 cases)",
        ),
        (
            {"nowait": YES, "atomic": NO, "reserves": OPEN},
            "holds when it is tried, with the min watermark left free, but not with 3/8 of the "
            "min watermark left free, and open with no page left free",
        ),
    ],
)
def test_cases_make_a_sentence(says: dict[str, str], text: str) -> None:
    assert made_up(says) == text


@each_computed
def test_a_claim_has_a_picture(claim: Claim) -> None:
    picture = picture_of_claim(TABLE, decided(claim, read_kept()[claim.number]))
    assert picture._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("number", "hint"),
    [("Q77", "did you mean Q7?"), ("seven", "write for example Q1"), ("", "Q1 to Q33")],
)
def test_an_unknown_number_is_refused_with_a_way_out(number: str, hint: str) -> None:
    with pytest.raises(KrcsimError, match="is not known; allowed: Q1 to Q33") as caught:
        TABLE.named(number)
    assert hint in str(caught.value)


def test_a_number_may_be_typed_in_any_case() -> None:
    assert TABLE.named(" q7") is TABLE.named("Q7")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (("number = ", "nummer = "), "nummer"),
        (("when = 2020-04-04", "when = 4"), "a date"),
        (("holds = [0, 1]", "holds = [1, 0]"), "the lower one first"),
        (("[[claim.question]]", "[[claim.query]]"), "query"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_its_place(
    tmp_path: Path, change: tuple[str, str], wrong: str
) -> None:
    path = tmp_path / "claims.toml"
    path.write_text((ROOT / "data" / "claims.toml").read_text().replace(*change, 1))
    with pytest.raises(KrcsimError, match=wrong) as caught:
        read_claims(path)
    assert "claim 1" in str(caught.value)


def test_kept_numbers_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "numbers.json"
    write_kept(read_kept(), path)
    assert read_kept(path) == read_kept()


def test_kept_numbers_that_were_cut_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "numbers.json"
    path.write_text('{"format": "krcsim-claims/1", "claims": {"Q1": [{"question": "x"}]}}')
    with pytest.raises(KrcsimError, match="make it again"):
        read_kept(path)


# How a verdict follows: one claim with one test, and numbers that are made up.


def interval(value: float, lo: float, hi: float) -> Estimate:
    return Estimate(value, lo, hi, "interval")


BOUND = Estimate(None, 0.0, 0.01, "bound")


def verdict_of(*numbers: tuple[Estimate, Estimate]) -> str:
    """The verdict where B stands against A1 with these numbers, a case each; less is a yes."""
    claim = TABLE.named("Q7")
    question = replace(claim.questions[0], name="made up")
    test = replace(claim.tests[-1], only={}, questions=(), holds=(0.0, 1.0), fails=None)
    made = replace(claim, questions=(question,), tests=(test,))
    rows = [
        Row({"memory.hog": str(case), "remedy": remedy}, "steady", "p_wait", estimate, "", 8)
        for case, pair in enumerate(numbers)
        for remedy, estimate in zip(("A1", "B"), pair, strict=True)
    ]
    return decide(made, [Answer("made up", "", "", tuple(rows))]).word


LESS = (interval(0.1, 0.09, 0.11), interval(0.01, 0.009, 0.011))
MORE = LESS[::-1]
WIDE = (interval(0.1, 0.01, 1.0), interval(0.05, 0.005, 0.5))
NONE_SEEN = (BOUND, BOUND)


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        ([LESS], HOLDS),
        ([LESS, LESS, NONE_SEEN], HOLDS),
        ([MORE], FAILS),
        ([LESS, MORE], HOLDS_WHEN),
        ([WIDE], UNDECIDED),
        ([NONE_SEEN], UNDECIDED),
        ([], UNDECIDED),
        ([LESS, WIDE], HOLDS),
        ([(LESS[0], BOUND)], HOLDS),
        ([(BOUND, LESS[0])], FAILS),
    ],
)
def test_intervals_decide(numbers: list[tuple[Estimate, Estimate]], word: str) -> None:
    assert verdict_of(*numbers) == word


def test_a_ratio_has_the_errors_of_both() -> None:
    found = ratio(interval(2.0, 1.0, 4.0), interval(1.0, 0.5, 2.0))
    assert found.value == 2.0
    assert found.lo == pytest.approx(2.0 * 2.0 ** -math.sqrt(2.0))
    assert found.hi == pytest.approx(2.0 * 2.0 ** math.sqrt(2.0))
    assert ratio(exact(6.0), exact(2.0)) == Estimate(3.0, 3.0, 3.0, "exact")


def test_an_order_of_magnitude_without_limits_decides_nothing() -> None:
    rough = Estimate(1e-9, None, None, "rough")
    assert verdict_of((LESS[0], rough)) == UNDECIDED


def test_a_ratio_with_nothing_is_none() -> None:
    assert ratio(NOTHING, LESS[0]) == NOTHING
    assert ratio(BOUND, BOUND) == NOTHING
    bounded = ratio(BOUND, LESS[0])
    assert (bounded.value, bounded.lo) == (None, 0.0)
    assert bounded.hi == pytest.approx(0.01 / 0.09)


def test_what_a_case_says_has_one_of_four_words() -> None:
    for claim in COMPUTED:
        found = decide(claim, read_kept()[claim.number])
        assert set(found.by_case.values()) <= {YES, NO, OPEN, SILENT}
