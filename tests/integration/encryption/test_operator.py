"""The operator's commands: old blobs are brought over, keys are changed and given up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import msgspec
import pytest

from docrefinery.bootstrap.common import vault_of
from docrefinery.bootstrap.encryption import check_keys, lacking
from docrefinery.bootstrap.operator import Operator, operator
from docrefinery.errors import InvalidRequest, StorageError
from docrefinery.services.encryption import Shredded
from docrefinery.settings import Settings, SettingsError
from docrefinery.store import documents
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.store.encryption.vault import Stored, Vault, VaultWriter
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.maintenance import Maintenance
from tests.support import hooks
from tests.support.api import Api
from tests.support.calls import assert_problem, queued, results, upload, uploaded
from tests.support.counted import assert_counted
from tests.support.encrypted import MARKER, a_file, content, folder, stored
from tests.support.work import HandWorker

OLD, NEW = hooks.KEYS


def untold(_: int) -> None:
    """Hear of no progress."""


@pytest.fixture
async def acme(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a tenant whose blobs are plain at first."""
    async with await api.client() as client:
        yield client


async def sweep_all(db: Database, settings: Settings) -> None:
    """Remove garbage as if its time had come."""
    await db.fetch("UPDATE unreferenced_blobs SET removable_at = now()")
    maintenance = Maintenance(db, Blobs(settings.storage), RedisDoorbell(build_broker(settings.redis_url)), settings)
    await maintenance.sweep()


async def test_old_blobs_are_brought_over_and_stay_the_same_to_clients(
    acme: httpx.AsyncClient, worker: HandWorker, services: Operator, settings: Settings, db: Database
) -> None:
    files = {(await uploaded(acme, file))["id"]: file for file in (a_file(), a_file())}
    await queued(acme)
    await worker.publish(await worker.claim(), {"text": MARKER, "empty": b""})
    [empty, text] = sorted(await results(acme, "/v1/artifacts/"), key=lambda artifact: str(artifact["kind"]))
    before = await results(acme, "/v1/documents/")
    await services.tenants.set("acme", encrypt="on")
    counts: list[int] = []
    done = await services.encryption.encrypt("acme", counts.append)
    assert (done.blobs, done.unreadable, counts) == (5, [], [1, 2, 3, 4, 5])
    await sweep_all(db, settings)
    assert len(stored(settings)) == 5
    assert not [name for name, blob in stored(settings).items() if MARKER in blob or b"%PDF" in blob]
    assert await results(acme, "/v1/documents/") == before
    for number, file in files.items():
        answer = await content(acme, number, Range="bytes=5-100000")
        assert answer.content == file[5:100001]
    assert (await acme.get(f"/v1/artifacts/{text['id']}/")).content == MARKER
    assert (await acme.get(f"/v1/artifacts/{empty['id']}/")).content == b""
    assert (await services.encryption.encrypt("acme", untold)).blobs == 0


async def test_other_tenants_blobs_are_left_alone(
    acme: httpx.AsyncClient, plain: httpx.AsyncClient, services: Operator, settings: Settings
) -> None:
    await uploaded(acme, a_file())
    await uploaded(plain, a_file())
    await services.tenants.set("acme", encrypt="on")
    before = stored(settings)
    assert (await services.encryption.encrypt("acme", untold)).blobs == 1
    assert before.items() <= stored(settings).items()


async def test_it_wants_to_be_switched_on_first(services: Operator, acme: httpx.AsyncClient) -> None:
    with pytest.raises(InvalidRequest, match="--encrypt on"):
        await services.encryption.encrypt("acme", untold)


async def test_what_began_before_reads_the_plain_blob_to_its_end(
    acme: httpx.AsyncClient, services: Operator, settings: Settings, db: Database
) -> None:
    file = a_file()
    await uploaded(acme, file)
    [row] = await db.fetch("SELECT id, tenant_id FROM documents")
    seen = await documents.get(db, row["tenant_id"], row["id"])
    assert seen is not None
    await services.tenants.set("acme", encrypt="on")
    await services.encryption.encrypt("acme", untold)
    maintenance = Maintenance(db, Blobs(settings.storage), RedisDoorbell(build_broker(settings.redis_url)), settings)
    await maintenance.sweep()
    vault = vault_of(settings, db, Blobs(settings.storage))
    assert b"".join([piece async for piece in vault.stream(seen)]) == file


