"""What an operator does with tenants and keys."""

import hashlib
import json
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from docrefinery.bootstrap.operator import Operator, operator
from docrefinery.errors import InvalidOptions, InvalidRequest, NotFound, Unauthenticated, UnknownProfile
from docrefinery.model import Scope
from docrefinery.services.tenants import number
from docrefinery.settings import Settings
from docrefinery.store.database import Database
from docrefinery.store.tenants import UNLIMITED, Limits
from tests.support.api import Api, running
from tests.support.calls import job_of, queued, upload, uploaded
from tests.support.waiting import until_true


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Operator]:
    """The operator's services."""
    async with operator(settings) as services:
        yield services


@pytest.mark.parametrize("name", ["", "Acme", "-acme", ".acme", "a b", "ä", "a" * 64, "a/b", "a\x00"])
async def test_malformed_name_is_refused(services: Operator, name: str) -> None:
    with pytest.raises(InvalidRequest):
        await services.tenants.create(name)


@pytest.mark.parametrize("name", ["a", "0", "acme", "acme-2.test_x", "a" * 63])
async def test_good_name_is_taken_once(services: Operator, name: str) -> None:
    assert (await services.tenants.create(name)).name == name
    with pytest.raises(InvalidRequest, match="already"):
        await services.tenants.create(name)


async def test_key_works_until_it_is_revoked(services: Operator) -> None:
    await services.tenants.create("acme")
    issued = await services.tenants.issue_key("acme", [Scope.JOBS_READ, Scope.JOBS_READ])
    caller = await services.authenticator.authenticate(issued.key)
    assert (caller.key_id, caller.scopes) == (issued.record.id, frozenset({Scope.JOBS_READ}))
    first = await services.tenants.revoke_key(issued.record.id)
    again = await services.tenants.revoke_key(issued.record.uuid)
    assert first.revoked_at == again.revoked_at is not None
    with pytest.raises(Unauthenticated, match="revoked"):
        await services.authenticator.authenticate(issued.key)


async def test_secret_is_nowhere_in_the_database(services: Operator, db: Database) -> None:
    await services.tenants.create("acme")
    issued = await services.tenants.issue_key("acme", [Scope.JOBS_READ])
    secret = issued.key.split("_")[2][:32]
    [row] = await db.fetch("SELECT api_keys::text AS shown, secret_sha256 FROM api_keys")
    assert row["secret_sha256"] == hashlib.sha256(secret.encode()).digest()
    assert secret not in row["shown"]


async def test_what_does_not_exist_is_named(services: Operator) -> None:
    with pytest.raises(NotFound, match="nobody"):
        await services.tenants.issue_key("nobody", [])
    with pytest.raises(NotFound):
        await services.tenants.revoke_key(0)
    await services.tenants.create("acme")
    with pytest.raises(InvalidRequest, match="jobs:write"):
        await services.tenants.issue_key("acme", ["jobs:write"])


@pytest.mark.parametrize("text", ["{", "[]", '{"exports": ["x"]}', '{"zoom": 1}', '{"ocr_languages": ["tlh"]}'])
async def test_wrong_defaults_are_refused(services: Operator, text: str) -> None:
    await services.tenants.create("acme")
    with pytest.raises(InvalidOptions):
        await services.tenants.set("acme", option_text=text, profile=None)
    with pytest.raises(InvalidOptions):
        await services.tenants.issue_key("acme", [], option_text=text)


async def test_unknown_default_profile_is_refused(services: Operator) -> None:
    await services.tenants.create("acme")
    with pytest.raises(UnknownProfile):
        await services.tenants.set("acme", option_text=None, profile="nope")


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    """The API, which runs while the operator works."""
    async with running(settings) as api:
        yield api


