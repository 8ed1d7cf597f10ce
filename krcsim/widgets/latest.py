# SPDX-License-Identifier: GPL-2.0-only
"""The newest value wins: long work behind a slider, in one thread, without a queue of old values.

`Latest.submit()` never blocks. A newer value replaces one that waits and asks the running one to
stop, but only after its first result: a steady drag would otherwise show nothing. Results come back
on the event loop that submitted (JupyterLab may run that of widgets in a thread of its own), never
on the worker's thread; without a running loop (a plain script, a test) everything happens at once
in the caller's thread.
"""

import asyncio
import atexit
import threading
from collections.abc import Callable
from typing import Any

import numpy as np


class Ticket:
    """One submitted value: `stop` is what the engine polls; show() and tell() reach the person."""

    def __init__(self, value: Any, stopped: type[BaseException]) -> None:
        self.value, self._stopped = value, stopped
        self.stop = np.zeros(1, np.int64)
        self.shown = self.superseded = False
        self.post: Callable[[Callable[[Any], None], Any], Any] = lambda receiver, what: receiver(
            what
        )
        self.on_state: Callable[[str], None] = lambda _state: None
        self.outdated: Callable[[], bool] = lambda: False

    def show(self, receiver: Callable[[Any], None], what: Any) -> None:
        """Give a result to `receiver` on the event loop; ends the work if a newer value waits.

        Waits (a second at most) until it was received: the loop would otherwise share the
        interpreter with what comes next, and the picture would be late.
        """
        received = threading.Event()

        def receive(what: Any) -> None:
            try:
                if not self.outdated():  # two loops may get out of step
                    receiver(what)
            finally:
                received.set()

        self.post(receive, what)
        received.wait(1.0)
        if not self.shown:
            self.shown = True
            self.post(self.on_state, "running")
        if self.superseded:
            raise self._stopped


class Latest:
    """Runs work(ticket) for the newest submitted value only.

    `on_state` hears "running" after the first result, and at the end "done", "stopped" or "error:
    ...".
    """

    def __init__(
        self,
        work: Callable[[Ticket], None],
        on_state: Callable[[str], None],
        stopped: type[BaseException],
    ) -> None:
        self._work, self._on_state, self._stopped = work, on_state, stopped
        self._lock = threading.Condition()
        self._next: tuple[Ticket, asyncio.AbstractEventLoop] | None = None
        self._running: Ticket | None = None
        self._newest: Ticket | None = None  # the last one that ran
        self._thread: threading.Thread | None = None

    def submit(self, value: Any) -> None:
        """Work on `value` next, instead of anything that still waits."""
        ticket = Ticket(value, self._stopped)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._run(ticket)
            return
        with self._lock:
            self._put((ticket, loop), at_once=False)
            if self._thread is None:
                self._thread = threading.Thread(target=self._main, name="krcsim", daemon=True)
                self._thread.start()
                atexit.register(self._end, self._thread)
            self._lock.notify()

    def cancel(self) -> None:
        """Drop what waits and stop what runs, at once."""
        with self._lock:
            self._put(None, at_once=True)
            self._lock.notify()

    def _end(self, thread: threading.Thread) -> None:
        """Let the thread finish before the interpreter takes its ground away."""
        self.cancel()
        thread.join(5.0)

    def _put(self, following: Any, at_once: bool) -> None:
        """Choose what is next; what runs is to stop, `at_once` or when it has shown something."""
        self._next = following
        if self._running is not None:
            self._running.superseded = True
            self._running.stop[0] |= at_once or self._running.shown

    def _main(self) -> None:
        while True:
            with self._lock:
                if self._next is None:
                    self._lock.wait(30)
                if (
                    self._next is None
                ):  # nothing to do for a while, or the end: a later submit() starts anew
                    atexit.unregister(self._end)
                    self._thread = None
                    return
                (ticket, loop), self._next = self._next, None
                self._running, ticket.post = ticket, loop.call_soon_threadsafe
            try:
                self._run(ticket)
            except RuntimeError:  # the loop was closed under us: nobody is left to tell
                self._thread = None
                return
            with self._lock:
                self._running = None

    def _run(self, ticket: Ticket) -> None:
        ticket.on_state, ticket.outdated, end = (
            self._on_state,
            lambda: self._newest is not ticket,
            "done",
        )
        self._newest = ticket
        try:
            self._work(ticket)
        except self._stopped:
            end = "stopped"
        except Exception as exc:  # told to the person; the thread lives on for the next value
            end = f"error: {exc}"
        if end != "stopped" or self._next is None:  # else the next value has its own say
            ticket.post(self._on_state, end)
