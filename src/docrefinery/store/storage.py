"""Named queries of the operator's check of the storage: they are about all tenants."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from docrefinery.store.database import Database
from docrefinery.store.records import Record

PAGE = 500
Table = Literal["documents", "artifacts"]
_HAS_BYTES = {"documents": "deleted_at IS NULL", "artifacts": "true"}
# An artifact is noted by the folder that it is in, before it is published; pages that were read are there until their
# job ends.
_UNKNOWN = """
SELECT k FROM unnest($1::text[]) k
WHERE NOT EXISTS (SELECT FROM documents WHERE blob_key = k AND deleted_at IS NULL)
      AND NOT EXISTS (SELECT FROM artifacts WHERE blob_key = k)
      AND NOT EXISTS (SELECT FROM slices WHERE blob_key = k)
      AND NOT EXISTS (SELECT FROM unreferenced_blobs WHERE prefix IN (k, regexp_replace(k, '/[^/]*$', '')))
"""
_LOSE: dict[Table, str] = {
    "artifacts": """
WITH gone AS (DELETE FROM artifacts WHERE id = ANY ($1::bigint[]) RETURNING id, uuid, tenant_id, job_id)
INSERT INTO expired_artifacts (id, uuid, tenant_id, job_id) SELECT id, uuid, tenant_id, job_id FROM gone""",
    # A job that is queued or running finds out by itself, and fails.
    "documents": """
UPDATE documents d SET deleted_at = now(), file_expired_at = now(), modified_at = now(), data_key = NULL
WHERE id = ANY ($1::bigint[]) AND deleted_at IS NULL
      AND NOT EXISTS (SELECT FROM jobs j WHERE j.tenant_id = d.tenant_id AND j.document_id = d.id
                                               AND j.status IN ('QUEUED', 'RUNNING'))""",
}
_THERE = """
SELECT t.id AS tenant_id, t.name, v.documents AS counted_documents, d.n AS documents,
       v.document_bytes + v.artifact_bytes AS counted_bytes, d.bytes + a.bytes AS bytes
FROM tenants t JOIN tenant_volumes v ON v.tenant_id = t.id
CROSS JOIN LATERAL (SELECT count(*) AS n, coalesce(sum(size_bytes), 0)::bigint AS bytes FROM documents
                    WHERE tenant_id = t.id AND deleted_at IS NULL) d
CROSS JOIN LATERAL (SELECT coalesce(sum(size_bytes), 0)::bigint AS bytes FROM artifacts WHERE tenant_id = t.id) a
WHERE (v.documents, v.document_bytes, v.artifact_bytes) IS DISTINCT FROM (d.n, d.bytes, a.bytes) ORDER BY t.id
"""
_RECOUNT = """
UPDATE tenant_volumes v SET documents = d.n, document_bytes = d.bytes, artifact_bytes = a.bytes
FROM (SELECT count(*) AS n, coalesce(sum(size_bytes), 0) AS bytes FROM documents
      WHERE tenant_id = $1 AND deleted_at IS NULL) d,
     (SELECT coalesce(sum(size_bytes), 0) AS bytes FROM artifacts WHERE tenant_id = $1) a
WHERE v.tenant_id = $1
"""


class BlobRow(Struct, frozen=True):
    """A document or an artifact, and where its bytes should be."""

    table: Table
    id: int
    blob_key: str


class Miscounted(Record, frozen=True, kw_only=True):
    """A tenant whose counters are not what there is."""

    tenant_id: int
    name: str
    counted_documents: int
    documents: int
    counted_bytes: int
    bytes: int


async def tenants(db: Database) -> frozenset[str]:
    """Return the uuids of all tenants, which their blobs' keys begin with."""
    return frozenset(str(row["uuid"]) for row in await db.fetch("SELECT uuid FROM tenants"))


async def unknown(db: Database, keys: Sequence[str]) -> list[str]:
    """Return the keys that neither a row nor a note refers to."""
    return [row["k"] for row in await db.fetch(_UNKNOWN, list(keys))]


async def rows(db: Database, table: Table, after: int) -> list[BlobRow]:
    """Return the next page of rows that have bytes."""
    found = await db.fetch(
        f"SELECT id, blob_key FROM {table} WHERE id > $1 AND {_HAS_BYTES[table]} ORDER BY id LIMIT {PAGE}", after
    )
    return [BlobRow(table, row["id"], row["blob_key"]) for row in found]


async def still_there(db: Database, row: BlobRow) -> bool:
    """Return whether a row still says that there are bytes."""
    return bool(
        await db.fetch(
            f"SELECT FROM {row.table} WHERE id = $1 AND blob_key = $2 AND {_HAS_BYTES[row.table]}", row.id, row.blob_key
        )
    )


async def lose(db: Database, missing: Sequence[BlobRow]) -> None:
    """Let rows whose bytes are lost answer as if they had expired."""
    for table, statement in _LOSE.items():
        await db.fetch(statement, [row.id for row in missing if row.table == table])


async def miscounted(db: Database) -> list[Miscounted]:
    """Return the tenants whose counters are wrong."""
    return [Miscounted.of(row) for row in await db.fetch(_THERE)]


async def recount(db: Database, tenant_id: int) -> None:
    """Count what a tenant has stored."""
    async with db.transaction():
        # Whoever changes what is counted holds this row until the commit; what is seen after it is all there is.
        await db.fetch("SELECT FROM tenant_volumes WHERE tenant_id = $1 FOR UPDATE", tenant_id)
        await db.fetch(_RECOUNT, tenant_id)
