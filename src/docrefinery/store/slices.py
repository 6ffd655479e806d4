"""Named queries over page ranges of running jobs: claim, lease, fence. Explained in docs/decisions/0019."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct

from docrefinery.store.claims import Beat, LeaseLost
from docrefinery.store.database import Database
from docrefinery.store.records import ClaimRecord, SliceRecord, SliceState

_WAITS = "token IS NULL AND s.failure IS NULL AND s.blob_key IS NULL"
# Jobs whose pages wait for workers that read as this one does, those with the fewest at work first.
_WAITING_JOBS = f"""
SELECT j.id AS job_id, j.tenant_id, t.max_running_jobs IS NOT NULL AS limited
FROM jobs j JOIN tenants t ON t.id = j.tenant_id
WHERE j.id IN (SELECT s.job_id FROM slices s WHERE s.{_WAITS} AND s.reader = ANY ($1::text[]))
    AND j.status = 'RUNNING' AND j.queue = ANY ($2::text[])
ORDER BY (SELECT count(*) FROM slices b WHERE b.job_id = j.id AND b.token IS NOT NULL), j.id
"""
# A helper is as much of an installation as a job is; a job's own worker has been counted with the job.
_ROOM = """
SELECT c.running + (
    SELECT count(*) FROM slices s WHERE s.tenant_id = c.tenant_id AND s.token IS NOT NULL
        AND NOT EXISTS (SELECT FROM leases l WHERE l.job_id = s.job_id AND l.owner = s.owner)
    ) < t.max_running_jobs AS room
FROM tenant_clocks c JOIN tenants t ON t.id = c.tenant_id WHERE c.tenant_id = $1
"""
_CLAIM = f"""
WITH picked AS (
    SELECT s.first_page FROM slices s JOIN jobs j ON j.id = s.job_id
    WHERE s.job_id = $1 AND s.reader = ANY ($2::text[]) AND s.{_WAITS}
        AND j.status = 'RUNNING' AND j.cancel_requested_at IS NULL
    ORDER BY s.first_page LIMIT 1 FOR UPDATE OF s SKIP LOCKED
), leased AS (
    UPDATE slices s SET owner = $3, token = nextval('lease_tokens'), expires_at = now() + $4, pages_done = 0
    FROM picked WHERE s.job_id = $1 AND s.first_page = picked.first_page RETURNING s.first_page, s.last_page, s.token
)
SELECT j.id AS job_id, j.uuid AS job_uuid, j.tenant_id, t.uuid AS tenant_uuid, l.first_page, l.last_page, l.token,
       j.attempt, j.options, j.exports, d.original_filename, d.blob_key, d.size_bytes, d.data_key, j.traceparent,
       j.request_id
FROM leased l JOIN jobs j ON j.id = $1 JOIN documents d ON d.id = j.document_id JOIN tenants t ON t.id = j.tenant_id
"""

# One statement, and so one transaction, for every range of every long document.
_DONE = """
WITH noted AS (
    SELECT prefix FROM unreferenced_blobs WHERE prefix = $4 FOR UPDATE
), ended AS (
    UPDATE slices SET token = NULL, expires_at = NULL, blob_key = $4, size_bytes = $5, data_key = $6,
        pages_done = last_page - first_page + 1
    WHERE job_id = $1 AND first_page = $2 AND token = $3 AND tenant_id = $7 AND EXISTS (SELECT FROM noted)
    RETURNING blob_key
)
DELETE FROM unreferenced_blobs u USING ended WHERE u.prefix = ended.blob_key RETURNING u.prefix
"""


class StoredPages(Struct, frozen=True, kw_only=True):
    """Where pages were put that were read."""

    blob_key: str
    size_bytes: int
    data_key: bytes | None


async def share(db: Database, claim: ClaimRecord, ranges: Sequence[tuple[int, int]], reader: str) -> None:
    """Have pages of a job read by whoever is free; what an earlier owner had read in the same way stays.

    :param ranges: first and last page of each, in order.
    :param reader: what a worker must say of itself to read them.
    :raises LeaseLost: if the job is somebody else's by now.
    """
    async with db.transaction():
        if not await db.fetch(
            "SELECT FROM leases WHERE job_id = $1 AND token = $2 FOR UPDATE", claim.job_id, claim.token
        ):
            raise LeaseLost
        known = await look(db, claim.job_id)
        if [(one.first_page, one.last_page, one.reader) for one in known] != [(*r, reader) for r in ranges]:
            await db.fetch("DELETE FROM slices WHERE job_id = $1", claim.job_id)
            await db.fetch(
                """INSERT INTO slices (tenant_id, job_id, first_page, last_page, reader)
                   SELECT $1, $2, first, last, $5 FROM unnest($3::integer[], $4::integer[]) given (first, last)""",
                claim.tenant_id,
                claim.job_id,
                [first for first, _ in ranges],
                [last for _, last in ranges],
                reader,
            )


async def look(db: Database, job_id: int) -> list[SliceState]:
    """Return how far a job's pages are, in order."""
    rows = await db.fetch(
        """SELECT tenant_id, first_page, last_page, reader, owner, token IS NOT NULL AS leased, pages_done, crashes,
                  reason, failure, blob_key, size_bytes, data_key
           FROM slices WHERE job_id = $1 ORDER BY first_page""",
        job_id,
    )
    return [SliceState.of(row) for row in rows]


async def claim(db: Database, job_id: int, readers: Sequence[str], owner: UUID, lease: timedelta) -> SliceRecord | None:
    """Take the next pages of a job, if some wait and it goes on."""
    row = await db.fetch_one(_CLAIM, job_id, list(readers), owner, lease)
    return SliceRecord.of(row) if row is not None else None


