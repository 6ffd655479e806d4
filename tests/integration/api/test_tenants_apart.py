"""What belongs to another tenant does not exist."""

import httpx
import pytest

from tests.support.calls import assert_problem, queued, results, uploaded
from tests.support.work import HandWorker


@pytest.fixture
async def theirs(stranger: httpx.AsyncClient, worker: HandWorker) -> dict[str, dict[str, object]]:
    """A document, a job and an artifact of another tenant."""
    job = await queued(stranger)
    await worker.publish(await worker.claim())
    [document] = await results(stranger, "/v1/documents/")
    [artifact, _] = await results(stranger, "/v1/artifacts/")
    return {"document": document, "job": job, "artifact": artifact}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/documents/{document}/"),
        ("GET", "/v1/documents/{document}/file/"),
        ("DELETE", "/v1/documents/{document}/"),
        ("GET", "/v1/jobs/{job}/"),
        ("GET", "/v1/jobs/{job}/events/"),
        ("POST", "/v1/jobs/{job}/cancel/"),
        ("POST", "/v1/jobs/{job}/retry/"),
        ("GET", "/v1/artifacts/{artifact}/"),
    ],
)
@pytest.mark.parametrize("form", ["id", "uuid"])
async def test_foreign_object_is_not_found(
    client: httpx.AsyncClient, theirs: dict[str, dict[str, object]], method: str, path: str, form: str
) -> None:
    there = path.format(**{name: value[form] for name, value in theirs.items()})
    assert_problem(await client.request(method, there), 404, "NOT_FOUND")


async def test_delete_of_a_foreign_document_leaves_it(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, theirs: dict[str, dict[str, object]]
) -> None:
    url = f"/v1/documents/{theirs['document']['id']}/"
    await client.delete(url)
    assert (await stranger.get(url)).status_code == 200


@pytest.mark.parametrize("form", ["id", "uuid"])
async def test_job_on_a_foreign_document_is_not_found(
    client: httpx.AsyncClient, theirs: dict[str, dict[str, object]], form: str
) -> None:
    response = await client.post("/v1/jobs/", json={"document_id": theirs["document"][form]})
    assert_problem(response, 404, "NOT_FOUND")


@pytest.mark.parametrize("form", ["id", "uuid"])
@pytest.mark.parametrize(
    ("url", "name", "of"),
    [
        ("/v1/jobs/", "document_id", "document"),
        ("/v1/artifacts/", "document_id", "document"),
        ("/v1/artifacts/", "job_id", "job"),
    ],
)
async def test_foreign_id_in_a_filter_gives_an_empty_list(
    client: httpx.AsyncClient, theirs: dict[str, dict[str, object]], url: str, name: str, of: str, form: str
) -> None:
    response = await client.get(url, params={name: str(theirs[of][form])})
    assert response.json() == {"next": None, "previous": None, "results": []}


@pytest.mark.parametrize("url", ["/v1/documents/", "/v1/jobs/", "/v1/artifacts/"])
async def test_lists_show_the_own_tenant_alone(
    client: httpx.AsyncClient, theirs: dict[str, dict[str, object]], url: str
) -> None:
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
