"""Named queries of the dashboard: what a tenant sees of its jobs, and of the workers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from docrefinery.store.database import Database
from docrefinery.store.records import Record

PERCENTILES_OF = 1000
"""Percentiles are of so many of the last day's jobs, the newest."""
_PERCENTILES = ", ".join(
    f"percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY {stage}_ms) AS {stage}"
    for stage in ("scan", "convert", "export", "chunk")
)
# One round trip. Counts come from counters; what is counted here are the minutes of a day and the newest jobs.
SUMMARY = f"""
SELECT now() AS generated_at, v.documents, v.document_bytes, v.artifact_bytes, v.pages_converted, m.*, p.*,
       (SELECT coalesce(json_agg(json_build_array(status, stage, profile, n)), '[]')::text
        FROM tenant_job_counts WHERE tenant_id = $1 AND n <> 0) AS counts,
       (SELECT extract(epoch FROM now() - min(q.queued_at))::float8 FROM unnest($2::text[]) listed (queue)
        CROSS JOIN LATERAL (
            SELECT queued_at FROM jobs WHERE tenant_id = $1 AND queue = listed.queue AND status = 'QUEUED'
            ORDER BY queued_at, id LIMIT 1) q) AS oldest_seconds
FROM tenant_volumes v
CROSS JOIN (
    SELECT coalesce(sum(finished) FILTER (WHERE minute > now() - interval '61 minutes'), 0)::bigint AS hour_finished,
           coalesce(sum(failed) FILTER (WHERE minute > now() - interval '61 minutes'), 0)::bigint AS hour_failed,
           coalesce(sum(finished), 0)::bigint AS day_finished, coalesce(sum(failed), 0)::bigint AS day_failed
    FROM tenant_finished_minutes WHERE tenant_id = $1 AND minute > now() - interval '1441 minutes') m
CROSS JOIN (
    SELECT {_PERCENTILES} FROM (
        SELECT scan_ms, convert_ms, export_ms, chunk_ms FROM jobs
        WHERE tenant_id = $1 AND finished_at > now() - interval '1 day'
        ORDER BY finished_at DESC LIMIT {PERCENTILES_OF}) newest) p
WHERE v.tenant_id = $1
"""


class JobCount(Struct, frozen=True, array_like=True):
    """How many jobs there are of a kind; ``profile`` is empty where there is none."""

    status: str
    stage: str
    profile: str
    n: int


class SummaryRecord(Record, frozen=True, kw_only=True):
    """A tenant's figures at a moment; a stage's are its median and 95th percentile in milliseconds."""

    generated_at: datetime
    documents: int
    document_bytes: int
    artifact_bytes: int
    pages_converted: int
    hour_finished: int
    hour_failed: int
    day_finished: int
    day_failed: int
    scan: list[float] | None
    convert: list[float] | None
    export: list[float] | None
    chunk: list[float] | None
    oldest_seconds: float | None
    counts: str

    def job_counts(self) -> list[JobCount]:
        """Return the counted kinds of jobs."""
        return msgspec.json.decode(self.counts, type=list[JobCount])


async def summary(db: Database, tenant_id: int, queues: Sequence[str]) -> SummaryRecord:
    """Return the figures of a tenant."""
    row = await db.fetch_one(SUMMARY, tenant_id, list(queues))
    assert row is not None
    return SummaryRecord.of(row)


class WorkerRecord(Record, frozen=True, kw_only=True):
    """A worker process as a tenant may see it.

    ``current_job_id`` is of the tenant's own jobs alone; ``models`` are name and revision of each part that is held.
    """

    id: UUID
    hostname: str
    pid: int
    status: str
    queues: list[str]
    profiles: list[str]
    models: Raw
    current_job_id: int | None
    started_at: datetime
    last_heartbeat_at: datetime
    jobs_done: int
    rss_bytes: int
    version: str


async def workers(db: Database, tenant_id: int, silent_seconds: float) -> list[WorkerRecord]:
    """Return the workers, oldest first; one that has not been heard of for so long is ``SILENT``."""
    rows = await db.fetch(
        """SELECT w.id, w.hostname, w.pid, w.queues, w.profiles, j.id AS current_job_id, w.started_at,
                  w.last_heartbeat_at, w.jobs_done, w.rss_bytes, w.version,
                  CASE WHEN w.models -> 'loading' = 'false' THEN w.models -> 'held' ELSE '{}' END AS models,
                  CASE WHEN w.last_heartbeat_at < now() - make_interval(secs => $2) THEN 'SILENT'
                       ELSE w.status END AS status
           FROM workers w LEFT JOIN jobs j ON j.id = w.current_job_id AND j.tenant_id = $1
           ORDER BY w.started_at, w.id""",
        tenant_id,
        silent_seconds,
    )
    return [WorkerRecord.of(row) for row in rows]
