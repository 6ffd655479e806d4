"""What requests leave in the audit log."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from docrefinery.bootstrap.operator import operator
from docrefinery.errors import UnknownProfile
from docrefinery.services import trail
from docrefinery.services.audit import Action, operator_acts
from docrefinery.settings import Settings
from docrefinery.store import audit
from docrefinery.store.audit import Filters
from docrefinery.store.database import Database
from tests.support import hooks
from tests.support.api import Api, running
from tests.support.calls import assert_problem, queued, results, uploaded
from tests.support.queries import sent
from tests.support.work import HandWorker


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of an installation that keeps webhook secrets."""
    return msgspec.structs.replace(settings, webhook_allow_nets=hooks.LOOPBACK, secret_keys=hooks.KEYS[:1])


async def logged(api: Api, db: Database) -> list[dict[str, Any]]:
    """Return what requests left in the log, the last second included."""
    await api.services.trail.write()
    return [
        msgspec.structs.asdict(entry) | {"details": msgspec.json.decode(entry.details)}
        for entry in await audit.newest(db, Filters(), 1000)
        if entry.actor_kind == "key"
    ]


def told(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(entry["action"], entry["object"]) for entry in entries]


async def test_entry_says_who_what_when_and_from_where(client: httpx.AsyncClient, api: Api, db: Database) -> None:
    document = await uploaded(client)
    before = datetime.now(UTC)
    await client.delete(f"/v1/documents/{document['id']}/", headers={"X-Request-ID": "my-request"})
    [entry] = await logged(api, db)
    assert told([entry]) == [("document.deleted", f"document {document['id']}")]
    assert entry["outcome"] == "done"
    assert (entry["tenant"], entry["request_id"], entry["client"]) == ("acme", "my-request", "127.0.0.1")
    key = await db.fetch_one("SELECT id, prefix FROM api_keys")
    assert key is not None
    assert (entry["key_id"], entry["actor"]) == (key["id"], key["prefix"])
    assert abs(entry["happened_at"] - before) < timedelta(minutes=1)


async def test_changes_of_webhooks_are_told_without_their_secrets(
    client: httpx.AsyncClient, api: Api, db: Database
) -> None:
    url, secret = "http://127.0.0.1:8009/?token=hush", "whsec_" + "c2VjcmV0" * 4
    made = await client.post("/v1/webhooks/", json={"name": "a", "url": url, "secret": secret})
    path = f"/v1/webhooks/{made.json()['id']}/"
    await client.patch(path, json={"enabled": False})
    await client.patch(path, json={"secret": secret + "c2VjcmV0"})
    await client.put(path, json={"name": "b", "url": url})
    await client.delete(path)
    entries = await logged(api, db)
    assert [entry["action"] for entry in entries] == [
        "webhook.created", "webhook.changed", "webhook.secret_changed", "webhook.changed", "webhook.secret_changed",
        "webhook.deleted",
    ]  # fmt: skip
    assert entries[1]["details"] == {"fields": ["enabled"]}
    text = str(entries)
    assert secret not in text
    assert "hush" not in text


async def test_cancel_and_retry_are_told(client: httpx.AsyncClient, api: Api, db: Database, worker: HandWorker) -> None:
    first, second = await queued(client), await queued(client)
    await client.post(f"/v1/jobs/{first['id']}/cancel/")
    await client.post(f"/v1/jobs/{first['id']}/cancel/")
    await worker.fail(await worker.claim())
    await client.post(f"/v1/jobs/{second['id']}/retry/")
    assert told(await logged(api, db)) == [
        ("job.canceled", f"job {first['id']}"),
        ("job.retried", f"job {second['id']}"),
    ]


