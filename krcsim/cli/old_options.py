# SPDX-License-Identifier: GPL-2.0-only
"""Options under their old names, and options that are not written out."""

import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence

from krcsim.base.errors import KrcsimError, shown
from krcsim.cli.streams import note
from krcsim.cli.values import FEWEST_RUNS, MOST_RUNS, RUNS_ALLOWED

# Old name: the present one.
OLD = {"by-spell": "by-episode", "spell": "episode", "max-rung": "max-runs"}

_MOST_RUNG = (MOST_RUNS // FEWEST_RUNS).bit_length() - 1
_RENAMED = re.compile(r"\S+ is called \S+ now")


def in_full(
    words: Sequence[str], is_flag: Mapping[str, bool], verb: str
) -> tuple[list[str], list[str]]:
    """The words of a command with every option written out and under its present name, and what is
    to be said of old ones. `is_flag` says which options of the verb take no value.
    """
    full: list[str] = []
    notes: list[str] = []
    number = 0

    while number < len(words):
        word = words[number]
        number += 1
        if word == "--":
            return [*full, *words[number - 1 :]], notes
        if not word.startswith("--"):
            full.append(word)
            continue

        head, equals, value = word[2:].partition("=")
        name = _written_out(head, is_flag, verb)
        takes_next = not equals and not is_flag.get(OLD.get(name, name), True)
        if takes_next and number < len(words) and not _is_option(words[number]):
            value = words[number]
            number += 1
        else:
            takes_next = False

        if name in OLD and OLD[name] in is_flag:
            name, value = _renamed(name, value, notes)
        full += [f"--{name}", value] if takes_next else [f"--{name}{equals}{value}"]

    return full, notes


def _is_option(word: str) -> bool:
    """Whether a word is an option and no value: -1 and -0.5 are values."""
    return word.startswith("-") and not re.fullmatch(r"-(\d+|\d*\.\d+)", word)


def _written_out(head: str, is_flag: Mapping[str, bool], verb: str) -> str:
    """The one option that begins with `head`, which is returned as it is if there is none."""
    old = [name for name, present in OLD.items() if present in is_flag]
    if not head or head in is_flag or head in old:
        return head

    begun = [name for name in (*is_flag, *old) if name.startswith(head)]
    present = {OLD.get(name, name) for name in begun}
    if not begun:
        return head
    if len(present) > 1 or "max-rung" in begun:
        raise KrcsimError(
            f"--{head} may be --{' or --'.join(begun)}; write it out, see krcsim {verb} --help"
        )
    return present.pop()


def _renamed(old: str, value: str, notes: list[str]) -> tuple[str, str]:
    """The present name and value of an option with an old name; adds a note."""
    name = OLD[old]
    if old != "max-rung":
        notes.append(f"--{old} is called --{name} now")
        return name, value

    rung = int(value) if re.fullmatch(r"\s*\d{1,4}\s*", value) else -1
    if not 0 <= rung <= _MOST_RUNG:
        raise KrcsimError(
            f"--{old} is {shown(value)}; allowed: 0 to {_MOST_RUNG}; it is called --{name} now and "
            f"takes the number of replications: {RUNS_ALLOWED}"
        )
    runs = str(FEWEST_RUNS << rung)
    notes.append(f"--{old} {rung} is called --{name} {runs} now")
    return name, runs


@contextlib.contextmanager
def notes_of_old_names() -> Iterator[None]:
    """Print warnings about old names of fields and quantities as notes, each once; other warnings
    stay what they are.
    """
    seen: set[str] = set()

    with warnings.catch_warnings():
        warnings.filterwarnings("always", _RENAMED.pattern, FutureWarning)
        show = warnings.showwarning

        def show_note(message: Warning | str, category: type[Warning], *where: object) -> None:
            text = str(message)
            if not issubclass(category, FutureWarning) or not _RENAMED.match(text):
                show(message, category, *where)  # type: ignore[arg-type]
            elif text not in seen:
                seen.add(text)
                note(f"krcsim: note: {text}\n")

        warnings.showwarning = show_note  # type: ignore[assignment]
        yield
