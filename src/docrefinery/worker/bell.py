"""Who rings for webhook deliveries: one worker of all, as soon as they are committed, whoever committed them."""

import asyncio
from contextlib import suppress
from typing import Any

import structlog

from docrefinery.services.doorbell import WEBHOOKS
from docrefinery.store import deliveries
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.worker.doorbell import RedisDoorbell

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0


class Bell:
    """Turns what the database tells into one message, however many workers there are.

    All stand ready; the one that holds a lock on its connection rings. When that connection ends, another takes over.
    """

    def __init__(self, db: Database, doorbell: RedisDoorbell) -> None:
        self._db = db
        self._doorbell = doorbell
        self._told = asyncio.Event()

    async def run(self) -> None:
        """Listen for ever."""
        while True:
            try:
                # Without a channel yet: PostgreSQL wakes everybody who listens to anything, at every notice of any job.
                async with self._db.listening(heard=lambda _channel, _payload: None) as connection:
                    await self._ring_while(connection)
            except Exception as error:
                log.warning("bell_lost", error=str(error), exc_info=not isinstance(error, UNREACHABLE))
            await asyncio.sleep(RETRY_SECONDS)

    async def _ring_while(self, connection: Any) -> None:
        """Ring until the connection is lost."""
        lost = asyncio.Event()

        def end(_: object) -> None:
            lost.set()
            self._told.set()

        connection.add_termination_listener(end)
        while not await deliveries.lead(connection):
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_SECONDS):
                    await lost.wait()
        await connection.add_listener(deliveries.CHANNEL, lambda *_: self._told.set())
        # Whatever was committed before is told to nobody.
        self._told.set()
        while True:
            await self._told.wait()
            if lost.is_set():
                return
            self._told.clear()
            # A message that waits already will be taken after this commit, and so will see it.
            if await self._doorbell.silent(WEBHOOKS):
                await self._doorbell.ring(WEBHOOKS)
