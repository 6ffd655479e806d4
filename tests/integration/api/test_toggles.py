"""Profiles that the operator switches off for a tenant, while the API runs."""

from collections.abc import AsyncIterator

import httpx
import pytest

from docrefinery.bootstrap.operator import Operator, operator
from docrefinery.errors import NotFound, UnknownProfile
from docrefinery.services import keys
from docrefinery.settings import Settings
from docrefinery.store import toggles
from docrefinery.store.database import Database
from tests.support.calls import assert_problem, job_of, queued, results, upload, uploaded
from tests.support.queries import recorded
from tests.support.waiting import until_true
from tests.support.work import HandWorker

PROFILE = "fast_text"


@pytest.fixture(autouse=True)
def lasting_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no cached key run out: what changes is what the API has heard of."""
    monkeypatch.setattr(keys, "_CACHED_SECONDS", 3600.0)


@pytest.fixture
async def services(settings: Settings, client: httpx.AsyncClient) -> AsyncIterator[Operator]:
    """The operator's services, after the tenant ``acme`` was made."""
    async with operator(settings) as services:
        yield services


async def until_enabled_is(client: httpx.AsyncClient, enabled: bool) -> None:
    """Wait until the API has heard of the change."""

    async def shown() -> bool:
        profiles = {profile["name"]: profile["enabled"] for profile in await results(client, "/v1/profiles/")}
        return profiles[PROFILE] is enabled

    await until_true(shown)


async def test_a_profile_is_refused_as_soon_as_it_is_disabled(client: httpx.AsyncClient, services: Operator) -> None:
    document = await uploaded(client)
    await until_enabled_is(client, True)
    assert not (await services.toggles.disable("acme", PROFILE)).enabled
    await until_enabled_is(client, False)
    body = {"document_id": document["id"], "profile": PROFILE}
    problem = assert_problem(await client.post("/v1/jobs/", json=body), 403, "PROFILE_DISABLED")
    assert PROFILE in problem["detail"]
    assert_problem(await upload(client, ingest="true", profile=PROFILE), 403, "PROFILE_DISABLED")
    assert_problem(await upload(client, profile=PROFILE), 403, "PROFILE_DISABLED")
    assert (await client.post("/v1/jobs/", json={"document_id": document["id"]})).status_code == 201
    await services.toggles.enable("acme", PROFILE)
    await until_enabled_is(client, True)
    assert (await client.post("/v1/jobs/", json=body)).status_code == 201


async def test_a_disabled_profile_is_refused_as_a_default_too(client: httpx.AsyncClient, services: Operator) -> None:
    await services.tenants.set("acme", profile=PROFILE)
    await services.toggles.disable("acme", PROFILE)
    await until_enabled_is(client, False)
    assert_problem(await upload(client, ingest="true"), 403, "PROFILE_DISABLED")
    document = await uploaded(client)
    assert_problem(await client.post("/v1/jobs/", json={"document_id": document["id"]}), 403, "PROFILE_DISABLED")


async def test_what_was_refused_leaves_nothing(client: httpx.AsyncClient, services: Operator, db: Database) -> None:
    await services.toggles.disable("acme", PROFILE)
    await until_enabled_is(client, False)
    assert_problem(await upload(client, ingest="true", profile=PROFILE), 403, "PROFILE_DISABLED")
    for table in ("documents", "jobs", "unreferenced_blobs"):
        assert not await db.fetch(f"SELECT * FROM {table}")


async def test_other_tenants_are_not_touched(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, services: Operator
) -> None:
    await services.toggles.disable("acme", PROFILE)
    await until_enabled_is(client, False)
    await until_enabled_is(stranger, True)
    assert (await upload(stranger, ingest="true", profile=PROFILE)).status_code == 201


async def test_accepted_jobs_run_on_and_may_be_retried(
    client: httpx.AsyncClient, services: Operator, worker: HandWorker
) -> None:
    job = await queued(client, profile=PROFILE)
    await services.toggles.disable("acme", PROFILE)
    await until_enabled_is(client, False)
    await worker.fail(await worker.claim())
    assert (await client.post(f"/v1/jobs/{job['id']}/retry/")).status_code == 202
    await worker.publish(await worker.claim())
    assert (await job_of(client, job["id"]))["status"] == "SUCCEEDED"


async def test_what_does_not_exist_is_named(services: Operator) -> None:
    with pytest.raises(UnknownProfile, match="did you mean `fast_text`"):
        await services.toggles.disable("acme", "fasttext")
    with pytest.raises(UnknownProfile, match=r"`zzz`; there are .*fast_text"):
        await services.toggles.enable("acme", "zzz")
    for act in (services.toggles.enable, services.toggles.disable):
        with pytest.raises(NotFound, match="nobody"):
            await act("nobody", PROFILE)
    with pytest.raises(NotFound, match="nobody"):
        await services.toggles.list("nobody")


async def test_a_profile_whose_plugin_is_gone_stays_listed_until_it_is_enabled(
    services: Operator, db: Database
) -> None:
    tenant = await services.tenants.get("acme")
    await toggles.disable(db, tenant.id, "left_us")
    gone = (await services.toggles.list("acme"))[-1]
    assert (gone.name, gone.enabled, gone.plugin) == ("left_us", False, None)
    with pytest.raises(UnknownProfile, match="`left_us`"):
        await services.toggles.enable("acme", "left_uss")
    assert (await services.toggles.enable("acme", "left_us")).enabled
    assert "left_us" not in [toggle.name for toggle in await services.toggles.list("acme")]


async def test_switching_twice_changes_nothing(services: Operator) -> None:
    for _ in range(2):
        await services.toggles.disable("acme", PROFILE)
    assert not next(t for t in await services.toggles.list("acme") if t.name == PROFILE).enabled
    for _ in range(2):
        assert (await services.toggles.enable("acme", PROFILE)).enabled


async def test_a_submission_asks_for_no_toggles(client: httpx.AsyncClient) -> None:
    """They come with the key's row, which is cached."""
    document = await uploaded(client)
    with recorded() as asked:
        started = await client.post("/v1/jobs/", json={"document_id": document["id"], "profile": PROFILE})
    assert started.status_code == 201
    assert asked
    assert [sql for sql in asked if "disabled_profiles" in sql] == []
