"""Encrypted files: clients see no difference, and the storage holds nothing that could be read."""

import asyncio
import hashlib

import httpx
import msgspec
import pytest
import structlog

from docrefinery.bootstrap.operator import Operator
from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support import hooks
from tests.support.api import running
from tests.support.calls import assert_problem, upload, uploaded
from tests.support.encrypted import CHUNK, MARKER, a_file, content, folder, stored
from tests.support.server import serving
from tests.support.waiting import until_true


async def test_a_client_sees_the_plain_file_and_the_storage_does_not(
    encrypted: httpx.AsyncClient, settings: Settings
) -> None:
    file = a_file()
    document = await uploaded(encrypted, file)
    assert (document["size_bytes"], document["sha256"]) == (len(file), hashlib.sha256(file).hexdigest())
    answer = await content(encrypted, document["id"])
    assert answer.content == file
    assert answer.headers["Content-Length"] == str(len(file))
    assert answer.headers["ETag"] == f'"{document["sha256"]}"'
    [blob] = stored(settings).values()
    assert MARKER not in blob
    assert b"%PDF" not in blob


@pytest.mark.parametrize("size", [1024, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
async def test_ranges_are_parts_of_the_plain_file(encrypted: httpx.AsyncClient, size: int) -> None:
    file = a_file(size)
    document = await uploaded(encrypted, file)
    for start, end in [(0, 0), (0, size - 1), (size - 1, size - 1), (size // 2, size), (max(CHUNK - 2, 0), CHUNK + 2)]:
        if start >= size:
            continue
        answer = await content(encrypted, document["id"], Range=f"bytes={start}-{end}")
        assert (answer.status_code, answer.content) == (206, file[start : end + 1])
        assert answer.headers["Content-Range"] == f"bytes {start}-{min(end, size - 1)}/{size}"
    tail = await content(encrypted, document["id"], Range="bytes=-7")
    assert tail.content == file[-7:]
    part = await content(encrypted, document["id"], **{"Range": "bytes=2-5", "If-Range": f'"{document["sha256"]}"'})
    assert part.content == file[2:6]
    whole = await content(encrypted, document["id"], **{"Range": "bytes=2-5", "If-Range": '"changed"'})
    assert whole.content == file
    outside = await content(encrypted, document["id"], Range=f"bytes={size}-")
    assert_problem(outside, 416, "RANGE_NOT_SATISFIABLE")


async def test_nginx_gets_plain_files_alone(
    encrypted: httpx.AsyncClient, plain: httpx.AsyncClient, settings: Settings
) -> None:
    file = a_file()
    sealed, open_ = await uploaded(encrypted, file), await uploaded(plain, file)
    fronted = msgspec.structs.replace(settings, x_accel_prefix="/protected/")
    async with running(fronted) as api, api.anonymous() as client:
        client.headers = encrypted.headers
        answer = await content(client, sealed["id"])
        assert ("X-Accel-Redirect" in answer.headers, answer.content) == (False, file)
        client.headers = plain.headers
        handed = await content(client, open_["id"])
        assert (handed.headers["X-Accel-Redirect"][:11], handed.content) == ("/protected/", b"")


async def test_a_change_counts_for_new_files_alone(
    encrypted: httpx.AsyncClient, services: Operator, settings: Settings
) -> None:
    files = {(await uploaded(encrypted, file))["id"]: file for file in (a_file(),)}

    async def next_is_plain() -> bool:
        # The API hears of the change a moment later.
        known, file = stored(settings), a_file()
        files[(await uploaded(encrypted, file))["id"]] = file
        [new] = stored(settings).keys() - known.keys()
        return MARKER in stored(settings)[new]

    assert not await next_is_plain()
    await services.tenants.set("acme", encrypt="off")
    await until_true(next_is_plain, 2)
    await services.tenants.set("acme", encrypt="default")
    file, known = a_file(), stored(settings)
    async with running(msgspec.structs.replace(settings, encrypt=True)) as api, api.anonymous() as client:
        client.headers = encrypted.headers
        files[(await uploaded(client, file))["id"]] = file
    [new] = stored(settings).keys() - known.keys()
    assert MARKER not in stored(settings)[new]
    for number, file in files.items():
        assert (await content(encrypted, number)).content == file


async def test_two_tenants_blobs_exchanged_in_the_storage_are_not_served(
    encrypted: httpx.AsyncClient, plain: httpx.AsyncClient, services: Operator, settings: Settings, db: Database
) -> None:
    await services.tenants.set("globex", encrypt="on")
    ours, theirs = await uploaded(encrypted, a_file()), await uploaded(plain, a_file())
    one, other = (folder(settings) / row["blob_key"] for row in await db.fetch("SELECT blob_key FROM documents"))
    one_blob, other_blob = one.read_bytes(), other.read_bytes()
    one.write_bytes(other_blob)
    other.write_bytes(one_blob)
    for client, document in ((encrypted, ours), (plain, theirs)):
        with structlog.testing.capture_logs() as lines:
            refused = await content(client, document["id"])
            assert_problem(refused, 503, "UNAVAILABLE")
        assert [line["blob"] for line in lines if line["event"] == "blob_not_decrypted"]
        assert MARKER not in refused.content


@pytest.mark.parametrize("place", [0, 20, -1])
@pytest.mark.parametrize("damage", ["flipped", "cut off", "longer"])
async def test_a_damaged_blob_is_an_error_and_never_an_answer(
    encrypted: httpx.AsyncClient, settings: Settings, place: int, damage: str
) -> None:
    file = a_file(100)
    document = await uploaded(encrypted, file)
    [path] = (folder(settings) / name for name in stored(settings))
    blob = bytearray(path.read_bytes())
    if damage == "flipped":
        blob[place] ^= 1
    elif damage == "cut off":
        del blob[place:]
    else:
        blob += blob[place:]
    path.write_bytes(blob)
    with structlog.testing.capture_logs() as lines:
        assert_problem(await content(encrypted, document["id"]), 503, "UNAVAILABLE")
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["blob_not_decrypted"]
    if damage == "flipped" and place:
        assert_problem(await content(encrypted, document["id"], Range="bytes=0-1"), 503, "UNAVAILABLE")


async def received_from(url: str, headers: httpx.Headers) -> tuple[bytes, Exception | None]:
    """Return what of an answer that began well arrived, and how it broke off."""
    received = b""
    async with httpx.AsyncClient(headers=headers, trust_env=False) as client, client.stream("GET", url) as answer:
        assert answer.status_code == 200
        try:
            async for piece in answer.aiter_raw():
                received += piece
        except httpx.TransportError as error:
            return received, error
    return received, None


@pytest.mark.parametrize("damage", ["flipped", "cut off", "cut at a chunk"])
async def test_damage_that_shows_late_cuts_the_answer_off(
    encrypted: httpx.AsyncClient, settings: Settings, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    file = a_file(40 * CHUNK)
    document = await uploaded(encrypted, file)
    [path] = (folder(settings) / name for name in stored(settings))
    blob = bytearray(path.read_bytes())
    if damage == "flipped":
        blob[-100] ^= 1
    else:
        del blob[-5 if damage == "cut off" else len(blob) - CHUNK - 16 :]
    path.write_bytes(blob)
    with structlog.testing.capture_logs() as lines, serving(settings) as served:
        received, error = await received_from(f"{served.url}/v1/documents/{document['id']}/file/", encrypted.headers)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["blob_not_decrypted"]
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]
    assert len(received) < len(file)
    assert file.startswith(received)


async def test_without_the_key_nothing_is_taken_and_nothing_served_and_no_key_is_told(
    encrypted: httpx.AsyncClient, plain: httpx.AsyncClient, settings: Settings
) -> None:
    sealed = await uploaded(encrypted, a_file())
    file = a_file()
    open_ = await uploaded(plain, file)
    for keys in ((), hooks.KEYS[1:]):
        wrong = msgspec.structs.replace(settings, secret_keys=keys)
        with structlog.testing.capture_logs() as lines:
            async with running(wrong) as api, api.anonymous() as client:
                client.headers = encrypted.headers
                assert_problem(await content(client, sealed["id"]), 503, "UNAVAILABLE")
                assert_problem(await upload(client, a_file()), 503, "UNAVAILABLE")
                assert (await client.get(f"/v1/documents/{sealed['id']}/")).status_code == 200
                client.headers = plain.headers
                assert (await content(client, open_["id"])).content == file
        assert "blob_not_decrypted" in [line["event"] for line in lines]
        assert not [key for key in hooks.KEYS if key in repr(lines)]
    assert (await content(encrypted, sealed["id"])).status_code == 200


async def test_deleting_forgets_what_a_blob_was_sealed_with_and_replays_do_not_hold_it(
    encrypted: httpx.AsyncClient, db: Database
) -> None:
    answer = await upload(encrypted, a_file(), headers={"Idempotency-Key": "once"})
    [row] = await db.fetch("SELECT data_key FROM documents")
    assert row["data_key"]
    [kept] = await db.fetch("SELECT outcome FROM idempotency_records")
    assert '"data_key":null' in kept["outcome"].replace(" ", "")
    assert (await encrypted.delete(f"/v1/documents/{answer.json()['id']}/")).status_code == 204
    assert not await db.fetch("SELECT FROM documents WHERE data_key IS NOT NULL")


async def test_first_uploads_at_once_agree_on_one_key(encrypted: httpx.AsyncClient, db: Database) -> None:
    files = [a_file() for _ in range(6)]
    documents = await asyncio.gather(*(uploaded(encrypted, file) for file in files))
    assert len(await db.fetch("SELECT FROM tenant_keys")) == 1
    for document, file in zip(documents, files, strict=True):
        assert (await content(encrypted, document["id"])).content == file
