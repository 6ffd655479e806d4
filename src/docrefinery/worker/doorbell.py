"""Ringing: a message into Redis, after the commit, without waiting long and without failing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import structlog
from dramatiq.brokers.redis import RedisBroker

from docrefinery.worker.broker import UNREACHABLE, nudge

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 2.0
_RINGERS = 4


class RedisDoorbell:
    """Wakes workers through Dramatiq's queue."""

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker
        # Of their own: a broker that hangs would hold the threads that fetch and store files.
        self._threads = ThreadPoolExecutor(_RINGERS, "doorbell")

    async def ring(self, queue: str) -> None:
        """Wake a worker; if that fails, the sweep of any worker does it later."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.get_running_loop().run_in_executor(self._threads, self._broker.enqueue, nudge(queue))
        except UNREACHABLE as error:
            log.warning("doorbell_failed", queue=queue, error=str(error))

    async def silent(self, queue: str) -> bool:
        """Return whether no message waits for a worker; false also if that cannot be known."""
        try:
            length: int = await asyncio.to_thread(self._broker.client.llen, f"{self._broker.namespace}:{queue}")
        except UNREACHABLE:
            return False
        return length == 0

    async def check(self) -> None:
        """Return if Redis answers; raises :class:`OSError`."""
        try:
            await asyncio.to_thread(self._broker.client.ping)
        except UNREACHABLE as error:
            raise OSError(str(error)) from error
