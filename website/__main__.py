# SPDX-License-Identifier: GPL-2.0-only
"""Build the site: `python -m website [--into FOLDER]`."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from website.links import faults
from website.notebooks import write_notebooks
from website.pages import ROOT, write_pages

HERE = Path(__file__).parent


def build(into: Path) -> list[str]:
    """Build the site into a folder, which is emptied first; returns what is wrong with it.

    What Sphinx reads is kept beside that folder, in `NAME-pages`.
    """
    pages = into.with_name(f"{into.name}-pages")
    for folder in (pages, into):
        shutil.rmtree(folder, ignore_errors=True)
    write_pages(pages, write_notebooks(pages / "notebooks"))

    # -n: each reference must lead somewhere; -W: a warning of Sphinx is an error.
    how = ["-b", "html", "-n", "-W", "--keep-going", "-q", "-c", str(HERE)]
    kept = ["-d", str(pages / ".doctrees")]
    made = subprocess.run([sys.executable, "-m", "sphinx", *how, *kept, str(pages), str(into)])
    if made.returncode:
        return ["Sphinx has made no site, see above; `make site` installs what it needs"]
    return faults(into)


def main() -> int:
    """Build, and say where the first page is or what is wrong."""
    ask = argparse.ArgumentParser(prog="python -m website", description=__doc__)
    ask.add_argument("--into", type=Path, default=ROOT / "output" / "site")
    into = ask.parse_args().into.resolve()

    found = build(into)
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(f"The site is built; open {into / 'index.html'} in a browser.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
