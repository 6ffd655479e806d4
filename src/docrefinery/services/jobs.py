"""Jobs: read, list, wait for, follow, cancel, retry."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import structlog
from msgspec import Struct

from docrefinery.errors import InvalidJobState
from docrefinery.model import RETRYABLE, JobStatus
from docrefinery.services.absent import absent
from docrefinery.services.audit import Action, note
from docrefinery.services.changes import Changes
from docrefinery.services.coalescing import Coalesced
from docrefinery.services.doorbell import Doorbell
from docrefinery.services.keys import Caller
from docrefinery.services.load import Load
from docrefinery.services.queues import Queues
from docrefinery.services.quotas import Quotas, pages_expected
from docrefinery.store import documents, jobs
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.store.jobs import JobFilters
from docrefinery.store.paging import Page, PageRequest
from docrefinery.store.records import EventRecord, JobRecord, Ref

log = structlog.get_logger(__name__)

AWAY_SECONDS = 1.0


class CancelOutcome(Struct, frozen=True):
    """The job after a cancel; ``stopping`` if its worker has yet to stop it."""

    job: JobRecord
    stopping: bool


class Jobs:
    """What a tenant does with its jobs."""

    def __init__(
        self, db: Database, changes: Changes, doorbell: Doorbell, queues: Queues, quotas: Quotas, load: Load
    ) -> None:
        self._db = db
        self._changes = changes
        self._doorbell = doorbell
        self._queues = queues
        self._quotas = quotas
        self._load = load
        self._followed = Coalesced[tuple[JobRecord, list[EventRecord]]]()

    async def get(self, tenant_id: int, ref: Ref) -> JobRecord:
        """Return a job.

        :raises JobExpired: if it was removed after its time.
        :raises NotFound: if there is none.
        """
        job = await jobs.get(self._db, tenant_id, ref)
        if job is None:
            raise await absent(self._db, tenant_id, "job", ref)
        return job

    async def page(self, tenant_id: int, filters: JobFilters, request: PageRequest) -> Page[JobRecord]:
        """Return one page of the tenant's jobs."""
        return await jobs.page(tenant_id, filters, request)

    def let_go(self) -> None:
        """Answer all who wait as it is now, and end every stream: the process stops."""
        self._changes.let_go()

    async def wait(self, caller: Caller, before: JobRecord, seconds: float) -> JobRecord:
        """Return a job as soon as anything of it is not as ``before``, page progress included, or after ``seconds``."""
        if JobStatus(before.status).terminal:
            return before
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        with self._changes.watching(before.id) as watch:
            while (now := await self.get(caller.tenant_id, before.id)) == before and loop.time() < deadline:
                if self._changes.ending:
                    break
                await watch.changed(deadline - loop.time())
        return now

    async def follow(self, caller: Caller, job: JobRecord, after: int) -> AsyncIterator[EventRecord | None]:
        """Yield a job's events after sequence ``after``, then new ones as they come, to the end of the job.

        ``None`` is yielded now and then while nothing happens, and while the database is away. A process that stops
        ends the stream early: clients come back to another with the last event that they know.
        """
        with self._changes.watching(job.id) as watch:
            while not self._changes.ending:
                try:
                    job, events = await self._told(caller.tenant_id, job.id)
                except UNREACHABLE as error:
                    # A stream that ends here would only make every client come back at once.
                    log.warning("stream_waits_for_the_database", job_id=job.id, error=str(error))
                    yield None
                    await asyncio.sleep(AWAY_SECONDS)
                    continue
                for event in events:
                    if event.sequence <= after:
                        continue
                    after = event.sequence
                    yield event
                if JobStatus(job.status).terminal and after >= job.event_sequence:
                    return
                yield None
                await watch.changed(60)

    async def _told(self, tenant_id: int, job_id: int) -> tuple[JobRecord, list[EventRecord]]:
        """Return a job and all of its events: one read for all who follow it, however many they are."""

        async def read() -> tuple[JobRecord, list[EventRecord]]:
            # The job first: whatever happened before it was terminal is then among the events.
            job = await self.get(tenant_id, job_id)
            return job, await jobs.events_after(self._db, tenant_id, job_id, 0)

        return await self._followed.read((tenant_id, job_id), read)

    async def cancel(self, tenant_id: int, ref: Ref) -> CancelOutcome:
        """Cancel a queued or running job; a canceled one stays as it is.

        :raises InvalidJobState: if it is finished otherwise.
        """
        job = await self.get(tenant_id, ref)
        async with self._db.transaction():
            # The document before the job: the order in which everybody locks.
            await documents.get(self._db, tenant_id, job.document_id, lock=True)
            locked = await jobs.lock(self._db, tenant_id, job.id)
            status = locked.status if locked else job.status
            if status in (JobStatus.QUEUED, JobStatus.RUNNING):
                await jobs.cancel(self._db, tenant_id, job.id)
                await note(self._db, Action.JOB_CANCELED, tenant_id, f"job {job.id}")
                await documents.refresh_status(self._db, tenant_id, job.document_id)
            elif status != JobStatus.CANCELED:
                raise InvalidJobState(f"Job {ref} is {status} already; only a queued or running job is canceled.")
        return CancelOutcome(await self.get(tenant_id, job.id), stopping=status == JobStatus.RUNNING)

    async def retry(self, tenant_id: int, ref: Ref, caller: Caller | None = None) -> JobRecord:
        """Queue a failed or quarantined job again.

        :param caller: whose quotas hold; the operator has none.
        :raises InvalidJobState: if it is something else, or its document is deleted or has expired.
        :raises QuotaExceeded: if the tenant has too much in flight.
        :raises Unavailable: if the installation has.
        """
        job = await self.get(tenant_id, ref)
        if caller is not None:
            await self._load.check_queue()
        # Where the job was the last time says nothing: workers have come and gone.
        queue = await self._queues.of(job.profile, msgspec.json.decode(job.options, type=dict[str, object]))
        async with self._db.transaction():
            document = await documents.get(self._db, tenant_id, job.document_id, lock=True)
            locked = await jobs.lock(self._db, tenant_id, job.id)
            if locked is None:
                raise await absent(self._db, tenant_id, "job", ref)
            if locked.status not in RETRYABLE:
                raise InvalidJobState(f"Job {ref} is {locked.status}; only FAILED and QUARANTINED jobs are retried.")
            if document is None:
                raise InvalidJobState(f"The document of job {ref} has been deleted; upload it again.")
            if document.file_expired_at is not None:
                raise InvalidJobState(f"The file of job {ref} has expired; upload it again.")
            pages = pages_expected(document.page_count, msgspec.json.decode(job.options))
            retried = await jobs.retry(self._db, tenant_id, job.id, queue, pages)
            if caller is not None:
                await self._quotas.check_job(caller, pages)
            await documents.refresh_status(self._db, tenant_id, job.document_id)
            await note(self._db, Action.JOB_RETRIED, tenant_id, f"job {job.id}", attempt=retried.attempt)
        await self._doorbell.ring(queue)
        return retried
