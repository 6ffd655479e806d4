"""Waiting for a condition, with a limit."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], object], seconds: float = 20) -> float:
    """Wait until ``condition`` holds and return how long that took; fail after ``seconds``."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"still not so after {seconds} s"
        await asyncio.sleep(0.01)
    return time.monotonic() - started


def gone(pid: int) -> bool:
    """Whether no process of this number is left, not even a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def until_true(condition: Callable[[], Awaitable[object]], seconds: float = 20) -> None:
    """Wait until an asynchronous condition holds; fail after ``seconds``."""
    started = time.monotonic()
    while not await condition():
        assert time.monotonic() - started < seconds, f"still not so after {seconds} s"
        await asyncio.sleep(0.01)
