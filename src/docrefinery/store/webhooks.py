"""Named queries over webhook endpoints."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from docrefinery.store.database import Database
from docrefinery.store.paging import Page, PageRequest, fetch_page
from docrefinery.store.records import EndpointRecord, Ref
from docrefinery.store.tables import WebhookEndpoint

COLUMNS = ", ".join(EndpointRecord.__struct_fields__)


class EndpointValues(Struct, frozen=True, kw_only=True):
    """What a tenant decides about an endpoint; ``secret`` is encrypted."""

    name: str
    url: str
    secret: bytes | None
    events: list[str]
    enabled: bool


async def insert(db: Database, tenant_id: int, values: EndpointValues) -> EndpointRecord:
    """Insert an endpoint."""
    row = await db.fetch_one(
        f"""INSERT INTO webhook_endpoints (tenant_id, name, url, secret, events, enabled)
            VALUES ($1, $2, $3, $4, $5, $6) RETURNING {COLUMNS}""",
        tenant_id,
        values.name,
        values.url,
        values.secret,
        values.events,
        values.enabled,
    )
    assert row is not None
    return EndpointRecord.of(row)


async def page(tenant_id: int, request: PageRequest) -> Page[EndpointRecord]:
    """Return one page, newest first."""
    columns: Any = [WebhookEndpoint._meta.get_column_by_name(name) for name in EndpointRecord.__struct_fields__]
    query = WebhookEndpoint.select(*columns).where(WebhookEndpoint.tenant_id == tenant_id)
    return await fetch_page(query, EndpointRecord.of, request, order=(WebhookEndpoint.id,), ascending=False)


async def get(db: Database, tenant_id: int, ref: Ref, *, lock: bool = False) -> EndpointRecord | None:
    """Return an endpoint; ``lock`` keeps others from changing it, and its jobs from telling it, until commit."""
    column = "uuid" if isinstance(ref, UUID) else "id"
    row = await db.fetch_one(
        f"SELECT {COLUMNS} FROM webhook_endpoints WHERE tenant_id = $1 AND {column} = $2"
        + (" FOR UPDATE" if lock else ""),
        tenant_id,
        ref,
    )
    return EndpointRecord.of(row) if row else None


async def secret_of(db: Database, tenant_id: int, endpoint_id: int) -> bytes | None:
    """Return an endpoint's encrypted secret."""
    row = await db.fetch_one(
        "SELECT secret FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2", tenant_id, endpoint_id
    )
    return row["secret"] if row else None


async def update(db: Database, tenant_id: int, endpoint_id: int, values: EndpointValues) -> EndpointRecord:
    """Replace what the tenant decides; whatever we thought of the endpoint's health begins anew."""
    row = await db.fetch_one(
        f"""UPDATE webhook_endpoints
            SET name = $3, url = $4, secret = $5, events = $6, enabled = $7, modified_at = now(),
                failing_since = CASE WHEN url = $4 AND enabled THEN failing_since END,
                disabled_reason = CASE WHEN NOT $7 THEN disabled_reason END
            WHERE tenant_id = $1 AND id = $2 RETURNING {COLUMNS}""",
        tenant_id,
        endpoint_id,
        values.name,
        values.url,
        values.secret,
        values.events,
        values.enabled,
    )
    assert row is not None
    return EndpointRecord.of(row)


async def delete(db: Database, tenant_id: int, endpoint_id: int) -> None:
    """Delete an endpoint that the transaction holds, with its delivery log."""
    # In the order in which deliveries that end lock each other.
    await db.fetch(
        """SELECT FROM webhook_deliveries WHERE tenant_id = $1 AND endpoint_id = $2 AND status = 'PENDING'
           ORDER BY id FOR UPDATE""",
        tenant_id,
        endpoint_id,
    )
    await db.fetch("DELETE FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2", tenant_id, endpoint_id)


async def secrets_after(db: Database, endpoint_id: int, limit: int) -> list[tuple[int, bytes]]:
    """Return encrypted secrets of all tenants in the order of their endpoints, for the change of keys."""
    rows = await db.fetch(
        "SELECT id, secret FROM webhook_endpoints WHERE id > $1 AND has_secret ORDER BY id LIMIT $2",
        endpoint_id,
        limit,
    )
    return [(row["id"], row["secret"]) for row in rows]


async def replace_secret(db: Database, endpoint_id: int, old: bytes, new: bytes) -> None:
    """Store a secret that was encrypted again, unless somebody has set another one meanwhile."""
    await db.fetch("UPDATE webhook_endpoints SET secret = $3 WHERE id = $1 AND secret = $2", endpoint_id, old, new)
