"""Sweeps of several workers at once: what all of them find is done once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from docrefinery.settings import Settings
from docrefinery.store import garbage
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.maintenance import Maintenance
from tests.support.calls import stored_files
from tests.support.consistent import assert_in_order
from tests.support.tenants import make_job, make_tenant
from tests.support.work import HandWorker

LEADERS, JOBS = 4, 12
PAST = timedelta(seconds=-1)


@pytest.fixture
async def leaders(settings: Settings) -> AsyncIterator[list[Maintenance]]:
    """Sweepers as of several workers, each with connections of its own."""
    broker = build_broker(settings.redis_url)
    pools = [Database(settings.database_url, pool_size=2) for _ in range(LEADERS)]
    for pool in pools:
        await pool.start()
    yield [Maintenance(pool, Blobs(settings.storage), RedisDoorbell(broker), settings) for pool in pools]
    for pool in pools:
        await pool.close()
    broker.close()


async def test_lost_jobs_and_garbage_that_all_of_them_find_are_handled_once(
    db: Database, settings: Settings, leaders: list[Maintenance]
) -> None:
    tenant, worker, blobs = await make_tenant(db, "acme"), HandWorker.of(db, settings), Blobs(settings.storage)
    for number in range(JOBS):
        await make_job(db, tenant)
        await worker.claim(PAST)
        async with blobs.writing(f"left/{number}/file") as writer:
            await writer.write(b"x")
        await garbage.note(db, f"left/{number}", removable_in=PAST)
    # The first look tells nobody how fast the database's clock goes.
    await asyncio.gather(*(leader.sweep() for leader in leaders))
    assert [row["crashes"] for row in await db.fetch("SELECT crashes FROM jobs")] == [0] * JOBS
    await asyncio.gather(*(leader.sweep() for leader in leaders))
    assert [row["crashes"] for row in await db.fetch("SELECT crashes FROM jobs")] == [1] * JOBS
    [recovered] = await db.fetch("SELECT sum(n)::integer AS n FROM counters WHERE name = 'jobs_recovered'")
    assert recovered["n"] == JOBS
    assert stored_files(settings) == []
    assert not await db.fetch("SELECT FROM unreferenced_blobs")
    await assert_in_order(db)


class StalledBlobs(Blobs):
    """A storage that takes its time to delete."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.begun, self.goes_on = asyncio.Event(), asyncio.Event()

    async def delete(self, prefix: str) -> None:
        """Delete when it is told to."""
        self.begun.set()
        await self.goes_on.wait()
        await super().delete(prefix)


@pytest.mark.parametrize("pool_size", [2, 3, 8])
async def test_a_storage_that_stalls_leaves_connections_for_the_job_in_hand(
    db: Database, settings: Settings, pool_size: int
) -> None:
    small = msgspec.structs.replace(settings, database_pool_size=pool_size)
    broker, blobs = build_broker(small.redis_url), StalledBlobs(small.storage)
    pool = Database(small.database_url, pool_size=pool_size)
    await pool.start()
    try:
        for number in range(JOBS):
            await garbage.note(db, f"left/{number}", removable_in=PAST)
        sweep = asyncio.create_task(Maintenance(pool, blobs, RedisDoorbell(broker), small).sweep())
        async with asyncio.timeout(10):
            await blobs.begun.wait()
            # All of them have asked for a connection by now; a heartbeat gets one all the same.
            await pool.fetch("SELECT 1")
        blobs.goes_on.set()
        await sweep
        assert not await db.fetch("SELECT FROM unreferenced_blobs")
    finally:
        await pool.close()
        broker.close()
