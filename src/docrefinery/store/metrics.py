"""The figures of the whole installation, for the operator: read from counters, whoever did the work."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from docrefinery.store.database import Database
from docrefinery.store.wall import across_tenants

COUNTED = 10_000
"""How many queued jobs of a tenant are counted in each queue."""

FIGURES = f"""
SELECT json_build_object(
    'jobs', (SELECT coalesce(json_object_agg(status, n), '{{}}')
             FROM (SELECT status, sum(n) AS n FROM tenant_job_counts GROUP BY status) s),
    'finished', (SELECT coalesce(json_agg(json_build_array(profile, status, n)), '[]')
                 FROM (SELECT profile, status, sum(n) AS n FROM tenant_finished_jobs GROUP BY 1, 2 ORDER BY 1, 2) f),
    'stages', (SELECT coalesce(json_agg(json_build_array(stage, bucket, n, ms)), '[]')
               FROM (SELECT stage, bucket, sum(n) AS n, sum(total_ms) AS ms FROM tenant_stage_times
                     GROUP BY 1, 2 ORDER BY 1, 2) t),
    'counters', (SELECT coalesce(json_agg(json_build_array(name, label, n)), '[]')
                 FROM (SELECT name, label, sum(n) AS n FROM counters GROUP BY 1, 2 ORDER BY 1, 2) c),
    'volume', (SELECT json_build_object(
                   'documents', coalesce(sum(documents), 0),
                   'stored_bytes', coalesce(sum(document_bytes + artifact_bytes), 0),
                   'documents_received', coalesce(sum(documents_received), 0),
                   'bytes_received', coalesce(sum(bytes_received), 0),
                   'pages_converted', coalesce(sum(pages_converted), 0)) FROM tenant_volumes),
    'workers', (SELECT coalesce(json_agg(json_build_array(id, hostname, rss_bytes) ORDER BY started_at, id), '[]')
                FROM workers WHERE last_heartbeat_at >= now() - make_interval(secs => $1)),
    'queues', (
        SELECT json_agg(json_build_array(queue, n, seconds) ORDER BY queue) FROM (
            SELECT listed.queue, coalesce(sum(q.n), 0) AS n,
                   greatest(coalesce(extract(epoch FROM now() - min(q.queued_at)), 0), 0)::float8 AS seconds
            FROM unnest($2::text[]) listed (queue) LEFT JOIN tenants t ON true LEFT JOIN LATERAL (
                SELECT min(queued_at) AS queued_at, count(*) AS n FROM (
                    SELECT queued_at FROM jobs WHERE tenant_id = t.id AND queue = listed.queue AND status = 'QUEUED'
                    ORDER BY queued_at, id LIMIT {COUNTED}) seen) q ON true
            GROUP BY listed.queue) of_queue)
)::text AS figures
"""


class Finished(Struct, frozen=True, array_like=True):
    """Ends of jobs; ``profile`` is empty where there was none."""

    profile: str
    status: str
    n: int


class StageBucket(Struct, frozen=True, array_like=True):
    """How many stages took a time of this bucket, and how long all of them."""

    stage: str
    bucket: int
    n: int
    total_ms: int


class Counter(Struct, frozen=True, array_like=True):
    """A counter that the code keeps."""

    name: str
    label: str
    n: int


class WorkerMemory(Struct, frozen=True, array_like=True):
    """Resident memory of a worker that is alive, its converter included."""

    id: str
    hostname: str
    rss_bytes: int


class Queue(Struct, frozen=True, array_like=True):
    """Jobs that wait in a queue, and for how long the first of them has."""

    name: str
    depth: int
    oldest_seconds: float


class Volume(Struct, frozen=True, kw_only=True):
    """What is there, and what has come and been done in all."""

    documents: int
    stored_bytes: int
    documents_received: int
    bytes_received: int
    pages_converted: int


class Figures(Struct, frozen=True, kw_only=True):
    """What ``/metrics`` tells of all tenants together."""

    jobs: dict[str, int]
    finished: list[Finished]
    stages: list[StageBucket]
    counters: list[Counter]
    volume: Volume
    workers: list[WorkerMemory]
    queues: list[Queue]


async def figures(db: Database, alive_seconds: float, queues: Sequence[str]) -> Figures:
    """Return the figures, in one round trip."""
    with across_tenants():
        row = await db.fetch_one(FIGURES, alive_seconds, list(queues))
    assert row is not None
    return msgspec.json.decode(row["figures"], type=Figures)
