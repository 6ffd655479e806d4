"""What belongs to another tenant does not exist."""

import httpx
import msgspec
import pytest

from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support import hooks, statements
from tests.support.across_tenants import ACROSS_TENANTS
from tests.support.calls import assert_problem, queued, results, uploaded
from tests.support.queries import sent
from tests.support.routes import Call, Json, calls
from tests.support.work import HandWorker


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of an installation where webhooks may lead anywhere: nothing is sent."""
    return msgspec.structs.replace(settings, webhook_allow_nets=hooks.LOOPBACK)


async def with_everything(client: httpx.AsyncClient, worker: HandWorker) -> dict[str, Json]:
    """Make an object of each kind for a tenant."""
    webhook = await client.post("/v1/webhooks/", json={"name": "a", "url": "http://127.0.0.1:8009/"})
    assert webhook.status_code == 201, webhook.text
    job = await queued(client)
    await worker.publish(await worker.claim())
    [document] = await results(client, "/v1/documents/")
    [artifact, _] = await results(client, "/v1/artifacts/")
    [delivery, *_] = await results(client, f"/v1/webhooks/{webhook.json()['id']}/deliveries/")
    return {
        "document": document,
        "job": job,
        "artifact": artifact,
        "webhook": webhook.json(),
        # Named by its uuid alone.
        "delivery": {"uuid": delivery["uuid"]},
    }


@pytest.fixture
async def theirs(stranger: httpx.AsyncClient, worker: HandWorker) -> dict[str, Json]:
    """An object of each kind, of another tenant."""
    return await with_everything(stranger, worker)


@pytest.fixture
async def every_call(client: httpx.AsyncClient, theirs: dict[str, Json], worker: HandWorker) -> list[Call]:
    """A request to every route that takes an id, with an id of the other tenant's."""
    ours = await with_everything(client, worker)
    return calls((await client.get("/schema/openapi.json")).json(), theirs, ours)


async def answers(client: httpx.AsyncClient, call: Call) -> httpx.Response:
    return await client.request(call.method, call.path, params=call.query or None, json=call.body)


async def test_what_is_another_tenants_does_not_exist_at_any_route(
    client: httpx.AsyncClient, every_call: list[Call]
) -> None:
    assert {call.path.split("/")[2] for call in every_call} == {"documents", "jobs", "artifacts", "webhooks"}
    for call in every_call:
        answer = await answers(client, call)
        if call.filters:
            assert answer.json() == {"next": None, "previous": None, "results": []}, call
        elif call.method == "head":
            assert answer.status_code == 404, call
        else:
            assert_problem(answer, 404, "NOT_FOUND")


async def test_its_owner_gets_at_it_by_the_same_requests(stranger: httpx.AsyncClient, every_call: list[Call]) -> None:
    """Or a 404 to others would prove nothing. Deleting a second time is the one 404."""
    deleted = set()
    for call in every_call:
        if call.mixed:
            continue
        answer = await answers(stranger, call)
        if call.method == "delete":
            deleted.add((call.path.split("/")[2], answer.status_code))
        elif call.filters:
            assert answer.json()["results"], call
        else:
            assert answer.status_code != 404, (call, answer.text)
    assert deleted == {(kind, status) for kind in ("documents", "webhooks") for status in (204, 404)}


async def test_every_statement_is_about_the_tenant_that_asks(
    stranger: httpx.AsyncClient, db: Database, every_call: list[Call]
) -> None:
    row = await db.fetch_one("SELECT id FROM tenants WHERE name = 'globex'")
    assert row is not None
    known = {found.sql for found in statements.written() if found.place in ACROSS_TENANTS}
    with sent() as everything:
        for url in ("/v1/documents/", "/v1/jobs/", "/v1/artifacts/", "/v1/webhooks/", "/v1/profiles/"):
            await results(stranger, url)
        for url in ("/v1/dashboard/summary", "/v1/dashboard/workers", "/v1/jobs/?updated_after=2020-01-01"):
            assert (await stranger.get(url)).status_code == 200
        await queued(stranger)
        for call in every_call:
            await answers(stranger, call)
    held = 0
    for sql, args in everything:
        said = " ".join(sql.split())
        if said not in known:
            assert statements.unheld(said) == [], said
        for number in statements.own_parameters(said):
            held += 1
            assert args[number - 1] == row["id"], said
    assert held > 50


@pytest.mark.parametrize("url", ["/v1/documents/", "/v1/jobs/", "/v1/artifacts/", "/v1/webhooks/"])
async def test_lists_show_the_own_tenant_alone(client: httpx.AsyncClient, theirs: dict[str, Json], url: str) -> None:
    assert await results(client, url) == []


async def test_two_tenants_may_have_the_same_file(client: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    content = b"%PDF-1.7 the same bytes"
    assert (await uploaded(client, content))["sha256"] == (await uploaded(stranger, content))["sha256"]


async def test_two_tenants_may_use_the_same_idempotency_key(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    headers = {"Idempotency-Key": "1"}
    first, second = [
        await caller.post("/v1/documents/", files={"file": ("a.pdf", b"%PDF-1.7 one")}, headers=headers)
        for caller in (client, stranger)
    ]
    assert first.json()["id"] != second.json()["id"]
    assert "idempotency-replayed" not in second.headers
