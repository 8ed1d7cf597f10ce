# SPDX-License-Identifier: GPL-2.0-only
"""A verdict in words: where a claim holds and where it does not, with the cases counted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from krcsim.base.fields import is_real
from krcsim.claims.claim import Claim, Table, Value
from krcsim.claims.decide import (
    FAILS,
    HOLDS,
    HOLDS_WHEN,
    NO,
    OPEN,
    QUESTION,
    SILENT,
    UNDECIDED,
    WINDOW,
    YES,
    Case,
    Verdict,
)
from krcsim.claims.labels import case_words, value_words

SHORT = 90  # characters of a condition that stands in a cell of a table
Said = Mapping[Case, str]  # what each case says


def verdict_words(table: Table, claim: Claim, verdict: Verdict) -> str:
    """The verdict: its word first, then where, situation by situation, with the cases counted."""
    if claim.missing:
        return f"{UNDECIDED}. Missing: {claim.missing}"
    if verdict.word == UNDECIDED:
        return f"{UNDECIDED}: no interval is short enough; raise max_runs in data/claims.toml"

    by_question = _by_question(verdict.by_case)
    good = [name for name, cases in by_question.items() if YES in cases.values()]
    bad = [name for name in by_question if name not in good]
    clauses = [_where_yes(table, claim, name, by_question[name]) for name in good]
    clauses += [_where_not(claim, name, by_question[name]) for name in bad]
    good_count, count = _count(verdict, YES), len(verdict.by_case)
    if verdict.word == FAILS:
        head = f"{FAILS} in any of the {count} cases: "
    elif verdict.word == HOLDS or claim.yes:
        share = f"all {count}" if good_count == count else f"{good_count} of {count}"
        head = f"{HOLDS} in {share} cases: "
    else:
        head = ""
    if len(clauses) == 1 and verdict.word in (HOLDS, FAILS):  # the head has its count
        clauses = [text.rpartition(" (")[0] or text for text in clauses]
    return head + _joined(clauses, () if claim.yes else (HOLDS, FAILS), head)


def _joined(clauses: Sequence[str], verbs: Sequence[str], head: str) -> str:
    """Clauses in a row; a verb that was said is not said again."""
    parts: list[str] = []
    said = next((verb for verb in verbs if head.startswith(f"{verb} ")), "")
    for clause in clauses:
        verb = next((verb for verb in verbs if clause.startswith(f"{verb} ")), "")
        again = verb and verb == said
        parts.append(clause.removeprefix(f"{verb} ") if again else clause)
        said = verb or said
    return "; ".join(parts)


def short_words(table: Table, claim: Claim, verdict: Verdict) -> str:
    """The verdict for a cell of a table, with its condition where that is short."""
    if claim.missing or verdict.word != HOLDS_WHEN:
        return UNDECIDED if claim.missing else verdict.word

    by_question = _by_question(verdict.by_case)
    good = [name for name, cases in by_question.items() if YES in cases.values()]
    conditions = [claim.question(name).words for name in good]
    pure = all(NO not in by_question[name].values() for name in good)
    if len(by_question) == 1 and not pure:
        cases = by_question[good[0]]
        axis = _pure_axis(cases)
        values = _values_words(table, axis, _by_value(axis, cases)) if axis else ""
        conditions, pure = [f"{conditions[0]}, with {values}"], bool(values)
    condition = " or ".join(conditions)
    if pure and not claim.yes and len(condition) <= SHORT:
        return f"{HOLDS_WHEN} {condition}"
    return f"{HOLDS} in {_count(verdict, YES)} of {len(verdict.by_case)} cases"


def _count(verdict: Verdict, answer: str) -> int:
    return list(verdict.by_case.values()).count(answer)


def _by_question(by_case: Said) -> dict[str, dict[Case, str]]:
    """The cases of each question."""
    found: dict[str, dict[Case, str]] = {}
    for case, answer in by_case.items():
        found.setdefault(str(dict(case)[QUESTION]), {})[case] = answer
    return found


def _where_yes(table: Table, claim: Claim, name: str, cases: Said) -> str:
    """A situation in which some cases say yes."""
    situation = f"{claim.yes or HOLDS} when {claim.question(name).words}"
    if NO not in cases.values():
        return situation + _counted(cases.values(), YES)

    good = [case for case, answer in cases.items() if answer == YES]
    bad = [case for case, answer in cases.items() if answer == NO]
    axis = _pure_axis(cases)
    if axis is None and len(bad) == 1 < len(good):
        but = case_words(table, claim, bad[0], with_question=False, between=" and ")
        return f"{situation}{_counted(cases.values(), YES)}, but not with {but}"
    if axis is None and len(good) == 1:
        only = case_words(table, claim, good[0], with_question=False, between=" and ")
        return f"{situation}, but only with {only}{_counted(cases.values(), YES)}"
    return f"{situation}, {_apart_words(table, claim, axis or _best_axis(cases), cases)}"


def _where_not(claim: Claim, name: str, cases: Said) -> str:
    """A situation in which no case says yes."""
    situation = claim.question(name).words
    said = set(cases.values())
    if NO in said:
        return f"{claim.no or FAILS} when {situation}{_counted(cases.values(), NO)}"
    word = "no wait seen" if said == {SILENT} else "open"
    return f"{word} when {situation}"


def _apart_words(table: Table, claim: Claim, axis: str, cases: Said) -> str:
    """By the values of a field: where cases say yes, and where none does."""
    by_value = _by_value(axis, cases)
    good = {value: said for value, said in by_value.items() if YES in said}
    bad = {value: said for value, said in by_value.items() if NO in said and YES not in said}
    rest = {value: said for value, said in by_value.items() if value not in {**good, **bad}}
    with_ = "in the " if axis == WINDOW else "with "
    if all(set(said) == {YES} for said in good.values()):
        yes = _values_words(table, axis, by_value) + _counted(_all(good), YES)
    else:
        parts = [
            _value(table, axis, value, is_first=not n) + _counted(said, YES, "" if n else "cases")
            for n, (value, said) in enumerate(good.items())
        ]
        yes = _or(parts)
    text = f"{with_}{yes}"
    if bad and claim.no:
        text += f"; {claim.no} {with_}{_names(table, axis, list(bad))}{_counted(_all(bad), NO)}"
    elif bad:
        text += f", but not {with_}{_names(table, axis, list(bad))}{_counted(_all(bad), YES)}"
    if rest:
        text += f", and open {with_}{_names(table, axis, list(rest))}"
    return text


def _all(by_value: Mapping[Value | None, Sequence[str]]) -> list[str]:
    return [answer for said in by_value.values() for answer in said]


def _counted(said: Iterable[str], answer: str, unit: str = "cases") -> str:
    """How many cases say so, as " (6 of 8 cases, 1 open)"; nothing of a single case."""
    said = list(said)
    if len(said) == 1:
        return ""
    text = f"{said.count(answer)} of {len(said)}{unit and f' {unit}'}"
    if OPEN in said:
        text += f", {said.count(OPEN)} open"
    if SILENT in said:
        text += f", no wait seen in {said.count(SILENT)}"
    return f" ({text})"


def _or(parts: Sequence[str]) -> str:
    return " or ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _value(table: Table, axis: str, value: Any, *, is_first: bool) -> str:
    """A value; after the first one without what stands before it in its label."""
    text = value_words(table, axis, value)
    before, found, _ = table.labels.get(axis, "").partition("{}")
    return text if is_first or not found else text.removeprefix(before)


def _names(table: Table, axis: str, values: Sequence[Value | None]) -> str:
    """Values in a row; what they share is said once: 125,000 or 250,000 pages read a second."""
    _, _, after = table.labels.get(axis, "").partition("{}")
    names = [_value(table, axis, value, is_first=not n) for n, value in enumerate(values)]
    if after and all(name.endswith(after) for name in names):
        names = [*(name.removesuffix(after) for name in names[:-1]), names[-1]]
    return _or(names)


def _values_words(table: Table, axis: str, by_value: Mapping[Value | None, Sequence[str]]) -> str:
    """The values of a field with yes: from one on, up to one, or one by one."""
    good = [value for value, said in by_value.items() if YES in said]
    low = [float(value) for value in good if is_real(value)]
    bad = [float(value) for value, said in by_value.items() if NO in said and is_real(value)]
    if 1 < len(low) == len(good) and bad:
        if min(low) > max(bad):
            return f"{value_words(table, axis, min(low))} and more"
        if max(low) < min(bad):
            return f"up to {value_words(table, axis, max(low))}"
    return _names(table, axis, good)


def _axes(cases: Said) -> list[str]:
    """What varies among the cases of a question."""
    axes = dict.fromkeys(axis for case in cases for axis, _ in case if axis != QUESTION)
    return [axis for axis in axes if len(_by_value(axis, cases)) > 1]


def _pure_axis(cases: Said) -> str | None:
    """The first field whose values tell yes from no, if there is one."""
    for axis in _axes(cases):
        if all(not {YES, NO} <= set(said) for said in _by_value(axis, cases).values()):
            return axis
    return None


def _best_axis(cases: Said) -> str:
    """The field that leaves the fewest cases on the wrong side of what most at its value say."""

    def astray(axis: str) -> int:
        values = _by_value(axis, cases).values()
        return sum(min(said.count(YES), said.count(NO)) for said in values)

    return min(_axes(cases), key=astray)


def _by_value(axis: str, cases: Said) -> dict[Value | None, list[str]]:
    """What the cases say, by the value of a field."""
    found: dict[Value | None, list[str]] = {}
    for case, answer in cases.items():
        found.setdefault(dict(case).get(axis), []).append(answer)
    return found
