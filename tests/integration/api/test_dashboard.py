"""``/v1/dashboard/``: what a tenant sees of its work and of the workers."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from docrefinery.capabilities import Models
from docrefinery.model import JobStatus, Stage
from docrefinery.store import claims, counters
from docrefinery.store.database import Database
from tests.support.alive import HELD, HOLDS, LOADING, fall_silent, say_alive
from tests.support.api import Api
from tests.support.calls import a_pdf, assert_problem, queued, results, uploaded
from tests.support.counted import assert_counted
from tests.support.queries import recorded
from tests.support.work import RESULTS, HandWorker

ARTIFACT_BYTES = sum(map(len, RESULTS.values()))


async def summary(client: httpx.AsyncClient) -> dict[str, Any]:
    """Return the tenant's summary."""
    response = await client.get("/v1/dashboard/summary")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_summary_of_a_tenant_without_anything_lists_every_status_and_stage(client: httpx.AsyncClient) -> None:
    found = await summary(client)
    assert found.pop("generated_at").endswith("Z")
    nothing = {"p50_ms": None, "p95_ms": None}
    assert found == {
        "jobs": {
            "total": 0,
            "by_status": dict.fromkeys(JobStatus, 0),
            "by_stage": dict.fromkeys(Stage, 0),
            "by_profile": {},
        },
        "queue": {"depth": 0, "oldest_age_seconds": None},
        "last_hour": {"finished": 0, "failed": 0},
        "last_day": {"finished": 0, "failed": 0},
        "stages": dict.fromkeys(("scan", "convert", "export", "chunk"), nothing),
        "volume": {"documents": 0, "pages": 0, "bytes_in": 0, "bytes_stored": 0},
    }


async def test_summary_counts_the_tenants_own_work(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, worker: HandWorker, db: Database
) -> None:
    content = a_pdf()
    await uploaded(client, content, ingest="true", profile="fast_text")
    await worker.publish(await worker.claim())
    await queued(client)
    await worker.fail(await worker.claim())
    await queued(client)
    await queued(stranger)
    found = await summary(client)
    assert found["jobs"]["total"] == 3
    assert {name: n for name, n in found["jobs"]["by_status"].items() if n} == {
        "SUCCEEDED": 1,
        "FAILED": 1,
        "QUEUED": 1,
    }
    assert found["jobs"]["by_stage"]["SCANNING"] == 3
    assert found["jobs"]["by_profile"] == {"(none)": 2, "fast_text": 1}
    assert found["queue"]["depth"] == 1
    assert 0 <= found["queue"]["oldest_age_seconds"] < 30
    assert found["last_hour"] == found["last_day"] == {"finished": 2, "failed": 1}
    assert found["stages"]["convert"] == {"p50_ms": 1, "p95_ms": 1}
    assert found["volume"]["documents"] == 3
    assert found["volume"]["pages"] == 1
    assert found["volume"]["bytes_stored"] == found["volume"]["bytes_in"] + ARTIFACT_BYTES
    assert (await summary(stranger))["jobs"]["total"] == 1
    await assert_counted(db)


async def test_percentiles_are_of_the_days_jobs(client: httpx.AsyncClient, worker: HandWorker, db: Database) -> None:
    for _ in range(4):
        await queued(client)
    for ms in (10, 20, 30, 9999):
        claim = await worker.claim()
        await claims.enter_stage(db, claim, Stage.CONVERTING, scan_ms=ms)
        await worker.fail(claim)
    await db.fetch("UPDATE jobs SET finished_at = now() - interval '25 hours' WHERE scan_ms = 9999")
    scan = (await summary(client))["stages"]["scan"]
    assert (scan["p50_ms"], scan["p95_ms"]) == (20, 29)


async def test_a_minute_falls_out_of_the_hour_and_out_of_the_day(
    client: httpx.AsyncClient, worker: HandWorker, db: Database
) -> None:
    await queued(client)
    await worker.fail(await worker.claim())

    async def ended(minutes_ago: int) -> tuple[int, int]:
        await db.fetch(
            "UPDATE tenant_finished_minutes SET minute = date_trunc('minute', now()) - make_interval(mins => $1)",
            minutes_ago,
        )
        await counters.forget_minutes(db)
        found = await summary(client)
        return found["last_hour"]["failed"], found["last_day"]["failed"]

    assert [await ended(minutes) for minutes in (59, 62, 1439, 1442)] == [(1, 1), (0, 1), (0, 1), (0, 0)]
    assert await db.fetch("SELECT * FROM tenant_finished_minutes")
    await ended(1502)
    assert not await db.fetch("SELECT * FROM tenant_finished_minutes")


async def test_deleted_documents_leave_the_volume_and_not_the_history(
    client: httpx.AsyncClient, worker: HandWorker, db: Database
) -> None:
    job = await queued(client)
    await worker.publish(await worker.claim())
    assert (await client.delete(f"/v1/documents/{job['document_id']}/")).status_code == 204
    found = await summary(client)
    assert found["volume"] == {"documents": 0, "pages": 1, "bytes_in": 0, "bytes_stored": 0}
    assert found["jobs"]["total"] == found["last_day"]["finished"] == 1
    await assert_counted(db)


