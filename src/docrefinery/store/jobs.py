"""Named queries over jobs, as callers see and steer them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from docrefinery.model import QUEUE
from docrefinery.store.artifacts import refers_to
from docrefinery.store.database import Database
from docrefinery.store.merging import Bound, Condition, Merge, created_between, numbered_between
from docrefinery.store.octaves import changed_between
from docrefinery.store.paging import Page, PageRequest, fetch_page
from docrefinery.store.records import EventRecord, JobRecord, Ref
from docrefinery.store.sql.lists import PROFILE
from docrefinery.store.tables import JobView
from docrefinery.store.wall import across_tenants


class JobFilters(Struct, frozen=True, kw_only=True):
    """What a list of jobs is narrowed to; ``None`` does not narrow."""

    status: tuple[str, ...] | None = None
    stage: tuple[str, ...] | None = None
    profile: tuple[str, ...] | None = None
    document_id: Ref | None = None
    external_uuid: UUID | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None


class NewJob(Struct, frozen=True, kw_only=True):
    """What a submission says of a job; JSON comes encoded."""

    document_id: int
    external_uuid: UUID | None
    profile: str | None
    options: str
    exports: list[str]
    ignored_options: str
    queue: str = QUEUE
    traceparent: str = ""
    request_id: str = ""
    pages_expected: int = 1


async def insert(db: Database, tenant_id: int, job: NewJob) -> JobRecord:
    """Insert a queued job."""
    row = await db.fetch_one(
        """INSERT INTO jobs (tenant_id, document_id, external_uuid, profile, options, exports, ignored_options, queue,
                             traceparent, request_id, pages_expected)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *""",
        tenant_id,
        job.document_id,
        job.external_uuid,
        job.profile,
        job.options,
        job.exports,
        job.ignored_options,
        job.queue,
        job.traceparent,
        job.request_id,
        job.pages_expected,
    )
    assert row is not None
    return JobRecord.of(row)


async def get(db: Database, tenant_id: int, ref: Ref) -> JobRecord | None:
    """Return a job with its page progress."""
    kind = "uuid" if isinstance(ref, UUID) else "bigint"
    rows = await db.fetch_in_reach(f"SELECT * FROM job_of_tenant($1, $2, $3::{kind})", tenant_id, ref)
    return JobRecord.of(rows[0]) if rows else None


async def lock(db: Database, tenant_id: int, job_id: int) -> JobRecord | None:
    """Return a job and keep others from changing it until the transaction ends."""
    row = await db.fetch_one("SELECT * FROM jobs WHERE tenant_id = $1 AND id = $2 FOR UPDATE", tenant_id, job_id)
    return JobRecord.of(row) if row else None


async def page(tenant_id: int, filters: JobFilters, request: PageRequest) -> Page[JobRecord]:
    """Return one page: newest first, or in the order of change with ``updated_after``."""
    changed = filters.updated_after
    order = (JobView.id,) if changed is None else (JobView.modified_at, JobView.id)
    query, merge = JobView.select().where(JobView.tenant_id == tenant_id), None
    conditions = _conditions(tenant_id, filters)
    within = numbered_between("jobs", tenant_id, filters.created_after, filters.created_before)
    numbers = [bound.on(("id",)) for bound in within]
    if changed is not None:
        within = [Bound(">=", ("{}", "0"), (changed,))]
    # Of what few rows have, one index tells; by number alone, others' jobs may be a million before a small tenant's.
    rare = filters.document_id is not None or filters.external_uuid is not None
    if not rare and (changed is None or filters != JobFilters(updated_after=changed)):
        merge = _merge(tenant_id, filters, (Condition("tenant_id = {}", (tenant_id,)), *conditions), numbers)
    else:
        for condition in (*conditions, *_values(filters)):
            query = query.where(condition.raw)
    return await fetch_page(
        query, JobRecord.of, request, order=order, ascending=changed is not None, within=within, merge=merge
    )


_GROUP = {"status": "status", "stage": "stage", "profile": f"({PROFILE})"}
_GROUP_AND_OCTAVE = {"octave": "modified_octave", **_GROUP}
_OF_OCTAVE = (Bound(">=", ("g.since", "0")), Bound("<=", ("g.until", str(2**63 - 1))))


def _merge(tenant_id: int, filters: JobFilters, held: tuple[Condition, ...], numbers: Sequence[Condition]) -> Merge:
    """Merge the statuses, stages and profiles that jobs of the tenant have, or had, as far as the filters let them.

    In the order of change, each in every octave.
    """
    wanted = _values(filters)
    more = "".join(f" AND {condition.sql}" for condition in wanted)
    values = (tenant_id, *(value for condition in wanted for value in condition.values))
    if filters.updated_after is None:
        sql = f"(SELECT status, stage, profile FROM tenant_job_counts WHERE tenant_id = {{}}{more}) g"
        return Merge("jobs", Condition(sql, values), _GROUP, held)
    spans = changed_between(filters.updated_after, filters.created_after, filters.created_before)
    sql = f"""(SELECT status, stage, profile, octave, since, until
        FROM tenant_job_counts CROSS JOIN {spans.sql} spans (octave, since, until) WHERE tenant_id = {{}}{more}) g"""
    # The index has the number too: what was created at another time is passed over without a look at it.
    return Merge("jobs", Condition(sql, (*spans.values, *values)), _GROUP_AND_OCTAVE, (*held, *numbers), _OF_OCTAVE)


def _values(filters: JobFilters) -> list[Condition]:
    return [
        Condition(f"{column} = ANY ({{}}::text[])", (list(wanted),))
        for column, wanted in (("status", filters.status), ("stage", filters.stage), ("profile", filters.profile))
        if wanted is not None
    ]


def _conditions(tenant_id: int, filters: JobFilters) -> list[Condition]:
    found = created_between(filters.created_after, filters.created_before)
    if filters.external_uuid is not None:
        found.append(Condition("external_uuid = {}", (filters.external_uuid,)))
    if filters.document_id is not None:
        found.append(refers_to("document_id", "documents", tenant_id, filters.document_id))
    return found


async def latest_of_document(db: Database, tenant_id: int, document_id: int) -> int | None:
    """Return the id of the document's newest job."""
    row = await db.fetch_one(
        "SELECT max(id) AS id FROM jobs WHERE tenant_id = $1 AND document_id = $2", tenant_id, document_id
    )
    return row["id"] if row else None


