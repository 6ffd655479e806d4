"""Named queries over webhook deliveries. Why they lock as they do is in docs/decisions/0008.

An endpoint is locked before its deliveries, and deliveries of one job in the order of their ids.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from docrefinery.model import DeliveryStatus
from docrefinery.store import audit, counters
from docrefinery.store.counters import Counted
from docrefinery.store.database import Database
from docrefinery.store.merging import Condition, one_of
from docrefinery.store.paging import Page, PageRequest, fetch_page
from docrefinery.store.records import DeliveryRecord, OutgoingRecord
from docrefinery.store.tables import WebhookDelivery

COLUMNS = ", ".join(DeliveryRecord.__struct_fields__)
CHANNEL = "webhooks_due"
"""Where the database tells of deliveries that are due."""
BELL_LOCK = 0x6472_6265_6C6C  # "drbell"
KEPT = timedelta(days=30)
FAILING = timedelta(days=5)
"""An endpoint that fails for so long, and never succeeds, is disabled."""

# The first part steps from endpoint to endpoint through the index, so that the backlog of one costs the others nothing.
CLAIM = """
WITH RECURSIVE waiting AS (
    (SELECT endpoint_id AS id FROM webhook_deliveries WHERE status = 'PENDING' AND next_attempt_at IS NOT NULL
     ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.endpoint_id FROM webhook_deliveries d
            WHERE d.status = 'PENDING' AND d.next_attempt_at IS NOT NULL AND d.endpoint_id > w.id
            ORDER BY d.endpoint_id LIMIT 1) FROM waiting w WHERE w.id IS NOT NULL
), picked AS (
    SELECT d.id FROM waiting w LEFT JOIN unnest($2::bigint[], $3::integer[]) busy (id, n) ON busy.id = w.id
    CROSS JOIN LATERAL (
        SELECT id FROM webhook_deliveries
        WHERE endpoint_id = w.id AND status = 'PENDING' AND next_attempt_at <= now()
        ORDER BY next_attempt_at, id LIMIT greatest($4 - coalesce(busy.n, 0), 0) FOR UPDATE SKIP LOCKED) d
    WHERE w.id IS NOT NULL ORDER BY random() LIMIT $1
), claimed AS (
    UPDATE webhook_deliveries d SET next_attempt_at = now() + $5, lease_token = nextval('lease_tokens')
    FROM picked WHERE d.id = picked.id RETURNING d.*
)
SELECT d.id, d.uuid, d.tenant_id, d.endpoint_id, d.lease_token AS token, e.url, e.secret, d.event, d.job_id,
       d.sequence, d.body, d.attempts - d.attempts_before AS tries, coalesce(j.traceparent, '') AS traceparent
FROM claimed d JOIN webhook_endpoints e ON e.id = d.endpoint_id LEFT JOIN jobs j ON j.id = d.job_id ORDER BY d.id
"""


async def page(
    tenant_id: int, endpoint_id: int, statuses: tuple[str, ...] | None, request: PageRequest
) -> Page[DeliveryRecord]:
    """Return one page of an endpoint's log, newest first."""
    columns: Any = [WebhookDelivery._meta.get_column_by_name(name) for name in DeliveryRecord.__struct_fields__]
    query = WebhookDelivery.select(*columns).where(
        WebhookDelivery.tenant_id == tenant_id, WebhookDelivery.endpoint_id == endpoint_id
    )
    held = Condition("tenant_id = {} AND endpoint_id = {}", (tenant_id, endpoint_id))
    merge = one_of("webhook_deliveries", held, "status", statuses or tuple(DeliveryStatus))
    return await fetch_page(
        query, DeliveryRecord.of, request, order=(WebhookDelivery.id,), ascending=False, merge=merge
    )


