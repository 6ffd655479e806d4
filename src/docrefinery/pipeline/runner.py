"""What a worker does: claim the next job, take it through its stages, publish, until none is left."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import assert_never
from uuid import UUID

import structlog
from msgspec import Struct

from docrefinery import errors, tracing
from docrefinery.logs import trace_ids
from docrefinery.model import CLASS_OF, MODEL, Stage
from docrefinery.pipeline import outcomes, traced
from docrefinery.pipeline.away import away
from docrefinery.pipeline.beating import Lease, Watching
from docrefinery.pipeline.converter import Converter, ConverterUnavailable
from docrefinery.pipeline.held import HeldJob
from docrefinery.pipeline.helping import Helper
from docrefinery.pipeline.pages import PageReader
from docrefinery.pipeline.parting import Readers
from docrefinery.pipeline.patience import patiently
from docrefinery.pipeline.publishing import Publisher
from docrefinery.pipeline.scanning import Scanning, unscannable
from docrefinery.pipeline.sharing import Ring, Sharing
from docrefinery.pipeline.tasks import task_of
from docrefinery.plugin import Clean, Infected, ScannerDown, Unscannable, Verdict
from docrefinery.plugin.registry import Registry
from docrefinery.settings import Settings
from docrefinery.store import claims
from docrefinery.store.blobs import BlobMissing
from docrefinery.store.claims import LeaseLost
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.store.encryption.errors import BlobDamaged
from docrefinery.store.encryption.vault import Vault
from docrefinery.store.records import ClaimRecord

log = structlog.get_logger(__name__)

RETRY = timedelta(seconds=5)


class _ModelsGone(Exception):
    """The job waited for a worker with Docling's models, and this one has lost its own."""


class Slot(Struct, frozen=True, kw_only=True):
    """What one runner has for itself.

    ``worker_id`` owns the leases, ``watching`` lets one hear of cancels at once, ``watching_pages`` of pages that
    somebody has left, ``scratch`` is a private folder for the files of the job in hand. ``readers`` are what it says of
    itself to those who share their pages, and ``ring`` tells others of its own.
    """

    worker_id: UUID
    watching: Watching
    watching_pages: Watching
    scratch: Path
    readers: Readers
    ring: Ring