async def test_downloads_are_told_and_looks_are_not(
    client: httpx.AsyncClient, api: Api, db: Database, worker: HandWorker
) -> None:
    job = await queued(client)
    await worker.publish(await worker.claim())
    [artifact, _] = await results(client, "/v1/artifacts/")
    document, path = job["document_id"], f"/v1/artifacts/{artifact['id']}/"
    await client.get(f"/v1/documents/{document}/file/")
    tag = (await client.get(path, headers={"Range": "bytes=0-3"})).headers["etag"]
    await client.get(path, headers={"If-None-Match": tag})
    await client.head(path)
    await client.get(f"/v1/documents/{document}/")
    await client.get(f"/v1/jobs/{job['id']}/")
    entries = await logged(api, db)
    assert told(entries) == [
        ("document.downloaded", f"document {document}"),
        ("artifact.downloaded", f"artifact {artifact['id']}"),
    ]
    assert entries[1]["details"] == {"range": f"bytes 0-3/{artifact['size_bytes']}"}


async def test_download_behind_nginx_is_told(api: Api, settings: Settings, db: Database) -> None:
    async with running(msgspec.structs.replace(settings, x_accel_prefix="/protected/")) as fronted:
        async with await fronted.client("fronted") as client:
            document = await uploaded(client)
            await client.get(f"/v1/documents/{document['id']}/file/")
        assert told(await logged(fronted, db)) == [("document.downloaded", f"document {document['id']}")]


@pytest.mark.parametrize("form", ["id", "uuid"])
async def test_access_to_another_tenants_object_is_told_to_the_operator(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, api: Api, db: Database, form: str
) -> None:
    theirs = await uploaded(stranger)
    for _ in range(3):
        await client.get(f"/v1/documents/{theirs[form]}/")
    await client.get("/v1/documents/999999/")
    await client.get("/v1/jobs/00000000-0000-0000-0000-000000000000/")
    await client.post("/v1/jobs/", json={"document_id": theirs[form]})
    [entry, *more] = await logged(api, db)
    assert (entry["action"], entry["outcome"], entry["tenant"]) == ("access.denied", "denied", "acme")
    assert entry["object"] == f"document {theirs['id']}"
    owner = await db.fetch_one("SELECT id FROM tenants WHERE name = 'globex'")
    assert owner is not None
    assert entry["details"] == {"owner_tenant_id": owner["id"], "times": 4}
    assert more == []