async def active_of_document(db: Database, tenant_id: int, document_id: int) -> list[int]:
    """Lock the document's queued and running jobs, in the order that keeps lockers from waiting in a circle."""
    rows = await db.fetch(
        """SELECT id FROM jobs WHERE tenant_id = $1 AND document_id = $2 AND status IN ('QUEUED', 'RUNNING')
           ORDER BY id FOR UPDATE""",
        tenant_id,
        document_id,
    )
    return [row["id"] for row in rows]


async def events_after(db: Database, tenant_id: int, job_id: int, sequence: int) -> list[EventRecord]:
    """Return a job's events after ``sequence``, in order."""
    rows = await db.fetch(
        """SELECT e.* FROM job_events e JOIN jobs j ON j.id = e.job_id
           WHERE j.tenant_id = $1 AND e.job_id = $2 AND e.sequence > $3 ORDER BY e.sequence""",
        tenant_id,
        job_id,
        sequence,
    )
    return [EventRecord.of(row) for row in rows]


async def event(db: Database, tenant_id: int, job_id: int, sequence: int) -> EventRecord | None:
    """Return one event of a job."""
    row = await db.fetch_one(
        """SELECT e.* FROM job_events e JOIN jobs j ON j.id = e.job_id
           WHERE j.tenant_id = $1 AND e.job_id = $2 AND e.sequence = $3""",
        tenant_id,
        job_id,
        sequence,
    )
    return EventRecord.of(row) if row else None


async def cancel(db: Database, tenant_id: int, job_id: int) -> JobRecord:
    """Cancel a queued job, or ask the worker of a running one to stop it."""
    row = await db.fetch_one(
        """UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, now()),
                  status = CASE status WHEN 'QUEUED' THEN 'CANCELED' ELSE status END,
                  finished_at = CASE status WHEN 'QUEUED' THEN now() END
           WHERE tenant_id = $1 AND id = $2 AND status IN ('QUEUED', 'RUNNING') RETURNING *""",
        tenant_id,
        job_id,
    )
    assert row is not None
    return JobRecord.of(row)


async def retry(db: Database, tenant_id: int, job_id: int, queue: str, pages_expected: int) -> JobRecord:
    """Put a failed or quarantined job into a queue, as its next attempt."""
    row = await db.fetch_one(
        """UPDATE jobs SET status = 'QUEUED', queue = $3, stage = 'SCANNING', attempt = attempt + 1, crashes = 0,
                  pages_done = 0, pages_total = NULL, scan_ms = NULL, convert_ms = NULL, export_ms = NULL,
                  chunk_ms = NULL, error_code = '', error_message = '', error_details = NULL, warnings = '[]',
                  engine = NULL, partial = false, failed_pages = '{}', cancel_requested_at = NULL,
                  not_before = '-infinity', put_off_since = NULL, queued_at = now(), started_at = NULL,
                  finished_at = NULL, pages_expected = $4
           WHERE tenant_id = $1 AND id = $2 RETURNING *""",
        tenant_id,
        job_id,
        queue,
        pages_expected,
    )
    assert row is not None
    return JobRecord.of(row)


async def waiting_queues(db: Database, queues: Sequence[str]) -> list[str]:
    """Return those of these queues in which jobs of some tenant wait."""
    with across_tenants():
        # In the order of `jobs_claim`, as in a claim.
        rows = await db.fetch(
            """SELECT listed.queue FROM unnest($1::text[]) listed (queue) WHERE EXISTS (
                   SELECT FROM tenants t CROSS JOIN LATERAL (
                       SELECT q.id FROM jobs q
                       WHERE q.tenant_id = t.id AND q.queue = listed.queue AND q.status = 'QUEUED'
                       ORDER BY q.queued_at, q.id LIMIT 1) next)""",
            list(queues),
        )
    return [row["queue"] for row in rows]
