"""Named queries over the audit log. Rows are added in the transaction of what they tell of, and never changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from docrefinery.store.database import Database
from docrefinery.store.records import Record

ActorKind = Literal["key", "operator", "system"]
"""Who may be said to act. The database makes `claimed` of an operator that comes as the application."""
Outcome = Literal["done", "denied"]


class NewEntry(Struct, frozen=True, kw_only=True):
    """Something that happened, or was refused.

    :ivar tenant_id: whose object or key it is about; ``None`` for the installation.
    :ivar actor: name of the key, of the operator's account, or of the part of the system.
    :ivar object: kind and number, such as ``document 7``.

    When it happened is when it is written: the database says that itself.
    """

    action: str
    actor_kind: ActorKind
    actor: str
    tenant_id: int | None = None
    key_id: int | None = None
    object: str = ""
    outcome: Outcome = "done"
    request_id: str = ""
    client: str = ""
    details: dict[str, Any] = {}


class Entry(Record, frozen=True, kw_only=True):
    """A row of the log; ``tenant`` is its tenant's name, ``xid`` the transaction that wrote it."""

    id: int
    xid: int
    happened_at: datetime
    tenant: str | None
    actor_kind: str
    actor: str
    key_id: int | None
    action: str
    object: str
    outcome: str
    request_id: str
    client: str
    details: Raw


class Filters(Struct, frozen=True, kw_only=True):
    """What is wanted of the log; ``None`` does not narrow."""

    tenant_id: int | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def insert(db: Database, entries: Sequence[NewEntry]) -> None:
    """Add to the log, in the transaction that is open if there is one."""
    await db.fetch(
        """INSERT INTO audit_log (tenant_id, actor_kind, actor, key_id, action, object, outcome, request_id, client,
                                  details)
           SELECT n.tenant_id, n.actor_kind, n.actor, n.key_id, n.action, n.object, n.outcome, n.request_id, n.client,
                  n.details
           FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                       $8::text[], $9::text[], $10::jsonb[])
                WITH ORDINALITY n (tenant_id, actor_kind, actor, key_id, action, object, outcome, request_id, client,
                                   details, place) ORDER BY n.place""",
        [entry.tenant_id for entry in entries],
        [entry.actor_kind for entry in entries],
        [entry.actor for entry in entries],
        [entry.key_id for entry in entries],
        [entry.action for entry in entries],
        [entry.object for entry in entries],
        [entry.outcome for entry in entries],
        [entry.request_id for entry in entries],
        [entry.client for entry in entries],
        [msgspec.json.encode(entry.details).decode() for entry in entries],
    )


_ENTRIES = """
SELECT a.id, a.xid::text::bigint AS xid, a.happened_at, t.name AS tenant, a.actor_kind, a.actor, a.key_id, a.action,
       a.object, a.outcome, a.request_id, a.client, a.details
FROM audit_log a LEFT JOIN tenants t ON t.id = a.tenant_id
WHERE ($1::bigint IS NULL OR a.tenant_id = $1) AND ($2::text IS NULL OR a.action = $2)
      AND ($3::timestamptz IS NULL OR a.happened_at >= $3) AND ($4::timestamptz IS NULL OR a.happened_at <= $4)
"""


def _values(filters: Filters) -> tuple[Any, ...]:
    return filters.tenant_id, filters.action, filters.since, filters.until


async def newest(db: Database, filters: Filters, limit: int) -> list[Entry]:
    """Return the newest entries, oldest of them first."""
    rows = await db.fetch(_ENTRIES + "ORDER BY a.id DESC LIMIT $5", *_values(filters), limit)
    return [Entry.of(row) for row in reversed(rows)]


async def settled(db: Database) -> tuple[int, int]:
    """Return the place that a follower begins at: behind everything that is there for good."""
    row = await db.fetch_one(
        """SELECT xid::text::bigint AS xid, id FROM audit_log
           WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY audit_log.xid DESC, id DESC LIMIT 1"""
    )
    return (row["xid"], row["id"]) if row else (0, 0)


async def after(db: Database, filters: Filters, place: tuple[int, int], limit: int) -> list[Entry]:
    """Return what came after a place, in the order in which a follower misses nothing."""
    rows = await db.fetch(
        _ENTRIES
        + """AND (a.xid, a.id) > ($5::text::xid8, $6) AND a.xid < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY a.xid, a.id LIMIT $7""",
        *_values(filters),
        str(place[0]),
        place[1],
        limit,
    )
    return [Entry.of(row) for row in rows]


async def prune(db: Database, older_than: timedelta, operator: str) -> int:
    """Remove entries that are so old, as the schema's owner; returns how many.

    The database adds the entry that tells of it, and refuses to remove what is younger than a week.
    """
    async with db.transaction():
        await db.fetch("SELECT set_config('docrefinery.operator', $1, true)", operator)
        row = await db.fetch_one(
            """WITH gone AS (DELETE FROM audit_log WHERE happened_at < now() - $1::interval RETURNING id)
               SELECT count(*) AS n FROM gone""",
            older_than,
        )
    assert row is not None
    return int(row["n"])


class Named(Struct, frozen=True):
    """An object as a request named it: by number or by uuid."""

    kind: str
    id: int | None
    uuid: str | None


# Whose is it, if it is anybody's. Numbers are those of `Named`'s places.
OWNERS = """
SELECT n.place::integer - 1 AS place, found.tenant_id, found.id
FROM unnest($1::text[], $2::bigint[], $3::uuid[]) WITH ORDINALITY n (kind, id, uuid, place)
CROSS JOIN LATERAL (
    SELECT tenant_id, id FROM documents WHERE n.kind = 'document' AND (documents.id = n.id OR documents.uuid = n.uuid)
    UNION ALL
    SELECT tenant_id, id FROM jobs WHERE n.kind = 'job' AND (jobs.id = n.id OR jobs.uuid = n.uuid)
    UNION ALL
    SELECT tenant_id, id FROM artifacts
    WHERE n.kind = 'artifact' AND (artifacts.id = n.id OR artifacts.uuid = n.uuid)
    UNION ALL
    SELECT tenant_id, id FROM expired_documents
    WHERE n.kind = 'document' AND (expired_documents.id = n.id OR expired_documents.uuid = n.uuid)
    UNION ALL
    SELECT tenant_id, id FROM expired_jobs
    WHERE n.kind = 'job' AND (expired_jobs.id = n.id OR expired_jobs.uuid = n.uuid)
    UNION ALL
    SELECT tenant_id, id FROM expired_artifacts
    WHERE n.kind = 'artifact' AND (expired_artifacts.id = n.id OR expired_artifacts.uuid = n.uuid)
    UNION ALL
    SELECT tenant_id, id FROM webhook_endpoints
    WHERE n.kind = 'webhook' AND (webhook_endpoints.id = n.id OR webhook_endpoints.uuid = n.uuid)
    UNION ALL
    SELECT tenant_id, id FROM webhook_deliveries WHERE n.kind = 'delivery' AND webhook_deliveries.uuid = n.uuid
) found ORDER BY n.place
"""


async def owners(db: Database, named: Sequence[Named]) -> dict[int, tuple[int, int]]:
    """Return tenant and number of those objects that exist, by their places in ``named``."""
    rows = await db.fetch(
        OWNERS,
        [one.kind for one in named],
        [one.id for one in named],
        [one.uuid for one in named],
    )
    return {row["place"]: (row["tenant_id"], row["id"]) for row in rows}
