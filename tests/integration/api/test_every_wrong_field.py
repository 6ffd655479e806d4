"""A refusal names every wrong field, also those that different parts of the service look at."""

import json
from typing import Any

import httpx
import pytest

from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support.alive import say_alive
from tests.support.api import Api, running
from tests.support.calls import a_pdf, assert_nothing_left, assert_problem, pointers, upload, uploaded

URL = "http://93.184.216.34/hook"
WRONG = {"exports": ["nope"], "max_num_pages": -1}
OPTIONS = ["/options_json/exports/0", "/options_json/max_num_pages"]
ASKED: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"external_uuid": "zz", "options_json": WRONG}, "INVALID_REQUEST", ["/external_uuid", *OPTIONS]),
    ({"external_uuid": "zz", "options_json": "{"}, "INVALID_REQUEST", ["/external_uuid", "/options_json"]),
    ({"external_uuid": "zz", "profile": "nope"}, "INVALID_REQUEST", ["/external_uuid", "/profile"]),
    (
        {"external_uuid": "zz", "profile": "nope", "options_json": WRONG},
        "INVALID_REQUEST",
        ["/external_uuid", *OPTIONS, "/profile"],
    ),
    ({"profile": "nope", "options_json": WRONG}, "INVALID_OPTIONS", [*OPTIONS, "/profile"]),
    ({"profile": "nope", "options_json": "{"}, "INVALID_OPTIONS", ["/options_json", "/profile"]),
    ({"profile": "nope", "options_json": "[]"}, "INVALID_OPTIONS", ["/options_json", "/profile"]),
    (
        {"profile": "nope", "options_json": {"ocr_languages": ["xx-nonsense"]}},
        "UNKNOWN_PROFILE",
        ["/options_json/ocr_languages/0", "/profile"],
    ),
]


@pytest.mark.parametrize(("fields", "code", "wrong"), ASKED)
async def test_upload_names_its_fields_options_and_profile_together(
    client: httpx.AsyncClient,
    db: Database,
    settings: Settings,
    fields: dict[str, Any],
    code: str,
    wrong: list[str],
) -> None:
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    assert pointers(assert_problem(await upload(client, fields=form), 400, code)) == wrong
    await assert_nothing_left(db, settings)


@pytest.mark.parametrize(("fields", "code", "wrong"), ASKED)
async def test_job_and_plan_name_their_fields_options_and_profile_together(
    client: httpx.AsyncClient, fields: dict[str, Any], code: str, wrong: list[str]
) -> None:
    document = await uploaded(client)
    refused = await client.post("/v1/jobs/", json={"document_id": document["id"], **fields})
    assert pointers(assert_problem(refused, 400, code)) == wrong
    planned = await client.post("/v1/plan/", json=fields)
    assert pointers(assert_problem(planned, 400, code)) == wrong


async def test_upload_without_its_file_names_the_other_fields_too(client: httpx.AsyncClient) -> None:
    fields = {"external_uuid": "zz", "profile": "nope", "options_json": json.dumps(WRONG)}
    response = await client.post("/v1/documents/", files={name: (None, text) for name, text in fields.items()})
    problem = assert_problem(response, 400, "INVALID_REQUEST")
    assert problem["detail"] == "The field `file` is missing; it is the PDF."
    assert pointers(problem) == ["/external_uuid", "/file", *OPTIONS, "/profile"]


async def test_job_of_wrong_types_and_unknown_fields_names_its_options_too(client: httpx.AsyncClient) -> None:
    body = {"document_id": "x", "color": 1, "profile": 7, "options_json": WRONG}
    problem = assert_problem(await client.post("/v1/jobs/", json=body), 400, "INVALID_REQUEST")
    assert pointers(problem) == ["/color", "/document_id", *OPTIONS, "/profile"]


async def test_a_language_that_is_not_installed_joins_the_fields_of_the_form(
    client: httpx.AsyncClient, db: Database
) -> None:
    await say_alive(db, ocr=None)
    refused = await upload(client, ingest="perhaps", options_json='{"ocr_languages": ["de"]}')
    problem = assert_problem(refused, 400, "INVALID_REQUEST")
    assert pointers(problem) == ["/ingest", "/options_json/ocr_languages/0"]


