"""Named queries of the sweep that removes what has been kept for long enough (docs/decisions/0016).

All of them go by the database's clock, look at one tenant after another through an index, and pass over what somebody
else has locked: that is in use, or another sweep's.
"""

from collections.abc import Sequence

from msgspec import Struct

from docrefinery.store import documents, garbage
from docrefinery.store.database import Database
from docrefinery.store.records import Row

BATCH = 100
"""Rows of one transaction; the deletion of jobs holds the tenant's clock until it is committed."""


class Due(Struct, frozen=True):
    """A tenant that has something to be removed, and how many hours it is kept."""

    tenant_id: int
    hours: int


def _due(column: str, oldest: str) -> str:
    """Return the query for tenants whose ``oldest`` row, read from an index in its order, is past its time."""
    return f"""
SELECT kept.id AS tenant_id, kept.hours
FROM (SELECT t.id, coalesce(t.{column}, $1) AS hours FROM tenants t) kept CROSS JOIN LATERAL ({oldest}) due
WHERE kept.hours > 0 ORDER BY kept.id
"""


_PAST = "now() - make_interval(hours => kept.hours)"
JOBS_DUE = _due(
    "keep_jobs_hours",
    f"""SELECT 1 FROM jobs WHERE tenant_id = kept.id AND finished_at IS NOT NULL AND finished_at < {_PAST}
        ORDER BY finished_at LIMIT 1""",
)
ARTIFACTS_DUE = _due(
    "keep_artifacts_hours",
    f"SELECT 1 FROM artifacts WHERE tenant_id = kept.id AND created_at < {_PAST} ORDER BY created_at LIMIT 1",
)
FILES_DUE = _due(
    "keep_files_hours",
    f"""SELECT 1 FROM documents WHERE tenant_id = kept.id AND deleted_at IS NULL AND modified_at < {_PAST}
        ORDER BY modified_at LIMIT 1""",
)

# A webhook is delivered at least once, so a job waits for its deliveries to end; their schedule ends them all.
_OLD_JOBS = """
SELECT j.id, j.document_id FROM jobs j
WHERE j.tenant_id = $1 AND j.finished_at IS NOT NULL AND j.finished_at < now() - make_interval(hours => $2)
      AND NOT EXISTS (SELECT FROM webhook_deliveries w
                      WHERE w.tenant_id = $1 AND w.job_id = j.id AND w.status = 'PENDING')
ORDER BY j.finished_at LIMIT $3
"""
_HELD_JOBS = """
SELECT id FROM jobs
WHERE tenant_id = $1 AND id = ANY ($2::bigint[]) AND document_id = ANY ($3::bigint[]) AND finished_at IS NOT NULL
ORDER BY id FOR UPDATE SKIP LOCKED
"""
# A job that is locked is being deleted itself, and takes its artifacts along.
_EXPIRE_ARTIFACTS = f"""
WITH due AS (
    SELECT a.id FROM artifacts a JOIN jobs j ON j.id = a.job_id
    WHERE a.tenant_id = $1 AND a.created_at < now() - make_interval(hours => $2)
    ORDER BY a.created_at LIMIT $3 FOR UPDATE OF a SKIP LOCKED FOR KEY SHARE OF j SKIP LOCKED
), gone AS (
    DELETE FROM artifacts a USING due WHERE a.tenant_id = $1 AND a.id = due.id
    RETURNING a.tenant_id, a.id, a.uuid, a.job_id, a.blob_key
), noted AS (
    {garbage.noted("gone")}
)
INSERT INTO expired_artifacts (tenant_id, id, uuid, job_id) SELECT tenant_id, id, uuid, job_id FROM gone RETURNING id
"""
# Every change of its jobs moves a document's `modified_at`, in the same transaction: one that has got a job since this
# statement began is looked at again under its lock, and is not old any more.
_EXPIRE_FILES = f"""
WITH due AS (
    SELECT d.id FROM documents d
    WHERE d.tenant_id = $1 AND d.deleted_at IS NULL AND d.modified_at < now() - make_interval(hours => $2)
          AND NOT EXISTS (SELECT FROM jobs j WHERE j.tenant_id = $1 AND j.document_id = d.id
                                                   AND j.status IN ('QUEUED', 'RUNNING'))
    ORDER BY d.modified_at LIMIT $3 FOR UPDATE OF d SKIP LOCKED
), expired AS (
    UPDATE documents d SET deleted_at = now(), file_expired_at = now(), modified_at = now(), data_key = NULL
    FROM due WHERE d.tenant_id = $1 AND d.id = due.id RETURNING d.id, d.blob_key
), noted AS (
    {garbage.noted("expired")}
)
SELECT id FROM expired
"""


