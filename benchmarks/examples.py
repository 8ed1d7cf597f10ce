# SPDX-License-Identifier: GPL-2.0-only
"""Make the worked examples of docs/reply.md again: `make examples`.

Each is a draft that answers a mail, and the saved result that it is made of. With --drafts only the
drafts and the index are made, from the results that are kept.
"""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path

from krcsim.cli.main import main as krcsim
from krcsim.report.reply import answer_text
from krcsim.results.result import load_result

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "examples"
PAGE = ROOT / "docs" / "reply.md"
BEGIN, END = "<!-- made by make examples -->\n", "<!-- end -->\n"
THREE = "--remedies C-A1,B,D2-A1"


@dataclass(frozen=True)
class Example:
    """A draft: what it shows, the mail and the words in it that it answers, and the question."""

    name: str
    shows: str
    parent: str
    quote: str
    question: str  # of krcsim compare

    @property
    def result(self) -> Path:
        """Where the answer is kept."""
        return FOLDER / f"{self.name}.json"

    @property
    def draft(self) -> Path:
        """Where the draft is kept."""
        return FOLDER / f"{self.name}.eml"


SEED, PARENT = "seed-mail.eml", "parent.eml"
EXAMPLES = (
    Example(
        "for-pages",
        "the numbers speak for preallocated pages",
        SEED,
        "how do you feel about",
        f"thread-as-discussed --set workload.rate_hz=20 {THREE}",
    ),
    Example(
        "for-the-pool",
        "the numbers speak for the pool",
        SEED,
        "how do you feel about",
        f"thread-as-discussed --set workload.rate_hz=200 {THREE}",
    ),
    Example(
        "undecided",
        "no difference is proven",
        SEED,
        "how do you feel about",
        f"thread-as-discussed --set workload.rate_hz=1.5 {THREE}",
    ),
    Example(
        "size-of-the-pool",
        "an answer to the mail before it: is 3 a good default?",
        PARENT,
        "the default value",
        "thread-as-discussed --remedies A1,B1,B,B6,B12",
    ),
)


THREAD = "Re: [PATCH 1/1] rcu/tree: add emergency pool for headless case"
TO_THREAD = ("--subject", THREAD, "--to", "rcu@vger.kernel.org")
# By claim: the mail that a draft answers, or the thread where only the claim's message is known.
CLAIMS = {
    "Q2": ("--parent", str(FOLDER / SEED), "--quote", "how do you feel about"),
    "Q7": TO_THREAD,
    "Q8": TO_THREAD,
}


def run(*words: str) -> None:
    """Run a verb of the command line quietly; ends the program if it fails."""
    with contextlib.redirect_stdout(io.StringIO()):
        status = krcsim([*words])
    if status:
        raise SystemExit(f"krcsim {' '.join(words)} failed")


def simulate(example: Example, path: Path) -> None:
    """Answer the question of an example into a file."""
    run("compare", *example.question.split(), "--quiet", "--out", str(path), "--overwrite")


def write_draft(example: Example, path: Path) -> None:
    """Write the draft of an example from the result that is kept."""
    mail = ["--parent", str(FOLDER / example.parent), "--quote", example.quote]
    run("reply", str(example.result), *mail, "--out", str(path), "--overwrite")


def draft_of_claim(number: str) -> Path:
    """Where the draft of a claim is kept."""
    return FOLDER / f"claim-{number}.eml"


def write_claim(number: str, path: Path) -> None:
    """Write the draft of a claim from the numbers that are kept."""
    run("reply", "--claim", number, *CLAIMS[number], "--out", str(path), "--overwrite")


def index() -> str:
    """The table of the examples: each draft with its verdict."""
    lines = ["| draft | what it shows | its verdict |", "|---|---|---|"]
    for example in EXAMPLES:
        verdict = answer_text(load_result(example.result)).split("\n\n")[0].replace("\n", " ")
        link = f"[{example.draft.name}](examples/{example.draft.name})"
        lines.append(f"| {link} | {example.shows} | {verdict} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """docs/reply.md with the table of today."""
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return head + BEGIN + index() + END + rest.split(END)[1]


def main() -> None:
    """Make results, drafts and the index."""
    for example in EXAMPLES:
        if "--drafts" not in sys.argv[1:]:
            simulate(example, example.result)
        write_draft(example, example.draft)
    for number in CLAIMS:
        write_claim(number, draft_of_claim(number))
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