async def test_one_wrong_thing_is_answered_as_by_itself(client: httpx.AsyncClient) -> None:
    for profile in ({"profile": "nope"}, {"profile": "nope", "options_json": "{}"}):
        problem = assert_problem(await upload(client, fields=profile), 400, "UNKNOWN_PROFILE")
        assert problem["detail"].startswith("There is no profile `nope`; there are fast_text, ")
        assert "errors" not in problem
    problem = assert_problem(await upload(client, external_uuid="zz"), 400, "INVALID_REQUEST")
    assert problem["detail"] == "The form cannot be read: `external_uuid` is not a uuid."
    assert problem["errors"] == [{"pointer": "/external_uuid", "detail": "is not a uuid"}]


async def test_a_default_profile_that_is_gone_is_no_field_of_the_request(api: Api, db: Database) -> None:
    async with await api.client() as client:
        await db.fetch("UPDATE api_keys SET default_profile = 'gone'")
        problem = assert_problem(await upload(client, options_json=json.dumps(WRONG)), 400, "INVALID_OPTIONS")
        assert pointers(problem) == OPTIONS
        assert_problem(await upload(client, a_pdf()), 400, "UNKNOWN_PROFILE")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_webhook_names_what_is_wrong_with_its_url_beside_the_others(
    client: httpx.AsyncClient, method: str
) -> None:
    url = "/v1/webhooks/"
    if method != "POST":
        url += str((await client.post(url, json={"name": "My App", "url": URL})).json()["id"]) + "/"
    body = {"name": "", "url": "ftp://x", "events": ["a", "job.updated", "b", "a"]}
    problem = assert_problem(await client.request(method, url, json=body), 400, "INVALID_REQUEST")
    assert {error["pointer"]: error["detail"] for error in problem["errors"]} == {
        "/name": "Expected `str` of length >= 1",
        "/url": "must begin with https:// or http://",
        "/events": "Invalid enum value 'a'; Invalid enum value 'b'",
    }
    body = {"name": "a", "url": "http://10.0.0.1/", "colour": "red"}
    problem = assert_problem(await client.request(method, url, json=body), 400, "INVALID_REQUEST")
    assert pointers(problem) == ["/colour", "/url"]


async def test_webhook_names_a_secret_that_cannot_be_kept_beside_its_url(settings: Settings) -> None:
    async with running(settings) as api, await api.client() as client:
        made = (await client.post("/v1/webhooks/", json={"name": "My App", "url": URL})).json()
        wrong = {"name": "My App", "url": "ftp://x", "secret": "supersecret"}
        for method, path in (("POST", ""), ("PUT", f"{made['id']}/"), ("PATCH", f"{made['id']}/")):
            url = f"/v1/webhooks/{path}"
            problem = assert_problem(await client.request(method, url, json=wrong), 400, "INVALID_WEBHOOK_URL")
            assert pointers(problem) == ["/secret", "/url"]
            refused = await client.request(method, url, json=wrong | {"enabled": "perhaps"})
            problem = assert_problem(refused, 400, "INVALID_REQUEST")
            assert pointers(problem) == ["/enabled", "/secret", "/url"]
        assert (await client.get(f"/v1/webhooks/{made['id']}/")).json() == made


async def test_a_long_list_of_wrong_events_is_answered_in_bounds(client: httpx.AsyncClient) -> None:
    body = {"name": "My App", "url": URL, "events": [f"event {i}" for i in range(20_000)]}
    response = await client.post("/v1/webhooks/", json=body)
    assert pointers(assert_problem(response, 400, "INVALID_REQUEST")) == ["/events"]
    assert len(response.content) < 4096
    many = await client.post("/v1/webhooks/", json={**body, "events": ["a"] * 20 + ["b"]})
    [event] = assert_problem(many, 400, "INVALID_REQUEST")["errors"]
    assert event["detail"] == "Invalid enum value 'a'; Invalid enum value 'b'"


async def test_a_filter_names_each_wrong_value_beside_the_other_filters(client: httpx.AsyncClient) -> None:
    params = {"status": "LOST,FAILED,GONE", "document_id": "x", "created_after": "yesterday", "size": "1"}
    problem = assert_problem(await client.get("/v1/jobs/", params=params), 400, "INVALID_FILTER")
    assert pointers(problem) == ["/created_after", "/document_id", "/size", "/status"]
    details = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert details["/status"].startswith("`LOST`, `GONE` are none of QUEUED, ")
    problem = assert_problem(await client.get("/v1/jobs/", params={"status": "LOST"}), 400, "INVALID_FILTER")
    assert problem["errors"][0]["detail"].startswith("`LOST` is none of QUEUED, ")
