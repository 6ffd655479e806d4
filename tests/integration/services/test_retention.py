"""What is kept, what expires, and what answers for it then."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from docrefinery.settings import Settings
from docrefinery.store import tenants
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.store.tenants import Keep
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.maintenance import Maintenance
from docrefinery.worker.retention import Retention
from tests.support.ageing import age
from tests.support.api import Api, running
from tests.support.calls import a_pdf, assert_problem, job_of, queued, results, stored_files, upload, uploaded
from tests.support.counted import assert_counted
from tests.support.work import HandWorker

DAY = 24


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    async with running(settings) as api:
        yield api


@pytest.fixture
async def client(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    async with await api.client() as client:
        yield client


@pytest.fixture
def worker(db: Database, settings: Settings) -> HandWorker:
    return HandWorker.of(db, settings)


class Sweeper:
    """The sweep of an installation."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self.db = db
        self.settings = settings

    async def keep(self, name: str = "acme", **hours: int) -> None:
        tenant = await tenants.get_tenant(self.db, name)
        assert tenant is not None
        await tenants.set_tenant(self.db, tenant.id, keep=Keep(**hours))

    async def sweep(self) -> None:
        """Remove what is due, and the bytes with it; counts are right afterwards."""
        doorbell = RedisDoorbell(build_broker(self.settings.redis_url))
        await Maintenance(self.db, Blobs(self.settings.storage), doorbell, self.settings).sweep()
        await assert_counted(self.db)


