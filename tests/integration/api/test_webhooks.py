"""``/v1/webhooks/``."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import structlog

from docrefinery.services.webhooks.courier import Courier
from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support import hooks
from tests.support.api import Api, running
from tests.support.calls import assert_problem, pointers, queued, results
from tests.support.receivers import answers, receiving

URL = "http://93.184.216.34/hook"
NOBODY = "00000000-0000-4000-8000-000000000000"
ASKED = {"name": "My App", "url": URL}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of an installation that may send to this machine."""
    return msgspec.structs.replace(settings, webhook_allow_nets=hooks.LOOPBACK, secret_keys=hooks.KEYS[:1])


@pytest.fixture
async def courier(db: Database, settings: Settings) -> AsyncIterator[Courier]:
    """What delivers."""
    async with hooks.delivering(db, settings) as courier:
        yield courier


async def registered(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """Register an endpoint."""
    response = await client.post("/v1/webhooks/", json=ASKED | fields)
    assert response.status_code == 201, response.text
    endpoint: dict[str, Any] = response.json()
    return endpoint


async def test_registration_of_the_guide(client: httpx.AsyncClient) -> None:
    asked = ASKED | {"secret": "supersecret", "events": ["job.updated"], "enabled": True}
    response = await client.post("/v1/webhooks/", json=asked)
    assert response.status_code == 201
    endpoint = response.json()
    assert response.headers["location"] == f"/v1/webhooks/{endpoint['id']}/"
    assert "supersecret" not in response.text
    assert list(endpoint) == [
        "id", "uuid", "name", "url", "events", "enabled", "has_secret", "disabled_reason", "created_at", "modified_at",
    ]  # fmt: skip
    assert {name: endpoint[name] for name in ("name", "url", "events", "enabled", "has_secret", "disabled_reason")} == {
        "name": "My App",
        "url": URL,
        "events": ["job.updated"],
        "enabled": True,
        "has_secret": True,
        "disabled_reason": None,
    }
    for ref in (endpoint["id"], endpoint["uuid"]):
        assert (await client.get(f"/v1/webhooks/{ref}/")).json() == endpoint
    assert await results(client, "/v1/webhooks/") == [endpoint]


async def test_defaults(client: httpx.AsyncClient) -> None:
    endpoint = await registered(client)
    assert (endpoint["events"], endpoint["enabled"], endpoint["has_secret"]) == (["job.updated"], True, False)


async def test_secret_is_encrypted_at_rest(client: httpx.AsyncClient, db: Database) -> None:
    await client.post("/v1/webhooks/", json=ASKED | {"secret": "supersecret"}, headers={"Idempotency-Key": "k"})
    [row] = await db.fetch("SELECT secret FROM webhook_endpoints")
    assert b"supersecret" not in row["secret"]
    [remembered] = await db.fetch("SELECT outcome::text, fingerprint FROM idempotency_records")
    assert 'secret": "' not in remembered["outcome"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["/name", "/url"]),
        ({"name": "", "url": URL}, ["/name"]),
        ({"name": "a\u0000b", "url": URL}, ["/name"]),
        ({"name": "x" * 201, "url": URL}, ["/name"]),
        ({"name": 1, "url": 2, "secret": 3, "events": 4, "enabled": 5},
         ["/enabled", "/events", "/name", "/secret", "/url"]),
        (ASKED | {"secret": ""}, ["/secret"]),
        (ASKED | {"events": []}, ["/events"]),
        (ASKED | {"events": ["job.deleted"]}, ["/events"]),
        (ASKED | {"events": ["job.updated", "*"]}, ["/events"]),
        (ASKED | {"events": None}, ["/events"]),
        (ASKED | {"enabled": "yes"}, ["/enabled"]),
        (ASKED | {"url": None}, ["/url"]),
        (ASKED | {"urls": [], "id": 7}, ["/id", "/urls"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_every_wrong_field_is_named(
    client: httpx.AsyncClient, body: dict[str, Any], wrong: list[str], method: str
) -> None:
    url = "/v1/webhooks/" if method == "POST" else f"/v1/webhooks/{(await registered(client))['id']}/"
    problem = assert_problem(await client.request(method, url, json=body), 400, "INVALID_REQUEST")
    assert pointers(problem) == wrong


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[]", b'"x"', b"null", b'{"name": "\\ud800", "url": "x"}'])
async def test_body_that_is_no_object_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    assert_problem(await client.post("/v1/webhooks/", content=content), 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://3232235521/",
        "http://[::ffff:10.0.0.1]/",
        "http://user:pw@93.184.216.34/",
        "http://93.184.216.34:22/",
        "http://does-not-exist.invalid/",
        "nonsense",
    ],
)
async def test_url_that_leads_inside_is_refused_wherever_it_is_given(client: httpx.AsyncClient, url: str) -> None:
    endpoint = await registered(client)
    path = f"/v1/webhooks/{endpoint['id']}/"
    for response in (
        await client.post("/v1/webhooks/", json=ASKED | {"url": url}),
        await client.patch(path, json={"url": url}),
        await client.put(path, json=ASKED | {"url": url}),
    ):
        problem = assert_problem(response, 400, "INVALID_WEBHOOK_URL")
        assert pointers(problem) == ["/url"]
    assert (await client.get(path)).json() == endpoint
    assert len(await results(client, "/v1/webhooks/")) == 1


async def test_patch_changes_what_is_given(client: httpx.AsyncClient) -> None:
    endpoint = await registered(client, secret="one")
    path = f"/v1/webhooks/{endpoint['id']}/"

    async def patched(**change: Any) -> dict[str, Any]:
        response = await client.patch(path, json=change)
        assert response.status_code == 200, response.text
        changed: dict[str, Any] = response.json()
        return {name: value for name, value in changed.items() if endpoint[name] != value and name != "modified_at"}

    assert await patched() == {}
    assert await patched(name="Other") == {"name": "Other"}
    assert await patched(name="My App", secret="two") == {}
    assert await patched(secret=None) == {"has_secret": False}
    assert await patched(secret="three") == {}
    assert await patched(enabled=False) == {"enabled": False}
    assert await patched(enabled=True, url=URL + "/x") == {"url": URL + "/x"}
    bodies: tuple[dict[str, Any], ...] = ({"name": None}, {"enabled": None}, {"has_secret": False}, {"events": []})
    for body in bodies:
        assert_problem(await client.patch(path, json=body), 400, "INVALID_REQUEST")


async def test_put_replaces_the_whole(client: httpx.AsyncClient) -> None:
    endpoint = await registered(client, secret="one", enabled=False)
    response = await client.put(f"/v1/webhooks/{endpoint['uuid']}/", json=ASKED | {"name": "New"})
    assert response.status_code == 200
    now = response.json()
    assert (now["id"], now["name"], now["enabled"], now["has_secret"]) == (endpoint["id"], "New", True, False)


async def test_delete_removes_endpoint_and_log(client: httpx.AsyncClient, db: Database) -> None:
    endpoint = await registered(client)
    await client.post(f"/v1/webhooks/{endpoint['id']}/ping/")
    response = await client.delete(f"/v1/webhooks/{endpoint['id']}/")
    assert (response.status_code, response.content) == (204, b"")
    assert_problem(await client.get(f"/v1/webhooks/{endpoint['id']}/"), 404, "NOT_FOUND")
    assert_problem(await client.delete(f"/v1/webhooks/{endpoint['id']}/"), 404, "NOT_FOUND")
    assert await hooks.deliveries_of(db) == []


@pytest.mark.parametrize("form", ["id", "uuid"])
async def test_what_belongs_to_another_tenant_does_not_exist(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, form: str
) -> None:
    theirs = await registered(stranger)
    delivery = (await stranger.post(f"/v1/webhooks/{theirs['id']}/ping/")).json()
    ours = await registered(client)
    path = f"/v1/webhooks/{theirs[form]}/"
    for method, url in (
        ("GET", path),
        ("DELETE", path),
        ("POST", f"{path}ping/"),
        ("GET", f"{path}deliveries/"),
        ("POST", f"{path}deliveries/{delivery['uuid']}/redeliver/"),
        ("POST", f"/v1/webhooks/{ours[form]}/deliveries/{delivery['uuid']}/redeliver/"),
    ):
        assert_problem(await client.request(method, url), 404, "NOT_FOUND")
    assert_problem(await client.patch(path, json={"name": "mine"}), 404, "NOT_FOUND")
    assert_problem(await client.put(path, json=ASKED), 404, "NOT_FOUND")
    assert await results(client, "/v1/webhooks/") == [ours]
    assert (await stranger.get(path)).json() == theirs


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/webhooks/", "webhooks:write"),
        ("GET", "/v1/webhooks/", "webhooks:read"),
        ("GET", "/v1/webhooks/1/", "webhooks:read"),
        ("PATCH", "/v1/webhooks/1/", "webhooks:write"),
        ("PUT", "/v1/webhooks/1/", "webhooks:write"),
        ("DELETE", "/v1/webhooks/1/", "webhooks:write"),
        ("POST", "/v1/webhooks/1/ping/", "webhooks:write"),
        ("GET", "/v1/webhooks/1/deliveries/", "webhooks:read"),
        ("POST", f"/v1/webhooks/1/deliveries/{NOBODY}/redeliver/", "webhooks:write"),
    ],
)  # fmt: skip
async def test_scope_is_asked_for(api: Api, method: str, path: str, scope: str) -> None:
    other = {"webhooks:write": "webhooks:read", "webhooks:read": "webhooks:write"}[scope]
    async with await api.client(scopes=(other,)) as client:
        problem = assert_problem(await client.request(method, path), 403, "INSUFFICIENT_SCOPE")
        assert problem["required_scope"] == scope


