"""Many workers and a million jobs a day, without documents: what a job costs PostgreSQL and Valkey, and where they end.

``python -m bench.simulation`` runs two things and prints what docs/scaling.md says of them:

1. a real installation with real uploads: commits, log, commands and files for each job, and what an idle one does;
2. workers that convert nothing and are otherwise real (claims, stages, heartbeats, publications, webhooks, all through
   the store's own code) against a database of their own, as fast as they can, with and without connections that listen.
"""

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import psutil
import redis
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.service import FINISHED, running, upload
from docrefinery.cli.sample import sample_pdf
from docrefinery.embedded import EmbeddedServices, locate, postgres
from docrefinery.model import JOB_QUEUES, JobStatus, Stage
from docrefinery.services.changes import CANCELS, KEYS
from docrefinery.store import claims, deliveries, documents, garbage, jobs, tenants, wall
from docrefinery.store.artifacts import NewArtifact
from docrefinery.store.database import Database
from docrefinery.store.migrate import migrate
from docrefinery.store.records import ClaimRecord

REAL_JOBS = 60
IDLE_SECONDS = 10
FAKE_JOBS = 500
BEATS = 3
WORKERS = (1, 4, 16, 100)
CONNECTIONS = 24
"""Of the workers together: they are one process here, and wait for a connection rather than for the server."""
LISTENING = 100
"""One for each of 100 workers."""
TENANTS = 20
LEASE = timedelta(seconds=15)
KINDS = ("docling_json", "markdown", "text", "doctags")
_numbers = itertools.count(1)


class Counters(Struct):
    """What servers have done so far."""

    commits: int
    wal_bytes: int
    commands: int
    server_seconds: float

    def since(self, before: "Counters", idle: "Counters | None" = None, share: float = 0) -> "Counters":
        """Return what was done since, without what an idle installation does in that time."""
        own = [getattr(self, name) - getattr(before, name) for name in self.__struct_fields__]
        free = [getattr(idle, name) * share if idle else 0 for name in self.__struct_fields__]
        return Counters(*(one - other for one, other in zip(own, free, strict=True)))


async def _counted(url: str, redis_url: str, home: Path) -> Counters:
    owner = await asyncpg.connect(url)
    # The counters of a connection are added up when it is idle.
    await owner.execute("SELECT pg_stat_clear_snapshot()")
    row = await owner.fetchrow(
        """SELECT sum(xact_commit)::bigint AS commits, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS wal
           FROM pg_stat_database WHERE datname = current_database()"""
    )
    await owner.close()
    assert row is not None
    client = redis.Redis.from_url(redis_url)
    commands = int(client.info("stats")["total_commands_processed"])
    client.close()
    return Counters(row["commits"], row["wal"], commands, _postgres_seconds(home))


def _postgres_seconds(home: Path) -> float:
    """Return the processor time of the PostgreSQL of a data folder, with that of the backends that have ended."""
    pid = int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    server = psutil.Process(pid)
    own = server.cpu_times()
    seconds = own.user + own.system + own.children_user + own.children_system
    for child in server.children():
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds += times.user + times.system
    return float(seconds)


def _files(home: Path) -> tuple[int, int]:
    found = [path.stat().st_size for path in (home / "blobs").rglob("*") if path.is_file()]
    return len(found), sum(found)


