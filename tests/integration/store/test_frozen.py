"""A worker that was frozen in the middle of a transaction keeps what it locked, and must not keep others waiting."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from docrefinery.settings import Settings
from docrefinery.store import claims, database
from docrefinery.store.claims import Crash, LeaseLost
from docrefinery.store.database import UNREACHABLE, Database
from tests.support.tenants import make_job, make_tenant
from tests.support.waiting import until_true
from tests.support.work import HandWorker

PAST = timedelta(seconds=-1)
OUTSIDE = Context()
T = TypeVar("T")
CRASH = Crash(code="WORKER_CRASHED", message="Made by hand.")


async def elsewhere(work: Coroutine[Any, Any, T]) -> T:
    """Do something outside of the transaction that is open here."""
    return await asyncio.create_task(work, context=OUTSIDE)


async def test_job_whose_worker_froze_in_a_transaction_does_not_hold_up_the_other_lost_jobs(
    db: Database, worker: HandWorker
) -> None:
    tenant = await make_tenant(db, "acme")
    for _ in range(2):
        await make_job(db, tenant)
    frozen, _ = [await worker.claim(PAST) for _ in range(2)]
    async with db.transaction():
        await claims._hold(db, frozen)
        async with asyncio.timeout(10):
            taken = await elsewhere(claims.expire(db, CRASH, max_crashes=3))
    assert taken == 1
    assert await claims.expire(db, CRASH, max_crashes=3) == 1


async def test_database_ends_the_transaction_of_a_frozen_worker_and_the_job_goes_to_another(
    db: Database, worker: HandWorker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE_SECONDS", 0.2)
    await make_job(db, await make_tenant(db, "acme"))
    pool = Database(settings.database_url, pool_size=1)
    await pool.start()
    thawed = HandWorker.of(pool, settings)
    claim = await thawed.claim(PAST)

    async def taken() -> bool:
        return await claims.expire(db, CRASH, max_crashes=3) == 1

    async def freeze() -> None:
        async with pool.transaction():
            await claims._hold(pool, claim)
            await elsewhere(until_true(taken))

    with pytest.raises(UNREACHABLE):
        await freeze()
    again = await worker.claim()
    with pytest.raises(LeaseLost):
        await thawed.publish(claim)
    assert await worker.publish(again)
    await pool.close()
