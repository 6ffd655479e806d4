"""Deliveries are written in the transaction that changes the job."""

import asyncio

import pytest

from docrefinery.model import Stage
from docrefinery.settings import Settings
from docrefinery.store import claims, deliveries, jobs, webhooks
from docrefinery.store.database import Database
from docrefinery.store.records import JobRecord
from tests.support.hooks import deliveries_of, make_endpoint
from tests.support.tenants import make_job, make_tenant
from tests.support.waiting import until
from tests.support.work import HandWorker

URL = "http://127.0.0.1:9999/"


async def test_each_change_makes_a_delivery_and_the_creation_none(
    db: Database, tenant: int, worker: HandWorker
) -> None:
    endpoint = await make_endpoint(db, tenant, URL)
    job = await make_job(db, tenant)
    assert await deliveries_of(db) == []
    claim = await worker.claim()
    await claims.enter_stage(db, claim, Stage.CONVERTING, scan_ms=1)
    await worker.beat(claim, 1, 2)
    await worker.publish(claim)
    made = await deliveries_of(db)
    assert [(d["endpoint_id"], d["job_id"], d["sequence"], d["event"], d["status"]) for d in made] == [
        (endpoint.id, job.id, number, "job.updated", "PENDING") for number in (1, 2, 3)
    ]
    assert [d["next_attempt_at"] is not None for d in made] == [True, False, False]


async def _cancel_and_fail(db: Database, job: JobRecord) -> None:
    async with db.transaction():
        await jobs.cancel(db, job.tenant_id, job.id)
        assert len(await deliveries_of(db)) == 1
        raise RuntimeError


async def test_change_that_is_rolled_back_makes_none(db: Database, tenant: int) -> None:
    await make_endpoint(db, tenant, URL)
    job = await make_job(db, tenant)
    with pytest.raises(RuntimeError):
        await _cancel_and_fail(db, job)
    assert await deliveries_of(db) == []
    await jobs.cancel(db, tenant, job.id)
    assert len(await deliveries_of(db)) == 1


async def test_every_endpoint_of_the_tenant_that_is_enabled_gets_its_own(db: Database, tenant: int) -> None:
    ours = [await make_endpoint(db, tenant, URL) for _ in range(2)]
    await make_endpoint(db, tenant, URL, enabled=False)
    await make_endpoint(db, await make_tenant(db, "globex"), URL)
    await jobs.cancel(db, tenant, (await make_job(db, tenant)).id)
    made = await deliveries_of(db)
    assert [d["endpoint_id"] for d in made] == [endpoint.id for endpoint in ours]
    assert len({d["uuid"] for d in made}) == 2
    assert {d["tenant_id"] for d in made} == {tenant}


async def test_whoever_commits_tells_who_delivers(db: Database, tenant: int) -> None:
    await make_endpoint(db, tenant, URL)
    job = await make_job(db, tenant)
    heard: list[str] = []
    async with db.listening(deliveries.CHANNEL, heard=lambda channel, _: heard.append(channel)):
        async with db.transaction():
            await jobs.cancel(db, tenant, job.id)
            await asyncio.sleep(0)
            assert heard == []
        await until(lambda: heard)
    assert set(heard) == {deliveries.CHANNEL}


async def test_endpoint_that_is_being_disabled_gets_nothing_more(db: Database, settings: Settings, tenant: int) -> None:
    endpoint = await make_endpoint(db, tenant, URL)
    job = await make_job(db, tenant)
    other = Database(settings.database_url, pool_size=1)
    await other.start()
    async with other.transaction():
        locked = await webhooks.get(other, tenant, endpoint.id, lock=True)
        assert locked is not None
        cancel = asyncio.create_task(jobs.cancel(db, tenant, job.id))
        done, _ = await asyncio.wait([cancel], timeout=0.1)
        assert not done, "the job's change waits to learn whether the endpoint stays"
        await other.fetch("UPDATE webhook_endpoints SET enabled = false WHERE id = $1", endpoint.id)
    await cancel
    await other.close()
    assert await deliveries_of(db) == []


async def test_event_after_the_end_of_the_one_before_is_due_whichever_commits_first(
    db: Database, settings: Settings, tenant: int, worker: HandWorker
) -> None:
    await make_endpoint(db, tenant, URL)
    await make_job(db, tenant)
    claim = await worker.claim()
    other = Database(settings.database_url, pool_size=1)
    await other.start()
    # The end of the first is about to be committed while the second is made: the second must not wait for ever.
    async with other.transaction():
        await other.fetch(
            "UPDATE webhook_deliveries SET status = 'DELIVERED', delivered_at = now(), next_attempt_at = NULL"
        )
        change = asyncio.create_task(claims.enter_stage(db, claim, Stage.CONVERTING))
        await asyncio.wait([change], timeout=0.1)
    await change
    assert [d["next_attempt_at"] is not None for d in await deliveries_of(db)] == [False, True]
    # And the other way round: the third is about to be committed while the second ends.
    async with other.transaction():
        await claims.enter_stage(other, claim, Stage.EXPORTING)
        end = asyncio.create_task(
            db.fetch(
                """UPDATE webhook_deliveries SET status = 'DELIVERED', delivered_at = now(), next_attempt_at = NULL
                   WHERE status = 'PENDING'"""
            )
        )
        await asyncio.wait([end], timeout=0.1)
    await end
    await other.close()
    assert [d["next_attempt_at"] is not None for d in await deliveries_of(db)] == [False, False, True]
