"""Named queries over what is left of what has expired: its numbers, and since when."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from docrefinery.store.database import Database
from docrefinery.store.records import Ref

Kind = Literal["document", "job", "artifact"]
TABLES: dict[Kind, str] = {"document": "expired_documents", "job": "expired_jobs", "artifact": "expired_artifacts"}


async def expired_at(db: Database, tenant_id: int, kind: Kind, ref: Ref) -> datetime | None:
    """Return when something of the tenant was removed; ``None`` if it never was there, or is forgotten by now."""
    column = "uuid" if isinstance(ref, UUID) else "id"
    row = await db.fetch_one(
        f"SELECT expired_at FROM {TABLES[kind]} WHERE tenant_id = $1 AND {column} = $2", tenant_id, ref
    )
    return row["expired_at"] if row else None


async def file_of_artifact(db: Database, tenant_id: int, ref: Ref) -> bool | None:
    """Return whether the file is there that an expired artifact was made of; ``None`` if its job has expired too."""
    column = "uuid" if isinstance(ref, UUID) else "id"
    row = await db.fetch_one(
        f"""SELECT d.deleted_at IS NULL AS there FROM expired_artifacts e
            JOIN jobs j ON j.tenant_id = $1 AND j.id = e.job_id
            JOIN documents d ON d.tenant_id = $1 AND d.id = j.document_id
            WHERE e.tenant_id = $1 AND e.{column} = $2""",
        tenant_id,
        ref,
    )
    return row["there"] if row else None


async def forget(db: Database, kind: Kind, hours: int, limit: int) -> int:
    """Forget the oldest that expired more than so many hours ago, of all tenants; returns how many."""
    table = TABLES[kind]
    return len(
        await db.fetch(
            f"""DELETE FROM {table} WHERE id IN (
                    SELECT id FROM {table} WHERE expired_at < now() - make_interval(hours => $1)
                    ORDER BY expired_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING id""",
            hours,
            limit,
        )
    )
