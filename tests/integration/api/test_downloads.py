"""Bytes of documents and artifacts."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import msgspec
import pytest

from docrefinery.settings import Settings
from docrefinery.store import tenants
from docrefinery.store.blobs import BlobMissing, Blobs
from docrefinery.store.database import Database
from docrefinery.store.tenants import Keep
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.maintenance import Maintenance
from tests.support.ageing import age
from tests.support.api import Api, running
from tests.support.calls import assert_problem, queued, results, stored_files, upload
from tests.support.server import serving
from tests.support.work import HandWorker

CONTENT = bytes(range(256)) * 2048


@pytest.fixture
async def artifact(client: httpx.AsyncClient, worker: HandWorker) -> dict[str, Any]:
    """An artifact of half a mebibyte."""
    await queued(client)
    await worker.publish(await worker.claim(), {"text": CONTENT})
    [artifact] = await results(client, "/v1/artifacts/")
    return dict(artifact)


def url(artifact: dict[str, Any]) -> str:
    return f"/v1/artifacts/{artifact['id']}/"


async def test_download_is_the_bytes_with_everything_a_client_needs(
    client: httpx.AsyncClient, artifact: dict[str, Any]
) -> None:
    response = await client.get(url(artifact))
    assert response.status_code == 200
    assert response.content == CONTENT
    assert response.headers.get_list("content-length") == [str(len(CONTENT))]
    assert response.headers.get_list("content-type") == ["text/plain; charset=utf-8"]
    assert response.headers["etag"] == f'"{artifact["sha256"]}"'
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["content-disposition"] == "attachment; filename=\"a.text\"; filename*=UTF-8''a.text"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "private"


async def test_head_has_the_headers_alone(client: httpx.AsyncClient, artifact: dict[str, Any]) -> None:
    whole = await client.get(url(artifact))
    for headers in ({}, {"Range": "bytes=0-1"}):
        head = await client.head(url(artifact), headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        ignored = {"x-request-id"}
        assert {k: v for k, v in head.headers.items() if k not in ignored} == {
            k: v for k, v in whole.headers.items() if k not in ignored
        }


@pytest.mark.parametrize("condition", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
async def test_known_bytes_are_not_sent_again(
    client: httpx.AsyncClient, artifact: dict[str, Any], condition: str
) -> None:
    headers = {"If-None-Match": condition.format(artifact["sha256"]), "Range": "bytes=0-1"}
    for method in ("GET", "HEAD"):
        response = await client.request(method, url(artifact), headers=headers)
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == f'"{artifact["sha256"]}"'


async def test_other_tag_gets_the_bytes(client: httpx.AsyncClient, artifact: dict[str, Any]) -> None:
    assert (await client.get(url(artifact), headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, len(CONTENT) - 1),
        ("bytes=100-199", 100, 199),
        ("bytes=100-", 100, len(CONTENT) - 1),
        ("bytes=-100", len(CONTENT) - 100, len(CONTENT) - 1),
        ("bytes=-99999999", 0, len(CONTENT) - 1),
        ("bytes=10-99999999", 10, len(CONTENT) - 1),
        ("Bytes=5-6", 5, 6),
    ],
)
async def test_range_is_a_part(
    client: httpx.AsyncClient, artifact: dict[str, Any], header: str, first: int, last: int
) -> None:
    response = await client.get(url(artifact), headers={"Range": header})
    assert response.status_code == 206
    assert response.content == CONTENT[first : last + 1]
    assert response.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert response.headers.get_list("content-length") == [str(last + 1 - first)]


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=-", "bytes=a-b", "items=0-1", "bytes=0-1,5-6", "bytes"])
async def test_range_that_cannot_be_read_is_ignored(
    client: httpx.AsyncClient, artifact: dict[str, Any], header: str
) -> None:
    response = await client.get(url(artifact), headers={"Range": header})
    assert response.status_code == 200
    assert "content-range" not in response.headers
    assert response.content == CONTENT


@pytest.mark.parametrize("header", [f"bytes={len(CONTENT)}-", "bytes=99999999-", "bytes=-0"])
async def test_range_outside_is_refused_with_the_size(
    client: httpx.AsyncClient, artifact: dict[str, Any], header: str
) -> None:
    response = await client.get(url(artifact), headers={"Range": header})
    assert_problem(response, 416, "RANGE_NOT_SATISFIABLE")
    assert response.headers["content-range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize(
    ("validator", "status"), [('"{}"', 206), ('W/"{}"', 200), ('"other"', 200), ("Wed, 21 Oct 2026 07:28:00 GMT", 200)]
)
async def test_range_holds_only_for_the_bytes_it_was_meant_for(
    client: httpx.AsyncClient, artifact: dict[str, Any], validator: str, status: int
) -> None:
    headers = {"Range": "bytes=0-9", "If-Range": validator.format(artifact["sha256"])}
    assert (await client.get(url(artifact), headers=headers)).status_code == status


async def test_empty_artifact_is_served(client: httpx.AsyncClient, worker: HandWorker) -> None:
    await queued(client)
    await worker.publish(await worker.claim(), {"text": b""})
    [artifact] = await results(client, "/v1/artifacts/")
    response = await client.get(url(artifact))
    assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "0")
    assert (await client.get(url(artifact), headers={"Range": "bytes=0-"})).status_code == 416


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("Größe 1.pdf", "attachment; filename=\"Gr__e 1.pdf\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.pdf"),
        ("试验.pdf", "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E8%AF%95%E9%AA%8C.pdf"),
        ("100%;x=1.pdf", "attachment; filename=\"100_;x=1.pdf\"; filename*=UTF-8''100%25%3Bx%3D1.pdf"),
    ],
)
async def test_file_carries_its_name_whatever_it_is(client: httpx.AsyncClient, name: str, disposition: str) -> None:
    document = (await upload(client, b"%PDF-1.7 named", name=name)).json()
    response = await client.get(f"/v1/documents/{document['id']}/file/")
    assert response.headers["content-disposition"] == disposition
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["etag"] == f'"{document["sha256"]}"'
    assert response.content == b"%PDF-1.7 named"


async def test_missing_bytes_are_told_before_the_answer_begins(
    client: httpx.AsyncClient, artifact: dict[str, Any], settings: Settings
) -> None:
    folder = Path(unquote(urlsplit(settings.storage).path))
    for name in stored_files(settings):
        folder.joinpath(name).unlink()
    response = await client.get(url(artifact))
    assert_problem(response, 503, "UNAVAILABLE")
    assert response.headers["retry-after"]


async def expire(db: Database, settings: Settings) -> None:
    """Let everything expire now, bytes included."""
    [tenant] = await tenants.list_tenants(db)
    await tenants.set_tenant(db, tenant.id, keep=Keep(artifacts_hours=1, files_hours=1))
    await age(db, 1)
    await Maintenance(db, Blobs(settings.storage), RedisDoorbell(build_broker(settings.redis_url)), settings).sweep()
    assert stored_files(settings) == []


@pytest.mark.parametrize("what", ["artifact", "file"])
async def test_what_expires_between_look_and_read_is_told_as_expired(
    client: httpx.AsyncClient,
    artifact: dict[str, Any],
    db: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    reading = Blobs.stream

    async def too_late(blobs: Blobs, key: str, **more: Any) -> AsyncIterator[bytes]:
        await expire(db, settings)
        async for chunk in reading(blobs, key, **more):
            yield chunk

    monkeypatch.setattr(Blobs, "stream", too_late)
    path = url(artifact) if what == "artifact" else f"/v1/documents/{artifact['document_id']}/file/"
    assert_problem(await client.get(path), 410, "ARTIFACT_EXPIRED")


async def test_download_that_has_begun_ends_well_though_it_expires(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, settings: Settings
) -> None:
    content = CONTENT * 64
    await queued(client)
    await worker.publish(await worker.claim(), {"text": content})
    [artifact] = await results(client, "/v1/artifacts/")
    with serving(settings) as served:
        async with (
            httpx.AsyncClient(base_url=served.url, headers=client.headers, trust_env=False) as real,
            real.stream("GET", url(artifact)) as response,
        ):
            chunks = response.aiter_raw()
            taken = [await anext(chunks)]
            await expire(db, settings)
            taken += [chunk async for chunk in chunks]
        assert b"".join(taken) == content
        assert_problem(await client.get(url(artifact)), 410, "ARTIFACT_EXPIRED")


async def test_download_whose_storage_fails_is_cut_and_not_short(
    client: httpx.AsyncClient, artifact: dict[str, Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(blobs: Blobs, key: str, **more: Any) -> AsyncIterator[bytes]:
        yield CONTENT[:1000]
        raise BlobMissing("gone")

    monkeypatch.setattr(Blobs, "stream", failing)
    with serving(settings) as served:
        async with httpx.AsyncClient(base_url=served.url, headers=client.headers, trust_env=False) as real:
            with pytest.raises(httpx.RemoteProtocolError):
                await real.get(url(artifact))


@pytest.fixture
async def accelerated(settings: Settings) -> AsyncIterator[Api]:
    """The API behind an nginx, as it has to be told."""
    async with running(msgspec.structs.replace(settings, x_accel_prefix="/protected/")) as api:
        yield api


async def test_nginx_is_told_where_the_bytes_are(
    accelerated: Api, client: httpx.AsyncClient, artifact: dict[str, Any], settings: Settings
) -> None:
    async with accelerated.anonymous(dict(client.headers)) as behind:
        response = await behind.get(url(artifact), headers={"Range": "bytes=0-1"})
        prefix, _, key = response.headers["x-accel-redirect"].partition("/protected/")
        assert prefix == ""
        assert key in stored_files(settings)
        assert (response.status_code, response.content) == (200, b"")
        direct = await client.get(url(artifact))
        for name in ("etag", "content-type", "content-disposition", "x-content-type-options", "cache-control"):
            assert response.headers[name] == direct.headers[name]
        known = await behind.get(url(artifact), headers={"If-None-Match": direct.headers["etag"]})
        assert known.status_code == 304
        assert "x-accel-redirect" not in known.headers
        conditional = {"Range": "bytes=0-1", "If-Range": direct.headers["etag"]}
        assert (await behind.get(url(artifact), headers=conditional)).content == CONTENT[:2]
