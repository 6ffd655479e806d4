"""Orders to a worker: signals, whichever of its threads the kernel hands them to, and what its own threads say."""

import select
import signal
import socket
import time
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Self

LEFT = 0
"""Said by a thread: nothing is in hand any more. No signal has this number."""


class Orders:
    """Signals and words, one after the other, for the main thread to wait for.

    Of two signals that come together the kernel hands the second to another thread if the main one has not woken yet,
    and that thread may take both along. Python runs handlers in the main thread alone, which sleeps on: a lock that it
    waits for tells it nothing. A byte in a socket does, and the interpreter writes one from whichever thread it is.

    :param signals: that are orders while the block is open.
    """

    def __init__(self, signals: Iterable[signal.Signals]) -> None:
        self._signals = tuple(signals)
        self._ours, self._theirs = socket.socketpair()
        self._theirs.settimeout(0)
        self._before: dict[signal.Signals, signal.Handlers | int | object | None] = {}

    def __enter__(self) -> Self:
        self._wakeup = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        for number in self._signals:
            self._before[number] = signal.signal(number, _nothing)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # as it was given
        signal.set_wakeup_fd(self._wakeup)
        self._ours.close()
        self._theirs.close()

    def say(self, word: int) -> None:
        """Put a word among the orders, from any thread; once the block is left, it is lost."""
        try:
            self._theirs.send(bytes([word]))
        except OSError:
            return

    def wait(self, seconds: float | None = None) -> int | None:
        """Return the next order: the number of a signal, or a word. ``None`` if there is none within ``seconds``."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            left = None if until is None else max(until - time.monotonic(), 0)
            if not select.select([self._ours], [], [], left)[0]:
                return None
            # Other signals that have a handler write theirs as well.
            if (order := self._ours.recv(1)[0]) in (LEFT, *self._signals):
                return order


def _nothing(number: int, frame: FrameType | None) -> None:
    """Have a handler, so that the signal does not do what it does without."""
