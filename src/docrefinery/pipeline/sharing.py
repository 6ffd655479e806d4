"""A long document: its pages are offered to every worker that is free, and put together by the one that has the job."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from docrefinery import errors
from docrefinery.model import Stage
from docrefinery.pipeline.beating import Lease, Watch, Watching
from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.outcomes import Canceled, Converted, Long, Outcome, Parts, Progress, Rejected, Task, TimedOut
from docrefinery.pipeline.pages import PageReader, folder_for
from docrefinery.pipeline.parting import Readers, ranges
from docrefinery.pipeline.patience import patiently
from docrefinery.store import slices
from docrefinery.store.blobs import BlobMissing
from docrefinery.store.database import Database
from docrefinery.store.encryption.errors import BlobDamaged
from docrefinery.store.encryption.vault import Vault
from docrefinery.store.records import ClaimRecord, SliceRecord, SliceState

log = structlog.get_logger(__name__)

Ring = Callable[[str], Awaitable[None]]
RINGS = 16
"""Workers that are told at once; the sweep tells more of what is left."""


class _Blob(Struct, frozen=True):
    """Pages in the storage, as they are read from there."""

    tenant_id: int
    blob_key: str
    size_bytes: int
    data_key: bytes | None


class Sharing:
    """Converts long documents.

    :param readers: what workers must say of themselves to read pages as this one does.
    :param watching: lets one hear of pages that somebody has left.
    :param ring: wakes a worker of a queue.
    :param max_crashes: workers or converters that may die of the same pages.
    """

    def __init__(
        self,
        db: Database,
        vault: Vault,
        converter: Converter,
        pages: PageReader,
        readers: Readers,
        watching: Watching,
        ring: Ring,
        max_crashes: int,
    ) -> None:
        self._db = db
        self._vault = vault
        self._converter = converter
        self._pages = pages
        self._readers = readers
        self._watching = watching
        self._ring = ring
        self._max_crashes = max_crashes

    async def convert(self, claim: ClaimRecord, lease: Lease, task: Task, long: Long) -> Outcome:
        """Convert a document.

        :raises LeaseLost: if the job is somebody else's by now.
        :raises ConverterUnavailable: if no child can be started.
        :raises StorageError: if what was read cannot be stored or fetched.
        """
        reader = self._readers.for_options(task.options)
        parts = list(ranges(long.first, long.last, recognises=bool(task.options.get("do_ocr"))))
        await patiently(lambda: slices.share(self._db, claim, parts, reader))
        # A broker that hangs is waited for some seconds, and the pages need not.
        ringing = asyncio.create_task(self._tell_others(claim.queue, min(len(parts) - 1, RINGS)))
        shared = _Shared(claim, lease, task, long.last - long.first + 1, reader)
        try:
            with self._watching(claim.job_id) as watch:
                while not isinstance(step := await self._step(shared, watch), Outcome):
                    pass
        finally:
            ringing.cancel()
            await asyncio.gather(ringing, return_exceptions=True)
        return step

    async def _tell_others(self, queue: str, count: int) -> None:
        try:
            await asyncio.gather(*(self._ring(queue) for _ in range(count)))
        except Exception:
            # The sweep tells them later, and this worker reads all pages by itself if it has to.
            log.exception("workers_not_told", queue=queue)

    async def _step(self, shared: "_Shared", watch: Watch) -> Outcome | None:
        """Do what is to be done next; returns how the job ends once that is known."""
        claim = shared.claim
        if shared.lease.stop is not None:
            return Canceled()
        if shared.seconds_left <= 0:
            return TimedOut(shared.task.timeout_seconds)
        states = await patiently(lambda: slices.look(self._db, claim.job_id))
        shared.tell(sum(state.pages_done for state in states))
        if (ending := self._ending(states)) is not None:
            return ending
        if all(state.blob_key for state in states):
            parts = await self._fetched(shared, states)
            return await self._put_together(shared, parts) if parts is not None else None
        taken = await patiently(
            lambda: slices.claim(self._db, claim.job_id, [shared.reader], self._pages.worker_id, self._pages.lease)
        )
        if taken is None:
            await shared.lease.unless_stopped(watch.changed(shared.seconds_left))
            return None
        if (read := await self._pages.read(taken, lambda: shared.prepare(taken), shared.tell)) is not None:
            shared.here[read[0]] = read[1]
        return None

    def _ending(self, states: Sequence[SliceState]) -> Rejected | None:
        for state in states:
            if state.failure is not None:
                return msgspec.json.decode(state.failure, type=Rejected)
            if state.crashes >= self._max_crashes:
                return Rejected(errors.WorkerCrashed.error_code, _died_of(state))
        return None

    async def _fetched(self, shared: "_Shared", states: Sequence[SliceState]) -> Parts | None:
        """Return the files of all pages, or ``None`` if some have to be read again."""
        parts: dict[tuple[int, int], Path] = {}
        for state in states:
            assert state.blob_key is not None
            assert state.size_bytes is not None
            path = shared.here.get(state.blob_key)
            if path is None:
                path = shared.task.workdir.parent / f"pages-{state.first_page}-of-others"
                blob = _Blob(state.tenant_id, state.blob_key, state.size_bytes, state.data_key)
                try:
                    await self._vault.read_to(blob, path)
                except (BlobMissing, BlobDamaged):
                    log.warning("pages_gone", first_page=state.first_page, last_page=state.last_page)
                    await patiently(partial(slices.read_again, self._db, shared.claim.job_id, blob.blob_key))
                    return None
                shared.here[state.blob_key] = path
            parts[state.first_page, state.last_page] = path
        return parts

    async def _put_together(self, shared: "_Shared", parts: Parts) -> Outcome:
        workers, here = await patiently(
            lambda: slices.readers(self._db, shared.claim.job_id, self._pages.worker_id),
        )
        log.info("pages_read", ranges=len(parts), workers=workers, seconds=round(shared.seconds, 3))
        # Whoever has helped on this machine is free now, and so is a processor.
        task = replace(shared.task, parts=parts, processes=max(1, here), timeout_seconds=max(shared.seconds_left, 0.0))
        if shared.lease.stop is not None:
            return Canceled()
        outcome = await self._converter.convert(task, shared.lease.on_progress)
        match outcome:
            case TimedOut():
                return TimedOut(shared.task.timeout_seconds)
            case Converted():
                read_ms = round(shared.seconds * 1000) - outcome.export_ms - (outcome.chunk_ms or 0)
                by = {"workers": str(workers)} if workers > 1 else {}
                return replace(outcome, convert_ms=max(read_ms, 0), engine={**outcome.engine, **by})
            case _:
                return outcome


class _Shared:
    """A document that is being read by several workers.

    :ivar here: files of pages that are here already, by where they are in the storage.
    """

    def __init__(self, claim: ClaimRecord, lease: Lease, task: Task, pages: int, reader: str) -> None:
        self.claim = claim
        self.lease = lease
        self.task = task
        self.reader = reader
        self.here: dict[str, Path] = {}
        self._pages = pages
        self._done = 0
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return self._loop.time() - self._began

    @property
    def seconds_left(self) -> float:
        """How long it may still take."""
        return self.task.timeout_seconds - self.seconds

    async def prepare(self, taken: SliceRecord) -> Task | Canceled:
        """Return the task of reading some pages, unless the job has to end."""
        if self.lease.stop is not None:
            return Canceled()
        folder = folder_for(taken, self.task.workdir.parent)
        return replace(self.task, workdir=folder, timeout_seconds=max(self.seconds_left, 0.0))

    def tell(self, pages_done: int) -> None:
        """Note how many pages are done; those of a worker that is lost are not taken back."""
        self._done = max(self._done, pages_done)
        self.lease.on_progress(Progress(Stage.CONVERTING, self._done, self._pages))


def _died_of(state: SliceState) -> str:
    if not state.reason:
        return f"The worker was lost {state.crashes} times while it worked on this document."
    return (
        f"The converter died {state.crashes} times on pages {state.first_page} to {state.last_page} of this document, "
        f"the last time: {state.reason}."
    )
