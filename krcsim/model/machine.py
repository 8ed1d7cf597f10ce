# SPDX-License-Identifier: GPL-2.0-only
"""The machine: its CPUs, its tick, and what work costs on it."""

from dataclasses import dataclass

from krcsim.base.errors import refuse
from krcsim.base.fields import check, choice, number, whole
from krcsim.model.constants import INSTRUCTION_NS


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine: its CPUs, its tick, and what work costs on it."""

    cpus: int = whole(4, "CPUs", 1, 1024, "the CPUs that call kfree_rcu()")
    hz: int = whole(250, "ticks/s", 24, 10_000, "the tick rate")
    arch: str = choice("x86-64", ("x86-64", "arm64"), "the size of a wrapper object")
    instruction_ns: float = number(
        INSTRUCTION_NS, "ns", 0, 1000, "the time of an instruction (an assumption)"
    )
    nocb_share: float = number(0.0, "", 0, 1, "the share of works that run on another CPU")
    work_delay_ms: float = number(0.0, "ms", 0, 1e4, "the delay from callback to work")
    node_cpus: int | None = whole(
        None, "CPUs per node", 1, 1024, "the CPUs that share a barn of sheaves; left out: all"
    )

    def __post_init__(self) -> None:
        check(self, "machine")
        refuse(
            self.cpus == 1 and self.nocb_share > 0,
            "machine.nocb_share",
            self.nocb_share,
            "0 on one CPU",
            "there is no other CPU: set it to 0 or raise machine.cpus",
        )
        refuse(
            self.node_cpus is not None and self.node_cpus > self.cpus,
            "machine.node_cpus",
            self.node_cpus,
            f"1 to cpus = {self.cpus} CPUs per node",
            "lower it, leave it out for one node, or raise machine.cpus",
        )
