"""The storage compared with the database."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import httpx
import msgspec
import pytest

from docrefinery.bootstrap.operator import operator
from docrefinery.errors import InvalidRequest
from docrefinery.services.storage import Storage
from docrefinery.settings import Settings
from docrefinery.store import garbage, slices
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.store.slices import StoredPages
from tests.support.api import running
from tests.support.calls import a_pdf, assert_problem, queued, results, stored_files, upload, uploaded
from tests.support.counted import assert_counted
from tests.support.work import LEASE, HandWorker

TWO_DAYS = 2 * 24 * 3600


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with running(settings) as api, await api.client() as client:
        yield client


@pytest.fixture
async def storage(settings: Settings) -> AsyncIterator[Storage]:
    async with operator(settings) as services:
        yield services.storage


@pytest.fixture
async def job(client: httpx.AsyncClient, db: Database, settings: Settings) -> dict[str, Any]:
    """A job with results."""
    job = await queued(client)
    worker = HandWorker.of(db, settings)
    await worker.publish(await worker.claim())
    return job


def folder(settings: Settings) -> Path:
    return Path(unquote(urlsplit(settings.storage).path))


async def own(db: Database) -> str:
    """Return the folder of the one tenant."""
    [row] = await db.fetch("SELECT uuid FROM tenants WHERE name = 'acme'")
    return str(row["uuid"])


def put(settings: Settings, name: str, seconds_ago: float = TWO_DAYS) -> Path:
    path = folder(settings) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    then = time.time() - seconds_ago
    os.utime(path, (then, then))
    return path


async def test_what_belongs_there_is_well(storage: Storage, job: dict[str, Any], settings: Settings) -> None:
    for name in stored_files(settings):
        put(settings, name)
    report = await storage.check(repair=True)
    assert (report.blobs, report.rows, report.clean, report.repaired) == (3, 3, True, False)
    assert len(stored_files(settings)) == 3


async def test_old_orphans_are_found_and_removed(
    storage: Storage, job: dict[str, Any], db: Database, settings: Settings
) -> None:
    belonging, t = stored_files(settings), await own(db)
    put(settings, f"{t}/documents/orphan.pdf")
    put(settings, f"{t}/documents/young.pdf", seconds_ago=23 * 3600)
    put(settings, f"{t}/documents/noted.pdf")
    put(settings, f"{t}/jobs/j/7/noted.md")
    for prefix in (f"{t}/documents/noted.pdf", f"{t}/jobs/j/7"):
        await db.fetch("INSERT INTO unreferenced_blobs VALUES ($1, now() + interval '1 hour')", prefix)
    assert (await storage.check()).orphans == [f"{t}/documents/orphan.pdf"]
    assert f"{t}/documents/orphan.pdf" in stored_files(settings)
    report = await storage.check(repair=True)
    assert (report.orphans, report.repaired) == ([f"{t}/documents/orphan.pdf"], True)
    [entry] = await db.fetch("SELECT details FROM audit_log WHERE action = 'storage.repaired'")
    assert msgspec.json.decode(entry["details"]) == {
        "orphans": 1, "half_written": 0, "missing": 0, "miscounted": 0, "forced": False,
    }  # fmt: skip
    assert set(stored_files(settings)) == {
        *belonging, f"{t}/documents/young.pdf", f"{t}/documents/noted.pdf", f"{t}/jobs/j/7/noted.md",
    }  # fmt: skip
    assert (await storage.check()).clean


async def test_pages_of_a_document_that_is_not_done_are_no_orphans(
    storage: Storage, client: httpx.AsyncClient, db: Database, settings: Settings
) -> None:
    await queued(client)
    claim = await HandWorker.of(db, settings).claim()
    await slices.share(db, claim, [(1, 16)], "r")
    held = await slices.claim(db, claim.job_id, ["r"], uuid4(), LEASE)
    assert held is not None
    key = f"{held.tenant_uuid}/jobs/{held.job_uuid}/pages/{held.token}"
    await garbage.note(db, key, removable_in=LEASE)
    await slices.done(db, held, StoredPages(blob_key=key, size_bytes=1, data_key=None))
    put(settings, key)
    assert (await storage.check(repair=True)).orphans == []
    assert key in stored_files(settings)


async def test_a_deleted_documents_bytes_are_orphans(
    storage: Storage, client: httpx.AsyncClient, job: dict[str, Any], db: Database, settings: Settings
) -> None:
    [name] = [name for name in stored_files(settings) if "/documents/" in name]
    await uploaded(client)
    [kept] = [other for other in stored_files(settings) if "/documents/" in other and other != name]
    await client.delete(f"/v1/documents/{job['document_id']}/")
    put(settings, name)
    assert (await storage.check(repair=True)).orphans == [name]
    assert stored_files(settings) == [kept]


async def test_half_written_files_of_a_killed_process_are_removed(
    storage: Storage, job: dict[str, Any], db: Database, settings: Settings
) -> None:
    belonging, t = stored_files(settings), await own(db)
    put(settings, f"{t}/documents/a.pdf#1")
    put(settings, f"{t}/documents/b.pdf#12", seconds_ago=60)
    report = await storage.check(repair=True)
    assert (report.half_written, report.orphans) == ([f"{t}/documents/a.pdf#1"], [])
    assert stored_files(settings) == sorted([*belonging, f"{t}/documents/b.pdf#12"])


async def test_a_killed_upload_looks_as_this_test_of_it_does(settings: Settings) -> None:
    """If obstore calls them differently one day, nothing else would notice."""
    async with Blobs(settings.storage).writing("t/documents/a.pdf") as writer:
        await writer.write(b"x" * 6 * 1024 * 1024)
        assert stored_files(settings) == ["t/documents/a.pdf#1"]


async def test_rows_without_their_blob_answer_as_expired_after_a_repair(
    storage: Storage, client: httpx.AsyncClient, job: dict[str, Any], db: Database, settings: Settings
) -> None:
    content = a_pdf()
    lost = await uploaded(client, content)
    for _ in range(3):
        await uploaded(client)
    blobs = {row["id"]: row["blob_key"] for row in await db.fetch("SELECT id, blob_key FROM documents")}
    artifact, other = await results(client, "/v1/artifacts/")
    [key] = await db.fetch("SELECT blob_key FROM artifacts WHERE id = $1", artifact["id"])
    (folder(settings) / key["blob_key"]).unlink()
    (folder(settings) / blobs[lost["id"]]).unlink()
    assert_problem(await client.get(f"/v1/artifacts/{artifact['id']}/"), 503, "UNAVAILABLE")
    report = await storage.check()
    assert {(row.table, row.id) for row in report.missing} == {
        ("artifacts", artifact["id"]), ("documents", lost["id"]),
    }  # fmt: skip
    await storage.check(repair=True)
    assert_problem(await client.get(f"/v1/artifacts/{artifact['id']}/"), 410, "ARTIFACT_EXPIRED")
    assert_problem(await client.get(f"/v1/documents/{lost['id']}/file/"), 410, "ARTIFACT_EXPIRED")
    assert (await client.get(f"/v1/artifacts/{other['id']}/")).status_code == 200
    assert (await upload(client, content)).status_code == 201
    assert (await storage.check()).clean
    await assert_counted(db)


async def test_the_wrong_storage_is_not_repaired_unless_one_insists(
    storage: Storage, client: httpx.AsyncClient, job: dict[str, Any], db: Database, settings: Settings
) -> None:
    for name in stored_files(settings):
        (folder(settings) / name).unlink()
    t = await own(db)
    put(settings, f"{t}/documents/orphan.pdf")
    with pytest.raises(InvalidRequest, match=r"3 of 3 documents and artifacts have no blob.*DOCREFINERY_STORAGE_URL"):
        await storage.check(repair=True)
    assert stored_files(settings) == [f"{t}/documents/orphan.pdf"]
    assert (await client.get(f"/v1/documents/{job['document_id']}/")).json().get("file_expired_at") is None
    assert (await storage.check(repair=True, force=True)).repaired
    assert (await storage.check()).clean


async def test_an_empty_database_removes_nothing_however_one_insists(
    storage: Storage, client: httpx.AsyncClient, job: dict[str, Any], db: Database, settings: Settings
) -> None:
    """Its blobs are another installation's: none of their tenants is known."""
    for name in stored_files(settings):
        put(settings, name)
    put(settings, "another/documents/a.pdf#1")
    before = stored_files(settings)
    await db.fetch("DELETE FROM artifacts")
    await db.fetch("UPDATE documents SET deleted_at = now()")
    await db.fetch("UPDATE tenants SET uuid = gen_random_uuid()")
    report = await storage.check(repair=True, force=True)
    assert (sorted(report.foreign), report.orphans, report.half_written) == (before, [], [])
    assert stored_files(settings) == before


