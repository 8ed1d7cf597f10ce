# SPDX-License-Identifier: GPL-2.0-only
"""Make the pictures of the documents, the table of the thread and the finding of the README again:
`make figures`.
"""

from __future__ import annotations

import contextlib
import io
import textwrap
from pathlib import Path

from krcsim.cli.main import main as krcsim
from krcsim.model.scenario import Scenario
from krcsim.model.scenario_file import load_scenario
from krcsim.results.result import Cell, Result, number, words
from krcsim.results.verdict import verdict
from krcsim.studies.compare import compare

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
COMMAND = "krcsim compare thread-as-posted"
# What makes each picture; the picture carries its command and a hash of what it shows.
PICTURES = {
    "pool-or-pages": "compare thread-as-discussed --remedies curve --max-runs 256 "
    "--precision 0.001",
    "one-episode": "simulate thread-as-posted --episode 2",
    "cold-start": "compare thread-as-discussed --by-episode 8 --remedies cold --max-runs 128 "
    "--precision 0.001",
}
FINDING = "<!-- finding: make figures -->", "<!-- end of finding -->"
BEGIN, END = "<!-- made by make figures -->\n", "<!-- end -->\n"
COLUMNS = (
    ("P(wait), steady", "p_wait", "steady"),
    ("P(wait), from boot", "p_wait", "boot"),
    ("episodes with a wait", "p_episode", "steady"),
    ("tasks blocked", "blocked", "steady"),
    ("stalled in reclaim", "stalled", "steady"),
    ("bytes at boot", "bytes_at_boot", "steady"),
    ("when full", "bytes_at_full", "steady"),
)


def markdown(result: Result) -> str:
    """The result as a Markdown table, with the command that makes it."""
    lines = ["| remedy | " + " | ".join(c[0] for c in COLUMNS) + " |"]
    lines.append("|---" * (len(COLUMNS) + 1) + "|")
    for point in result.points():
        cells = [words(result.get(point, q, w)) for _, q, w in COLUMNS]
        lines.append(f"| {point[0]} | " + " | ".join(cells) + " |")
    seed = result.provenance["seed"]
    return "\n".join(lines) + f"\n\n`{COMMAND}`, seed {seed}; brackets are 95 % intervals.\n"


def meaning(result: Result) -> str:
    """What the table means for the thread: five sentences, their numbers taken from the result."""

    def p(remedy: str, window: str = "steady") -> float:
        e = result.get(remedy, "p_wait", window)
        return e.value or e.hi or 0.0

    def size(remedy: str) -> float:
        return result.get(remedy, "bytes_at_full", "steady").value or 0.0

    rows = [row for row in compare_differences(result, "C-A0") if row[2:4] == ("steady", "p_wait")]
    assert [row[4] for row in rows] == [0.0], "C on A0 differs from A0: the first sentence is wrong"
    runs = result.detail("C-A0", "p_wait", "steady", "replications")
    lines = (
        "Preallocating the page that the plain code keeps after its first drain buys nothing on a "
        "CPU whose "
        f"first request for a page succeeds. In {runs} runs no difference of C on A0 from A0 was "
        "seen, which "
        f"leaves at most {number(abs(float(rows[0][6] or 0.0)))}; where the first request of a CPU "
        "fails, since "
        "pressure comes that early, C does differ: in a few of 1000 such runs.",
        f'"Try hard" is worth a factor of {p("A0") / p("A1"):.1f} here, and turns part of the '
        "waits into stalls in reclaim, which are counted apart.",
        f"Three objects in a pool, {size('B') - size('A1'):.0f} bytes a CPU, divide what is left "
        f"by {p('A1') / p('B'):.0f} in steady state but only by "
        f"{p('A1', 'boot') / p('B', 'boot'):.0f} from boot: the pool starts empty.",
        f"With five preallocated pages in one list, {size('D5-A1') / 1024:.0f} KiB a CPU, no wait "
        f"was seen under this load{known(result, 'D5-A1')}.",
        "All of it depends on how often small objects fail when pages fail: change that number "
        "first.",
    )
    key = (
        'A0 and A1: the tree before and after "try hard"; B: A1 with a pool of 3 objects; C: both '
        "per-channel page slots filled at boot, on A0 as posted and on A1 as discussed; D5: five "
        "preallocated pages in one list. What it means for the thread:"
    )
    numbered = [
        "\n".join(textwrap.wrap(f"{n}. {line}", 100, subsequent_indent="   "))
        for n, line in enumerate(lines, 1)
    ]
    return "\n".join(["", *textwrap.wrap(key, 100), "", *numbered]) + "\n"


