"""Named queries over tenants' keys, which are wrapped under the installation's."""

from collections.abc import Sequence

from msgspec import Struct

from docrefinery.store import documents, garbage, jobs
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


async def hold(db: Database, tenant_id: int) -> bytes | None:
    """Return a tenant's key, and keep it from being given up until the transaction ends.

    To be called before anything else is locked: who gives a key up locks it first.
    """
    row = await db.fetch_one("SELECT wrapped FROM tenant_keys WHERE tenant_id = $1 FOR KEY SHARE", tenant_id)
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


_EXPIRE_FILES = f"""
WITH gone AS (
    UPDATE documents SET deleted_at = now(), file_expired_at = now(), modified_at = now(), data_key = NULL
    WHERE tenant_id = $1 AND data_key IS NOT NULL AND deleted_at IS NULL RETURNING blob_key
)
{garbage.noted("gone")}
"""
_EXPIRE_ARTIFACTS = f"""
WITH gone AS (
    DELETE FROM artifacts WHERE tenant_id = $1 AND data_key IS NOT NULL RETURNING tenant_id, id, uuid, job_id, blob_key
), noted AS (
    {garbage.noted("gone")}
)
INSERT INTO expired_artifacts (tenant_id, id, uuid, job_id) SELECT tenant_id, id, uuid, job_id FROM gone
"""


async def expire_sealed(db: Database, tenant_id: int) -> int:
    """Let what is sealed under a key that was given up answer as expired, in the transaction that gave it up.

    Jobs on such files are canceled as if their documents were deleted: one may have read its file already, and what
    comes of that must not be published. Returns how many.
    """
    # Documents first, as everybody locks.
    await db.fetch("SELECT FROM documents WHERE tenant_id = $1 ORDER BY id FOR UPDATE", tenant_id)
    canceled = await _cancel_jobs(db, tenant_id)
    await db.fetch(_EXPIRE_FILES, tenant_id)
    # A file that had expired before was kept for its jobs.
    await db.fetch("UPDATE documents SET data_key = NULL WHERE tenant_id = $1 AND data_key IS NOT NULL", tenant_id)
    await db.fetch(_EXPIRE_ARTIFACTS, tenant_id)
    # Pages of plain files that are being read: once more, under another key.
    await db.fetch(
        """UPDATE slices SET blob_key = NULL, size_bytes = NULL, data_key = NULL, pages_done = 0
           WHERE tenant_id = $1 AND data_key IS NOT NULL
                 AND job_id IN (SELECT id FROM jobs WHERE tenant_id = $1 AND cancel_requested_at IS NULL)""",
        tenant_id,
    )
    return canceled


async def _cancel_jobs(db: Database, tenant_id: int) -> int:
    rows = await db.fetch(
        """SELECT id, document_id FROM jobs WHERE tenant_id = $1 AND status IN ('QUEUED', 'RUNNING') AND document_id IN
               (SELECT id FROM documents WHERE tenant_id = $1 AND data_key IS NOT NULL)
           ORDER BY id FOR UPDATE""",
        tenant_id,
    )
    for row in rows:
        await jobs.cancel(db, tenant_id, row["id"])
        await documents.refresh_status(db, tenant_id, row["document_id"])
    return len(rows)


async def give_up(db: Database, tenant_id: int) -> bool:
    """Delete a tenant's key; false if it has none."""
    return bool(await db.fetch("DELETE FROM tenant_keys WHERE tenant_id = $1 RETURNING tenant_id", tenant_id))
