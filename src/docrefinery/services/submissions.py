"""Taking in documents and jobs: commit one transaction, ring the bell."""

from uuid import UUID

import msgspec
from msgspec import Struct

from docrefinery.errors import (
    DocumentQuarantined,
    InvalidJobState,
    InvalidOptions,
    RequestError,
    StorageError,
    Unavailable,
    UnknownProfile,
)
from docrefinery.model import DocumentStatus
from docrefinery.services.absent import absent
from docrefinery.services.doorbell import Doorbell
from docrefinery.services.idempotency import Attempt, once
from docrefinery.services.keys import Caller
from docrefinery.services.load import Load
from docrefinery.services.options import Effective
from docrefinery.services.planning import Planner, Wanted, check_enabled
from docrefinery.services.quotas import Quotas, pages_expected
from docrefinery.services.reception import Reception
from docrefinery.services.uploads import Upload
from docrefinery.store import documents, garbage, idempotency, jobs
from docrefinery.store.database import Database
from docrefinery.store.encryption.vault import Vault
from docrefinery.store.records import DocumentRecord, JobRecord, Ref


class Origin(Struct, frozen=True):
    """Where a request came from, for the worker's log lines."""

    request_id: str = ""
    traceparent: str = ""


class Created(Struct, frozen=True, tag=True):
    """The document is new; it has a job if it was to be ingested."""

    document: DocumentRecord
    job_id: int | None


class Duplicate(Struct, frozen=True, tag=True):
    """The tenant has these bytes already."""

    document_id: int
    uuid: UUID
    job_id: int | None


Accepted = Created | Duplicate


class _Asked(Struct):
    """A request on its way: who asks for what; ``queue`` is where its job was put, to be rung for after the commit."""

    caller: Caller
    wanted: Wanted
    origin: Origin
    queue: str = ""


