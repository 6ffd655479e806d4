"""Asynchronous things for a test that is not: everything runs in one task's loop, in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class InLoop(Generic[T]):
    """What lives in the loop, and the way to it."""

    def __init__(self, thing: T, loop: asyncio.AbstractEventLoop) -> None:
        self.thing = thing
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run something there and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def call(self, function: Callable[[], object]) -> None:
        """Have something called there."""
        self._loop.call_soon_threadsafe(function)


@contextmanager
def in_loop(make: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[InLoop[T]]:
    """Open something in a loop, and close it there after the block."""
    opened: Future[InLoop[T]] = Future()
    over = asyncio.Event()

    async def live() -> None:
        async with make() as thing:
            opened.set_result(InLoop(thing, asyncio.get_running_loop()))
            await over.wait()

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        inside = opened.result(60)
        try:
            yield inside
        finally:
            inside.call(over.set)
    finally:
        thread.join()
