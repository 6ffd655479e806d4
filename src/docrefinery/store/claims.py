"""Named queries of workers: claim, lease, fence, publish. Each is explained in docs/decisions/0001."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from docrefinery.model import JobStatus
from docrefinery.store import artifacts, counters, documents, garbage
from docrefinery.store.counters import Counted
from docrefinery.store.database import Database
from docrefinery.store.records import ClaimRecord

_BELOW_LIMIT = "(t.max_running_jobs IS NULL OR c.running < t.max_running_jobs)"
# The tenant with the fewest running jobs goes first, then the one that waited longest for its turn; of its queues the
# one whose next job has waited longer. The last select locks one job of each queue it has to look at, and the outer
# limit ends it with the first that it gets. Two workers may pick for a tenant that has room for one: with the tenant's
# clock in hand the limit is looked at again, as it is by then. Each queue is read by itself, and in the order of
# `jobs_claim`, which no other index has: for several at once, for EXISTS, or in the order of ids, the planner reads
# through the 100,000 jobs of one tenant to find another's.
CLAIM = f"""
WITH picked AS (
    SELECT j.id, turn.tenant_id FROM (
        SELECT t.id AS tenant_id, c.running, t.last_claimed_at, waiting.queues
        FROM tenants t JOIN tenant_clocks c ON c.tenant_id = t.id
        CROSS JOIN LATERAL (
            SELECT array_agg(listed.queue ORDER BY next.queued_at, next.id) AS queues
            FROM unnest($1::text[]) listed (queue) CROSS JOIN LATERAL (
                SELECT q.queued_at, q.id FROM jobs q
                WHERE q.tenant_id = t.id AND q.queue = listed.queue AND q.status = 'QUEUED' AND q.not_before <= now()
                ORDER BY q.queued_at, q.id LIMIT 1) next) waiting
        WHERE {_BELOW_LIMIT} AND waiting.queues IS NOT NULL
        ORDER BY c.running, t.last_claimed_at) turn
    CROSS JOIN LATERAL (
        SELECT queue FROM unnest(turn.queues) WITH ORDINALITY ranked (queue, place) ORDER BY place) ranked
    CROSS JOIN LATERAL (
        SELECT q.id FROM jobs q
        WHERE q.tenant_id = turn.tenant_id AND q.queue = ranked.queue AND q.status = 'QUEUED' AND q.not_before <= now()
        ORDER BY q.queued_at, q.id LIMIT 1 FOR UPDATE SKIP LOCKED) j
    LIMIT 1
), admitted AS (
    SELECT p.id FROM picked p JOIN tenants t ON t.id = p.tenant_id JOIN tenant_clocks c ON c.tenant_id = t.id
    WHERE {_BELOW_LIMIT} FOR UPDATE OF c
), claimed AS (
    UPDATE jobs SET status = 'RUNNING', stage = 'SCANNING', started_at = coalesce(started_at, now())
    FROM admitted WHERE jobs.id = admitted.id RETURNING jobs.*
), leased AS (
    INSERT INTO leases (job_id, owner, token, expires_at, pages_done, pages_total)
    SELECT id, $2, nextval('lease_tokens'), now() + $3, pages_done, pages_total FROM claimed RETURNING job_id, token
), turned AS (
    UPDATE tenants SET last_claimed_at = clock_timestamp() FROM claimed WHERE tenants.id = claimed.tenant_id
)
SELECT j.id AS job_id, j.uuid AS job_uuid, j.tenant_id, t.uuid AS tenant_uuid, j.document_id, l.token, j.attempt,
       j.queue, j.profile, j.options, j.exports, d.original_filename, d.blob_key, d.size_bytes, d.data_key,
       j.traceparent, j.request_id, extract(epoch FROM now() - j.put_off_since)::float8 AS put_off_seconds,
       extract(epoch FROM now() - greatest(j.queued_at, j.not_before))::float8 AS queued_seconds
FROM picked p LEFT JOIN (claimed j JOIN leased l ON l.job_id = j.id JOIN documents d ON d.id = j.document_id
     JOIN tenants t ON t.id = j.tenant_id) ON j.id = p.id
