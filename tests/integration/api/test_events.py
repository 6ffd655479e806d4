"""``GET /v1/jobs/{id}/events/``: a job's events as a stream."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from docrefinery.services import jobs as service
from docrefinery.settings import Settings
from docrefinery.store import jobs
from docrefinery.store.claims import enter_stage
from tests.support.api import Api
from tests.support.calls import assert_problem, queued
from tests.support.server import serving
from tests.support.work import HandWorker


def parsed(stream: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return id, event and data of each message."""
    messages = []
    for block in stream.replace("\r\n", "\n").strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if fields:
            messages.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return messages


async def finished_job(client: httpx.AsyncClient, worker: HandWorker, external: str = "") -> dict[str, Any]:
    """Make a job that ran through two stages and succeeded."""
    job = await queued(client, **({"external_uuid": external} if external else {}))
    claim = await worker.claim()
    await enter_stage(worker.db, claim, "CONVERTING", scan_ms=1)
    await worker.publish(claim)
    return job


async def test_all_events_from_the_first_on(client: httpx.AsyncClient, worker: HandWorker) -> None:
    external = "2f3b12aa-7c4b-4d2e-8a01-8b9d6b6d8d4f"
    job = await finished_job(client, worker, external)
    response = await client.get(f"/v1/jobs/{job['id']}/events/")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    messages = parsed(response.text)
    assert [(number, event) for number, event, _ in messages] == [(str(n), "job.updated") for n in (1, 2, 3)]
    changes = [(d["previous_status"], d["previous_stage"], d["status"], d["stage"]) for _, _, d in messages]
    assert changes == [
        ("QUEUED", "SCANNING", "RUNNING", "SCANNING"),
        ("RUNNING", "SCANNING", "RUNNING", "CONVERTING"),
        ("RUNNING", "CONVERTING", "SUCCEEDED", "CONVERTING"),
    ]
    first = messages[0][2]
    assert first.pop("started_at") is not None
    assert {first.pop(name) for name in ("created_at", "queued_at")} == {job["created_at"]}
    assert first.pop("modified_at") > job["modified_at"]
    assert first == {
        "event": "job.updated",
        "job_id": job["id"],
        "job_uuid": job["uuid"],
        "document_id": job["document_id"],
        "external_uuid": external,
        "status": "RUNNING",
        "stage": "SCANNING",
        "previous_status": "QUEUED",
        "previous_stage": "SCANNING",
        "error_code": "",
        "error_message": "",
        "error_details": None,
        "finished_at": None,
        "sequence": 1,
        "attempt": 1,
    }
    assert messages[-1][2]["finished_at"] is not None


@pytest.mark.parametrize(("last", "rest"), [("0", ["1", "2", "3"]), ("1", ["2", "3"])])
async def test_stream_goes_on_after_the_last_event_that_was_seen(
    client: httpx.AsyncClient, worker: HandWorker, last: str, rest: list[str]
) -> None:
    job = await finished_job(client, worker)
    response = await client.get(f"/v1/jobs/{job['uuid']}/events/", headers={"Last-Event-ID": last})
    assert [number for number, _, _ in parsed(response.text)] == rest


@pytest.mark.parametrize("last", ["3", "99"])
async def test_stream_with_nothing_left_tells_browsers_not_to_come_back(
    client: httpx.AsyncClient, worker: HandWorker, last: str
) -> None:
    job = await finished_job(client, worker)
    response = await client.get(f"/v1/jobs/{job['uuid']}/events/", headers={"Last-Event-ID": last})
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30])
async def test_unusable_last_event_id_is_refused(client: httpx.AsyncClient, last: str) -> None:
    job = await queued(client)
    response = await client.get(f"/v1/jobs/{job['id']}/events/", headers={"Last-Event-ID": last})
    assert_problem(response, 400, "INVALID_REQUEST")


async def test_retried_job_goes_on_counting(client: httpx.AsyncClient, worker: HandWorker) -> None:
    job = await queued(client)
    await worker.fail(await worker.claim())
    await client.post(f"/v1/jobs/{job['id']}/retry/")
    await worker.publish(await worker.claim())
    messages = parsed((await client.get(f"/v1/jobs/{job['id']}/events/")).text)
    assert [(d["sequence"], d["attempt"], d["status"]) for _, _, d in messages] == [
        (1, 1, "RUNNING"),
        (2, 1, "FAILED"),
        (3, 2, "QUEUED"),
        (4, 2, "RUNNING"),
        (5, 2, "SUCCEEDED"),
    ]
    assert messages[1][2]["error_code"] == "CONVERSION_FAILED"
    assert messages[2][2]["error_code"] == ""


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    """A real server, since answers in this process are only given as a whole."""
    with serving(settings) as server:
        yield server.url


async def test_live_stream_tells_events_as_they_come_and_closes_after_the_last(
    api: Api, client: httpx.AsyncClient, worker: HandWorker, address: str
) -> None:
    job = await queued(client)
    async with (
        httpx.AsyncClient(base_url=address, headers=client.headers, timeout=20) as remote,
        remote.stream("GET", f"/v1/jobs/{job['id']}/events/") as response,
    ):
        lines: AsyncIterator[str] = response.aiter_lines()
        assert await until(lines, ":") != ""
        claim = await worker.claim()
        assert '"RUNNING"' in await until(lines, "data:")
        await worker.publish(claim)
        assert '"SUCCEEDED"' in await until(lines, "data:")
        async for line in lines:
            assert not line.startswith("data:")


async def until(lines: AsyncIterator[str], start: str) -> str:
    """Return the next line that starts so."""
    async for line in lines:
        if line.startswith(start):
            return line
    raise AssertionError("the stream ended")


async def test_a_stream_outlives_the_databases_absence(
    client: httpx.AsyncClient, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await finished_job(client, worker)
    looked, look = 0, jobs.events_after

    async def away_at_first(*given: Any) -> Any:
        nonlocal looked
        looked += 1
        if looked == 1:
            raise ConnectionResetError("the database went away")
        return await look(*given)

    monkeypatch.setattr(service, "AWAY_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "events_after", away_at_first)
    response = await client.get(f"/v1/jobs/{job['id']}/events/")
    assert [number for number, _, _ in parsed(response.text)] == ["1", "2", "3"]
    assert looked == 2
