"""What the OpenAPI document says is what the API does (Schemathesis), whatever it is sent, with two tenants' keys."""

import asyncio
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from docrefinery.settings import Settings
from docrefinery.store import claims
from docrefinery.store.database import Database
from tests.support.api import Api, running
from tests.support.calls import queued
from tests.support.hooks import KEYS, LOOPBACK
from tests.support.server import serving
from tests.support.venvs import ROOT
from tests.support.work import HandWorker

EXAMPLES = 6
# What no schema can say: that bytes are a PDF, that options fit, that a host can be resolved, that a key is new.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "403", "404", "409", "416", "422"]

[[operations]]
include-name = "POST /v1/documents/"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "409", "415", "422"]

[[operations]]
include-name = ["POST /v1/jobs/", "POST /v1/plan/"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "403", "404", "409", "422"]

[[operations]]
include-path-regex = "^/v1/webhooks/"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409", "422"]
"""
TABLES = ("documents", "jobs", "artifacts", "webhook_endpoints", "webhook_deliveries")


class Known(Struct):
    """A tenant's key, and ids of what it has."""

    key: str
    ids: list[str]


async def furnished(api: Api, worker: HandWorker, tenant: str) -> Known:
    """Make a tenant with something of everything."""
    ids: list[str] = []
    async with await api.client(tenant=tenant) as client:
        for status in ("SUCCEEDED", "FAILED", "CANCELED"):
            job = await queued(client)
            await worker.to(status)
            ids += [str(job["id"]), job["uuid"], str(job["document_id"])]
        for artifact in (await client.get("/v1/artifacts/")).json()["results"]:
            ids += [str(artifact["id"]), artifact["uuid"]]
        hook = {"name": "a", "url": "http://127.0.0.1:8099/hook"}
        ids += [str((await client.post("/v1/webhooks/", json=hook)).json()["id"]) for _ in range(3)]
        return Known(client.headers["authorization"], ids)


async def prepared(settings: Settings) -> tuple[Known, Known]:
    """Make two tenants."""
    database = Database(settings.database_url, pool_size=2)
    await database.start()
    worker = HandWorker.of(database, settings)
    async with running(settings) as api:
        tenants = await furnished(api, worker, "acme"), await furnished(api, worker, "globex")
    await database.close()
    return tenants


async def owned(settings: Settings, tenant: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row of a tenant."""
    database = Database(settings.migration_database_url, pool_size=1)
    await database.start()
    [found] = await database.fetch("SELECT id FROM tenants WHERE name = $1", tenant)
    rows = {}
    for table in TABLES:
        sql = f"SELECT * FROM {table} WHERE tenant_id = $1 ORDER BY id"
        rows[table] = [dict(row) for row in await database.fetch(sql, found["id"])]
    await database.close()
    return rows


@contextmanager
def working(settings: Settings) -> Iterator[None]:
    """Finish what is queued, so that streams end and nobody waits for nothing."""
    started, over = threading.Event(), threading.Event()

    async def work() -> None:
        database = Database(settings.database_url, pool_size=2)
        await database.start()
        started.set()
        worker = HandWorker.of(database, settings)
        while not over.is_set():
            if await claims.waiting(database, "convert", 1):
                await worker.publish(await worker.claim())
            else:
                await asyncio.to_thread(over.wait, 0.05)
        await database.close()

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    # Piccolo's tables belong to the database that was opened last: the API's, which this thread must not take away.
    assert started.wait(20)
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("tenant", ["acme", "globex"])
def test_api_does_what_its_description_says_and_leaves_the_other_tenant_alone(
    settings: Settings, tmp_path: Path, tenant: str
) -> None:
    settings = msgspec.structs.replace(settings, webhook_allow_nets=LOOPBACK, secret_keys=KEYS[:1])
    acme, globex = asyncio.run(prepared(settings))
    own, other = (acme, "globex") if tenant == "acme" else (globex, "acme")
    before = asyncio.run(owned(settings, other))
    (tmp_path / "st.toml").write_text(CONFIG)
    with working(settings), serving(settings) as server:
        ran = subprocess.run(
            [
                ROOT / ".venv/bin/st", "--config-file", "st.toml", "run", f"{server.url}/schema/openapi.json",
                "--header", f"Authorization: {own.key}", "--checks", "all", "--max-examples", str(EXAMPLES),
                "--seed", "1", "--continue-on-failure", "--no-color", "--suppress-health-check", "all",
            ],
            cwd=tmp_path,
            env=os.environ
            | {
                "SCHEMATHESIS_HOOKS": "tests.integration.contract.hooks",
                "PYTHONPATH": str(ROOT),
                "CONTRACT_IDS": ",".join((*acme.ids, *globex.ids)),
            },
            capture_output=True,
            text=True,
            timeout=220,
            check=False,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2_000:]
    assert asyncio.run(owned(settings, other)) == before
