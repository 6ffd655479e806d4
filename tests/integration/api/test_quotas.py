"""What a tenant may have queued, in flight and stored, and what the installation takes in."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest

from docrefinery.bootstrap.operator import operator
from docrefinery.errors import Unavailable
from docrefinery.services import load
from docrefinery.settings import Settings
from docrefinery.store import idempotency
from docrefinery.store.database import Database
from docrefinery.store.encryption.vault import Vault
from docrefinery.store.tenants import Limits
from tests.support.api import Api, running
from tests.support.calls import (
    a_pdf,
    assert_nothing_left,
    assert_problem,
    job_of,
    queued,
    stored_files,
    upload,
    uploaded,
)
from tests.support.counted import assert_counted
from tests.support.queries import recorded
from tests.support.waiting import until_true
from tests.support.work import HandWorker

MEBI = 1024 * 1024


@asynccontextmanager
async def installed(settings: Settings, **chosen: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of ``acme``, in an installation with these settings."""
    async with running(msgspec.structs.replace(settings, **chosen)) as api, await api.client() as client:
        yield client


def pdf_of(size: int) -> bytes:
    return a_pdf().ljust(size, b"\n")


async def start(client: httpx.AsyncClient, document_id: int, **more: Any) -> httpx.Response:
    return await client.post("/v1/jobs/", json={"document_id": document_id, **more})


async def test_no_more_jobs_are_queued_than_the_quota(
    settings: Settings, worker: HandWorker, db: Database, stranger: httpx.AsyncClient
) -> None:
    async with installed(settings, max_queued_jobs=2) as client:
        first = await queued(client)
        await queued(client)
        refused = await upload(client, ingest="true")
        problem = assert_problem(refused, 429, "QUOTA_EXCEEDED")
        assert {name: problem[name] for name in ("quota", "limit", "used", "exceeded_by")} == {
            "quota": "queued_jobs", "limit": 2, "used": 2, "exceeded_by": 1,
        }  # fmt: skip
        assert int(refused.headers["retry-after"]) > 0
        assert_problem(await start(client, first["document_id"]), 429, "QUOTA_EXCEEDED")
        # What was refused has left nothing: neither the document nor its bytes.
        document = await uploaded(client)
        await worker.claim()
        assert (await start(client, document["id"])).status_code == 201
        assert_problem(await start(client, document["id"]), 429, "QUOTA_EXCEEDED")
    assert (await upload(stranger, ingest="true")).status_code == 201
    await assert_counted(db)


async def test_a_refused_upload_leaves_nothing(settings: Settings, db: Database) -> None:
    async with installed(settings, max_stored_mb=1) as client:
        # The form's overhead leaves it open until the end whether there is room.
        for ingest in ("true", "false"):
            assert_problem(await upload(client, pdf_of(MEBI + 1), ingest=ingest), 429, "QUOTA_EXCEEDED")
    await assert_nothing_left(db, settings)
    await assert_counted(db)


async def test_many_at_once_never_pass_the_quota_together(settings: Settings) -> None:
    async with installed(settings, max_queued_jobs=3) as client:
        document = await uploaded(client)
        answers = await asyncio.gather(*(start(client, document["id"]) for _ in range(12)))
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [429] * 9


async def test_a_retry_counts_as_another_job_and_the_operators_does_not(settings: Settings, worker: HandWorker) -> None:
    async with installed(settings, max_queued_jobs=1) as client:
        failed = await queued(client)
        await worker.fail(await worker.claim())
        await queued(client)
        assert_problem(await client.post(f"/v1/jobs/{failed['id']}/retry/"), 429, "QUOTA_EXCEEDED")
        assert (await job_of(client, failed["id"]))["status"] == "FAILED"
    async with operator(settings) as services:
        tenant = await services.tenants.get("acme")
        assert (await services.jobs.retry(tenant.id, failed["id"])).status == "QUEUED"


