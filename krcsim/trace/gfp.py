# SPDX-License-Identifier: GPL-2.0-only
"""Which class a page request belongs to, by its flags: as names, in hex, or as a decimal number."""

import re
from functools import lru_cache

PAGE, ATOMIC, NORETRY, SLEEPS = "page", "atomic", "noretry", "sleeps"

# Bits that did not move from 6.1 to 7.3 (include/linux/gfp_types.h).
_HIGH, _DIRECT, _NORETRY = 0x20, 0x400, 0x10000
_NAMED_BITS = _HIGH | _DIRECT | _NORETRY  # which never stand beside names as a number
_HARDWALL = 0x100000  # the kernel adds it where cpusets are in use
OWN = 0x92CC0  # GFP_KERNEL|__GFP_NORETRY|__GFP_NOMEMALLOC|__GFP_NOWARN, of kfree_rcu() since v5.13
_OWN_NAMES = frozenset({"GFP_KERNEL", "__GFP_NORETRY", "__GFP_NOMEMALLOC", "__GFP_NOWARN"})

_MAY_RECLAIM = frozenset(
    """GFP_KERNEL GFP_KERNEL_ACCOUNT GFP_USER GFP_HIGHUSER GFP_HIGHUSER_MOVABLE GFP_NOFS GFP_NOIO
    GFP_TRANSHUGE __GFP_DIRECT_RECLAIM __GFP_RECLAIM""".split()
)
_TRIES_HARD = frozenset({"GFP_ATOMIC", "__GFP_HIGH", "__GFP_ATOMIC"})
# Names that kernels from 4.4 to 7.3 print; of another one it is not known what it allows.
_KNOWN = (
    _MAY_RECLAIM
    | _TRIES_HARD
    | frozenset(
        """none GFP_NOWAIT GFP_DMA GFP_DMA32 GFP_TEMPORARY GFP_TRANSHUGE_LIGHT
        __GFP_ACCOUNT __GFP_CMA __GFP_COLD __GFP_COMP __GFP_DMA __GFP_DMA32 __GFP_FS __GFP_HARDWALL
        __GFP_HIGHMEM __GFP_IO __GFP_KSWAPD_RECLAIM __GFP_MEMALLOC __GFP_MOVABLE __GFP_NOFAIL
        __GFP_NOLOCKDEP __GFP_NOMEMALLOC __GFP_NORETRY __GFP_NOTRACK __GFP_NOWARN __GFP_NO_OBJ_EXT
        __GFP_OTHER_NODE __GFP_RECLAIMABLE __GFP_REPEAT __GFP_RETRY_MAYFAIL __GFP_SKIP_KASAN
        __GFP_SKIP_KASAN_POISON __GFP_SKIP_KASAN_UNPOISON __GFP_SKIP_ZERO __GFP_THISNODE
        __GFP_WRITE __GFP_ZERO __GFP_ZEROTAGS""".split()
    )
)
_REST_OF_BITS = re.compile(r"0x[0-9a-f]{1,8}")  # those that have no name


@lru_cache(maxsize=4096)
def class_of(flags: bytes) -> tuple[str, bool] | None:
    """The class of a request, and whether it has the very flags of kfree_rcu()'s own.

    None for what are no flags.
    """
    text = flags.decode("ascii", "replace")
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    if re.fullmatch(r"[0-9]{1,10}", text):
        return _by_bits(int(text))
    if _REST_OF_BITS.fullmatch(text):
        return _by_bits(int(text, 16))

    names = frozenset(text.split("|"))
    unnamed = [int(name, 16) for name in names - _KNOWN if _REST_OF_BITS.fullmatch(name)]
    if len(unnamed) < len(names - _KNOWN) or any(bits & _NAMED_BITS for bits in unnamed):
        return None
    if names & _MAY_RECLAIM:
        kind = NORETRY if "__GFP_NORETRY" in names else SLEEPS
        return kind, names - {"__GFP_HARDWALL"} == _OWN_NAMES
    return (ATOMIC if names & _TRIES_HARD else PAGE), False


def _by_bits(bits: int) -> tuple[str, bool] | None:
    if bits >> 32:
        return None
    if bits & _DIRECT:
        return (NORETRY if bits & _NORETRY else SLEEPS), bits & ~_HARDWALL == OWN
    return (ATOMIC if bits & _HIGH else PAGE), False
