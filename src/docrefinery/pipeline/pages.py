"""Reading leased pages into the storage, for this worker's own job or for another's."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, assert_never
from uuid import UUID

import msgspec
import structlog

from docrefinery import errors, tracing
from docrefinery.pipeline import traced
from docrefinery.pipeline.beating import Lease, Stop, Watching
from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.held import HeldPages
from docrefinery.pipeline.outcomes import Canceled, Crashed, Rejected, Task, TimedOut, timed_out
from docrefinery.pipeline.patience import patiently
from docrefinery.store import garbage, slices, tenants
from docrefinery.store.claims import LeaseLost
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.store.encryption.vault import Vault
from docrefinery.store.records import SliceRecord
from docrefinery.store.slices import StoredPages

log = structlog.get_logger(__name__)

Prepare = Callable[[], Coroutine[Any, Any, Task | Canceled]]
UNFINISHED = timedelta(hours=1)
"""After this, pages that were stored and that no row refers to are garbage; noting them takes milliseconds."""


class PageReader:
    """Reads pages with one converter.

    :param worker_id: owns the leases.
    :param watching: lets one hear of cancels at once.
    :param lease_seconds: how long a lease lasts after a heartbeat.
    """

    def __init__(
        self,
        worker_id: UUID,
        watching: Watching,
        db: Database,
        vault: Vault,
        converter: Converter,
        lease_seconds: float,
    ) -> None:
        self.worker_id = worker_id
        self.lease = timedelta(seconds=lease_seconds)
        self._watching = watching
        self._db = db
        self._vault = vault
        self._converter = converter
        self._holding: Lease | None = None

    def stop(self, reason: Stop) -> None:
        """End what is being read."""
        if self._holding is not None:
            self._holding.end(reason)

    async def read(
        self,
        taken: SliceRecord,
        prepare: Prepare,
        told: Callable[[int], None],
    ) -> tuple[str, Path] | None:
        """Read pages and note what came of it.

        :param prepare: returns the task, with a folder for these pages alone and the time that is left for them.
        :param told: called now and then: how many pages of the job are done, by everybody.
        :returns: where they are in the storage, and the same here; ``None`` if they were not read, or not in time.
        :raises ConverterUnavailable: if no child can be started; somebody else may try, as after every exception.
        :raises StorageError: if the storage does not take them.
        """
        with traced.pages(taken):
            return await self._read(taken, prepare, told)

    async def _read(
        self,
        taken: SliceRecord,
        prepare: Prepare,
        told: Callable[[int], None],
    ) -> tuple[str, Path] | None:
        ended = False
        try:
            async with Lease(
                HeldPages(self._db, taken, told), self.lease.total_seconds(), self._watching, self._converter.cancel
            ) as self._holding:
                task = await self._holding.unless_stopped(prepare())
                if isinstance(task, Canceled) or self._holding.stop is not None:
                    return None
                outcome = await self._converter.read(task, taken.first_page, taken.last_page, self._holding.on_progress)
                stored = await self._note(taken, task, outcome)
                ended = not isinstance(outcome, Canceled)
                return stored
        except LeaseLost:
            ended = True
            tracing.fail("lease_lost")
            log.warning("pages_lost", first_page=taken.first_page, last_page=taken.last_page)
            return None
        finally:
            self._holding = None
            if not ended:
                await self._give_back(taken)

    async def _note(
        self, taken: SliceRecord, task: Task, outcome: Path | Rejected | TimedOut | Crashed | Canceled
    ) -> tuple[str, Path] | None:
        match outcome:
            case Path():
                return await self._store(taken, outcome), outcome
            case Rejected():
                tracing.fail(outcome.code)
                await self._fail(taken, outcome)
            case TimedOut():
                tracing.fail(errors.ConversionTimeout.error_code)
                limit = msgspec.convert(task.options["document_timeout"], float)
                await self._fail(taken, Rejected(errors.ConversionTimeout.error_code, timed_out(limit)))
            case Crashed():
                tracing.fail("converter_crashed")
                log.warning("converter_crashed", reason=outcome.reason, signal=outcome.signal, stderr=outcome.stderr)
                await patiently(lambda: slices.crashed(self._db, taken, outcome.reason))
            case Canceled():
                pass
            case _:
                assert_never(outcome)
        return None

    async def _fail(self, taken: SliceRecord, failure: Rejected) -> None:
        encoded = msgspec.json.encode(failure).decode()
        await patiently(lambda: slices.failed(self._db, taken, encoded))

    async def _store(self, taken: SliceRecord, path: Path) -> str:
        key = f"{taken.tenant_uuid}/jobs/{taken.job_uuid}/pages/{taken.token}"
        await patiently(lambda: garbage.note(self._db, key, removable_in=UNFINISHED))
        encrypt = self._vault.encrypts(await patiently(lambda: tenants.encrypts(self._db, taken.tenant_id)))
        data_key = await patiently(lambda: self._vault.write_file(taken.tenant_id, key, path, {}, encrypt=encrypt))
        pages = StoredPages(blob_key=key, size_bytes=path.stat().st_size, data_key=data_key)  # noqa: ASYNC240

        async def done() -> None:
            if data_key is None:
                # No key to hold, and so nothing that belongs into one transaction with it.
                await slices.done(self._db, taken, pages)
                return
            async with self._db.transaction():
                await self._vault.hold_key(taken.tenant_id, [(key, data_key)])
                await slices.done(self._db, taken, pages)

        await patiently(done)
        return key

    async def _give_back(self, taken: SliceRecord) -> None:
        # Whoever has them by now, or nobody: without this they wait until the lease has run out.
        with suppress(LeaseLost, *UNREACHABLE):
            await slices.give_back(self._db, taken)


def folder_for(taken: SliceRecord, parent: Path) -> Path:
    """Make the folder for what is read of some pages."""
    folder = parent / f"pages-{taken.token}"
    folder.mkdir(mode=0o700)
    return folder
