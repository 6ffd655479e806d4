"""Blocking calls that may hang: in daemon threads, which do not keep a process from ending."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def in_daemon_thread(name: str, work: Callable[[], T]) -> asyncio.Future[T]:
    """Begin a blocking call in a thread of its own and return its outcome, for the running loop.

    Who has waited long enough leaves the thread to itself.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()
    # Nobody may be there any more to take an error.
    outcome.add_done_callback(lambda done: done.cancelled() or done.exception())

    def tell(settle: Callable[[], None]) -> None:
        if not outcome.done():
            settle()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
            settle = _raising(outcome, error)
        else:
            settle = _returning(outcome, result)
        # A loop that is closed has nobody left to tell.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, settle)

    threading.Thread(target=run, name=name, daemon=True).start()
    return outcome


def _raising(outcome: asyncio.Future[T], error: BaseException) -> Callable[[], None]:
    return lambda: outcome.set_exception(error)


def _returning(outcome: asyncio.Future[T], result: T) -> Callable[[], None]:
    return lambda: outcome.set_result(result)
