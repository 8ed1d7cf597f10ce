# SPDX-License-Identifier: GPL-2.0-only
"""A grace period has ended: when those who waited for it wake, and in which order.

The waiters of a run are a queue, in the order in which they wake and then in which they asked:
World.waiters_head, waiters_served and waiters_tail.
"""

from krcsim.engine.calendar import HELD_CALL_BYTES, waiter_at
from krcsim.engine.codes import LISTED_WAIT, ZERO
from krcsim.engine.pointers import heap_node_at, move_bytes
from krcsim.engine.records import World

SR_MAX_USERS_WAKE_FROM_GP = 5  # waiters that the grace-period kthread wakes itself


def serve_waiters(world: World, served_at: float) -> None:
    """R28: waiters whose grace period has ended get the time at which they wake."""
    while world.waiters_served < world.waiters_tail:
        waiter = waiter_at(world, world.waiters_served)
        if waiter.needed_gp > world.gps_done:
            break

        waiter.wakes_at = served_at
        world.waiters_served += 1


def wake_waiters(world: World, now: float, served_at: float) -> None:
    """R60, rcu_sr_normal_gp_cleanup(): the kthread wakes the newest waiters of its list now, and a
    work the others; those with callbacks wake when these are invoked.
    """
    first = world.waiters_served
    listed = ZERO
    for number in range(first, world.waiters_tail):
        waiter = waiter_at(world, number)
        if waiter.needed_gp <= world.gps_done:
            listed += waiter.waits_for == LISTED_WAIT
            move_waiter(world, number, world.waiters_served)
            world.waiters_served += 1

    for number in range(first, world.waiters_served):
        waiter = waiter_at(world, number)
        if waiter.waits_for == LISTED_WAIT:
            is_new = listed <= SR_MAX_USERS_WAKE_FROM_GP
            waiter.wakes_at = now if is_new else now + world.wake_work
            listed -= 1
        else:
            waiter.wakes_at = served_at
        move_waiter(world, number, place_in_queue(world, number))


def place_in_queue(world: World, number: int) -> int:
    """R60: the place of a waiter among those before it that have not woken yet; of several that the
    kthread or the work wakes at once the newest comes first.
    """
    waiter = waiter_at(world, number)
    is_listed = waiter.waits_for == LISTED_WAIT
    place = number
    while place > world.waiters_head:
        before = waiter_at(world, place - 1)
        if before.wakes_at < waiter.wakes_at or (
            before.wakes_at == waiter.wakes_at and not is_listed
        ):
            break
        place -= 1

    return place


def move_waiter(world: World, number: int, place: int) -> None:
    """Move a waiter forward to an earlier place of the queue; those between move back by one."""
    if place == number:
        return

    spare = heap_node_at(world.heap_address, world.heap_size).slot  # no call is in it now
    spare_address = world.stalled_address + spare * HELD_CALL_BYTES
    move_bytes(spare_address, address_of_waiter(world, number), HELD_CALL_BYTES)
    for behind in range(number, place, -1):
        move_bytes(
            address_of_waiter(world, behind), address_of_waiter(world, behind - 1), HELD_CALL_BYTES
        )
    move_bytes(address_of_waiter(world, place), spare_address, HELD_CALL_BYTES)


def address_of_waiter(world: World, number: int) -> int:
    """Where a waiter of the queue lies, by its number since boot."""
    address: int = world.waiters_address + (number % world.waiter_capacity) * HELD_CALL_BYTES
    return address
