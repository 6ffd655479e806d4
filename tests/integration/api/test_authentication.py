"""Who may ask: keys and scopes."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from docrefinery.bootstrap.operator import operator
from docrefinery.model import Scope
from docrefinery.services.keys import new_key
from tests.support.api import Api
from tests.support.calls import assert_problem
from tests.support.waiting import until_true

ENDPOINTS = [
    ("POST", "/v1/documents/", Scope.DOCUMENTS_WRITE),
    ("GET", "/v1/documents/", Scope.DOCUMENTS_READ),
    ("GET", "/v1/documents/1/", Scope.DOCUMENTS_READ),
    ("GET", "/v1/documents/1/file/", Scope.DOCUMENTS_READ),
    ("DELETE", "/v1/documents/1/", Scope.DOCUMENTS_WRITE),
    ("POST", "/v1/jobs/", Scope.DOCUMENTS_WRITE),
    ("GET", "/v1/jobs/", Scope.JOBS_READ),
    ("GET", "/v1/jobs/1/", Scope.JOBS_READ),
    ("GET", "/v1/jobs/1/events/", Scope.JOBS_READ),
    ("POST", "/v1/jobs/1/cancel/", Scope.DOCUMENTS_WRITE),
    ("POST", "/v1/jobs/1/retry/", Scope.DOCUMENTS_WRITE),
    ("POST", "/v1/plan/", Scope.DOCUMENTS_WRITE),
    ("GET", "/v1/artifacts/", Scope.ARTIFACTS_READ),
    ("GET", "/v1/artifacts/1/", Scope.ARTIFACTS_READ),
]
FOR_ANY_KEY = ["/v1/profiles/", "/v1/exporters/"]


async def refusal(api: Api, authorization: str | None) -> dict[str, str]:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with api.anonymous(headers=headers) as client:
        response = await client.get("/v1/jobs/")
    assert response.headers["www-authenticate"] == "Api-Key"
    return assert_problem(response, 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Api-Key",
        "Api-Key ",
        "Bearer {key}",
        "{key}",
        "Api-Key not-a-key",
        "Api-Key {key}x",
        "Api-Key x{key}",
        "Api-Key {key} {key}",
    ],
)
async def test_missing_or_malformed_key_is_refused(api: Api, authorization: str | None) -> None:
    async with await api.client() as client:
        key = client.headers["Authorization"].split()[1]
    await refusal(api, authorization and authorization.format(key=key))


async def test_mistyped_key_is_told_from_an_unknown_one(api: Api) -> None:
    key = new_key().key
    mistyped = key[:20] + ("a" if key[20] != "a" else "b") + key[21:]
    assert "copied" in (await refusal(api, f"Api-Key {mistyped}"))["detail"]


async def test_wellformed_key_that_nobody_made_is_unknown(api: Api) -> None:
    assert "unknown" in (await refusal(api, f"Api-Key {new_key().key}"))["detail"]


async def test_prefix_of_one_key_with_the_secret_of_another_is_unknown(api: Api) -> None:
    async with operator(api.settings) as services:
        await services.tenants.create("acme")
        one, other = [(await services.tenants.issue_key("acme", [Scope.JOBS_READ])).key for _ in range(2)]
    await refusal(api, f"Api-Key {one[:14]}{other[14:]}")


async def test_expired_key_is_refused(api: Api) -> None:
    async with operator(api.settings) as services:
        await services.tenants.create("acme")
        ended = datetime.now(UTC) - timedelta(seconds=1)
        key = (await services.tenants.issue_key("acme", [Scope.JOBS_READ], expires_at=ended)).key
    assert "expired" in (await refusal(api, f"Api-Key {key}"))["detail"]


async def test_revoked_key_is_refused_by_a_running_api(api: Api, client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/jobs/")).status_code == 200
    async with operator(api.settings) as services:
        [key] = await services.tenants.list_keys("acme")
        await services.tenants.revoke_key(key.uuid)

    async def refused() -> bool:
        return (await client.get("/v1/jobs/")).status_code == 401

    await until_true(refused)


async def test_scheme_is_not_case_sensitive(api: Api, client: httpx.AsyncClient) -> None:
    header = client.headers["Authorization"].replace("Api-Key", "API-KEY")
    async with api.anonymous(headers={"Authorization": header}) as other:
        assert (await other.get("/v1/jobs/")).status_code == 200


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
async def test_every_endpoint_names_the_scope_that_a_key_lacks(api: Api, method: str, path: str, scope: Scope) -> None:
    others = tuple(other for other in Scope if other != scope)
    async with await api.client(scopes=others) as client:
        problem = assert_problem(await client.request(method, path), 403, "INSUFFICIENT_SCOPE")
    assert scope in problem["detail"]
    assert problem["required_scope"] == scope


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
async def test_every_endpoint_answers_a_key_with_its_one_scope(api: Api, method: str, path: str, scope: Scope) -> None:
    async with await api.client(scopes=(scope,)) as client:
        assert (await client.request(method, path)).status_code in (200, 400, 404)


@pytest.mark.parametrize("path", [path for _, path, _ in ENDPOINTS] + FOR_ANY_KEY)
async def test_every_endpoint_needs_a_key(api: Api, path: str) -> None:
    method = next((method for method, known, _ in ENDPOINTS if known == path), "GET")
    async with api.anonymous() as client:
        assert_problem(await client.request(method, path), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("path", FOR_ANY_KEY)
async def test_catalog_is_for_any_key(api: Api, path: str) -> None:
    async with await api.client(scopes=(Scope.WEBHOOKS_READ,)) as client:
        assert (await client.get(path)).status_code == 200
