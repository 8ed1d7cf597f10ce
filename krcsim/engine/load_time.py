# SPDX-License-Identifier: GPL-2.0-only
"""Load time, for a rate that changes: so much time goes by at the mean rate while as many calls
come (rule R107 of docs/model.md).

It is piecewise linear in time: from the begin of a piece it grows by the factor of the piece, and a
whole period of it is a period. Without pieces it is time.
"""

import math

from krcsim.engine.codes import ZERO
from krcsim.engine.pointers import rate_piece_at
from krcsim.engine.records import World


def load_time_at(world: World, at: float) -> float:
    """R107: the load time since boot, ticks."""
    if world.rate_pieces == 0:
        return at

    turn = math.floor(at / world.rate_period)
    within = at - turn * world.rate_period
    first = ZERO
    behind = world.rate_pieces
    while behind - first > 1:
        middle = (first + behind) >> 1
        if rate_piece_at(world.rate_pieces_address, middle).begins_at <= within:
            first = middle
        else:
            behind = middle

    piece = rate_piece_at(world.rate_pieces_address, first)
    load = piece.load_before + (within - piece.begins_at) * piece.factor
    return float(turn * world.rate_period + load)


def time_of_load(world: World, load: float) -> float:
    """R107: when the load time since boot is so long, ticks; where it stands still, at the end of
    that.
    """
    if world.rate_pieces == 0:
        return load

    turn = math.floor(load / world.rate_period)
    within = load - turn * world.rate_period
    first = ZERO
    behind = world.rate_pieces
    while behind - first > 1:
        middle = (first + behind) >> 1
        if rate_piece_at(world.rate_pieces_address, middle).load_before <= within:
            first = middle
        else:
            behind = middle

    piece = rate_piece_at(world.rate_pieces_address, first)
    if piece.factor <= 0.0:  # it is the last piece, and all the load of the turn has come
        return float((turn + 1.0) * world.rate_period)
    at = piece.begins_at + (within - piece.load_before) / piece.factor
    return float(turn * world.rate_period + at)
