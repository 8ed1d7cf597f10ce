# SPDX-License-Identifier: GPL-2.0-only
"""Which class a page request belongs to, by its flags: as names, in hex, or as a decimal number."""

import re
from functools import lru_cache

PAGE, ATOMIC, NORETRY, SLEEPS = "page", "atomic", "noretry", "sleeps"

# Bits that did not move from 6.1 to 7.3 (include/linux/gfp_types.h).
_HIGH, _DIRECT, _NORETRY = 0x20, 0x400, 0x10000
_HARDWALL = 0x100000  # the kernel adds it where cpusets are in use
OWN = 0x92CC0  # GFP_KERNEL|__GFP_NORETRY|__GFP_NOMEMALLOC|__GFP_NOWARN, of kfree_rcu() since v5.13
_OWN_NAMES = frozenset({"GFP_KERNEL", "__GFP_NORETRY", "__GFP_NOMEMALLOC", "__GFP_NOWARN"})

_MAY_RECLAIM = frozenset(
    """GFP_KERNEL GFP_KERNEL_ACCOUNT GFP_USER GFP_HIGHUSER GFP_HIGHUSER_MOVABLE GFP_NOFS GFP_NOIO
    GFP_TRANSHUGE __GFP_DIRECT_RECLAIM __GFP_RECLAIM""".split()
)
_TRIES_HARD = frozenset({"GFP_ATOMIC", "__GFP_HIGH", "__GFP_ATOMIC"})
_WORD = r"(?:(?:__)?GFP_\w+|0x[0-9a-f]+|none)"
_WORDS = re.compile(rf"{_WORD}(?:\|{_WORD})*")


@lru_cache(maxsize=4096)
def class_of(flags: bytes) -> tuple[str, bool] | None:
    """The class of a request, and whether it has the very flags of kfree_rcu()'s own.

    None for what are no flags.
    """
    text = flags.decode("ascii", "replace").strip("()")
    if text.isdigit() and len(text) < 12:
        return _by_bits(int(text))
    if re.fullmatch(r"0x[0-9a-f]{1,8}", text):
        return _by_bits(int(text, 16))
    if not _WORDS.fullmatch(text):
        return None

    names = frozenset(text.split("|"))
    if names & _MAY_RECLAIM:
        kind = NORETRY if "__GFP_NORETRY" in names else SLEEPS
        return kind, names - {"__GFP_HARDWALL"} == _OWN_NAMES
    return (ATOMIC if names & _TRIES_HARD else PAGE), False


def _by_bits(bits: int) -> tuple[str, bool]:
    if bits & _DIRECT:
        return (NORETRY if bits & _NORETRY else SLEEPS), bits & ~_HARDWALL == OWN
    return (ATOMIC if bits & _HIGH else PAGE), False
