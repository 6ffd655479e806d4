"""A thousand listeners to event streams: whether each gets every event, how late, and what that costs the API."""

import asyncio
import resource
import statistics
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import asyncpg
import httpx
from msgspec import Struct

from bench.service import Service, upload
from docrefinery.cli.sample import sample_pdf
from docrefinery.embedded import locate

LISTENERS = 1000
CHANGES = (
    "status = 'RUNNING', started_at = now()",
    "stage = 'CONVERTING'",
    "stage = 'EXPORTING'",
    "stage = 'FINALIZING'",
    "status = 'SUCCEEDED', finished_at = now()",
)
IDLE_SECONDS = 10
SETTLE_SECONDS = 3


class Heard(Struct):
    """When each event of a stream came, by its number."""

    job: int
    at: dict[int, float]


async def _listen(url: str, key: str, heard: Heard, opened: asyncio.Semaphore) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    lines = (
        f"GET /v1/jobs/{heard.job}/events/ HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Authorization: Api-Key {key}",
        "Connection: close",
    )
    writer.write("\r\n".join((*lines, "", "")).encode())
    if not (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200"):
        raise RuntimeError("a stream was refused")
    opened.release()
    while line := await reader.readline():
        if line.startswith(b"id: "):
            heard.at[int(line[4:])] = time.perf_counter()
    writer.close()


async def _changed(owner: "asyncpg.Connection[asyncpg.Record]", jobs: Sequence[int]) -> list[dict[int, float]]:
    """Take the jobs through their stages, and return when each change of each was committed."""
    told: list[dict[int, float]] = []
    for change in CHANGES:
        told.append({})
        for job in jobs:
            await owner.execute(f"UPDATE jobs SET {change} WHERE id = $1", job)
            told[-1][job] = time.perf_counter()
        await asyncio.sleep(SETTLE_SECONDS)
    return told


async def _measure(service: Service, url: str, jobs: Sequence[int]) -> dict[str, float]:
    owner = await asyncpg.connect(url)
    opened = asyncio.Semaphore(0)
    heard = [Heard(jobs[number % len(jobs)], {}) for number in range(LISTENERS)]
    before = service.api_rss_mib()
    tasks = [asyncio.create_task(_listen(service.url, service.key, one, opened)) for one in heard]
    for _ in heard:
        async with asyncio.timeout(60):
            await opened.acquire()
    memory = service.api_rss_mib() - before
    busy = service.api_cpu_seconds()
    await asyncio.sleep(IDLE_SECONDS)
    idle = (service.api_cpu_seconds() - busy) / IDLE_SECONDS
    busy = service.api_cpu_seconds()
    told = await _changed(owner, jobs)
    async with asyncio.timeout(60):
        await asyncio.gather(*tasks)
    cost = service.api_cpu_seconds() - busy
    await owner.close()
    late = [one.at[number + 1] - times[one.job] for one in heard for number, times in enumerate(told)]
    name = f"{LISTENERS} listeners to {len(jobs)} job{'' if len(jobs) == 1 else 's'}: "
    return {
        f"{name}event p50, ms": statistics.median(late) * 1000,
        f"{name}event p99, ms": statistics.quantiles(late, n=100)[98] * 1000,
        f"{name}API memory for each, KiB": memory * 1024 / LISTENERS,
        f"{name}API processor while nothing happens, %": idle * 100,
        f"{name}API processor for each event told, ms": cost * 1000 / len(late),
    }


def thousand_listeners(service: Service, client: httpx.Client) -> dict[str, float]:
    """Listen to one job with all, then to many with some each; the jobs are of a queue that no worker looks into."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    running = locate(service.data_dir)
    if running is None:
        raise RuntimeError("the service's database is not there")
    figures: dict[str, float] = {}
    for jobs in (1, 100):
        document = upload(client, sample_pdf() + b"%% streams %d\n" % time.time_ns(), "streams.pdf")["id"]
        made = asyncio.run(_queued(running.migration_database_url, document, jobs))
        figures |= asyncio.run(_measure(service, running.migration_database_url, made))
    return figures


async def _queued(url: str, document: int, jobs: int) -> list[int]:
    owner = await asyncpg.connect(url)
    rows = await owner.fetch(
        """INSERT INTO jobs (tenant_id, document_id, queue) SELECT tenant_id, id, 'bench'
           FROM documents, generate_series(1, $2::integer) WHERE id = $1 RETURNING id""",
        document,
        jobs,
    )
    await owner.close()
    return [row["id"] for row in rows]
