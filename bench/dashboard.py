"""How fast the dashboard's summary answers a tenant with a million jobs."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx

from bench.service import Service
from docrefinery.embedded import locate
from docrefinery.store.sql.counters import RECOUNT

JOBS = 1_000_000
JOBS_OF_A_DOCUMENT = 50
REQUESTS = 500
# Half of them ended within the last day. They were created one by one, two days long; few are quarantined. Most changed
# last within seconds of their creation, 100,000 after a wait of six hours, and one in 50 at any time since.
FILL = f"""
ALTER TABLE jobs DISABLE TRIGGER USER;
ALTER TABLE documents DISABLE TRIGGER USER;
INSERT INTO documents (uuid, tenant_id, original_filename, sha256, size_bytes, blob_key, status, external_uuid,
                       created_at)
SELECT gen_random_uuid(), t.id, 'bench.pdf', encode(sha256(n::text::bytea), 'hex'), 100000, 'bench/' || n,
       CASE WHEN n % 5000 = 0 THEN 'QUARANTINED' ELSE 'READY' END,
       CASE WHEN n % 10 = 0 THEN gen_random_uuid() END,
       now() - interval '2 days' + n * interval '2 days' / {JOBS // JOBS_OF_A_DOCUMENT}
FROM (SELECT id FROM tenants WHERE name = 'default') t, generate_series(1, {JOBS // JOBS_OF_A_DOCUMENT}) n;
INSERT INTO jobs (tenant_id, queue, document_id, profile, status, stage, error_code, pages_total, pages_done, scan_ms,
                  convert_ms, export_ms, chunk_ms, finished_at, started_at, external_uuid, created_at, modified_at,
                  modified_octave)
SELECT tenant_id, 'bench', id, (ARRAY['fast_text', 'structured', NULL])[1 + n % 3], s.status,
       CASE s.status WHEN 'SUCCEEDED' THEN 'FINALIZING' ELSE 'SCANNING' END,
       CASE WHEN s.status IN ('FAILED', 'QUARANTINED') THEN 'INVALID_PDF' ELSE '' END, 10, 10, 1 + random() * 20,
       50 + random() * 5000, 1 + random() * 90, random() * 90,
       CASE WHEN s.status <> 'QUEUED' THEN now() - random() * interval '2 days' END, now() - interval '2 days',
       CASE WHEN n = 7 THEN gen_random_uuid() END,
       now() - interval '2 days' + r * interval '2 days' / {JOBS},
       now() - interval '2 days' + (r + lag) * interval '2 days' / {JOBS}, octave_of(lag * interval '2 days' / {JOBS})
FROM (SELECT *, row_number() OVER (ORDER BY n, id) AS r
      FROM documents CROSS JOIN generate_series(1, {JOBS_OF_A_DOCUMENT}) n
      WHERE original_filename = 'bench.pdf' ORDER BY n, id) d
CROSS JOIN LATERAL (
    SELECT (ARRAY['FAILED', 'QUEUED', 'CANCELED'])[1 + n % 3] AS status WHERE n < 6
    UNION ALL SELECT CASE WHEN r % 50000 = 7 THEN 'QUARANTINED' ELSE 'SUCCEEDED' END WHERE n >= 6) s
CROSS JOIN LATERAL (
    SELECT CASE WHEN n % 50 = 9 THEN ({JOBS} - r) * random() ^ 3
                WHEN r BETWEEN {JOBS * 3 // 10} AND {JOBS * 4 // 10} THEN {JOBS // 8}
                ELSE 100 * random() END AS lag) l;
ALTER TABLE jobs ENABLE TRIGGER USER;
ALTER TABLE documents ENABLE TRIGGER USER;
"""


@asynccontextmanager
async def filled(url: str, rows: str) -> AsyncIterator[asyncpg.Connection]:
    """Fill a database, count what is there anew, and yield a connection of its owner."""
    owner = await asyncpg.connect(url, command_timeout=600)
    try:
        await owner.execute("SET synchronous_commit = off")
        async with owner.transaction():
            await owner.execute(rows)
            await owner.execute(";".join(RECOUNT))
        await owner.execute("ANALYZE")
        yield owner
    finally:
        await owner.close()


async def _fill(url: str) -> None:
    async with filled(url, FILL):
        pass


def summary_of_a_million(service: Service, client: httpx.Client) -> dict[str, float]:
    """Fill the database and measure. What is queued there has no files: no worker looks into its queue."""
    running = locate(service.data_dir)
    if running is None:
        raise RuntimeError("the service's database is not there")
    asyncio.run(_fill(running.migration_database_url))
    times = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        total = client.get("/v1/dashboard/summary").raise_for_status().json()["jobs"]["total"]
        times.append((time.perf_counter() - started) * 1000)
        if total < JOBS:
            raise RuntimeError(f"the summary counts {total} jobs")
    return {
        f"summary of {JOBS:,} jobs p50, ms": statistics.median(times),
        f"summary of {JOBS:,} jobs p99, ms": statistics.quantiles(times, n=100)[98],
    }