class Broken(Exception):
    """The command was broken off."""


async def test_what_was_done_before_it_broke_off_stays_and_the_rest_is_done_next(
    acme: httpx.AsyncClient, services: Operator, settings: Settings, db: Database
) -> None:
    files = {(await uploaded(acme, file))["id"]: file for file in (a_file(), a_file(), a_file())}
    await services.tenants.set("acme", encrypt="on")

    def broken(_: int) -> None:
        raise Broken

    with pytest.raises(Broken):
        await services.encryption.encrypt("acme", broken)
    assert (await services.encryption.encrypt("acme", untold)).blobs == 2
    for number, file in files.items():
        assert (await content(acme, number)).content == file
    await sweep_all(db, settings)
    assert len(stored(settings)) == 3


async def test_two_at_once_do_each_blob_once_and_leave_no_copy(
    acme: httpx.AsyncClient, services: Operator, settings: Settings, db: Database
) -> None:
    files = {(await uploaded(acme, file))["id"]: file for file in [a_file() for _ in range(4)]}
    await services.tenants.set("acme", encrypt="on")
    done = await asyncio.gather(*(services.encryption.encrypt("acme", untold) for _ in range(2)))
    assert sum(each.blobs for each in done) == 4
    assert [each.unreadable for each in done] == [[], []]
    await sweep_all(db, settings)
    assert len(stored(settings)) == 4
    for number, file in files.items():
        assert (await content(acme, number)).content == file


