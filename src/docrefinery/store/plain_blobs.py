"""Named queries over blobs that are not encrypted, of documents and artifacts alike."""

from typing import Literal

from docrefinery.store.database import Database
from docrefinery.store.records import Record

Table = Literal["documents", "artifacts"]
TABLES: tuple[Table, ...] = ("documents", "artifacts")
_THERE = {"documents": "AND deleted_at IS NULL", "artifacts": ""}


class PlainBlob(Record, frozen=True, kw_only=True):
    """A row that refers to a plain blob."""

    table: Table
    id: int
    tenant_id: int
    blob_key: str
    size_bytes: int
    sha256: str
    data_key: None = None


async def after(db: Database, table: Table, tenant_id: int, last: int, limit: int) -> list[PlainBlob]:
    """Return a tenant's plain blobs whose rows come after this one."""
    rows = await db.fetch(
        f"""SELECT '{table}' AS "table", id, tenant_id, blob_key, size_bytes, sha256, data_key FROM {table}
            WHERE tenant_id = $1 AND id > $2 AND data_key IS NULL {_THERE[table]} ORDER BY id LIMIT $3""",
        tenant_id,
        last,
        limit,
    )
    return [PlainBlob.of(row) for row in rows]


async def refers(db: Database, blob: PlainBlob) -> bool:
    """Return whether a row refers to its plain blob still."""
    return bool(await db.fetch(f"SELECT FROM {blob.table} WHERE {_same(blob.table)}", *_named(blob)))


async def swap(db: Database, blob: PlainBlob, key: str, data_key: bytes) -> bool:
    """Have a row refer to an encrypted blob in place of its plain one; false if it does not refer to that any more."""
    rows = await db.fetch(
        f"UPDATE {blob.table} SET blob_key = $4, data_key = $5 WHERE {_same(blob.table)} RETURNING id",
        *_named(blob),
        key,
        data_key,
    )
    return bool(rows)


def _same(table: Table) -> str:
    return f"tenant_id = $1 AND id = $2 AND blob_key = $3 AND data_key IS NULL {_THERE[table]}"


def _named(blob: PlainBlob) -> tuple[int, int, str]:
    return blob.tenant_id, blob.id, blob.blob_key