def real_jobs() -> dict[str, float]:
    """Send real documents through a real installation, and return what each costs."""
    with running(1) as service, service.client() as client:
        at = locate(service.data_dir)
        assert at is not None

        def counted() -> Counters:
            time.sleep(1.5)
            return asyncio.run(_counted(at.migration_database_url, at.redis_url, service.data_dir))

        _through(client, 5)
        before = counted()
        time.sleep(IDLE_SECONDS)
        idle = counted().since(before)
        before, files, started = counted(), _files(service.data_dir), time.perf_counter()
        _through(client, REAL_JOBS)
        seconds = time.perf_counter() - started + 1.5
        own = counted().since(before, idle, seconds / (IDLE_SECONDS + 1.5))
        more = [after - before for after, before in zip(_files(service.data_dir), files, strict=True)]
        connections = asyncio.run(_connections(at.migration_database_url))
    return {
        "real: commits a job": own.commits / REAL_JOBS,
        "real: WAL a job, KiB": own.wal_bytes / REAL_JOBS / 1024,
        "real: Valkey commands a job": own.commands / REAL_JOBS,
        "real: PostgreSQL processor a job, ms": own.server_seconds / REAL_JOBS * 1000,
        "real: files stored a job": more[0] / REAL_JOBS,
        "real: bytes stored a job, KiB": more[1] / REAL_JOBS / 1024,
        "idle, one API and one worker: commits/s": idle.commits / (IDLE_SECONDS + 1.5),
        "idle, one API and one worker: Valkey commands/s": idle.commands / (IDLE_SECONDS + 1.5),
        "idle, one API and one worker: connections": float(connections),
    }


async def _connections(url: str) -> int:
    owner = await asyncpg.connect(url)
    count: int = await owner.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'docrefinery' AND pid <> pg_backend_pid()"
    )
    await owner.close()
    return count


def _through(client: httpx.Client, count: int) -> None:
    made = [
        upload(client, sample_pdf() + b"%% simulated %d\n" % time.time_ns(), "a.pdf", ingest=True)["job_id"]
        for _ in range(count)
    ]
    for job in made:
        while client.get(f"/v1/jobs/{job}/", params={"wait": 30}).json()["status"] not in FINISHED.split(","):
            pass


class Worker:
    """A worker without a converter."""

    def __init__(self, db: Database, left: Iterator[int]) -> None:
        self._db = db
        self._left = left
        self._id = uuid4()

    async def run(self) -> None:
        """Take jobs until none is left, or enough have been."""
        for _ in self._left:
            claim = await claims.claim(self._db, JOB_QUEUES, self._id, LEASE)
            if claim is None:
                return
            await claims.enter_stage(self._db, claim, Stage.CONVERTING, scan_ms=3)
            for page in range(BEATS):
                await claims.beat(self._db, claim, LEASE, pages_done=page, pages_total=BEATS)
            await claims.enter_stage(self._db, claim, Stage.EXPORTING)
            await claims.enter_stage(self._db, claim, Stage.FINALIZING)
            await self._publish(claim)

    async def _publish(self, claim: ClaimRecord) -> None:
        prefix = f"{claim.tenant_uuid}/jobs/{claim.job_uuid}/{claim.token}"
        await garbage.note(self._db, prefix, removable_in=timedelta(hours=1))
        results = [
            NewArtifact(
                kind=kind, filename="a", content_type="text/plain", size_bytes=1000, sha256="0" * 64,
                blob_key=f"{prefix}/{kind}",
            )
            for kind in KINDS
        ]  # fmt: skip
        outcome = claims.Outcome(
            status=JobStatus.SUCCEEDED, pages_total=BEATS, pages_done=BEATS, convert_ms=100, export_ms=10,
            page_count=BEATS, scanned_clean=True,
        )  # fmt: skip
        await claims.finish(self._db, claim, outcome, results=results, blob_prefix=prefix)


