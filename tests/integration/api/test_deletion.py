"""Deleting a document, and what stays."""

import httpx
import pytest

from docrefinery.model import JobStatus
from docrefinery.settings import Settings
from docrefinery.store import claims
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.maintenance import Maintenance
from tests.support.calls import (
    a_pdf,
    assert_nothing_left,
    assert_problem,
    job_of,
    queued,
    results,
    stored_files,
    uploaded,
)
from tests.support.counted import assert_counted
from tests.support.work import HandWorker


async def test_bytes_and_artifacts_go_and_jobs_stay(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings
) -> None:
    job = await queued(client)
    await worker.publish(await worker.claim())
    [artifact, _] = await results(client, "/v1/artifacts/")
    assert len(stored_files(settings)) == 3
    gone = await client.delete(f"/v1/documents/{job['document_id']}/")
    assert (gone.status_code, gone.content) == (204, b"")
    assert stored_files(settings) == []
    assert not await db.fetch("SELECT FROM unreferenced_blobs")
    number = job["document_id"]
    for path in (f"documents/{number}/", f"documents/{number}/file/", f"artifacts/{artifact['id']}/"):
        assert_problem(await client.get(f"/v1/{path}"), 404, "NOT_FOUND")
    assert await results(client, "/v1/documents/") == []
    assert await results(client, "/v1/artifacts/", job_id=job["id"]) == []
    assert (await job_of(client, job["id"]))["status"] == "SUCCEEDED"
    assert len(await results(client, "/v1/jobs/", document_id=job["document_id"])) == 1


async def test_second_delete_finds_nothing(client: httpx.AsyncClient) -> None:
    document = await uploaded(client)
    url = f"/v1/documents/{document['id']}/"
    await client.delete(url)
    assert_problem(await client.delete(url), 404, "NOT_FOUND")


async def test_same_bytes_may_come_again(client: httpx.AsyncClient) -> None:
    content = a_pdf()
    first = await uploaded(client, content)
    await client.delete(f"/v1/documents/{first['uuid']}/")
    second = await uploaded(client, content)
    assert second["id"] != first["id"]
    served = await client.get(f"/v1/documents/{second['id']}/file/")
    assert served.content == content


async def test_queued_job_is_canceled(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    await client.delete(f"/v1/documents/{job['document_id']}/")
    assert (await job_of(client, job["id"]))["status"] == "CANCELED"
    with pytest.raises(AssertionError, match="no job is queued"):
        await worker.claim()


async def test_running_job_is_told_to_stop_and_leaves_no_results(
    client: httpx.AsyncClient, worker: HandWorker, settings: Settings, db: Database
) -> None:
    job = await queued(client)
    claim = await worker.claim()
    await client.delete(f"/v1/documents/{job['document_id']}/")
    assert await worker.beat(claim) == "cancel"
    assert await worker.publish(claim) is False
    assert (await job_of(client, job["id"]))["status"] == "CANCELED"
    assert await results(client, "/v1/artifacts/") == []


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.QUARANTINED, JobStatus.CANCELED])
async def test_finished_job_keeps_its_status(client: httpx.AsyncClient, worker: HandWorker, status: JobStatus) -> None:
    job = await queued(client)
    await worker.to(status)
    assert (await client.delete(f"/v1/documents/{job['document_id']}/")).status_code == 204
    assert (await job_of(client, job["id"]))["status"] == status


async def test_deleted_document_takes_no_new_job(client: httpx.AsyncClient) -> None:
    document = await uploaded(client)
    await client.delete(f"/v1/documents/{document['id']}/")
    assert_problem(await client.post("/v1/jobs/", json={"document_id": document["id"]}), 404, "NOT_FOUND")


async def test_nothing_of_several_jobs_and_attempts_is_left_in_the_storage(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings
) -> None:
    kept = await queued(client)
    await worker.publish(await worker.claim())
    left = stored_files(settings)
    failed = await queued(client)
    number = failed["document_id"]
    await worker.fail(await worker.claim())
    await client.post(f"/v1/jobs/{failed['id']}/retry/")
    await worker.publish(await worker.claim())
    for _ in range(2):
        await client.post("/v1/jobs/", json={"document_id": number})
        await worker.publish(await worker.claim())
    crashed = await client.post("/v1/jobs/", json={"document_id": number})
    lost = await worker.claim()
    await claims.crashed(db, lost, claims.Crash(code="WORKER_CRASHED", message="Made by hand."), max_crashes=3)
    running = await worker.claim()
    assert crashed.json()["id"] == lost.job_id == running.job_id
    await client.post("/v1/jobs/", json={"document_id": number})
    assert len(stored_files(settings)) == len(left) + 1 + 3 * 2
    assert (await client.delete(f"/v1/documents/{number}/")).status_code == 204
    # Workers that did not know yet store their results, publish nothing, and leave them to the sweep.
    assert await worker.publish(running) is False
    with pytest.raises(claims.LeaseLost):
        await worker.publish(lost)
    await db.fetch("UPDATE unreferenced_blobs SET removable_at = now()")
    await Maintenance(db, Blobs(settings.storage), RedisDoorbell(build_broker(settings.redis_url)), settings).sweep()
    assert stored_files(settings) == left
    assert not await db.fetch("SELECT FROM unreferenced_blobs")
    assert (await job_of(client, kept["id"]))["status"] == "SUCCEEDED"
    await assert_counted(db)


async def test_upload_that_was_deleted_before_any_job_leaves_nothing(
    client: httpx.AsyncClient, db: Database, settings: Settings
) -> None:
    document = await uploaded(client)
    await client.delete(f"/v1/documents/{document['id']}/")
    await assert_nothing_left(db, settings)
