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

IDLE_S = 30.0  # after which the thread ends; a later value starts another
RECEIVED_WITHIN_S = 1.0  # how long a result waits for the event loop
ON_SCREEN_S = 0.05  # how long a picture may take from the event loop to the screen
END_S = 5.0  # how long the interpreter's end waits for the thread


class Ticket:
    """One submitted value: `stop` is what the engine polls; show() and post() reach the person."""

    def __init__(self, value: Any, stopped: type[BaseException]) -> None:
        self.value = value
        self.stop = np.zeros(1, np.int64)
        self.has_shown = False
        self.superseded = threading.Event()
        self.post: Callable[[Callable[[Any], None], Any], Any] = _at_once
        self.on_state: Callable[[str], None] = lambda _state: None
        self.is_outdated: Callable[[], bool] = lambda: False
        self._stopped = stopped

    def show(self, receiver: Callable[[Any], None], result: Any) -> None:
        """Give a result to `receiver` on the event loop; ends the work if a newer value waits."""
        self.show_part(receiver, result)

        if not self.has_shown:
            self.has_shown = True
            self.post(self.on_state, "running")
        if self.superseded.is_set():
            raise self._stopped

    def show_part(self, receiver: Callable[[Any], None], part: Any) -> None:
        """Give what is there sooner than the rest, which show() must give in any case.

        Waits (a second at most) until it was received: the loop would otherwise share the
        interpreter with what comes next, and the picture would be late.
        """
        received = threading.Event()

        def receive(part: Any) -> None:
            try:
                if not self.is_outdated():  # two loops may get out of step
                    receiver(part)
            finally:
                received.set()

        self.post(receive, part)
        received.wait(RECEIVED_WITHIN_S)

    def let_it_appear(self) -> None:
        """Leave the interpreter to the thread that sends a picture, and the browser to drawing it,
        for a moment; not if a newer value waits.
        """
        if self.post is not _at_once:
            self.superseded.wait(ON_SCREEN_S)

    def check(self) -> None:
        """End the work if something was shown and a newer value waits, or if it is cancelled."""
        if self.stop[0]:
            raise self._stopped


def _at_once(receiver: Callable[[Any], None], result: Any) -> None:
    """How a result is received where no event loop runs."""
    receiver(result)


class Latest:
    """Runs work(ticket) for the newest submitted value only.

    `on_state` receives "running" after the first result, and at the end "done", "stopped" or
    "error: ...".
    """

    def __init__(
        self,
        work: Callable[[Ticket], None],
        on_state: Callable[[str], None],
        stopped: type[BaseException],
    ) -> None:
        self._work = work
        self._on_state = on_state
        self._stopped = stopped
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
            self._replace((ticket, loop), at_once=False)
            if self._thread is None:
                self._thread = threading.Thread(target=self._main, name="krcsim", daemon=True)
                self._thread.start()
                atexit.register(self._end, self._thread)
            self._lock.notify()

    def cancel(self) -> None:
        """Drop what waits and stop what runs, at once."""
        with self._lock:
            self._replace(None, at_once=True)
            self._lock.notify()

    def _end(self, thread: threading.Thread) -> None:
        """Let the thread finish before the interpreter takes its ground away."""
        self.cancel()
        thread.join(END_S)

    def _replace(self, following: Any, at_once: bool) -> None:
        """Choose what is next; what runs is to stop, `at_once` or when it has shown something."""
        self._next = following
        if self._running is not None:
            self._running.superseded.set()
            self._running.stop[0] |= at_once or self._running.has_shown

    def _main(self) -> None:
        """The thread: one value after another."""
        while True:
            with self._lock:
                if self._next is None:
                    self._lock.wait(IDLE_S)
                if self._next is None:  # nothing to do for a while, or the end
                    atexit.unregister(self._end)
                    self._thread = None
                    return

                ticket, loop = self._next
                self._next = None
                self._running = ticket
                ticket.post = loop.call_soon_threadsafe

            try:
                self._run(ticket)
            except RuntimeError:  # the loop was closed meanwhile: nobody is left to show it to
                self._thread = None
                return

            with self._lock:
                self._running = None

    def _run(self, ticket: Ticket) -> None:
        ticket.on_state = self._on_state
        ticket.is_outdated = lambda: self._newest is not ticket
        self._newest = ticket

        end = "done"
        try:
            self._work(ticket)
        except self._stopped:
            end = "stopped"
        except Exception as error:  # said to the person; the thread lives on for the next value
            end = f"error: {error}"

        if end != "stopped" or self._next is None:  # else the next value says how it ended
            ticket.post(self._on_state, end)
