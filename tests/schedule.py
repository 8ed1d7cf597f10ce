# SPDX-License-Identifier: GPL-2.0-only
"""How the tests are spread over processes: what takes longest begins first, so that no processor
is idle while another has a long file left.

A file stays with one process: what its tests share is made once, and there is one JupyterLab.
`pytest --durations=20` shows what has become long.
"""

from __future__ import annotations

from typing import Any

# From the longest on, about; what is not here is short. The browser waits more than it works, so
# it goes well beside those that fill all processors.
LONGEST_FIRST = (
    "tests/widgets/test_browser.py",
    "validation/test_agreement.py",
    "validation/test_rare.py",
    "tests/test_site.py",
    "validation/test_claims.py",
    "validation/test_unseen.py",
    "validation/test_kernel.py",
    "validation/test_newer_kernel.py",
    "validation/test_guest.py",
    "validation/test_sizes.py",
    "validation/test_pressure.py",
    "tests/widgets/test_browser_screen.py",
    "tests/widgets/test_browser_short.py",
    "tests/test_readme.py",
    "tests/test_examples.py",
    "tests/results/test_readers.py",
    "tests/runs/test_engines.py",
    "tests/report/test_style.py",
    "tests/widgets/test_explorer.py",
    "tests/widgets/test_walk.py",
    "tests/studies/test_size.py",
    "tests/methods/test_rare.py",
    "tests/methods/test_exact.py",
    "tests/test_coverage.py",
    "tests/runs/test_compiled_cache.py",
    "tests/cli/test_streams.py",
    "tests/engine/test_slices.py",
    "tests/model/test_unused_fields.py",
)

# Their tests share nothing that takes long to make, so any process may take the next one.
SHARING_NOTHING = ("validation/test_unseen.py",)


def file_of(nodeid: str) -> str:
    """The file of a test."""
    return nodeid.split("::", 1)[0]


def unit_of(nodeid: str) -> str:
    """What stays with one process: the file of a test, or the test alone."""
    file = file_of(nodeid)
    return nodeid if file in SHARING_NOTHING else file


def in_order(items: list[Any]) -> list[Any]:
    """Tests by file, the longest files first; within a file as they stand there."""
    place = {file: n for n, file in enumerate(LONGEST_FIRST)}
    return sorted(items, key=lambda item: place.get(file_of(item.nodeid), len(place)))


def scheduler(config: Any, log: Any) -> Any:
    """xdist's scheduler of files, in this order and with these units."""
    from xdist.scheduler import LoadScopeScheduling

    class LongestFirst(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    config.option.loadscopereorder = False  # by the number of tests, which says nothing of time
    return LongestFirst(config, log)