async def test_pages_count_as_soon_as_they_are_known(settings: Settings, worker: HandWorker, db: Database) -> None:
    async with installed(settings, max_pages_in_flight=10) as client:
        document = await uploaded(client, None, ingest="true")
        number = document["id"]
        # Nobody has counted the pages yet, so each job counts for one.
        for _ in range(9):
            assert (await start(client, number)).status_code == 201
        assert_problem(await start(client, number), 429, "QUOTA_EXCEEDED")
        claims = [await worker.claim() for _ in range(10)]
        await worker.beat(claims[0], 0, 7)
        problem = assert_problem(await start(client, number), 429, "QUOTA_EXCEEDED")
        assert (problem["quota"], problem["used"], problem["exceeded_by"]) == ("pages_in_flight", 16, 7)
        for claim in claims:
            await worker.fail(claim)
        await db.fetch("UPDATE documents SET page_count = 4")
        assert (await start(client, number)).status_code == 201
        assert (await start(client, number)).status_code == 201
        problem = assert_problem(await start(client, number), 429, "QUOTA_EXCEEDED")
        assert (problem["limit"], problem["used"], problem["exceeded_by"]) == (10, 8, 2)
        assert (await start(client, number, options_json={"page_range": [2, 3]})).status_code == 201
        assert_problem(await start(client, number, options_json={"page_range": [4, 900]}), 429, "QUOTA_EXCEEDED")
    await assert_counted(db)


async def test_a_document_that_is_larger_than_the_quota_is_processed_alone(
    settings: Settings, worker: HandWorker, db: Database
) -> None:
    async with installed(settings, max_pages_in_flight=10) as client:
        document = await uploaded(client)
        await db.fetch("UPDATE documents SET page_count = 400")
        first = (await start(client, document["id"])).json()
        assert first["status"] == "QUEUED"
        problem = assert_problem(await start(client, document["id"]), 429, "QUOTA_EXCEEDED")
        assert (problem["used"], problem["exceeded_by"]) == (400, 790)
        await client.post(f"/v1/jobs/{first['id']}/cancel/")
        assert (await start(client, document["id"])).status_code == 201


async def test_stored_bytes_are_held_to_the_quota(settings: Settings, worker: HandWorker, db: Database) -> None:
    async with installed(settings, max_stored_mb=2) as client:
        first = await uploaded(client, pdf_of(MEBI))
        refused = await upload(client, pdf_of(MEBI + 1))
        problem = assert_problem(refused, 429, "QUOTA_EXCEEDED")
        assert (problem["quota"], problem["limit"], problem["used"], problem["exceeded_by"]) == (
            "stored_bytes", 2 * MEBI, MEBI, 1,
        )  # fmt: skip
        # To wait does not help.
        assert "retry-after" not in refused.headers
        await uploaded(client, pdf_of(MEBI))
        assert_problem(await upload(client, b"%PDF-1.7"), 429, "QUOTA_EXCEEDED")
        assert_problem(await start(client, first["id"]), 429, "QUOTA_EXCEEDED")
        await client.delete(f"/v1/documents/{first['id']}/")
        await queued(client)
    await assert_counted(db)


async def test_results_of_an_accepted_job_are_stored_in_any_case(settings: Settings, worker: HandWorker) -> None:
    async with installed(settings, max_stored_mb=1) as client:
        job = await queued(client)
        await worker.publish(await worker.claim(), {"docling_json": b"x" * 2 * MEBI})
        assert (await job_of(client, job["id"]))["status"] == "SUCCEEDED"
        problem = assert_problem(await upload(client), 429, "QUOTA_EXCEEDED")
        assert problem["used"] > problem["limit"]


