# SPDX-License-Identifier: GPL-2.0-only
"""Tables in plain text, and the CSV that krcsim writes."""

from __future__ import annotations

import csv

from krcsim.base.csv_text import comment_lines, csv_line, csv_text, nine_digits, quoted, safe_name
from krcsim.base.tables import text_table


def test_names_stand_to_the_left_and_everything_else_to_the_right() -> None:
    assert text_table(["remedy", "P"], [["A1", "0.01"], ["a long name", ""]]) == [
        "remedy          P",
        "-----------  ----",
        "A1           0.01",
        "a long name",
    ]


def test_a_table_without_rows_is_its_head() -> None:
    assert text_table(["a", "bc"], []) == ["a  bc", "-  --"]


def test_what_is_written_is_read_back() -> None:
    rows = [["a,b", 'say "x"', ""], ["two\nlines", "1", "é"]]
    text = csv_text(["one", "two", "three"], rows)
    assert list(csv.reader(text.splitlines(keepends=True)))[1:] == rows


def test_a_cell_is_quoted_only_where_it_must_be() -> None:
    assert csv_line(["a", 1, 2.5, None, "b,c"]) == 'a,1,2.5,,"b,c"\n'
    assert quoted("a") == '"a"'


def test_a_name_is_no_formula_and_on_one_line() -> None:
    assert [safe_name(x) for x in ("=1+1", "-x", "@a", "+b", "a\n b", "B3")] == [
        "'=1+1",
        "'-x",
        "'@a",
        "'+b",
        "a b",
        "B3",
    ]


def test_each_line_about_a_table_is_a_comment() -> None:
    assert comment_lines({"again": "krcsim x", "scenario": "a\nb"}) == (
        "# again: krcsim x\n# scenario: a\n# b\n"
    )


def test_a_number_that_is_drawn_has_nine_digits() -> None:
    assert [nine_digits(x) for x in (None, 1.0, 1 / 3, 1e-12)] == ["", "1", "0.333333333", "1e-12"]
