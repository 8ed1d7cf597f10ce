# SPDX-License-Identifier: GPL-2.0-only
"""Whether a built site holds together: each link inside it leads somewhere, and no page loads
anything from elsewhere. Links to other hosts are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"script", "img", "link", "iframe", "source", "video", "audio", "embed", "object"}
ONLY_NAMED = {"canonical", "next", "prev", "search", "index", "author", "license"}  # <link rel=...>
VERBATIM = {"pre", "code", "script", "style"}
LINK = ("href", "src", "data", "poster")


@dataclass
class Page(HTMLParser):
    """A page: its places (ids), what it links to, what it loads, and what was not converted."""

    places: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)  # Markdown that stayed text
    verbatim: int = 0  # elements we are in that show text as it is

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        self.verbatim += tag in VERBATIM
        have = {name: value or "" for name, value in attrs}
        self.places |= {have[name] for name in ("id", "name") if name in have}
        targets = [have[name] for name in LINK if name in have]
        self.links += targets
        if tag in LOADS and not ONLY_NAMED & set(have.get("rel", "").split()):
            self.loaded += targets
            self.loaded += [one.split()[0] for one in have.get("srcset", "").split(",") if one]
        self.loaded += re.findall(r"url\(['\"]?([^'\")]+)", have.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        """The end of one."""
        self.verbatim -= tag in VERBATIM

    def handle_data(self, data: str) -> None:
        """Text."""
        if not self.verbatim:
            self.raw += re.findall(r"\[[^]]*\]\([^)]*\)", data)


@cache
def read(path: Path) -> Page:
    """A page of the site."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def is_elsewhere(link: str) -> bool:
    """Whether a link leads to another host."""
    parts = urlsplit(link)
    return bool(parts.netloc) or parts.scheme in ("http", "https", "mailto")


def faults(site: Path) -> list[str]:
    """Sentences about links that lead nowhere and about what is loaded from other hosts."""
    read.cache_clear()
    found: list[str] = []
    for path in sorted(site.rglob("*.html")):
        name, page = path.relative_to(site), read(path)
        inside = [link for link in page.links if not is_elsewhere(link)]
        found += [f"{name}: {link} leads nowhere" for link in inside if not leads(site, path, link)]
        found += [f"{name}: {text} stayed text" for text in page.raw]
        found += [
            f"{name}: {link} is loaded from elsewhere" for link in page.loaded if is_elsewhere(link)
        ]
    for path in sorted(site.rglob("*.css")):
        found += [
            f"{path.relative_to(site)}: {link} is loaded from elsewhere"
            for link in loaded_by_css(path)
            if is_elsewhere(link)
        ]
    return found


def loaded_by_css(path: Path) -> Iterator[str]:
    """What a style sheet loads."""
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", text):
        yield match[1] or match[2]


def leads(site: Path, page: Path, link: str) -> bool:
    """Whether a link inside the site leads to a file of it, and to a place that is there."""
    parts = urlsplit(link)
    if parts.scheme:  # data: and the like
        return parts.scheme == "data"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page.resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_file() or not target.is_relative_to(site.resolve()):
        return False
    if not parts.fragment or target.suffix != ".html":
        return True
    return unquote(parts.fragment) in read(target).places
