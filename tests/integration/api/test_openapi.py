"""The API's description of itself."""

import re
from typing import Any

import httpx
import pytest

from docrefinery.model import Scope

OPERATIONS = {
    ("post", "/v1/documents/"),
    ("get", "/v1/documents/"),
    ("get", "/v1/documents/{id}/"),
    ("get", "/v1/documents/{id}/file/"),
    ("delete", "/v1/documents/{id}/"),
    ("post", "/v1/jobs/"),
    ("get", "/v1/jobs/"),
    ("get", "/v1/jobs/{id}/"),
    ("get", "/v1/jobs/{id}/events/"),
    ("post", "/v1/jobs/{id}/cancel/"),
    ("post", "/v1/jobs/{id}/retry/"),
    ("post", "/v1/plan/"),
    ("get", "/v1/artifacts/"),
    ("get", "/v1/artifacts/{id}/"),
    ("post", "/v1/webhooks/"),
    ("get", "/v1/webhooks/"),
    ("get", "/v1/webhooks/{id}/"),
    ("patch", "/v1/webhooks/{id}/"),
    ("put", "/v1/webhooks/{id}/"),
    ("delete", "/v1/webhooks/{id}/"),
    ("post", "/v1/webhooks/{id}/ping/"),
    ("get", "/v1/webhooks/{id}/deliveries/"),
    ("post", "/v1/webhooks/{id}/deliveries/{uuid}/redeliver/"),
    ("get", "/v1/profiles/"),
    ("get", "/v1/exporters/"),
    ("get", "/v1/dashboard/summary"),
    ("get", "/v1/dashboard/workers"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
}


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    """The OpenAPI document."""
    response = await client.get("/schema/openapi.json")
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    }


async def test_paths_are_spelled_as_the_guide_does(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert operations(document).keys() == OPERATIONS


async def test_every_operation_is_described_and_has_an_id_of_its_own(document: dict[str, Any]) -> None:
    described = operations(document)
    for operation in described.values():
        assert operation["description"]
    every = [o["operationId"] for item in document["paths"].values() for o in item.values() if "operationId" in o]
    assert len(set(every)) == len(every)


async def test_versioned_operations_ask_for_a_key(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["ApiKey"]["name"] == "Authorization"
    for (_, path), operation in operations(document).items():
        assert (operation.get("security") == [{"ApiKey": []}]) is path.startswith("/v1/")


async def test_limits_and_expiry_are_told_where_they_are_met(document: dict[str, Any]) -> None:
    described = operations(document)
    for (method, path), operation in described.items():
        told = operation["responses"]
        assert ("429" in told) is path.startswith("/v1/")
        about_one = path.startswith(("/v1/documents/{id}/", "/v1/jobs/{id}/", "/v1/artifacts/{id}/"))
        assert ("410" in told) is (about_one or (method, path) == ("post", "/v1/jobs/"))
        if path.startswith("/v1/"):
            assert told["429"]["headers"].keys() == {"Retry-After", "RateLimit-Policy", "RateLimit"}
            assert told["503"]["headers"].keys() == {"Retry-After"}
    assert "file_expired_at" in document["components"]["schemas"]["DocumentView"]["properties"]


async def test_parameters_and_bodies_are_described(document: dict[str, Any]) -> None:
    described = operations(document)

    def names(method: str, path: str) -> set[str]:
        return {parameter["name"] for parameter in described[method, path].get("parameters", [])}

    assert names("get", "/v1/jobs/") == {
        "status", "stage", "profile", "document_id", "external_uuid", "created_after", "created_before",
        "updated_after", "page_size", "cursor",
    }  # fmt: skip
    assert names("get", "/v1/documents/") == {
        "status", "external_uuid", "sha256", "created_after", "created_before", "page_size", "cursor",
    }  # fmt: skip
    assert names("get", "/v1/artifacts/") == {"job_id", "document_id", "kind", "page_size", "cursor"}
    assert names("get", "/v1/jobs/{id}/") == {"id", "wait", "If-None-Match"}
    upload = described["post", "/v1/documents/"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert upload["properties"].keys() == {"file", "ingest", "options_json", "profile", "external_uuid"}
    job = described["post", "/v1/jobs/"]["requestBody"]["content"]["application/json"]["schema"]
    assert job["properties"].keys() == {"document_id", "profile", "options_json", "external_uuid"}
    assert job["required"] == ["document_id"]
    webhook = described["post", "/v1/webhooks/"]["requestBody"]["content"]["application/json"]["schema"]
    assert webhook["properties"].keys() == {"name", "url", "secret", "events", "enabled"}
    assert webhook["required"] == ["name", "url"]
    patch = described["patch", "/v1/webhooks/{id}/"]["requestBody"]["content"]["application/json"]["schema"]
    assert patch["properties"].keys() == webhook["properties"].keys()
    assert not patch["required"]
    assert names("post", "/v1/webhooks/") == {"Idempotency-Key"}
    assert names("get", "/v1/webhooks/{id}/deliveries/") == {"id", "status", "page_size", "cursor"}
    assert names("post", "/v1/webhooks/{id}/deliveries/{uuid}/redeliver/") == {"id", "uuid"}


async def test_references_lead_somewhere(document: dict[str, Any], client: httpx.AsyncClient) -> None:
    text = (await client.get("/schema/openapi.json")).text
    for name in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert name in document["components"]["schemas"]


async def test_page_for_people_fetches_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("/schema")
    assert page.headers["content-type"].startswith("text/html")
    assert not re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?\s*(?:https?:)?//""", page.text)
    assert "<script" not in page.text
    for _, path in OPERATIONS:
        assert path in page.text


async def test_scopes_are_those_of_the_guide() -> None:
    assert {scope.value for scope in Scope} == {
        "documents:read", "documents:write", "artifacts:read", "jobs:read", "dashboard:read", "webhooks:read",
        "webhooks:write",
    }  # fmt: skip


async def test_catalog_shows_what_is_installed(client: httpx.AsyncClient) -> None:
    profiles = (await client.get("/v1/profiles/")).json()["results"]
    assert [profile["name"] for profile in profiles] == ["fast_text", "ocr_only", "structured", "full_vlm"]
    profile = profiles[0]
    assert profile.keys() == {"name", "summary", "enabled", "exports", "options", "engine", "available", "missing"}
    assert (profile["name"], profile["available"], profile["missing"]) == ("fast_text", True, [])
    exporters = (await client.get("/v1/exporters/")).json()["results"]
    assert {exporter["kind"] for exporter in exporters} == {
        "docling_json", "markdown", "text", "doctags", "chunks_json", "figures_zip",
    }  # fmt: skip
    assert exporters[0].keys() == {"kind", "summary", "content_type", "plugin", "version"}
