"""Named queries over documents."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from piccolo.columns.combination import WhereRaw

from docrefinery.model import DocumentStatus
from docrefinery.store.database import Database
from docrefinery.store.merging import Condition, created_between, numbered_between, one_of
from docrefinery.store.paging import Page, PageRequest, fetch_page
from docrefinery.store.records import DocumentRecord, Ref
from docrefinery.store.sql.lists import SHOWN
from docrefinery.store.tables import Document


class DocumentFilters(Struct, frozen=True, kw_only=True):
    """What a list of documents is narrowed to; ``None`` does not narrow."""

    status: tuple[str, ...] | None = None
    external_uuid: UUID | None = None
    sha256: tuple[str, ...] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class NewDocument(Struct, frozen=True, kw_only=True):
    """An uploaded document whose bytes are stored already, sealed if there is a ``data_key``."""

    uuid: UUID
    external_uuid: UUID | None
    original_filename: str
    sha256: str
    size_bytes: int
    blob_key: str
    data_key: bytes | None = None


async def insert(db: Database, tenant_id: int, new: NewDocument) -> DocumentRecord | None:
    """Insert an uploaded document; ``None`` if the tenant already has these bytes.

    Where a clock was set back, its time is that of the one before: lists by time rely on numbers that rise with it.
    """
    row = await db.fetch_one(
        """INSERT INTO documents (tenant_id, uuid, external_uuid, original_filename, sha256, size_bytes, blob_key,
                                  data_key, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8,
                   greatest(now(), (SELECT created_at FROM documents WHERE tenant_id = $1
                                    ORDER BY created_at DESC LIMIT 1)))
           ON CONFLICT (tenant_id, sha256) WHERE deleted_at IS NULL DO NOTHING RETURNING *""",
        tenant_id,
        new.uuid,
        new.external_uuid,
        new.original_filename,
        new.sha256,
        new.size_bytes,
        new.blob_key,
        new.data_key,
    )
    return DocumentRecord.of(row) if row else None


# Either index has some of those that are shown.
_BYTES = """((sha256 = ANY ({}::text[]) AND deleted_at IS NULL)
              OR (sha256 = ANY ({}::text[]) AND file_expired_at IS NOT NULL))"""


async def get(db: Database, tenant_id: int, ref: Ref, *, lock: bool = False) -> DocumentRecord | None:
    """Return a document that is not deleted, also one whose file has expired.

    :param lock: keep others from changing it until the transaction ends.
    """
    column = "uuid" if isinstance(ref, UUID) else "id"
    row = await db.fetch_one(
        f"SELECT * FROM documents WHERE tenant_id = $1 AND {column} = $2 AND {SHOWN}" + (" FOR UPDATE" if lock else ""),
        tenant_id,
        ref,
    )
    return DocumentRecord.of(row) if row else None


async def by_sha256(db: Database, tenant_id: int, sha256: str) -> DocumentRecord | None:
    """Return the document that holds these bytes for the tenant."""
    row = await db.fetch_one(
        "SELECT * FROM documents WHERE tenant_id = $1 AND sha256 = $2 AND deleted_at IS NULL", tenant_id, sha256
    )
    return DocumentRecord.of(row) if row else None


async def any_of_size(db: Database, tenant_id: int, at_least: int, at_most: int) -> bool:
    """Return whether the tenant has a file of so many bytes: nothing else is among those that come again."""
    return bool(
        await db.fetch(
            """SELECT FROM documents WHERE tenant_id = $1 AND deleted_at IS NULL AND size_bytes BETWEEN $2 AND $3
               LIMIT 1""",
            tenant_id,
            at_least,
            at_most,
        )
    )


async def page(tenant_id: int, filters: DocumentFilters, request: PageRequest) -> Page[DocumentRecord]:
    """Return one page, newest first."""
    query, merge = Document.select().where(Document.tenant_id == tenant_id, WhereRaw(SHOWN)), None
    conditions = created_between(filters.created_after, filters.created_before)
    within = numbered_between("documents", tenant_id, filters.created_after, filters.created_before)
    if filters.external_uuid is None and filters.sha256 is None:
        held = Condition(f"tenant_id = {{}} AND {SHOWN}", (tenant_id,))
        merge = one_of("documents", held, "status", filters.status or tuple(DocumentStatus), *conditions)
    else:
        for condition in (*conditions, *_conditions(filters)):
            query = query.where(condition.raw)
    return await fetch_page(
        query, DocumentRecord.of, request, order=(Document.id,), ascending=False, within=within, merge=merge
    )


def _conditions(filters: DocumentFilters) -> list[Condition]:
    found = []
    if filters.status is not None:
        found.append(Condition("status = ANY ({}::text[])", (list(filters.status),)))
    if filters.external_uuid is not None:
        found.append(Condition("external_uuid = {}", (filters.external_uuid,)))
    if filters.sha256 is not None:
        found.append(Condition(_BYTES, (list(filters.sha256), list(filters.sha256))))
    return found


async def refresh_status(db: Database, tenant_id: int, document_id: int, *, scanned_clean: bool = False) -> None:
    """Derive a document's status from its jobs.

    A quarantine stays until the job that found malware was retried and found none: neither a queued retry nor another
    job of the document, scanned earlier or by then canceled, opens its bytes.
    """
    await db.fetch(
        """UPDATE documents d SET modified_at = now(), status = CASE
               WHEN d.status = 'QUARANTINED' AND NOT $3 THEN 'QUARANTINED'
               WHEN EXISTS (SELECT FROM jobs WHERE tenant_id = $1 AND document_id = d.id AND status = 'QUARANTINED')
                   THEN 'QUARANTINED'
               WHEN EXISTS (SELECT FROM jobs WHERE tenant_id = $1 AND document_id = d.id AND status = 'SUCCEEDED')
                   THEN 'READY'
               WHEN latest.status IN ('QUEUED', 'RUNNING') THEN 'PROCESSING'
               WHEN latest.status = 'FAILED' THEN 'FAILED'
               ELSE 'UPLOADED' END
           FROM (SELECT status FROM jobs WHERE tenant_id = $1 AND document_id = $2
                 ORDER BY queued_at DESC, id DESC LIMIT 1) latest
           WHERE d.tenant_id = $1 AND d.id = $2 AND (d.deleted_at IS NULL) = (d.file_expired_at IS NULL)""",
        tenant_id,
        document_id,
        scanned_clean,
    )


async def set_page_count(db: Database, tenant_id: int, document_id: int, page_count: int) -> None:
    """Note how many pages the file has."""
    await db.fetch(
        "UPDATE documents SET page_count = $3 WHERE tenant_id = $1 AND id = $2", tenant_id, document_id, page_count
    )


async def mark_deleted(db: Database, tenant_id: int, document_id: int) -> None:
    """Hide a document for good, and forget what its blob is sealed with; its jobs stay readable."""
    await db.fetch(
        """UPDATE documents SET deleted_at = now(), file_expired_at = NULL, modified_at = now(), data_key = NULL
           WHERE tenant_id = $1 AND id = $2""",
        tenant_id,
        document_id,
    )


async def remove_empty(db: Database, tenant_id: int, document_ids: Sequence[int]) -> None:
    """Remove what is left of documents whose file and jobs are all gone; the transaction holds them.

    It is remembered of those that expired and were not deleted.
    """
    await db.fetch(
        """WITH gone AS (
               DELETE FROM documents d
               WHERE d.tenant_id = $1 AND d.id = ANY ($2::bigint[]) AND d.deleted_at IS NOT NULL
                     AND NOT EXISTS (SELECT FROM jobs j WHERE j.tenant_id = $1 AND j.document_id = d.id)
               RETURNING d.tenant_id, d.id, d.uuid, d.file_expired_at)
           INSERT INTO expired_documents (tenant_id, id, uuid)
           SELECT tenant_id, id, uuid FROM gone WHERE file_expired_at IS NOT NULL""",
        tenant_id,
        list(document_ids),
    )
