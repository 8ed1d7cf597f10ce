# SPDX-License-Identifier: GPL-2.0-only
"""What is read from recordings of running kernels, whose load is known."""

from __future__ import annotations

import pytest

from validation.recordings import KERNELS, LOADS, folder, made_of, misses, path_of

EVERY = [
    (kernel, load)
    for kernel in KERNELS.split()
    for load, how in LOADS.items()
    if kernel in how.kernels
]


@pytest.mark.parametrize(("kernel", "load"), EVERY)
def test_a_recording_is_understood_as_a_whole(kernel: str, load: str) -> None:
    made = made_of(path_of(folder(), kernel, load))
    assert (made.evidence.not_understood, made.evidence.lost, made.evidence.notes) == (0, 0, ())
    assert made.evidence.machine["release"].startswith(f"{kernel}.")
    assert made.scenario.machine.hz == 250
    assert made.scenario.workload.arrivals == LOADS[load].arrivals


def test_nine_in_ten_intervals_hold_what_was_done() -> None:
    missed = [
        f"{kernel} {load} {field}"
        for kernel, load in EVERY
        for field in misses(made_of(path_of(folder(), kernel, load)), LOADS[load])
    ]
    asked = sum(len(LOADS[load].truth) for _, load in EVERY)
    assert len(missed) <= 0.1 * asked, missed


@pytest.mark.parametrize("kernel", KERNELS.split())
def test_no_name_and_no_address_is_in_a_recording(kernel: str) -> None:
    import gzip

    text = gzip.decompress(path_of(folder(), kernel, "poisson").read_bytes()).decode()
    events = [line for line in text.splitlines() if " [0" in line]
    assert len(events) > 10
    assert all(line.startswith("x-") for line in events)
    assert "0xffff" not in text
