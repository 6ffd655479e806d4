"""Taking in documents and jobs: store the bytes, commit one transaction, ring the bell."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import structlog
from msgspec import Struct

from docrefinery.errors import (
    DocumentQuarantined,
    InvalidJobState,
    InvalidOptions,
    ProfileDisabled,
    StorageError,
    Unavailable,
)
from docrefinery.model import DocumentStatus
from docrefinery.plugin.registry import Registry
from docrefinery.services import options
from docrefinery.services.abilities import Abilities
from docrefinery.services.absent import absent
from docrefinery.services.doorbell import Doorbell
from docrefinery.services.idempotency import Attempt, once
from docrefinery.services.keys import Caller
from docrefinery.services.limits import upload_limit
from docrefinery.services.load import Arrival, Load
from docrefinery.services.queues import Queues
from docrefinery.services.quotas import Quotas, pages_expected
from docrefinery.services.uploads import Size, Upload
from docrefinery.settings import Settings
from docrefinery.store import documents, garbage, idempotency, jobs
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.store.encryption.vault import Vault
from docrefinery.store.records import DocumentRecord, JobRecord, Ref

log = structlog.get_logger(__name__)

ABANDONED = timedelta(hours=6)
"""After this an upload that nothing refers to is garbage; none takes so long."""


class Origin(Struct, frozen=True):
    """Where a request came from, for the worker's log lines."""

    request_id: str = ""
    traceparent: str = ""


class Wanted(Struct, frozen=True):
    """What is asked of a document besides keeping it; ``options`` is decoded JSON."""

    ingest: bool = False
    profile: str | None = None
    options: Any = {}
    external_uuid: UUID | None = None


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
        registry: Registry,
        abilities: Abilities,
        settings: Settings,
        quotas: Quotas,
        load: Load,
    ) -> None:
        self._quotas = quotas
        self._load = load
        self._db = db
        self._vault = vault
        self._doorbell = doorbell
        self._registry = registry
        self._abilities = abilities
        self._queues = Queues(registry, abilities, settings)
        self._settings = settings

    @asynccontextmanager
    async def receiving(self, caller: Caller, size: Size, key: str | None = None) -> AsyncIterator[Upload]:
        """Open an upload. What is not accepted before the block ends is removed, also after a crash.

        :param key: the request's idempotency key; what was answered before is answered again however much there is
            to do.
        :raises QuotaExceeded: if it is known already that there is no room for it.
        :raises Unavailable: if the installation has too much to do, or its disk is too full.
        """
        if not await self._answered(caller, key):
            await self._load.check_queue()
            await self._quotas.check_stored(caller, size.at_least)
        async with self._load.arriving(size.at_most) as arrival, self._opened(caller, arrival) as upload:
            yield upload

    async def _answered(self, caller: Caller, key: str | None) -> bool:
        return key is not None and await idempotency.get(self._db, caller.tenant_id, key) is not None

    @asynccontextmanager
    async def _opened(self, caller: Caller, arrival: Arrival) -> AsyncIterator[Upload]:
        uuid = uuid4()
        key = f"{caller.tenant_uuid}/documents/{uuid}.pdf"
        await garbage.note(self._db, key, removable_in=ABANDONED)
        try:
            encrypt = self._vault.encrypts(caller.encrypt)
            async with self._vault.writing(caller.tenant_id, key, encrypt=encrypt) as writer:
                upload = Upload(key, uuid, upload_limit(self._settings, caller), writer, arrival)
                yield upload
                upload.check_magic()
        except StorageError as error:
            raise Unavailable("The storage does not take the file at the moment; try again later.") from error
        except BaseException:
            await self.discard(key)
            raise

    async def discard(self, key: str) -> None:
        """Remove an upload that came to nothing; what cannot be removed now is left to the sweep."""
        try:
            async with self._db.transaction():
                if await garbage.hold(self._db, key):
                    await self._vault.delete(key)
                    await garbage.forget(self._db, key)
        except (StorageError, Unavailable, *UNREACHABLE) as error:
            log.warning("upload_left_for_the_sweep", key=key, error=str(error))

    async def accept(
        self, caller: Caller, upload: Upload, filename: str, wanted: Wanted, key: str | None, origin: Origin
    ) -> tuple[Accepted, bool]:
        """Turn a stored upload into a document, and into a job if it is to be ingested.

        :param filename: the client's name for the file, already made harmless.
        :param key: the request's idempotency key.
        :returns: the outcome and whether it is replayed.
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
            await self.discard(upload.key)
            raise
        if replayed or isinstance(accepted, Duplicate):
            await self.discard(upload.key)
        elif asked.queue:
            await self._doorbell.ring(asked.queue)
        return accepted, replayed

    async def _create(self, asked: _Asked, upload: Upload, filename: str) -> Accepted:
        caller, wanted = asked.caller, asked.wanted
        job = await self._effective(caller, wanted)
        # A default profile that is switched off does not keep a file from being uploaded and left alone.
        if wanted.ingest or wanted.profile:
            _check_enabled(caller, job.profile)
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
            return await self._duplicate(caller, upload.sha256)
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

    async def _duplicate(self, caller: Caller, sha256: str) -> Duplicate:
        existing = await documents.by_sha256(self._db, caller.tenant_id, sha256)
        if existing is None:
            raise Unavailable("The same document was being deleted at this moment; send it again.")
        job_id = await jobs.latest_of_document(self._db, caller.tenant_id, existing.id)
        return Duplicate(existing.id, existing.uuid, job_id)

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
            effective = await self._effective(caller, wanted)
            _check_enabled(caller, effective.profile)
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

        if not await self._answered(caller, key):
            await self._load.check_queue()
        job, replayed = await once(self._db, caller.tenant_id, attempt, JobRecord, work)
        if asked.queue:
            await self._doorbell.ring(asked.queue)
        return job, replayed

    async def _effective(self, caller: Caller, wanted: Wanted) -> options.Effective:
        try:
            effective = options.effective(
                self._settings, self._registry, caller.defaults, profile=wanted.profile, requested=wanted.options
            )
        except InvalidOptions as error:
            asked = wanted.options.get("ocr_languages") if isinstance(wanted.options, dict) else None
            more = await self._abilities.wrong_languages(asked)
            raise InvalidOptions(error.message, errors=[*error.errors, *more]) from None
        await self._abilities.check_languages(effective.options)
        return effective

    async def _insert_job(
        self,
        asked: _Asked,
        document: DocumentRecord,
        external_uuid: UUID | None,
        effective: options.Effective,
    ) -> JobRecord:
        asked.queue = await self._queues.of(effective.profile)
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


def _check_enabled(caller: Caller, profile: str | None) -> None:
    if profile in caller.defaults.disabled_profiles:
        raise ProfileDisabled(
            f"The profile `{profile}` is switched off for your tenant; ask the operator, or use another."
        )