@pytest.mark.parametrize("ref", ["0", "nonsense", "99999999999999999999", NOBODY])
async def test_unknown_endpoint_and_delivery_are_not_found(client: httpx.AsyncClient, ref: str) -> None:
    assert_problem(await client.get(f"/v1/webhooks/{ref}/"), 404, "NOT_FOUND")
    endpoint = await registered(client)
    url = f"/v1/webhooks/{endpoint['id']}/deliveries/{ref}/redeliver/"
    assert_problem(await client.post(url), 404, "NOT_FOUND")


async def test_registration_sent_again_gets_the_first_answer(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "hook-1"}
    asked = ASKED | {"secret": "supersecret"}
    first, second = [await client.post("/v1/webhooks/", json=asked, headers=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]
    assert len(await results(client, "/v1/webhooks/")) == 1
    for other in ({"secret": "another"}, {"secret": None}, {"name": "x"}, {"enabled": False}):
        response = await client.post("/v1/webhooks/", json=asked | other, headers=key)
        assert_problem(response, 422, "IDEMPOTENCY_KEY_REUSED")


async def test_ping_sent_again_gets_the_first_answer(client: httpx.AsyncClient) -> None:
    endpoint = await registered(client)
    key = {"Idempotency-Key": "ping-1"}
    url = f"/v1/webhooks/{endpoint['id']}/ping/"
    first, second = [await client.post(url, headers=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert len(await results(client, f"/v1/webhooks/{endpoint['id']}/deliveries/")) == 1


async def test_ping_arrives(client: httpx.AsyncClient, courier: Courier) -> None:
    with receiving() as receiver:
        endpoint = await registered(client, url=receiver.url, secret=hooks.SECRET)
        response = await client.post(f"/v1/webhooks/{endpoint['id']}/ping/")
        assert response.status_code == 202
        delivery = response.json()
        assert list(delivery) == [
            "uuid", "event", "job_id", "status", "attempts", "response_status", "error", "created_at",
            "next_attempt_at", "delivered_at",
        ]  # fmt: skip
        assert (delivery["event"], delivery["job_id"], delivery["status"]) == ("ping", None, "PENDING")
        await hooks.deliver(courier)
        [received] = receiver.received
    assert received.headers["x-docrefinery-event"] == received.event["event"] == "ping"
    assert received.headers["webhook-id"] == delivery["uuid"]
    assert received.event["webhook_id"] == endpoint["id"]
    [now] = await results(client, f"/v1/webhooks/{endpoint['uuid']}/deliveries/")
    assert (now["uuid"], now["status"], now["attempts"], now["response_status"]) == (
        delivery["uuid"], "DELIVERED", 1, 200,
    )  # fmt: skip


async def test_redelivery_sends_the_same_bytes_under_the_same_id(client: httpx.AsyncClient, courier: Courier) -> None:
    with receiving() as receiver:
        endpoint = await registered(client, url=receiver.url, secret=hooks.SECRET)
        job = await queued(client)
        await client.post(f"/v1/jobs/{job['id']}/cancel/")
        await hooks.deliver(courier)
        [delivery] = await results(client, f"/v1/webhooks/{endpoint['id']}/deliveries/")
        assert (delivery["event"], delivery["job_id"], delivery["status"]) == ("job.updated", job["id"], "DELIVERED")
        url = f"/v1/webhooks/{endpoint['id']}/deliveries/{delivery['uuid']}/redeliver/"
        receiver.script = [answers(500)]
        response = await client.post(url)
        assert response.status_code == 202
        assert (response.json()["uuid"], response.json()["status"]) == (delivery["uuid"], "PENDING")
        assert response.json()["delivered_at"] is None
        await hooks.deliver(courier)
        await hooks.deliver(courier)
        [failing] = await results(client, f"/v1/webhooks/{endpoint['id']}/deliveries/")
        assert (failing["status"], failing["attempts"]) == ("PENDING", 2), "the schedule began anew"
        assert (await client.post(url)).status_code == 202
        await hooks.deliver(courier)
        assert len({(r.body, r.headers["webhook-id"]) for r in receiver.received}) == 1
        assert len(receiver.received) == 3


async def test_redelivery_neither_waits_for_other_events_nor_holds_them_up(
    client: httpx.AsyncClient, db: Database, courier: Courier
) -> None:
    with receiving() as receiver:
        endpoint = await registered(client, url=receiver.url)
        job = await queued(client)
        await client.post(f"/v1/jobs/{job['id']}/cancel/")
        await hooks.deliver(courier)
        [first] = await hooks.deliveries_of(db)
        # Another event of the job is waiting behind one that fails.
        await db.fetch(
            """INSERT INTO webhook_deliveries (tenant_id, endpoint_id, event, job_id, sequence, next_attempt_at)
               SELECT tenant_id, endpoint_id, event, job_id, sequence, now() + interval '1 hour'
               FROM webhook_deliveries"""
        )
        receiver.otherwise = answers(500)
        await client.post(f"/v1/webhooks/{endpoint['id']}/deliveries/{first['uuid']}/redeliver/")
        await hooks.deliver(courier)
        assert len(receiver.received) == 2
        receiver.otherwise = answers(200)
        await db.fetch("UPDATE webhook_deliveries SET next_attempt_at = now() WHERE id > $1", first["id"])
        await hooks.deliver(courier)
        assert {d["status"] for d in await hooks.deliveries_of(db)} == {"DELIVERED"}


async def test_log_comes_in_pages_newest_first_and_by_status(client: httpx.AsyncClient, db: Database) -> None:
    endpoint = await registered(client)
    url = f"/v1/webhooks/{endpoint['id']}/"
    made = [(await client.post(f"{url}ping/")).json()["uuid"] for _ in range(5)]
    response = (await client.get(f"{url}deliveries/", params={"page_size": 2})).json()
    seen = [delivery["uuid"] for delivery in response["results"]]
    while response["next"]:
        response = (await client.get(response["next"])).json()
        seen += [delivery["uuid"] for delivery in response["results"]]
    assert seen == made[::-1]
    await db.fetch("UPDATE webhook_deliveries SET status = 'FAILED', next_attempt_at = NULL WHERE uuid = $1", made[1])
    for status, found in (("FAILED", [made[1]]), ("DELIVERED", []), ("PENDING,FAILED", made[::-1])):
        assert [d["uuid"] for d in await results(client, f"{url}deliveries/", status=status)] == found
    assert_problem(await client.get(f"{url}deliveries/", params={"status": "LOST"}), 400, "INVALID_FILTER")
    assert_problem(await client.get(f"{url}deliveries/", params={"x": "1"}), 400, "INVALID_FILTER")
    assert_problem(await client.get("/v1/webhooks/", params={"page_size": "0"}), 400, "INVALID_FILTER")


async def test_disabling_fails_what_is_pending_and_enabling_starts_afresh(
    client: httpx.AsyncClient, db: Database, courier: Courier
) -> None:
    with receiving() as receiver:
        receiver.otherwise = answers(500)
        endpoint = await registered(client, url=receiver.url)
        path = f"/v1/webhooks/{endpoint['id']}/"
        job = await queued(client)
        await client.post(f"/v1/jobs/{job['id']}/cancel/")
        await hooks.deliver(courier)
        assert (await client.patch(path, json={"enabled": False})).json()["disabled_reason"] is None
        [delivery] = await results(client, f"{path}deliveries/")
        assert (delivery["status"], delivery["next_attempt_at"]) == ("FAILED", None)
        assert "disabled" in delivery["error"]
        other = await queued(client)
        await client.post(f"/v1/jobs/{other['id']}/cancel/")
        assert len(await results(client, f"{path}deliveries/")) == 1
        receiver.otherwise = answers(410)
        await client.patch(path, json={"enabled": True})
        await client.post(f"{path}ping/")
        await hooks.deliver(courier)
        gone = (await client.get(path)).json()
        assert (gone["enabled"], "410" in gone["disabled_reason"]) == (False, True)
        receiver.otherwise = answers(200)
        await client.post(f"{path}ping/")
        await hooks.deliver(courier)
        assert receiver.events[-1]["event"] == "ping", "a disabled endpoint can be tried out"
        assert (await client.get(path)).json()["enabled"] is False
        again = (await client.put(path, json=ASKED | {"url": receiver.url})).json()
        assert (again["enabled"], again["disabled_reason"]) == (True, None)
    [row] = await db.fetch("SELECT failing_since FROM webhook_endpoints")
    assert row["failing_since"] is None


async def test_new_url_is_tried_at_once(client: httpx.AsyncClient, courier: Courier) -> None:
    with receiving() as wrong, receiving() as right:
        wrong.otherwise = answers(404)
        endpoint = await registered(client, url=wrong.url)
        await client.post(f"/v1/webhooks/{endpoint['id']}/ping/")
        await hooks.deliver(courier)
        await client.patch(f"/v1/webhooks/{endpoint['id']}/", json={"url": right.url})
        await hooks.deliver(courier)
        assert len(right.received) == 1


async def test_without_keys_a_secret_is_refused_and_an_endpoint_without_one_is_not(settings: Settings) -> None:
    async with running(msgspec.structs.replace(settings, secret_keys=())) as api, await api.client() as client:
        refused = await client.post("/v1/webhooks/", json=ASKED | {"secret": "supersecret"})
        problem = assert_problem(refused, 400, "INVALID_REQUEST")
        assert pointers(problem) == ["/secret"]
        assert "DOCREFINERY_SECRET_KEYS" in problem["detail"]
        endpoint = await registered(client)
        refused = await client.patch(f"/v1/webhooks/{endpoint['id']}/", json={"secret": "supersecret"})
        assert_problem(refused, 400, "INVALID_REQUEST")


async def test_secret_is_in_no_log_line(client: httpx.AsyncClient, courier: Courier) -> None:
    with structlog.testing.capture_logs() as lines, receiving() as receiver:
        endpoint = await registered(client, url=receiver.url, secret="supersecret")
        await client.post("/v1/webhooks/", json={"secret": "supersecret"})
        await client.post(f"/v1/webhooks/{endpoint['id']}/ping/")
        await hooks.deliver(courier)
    assert lines
    assert "supersecret" not in str(lines)


async def test_changes_and_events_at_once_do_not_lock_each_other_out(
    client: httpx.AsyncClient, courier: Courier
) -> None:
    with receiving() as receiver:
        endpoint = await registered(client, url=receiver.url)
        jobs = [await queued(client) for _ in range(8)]

        async def switch() -> list[int]:
            path = f"/v1/webhooks/{endpoint['id']}/"
            return [(await client.patch(path, json={"enabled": enabled})).status_code for enabled in (False, True) * 4]

        async def cancel() -> list[int]:
            return [(await client.post(f"/v1/jobs/{job['id']}/cancel/")).status_code for job in jobs]

        async def carry() -> list[int]:
            for _ in range(10):
                await hooks.deliver(courier)
            return []

        codes = await asyncio.gather(switch(), cancel(), carry(), carry())
    assert {code for some in codes for code in some} == {200}