async def test_tenants_without_their_rows_are_not_repaired_unless_one_insists(
    storage: Storage, client: httpx.AsyncClient, job: dict[str, Any], db: Database, settings: Settings
) -> None:
    await uploaded(client)
    for name in stored_files(settings):
        put(settings, name)
    before = stored_files(settings)
    await db.fetch("DELETE FROM artifacts")
    await db.fetch("UPDATE documents SET deleted_at = now() WHERE id = $1", job["document_id"])
    with pytest.raises(InvalidRequest, match=r"3 blobs have no row and 1 have one.*DATABASE_URL"):
        await storage.check(repair=True)
    await db.fetch("UPDATE documents SET deleted_at = now()")
    with pytest.raises(InvalidRequest, match="4 blobs have no row and 0 have one"):
        await storage.check(repair=True)
    assert stored_files(settings) == before
    assert (await storage.check(repair=True, force=True)).repaired
    assert stored_files(settings) == []


async def test_a_foreign_file_is_told_and_left_alone(
    storage: Storage, job: dict[str, Any], db: Database, settings: Settings
) -> None:
    belonging, t = stored_files(settings), await own(db)
    foreign = ["notes.txt", f"{t}/backup/a.pdf", f"{t}/documents.zip", "t/documents/a.pdf", "t/documents/b.pdf#1"]
    for name in foreign:
        put(settings, name)
    report = await storage.check(repair=True, force=True)
    assert (sorted(report.foreign), report.clean) == (sorted(foreign), True)
    assert stored_files(settings) == sorted([*belonging, *foreign])


