"""Named queries over artifacts."""

from uuid import UUID

from msgspec import Struct

from docrefinery.store.database import Database
from docrefinery.store.merging import Condition, Merge
from docrefinery.store.paging import Page, PageRequest, fetch_page
from docrefinery.store.records import ArtifactRecord, Ref
from docrefinery.store.tables import Artifact


class ArtifactFilters(Struct, frozen=True, kw_only=True):
    """What a list of artifacts is narrowed to; ``None`` does not narrow."""

    job_id: Ref | None = None
    document_id: Ref | None = None
    kind: tuple[str, ...] | None = None


class NewArtifact(Struct, frozen=True, kw_only=True):
    """A result whose bytes are stored already, sealed if there is a ``data_key``."""

    kind: str
    filename: str
    content_type: str
    size_bytes: int
    sha256: str
    blob_key: str
    data_key: bytes | None = None


def refers_to(column: str, table: str, tenant_id: int, ref: Ref) -> Condition:
    """Return the condition that a column names the tenant's object, by number or uuid."""
    if isinstance(ref, UUID):
        sql = f"{column} = (SELECT id FROM {table} WHERE tenant_id = {{}} AND uuid = {{}})"
        return Condition(sql, (tenant_id, ref))
    return Condition(f"{column} = {{}}", (ref,))


async def page(tenant_id: int, filters: ArtifactFilters, request: PageRequest) -> Page[ArtifactRecord]:
    """Return one page, newest first."""
    query, merge = Artifact.select().where(Artifact.tenant_id == tenant_id), None
    for column, table, ref in (("job_id", "jobs", filters.job_id), ("document_id", "documents", filters.document_id)):
        if ref is not None:
            query = query.where(refers_to(column, table, tenant_id, ref).raw)
    if filters.job_id is None and filters.document_id is None:
        merge = Merge("artifacts", _kinds(tenant_id, filters.kind), {"kind": "kind"}, (Condition(_OWN, (tenant_id,)),))
    elif filters.kind is not None:
        query = query.where(Artifact.kind.is_in(list(filters.kind)))
    return await fetch_page(query, ArtifactRecord.of, request, order=(Artifact.id,), ascending=False, merge=merge)


_OWN = "tenant_id = {}"
# Step by step through the index, from each kind to the next: plugins add kinds, so nobody knows them all.
_KINDS = """(WITH RECURSIVE there (kind) AS (
    (SELECT kind FROM artifacts WHERE tenant_id = {} ORDER BY kind LIMIT 1)
    UNION ALL
    SELECT (SELECT a.kind FROM artifacts a WHERE a.tenant_id = {} AND a.kind > there.kind ORDER BY a.kind LIMIT 1)
    FROM there WHERE there.kind IS NOT NULL) SELECT kind FROM there WHERE kind IS NOT NULL) g"""


def _kinds(tenant_id: int, wanted: tuple[str, ...] | None) -> Condition:
    """Return the kinds whose artifacts are merged: those that are wanted, or all that the tenant has."""
    if wanted is None:
        return Condition(_KINDS, (tenant_id, tenant_id))
    return Condition("unnest({}::text[]) g (kind)", (list(dict.fromkeys(wanted)),))


async def get(db: Database, tenant_id: int, ref: Ref) -> ArtifactRecord | None:
    """Return an artifact."""
    column = "uuid" if isinstance(ref, UUID) else "id"
    row = await db.fetch_one(f"SELECT * FROM artifacts WHERE tenant_id = $1 AND {column} = $2", tenant_id, ref)
    return ArtifactRecord.of(row) if row else None


async def insert(db: Database, tenant_id: int, *, job_id: int, document_id: int, artifacts: list[NewArtifact]) -> None:
    """Insert the results of a job; the database refuses a second one of a kind."""
    await db.fetch(
        """INSERT INTO artifacts
               (tenant_id, job_id, document_id, kind, filename, content_type, size_bytes, sha256, blob_key,
                data_key)
           SELECT $1, $2, $3, n.*
           FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::bytea[]) n""",
        tenant_id,
        job_id,
        document_id,
        [new.kind for new in artifacts],
        [new.filename for new in artifacts],
        [new.content_type for new in artifacts],
        [new.size_bytes for new in artifacts],
        [new.sha256 for new in artifacts],
        [new.blob_key for new in artifacts],
        [new.data_key for new in artifacts],
    )


async def delete_of_document(db: Database, tenant_id: int, document_id: int) -> list[str]:
    """Delete a document's artifacts and return their blobs' keys."""
    rows = await db.fetch(
        "DELETE FROM artifacts WHERE tenant_id = $1 AND document_id = $2 RETURNING blob_key", tenant_id, document_id
    )
    return [row["blob_key"] for row in rows]
