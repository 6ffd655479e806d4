"""What the walls between tenants cost a poll: the API as it is, and one without them, by turns on one database."""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

import httpx
import msgspec

from bench.load import requests_per_second
from docrefinery.bootstrap import api, common
from docrefinery.bootstrap.operator import operator
from docrefinery.cli.app import app
from docrefinery.cli.sample import sample_pdf
from docrefinery.embedded import EmbeddedServices
from docrefinery.model import Scope
from docrefinery.settings import Settings, load
from docrefinery.store import jobs
from docrefinery.store.database import Database
from docrefinery.store.migrate import migrate
from docrefinery.store.records import JobRecord, Ref

ROUNDS = 7
SECONDS = 2.0
WITHOUT = "WITHOUT_WALLS"


async def _bare_get(db: Database, tenant_id: int, ref: Ref) -> JobRecord | None:
    """Read a job as it would be read if there were no walls."""
    column = "uuid" if isinstance(ref, UUID) else "id"
    row = await db.fetch_one(f"SELECT * FROM job_views WHERE tenant_id = $1 AND {column} = $2", tenant_id, ref)
    return JobRecord.of(row) if row else None


def _bare_database_of(settings: Settings, **_: object) -> Database:
    return common.database_of(settings, walled=False)


def _serve() -> None:
    """Be an API process, without walls if the environment says so: as the owner, who is not held to anything."""
    if os.environ.get(WITHOUT):
        jobs.get = _bare_get
        vars(api)["database_of"] = _bare_database_of
    app()


@contextmanager
def _running(environ: dict[str, str]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bench.walls", "api", "--port", str(port)]
    with subprocess.Popen(command, env=os.environ | environ, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            while True:
                try:
                    httpx.get(f"{url}/healthz", trust_env=False)
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()


async def _key(environ: dict[str, str]) -> str:
    async with operator(load(environ)) as services:
        await services.tenants.create("acme")
        return (await services.tenants.issue_key("acme", list(Scope))).key


def polls_with_and_without_walls() -> dict[str, float]:
    """Return rates, and what is left of those without walls."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        services = stack.enter_context(EmbeddedServices(Path(folder)))
        asyncio.run(migrate(services.migration_database_url, services.database_url))
        environ = {
            "DATABASE_URL": services.database_url,
            "REDIS_URL": services.redis_url,
            "DOCREFINERY_DATA_DIR": folder,
        }
        key = asyncio.run(_key(environ))
        walled = stack.enter_context(_running(environ))
        bare = stack.enter_context(_running(environ | {"DATABASE_URL": services.migration_database_url, WITHOUT: "1"}))
        with httpx.Client(base_url=walled, headers={"Authorization": f"Api-Key {key}"}, trust_env=False) as client:
            answer = client.post(
                "/v1/documents/", files={"file": ("a.pdf", sample_pdf(), "application/pdf")}, data={"ingest": "true"}
            )
        made = answer.raise_for_status().json()
        polled = _by_turns(walled, bare, f"/v1/jobs/{made['job_id']}/", key)
        read = _by_turns(walled, bare, f"/v1/documents/{made['id']}/", key)
    return {
        "polls/s with walls": polled[0],
        "walls: what is left of the rate of polls": polled[1],
        "documents read/s with walls": read[0],
        "walls: what is left of the rate of reading documents": read[1],
    }


def _by_turns(walled: str, bare: str, path: str, key: str) -> tuple[float, float]:
    """Return the rate with walls, and its share of the one without."""
    rates: dict[str, list[float]] = {walled: [], bare: []}
    for number in range(ROUNDS + 1):
        for url in (walled, bare) if number % 2 else (bare, walled):
            rates[url].append(requests_per_second(url + path, key, SECONDS))
    # The first round warms up.
    pairs = zip(rates[walled][1:], rates[bare][1:], strict=True)
    return statistics.median(rates[walled][1:]), statistics.median(ours / theirs for ours, theirs in pairs)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _serve()
    else:
        print(msgspec.json.encode(polls_with_and_without_walls()).decode())
