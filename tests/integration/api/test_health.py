"""``/healthz``, ``/readyz``, ``/metrics`` and the internal token."""

import asyncio
import socket
from collections.abc import AsyncIterator
from importlib.metadata import version

import httpx
import msgspec
import pytest

from docrefinery.capabilities import Measure
from docrefinery.settings import Settings
from docrefinery.store import schema
from docrefinery.store.database import Database
from tests.support.alive import fall_silent, say_alive
from tests.support.api import Api, running
from tests.support.calls import assert_problem, queued

TOKEN = "a token with ünicode & signs"
PATHS = ["/healthz", "/readyz", "/metrics"]


@pytest.fixture
async def guarded(settings: Settings) -> AsyncIterator[Api]:
    """The API of an installation with an internal token."""
    async with running(msgspec.structs.replace(settings, internal_endpoints_token=TOKEN)) as api:
        yield api


@pytest.mark.parametrize("path", PATHS)
async def test_token_is_asked_for_where_one_is_set(guarded: Api, path: str) -> None:
    async with guarded.anonymous() as client:
        refusals = [
            await client.get(path),
            await client.get(path, headers={"X-Internal-Token": "wrong"}),
            await client.get(path, params={"token": "wrong"}),
            await client.get(path, headers={"X-Internal-Token": ""}),
            await client.get(path, headers=[(b"X-Internal-Token", b"\xff\xfe")]),
            await client.get(path, headers=[(b"Authorization", b"Bearer " + TOKEN.encode())]),
        ]
        problems = [assert_problem(refused, 403, "INTERNAL_TOKEN_REQUIRED") for refused in refusals]
        assert len({problem["detail"] for problem in problems}) == 1
        assert "wrong" not in refusals[1].text


@pytest.mark.parametrize("path", PATHS)
async def test_token_opens_by_header_and_by_query(guarded: Api, path: str) -> None:
    async with guarded.anonymous() as client:
        assert (await client.get(path, headers=[(b"X-Internal-Token", TOKEN.encode())])).status_code == 200
        assert (await client.get(path, params={"token": TOKEN})).status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_token_set_nobody_is_asked(api: Api, path: str) -> None:
    async with api.anonymous() as client:
        assert (await client.get(path)).status_code == 200


async def test_token_in_the_query_reaches_no_log(guarded: Api, capfd: pytest.CaptureFixture[str]) -> None:
    async with guarded.anonymous() as client:
        await client.get("/readyz", params={"token": "sesame-open"})
    assert "sesame" not in "".join(capfd.readouterr())


async def test_healthz_tells_versions(client: httpx.AsyncClient) -> None:
    health = (await client.get("/healthz")).json()
    assert health["status"] == "ok"
    assert health["docling_version"] == version("docling-slim")


async def test_readyz_tells_of_each_part(client: httpx.AsyncClient, db: Database) -> None:
    ready = (await client.get("/readyz")).json()
    assert {name: check["status"] for name, check in ready["checks"].items()} == {
        "database": "ok",
        "migrations": "ok",
        "broker": "ok",
        "storage": "ok",
        "scanner": "degraded",
        "workers": "degraded",
        "models": "degraded",
        "jail": "ok",
    }
    assert ready["status"] == "degraded"
    assert all(check["detail"] for check in ready["checks"].values())
    await say_alive(db)
    assert (await client.get("/readyz")).json()["checks"]["workers"]["status"] == "ok"


async def test_readyz_tells_of_a_queue_in_which_jobs_wait_that_no_worker_takes(
    client: httpx.AsyncClient, db: Database
) -> None:
    async def said() -> str:
        check = (await client.get("/readyz")).json()["checks"]["workers"]
        return f"{check['status']}: {check['detail']}"

    worker = await say_alive(db, queues=["fast", "webhooks", "maintenance"])
    await queued(client, profile="fast_text")
    assert await said() == "ok: 1 alive"
    await queued(client, profile="ocr_only")
    assert "--queues ocr`" in await said()
    await say_alive(db, queues=["ocr"])
    assert await said() == "ok: 2 alive"
    await say_alive(db, worker, queues=["fast"])
    assert "--queues webhooks,maintenance`" in await said()
    # One of the version before looks after all of it.
    await say_alive(db, queues=["convert", "webhooks"])
    assert await said() == "ok: 3 alive"


async def test_readyz_tells_what_keeps_converters_apart_and_what_does_not(
    client: httpx.AsyncClient, db: Database
) -> None:
    async def jail() -> dict[str, str]:
        check: dict[str, str] = (await client.get("/readyz")).json()["checks"]["jail"]
        return check

    assert await jail() == {"status": "ok", "detail": "no converter has started yet"}
    worker = await say_alive(db, jail=(Measure("network"), Measure("files")))
    assert await jail() == {"status": "ok", "detail": "every measure holds"}
    await say_alive(db, jail=(Measure("network"), Measure("files", "no Landlock: take a newer kernel")))
    assert await jail() == {"status": "degraded", "detail": "files: no Landlock: take a newer kernel"}
    await fall_silent(db)
    await say_alive(db, worker, jail=(Measure("network", "no namespaces"),))
    assert await jail() == {"status": "degraded", "detail": "network: no namespaces"}


async def test_a_scanner_that_hangs_is_asked_once_and_degrades_no_more_than_itself(settings: Settings) -> None:
    """Each check holds a thread; a daemon that accepts and never answers must not use up those of the other checks."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as daemon:
        address = f"127.0.0.1:{daemon.getsockname()[1]}"
        environ = {"DOCREFINERY_CLAMD_ADDRESS": address}
        chosen = msgspec.structs.replace(settings, clamd_address=address, environ=environ)
        async with running(chosen) as api, api.anonymous() as client:
            answers = await asyncio.gather(*(client.get("/readyz") for _ in range(40)))
        daemon.setblocking(False)
        daemon.accept()[0].close()
        with pytest.raises(BlockingIOError):
            daemon.accept()
    for answer in answers:
        assert answer.status_code == 200
        statuses = {name: check["status"] for name, check in answer.json()["checks"].items()}
        assert statuses["scanner"] == "degraded"
        assert "failed" not in statuses.values()


async def test_service_without_migrations_is_not_ready(settings: Settings, api: Api) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "LATEST", "2999-01-01T00:00:00:000000")
        async with api.anonymous() as client:
            response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["status"] == "failed"
    assert "docrefinery migrate" in response.json()["checks"]["migrations"]["detail"]


async def test_metrics_count_jobs_and_requests(client: httpx.AsyncClient) -> None:
    await queued(client)
    await client.get("/readyz")
    metrics = await client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=")
    lines = metrics.text.splitlines()
    assert 'docrefinery_jobs{status="QUEUED"} 1.0' in lines
    assert "docrefinery_workers 0.0" in lines
    assert any(
        line.startswith('docrefinery_http_requests_total{method="POST",route="/v1/documents",status="201"}')
        for line in lines
    )
    # Alerts leave probes out by these names.
    assert any(line.startswith('docrefinery_http_requests_total{method="GET",route="/readyz"') for line in lines)