@pytest.fixture
def sweeper(db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Sweeper:
    # One sweep is enough here, however slow the machine is.
    monkeypatch.setattr("docrefinery.worker.retention.AT_ONCE_SECONDS", 60.0)
    return Sweeper(db, settings)


async def succeeded(client: httpx.AsyncClient, worker: HandWorker, **fields: str) -> dict[str, Any]:
    """Return a job that has results."""
    job = await queued(client, **fields)
    await worker.publish(await worker.claim())
    return await job_of(client, job["id"])


async def rows(db: Database) -> dict[str, int]:
    """Return how many rows there are of everything that a job leaves."""
    names = ("documents", "jobs", "job_events", "webhook_deliveries", "artifacts")
    counted = {name: (await db.fetch(f"SELECT count(*) AS n FROM {name}"))[0]["n"] for name in names}
    return {name: n for name, n in counted.items() if n}


async def test_nothing_expires_unless_somebody_says_so(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings, sweeper: Sweeper
) -> None:
    await succeeded(client, worker)
    await age(db, 100 * 365 * DAY)
    before = await rows(db)
    await sweeper.sweep()
    assert await rows(db) == before
    assert len(stored_files(settings)) == 3


async def test_an_expired_artifact_is_gone_from_lists_and_says_since_when(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings, sweeper: Sweeper
) -> None:
    job = await succeeded(client, worker)
    artifact, _ = await results(client, "/v1/artifacts/")
    await sweeper.keep(artifacts_hours=7 * DAY)
    await age(db, 7 * DAY - 1)
    await sweeper.sweep()
    assert (await client.get(f"/v1/artifacts/{artifact['id']}/")).status_code == 200
    await age(db, 1)
    await sweeper.sweep()
    for ref in (artifact["id"], artifact["uuid"]):
        problem = assert_problem(await client.get(f"/v1/artifacts/{ref}/"), 410, "ARTIFACT_EXPIRED")
        assert datetime.now(UTC) - datetime.fromisoformat(problem["expired_at"]) < timedelta(minutes=5)
        assert (await client.head(f"/v1/artifacts/{ref}/")).status_code == 410
    assert await results(client, "/v1/artifacts/") == []
    assert await results(client, "/v1/artifacts/", job_id=job["id"]) == []
    assert (await job_of(client, job["id"]))["status"] == "SUCCEEDED"
    assert (await client.get(f"/v1/documents/{job['document_id']}/file/")).status_code == 200
    assert len(stored_files(settings)) == 1


async def test_an_expired_artifact_says_what_to_do_as_things_are(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, sweeper: Sweeper
) -> None:
    job = await succeeded(client, worker)
    artifact, _ = await results(client, "/v1/artifacts/")

    async def advice() -> str:
        [by_id, by_uuid] = [await client.get(f"/v1/artifacts/{artifact[name]}/") for name in ("id", "uuid")]
        said = [assert_problem(answer, 410, "ARTIFACT_EXPIRED")["detail"] for answer in (by_id, by_uuid)]
        assert said[0].split(" UTC: ")[1] == said[1].split(" UTC: ")[1]
        return str(said[0].split(" UTC: ")[1])

    await sweeper.keep(artifacts_hours=DAY)
    await age(db, DAY)
    await sweeper.sweep()
    assert await advice() == "process the document again to get a new one."
    await sweeper.keep(files_hours=2 * DAY)
    await age(db, DAY)
    await sweeper.sweep()
    assert await advice() == "upload the file again."
    assert (await client.delete(f"/v1/documents/{job['document_id']}/")).status_code == 204
    assert await advice() == "upload the file again."
    await sweeper.keep(jobs_hours=3 * DAY)
    await age(db, DAY)
    await sweeper.sweep()
    assert "or upload it again" in await advice()


async def test_a_stranger_learns_nothing_of_what_has_expired(
    api: Api, client: httpx.AsyncClient, worker: HandWorker, db: Database, sweeper: Sweeper
) -> None:
    job = await succeeded(client, worker)
    [artifact, _] = await results(client, "/v1/artifacts/")
    document = (await client.get(f"/v1/documents/{job['document_id']}/")).json()
    paths = [
        path
        for key in ("id", "uuid")
        for path in (
            f"artifacts/{artifact[key]}/",
            f"jobs/{job[key]}/",
            f"jobs/{job[key]}/events/",
            f"documents/{document[key]}/",
            f"documents/{document[key]}/file/",
        )
    ]
    await sweeper.keep(artifacts_hours=1, files_hours=1)
    async with await api.client(tenant="globex") as stranger:
        for hours in (2, 10):
            await age(db, hours)
            await sweeper.sweep()
            for path in paths:
                assert_problem(await stranger.get(f"/v1/{path}"), 404, "NOT_FOUND")
            await sweeper.keep(jobs_hours=10)
    assert {(await client.get(f"/v1/{path}")).status_code for path in paths} == {410}


async def test_an_expired_file_leaves_a_document_that_takes_no_jobs(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings, sweeper: Sweeper
) -> None:
    content = a_pdf()
    document = await uploaded(client, content, ingest="true")
    await worker.fail(await worker.claim())
    await sweeper.keep(files_hours=30 * DAY)
    await age(db, 30 * DAY)
    await sweeper.sweep()
    url = f"/v1/documents/{document['id']}/"
    problem = assert_problem(await client.get(f"{url}file/"), 410, "ARTIFACT_EXPIRED")
    assert (await client.head(f"{url}file/")).status_code == 410
    shown = (await client.get(url)).json()
    assert shown["file_expired_at"] == problem["expired_at"]
    assert shown["status"] == "FAILED"
    assert [found["id"] for found in await results(client, "/v1/documents/")] == [document["id"]]
    refused = assert_problem(
        await client.post("/v1/jobs/", json={"document_id": document["id"]}), 409, "INVALID_JOB_STATE"
    )
    assert "has expired; upload it again" in refused["detail"]
    refused = assert_problem(await client.post(f"/v1/jobs/{document['job_id']}/retry/"), 409, "INVALID_JOB_STATE")
    assert "has expired; upload it again" in refused["detail"]
    assert stored_files(settings) == []
    again = await uploaded(client, content)
    assert again["id"] != document["id"]
    assert (await client.get(f"/v1/documents/{again['id']}/file/")).content == content
    assert "file_expired_at" not in (await client.get(f"/v1/documents/{again['id']}/")).json()


async def test_a_document_whose_file_has_expired_can_be_deleted(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings, sweeper: Sweeper
) -> None:
    job = await succeeded(client, worker)
    await sweeper.keep(files_hours=1)
    await age(db, 1)
    await sweeper.sweep()
    url = f"/v1/documents/{job['document_id']}/"
    assert (await client.delete(url)).status_code == 204
    assert_problem(await client.get(url), 404, "NOT_FOUND")
    assert_problem(await client.get(f"{url}file/"), 404, "NOT_FOUND")
    assert stored_files(settings) == []
    assert (await job_of(client, job["id"]))["status"] == "SUCCEEDED"
    await assert_counted(db)


@pytest.mark.parametrize("running", [False, True])
async def test_a_file_stays_while_a_job_is_queued_or_running(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings, sweeper: Sweeper, running: bool
) -> None:
    job = await queued(client)
    claim = await worker.claim() if running else None
    await sweeper.keep(files_hours=1)
    await age(db, 1000)
    await sweeper.sweep()
    await worker.publish(claim or await worker.claim())
    await sweeper.sweep()
    # Its end was a use.
    assert (await client.get(f"/v1/documents/{job['document_id']}/file/")).status_code == 200
    await age(db, 1)
    await sweeper.sweep()
    assert_problem(await client.get(f"/v1/documents/{job['document_id']}/file/"), 410, "ARTIFACT_EXPIRED")


async def test_an_expired_job_takes_everything_of_it_along(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings, sweeper: Sweeper
) -> None:
    job = await succeeded(client, worker)
    [artifact, _] = await results(client, "/v1/artifacts/")
    await sweeper.keep(jobs_hours=365 * DAY)
    await age(db, 365 * DAY)
    await sweeper.sweep()
    for ref in (job["id"], job["uuid"]):
        for path in (f"/v1/jobs/{ref}/", f"/v1/jobs/{ref}/events/"):
            problem = assert_problem(await client.get(path), 410, "JOB_EXPIRED")
            assert datetime.now(UTC) - datetime.fromisoformat(problem["expired_at"]) < timedelta(minutes=5)
    for act in ("cancel", "retry"):
        assert_problem(await client.post(f"/v1/jobs/{job['id']}/{act}/"), 410, "JOB_EXPIRED")
    assert_problem(await client.get(f"/v1/artifacts/{artifact['id']}/"), 410, "ARTIFACT_EXPIRED")
    assert await results(client, "/v1/jobs/") == []
    assert await results(client, "/v1/artifacts/", job_id=job["uuid"]) == []
    # The file has no end of its own, so the document stays.
    assert await rows(db) == {"documents": 1}
    assert len(stored_files(settings)) == 1
    assert (await client.get(f"/v1/documents/{job['document_id']}/")).json()["status"] == "READY"


async def test_what_answers_for_expired_things_goes_after_a_time_of_its_own(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings
) -> None:
    sweeper = Sweeper(db, msgspec.structs.replace(settings, keep_tombstones_hours=10))
    job = await succeeded(client, worker)
    [artifact, _] = await results(client, "/v1/artifacts/")
    paths = (f"documents/{job['document_id']}/", f"jobs/{job['id']}/", f"artifacts/{artifact['id']}/")
    await sweeper.keep(files_hours=1, artifacts_hours=1, jobs_hours=1)
    await age(db, 1)
    await sweeper.sweep()
    await age(db, 9)
    await sweeper.sweep()
    assert [(await client.get(f"/v1/{path}")).status_code for path in paths] == [410] * 3
    await age(db, 1)
    await sweeper.sweep()
    for path in paths:
        assert_problem(await client.get(f"/v1/{path}"), 404, "NOT_FOUND")
    for kind in ("documents", "jobs", "artifacts"):
        assert not await db.fetch(f"SELECT FROM expired_{kind}")


async def test_an_artifact_that_expired_before_its_job_answers_after_it_too(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, sweeper: Sweeper
) -> None:
    await succeeded(client, worker)
    [artifact, _] = await results(client, "/v1/artifacts/")
    await sweeper.keep(artifacts_hours=1, jobs_hours=10)
    for hours in (1, 9):
        await age(db, hours)
        await sweeper.sweep()
        assert_problem(await client.get(f"/v1/artifacts/{artifact['id']}/"), 410, "ARTIFACT_EXPIRED")


@pytest.mark.parametrize("first", ["files_hours", "jobs_hours"])
async def test_a_document_goes_when_its_file_and_jobs_are_gone(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, sweeper: Sweeper, first: str
) -> None:
    job = await succeeded(client, worker)
    await sweeper.keep(files_hours=10, jobs_hours=10)
    await sweeper.keep("acme", **{first: 1})
    await age(db, 1)
    await sweeper.sweep()
    assert (await client.get(f"/v1/documents/{job['document_id']}/")).status_code == 200
    await age(db, 9)
    await sweeper.sweep()
    url = f"/v1/documents/{job['document_id']}/"
    for answer in (
        await client.get(url),
        await client.get(f"{url}file/"),
        await client.delete(url),
        await client.post("/v1/jobs/", json={"document_id": job["document_id"]}),
    ):
        problem = assert_problem(answer, 410, "DOCUMENT_EXPIRED")
        assert datetime.now(UTC) - datetime.fromisoformat(problem["expired_at"]) < timedelta(minutes=5)
    assert (await client.head(f"{url}file/")).status_code == 410
    assert await results(client, "/v1/documents/") == []
    assert await rows(db) == {}


async def test_a_deleted_document_goes_with_its_last_job(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, sweeper: Sweeper
) -> None:
    job = await succeeded(client, worker)
    await client.delete(f"/v1/documents/{job['document_id']}/")
    never_ran = await uploaded(client)
    await client.delete(f"/v1/documents/{never_ran['id']}/")
    assert (await rows(db))["documents"] == 1
    await sweeper.keep(jobs_hours=1)
    await age(db, 1)
    await sweeper.sweep()
    assert await rows(db) == {}
    # Who deletes a thing wants it forgotten, and knows that it was there.
    for number in (job["document_id"], never_ran["id"]):
        assert_problem(await client.get(f"/v1/documents/{number}/"), 404, "NOT_FOUND")


async def test_a_job_waits_for_its_webhooks_to_be_delivered(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, sweeper: Sweeper
) -> None:
    [tenant] = await tenants.list_tenants(db)
    await db.fetch(
        "INSERT INTO webhook_endpoints (tenant_id, name, url, events) VALUES ($1, 'a', 'http://a.test', $2)",
        tenant.id,
        ["job.updated"],
    )
    job = await succeeded(client, worker)
    assert (await rows(db))["webhook_deliveries"] > 0
    await sweeper.keep(jobs_hours=1)
    await age(db, 1)
    await sweeper.sweep()
    assert (await job_of(client, job["id"]))["status"] == "SUCCEEDED"
    await db.fetch("UPDATE webhook_deliveries SET status = 'FAILED', next_attempt_at = NULL")
    await sweeper.sweep()
    assert await rows(db) == {"documents": 1}


async def test_jobs_that_have_not_ended_do_not_expire(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, sweeper: Sweeper
) -> None:
    failed = await queued(client)
    await worker.fail(await worker.claim())
    await client.post(f"/v1/jobs/{failed['id']}/retry/")
    await queued(client)
    await worker.claim()
    await sweeper.keep(jobs_hours=1)
    await age(db, 1000)
    before = await rows(db)
    await sweeper.sweep()
    assert await rows(db) == before


async def test_a_tenants_own_time_goes_before_the_installations(
    api: Api, worker: HandWorker, db: Database, settings: Settings
) -> None:
    installed = Sweeper(db, msgspec.structs.replace(settings, keep_artifacts_hours=10))
    left = {}
    for name, hours in (("default", None), ("shorter", 5), ("longer", 20), ("forever", 0), ("again", -1)):
        async with await api.client(tenant=name) as client:
            await succeeded(client, worker)
            if hours is not None:
                await installed.keep(name, artifacts_hours=7)
                await installed.keep(name, artifacts_hours=hours)
    for hours in (6, 5, 10):
        await age(db, hours)
        await installed.sweep()
        found = await db.fetch("SELECT DISTINCT name FROM tenants t JOIN artifacts a ON a.tenant_id = t.id")
        left[hours] = {row["name"] for row in found}
    assert left == {6: {"default", "longer", "forever", "again"}, 5: {"longer", "forever"}, 10: {"forever"}}


async def test_a_clock_that_was_set_back_only_puts_off_what_is_due(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, sweeper: Sweeper
) -> None:
    await succeeded(client, worker)
    await sweeper.keep(artifacts_hours=1, files_hours=1, jobs_hours=1)
    await age(db, -1000)
    before = await rows(db)
    await sweeper.sweep()
    assert await rows(db) == before
    await age(db, 1001)
    await sweeper.sweep()
    assert await rows(db) == {}


async def test_very_many_go_in_small_steps(db: Database, settings: Settings, sweeper: Sweeper) -> None:
    await many(db, 1500)
    await sweeper.keep(artifacts_hours=1, files_hours=1)
    assert await Retention(db, settings).sweep(seconds=600)
    assert await rows(db) == {"documents": 1500, "jobs": 1500}
    await assert_counted(db)
    await sweeper.keep(jobs_hours=1)
    assert await Retention(db, settings).sweep(seconds=600)
    assert await rows(db) == {}
    await assert_counted(db)
    [noted] = await db.fetch("SELECT count(*) AS n FROM unreferenced_blobs")
    assert noted["n"] == 3000


async def test_kinds_and_tenants_do_not_wait_for_each_others_backlog(db: Database, settings: Settings) -> None:
    await many(db, 650)
    await many(db, 20, "globex")
    with capture_logs() as logged:
        kept = msgspec.structs.replace(settings, keep_jobs_hours=1, keep_files_hours=1)
        assert await Retention(db, kept).sweep(seconds=600)
    rounds = [(entry["what"], entry["removed"]) for entry in logged if entry["event"] == "expired"]
    # Of four that are due, two end in the first round, and the others go on by turns.
    assert rounds.index(("jobs", 20)) < 4
    assert rounds.index(("files", 20)) < 4
    later = [what for what, _ in rounds[4:14]]
    assert later == later[:2] * 5
    assert set(later) == {"jobs", "files"}


async def test_a_sweep_ends_when_its_time_is_up_and_goes_on_at_the_next(db: Database, settings: Settings) -> None:
    await many(db, 150)
    [tenant] = await tenants.list_tenants(db)
    await tenants.set_tenant(db, tenant.id, keep=Keep(jobs_hours=1))
    retention = Retention(db, settings)
    assert not await retention.sweep(seconds=0)
    assert (await rows(db))["jobs"] == 50
    await retention.look()
    assert "jobs" not in await rows(db)


async def test_two_sweeps_and_a_deletion_at_once_remove_everything_once(
    api: Api, client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings, sweeper: Sweeper
) -> None:
    jobs = [await succeeded(client, worker) for _ in range(12)]
    await sweeper.keep(artifacts_hours=1, files_hours=1, jobs_hours=1)
    await age(db, 1)
    others = [Database(settings.database_url, pool_size=8) for _ in range(2)]
    for other in others:
        await other.start()
    try:
        answers = await asyncio.gather(
            *(Sweeper(other, settings).sweep() for other in others),
            *(client.delete(f"/v1/documents/{job['document_id']}/") for job in jobs),
        )
    finally:
        for other in others:
            await other.close()
    # 410 where a sweep had removed all of a document before its deletion came.
    assert {answer.status_code for answer in answers[2:] if answer} <= {204, 410}
    await sweeper.sweep()
    assert await rows(db) == {}
    assert stored_files(settings) == []
    assert not await db.fetch("SELECT FROM unreferenced_blobs")


async def test_a_job_that_comes_while_its_file_expires_is_either_refused_or_has_it(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings, sweeper: Sweeper
) -> None:
    documents = [(await succeeded(client, worker))["document_id"] for _ in range(8)]
    await sweeper.keep(files_hours=1)
    await age(db, 1)
    answers = await asyncio.gather(
        *(client.post("/v1/jobs/", json={"document_id": number}) for number in documents[:4]),
        Retention(db, settings).sweep(seconds=60),
        *(client.post("/v1/jobs/", json={"document_id": number}) for number in documents[4:]),
    )
    for number, answer in zip([*documents[:4], 0, *documents[4:]], answers, strict=True):
        if isinstance(answer, httpx.Response):
            served = (await client.get(f"/v1/documents/{number}/file/")).status_code
            assert (answer.status_code, served) in ((201, 200), (409, 410))


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_rows_and_bytes_agree(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings, sweeper: Sweeper, seed: int
) -> None:
    choose = random.Random(seed)
    await client.get("/v1/profiles/")
    await sweeper.keep(files_hours=6, artifacts_hours=3, jobs_hours=9)
    for _ in range(60):
        documents = [document["id"] for document in await results(client, "/v1/documents/")]
        failed = [job["id"] for job in await results(client, "/v1/jobs/", status="FAILED")]
        act = choose.choice(["upload", "start", "finish", "fail", "retry", "delete", "age", "sweep"])
        if act == "upload":
            await uploaded(client, ingest=choose.choice(["true", "false"]))
        elif act == "start" and documents:
            await client.post("/v1/jobs/", json={"document_id": choose.choice(documents)})
        elif act in ("finish", "fail") and await results(client, "/v1/jobs/", status="QUEUED"):
            await worker.to("SUCCEEDED" if act == "finish" else "FAILED")
        elif act == "retry" and failed:
            await client.post(f"/v1/jobs/{choose.choice(failed)}/retry/")
        elif act == "delete" and documents:
            assert (await client.delete(f"/v1/documents/{choose.choice(documents)}/")).status_code == 204
        elif act == "age":
            await age(db, choose.randrange(1, 5))
        elif act == "sweep":
            await sweeper.sweep()
            keys = await db.fetch(
                """SELECT blob_key FROM documents WHERE deleted_at IS NULL UNION ALL SELECT blob_key FROM artifacts
                   ORDER BY 1"""
            )
            assert stored_files(settings) == [row["blob_key"] for row in keys]
            without_file = await db.fetch(
                """SELECT FROM jobs j JOIN documents d ON d.id = j.document_id
                   WHERE j.status IN ('QUEUED', 'RUNNING') AND d.deleted_at IS NOT NULL"""
            )
            assert not without_file


async def test_same_bytes_come_again_while_the_old_ones_are_still_shown(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, sweeper: Sweeper
) -> None:
    content = a_pdf()
    first = await uploaded(client, content, ingest="true")
    await worker.publish(await worker.claim())
    await sweeper.keep(files_hours=1)
    await age(db, 1)
    await sweeper.sweep()
    second = await uploaded(client, content)
    problem = assert_problem(await upload(client, content), 409, "DUPLICATE_DOCUMENT")
    assert problem["existing"]["document_id"] == second["id"]
    found = await results(client, "/v1/documents/", sha256=second["sha256"])
    assert [document["id"] for document in found] == [second["id"], first["id"]]


async def many(db: Database, count: int, name: str = "acme") -> None:
    """Make documents with a finished job and an artifact each, whose time was up long ago."""
    tenant = await tenants.create_tenant(db, name)
    assert tenant is not None
    await db.fetch(
        """WITH d AS (
               INSERT INTO documents (uuid, tenant_id, original_filename, sha256, size_bytes, blob_key, modified_at)
               SELECT gen_random_uuid(), $1, 'a.pdf', lpad(to_hex(n), 64, '0'), 10, $3::text || n,
                      now() - interval '1 year'
               FROM generate_series(1, $2::integer) n RETURNING id, tenant_id, blob_key),
           j AS (
               INSERT INTO jobs (tenant_id, document_id, status, finished_at)
               SELECT tenant_id, id, 'SUCCEEDED', now() - interval '1 year' FROM d RETURNING id, tenant_id, document_id)
           INSERT INTO artifacts (tenant_id, job_id, document_id, kind, filename, content_type, size_bytes, sha256,
                                  blob_key, created_at)
           SELECT tenant_id, id, document_id, 'text', 'a.txt', 'text/plain', 5, repeat('0', 64), 'a' || id,
                  now() - interval '1 year' FROM j""",
        tenant.id,
        count,
        name,
    )
