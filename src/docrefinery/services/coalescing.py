"""One read for all who ask for the same thing at once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Coalesced(Generic[T]):
    """Reads that are shared: whoever asks gets one that began no earlier than the question.

    Who comes while a read is under way waits for the next one, together with all the others who do.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}
        self._next: dict[Hashable, asyncio.Task[T]] = {}

    async def read(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """Return what a read of ``key`` says; who gives up waiting for it ends it for nobody else."""
        task = self._next.get(key)
        if task is None:
            before = self._under_way.get(key)
            task = asyncio.create_task(self._run(key, read, before))
            task.add_done_callback(_retrieved)
            (self._under_way if before is None else self._next)[key] = task
        return await asyncio.shield(task)

    async def _run(self, key: Hashable, read: Callable[[], Awaitable[T]], before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait([before])
            self._under_way[key] = self._next.pop(key)
        try:
            return await read()
        finally:
            if key not in self._next:
                del self._under_way[key]


def _retrieved(task: "asyncio.Task[T]") -> None:
    """Take note of an error: all who waited for it may have given up."""
    if not task.cancelled():
        task.exception()
