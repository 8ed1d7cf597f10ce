# SPDX-License-Identifier: GPL-2.0-only
"""Dask as the place where a large sweep runs: a cluster on this machine, or one that is there."""

import contextlib
import logging
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from krcsim.base import cells
from krcsim.base.errors import KrcsimError
from krcsim.base.reading import read_json, read_text

_JOIN_S = 60.0


@contextlib.contextmanager
def dask_executor(
    address: str = "", workers: int | None = None
) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """An Executor on the scheduler at an address (or in a scheduler file ending in .json), and how
    many run at once.

    Without an address a cluster of `workers` processes is made on loopback, without a dashboard.
    Raises KrcsimError.
    """
    try:
        import distributed
    except ImportError:
        raise KrcsimError(
            "Dask is not installed; install it with: pip install 'krcsim[cluster]', "
            "or sweep on threads or processes"
        ) from None
    library: Any = distributed
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet("distributed"))
        if not address:
            cluster = stack.enter_context(
                library.LocalCluster(
                    n_workers=workers or None,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address=None,
                    preload=[__name__],
                    silence_logs=logging.ERROR,
                )
            )
            client = stack.enter_context(library.Client(cluster, set_as_default=False))
        else:
            where = dict(
                address=_address_in(Path(address)) if address.endswith(".json") else address
            )
            client = stack.enter_context(_joined(library.Client, address, where))
        yield client.get_executor(), lambda: max(1, sum(client.nthreads().values()))


@contextlib.contextmanager
def _quiet(library: str) -> Iterator[None]:
    """A worker that died is replaced, and a scheduler that is gone is reported in a line: no
    tracebacks next to the bar.
    """
    loggers = [
        logging.getLogger(name)
        for name in sorted(logging.root.manager.loggerDict)
        if name.startswith(library)
    ]
    levels = [logger.level for logger in loggers]  # each has its own
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def dask_setup(_worker: object) -> None:
    """Called by Dask in each worker of a cluster on this machine: Ctrl-C is the parent's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _address_in(path: Path) -> str:
    """Where the scheduler is that wrote a scheduler file; raises KrcsimError at once if there is
    none yet.
    """
    body = read_json(
        read_text(
            path,
            "scheduler file",
            f"start a scheduler that writes it: dask scheduler --scheduler-file {path}",
        ),
        f"scheduler file {path}",
    )
    if wrong := cells.wrong_in_table({"address": cells.NAME}, body):
        raise KrcsimError(
            f"scheduler file {path} is not one of Dask: {wrong}; give the file that the scheduler "
            "wrote"
        )
    address: str = body["address"]
    return address


def _joined(client_of: Any, address: str, where: dict[str, str]) -> Any:
    try:
        client = client_of(**where, timeout=10, set_as_default=False)
    except (OSError, ValueError, TypeError) as exc:  # TimeoutError is an OSError
        why = " ".join(str(exc).split())[:120] or type(exc).__name__
        raise KrcsimError(
            f"no Dask scheduler at {address} ({why}); start one with: dask scheduler"
        ) from None
    try:
        client.wait_for_workers(1, timeout=_JOIN_S)
    except OSError:
        client.close()
        raise KrcsimError(
            f"no worker joined {address} within {_JOIN_S:g} s; start some with: "
            f"dask worker {address} --nthreads 1"
        ) from None
    return client
