# SPDX-License-Identifier: GPL-2.0-only
"""The claims in a notebook, without a browser: what is chosen is shown, computed and opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from krcsim.base.errors import KrcsimError
from krcsim.claims.claim import read_claims
from krcsim.claims.kept import read_kept
from krcsim.widgets import ClaimsShown
from krcsim.widgets.latest import Latest


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClaimsShown:
    """Q7, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return ClaimsShown("Q7")


def test_a_claim_is_shown_from_kept_numbers(shown: ClaimsShown) -> None:
    assert "holds" in shown.about.value
    assert "20200405233028.GC83565@google.com" in shown.about.value
    assert "krcsim sweep exhausted-guest" in shown.how.value
    assert bytes(shown.image.value).startswith(b"\x89PNG")
    assert "Joel Fernandes, 5 April 2020" in shown.mail.value


def test_nothing_can_be_cancelled_where_nothing_runs(shown: ClaimsShown) -> None:
    assert shown.cancel.disabled
    shown._on_state("running")
    assert not shown.cancel.disabled
    shown._on_state("done")
    assert shown.cancel.disabled


def test_all_stand_in_the_table_with_a_word(shown: ClaimsShown) -> None:
    rows = shown.summary.value.split("<tr>")[2:]
    assert len(rows) == len(read_claims().claims)
    for row in rows:
        assert "hold" in row or "not decidable here" in row


def test_another_choice_shows_another_claim(shown: ClaimsShown) -> None:
    before = bytes(shown.image.value)
    shown.which.value = "Q2"
    assert "does not hold" in shown.about.value
    assert bytes(shown.image.value) != before


def test_what_is_not_decided_has_nothing_to_compute(shown: ClaimsShown) -> None:
    shown.which.value = "Q24"
    assert "Missing:" in shown.about.value
    assert shown.again.disabled
    assert shown.open.disabled
    assert shown.image.layout.display == "none"
    shown.which.value = "Q7"
    assert not shown.again.disabled
    assert shown.image.layout.display != "none"


def test_computed_again_it_says_whether_the_numbers_are_the_same(shown: ClaimsShown) -> None:
    shown.which.value = "Q13"
    shown.again.click()
    assert "Q13 was computed again: the same numbers" in shown.status.value
    assert shown.chosen.answers == read_kept()["Q13"]


def test_its_scenario_is_opened_with_sliders(
    shown: ClaimsShown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Latest, "submit", lambda _latest, _value: None)
    shown.open.click()
    assert shown.explorer is not None
    question = shown.chosen.claim.questions[0]
    assert shown.explorer.scenario == shown.explorer.fitted(question.scenario())


def test_a_claim_that_is_not_there_is_refused() -> None:
    with pytest.raises(KrcsimError, match="did you mean Q4"):
        ClaimsShown("Q44")


def test_the_picture_follows_the_theme(shown: ClaimsShown) -> None:
    light = bytes(shown.image.value)
    shown.browser_side.theme = "dark"
    dark = bytes(shown.image.value)
    assert dark != light
    shown.browser_side.theme = "light"
    assert bytes(shown.image.value) == light
