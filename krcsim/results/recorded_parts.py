# SPDX-License-Identifier: GPL-2.0-only
"""The two parts of the intervals of a result that was made over the draws of a recording, as they
stand in its provenance.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from krcsim.base import cells
from krcsim.results.estimate import Estimate
from krcsim.results.result import Cell, Result
from krcsim.results.result_format import RULES, wrong_estimate
from krcsim.results.two_parts import Parts

RECORDING = "recording"  # its name in the provenance
Place = tuple[str, str, str]  # remedy, window, quantity
_TABLE = {
    "seconds": cells.AMOUNT,
    "draws": cells.COUNT,
    "parts": cells.several(cells.Rule("a row", lambda x: isinstance(x, (list, tuple)))),
}
_ROW = {
    "remedy": cells.LINE,
    "window": cells.NAME,
    "quantity": cells.NAME,
    "share": cells.either(cells.within(0.0, 1.0, "a share from 0 to 1")),
    "seen": cells.COUNT,
    **{name: RULES[name] for name in ("value", "lo", "hi", "kind")},
}


def table_of(found: Mapping[Place, Parts], seconds: float, draws: int) -> dict[str, Any]:
    """The parts as the provenance has them."""
    return {"seconds": seconds, "draws": draws, "parts": [*_rows(found)]}


def _rows(found: Mapping[Place, Parts]) -> Iterator[list[Cell]]:
    for place, parts in found.items():
        e = parts.fitted
        yield [*place, parts.recording, parts.seen, e.value, e.lo, e.hi, e.kind]


def recording_of(result: Result) -> tuple[float, int]:
    """The seconds of the recording that a result was made of, and its draws; 0 where of none."""
    told = result.provenance.get(RECORDING)
    if told is None or cells.wrong_in_table(_TABLE, told):
        return 0.0, 0
    return float(told["seconds"]), int(told["draws"])


def parts_of(result: Result) -> dict[Place, Parts]:
    """The two parts of each row of a result; none where it was not made of a recording."""
    _, draws = recording_of(result)
    if not draws:
        return {}
    found = {}
    for row in result.provenance[RECORDING]["parts"]:
        if cells.wrong_in_row(_ROW, row) or wrong_estimate(*row[5:]):
            continue
        remedy, window, quantity, share, seen, *fitted = row
        whole = result.get(remedy, quantity, window)
        found[remedy, window, quantity] = Parts(whole, Estimate(*fitted), share, draws, seen)
    return found
