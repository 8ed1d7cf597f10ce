# SPDX-License-Identifier: GPL-2.0-only
"""Kernels as plain text: for a mail of at most 40 lines, and as tables for a terminal and a
notebook.
"""

from collections.abc import Sequence

from krcsim.base.tables import html_table, paragraph, text_table
from krcsim.model.remedy import NamedRemedy
from krcsim.report.kernel_cells import COLUMNS, cell_of
from krcsim.report.kernel_steps import kernels_of, window_of
from krcsim.report.kernel_words import (
    NO_STEP,
    idea_taken,
    kernels_verdict,
    version,
    what_each_step_bought,
)
from krcsim.report.plain_text import check_text, wrap
from krcsim.report.reply import MOST_LINES, made_with
from krcsim.report.sentences import assumptions
from krcsim.results.quantities import QUANTITIES
from krcsim.results.result import Result, scenario_of, words

HEAD = ("kernel", *(" ".join(column.head).strip() for column in COLUMNS))
SHORT_HEAD = ("kernel", "wait", "held", "to free", "callbacks", "GPs", "kept")
TERMINAL = 100  # columns of a paragraph


def kernels_text(result: Result) -> str:
    """The answer to a mailing list: the verdict, a row a kernel, what each step bought, what is
    assumed, and the command; at most 40 lines of 72 columns.
    """
    scenario = scenario_of(result)
    above = [
        *wrap(kernels_verdict(result)),
        "",
        *text_table(SHORT_HEAD, _rows(result)),
        "",
        *wrap(idea_taken(kernels_of(result))),
    ]
    below = [
        *wrap(assumptions(scenario)),
        "",
        *made_with(str(result.provenance["command"]), scenario),
    ]
    room = MOST_LINES - len(above) - len(below) - 1
    lines = [*above, *_steps_in(result, room), "", *below]
    return check_text("\n".join(lines) + "\n")


def _steps_in(result: Result, room: int) -> list[str]:
    """What each step bought, in so many lines; how many have no room is said."""
    lines: list[str] = []
    steps = [(kernel, said) for kernel, said in what_each_step_bought(result) if said != NO_STEP]
    for number, (kernel, said) in enumerate(steps):
        without_numbers = said.split(" (")[0] if len(steps) > room else said
        more = wrap(f"{_name(kernel)}: {without_numbers}.", first="* ", later="  ")
        if len(lines) + len(more) > room - (number < len(steps) - 1):
            return [*lines, f"* and {len(steps) - number} more"][: max(0, room)]
        lines += more
    return lines


def _name(kernel: NamedRemedy) -> str:
    """A kernel with the change that it brought and its first commit."""
    commit = f" ({kernel.commits[0]})" if kernel.commits else ""
    return f"{version(kernel)}, {kernel.change}{commit}"


def _rows(result: Result) -> list[list[str]]:
    """A row a kernel, its numbers without intervals."""
    window = window_of(result)
    return [
        [
            version(kernel),
            *(
                cell_of(column.quantity, result.get(kernel.name, column.quantity, window))
                for column in COLUMNS
            ),
        ]
        for kernel in kernels_of(result)
    ]


def kernels_table(result: Result) -> str:
    """The same for a terminal, with intervals, the changes with their commits, and what each column
    means.
    """
    window = window_of(result)
    rows = [
        [version(kernel), *(words(result.get(kernel.name, c.quantity, window)) for c in COLUMNS)]
        for kernel in kernels_of(result)
    ]
    names = [column.quantity for column in COLUMNS]
    lines = [
        *wrap(kernels_verdict(result), TERMINAL),
        "",
        *text_table(["kernel", *names], rows),
        "",
        *wrap(idea_taken(kernels_of(result)), TERMINAL),
        "",
    ]
    for kernel, said in what_each_step_bought(result):
        lines += wrap(f"{_name(kernel)}: {said}", TERMINAL, later="    ")
    lines += ["", *(f"{name}: {QUANTITIES[name].words}" for name in names)]
    return "\n".join(lines)


def kernels_html(result: Result) -> str:
    """The same for a notebook."""
    window = window_of(result)
    bought = {kernel.name: said for kernel, said in what_each_step_bought(result)}
    rows: list[Sequence[str]] = [
        [
            version(kernel),
            kernel.change,
            ", ".join(kernel.commits),
            *(words(result.get(kernel.name, column.quantity, window)) for column in COLUMNS),
            bought.get(kernel.name, ""),
        ]
        for kernel in kernels_of(result)
    ]
    head = ["kernel", "what is new", "commit", *HEAD[1:], "what it moved"]
    return f"{paragraph(idea_taken(kernels_of(result)))}{html_table(head, rows)}"
