"""Waiters look seldom while it is certain that changes are heard of, and often while it is not."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from docrefinery.services import changes as service
from docrefinery.services.changes import CANCELS, FALLBACK_SECONDS, SLICES, Changes, Watch
from docrefinery.store.database import Database
from tests.support.tenants import make_job, make_tenant
from tests.support.waiting import until


@pytest.fixture
async def changes(db: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Changes]:
    monkeypatch.setattr(service, "ECHO_SECONDS", 0.2)
    changes = Changes(db, proves=True)
    await changes.start()
    yield changes
    await changes.close()


async def test_who_is_heard_to_hear_lets_waiters_sleep_and_still_wakes_them(db: Database, changes: Changes) -> None:
    await until(lambda: changes._fallback() > 10 * FALLBACK_SECONDS)
    job = await make_job(db, await make_tenant(db, "acme"))
    with changes.watching(job.id) as watch:
        waiting = asyncio.create_task(watch.changed(60))
        await db.fetch("UPDATE jobs SET stage = 'SCANNING' WHERE id = $1", job.id)
        async with asyncio.timeout(5):
            await waiting


async def test_where_no_notice_arrives_waiters_are_woken_and_look_each_second(
    db: Database, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await until(lambda: changes._fallback() > FALLBACK_SECONDS)

    async def swallowed(_: str) -> None:
        """Do as PgBouncer does."""

    with changes.watching(1) as watch:
        waiting = asyncio.create_task(watch.changed(60))
        monkeypatch.setattr(db, "notify", swallowed)
        async with asyncio.timeout(5):
            await waiting
    assert changes._fallback() == FALLBACK_SECONDS


async def test_a_waiter_for_cancels_is_not_woken_by_pages(db: Database) -> None:
    changes, heard = Changes(db, channels=(CANCELS, SLICES)), list[str]()

    async def wait(watch: Watch, what: str) -> None:
        await watch.changed(60)
        heard.append(what)

    with changes.watching(1, CANCELS) as cancels, changes.watching(1, SLICES) as pages, changes.watching(2) as others:
        waiting = [asyncio.create_task(wait(*one)) for one in ((cancels, CANCELS), (pages, SLICES), (others, "others"))]
        await asyncio.sleep(0)
        for channel in (SLICES, CANCELS):
            changes._heard(channel, "1")
            await until(lambda: bool(heard))
            for _ in waiting:
                await asyncio.sleep(0)
            assert heard == [channel]
            heard.clear()
        waiting[2].cancel()


@pytest.mark.parametrize("turns", range(5))
async def test_a_waiter_that_is_woken_and_canceled_at_once_ends(db: Database, turns: int) -> None:
    """A heartbeat that went on instead would hold up the end of its job until it looks again."""
    with Changes(db).watching(1) as watch:
        waiting = asyncio.create_task(_going_on(watch))
        await asyncio.sleep(0)
        watch.wake()
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=5)
        assert waiting.cancelled()


async def _going_on(watch: Watch) -> None:
    while True:
        await watch.changed(60)


async def test_who_does_not_prove_it_looks_each_second(db: Database) -> None:
    changes = Changes(db)
    await changes.start()
    await asyncio.sleep(0)
    assert changes._fallback() == FALLBACK_SECONDS
    await changes.close()
