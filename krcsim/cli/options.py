# SPDX-License-Identifier: GPL-2.0-only
"""Options that several verbs share, in groups: each is declared once, with default and help.

The options of a verb are a frozen dataclass that inherits the groups it needs.
"""

from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, get_args, get_type_hints

from cyclopts import Group, Parameter

from krcsim.cli import completion
from krcsim.cli.values import Real, Runs, Whole

SCENARIO = Group("What is asked of", sort_key=0)
QUESTION = Group("The question", sort_key=1)
EFFORT = Group("Accuracy and effort", sort_key=2)
ANSWER = Group("Where the answer goes", sort_key=3)
MAIL = Group("The mail that is answered", sort_key=4)


def option(words: str, group: Group, **how: Any) -> Parameter:
    """One option: its help, the group under which --help lists it, and what else cyclopts takes."""
    return Parameter(help=words, group=group, **how)


def repeated() -> Any:
    """The default of an option that may be given several times: an empty list."""
    return field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class OnScenario:
    """The scenario, and changes of it."""

    verb: ClassVar[str] = ""

    scenario: Annotated[
        str,
        option(
            f"a .toml file, or one of: {completion.preset_names()}",
            SCENARIO,
            completer=completion.scenarios,
        ),
    ] = field(kw_only=False)

    set: Annotated[
        list[str],
        option(
            "change a field, for example workload.rate_hz=5000; again for more fields",
            SCENARIO,
            metavar="FIELD=VALUE",
            completer=completion.fields_with_values,
        ),
    ] = repeated()


@dataclass(frozen=True, kw_only=True)
class Seeded:
    """The seed."""

    seed: Annotated[Whole, option("one seed for all random draws", EFFORT, show_default=True)] = (
        20200404
    )


@dataclass(frozen=True, kw_only=True)
class Limited:
    """A limit on replications."""

    max_runs: Annotated[
        Runs,
        option(
            "replications at most: 8, 16, 32, ... up to 131072; each step doubles them",
            EFFORT,
            metavar="N",
            show_default=True,
        ),
    ] = 8192


@dataclass(frozen=True, kw_only=True)
class Precise(Limited):
    """The wanted precision."""

    precision: Annotated[
        Real,
        option("wanted half width of P(wait), relative to its value", EFFORT, show_default=True),
    ] = 0.1