def known(result: Result, remedy: str) -> str:
    """What is known of a remedy with which no wait was seen, as the end of a sentence."""
    e, how = (get(remedy, "p_wait", "steady") for get in (result.get, result.detail))
    why = result.provenance["why"].get(remedy, "")
    if how == "by construction":
        return (
            f", and P(wait) is {f'below {number(e.hi or 0.0)}' if e.kind == 'bound' else '0'} "
            f"by construction: {why}"
        )
    given = "the bound" if how == "bound" else "what importance sampling or splitting found"
    return f"; the table gives {given}"


def compare_differences(result: Result, remedy: str) -> list[tuple[Cell, ...]]:
    """The paired differences of a remedy from the first one."""
    return [row for row in result.differences if row[0] == remedy]


def finding() -> str:
    """What the README says was found: the verdicts on the two patches and on more pages, in one
    sentence.
    """
    thread = load_scenario("thread-as-posted")
    said = [verdict(compare(thread, ["A1", remedy])) for remedy in ("B", "C-A1", "D5-A1")]
    begins, ends = zip(*(one.removesuffix(".").split("; ", 1) for one in said), strict=True)
    plain = begins[0]
    assert {*begins} == {plain}, "the verdicts begin with the same code"
    return f"{conditions(thread)}: {plain[0].lower()}{plain[1:]}; {'; '.join(ends)}."


def conditions(scenario: Scenario) -> str:
    """The load and the pressure of a scenario in short, as a sentence begins with them."""
    allocator = scenario.allocator
    every_ms = allocator.episode_ms + allocator.calm_ms
    return (
        f"At {scenario.workload.rate_hz:,.0f} calls/s on each of {scenario.machine.cpus} CPUs, "
        f"with memory short for {allocator.episode_ms:g} of {every_ms:g} ms, in which "
        f"{100 * allocator.episode.page:g} % of page requests fail"
    )


def around_the_finding(text: str) -> tuple[str, str, str]:
    """A document: what stands before its finding, the finding, and what follows."""
    begin, end = FINDING
    head, rest = text.split(begin)
    said, tail = rest.split(end)
    return head + begin, said, end + tail


def draw(name: str, path: Path) -> None:
    """Run the command of a picture and write what it answers into a file of any kind."""
    with contextlib.redirect_stdout(io.StringIO()):
        status = krcsim([*PICTURES[name].split(), "--out", str(path), "--overwrite"])
    if status:
        raise SystemExit(f"{name} was not drawn")


def main() -> None:
    """Draw the pictures, run the thread's preset, and put its table and its finding into their
    pages.
    """
    for name in PICTURES:
        draw(name, DOCS / f"{name}.png")
    result = compare(load_scenario("thread-as-posted"), command=COMMAND)
    page = DOCS / "thread.md"
    head, rest = page.read_text(encoding="utf-8").split(BEGIN)
    text = head + BEGIN + markdown(result) + meaning(result) + END + rest.split(END)[1]
    page.write_text(text, encoding="utf-8")

    first = ROOT / "README.md"
    before, _, behind = around_the_finding(first.read_text(encoding="utf-8"))
    first.write_text(before + finding() + behind, encoding="utf-8")


if __name__ == "__main__":
    main()