async def claim_any(
    db: Database, queues: Sequence[str], readers: Sequence[str], owner: UUID, lease: timedelta
) -> SliceRecord | None:
    """Take the next pages of any job of these queues, as far as its tenant's limit of running jobs allows."""
    for waiting in await db.fetch(_WAITING_JOBS, list(readers), list(queues)):
        if (taken := await _claim_one(db, waiting, readers, owner, lease)) is not None:
            return taken
    return None


async def _claim_one(
    db: Database, waiting: asyncpg.Record, readers: Sequence[str], owner: UUID, lease: timedelta
) -> SliceRecord | None:
    """Take the next pages of a job, if its tenant has no limit or room for one more."""
    job_id, tenant_id = waiting["job_id"], waiting["tenant_id"]
    if not waiting["limited"]:
        return await claim(db, job_id, readers, owner, lease)
    async with db.transaction():
        return await claim(db, job_id, readers, owner, lease) if await _has_room(db, tenant_id) else None


async def _has_room(db: Database, tenant_id: int) -> bool:
    """Return whether another worker may work for a tenant; until the transaction ends nobody else is told so."""
    await db.fetch("SELECT FROM tenant_clocks WHERE tenant_id = $1 FOR UPDATE", tenant_id)
    row = await db.fetch_one(_ROOM, tenant_id)
    return row is not None and bool(row["room"])


async def waiting(db: Database, queue: str, at_most: int) -> int:
    """Return how many page ranges of a queue's running jobs wait, counting no further than ``at_most``."""
    row = await db.fetch_one(
        f"""SELECT count(*) AS n FROM (
               SELECT FROM slices s JOIN jobs j ON j.id = s.job_id
               WHERE s.{_WAITS} AND j.status = 'RUNNING' AND j.queue = $1 LIMIT $2) found""",
        queue,
        at_most,
    )
    assert row is not None
    return int(row["n"])


async def beat(db: Database, held: SliceRecord, lease: timedelta, *, pages_done: int) -> tuple[Beat, int]:
    """Extend a lease, note page progress, and learn whether to go on; also says how many pages of the job are done."""
    row = await db.fetch_one(
        """UPDATE slices s SET expires_at = now() + $4, pages_done = $5 FROM jobs j
           WHERE s.job_id = $1 AND s.first_page = $2 AND s.token = $3 AND j.id = s.job_id
           RETURNING j.cancel_requested_at IS NOT NULL AS cancel,
                     (SELECT sum(b.pages_done) FROM slices b
                      WHERE b.job_id = s.job_id AND b.first_page <> s.first_page) AS others""",
        *_key(held),
        lease,
        pages_done,
    )
    if row is None:
        return "lost", 0
    return ("cancel" if row["cancel"] else "held"), pages_done + int(row["others"] or 0)


async def done(db: Database, held: SliceRecord, pages: StoredPages) -> None:
    """Note that pages were read and are in the storage; raises :class:`LeaseLost`."""
    stored = pages.blob_key, pages.size_bytes, pages.data_key
    if not await db.fetch(_DONE, *_key(held), *stored, held.tenant_id):
        raise LeaseLost


async def failed(db: Database, held: SliceRecord, failure: str) -> None:
    """Note that pages cannot be read, for whatever reason in JSON; raises :class:`LeaseLost`."""
    await _end(db, held, "failure = $4", failure)


async def crashed(db: Database, held: SliceRecord, reason: str) -> None:
    """Have pages read again that somebody died of; raises :class:`LeaseLost`."""
    await _end(db, held, "crashes = crashes + 1, reason = $4, pages_done = 0", reason)


async def give_back(db: Database, held: SliceRecord) -> None:
    """Have pages read by somebody else, without blame; raises :class:`LeaseLost`."""
    await _end(db, held, "pages_done = 0")


async def expire(db: Database) -> int:
    """Take pages away from workers that stopped beating; returns how many ranges."""
    rows = await db.fetch(
        """UPDATE slices s SET token = NULL, expires_at = NULL, crashes = crashes + 1, reason = '', pages_done = 0
           FROM (SELECT job_id, first_page FROM slices WHERE expires_at < now() FOR UPDATE SKIP LOCKED) lost
           WHERE s.job_id = lost.job_id AND s.first_page = lost.first_page RETURNING s.first_page"""
    )
    return len(rows)


async def read_again(db: Database, job_id: int, blob_key: str) -> None:
    """Have pages read again whose blob is gone, unless somebody has done so by now."""
    await db.fetch(
        """UPDATE slices SET blob_key = NULL, size_bytes = NULL, data_key = NULL, pages_done = 0
           WHERE job_id = $1 AND blob_key = $2""",
        job_id,
        blob_key,
    )


async def readers(db: Database, job_id: int, worker_id: UUID) -> tuple[int, int]:
    """Return how many workers have read pages of a job, and how many of them on the machine of one of them."""
    row = await db.fetch_one(
        """SELECT count(DISTINCT s.owner) AS everywhere,
                  count(DISTINCT s.owner) FILTER (WHERE w.hostname = own.hostname) AS here
           FROM slices s LEFT JOIN workers w ON w.id = s.owner LEFT JOIN workers own ON own.id = $2
           WHERE s.job_id = $1""",
        job_id,
        worker_id,
    )
    assert row is not None
    return int(row["everywhere"]), int(row["here"])


async def _end(db: Database, held: SliceRecord, how: str, *values: object) -> None:
    ended = await db.fetch(
        f"""UPDATE slices SET token = NULL, expires_at = NULL, {how}
            WHERE job_id = $1 AND first_page = $2 AND token = $3 RETURNING job_id""",
        *_key(held),
        *values,
    )
    if not ended:
        raise LeaseLost


def _key(held: SliceRecord) -> tuple[int, int, int]:
    return held.job_id, held.first_page, held.token
