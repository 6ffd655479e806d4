"""Named queries over tenants and their API keys."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from docrefinery.store.database import Database
from docrefinery.store.records import KeyRecord, TenantRecord, VolumeRecord
from docrefinery.store.wall import across_tenants

KEYS = """
SELECT k.id, k.uuid, k.tenant_id, t.uuid AS tenant_uuid, t.name AS tenant_name, t.options AS tenant_options,
       t.default_profile AS tenant_default_profile, t.max_upload_mb AS tenant_max_upload_mb,
       t.max_pages AS tenant_max_pages, t.encrypt AS tenant_encrypt,
       t.requests_per_minute AS tenant_requests_per_minute,
       t.max_queued_jobs AS tenant_max_queued_jobs, t.max_pages_in_flight AS tenant_max_pages_in_flight,
       t.max_stored_mb AS tenant_max_stored_mb,
       ARRAY(SELECT profile FROM disabled_profiles d WHERE d.tenant_id = t.id) AS tenant_disabled_profiles,
       k.name, k.prefix, k.secret_sha256, k.scopes, k.options,
       k.default_profile, k.created_at, k.expires_at, k.revoked_at
FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
"""


async def create_tenant(db: Database, name: str, *, encrypt: bool | None = None) -> TenantRecord | None:
    """Insert a tenant, encrypted or not, or as the installation has it; ``None`` if the name is taken."""
    row = await db.fetch_one(
        "INSERT INTO tenants (name, encrypt) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING *", name, encrypt
    )
    return TenantRecord.of(row) if row else None


async def list_tenants(db: Database) -> list[TenantRecord]:
    """Return every tenant, oldest first."""
    return [TenantRecord.of(row) for row in await db.fetch("SELECT * FROM tenants ORDER BY id")]


async def get_tenant(db: Database, name: str) -> TenantRecord | None:
    """Return the tenant of this name."""
    row = await db.fetch_one("SELECT * FROM tenants WHERE name = $1", name)
    return TenantRecord.of(row) if row else None


async def volumes(db: Database) -> dict[int, VolumeRecord]:
    """Return what each tenant has stored, by its number."""
    return {row["tenant_id"]: VolumeRecord.of(row) for row in await db.fetch("SELECT * FROM tenant_volumes")}


class Limits(Struct, frozen=True, kw_only=True):
    """What a tenant may have. ``None`` is not said, 0 is no limit of its own, :data:`UNLIMITED` none at all.

    In this order: MiB of an upload, pages of a job, jobs at a time, requests in a minute, jobs in the queue, pages of
    queued and running jobs, MiB of files and artifacts.
    """

    max_upload_mb: int | None = None
    max_pages: int | None = None
    max_running_jobs: int | None = None
    requests_per_minute: int | None = None
    max_queued_jobs: int | None = None
    max_pages_in_flight: int | None = None
    max_stored_mb: int | None = None


class Keep(Struct, frozen=True, kw_only=True):
    """How many hours a tenant's things are kept. ``None`` is not said, 0 for ever, -1 as the installation does."""

    files_hours: int | None = None
    artifacts_hours: int | None = None
    jobs_hours: int | None = None


UNLIMITED = 2**31 - 1
"""In place of a number that would take the place of the installation's: that one does not hold either."""
AS_INSTALLED = -1
_LIMITS = ", ".join(
    f"{name} = nullif(coalesce(${number}, {name}), 0)" for number, name in enumerate(Limits.__struct_fields__, 4)
)
_KEEP = ", ".join(
    f"keep_{name} = nullif(coalesce(${number}, keep_{name}), {AS_INSTALLED})"
    for number, name in enumerate(Keep.__struct_fields__, 4 + len(Limits.__struct_fields__))
)
_ENCRYPT = 4 + len(Limits.__struct_fields__) + len(Keep.__struct_fields__)

Encrypt = Literal["on", "off", "default"]
"""Whether a tenant's new blobs are encrypted: yes, no, or as the installation has it."""


async def encrypts(db: Database, tenant_id: int) -> bool | None:
    """Return whether a tenant's new blobs are encrypted; ``None`` is as the installation has it."""
    row = await db.fetch_one("SELECT encrypt FROM tenants WHERE id = $1", tenant_id)
    return row["encrypt"] if row else None


async def first_encrypted(db: Database) -> str | None:
    """Return the name of a tenant that is to be encrypted by its own setting."""
    row = await db.fetch_one("SELECT name FROM tenants WHERE encrypt ORDER BY id LIMIT 1")
    return row["name"] if row else None


async def set_tenant(
    db: Database,
    tenant_id: int,
    *,
    options: str | None = None,
    default_profile: str | None = None,
    limits: Limits | None = None,
    keep: Keep | None = None,
    encrypt: Encrypt | None = None,
) -> TenantRecord:
    """Change what is not ``None``; an empty profile name removes the default, a limit of 0 the limit."""
    row = await db.fetch_one(
        f"""UPDATE tenants SET options = coalesce($2::jsonb, options),
                   default_profile = nullif(coalesce($3, default_profile), ''), {_LIMITS}, {_KEEP},
                   encrypt = CASE ${_ENCRYPT}::text WHEN 'on' THEN true WHEN 'off' THEN false
                                                    WHEN 'default' THEN NULL ELSE encrypt END
            WHERE id = $1 RETURNING *""",
        tenant_id,
        options,
        default_profile,
        *msgspec.structs.astuple(limits or Limits()),
        *msgspec.structs.astuple(keep or Keep()),
        encrypt,
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
    return await _key(db, row["id"])


async def _key(db: Database, key_id: int) -> KeyRecord:
    row = await db.fetch_one(KEYS + "WHERE k.id = $1", key_id)
    assert row is not None
    return KeyRecord.of(row)


async def key_by_prefix(db: Database, prefix: str) -> KeyRecord | None:
    """Return the key with this public prefix, revoked or not."""
    # Who asks is not known before this.
    with across_tenants():
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
    return await _key(db, row["id"]) if row else None


async def set_key(
    db: Database, ref: int | UUID, *, name: str | None, options: str | None, default_profile: str | None
) -> KeyRecord | None:
    """Change what is not ``None`` of a key, for the operator; an empty profile name removes the default."""
    column = "uuid" if isinstance(ref, UUID) else "id"
    row = await db.fetch_one(
        f"""UPDATE api_keys SET name = coalesce($2, name), options = coalesce($3::jsonb, options),
                   default_profile = nullif(coalesce($4, default_profile), '')
            WHERE {column} = $1 RETURNING id""",
        ref,
        name,
        options,
        default_profile,
    )
    return await _key(db, row["id"]) if row else None
