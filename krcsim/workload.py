# SPDX-License-Identifier: GPL-2.0-only
"""When kfree_rcu() is called, on which CPU, with one argument or two."""
from dataclasses import dataclass
from krcsim.kernel import CALL_INSTRUCTIONS, FREE_INSTRUCTIONS
from krcsim.values import check, choice, number, refuse, whole

@dataclass(frozen=True, kw_only=True)
class Workload:
    """The calls made on each CPU, all alike and independent; a source in bursts or on/off keeps the mean `rate_hz`."""
    arrivals: str = choice("poisson", ("poisson", "periodic", "bursts", "onoff"), "the kind of call times")
    rate_hz: float = number(1000.0, "calls/s per CPU", 1e-3, 1e8, "the mean rate of calls")
    burst: int = whole(1, "calls", 1, 1_000_000, "the calls made back to back (bursts)")
    gap: str = choice("fixed", ("fixed", "exponential"), "the time between two bursts' starts")
    phase: str = choice("random", ("random", "tick"), "where in its gap a fixed period starts")
    on_ms: float = number(10.0, "ms", 1e-3, 1e7, "the mean length of an on phase (onoff)")
    off_ms: float = number(10.0, "ms", 1e-3, 1e7, "the mean length of an off phase (onoff)")
    loop: str = choice("open", ("open", "closed"), "whether a waiting caller stops calling")
    producers: int = whole(1, "tasks per CPU", 1, 4096, "the callers per CPU (closed loop)")
    single_share: float = number(1.0, "", 0.0, 1.0, "the share of single-argument calls")
    vmalloc_share: float = number(0.0, "", 0.0, 1.0, "the share of vmalloc()ed objects")
    object_bytes: int = whole(64, "bytes", 8, 1 << 30, "the size of a freed object")
    call_instructions: float = number(CALL_INSTRUCTIONS, "instructions", 0, 1e6, "the CPU time of a call with kmalloc")
    free_instructions: float = number(FREE_INSTRUCTIONS, "instructions", 0, 1e6, "the CPU time of freeing one object")

    def __post_init__(self) -> None:
        check(self, "workload")
        refuse(self.arrivals != "bursts" and self.burst != 1, "workload.burst", self.burst,
            "1 call unless arrivals are bursts", 'set workload.arrivals = "bursts" or leave burst out')
        refuse(self.arrivals in ("poisson", "onoff") and self.gap != "fixed", "workload.gap", self.gap,
            "fixed unless arrivals are periodic or bursts", 'set workload.arrivals = "bursts" or leave gap out')
        refuse(self.loop == "open" and self.producers != 1, "workload.producers", self.producers,
            "1 task per CPU in an open loop", 'set workload.loop = "closed" or leave producers out')

    @property
    def period_ms(self) -> float:
        """Mean time between the starts of two bursts on one CPU."""
        return 1000.0 * self.burst / self.rate_hz

    def channels(self) -> int:
        """How many bulk channels the calls use: 1 or 2."""
        return 2 if 0.0 < self.vmalloc_share < 1.0 else 1