async def test_defaults_are_layered_and_take_effect_at_once(api: Api, services: Operator) -> None:
    async with await api.client() as client:
        document = await uploaded(client)

        async def effective(**body: object) -> dict[str, object]:
            started = await client.post("/v1/jobs/", json={"document_id": document["id"], **body})
            assert started.status_code == 201, started.text
            return dict(started.json())

        async def uses(profile: str | None) -> bool:
            return (await effective())["profile"] == profile

        assert (await effective())["options"]["max_num_pages"] == 0  # type: ignore[index]
        await services.tenants.set(
            "acme", option_text=json.dumps({"max_num_pages": 7, "ocr": False, "exports": ["text"]}), profile=None
        )
        issued = await services.tenants.issue_key("acme", list(Scope), option_text='{"max_num_pages": 8}')
        client.headers["Authorization"] = f"Api-Key {issued.key}"
        job = await effective()
        assert job["exports"] == ["text"]
        assert job["options"] | {"max_num_pages": 8, "ocr": False, "do_ocr": False} == job["options"]  # type: ignore[operator]
        asked = await effective(options_json={"max_num_pages": 9}, profile="fast_text")
        assert asked["options"]["max_num_pages"] == 9  # type: ignore[index]
        assert asked["exports"] == ["text", "markdown", "doctags"]
        await services.tenants.set("acme", option_text=None, profile="fast_text")
        await until_true(lambda: uses("fast_text"))
        await services.tenants.set("acme", option_text="{}", profile="")
        await until_true(lambda: uses(None))
        job = await effective()
        assert (job["profile"], job["exports"]) == (None, ["markdown", "text", "doctags"])
        assert job["options"]["ocr"] is True  # type: ignore[index]


async def test_profile_replaces_the_exports_of_the_request(api: Api) -> None:
    async with await api.client() as client:
        job = await queued(client, profile="fast_text", options_json='{"exports": ["chunks_json"]}')
        assert (await job_of(client, job["id"]))["exports"] == ["text", "markdown", "doctags"]


async def test_what_a_key_brings_along_can_be_changed(services: Operator) -> None:
    await services.tenants.create("acme")
    issued = await services.tenants.issue_key("acme", [], name="old", option_text='{"max_num_pages": 3}')
    changed = await services.tenants.set_key(issued.record.id, name="new", profile="fast_text")
    assert (changed.name, changed.default_profile, bytes(changed.options)) == (
        "new",
        "fast_text",
        b'{"max_num_pages": 3}',
    )
    again = await services.tenants.set_key(issued.record.uuid, option_text="{}", profile="")
    assert (again.name, again.default_profile, bytes(again.options)) == ("new", None, b"{}")
    caller = await services.authenticator.authenticate(issued.key)
    assert (caller.defaults.profile, bytes(caller.defaults.key)) == (None, b"{}")


async def test_a_key_takes_no_wrong_defaults(services: Operator) -> None:
    await services.tenants.create("acme")
    key = (await services.tenants.issue_key("acme", [])).record.id
    with pytest.raises(InvalidOptions):
        await services.tenants.set_key(key, option_text='{"zoom": 1}')
    with pytest.raises(UnknownProfile, match="did you mean `fast_text`"):
        await services.tenants.set_key(key, profile="fast_txt")
    with pytest.raises(NotFound):
        await services.tenants.set_key(0, name="nobody's")


@pytest.mark.parametrize(
    ("name", "text", "means"),
    [
        ("max_queued_jobs", "5", 5),
        ("max_queued_jobs", "0", 0),
        ("max_queued_jobs", "default", 0),
        ("max_queued_jobs", " Unlimited", UNLIMITED),
        ("max_pages", "unlimited", 0),
        ("max_pages", "default", 0),
        ("max_pages", None, None),
    ],
)
def test_limits_are_numbers_or_words(name: str, text: str | None, means: int | None) -> None:
    assert number(name, text) == means


@pytest.mark.parametrize("text", ["", "-1", "1.5", "none", "²", "1000000001", "9" * 30])
def test_other_limits_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="unlimited, or default"):
        number("max_pages", text)


async def test_a_tenant_without_a_quota_of_its_own_has_the_installations_and_an_unlimited_one_none(
    services: Operator, settings: Settings
) -> None:
    limited = msgspec.structs.replace(settings, max_queued_jobs=1, requests_per_minute=1000)

    async def answers(client: httpx.AsyncClient, status: int) -> bool:
        return (await upload(client, ingest="true")).status_code == status

    async with running(limited) as api, await api.client() as client:
        await queued(client)
        assert await answers(client, 429)
        await services.tenants.set("acme", limits=Limits(max_queued_jobs=UNLIMITED, requests_per_minute=UNLIMITED))
        await until_true(lambda: answers(client, 201))
        assert "ratelimit" not in (await client.get("/v1/profiles/")).headers
        await services.tenants.set("acme", limits=Limits(max_queued_jobs=0, requests_per_minute=0))
        await until_true(lambda: answers(client, 429))