async def test_a_404_asks_the_same_of_the_database_whether_the_object_exists(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    theirs = await uploaded(stranger)
    asked = []
    await client.get("/v1/documents/")  # from here on the key is known
    for number in (theirs["id"], 999999):
        with sent() as everything:
            assert_problem(await client.get(f"/v1/documents/{number}/"), 404, "NOT_FOUND")
        asked.append([sql for sql, _ in everything if not ("api_keys" in sql or "unnest" in sql)])
    assert asked[0] == asked[1]


async def test_key_that_has_ended_and_missing_scope_are_told(api: Api, db: Database, settings: Settings) -> None:
    async with operator(settings) as services:
        await services.tenants.create("acme")
        revoked = await services.tenants.issue_key("acme", ["jobs:read"], name="old one")
        await services.tenants.revoke_key(revoked.record.id)
        expired = await services.tenants.issue_key(
            "acme", ["jobs:read"], expires_at=datetime.now(UTC) - timedelta(seconds=1)
        )
        narrow = await services.tenants.issue_key("acme", ["jobs:read"])
    async with api.anonymous() as client:
        for key in (revoked.key, expired.key, narrow.key, narrow.key[:-1] + "x"):
            await client.get("/v1/documents/", headers={"Authorization": f"Api-Key {key}"})
        await client.get("/v1/documents/")
    entries = await logged(api, db)
    assert [(entry["action"], entry["key_id"], entry["details"]) for entry in entries] == [
        ("key.refused", revoked.record.id, {"reason": "revoked"}),
        ("key.refused", expired.record.id, {"reason": "expired"}),
        ("scope.missing", narrow.record.id, {"scope": "documents:read"}),
    ]
    assert {entry["outcome"] for entry in entries} == {"denied"}
    assert entries[0]["actor"] == "old one"
    for key in (revoked.key, expired.key, narrow.key):
        assert key not in str(entries)


async def test_change_that_is_rolled_back_leaves_no_entry(
    client: httpx.AsyncClient, api: Api, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await uploaded(client)

    async def failing(*_: Any) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(audit, "insert", failing)
        assert_problem(await client.delete(f"/v1/documents/{document['id']}/"), 503, "UNAVAILABLE")
    assert (await client.get(f"/v1/documents/{document['id']}/")).status_code == 200
    assert await logged(api, db) == []


async def test_operators_changes_are_told(db: Database, settings: Settings) -> None:
    operator_acts()
    async with operator(settings) as services:
        tenant = await services.tenants.create("acme")
        await services.tenants.set("acme", option_text='{"ocr": false}')
        key = (await services.tenants.issue_key("acme", ["jobs:read"])).record
        await services.tenants.set_key(key.id, name="other")
        await services.tenants.revoke_key(key.id)
        await services.toggles.disable("acme", "fast_text")
        await services.toggles.enable("acme", "fast_text")
        with pytest.raises(UnknownProfile):
            await services.toggles.enable("acme", "no such")
    entries = await audit.newest(db, Filters(tenant_id=tenant.id), 100)
    assert [(entry.action, entry.object) for entry in entries] == [
        ("tenant.created", f"tenant {tenant.id}"),
        ("tenant.changed", f"tenant {tenant.id}"),
        ("key.created", f"key {key.id}"),
        ("key.changed", f"key {key.id}"),
        ("key.revoked", f"key {key.id}"),
        ("profile.disabled", "profile fast_text"),
        ("profile.enabled", "profile fast_text"),
    ]
    assert {entry.actor_kind for entry in entries} == {"operator"}
    assert all(entry.actor for entry in entries)


async def test_entries_wait_for_a_database_that_is_away(
    client: httpx.AsyncClient, api: Api, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await uploaded(client)

    async def away(*_: Any) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(audit, "insert", away)
        assert (await client.get(f"/v1/documents/{document['id']}/file/")).status_code == 200
        with pytest.raises(ConnectionResetError):
            await logged(api, db)
    assert told(await logged(api, db)) == [("document.downloaded", f"document {document['id']}")]


@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"])
async def test_an_entry_that_cannot_be_written_keeps_back_no_other(
    client: httpx.AsyncClient, api: Api, db: Database, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    dropped: list[str] = []
    monkeypatch.setattr(trail.log, "error", lambda event, **_: dropped.append(event))
    document = await uploaded(client)
    await client.get(f"/v1/documents/{document['id']}/file/")
    api.services.trail.downloaded(Action.DOCUMENT_DOWNLOADED, bad)
    await client.get(f"/v1/documents/{document['id']}/file/")
    entries = await logged(api, db)
    assert told(entries) == [("document.downloaded", f"document {document['id']}")] * 2
    assert dropped == ["audit_entry_dropped"]


async def test_access_to_an_expired_artifact_of_another_tenant_is_told(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, api: Api, db: Database, worker: HandWorker
) -> None:
    await queued(client)
    await worker.publish(await worker.claim())
    artifact, _ = await results(client, "/v1/artifacts/")
    await db.fetch(
        """WITH gone AS (DELETE FROM artifacts RETURNING *)
           INSERT INTO expired_artifacts (tenant_id, id, uuid, job_id) SELECT tenant_id, id, uuid, job_id FROM gone"""
    )
    assert_problem(await stranger.get(f"/v1/artifacts/{artifact['id']}/"), 404, "NOT_FOUND")
    assert ("access.denied", f"artifact {artifact['id']}") in told(await logged(api, db))


async def test_an_entry_that_had_to_wait_for_the_database_says_how_long(
    client: httpx.AsyncClient, api: Api, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await uploaded(client)
    monkeypatch.setattr(trail, "monotonic", itertools.count(0, 60).__next__)
    assert (await client.get(f"/v1/documents/{document['id']}/file/")).status_code == 200
    [entry] = await logged(api, db)
    assert entry["details"]["waited_seconds"] >= 60


async def test_refusals_that_had_to_wait_are_one_entry_all_the_same(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, api: Api, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = await uploaded(stranger)
    monkeypatch.setattr(trail, "monotonic", itertools.count(0, 60).__next__)
    for _ in range(2):
        await client.get(f"/v1/documents/{theirs['id']}/")
    [entry] = [entry for entry in await logged(api, db) if entry["action"] == "access.denied"]
    assert entry["details"]["times"] == 2
    assert entry["details"]["waited_seconds"] >= 60
