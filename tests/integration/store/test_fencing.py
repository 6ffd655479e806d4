"""A worker that lost its job can change nothing any more."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from docrefinery.store import claims, jobs
from docrefinery.store.artifacts import NewArtifact
from docrefinery.store.claims import Crash, LeaseLost
from docrefinery.store.database import Database
from docrefinery.store.records import ClaimRecord, JobRecord
from tests.support.tenants import make_job, make_tenant
from tests.support.work import HandWorker

CRASH = Crash(code="WORKER_CRASHED", message="Made by hand.")
PAST = timedelta(seconds=-1)
Step = Callable[[HandWorker, ClaimRecord], Awaitable[object]]

STEPS: dict[str, Step] = {
    "stage": lambda worker, claim: claims.enter_stage(worker.db, claim, "EXPORTING"),
    "publish": lambda worker, claim: worker.publish(claim),
    "fail": lambda worker, claim: worker.fail(claim),
    "quarantine": lambda worker, claim: worker.quarantine(claim),
    "give back": lambda worker, claim: claims.give_back(worker.db, claim),
    "crash": lambda worker, claim: claims.crashed(worker.db, claim, CRASH, max_crashes=1),
}


async def the_job(db: Database) -> JobRecord:
    [row] = await db.fetch("SELECT id, tenant_id FROM jobs")
    job = await jobs.get(db, row["tenant_id"], row["id"])
    assert job is not None
    return job


@pytest.mark.parametrize("step", STEPS)
async def test_stale_token_changes_nothing_after_the_job_went_to_another(
    db: Database, worker: HandWorker, step: str
) -> None:
    await make_job(db, await make_tenant(db, "acme"))
    stale = await worker.claim(PAST)
    assert await claims.expire(db, CRASH, max_crashes=3) == 1
    fresh = await worker.claim()
    assert fresh.token > stale.token
    before = await the_job(db)
    with pytest.raises(LeaseLost):
        await STEPS[step](worker, stale)
    assert await worker.beat(stale) == "lost"
    assert await the_job(db) == before
    assert not await db.fetch("SELECT FROM artifacts")
    assert await worker.beat(fresh) == "held"
    assert await worker.publish(fresh)


@pytest.mark.parametrize("step", STEPS)
async def test_finished_job_is_not_changed_by_its_own_claim(db: Database, worker: HandWorker, step: str) -> None:
    await make_job(db, await make_tenant(db, "acme"))
    claim = await worker.claim()
    await worker.publish(claim)
    before = await the_job(db)
    with pytest.raises(LeaseLost):
        await STEPS[step](worker, claim)
    assert await worker.beat(claim) == "lost"
    assert await the_job(db) == before
    assert len(await db.fetch("SELECT FROM artifacts")) == 2


async def test_beat_in_time_keeps_the_lease(db: Database, worker: HandWorker) -> None:
    await make_job(db, await make_tenant(db, "acme"))
    claim = await worker.claim(PAST)
    assert await worker.beat(claim) == "held"
    assert await claims.expire(db, CRASH, max_crashes=3) == 0


async def test_lost_worker_costs_attempts_until_the_job_fails(db: Database, worker: HandWorker) -> None:
    await make_job(db, await make_tenant(db, "acme"))
    for expected in ("QUEUED", "QUEUED", "FAILED"):
        await worker.claim(PAST)
        assert await claims.expire(db, CRASH, max_crashes=3) == 1
        assert (await the_job(db)).status == expected
    job = await the_job(db)
    assert (job.error_code, job.error_message) == ("WORKER_CRASHED", "Made by hand.")
    assert job.attempt == 1
    [document] = await db.fetch("SELECT status FROM documents")
    assert document["status"] == "FAILED"
    assert not await db.fetch("SELECT FROM leases")


async def test_retry_counts_crashes_anew(db: Database, worker: HandWorker) -> None:
    tenant = await make_tenant(db, "acme")
    job = await make_job(db, tenant)
    await claims.crashed(db, await worker.claim(), CRASH, max_crashes=1)
    await jobs.retry(db, tenant, job.id, "convert", 1)
    await claims.crashed(db, await worker.claim(), CRASH, max_crashes=2)
    assert (await the_job(db)).status == "QUEUED"


@pytest.mark.parametrize("how", ["expire", "crash"])
async def test_canceled_job_of_a_lost_worker_ends_as_canceled(db: Database, worker: HandWorker, how: str) -> None:
    tenant = await make_tenant(db, "acme")
    job = await make_job(db, tenant)
    claim = await worker.claim(PAST)
    await jobs.cancel(db, tenant, job.id)
    if how == "expire":
        await claims.expire(db, CRASH, max_crashes=1)
    else:
        await claims.crashed(db, claim, CRASH, max_crashes=1)
    ended = await the_job(db)
    assert (ended.status, ended.error_code) == ("CANCELED", "")
    assert ended.finished_at is not None


async def test_crash_waits_its_delay(db: Database, worker: HandWorker) -> None:
    await make_job(db, await make_tenant(db, "acme"))
    await claims.crashed(db, await worker.claim(), CRASH, max_crashes=3, delay=timedelta(hours=1))
    assert await claims.waiting(db, "convert", 16) == 0


async def test_results_that_were_swept_away_are_not_published(db: Database, worker: HandWorker) -> None:
    await make_job(db, await make_tenant(db, "acme"))
    claim = await worker.claim()
    outcome = claims.Outcome(status="SUCCEEDED")
    artifact = [NewArtifact(kind="text", filename="a", content_type="t/t", size_bytes=0, sha256="0" * 64, blob_key="k")]
    with pytest.raises(LeaseLost):
        await claims.finish(db, claim, outcome, results=artifact, blob_prefix="never/noted")
    assert (await the_job(db)).status == "RUNNING"