def meanwhile(monkeypatch: pytest.MonkeyPatch, does: Callable[[], Any]) -> None:
    """Have something happen once a plain blob was read."""
    reading = Vault.stream

    async def stream(self: Vault, blob: Stored, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        async for piece in reading(self, blob, start=start, end=end):
            yield piece
        if blob.data_key is None:
            await does()

    monkeypatch.setattr(Vault, "stream", stream)


async def test_a_document_deleted_meanwhile_stays_deleted_and_leaves_nothing(
    acme: httpx.AsyncClient, services: Operator, settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await uploaded(acme, a_file())
    await services.tenants.set("acme", encrypt="on")
    meanwhile(monkeypatch, lambda: acme.delete(f"/v1/documents/{document['id']}/"))
    done = await services.encryption.encrypt("acme", untold)
    assert (done.blobs, done.unreadable) == (0, [])
    assert (stored(settings), await db.fetch("SELECT FROM unreferenced_blobs")) == ({}, [])


async def test_a_copy_that_was_swept_is_not_referred_to(
    acme: httpx.AsyncClient, services: Operator, settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = a_file()
    document = await uploaded(acme, file)
    await services.tenants.set("acme", encrypt="on")
    with monkeypatch.context() as patch:
        meanwhile(patch, lambda: sweep_all(db, settings))
        with pytest.raises(StorageError, match="took too long"):
            await services.encryption.encrypt("acme", untold)
    assert (await content(acme, document["id"])).content == file
    assert (await services.encryption.encrypt("acme", untold)).blobs == 1


async def test_a_damaged_or_missing_plain_blob_is_told_and_gets_no_seal(
    acme: httpx.AsyncClient, services: Operator, settings: Settings, db: Database
) -> None:
    await uploaded(acme, a_file())
    [damaged] = stored(settings)
    await uploaded(acme, a_file())
    [missing] = set(stored(settings)) - {damaged}
    await uploaded(acme, a_file())
    (folder(settings) / damaged).write_bytes(b"%PDF-1.7 something else")
    (folder(settings) / missing).unlink()
    await services.tenants.set("acme", encrypt="on")
    done = await services.encryption.encrypt("acme", untold)
    assert (done.blobs, done.unreadable) == (1, [damaged, missing])
    assert [bool(row["data_key"]) for row in await db.fetch("SELECT data_key FROM documents ORDER BY id")] == [
        False, False, True,
    ]  # fmt: skip


async def test_a_change_of_keys_leaves_the_blobs_as_they_are(
    encrypted: httpx.AsyncClient, settings: Settings, db: Database
) -> None:
    file = a_file()
    document = await uploaded(encrypted, file)
    [row] = await db.fetch("SELECT data_key, blob_key FROM documents")
    before = stored(settings)
    both = msgspec.structs.replace(settings, secret_keys=(NEW, OLD))
    async with operator(both) as services:
        assert (await services.encryption.rewrap()).tenants == 1
        assert (await services.encryption.rewrap()).tenants == 1
    assert await db.fetch("SELECT data_key, blob_key FROM documents") == [row]
    assert stored(settings) == before
    alone = msgspec.structs.replace(settings, secret_keys=(NEW,))
    vault = vault_of(alone, db, Blobs(settings.storage))
    [found] = await db.fetch("SELECT tenant_id, id FROM documents")
    seen = await documents.get(db, found["tenant_id"], found["id"])
    assert seen is not None
    assert b"".join([piece async for piece in vault.stream(seen)]) == file
    assert_problem(await content(encrypted, document["id"]), 503, "UNAVAILABLE")  # it has the old one alone


async def test_a_key_that_is_missing_is_told(encrypted: httpx.AsyncClient, settings: Settings, db: Database) -> None:
    await uploaded(encrypted, a_file())
    [before] = await db.fetch("SELECT wrapped FROM tenant_keys")
    async with operator(msgspec.structs.replace(settings, secret_keys=(NEW,))) as services:
        done = await services.encryption.rewrap()
        assert (done.tenants, done.unavailable) == (0, ["acme"])
    async with operator(msgspec.structs.replace(settings, secret_keys=())) as services:
        with pytest.raises(InvalidRequest, match="DOCREFINERY_SECRET_KEYS"):
            await services.encryption.rewrap()
    assert await db.fetch("SELECT wrapped FROM tenant_keys") == [before]


async def test_a_key_that_is_given_up_takes_old_files_along_and_new_ones_get_another(
    encrypted: httpx.AsyncClient, services: Operator, settings: Settings, db: Database, worker: HandWorker
) -> None:
    file = a_file()
    old = await uploaded(encrypted, file)
    job = await queued(encrypted)
    await worker.publish(await worker.claim())
    await services.encryption.encrypt("acme", untold)
    [artifact, _] = await results(encrypted, "/v1/artifacts/")
    running = await queued(encrypted)
    claim = await worker.claim()
    waiting = await queued(encrypted)
    assert await services.encryption.give_up("acme") == Shredded(had_key=True, jobs=2)
    assert await services.encryption.give_up("acme") == Shredded(had_key=False, jobs=0)
    assert_problem(await content(encrypted, old["id"]), 410, "ARTIFACT_EXPIRED")
    assert_problem(await content(encrypted, job["document_id"]), 410, "ARTIFACT_EXPIRED")
    assert_problem(await encrypted.get(f"/v1/artifacts/{artifact['id']}/"), 410, "ARTIFACT_EXPIRED")
    assert (await encrypted.get(f"/v1/jobs/{waiting['id']}/")).json()["status"] == "CANCELED"
    assert (await encrypted.get(f"/v1/documents/{waiting['document_id']}/")).json()["status"] == "UPLOADED"
    assert await worker.beat(claim) == "cancel"
    assert not await worker.publish(claim)
    assert (await encrypted.get(f"/v1/jobs/{running['id']}/")).json()["status"] == "CANCELED"
    assert await results(encrypted, "/v1/artifacts/") == []
    new = await uploaded(encrypted, file)
    assert (await content(encrypted, new["id"])).content == file
    assert_problem(await content(encrypted, old["id"]), 410, "ARTIFACT_EXPIRED")
    await sweep_all(db, settings)
    assert len(stored(settings)) == 1
    await assert_counted(db)


async def test_what_was_on_its_way_under_a_key_that_is_given_up_is_refused(
    encrypted: httpx.AsyncClient, services: Operator, settings: Settings, db: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    file = a_file()
    finishing = VaultWriter.finish

    async def finish(self: VaultWriter) -> None:
        await finishing(self)
        await services.encryption.give_up("acme")

    with monkeypatch.context() as patch:
        patch.setattr(VaultWriter, "finish", finish)
        assert_problem(await upload(encrypted, file), 503, "UNAVAILABLE")
    new = await uploaded(encrypted, file)
    assert (await content(encrypted, new["id"])).content == file
    await assert_counted(db)


async def test_a_copy_that_is_encrypted_under_a_key_that_is_given_up_is_refused(
    acme: httpx.AsyncClient, services: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = a_file()
    document = await uploaded(acme, file)
    await services.tenants.set("acme", encrypt="on")
    with monkeypatch.context() as patch:
        meanwhile(patch, lambda: services.encryption.give_up("acme"))
        with pytest.raises(StorageError, match="given up"):
            await services.encryption.encrypt("acme", untold)
    assert (await content(acme, document["id"])).content == file


@pytest.mark.parametrize("how", ["deleted", "given up"])
async def test_the_plain_copy_of_what_is_gone_does_not_outlive_it(
    acme: httpx.AsyncClient, services: Operator, settings: Settings, db: Database, worker: HandWorker, how: str
) -> None:
    job = await queued(acme)
    await worker.publish(await worker.claim())
    await services.tenants.set("acme", encrypt="on")
    await services.encryption.encrypt("acme", untold)
    maintenance = Maintenance(db, Blobs(settings.storage), RedisDoorbell(build_broker(settings.redis_url)), settings)
    await maintenance.sweep()
    plain = [name for name in stored(settings) if "/encrypted/" not in name]
    assert len(plain) == 3
    if how == "deleted":
        assert (await acme.delete(f"/v1/documents/{job['document_id']}/")).status_code == 204
    else:
        await services.encryption.give_up("acme")
    await maintenance.sweep()
    assert stored(settings) == {}


async def test_nothing_is_to_be_encrypted_where_there_is_no_key(settings: Settings) -> None:
    async with operator(msgspec.structs.replace(settings, secret_keys=())) as services:
        with pytest.raises(InvalidRequest, match="DOCREFINERY_SECRET_KEYS"):
            await services.tenants.create("acme", encrypt=True)
        await services.tenants.create("acme")
        with pytest.raises(InvalidRequest, match="DOCREFINERY_SECRET_KEYS"):
            await services.tenants.set("acme", encrypt="on")
        assert (await services.tenants.set("acme", encrypt="off")).encrypt is False


async def test_a_start_without_the_keys_that_are_needed_is_refused_in_one_line(
    encrypted: httpx.AsyncClient, settings: Settings, db: Database
) -> None:
    none = msgspec.structs.replace(settings, secret_keys=())
    assert "acme" in await lacking(db, none)
    assert "DOCREFINERY_ENCRYPT" in await lacking(db, msgspec.structs.replace(none, encrypt=True))
    assert await lacking(db, settings) == ""
    await uploaded(encrypted, a_file())
    await check_keys(settings)
    for wrong in (none, msgspec.structs.replace(settings, secret_keys=(NEW,))):
        with pytest.raises(SettingsError, match="DOCREFINERY_SECRET_KEYS") as refused:
            await check_keys(wrong)
        assert "\n" not in str(refused.value)


async def test_a_start_does_not_need_the_database(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, database_url="postgresql://u:p@127.0.0.1:1/x")
    await check_keys(away)
    with pytest.raises(SettingsError, match="DOCREFINERY_ENCRYPT"):
        await check_keys(msgspec.structs.replace(away, secret_keys=(), encrypt=True))


async def test_a_key_that_is_given_up_is_in_the_audit_log(
    encrypted: httpx.AsyncClient, services: Operator, db: Database
) -> None:
    await uploaded(encrypted, a_file())
    await services.encryption.give_up("acme")
    rows = await db.fetch(
        "SELECT a.object, a.details, t.id FROM audit_log a, tenants t WHERE a.action = 'tenant.shredded'"
    )
    assert [row["object"] for row in rows] == [f"tenant {rows[0]['id']}"]
    assert msgspec.json.decode(rows[0]["details"]) == {"name": "acme", "jobs": 0}


async def test_what_was_encrypted_and_rewrapped_is_in_the_audit_log(
    acme: httpx.AsyncClient, services: Operator, db: Database
) -> None:
    await uploaded(acme, a_file())
    await services.tenants.set("acme", encrypt="on")
    await services.encryption.encrypt("acme", untold)
    await services.encryption.rewrap()
    rows = await db.fetch("SELECT action, details FROM audit_log WHERE action LIKE 'storage.%' ORDER BY id")
    assert [(row["action"], msgspec.json.decode(row["details"])) for row in rows] == [
        ("storage.encrypted", {"blobs": 1, "unreadable": 0}),
        ("storage.rewrapped", {"tenants": 1, "unavailable": 0}),
    ]
