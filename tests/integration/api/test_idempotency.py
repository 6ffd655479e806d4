"""``Idempotency-Key``: a request that is sent again has one outcome."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from docrefinery.settings import Settings
from docrefinery.store import idempotency
from docrefinery.store.database import Database
from tests.support.calls import a_pdf, assert_problem, queued, results, stored_files, upload, uploaded

KEY = {"Idempotency-Key": "order-17"}


async def test_upload_sent_again_gets_the_first_answer(
    client: httpx.AsyncClient, db: Database, settings: Settings
) -> None:
    content = a_pdf()
    first, second = [await upload(client, content, ingest="true", headers=KEY) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert len(await results(client, "/v1/jobs/")) == 1
    assert len(stored_files(settings)) == 1
    assert not await db.fetch("SELECT FROM unreferenced_blobs")


async def test_outcome_that_the_release_before_kept_is_replayed(client: httpx.AsyncClient, db: Database) -> None:
    content = a_pdf()
    first = await upload(client, content, headers=KEY)
    later = ["data_key", "file_expired_at"]
    kept = await db.fetch(
        "UPDATE idempotency_records SET outcome = outcome #- $1 #- $2 RETURNING outcome::text",
        *(["document", name] for name in later),
    )
    assert not any(name in kept[0]["outcome"] for name in later)
    second = await upload(client, content, headers=KEY)
    assert (second.status_code, second.json()) == (201, first.json())
    assert second.headers["idempotency-replayed"] == "true"


async def test_duplicate_answer_is_replayed_too(client: httpx.AsyncClient) -> None:
    content = a_pdf()
    document = await uploaded(client, content)
    first, second = [await upload(client, content, headers=KEY) for _ in range(2)]
    assert assert_problem(first, 409, "DUPLICATE_DOCUMENT")["existing"]["document_id"] == document["id"]
    assert assert_problem(second, 409, "DUPLICATE_DOCUMENT")["existing"] == first.json()["existing"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"


async def test_job_sent_again_gets_the_first_answer(client: httpx.AsyncClient) -> None:
    document = await uploaded(client)
    body = {"document_id": document["id"], "profile": "fast_text", "options_json": {"zoom": {"a": 1, "b": 2}}}
    first = await client.post("/v1/jobs/", json=body, headers=KEY)
    await client.post(f"/v1/jobs/{first.json()['id']}/cancel/")
    second = await client.post("/v1/jobs/", json=body, headers=KEY)
    assert second.status_code == 201
    assert second.json() == first.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert len(await results(client, "/v1/jobs/")) == 1


async def test_order_of_members_and_spelling_of_the_options_do_not_matter(client: httpx.AsyncClient) -> None:
    document = await uploaded(client)
    answers = [
        await client.post("/v1/jobs/", headers=KEY, content=body.replace("ID", str(document["id"])))
        for body in (
            '{"document_id": ID, "options_json": {"max_num_pages": 1, "zoom": {"a": 1, "b": 2}}}',
            '{"options_json": {"zoom": {"b": 2, "a": 1}, "max_num_pages": 1}, "document_id":ID, "profile": null}',
            json.dumps({"document_id": document["id"], "options_json": '{"zoom":{"b":2,"a":1},"max_num_pages":1}'}),
        )
    ]
    assert [answer.status_code for answer in answers] == [201] * 3, answers[-1].text
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_other_file_or_fields_under_the_same_key_are_refused(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    content = a_pdf()
    await upload(client, content, headers=KEY)
    for other in (
        await upload(client, headers=KEY),
        await upload(client, content, ingest="true", headers=KEY),
        await upload(client, content, options_json='{"ocr": true}', headers=KEY),
        await client.post("/v1/jobs/", json={"document_id": 1}, headers=KEY),
    ):
        assert_problem(other, 422, "IDEMPOTENCY_KEY_REUSED")
    assert len(stored_files(settings)) == 1


async def test_file_name_and_spelling_of_a_boolean_are_no_other_request(client: httpx.AsyncClient) -> None:
    content = a_pdf()
    await upload(client, content, ingest="1", headers=KEY)
    again = await upload(client, content, ingest="TRUE", name="b.pdf", headers=KEY)
    assert again.headers["idempotency-replayed"] == "true"


async def test_failing_request_is_not_remembered(client: httpx.AsyncClient) -> None:
    assert_problem(await upload(client, profile="nope", headers=KEY), 400, "UNKNOWN_PROFILE")
    assert_problem(await client.post("/v1/jobs/", json={"document_id": 0}, headers=KEY), 404, "NOT_FOUND")
    assert (await upload(client, headers=KEY)).status_code == 201


@asynccontextmanager
async def held(settings: Settings, key: str, tenant_id: int) -> AsyncIterator[None]:
    """Hold a key in a transaction, as a request does that is being worked on."""
    other = Database(settings.database_url, pool_size=1)
    await other.start()
    async with other.transaction():
        assert await idempotency.try_lock(other, tenant_id, key)
        yield
    await other.close()


async def test_key_that_is_being_worked_on_is_refused_at_once(
    client: httpx.AsyncClient, db: Database, settings: Settings
) -> None:
    document = await uploaded(client)
    [tenant] = await db.fetch("SELECT id FROM tenants")
    async with held(settings, "order-17", tenant["id"]):
        for refused in (
            await upload(client, headers=KEY),
            await client.post("/v1/jobs/", json={"document_id": document["id"]}, headers=KEY),
        ):
            assert_problem(refused, 409, "IDEMPOTENCY_IN_PROGRESS")
            assert refused.headers["retry-after"] == "1"
        assert (await upload(client, headers={"Idempotency-Key": "order-18"})).status_code == 201
    assert (await upload(client, headers=KEY)).status_code == 201


async def test_many_at_once_make_one_document_and_one_job(client: httpx.AsyncClient, settings: Settings) -> None:
    content = a_pdf()
    answers = await asyncio.gather(*(upload(client, content, ingest="1", headers=KEY) for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    refused = [answer.json()["error_code"] for answer in answers if answer.status_code == 409]
    assert set(refused) <= {"IDEMPOTENCY_IN_PROGRESS"}
    assert len(await results(client, "/v1/jobs/")) == 1
    assert len(stored_files(settings)) == 1


async def test_same_bytes_many_times_at_once_make_one_document(client: httpx.AsyncClient, settings: Settings) -> None:
    content = a_pdf()
    answers = await asyncio.gather(*(upload(client, content, ingest="1") for _ in range(10)))
    [document] = [answer.json() for answer in answers if answer.status_code == 201]
    for answer in answers:
        if answer.status_code != 201:
            existing = assert_problem(answer, 409, "DUPLICATE_DOCUMENT")["existing"]
            assert existing == {name: document[name] for name in ("document_id", "uuid", "job_id")}
    assert len(stored_files(settings)) == 1


@pytest.mark.parametrize(("age", "remembered"), [("23 hours 59 minutes", True), ("24 hours 1 second", False)])
async def test_key_is_remembered_for_a_day(
    client: httpx.AsyncClient, settings: Settings, age: str, remembered: bool
) -> None:
    job = await queued(client)
    body = {"document_id": job["document_id"]}
    first = await client.post("/v1/jobs/", json=body, headers=KEY)
    connection = await asyncpg.connect(settings.migration_database_url)
    await connection.execute(f"UPDATE idempotency_records SET created_at = now() - interval '{age}'")
    await connection.close()
    again = await client.post("/v1/jobs/", json=body, headers=KEY)
    assert (again.json()["id"] == first.json()["id"]) is remembered
    assert ("idempotency-replayed" in again.headers) is remembered
