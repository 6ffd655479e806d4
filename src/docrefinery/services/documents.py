"""Documents: read, list, fetch the file, delete."""

from collections.abc import AsyncIterator, Mapping

import structlog

from docrefinery.errors import ArtifactExpired, DocumentQuarantined, StorageError
from docrefinery.model import DocumentStatus
from docrefinery.services.absent import absent
from docrefinery.services.audit import Action, note
from docrefinery.services.keys import Caller
from docrefinery.store import artifacts, documents, garbage, jobs
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.store.documents import DocumentFilters
from docrefinery.store.encryption.vault import Stored, Vault
from docrefinery.store.paging import Page, PageRequest
from docrefinery.store.records import DocumentRecord, Ref

log = structlog.get_logger(__name__)


class Documents:
    """What a tenant does with its documents."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    async def get(self, caller: Caller, ref: Ref) -> DocumentRecord:
        """Return a document.

        :raises DocumentExpired: if all of it was removed after its time.
        :raises NotFound: if there is none.
        """
        document = await documents.get(self._db, caller.tenant_id, ref)
        if document is None:
            raise await absent(self._db, caller.tenant_id, "document", ref)
        return document

    async def page(self, caller: Caller, filters: DocumentFilters, request: PageRequest) -> Page[DocumentRecord]:
        """Return one page of the tenant's documents."""
        return await documents.page(caller.tenant_id, filters, request)

    async def file(self, caller: Caller, ref: Ref) -> DocumentRecord:
        """Return a document whose bytes may be served.

        :raises ArtifactExpired: if they were removed after their time.
        :raises DocumentQuarantined: if they are malware.
        """
        document = await self.get(caller, ref)
        if document.file_expired_at is not None:
            raise ArtifactExpired(
                f"The file of document {ref} expired at {document.file_expired_at:%Y-%m-%d %H:%M} UTC.",
                details={"expired_at": document.file_expired_at},
            )
        if document.status == DocumentStatus.QUARANTINED:
            raise DocumentQuarantined(f"Document {ref} is quarantined; its file is not served.")
        return document

    def stream(self, blob: Stored, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield a stored file's bytes."""
        return self._vault.stream(blob, start=start, end=end)

    async def presigned(self, blob: Stored, headers: Mapping[str, str], seconds: int) -> str | None:
        """Return a URL under which the storage itself sends the bytes, ``None`` if it cannot as it should."""
        return await self._vault.presigned(blob, headers, seconds)

    async def delete(self, caller: Caller, ref: Ref) -> None:
        """Delete a document: bytes and artifacts go, active jobs are canceled, jobs stay readable."""
        document: DocumentRecord | None
        async with self._db.transaction():
            document = await documents.get(self._db, caller.tenant_id, ref, lock=True)
            if document is None:
                raise await absent(self._db, caller.tenant_id, "document", ref)
            for job_id in await jobs.active_of_document(self._db, caller.tenant_id, document.id):
                await jobs.cancel(self._db, caller.tenant_id, job_id)
            keys = await artifacts.delete_of_document(self._db, caller.tenant_id, document.id)
            await documents.mark_deleted(self._db, caller.tenant_id, document.id)
            await documents.remove_empty(self._db, caller.tenant_id, [document.id])
            await garbage.note_all(self._db, [document.blob_key, *keys])
            await note(self._db, Action.DOCUMENT_DELETED, caller.tenant_id, f"document {document.id}")
        try:
            for key in (document.blob_key, *keys):
                await self._vault.delete(key)
                await garbage.forget(self._db, key)
        except (StorageError, *UNREACHABLE) as error:
            # The document is gone for its tenant already, and the notes are there for the sweep.
            log.warning("blobs_left_for_the_sweep", document_id=document.id, error=str(error))
