"""PostgreSQL or Valkey away while the API runs."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import msgspec
import obstore
import pytest

from docrefinery.bootstrap import api as bootstrap_api
from docrefinery.embedded import EmbeddedServices
from docrefinery.settings import Settings, load
from docrefinery.store.migrate import migrate
from tests.support.api import running
from tests.support.calls import a_pdf, assert_problem, job_of, queued, upload
from tests.support.disks import disk, full
from tests.support.faults import family, frozen
from tests.support.waiting import gone, until, until_true


@pytest.fixture(scope="module")
def own_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServices]:
    """PostgreSQL and Valkey that may be killed."""
    with EmbeddedServices(tmp_path_factory.mktemp("own"), durable=False) as services:
        asyncio.run(migrate(services.migration_database_url, services.database_url))
        yield services


@pytest.fixture
def own_settings(own_services: EmbeddedServices, tmp_path: Path) -> Settings:
    """Settings of an installation on them."""
    return msgspec.structs.replace(
        load({}, data_dir=tmp_path), database_url=own_services.database_url, redis_url=own_services.redis_url
    )


@pytest.fixture
async def client(own_settings: Settings, own_services: EmbeddedServices) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API on them."""
    async with running(own_settings) as api, await api.client(tenant=f"t{os.urandom(4).hex()}") as client:
        yield client
    own_services.ensure()


async def kill(services: EmbeddedServices, name: str) -> None:
    pid = next(pid for server, pid in services.pids.items() if name in server.lower())
    os.kill(pid, signal.SIGKILL)
    await until(lambda: gone(pid) or not alive(pid))


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


async def recovered(client: httpx.AsyncClient) -> None:
    async def answers() -> bool:
        return (await client.get("/v1/jobs/")).status_code == 200

    await until_true(answers)


async def test_requests_without_a_database_are_told_to_come_again(
    client: httpx.AsyncClient, own_services: EmbeddedServices, own_settings: Settings
) -> None:
    job = await queued(client)
    await kill(own_services, "postgres")
    for _ in range(3):
        for refused in (
            await client.get(f"/v1/jobs/{job['id']}/"),
            await client.get("/v1/documents/"),
            await client.post(f"/v1/jobs/{job['id']}/cancel/"),
            await upload(client),
        ):
            assert_problem(refused, 503, "UNAVAILABLE")
            assert int(refused.headers["retry-after"]) > 0
    assert (await client.get("/healthz")).status_code == 200
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["database"]["status"]) == (503, "failed")
    await asyncio.to_thread(own_services.ensure)
    await recovered(client)
    assert (await job_of(client, job["id"])) == job
    assert (await upload(client)).status_code == 201


async def test_restarted_database_is_found_again(client: httpx.AsyncClient, own_services: EmbeddedServices) -> None:
    job = await queued(client)
    pid = next(pid for server, pid in own_services.pids.items() if "postgres" in server.lower())
    os.kill(pid, signal.SIGINT)  # fast shutdown: sessions are told that the server goes
    await until(lambda: gone(pid) or not alive(pid))
    assert_problem(await client.get(f"/v1/jobs/{job['id']}/"), 503, "UNAVAILABLE")
    await asyncio.to_thread(own_services.ensure)
    await recovered(client)
    waiting = asyncio.create_task(client.get(f"/v1/jobs/{job['id']}/?wait=30", timeout=40))
    await client.post(f"/v1/jobs/{job['id']}/cancel/")
    assert (await waiting).json()["status"] == "CANCELED"


async def test_request_that_waits_while_the_database_goes_is_answered(
    client: httpx.AsyncClient, own_services: EmbeddedServices
) -> None:
    job = await queued(client)
    waiting = asyncio.create_task(client.get(f"/v1/jobs/{job['id']}/?wait=30", timeout=40))
    await kill(own_services, "postgres")
    answer = await waiting
    assert_problem(answer, 503, "UNAVAILABLE")
    await asyncio.to_thread(own_services.ensure)
    await recovered(client)


async def test_database_that_says_nothing_is_given_up_in_time(
    own_settings: Settings, own_services: EmbeddedServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap_api, "ANSWER_SECONDS", 0.5)
    async with running(own_settings) as api, await api.client(tenant=f"t{os.urandom(4).hex()}") as client:
        job = await queued(client)
        pids = [pid for server, pid in own_services.pids.items() if "postgres" in server.lower()]
        with frozen([process for pid in pids for process in family(pid)]):
            # More than there are connections: those that wait for one are answered as well.
            asked = [client.get(f"/v1/jobs/{job['id']}/") for _ in range(20)]
            async with asyncio.timeout(15):
                for refused in await asyncio.gather(*asked):
                    assert_problem(refused, 503, "UNAVAILABLE")
                    assert int(refused.headers["retry-after"]) > 0
        await recovered(client)
        assert await job_of(client, job["id"]) == job


async def test_upload_while_the_storage_is_full_is_told_to_come_again_and_leaves_nothing(
    own_settings: Settings, own_services: EmbeddedServices, tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    # The disk is smaller than what is kept free by default.
    small = msgspec.structs.replace(own_settings, storage_url=folder.as_uri(), min_free_disk_mb=0)
    with disk(folder, mebibytes=1) as mounted:
        if not mounted:
            pytest.skip("only root may mount a small disk")
        async with running(small) as api, await api.client(tenant=f"t{os.urandom(4).hex()}") as client:
            with full(folder):
                problem = assert_problem(await upload(client, a_pdf() + bytes(100_000)), 503, "UNAVAILABLE")
                assert "storage" in str(problem["detail"])
            assert [path for path in folder.rglob("*") if path.is_file()] == []
            assert (await upload(client)).status_code == 201


async def test_upload_without_a_broker_is_accepted_and_waits(
    client: httpx.AsyncClient, own_services: EmbeddedServices
) -> None:
    await kill(own_services, "valkey")
    job = await queued(client)
    assert job["status"] == "QUEUED"
    started = await client.post("/v1/jobs/", json={"document_id": job["document_id"]})
    assert started.status_code == 201
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "failed")
    failed = [name for name, check in ready.json()["checks"].items() if check["status"] == "failed"]
    assert failed == ["broker"]
    # What needs no broker goes on.
    assert (await client.get(f"/v1/jobs/{job['id']}/")).status_code == 200
    assert (await client.get(f"/v1/documents/{job['document_id']}/file/")).status_code == 200
    await asyncio.to_thread(own_services.ensure)
    assert (await client.get("/readyz")).json()["checks"]["broker"]["status"] == "ok"


async def test_storage_that_cannot_be_written_is_named_and_not_the_database(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(obstore, "open_writer_async", refuses)
    problem = assert_problem(await upload(client, a_pdf()), 503, "UNAVAILABLE")
    assert "storage" in str(problem["detail"])
    assert "database" not in str(problem["detail"])