class Courier:
    """Delivers to nobody."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> None:
        """Deliver until nothing is due."""
        while found := await deliveries.claim(self._db, 64, busy={}, per_endpoint=64, lease=LEASE):
            for outgoing in found:
                await deliveries.freeze(self._db, outgoing, b"{}")
                await deliveries.succeeded(self._db, outgoing, 200)


async def _submit(db: Database, tenant_id: int) -> None:
    number = next(_numbers)
    new = documents.NewDocument(
        uuid=uuid4(), external_uuid=None, original_filename="a.pdf", sha256=f"{number:064x}", size_bytes=100_000,
        blob_key=f"sim/{number}",
    )  # fmt: skip
    async with db.transaction():
        document = await documents.insert(db, tenant_id, new)
        assert document is not None
        job = jobs.NewJob(
            document_id=document.id, external_uuid=None, profile="fast_text", options='{"document_timeout": 600}',
            exports=["markdown"], ignored_options="{}",
        )  # fmt: skip
        await jobs.insert(db, tenant_id, job)
        await documents.refresh_status(db, tenant_id, document.id)


@asynccontextmanager
async def _listeners(url: str, count: int) -> AsyncIterator[None]:
    """Listen as workers do, each to its own channels; every one of them is woken by every notice all the same."""
    async with AsyncExitStack() as stack:
        for _ in range(count):
            connection = await asyncpg.connect(url)
            stack.push_async_callback(connection.close)
            for channel in (CANCELS, KEYS):
                await connection.add_listener(channel, lambda *_: None)
        yield


async def _round(
    at: EmbeddedServices, db: Database, ids: list[int], workers: int, *, listening: int = 0, webhooks: bool = False
) -> dict[str, float]:
    gate = asyncio.Semaphore(CONNECTIONS)

    async def submitted(number: int) -> None:
        async with gate:
            await _submit(db, ids[number % len(ids)])

    await db.fetch("UPDATE webhook_endpoints SET enabled = $1", webhooks)
    await asyncio.gather(*(submitted(number) for number in range(FAKE_JOBS)))
    left = iter(range(FAKE_JOBS))
    async with _listeners(at.database_url, listening):
        before = await _counted(at.migration_database_url, at.redis_url, at.data_dir)
        own, started = psutil.Process().cpu_times(), time.perf_counter()
        await asyncio.gather(*(Worker(db, left).run() for _ in range(workers)))
        if webhooks:
            await asyncio.gather(*(Courier(db).run() for _ in range(4)))
        seconds = time.perf_counter() - started
        spent = psutil.Process().cpu_times()
        did = (await _counted(at.migration_database_url, at.redis_url, at.data_dir)).since(before)
    print(f"{workers} workers have done {FAKE_JOBS} jobs in {seconds:.0f} s", flush=True)
    name = f"{workers} workers, {len(ids)} tenant{'' if len(ids) == 1 else 's'}"
    name += f", {listening} connections listen" if listening else ""
    name += ", with webhooks" if webhooks else ""
    return {
        f"{name}: jobs/s": FAKE_JOBS / seconds,
        f"{name}: PostgreSQL processor a job, ms": did.server_seconds / FAKE_JOBS * 1000,
        f"{name}: commits a job": did.commits / FAKE_JOBS,
        f"{name}: WAL a job, KiB": did.wal_bytes / FAKE_JOBS / 1024,
        f"{name}: the simulation's own processor a job, ms": (
            (spent.user + spent.system - own.user - own.system) / FAKE_JOBS * 1000
        ),
    }


async def _fake_jobs(at: EmbeddedServices) -> dict[str, float]:
    await migrate(at.migration_database_url, at.database_url)
    db = Database(at.database_url, pool_size=CONNECTIONS)
    await db.start()
    with wall.across_tenants():
        made = [await tenants.create_tenant(db, f"tenant-{number}") for number in range(TENANTS)]
        ids = [tenant.id for tenant in made if tenant is not None]
        await db.fetch(
            """INSERT INTO webhook_endpoints (tenant_id, name, url, events)
               SELECT id, 'simulation', 'https://example.com/', ARRAY['job.updated'] FROM tenants"""
        )
        figures: dict[str, float] = {}
        for workers in WORKERS:
            figures |= await _round(at, db, ids, workers)
        figures |= await _round(at, db, ids[:1], WORKERS[-1])
        figures |= await _round(at, db, ids, WORKERS[-1], webhooks=True)
        figures |= await _round(at, db, ids, WORKERS[-1], listening=LISTENING)
    await db.close()
    return figures


def fake_jobs() -> dict[str, float]:
    """Have workers without converters work through many jobs, and return how fast and at what cost."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, EmbeddedServices(Path(folder, "data")) as at:
        return asyncio.run(_fake_jobs(at))


def main() -> None:
    """Measure and print."""
    postgres._SETTINGS["max_connections"] = str(LISTENING + CONNECTIONS + 50)
    figures = (real_jobs() if "--fake" not in sys.argv else {}) | fake_jobs()
    table = Table("figure", "value", box=None, header_style="bold")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.2f}" if value < 100 else f"{value:,.0f}")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