@dataclass(frozen=True, kw_only=True)
class Budgeted:
    """What may be spent."""

    budget: Annotated[
        Real | None,
        option(
            "events to spend: of size in all (3.5e7, on many CPUs fewer), else on each remedy "
            "without a wait (8e7)",
            EFFORT,
            metavar="EVENTS",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Windowed:
    """Which part of a run is asked about."""

    window: Annotated[
        Literal["boot", "steady"] | None,
        option("which answer: of the time after boot, or of what comes later", QUESTION),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Whether what a recording does not know goes into the answer."""

    draws: Annotated[
        Whole | None,
        option(
            "of a scenario that krcsim read made: so many of its draws of what the recording does "
            "not know (0: none; all, if left out)",
            EFFORT,
            metavar="N",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Asked(Windowed):
    """A quantity, and how it is found."""

    quantity: Annotated[
        list[str],
        option(
            "what is asked, for example wait_ms (p_wait); of sweep again for more",
            QUESTION,
            completer=completion.quantities,
        ),
    ] = repeated()

    method: Annotated[
        str,
        option(
            "how it is found: skipping, rare, exact or auto",
            QUESTION,
            completer=completion.methods,
            show_default=True,
        ),
    ] = "auto"


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """Whether progress is shown."""

    quiet: Annotated[bool, option("show no progress", ANSWER)] = False


@dataclass(frozen=True, kw_only=True)
class Json:
    """The answer for machines."""

    json: Annotated[bool, option("print JSON for machines", ANSWER)] = False


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files that the answer is written into."""

    out: Annotated[
        list[str],
        option(
            "write there what its ending says: .png .svg .pdf .csv .toml .json .txt (of reply .txt "
            ".eml, of kernel .csv .json, of read .toml .json); again for more files",
            ANSWER,
            metavar="FILE",
        ),
    ] = repeated()

    overwrite: Annotated[bool, option("replace files that exist", ANSWER)] = False


@dataclass(frozen=True, kw_only=True)
class Figures(Files):
    """Files that may be figures."""

    dpi: Annotated[Whole, option("dots per inch of a .png", ANSWER, show_default=True)] = 150


@dataclass(frozen=True, kw_only=True)
class Delivered(OnScenario, Seeded, Json, Figures):
    """What every verb has whose answer is printed, or written into files."""


@dataclass(frozen=True, kw_only=True)
class Studied(OnScenario, Seeded, Precise, Budgeted, Files, Quiet):
    """Remedies, episodes or a grid of values."""

    remedies: Annotated[
        str | None,
        option(
            "rows of the table of remedies (A0,A1,B,C-A0,C-A1,D5-A1); or B12, D8-A1; kernels, as "
            "5.9,6.1; own, D8-own for your setting; or the lists curve, cold",
            QUESTION,
            metavar="NAMES",
            completer=completion.remedies,
        ),
    ] = None

    by_episode: Annotated[
        Whole, option("episode by episode from boot, N of them", QUESTION, metavar="N")
    ] = 0

    over: Annotated[
        list[str],
        option(
            "values of a field, or LO:HI:COUNT with :log or :whole after it; remedy=A1,B,D5-A1 "
            "works too; again for more fields",
            QUESTION,
            metavar="FIELD=V1,V2,..",
            completer=completion.fields_with_values,
        ),
    ] = repeated()


@dataclass(frozen=True, kw_only=True)
class Mailed:
    """The mail that is answered, and what the draft takes instead of the parent's."""

    parent: Annotated[
        str,
        option("draft a mail in answer to this .eml, mbox or pasted text", MAIL, metavar="FILE"),
    ] = ""

    in_reply_to: Annotated[
        str,
        option(
            "the Message-ID it answers: one of many in an mbox, or where the file has none",
            MAIL,
            metavar="ID",
        ),
    ] = ""

    quote: Annotated[
        list[str],
        option(
            "lines to answer, or words of a paragraph",
            MAIL,
            metavar="FROM-TO",
        ),
    ] = repeated()

    subject: Annotated[str, option("instead of that of the parent", MAIL, metavar="TEXT")] = ""

    to: Annotated[
        list[str],
        option("instead of the parent's", MAIL, metavar="ADDRESS"),
    ] = repeated()

    cc: Annotated[
        list[str],
        option("instead of the parent's", MAIL, metavar="ADDRESS"),
    ] = repeated()

    sender: Annotated[
        str, option("the From line, else left to git", MAIL, name="--from", metavar="ADDRESS")
    ] = ""


def no_check(_: Any) -> None:
    """A verb whose options all go together."""


class Verb(NamedTuple):
    """What the file of a verb ends in, as `VERB`: its options, what they do, and which of them do
    not go together.
    """

    options: type[OnScenario]
    run: Callable[[Any, str], None]
    check: Callable[[Any], None] = no_check


def names_of(options: object) -> dict[str, Field[Any]]:
    """The options of a verb or of a group, without the two dashes, and the field of each."""
    return _names_of_class(options if isinstance(options, type) else type(options))


@cache
def _names_of_class(kind: type) -> dict[str, Field[Any]]:
    hints = get_type_hints(kind, include_extras=True)
    names: dict[str, Field[Any]] = {}

    # Changes of the scenario come first, as in every command that krcsim writes.
    for declared in sorted(fields(kind), key=lambda declared: declared.name != "set"):
        if declared.name == "scenario":
            continue

        names_given = [
            name
            for extra in get_args(hints[declared.name])[1:]
            if isinstance(extra, Parameter)
            for name in extra.name or ()
        ]
        name = names_given[0] if names_given else declared.name.replace("_", "-")
        names[name.removeprefix("--")] = declared

    return names


def is_given(options: OnScenario, name: str) -> bool:
    """Whether an option differs from its default."""
    declared = names_of(options)[name]
    value = getattr(options, declared.name)
    return value not in ([], None, False) and value != declared.default
