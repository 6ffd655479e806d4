"""``GET /v1/jobs/{id}/``: entity tags, and holding the answer until something changes."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest

from docrefinery.store.claims import enter_stage
from tests.support.calls import queued
from tests.support.work import HandWorker


async def state(client: httpx.AsyncClient, job_id: int) -> httpx.Response:
    return await client.get(f"/v1/jobs/{job_id}/")


async def test_unchanged_job_is_not_sent_again(client: httpx.AsyncClient) -> None:
    job = await queued(client)
    tag = (await state(client, job["id"])).headers["etag"]
    assert tag.startswith('W/"')
    again = await client.get(f"/v1/jobs/{job['id']}/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


async def test_page_progress_changes_the_tag_and_not_modified_at(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    claim = await worker.claim()
    before = await state(client, job["id"])
    await worker.beat(claim, pages_done=3, pages_total=9)
    after = await state(client, job["id"])
    assert (after.json()["pages_done"], after.json()["pages_total"]) == (3, 9)
    assert after.headers["etag"] != before.headers["etag"]
    assert after.json()["modified_at"] == before.json()["modified_at"]


async def test_heartbeat_without_progress_changes_nothing(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    claim = await worker.claim()
    before = await state(client, job["id"])
    await worker.beat(claim)
    assert (await state(client, job["id"])).headers["etag"] == before.headers["etag"]


async def test_retry_after_is_there_until_the_job_is_finished(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    assert int((await state(client, job["id"])).headers["retry-after"]) >= 1
    claim = await worker.claim()
    assert "retry-after" in (await state(client, job["id"])).headers
    await worker.fail(claim)
    assert "retry-after" not in (await state(client, job["id"])).headers


async def after_it_waits(
    client: httpx.AsyncClient, job_id: int, change: Callable[[], Awaitable[object]]
) -> httpx.Response:
    """Make a change while a request waits, and return the request's answer, which must not take its whole time."""
    tag = (await state(client, job_id)).headers["etag"]
    started = time.monotonic()
    waiting = asyncio.create_task(client.get(f"/v1/jobs/{job_id}/?wait=30", headers={"If-None-Match": tag}, timeout=40))
    await change()
    answer = await waiting
    assert time.monotonic() - started < 10
    assert answer.status_code == 200
    return answer


async def test_waiting_request_hears_of_each_change(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    claimed = await after_it_waits(client, job["id"], worker.claim)
    assert claimed.json()["status"] == "RUNNING"


async def test_waiting_request_hears_of_stage_progress_and_end(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    claim = await worker.claim()
    entered = await after_it_waits(client, job["id"], lambda: enter_stage(worker.db, claim, "CONVERTING"))
    assert entered.json()["stage"] == "CONVERTING"
    moved = await after_it_waits(client, job["id"], lambda: worker.beat(claim, pages_done=1, pages_total=2))
    assert moved.json()["pages_done"] == 1
    ended = await after_it_waits(client, job["id"], lambda: worker.publish(claim))
    assert ended.json()["status"] == "SUCCEEDED"


async def test_waiting_request_hears_of_a_cancel(client: httpx.AsyncClient) -> None:
    job = await queued(client)
    canceled = await after_it_waits(client, job["id"], lambda: client.post(f"/v1/jobs/{job['id']}/cancel/"))
    assert canceled.json()["status"] == "CANCELED"


async def test_finished_job_is_answered_at_once(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    await worker.fail(await worker.claim())
    started = time.monotonic()
    assert (await client.get(f"/v1/jobs/{job['id']}/?wait=30", timeout=40)).json()["status"] == "FAILED"
    assert time.monotonic() - started < 5


async def test_change_that_the_caller_has_not_seen_is_answered_at_once(
    client: httpx.AsyncClient, worker: HandWorker
) -> None:
    job = await queued(client)
    tag = (await state(client, job["id"])).headers["etag"]
    await worker.claim()
    started = time.monotonic()
    answer = await client.get(f"/v1/jobs/{job['id']}/?wait=30", headers={"If-None-Match": tag}, timeout=40)
    assert answer.json()["status"] == "RUNNING"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(("known", "status"), [(True, 304), (False, 200)])
async def test_without_change_the_answer_comes_when_the_time_is_over(
    client: httpx.AsyncClient, known: bool, status: int
) -> None:
    job = await queued(client)
    tag = (await state(client, job["id"])).headers["etag"]
    started = time.monotonic()
    headers = {"If-None-Match": tag} if known else {}
    assert (await client.get(f"/v1/jobs/{job['id']}/?wait=1", headers=headers)).status_code == status
    assert time.monotonic() - started >= 1
