# SPDX-License-Identifier: GPL-2.0-only
"""Sets of conditions that tell kernels, and models of them, apart: what is measured of each kernel.

A condition is a line of parameters of krcstock, and how its guest is booted. Its label says what it
is: set/load/kind of calls/object/failure of pages/failure of sheaves, and what else differs.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from krcsim.guest.boot import Boot
from krcsim.guest.mainline.series import Series

USUAL_MIB = 512  # of a guest whose memory is not short
SHORT_MIB = 256  # of one whose memory a hog takes

# period_us, burst, dur_ms: from a call in ten seconds to a CPU that does nothing else. A call takes
# 8 to 16 us of the guest's time, the probes' among it.
RATES = {
    "rare": (10_000_000, 1, 60_000),
    "sparse": (100_000, 1, 12_000),
    "low": (10_000, 1, 5000),
    "steady": (1000, 1, 1000),
    "mid": (1000, 10, 1000),
    "heavy": (1000, 25, 400),
    "burst": (100_000, 2000, 600),
    "flood": (1000, 200, 200),
    "once": (2_000_000, 100_000, 1000),
}
# What decides whether a sheaf takes an object, and how large a sheaf is.
OBJECTS = {
    "8": "objsize=8",
    "64": "objsize=64",
    "256": "objsize=256",
    "1024": "objsize=1024",
    "4096": "objsize=4096",
    "16384": "objsize=16384",
    "vmalloc": "objsize=4096 vmalloc_pct=100",
}
DOUBLE_PCT = {"single": 0, "double": 100, "mixed": 50}
# The first run after the boot, which nothing is learnt from.
WARM_UP = "label=warm-up period_us=1000 burst=10 dur_ms=50 settle_ms=100"
FORKS = "!(while :; do /bin/busybox true; done) &"  # a background that forks and ends, for ever


@dataclass(frozen=True)
class Condition:
    """One experiment, and how its guest is booted for it.

    `cached`: the pages that the kernel keeps; None: as many as it does anyway. `before`: a line of
    the job file that makes a background for all experiments of its guest. `is_random`: else nothing
    in it is drawn, and one seed is enough.
    """

    line: str
    cached: int | None = None
    cpus: int = 1
    mib: int = USUAL_MIB
    preempt: str = ""
    before: str = ""
    is_random: bool = True

    def seed(self, number: int) -> int:
        """The seed of the module for seed `number`: conditions share no random numbers, so that one
        unusual draw does not move many of them.
        """
        return zlib.crc32(self.line.split()[0].encode()) % 2_000_000 * 1000 + number % 1000

    def boot(self, series: Series) -> Boot:
        """How the guest of a series is booted for it."""
        words = [self.preempt and f"preempt={self.preempt}"]
        if self.cached is not None:
            words.append(f"{series.cached_parameter}={self.cached}")
        return Boot(
            cpus=self.cpus,
            mib=self.mib,
            append=" ".join(filter(None, words)),
            counted=self.cpus > 1 and series.counts_on_several_cpus,
        )


def _condition(
    name: str,
    rate: str,
    what: str,
    objects: str,
    p_page: float,
    p_sheaf: float = 0.0,
    more: str = "",
    tag: str = "",
    dur_ms: int = 0,
    settle_ms: int = 6000,
    **booted: object,
) -> Condition:
    """An experiment of a set; `what`: calls with one argument, two, or half of each.

    `p_sheaf`: share of the objects that the sheaf refuses. `tag`: what else it is called.
    """
    period_us, burst, usual_ms = RATES[rate]
    label = [name, rate, what, objects, f"{p_page:g}", f"{p_sheaf:g}", tag]
    words = [
        f"label={'/'.join(filter(None, label))}",
        f"period_us={period_us} burst={burst} dur_ms={dur_ms or usual_ms} at_once=1",
        f"double_pct={DOUBLE_PCT[what]} {OBJECTS[objects]}",
        f"p_page_ppm={round(1e6 * p_page)} p_sheaf_ppm={round(1e6 * p_sheaf)}",
        f"settle_ms={settle_ms}",
    ]
    if booted.get("is_random", True):
        words.append("arrival=1")
    return Condition(" ".join([*words, *filter(None, [more])]), **booted)  # type: ignore[arg-type]


def _blocks(series: Series) -> float:
    """The share of objects that sheaves have to refuse, so that all go into blocks."""
    return 1.0 if series.has_sheaves else 0.0


def _rates(series: Series) -> Iterator[Condition]:
    """Every rate, calls of one argument, of two and of both, no page kept."""
    for rate in ("rare", "sparse", "low", "mid", "heavy", "burst", "flood"):
        for what, failures in (
            ("single", (0.0, 0.5, 0.9, 1.0)),
            ("double", (1.0,)),
            ("mixed", (0.5, 0.9)),
        ):
            for p_page in failures:
                yield _condition("rates", rate, what, "64", p_page, _blocks(series), cached=0)


def _cached(series: Series) -> Iterator[Condition]:
    """Page caches of two sizes, empty and full at the begin: pages kept, and refills."""
    singles = [("single", p_page) for p_page in (0.5, 0.9, 1.0)]
    for cached, rates in ((1, ("mid", "heavy")), (5, ("mid", "heavy", "burst"))):
        for full in (0, 1):
            for rate in rates:
                for what, p_page in (*singles, ("double", 0.5)) if rate == "heavy" else singles:
                    yield _condition(
                        "cached",
                        rate,
                        what,
                        "64",
                        p_page,
                        _blocks(series),
                        f"cached={full}",
                        f"n{cached}{'full' if full else 'empty'}",
                        cached=cached,
                    )


def _objects(series: Series) -> Iterator[Condition]:
    """Every kind of object, while most page requests fail; sheaves take what they take."""
    for objects in OBJECTS:
        for what in ("single", "double"):
            own = series.has_sheaves and objects.isdigit() and int(objects) <= 4096
            more = "own_cache=1" if own else ""
            yield _condition("objects", "mid", what, objects, 0.9, 0.0, more, cached=0)


def _sheaves(series: Series) -> Iterator[Condition]:
    """Sheaves of a cache of its own: used as fast as filled, or all new and failing; half refused.

    With preobj the objects were made before the run, so that no allocation empties a sheaf in it.
    """
    if not series.has_sheaves:
        return
    for rate in ("low", "mid", "heavy", "burst", "flood"):
        yield _condition("sheaves", rate, "single", "64", 1.0, 0.0, "own_cache=1", "used", cached=0)
    for objects in ("64", "4096"):
        for p_slab in (0.0, 0.5, 0.9, 1.0):
            for what, p_page in (("single", 0.9), ("double", 0.9)):
                more = f"own_cache=1 preobj=1 total=8000 p_slab_ppm={round(1e6 * p_slab)}"
                yield _condition(
                    "sheaves",
                    "mid",
                    what,
                    objects,
                    p_page,
                    0.0,
                    more,
                    f"new{p_slab:g}",
                    dur_ms=700,
                    cached=0,
                )
    for rate in ("mid", "heavy"):
        for p_page in (0.5, 1.0):
            more = "own_cache=1"
            yield _condition("sheaves", rate, "single", "64", p_page, 0.5, more, "half", cached=0)


def _drains(series: Series) -> Iterator[Condition]:
    """Light traffic, and silence: the times of drains, to the tick. Nothing in it is random.

    Calls come between two ticks, so that it does not matter how long a timer takes to be served.
    """
    one_by_one = [("steady", calls) for calls in (1, 2, 300, 506, 507, 508, 509, 510, 511, 1100)]
    for rate, dur_ms in (*one_by_one, ("low", 15_000), ("sparse", 15_000), ("rare", 40_000)):
        for what, objects in (("double", "64"), ("single", "vmalloc")):
            yield _condition(
                "drains",
                rate,
                what,
                objects,
                0.0,
                _blocks(series),
                "phase_us=500 catchup=1",
                f"{dur_ms}ms",
                dur_ms=dur_ms,
                settle_ms=12_000,
                is_random=False,
            )


def _background(series: Series) -> Iterator[Condition]:
    """Grace periods that others ask for, and a background that forks: what is ready when?"""
    for gap_us in (2_000_000, 200_000, 20_000):
        for rate in ("sparse", "low"):
            yield _condition(
                "background",
                rate,
                "double",
                "64",
                0.0,
                _blocks(series),
                f"background_us={gap_us}",
                f"every{gap_us // 1000}ms",
                dur_ms=16_000,
            )
    for rate, p_page in (("sparse", 0.0), ("low", 0.5), ("low", 1.0), ("mid", 0.9), ("mid", 1.0)):
        yield _condition(
            "background",
            rate,
            "single",
            "64",
            p_page,
            _blocks(series),
            tag="forks",
            dur_ms=min(6000, RATES[rate][2]),
            settle_ms=200,
            cached=0,
            before=FORKS,
        )


def _readers(series: Series) -> Iterator[Condition]:
    """Long readers on a CPU that can be preempted: grace periods of 20 and 60 ms."""
    for reader_ms in (20, 60):
        for rate, p_page in (("low", 1.0), ("mid", 0.9), ("mid", 1.0), ("heavy", 0.9)):
            yield _condition(
                "readers",
                rate,
                "single",
                "64",
                p_page,
                _blocks(series),
                f"reader_ms={reader_ms}",
                f"reader{reader_ms}",
                dur_ms=2000 if rate != "heavy" else 1000,
                cached=0,
                preempt="full",
            )


def _waits(series: Series) -> Iterator[Condition]:
    """How long a call waits, on one CPU and on several, idle and busy."""
    for cpus in (1, 2, 4):
        for rate, what, p_page in (
            ("low", "single", 1.0),
            ("mid", "single", 1.0),
            ("mid", "single", 0.9),
            ("heavy", "mixed", 0.9),
        ):
            yield _condition(
                "waits",
                rate,
                what,
                "64",
                p_page,
                _blocks(series),
                tag=f"{cpus}cpu",
                dur_ms=min(2000, RATES[rate][2]),
                settle_ms=100,
                cached=0,
                cpus=cpus,
            )


def _real(series: Series) -> Iterator[Condition]:
    """Nothing is made to fail: a hog takes the memory, to three depths, before the first call or in
    the middle. Without cached pages each block needs a page of the allocator.
    """
    for hog in (1, 2, 3):
        for cached, begin, when in (
            (0, "lead_ms=1000", "cold"),
            (0, "onset_ms=500", "warm"),
            (5, "lead_ms=1000", "cold"),
        ):
            for p_sheaf in (1.0, 0.0) if series.has_sheaves and not cached else (_blocks(series),):
                refused = round(1e6 * p_sheaf)
                more = f"hog={hog} {begin} calm_sheaf_ppm={refused} preobj=1 total=30000"
                yield _condition(
                    "real",
                    "mid",
                    "single",
                    "64",
                    0.0,
                    p_sheaf,
                    more,
                    f"hog{hog}{when}{cached}",
                    dur_ms=2000,
                    settle_ms=1000,
                    cached=cached,
                    mib=SHORT_MIB,
                )


def _costs(series: Series) -> Iterator[Condition]:
    """CPU times: of a call, of allocating its object, and of freeing it. Nothing in it is random.

    Fewer calls than a block holds, back to back, take what a call takes; a flood of objects that
    were made before takes a call and a free.
    """
    refused = _blocks(series)
    kinds = [("block", "single", "64", refused), ("list", "double", "64", refused)]
    kinds += [("block", "single", objects, refused) for objects in OBJECTS if objects != "64"]
    if series.has_sheaves:
        kinds += [("sheaf", "single", objects, 0.0) for objects in ("64", "1024", "4096")]

    for kind, what, objects, p_sheaf in kinds:
        loads = [("once", f"total={calls}", f"{kind}{calls}") for calls in (100, 500)]
        loads.append(("flood", "", f"{kind}flood"))
        if objects != "vmalloc":
            loads += [("once", f"preobj=1 total={n}", f"{kind}{n}made") for n in (100, 500)]
            loads.append(("flood", "preobj=1 total=20000", f"{kind}floodmade"))
        for load, more, tag in loads:
            yield _condition(
                "costs",
                load,
                what,
                objects,
                float(kind == "list"),
                p_sheaf,
                more,
                tag,
                is_random=False,
                settle_ms=100,
                cached=0 if kind == "list" else 5,
            )
    for lead_ms in (200, 400):
        yield _condition(
            "costs",
            "once",
            "single",
            "64",
            0.0,
            refused,
            f"total=1 preobj=1 hog=1 lead_ms={lead_ms}",
            f"hog{lead_ms}",
            dur_ms=2,
            settle_ms=100,
            cached=5,
            mib=SHORT_MIB,
            is_random=False,
        )


SETS: dict[str, Callable[[Series], Iterator[Condition]]] = {
    "rates": _rates,
    "cached": _cached,
    "objects": _objects,
    "sheaves": _sheaves,
    "drains": _drains,
    "background": _background,
    "readers": _readers,
    "waits": _waits,
    "real": _real,
    "costs": _costs,
}