class Runner:
    """One slot: one job at a time, one converter."""

    def __init__(
        self,
        slot: Slot,
        db: Database,
        vault: Vault,
        converter: Converter,
        scanning: Scanning,
        publisher: Publisher,
        registry: Registry,
        settings: Settings,
    ) -> None:
        self.jobs_done = 0
        self._job_id: int | None = None
        self._db = db
        self._vault = vault
        self._converter = converter
        self._scanning = scanning
        self._publisher = publisher
        self._registry = registry
        self._settings = settings
        self._slot = slot
        self._pages = PageReader(slot.worker_id, slot.watching, db, vault, converter, settings.lease_seconds)
        readers, ring, limit = slot.readers, slot.ring, settings.max_crashes
        self._helper = Helper(db, vault, converter, self._pages, readers, registry, slot.scratch, settings)
        self._sharing = Sharing(db, vault, converter, self._pages, readers, slot.watching_pages, ring, limit)
        self._lease: Lease | None = None
        self._stopping = self._gives_back = False
        self._free = asyncio.Event()
        self._free.set()

    @property
    def job_id(self) -> int | None:
        """Number of the job in hand, its own or one that it helps with."""
        return self._job_id or self._helper.job_id

    @property
    def queues(self) -> tuple[str, ...]:
        """Queues whose jobs it takes: those that want Docling's models once the converter holds them."""
        usable = self._converter.models.usable
        return tuple(
            queue for queue, cost in CLASS_OF.items() if cost in self._settings.queues and (cost != MODEL or usable)
        )

    @property
    def stopping(self) -> bool:
        """Whether it takes no more jobs."""
        return self._stopping

    async def take_no_more(self) -> None:
        """Take no more jobs, and return when the one in hand is left."""
        self._stopping = True
        await self._free.wait()

    def shut_down(self) -> None:
        """Take no more jobs, and give the one in hand back to the queue."""
        self._stopping = self._gives_back = True
        if self._lease is not None:
            self._lease.end("shutdown")
        self._pages.stop("shutdown")

    async def drain(self) -> None:
        """Claim and run jobs until there is none that this worker takes, and no pages of somebody else's."""
        lease = timedelta(seconds=self._settings.lease_seconds)
        self._free.clear()
        try:
            while not self._stopping:
                claim = await claims.claim(self._db, self.queues, self._slot.worker_id, lease)
                if not await (self._helper.help(self.queues) if claim is None else self.run(claim)):
                    return
        finally:
            try:
                await self._helper.forget()
            finally:
                self._free.set()

    async def run(self, claim: ClaimRecord) -> bool:
        """Take one job to its end, or back into the queue.

        :returns: whether to take the next: not if something that all jobs need is away.
        """
        with traced.attempt(claim):
            structlog.contextvars.clear_contextvars()
            structlog.contextvars.bind_contextvars(
                job_id=claim.job_id,
                attempt=claim.attempt,
                request_id=claim.request_id,
                **trace_ids(claim.traceparent) | tracing.ids(),
            )
            return await self._take(claim)

    async def _take(self, claim: ClaimRecord) -> bool:
        self._job_id = claim.job_id
        started, ended = monotonic(), False
        workdir = self._slot.scratch / str(claim.token)
        log.info("job_claimed")
        try:
            async with Lease(
                HeldJob(self._db, claim), self._settings.lease_seconds, self._slot.watching, self._converter.cancel
            ) as lease:
                self._lease = lease
                if self._gives_back:
                    lease.end("shutdown")
                # Here, where the lease is kept: a child may have filled its folder.
                await self._helper.forget()
                ended = await self._guarded(claim, lease, workdir)
        except LeaseLost:
            log.warning("lease_lost")
            traced.note_left("lease_lost")
            return True
        finally:
            self._lease = self._job_id = None
            self.jobs_done += ended
            shutil.rmtree(workdir, ignore_errors=True)
            log.info("job_left", seconds=round(monotonic() - started, 3))
            # After the end, which nobody is to wait for because of this.
            await self._converter.forget()
        return ended

    async def _guarded(self, claim: ClaimRecord, lease: Lease, workdir: Path) -> bool:
        """Work on a job and return whether it is over; false if it was put off."""
        try:
            workdir.mkdir(mode=0o700)  # noqa: ASYNC240 - one call on the local disk
            await self._work(claim, lease, workdir)
        except BlobMissing:
            await self._publisher.fail(claim, errors.StorageError.error_code, "The document's file is gone.")
        except _ModelsGone:
            log.warning("job_left_to_workers_with_models", reason=self._converter.models.problem)
            traced.note_left("models_gone")
            await patiently(lambda: claims.give_back(self._db, claim))
        except BlobDamaged:
            message = "The document's stored file cannot be decrypted; delete the document and upload it again."
            await self._publisher.fail(claim, errors.StorageError.error_code, message)
        except (errors.StorageError, ScannerDown, ConverterUnavailable, *UNREACHABLE) as error:
            return await self._put_off(claim, error)
        except LeaseLost:
            raise
        except Exception:
            log.exception("job_failed_unexpectedly")
            await self._publisher.fail(
                claim, errors.InternalError.error_code, "The service failed on this job; its log says why."
            )
        return True

    async def _work(self, claim: ClaimRecord, lease: Lease, workdir: Path) -> None:
        source = workdir / "source.pdf"
        with tracing.step("scan"):
            scanned = await lease.unless_stopped(self._scan(claim, source))
        verdict, scan_ms = scanned if isinstance(scanned, tuple) else (scanned, 0)
        match verdict:
            case Infected():
                await self._publisher.quarantine(claim, verdict.signature)
            case Unscannable():
                await self._publisher.fail(claim, errors.ScannerUnavailable.error_code, unscannable(verdict))
            case Clean():
                await patiently(lambda: claims.enter_stage(self._db, claim, Stage.CONVERTING, scan_ms=scan_ms))
                await self._convert(claim, lease, source, workdir)
            case _:
                await self._not_scanned(claim, lease, verdict)

    async def _scan(self, claim: ClaimRecord, source: Path) -> tuple[Verdict | outcomes.Outcome, int]:
        """Fetch and judge a file; also says how many milliseconds that took, a converter's warm-up apart."""
        self._converter.serve(str(claim.tenant_uuid))
        await self._converter.start()
        if CLASS_OF.get(claim.queue) == MODEL and not self._converter.models.usable:
            raise _ModelsGone
        started = monotonic()
        await self._vault.read_to(claim, source)
        return await self._scanning.scan(source), round((monotonic() - started) * 1000)

    async def _not_scanned(self, claim: ClaimRecord, lease: Lease, outcome: outcomes.Outcome) -> None:
        """End a job whose scan in the child came to nothing: what is not known to be clean stays in quarantine."""
        match outcome:
            case outcomes.TimedOut():
                reason = Unscannable(reason=f"it took longer than {outcome.seconds:g} s")
                await self._publisher.fail(claim, errors.ScannerUnavailable.error_code, unscannable(reason))
            case outcomes.Rejected():
                await self._publisher.fail(claim, outcome.code, outcome.message, outcome.details)
            case _:
                await self._conclude(claim, lease, outcome)

    async def _convert(self, claim: ClaimRecord, lease: Lease, source: Path, workdir: Path) -> None:
        if lease.stop is not None:
            await self._conclude(claim, lease, outcomes.Canceled())
            return
        results = workdir / "results"
        results.mkdir()
        task = task_of(claim, source, results, self._registry, self._settings)
        began = tracing.now_ns()
        outcome = await self._converter.convert_unless_long(task, lease.on_progress, self._settings.slice_pages)
        if isinstance(outcome, outcomes.Long):
            outcome = await self._sharing.convert(claim, lease, task, outcome)
        traced.note_conversion(began, outcome)
        await lease.stages_told()
        await self._conclude(claim, lease, outcome)

    async def _conclude(self, claim: ClaimRecord, lease: Lease, outcome: outcomes.Outcome) -> None:
        match outcome:
            case outcomes.Converted():
                with tracing.step("finalize"):
                    await patiently(lambda: claims.enter_stage(self._db, claim, Stage.FINALIZING))
                    await self._publisher.publish(claim, outcome, self._scanning.warnings)
            case outcomes.Rejected():
                await self._failed(claim, lease, outcome)
            case outcomes.TimedOut():
                message = outcomes.timed_out(outcome.seconds)
                timed_out = outcomes.Rejected(errors.ConversionTimeout.error_code, message)
                await self._failed(claim, lease, timed_out)
            case outcomes.Crashed():
                await self._crashed(claim, outcome)
            case outcomes.Canceled():
                await self._stopped(claim, lease)
            case _:
                assert_never(outcome)

    async def _failed(self, claim: ClaimRecord, lease: Lease, end: outcomes.Rejected) -> None:
        scanned, pages = self._scanning.warnings, lease.progress
        await self._publisher.fail(claim, end.code, end.message, end.details, scanned=scanned, pages=pages)

    async def _stopped(self, claim: ClaimRecord, lease: Lease) -> None:
        match lease.stop:
            case "cancel":
                await self._publisher.cancel(claim)
            case "shutdown":
                log.info("job_given_back")
                traced.note_left("worker_stopped")
                await patiently(lambda: claims.give_back(self._db, claim))
            case _:
                raise LeaseLost

    async def _crashed(self, claim: ClaimRecord, crash: outcomes.Crashed) -> None:
        log.warning("converter_crashed", reason=crash.reason, signal=crash.signal, stderr=crash.stderr)
        traced.note_left("converter_crashed")
        times = self._settings.max_crashes
        message = f"The converter died {times} times on this document, the last time: {crash.reason}."
        counted = claims.Crash(code=errors.WorkerCrashed.error_code, message=message)
        await patiently(lambda: claims.crashed(self._db, claim, counted, max_crashes=times))

    async def _put_off(self, claim: ClaimRecord, error: Exception) -> bool:
        """Try again later what is nobody's fault: scanner, storage, converter or database are away.

        :returns: whether the job is over, since it has been put off for too long.
        """
        limit = self._settings.scanner_wait_seconds
        what = away(error, limit)
        log.warning("job_put_off", reason=what.reason, error=str(error))
        traced.note_left(f"{what.reason}_away")
        if claim.put_off_seconds is None or claim.put_off_seconds < limit:
            await patiently(lambda: claims.give_back(self._db, claim, delay=RETRY, put_off=True, reason=what.reason))
            return False
        await self._publisher.fail(claim, what.code, what.message)
        return True
