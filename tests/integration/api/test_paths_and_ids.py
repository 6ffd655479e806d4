"""Paths with and without the trailing slash, and ids by number or uuid."""

import httpx
import pytest

from tests.support.api import Api
from tests.support.calls import assert_problem, queued, results, upload
from tests.support.work import HandWorker

PATHS = (
    "/v1/documents/",
    "/v1/documents/{document}/",
    "/v1/documents/{document}/file/",
    "/v1/jobs/",
    "/v1/jobs/{job}/",
    "/v1/jobs/{job}/events/",
    "/v1/artifacts/",
    "/v1/artifacts/{artifact}/",
    "/v1/profiles/",
    "/v1/exporters/",
    "/v1/dashboard/summary/",
    "/v1/dashboard/workers/",
    "/healthz/",
    "/readyz/",
    "/metrics/",
    "/schema/",
    "/schema/openapi.json/",
)


@pytest.mark.parametrize("form", ["id", "uuid"])
async def test_both_spellings_and_both_ids_answer_directly(
    client: httpx.AsyncClient, worker: HandWorker, form: str
) -> None:
    job = await queued(client)
    await worker.publish(await worker.claim())
    [document] = await results(client, "/v1/documents/")
    [artifact, _] = await results(client, "/v1/artifacts/")
    for path in PATHS:
        there = path.format(document=document[form], job=job[form], artifact=artifact[form])
        assert (await client.get(there)).status_code == 200, there
        assert (await client.get(there.rstrip("/"))).status_code == 200, there


@pytest.mark.parametrize("slash", ["", "/"])
async def test_writes_answer_both_spellings(client: httpx.AsyncClient, slash: str) -> None:
    sent = await client.post(f"/v1/documents{slash}", files={"file": ("a.pdf", b"%PDF-1.7")}, data={"ingest": "1"})
    assert sent.status_code == 201
    job_id, document_id = sent.json()["job_id"], sent.json()["id"]
    assert (await client.post(f"/v1/jobs/{job_id}/cancel{slash}")).status_code == 200
    assert (await client.post(f"/v1/jobs/{job_id}/retry{slash}")).status_code == 409
    assert (await client.post(f"/v1/jobs{slash}", json={"document_id": document_id})).status_code == 201
    assert (await client.delete(f"/v1/documents/{document_id}{slash}")).status_code == 204


async def test_job_is_started_on_a_document_by_uuid(client: httpx.AsyncClient) -> None:
    document = (await upload(client)).json()
    for ref in (document["uuid"], document["id"], str(document["id"])):
        started = await client.post("/v1/jobs/", json={"document_id": ref})
        assert started.json()["document_id"] == document["id"]


@pytest.mark.parametrize(
    "wrong",
    ["0", "-1", "1e3", "abc", "99999999999999999999999", "\uff19", "00000000-0000-0000-0000-00000000000g", "%00"],
)
async def test_id_that_names_nothing_is_not_found(client: httpx.AsyncClient, wrong: str) -> None:
    for kind in ("documents", "jobs", "artifacts"):
        response = await client.get(f"/v1/{kind}/{wrong}/")
        assert response.status_code == 404
        assert response.json()["error_code"] == "NOT_FOUND"


async def test_unknown_path_is_not_found(api: Api) -> None:
    async with api.anonymous() as client:
        assert_problem(await client.get("/v1/nothing/"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/v1/jobs/"), ("PATCH", "/v1/documents/1/"), ("POST", "/healthz")]
)
async def test_unknown_method_names_the_known_ones(client: httpx.AsyncClient, method: str, path: str) -> None:
    response = await client.request(method, path)
    assert_problem(response, 405, "METHOD_NOT_ALLOWED")
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize("given", ["abc-1.2:3", "x" * 128])
async def test_request_id_comes_back(client: httpx.AsyncClient, given: str) -> None:
    response = await client.get("/v1/jobs/", headers={"X-Request-ID": given})
    assert response.headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", 'a"b', "{}"])
async def test_unusable_request_id_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    response = await client.get("/v1/jobs/0/", headers={"X-Request-ID": given})
    assert response.headers["x-request-id"] not in ("", given)
    assert_problem(response, 404, "NOT_FOUND")


async def test_a_number_that_nothing_can_have_is_told_as_it_was_asked_for(client: httpx.AsyncClient) -> None:
    asked = "99999999999999999999999"
    for kind in ("jobs", "documents", "artifacts", "webhooks"):
        refused = assert_problem(await client.get(f"/v1/{kind}/{asked}/"), 404, "NOT_FOUND")
        assert asked in refused["detail"]