async def test_a_retried_job_is_counted_where_it_is(
    client: httpx.AsyncClient, worker: HandWorker, db: Database
) -> None:
    job = await queued(client)
    await worker.fail(await worker.claim())
    assert (await client.post(f"/v1/jobs/{job['id']}/retry/")).status_code == 202
    found = await summary(client)
    assert (found["jobs"]["total"], found["jobs"]["by_status"]["QUEUED"]) == (1, 1)
    # It did fail, whatever becomes of it now.
    assert found["last_hour"] == {"finished": 1, "failed": 1}
    await assert_counted(db)


async def test_jobs_that_the_operator_deletes_are_no_longer_counted(
    client: httpx.AsyncClient, worker: HandWorker, db: Database
) -> None:
    for _ in range(3):
        await queued(client)
    await worker.fail(await worker.claim())
    await worker.claim()
    await db.fetch("DELETE FROM leases")
    await db.fetch("DELETE FROM job_events")
    await db.fetch("DELETE FROM jobs")
    assert (await summary(client))["jobs"]["total"] == 0
    await assert_counted(db)


async def test_summary_takes_one_round_trip(client: httpx.AsyncClient) -> None:
    with recorded() as asked:
        await summary(client)
    assert len(asked) == 1


@pytest.mark.parametrize("path", ["/v1/dashboard/summary", "/v1/dashboard/workers"])
async def test_dashboard_asks_for_its_scope(api: Api, path: str) -> None:
    async with await api.client(scopes=("jobs:read",)) as client:
        problem = assert_problem(await client.get(path), 403, "INSUFFICIENT_SCOPE")
        assert problem["required_scope"] == "dashboard:read"
        assert_problem(await api.anonymous().get(path), 401, "UNAUTHENTICATED")
    async with await api.client(scopes=("dashboard:read",)) as client:
        assert (await client.get(path)).status_code == 200
        assert_problem(await client.get(path, params={"colour": "red"}), 400, "INVALID_FILTER")


async def test_workers_show_their_job_to_its_tenant_alone(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, worker: HandWorker, db: Database
) -> None:
    job = await queued(client)
    await worker.claim()
    await say_alive(db, worker.id, status="BUSY", current_job_id=job["id"])
    [mine] = await results(client, "/v1/dashboard/workers")
    assert mine.keys() == {
        "id", "hostname", "pid", "status", "queues", "current_job_id", "started_at", "last_heartbeat_at", "jobs_done",
        "rss_bytes", "version", "profiles", "models",
    }  # fmt: skip
    assert (mine["id"], mine["status"], mine["current_job_id"]) == (str(worker.id), "BUSY", job["id"])
    assert mine["started_at"].endswith("Z")
    [theirs] = await results(stranger, "/v1/dashboard/workers")
    assert theirs | {"current_job_id": job["id"]} == mine
    assert theirs["current_job_id"] is None


async def test_a_worker_that_is_silent_is_shown_as_that(client: httpx.AsyncClient, db: Database) -> None:
    await say_alive(db)
    assert [shown["status"] for shown in await results(client, "/v1/dashboard/workers")] == ["IDLE"]
    await fall_silent(db)
    assert [shown["status"] for shown in await results(client, "/v1/dashboard/workers")] == ["SILENT"]


async def test_workers_are_paged_oldest_first(client: httpx.AsyncClient, db: Database) -> None:
    ids = [uuid4() for _ in range(5)]
    for worker_id in ids:
        await say_alive(db, worker_id)
    seen, url = [], "/v1/dashboard/workers?page_size=2"
    while url:
        page = (await client.get(url)).json()
        seen += [shown["id"] for shown in page["results"]]
        url = page["next"]
    assert seen == [str(worker_id) for worker_id in ids]


async def test_workers_show_what_they_hold_and_whose_jobs_they_take(client: httpx.AsyncClient, db: Database) -> None:
    loading = await say_alive(db, models=LOADING, profiles=["fast_text", "structured"])
    await say_alive(db, models=Models(problem="there is no models folder"), profiles=["fast_text"])
    first, second = await results(client, "/v1/dashboard/workers")
    assert (first["models"], first["profiles"]) == ({}, ["fast_text", "structured"])
    assert (second["models"], second["profiles"]) == ({}, ["fast_text"])
    await say_alive(db, loading, queues=["convert", "models"], models=HOLDS, profiles=["full_vlm", "structured"])
    first, _ = await results(client, "/v1/dashboard/workers")
    assert (first["queues"], first["models"]) == (["convert", "models"], HELD)
    assert first["profiles"] == ["full_vlm", "structured"]


async def test_the_oldest_queued_job_is_that_of_both_queues(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, db: Database
) -> None:
    assert (await summary(client))["queue"] == {"depth": 0, "oldest_age_seconds": None}
    for queue, seconds in (("convert", 100), ("models", 200)):
        job = await queued(client)
        await db.fetch(
            "UPDATE jobs SET queue = $2, queued_at = now() - make_interval(secs => $3) WHERE id = $1",
            job["id"],
            queue,
            seconds,
        )
    found = (await summary(client))["queue"]
    assert (found["depth"], int(found["oldest_age_seconds"])) == (2, 200)
    assert (await summary(stranger))["queue"]["depth"] == 0
    await db.fetch("UPDATE jobs SET queued_at = now() - interval '300 s' WHERE queue = 'convert'")
    assert int((await summary(client))["queue"]["oldest_age_seconds"]) == 300
    metrics = (await client.get("/metrics")).text.splitlines()
    told = [line for line in metrics if line.startswith("docrefinery_queue_oldest")]
    assert [line.rpartition(" ")[2][:3] for line in told] == ["0.0", "300", "200"]
