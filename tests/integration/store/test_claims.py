"""Who gets which job."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from docrefinery.store import claims, jobs
from docrefinery.store.database import Database
from tests.support.tenants import make_document, make_job, make_tenant
from tests.support.work import LEASE, HandWorker


async def test_jobs_of_a_tenant_are_claimed_in_their_order(db: Database, worker: HandWorker) -> None:
    tenant = await make_tenant(db, "acme")
    made = [(await make_job(db, tenant)).id for _ in range(4)]
    assert [(await worker.claim()).job_id for _ in range(4)] == made
    assert await claims.claim(db, ["convert"], worker.id, LEASE) is None


async def test_tenants_take_turns_however_long_their_queues_are(db: Database, worker: HandWorker) -> None:
    busy, quiet, other = [await make_tenant(db, name) for name in ("busy", "quiet", "other")]
    for _ in range(6):
        await make_job(db, busy)
    for tenant in (quiet, quiet, other):
        await make_job(db, tenant)
    claimed = []
    for _ in range(6):
        claim = await worker.claim()
        claimed.append(claim.tenant_id)
        await worker.publish(claim)
    assert Counter(claimed[:3]) == {busy: 1, quiet: 1, other: 1}
    assert Counter(claimed) == {busy: 3, quiet: 2, other: 1}


async def test_tenant_with_fewer_running_jobs_goes_first(db: Database, worker: HandWorker) -> None:
    busy, quiet = [await make_tenant(db, name) for name in ("busy", "quiet")]
    for _ in range(3):
        await make_job(db, busy)
    await worker.claim()
    await worker.claim()
    for _ in range(2):
        await make_job(db, quiet)
    assert [(await worker.claim()).tenant_id for _ in range(3)] == [quiet, quiet, busy]


async def test_twenty_workers_at_once_get_each_job_once(db: Database) -> None:
    tenants = [await make_tenant(db, f"t{n}") for n in range(3)]
    made = {(await make_job(db, tenant)).id for tenant in tenants for _ in range(10)}
    other = Database(db._config["dsn"], pool_size=20)
    await other.start()

    async def work() -> list[int]:
        mine = []
        owner = uuid4()
        while (claim := await claims.claim(other, ["convert"], owner, LEASE)) is not None:
            mine.append(claim.job_id)
        return mine

    claimed = [job for mine in await asyncio.gather(*(work() for _ in range(20))) for job in mine]
    await other.close()
    assert sorted(claimed) == sorted(made)
    tokens = await db.fetch("SELECT token FROM leases")
    assert len({row["token"] for row in tokens}) == len(made)


async def test_locked_job_is_passed_over(db: Database, worker: HandWorker) -> None:
    tenant = await make_tenant(db, "acme")
    first, second = [(await make_job(db, tenant)).id for _ in range(2)]
    other = Database(db._config["dsn"], pool_size=1)
    await other.start()
    async with other.transaction():
        await jobs.lock(other, tenant, first)
        assert (await worker.claim()).job_id == second
    assert (await worker.claim()).job_id == first
    await other.close()


async def test_other_queue_is_left_alone(db: Database, worker: HandWorker) -> None:
    await make_job(db, await make_tenant(db, "acme"))
    assert await claims.claim(db, ["other"], worker.id, LEASE) is None


async def test_job_that_was_given_back_waits_its_delay(db: Database, worker: HandWorker) -> None:
    tenant = await make_tenant(db, "acme")
    first, second = [(await make_job(db, tenant)).id for _ in range(2)]
    claim = await worker.claim()
    await claims.give_back(db, claim, delay=timedelta(hours=1))
    given_back = await jobs.get(db, tenant, first)
    assert given_back is not None
    assert (given_back.status, given_back.stage, given_back.attempt) == ("QUEUED", "SCANNING", 1)
    assert (await worker.claim()).job_id == second
    assert await claims.waiting(db, "convert", 16) == 0


async def test_job_that_was_given_back_without_delay_is_next(db: Database, worker: HandWorker) -> None:
    tenant = await make_tenant(db, "acme")
    first, _ = [(await make_job(db, tenant)).id for _ in range(2)]
    await claims.give_back(db, await worker.claim())
    again = await worker.claim()
    assert (again.job_id, again.attempt) == (first, 1)


async def test_time_since_the_scanner_is_down_is_kept_over_claims(db: Database, worker: HandWorker) -> None:
    await make_job(db, await make_tenant(db, "acme"))
    claim = await worker.claim()
    assert claim.put_off_seconds is None
    await claims.give_back(db, claim, put_off=True)
    await db.fetch("UPDATE jobs SET put_off_since = put_off_since - interval '1 h'")
    second = await worker.claim()
    assert 3600 <= (second.put_off_seconds or 0) < 3660
    await claims.give_back(db, second, put_off=True)
    assert 3600 <= ((await worker.claim()).put_off_seconds or 0) < 3660


async def test_job_that_is_given_back_after_a_cancel_ends(db: Database, worker: HandWorker) -> None:
    tenant = await make_tenant(db, "acme")
    job = await make_job(db, tenant)
    claim = await worker.claim()
    await jobs.cancel(db, tenant, job.id)
    await claims.give_back(db, claim)
    ended = await jobs.get(db, tenant, job.id)
    assert ended is not None
    assert ended.status == "CANCELED"


async def test_second_set_of_artifacts_is_refused_by_the_database(db: Database, worker: HandWorker) -> None:
    tenant = await make_tenant(db, "acme")
    document = await make_document(db, tenant)
    await make_job(db, tenant, document.id)
    claim = await worker.claim()
    await worker.publish(claim)
    with pytest.raises(asyncpg.UniqueViolationError):
        await db.fetch(
            """INSERT INTO artifacts (tenant_id, job_id, document_id, kind, filename, content_type, size_bytes, sha256,
                                      blob_key)
               SELECT tenant_id, job_id, document_id, kind, filename, content_type, size_bytes, sha256, 'another'
               FROM artifacts LIMIT 1"""
        )


async def test_page_progress_comes_with_a_stage_and_never_goes_back(db: Database, worker: HandWorker) -> None:
    tenant = await make_tenant(db, "acme")
    job = await make_job(db, tenant)

    async def told() -> tuple[str, int, int | None]:
        now = await jobs.get(db, tenant, job.id)
        assert now is not None
        return now.stage, now.pages_done, now.pages_total

    claim = await worker.claim()
    await claims.beat(db, claim, LEASE, pages_done=4, pages_total=9)
    await claims.beat(db, claim, LEASE, pages_done=2, pages_total=None)
    assert await told() == ("SCANNING", 4, 9)
    await claims.enter_stage(db, claim, "EXPORTING", pages_done=9, pages_total=9)
    assert await told() == ("EXPORTING", 9, 9)
    # Nothing was stored of them: they are read anew.
    await claims.give_back(db, claim, delay=timedelta(0))
    assert await told() == ("SCANNING", 0, None)


async def test_a_job_that_ends_by_a_crash_keeps_the_pages_that_were_told(db: Database, worker: HandWorker) -> None:
    tenant = await make_tenant(db, "acme")
    job = await make_job(db, tenant)
    claim = await worker.claim()
    await claims.beat(db, claim, LEASE, pages_done=4, pages_total=9)
    await claims.crashed(db, claim, claims.Crash(code="WORKER_CRASHED", message="It did."), max_crashes=1)
    now = await jobs.get(db, tenant, job.id)
    assert now is not None
    assert (now.status, now.pages_done, now.pages_total) == ("FAILED", 4, 9)
