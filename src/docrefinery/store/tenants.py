"""Named queries over tenants and their API keys."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from docrefinery.store.database import Database
from docrefinery.store.records import KeyRecord, TenantRecord

KEYS = """
SELECT k.id, k.uuid, k.tenant_id, t.uuid AS tenant_uuid, t.name AS tenant_name, t.options AS tenant_options,
       t.default_profile AS tenant_default_profile, k.name, k.prefix, k.secret_sha256, k.scopes, k.options,
       k.default_profile, k.created_at, k.expires_at, k.revoked_at
FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
"""


async def create_tenant(db: Database, name: str) -> TenantRecord | None:
    """Insert a tenant; ``None`` if the name is taken."""
    row = await db.fetch_one("INSERT INTO tenants (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING *", name)
    return TenantRecord.of(row) if row else None


async def list_tenants(db: Database) -> list[TenantRecord]:
    """Return every tenant, oldest first."""
    return [TenantRecord.of(row) for row in await db.fetch("SELECT * FROM tenants ORDER BY id")]


async def get_tenant(db: Database, name: str) -> TenantRecord | None:
    """Return the tenant of this name."""
    row = await db.fetch_one("SELECT * FROM tenants WHERE name = $1", name)
    return TenantRecord.of(row) if row else None


async def set_tenant(db: Database, tenant_id: int, *, options: str | None, default_profile: str | None) -> TenantRecord:
    """Change what is not ``None``; an empty profile name removes the default."""
    row = await db.fetch_one(
        """UPDATE tenants SET options = coalesce($2::jsonb, options),
                  default_profile = CASE WHEN $3::text IS NULL THEN default_profile ELSE nullif($3, '') END
           WHERE id = $1 RETURNING *""",
        tenant_id,
        options,
        default_profile,
    )
    assert row is not None
    return TenantRecord.of(row)


class NewKey(Struct, frozen=True, kw_only=True):
    """A key to be stored; ``options`` is encoded JSON."""

    name: str
    prefix: str
    secret_sha256: bytes
    scopes: list[str]
    expires_at: datetime | None
    options: str
    default_profile: str | None


async def create_key(db: Database, tenant_id: int, key: NewKey) -> KeyRecord:
    """Insert a key."""
    row = await db.fetch_one(
        """INSERT INTO api_keys
               (tenant_id, name, prefix, secret_sha256, scopes, expires_at, options, default_profile)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id""",
        tenant_id,
        key.name,
        key.prefix,
        key.secret_sha256,
        key.scopes,
        key.expires_at,
        key.options,
        key.default_profile,
    )
    assert row is not None
    created = await db.fetch_one(KEYS + "WHERE k.id = $1", row["id"])
    assert created is not None
    return KeyRecord.of(created)


async def key_by_prefix(db: Database, prefix: str) -> KeyRecord | None:
    """Return the key with this public prefix, revoked or not."""
    row = await db.fetch_one(KEYS + "WHERE k.prefix = $1", prefix)
    return KeyRecord.of(row) if row else None


async def list_keys(db: Database, tenant_id: int | None) -> list[KeyRecord]:
    """Return the keys of a tenant, or of all for the operator, oldest first."""
    rows = await db.fetch(KEYS + "WHERE $1::bigint IS NULL OR k.tenant_id = $1 ORDER BY k.id", tenant_id)
    return [KeyRecord.of(row) for row in rows]


async def revoke_key(db: Database, ref: int | UUID) -> KeyRecord | None:
    """Revoke a key, for the operator; a second time changes nothing."""
    column = "uuid" if isinstance(ref, UUID) else "id"
    row = await db.fetch_one(
        f"UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE {column} = $1 RETURNING id", ref
    )
    if row is None:
        return None
    revoked = await db.fetch_one(KEYS + "WHERE k.id = $1", row["id"])
    return KeyRecord.of(revoked) if revoked else None
