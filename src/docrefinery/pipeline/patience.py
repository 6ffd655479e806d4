"""A database that is away for a moment, because it is started again, does not cost the work done meanwhile."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from docrefinery.store.database import UNREACHABLE

PATIENCE_SECONDS = 30

T = TypeVar("T")


async def patiently(query: Callable[[], Awaitable[T]]) -> T:
    """Run a query of the claim's holder, again and again while the database cannot be reached.

    A commit whose answer got lost shows as a lost lease at the next try, and all is well.
    """
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(UNREACHABLE),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        stop=stop_after_delay(PATIENCE_SECONDS),
        reraise=True,
    ):
        with attempt:
            return await query()
    raise AssertionError("tenacity returns or raises")
