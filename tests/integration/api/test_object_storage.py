"""The API on object storage: the same answers, presigned downloads where they are wanted, and nothing left behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import httpx
import msgspec
import pytest

from docrefinery.bootstrap.common import blobs_of
from docrefinery.bootstrap.operator import operator
from docrefinery.settings import Settings
from docrefinery.store import audit
from docrefinery.store.audit import Filters
from docrefinery.store.database import Database
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.maintenance import Maintenance
from tests.support import hooks
from tests.support.api import Api, running
from tests.support.calls import a_pdf, assert_problem, queued, results, upload, uploaded
from tests.support.s3 import BUCKET, ObjectStorage, set_all
from tests.support.work import HandWorker

LARGE = b"%PDF-1.7\n" + bytes(range(256)) * 50_000
"""More than two pieces of a multipart upload."""


@pytest.fixture
def prefix() -> str:
    """A part of the bucket that is this test's."""
    return uuid4().hex


@pytest.fixture
def settings(
    settings: Settings, object_storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> Settings:
    """Settings of an installation in that part."""
    set_all(monkeypatch, object_storage.environ())
    return msgspec.structs.replace(
        settings,
        storage_url=f"s3://{BUCKET}/{prefix}",
        environ={"AWS_ALLOW_HTTP": "true"},
        secret_keys=hooks.KEYS[:1],
        presigned_downloads=60,
        storage_timeout_seconds=4,
    )


@pytest.fixture
async def unsigned(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API that sends all bytes itself."""
    async with running(msgspec.structs.replace(settings, presigned_downloads=0)) as api, await api.client() as client:
        yield client


async def fetched(answer: httpx.Response, **headers: str) -> httpx.Response:
    """Follow an answer to the storage, as a client does that leaves its key behind."""
    assert answer.status_code == 307, answer.text
    assert (answer.content, answer.headers["cache-control"]) == (b"", "no-store")
    async with httpx.AsyncClient(trust_env=False) as anybody:
        return await anybody.get(answer.headers["location"], headers=headers)


async def ended(client: httpx.AsyncClient, worker: HandWorker) -> dict[str, Any]:
    """Return an artifact of a job that has ended."""
    await queued(client)
    await worker.publish(await worker.claim(), {"markdown": b"# Made by hand\n"})
    [artifact] = await results(client, "/v1/artifacts/")
    return dict(artifact)


async def test_files_and_artifacts_come_back_whole_and_in_parts(
    unsigned: httpx.AsyncClient, worker: HandWorker
) -> None:
    document = await uploaded(unsigned, LARGE)
    file = f"/v1/documents/{document['id']}/file/"
    whole = await unsigned.get(file)
    assert (whole.status_code, whole.content) == (200, LARGE)
    part = await unsigned.get(file, headers={"Range": "bytes=6000000-11000000"})
    assert (part.status_code, part.content) == (206, LARGE[6_000_000:11_000_001])
    artifact = await ended(unsigned, worker)
    assert (await unsigned.get(f"/v1/artifacts/{artifact['id']}/")).content == b"# Made by hand\n"


async def test_a_refused_upload_leaves_no_object(
    unsigned: httpx.AsyncClient, object_storage: ObjectStorage, prefix: str
) -> None:
    content = a_pdf()
    await uploaded(unsigned, content)
    before = object_storage.unfinished()
    assert_problem(await upload(unsigned, content), 409, "DUPLICATE_DOCUMENT")
    assert_problem(await upload(unsigned, b"no PDF" * 1000), 415, "UNSUPPORTED_MEDIA_TYPE")
    assert_problem(await upload(unsigned, LARGE + bytes(50 * 2**20)), 413, "FILE_TOO_LARGE")
    assert len(object_storage.keys(prefix)) == 1
    assert object_storage.unfinished() == before


async def test_what_is_deleted_is_gone_from_the_bucket_and_its_account_is_right(
    client: httpx.AsyncClient,
    worker: HandWorker,
    object_storage: ObjectStorage,
    prefix: str,
    db: Database,
    settings: Settings,
) -> None:
    artifact = await ended(client, worker)
    assert len(object_storage.keys(prefix)) == 2
    async with operator(settings) as services:
        report = await services.storage.check()
        assert (report.blobs, report.rows, report.clean) == (2, 2, True)
        assert (await client.delete(f"/v1/documents/{artifact['document_id']}/")).status_code == 204
        assert object_storage.keys(prefix) == []
        # Nor is anything left of what nobody referred to.
        key = f"{uuid4()}/jobs/1/x"
        async with blobs_of(settings).writing(key) as writer:
            await writer.write(b"x")
        await db.fetch("INSERT INTO unreferenced_blobs VALUES ($1, now())", key)
        doorbell = RedisDoorbell(build_broker(settings.redis_url))
        await Maintenance(db, blobs_of(settings), doorbell, settings).sweep()
        assert object_storage.keys(prefix) == []
        assert (await services.storage.check()).clean


async def test_a_lost_object_is_found_and_let_go(
    client: httpx.AsyncClient, object_storage: ObjectStorage, prefix: str, settings: Settings
) -> None:
    document, _ = await uploaded(client), await uploaded(client)
    async with operator(settings) as services:
        blobs = blobs_of(settings)
        await blobs.delete(object_storage.keys(prefix)[0])
        report = await services.storage.check(repair=True)
        assert (len(report.missing), report.repaired) == (1, True)
    found = [(await client.get(f"/v1/documents/{n}/file/")).status_code for n in (document["id"], document["id"] + 1)]
    assert sorted(found) == [307, 410]


async def test_an_authorised_download_is_sent_on_to_the_storage(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, worker: HandWorker, db: Database, api: Api
) -> None:
    artifact = await ended(client, worker)
    url = f"/v1/artifacts/{artifact['id']}/"
    whole = await fetched(await client.get(url))
    assert (whole.status_code, whole.content) == (200, b"# Made by hand\n")
    assert whole.headers["content-type"] == "text/markdown; charset=utf-8"
    assert whole.headers["content-disposition"] == "attachment; filename=\"a.markdown\"; filename*=UTF-8''a.markdown"
    part = await fetched(await client.get(url, headers={"Range": "bytes=2-5"}), Range="bytes=2-5")
    assert (part.status_code, part.content) == (206, b"Made")
    assert_problem(await stranger.get(url), 404, "NOT_FOUND")
    async with api.anonymous() as anonymous:
        assert_problem(await anonymous.get(url), 401, "UNAUTHENTICATED")
    await api.services.trail.write()
    entries = [e for e in await audit.newest(db, Filters(), 100) if e.action == "artifact.downloaded"]
    assert len(entries) == 2


async def test_a_documents_name_and_type_are_the_storages_too(client: httpx.AsyncClient) -> None:
    content = a_pdf()
    document = (await upload(client, content, name="../Bericht Ä.pdf")).json()
    answer = await fetched(await client.get(f"/v1/documents/{document['id']}/file/"))
    assert (answer.content, answer.headers["content-type"]) == (content, "application/pdf")
    assert unquote(answer.headers["content-disposition"]).endswith("filename*=UTF-8''Bericht Ä.pdf")


async def test_what_needs_no_bytes_or_our_own_tag_is_answered_here(
    client: httpx.AsyncClient, worker: HandWorker
) -> None:
    artifact = await ended(client, worker)
    url, tag = f"/v1/artifacts/{artifact['id']}/", f'"{artifact["sha256"]}"'
    assert (await client.get(url, headers={"If-None-Match": tag})).status_code == 304
    head = await client.head(url)
    assert (head.status_code, head.headers["etag"], head.headers["content-length"]) == (200, tag, "15")
    resumed = await client.get(url, headers={"If-Range": tag, "Range": "bytes=2-5"})
    assert (resumed.status_code, resumed.content) == (206, b"Made")


async def test_a_script_in_a_browser_gets_the_bytes_here_and_a_link_in_one_does_not(
    client: httpx.AsyncClient, worker: HandWorker
) -> None:
    url = f"/v1/artifacts/{(await ended(client, worker))['id']}/"
    for mode, status in {"cors": 200, "same-origin": 200, "no-cors": 200, "navigate": 307}.items():
        assert (await client.get(url, headers={"Sec-Fetch-Mode": mode})).status_code == status
    assert (await client.get(url, headers={"X-Requested-With": "fetch"})).status_code == 200


async def test_what_is_encrypted_or_quarantined_is_never_lent(
    api: Api, client: httpx.AsyncClient, worker: HandWorker, settings: Settings
) -> None:
    async with operator(settings) as services:
        await services.tenants.create("sealed", encrypt=True)
    content = a_pdf()
    async with await api.client("sealed") as sealed:
        document = await uploaded(sealed, content)
        answer = await sealed.get(f"/v1/documents/{document['id']}/file/")
        assert (answer.status_code, answer.content) == (200, content)
    job = await queued(client)
    await worker.quarantine(await worker.claim())
    assert_problem(await client.get(f"/v1/documents/{job['document_id']}/file/"), 409, "DOCUMENT_QUARANTINED")


async def test_what_was_stored_without_its_headers_is_sent_here(
    client: httpx.AsyncClient, object_storage: ObjectStorage, prefix: str
) -> None:
    content = a_pdf()
    document = await uploaded(client, content)
    [key] = object_storage.keys(prefix)
    # As an earlier release wrote it, or a copy that another tool made.
    await object_storage.store(prefix).put_async(key, content)
    answer = await client.get(f"/v1/documents/{document['id']}/file/")
    assert (answer.status_code, answer.content) == (200, content)


async def test_storage_that_is_away_is_told_and_comes_back(
    settings: Settings, object_storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    async with running(settings) as api, await api.client() as client:
        refused = await upload(client)
        assert_problem(refused, 503, "UNAVAILABLE")
        assert refused.headers["retry-after"]
        storage = (await client.get("/readyz")).json()["checks"]["storage"]
        assert storage == {"status": "failed", "detail": "The storage cannot be used: nobody listens at its endpoint."}
    set_all(monkeypatch, object_storage.environ())
    async with running(settings) as api, await api.client() as client:
        await asyncio.gather(*(uploaded(client) for _ in range(4)))
        assert (await client.get("/readyz")).json()["checks"]["storage"] == {"status": "ok", "detail": "answers"}
