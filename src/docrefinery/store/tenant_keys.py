"""Named queries over tenants' keys, which are wrapped under the installation's."""

from collections.abc import Sequence

from msgspec import Struct

from docrefinery.store.database import Database


class WrappedKey(Struct, frozen=True):
    """A tenant's key as it is kept."""

    tenant_id: int
    tenant_name: str
    wrapped: bytes


async def get(db: Database, tenant_id: int) -> bytes | None:
    """Return a tenant's key."""
    row = await db.fetch_one("SELECT wrapped FROM tenant_keys WHERE tenant_id = $1", tenant_id)
    return row["wrapped"] if row else None


async def keep(db: Database, tenant_id: int, wrapped: bytes) -> bytes:
    """Give a tenant a key and return it, or the one that somebody else gave it meanwhile."""
    # An update that changes nothing, since without one the row that is there is not returned.
    row = await db.fetch_one(
        """INSERT INTO tenant_keys (tenant_id, wrapped) VALUES ($1, $2)
           ON CONFLICT (tenant_id) DO UPDATE SET tenant_id = excluded.tenant_id RETURNING wrapped""",
        tenant_id,
        wrapped,
    )
    assert row is not None
    kept: bytes = row["wrapped"]
    return kept


async def after(db: Database, tenant_id: int, limit: int) -> Sequence[WrappedKey]:
    """Return the keys of the tenants after this one, for the operator."""
    rows = await db.fetch(
        """SELECT k.tenant_id, t.name, k.wrapped FROM tenant_keys k JOIN tenants t ON t.id = k.tenant_id
           WHERE k.tenant_id > $1 ORDER BY k.tenant_id LIMIT $2""",
        tenant_id,
        limit,
    )
    return [WrappedKey(row["tenant_id"], row["name"], row["wrapped"]) for row in rows]


async def replace(db: Database, tenant_id: int, old: bytes, new: bytes) -> None:
    """Put a key that was wrapped anew in the place of the old one, unless that is gone."""
    await db.fetch("UPDATE tenant_keys SET wrapped = $3 WHERE tenant_id = $1 AND wrapped = $2", tenant_id, old, new)


async def give_up(db: Database, tenant_id: int) -> bool:
    """Delete a tenant's key; false if it has none."""
    return bool(await db.fetch("DELETE FROM tenant_keys WHERE tenant_id = $1 RETURNING tenant_id", tenant_id))