async def test_a_file_that_a_job_waits_for_is_left_to_that_job(
    storage: Storage, client: httpx.AsyncClient, settings: Settings
) -> None:
    job = await queued(client)
    for _ in range(2):
        await uploaded(client)
    for name in stored_files(settings)[:3]:
        (folder(settings) / name).unlink()
    await storage.check(repair=True, force=True)
    shown = (await client.get(f"/v1/documents/{job['document_id']}/")).json()
    assert "file_expired_at" not in shown


async def test_wrong_counters_are_found_and_counted_anew(
    storage: Storage, client: httpx.AsyncClient, job: dict[str, Any], db: Database
) -> None:
    await db.fetch("UPDATE tenant_volumes SET document_bytes = 5, artifact_bytes = -1, documents = 7")
    [wrong] = (await storage.check()).miscounted
    assert (wrong.name, wrong.counted_documents, wrong.documents, wrong.counted_bytes) == ("acme", 7, 1, 4)
    await storage.check(repair=True)
    await assert_counted(db)
    assert (await storage.check()).clean


async def test_what_a_tenant_has_stored_is_told(
    client: httpx.AsyncClient, job: dict[str, Any], settings: Settings
) -> None:
    async with operator(settings) as services:
        [volume] = (await services.tenants.volumes()).values()
    sizes = [(folder(settings) / name).stat().st_size for name in stored_files(settings)]
    assert volume.documents == 1
    assert volume.document_bytes + volume.artifact_bytes == sum(sizes)
