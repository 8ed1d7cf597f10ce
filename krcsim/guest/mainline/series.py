# SPDX-License-Identifier: GPL-2.0-only
"""The series of kernels that can be measured, and what a series has that others lack."""

from dataclasses import dataclass

from krcsim.base.errors import KrcsimError, did_you_mean, shown


@dataclass(frozen=True, kw_only=True)
class Series:
    """A series of kernels: its name, and what its kfree_rcu() is like."""

    name: str
    row: str  # the row of the table of remedies that stands for it, there or not
    cached_parameter: str  # on the kernel's command line: how many pages the cache keeps
    folder: str  # in data/, its recordings
    counts_on_several_cpus: bool = True  # boots where instructions are the time of several CPUs
    lacks: tuple[str, ...] = ()  # symbols that it does not have, or that its compiler inlines

    @property
    def has_sheaves(self) -> bool:
        """Whether objects of slab caches go into sheaves first."""
        return "__kfree_rcu_sheaf" not in self.lacks


# What belongs to sheaves: new ones are allocated with the last.
_SHEAVES = (
    "__kfree_rcu_sheaf",
    "rcu_free_sheaf",
    "rcu_free_sheaf_nobarn",
    "__kmalloc_flags_noprof",
)
_IN_RCU = "rcutree.rcu_min_cached_objs"
_IN_SLAB = "slab_common.rcu_min_cached_objs"  # since v6.14

SERIES = {
    one.name: one
    for one in (
        Series(
            name="6.1",
            folder="kernel-6.1-stock",
            row="E5",
            cached_parameter=_IN_RCU,
            counts_on_several_cpus=False,
            lacks=(*_SHEAVES, "kvfree_rcu_bulk", "kvfree_rcu_queue_batch", "kvfree_rcu_barrier"),
        ),
        Series(
            name="6.12", folder="kernel-6.12", row="E8", cached_parameter=_IN_RCU, lacks=_SHEAVES
        ),
        Series(name="7.2", folder="kernel-7.2", row="E10", cached_parameter=_IN_SLAB),
        Series(name="7.3", folder="kernel-7.3", row="E11", cached_parameter=_IN_SLAB),
    )
}


def listed(text: str) -> tuple[Series, ...]:
    """The series of a list such as "6.1,7.3", in its order; raises KrcsimError."""
    names = [name.strip() for name in text.replace(",", " ").split()]
    if not names:
        raise KrcsimError(f"--kernel is {shown(text)}; allowed: one or more of {', '.join(SERIES)}")

    for name in names:
        if name not in SERIES:
            hint = did_you_mean(name, SERIES, "write for example 7.3")
            raise KrcsimError(
                f"{shown(name)} is not a series of kernels that can be measured; allowed: "
                f"{', '.join(SERIES)}; {hint}"
            )
    return tuple(SERIES[name] for name in dict.fromkeys(names))
