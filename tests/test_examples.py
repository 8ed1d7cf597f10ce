# SPDX-License-Identifier: GPL-2.0-only
"""The worked examples of docs/reply.md are what krcsim writes, and mail programs take them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.examples import (
    CLAIMS,
    EXAMPLES,
    FOLDER,
    PAGE,
    Example,
    draft_of_claim,
    page,
    simulate,
    write_claim,
    write_draft,
)
from krcsim.claims.claim import read_claims
from krcsim.results.result import load_result
from tests.report.made_results import parts_of
from tests.report.mail.test_mail import body_of, mailinfo, outside, send

__all__ = ["outside"]  # a fixture

each = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


def answer_in(draft: bytes) -> str:
    """What is ours in a draft: all behind the quoted lines."""
    return body_of(draft).decode("ascii").split("\n\n", 1)[1]


@each
def test_a_draft_is_what_its_result_gives_today(example: Example, tmp_path: Path) -> None:
    write_draft(example, tmp_path / "again.eml")
    assert (tmp_path / "again.eml").read_bytes() == example.draft.read_bytes()


@each
def test_a_result_is_the_answer_to_the_question_of_its_example(example: Example) -> None:
    command = load_result(example.result).provenance["command"]
    assert command == f"krcsim compare {example.question}"


@each
@pytest.mark.slow
def test_a_result_is_found_again(example: Example, tmp_path: Path) -> None:
    simulate(example, tmp_path / "again.json")
    again, kept = load_result(tmp_path / "again.json"), load_result(example.result)
    assert again.rows == kept.rows
    assert again.differences == kept.differences


@each
def test_the_verdict_stands_right_under_the_quoted_lines(example: Example) -> None:
    draft = example.draft.read_bytes()
    quoted, answer = body_of(draft).decode("ascii").split("\n\n", 1)
    assert quoted.split("\n")[-1].startswith("> ")
    assert len(answer.splitlines()) <= 40
    parts = parts_of(answer)
    assert re.search(r"waits? for a grace period", parts.verdict)
    assert {row[0] for row in parts.table} <= set(parts.legend)


@each
def test_mail_programs_take_a_draft_as_it_is(
    example: Example, tmp_path: Path, outside: dict[str, str]
) -> None:
    draft = example.draft.read_bytes()
    path = tmp_path / "draft.eml"
    path.write_bytes(draft)
    assert body_of(draft).rstrip() in mailinfo(draft, tmp_path, outside)
    sent = send(path, outside)
    assert "In-Reply-To: <2020040" in sent
    assert "rcu@vger.kernel.org" in sent


@pytest.mark.parametrize("number", CLAIMS)
def test_the_draft_of_a_claim_is_what_its_numbers_give_today(number: str, tmp_path: Path) -> None:
    write_claim(number, tmp_path / "again.eml")
    assert (tmp_path / "again.eml").read_bytes() == draft_of_claim(number).read_bytes()


@pytest.mark.parametrize("number", CLAIMS)
def test_mail_programs_take_the_draft_of_a_claim(
    number: str, tmp_path: Path, outside: dict[str, str]
) -> None:
    draft = draft_of_claim(number).read_bytes()
    path = tmp_path / "draft.eml"
    path.write_bytes(draft)
    assert body_of(draft).rstrip() in mailinfo(draft, tmp_path, outside)
    assert f"In-Reply-To: <{read_claims().named(number).message_id}>" in send(path, outside)


def test_the_page_has_the_verdicts_of_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_nothing_in_the_folder_is_left_over_or_quotes_more_than_a_few_lines() -> None:
    made = {path.name for example in EXAMPLES for path in (example.result, example.draft)}
    parents = {example.parent for example in EXAMPLES}
    claims = {draft_of_claim(number).name for number in CLAIMS}
    assert {path.name for path in FOLDER.iterdir()} == made | parents | claims
    for name in parents:
        assert len(body_of((FOLDER / name).read_bytes()).splitlines()) <= 6


def test_the_three_answers_to_one_mail_say_three_different_things() -> None:
    said = {e.name: parts_of(answer_in(e.draft.read_bytes())) for e in EXAMPLES}
    assert re.search(r"; with \d+ preallocated pages .* fewer", said["for-pages"].verdict)
    assert re.search(r"; with a pool .* fewer", said["for-the-pool"].verdict)
    assert "none of the 2 others is proven to have fewer" in said["undecided"].verdict
    assert "no difference proven with B, D2-A1" in said["undecided"].notes