async def test_two_uploads_at_once_do_not_fill_the_same_room(settings: Settings) -> None:
    async with installed(settings, max_stored_mb=2) as client:
        answers = await asyncio.gather(*(upload(client, pdf_of(MEBI - 1000)) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [201, 201, 429, 429, 429]


async def test_what_is_known_to_be_too_much_is_refused_before_it_arrives(settings: Settings, db: Database) -> None:
    async with installed(settings, max_stored_mb=1) as client:
        await uploaded(client, pdf_of(MEBI))
        with recorded() as statements:
            assert_problem(await upload(client, pdf_of(MEBI)), 429, "QUOTA_EXCEEDED")
        assert any("tenant_volumes" in sql for sql in statements)
        assert not any("unreferenced_blobs" in sql for sql in statements)


async def test_a_limit_below_what_there_is_refuses_more_and_takes_nothing_away(
    api: Api, client: httpx.AsyncClient, settings: Settings
) -> None:
    jobs = [await queued(client) for _ in range(3)]
    async with operator(settings) as services:
        for limits in (Limits(max_queued_jobs=1), Limits(max_pages_in_flight=1), Limits(max_stored_mb=1)):
            await services.tenants.set("acme", limits=limits)

        async def refused() -> bool:
            return (await upload(client, ingest="true")).status_code == 429

        await until_true(refused, 5)
        for job in jobs:
            assert (await job_of(client, job["id"]))["status"] == "QUEUED"
            assert (await client.post(f"/v1/jobs/{job['id']}/cancel/")).status_code == 200
        assert (await upload(client, ingest="true")).status_code == 201


async def test_a_tenants_own_number_may_be_larger_than_the_installations(settings: Settings) -> None:
    async with installed(settings, max_queued_jobs=1) as client, operator(settings) as services:
        await services.tenants.set("acme", limits=Limits(max_queued_jobs=2))
        fresh = await services.tenants.issue_key("acme", ["documents:write", "jobs:read"])
        client.headers["Authorization"] = f"Api-Key {fresh.key}"
        await queued(client)
        await queued(client)
        assert_problem(await upload(client, ingest="true"), 429, "QUOTA_EXCEEDED")


async def test_a_long_queue_refuses_submissions_and_nothing_else(settings: Settings, worker: HandWorker) -> None:
    async with installed(settings, max_queue_depth=2) as client:
        failed = await queued(client)
        await worker.fail(await worker.claim())
        key = {"Idempotency-Key": "once"}
        document = await uploaded(client)
        accepted = await client.post("/v1/jobs/", json={"document_id": document["id"]}, headers=key)
        job = await queued(client)

        async def refused() -> bool:
            return (await start(client, job["document_id"])).status_code == 503

        # The depth may be a second old.
        await until_true(refused, 5)
        for answer in (
            await start(client, job["document_id"]),
            await upload(client),
            await client.post(f"/v1/jobs/{failed['id']}/retry/"),
        ):
            problem = assert_problem(answer, 503, "UNAVAILABLE")
            assert "too many jobs queued" in problem["detail"]
            assert int(answer.headers["retry-after"]) > 0
        assert (await job_of(client, job["id"]))["status"] == "QUEUED"
        # What was accepted before is said again.
        again = await client.post("/v1/jobs/", json={"document_id": document["id"]}, headers=key)
        assert (again.status_code, again.json()["id"]) == (201, accepted.json()["id"])
        assert (await client.post(f"/v1/jobs/{job['id']}/cancel/")).status_code == 200
        assert (await client.delete(f"/v1/documents/{job['document_id']}/")).status_code == 204

        async def accepts() -> bool:
            return (await upload(client)).status_code == 201

        await until_true(accepts, 5)


async def test_the_queue_is_as_long_as_all_tenants_make_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "KNOWN_SECONDS", 0.0)
    busy = running(msgspec.structs.replace(settings, max_queue_depth=2))
    async with busy as api, await api.client() as acme, await api.client(tenant="globex") as globex:
        document = await uploaded(globex)
        await queued(acme)
        await queued(acme)
        assert_problem(await start(globex, document["id"]), 503, "UNAVAILABLE")


async def test_an_upload_that_was_answered_is_answered_again_however_much_there_is_to_do(settings: Settings) -> None:
    keys = [{"Idempotency-Key": name} for name in ("created", "duplicate")]
    content = pdf_of(MEBI * 2 // 5)
    async with installed(settings, max_stored_mb=1, max_queue_depth=2) as client:
        first = [await upload(client, content, headers=key, ingest="true") for key in keys]
        assert [answer.status_code for answer in first] == [201, 409]
        assert (await upload(client, pdf_of(MEBI // 2), ingest="true")).status_code == 201
        assert_problem(await upload(client, pdf_of(MEBI * 2 // 5)), 429, "QUOTA_EXCEEDED")

        async def refused() -> bool:
            return (await upload(client)).status_code == 503

        await until_true(refused, 5)
        again = [await upload(client, content, headers=key, ingest="true") for key in keys]
        assert [answer.status_code for answer in again] == [201, 409]
        assert again[0].json() == first[0].json()
        assert {answer.headers["idempotency-replayed"] for answer in again} == {"true"}
        assert_problem(await upload(client, a_pdf(), headers=keys[0], ingest="true"), 422, "IDEMPOTENCY_KEY_REUSED")


async def test_bytes_that_are_here_already_are_a_duplicate_however_full_everything_is(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, key = pdf_of(MEBI * 3 // 4), {"Idempotency-Key": "again"}
    full = {"max_stored_mb": 1, "max_queue_depth": 1, "min_free_disk_mb": 10}
    async with installed(settings, **full) as client:
        first = (await upload(client, content)).json()
        kept = stored_files(settings)
        # The tenant's room, then the disk as well, then the queue.
        for step in range(3):
            if step == 1:
                disk_with(monkeypatch, 0)
            elif step == 2:
                assert (await client.post("/v1/jobs/", json={"document_id": first["id"]})).status_code == 201

                async def refused() -> bool:
                    return (await start(client, first["id"])).status_code == 503

                await until_true(refused, 5)
            for headers in ({}, key, key):
                problem = assert_problem(await upload(client, content, headers=headers), 409, "DUPLICATE_DOCUMENT")
                assert problem["existing"]["document_id"] == first["id"]
            # Of the same size, and new.
            answer = await upload(client, content[:-1] + b" ", headers={"Idempotency-Key": "new"})
            assert answer.status_code == (503 if step == 2 else 429)
            assert stored_files(settings) == kept
        assert not await db.fetch("SELECT FROM unreferenced_blobs")
        assert not await db.fetch("SELECT FROM idempotency_records WHERE key = 'new'")


async def test_an_answered_upload_is_answered_again_without_a_byte_written(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"Idempotency-Key": "once"}
    async with installed(settings, min_free_disk_mb=10) as client:
        content = a_pdf()
        first = await upload(client, content, headers=key)
        kept = stored_files(settings)
        disk_with(monkeypatch, 0)
        monkeypatch.setattr(Vault, "writing", None)
        again = await upload(client, content, headers=key)
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["idempotency-replayed"] == "true"
        assert_problem(await upload(client, a_pdf(), headers=key), 422, "IDEMPOTENCY_KEY_REUSED")
        # What it came to is forgotten while the bytes arrive, and they are gone.
        monkeypatch.setattr(idempotency, "try_lock", forgetful(db))
        await client.delete(f"/v1/documents/{first.json()['id']}/")
        assert_problem(await upload(client, content, headers=key), 503, "UNAVAILABLE")
        assert len(kept) == 1
        assert stored_files(settings) == []


def forgetful(db: Database) -> Any:
    """A lock of a key that finds it expired."""
    lock = idempotency.try_lock

    async def locked(pool: Database, tenant_id: int, key: str) -> bool:
        await db.fetch("DELETE FROM idempotency_records")
        return await lock(pool, tenant_id, key)

    return locked


def disk_with(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))


async def test_a_disk_that_is_nearly_full_takes_no_upload(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with installed(settings, min_free_disk_mb=10) as client:
        disk_with(monkeypatch, 10 * MEBI + 100)
        answer = await upload(client, pdf_of(1000))
        problem = assert_problem(answer, 503, "UNAVAILABLE")
        assert problem["detail"] == "The storage is nearly full; try again later."
        assert int(answer.headers["retry-after"]) > 0
        await assert_nothing_left(db, settings)
        disk_with(monkeypatch, 12 * MEBI)
        assert (await upload(client, pdf_of(1000))).status_code == 201


async def test_what_is_arriving_counts_as_taken(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_with(monkeypatch, 11 * MEBI)
    gate = load.Load(db, msgspec.structs.replace(settings, min_free_disk_mb=10))
    async with gate.arriving(MEBI - 10) as first:
        with pytest.raises(Unavailable):
            async with gate.arriving(100):
                pass
        # What has arrived is on the disk, which says so itself.
        first.left -= 200
        async with gate.arriving(100):
            pass
    async with gate.arriving(MEBI):
        pass


async def test_a_disk_is_not_looked_at_for_a_bucket_or_without_a_reserve(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_with(monkeypatch, 0)
    for chosen in ({"storage_url": "s3://bucket/prefix"}, {"min_free_disk_mb": 0}):
        async with load.Load(db, msgspec.structs.replace(settings, **chosen)).arriving(MEBI):
            pass


async def test_a_storage_folder_that_is_gone_is_not_taken_for_the_database(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with installed(settings) as client:

        def gone(_: object) -> None:
            raise FileNotFoundError("/secret/place")

        monkeypatch.setattr(shutil, "disk_usage", gone)
        problem = assert_problem(await upload(client), 503, "UNAVAILABLE")
        assert problem["detail"] == "The storage does not take the file at the moment; try again later."
        await assert_nothing_left(db, settings)
