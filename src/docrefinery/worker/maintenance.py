"""What somebody has to look after: abandoned jobs, retries, forgotten nudges, garbage, silent workers."""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import timedelta

import structlog

from docrefinery import errors
from docrefinery.model import JOB_QUEUES, MODEL, MODELS, OCR, QUEUE, WEBHOOKS
from docrefinery.settings import Settings
from docrefinery.store import claims, counters, deliveries, garbage, idempotency, slices, stranded, workers
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.worker.clock import DatabaseClock
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.retention import Retention

log = structlog.get_logger(__name__)

GARBAGE_AT_ONCE = 50
GARBAGE_SECONDS = 1.0
REMOVALS_AT_A_TIME = 4
"""Of blobs, at the most: each holds a connection meanwhile, and half of the pool is for the job in hand."""
NUDGES_AT_ONCE = 16
RETRY_REMOVAL = timedelta(minutes=10)
SILENT_LEASES = 6


class Maintenance:
    """Sweeps in the background. Every worker does it; what two find at once is done once, under locks."""

    def __init__(self, db: Database, blobs: Blobs, doorbell: RedisDoorbell, settings: Settings) -> None:
        self._db = db
        self._blobs = blobs
        self._retention = Retention(db, settings)
        self._doorbell = doorbell
        self._settings = settings
        self._removals = max(1, min(REMOVALS_AT_A_TIME, settings.database_pool_size // 2))
        self._clock = DatabaseClock(db, settings.lease_seconds)

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            # Workers that started together need not sweep together.
            await asyncio.sleep(self._settings.sweep_seconds * random.uniform(0.75, 1.25))  # noqa: S311
            try:
                await self.sweep()
            except (*UNREACHABLE, errors.StorageError) as error:
                log.warning("sweep_failed", error=str(error))
            except Exception:
                log.exception("sweep_failed_unexpectedly")

    async def sweep(self) -> None:
        """Look after everything once."""
        await self._expire_leases()
        for queue, to in ((MODEL, OCR), (MODELS, QUEUE)):
            if moved := await stranded.move(self._db, queue, to, self._settings.models_wait_seconds):
                log.warning("jobs_left_by_the_last_worker_with_models", jobs=moved)
        await self._ring()
        await self._retention.look()
        await self._remove_garbage()
        await idempotency.remove_expired(self._db)
        await counters.forget_minutes(self._db)
        await deliveries.remove_old(self._db)
        await workers.remove_silent(self._db, self._settings.lease_seconds * SILENT_LEASES)

    async def _expire_leases(self) -> None:
        if not await self._clock.steady():
            return
        crash = claims.Crash(
            code=errors.WorkerCrashed.error_code,
            message=f"The worker was lost {self._settings.max_crashes} times while it worked on this document.",
        )
        if taken := await claims.expire(self._db, crash, max_crashes=self._settings.max_crashes):
            log.warning("jobs_taken_from_lost_workers", jobs=taken)
        if lost := await slices.expire(self._db):
            log.warning("pages_taken_from_lost_workers", ranges=lost)

    async def _ring(self) -> None:
        """Ring for work that nobody was told of, but not while messages are waiting for a worker anyway."""
        for queue in JOB_QUEUES:
            waiting = await claims.waiting(self._db, queue, NUDGES_AT_ONCE)
            waiting += await slices.waiting(self._db, queue, NUDGES_AT_ONCE)
            if waiting and await self._doorbell.silent(queue):
                for _ in range(min(waiting, NUDGES_AT_ONCE)):
                    await self._doorbell.ring(queue)
        if await deliveries.any_due(self._db) and await self._doorbell.silent(WEBHOOKS):
            await self._doorbell.ring(WEBHOOKS)

    async def _remove_garbage(self) -> None:
        """Remove what is due; of very much some stays, for the next sweep."""
        until, found = time.monotonic() + GARBAGE_SECONDS, GARBAGE_AT_ONCE
        while found == GARBAGE_AT_ONCE and time.monotonic() < until:
            prefixes = await garbage.removable(self._db, GARBAGE_AT_ONCE)
            found = len(prefixes)
            shares = [prefixes[number :: self._removals] for number in range(self._removals)]
            ends = await asyncio.gather(*(self._remove(share) for share in shares), return_exceptions=True)
            for error in ends:
                if error is not None:
                    raise error

    async def _remove(self, prefixes: Sequence[str]) -> None:
        for prefix in prefixes:
            try:
                async with self._db.transaction():
                    if await garbage.hold(self._db, prefix, due=True):
                        await self._blobs.delete(prefix)
                        await garbage.forget(self._db, prefix)
                        log.info("garbage_removed", prefix=prefix)
            except errors.StorageError as error:
                log.warning("garbage_not_removed", prefix=prefix, error=str(error))
                await garbage.put_off(self._db, prefix, RETRY_REMOVAL)
