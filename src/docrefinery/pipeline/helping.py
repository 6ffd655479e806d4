"""A worker without a job of its own reads pages of other workers' long documents."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import structlog

from docrefinery import errors
from docrefinery.logs import trace_ids
from docrefinery.pipeline.converter import Converter, ConverterUnavailable
from docrefinery.pipeline.outcomes import Task
from docrefinery.pipeline.pages import PageReader, folder_for
from docrefinery.pipeline.parting import Readers
from docrefinery.pipeline.tasks import task_of
from docrefinery.plugin.registry import Registry
from docrefinery.settings import Settings
from docrefinery.store import slices
from docrefinery.store.blobs import BlobMissing
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.store.encryption.errors import BlobDamaged
from docrefinery.store.encryption.vault import Vault
from docrefinery.store.records import SliceRecord

log = structlog.get_logger(__name__)

AWAY = (BlobMissing, BlobDamaged, errors.StorageError, ConverterUnavailable, *UNREACHABLE)
"""What keeps a worker from helping; the one that has the job meets the same, and says so in it."""


class Helper:
    """Reads pages, one range at a time.

    :ivar job_id: the job that is helped with.
    :param readers: what this worker says of itself.
    :param scratch: a private folder for the files of the job in hand.
    """

    def __init__(
        self,
        db: Database,
        vault: Vault,
        converter: Converter,
        pages: PageReader,
        readers: Readers,
        registry: Registry,
        scratch: Path,
        settings: Settings,
    ) -> None:
        self.job_id: int | None = None
        self._db = db
        self._vault = vault
        self._converter = converter
        self._pages = pages
        self._readers = readers
        self._registry = registry
        self._scratch = scratch
        self._settings = settings
        self._file: tuple[str, Path] | None = None

    async def help(self, queues: Sequence[str]) -> bool:
        """Read the next pages of any job of these queues; returns whether there were some, and all went well."""
        structlog.contextvars.clear_contextvars()
        taken = await slices.claim_any(self._db, queues, self._readers.all, self._pages.worker_id, self._pages.lease)
        if taken is None:
            return False
        structlog.contextvars.bind_contextvars(
            job_id=taken.job_id, attempt=taken.attempt, request_id=taken.request_id, **trace_ids(taken.traceparent)
        )
        self.job_id = taken.job_id
        try:
            await self._read(taken)
        except AWAY as error:
            log.warning("pages_given_back", error=str(error))
            return False
        except Exception:
            log.exception("pages_given_back")
            return False
        finally:
            self.job_id = None
        return True

    async def forget(self) -> None:
        """Remove the file of the document that was helped with last."""
        if self._file is not None:
            await self._converter.forget()
            shutil.rmtree(self._file[1].parent, ignore_errors=True)
            self._file = None

    async def _read(self, taken: SliceRecord) -> None:
        workdir = folder_for(taken, self._scratch)
        try:
            await self._pages.read(taken, lambda: self._prepare(taken, workdir), lambda _: None)
        finally:
            shutil.rmtree(workdir, ignore_errors=True)

    async def _prepare(self, taken: SliceRecord, workdir: Path) -> Task:
        self._converter.serve(str(taken.tenant_uuid))
        await self._converter.start()
        return task_of(taken, await self._source(taken), workdir, self._registry, self._settings)

    async def _source(self, taken: SliceRecord) -> Path:
        """Fetch a document, unless it is here from the pages before."""
        if self._file is None or self._file[0] != taken.blob_key:
            await self.forget()
            folder = self._scratch / f"helping-{taken.token}"
            folder.mkdir(mode=0o700)
            path = folder / "source.pdf"
            try:
                await self._vault.read_to(taken, path)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._file = taken.blob_key, path
        return self._file[1]
