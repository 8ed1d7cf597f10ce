# SPDX-License-Identifier: GPL-2.0-only
"""When kfree_rcu() is called, on which CPU, with one argument or two."""

from dataclasses import dataclass

from krcsim.base.errors import refuse
from krcsim.base.fields import check, choice, number, numbers, whole
from krcsim.model.calls import RecordedCalls, given_calls
from krcsim.model.constants import (
    CALL_INSTRUCTIONS,
    FREE_INSTRUCTIONS,
    LIST_FREE_INSTRUCTIONS,
    LIST_INSTRUCTIONS,
    SLAB_INSTRUCTIONS,
    SLUB_PAGES,
    WAKE_INSTRUCTIONS,
)
from krcsim.model.object_sizes import Sizes, objects_in_page, pages_of_object, read_sizes, spread
from krcsim.model.rate_changes import Pieces, factors_of, given_changes


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The calls made on each CPU, independent of other CPUs, and alike but for `cpu_shares`.

    `rate_hz` is the mean rate of any kind of arrivals, also of bursts, of on and off phases, and of
    a rate that changes; with `replay` it is that of the recording, whatever is given. The
    instructions are counted in the guest of data/kernel-runs/.
    """

    arrivals: str = choice(
        "poisson",
        ("poisson", "periodic", "bursts", "onoff", "replay"),
        "the kind of call times",
    )
    rate_hz: float = number(1000.0, "calls/s per CPU", 1e-3, 1e8, "the mean rate of calls")
    cpu_shares: tuple[float, ...] = ()  # of all calls those of each CPU, in any unit; (): all alike
    rate_changes: Pieces = ()  # pairs [start_ms, rate in any unit]; (): the rate is the same always
    rate_period_ms: float | None = number(
        None, "ms", 1e-3, 1e8, "after how long rate_changes begin anew"
    )
    burst: int = whole(1, "calls", 1, 1_000_000, "the calls made back to back (bursts)")
    gap: str = choice("fixed", ("fixed", "exponential"), "the time between two bursts' starts")
    phase: str = choice("random", ("random", "tick"), "where in its gap a fixed period starts")
    on_ms: float = number(10.0, "ms", 1e-3, 1e7, "the mean length of an on phase (onoff)")
    off_ms: float = number(10.0, "ms", 1e-3, 1e7, "the mean length of an off phase (onoff)")
    loop: str = choice(
        "open",
        ("open", "closed", "catchup"),
        "whether a waiting caller stops calling, and catches up",
    )
    calls: RecordedCalls | None = None  # of replay: the calls of a recording
    producers: int = whole(1, "tasks per CPU", 1, 4096, "the callers per CPU (closed loop)")
    single_share: float = number(1.0, "", 0.0, 1.0, "the share of single-argument calls")
    vmalloc_share: float = number(0.0, "", 0.0, 1.0, "the share of vmalloc()ed objects")
    sheaf_share: float = number(
        1.0, "", 0.0, 1.0, "the share of slab objects that a sheaf takes (of its node, in a slab)"
    )
    opted_in_share: float = number(
        0.0, "", 0.0, 1.0, "the share of them of vm_area_struct or maple_node, for v6.18"
    )
    reuse_hz: float | None = number(
        None,
        "allocations/s per CPU",
        0.0,
        1e8,
        "how often objects of the freed kind are allocated; left out: as often as freed",
    )
    object_bytes: int = whole(64, "bytes", 8, 1 << 30, "the size of a freed object")
    object_sizes: Sizes = ()  # pairs of a size, bytes, and its share; (): all have object_bytes
    live_objects: int = whole(
        0,
        "objects per CPU",
        0,
        1_000_000_000,
        "the objects in use, for which callers allocate new ones; 0: that is left out",
    )
    growth_pages_s: float = number(
        0.0, "pages/s", 0, 1e9, "what others allocate for each call that waits"
    )
    call_instructions: float = number(
        CALL_INSTRUCTIONS, "instructions", 0, 1e6, "the CPU time of a call with kmalloc"
    )
    list_instructions: float = number(
        LIST_INSTRUCTIONS, "instructions", 0, 1e6, "what allocating a wrapper adds"
    )
    slab_instructions: float = number(
        SLAB_INSTRUCTIONS, "instructions", 0, 1e7, "what a new slab page of objects adds"
    )
    free_instructions: float = number(
        FREE_INSTRUCTIONS, "instructions", 0, 1e6, "the CPU time of freeing one object"
    )
    list_free_instructions: float = number(
        LIST_FREE_INSTRUCTIONS, "instructions", 0, 1e6, "what a freed wrapper adds"
    )
    wake_instructions: float = number(
        WAKE_INSTRUCTIONS,
        "instructions",
        0,
        1e7,
        "from a timer or the end of a wait until the caller runs (periodic, bursts)",
    )

    def __post_init__(self) -> None:
        check(self, "workload")
        self._check_shares()
        self._check_rate_changes()
        self._check_sizes()
        self._check_replay()
        refuse(
            self.arrivals != "bursts" and self.burst != 1,
            "workload.burst",
            self.burst,
            "1 call unless arrivals are bursts",
            'set workload.arrivals = "bursts" or leave burst out',
        )
        refuse(
            self.arrivals not in ("periodic", "bursts") and self.gap != "fixed",
            "workload.gap",
            self.gap,
            "fixed unless arrivals are periodic or bursts",
            'set workload.arrivals = "bursts" or leave gap out',
        )
        refuse(
            self.loop == "catchup" and self.arrivals not in ("periodic", "bursts"),
            "workload.loop",
            self.loop,
            "open or closed unless arrivals are periodic or bursts",
            'set workload.arrivals = "periodic"',
        )
        refuse(
            self.loop == "open" and self.producers != 1,
            "workload.producers",
            self.producers,
            "1 task per CPU in an open loop",
            'set workload.loop = "closed" or leave producers out',
        )
        refuse(
            self.growth_pages_s > 0 and self.live_objects == 0,
            "workload.growth_pages_s",
            self.growth_pages_s,
            "0 pages/s where live_objects is 0",
            "what grows is freed later by callers that allocate: set workload.live_objects",
        )

    def _check_shares(self) -> None:
        """Shares are numbers, one a CPU, of calls that come one by one."""
        rule = ("a list of numbers from 0 to 1e9, one of them above 0", "write for example [3, 1]")
        name = "workload.cpu_shares"
        shares = numbers(name, 1, *rule, self.cpu_shares)
        object.__setattr__(self, "cpu_shares", shares)
        good = all(0.0 <= share <= 1e9 for share in shares) and (not shares or sum(shares) > 0.0)
        refuse(not good, name, shares, *rule)
        refuse(
            bool(shares) and self.arrivals not in ("poisson", "onoff"),
            name,
            shares,
            "left out unless arrivals are poisson or onoff",
            'set workload.arrivals = "poisson" or leave it out',
        )

    def _check_rate_changes(self) -> None:
        """The pieces of a rate that changes, of calls that are drawn or have a timetable."""
        pieces = given_changes(self.rate_changes, self.rate_period_ms)
        object.__setattr__(self, "rate_changes", pieces)
        refuse(
            bool(pieces) and self.arrivals == "replay",
            "workload.rate_changes",
            f"{len(pieces)} pieces",
            "left out where calls are replayed",
            "a recording has its own times: leave rate_changes and rate_period_ms out",
        )

    def _check_sizes(self) -> None:
        """Several sizes are pairs with their shares; a single one is object_bytes."""
        sizes = read_sizes(self.object_sizes)
        if len(sizes) == 1:
            object.__setattr__(self, "object_bytes", sizes[0][0])
            sizes = ()
        object.__setattr__(self, "object_sizes", sizes)

    def _check_replay(self) -> None:
        """Recorded calls are there where they are replayed, and set the rate; none elsewhere."""
        object.__setattr__(self, "calls", given_calls(self.calls))
        refuse(
            self.arrivals == "replay" and self.calls is None,
            "workload.arrivals",
            self.arrivals,
            "replay where workload.calls holds a recording",
            "make such a scenario with krcsim read FILES --replay --out mine.toml",
        )
        refuse(
            self.arrivals != "replay" and self.calls is not None,
            "workload.calls",
            "a recording",
            "left out unless arrivals are replay",
            'set workload.arrivals = "replay" or leave calls out',
        )
        if self.calls is None:
            return
        refuse(
            self.loop != "open",
            "workload.loop",
            self.loop,
            "open where calls are replayed",
            "a recording has the calls that were made, not who held them back: leave loop out",
        )
        refuse(
            self.calls.total == 0,
            "workload.calls",
            "a recording without a call",
            "one call and more",
            "record while kfree_rcu() is called",
        )
        object.__setattr__(self, "rate_hz", min(1e8, max(1e-3, self.calls.rate_hz)))

    def rates_of_cpus(self, cpus: int) -> tuple[float, ...]:
        """The mean rates of so many CPUs, as multiples of `rate_hz`: 1.0 each where all are
        alike.
        """
        if self.calls is not None:
            shares = tuple(float(self.calls.calls_of(cpu)) for cpu in range(cpus))
        elif self.cpu_shares:
            shares = self.cpu_shares + (0.0,) * (cpus - len(self.cpu_shares))
        else:
            return (1.0,) * cpus
        return tuple(share * cpus / sum(shares) for share in shares)

    def rate_factors(self) -> Pieces:
        """Start in ms and rate of each piece of time, as a multiple of `rate_hz`, from boot on;
        (): the rate is the same always.
        """
        if self.rate_period_ms is None:
            return ()
        factors = factors_of(self.rate_changes, self.rate_period_ms)
        return factors if len(factors) > 1 else ()

    def highest_factor(self) -> float:
        """The rate of the busiest piece of time, as a multiple of `rate_hz`."""
        return max((factor for _, factor in self.rate_factors()), default=1.0)

    @property
    def period_ms(self) -> float:
        """Mean time in ms between the starts of two bursts on one CPU."""
        return 1000.0 * self.burst / self.rate_hz

    @property
    def sizes(self) -> Sizes:
        """The sizes of objects in bytes, ascending, with their shares of the calls, which add up
        to 1.
        """
        if not self.object_sizes:
            return ((self.object_bytes, 1.0),)
        total = sum(share for _, share in self.object_sizes)
        return tuple((size, share / total) for size, share in self.object_sizes)

    def mean_object_bytes(self) -> float:
        """The mean size of a freed object."""
        return sum(size * share for size, share in self.sizes)

    def reusable_objects(self) -> int:
        """Freed objects whose slab pages a CPU uses again: of several sizes on average."""
        return round(sum(SLUB_PAGES * objects_in_page(size) * share for size, share in self.sizes))

    def live_of_sizes(self) -> tuple[int, ...]:
        """The live objects of a CPU by size."""
        return spread(self.live_objects, self.sizes)

    def live_pages(self) -> int:
        """Pages of the live objects of a CPU."""
        return sum(
            -(-live // objects_in_page(size)) * pages_of_object(size)
            for (size, _), live in zip(self.sizes, self.live_of_sizes(), strict=True)
        )

    def costs_ms(self, instruction_ns: float) -> dict[str, float]:
        """CPU times in ms of the parts of a call; a new slab page is spread over its objects, of
        several sizes on average.
        """
        counts = dict(
            call_cost=self.call_instructions,
            list_cost=self.list_instructions,
            slab_cost=sum(
                share * self.slab_instructions / objects_in_page(size) for size, share in self.sizes
            ),
            free_cost=self.free_instructions,
            list_free_cost=self.list_free_instructions,
            wake_cost=self.wake_instructions,
        )
        return {name: count * instruction_ns * 1e-6 for name, count in counts.items()}

    def channels(self) -> int:
        """How many bulk channels the calls use: 1 or 2."""
        return 2 if 0.0 < self.vmalloc_share < 1.0 else 1
