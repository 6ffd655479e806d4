"""A document's status follows from its jobs."""

import httpx
import pytest

from docrefinery.model import JobStatus
from tests.support.calls import assert_problem, queued, uploaded
from tests.support.work import HandWorker


async def status_of(client: httpx.AsyncClient, document_id: int) -> str:
    return str((await client.get(f"/v1/documents/{document_id}/")).json()["status"])


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([], "UPLOADED"),
        (["QUEUED"], "PROCESSING"),
        (["RUNNING"], "PROCESSING"),
        (["SUCCEEDED"], "READY"),
        (["FAILED"], "FAILED"),
        (["CANCELED"], "UPLOADED"),
        (["QUARANTINED"], "QUARANTINED"),
        (["SUCCEEDED", "FAILED"], "READY"),
        (["SUCCEEDED", "CANCELED"], "READY"),
        (["SUCCEEDED", "QUEUED"], "READY"),
        (["FAILED", "QUEUED"], "PROCESSING"),
        (["FAILED", "CANCELED"], "UPLOADED"),
        (["FAILED", "SUCCEEDED"], "READY"),
        (["SUCCEEDED", "QUARANTINED"], "QUARANTINED"),
    ],
)
async def test_status_after_jobs(client: httpx.AsyncClient, worker: HandWorker, jobs: list[str], expected: str) -> None:
    document = await uploaded(client)
    for status in jobs:
        await client.post("/v1/jobs/", json={"document_id": document["id"]})
        await worker.to(status)
    assert await status_of(client, document["id"]) == expected


async def quarantined(client: httpx.AsyncClient, worker: HandWorker) -> dict[str, int]:
    job = await queued(client)
    await worker.quarantine(await worker.claim())
    return job


async def assert_closed(client: httpx.AsyncClient, document_id: int) -> None:
    assert await status_of(client, document_id) == "QUARANTINED"
    for method in ("GET", "HEAD"):
        response = await client.request(method, f"/v1/documents/{document_id}/file/")
        assert response.status_code == 409
    assert_problem(await client.get(f"/v1/documents/{document_id}/file/"), 409, "DOCUMENT_QUARANTINED")
    assert_problem(await client.post("/v1/jobs/", json={"document_id": document_id}), 409, "DOCUMENT_QUARANTINED")


async def test_quarantined_file_is_neither_served_nor_processed(client: httpx.AsyncClient, worker: HandWorker) -> None:
    await assert_closed(client, (await quarantined(client, worker))["document_id"])


@pytest.mark.parametrize("state", [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELED, JobStatus.QUARANTINED])
async def test_retry_of_the_scan_opens_nothing_before_it_found_the_file_clean(
    client: httpx.AsyncClient, worker: HandWorker, state: JobStatus
) -> None:
    job = await quarantined(client, worker)
    await client.post(f"/v1/jobs/{job['id']}/retry/")
    await worker.to(state)
    await assert_closed(client, job["document_id"])


async def test_retry_that_fails_before_the_scan_opens_nothing(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await quarantined(client, worker)
    await client.post(f"/v1/jobs/{job['id']}/retry/")
    await worker.fail(await worker.claim(), "SCANNER_UNAVAILABLE", clean=False)
    await assert_closed(client, job["document_id"])


@pytest.mark.parametrize(("end", "expected"), [("publish", "READY"), ("fail", "FAILED")])
async def test_retry_that_found_the_file_clean_opens_it(
    client: httpx.AsyncClient, worker: HandWorker, end: str, expected: str
) -> None:
    job = await quarantined(client, worker)
    await client.post(f"/v1/jobs/{job['id']}/retry/")
    await getattr(worker, end)(await worker.claim())
    assert await status_of(client, job["document_id"]) == expected
    assert (await client.get(f"/v1/documents/{job['document_id']}/file/")).status_code == 200


@pytest.mark.parametrize("newer", ["QUEUED", "RUNNING", "CANCELED", "SUCCEEDED"])
async def test_malware_found_by_an_older_job_closes_the_document_whatever_a_newer_one_does(
    client: httpx.AsyncClient, worker: HandWorker, newer: str
) -> None:
    job = await queued(client)
    second = (await client.post("/v1/jobs/", json={"document_id": job["document_id"]})).json()
    first = await worker.claim()
    if newer == "SUCCEEDED":
        clean = await worker.claim()
        await worker.quarantine(first)
        await worker.publish(clean)
    else:
        await worker.quarantine(first)
        if newer == "CANCELED":
            await client.post(f"/v1/jobs/{second['id']}/cancel/")
        else:
            await worker.to(newer)
    await assert_closed(client, job["document_id"])


async def test_page_count_comes_with_the_conversion(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    await worker.publish(await worker.claim())
    assert (await client.get(f"/v1/documents/{job['document_id']}/")).json()["page_count"] == 1