async def insert(db: Database, tenant_id: int, endpoint_id: int, event: str, body: bytes) -> DeliveryRecord:
    """Insert a delivery that belongs to no job."""
    row = await db.fetch_one(
        f"""INSERT INTO webhook_deliveries (tenant_id, endpoint_id, event, body, ordered)
            VALUES ($1, $2, $3, $4, false) RETURNING {COLUMNS}""",
        tenant_id,
        endpoint_id,
        event,
        body,
    )
    assert row is not None
    return DeliveryRecord.of(row)


async def redeliver(db: Database, tenant_id: int, endpoint_id: int, uuid: UUID) -> DeliveryRecord | None:
    """Start a delivery's schedule again. One that has ended is out of order then; one under way stays as it is."""
    row = await db.fetch_one(
        f"""UPDATE webhook_deliveries
            SET next_attempt_at = CASE WHEN status = 'PENDING' AND (lease_token IS NOT NULL OR next_attempt_at IS NULL)
                                       THEN next_attempt_at ELSE now() END,
                lease_token = CASE status WHEN 'PENDING' THEN lease_token END, ordered = ordered AND status = 'PENDING',
                status = 'PENDING', attempts_before = attempts, response_status = NULL, error = '', delivered_at = NULL
            WHERE tenant_id = $1 AND endpoint_id = $2 AND uuid = $3 RETURNING {COLUMNS}""",
        tenant_id,
        endpoint_id,
        uuid,
    )
    return DeliveryRecord.of(row) if row else None


async def claim(
    db: Database, limit: int, *, busy: Mapping[int, int], per_endpoint: int, lease: timedelta
) -> list[OutgoingRecord]:
    """Take deliveries that are due.

    :param busy: how many attempts at each endpoint this process has under way.
    :param per_endpoint: how many it may have.
    """
    rows = await db.fetch(CLAIM, limit, list(busy.keys()), list(busy.values()), per_endpoint, lease)
    return [OutgoingRecord.of(row) for row in rows]


async def freeze(db: Database, outgoing: OutgoingRecord, body: bytes) -> bytes | None:
    """Keep a delivery's body for all attempts and return it; ``None`` if the delivery is somebody else's by now."""
    row = await db.fetch_one(
        "UPDATE webhook_deliveries SET body = coalesce(body, $3) WHERE id = $1 AND lease_token = $2 RETURNING body",
        outgoing.id,
        outgoing.token,
        body,
    )
    return row["body"] if row else None


async def give_back(db: Database, tokens: Sequence[int]) -> None:
    """Make deliveries due whose attempts were broken off, without counting those."""
    await db.fetch(
        """WITH held AS (SELECT id FROM webhook_deliveries
                         WHERE lease_token = ANY ($1::bigint[]) AND status = 'PENDING' AND next_attempt_at IS NOT NULL
                         ORDER BY id FOR UPDATE)
           UPDATE webhook_deliveries d SET next_attempt_at = now(), lease_token = NULL
           FROM held WHERE d.id = held.id""",
        list(tokens),
    )


async def any_due(db: Database) -> bool:
    """Return whether some delivery of some tenant is due."""
    row = await db.fetch_one(
        "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE status = 'PENDING' AND next_attempt_at <= now()) AS due"
    )
    return row is not None and row["due"]


async def fail_pending(db: Database, endpoint_id: int, reason: str) -> None:
    """End what waits for an endpoint that the transaction has just disabled; an attempt under way may still succeed."""
    await db.fetch(
        """WITH held AS (SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 AND status = 'PENDING'
                         ORDER BY id FOR UPDATE)
           UPDATE webhook_deliveries d SET status = 'FAILED', error = $2, next_attempt_at = NULL
           FROM held WHERE d.id = held.id""",
        endpoint_id,
        reason,
    )


async def release(db: Database, endpoint_id: int) -> None:
    """Make an endpoint's retries due at once."""
    await db.fetch(
        """UPDATE webhook_deliveries SET next_attempt_at = now()
           WHERE endpoint_id = $1 AND status = 'PENDING' AND next_attempt_at > now() AND lease_token IS NULL""",
        endpoint_id,
    )