"""

# The next worker goes on with what was read in parts; all else it reads anew. What was told is not taken back.
_PAGES_READ = """
    SELECT CASE WHEN count(*) > 0 THEN greatest(sum(s.pages_done), (SELECT max(pages_done) FROM lease)) ELSE 0 END,
           sum(s.last_page - s.first_page + 1)
    FROM slices s WHERE s.job_id = $1"""

Beat = Literal["held", "cancel", "lost"]


class LeaseLost(Exception):
    """The job belongs to somebody else by now (or is finished): what was done for it must not be published."""


class Outcome(Struct, frozen=True, kw_only=True):
    """How a job ends, as its row will say; JSON comes encoded."""

    status: str
    error_code: str = ""
    error_message: str = ""
    error_details: str | None = None
    warnings: str = "[]"
    engine: str | None = None
    pages_total: int | None = None
    pages_done: int | None = None
    convert_ms: int | None = None
    export_ms: int | None = None
    chunk_ms: int | None = None
    partial: bool = False
    failed_pages: list[int] = msgspec.field(default_factory=list)
    page_count: int | None = None
    scanned_clean: bool = False


async def claim(db: Database, queues: Sequence[str], owner: UUID, lease: timedelta) -> ClaimRecord | None:
    """Take the next job of these queues, or return ``None`` when there is none."""
    # A job that was picked and not claimed has met its tenant's limit: somebody else was quicker, and the next look
    # passes this tenant over.
    while (row := await db.fetch_one(CLAIM, list(queues), owner, lease)) is not None:
        if row["job_id"] is not None:
            return ClaimRecord.of(row)
    return None


async def waiting(db: Database, queue: str, at_most: int) -> int:
    """Return how many jobs of a queue could be claimed now, counting no further than ``at_most`` of each tenant."""
    row = await db.fetch_one(
        """SELECT coalesce(sum(w.n), 0) AS n FROM tenants t JOIN tenant_clocks c ON c.tenant_id = t.id
           CROSS JOIN LATERAL (
               SELECT count(*) AS n FROM (
                   SELECT FROM jobs q
                   WHERE q.tenant_id = t.id AND q.queue = $1 AND q.status = 'QUEUED' AND q.not_before <= now()
                   LIMIT greatest(least($2::integer, t.max_running_jobs - c.running), 0)) q) w""",
        queue,
        at_most,
    )
    assert row is not None
    return int(row["n"])


async def beat(db: Database, claim: ClaimRecord, lease: timedelta, *, pages_done: int, pages_total: int | None) -> Beat:
    """Extend a lease, note page progress, which never goes back, and learn whether to go on."""
    row = await db.fetch_one(
        """UPDATE leases SET expires_at = now() + $3, pages_done = greatest(leases.pages_done, $4),
                             pages_total = coalesce($5, leases.pages_total)
           FROM jobs WHERE leases.job_id = $1 AND leases.token = $2 AND jobs.id = leases.job_id
           RETURNING jobs.cancel_requested_at IS NOT NULL AS cancel""",
        claim.job_id,
        claim.token,
        lease,
        pages_done,
        pages_total,
    )
    if row is None:
        return "lost"
    return "cancel" if row["cancel"] else "held"


async def enter_stage(
    db: Database,
    claim: ClaimRecord,
    stage: str,
    *,
    scan_ms: int | None = None,
    pages_done: int = 0,
    pages_total: int | None = None,
) -> None:
    """Note that a stage begins, and the page progress by then; raises :class:`LeaseLost`."""
    row = await db.fetch_one(
        """WITH held AS (
               UPDATE leases SET pages_done = greatest(pages_done, $5), pages_total = coalesce($6, pages_total)
               WHERE job_id = $1 AND token = $2 RETURNING job_id)
           UPDATE jobs SET stage = $3, scan_ms = coalesce($4, scan_ms) FROM held
           WHERE jobs.id = held.job_id RETURNING jobs.id""",
        claim.job_id,
        claim.token,
        stage,
        scan_ms,
        pages_done,
        pages_total,
    )
    if row is None:
        raise LeaseLost


async def finish(
    db: Database,
    claim: ClaimRecord,
    outcome: Outcome,
    *,
    results: list[artifacts.NewArtifact] | None = None,
    blob_prefix: str | None = None,
) -> bool:
    """End a job, with its results if there are any, in one transaction.

    A cancel that was accepted before wins over success and failure, not over malware.

    :returns: whether the outcome was written as it is, and not as ``CANCELED``.
    :raises LeaseLost: if the job is not the claim's any more.
    """
    async with db.transaction():
        await _hold(db, claim)
        canceled = outcome.status != JobStatus.QUARANTINED and await _cancel_requested(db, claim)
        if canceled:
            outcome = Outcome(status=JobStatus.CANCELED, scanned_clean=outcome.scanned_clean)
        elif results:
            assert blob_prefix is not None
            if not await garbage.forget(db, blob_prefix):
                raise LeaseLost
            await artifacts.insert(
                db, claim.tenant_id, job_id=claim.job_id, document_id=claim.document_id, artifacts=results
            )
        await _end(db, claim, outcome)
        if outcome.page_count is not None:
            await documents.set_page_count(db, claim.tenant_id, claim.document_id, outcome.page_count)
        await documents.refresh_status(db, claim.tenant_id, claim.document_id, scanned_clean=outcome.scanned_clean)
        if outcome.status == JobStatus.FAILED:
            await counters.add(db, Counted.JOBS_FAILED, outcome.error_code)
    return not canceled


async def _cancel_requested(db: Database, claim: ClaimRecord) -> bool:
    row = await db.fetch_one("SELECT cancel_requested_at FROM jobs WHERE id = $1", claim.job_id)
    return row is not None and row["cancel_requested_at"] is not None


async def _hold(db: Database, claim: ClaimRecord) -> None:
    """Lock the document, then the lease: everybody locks in this order, so nobody waits in a circle."""
    await db.fetch("SELECT FROM documents WHERE id = $1 FOR UPDATE", claim.document_id)
    if not await db.fetch("SELECT FROM leases WHERE job_id = $1 AND token = $2 FOR UPDATE", claim.job_id, claim.token):
        raise LeaseLost


async def _end(db: Database, claim: ClaimRecord, outcome: Outcome) -> None:
    await db.fetch(
        """WITH lease AS (DELETE FROM leases WHERE job_id = $1 AND token = $2 RETURNING *)
           UPDATE jobs SET status = $3, finished_at = now(), error_code = $4, error_message = $5, error_details = $6,
                  warnings = $7, engine = $8, pages_total = coalesce($9, lease.pages_total),
                  pages_done = coalesce($10, lease.pages_done), convert_ms = $11, export_ms = $12, chunk_ms = $13,
                  partial = $14, failed_pages = $15
           FROM lease WHERE jobs.id = $1""",
        claim.job_id,
        claim.token,
        outcome.status,
        outcome.error_code,
        outcome.error_message,
        outcome.error_details,
        outcome.warnings,
        outcome.engine,
        outcome.pages_total,
        outcome.pages_done,
        outcome.convert_ms,
        outcome.export_ms,
        outcome.chunk_ms,
        outcome.partial,
        outcome.failed_pages,
    )


async def give_back(
    db: Database, claim: ClaimRecord, *, delay: timedelta = timedelta(0), put_off: bool = False, reason: str = ""
) -> None:
    """Put a job back into the queue without blame, to be claimed after ``delay``; raises :class:`LeaseLost`.

    :param put_off: something that the job needs is away; since when is kept for the next claim.
    :param reason: what that is, for the count of jobs that were put off.
    """
    async with db.transaction():
        await _hold(db, claim)
        if await _cancel_requested(db, claim):
            await _end(db, claim, Outcome(status=JobStatus.CANCELED))
            await documents.refresh_status(db, claim.tenant_id, claim.document_id)
            return
        await db.fetch(
            f"""WITH lease AS (DELETE FROM leases WHERE job_id = $1 AND token = $2 RETURNING *)
               UPDATE jobs SET status = 'QUEUED', stage = 'SCANNING', scan_ms = NULL, not_before = now() + $3,
                      (pages_done, pages_total) = ({_PAGES_READ}),
                      put_off_since = CASE WHEN $4 THEN coalesce(put_off_since, now()) END
               WHERE id = $1""",
            claim.job_id,
            claim.token,
            delay,
            put_off,
        )
        if put_off:
            await counters.add(db, Counted.JOBS_PUT_OFF, reason)


class Crash(Struct, frozen=True, kw_only=True):
    """What a crash says about itself in the job, should it be the last one."""

    code: str
    message: str


async def crashed(
    db: Database, claim: ClaimRecord, crash: Crash, *, max_crashes: int, delay: timedelta = timedelta(0)
) -> None:
    """Count a crash: back into the queue, or failed after the last one; raises :class:`LeaseLost`."""
    async with db.transaction():
        await _hold(db, claim)
        await _crash(db, claim.tenant_id, claim.document_id, claim.job_id, crash, max_crashes, delay)


async def _crash(
    db: Database,
    tenant_id: int,
    document_id: int,
    job_id: int,
    crash: Crash,
    max_crashes: int,
    delay: timedelta = timedelta(0),
) -> None:
    """Requeue or end a job whose lease the transaction holds; a canceled one ends as canceled."""
    row = await db.fetch_one(
        f"""WITH lease AS (DELETE FROM leases WHERE job_id = $1 RETURNING *),
           parts (done, total) AS ({_PAGES_READ}),
           fate AS (SELECT CASE WHEN cancel_requested_at IS NOT NULL THEN 'CANCELED'
                                WHEN crashes + 1 >= $2 THEN 'FAILED' ELSE 'QUEUED' END AS status
                    FROM jobs WHERE id = $1)
           UPDATE jobs SET status = fate.status, crashes = crashes + 1, scan_ms = NULL, not_before = now() + $5,
                  stage = CASE fate.status WHEN 'QUEUED' THEN 'SCANNING' ELSE stage END,
                  pages_done = CASE fate.status WHEN 'QUEUED' THEN parts.done ELSE lease.pages_done END,
                  pages_total = CASE fate.status WHEN 'QUEUED' THEN parts.total ELSE lease.pages_total END,
                  finished_at = CASE fate.status WHEN 'QUEUED' THEN NULL ELSE now() END,
                  error_code = CASE fate.status WHEN 'FAILED' THEN $3 ELSE '' END,
                  error_message = CASE fate.status WHEN 'FAILED' THEN $4 ELSE '' END
           FROM fate, parts, lease WHERE jobs.id = $1 RETURNING jobs.status""",
        job_id,
        max_crashes,
        crash.code,
        crash.message,
        delay,
    )
    await documents.refresh_status(db, tenant_id, document_id)
    if row is not None and row["status"] == JobStatus.FAILED:
        await counters.add(db, Counted.JOBS_FAILED, crash.code)


async def expire(db: Database, crash: Crash, *, max_crashes: int) -> int:
    """Take jobs away from workers that stopped beating; returns how many."""
    rows = await db.fetch(
        """SELECT l.job_id, l.token, j.tenant_id, j.document_id FROM leases l JOIN jobs j ON j.id = l.job_id
           WHERE l.expires_at < now() ORDER BY l.expires_at LIMIT 100"""
    )
    taken = 0
    for row in rows:
        async with db.transaction():
            # Whoever holds it may be frozen, and the other jobs must not wait for that.
            free = await db.fetch("SELECT FROM documents WHERE id = $1 FOR UPDATE SKIP LOCKED", row["document_id"])
            if free and await db.fetch(
                "SELECT FROM leases WHERE job_id = $1 AND token = $2 AND expires_at < now() FOR UPDATE",
                row["job_id"],
                row["token"],
            ):
                await _crash(db, row["tenant_id"], row["document_id"], row["job_id"], crash, max_crashes)
                await counters.add(db, Counted.JOBS_RECOVERED)
                taken += 1
    return taken
