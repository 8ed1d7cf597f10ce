# SPDX-License-Identifier: GPL-2.0-only
"""Text pasted from an archive's page: what the page says about its mail, in the many
ways in which pages say it.
"""

import re
from collections.abc import Sequence

_NAMES = {
    "from": "from",
    "author": "from",
    "date": "date",
    "sent": "date",
    "subject": "subject",
    "to": "to",
    "cc": "cc",
    "messageid": "message-id",
    "inreplyto": "in-reply-to",
    "references": "references",
}
_FIELD = re.compile(
    r"[\s*•|]{0,8}(from|author|date|sent|subject|to|cc|message[- ]id|in[- ]reply[- ]to|references)"
    r"[ ]{0,8}(?::|\t)\s*(.*)",
    re.IGNORECASE,
)
_OTHER_FIELD = re.compile(r"[\s*•|]{0,8}[A-Z][A-Za-z-]{1,30}[ ]{0,8}(?::\s|\t).*")

# Lines of a page that are no part of a mail: buttons, threads, counts.
_PAGE = re.compile(
    r"\s*(?:\[.*(?:prev|next|index|thread|archive|download|date|nested).*"
    r"|\* .*|[`@] .*|20\d\d-\d\d-\d\d .*|\d+ (?:siblings?|replies|reply).*"
    r"|thread overview.*|permalink.*"
    r"|.*archive mirror.*|help / color.*|(?:previous|next) message.*|messages sorted .*"
    r"|(?:next|prev) .*"
    r"|-{3,}|_{3,}|={3,})",
    re.IGNORECASE,
)
_GREETING = re.compile(r"(?:hi|hello|hey|dear|on)\b.*|.*[,:]", re.IGNORECASE)

_DATE = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? |(?:19|20)\d\d-\d\d-).{1,30}\d\d?:\d\d.{0,30}"
_BY = re.compile(rf"\s*(?P<who>\S.{{0,80}}?)\s+(?P<date>{_DATE})")
_SINCE_LORE = re.compile(r"(?P<who>.*\S)\s+@\s+(?P<date>20\d\d-\d\d-\d\d \d\d:\d\d UTC).*")
_BEHIND = re.compile(r"\s*(?:\((?:permalink|raw|over|about|almost)\b.*|\[thread.*)$")


def said_of(lines: Sequence[str]) -> dict[str, str]:
    """What a text says above its body about the mail it was: from, date, subject,
    message-id and so on, if it does.
    """
    head = lines[:60]
    start = next(
        (n for n, line in enumerate(head) if _FIELD.fullmatch(line) or line.startswith(">")),
        len(head),
    )
    above = [line.strip() for line in head[:start] if line.strip()]
    titles = [line for line in above if not _PAGE.fullmatch(line)]
    threads = [line.removeprefix("* ") for line in above if line.startswith("* ")]
    said = _fields(lines[start : start + 400])
    if "from" in said and len(said) > 1 and len(titles) <= 1:
        if not said.get("subject"):
            said["subject"] = (threads or titles or [""])[0]
        return {} if titles and _GREETING.fullmatch(titles[0]) else said
    return _by_line([line for line in map(str.strip, head) if line and not _PAGE.fullmatch(line)])


def _fields(lines: Sequence[str]) -> dict[str, str]:
    """The fields at the begin of some lines, to the first line that belongs to none of
    them.
    """
    said: dict[str, str] = {}
    name = ""
    gap = False
    for line in lines:
        found = _FIELD.fullmatch(line)
        key = _NAMES[re.sub("[- ]", "", found[1].lower())] if found else ""
        if len(line) > 10_000:
            break
        if not line.strip():
            gap = True
        elif found and not (gap and key in said):
            if name := key if key not in said else "":
                said[name] = _BEHIND.sub("", found[2]).strip()
            gap = False
        elif gap:
            break
        elif name and line[0] in " \t" and not _OTHER_FIELD.fullmatch(line):
            said[name] += f" {line.strip()}"
        elif _OTHER_FIELD.fullmatch(line) or _PAGE.fullmatch(line):
            name = ""
        else:
            break
    if since := _SINCE_LORE.fullmatch(said.get("from", "")):
        said |= {"from": since["who"], "date": since["date"]}
    return said


def _by_line(lines: Sequence[str]) -> dict[str, str]:
    """A title, and below it who wrote when, in one line or in two."""
    title, *below = lines[:3] or [""]
    if _GREETING.fullmatch(title) or len(title) > 250:
        return {}
    if below and (by := _BY.fullmatch(below[0])):
        return {"subject": title, "from": by["who"], "date": by["date"]}
    if len(below) == 2 and len(below[0]) <= 120 and re.fullmatch(_DATE, below[1]):
        return {"subject": title, "from": below[0], "date": below[1]}
    return {}
