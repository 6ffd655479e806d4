"""Cancel and retry, in every state of a job."""

import httpx
import pytest

from docrefinery.model import JobStatus
from tests.support.calls import assert_problem, job_of, queued
from tests.support.work import HandWorker


@pytest.mark.parametrize("status", JobStatus)
async def test_cancel_in_each_state(client: httpx.AsyncClient, worker: HandWorker, status: JobStatus) -> None:
    job = await queued(client)
    claim = await worker.to(status)
    response = await client.post(f"/v1/jobs/{job['id']}/cancel/")
    if status in (JobStatus.QUEUED, JobStatus.CANCELED):
        assert (response.status_code, response.json()["status"]) == (200, "CANCELED")
        assert response.json()["finished_at"] is not None
    elif status == JobStatus.RUNNING:
        assert claim is not None
        assert (response.status_code, response.json()["status"]) == (202, "RUNNING")
        assert await worker.beat(claim) == "cancel"
    else:
        assert status in assert_problem(response, 409, "INVALID_JOB_STATE")["detail"]
    expected = JobStatus.CANCELED if status == JobStatus.QUEUED else status
    assert (await job_of(client, job["id"]))["status"] == expected


async def test_canceled_queued_job_is_never_claimed(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    await client.post(f"/v1/jobs/{job['id']}/cancel/")
    with pytest.raises(AssertionError, match="no job is queued"):
        await worker.claim()


@pytest.mark.parametrize("end", ["publish", "fail"])
async def test_accepted_cancel_wins_over_the_end_of_the_job(
    client: httpx.AsyncClient, worker: HandWorker, end: str
) -> None:
    job = await queued(client)
    claim = await worker.claim()
    await client.post(f"/v1/jobs/{job['id']}/cancel/")
    assert await getattr(worker, end)(claim) is False
    ended = await job_of(client, job["id"])
    assert (ended["status"], ended["error_code"]) == ("CANCELED", "")
    assert (await client.get("/v1/artifacts/")).json()["results"] == []


async def test_malware_wins_over_an_accepted_cancel(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    claim = await worker.claim()
    await client.post(f"/v1/jobs/{job['id']}/cancel/")
    await worker.quarantine(claim)
    assert (await job_of(client, job["id"]))["status"] == "QUARANTINED"


async def test_running_job_is_canceled_twice_with_one_answer(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    await worker.claim()
    answers = [await client.post(f"/v1/jobs/{job['id']}/cancel/") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]


@pytest.mark.parametrize("status", JobStatus)
async def test_retry_in_each_state(client: httpx.AsyncClient, worker: HandWorker, status: JobStatus) -> None:
    job = await queued(client)
    await worker.to(status)
    response = await client.post(f"/v1/jobs/{job['id']}/retry/")
    if status in (JobStatus.FAILED, JobStatus.QUARANTINED):
        assert response.status_code == 202
        assert response.json()["id"] == job["id"]
        assert (response.json()["attempt"], response.json()["status"]) == (2, "QUEUED")
    else:
        assert status in assert_problem(response, 409, "INVALID_JOB_STATE")["detail"]
        assert (await job_of(client, job["id"]))["attempt"] == 1


async def test_retry_begins_anew(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    claim = await worker.claim()
    await worker.beat(claim, pages_done=2, pages_total=5)
    await worker.fail(claim)
    await client.post(f"/v1/jobs/{job['id']}/retry/")
    again = await job_of(client, job["id"])
    changed = {name for name, value in again.items() if value != job[name]}
    assert changed == {"attempt", "queued_at", "modified_at"}


async def test_failed_job_says_why_and_how_far_it_came(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    claim = await worker.claim()
    await worker.beat(claim, pages_done=2, pages_total=5)
    await worker.fail(claim, "CONVERSION_TIMEOUT")
    failed = await job_of(client, job["id"])
    assert (failed["error_code"], failed["error_message"]) == ("CONVERSION_TIMEOUT", "Made by hand.")
    assert (failed["pages_done"], failed["pages_total"]) == (2, 5)


async def test_job_of_a_deleted_document_is_not_retried(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    await worker.fail(await worker.claim())
    await client.delete(f"/v1/documents/{job['document_id']}/")
    problem = assert_problem(await client.post(f"/v1/jobs/{job['id']}/retry/"), 409, "INVALID_JOB_STATE")
    assert "deleted" in problem["detail"]


async def test_retried_job_that_was_canceled_before_can_succeed(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    claim = await worker.claim()
    await client.post(f"/v1/jobs/{job['id']}/cancel/")
    await worker.quarantine(claim)
    await client.post(f"/v1/jobs/{job['id']}/retry/")
    assert await worker.publish(await worker.claim()) is True
    assert (await job_of(client, job["id"]))["status"] == "SUCCEEDED"