_EXPIRE_ARTIFACTS_OF_JOBS = f"""
WITH gone AS (
    DELETE FROM artifacts WHERE tenant_id = $1 AND job_id = ANY ($2::bigint[])
    RETURNING tenant_id, id, uuid, job_id, blob_key
), noted AS (
    {garbage.noted("gone")}
)
INSERT INTO expired_artifacts (tenant_id, id, uuid, job_id) SELECT tenant_id, id, uuid, job_id FROM gone
"""
_EXPIRE_JOBS = """
WITH gone AS (DELETE FROM jobs WHERE tenant_id = $1 AND id = ANY ($2::bigint[]) RETURNING tenant_id, id, uuid)
INSERT INTO expired_jobs (tenant_id, id, uuid) SELECT tenant_id, id, uuid FROM gone
"""


async def due(db: Database, query: str, default_hours: int) -> list[Due]:
    """Return the tenants that one of the queries above finds.

    :param default_hours: for tenants without a time of their own; 0 is for ever.
    """
    return [Due(row["tenant_id"], row["hours"]) for row in await db.fetch(query, default_hours)]


async def expire_jobs(db: Database, due: Due) -> int:
    """Remove jobs with their events, deliveries and artifacts, and documents that have nothing left.

    That they were there is remembered.
    """
    async with db.transaction():
        old = await db.fetch(_OLD_JOBS, due.tenant_id, due.hours, BATCH)
        # The document before the job, as everybody locks.
        held = await db.fetch(
            """SELECT id FROM documents WHERE tenant_id = $1 AND id = ANY ($2::bigint[])
               ORDER BY id FOR UPDATE SKIP LOCKED""",
            due.tenant_id,
            sorted({row["document_id"] for row in old}),
        )
        of_documents = _ids(held)
        gone = _ids(await db.fetch(_HELD_JOBS, due.tenant_id, _ids(old), of_documents))
        await db.fetch(_EXPIRE_ARTIFACTS_OF_JOBS, due.tenant_id, gone)
        await db.fetch(
            """DELETE FROM job_events e USING jobs j
               WHERE j.tenant_id = $1 AND j.id = e.job_id AND j.id = ANY ($2::bigint[])""",
            due.tenant_id,
            gone,
        )
        await db.fetch(_EXPIRE_JOBS, due.tenant_id, gone)
        await documents.remove_empty(db, due.tenant_id, of_documents)
    return len(gone)


async def expire_artifacts(db: Database, due: Due) -> int:
    """Remove artifacts whose job ended long enough ago, and remember for each that it has been there."""
    return len(await db.fetch(_EXPIRE_ARTIFACTS, due.tenant_id, due.hours, BATCH))


async def expire_files(db: Database, due: Due) -> int:
    """Remove the files of documents that no job is queued or running for, and documents that have nothing left."""
    async with db.transaction():
        expired = _ids(await db.fetch(_EXPIRE_FILES, due.tenant_id, due.hours, BATCH))
        await documents.remove_empty(db, due.tenant_id, expired)
    return len(expired)


def _ids(rows: Sequence[Row]) -> list[int]:
    return [row["id"] for row in rows]