async def succeeded(db: Database, outgoing: OutgoingRecord, response_status: int) -> None:
    """Note that an attempt succeeded; the first success after failures releases what waits for the endpoint."""
    async with db.transaction():
        recovered = await db.fetch(
            """UPDATE webhook_endpoints SET failing_since = NULL
               WHERE id = $1 AND failing_since IS NOT NULL RETURNING id""",
            outgoing.endpoint_id,
        )
        noted = await db.fetch(
            """UPDATE webhook_deliveries
               SET status = 'DELIVERED', attempts = attempts + 1, response_status = $3, error = '',
                   delivered_at = now(), next_attempt_at = NULL, lease_token = NULL
               WHERE id = $1 AND lease_token = $2 RETURNING id""",
            outgoing.id,
            outgoing.token,
            response_status,
        )
        if recovered:
            await release(db, outgoing.endpoint_id)
        if noted:
            await counters.add(db, Counted.WEBHOOK_DELIVERIES, "delivered")


async def failed(
    db: Database,
    outgoing: OutgoingRecord,
    *,
    response_status: int | None,
    error: str,
    retry_in: timedelta | None,
    disable: str | None,
) -> str | None:
    """Note that an attempt failed.

    :param retry_in: ``None`` if it was the last one.
    :param disable: why the endpoint is to be disabled at once.
    :returns: why the endpoint was disabled, if it was.
    """
    async with db.transaction():
        reason = await _failing(db, outgoing.endpoint_id, disable)
        noted = await db.fetch_one(
            """UPDATE webhook_deliveries
               SET status = CASE WHEN $5::interval IS NULL THEN 'FAILED' ELSE status END, attempts = attempts + 1,
                   next_attempt_at = CASE WHEN status = 'PENDING' THEN now() + $5 END, lease_token = NULL,
                   response_status = $3, error = $4
               WHERE id = $1 AND lease_token = $2 RETURNING status""",
            outgoing.id,
            outgoing.token,
            response_status,
            error,
            None if disable is not None else retry_in,
        )
        if reason is not None:
            await fail_pending(db, outgoing.endpoint_id, reason)
            await audit.insert(db, [_disabled(outgoing)])
        if noted is not None:
            outcome = "retried" if noted["status"] == DeliveryStatus.PENDING and reason is None else "failed"
            await counters.add(db, Counted.WEBHOOK_DELIVERIES, outcome)
    return reason


def _disabled(outgoing: OutgoingRecord) -> audit.NewEntry:
    return audit.NewEntry(
        action="webhook.changed",
        actor_kind="system",
        actor="deliveries",
        tenant_id=outgoing.tenant_id,
        object=f"webhook {outgoing.endpoint_id}",
        details={"fields": ["enabled"], "enabled": False},
    )


async def _failing(db: Database, endpoint_id: int, disable: str | None) -> str | None:
    """Note since when an endpoint fails, and disable it if it is time."""
    await db.fetch(
        "UPDATE webhook_endpoints SET failing_since = now() WHERE id = $1 AND failing_since IS NULL", endpoint_id
    )
    row = await db.fetch_one(
        """UPDATE webhook_endpoints
           SET enabled = false, modified_at = now(),
               disabled_reason = coalesce($2, 'Nothing but failures for ' || extract(day FROM $3::interval) || ' days.')
           WHERE id = $1 AND enabled AND ($2::text IS NOT NULL OR failing_since < now() - $3::interval)
           RETURNING disabled_reason""",
        endpoint_id,
        disable,
        FAILING,
    )
    return row["disabled_reason"] if row else None


async def remove_old(db: Database) -> None:
    """Forget deliveries that ended long ago."""
    await db.fetch(
        "DELETE FROM webhook_deliveries WHERE status <> 'PENDING' AND created_at < now() - $1::interval", KEPT
    )


async def lead(connection: Any) -> bool:
    """Try to become, for as long as the connection lasts, the one process that rings for deliveries."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", BELL_LOCK))