class Submissions:
    """Accepts documents and jobs."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        doorbell: Doorbell,
        planner: Planner,
        quotas: Quotas,
        load: Load,
        reception: Reception,
    ) -> None:
        self._quotas = quotas
        self._load = load
        self._reception = reception
        self._db = db
        self._vault = vault
        self._doorbell = doorbell
        self._planner = planner

    async def accept(
        self, caller: Caller, upload: Upload, filename: str, wanted: Wanted, key: str | None, origin: Origin
    ) -> tuple[Accepted, bool]:
        """Turn a stored upload into a document, and into a job if it is to be ingested.

        :param filename: the client's name for the file, already made harmless.
        :param key: the request's idempotency key.
        :returns: the outcome and whether it is replayed.
        :raises QuotaExceeded: if the tenant has no room for it.
        :raises Unavailable: if the installation has none, for a file that is new.
        """
        asked = _Asked(caller, wanted, origin)
        attempt = Attempt.of(key, "POST /v1/documents/", wanted, upload.sha256) if key else None
        try:
            accepted, replayed = await once(
                self._db,
                caller.tenant_id,
                attempt,
                Accepted,
                lambda: self._create(asked, upload, filename),
            )
        except BaseException:
            await self._reception.discard(upload)
            raise
        if replayed or isinstance(accepted, Duplicate):
            await self._reception.discard(upload)
        elif asked.queue:
            await self._doorbell.ring(asked.queue)
        return accepted, replayed

    async def _create(self, asked: _Asked, upload: Upload, filename: str) -> Accepted:
        caller, wanted = asked.caller, asked.wanted
        job = await self._planner.effective(caller, wanted)
        # A default profile that is switched off does not keep a file from being uploaded and left alone.
        if wanted.ingest or wanted.profile:
            check_enabled(caller, job.profile)
        if upload.refusal is not None:
            return await self._duplicate(caller, upload)
        try:
            await self._vault.hold_key(caller.tenant_id, [(upload.key, upload.data_key)])
        except StorageError as error:
            raise Unavailable("The key to the file was given up while it arrived; send it again.") from error
        document = await documents.insert(
            self._db,
            caller.tenant_id,
            documents.NewDocument(
                uuid=upload.uuid,
                external_uuid=wanted.external_uuid,
                original_filename=filename,
                sha256=upload.sha256,
                size_bytes=upload.size_bytes,
                blob_key=upload.key,
                data_key=upload.data_key,
            ),
        )
        if document is None:
            return await self._duplicate(caller, upload)
        if not await garbage.forget(self._db, upload.key):
            raise Unavailable("The upload took too long and was given up; send it again.")
        # The outcome may be kept for replays, which outlive a deletion.
        document = msgspec.structs.replace(document, data_key=None)
        created = Created(document, None)
        if wanted.ingest:
            started = await self._insert_job(asked, document, wanted.external_uuid, job)
            created = Created(msgspec.structs.replace(document, status=DocumentStatus.PROCESSING), started.id)
        await self._quotas.check_stored(caller, upload.size_bytes, lock=True)
        return created

    async def _duplicate(self, caller: Caller, upload: Upload) -> Duplicate:
        existing = await documents.by_sha256(self._db, caller.tenant_id, upload.sha256)
        if existing is None:
            raise upload.refusal or Unavailable("The same document was being deleted at this moment; send it again.")
        job_id = await jobs.latest_of_document(self._db, caller.tenant_id, existing.id)
        return Duplicate(existing.id, existing.uuid, job_id)

    async def plan(self, caller: Caller, wanted: Wanted) -> Effective:
        """Return what a job would run with, and start none.

        :raises InvalidOptions: if the options are wrong.
        :raises UnknownProfile: if there is no such profile.
        :raises ProfileDisabled: if it is switched off for the tenant.
        """
        effective = await self._planner.effective(caller, wanted)
        check_enabled(caller, effective.profile)
        return effective

    async def problems(self, caller: Caller, wanted: Wanted) -> list[RequestError]:
        """Return what options and profile would be refused for, to be named by a refusal that is certain already."""
        try:
            await self._planner.effective(caller, wanted)
        except (InvalidOptions, UnknownProfile) as error:
            return [error]
        return []

    async def start_job(
        self, caller: Caller, document_ref: Ref, wanted: Wanted, key: str | None, origin: Origin
    ) -> tuple[JobRecord, bool]:
        """Process a document that is already here.

        :returns: the job and whether it is replayed.
        :raises NotFound: if the tenant has no such document.
        :raises DocumentExpired: if all of it has expired.
        :raises QuotaExceeded: if the tenant has too much in flight.
        :raises Unavailable: if the installation has.
        :raises InvalidJobState: if its file has expired.
        :raises DocumentQuarantined: if it was found to be malware.
        """
        asked = _Asked(caller, wanted, origin)
        attempt = Attempt.of(key, "POST /v1/jobs/", str(document_ref), wanted) if key else None

        async def work() -> JobRecord:
            effective = await self.plan(caller, wanted)
            document = await documents.get(self._db, caller.tenant_id, document_ref, lock=True)
            if document is None:
                raise await absent(self._db, caller.tenant_id, "document", document_ref)
            if document.file_expired_at is not None:
                raise InvalidJobState(f"The file of document {document_ref} has expired; upload it again.")
            if document.status == DocumentStatus.QUARANTINED:
                raise DocumentQuarantined(
                    f"Document {document_ref} is quarantined; retry its job to have it scanned again."
                )
            external = wanted.external_uuid or document.external_uuid
            return await self._insert_job(asked, document, external, effective)

        if key is None or await idempotency.get(self._db, caller.tenant_id, key) is None:
            await self._load.check_queue()
        job, replayed = await once(self._db, caller.tenant_id, attempt, JobRecord, work)
        if asked.queue:
            await self._doorbell.ring(asked.queue)
        return job, replayed

    async def _insert_job(
        self,
        asked: _Asked,
        document: DocumentRecord,
        external_uuid: UUID | None,
        effective: Effective,
    ) -> JobRecord:
        asked.queue = await self._planner.queue(effective.profile, effective.options)
        pages = pages_expected(document.page_count, effective.options)
        job = await jobs.insert(
            self._db,
            asked.caller.tenant_id,
            jobs.NewJob(
                document_id=document.id,
                external_uuid=external_uuid,
                profile=effective.profile,
                options=msgspec.json.encode(effective.options).decode(),
                exports=effective.exports,
                ignored_options=msgspec.json.encode(effective.ignored).decode(),
                queue=asked.queue,
                traceparent=asked.origin.traceparent,
                request_id=asked.origin.request_id,
                pages_expected=pages,
            ),
        )
        await self._quotas.check_job(asked.caller, pages)
        await documents.refresh_status(self._db, asked.caller.tenant_id, document.id)
        return job
